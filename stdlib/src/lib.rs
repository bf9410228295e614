//! The host functions offered to scripts: the members of `skill`, one file per domain, written once for every language.
//!
//! [`functions`] gives them all. Each is defined in one place: its name, what it does, its parameters with types and
//! defaults, the schema of its result, the capability it needs, and the code. A language adapts the list; an engine
//! calls them through [`HostFunction`].
//!
//! ```
//! use skills_stdlib::{functions, signature_text};
//! let functions = functions();
//! let wrap = functions.iter().find(|f| f.spec().name == "text.wrap").unwrap();
//! assert_eq!(signature_text(wrap.spec()), "skill.text.wrap(text: string, width: integer = 80) -> string");
//! ```
//!
//! What holds for all of them:
//! - A failure's kind is `invalid_arguments` for input that cannot be used, `permission_denied` for what was not
//!   granted, `not_found` for what is not there, `output_limit` for a result over 64 MiB, and `timeout` for a call that
//!   works for more than ten seconds. A result that takes more than the memory limit of the run, and work past the end
//!   of its time, stop the run.
//! - Bytes are the description `{"$type": "bytes", "length": …, "base64": …}`. Where data is taken, so is a string,
//!   which stands for its UTF-8.
//! - Positions and lengths of text count characters (Unicode scalar values), whatever the script's language counts.
//! - No function reads the environment by itself: the time zone is UTC unless one is named, and files, variables and
//!   secrets are reached only through the host and the grants of the run.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make their own files"))]

use skills_core::{FunctionSpec, HostFunction};
use std::sync::Arc;

mod arguments;
mod base64;
mod bounds;
mod call;
mod csv;
mod define;
mod fs;
mod hash;
mod json;
mod random;
mod regex;
mod report;
mod secret;
mod session;
mod state;
mod text;
mod time;
mod units;
mod uuid;

#[cfg(test)]
mod testing;

/// Every host function, in a fixed order: domain by domain.
pub fn functions() -> Vec<Arc<dyn HostFunction>> {
    [
        report::functions(),
        call::functions(),
        session::functions(),
        state::functions(),
        secret::functions(),
        fs::functions(),
        json::functions(),
        csv::functions(),
        text::functions(),
        regex::functions(),
        time::functions(),
        units::functions(),
        hash::functions(),
        base64::functions(),
        uuid::functions(),
        random::functions(),
    ]
    .concat()
}

/// A function's signature on one line, for documentation and help: `skill.state.get(key: string, default: any = null)
/// -> any`. Types are those of JSON Schema, with `bytes` for the description of bytes.
pub fn signature_text(spec: &FunctionSpec) -> String {
    let parameters: Vec<String> = spec
        .parameters
        .iter()
        .map(|parameter| {
            let mut text = format!("{}: {}", parameter.name, define::type_text(&parameter.schema));
            if !parameter.required {
                let default = parameter.default.clone().unwrap_or_default();
                text.push_str(&format!(" = {default}"));
            }
            text
        })
        .collect();
    format!("skill.{}({}) -> {}", spec.name, parameters.join(", "), define::type_text(&spec.returns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_function_is_documented_and_named_once() {
        let functions = functions();
        let names: HashSet<&str> = functions.iter().map(|f| f.spec().name.as_str()).collect();
        assert_eq!(names.len(), functions.len());
        for function in &functions {
            let spec = function.spec();
            assert!(spec.name.matches('.').count() <= 1, "{}", spec.name);
            assert!(!spec.description.is_empty() && !spec.description.ends_with('.'), "{}", spec.name);
            assert!(spec.returns.is_object(), "{}", spec.name);
            for parameter in &spec.parameters {
                let obvious = ["text", "value", "path", "key"].contains(&parameter.name.as_str());
                assert!(obvious || parameter.description.is_some(), "{} {}", spec.name, parameter.name);
            }
            let first_optional = spec.parameters.iter().position(|p| !p.required).unwrap_or(spec.parameters.len());
            assert!(spec.parameters[first_optional..].iter().all(|p| !p.required), "{}", spec.name);
        }
    }

    #[test]
    fn a_signature_reads_like_a_declaration() {
        let functions = functions();
        let text = |name: &str| signature_text(functions.iter().find(|f| f.spec().name == name).unwrap().spec());
        assert_eq!(text("state.get"), "skill.state.get(key: string, default: any = null) -> any");
        assert_eq!(text("random.bytes"), "skill.random.bytes(count: integer) -> bytes");
        assert_eq!(text("hash.sha256"), "skill.hash.sha256(data: string | bytes) -> string");
    }
}

//! Names of skills and parameters, and versions.

use crate::definition::codes;
use crate::definition::fields::Text;
use crate::definition::node::Span;
use crate::definition::sink::Sink;
use semver::{Version, VersionReq};
/// The longest name of a skill or an alias is that of a parameter.
use skills_core::template::MAX_NAME;

/// Whether a text can be the name of a skill: letters, digits, `-`, `_` and `.`, 1 to 64 of them, beginning with none of
/// `-` and `.`, so that it is neither an option nor a hidden file.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=MAX_NAME).contains(&name.chars().count()) && name.chars().all(allowed) && !name.starts_with(['-', '.'])
}

/// The name of a skill or an alias, checked; `what` is how the message calls it.
pub(crate) fn check(what: &str, name: Text<'_>, sink: &mut Sink) -> Option<String> {
    if is_name(name.text) {
        return Some(name.text.to_owned());
    }
    let message = format!("{what} `{}` cannot be a name", name.text.escape_debug());
    let help = match fixed(name.text) {
        Some(fixed) => format!("write `{fixed}`: letters, digits, `-`, `_` and `.`, at most {MAX_NAME}"),
        None => {
            format!("write 1 to {MAX_NAME} letters, digits, `-`, `_` or `.`, beginning with a letter, a digit or `_`")
        }
    };
    sink.error(codes::BAD_NAME, name.span, message, help);
    None
}

/// Reports a parameter's name that no language could take as an identifier, dashes aside.
pub(crate) fn check_parameter(name: &str, span: &Span, sink: &mut Sink) {
    if !is_name(name) || name.contains('.') {
        let message = format!("`{}` cannot be the name of a parameter", name.escape_debug());
        let help = format!("write 1 to {MAX_NAME} letters, digits, `_` or `-`");
        sink.error(codes::BAD_NAME, span, message, help);
    }
}

/// A semantic version; one of fewer parts such as `1.0` is taken with a warning.
pub(crate) fn version(what: &str, text: Text<'_>, sink: &mut Sink) -> Option<Version> {
    let written = text.text.trim();
    if let Ok(version) = written.parse() {
        return Some(version);
    }
    let missing = match written.matches('.').count() {
        0 => ".0.0",
        1 => ".0",
        _ => "",
    };
    let plain = written.trim_start_matches(['v', 'V']);
    if let Ok(version) = format!("{plain}{missing}").parse::<Version>() {
        let message = format!("{what} `{written}` is not a semantic version, and is taken for {version}");
        sink.warning(codes::BAD_VERSION, text.span, message, format!("write \"{version}\""));
        return Some(version);
    }
    let message = format!("{what} `{}` is not a semantic version", written.escape_debug());
    sink.error(codes::BAD_VERSION, text.span, message, "write three numbers, such as \"1.0.0\"");
    None
}

/// A range of versions.
pub(crate) fn version_range(what: &str, text: Text<'_>, sink: &mut Sink) -> Option<VersionReq> {
    let range = text.text.parse();
    if range.is_err() {
        let message = format!("{what} `{}` is not a range of versions", text.text.escape_debug());
        sink.error(codes::BAD_VERSION, text.span, message, "write \"^1.2.0\", \">=2.1.0, <3\" or \"*\"");
    }
    range.ok()
}

/// The nearest name that is one.
fn fixed(name: &str) -> Option<String> {
    let plain: String = name
        .trim()
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .collect();
    let plain: String = plain.trim_start_matches(['-', '.']).chars().take(MAX_NAME).collect();
    let plain = plain.trim_end_matches('-');
    is_name(plain).then(|| plain.to_owned())
}

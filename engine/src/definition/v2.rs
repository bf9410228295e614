//! Spellings of v2 that are met in the wild, turned into the schema's own.

use crate::definition::node::{Member, Node};
use crate::definition::sink::Sink;
use crate::definition::{codes, schema_form};

/// The tree with the schema's own spelling throughout, each change with a warning.
pub(crate) fn to_v2(mut root: Node, sink: &mut Sink) -> Node {
    for (old, new) in [("working_dir", "working_directory"), ("cwd", "working_directory"), ("env", "environment")] {
        if root.has(new) {
            continue;
        }
        if let Some(member) = root.take(old) {
            // `env` is what v1 calls it, and v2 takes the keys of v1's executor.
            if old != "env" {
                warn(&member, &format!("write `{new}`"), sink);
            }
            let key_span = member.key_span.clone();
            root.set(new, &key_span, member.value);
        }
    }
    if let Some(member) = root.member("parameters").cloned()
        && let Some(list) = schema_form::parameters(&member.value, &member.key_span, sink)
    {
        root.set("parameters", &member.key_span, list);
    }
    session_keys(&mut root, sink);
    context_files(&mut root, sink);
    if let Some(member) = root.take("session") {
        match root.has("session_config") {
            true => {
                let message = "`session` and `session_config` are the same; `session_config` holds";
                sink.warning(codes::REPEATED, &member.key_span, message, "remove one of the two");
            }
            false => {
                let key_span = member.key_span.clone();
                root.set("session_config", &key_span, member.value);
            }
        }
    }
    root
}

/// `session_timeout` and its like at the top level belong into `session_config`.
fn session_keys(root: &mut Node, sink: &mut Sink) {
    for key in ["session_timeout", "max_sessions", "cleanup_on_exit", "state_persistence"] {
        let Some(member) = root.take(key) else { continue };
        warn(&member, &format!("write `\"session_config\": {{\"{key}\": …}}`"), sink);
        let mut config = match root.take("session_config") {
            Some(config) if config.value.is_object() => config,
            Some(other) => {
                // Not an object: left as it is, for the builder to report.
                root.set("session_config", &other.key_span.clone(), other.value);
                continue;
            }
            None => Member::new("session_config", &member.key_span, Node::object(&member.value.span)),
        };
        if !config.value.has(key) {
            config.value.set(key, &member.key_span, member.value);
        }
        root.set("session_config", &config.key_span, config.value);
    }
}

/// A list of patterns instead of the object around it.
fn context_files(root: &mut Node, sink: &mut Sink) {
    let Some(member) = root.member("context_files").filter(|member| member.value.is_array()).cloned() else { return };
    warn(&member, "write `\"context_files\": {\"patterns\": […]}`", sink);
    let patterns = Node::object(&member.value.span).with("patterns", member.value.clone());
    root.set("context_files", &member.key_span, patterns);
}

fn warn(member: &Member, help: &str, sink: &mut Sink) {
    let message = format!("`{}` is written as an older v2 form has it", member.key);
    sink.warning(codes::OLD_SPELLING, &member.key_span, message, format!("{help}, or run `skills upgrade FILE`"));
}

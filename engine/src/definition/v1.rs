//! The first schema: `skill_type`, a `metadata` object, times in milliseconds. Translated into v2 with the spans kept.

use crate::definition::fields::{Fields, unknown_key};
use crate::definition::limits::{self, Bound, Plausible, RUN, SESSION};
use crate::definition::node::{Data, Member, Node};
use crate::definition::sink::Sink;
use crate::definition::{codes, dialects, reader, schema_form, suggest};

/// What a definition may say at its top level.
const KEYS: &[&str] =
    &["$schema", "skill_type", "metadata", "prompt", "executor", "parameters", "session", "conversation", "completion"];

/// What only v2 has, and must not be thought to hold in v1.
const V2_ONLY: &[&str] = &[
    "command",
    "args",
    "code",
    "timeout",
    "security",
    "sandbox",
    "resource_limits",
    "resilience",
    "session_config",
    "context_files",
    "prompt_template",
    "dependencies",
    "provides",
    "scope",
    "output_format",
    "environment",
];

/// What stands in `metadata` with a meaning of its own; anything else there is free.
const METADATA: &[&str] = &["name", "description", "aliases", "version", "author", "license", "homepage"];

/// The v2 form of a v1 tree.
pub(crate) fn to_v2(root: &Node, sink: &mut Sink) -> Node {
    let root = &respell(root, sink);
    let mut v2 = Node::object(&root.span);
    metadata(root, &mut v2, sink);
    kind(root, &mut v2, sink);
    for member in root.members() {
        match member.key.as_str() {
            "prompt" | "conversation" | "completion" => copy(member, &mut v2),
            "executor" => {
                let mut value = executor(&member.value, sink);
                dialects::executor(&mut value, root, sink);
                v2.set("executor", &member.key_span, value);
            }
            "session" => v2.set("session_config", &member.key_span, session(&member.value, sink)),
            "parameters" => v2.set("parameters", &member.key_span, parameters(&member.value)),
            "metadata" | "skill_type" => {}
            "$schema" => drop(Fields::new(root, "").text("$schema", sink)),
            "type" => {
                let message = "`type` does nothing beside `skill_type`, which makes this a v1 file";
                let help = "remove `type`, or write the file in v2: `skills upgrade` does";
                sink.warning(codes::REPEATED, &member.key_span, message, help);
            }
            key if V2_ONLY.contains(&key) => {
                let message = format!("v1 has no `{key}`: nothing reads it");
                let help = "write the file in v2 with `skills upgrade`, and add it there";
                sink.warning(codes::UNKNOWN_KEY, &member.key_span, message, help);
            }
            _ => unknown_key(member, "", KEYS.iter().copied(), sink),
        }
    }
    v2
}

fn copy(member: &Member, v2: &mut Node) {
    v2.set(&member.key, &member.key_span, member.value.clone());
}

/// The tree with other spellings set right, each with a warning: what stands beside `metadata` moved into it, and
/// parameters that are one JSON Schema as a list.
pub(crate) fn respell(root: &Node, sink: &mut Sink) -> Node {
    let mut gathered = root.clone();
    let beside = root.members().iter().filter(|member| METADATA.contains(&member.key.as_str()));
    for member in beside {
        gathered.take(&member.key);
        let mut metadata = match gathered.take("metadata") {
            Some(metadata) if metadata.value.is_object() => metadata,
            Some(other) if !other.value.is_null() => {
                // Not an object: it stays, and is reported as such.
                gathered.set("metadata", &other.key_span, other.value);
                continue;
            }
            _ => Member::new("metadata", &member.key_span, Node::object(&member.value.span)),
        };
        if metadata.value.has(&member.key) {
            let message = format!("`{0}` stands here and in `metadata`, which holds", member.key);
            sink.warning(codes::REPEATED, &member.key_span, message, "remove it here");
        } else {
            let message = format!("`{}` stands in `metadata` in a v1 file", member.key);
            let help =
                format!("write `\"metadata\": {{\"{}\": …}}`, or upgrade the file with `skills upgrade`", member.key);
            sink.warning(codes::NOT_HERE, &member.key_span, message, help);
            copy(member, &mut metadata.value);
        }
        gathered.set("metadata", &metadata.key_span, metadata.value);
    }
    if let Some(member) = root.member("parameters")
        && let Some(list) = schema_form::parameters(&member.value, &member.key_span, sink)
    {
        gathered.set("parameters", &member.key_span, list);
    }
    gathered
}

/// `metadata.name` and the like to the top level; what is left stays in `metadata`.
fn metadata(root: &Node, v2: &mut Node, sink: &mut Sink) {
    let help = "write `\"metadata\": {\"name\": \"…\", \"description\": \"…\"}`";
    let Some(member) = root.member("metadata") else {
        let start = root.span.start;
        sink.error(
            codes::MISSING_KEY,
            &(start..start + 1),
            "the definition has no `metadata`, where its name is",
            help,
        );
        return;
    };
    if !member.value.is_object() && !member.value.is_null() {
        let message = format!("`metadata` is {}, but has to be an object", member.value.type_name());
        sink.error(codes::WRONG_TYPE, &member.value.span, message, help);
    } else if member.value.get("name").is_none_or(Node::is_null) {
        let place = Fields::new(&member.value, "metadata").place_of("name");
        sink.error(codes::MISSING_KEY, &place, "`metadata` has no `name`", help);
    }
    let mut rest = Node::object(&member.value.span);
    for inner in member.value.members() {
        let to = if METADATA.contains(&inner.key.as_str()) { &mut *v2 } else { &mut rest };
        to.push(inner.clone());
    }
    if !rest.members().is_empty() {
        v2.set("metadata", &member.key_span, rest);
    }
}

/// `skill_type` to `type`, and what v1 alone asks of each.
fn kind(root: &Node, v2: &mut Node, sink: &mut Sink) {
    let Some(member) = root.member("skill_type") else { return };
    let name = member.value.as_str().unwrap_or_default();
    if name == "prompt_inline" {
        let help = "write the file in v2: `\"type\": \"prompt_inline\"` and a `prompt`";
        sink.error(codes::UNKNOWN_VALUE, &member.value.span, "v1 has no `prompt_inline` skills", help);
        return;
    }
    if member.value.as_str().is_some() && reader::kind_of(name).is_none() {
        let known = reader::KINDS.iter().map(|(word, _)| *word).filter(|word| *word != "prompt_inline");
        let message = format!("`skill_type` is `{name}`, which is not known");
        sink.error(codes::UNKNOWN_VALUE, &member.value.span, message, suggest::help(name, known));
        return;
    }
    v2.set("type", &member.key_span, member.value.clone());
    if matches!(name, "code_session" | "conversation") && root.get("session").is_none_or(Node::is_null) {
        let message = format!("a `{name}` skill has to have a `session`");
        let help = "add `\"session\": {\"max_duration\": 3600000, \"state_persistence\": \"memory\"}`";
        sink.error(codes::MISSING_SESSION, &member.value.span, message, help);
    }
}

fn executor(node: &Node, sink: &mut Sink) -> Node {
    let node = in_seconds(node, "executor", "timeout", &limits::TIMEOUT, RUN, sink);
    // Two seconds are the seed's own example of a threshold, and one of some milliseconds makes sense.
    let any = Plausible { least_milliseconds: 0.0, ..RUN };
    in_seconds(&node, "executor", "delegation_threshold", &limits::TIMEOUT, any, sink)
}

fn session(node: &Node, sink: &mut Sink) -> Node {
    let node = in_seconds(node, "session", "max_duration", &limits::LIFETIME, SESSION, sink);
    in_seconds(&node, "session", "session_timeout", &limits::LIFETIME, SESSION, sink)
}

/// The same object with one time turned into seconds; a time that is none has been reported and is left out.
fn in_seconds(node: &Node, place: &str, key: &str, bound: &Bound, plausible: Plausible, sink: &mut Sink) -> Node {
    let mut node = node.clone();
    if let Data::Object(members) = &mut node.data
        && let Some(at) = members.iter().position(|member| member.key == key && !member.value.is_null())
    {
        let named = format!("`{place}.{key}`");
        match limits::seconds_from_milliseconds(&named, &members[at].value, bound, plausible, sink) {
            Some(seconds) => members[at].value = seconds,
            None => drop(members.remove(at)),
        }
    }
    node
}

/// The map of parameters as a list, each with its name. What is not such a map stays, for the builder to report.
fn parameters(node: &Node) -> Node {
    if !node.is_object() || !node.members().iter().all(|member| member.value.is_object()) {
        return node.clone();
    }
    let list = node.members().iter().map(|member| {
        let name = Node::string(member.key.clone(), &member.key_span);
        let mut parameter = Node::object(&member.value.span);
        parameter.set("name", &member.key_span, name);
        for inner in member.value.members().iter().filter(|inner| inner.key != "name") {
            parameter.push(inner.clone());
        }
        // What says no type takes values of any, where v2 would go by what else it says.
        if parameter.get("type").is_none_or(Node::is_null) {
            parameter.set("type", &member.key_span, Node::string("any", &member.key_span));
        }
        parameter
    });
    Node::array(list.collect(), &node.span)
}

//! Skills as folders with a `SKILL.md`: YAML front matter of six fields, then instructions for a model.
//!
//! The instructions are the skill's template, as they are: braces in them are text, and files that they name are not
//! read. Files in `scripts/` can be run by name. `allowed-tools` and `compatibility` are kept in the metadata; they
//! grant nothing. An `author`, and a `version` that is a semantic one, move from `metadata` to the skill itself.
//!
//! What the format says a field must be is an error where it is not; an unknown field, and a folder of another name,
//! are warnings.

#[cfg(test)]
mod tests;
mod yaml;

use crate::definition::codes;
use crate::definition::node::{Node, Span};
use crate::definition::sink::Sink;
use crate::definition::suggest;
use crate::{ReadError, SkillFiles};
use serde_json::Value;
use std::path::{Path, PathBuf};
use yaml::Field;

/// The fields of the format.
const FIELDS: [&str; 6] = ["name", "description", "license", "compatibility", "metadata", "allowed-tools"];

/// The longest name, description and compatibility note, in characters.
const MOST_NAME: usize = 64;
const MOST_DESCRIPTION: usize = 1024;
const MOST_COMPATIBILITY: usize = 500;

/// The most entries of `scripts/` that are looked at.
const MOST_SCRIPTS: usize = 1000;

/// Whether a file is a `SKILL.md`: by its name, or because it begins with front matter.
pub(crate) fn is_skill_md(file: &str, text: &str) -> bool {
    let named = Path::new(file).file_name().is_some_and(|name| name.eq_ignore_ascii_case("SKILL.md"));
    named || split(text).is_some()
}

/// The v2 tree of a `SKILL.md`, a `prompt_inline` with the instructions as they are; `None` after an error that leaves
/// nothing to go on.
///
/// `files` is the folder of the file; what is in its `scripts/` can be run.
pub(crate) fn parse(text: &str, files: &SkillFiles, sink: &mut Sink) -> Option<Node> {
    let Some(parts) = split(text) else {
        sink.error(
            codes::FRONT_MATTER,
            &(0..text.lines().next().map_or(0, str::len)),
            "a SKILL.md begins with front matter between two `---` lines",
            "begin the file with:\n---\nname: NAME\ndescription: WHAT IT DOES, AND WHEN TO USE IT\n---",
        );
        return None;
    };
    let fields = yaml::fields(text, &parts.front, sink)?;
    let mut node = Node::object(&parts.front);
    let mut metadata = Node::object(&parts.front);
    for field in &fields {
        field_to_v2(field, &mut node, &mut metadata, sink);
    }
    for (key, what) in [("name", "the name of its folder"), ("description", "what the skill does, and when to use it")]
    {
        if !fields.iter().any(|field| field.key == key) {
            let at = text.get(..parts.front.start).map_or(0..0, |line| 0..line.trim_end().len());
            let message = format!("the front matter has no `{key}`");
            sink.error(codes::MISSING_KEY, &at, message, format!("add a line `{key}:` with {what}"));
        }
    }
    check_folder(&node, files, sink);
    finish(node, metadata, text, &parts.body, files, sink)
}

fn finish(node: Node, metadata: Node, text: &str, body: &Span, files: &SkillFiles, sink: &mut Sink) -> Option<Node> {
    let template = text.get(body.clone()).unwrap_or_default();
    if template.trim().is_empty() {
        let help = "write below the front matter what a model should do";
        sink.warning(codes::EMPTY_BODY, body, "there are no instructions below the front matter", help);
    }
    let mut node =
        node.with("type", Node::string("prompt_inline", &(0..0))).with("prompt", Node::string(template, body));
    let scripts = scripts(files);
    if !scripts.is_empty() {
        let items = scripts.into_iter().map(|script| Node::string(script, &(0..0))).collect();
        node = node.with("scripts", Node::array(items, &(0..0)));
    }
    if !metadata.members().is_empty() {
        node = node.with("metadata", metadata);
    }
    (sink.errors() == 0).then_some(node)
}

/// Where the front matter and the body of a text are.
struct Parts {
    front: Span,
    body: Span,
}

/// Takes a text apart; `None` where it has no front matter.
fn split(text: &str) -> Option<Parts> {
    // A byte order mark is no part of the text.
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let is_fence = |line: &str| line.trim_end() == "---";
    let mut lines = text[start..].split_inclusive('\n');
    let first = lines.next().filter(|line| is_fence(line) && line.ends_with('\n'))?;
    let front = start + first.len();
    let mut at = front;
    for line in lines {
        if is_fence(line) {
            return Some(Parts { front: front..at, body: at + line.len()..text.len() });
        }
        at += line.len();
    }
    None
}

fn field_to_v2(field: &Field, node: &mut Node, metadata: &mut Node, sink: &mut Sink) {
    match field.key.as_str() {
        "name" => {
            if let Some(name) = text(field, MOST_NAME, sink)
                && check_name(name, &field.span, sink)
            {
                node.set("name", &field.key_span, Node::string(name, &field.span));
            }
        }
        "description" => {
            if let Some(description) = text(field, MOST_DESCRIPTION, sink) {
                node.set("description", &field.key_span, Node::string(description, &field.span));
            }
        }
        "license" => {
            if let Some(license) = text(field, usize::MAX, sink) {
                node.set("license", &field.key_span, Node::string(license, &field.span));
            }
        }
        "compatibility" => {
            if let Some(note) = text(field, MOST_COMPATIBILITY, sink) {
                metadata.set("compatibility", &field.key_span, Node::string(note, &field.span));
            }
        }
        "metadata" => free_metadata(field, node, metadata, sink),
        "allowed-tools" => {
            if let Some(tools) = tools(field, sink) {
                let items = tools.iter().map(|tool| Node::string(tool, &field.span)).collect();
                metadata.set("allowed-tools", &field.key_span, Node::array(items, &field.span));
            }
        }
        unknown => {
            let help = match suggest::nearest(unknown, FIELDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("fields are {}; put it below `metadata`", suggest::list(FIELDS)),
            };
            let message = format!("a SKILL.md has no field `{unknown}`; it is left out");
            sink.warning(codes::FRONT_MATTER_KEY, &field.key_span, message, help);
        }
    }
}

/// The text of a field, where it is one, neither empty nor too long.
fn text<'a>(field: &'a Field, most: usize, sink: &mut Sink) -> Option<&'a str> {
    let key = &field.key;
    let text = match &field.value {
        Value::String(text) => text.trim(),
        Value::Null => "",
        other => {
            let message = format!("`{key}` is {}, but has to be text", kind(other));
            let help = match other {
                Value::Array(_) | Value::Object(_) => format!("write `{key}: TEXT`"),
                plain => format!("put quotes around it: {key}: \"{plain}\""),
            };
            sink.error(codes::FRONT_MATTER_VALUE, &field.span, message, help);
            return None;
        }
    };
    let length = text.chars().count();
    if length == 0 {
        let needed = matches!(key.as_str(), "name" | "description");
        let help = format!("write `{key}: TEXT`{}", if needed { "" } else { ", or remove the line" });
        sink.error(codes::FRONT_MATTER_VALUE, &field.key_span, format!("`{key}` is empty"), help);
        return None;
    }
    if length > most {
        let message = format!("`{key}` has {length} characters, more than the {most} allowed");
        let help = "shorten it; longer text belongs below the front matter";
        sink.error(codes::FRONT_MATTER_VALUE, &field.span, message, help);
        return None;
    }
    Some(text)
}

fn check_name(name: &str, span: &Span, sink: &mut Sink) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if plain && !name.starts_with('-') && !name.ends_with('-') && !name.contains("--") {
        return true;
    }
    let mut better = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => better.push(c.to_ascii_lowercase()),
            _ if better.ends_with('-') || better.is_empty() => {}
            _ => better.push('-'),
        }
    }
    let better = better.trim_end_matches('-');
    let message =
        format!("the name `{name}` has to be of lowercase letters and digits, with single hyphens between them");
    let help = if better.is_empty() {
        "write a name such as `pdf-forms`".to_owned()
    } else {
        format!("write `name: {better}`")
    };
    sink.error(codes::BAD_NAME, span, message, help);
    false
}

fn free_metadata(field: &Field, node: &mut Node, metadata: &mut Node, sink: &mut Sink) {
    let Value::Object(map) = &field.value else {
        if !field.value.is_null() {
            let message = format!("`metadata` is {}, but has to be keys with values", kind(&field.value));
            let help = "write each key on a line of its own, indented: `  author: NAME`";
            sink.error(codes::FRONT_MATTER_VALUE, &field.span, message, help);
        }
        return;
    };
    for (key, value) in map {
        let semantic = |value: &Value| value.as_str().is_some_and(|text| semver::Version::parse(text).is_ok());
        let of_skill = match key.as_str() {
            "author" => value.is_string(),
            "version" => semantic(value),
            _ => false,
        };
        let to = if of_skill { &mut *node } else { &mut *metadata };
        to.set(key, &field.key_span, Node::from_value(value, &field.span));
    }
}

/// The tools of a list, or of a text with blanks or commas between them: `Bash(git add:*) Read`.
fn tools(field: &Field, sink: &mut Sink) -> Option<Vec<String>> {
    let wrong = |found: &Value, sink: &mut Sink| {
        let message = format!("`allowed-tools` has {}, but has to be names of tools", kind(found));
        sink.error(codes::FRONT_MATTER_VALUE, &field.span, message, "write `allowed-tools: Read Bash(git:*)`");
    };
    match &field.value {
        Value::String(text) => {
            let mut depth = 0_usize;
            let split = text.split(|c: char| {
                match c {
                    '(' => depth += 1,
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && (c.is_whitespace() || c == ',')
            });
            Some(split.filter(|tool| !tool.is_empty()).map(str::to_owned).collect())
        }
        Value::Array(items) => {
            if let Some(other) = items.iter().find(|item| !item.is_string()) {
                wrong(other, sink);
                return None;
            }
            Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        Value::Null => None,
        other => {
            wrong(other, sink);
            None
        }
    }
}

fn check_folder(node: &Node, files: &SkillFiles, sink: &mut Sink) {
    let parent = Path::new(sink.file()).parent().map(Path::to_owned).filter(|path| path.file_name().is_some());
    let Some(folder) = parent.or_else(|| files.path().map(PathBuf::from)) else { return };
    let Some(folder) = folder.file_name().and_then(|name| name.to_str()) else { return };
    let Some((named, name)) = node.get("name").and_then(|named| Some((named, named.as_str()?))) else { return };
    if name != folder {
        sink.warning(
            codes::OTHER_FOLDER_NAME,
            &named.span,
            format!("the skill is named `{name}`, its folder `{folder}`"),
            format!("rename the folder to `{name}`, or write `name: {folder}`"),
        );
    }
}

/// The scripts that can be run: files right in `scripts/`, in a language that the engine knows.
fn scripts(files: &SkillFiles) -> Vec<String> {
    let known = |name: &str| {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        !name.starts_with('.') && extension.and_then(skills_core::Language::from_extension).is_some()
    };
    // Asked for no bytes at all, a file that can be read says that it has too many: that it is one is enough here.
    let readable = |path: &str| matches!(files.read(Path::new(path), 0), Ok(_) | Err(ReadError::TooLarge { .. }));
    let names = files.names(Path::new("scripts"), MOST_SCRIPTS).into_iter();
    let paths = names.filter(|name| known(name)).map(|name| format!("scripts/{name}"));
    paths.filter(|path| readable(path)).collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "keys with values",
    }
}

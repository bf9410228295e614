//! Which form a file is written in. Decided by content alone, in a fixed order, so that the same file always means the
//! same:
//!
//! 1. front matter between `---` lines: `SKILL.md`;
//! 2. the keys that only one of the wild dialects has ([`dialects::classify`]);
//! 3. `skill_type`: v1;
//! 4. `type` with one of the four types, or a slip of one, or beside a key that only skills have: v2;
//! 5. no type, but `$schema` of one of the two, or a name beside a key that only skills have: that form, with its type
//!    missing;
//! 6. anything else is a companion file, not a definition.

use crate::definition::node::Node;
use crate::definition::sink::Sink;
use crate::definition::{RawDefinition, Summary, codes, dialects, skill_md, suggest, syntax};
use crate::{Diagnostic, Dialect, Scope, SkillFiles, SkillKind};
use std::sync::Arc;

/// The four types by name, as both schemas write them.
pub(crate) const KINDS: &[(&str, SkillKind)] = &[
    ("code_inline", SkillKind::CodeInline),
    ("code_session", SkillKind::CodeSession),
    ("conversation", SkillKind::Conversation),
    ("prompt_inline", SkillKind::PromptInline),
];

/// Keys that are in no other kind of JSON file that has a `name` or a `type`.
const SKILL_KEYS: &[&str] = &[
    "command",
    "code",
    "prompt",
    "prompt_template",
    "executor",
    "conversation",
    "session_config",
    "context_files",
    "resource_limits",
    "sandbox",
    "security",
    "resilience",
    "instructions",
];

/// Reads a definition: its syntax and the form it is written in.
///
/// `file` is what errors call it; `files` is where its `file://` references are read from.
///
/// # Errors
/// What keeps the text from being read at all: syntax, depth, or that it is no definition.
pub fn read(file: &str, text: &str, files: SkillFiles, scope: Scope) -> Result<RawDefinition, Vec<Diagnostic>> {
    let text: Arc<str> = text.into();
    let mut sink = Sink::new(file, &text);
    let found = if skill_md::is_skill_md(file, &text) {
        skill_md::parse(&text, &files, &mut sink).map(|root| (Dialect::SkillMd, root))
    } else {
        syntax::parse(&mut sink).and_then(|root| match dialect_of(&root) {
            Some(dialect) => Some((dialect, root)),
            None => {
                report_no_definition(&root, &mut sink);
                None
            }
        })
    };
    match found {
        Some((dialect, root)) => {
            let file = file.to_owned();
            Ok(RawDefinition { file, text, dialect, root, files, scope, diagnostics: sink.finish() })
        }
        None => Err(sink.finish()),
    }
}

/// The form that a text is written in; `None` where it is no definition but a companion file such as
/// `conversation_flow.json`. A text with broken syntax counts as a definition where it looks like one, so that it is
/// reported rather than passed over.
pub fn classify(text: &str) -> Option<Dialect> {
    if skill_md::is_skill_md("", text) {
        return Some(Dialect::SkillMd);
    }
    match syntax::parse(&mut Sink::new("", &text.into())) {
        Some(root) => dialect_of(&root),
        None => guess(text),
    }
}

/// What a listing shows of a definition. Nothing is checked and no other file is read, so that a thousand files are
/// quick; `None` where the text is no definition.
pub fn summarise(file: &str, text: &str) -> Option<Summary> {
    let text: Arc<str> = text.into();
    let mut sink = Sink::new(file, &text);
    let (dialect, root) = if skill_md::is_skill_md(file, &text) {
        (Dialect::SkillMd, skill_md::parse(&text, &SkillFiles::empty(), &mut sink)?)
    } else {
        let root = syntax::parse(&mut sink)?;
        let dialect = dialect_of(&root)?;
        // What is listed stands in a v2 file as it is.
        let root = if dialect == Dialect::V2 { root } else { super::translate(dialect, root, &mut sink) };
        (dialect, root)
    };
    let of_text = |key: &str| root.get(key).and_then(Node::as_str);
    let description = of_text("description").unwrap_or_default();
    let aliases = root.get("aliases").map(Node::items).unwrap_or_default();
    Some(Summary {
        name: of_text("name").unwrap_or_else(|| stem(file)).to_owned(),
        description: description.lines().next().unwrap_or_default().to_owned(),
        aliases: aliases.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
        version: of_text("version").and_then(|version| version.parse().ok()),
        tags: tags(&root),
        provides: root.get("provides").map(Node::members).unwrap_or_default().iter().map(|m| m.key.clone()).collect(),
        kind: of_text("type").and_then(kind_of),
        dialect,
        executor: executor(&root),
    })
}

/// `metadata.tags`: a list, or in a SKILL.md, whose metadata are texts, words between commas.
fn tags(root: &Node) -> Vec<String> {
    let Some(tags) = root.at(&["metadata", "tags"]) else { return Vec::new() };
    let listed = tags.items().iter().filter_map(Node::as_str);
    let written = tags.as_str().unwrap_or_default().split(',').map(str::trim).filter(|tag| !tag.is_empty());
    listed.chain(written).map(str::to_owned).collect()
}

/// The type of a name.
pub(crate) fn kind_of(name: &str) -> Option<SkillKind> {
    KINDS.iter().find(|(word, _)| *word == name).map(|(_, kind)| *kind)
}

fn dialect_of(root: &Node) -> Option<Dialect> {
    if !root.is_object() {
        return None;
    }
    if let Some(dialect) = dialects::classify(root) {
        return Some(dialect);
    }
    if root.has("skill_type") {
        return Some(Dialect::V1);
    }
    let skill_like = SKILL_KEYS.iter().any(|key| root.has(key));
    if let Some(kind) = root.get("type") {
        let known = |name| suggest::nearest(name, KINDS.iter().map(|(word, _)| *word)).is_some();
        let means_skill = skill_like || kind.as_str().is_some_and(known);
        return means_skill.then_some(Dialect::V2);
    }
    let schema = root.get("$schema").and_then(Node::as_str).unwrap_or_default();
    if schema.contains("skill-v1") || (root.at(&["metadata", "name"]).is_some() && skill_like) {
        return Some(Dialect::V1);
    }
    (schema.contains("skill-v2") || (root.has("name") && skill_like)).then_some(Dialect::V2)
}

/// The form that a text with broken syntax seems to be in.
fn guess(text: &str) -> Option<Dialect> {
    if text.contains("\"skill_type\"") {
        return Some(Dialect::V1);
    }
    let names_a_kind = KINDS.iter().any(|(word, _)| text.contains(&format!("\"{word}\"")));
    (names_a_kind && text.contains("\"type\"")).then_some(Dialect::V2)
}

fn report_no_definition(root: &Node, sink: &mut Sink) {
    let start = root.span.start;
    let kinds = suggest::list(KINDS.iter().map(|(word, _)| *word));
    match root.get("type").filter(|_| root.is_object()) {
        Some(kind) => {
            let message = "the file is not a skill definition: its `type` is no type of skill";
            sink.error(codes::NOT_A_DEFINITION, &kind.span, message, format!("types of skill are {kinds}"));
        }
        None => {
            let message = "the file is not a skill definition: it has neither `type` nor `skill_type`";
            let help = format!(
                "write `\"type\": \"code_inline\"`, a `name`, a `description` and a `command` or `code`; types are {kinds}"
            );
            sink.error(codes::NOT_A_DEFINITION, &(start..start + 1), message, help);
        }
    }
}

fn executor(root: &Node) -> Option<String> {
    let executor = root.get("executor");
    let text = |node: Option<&Node>, key: &str| node?.get(key)?.as_str().map(str::to_owned);
    let of_code = |node: Option<&Node>| {
        let code = text(node, "code")?;
        let path = code.strip_prefix("file://")?;
        skills_core::Language::from_extension(path.rsplit_once('.')?.1).map(|language| language.to_string())
    };
    text(executor, "language")
        .or_else(|| of_code(executor))
        .or_else(|| text(executor, "type"))
        .or_else(|| text(Some(root), "language"))
        .or_else(|| of_code(Some(root)))
        .or_else(|| root.has("command").then(|| "command".to_owned()))
}

/// `calculator` of `skills/calculator.json`, and of `skills/calculator/SKILL.md`.
pub(crate) fn stem(file: &str) -> &str {
    let path = std::path::Path::new(file);
    let named = if path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("SKILL.md")) {
        path.parent().and_then(std::path::Path::file_name)
    } else {
        path.file_stem()
    };
    named.and_then(std::ffi::OsStr::to_str).unwrap_or(file)
}

//! From the text of a definition file to a [`Skill`]: read, translate, check, build.
//!
//! One idea carries it. A file becomes a tree of nodes that know their place in the text. Every form other than v2 is
//! *translated* node by node into the v2 form; one builder makes a [`Skill`] from the v2 tree, and every diagnostic
//! about that tree points into the file that the person wrote. [`upgrade`] prints the translated tree, so an upgraded
//! file means what the old one meant.
//!
//! ```text
//! text --read--> RawDefinition --to_v2--> v2 tree --build--> Skill
//!                                            `----print----> upgraded text
//! ```
//!
//! ```
//! use skills::definition::{LoadOptions, read, validate};
//! use skills::{Scope, SkillFiles};
//!
//! let text = r#"{
//!     "type": "code_inline",
//!     "name": "double",
//!     "description": "Twice a number",
//!     "language": "rhai",
//!     "code": "params.n * 2",
//!     "timeout": -1
//! }"#;
//! let raw = read("double.json", text, SkillFiles::empty(), Scope::Direct).expect("it is a definition");
//! let loaded = validate(&raw, &LoadOptions::default());
//! assert!(loaded.skill.is_none());
//! assert_eq!((loaded.diagnostics[0].code, loaded.diagnostics[0].line), ("S0030", 7));
//! ```
//!
//! Beyond what the v2 schema's examples show, the v2 tree takes these keys, so that every form has somewhere to go:
//! v1's `prompt` (object), `executor`, `conversation`, `completion`, `session`; `executor.shell` or a top-level `shell`
//! (boolean: `command` is a line for a shell); `executor.type` `"workflow"` with `executor.steps` (array) and
//! `executor.context` (object); `scripts` (array of relative paths) beside a `prompt_inline`; `instructions` as another
//! name of its template. Placeholders are `{parameter}`; `prompt.rs` says what every other brace means.

mod body;
mod build;
pub(crate) mod codes;
mod command;
mod conversation;
mod dialects;
mod embedded;
mod executor;
pub(crate) mod fields;
pub(crate) mod limits;
pub(crate) mod names;
pub(crate) mod node;
mod parameters;
mod patterns;
pub(crate) mod permissions;
mod protocol;
mod reader;
mod reference;
mod remarks;
mod schema;
mod schema_form;
mod settings;
pub(crate) mod sink;
mod skill_md;
pub(crate) mod suggest;
pub(crate) mod syntax;
mod upgrade;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

pub(crate) use reader::stem;
pub use reader::{classify, read, summarise};
pub use schema::schema;
pub use upgrade::upgrade;

use crate::{Diagnostic, Dialect, Scope, Severity, Skill, SkillFiles, SkillKind};
use node::{Node, Span};
use semver::Version;
use serde::{Deserialize, Serialize};
use sink::Sink;
use skills_core::{Failure, Script};
use std::path::PathBuf;
use std::sync::Arc;

/// A definition that could be read: its text, its form and its tree.
#[derive(Debug, Clone)]
pub struct RawDefinition {
    pub(crate) file: String,
    pub(crate) text: Arc<str>,
    pub(crate) dialect: Dialect,
    pub(crate) root: Node,
    pub(crate) files: SkillFiles,
    pub(crate) scope: Scope,
    /// What reading found, short of keeping it from being read: duplicate keys and the like.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl RawDefinition {
    /// The form that the definition is written in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The file, as errors name it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether it has comments, which no other form keeps.
    pub(crate) fn has_comments(&self) -> bool {
        self.dialect != Dialect::SkillMd && syntax::has_comments(&self.text)
    }

    /// The diagnostic of a script that does not parse: in its own file, or in the text that holds the code.
    pub(crate) fn syntax_error(&self, script: &Script, failure: &Failure) -> Diagnostic {
        let frame = failure.frames.iter().find(|frame| frame.file == script.file);
        let offset = frame.map_or(0, |frame| offset(&script.source, frame.line as usize, frame.column as usize));
        let (text, span) = match script.file == self.file {
            true => (Arc::clone(&self.text), self.in_code(&script.source, offset)),
            false => (script.source.as_str().into(), offset..offset + 1),
        };
        let message = format!("the code does not parse: {}", failure.message);
        let code = codes::SCRIPT_SYNTAX.id;
        Diagnostic::at(code, Severity::Error, &script.file, &text, span, message)
            .with_help(failure.help.as_deref().unwrap_or("set it right: the skill would fail whenever it runs"))
    }

    /// A place of code that stands in the definition; the whole of it where escapes hide the place.
    fn in_code(&self, source: &str, offset: usize) -> Span {
        let node = self.root.at(&["executor", "code"]).or_else(|| self.root.get("code")).unwrap_or(&self.root);
        let start = node.span.start + 1;
        match self.text.get(start..start + source.len()) == Some(source) {
            true => start + offset..start + offset + 1,
            false => node.span.clone(),
        }
    }

    /// The files that it refers to, from its own folder; `None` where it refers to one elsewhere.
    pub(crate) fn references(&self) -> Option<Vec<PathBuf>> {
        reference::below(&self.root)
    }

    /// The text of the file.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }
}

/// The byte of a place that is counted from 1, in characters; the text's own end where it is behind that.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let line_start = match line.saturating_sub(2) {
        _ if line < 2 => 0,
        before => text.match_indices('\n').nth(before).map_or(text.len(), |(at, _)| at + 1),
    };
    let within =
        text[line_start..].char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| line_start + at);
    within.min(text.len().saturating_sub(1))
}

/// How definitions are loaded.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Folders below which `file:///absolute/path` references may lead.
    pub absolute_folders: Vec<PathBuf>,
    /// The largest file that may be referenced, in bytes.
    pub max_reference_bytes: u64,
    /// Whether to check against the published JSON Schema too. The checks of meaning report the same errors in better
    /// words, so running a skill can do without; `skills validate` does both.
    pub schema_check: bool,
}

impl Default for LoadOptions {
    /// No absolute folders, references up to 1 MiB, with the schema check.
    fn default() -> LoadOptions {
        LoadOptions { absolute_folders: Vec::new(), max_reference_bytes: 1 << 20, schema_check: true }
    }
}

/// What became of a definition.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The skill; `None` where any diagnostic is an error.
    pub skill: Option<Arc<Skill>>,
    /// Everything that is wrong, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a listing shows of a definition, taken without checking it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The name; where the file has none, its stem.
    pub name: String,
    /// The first line of what it does.
    pub description: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// The version, where it is one.
    pub version: Option<Version>,
    /// `metadata.tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The names that it provides besides its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provides: Vec<String>,
    /// The type, where it says one that exists.
    pub kind: Option<SkillKind>,
    /// The form it is written in.
    pub dialect: Dialect,
    /// The language of its code or the kind of its executor (`python`, `command`, `mcp`, …), where it is at hand.
    pub executor: Option<String>,
}

/// Checks a definition and builds its skill. Everything that is wrong is reported at once.
pub fn validate(raw: &RawDefinition, options: &LoadOptions) -> Loaded {
    let mut sink = Sink::new(&raw.file, &raw.text);
    sink.extend(raw.diagnostics.iter().cloned());
    let root = to_v2(raw, &mut sink);
    let (skill, mut sink) = build::build(raw, &root, sink, options);
    if options.schema_check {
        schema::check(raw, &mut sink);
    }
    let sound = sink.errors() == 0;
    let diagnostics = sink.finish();
    let skill = skill.filter(|_| sound).map(|mut skill| {
        let told = [codes::NOT_APPLIED.id, codes::CONFIGURATION.id];
        skill.remarks = diagnostics.iter().filter(|found| told.contains(&found.code)).cloned().collect();
        Arc::new(skill)
    });
    Loaded { skill, diagnostics }
}

/// Every diagnostic code with its meaning in one line, each once.
pub fn codes() -> &'static [(&'static str, &'static str)] {
    codes::ALL
}

/// The v2 form of a definition, with the spans of its own text.
pub(crate) fn to_v2(raw: &RawDefinition, sink: &mut Sink) -> Node {
    translate(raw.dialect, raw.root.clone(), sink)
}

/// The v2 form of a tree in a dialect.
pub(crate) fn translate(dialect: Dialect, root: Node, sink: &mut Sink) -> Node {
    match dialect {
        Dialect::V1 => v1::to_v2(&root, sink),
        Dialect::V2 => {
            let respelt = v2::to_v2(root, sink);
            dialects::to_v2(dialect, &respelt, sink)
        }
        // Read from front matter straight into the v2 form.
        Dialect::SkillMd => root,
        _ => dialects::to_v2(dialect, &root, sink),
    }
}

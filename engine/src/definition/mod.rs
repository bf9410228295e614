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
//! Beyond what the v2 schema's examples show, the v2 tree takes these keys, so that every form has somewhere to go:
//! v1's `prompt` (object), `executor`, `conversation`, `completion`, `session`; `executor.shell` or a top-level `shell`
//! (boolean: `command` is a line for a shell); `executor.type` `"workflow"` with `executor.steps` (array) and
//! `executor.context` (object); `scripts` (array of relative paths) beside a `prompt_inline`; `instructions` as another
//! name of its template. Placeholders are `{parameter}`.

pub(crate) mod codes;
pub(crate) mod node;
pub(crate) mod sink;

use crate::{Diagnostic, Dialect, Scope, Skill, SkillFiles, SkillKind};
use node::Node;
use semver::Version;
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

    /// The text of the file.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }
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
#[derive(Debug, Clone, PartialEq)]
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
    /// The type, where it says one that exists.
    pub kind: Option<SkillKind>,
    /// The form it is written in.
    pub dialect: Dialect,
    /// The language of its code or the kind of its executor (`python`, `command`, `mcp`, …), where it is at hand.
    pub executor: Option<String>,
}

// The seams that are being filled in:
//   reader.rs     pub fn read, pub fn classify, pub fn summarise
//   v1.rs         pub(crate) fn to_v2(root: &Node, sink: &mut Sink) -> Node
//   dialects/     pub(crate) fn classify(root: &Node) -> Option<Dialect>   (neither V1, V2 nor SkillMd)
//                 pub(crate) fn to_v2(dialect: Dialect, root: &Node, sink: &mut Sink) -> Node   (warns with the dialect's name)
//   skill_md.rs   pub(crate) fn is_skill_md(file: &str, text: &str) -> bool
//                 pub(crate) fn parse(text: &str, files: &SkillFiles, sink: &mut Sink) -> Option<Node>
//                     (the v2 tree itself; `None` after an error in the front matter; sink has the file and its text)
//   upgrade.rs    pub fn upgrade(raw: &RawDefinition) -> Result<String, Vec<Diagnostic>>, over super::to_v2(raw, sink)

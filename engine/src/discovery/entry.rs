use super::verdict::Verdict;
use crate::definition::{self, LoadOptions, Loaded, RawDefinition, Summary, codes};
use crate::source::SourceFolder;
use crate::{Diagnostic, Dialect, ReadError, Scope, Severity, SkillFiles};
use include_dir::Dir;
use serde::Serialize;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The largest definition file, in bytes.
pub(super) const MOST_BYTES: u64 = 1 << 20;

/// A definition that was found. What is in it is only checked when it is loaded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entry {
    /// What a listing shows of it.
    pub summary: Summary,
    /// Where it belongs.
    pub scope: Scope,
    /// The definition file; of a bundled skill, its path among the bundled files, and of one of a source, its path there.
    pub path: PathBuf,
    /// Whether it could be read.
    pub status: Status,
    pub(super) file: String,
    /// What checking it came to, where that was done already.
    pub(super) verdict: Option<Verdict>,
    pub(super) place: Place,
    /// The folder it was found in, counted from the lowest precedence.
    pub(super) rank: usize,
}

/// Whether a definition could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It could; whether it is valid shows when it is loaded.
    Ok,
    /// It could not, for these reasons.
    Broken(Vec<Diagnostic>),
}

/// Where the files of a definition are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In the folder of its path.
    Folder,
    /// Compiled in.
    Embedded(&'static Dir<'static>),
    /// In a source of the host program.
    Source(SourceFolder),
}

impl Entry {
    /// The name it is called by.
    pub fn name(&self) -> &str {
        &self.summary.name
    }

    /// The file as diagnostics name it: its path, or `bundled:calculator/calculator.json`, or `shop:greet.json` of a source
    /// `shop`. [`super::Registry::find`] takes it too.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether it could not be read.
    pub fn is_broken(&self) -> bool {
        matches!(self.status, Status::Broken(_))
    }

    /// The name with its scope: `project:deploy`.
    pub fn qualified_name(&self) -> String {
        format!("{}:{}", self.scope, self.name())
    }

    /// How many errors the definition has; `None` where that was not found out, or may have changed since.
    pub(super) fn known_errors(&self) -> Option<usize> {
        match (&self.status, &self.place) {
            (Status::Broken(found), _) => Some(found.len()),
            // Those that are compiled in are tested.
            (Status::Ok, Place::Embedded(_)) => Some(0),
            (Status::Ok, _) => self.verdict.as_ref().filter(|verdict| verdict.holds(&self.path)).map(|v| v.errors),
        }
    }

    /// Reads and checks the definition.
    pub(super) fn load(&self, options: &LoadOptions) -> Loaded {
        match self.read() {
            Ok(raw) => definition::validate(&raw, options),
            Err(diagnostics) => Loaded { skill: None, diagnostics },
        }
    }

    /// Reads the definition.
    pub(crate) fn read(&self) -> Result<RawDefinition, Vec<Diagnostic>> {
        let (files, name) = match &self.place {
            Place::Embedded(dir) => (SkillFiles::embedded(dir), self.path.file_name()),
            Place::Source(folder) => (SkillFiles::of_source(folder.clone()), self.path.file_name()),
            Place::Folder => match SkillFiles::folder(folder_of(&self.path)) {
                Ok(files) => (files, self.path.file_name()),
                Err(error) => return Err(vec![unreadable(&self.file, &ReadError::Io(error))]),
            },
        };
        let text = read_text(&files, &self.file, name.unwrap_or_default()).map_err(|found| vec![*found])?;
        definition::read(&self.file, &text, files, self.scope)
    }
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The text of a definition file.
pub(super) fn read_text(files: &SkillFiles, file: &str, name: &OsStr) -> Result<String, Box<Diagnostic>> {
    let bytes = files.read(Path::new(name), MOST_BYTES).map_err(|error| Box::new(unreadable(file, &error)))?;
    text_of(file, bytes)
}

/// The bytes of a definition file as text.
pub(super) fn text_of(file: &str, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    String::from_utf8(bytes).map_err(|_| {
        let diagnostic = Diagnostic::of_file(codes::NOT_TEXT.id, Severity::Error, file, "the definition is not UTF-8");
        Box::new(diagnostic.with_help("save it as UTF-8"))
    })
}

/// The diagnostic of a definition file that cannot be read.
pub(super) fn unreadable(file: &str, error: &ReadError) -> Diagnostic {
    let (code, help) = match error {
        ReadError::TooLarge { .. } => {
            (codes::TOO_LARGE, "move long texts and code to files of their own, and refer to them with `file://./NAME`")
        }
        _ => (codes::UNREADABLE, "make it a readable file inside its folder"),
    };
    Diagnostic::of_file(code.id, Severity::Error, file, format!("the definition cannot be read: {error}"))
        .with_help(help)
}

/// What a text is.
pub(super) enum Content {
    /// A file that stands beside a definition, or has nothing to do with one.
    Companion,
    /// A definition that could be read.
    Definition(Summary),
    /// A definition that could not.
    Broken(Summary, Vec<Diagnostic>),
}

/// Looks at a text. `expected` says that a definition stands where it was found, so that even one that nobody could
/// recognise is reported.
pub(super) fn inspect(file: &str, text: &str, scope: Scope, expected: bool) -> Content {
    if let Some(summary) = definition::summarise(file, text) {
        return Content::Definition(tidy(summary, file));
    }
    let dialect = definition::classify(text);
    if dialect.is_none() && !expected {
        return Content::Companion;
    }
    match definition::read(file, text, SkillFiles::empty(), scope) {
        Ok(raw) => Content::Definition(stub(file, raw.dialect())),
        // A file of another kind happens to have the name of its folder.
        Err(found) if dialect.is_none() && found.iter().all(|d| d.code == codes::NOT_A_DEFINITION.id) => {
            Content::Companion
        }
        Err(found) => Content::Broken(stub(file, dialect.unwrap_or(Dialect::V2)), found),
    }
}

/// What is known of a definition that cannot be read.
pub(super) fn stub(file: &str, dialect: Dialect) -> Summary {
    Summary {
        name: definition::stem(file).to_owned(),
        description: String::new(),
        aliases: Vec::new(),
        version: None,
        tags: Vec::new(),
        provides: Vec::new(),
        kind: None,
        dialect,
        executor: None,
    }
}

/// Keeps what a listing prints on one line, short, and free of what a terminal would act on. Nothing was checked yet.
fn tidy(mut summary: Summary, file: &str) -> Summary {
    fn clip(text: &mut String, most: usize) {
        if text.len() > most || text.contains(char::is_control) {
            *text = text.chars().filter(|c| !c.is_control()).take(most).collect();
        }
    }
    clip(&mut summary.name, 100);
    if summary.name.trim().is_empty() {
        summary.name = definition::stem(file).to_owned();
    }
    clip(&mut summary.description, 1000);
    summary.aliases.truncate(50);
    summary.aliases.iter_mut().for_each(|alias| clip(alias, 100));
    summary.aliases.retain(|alias| !alias.is_empty());
    for list in [&mut summary.tags, &mut summary.provides] {
        list.truncate(50);
        list.iter_mut().for_each(|text| clip(text, 100));
    }
    summary
}

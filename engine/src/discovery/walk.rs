//! Finding the definitions below one folder, within bounds.

#![allow(clippy::disallowed_methods, reason = "only resolves links; files are opened through cap-std")]

use super::cache::{Cache, Caches, Stamp};
use super::entry::{Content, Entry, MOST_BYTES, Place, Status, inspect, read_text, stub, text_of, unreadable};
use super::layout::Root;
use super::verdict::Verdict;
use crate::definition::{Summary, codes};
use crate::source::{self, SourceFolder};
use crate::{Diagnostic, Dialect, ReadError, Scope, Severity, SkillFiles};
use cap_std::fs::{Dir, DirEntry};
use include_dir::Dir as EmbeddedDir;
use skills_core::SkillSource;
use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many folders deep a definition may stand below the folder that is searched.
const MOST_DEPTH: usize = 4;

/// How many names are looked at below one folder that is searched.
const MOST_NAMES: usize = 20_000;

/// Folders that hold no skills, wherever they are.
const NEVER: [&str; 2] = ["node_modules", "__pycache__"];

/// Folders that belong to the skill beside whose definition they stand.
const PARTS: [&str; 4] = ["scripts", "prompts", "references", "assets"];

/// A search through several folders, in order.
pub(super) struct Walk {
    pub(super) entries: Vec<Entry>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// JSON files that are no definitions, but for those beside the definition of a folder of its own.
    pub(super) others: Vec<PathBuf>,
    caches: Caches,
    /// That of the folder that is searched.
    cache: Cache,
    /// Files that were found already, by device and inode: folders may overlap.
    seen: HashSet<(u64, u64)>,
    scope: Scope,
    rank: usize,
    root: PathBuf,
    /// The same, links resolved.
    real: PathBuf,
    names_left: usize,
}

impl Walk {
    pub(super) fn new(caches: Caches) -> Walk {
        Walk {
            entries: Vec::new(),
            diagnostics: Vec::new(),
            others: Vec::new(),
            caches,
            cache: Cache::default(),
            seen: HashSet::new(),
            scope: Scope::Direct,
            rank: 0,
            root: PathBuf::new(),
            real: PathBuf::new(),
            names_left: 0,
        }
    }

    /// Searches a folder. One that does not exist has nothing.
    pub(super) fn root(&mut self, root: &Root) {
        let Ok(real) = std::fs::canonicalize(&root.path) else { return };
        if let Some(within) = &root.within {
            let within = std::fs::canonicalize(within).unwrap_or_else(|_| within.clone());
            if !real.starts_with(within) {
                self.warn(codes::LINK_OUT, &root.path, "the folder is a link out of the project, and is not searched");
                return;
            }
        }
        (self.scope, self.names_left) = (root.scope, MOST_NAMES);
        self.root.clone_from(&root.path);
        self.rank += 1;
        match Dir::open_ambient_dir(&real, cap_std::ambient_authority()) {
            Ok(dir) => {
                self.cache = self.caches.open(&root.path);
                self.real = real;
                self.folder(&dir, &root.path, 0);
                self.caches.save(std::mem::take(&mut self.cache));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) => self.warn(codes::FOLDER_UNREADABLE, &root.path, &format!("it cannot be searched: {error}")),
        }
    }

    /// Searches a source.
    pub(super) fn source(&mut self, source: &Arc<dyn SkillSource>) {
        self.rank += 1;
        (self.scope, self.root) = (Scope::Host, PathBuf::from(source.name()));
        let mut paths = match source.list() {
            Ok(paths) => paths,
            Err(error) => {
                let message = format!("it cannot be searched: {error}");
                return self.warn(codes::FOLDER_UNREADABLE, &self.root.clone(), &message);
            }
        };
        paths.sort_unstable();
        if paths.len() > MOST_NAMES {
            let message = format!("it has more than {MOST_NAMES} files: the rest is not searched");
            self.warn(codes::TOO_MANY, &self.root.clone(), &message);
            paths.truncate(MOST_NAMES);
        }
        for path in paths {
            let mut outer = path.rsplit('/');
            let name = outer.next().unwrap_or_default();
            if !source::is_path(&path) {
                let message = format!("`{}` is no path, and is passed over", path.escape_debug());
                self.warn(codes::FOLDER_UNREADABLE, &self.root.clone(), &message);
            } else if is_candidate(name) {
                let own = name == "SKILL.md" || outer.next().is_some_and(|folder| name == format!("{folder}.json"));
                self.of_source(source, &path, own);
            }
        }
    }

    fn of_source(&mut self, source: &Arc<dyn SkillSource>, path: &str, expected: bool) {
        let file = format!("{}:{path}", source.name());
        let folder = SourceFolder::of_file(source, path);
        let name = Path::new(path).file_name().unwrap_or_default();
        let text = read_text(&SkillFiles::of_source(folder.clone()), &file, name);
        self.found(text, (PathBuf::from(path), file, Place::Source(folder)), expected, |_, _, _| {});
    }

    /// What went wrong, when all was searched.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        self.caches.tidy();
        self.diagnostics
    }

    fn folder(&mut self, dir: &Dir, path: &Path, depth: usize) {
        let names = match self.names(dir) {
            Ok(names) => names,
            Err(error) => return self.warn(codes::FOLDER_UNREADABLE, path, &format!("it cannot be searched: {error}")),
        };
        let own = path.file_name().map(|name| format!("{}.json", name.to_string_lossy()));
        let is_own = |name: &str| name == "SKILL.md" || Some(name) == own.as_deref();
        let has_own = depth > 0 && names.iter().any(|(name, _)| is_own(name));
        for (name, found) in names {
            let Ok(kind) = found.file_type() else { continue };
            if kind.is_dir() {
                let part = has_own && PARTS.contains(&name.as_str());
                if depth < MOST_DEPTH && !part && !NEVER.contains(&name.as_str()) {
                    // A folder that became a link since is refused by cap-std, if it leads out.
                    match found.open_dir() {
                        Ok(below) => self.folder(&below, &path.join(&name), depth + 1),
                        Err(error) => {
                            let message = format!("it cannot be searched: {error}");
                            self.warn(codes::FOLDER_UNREADABLE, &path.join(&name), &message);
                        }
                    }
                }
            } else if kind.is_symlink() {
                self.link(&path.join(&name));
            } else if kind.is_file() && is_candidate(&name) {
                let others = self.others.len();
                self.file(&found, path.join(&name), is_own(&name));
                if has_own {
                    self.others.truncate(others);
                }
            }
        }
    }

    /// The names in a folder that are not hidden, sorted, as many as are left to be looked at.
    fn names(&mut self, dir: &Dir) -> std::io::Result<Vec<(String, DirEntry)>> {
        let mut names = Vec::new();
        for found in dir.entries()? {
            if self.names_left == 0 {
                break;
            }
            self.names_left -= 1;
            if self.names_left == 0 {
                let message = format!("more than {MOST_NAMES} names are below it: the rest is not searched");
                self.warn(codes::TOO_MANY, &self.root.clone(), &message);
            }
            let found = found?;
            if let Ok(name) = found.file_name().into_string()
                && !name.starts_with('.')
            {
                names.push((name, found));
            }
        }
        names.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(names)
    }

    /// Says of a link that leads out that it is not followed; what a link leads to inside is found anyway.
    fn link(&mut self, link: &Path) {
        let Ok(target) = std::fs::canonicalize(link) else { return };
        let is_wanted = link.file_name().and_then(|name| name.to_str()).is_some_and(is_candidate) || target.is_dir();
        if is_wanted && !target.starts_with(&self.real) {
            self.warn(codes::LINK_OUT, link, "the link leads out of the folder, and is not followed");
        }
    }

    fn file(&mut self, found: &DirEntry, path: PathBuf, expected: bool) {
        let Ok(metadata) = found.metadata() else { return };
        let stamp = Stamp::of(&metadata);
        if !metadata.is_file() || !self.seen.insert(stamp.identity()) {
            return;
        }
        let Some(file) = path.to_str().map(str::to_owned) else { return };
        match self.cache.get(&file, &stamp) {
            Some(None) => return,
            Some(Some((summary, verdict))) => {
                let (summary, verdict) = (summary.clone(), verdict.cloned());
                return self.push(summary, (path, file, Place::Folder), Status::Ok, verdict);
            }
            None => {}
        }
        let text = match read(found, metadata.len()) {
            Ok(bytes) => text_of(&file, bytes),
            Err(error) => Err(Box::new(unreadable(&file, &error))),
        };
        let shown = file.clone();
        self.found(text, (path, file, Place::Folder), expected, |walk, summary, verdict| {
            walk.cache.put(&shown, stamp, summary, verdict);
        });
    }

    /// Takes what was read of a file for what it is, and says what can be kept of it.
    fn found(
        &mut self,
        text: Result<String, Box<Diagnostic>>,
        at: (PathBuf, String, Place),
        expected: bool,
        keep: impl FnOnce(&mut Walk, Option<&Summary>, Option<&Verdict>),
    ) {
        let (path, file, _) = &at;
        match text {
            Ok(text) => match inspect(file, &text, self.scope, expected) {
                Content::Companion => {
                    self.others.extend((!expected).then(|| path.clone()));
                    keep(self, None, None);
                }
                Content::Definition(summary) => {
                    // Where nothing is kept, whoever wants to know checks it then.
                    let keeps = self.cache.keeps().filter(|_| matches!(at.2, Place::Folder));
                    let verdict = keeps.and_then(|now| Verdict::of(file, path, &text, self.scope, now));
                    keep(self, Some(&summary), verdict.as_ref());
                    self.push(summary, at, Status::Ok, verdict);
                }
                Content::Broken(summary, diagnostics) => self.push(summary, at, Status::Broken(diagnostics), None),
            },
            // Data lies about in many forms; only where a definition is expected is it one that cannot be read.
            Err(diagnostic) if expected || diagnostic.code == codes::UNREADABLE.id => {
                let dialect = if path.ends_with("SKILL.md") { Dialect::SkillMd } else { Dialect::V2 };
                self.push(stub(file, dialect), at, Status::Broken(vec![*diagnostic]), None);
            }
            Err(_) => self.others.push(path.clone()),
        }
    }

    fn push(
        &mut self,
        summary: Summary,
        (path, file, place): (PathBuf, String, Place),
        status: Status,
        verdict: Option<Verdict>,
    ) {
        let (scope, rank) = (self.scope, self.rank);
        self.entries.push(Entry { summary, scope, path, status, file, verdict, place, rank });
    }

    fn warn(&mut self, code: codes::Code, path: &Path, message: &str) {
        let file = path.display().to_string();
        self.diagnostics.push(Diagnostic::of_file(code.id, Severity::Warning, &file, message));
    }
}

fn is_candidate(name: &str) -> bool {
    name == "SKILL.md" || name.ends_with(".json")
}

fn read(found: &DirEntry, size: u64) -> Result<Vec<u8>, ReadError> {
    let too_large = |size| ReadError::TooLarge { size, most: MOST_BYTES };
    if size > MOST_BYTES {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    let file = found.open().map_err(ReadError::Io)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    let read = bytes.len() as u64;
    if read > MOST_BYTES { Err(too_large(read)) } else { Ok(bytes) }
}

/// The skills that are compiled in: `NAME/NAME.json` or `NAME/SKILL.md`.
pub(super) fn bundled(all: &'static EmbeddedDir<'static>) -> Vec<Entry> {
    let mut entries = Vec::new();
    for dir in all.dirs() {
        let Some(name) = dir.path().file_name() else { continue };
        let own = format!("{}.json", name.to_string_lossy());
        for candidate in [own.as_str(), "SKILL.md"] {
            let Some(file) = dir.get_file(dir.path().join(candidate)) else { continue };
            let path = file.path().to_owned();
            let shown = format!("{}:{}", Scope::Bundled, path.display());
            let Some(text) = file.contents_utf8() else { continue };
            let (summary, status) = match inspect(&shown, text, Scope::Bundled, true) {
                Content::Companion => continue,
                Content::Definition(summary) => (summary, Status::Ok),
                Content::Broken(summary, diagnostics) => (summary, Status::Broken(diagnostics)),
            };
            let place = Place::Embedded(dir);
            let (scope, verdict) = (Scope::Bundled, None);
            entries.push(Entry { summary, scope, path, status, file: shown, verdict, place, rank: 0 });
        }
    }
    entries
}

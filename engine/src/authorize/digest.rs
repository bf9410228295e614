//! What a decision holds for: a digest of everything that a skill could run.

use crate::{Body, Skill};
use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};
use skills_core::{ErrorKind, Failure, Language};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most files of a folder that is trusted as a whole.
const MOST_FILES: usize = 5_000;
/// The most bytes of such a folder.
const MOST_BYTES: u64 = 256 << 20;
/// How deep its folders may be nested.
const MOST_DEPTH: usize = 32;

/// The files that a digest was made of, each with a digest of its own. Their paths are absolute.
pub(crate) type Files = BTreeMap<PathBuf, [u8; 32]>;

/// The file that a skill is known by: its definition, or its script; absolute, links resolved.
pub(crate) fn place(skill: &Skill) -> PathBuf {
    let file = Path::new(&skill.file);
    let whole = match &skill.folder {
        Some(folder) if !file.is_absolute() => folder.join(file.file_name().unwrap_or_default()),
        _ => file.to_owned(),
    };
    super::atom::resolved(&whole)
}

/// The digest of a skill: what was loaded of it, and its folder as it is now.
///
/// A skill has a folder of its own where that has its name, or holds its `SKILL.md`: every file of it counts then. Beside
/// other skills, what scripts can import counts; of one that runs programs or bash every file does, for any of them may be
/// a program or what one runs.
///
/// # Errors
/// `unavailable` where the folder is too large to be looked at, or cannot be read.
pub(crate) fn of_skill(skill: &Skill) -> Result<String, Failure> {
    look_at(skill).map(|(digest, _)| digest)
}

fn look_at(skill: &Skill) -> Result<(String, Files), Failure> {
    let mut digest = Sha256::new();
    let mut files = Files::new();
    digest.update(&skill.digest);
    if let Some(folder) = &skill.folder {
        let all = all_counts(skill);
        digest.update([u8::from(all)]);
        let inner;
        (inner, files) = walk(&resolved(folder), all)?;
        digest.update(inner);
    }
    Ok((hex(digest), files))
}

/// A path with its links resolved, as far as it is there.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    super::atom::resolved(path)
}

/// What a decision was found to hold for. What runs is compared with it once more: between the decision and the run lies whatever
/// is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pin {
    /// A skill of this digest.
    Skill(String),
    /// A folder of this digest.
    Folder(PathBuf, String),
}

impl Pin {
    /// Fails where a skill is no longer what was decided on.
    pub(crate) fn check(&self, skill: &Skill) -> Result<(), Failure> {
        self.files(skill).map(drop)
    }

    /// The files that were decided on.
    ///
    /// # Errors
    /// As [`Pin::check`].
    pub(crate) fn files(&self, skill: &Skill) -> Result<Files, Failure> {
        let ((found, files), digest) = match self {
            Pin::Skill(digest) => (look_at(skill)?, digest),
            Pin::Folder(folder, digest) => (walk(folder, true)?, digest),
        };
        if found == *digest {
            return Ok(files);
        }
        let message = format!("`{}` has changed since it was allowed to run", skill.qualified_name());
        Err(Failure::new(ErrorKind::PermissionDenied, message)
            .with_help("run it again, to have it decided on as it is now"))
    }

    /// The folder that a file is in and that nobody looked into for the decision.
    pub(crate) fn passed_over<'a>(&self, skill: &Skill, relative: &'a Path) -> Option<&'a str> {
        let looked_at = matches!(self, Pin::Folder(..)) || all_counts(skill);
        let mut folders = relative.parent()?.iter().filter_map(|name| name.to_str());
        folders.find(|name| !looked_at && !is_searched(name))
    }
}

/// Whether every file of a skill's folder counts, and not only what scripts can import.
fn all_counts(skill: &Skill) -> bool {
    is_own_folder(&place(skill)) || runs_programs(skill)
}

fn is_own_folder(file: &Path) -> bool {
    let folder = file.parent().and_then(Path::file_name);
    file.file_name().is_some_and(|name| name == "SKILL.md") || (folder.is_some() && file.file_stem() == folder)
}

fn runs_programs(skill: &Skill) -> bool {
    match &skill.body {
        Body::Command(_) => true,
        Body::Inline { script } => script.language == Language::Bash,
        _ => false,
    }
}

/// The digest of a folder: of all its files, or of those that scripts can import.
///
/// # Errors
/// As [`of_skill`].
pub(crate) fn of_folder(folder: &Path, all: bool) -> Result<String, Failure> {
    walk(folder, all).map(|(digest, _)| digest)
}

fn walk(folder: &Path, all: bool) -> Result<(String, Files), Failure> {
    let fail = |why: String| {
        Failure::new(ErrorKind::Unavailable, format!("cannot tell what is in {}: {why}", folder.display()))
            .with_help("give the skill a folder of its own, with nothing in it but its files")
    };
    let dir = Dir::open_ambient_dir(folder, cap_std::ambient_authority()).map_err(|error| fail(error.to_string()))?;
    let mut walk = Walk { root: folder, digest: Sha256::new(), files: 0, bytes: 0, all, found: Files::new() };
    walk.folder(&dir, Path::new(""), 0).map_err(fail)?;
    Ok((hex(walk.digest), walk.found))
}

/// The digest of a text.
pub(crate) fn of_text(text: &str) -> String {
    hex(Sha256::new_with_prefix(text))
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Walk<'a> {
    root: &'a Path,
    digest: Sha256,
    files: usize,
    bytes: u64,
    all: bool,
    found: Files,
}

impl Walk<'_> {
    fn folder(&mut self, dir: &Dir, below: &Path, depth: usize) -> Result<(), String> {
        if depth > MOST_DEPTH {
            return Err(format!("its folders are nested more than {MOST_DEPTH} deep"));
        }
        let mut names = Vec::new();
        for entry in dir.entries().map_err(|error| error.to_string())? {
            names.push(entry.map_err(|error| error.to_string())?.file_name());
            if names.len() > MOST_FILES {
                return Err(format!("it has more than {MOST_FILES} files"));
            }
        }
        names.sort_unstable();
        for name in names {
            let path = below.join(&name);
            let kind = dir.symlink_metadata(&name).map_err(|error| error.to_string())?.file_type();
            if kind.is_dir() && (self.all || is_searched(&name.to_string_lossy())) {
                let inner = dir.open_dir(&name).map_err(|error| error.to_string())?;
                self.entry(b"d", &path)?;
                self.folder(&inner, &path, depth + 1)?;
            } else if kind.is_symlink() {
                // What it leads to can change without a trace here, and is what would run.
                let target = dir.read_link_contents(&name).map_err(|error| error.to_string())?;
                if self.all || is_imported(&path) || is_imported(&target) {
                    self.link(dir, &name, &path, &target)?;
                }
            } else if kind.is_file() && (self.all || is_imported(&path)) {
                self.file(dir, Path::new(&name), &path)?;
            }
        }
        Ok(())
    }

    fn link(&mut self, dir: &Dir, name: &std::ffi::OsStr, path: &Path, target: &Path) -> Result<(), String> {
        self.entry(b"l", path)?;
        self.digest.update(target.as_os_str().as_encoded_bytes());
        self.digest.update([0]);
        // Through the handle: one that leads out of its own folder, or nowhere, is refused.
        let leads_out = |_| format!("the link {} leads out of it, or to a folder", path.display());
        let metadata = dir.metadata(name).map_err(leads_out)?;
        if !metadata.is_file() {
            return Err(format!("the link {} leads out of it, or to a folder", path.display()));
        }
        self.file(dir, Path::new(name), path)
    }

    fn file(&mut self, dir: &Dir, name: &Path, path: &Path) -> Result<(), String> {
        self.entry(b"f", path)?;
        let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
        let too_much = || format!("it has more than {} MB", MOST_BYTES >> 20);
        let mut file = dir.open(name).map_err(unreadable)?;
        // Before it is read, which would take long.
        if self.bytes.saturating_add(file.metadata().map_err(unreadable)?.len()) > MOST_BYTES {
            return Err(too_much());
        }
        let mut inner = Sha256::new();
        let mut buffer = [0; 16 << 10];
        loop {
            let read = file.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            self.bytes += read as u64;
            if self.bytes > MOST_BYTES {
                return Err(too_much());
            }
            inner.update(&buffer[..read]);
        }
        let inner = inner.finalize();
        self.digest.update(inner);
        self.found.insert(self.root.join(path), inner.into());
        Ok(())
    }

    fn entry(&mut self, kind: &[u8], path: &Path) -> Result<(), String> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(format!("it has more than {MOST_FILES} files"));
        }
        self.digest.update(kind);
        self.digest.update(path.as_os_str().as_encoded_bytes());
        self.digest.update([0]);
        Ok(())
    }
}

/// Whether a script can import a file.
fn is_imported(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "py" | "pyc" | "so" | "js" | "mjs" | "cjs" | "ts" | "mts" | "json" | "rhai" | "sh")
}

/// Whether a folder that holds more than one skill can hold what scripts import.
fn is_searched(name: &str) -> bool {
    !matches!(name, ".git" | "node_modules" | "target" | ".venv")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_is_its_files_their_names_and_their_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let mut seen = vec![of_folder(root, true).unwrap()];
        let mut changed = |what: &str| {
            let now = of_folder(root, true).unwrap();
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        fs::write(root.join("a.py"), "1").unwrap();
        changed("a new file");
        fs::write(root.join("a.py"), "2").unwrap();
        changed("other text");
        fs::rename(root.join("a.py"), root.join("b.py")).unwrap();
        changed("another name");
        fs::create_dir(root.join("__pycache__")).unwrap();
        fs::write(root.join("__pycache__/b.pyc"), "x").unwrap();
        changed("compiled code");
        std::os::unix::fs::symlink("b.py", root.join("c.py")).unwrap();
        changed("a link");
    }

    #[test]
    fn a_folder_that_reaches_out_cannot_be_told() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("x.py"), "1").unwrap();
        std::os::unix::fs::symlink(outside.path().join("x.py"), folder.path().join("x.py")).unwrap();
        let error = of_folder(folder.path(), false).unwrap_err();
        assert!(error.message.contains("leads out of it"), "{error}");
        let other = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), other.path().join("x")).unwrap();
        assert!(of_folder(other.path(), true).is_err());
    }

    #[test]
    fn a_folder_that_is_too_much_to_look_at_cannot_be_told() {
        let refused = |make: &dyn Fn(&Path), part: &str| {
            let folder = tempfile::tempdir().unwrap();
            make(folder.path());
            let failure = of_folder(folder.path(), true).unwrap_err();
            assert_eq!(failure.kind, ErrorKind::Unavailable);
            assert!(failure.message.contains(part), "{failure}");
        };
        let file = |path: PathBuf| fs::File::create(path).unwrap();
        refused(&|root| fs::create_dir_all(root.join("a/".repeat(MOST_DEPTH + 2))).unwrap(), "more than 32 deep");
        refused(&|root| (0..=MOST_FILES).for_each(|n| drop(file(root.join(n.to_string())))), "more than 5000 files");
        let in_folders = |root: &Path| {
            for n in 0..=MOST_FILES / 50 {
                fs::create_dir(root.join(n.to_string())).unwrap();
                (0..50).for_each(|inner| drop(file(root.join(format!("{n}/{inner}")))));
            }
        };
        refused(&in_folders, "more than 5000 files");
        // It takes no room on the disk, and no time to be refused.
        refused(&|root| file(root.join("large")).set_len(MOST_BYTES + 1).unwrap(), "more than 256 MB");
    }

    #[test]
    fn beside_other_skills_only_what_can_be_imported_counts() {
        let folder = tempfile::tempdir().unwrap();
        let before = of_folder(folder.path(), false).unwrap();
        fs::write(folder.path().join("notes.txt"), "1").unwrap();
        assert_eq!(of_folder(folder.path(), false).unwrap(), before);
        fs::write(folder.path().join("helper.py"), "1").unwrap();
        assert_ne!(of_folder(folder.path(), false).unwrap(), before);
    }
}

//! Which file a program's name stands for, and what it needs to start.

#![expect(clippy::disallowed_methods, reason = "looks for programs of the machine, and opens nothing")]

use skills_core::{ErrorKind, Failure};
use std::path::{Path, PathBuf};

/// The file of a program. A path is taken from the skill's folder; a name is looked for in the folders of `search`.
///
/// # Errors
/// `not_found`, or `permission_denied` where it may not be executed.
pub(super) fn program(name: &str, folder: Option<&Path>, search: &[PathBuf]) -> Result<PathBuf, Failure> {
    if name.contains('/') {
        let path = match (Path::new(name).is_absolute(), folder) {
            (true, _) => PathBuf::from(name),
            (false, Some(folder)) => folder.join(name),
            (false, None) => return Err(missing(name, "the skill has no folder to look for it in")),
        };
        return match usable(&path) {
            Use::Yes => Ok(path),
            Use::Missing => Err(missing(name, &format!("there is no file {}", path.display()))),
            Use::Not(why) => Err(refused(name, &path, why)),
        };
    }
    let mut other = None;
    for folder in search.iter().filter(|folder| folder.is_absolute()) {
        let path = folder.join(name);
        match usable(&path) {
            Use::Yes => return Ok(path),
            Use::Not(why) => drop(other.get_or_insert((path, why))),
            Use::Missing => {}
        }
    }
    match other {
        Some((path, why)) => Err(refused(name, &path, why)),
        None => {
            let folders: Vec<_> = search.iter().map(|folder| folder.display().to_string()).collect();
            Err(missing(name, &format!("it is in none of {}", folders.join(", "))))
        }
    }
}

enum Use {
    Yes,
    Missing,
    Not(&'static str),
}

fn usable(path: &Path) -> Use {
    match std::fs::metadata(path) {
        Err(_) => Use::Missing,
        Ok(about) if about.is_dir() => Use::Not("is a folder"),
        Ok(about) if !about.is_file() => Use::Not("is no regular file"),
        Ok(about) if !executable(&about) => Use::Not("is not executable"),
        Ok(_) => Use::Yes,
    }
}

#[cfg(unix)]
fn executable(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_: &std::fs::Metadata) -> bool {
    true
}

fn missing(name: &str, why: &str) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("there is no program `{name}`: {why}"))
        .with_help("install it, or write its path: `./NAME` stands beside the definition")
}

fn refused(name: &str, path: &Path, why: &str) -> Failure {
    let message = format!("`{name}` cannot be started: {} {why}", path.display());
    Failure::new(ErrorKind::PermissionDenied, message)
        .with_help(format!("`chmod +x {}` makes a script executable", path.display()))
}

/// What a program needs to read beside what every program has: itself, and the libraries of where it is installed, if that
/// is where programs are looked for. A definition may name any other program, which shows nothing but that one.
pub(super) fn needs(executable: &Path, search: &[PathBuf]) -> Vec<PathBuf> {
    let real = resolved(executable);
    let mut all = vec![executable.to_owned()];
    if real != executable {
        all.push(real.clone());
    }
    // `PREFIX/bin/tool` has its libraries in `PREFIX/lib`.
    let installed = search.iter().any(|folder| [executable.parent(), real.parent()].contains(&Some(folder)));
    let bin = real.parent().filter(|folder| installed && folder.ends_with("bin"));
    if let Some(prefix) = bin.and_then(Path::parent) {
        let library = prefix.join("lib");
        if prefix.parent().is_some() && !prefix.starts_with("/usr") && library.is_dir() {
            all.push(library);
        }
    }
    all
}

/// A path with its links resolved, where it exists.
pub(super) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Whether a folder is there.
pub(super) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_not_looked_for_where_somebody_happens_to_stand() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().canonicalize().unwrap();
        std::fs::copy("/bin/sh", bin.join("tool")).unwrap();
        let up: PathBuf = std::env::current_dir().unwrap().components().skip(1).map(|_| "..").collect();
        let relative = up.join(bin.strip_prefix("/").unwrap());
        assert!(relative.join("tool").is_file());
        assert_eq!(program("tool", None, &[relative]).unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(program("tool", None, std::slice::from_ref(&bin)).unwrap(), bin.join("tool"));
    }

    #[test]
    fn a_program_that_is_not_installed_shows_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (bin, lib) = (root.join("bin"), root.join("lib"));
        std::fs::create_dir(&bin).unwrap();
        std::fs::create_dir(&lib).unwrap();
        let tool = bin.join("tool");
        std::fs::write(&tool, "#!/bin/sh").unwrap();
        assert_eq!(needs(&tool, &["/usr/bin".into()]), std::slice::from_ref(&tool));
        assert_eq!(needs(&tool, &[bin]), [tool, lib]);
    }
}

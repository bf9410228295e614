//! What permissions name, in one form: paths, hosts, and plain names.

use crate::{Allow, Permissions};
use skills_core::{Failure, HostPattern, Operation};
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// One thing that a permission names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Atom {
    /// A path with everything below it: absolute, links resolved.
    Path(PathBuf),
    /// Hosts.
    Host(HostPattern),
    /// A program, variable, secret or session by name; `*` for all.
    Name(String),
}

impl Atom {
    /// The thing of a text, as a definition or a person writes it. Relative paths start at the working folder.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn parse(operation: Operation, text: &str, base: Option<&Path>) -> Result<Atom, String> {
        match operation {
            Operation::FileRead | Operation::FileWrite => match absolute(text, base) {
                Some(path) => Ok(Atom::Path(resolved(&path))),
                None => Err(format!("`{text}` is relative, and the host gave no working folder")),
            },
            Operation::Network => HostPattern::parse(text).map(Atom::Host).map_err(|failure: Failure| failure.message),
            Operation::Environment if steers(text) => {
                Err(format!("`{text}` decides what programs load and run, and is never given to a skill"))
            }
            Operation::Environment | Operation::Secret | Operation::Session if text == "*" => {
                Err("`*` is no name: each has to be named by itself".to_owned())
            }
            _ => Ok(Atom::Name(text.to_owned())),
        }
    }

    /// What is in both.
    pub(crate) fn meet(&self, other: &Atom) -> Option<Atom> {
        match (self, other) {
            (Atom::Path(own), Atom::Path(theirs)) if own.starts_with(theirs) => Some(self.clone()),
            (Atom::Path(own), Atom::Path(theirs)) if theirs.starts_with(own) => Some(other.clone()),
            (Atom::Host(own), Atom::Host(theirs)) => own.intersection(theirs).map(Atom::Host),
            (Atom::Name(own), Atom::Name(theirs)) if own == theirs || theirs == "*" => Some(self.clone()),
            (Atom::Name(own), Atom::Name(_)) if own == "*" => Some(other.clone()),
            _ => None,
        }
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Atom::Path(path) => path.display().fmt(f),
            Atom::Host(host) => host.fmt(f),
            Atom::Name(name) => name.fmt(f),
        }
    }
}

/// Variables with which whoever sets them runs code of their own in the programs that read them.
pub(super) fn steers(name: &str) -> bool {
    name.starts_with("LD_")
        || name.starts_with("DYLD_")
        || matches!(name, "BASH_ENV" | "ENV" | "IFS" | "PYTHONSTARTUP" | "PYTHONHOME" | "PERL5OPT" | "NODE_OPTIONS")
}

/// What permissions name of an operation; `None` where they do not say.
pub(crate) fn named(permissions: &Permissions, operation: Operation) -> Option<Vec<String>> {
    let names = |allow: &Option<Allow>| match allow {
        Some(Allow::All(true)) => Some(vec!["*".to_owned()]),
        Some(Allow::All(false)) => Some(Vec::new()),
        Some(Allow::Only(names)) => Some(names.clone()),
        None => None,
    };
    match operation {
        Operation::FileRead => permissions.file_read.clone(),
        Operation::FileWrite => permissions.file_write.clone(),
        Operation::Network => names(&permissions.network_access),
        Operation::ProcessSpawn => names(&permissions.process_spawn),
        Operation::Environment => permissions.environment.clone(),
        Operation::Secret => permissions.secrets.clone(),
        Operation::Session => permissions.sessions.clone(),
        _ => None,
    }
}

/// The operations that permissions speak of.
pub(crate) const NAMED: [Operation; 7] = [
    Operation::FileRead,
    Operation::FileWrite,
    Operation::Network,
    Operation::ProcessSpawn,
    Operation::Environment,
    Operation::Secret,
    Operation::Session,
];

/// A path with its links resolved, as far as it exists: what is compared with the policy is where it really leads. Below
/// a grant, the file functions open everything through a handle that no link leads out of.
#[allow(clippy::disallowed_methods, reason = "resolves links, and opens nothing")]
pub(crate) fn resolved(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return match path.strip_prefix(ancestor) {
                Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
                _ => real,
            };
        }
    }
    path.to_owned()
}

/// A path without `.` and `..`, from the base where it is relative.
pub(crate) fn absolute(path: &str, base: Option<&Path>) -> Option<PathBuf> {
    let path = Path::new(path);
    let whole = if path.is_absolute() { path.to_owned() } else { base?.join(path) };
    let mut out = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Atom {
        Atom::parse(Operation::FileRead, text, Some(Path::new("/work/p"))).unwrap()
    }

    #[test]
    fn two_paths_meet_in_the_inner_one() {
        assert_eq!(path("./").meet(&path("/work/p")), Some(path("/work/p")));
        assert_eq!(path("src/../data").meet(&path("/work/p")), Some(path("/work/p/data")));
        assert_eq!(path("/").meet(&path("/work/p/data")), Some(path("/work/p/data")));
        assert_eq!(path("..").meet(&path("/srv")), None);
        assert_eq!(path("/work/project").meet(&path("/work/p")), None, "a common prefix is not a common folder");
    }

    #[test]
    fn a_name_is_compared_whole() {
        let name = |text: &str| Atom::parse(Operation::ProcessSpawn, text, None).unwrap();
        assert_eq!(name("git").meet(&name("*")), Some(name("git")));
        assert_eq!(name("*").meet(&name("git")), Some(name("git")));
        assert_eq!(name("/tmp/git").meet(&name("git")), None);
    }

    #[test]
    fn variables_that_steer_programs_are_never_given() {
        for name in ["LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS"] {
            assert!(Atom::parse(Operation::Environment, name, None).is_err(), "{name}");
        }
        assert!(Atom::parse(Operation::Environment, "LANG", None).is_ok());
    }
}

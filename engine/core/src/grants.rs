use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What one run may reach. Everything is denied unless it is listed.
///
/// Folders are absolute and already resolved; a grant covers what is below it. The host functions open them through
/// cap-std, so a symbolic link that leads out of a granted folder leads nowhere. Values of environment variables and of
/// secrets are not here: a grant names them, and whoever uses them asks the host for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Grants {
    /// Folders and files that may be read.
    pub read: Vec<PathBuf>,
    /// Folders that may be written, and read.
    pub write: Vec<PathBuf>,
    /// The largest file that may be written, in bytes; `None` for no limit but that of the functions themselves.
    pub max_file_size: Option<u64>,
    /// Where a relative path starts.
    pub working_directory: Option<PathBuf>,
    /// Whether the script may run other skills.
    pub call_skills: bool,
    /// Network hosts, by name or address, with an optional port: `example.com`, `10.0.0.5:8080`.
    pub network: Access,
    /// Programs that the script or the skill's program may start, by name or path.
    pub programs: Access,
    /// Names of environment variables.
    pub environment: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
    /// Names of sessions of other owners.
    #[serde(default)]
    pub sessions: Vec<String>,
}

impl Grants {
    /// Nothing at all.
    pub const NONE: &'static Grants = &Grants {
        read: Vec::new(),
        write: Vec::new(),
        max_file_size: None,
        working_directory: None,
        call_skills: false,
        network: Access::Nothing,
        programs: Access::Nothing,
        environment: Vec::new(),
        secrets: Vec::new(),
        sessions: Vec::new(),
    };
}

/// A grant of things that have names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// None of them.
    #[default]
    Nothing,
    /// Those that are named.
    Only(Vec<String>),
    /// All of them.
    Everything,
}

impl Access {
    /// Whether nothing at all is granted.
    pub fn is_nothing(&self) -> bool {
        match self {
            Access::Nothing => true,
            Access::Only(names) => names.is_empty(),
            Access::Everything => false,
        }
    }
}

/// Whether a folder is no skill's own, although one may lie in it: the root, what stands right below it (`/tmp`, `/root`),
/// the home folders of people, and what everybody may put files into (`/var/tmp`, `/dev/shm`). Nothing is shown of such a
/// folder because a skill lies there. The folder is absolute, its links resolved.
///
/// ```
/// use skills_core::is_shared_folder;
/// use std::path::Path;
/// assert!(is_shared_folder(Path::new("/home/alice")));
/// assert!(is_shared_folder(Path::new("/var/tmp")));
/// assert!(!is_shared_folder(Path::new("/home/alice/skills")));
/// ```
pub fn is_shared_folder(folder: &Path) -> bool {
    // Each person's own folder stands right below one of these.
    let above = ["/", "/home", "/Users", "/run/user"].map(Path::new);
    let named = ["/var/tmp", "/dev/shm", "/run/user", "/private/tmp", "/private/var/tmp"].map(Path::new);
    folder.parent().is_none_or(|parent| above.contains(&parent)) || named.contains(&folder) || is_everybodys(folder)
}

/// Whether everybody may put files into a folder, and each keeps their own there.
#[cfg(unix)]
#[allow(clippy::disallowed_methods, reason = "looks at the mode of a folder, and opens nothing")]
fn is_everybodys(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const STICKY_AND_FOR_ALL: u32 = 0o1002;
    let mode = std::fs::metadata(folder).map_or(0, |metadata| metadata.permissions().mode());
    mode & STICKY_AND_FOR_ALL == STICKY_AND_FOR_ALL
}

#[cfg(not(unix))]
fn is_everybodys(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_for_everybodys_files_are_shared() {
        for folder in ["/", "/tmp", "/root", "/home", "/home/a", "/var/tmp", "/dev/shm", "/run/user", "/run/user/1000"]
        {
            assert!(is_shared_folder(Path::new(folder)), "{folder}");
        }
        for folder in ["/home/a/skills", "/var/tmp/skills", "/run/user/1000/skills", "/srv/skills"] {
            assert!(!is_shared_folder(Path::new(folder)), "{folder}");
        }
    }
}

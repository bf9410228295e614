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
/// and the home folders of people. Nothing is shown of such a folder because a skill lies there.
///
/// ```
/// use skills_core::is_shared_folder;
/// use std::path::Path;
/// assert!(is_shared_folder(Path::new("/home/alice")));
/// assert!(!is_shared_folder(Path::new("/home/alice/skills")));
/// ```
pub fn is_shared_folder(folder: &Path) -> bool {
    let homes = [Path::new("/home"), Path::new("/Users")];
    folder.parent().is_none_or(|parent| parent == Path::new("/") || homes.contains(&parent))
}

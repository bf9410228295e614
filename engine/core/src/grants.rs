use std::path::PathBuf;

/// What one run may reach. Everything is denied unless it is listed.
///
/// Folders are absolute and already resolved; a grant covers what is below it. The host functions open them through
/// cap-std, so a symbolic link that leads out of a granted folder leads nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
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
}

//! Which build of the command this is, and which words the host and its clients speak.

use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt as _;

/// The version of the messages behind the greeting. It grows with each change of them.
pub(super) const PROTOCOL: u32 = 2;

/// What each side says first. This message stays as it is, so that any two builds understand each other this far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Build {
    /// [`PROTOCOL`].
    pub(super) protocol: u32,
    /// The version of the command.
    pub(super) version: String,
    /// Names the executable: two that were built at different times differ.
    pub(super) id: String,
}

impl Build {
    /// The one that runs here.
    #[expect(clippy::disallowed_methods, reason = "the command's own executable, whatever its path leads to by now")]
    pub(super) fn own() -> Build {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let file = std::fs::metadata("/proc/self/exe");
        // The size and the time of writing: to read a hundred megabytes for a hash would take longer than most cells.
        let id = file.map(|file| format!("{:x}-{:x}.{:x}", file.len(), file.mtime(), file.mtime_nsec()));
        Build { protocol: PROTOCOL, id: id.unwrap_or_else(|_| version.clone()), version }
    }
}

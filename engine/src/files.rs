//! The folder that a skill's definition and the files beside it are read from: a real one through cap-std, one that is
//! compiled in, or one of a source. Nothing outside the folder can be reached through it, whatever the path and its links say.

use crate::source::SourceFolder;
use cap_std::fs::Dir;
use include_dir::Dir as EmbeddedDir;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder to read from, and nothing outside it.
#[derive(Debug, Clone)]
pub struct SkillFiles(Arc<Tree>);

#[derive(Debug)]
enum Tree {
    Folder { dir: Dir, path: PathBuf },
    Embedded(&'static EmbeddedDir<'static>),
    Source(SourceFolder),
    Empty,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such file.
    #[error("the file does not exist")]
    Missing,
    /// It is a folder, a socket, a device or the like.
    #[error("it is not a regular file")]
    NotAFile,
    /// A link in its path leads out of the folder.
    #[error("it leads out of the folder")]
    Outside,
    /// It is larger than allowed.
    #[error("it has {size} bytes, more than the {most} allowed")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most bytes allowed.
        most: u64,
    },
    /// The system refused.
    #[error(transparent)]
    Io(std::io::Error),
    /// The source of the skill refused.
    #[error(transparent)]
    Source(skills_core::Failure),
}

impl SkillFiles {
    /// A folder of the file system.
    ///
    /// # Errors
    /// Whatever opening the folder gives.
    pub fn folder(path: &Path) -> std::io::Result<SkillFiles> {
        let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        Ok(SkillFiles(Arc::new(Tree::Folder { dir, path: path.to_owned() })))
    }

    /// A folder that is compiled in.
    pub fn embedded(dir: &'static EmbeddedDir<'static>) -> SkillFiles {
        SkillFiles(Arc::new(Tree::Embedded(dir)))
    }

    /// A folder of a source.
    pub(crate) fn of_source(folder: SourceFolder) -> SkillFiles {
        SkillFiles(Arc::new(Tree::Source(folder)))
    }

    /// A folder without any file, for code that was given directly.
    pub fn empty() -> SkillFiles {
        SkillFiles(Arc::new(Tree::Empty))
    }

    /// Where the folder is in the file system, if it is there.
    pub fn path(&self) -> Option<&Path> {
        match &*self.0 {
            Tree::Folder { path, .. } => Some(path),
            Tree::Embedded(_) | Tree::Source(_) | Tree::Empty => None,
        }
    }

    /// Reads a file below the folder, at most `most` bytes.
    ///
    /// # Errors
    /// A [`ReadError`]; `Outside` also for an absolute path and for `..` that leaves the folder.
    pub fn read(&self, relative: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
        match &*self.0 {
            Tree::Folder { dir, .. } => read_below(dir, relative, most),
            Tree::Embedded(dir) => {
                let path = dir.path().join(relative);
                let file = dir.get_file(path).ok_or(ReadError::Missing)?;
                check_size(file.contents().len() as u64, most)?;
                Ok(file.contents().to_vec())
            }
            Tree::Source(folder) => {
                let bytes = folder.read(relative, most)?;
                check_size(bytes.len() as u64, most)?;
                Ok(bytes)
            }
            Tree::Empty => Err(ReadError::Missing),
        }
    }

    /// The names of what stands directly in a folder below, sorted, at most the first `most`; none where there is no
    /// such folder or it cannot be read.
    pub fn names(&self, relative: &Path, most: usize) -> Vec<String> {
        let mut names: Vec<String> = match &*self.0 {
            Tree::Folder { dir, .. } => {
                let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
                let Ok(entries) = dir.read_dir(relative) else { return Vec::new() };
                entries.flatten().take(most).filter_map(|entry| entry.file_name().into_string().ok()).collect()
            }
            Tree::Embedded(dir) => {
                let path = dir.path().join(relative);
                let folder = if path == dir.path() { Some(*dir) } else { dir.get_dir(path) };
                let entries = folder.map_or(&[][..], |folder| folder.entries());
                let name = |entry: &include_dir::DirEntry<'_>| Some(entry.path().file_name()?.to_str()?.to_owned());
                entries.iter().take(most).filter_map(name).collect()
            }
            Tree::Source(folder) => folder.names(relative).into_iter().take(most).collect(),
            Tree::Empty => Vec::new(),
        };
        names.sort_unstable();
        names
    }
}

fn read_below(dir: &Dir, relative: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    let classify = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing,
        // cap-std reports an escape as a permission error of its own making, without an errno.
        std::io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => ReadError::Outside,
        _ => ReadError::Io(error),
    };
    // Looked at before it is opened: opening a pipe would block.
    let metadata = dir.metadata(relative).map_err(classify)?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    check_size(metadata.len(), most)?;
    let file = dir.open(relative).map_err(classify)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // The file may have grown since: one byte more than allowed tells.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(classify)?;
    check_size(bytes.len() as u64, most)?;
    Ok(bytes)
}

fn check_size(size: u64, most: u64) -> Result<(), ReadError> {
    if size > most { Err(ReadError::TooLarge { size, most }) } else { Ok(()) }
}

//! A folder of a source, read as any other folder of a skill.

use crate::ReadError;
use skills_core::{ErrorKind, SkillSource};
use std::collections::BTreeSet;
use std::path::{Component, Path};
use std::sync::Arc;

/// A folder of a source: what stands before each path in it, empty or with a `/` at its end.
#[derive(Clone)]
pub(crate) struct SourceFolder {
    source: Arc<dyn SkillSource>,
    prefix: String,
}

impl SourceFolder {
    /// The folder that a file of a source is in.
    pub(crate) fn of_file(source: &Arc<dyn SkillSource>, path: &str) -> SourceFolder {
        let prefix = path.rfind('/').map_or("", |at| &path[..=at]);
        SourceFolder { source: Arc::clone(source), prefix: prefix.to_owned() }
    }

    pub(crate) fn read(&self, relative: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
        let path = self.below(relative).ok_or(ReadError::Outside)?;
        self.source.read(&path, most).map_err(|failure| match failure.kind {
            ErrorKind::NotFound => ReadError::Missing,
            _ => ReadError::Source(failure),
        })
    }

    /// The names of what stands directly in a folder below.
    pub(crate) fn names(&self, relative: &Path) -> BTreeSet<String> {
        let Some(mut folder) = self.below(relative) else { return BTreeSet::new() };
        if !folder.is_empty() && !folder.ends_with('/') {
            folder.push('/');
        }
        let name = |path: &String| Some(path.strip_prefix(&folder)?.split('/').next()?.to_owned());
        self.source.list().unwrap_or_default().iter().filter_map(name).collect()
    }

    /// The path of something below the folder, as the source writes it; `None` for what is not below it.
    fn below(&self, relative: &Path) -> Option<String> {
        let mut parts: Vec<&str> = Vec::new();
        for component in relative.components() {
            match component {
                Component::Normal(part) => parts.push(part.to_str()?),
                Component::CurDir => {}
                Component::ParentDir => {
                    parts.pop()?;
                }
                Component::RootDir | Component::Prefix(_) => return None,
            }
        }
        Some(format!("{}{}", self.prefix, parts.join("/")))
    }
}

impl std::fmt::Debug for SourceFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.source.name(), self.prefix)
    }
}

/// Whether a path of a source is one: relative, without `.` and `..`, and without what a terminal would act on.
pub(crate) fn is_path(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(|c: char| c.is_control() || c == '\\')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

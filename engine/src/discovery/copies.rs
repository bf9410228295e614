//! Copies of bundled skills. A folder whose files are those of a bundled skill, byte for byte, is that skill: it hides
//! nothing, is warned about by nobody, and needs no more trust.

use super::entry::{Entry, Place, folder_of};
use crate::SkillFiles;
use include_dir::{Dir, DirEntry};
use std::path::{Path, PathBuf};

/// How many names are looked at in one folder: a copy has few.
const MOST_NAMES: usize = 100;

/// Leaves out every entry that is a copy of a bundled one.
pub(super) fn leave_out(entries: &mut Vec<Entry>) {
    let bundled: Vec<(String, &'static Dir<'static>)> = entries
        .iter()
        .filter_map(|entry| match entry.place {
            Place::Embedded(dir) => Some((entry.name().to_owned(), dir)),
            Place::Folder | Place::Source(_) => None,
        })
        .collect();
    entries.retain(|entry| {
        let in_folder = matches!(entry.place, Place::Folder);
        let twin = bundled.iter().find(|(name, _)| in_folder && name == entry.name());
        twin.is_none_or(|(_, dir)| !is_copy(entry, dir))
    });
}

fn is_copy(entry: &Entry, dir: &'static Dir<'static>) -> bool {
    let same_name = dir.get_file(dir.path().join(entry.path.file_name().unwrap_or_default())).is_some();
    same_name
        && SkillFiles::folder(folder_of(&entry.path)).is_ok_and(|files| same(&files, Path::new("."), dir, dir.path()))
}

/// Whether a folder holds the files of a compiled-in one and no others. `root` is the whole compiled-in folder's path.
fn same(files: &SkillFiles, below: &Path, dir: &'static Dir<'static>, root: &Path) -> bool {
    let mut wanted: Vec<String> =
        dir.entries().iter().filter_map(|e| Some(e.path().file_name()?.to_str()?.to_owned())).collect();
    wanted.sort_unstable();
    if files.names(below, MOST_NAMES) != wanted {
        return false;
    }
    dir.entries().iter().all(|one| {
        let Ok(relative) = one.path().strip_prefix(root).map(PathBuf::from) else { return false };
        match one {
            DirEntry::Dir(inner) => same(files, &relative, inner, root),
            DirEntry::File(file) => {
                let contents = file.contents();
                files.read(&relative, contents.len() as u64).is_ok_and(|bytes| bytes == contents)
            }
        }
    })
}

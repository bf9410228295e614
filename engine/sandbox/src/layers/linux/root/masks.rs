//! The folders of programs, reduced to those that may be executed.
//!
//! The kernel's loader runs any program that can be read, when it is called by its own name; so what is not granted is not there
//! to be read.

#![expect(clippy::disallowed_methods, reason = "looks around in the tree of the confined process, from inside")]

use super::super::fault::{Attempt, Fault};
use super::super::programs::{Executables, PATH};
use super::base::inner;
use super::mounts::{QUIET, copy, fresh, restrict, show_at};
use crate::LayerName::Root;
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat, symlinkat};
use rustix::mount::MountAttrFlags;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the reduced folders are made.
pub(super) const MADE: &str = ".programs";

/// Puts reduced folders in place of those of the system, in a tree that is the root already.
pub(super) fn put_on(executables: &Executables) -> Result<(), Fault> {
    let folders: BTreeSet<PathBuf> = PATH.iter().filter_map(|folder| Path::new(folder).canonicalize().ok()).collect();
    let mut wanted = BTreeSet::new();
    for path in executables.paths() {
        follow(path, 0, &mut wanted);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = openat(CWD, "/", flags, Mode::empty()).attempt(Root, "opening the root")?;
    let made = fresh("tmpfs", &[("mode", String::from("0755"))], QUIET)?;
    show_at(&made, &root, Path::new(MADE))?;
    for (index, folder) in folders.iter().enumerate() {
        let name = index.to_string();
        mkdirat(&made, &*name, Mode::from_raw_mode(0o755)).attempt(Root, "making a folder of programs")?;
        for path in wanted.iter().filter(|path| path.parent() == Some(folder)) {
            add(&root, &made, &name, path)?;
        }
    }
    for (index, folder) in folders.iter().enumerate() {
        let tree = copy(&made, Path::new(&index.to_string())).attempt(Root, "copying a folder of programs")?;
        restrict(&tree, QUIET | MountAttrFlags::MOUNT_ATTR_RDONLY, true)?;
        show_at(&tree, &root, inner(folder))?;
    }
    restrict(&made, MountAttrFlags::MOUNT_ATTR_RDONLY, true)
}

/// Puts one program, or a link to one, into a reduced folder.
fn add(root: &OwnedFd, made: &OwnedFd, folder: &str, path: &Path) -> Result<(), Fault> {
    let Some(name) = path.file_name() else { return Ok(()) };
    let target = Path::new(folder).join(name);
    if let Ok(link) = std::fs::read_link(path) {
        return symlinkat(link, made, target).attempt(Root, format_args!("linking {}", path.display()));
    }
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    openat(made, &target, flags, Mode::from_raw_mode(0o600))
        .attempt(Root, format_args!("making a place for {}", path.display()))?;
    let file = copy(root, inner(path)).attempt(Root, format_args!("copying the mount of {}", path.display()))?;
    show_at(&file, made, &target)
}

/// A path, and those that its links lead over.
fn follow(path: &Path, depth: u8, wanted: &mut BTreeSet<PathBuf>) {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else { return };
    let Ok(folder) = folder.canonicalize() else { return };
    let path = folder.join(name);
    if let Ok(target) = std::fs::read_link(&path)
        && depth < 16
    {
        follow(&folder.join(target), depth + 1, wanted);
    }
    wanted.insert(path);
}

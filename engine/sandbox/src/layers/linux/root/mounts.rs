//! Mounts by descriptor: nothing is looked up twice, and no link is followed that the caller did not mean.

use super::super::fault::{Attempt, Fault};
use crate::LayerName::Root;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatxFlags, fstat, mkdirat, openat, statx};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, move_mount, open_tree,
};
use std::ffi::CStr;
use std::path::{Component, Path};

/// What is never wanted of a mount in a confined process.
pub(super) const QUIET: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV);

/// A file system of its own that nobody sees yet.
pub(super) fn fresh(kind: &str, options: &[(&str, String)], attributes: MountAttrFlags) -> Result<OwnedFd, Fault> {
    let make = || -> rustix::io::Result<OwnedFd> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (key, value) in options {
            fsconfig_set_string(&context, *key, value.as_str())?;
        }
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    make().attempt(Root, format_args!("mounting a {kind}"))
}

/// A copy of what is mounted at `path` of `at`, with all that is mounted below it, that nobody sees yet.
pub(super) fn copy(at: impl AsFd, path: &Path) -> rustix::io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    if path.as_os_str().is_empty() {
        flags |= OpenTreeFlags::AT_EMPTY_PATH;
    }
    open_tree(at, path, flags)
}

/// Sets attributes on a mount, and on all below it where it is `deep`.
pub(super) fn restrict(mount: &OwnedFd, attributes: MountAttrFlags, deep: bool) -> Result<(), Fault> {
    let wanted = libc::mount_attr { attr_set: u64::from(attributes.bits()), attr_clr: 0, propagation: 0, userns_fd: 0 };
    let flags = libc::AT_EMPTY_PATH | if deep { libc::AT_RECURSIVE } else { 0 };
    let empty: &CStr = c"";
    // SAFETY: the path is a terminated string and the attributes are a `mount_attr` of the size that is given; both outlive
    // the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            empty.as_ptr(),
            flags,
            &raw const wanted,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()).attempt(Root, "restricting a mount") }
}

/// Shows a mount at `target`.
pub(super) fn show(mount: &OwnedFd, target: &OwnedFd) -> Result<(), Fault> {
    show_at(mount, target, Path::new(""))
}

/// Shows a mount at a path that is there already.
pub(super) fn show_at(mount: &OwnedFd, at: &OwnedFd, path: &Path) -> Result<(), Fault> {
    let mut flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    if path.as_os_str().is_empty() {
        flags |= MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    }
    move_mount(mount, c"", at, path, flags).attempt(Root, format_args!("showing a mount at {}", path.display()))
}

/// Whether a descriptor is of a folder.
pub(super) fn is_folder(fd: &OwnedFd) -> Result<bool, Fault> {
    let status = fstat(fd).attempt(Root, "reading a file's status")?;
    Ok(FileType::from_raw_mode(status.st_mode) == FileType::Directory)
}

/// The place of `path` below `root`, made where it is missing: as a folder, or as an empty file where it is not to be one.
///
/// Links are not followed, and nothing is made in a folder that is mounted from elsewhere.
pub(super) fn place(root: &OwnedFd, path: &Path, folder: bool) -> Result<OwnedFd, Fault> {
    let names: Vec<_> = path
        .components()
        .filter_map(|component| if let Component::Normal(name) = component { Some(name) } else { None })
        .collect();
    let what = || format!("making a place for {}", path.display());
    let ours = mount_of(root)?;
    let mut at = rustix::io::fcntl_dupfd_cloexec(root, 3).attempt(Root, what())?;
    for (index, name) in names.iter().enumerate() {
        let last = index + 1 == names.len();
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        at = match openat(&at, *name, flags, Mode::empty()) {
            Err(Errno::NOENT) if mount_of(&at)? == ours => {
                if last && !folder {
                    let new = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                    openat(&at, *name, new, Mode::from_raw_mode(0o600)).attempt(Root, what())?;
                } else {
                    mkdirat(&at, *name, Mode::from_raw_mode(0o755)).attempt(Root, what())?;
                }
                openat(&at, *name, flags, Mode::empty()).attempt(Root, what())?
            }
            found => found.attempt(Root, what())?,
        };
        if !last && !is_folder(&at)? {
            return Err(Fault::new(Root, format!("{}: {} is no folder", what(), name.display())));
        }
    }
    Ok(at)
}

/// The device of the file system that a descriptor is of.
fn mount_of(fd: &OwnedFd) -> Result<(u32, u32), Fault> {
    let status =
        statx(fd, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS).attempt(Root, "reading a file's status")?;
    Ok((status.stx_dev_major, status.stx_dev_minor))
}

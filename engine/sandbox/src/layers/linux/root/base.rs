//! What every worker of a zygote sees, made once: the zygote lives in it, and each worker copies it mount by mount.

#![expect(clippy::disallowed_methods, reason = "the trusted start of a zygote reads the host's own system files")]

use super::super::fault::{Attempt, Fault};
use super::super::namespaces::INSIDE;
use super::mounts::{QUIET, copy, fresh, place, restrict, show};
use crate::LayerName::{MountNamespace, Root};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, symlinkat};
use rustix::mount::{MountAttrFlags, MountPropagationFlags, mount_change};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where the zygote keeps the host's tree, and where a worker's root stands until it is the root.
pub(super) const HOST: &str = "/.skills/host";
/// See [`HOST`].
pub(super) const NEW: &str = "/.skills/new";

/// The system's own folders. Configuration, variable data and homes are not among them.
const SYSTEM: [&str; 7] = ["usr", "lib", "lib32", "lib64", "libx32", "bin", "sbin"];
/// What of `/etc` programs cannot do without and that is no secret, as it is on the host.
const MIRRORED: [&str; 6] = [
    "etc/alternatives",
    "etc/ssl/certs",
    "etc/ssl/openssl.cnf",
    "etc/ca-certificates",
    "etc/pki/tls/certs",
    "etc/fonts",
];
/// The same, small files that the host may replace: copied.
const COPIED: [&str; 6] =
    ["etc/ld.so.cache", "etc/localtime", "etc/mime.types", "etc/protocols", "etc/services", "etc/os-release"];
/// What stands in `/etc` in place of the host's.
const MADE: [(&str, &str); 7] = [
    ("etc/passwd", "skill:x:1000:1000:skill:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    ("etc/group", "skill:x:1000:\nnogroup:x:65534:\n"),
    ("etc/hosts", "127.0.0.1 localhost skills\n"),
    ("etc/hostname", "skills\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("etc/resolv.conf", ""),
    ("etc/gitconfig", "[safe]\n\tdirectory = *\n"),
];
/// Devices, all without state.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
const DEVICE_LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// One thing of the base that a worker's root has too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A link, where the host has one.
    Link(&'static str, OsString),
    /// A folder or a file, mounted there; whether it is a folder.
    Mount(PathBuf, bool),
    /// A file of `/proc` that nothing is to be read of.
    Blank(PathBuf),
}

/// Makes the tree and moves the process into it.
pub(super) fn make(needs: &[PathBuf]) -> Result<Vec<Entry>, Fault> {
    let apart = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", apart).attempt(MountNamespace, "keeping mounts to ourselves")?;
    let root = fresh("tmpfs", &[("mode", String::from("0755")), ("size", String::from("8m"))], QUIET)?;
    let host = open_folder("/")?;
    // Shown before it is filled: older kernels mount nothing into a tree that is not shown.
    show(&root, &host)?;
    let mut entries = Vec::new();
    for name in SYSTEM {
        let from = Path::new("/").join(name);
        match std::fs::read_link(&from) {
            Ok(target) => {
                symlinkat(target.as_path(), &root, name).attempt(Root, format_args!("linking {name}"))?;
                entries.push(Entry::Link(name, target.into_os_string()));
            }
            Err(_) if from.is_dir() => entries.push(mirror(&root, &host, &from, &from)?),
            Err(_) => {}
        }
    }
    entries.push(etc(&root, &host)?);
    entries.push(devices(&root, &host)?);
    for need in needs {
        need_of(need, &root, &host, &mut entries)?;
    }
    let proc = fresh("proc", &[], QUIET | MountAttrFlags::MOUNT_ATTR_NOEXEC)?;
    show(&proc, &place(&root, Path::new("proc"), true)?)?;
    entries.extend(owners_files(&proc)?);
    folder(&root, "tmp")?;
    folder(&root, ".skills")?;
    folder(&root, ".skills/host")?;
    folder(&root, ".skills/new")?;
    rustix::process::fchdir(&root).attempt(Root, "entering the new tree")?;
    rustix::process::pivot_root(".", &HOST[1..]).attempt(Root, "making the new tree the root")?;
    rustix::process::chdir("/").attempt(Root, "entering the new root")?;
    Ok(entries)
}

/// A need of every worker, at its own path and, where links lead to another, at that one too.
fn need_of(need: &Path, root: &OwnedFd, host: &OwnedFd, entries: &mut Vec<Entry>) -> Result<(), Fault> {
    let real = need.canonicalize().attempt(Root, format_args!("looking for {}, which is needed", need.display()))?;
    for target in [real.as_path(), need] {
        let has = entries.iter().any(|entry| match entry {
            Entry::Mount(path, _) => target.starts_with(path),
            Entry::Link(name, _) => target.starts_with(Path::new("/").join(name)),
            Entry::Blank(_) => false,
        });
        if !has {
            entries.push(mirror(root, host, &real, target)?);
        }
    }
    Ok(())
}

/// Shows what the host has at `from` at `target`, read-only.
fn mirror(root: &OwnedFd, host: &OwnedFd, from: &Path, target: &Path) -> Result<Entry, Fault> {
    let tree = copy(host, inner(from)).attempt(Root, format_args!("copying the mount of {}", from.display()))?;
    restrict(&tree, QUIET | MountAttrFlags::MOUNT_ATTR_RDONLY, true)?;
    let is_folder = from.is_dir();
    show(&tree, &place(root, target, is_folder)?)?;
    Ok(Entry::Mount(target.to_path_buf(), is_folder))
}

fn etc(root: &OwnedFd, host: &OwnedFd) -> Result<Entry, Fault> {
    folder(root, "etc")?;
    for (name, text) in MADE {
        write(root, name, text.as_bytes())?;
    }
    for name in COPIED {
        if let Ok(bytes) = std::fs::read(Path::new("/").join(name)) {
            write(root, name, &bytes)?;
        }
    }
    for name in MIRRORED {
        let from = Path::new("/").join(name);
        // A link among them leads to a folder of the system's, or to nothing that is shown.
        if let Ok(real) = from.canonicalize() {
            mirror(root, host, &real, &from)?;
        }
    }
    own(root, "etc")
}

fn devices(root: &OwnedFd, host: &OwnedFd) -> Result<Entry, Fault> {
    folder(root, "dev")?;
    for name in DEVICES {
        let path = Path::new("dev").join(name);
        let tree = copy(host, &path).attempt(Root, format_args!("copying the mount of {}", path.display()))?;
        restrict(&tree, MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC, true)?;
        show(&tree, &place(root, &path, false)?)?;
    }
    for (name, target) in DEVICE_LINKS {
        symlinkat(target, root, format!("dev/{name}")).attempt(Root, format_args!("linking /dev/{name}"))?;
    }
    folder(root, "dev/shm")?;
    own(root, "dev")
}

/// The files of `/proc` that only user 0 of the machine reads, where that is who is behind our user: they tell of its memory.
fn owners_files(proc: &OwnedFd) -> Result<Vec<Entry>, Fault> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listed = openat(proc, ".", flags, Mode::empty()).attempt(Root, "opening /proc")?;
    let mut all = Vec::new();
    for entry in rustix::fs::Dir::new(listed).attempt(Root, "reading /proc")? {
        let entry = entry.attempt(Root, "reading /proc")?;
        let name = entry.file_name();
        let Ok(status) = rustix::fs::statat(proc, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        let file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        if file && status.st_uid == INSIDE && status.st_mode & 0o004 == 0 {
            all.push(Entry::Blank(Path::new("/proc").join(name.to_string_lossy().as_ref())));
        }
    }
    Ok(all)
}

/// Makes a folder of the base's own file system a mount, so that workers copy it like the others.
fn own(root: &OwnedFd, name: &str) -> Result<Entry, Fault> {
    let tree = copy(root, Path::new(name)).attempt(Root, format_args!("copying the mount of /{name}"))?;
    restrict(&tree, MountAttrFlags::MOUNT_ATTR_RDONLY | MountAttrFlags::MOUNT_ATTR_NOSUID, false)?;
    show(&tree, &place(root, Path::new(name), true)?)?;
    Ok(Entry::Mount(Path::new("/").join(name), true))
}

fn folder(root: &OwnedFd, path: &str) -> Result<(), Fault> {
    mkdirat(root, path, Mode::from_raw_mode(0o755)).attempt(Root, format_args!("making /{path}"))
}

fn write(root: &OwnedFd, path: &str, bytes: &[u8]) -> Result<(), Fault> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(root, path, flags, Mode::from_raw_mode(0o644)).attempt(Root, format_args!("making /{path}"))?;
    std::io::Write::write_all(&mut std::fs::File::from(file), bytes).attempt(Root, format_args!("writing /{path}"))
}

fn open_folder(path: &str) -> Result<OwnedFd, Fault> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty()).attempt(Root, format_args!("opening {path}"))
}

/// A path of the host's, from its root.
pub(super) fn inner(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

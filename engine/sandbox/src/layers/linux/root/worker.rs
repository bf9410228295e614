//! The root of one worker: the base's mounts, private temporary folders, its own `/proc`, and what is granted.

use super::super::fault::{Attempt, Fault};
use super::base::{Entry, HOST, NEW, inner};
use super::mounts::{QUIET, copy, fresh, is_folder, place, restrict, show, show_at};
use crate::LayerName::{MountNamespace, Root};
use crate::{Cage, Programs};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fchmod, mkdirat, openat, openat2, readlinkat, symlinkat};
use rustix::io::Errno;
use rustix::mount::{MountAttrFlags, MountPropagationFlags, UnmountFlags, mount_change, unmount};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// What fits into the temporary folders where no limit says so.
const DISK: u64 = 256 << 20;
/// The folder of configuration, of which the base has what is no secret.
const ETC: &str = "/etc";
/// Folders that are private to a worker: a grant of one of them means its own.
pub(super) const PRIVATE: [&str; 5] = ["/tmp", "/run", "/dev/shm", "/var/tmp", "/var/run"];
/// Where they are in the worker's own file system, and where they are shown.
const OWN: [(&str, &str); 4] = [("tmp", "tmp"), ("var/tmp", "var/tmp"), ("run", "run"), ("var/.shm", "dev/shm")];
/// Folders whose content is made for each worker: nothing of the host's is shown below them.
const APART: [&str; 4] = ["/proc", "/dev", "/sys", "/.skills"];

/// What was shown to the worker beside the base.
#[derive(Debug, Default)]
pub(in super::super) struct Shown {
    /// Paths that can be read.
    pub read: Vec<(PathBuf, bool)>,
    /// Paths that can be written.
    pub write: Vec<(PathBuf, bool)>,
    /// Folders that are the worker's own.
    pub private: Vec<&'static str>,
    /// A writable `/proc`, that is not in the tree.
    pub proc: Option<OwnedFd>,
}

/// Builds the root of a worker in its own mount namespace, and makes it the root.
pub(super) fn enter(entries: &[Entry], cage: &Cage) -> Result<Shown, Fault> {
    let apart = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", apart).attempt(MountNamespace, "keeping mounts to ourselves")?;
    let root = skeleton(cage.disk.unwrap_or(DISK))?;
    let zygote = open_folder("/")?;
    for entry in entries {
        match entry {
            Entry::Link(name, target) => {
                symlinkat(target.as_os_str(), &root, *name).attempt(Root, format_args!("linking {name}"))?;
            }
            Entry::Mount(path, _) if path == Path::new(ETC) && grants_below_etc(cage) => scatter(&zygote, &root)?,
            Entry::Mount(path, folder) => {
                let tree = copy(&zygote, inner(path)).attempt(Root, format_args!("copying {}", path.display()))?;
                show(&tree, &place(&root, path, *folder)?)?;
            }
            Entry::Blank(_) => {}
        }
    }
    let loose = if cage.programs == Programs::All { QUIET } else { QUIET | MountAttrFlags::MOUNT_ATTR_NOEXEC };
    for (from, to) in OWN {
        let tree = copy(&root, Path::new(from)).attempt(Root, format_args!("copying {from}"))?;
        restrict(&tree, loose, false)?;
        show_at(&tree, &root, Path::new(to))?;
    }
    let mut shown = Shown { proc: proc(&root, entries, cage.processes.is_some())?, ..Shown::default() };
    shown.private.extend(["/tmp", "/var/tmp", "/run", "/dev/shm"]);
    grants(&root, cage, &mut shown)?;
    restrict(&root, MountAttrFlags::MOUNT_ATTR_RDONLY, false)?;
    rustix::process::fchdir(&root).attempt(Root, "entering the worker's tree")?;
    rustix::process::pivot_root(".", ".").attempt(Root, "making the worker's tree the root")?;
    // The zygote's tree, and the host's in it, now lies over the new root: away with it.
    unmount(".", UnmountFlags::DETACH).attempt(Root, "letting go of the host's tree")?;
    rustix::process::chdir("/").attempt(Root, "entering the new root")?;
    Ok(shown)
}

/// The worker's own file system, with its private folders.
fn skeleton(disk: u64) -> Result<OwnedFd, Fault> {
    // A file takes a page at least, and an inode that the size does not count.
    let size = disk.max(64 << 10);
    let options = [
        ("mode", String::from("0755")),
        ("size", size.to_string()),
        ("nr_inodes", (size / 4096).saturating_add(1024).to_string()),
    ];
    let root = fresh("tmpfs", &options, QUIET)?;
    let place = openat(CWD, NEW, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .attempt(Root, "finding the place of the root")?;
    show(&root, &place)?;
    mkdirat(&root, super::masks::MADE, Mode::from_raw_mode(0o755)).attempt(Root, "making a place for programs")?;
    mkdirat(&root, "var", Mode::from_raw_mode(0o755)).attempt(Root, "making /var")?;
    for (name, _) in OWN {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        mkdirat(&root, name, Mode::from_raw_mode(0o700)).attempt(Root, format_args!("making /{name}"))?;
        let folder = openat(&root, name, flags, Mode::empty()).attempt(Root, format_args!("opening /{name}"))?;
        fchmod(&folder, Mode::from_raw_mode(0o1777)).attempt(Root, format_args!("opening /{name} to all"))?;
    }
    symlinkat("../run", &root, "var/run").attempt(Root, "linking /var/run")?;
    Ok(root)
}

/// Whether something in `/etc` is granted that the base may have no place for.
fn grants_below_etc(cage: &Cage) -> bool {
    let paths = [&cage.read, &cage.write, &cage.needs].into_iter().flatten();
    paths.into_iter().any(|path| path.starts_with(ETC) && path != Path::new(ETC))
}

/// Shows what is in the base's `/etc` one by one, in a folder of the worker's own, in which there is place for more.
fn scatter(zygote: &OwnedFd, root: &OwnedFd) -> Result<(), Fault> {
    for (name, folder) in listed(zygote, inner(Path::new(ETC)))? {
        let path = Path::new(ETC).join(name);
        let tree = copy(zygote, inner(&path)).attempt(Root, format_args!("copying {}", path.display()))?;
        restrict(&tree, MountAttrFlags::MOUNT_ATTR_RDONLY, true)?;
        show(&tree, &place(root, &path, folder)?)?;
    }
    Ok(())
}

/// The files and folders in a folder, each with whether it is a folder. No links.
fn listed(at: &OwnedFd, path: &Path) -> Result<Vec<(OsString, bool)>, Fault> {
    let what = || format!("reading /{}", path.display());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(at, path, flags, Mode::empty()).attempt(Root, what())?;
    let mut all = Vec::new();
    for entry in rustix::fs::Dir::new(folder).attempt(Root, what())? {
        let entry = entry.attempt(Root, what())?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_os_string();
        if name != "." && name != ".." && entry.file_type() != FileType::Symlink {
            all.push((name, entry.file_type() == FileType::Directory));
        }
    }
    Ok(all)
}

/// A `/proc` of the worker's processes, read-only: user 0 of the machine may be behind our user, and owns what is below
/// `/proc/sys`. Where it is `wanted`, a writable one as well, that is not in the tree.
fn proc(root: &OwnedFd, entries: &[Entry], wanted: bool) -> Result<Option<OwnedFd>, Fault> {
    let quiet = QUIET | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let proc = fresh("proc", &[], quiet)?;
    show(&proc, &place(root, Path::new("proc"), true)?)?;
    let writable = if wanted { Some(copy(root, Path::new("proc")).attempt(Root, "copying /proc")?) } else { None };
    for entry in entries {
        if let Entry::Blank(path) = entry {
            let nothing = copy(root, Path::new("dev/null")).attempt(Root, "copying /dev/null")?;
            show_at(&nothing, root, inner(path))?;
        }
    }
    restrict(&proc, MountAttrFlags::MOUNT_ATTR_RDONLY, false)?;
    Ok(writable)
}

/// Shows what is granted, and what the program needs, each at its own path.
fn grants(root: &OwnedFd, cage: &Cage, shown: &mut Shown) -> Result<(), Fault> {
    let host = open_folder(HOST)?;
    let mut all: Vec<(PathBuf, Access)> = Vec::new();
    for (paths, access) in [(&cage.needs, Access::Need), (&cage.read, Access::Read), (&cage.write, Access::Write)] {
        for path in paths {
            all.extend(spread(&host, path)?.into_iter().map(|path| (path, access)));
        }
    }
    let named = if let Programs::Only(names) = &cage.programs { names.as_slice() } else { &[] };
    let named = named.iter().map(PathBuf::from).filter(|path| path.is_absolute());
    all.extend(cage.executable.iter().cloned().chain(named).map(|path| (path, Access::Need)));
    // Outer ones first, so that inner ones come to lie over them. What is below a folder that can be written, can be too.
    let written: Vec<PathBuf> =
        all.iter().filter(|(_, access)| *access == Access::Write).map(|(path, _)| path.clone()).collect();
    all.retain(|(path, access)| *access == Access::Write || !written.iter().any(|outer| path.starts_with(outer)));
    all.sort_by_key(|(path, _)| path.components().count());
    for (path, access) in all {
        if let Some(folder) = show_one(&host, root, &path, access)? {
            let list = if access == Access::Write { &mut shown.write } else { &mut shown.read };
            list.push((path, folder));
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Need,
    Read,
    Write,
}

/// Shows one path of the host's. What is not there is not shown; whether it is a folder, otherwise.
fn show_one(host: &OwnedFd, root: &OwnedFd, path: &Path, access: Access) -> Result<Option<bool>, Fault> {
    // A need is named by whoever runs the program, links and all. A grant was resolved when it was given: a link in it is
    // one that somebody has put there since.
    let links =
        if access == Access::Need { ResolveFlags::IN_ROOT } else { ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH };
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let from = match openat2(host, inner(path), flags, Mode::empty(), links | ResolveFlags::NO_MAGICLINKS) {
        Ok(from) => from,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(Errno::LOOP) => {
            let detail = format!("{} leads through a link that was not there when it was granted", path.display());
            return Err(Fault::new(Root, detail));
        }
        Err(errno) => return Err(errno).attempt(Root, format_args!("opening {}", path.display())),
    };
    let folder = is_folder(&from)?;
    let target = match place(root, path, folder) {
        // What the base shows at this place already is what is needed.
        Err(_) if access == Access::Need => return Ok(Some(folder)),
        target => target?,
    };
    // A link of the base's stays one, and what it leads to is shown: a mount on it would hide where that is.
    if access == Access::Need
        && let Some(next) = link_at(&target, path)
    {
        return if next == path { Ok(None) } else { show_one(host, root, &next, access) };
    }
    let tree = copy(&from, Path::new("")).attempt(Root, format_args!("copying the mount of {}", path.display()))?;
    let mode = if access == Access::Write { QUIET } else { QUIET | MountAttrFlags::MOUNT_ATTR_RDONLY };
    restrict(&tree, mode, true)?;
    show(&tree, &target)?;
    Ok(Some(folder))
}

/// Where a link leads that stands at a path, without `..`; `None` where it is no link.
fn link_at(at: &OwnedFd, path: &Path) -> Option<PathBuf> {
    let target = readlinkat(at, "", Vec::new()).ok()?;
    let target = Path::new(OsStr::from_bytes(target.as_bytes()));
    let mut next = PathBuf::from("/");
    for part in path.parent().unwrap_or(path).join(target).components() {
        match part {
            Component::ParentDir => drop(next.pop()),
            Component::Normal(name) => next.push(name),
            _ => {}
        }
    }
    Some(next)
}

/// The paths that a grant means: itself, or for the root all that stands in it; nothing for what is private to a worker.
fn spread(host: &OwnedFd, path: &Path) -> Result<Vec<PathBuf>, Fault> {
    let hidden =
        |path: &Path| APART.iter().any(|apart| path.starts_with(apart)) || PRIVATE.iter().any(|p| path == Path::new(p));
    if inner(path).components().next().is_some() {
        return Ok(if hidden(path) { Vec::new() } else { vec![path.to_path_buf()] });
    }
    let names = listed(host, Path::new("."))?.into_iter().map(|(name, _)| Path::new("/").join(name));
    Ok(names.filter(|path| !hidden(path)).collect())
}

fn open_folder(path: &str) -> Result<OwnedFd, Fault> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty()).attempt(Root, format_args!("opening {path}"))
}

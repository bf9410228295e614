//! Namespaces: what a process sees of the machine.

use super::fault::{Attempt, Fault};
use crate::LayerName::{self, IpcNamespace, MountNamespace, NetworkNamespace, PidNamespace, Uid, UserNamespace};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::thread::UnshareFlags;

/// The user and the group of a confined process, inside.
pub(super) const INSIDE: u32 = 1000;

/// See [`super::enter`].
pub(super) fn enter(without: &[LayerName]) -> Result<(), Fault> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    // Groups that have no number inside would go on opening files. Only root may leave them.
    match rustix::thread::set_thread_groups(&[]) {
        Ok(()) | Err(Errno::PERM) => {}
        Err(errno) => return Err(errno).attempt(UserNamespace, "leaving the supplementary groups"),
    }
    unshare(UnshareFlags::NEWUSER, without).attempt(UserNamespace, "making a user namespace")?;
    if !without.contains(&UserNamespace) {
        let inside = if without.contains(&Uid) { 0 } else { INSIDE };
        let itself = open_itself(CWD, "/proc/self")?;
        map(&itself, (inside, uid), (inside, gid))?;
    }
    let all = [
        (UnshareFlags::NEWNS, MountNamespace),
        (UnshareFlags::NEWPID, PidNamespace),
        (UnshareFlags::NEWNET, NetworkNamespace),
        (UnshareFlags::NEWIPC, IpcNamespace),
    ];
    for (flag, layer) in all.into_iter().filter(|(_, layer)| !without.contains(layer)) {
        unshare(flag, &[]).attempt(layer, format_args!("making a {layer}").to_string().replace('_', " "))?;
    }
    unshare(UnshareFlags::NEWUTS, &[]).attempt(UserNamespace, "making a namespace for the host name")?;
    rustix::system::sethostname(b"skills").attempt(UserNamespace, "setting the host name")
}

/// Namespaces of the worker's own that it is the only one in.
pub(super) fn leave_zygote(without: &[LayerName]) -> Result<(), Fault> {
    for (flag, layer) in [(UnshareFlags::NEWNS, MountNamespace), (UnshareFlags::NEWIPC, IpcNamespace)] {
        if !without.contains(&layer) {
            unshare(flag, &[]).attempt(layer, "leaving that of the zygote")?;
        }
    }
    if !without.contains(&NetworkNamespace) {
        unshare(UnshareFlags::NEWNET, &[]).attempt(NetworkNamespace, "leaving that of the zygote")?;
    }
    Ok(())
}

/// A user namespace of the worker's own, in which its processes are counted apart from those of other workers.
/// `proc` is a writable `/proc`.
pub(super) fn count_apart(proc: &OwnedFd) -> Result<(), Fault> {
    unshare(UnshareFlags::NEWUSER, &[]).attempt(UserNamespace, "making one for a single worker")?;
    let itself = open_itself(proc, "self")?;
    let (uid, gid) = (INSIDE, INSIDE);
    map(&itself, (INSIDE, uid), (INSIDE, gid))
}

/// Has the kernel bound the numbers that processes can have here, and with that how many there are: also those of the machine's user 0, whom no
/// other limit counts. Only later kernels can (6.14), and none so closely as the limit says, which others hold.
/// `proc` is a writable `/proc`.
pub(super) fn bound(proc: &OwnedFd, processes: u64) {
    /// Numbers below this are given once only, so they are on top.
    const GIVEN_ONCE: u64 = 300;
    /// Those of who attends to the others, and of what has ended and was not waited for yet.
    const BESIDE: u64 = 64;
    let most = processes.saturating_add(GIVEN_ONCE + BESIDE);
    if let Ok(file) = openat(proc, "sys/kernel/pid_max", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        // Where it cannot be said, the other limits hold.
        let _ = rustix::io::write(&file, most.to_string().as_bytes());
    }
}

/// `/proc/self`, for [`map`].
fn open_itself(at: impl AsFd, path: &str) -> Result<OwnedFd, Fault> {
    openat(at, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .attempt(UserNamespace, "opening /proc/self")
}

/// Maps the one user and the one group that there are, each as (inside, outside).
fn map(itself: &OwnedFd, uid: (u32, u32), gid: (u32, u32)) -> Result<(), Fault> {
    let write = |file: &str, text: &str| {
        let what = format!("writing {file}");
        let file =
            openat(itself, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).attempt(UserNamespace, &what)?;
        rustix::io::write(&file, text.as_bytes()).attempt(UserNamespace, &what)
    };
    write("setgroups", "deny")?;
    write("uid_map", &format!("{} {} 1", uid.0, uid.1))?;
    write("gid_map", &format!("{} {} 1", gid.0, gid.1))?;
    Ok(())
}

fn unshare(flag: UnshareFlags, without: &[LayerName]) -> rustix::io::Result<()> {
    if flag == UnshareFlags::NEWUSER && without.contains(&UserNamespace) {
        return Ok(());
    }
    // SAFETY: no flag that is passed here concerns the table of open files, so no descriptor changes its meaning.
    unsafe { rustix::thread::unshare_unsafe(flag) }
}

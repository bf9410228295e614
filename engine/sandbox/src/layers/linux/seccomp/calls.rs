//! Which system calls a confined process may make.
//!
//! Some calls that a program may well make would reach the host through a folder that it may write: a set-user-id bit on a file of
//! the caller's, a lease that holds up whoever opens it. These pass by their arguments.
//!
//! Not on any list, and so refused: `ptrace`, `process_vm_*`, `memfd_create`, `execveat`, `io_uring_*`, `shmget`, `semget`, `msgget`
//! (no limit counts what these hold), `keyctl`, `bpf`,
//! `userfaultfd`, `mount` and its kin, `unshare`, `setns`, `kexec_*`, `perf_event_open`, the `set*uid` family, and whatever a
//! later kernel brings.

use super::super::fault::{Attempt, Fault};
use super::Starts;
use crate::LayerName::Seccomp;
use libc::c_long;
use seccompiler::{SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};
use std::collections::{BTreeMap, BTreeSet};

/// Both architectures.
#[rustfmt::skip]
const COMMON: &[c_long] = &[
    // Files: what they reach is held by the tree and by Landlock.
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64, libc::SYS_preadv,
    libc::SYS_pwritev, libc::SYS_preadv2, libc::SYS_pwritev2, libc::SYS_close,
    libc::SYS_close_range, libc::SYS_lseek, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_statfs,
    libc::SYS_fstatfs, libc::SYS_getdents64, libc::SYS_getcwd, libc::SYS_chdir, libc::SYS_fchdir, libc::SYS_mkdirat,
    libc::SYS_unlinkat, libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_linkat, libc::SYS_symlinkat, libc::SYS_readlinkat,
    libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_fchown,
    libc::SYS_fchownat, libc::SYS_utimensat, libc::SYS_truncate, libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_fsync,
    libc::SYS_fdatasync, libc::SYS_syncfs, libc::SYS_sync_file_range, libc::SYS_fadvise64, libc::SYS_readahead,
    libc::SYS_flock, libc::SYS_dup, libc::SYS_dup3, libc::SYS_umask, libc::SYS_sendfile, libc::SYS_splice,
    libc::SYS_tee, libc::SYS_vmsplice, libc::SYS_copy_file_range, libc::SYS_pipe2, libc::SYS_getxattr, libc::SYS_lgetxattr,
    libc::SYS_fgetxattr, libc::SYS_listxattr, libc::SYS_llistxattr, libc::SYS_flistxattr, libc::SYS_setxattr,
    libc::SYS_lsetxattr, libc::SYS_fsetxattr, libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr,
    libc::SYS_inotify_init1, libc::SYS_inotify_add_watch, libc::SYS_inotify_rm_watch,
    // Waiting for files.
    libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2, libc::SYS_eventfd2, libc::SYS_signalfd4, libc::SYS_timerfd_create, libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    // Memory.
    libc::SYS_brk, libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mprotect, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_mincore,
    libc::SYS_msync, libc::SYS_mlock, libc::SYS_mlock2, libc::SYS_munlock, libc::SYS_mlockall, libc::SYS_munlockall,
    libc::SYS_membarrier, libc::SYS_pkey_alloc, libc::SYS_pkey_free, libc::SYS_pkey_mprotect, libc::SYS_get_mempolicy, SYS_MSEAL,
    // Time. Clocks can be read.
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep, libc::SYS_gettimeofday,
    libc::SYS_times, libc::SYS_timer_create, libc::SYS_timer_settime, libc::SYS_timer_gettime, libc::SYS_timer_getoverrun,
    libc::SYS_timer_delete, libc::SYS_getitimer, libc::SYS_setitimer,
    // Threads and signals. Other processes than our own are not there to be signalled.
    libc::SYS_futex, libc::SYS_futex_waitv, libc::SYS_set_robust_list, libc::SYS_get_robust_list, libc::SYS_set_tid_address,
    libc::SYS_gettid, libc::SYS_rseq, libc::SYS_restart_syscall, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigpending, libc::SYS_rt_sigreturn, libc::SYS_rt_sigsuspend, libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo, libc::SYS_sigaltstack, libc::SYS_kill, libc::SYS_tkill,
    libc::SYS_tgkill, libc::SYS_exit, libc::SYS_exit_group, libc::SYS_wait4, libc::SYS_waitid, libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal, libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_sched_setaffinity,
    libc::SYS_sched_getparam, libc::SYS_sched_getscheduler, libc::SYS_sched_getattr, libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min, libc::SYS_sched_rr_get_interval, libc::SYS_getpriority, libc::SYS_setpriority,
    // Who and where we are.
    libc::SYS_getpid, libc::SYS_getppid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getegid,
    libc::SYS_getresuid, libc::SYS_getresgid, libc::SYS_getgroups, libc::SYS_getpgid, libc::SYS_setpgid, libc::SYS_getsid,
    libc::SYS_setsid, libc::SYS_capget, libc::SYS_uname, libc::SYS_sysinfo, libc::SYS_getcpu, libc::SYS_getrusage,
    libc::SYS_getrlimit, libc::SYS_setrlimit, libc::SYS_prlimit64, libc::SYS_getrandom,
    // Restricting oneself further is anybody's right.
    libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self,
    // Sockets that there are: those of an empty network, and pairs. Which can be made depends on the arguments.
    libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4, libc::SYS_connect, libc::SYS_getsockname,
    libc::SYS_getpeername, libc::SYS_getsockopt, libc::SYS_shutdown,
];

/// The older forms of calls, which one of the architectures has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLDER: &[c_long] = &[
    libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_getdents, libc::SYS_mkdir,
    libc::SYS_rmdir, libc::SYS_unlink, libc::SYS_rename, libc::SYS_link, libc::SYS_symlink, libc::SYS_readlink,
    libc::SYS_chown, libc::SYS_lchown, libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat, libc::SYS_dup2, libc::SYS_pipe,
    libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_create, libc::SYS_epoll_wait, libc::SYS_eventfd, libc::SYS_signalfd,
    libc::SYS_inotify_init, libc::SYS_time, libc::SYS_alarm, libc::SYS_pause, libc::SYS_getpgrp, libc::SYS_arch_prctl,
];
#[cfg(target_arch = "aarch64")]
const OLDER: &[c_long] = &[];

// Younger than the C library's list of numbers, which are the same on all architectures from 424 on.
const SYS_FCHMODAT2: c_long = 452;
const SYS_MSEAL: c_long = 462;

/// Calls that are allowed whatever their arguments.
pub(super) fn allowed(starts: Starts) -> BTreeSet<c_long> {
    let mut allowed: BTreeSet<c_long> = COMMON.iter().chain(OLDER).copied().collect();
    if matches!(starts, Starts::Itself | Starts::Processes) {
        allowed.insert(libc::SYS_execve);
    }
    #[cfg(target_arch = "x86_64")]
    if starts == Starts::Processes {
        allowed.extend([libc::SYS_fork, libc::SYS_vfork]);
    }
    allowed
}

/// Calls whose first argument says what they make, and which are harmless for some.
pub(super) fn conditional(starts: Starts) -> Result<BTreeMap<i64, Vec<SeccompRule>>, Fault> {
    let mut rules = BTreeMap::new();
    rules.insert(libc::SYS_clone, vec![rule(&clone(starts))?]);
    rules.insert(libc::SYS_prctl, one_of(0, &PRCTL)?);
    let mut requests = one_of(1, &IOCTL)?;
    if starts == Starts::Copies {
        requests.extend(one_of(1, &super::asked::REQUESTS)?);
    }
    rules.insert(libc::SYS_ioctl, requests);
    // Reading, and setting the one that everybody has.
    rules.insert(libc::SYS_personality, one_of(0, &[0xffff_ffff, 0])?);
    let internet = [libc::AF_INET, libc::AF_INET6];
    let mut sockets = each(&internet, libc::SOCK_STREAM, &[0, libc::IPPROTO_TCP])?;
    sockets.extend(each(&internet, libc::SOCK_DGRAM, &[0, libc::IPPROTO_UDP])?);
    rules.insert(libc::SYS_socket, sockets);
    // Not datagrams: an end of such a pair can be connected anew, to any path.
    let mut pairs = each(&[libc::AF_UNIX], libc::SOCK_STREAM, &[0])?;
    pairs.extend(each(&[libc::AF_UNIX], libc::SOCK_SEQPACKET, &[0])?);
    rules.insert(libc::SYS_socketpair, pairs);
    // Urgent data and filters on sockets: hardly used, and often the way into a kernel.
    let urgent = |flags: u8| rule(&[(flags, SeccompCmpOp::MaskedEq(libc::MSG_OOB as u64), 0)]);
    for (call, flags) in [
        (libc::SYS_sendto, 3),
        (libc::SYS_recvfrom, 3),
        (libc::SYS_sendmsg, 2),
        (libc::SYS_recvmsg, 2),
        (libc::SYS_sendmmsg, 3),
        (libc::SYS_recvmmsg, 3),
    ] {
        rules.insert(call, vec![urgent(flags)?]);
    }
    let other = (1, SeccompCmpOp::Ne, libc::SOL_SOCKET as u64);
    let mut plain_options = vec![(1, SeccompCmpOp::Eq, libc::SOL_SOCKET as u64)];
    plain_options.extend(FILTERS.map(|option| (2, SeccompCmpOp::Ne, option as u64)));
    rules.insert(libc::SYS_setsockopt, vec![rule(&[other])?, rule(&plain_options)?]);
    rules.insert(libc::SYS_mknodat, node(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_mknod, node(1)?);
    // A bit that makes whoever executes the file its owner, on a file that the host sees.
    rules.insert(libc::SYS_fchmod, vec![rule(&[plain(1)])?]);
    rules.insert(libc::SYS_fchmodat, vec![rule(&[plain(2)])?]);
    rules.insert(SYS_FCHMODAT2, vec![rule(&[plain(2)])?]);
    rules.insert(libc::SYS_openat, open(2)?);
    #[cfg(target_arch = "x86_64")]
    {
        rules.insert(libc::SYS_chmod, vec![rule(&[plain(1)])?]);
        rules.insert(libc::SYS_creat, vec![rule(&[plain(1)])?]);
        rules.insert(libc::SYS_open, open(1)?);
    }
    // Leases hold up whoever opens the file, notices tell what others do with a folder.
    let none = |request: i32| (1, SeccompCmpOp::Ne, request as u64);
    rules.insert(libc::SYS_fcntl, vec![rule(&[none(libc::F_SETLEASE), none(libc::F_NOTIFY)])?]);
    // Another filter on top of this one, without flags: nobody is asked.
    let filter = (0, SeccompCmpOp::Eq, u64::from(libc::SECCOMP_SET_MODE_FILTER));
    rules.insert(libc::SYS_seccomp, vec![rule(&[filter, (1, SeccompCmpOp::Eq, 0)])?]);
    Ok(rules)
}

/// Options of a socket that give the kernel a program to run.
const FILTERS: [i32; 4] =
    [libc::SO_ATTACH_FILTER, libc::SO_ATTACH_BPF, libc::SO_ATTACH_REUSEPORT_CBPF, libc::SO_ATTACH_REUSEPORT_EBPF];

/// The bits of a mode that give whoever executes a file the rights of its owner or group.
const SET_ID: u64 = (libc::S_ISUID | libc::S_ISGID) as u64;

/// Flags of `clone` that make a namespace.
const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u32 as u64
    // CLONE_NEWTIME.
    | 0x80;

#[rustfmt::skip]
const PRCTL: [u64; 17] = [
    libc::PR_SET_NAME as u64, libc::PR_GET_NAME as u64, libc::PR_SET_PDEATHSIG as u64, libc::PR_GET_PDEATHSIG as u64,
    libc::PR_GET_DUMPABLE as u64, libc::PR_SET_DUMPABLE as u64, libc::PR_GET_KEEPCAPS as u64, libc::PR_CAPBSET_READ as u64,
    libc::PR_GET_SECCOMP as u64, libc::PR_SET_TIMERSLACK as u64, libc::PR_GET_TIMERSLACK as u64,
    libc::PR_SET_CHILD_SUBREAPER as u64, libc::PR_GET_CHILD_SUBREAPER as u64, libc::PR_SET_NO_NEW_PRIVS as u64,
    libc::PR_GET_NO_NEW_PRIVS as u64, libc::PR_SET_THP_DISABLE as u64, libc::PR_SET_VMA as u64,
];

/// Requests about files, pipes and sockets, and what asks whether something is a terminal. None writes into one.
#[rustfmt::skip]
const IOCTL: [u64; 24] = [
    libc::TCGETS as u32 as u64, libc::TCSETS as u32 as u64, libc::TCSETSW as u32 as u64, libc::TCSETSF as u32 as u64,
    libc::TIOCGPGRP as u32 as u64, libc::TIOCSPGRP as u32 as u64, libc::TIOCGSID as u32 as u64,
    libc::TIOCGWINSZ as u32 as u64, libc::TIOCSWINSZ as u32 as u64, libc::TIOCOUTQ as u32 as u64,
    libc::FIONREAD as u32 as u64, libc::FIONBIO as u32 as u64, libc::FIOASYNC as u32 as u64, libc::FIONCLEX as u32 as u64,
    libc::FIOCLEX as u32 as u64, libc::FICLONE as u32 as u64, libc::FICLONERANGE as u32 as u64,
    libc::FS_IOC_GETFLAGS as u32 as u64, libc::SIOCGIFCONF as u32 as u64, libc::SIOCGIFFLAGS as u32 as u64,
    libc::SIOCGIFADDR as u32 as u64, libc::SIOCGIFINDEX as u32 as u64,
    // FS_IOC_FIEMAP, and TCGETS2.
    0xc020_660b, 0x802c_542a,
];

fn clone(starts: Starts) -> Vec<(u8, SeccompCmpOp, u64)> {
    let thread = libc::CLONE_THREAD as u64;
    match starts {
        Starts::Processes | Starts::Copies => vec![(0, SeccompCmpOp::MaskedEq(NAMESPACES), 0)],
        _ => vec![(0, SeccompCmpOp::MaskedEq(NAMESPACES | thread), thread)],
    }
}

/// A socket of one of some families, of a type whatever its flags, and of one of some protocols.
fn each(families: &[i32], kind: i32, protocols: &[i32]) -> Result<Vec<SeccompRule>, Fault> {
    let mut rules = Vec::new();
    for family in families {
        for protocol in protocols {
            rules.push(rule(&[
                (0, SeccompCmpOp::Eq, *family as u64),
                (1, SeccompCmpOp::MaskedEq(0xf), kind as u64),
                (2, SeccompCmpOp::Eq, *protocol as u64),
            ])?);
        }
    }
    Ok(rules)
}

/// A mode without a set-user-id or set-group-id bit, by the argument that has it.
fn plain(argument: u8) -> (u8, SeccompCmpOp, u64) {
    (argument, SeccompCmpOp::MaskedEq(SET_ID), 0)
}

/// Opening what is there, or making a file of a plain mode, by the argument that has the flags and comes before the mode.
fn open(flags: u8) -> Result<Vec<SeccompRule>, Fault> {
    let makes = (libc::O_CREAT | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u64;
    Ok(vec![rule(&[plain(flags + 1)])?, rule(&[(flags, SeccompCmpOp::MaskedEq(makes), 0)])?])
}

/// A pipe with a name or a plain file, by the argument that has the mode.
fn node(argument: u8) -> Result<Vec<SeccompRule>, Fault> {
    let kind = SeccompCmpOp::MaskedEq(u64::from(libc::S_IFMT) | SET_ID);
    [libc::S_IFIFO, libc::S_IFREG].iter().map(|mode| rule(&[(argument, kind.clone(), u64::from(*mode))])).collect()
}

fn one_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, Fault> {
    values.iter().map(|value| rule(&[(argument, SeccompCmpOp::Eq, *value)])).collect()
}

/// All of some conditions on arguments, of which the kernel reads the lower half of each of these.
fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, Fault> {
    let conditions: Result<Vec<_>, _> = conditions
        .iter()
        .map(|(argument, test, value)| SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, test.clone(), *value))
        .collect();
    SeccompRule::new(conditions.attempt(Seccomp, "making a condition")?).attempt(Seccomp, "making a rule")
}

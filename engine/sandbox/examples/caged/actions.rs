//! Hostile actions, each small. What they give says that they succeeded; what stopped them is an error.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Does one, by its words.
pub(crate) fn act(words: &[&str]) -> Result<String, String> {
    let io = |error: std::io::Error| error.to_string();
    match words {
        ["read", path] => std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).map_err(io),
        ["write", path, text] => std::fs::write(path, text).map(|()| String::from("written")).map_err(io),
        ["append", path, text] => std::fs::OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map(|()| String::from("written"))
            .map_err(io),
        ["list", path] => list(path).map_err(io),
        ["stat", path] => std::fs::metadata(path).map(|m| m.len().to_string()).map_err(io),
        ["chmod", path] => {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777))
                .map(|()| String::from("changed"))
                .map_err(io)
        }
        ["set-id", path] => {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o4755))
                .map(|()| String::from("set"))
                .map_err(io)
        }
        ["make-set-id", path] => {
            use std::os::unix::fs::OpenOptionsExt;
            let mut options = std::fs::OpenOptions::new();
            options.mode(0o4755).create_new(true).write(true).open(path).map(|_| String::from("made")).map_err(io)
        }
        ["lease", path] => {
            let file = std::fs::File::open(path).map_err(io)?;
            let arguments = [i64::from(file.as_raw_fd()), i64::from(libc::F_SETLEASE), i64::from(libc::F_RDLCK), 0, 0];
            call("fcntl", libc::SYS_fcntl, arguments)
        }
        ["fifo", path] => {
            let path = std::ffi::CString::new(*path).map_err(|error| error.to_string())?;
            // SAFETY: a terminated path.
            if unsafe { libc::mkfifo(path.as_ptr(), 0o600) } == 0 {
                Ok(String::from("made"))
            } else {
                Err(std::io::Error::last_os_error().to_string())
            }
        }
        ["hardlink", from, to] => std::fs::hard_link(from, to).map(|()| String::from("linked")).map_err(io),
        ["symlink", from, to] => std::os::unix::fs::symlink(from, to).map(|()| String::from("linked")).map_err(io),
        ["fill", path, size] => fill(path, size.parse().map_err(|_| "size")?).map_err(io),
        ["many-files", folder] => many_files(folder).map_err(io),
        ["tcp", address] => {
            TcpStream::connect_timeout(&address.parse().map_err(|_| "address")?, Duration::from_secs(2))
                .map(|_| String::from("connected"))
                .map_err(io)
        }
        ["udp", address] => UdpSocket::bind("127.0.0.1:0")
            .and_then(|socket| socket.send_to(b"out", address))
            .map(|n| format!("{n} sent"))
            .map_err(io),
        ["udp-port", port] => UdpSocket::bind(("0.0.0.0", port.parse::<u16>().map_err(|_| "port")?))
            .map(|_| String::from("bound"))
            .map_err(io),
        ["unix", path] => std::os::unix::net::UnixStream::connect(path).map(|_| String::from("connected")).map_err(io),
        ["abstract", name] => abstract_socket(name).map_err(io),
        ["pair-to", path] => pair_to(path).map_err(io),
        ["descriptor", number] => {
            let number: i32 = number.parse().map_err(|_| "number")?;
            let mut text = String::new();
            // SAFETY: at worst it is not open, and reading says so.
            let mut file = unsafe { std::fs::File::from_raw_fd(number) };
            let read = file.read_to_string(&mut text);
            std::mem::forget(file);
            read.map(|_| text).map_err(io)
        }
        ["variable", name] => std::env::var(name).map_err(|error| error.to_string()),
        ["identity"] => Ok(identity()),
        ["no-new-privs"] => call("prctl", libc::SYS_prctl, [libc::PR_GET_NO_NEW_PRIVS as i64, 0, 0, 0, 0]),
        ["processes"] => Ok(processes()),
        ["kill", pid] => call("kill", libc::SYS_kill, [pid.parse().map_err(|_| "pid")?, 0, 0, 0, 0]),
        ["fork"] => match super::run::in_fork(|| 7) {
            7 => Ok(String::from("forked")),
            _ => Err(String::from("not forked")),
        },
        ["forks", most] => forks(most.parse().map_err(|_| "number")?),
        ["thread"] => {
            std::thread::Builder::new().spawn(|| 7).map(|t| t.join().map_or(0, |n| n).to_string()).map_err(io)
        }
        ["exec", rest @ ..] => execute(rest),
        ["memfd-exec", program] => memfd_exec(program),
        ["allocate", size] => allocate(size.parse().map_err(|_| "size")?),
        ["share", size] => share(size.parse().map_err(|_| "size")?),
        ["queue", key] => call("msgget", libc::SYS_msgget, [key.parse().map_err(|_| "key")?, 0, 0, 0, 0]),
        ["call", name] => by_name(name),
        _ => Err(format!("no such action: {words:?}")),
    }
}

fn list(path: &str) -> std::io::Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.join(" "))
}

fn fill(path: &str, size: usize) -> std::io::Result<String> {
    let mut file = std::fs::File::create(path)?;
    let block = vec![b'x'; 64 << 10];
    let mut written = 0;
    while written < size {
        written += file.write(&block)?;
    }
    Ok(format!("{written} bytes"))
}

fn many_files(folder: &str) -> std::io::Result<String> {
    for number in 0..2_000_000 {
        std::fs::File::create(format!("{folder}/{number}"))?;
    }
    Ok(String::from("all made"))
}

fn abstract_socket(name: &str) -> std::io::Result<String> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    std::os::unix::net::UnixStream::connect_addr(&address).map(|_| String::from("connected"))
}

/// An end of a pair of datagram sockets, turned to a socket of the host's.
fn pair_to(path: &str) -> std::io::Result<String> {
    let (one, _other) = std::os::unix::net::UnixDatagram::pair()?;
    one.send_to(b"out", path).map(|n| format!("{n} sent"))
}

fn identity() -> String {
    // SAFETY: both only read.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp:"];
    let lines = status.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    format!("uid={uid} gid={gid} {}", lines.map(|line| line.replace(":\t", "=")).collect::<Vec<_>>().join(" "))
}

fn processes() -> String {
    let names = list("/proc").unwrap_or_default();
    names.split(' ').filter(|name| name.parse::<u32>().is_ok()).collect::<Vec<_>>().join(" ")
}

fn forks(most: u32) -> Result<String, String> {
    let mut children = Vec::new();
    for _ in 0..most {
        // SAFETY: the child only waits to be ended.
        match unsafe { libc::fork() } {
            // SAFETY: as above.
            0 => loop {
                unsafe { libc::pause() };
            },
            -1 => break,
            pid => children.push(pid),
        }
    }
    let count = children.len();
    for pid in children {
        // SAFETY: ends our own child.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
    if count < most as usize { Err(format!("stopped after {count}")) } else { Ok(format!("{count} processes")) }
}

fn execute(words: &[&str]) -> Result<String, String> {
    let output = std::process::Command::new(words[0]).args(&words[1..]).output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

fn memfd_exec(program: &str) -> Result<String, String> {
    let bytes = std::fs::read(program).map_err(|error| error.to_string())?;
    // SAFETY: a terminated name and no flag.
    let fd = unsafe { libc::memfd_create(c"x".as_ptr(), 0) };
    if fd < 0 {
        return Err(format!("memfd_create: {}", std::io::Error::last_os_error()));
    }
    // SAFETY: the descriptor is ours.
    let file = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    (&file).write_all(&bytes).map_err(|error| error.to_string())?;
    let code = super::run::in_fork(|| {
        let nothing: [*const libc::c_char; 2] = [c"x".as_ptr(), std::ptr::null()];
        // SAFETY: lists of terminated strings that end with nothing.
        unsafe { libc::syscall(libc::SYS_execveat, fd, c"".as_ptr(), nothing.as_ptr(), &raw const nothing[1], 0x1000) };
        99
    });
    if code == 0 { Ok(String::from("executed")) } else { Err(format!("exit code {code}")) }
}

/// Memory from the C library, written to.
fn allocate(size: usize) -> Result<String, String> {
    // SAFETY: checked before it is written to.
    let memory = unsafe { libc::malloc(size) };
    if memory.is_null() {
        return Err(std::io::Error::last_os_error().to_string());
    }
    // SAFETY: as large as was asked for.
    unsafe { libc::memset(memory, 1, size) };
    Ok(format!("{size} bytes"))
}

/// Memory that children would share.
fn share(size: usize) -> Result<String, String> {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: at a place that the kernel chooses, and nothing is done with it.
    if unsafe { libc::mmap(std::ptr::null_mut(), size, access, kind, -1, 0) } == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error().to_string());
    }
    Ok(format!("{size} bytes"))
}

/// A mode with the bit that gives whoever executes the file the rights of its owner.
const SET_ID: i64 = 0o4755;

fn call(name: &str, number: libc::c_long, arguments: [i64; 5]) -> Result<String, String> {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the calls of the table below are given no address that they could write through.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, 0) };
    if result < 0 {
        Err(format!("{name}: {}", std::io::Error::last_os_error()))
    } else {
        Ok(format!("{name} gave {result}"))
    }
}

/// System calls that are refused whatever they are given. Each is called so that, allowed, it answers something else than
/// that it may not be.
fn by_name(name: &str) -> Result<String, String> {
    let none = [0; 5];
    let (number, arguments) = match name {
        "ptrace" => (libc::SYS_ptrace, none),
        "process_vm_readv" => (libc::SYS_process_vm_readv, none),
        "process_vm_writev" => (libc::SYS_process_vm_writev, none),
        "memfd_create" => (libc::SYS_memfd_create, none),
        "memfd_secret" => (libc::SYS_memfd_secret, none),
        "io_uring_setup" => (libc::SYS_io_uring_setup, none),
        "io_uring_enter" => (libc::SYS_io_uring_enter, none),
        "shmget" => (libc::SYS_shmget, [0, 4096, 0o1600, 0, 0]),
        "semget" => (libc::SYS_semget, [0, 1, 0o1600, 0, 0]),
        "msgget" => (libc::SYS_msgget, [0, 0o1600, 0, 0, 0]),
        "openat2" => (libc::SYS_openat2, none),
        "keyctl" => (libc::SYS_keyctl, none),
        "add_key" => (libc::SYS_add_key, none),
        "request_key" => (libc::SYS_request_key, none),
        "bpf" => (libc::SYS_bpf, none),
        "userfaultfd" => (libc::SYS_userfaultfd, [1, 0, 0, 0, 0]),
        "mount" => (libc::SYS_mount, none),
        "umount2" => (libc::SYS_umount2, none),
        "pivot_root" => (libc::SYS_pivot_root, none),
        "fsopen" => (libc::SYS_fsopen, none),
        "open_tree" => (libc::SYS_open_tree, none),
        "unshare_user" => (libc::SYS_unshare, [i64::from(libc::CLONE_NEWUSER), 0, 0, 0, 0]),
        "unshare" => (libc::SYS_unshare, none),
        "setns" => (libc::SYS_setns, [-1, 0, 0, 0, 0]),
        "clone_user" => (libc::SYS_clone, [i64::from(libc::CLONE_NEWUSER | libc::SIGCHLD), 0, 0, 0, 0]),
        "clone_net" => (libc::SYS_clone, [i64::from(libc::CLONE_NEWNET | libc::SIGCHLD), 0, 0, 0, 0]),
        "clone3" => (libc::SYS_clone3, none),
        "kexec_load" => (libc::SYS_kexec_load, none),
        "perf_event_open" => (libc::SYS_perf_event_open, none),
        "personality" => (libc::SYS_personality, [0x0040_0000, 0, 0, 0, 0]),
        "personality_read" => (libc::SYS_personality, [0xffff_ffff, 0, 0, 0, 0]),
        "setuid" => (libc::SYS_setuid, none),
        "setgroups" => (libc::SYS_setgroups, none),
        "chroot" => (libc::SYS_chroot, none),
        "execveat" => (libc::SYS_execveat, [-1, 0, 0, 0, 0x1000]),
        "execve" => (libc::SYS_execve, none),
        "mknod_device" => (libc::SYS_mknodat, [-1, 0, i64::from(libc::S_IFCHR), 0, 0]),
        // A bit that makes whoever executes a file its owner, in every form of the call.
        "fchmod_set_id" => (libc::SYS_fchmod, [-1, SET_ID, 0, 0, 0]),
        "fchmodat_set_id" => (libc::SYS_fchmodat, [-1, 0, SET_ID, 0, 0]),
        "fchmodat2_set_id" => (452, [-1, 0, SET_ID, 0, 0]),
        "mknodat_set_id" => (libc::SYS_mknodat, [-1, 0, i64::from(libc::S_IFREG) | SET_ID, 0, 0]),
        "openat_set_id" => (libc::SYS_openat, [-1, 0, i64::from(libc::O_CREAT), SET_ID, 0]),
        #[cfg(target_arch = "x86_64")]
        "chmod_set_id" => (libc::SYS_chmod, [0, SET_ID, 0, 0, 0]),
        #[cfg(target_arch = "x86_64")]
        "creat_set_id" => (libc::SYS_creat, [0, SET_ID, 0, 0, 0]),
        #[cfg(target_arch = "x86_64")]
        "open_set_id" => (libc::SYS_open, [0, i64::from(libc::O_CREAT), SET_ID, 0, 0]),
        #[cfg(target_arch = "x86_64")]
        "mknod_device_older" => (libc::SYS_mknod, [0, i64::from(libc::S_IFBLK), 0, 0, 0]),
        "lease" => (libc::SYS_fcntl, [-1, i64::from(libc::F_SETLEASE), 0, 0, 0]),
        "notify" => (libc::SYS_fcntl, [-1, i64::from(libc::F_NOTIFY), 0, 0, 0]),
        "prctl_ptracer" => (libc::SYS_prctl, [i64::from(libc::PR_SET_PTRACER), 0, 0, 0, 0]),
        "tiocsti" => (libc::SYS_ioctl, [0, libc::TIOCSTI as i64, 0, 0, 0]),
        "tioclinux" => (libc::SYS_ioctl, [0, libc::TIOCLINUX as i64, 0, 0, 0]),
        "socket_unix" => (libc::SYS_socket, [i64::from(libc::AF_UNIX), i64::from(libc::SOCK_STREAM), 0, 0, 0]),
        "socket_vsock" => (libc::SYS_socket, [i64::from(libc::AF_VSOCK), i64::from(libc::SOCK_STREAM), 0, 0, 0]),
        "socket_packet" => (libc::SYS_socket, [i64::from(libc::AF_PACKET), i64::from(libc::SOCK_RAW), 0, 0, 0]),
        "socket_netlink" => (libc::SYS_socket, [i64::from(libc::AF_NETLINK), i64::from(libc::SOCK_RAW), 0, 0, 0]),
        "socket_alg" => (libc::SYS_socket, [i64::from(libc::AF_ALG), i64::from(libc::SOCK_SEQPACKET), 0, 0, 0]),
        "socket_raw" => (libc::SYS_socket, [i64::from(libc::AF_INET), i64::from(libc::SOCK_RAW), 1, 0, 0]),
        "socket_multipath" => (libc::SYS_socket, [i64::from(libc::AF_INET), i64::from(libc::SOCK_STREAM), 262, 0, 0]),
        "socket_filter" => {
            (libc::SYS_setsockopt, [0, i64::from(libc::SOL_SOCKET), i64::from(libc::SO_ATTACH_FILTER), 0, 0])
        }
        "send_urgent" => (libc::SYS_sendto, [0, 0, 0, i64::from(libc::MSG_OOB), 0]),
        "receive_urgent" => (libc::SYS_recvmsg, [0, 0, i64::from(libc::MSG_OOB), 0, 0]),
        "pidfd_getfd" => (libc::SYS_pidfd_getfd, [-1, 0, 0, 0, 0]),
        "open_by_handle_at" => (libc::SYS_open_by_handle_at, [-1, 0, 0, 0, 0]),
        "seccomp_listener" => (libc::SYS_seccomp, [i64::from(libc::SECCOMP_SET_MODE_FILTER), 8, 0, 0, 0]),
        "x32" => (0x4000_0000 + 39, none),
        _ => return Err(format!("no such call: {name}")),
    };
    call(name, number, arguments)
}

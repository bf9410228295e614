//! What the layers are worth here, found by putting them on and then trying what each is to stop.

#![expect(clippy::disallowed_methods, reason = "looks around from inside a confined process")]

use super::environment::environment;
use super::fault::Fault;
use super::{Base, enter};
use crate::LayerName::{self, *};
use crate::{Cage, Programs};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};
use skills_core::{Enforcement, Grants, LimitName, Limits};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Processes that the probe may have at once.
const PROCESSES: u64 = 4;
/// Its other limits: memory, the largest file, and its temporary folder. An interpreter has room for itself beside its memory.
const MEMORY: u64 = 64 << 20;
const FILE: u64 = 64 << 10;
const DISK: u64 = 256 << 10;
const UNCOUNTED: &str = "memory and files; the kernel does not count the processes of its user 0";

/// What a throw-away child says.
#[derive(Debug, Serialize, Deserialize)]
enum Said {
    /// What was tried in confinement: the layer, whether it held, and what was seen.
    Found(LayerName, bool, String),
    /// What came of going beyond a limit.
    Limit(LimitName, bool, String),
    /// A layer could not be put on.
    Fault(Fault),
}

/// What was found of layers, and of limits whether each held.
pub type Probed = (Vec<(LayerName, Enforcement, String)>, Vec<(LimitName, bool, String)>);

/// Tries every layer and the limits of a process once, in throw-away children, and says what was found. Control groups are not
/// among them.
///
/// For a process with one thread: the worker executable, started for that.
pub fn probe_in_child() -> Probed {
    let said = confined_child().unwrap_or_else(|error| {
        vec![Said::Fault(Fault::new(UserNamespace, format!("a process to try it with: {error}")))]
    });
    let fault = said.iter().find_map(|one| if let Said::Fault(fault) = one { Some(fault) } else { None });
    let limits = said.iter().filter_map(|one| match one {
        Said::Limit(name, held, detail) => Some((*name, *held, detail.clone())),
        _ => None,
    });
    let layers = LayerName::ALL.into_iter().filter(|layer| *layer != Cgroup);
    let layers = layers
        .map(|layer| {
            let found = said.iter().find_map(|one| match one {
                Said::Found(name, held, detail) if *name == layer => Some((*held, detail.clone())),
                _ => None,
            });
            let (status, detail) = match (found, fault) {
                (Some((true, detail)), _) => (Enforcement::Enforced, detail),
                // What counts processes does not count those of user 0; the other limits hold.
                (Some((false, detail)), _) if layer == Rlimits => (Enforcement::BestEffort, detail),
                (Some((false, detail)), _) => (Enforcement::Unavailable, detail),
                (None, Some(fault)) if fault.layer == layer => (Enforcement::Unavailable, fault.detail.clone()),
                (None, Some(fault)) => {
                    (Enforcement::Unavailable, format!("not tried, because {} is missing", fault.layer))
                }
                (None, None) => (Enforcement::Unavailable, String::from("the process that tried it gave no answer")),
            };
            (layer, status, detail)
        })
        .collect();
    (layers, limits.collect())
}

/// Confines a child as a worker is, and collects what it says.
fn confined_child() -> std::io::Result<Vec<Said>> {
    let outside = namespaces();
    let (reader, writer) = rustix::pipe::pipe()?;
    let child = in_fork(|| {
        let outcome = enter().and_then(|()| {
            // The first child is the first process of the new namespace.
            in_fork(|| zygote(&outside, &writer)).map(wait).map_err(|error| Fault::new(PidNamespace, error.to_string()))
        });
        if let Err(fault) = outcome {
            say(&writer, &Said::Fault(fault));
        }
    })?;
    drop(writer);
    let mut text = String::new();
    // What has been said until then is worth something.
    let _ = std::fs::File::from(reader).read_to_string(&mut text);
    wait(child);
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn zygote(outside: &[String], writer: &OwnedFd) {
    let outcome = Base::prepare(&[]).and_then(|base| {
        // SAFETY: concerns the next child only.
        let apart = unsafe { libc::unshare(libc::CLONE_NEWPID) };
        if apart != 0 {
            return Err(Fault::new(PidNamespace, std::io::Error::last_os_error().to_string()));
        }
        in_fork(|| worker(&base, outside, writer))
            .map(wait)
            .map_err(|error| Fault::new(PidNamespace, error.to_string()))
    });
    if let Err(fault) = outcome {
        say(writer, &Said::Fault(fault));
    }
}

fn worker(base: &Base, outside: &[String], writer: &OwnedFd) {
    let mut cage = Cage::new(Grants::NONE, &Limits::none());
    cage.programs = Programs::All;
    cage.processes = Some(PROCESSES);
    cage.memory = Some(MEMORY);
    cage.file_size = Some(FILE);
    cage.disk = Some(DISK);
    // Closed in confinement, or not.
    let inherited = rustix::io::dup(writer);
    match base.confine(&cage, &[writer.as_fd()]) {
        Ok(_) => {
            for (layer, held, detail) in tries(outside, inherited.as_ref().map_or(-1, AsRawFd::as_raw_fd)) {
                say(writer, &Said::Found(layer, held, detail));
            }
            for (limit, held, detail) in limits() {
                say(writer, &Said::Limit(limit, held, detail));
            }
        }
        Err(fault) => say(writer, &Said::Fault(fault)),
    }
    std::mem::forget(inherited);
}

/// Tries what each layer is to stop. `outside` are the namespaces of the host, `inherited` is a descriptor that is to be closed.
fn tries(outside: &[String], inherited: i32) -> Vec<(LayerName, bool, String)> {
    let status = read("/proc/self/status");
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or(name).replace('\t', " ");
    let inside = namespaces();
    let apart = |index: usize| {
        let (inside, outside): (&String, &String) = (&inside[index], &outside[index]);
        (!inside.is_empty() && inside != outside, format!("{inside}, outside {outside}"))
    };
    let [user, mount, pid, ipc, net] = [0, 1, 2, 3, 4].map(apart);
    let tree = names("/");
    let processes = names("/proc").iter().filter(|name| name.parse::<u32>().is_ok()).count();
    let uid = rustix::process::getuid().as_raw();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let silent = TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err();
    let sets = ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"];
    let powerless = sets.iter().all(|set| line(set).ends_with("0000000000000000"));
    let calls = [libc::SYS_ptrace, libc::SYS_memfd_create, libc::SYS_unshare, libc::SYS_keyctl];
    let refused = calls.iter().filter(|call| answer(**call) == Some(libc::EPERM)).count();
    let counted = forks() < PROCESSES;
    let abi = landlock_abi();
    let deaf =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).err().is_some_and(|e| e.raw_os_error() == Some(libc::EACCES));
    // SAFETY: asks about a number.
    let open = unsafe { libc::fcntl(inherited, libc::F_GETFD) } != -1;
    let variables = std::env::vars_os().count();
    vec![
        (UserNamespace, user.0, user.1),
        (MountNamespace, mount.0, mount.1),
        (PidNamespace, pid.0 && processes == 1, format!("{}; {processes} process in sight", pid.1)),
        (IpcNamespace, ipc.0, ipc.1),
        (NetworkNamespace, net.0 && silent, format!("{}; loopback is {}", net.1, if silent { "down" } else { "up" })),
        (Root, !tree.iter().any(|name| name == ".skills" || name == "home"), format!("/ holds {}", tree.join(" "))),
        (Uid, uid != 0, format!("user {uid}")),
        (Capabilities, powerless, line("CapEff:")),
        (NoNewPrivs, line("NoNewPrivs:").ends_with('1'), line("NoNewPrivs:")),
        (Rlimits, counted, String::from(if counted { "memory, files and processes" } else { UNCOUNTED })),
        // Ports came with the fourth version; the one before has been put on all the same.
        (Landlock, abi > 0 && (deaf || abi < 4), format!("version {abi}")),
        (Seccomp, refused == calls.len(), format!("{refused} of {} calls refused", calls.len())),
        (Descriptors, !open, String::from(if open { "an open file was passed on" } else { "others are closed" })),
        (Environment, variables == environment(false).len(), format!("{variables} variables, of its own")),
    ]
}

/// Goes beyond the limits of one process, as far as the host does not have to look.
fn limits() -> Vec<(LimitName, bool, String)> {
    let asked = 64 * MEMORY;
    // SAFETY: asks for memory at no address; what is given is never touched, and goes with the process.
    let given = unsafe {
        let (rights, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        libc::mmap(std::ptr::null_mut(), asked as usize, rights, kind | libc::MAP_NORESERVE, -1, 0)
    };
    let held = given == libc::MAP_FAILED;
    let memory = format!("{} MB were {}", asked >> 20, if held { "refused" } else { "given" });
    let written = |path: String, most: u64| {
        let block = [0; 16 << 10];
        let Ok(mut file) = std::fs::File::create(path) else { return 0 };
        (0..most / block.len() as u64).map_while(|_| file.write_all(&block).ok()).count() as u64 * block.len() as u64
    };
    let file = written("/tmp/probe".into(), 2 * FILE);
    let disk = (0..2 * DISK / FILE).map(|number| written(format!("/tmp/probe-{number}"), FILE)).sum::<u64>() + file;
    vec![
        (LimitName::Memory, held, memory),
        (LimitName::FileSize, file > 0 && file <= FILE, format!("a file of {} kB took {} kB", FILE >> 10, file >> 10)),
        (LimitName::Disk, disk > 0 && disk <= DISK, format!("a folder of {} kB took {} kB", DISK >> 10, disk >> 10)),
    ]
}

/// What a system call answers when it is given nothing.
fn answer(call: libc::c_long) -> Option<i32> {
    // SAFETY: zero is no address that the kernel would write to.
    let result = unsafe { libc::syscall(call, 0, 0, 0, 0, 0) };
    if result == -1 { std::io::Error::last_os_error().raw_os_error() } else { None }
}

fn landlock_abi() -> i64 {
    const VERSION: libc::c_uint = 1;
    // SAFETY: no address, and a flag that asks for the version.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<libc::c_void>(), 0, VERSION) }
}

/// How many processes could be started, of one more than is allowed.
fn forks() -> u64 {
    let children: Vec<_> = (0..=PROCESSES).map_while(|_| in_fork(loop_until_killed).ok()).collect();
    let count = children.len() as u64;
    for child in children {
        let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
        wait(child);
    }
    count
}

fn loop_until_killed() {
    loop {
        // SAFETY: waits for a signal.
        unsafe { libc::pause() };
    }
}

/// The namespaces of this process, by their numbers.
fn namespaces() -> Vec<String> {
    let link = |name| std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap_or_default();
    ["user", "mnt", "pid", "ipc", "net"].map(|name| link(name).display().to_string()).into()
}

fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn say(writer: &OwnedFd, said: &Said) {
    let mut line = serde_json::to_vec(said).unwrap_or_default();
    line.push(b'\n');
    // Nobody is there to be told where it cannot be said.
    let _ = rustix::io::write(writer, &line);
}

/// Does something in a fork, which then ends.
fn in_fork(child: impl FnOnce()) -> std::io::Result<Pid> {
    // SAFETY: this process has one thread.
    match unsafe { libc::fork() } {
        0 => {
            child();
            // SAFETY: ends the process at once.
            unsafe { libc::_exit(0) }
        }
        -1 => Err(std::io::Error::last_os_error()),
        pid => Pid::from_raw(pid).ok_or_else(std::io::Error::last_os_error),
    }
}

fn wait(child: Pid) {
    let _ = rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()));
}

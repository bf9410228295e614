use serde::{Deserialize, Serialize};
use skills_core::{Access, Grants, Limits};
use std::path::PathBuf;
use std::sync::OnceLock;

/// What one confined process may reach, and what it is held to. The host makes it; it crosses to the process as data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cage {
    /// Files and folders that may be read: absolute, links resolved.
    pub read: Vec<PathBuf>,
    /// Files and folders that may be written, and read: absolute, links resolved.
    pub write: Vec<PathBuf>,
    /// Files and folders that the program itself needs to read, beside what its kind always has.
    pub needs: Vec<PathBuf>,
    /// The folder to start in; the private temporary folder where there is none, or where it is not granted.
    pub directory: Option<PathBuf>,
    /// Whether the loopback interface is up, with a listener on it that the host answers as a proxy.
    pub network: bool,
    /// Which programs may be started.
    pub programs: Programs,
    /// The executable that the process becomes, for a [`Kind::Program`]: it may be executed whatever `programs` says.
    pub executable: Option<PathBuf>,
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// Processes and threads at once.
    pub processes: Option<u64>,
    /// CPU time of one process, in seconds, after which the kernel ends it. Stands behind the deadlines of the host.
    pub cpu_seconds: Option<u64>,
    /// CPU time of all its processes as a share of one processor, in percent. The host holds it to that from outside.
    #[serde(default)]
    pub cpu_percent: Option<u64>,
    /// The largest file that may be written, in bytes.
    pub file_size: Option<u64>,
    /// What fits into the private temporary folders, in bytes.
    pub disk: Option<u64>,
    /// What is confined.
    pub kind: Kind,
    /// Layers that are left out. Honoured only in builds with the feature `test-hooks`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<LayerName>,
}

impl Cage {
    /// The cage of an interpreter that has `grants` and is held to `limits`.
    pub fn new(grants: &Grants, limits: &Limits) -> Cage {
        // Several threads use CPU time faster than the clock runs, so this is the most that the deadline allows at all.
        let processors = processors();
        Cage {
            read: grants.read.clone(),
            write: grants.write.clone(),
            needs: Vec::new(),
            directory: grants.working_directory.clone(),
            network: !grants.network.is_nothing(),
            programs: Programs::from(&grants.programs),
            executable: None,
            memory: limits.memory,
            processes: limits.processes,
            cpu_seconds: limits.wall.map(|wall| wall.as_secs().saturating_add(1).saturating_mul(processors)),
            cpu_percent: limits.cpu_percent,
            file_size: match (limits.file_size, grants.max_file_size) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            disk: limits.disk,
            kind: Kind::Interpreter,
            without: Vec::new(),
        }
    }
}

/// How many processors this process may use. Asked once: the answer takes the kernel longer than a short run.
fn processors() -> u64 {
    static PROCESSORS: OnceLock<u64> = OnceLock::new();
    *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get() as u64))
}

/// Which programs a confined process may start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Programs {
    /// None: it can make threads, and no process.
    #[default]
    None,
    /// Those that are named, by name or by path.
    Only(Vec<String>),
    /// All that it can see.
    All,
}

impl From<&Access> for Programs {
    fn from(access: &Access) -> Programs {
        match access {
            Access::Everything => Programs::All,
            Access::Only(names) if !names.is_empty() => Programs::Only(names.clone()),
            _ => Programs::None,
        }
    }
}

/// What is confined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An interpreter that is already in the process. It executes nothing else unless programs are granted.
    #[default]
    Interpreter,
    /// A program that the process becomes once it is confined.
    Program,
}

/// A layer of confinement. The names are those of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LayerName {
    /// Capabilities count inside only.
    UserNamespace,
    /// A file tree of its own.
    MountNamespace,
    /// Other processes are not there.
    PidNamespace,
    /// Semaphores and message queues of others are not there.
    IpcNamespace,
    /// No network but an interface of its own.
    NetworkNamespace,
    /// The tree holds what is granted and what is needed.
    Root,
    /// Not user 0.
    Uid,
    /// No capability, and no way to one.
    Capabilities,
    /// Executing a program gives no right.
    NoNewPrivs,
    /// Limits of the kernel on a process.
    Rlimits,
    /// Rights to files, ports and signals.
    Landlock,
    /// System calls.
    Seccomp,
    /// No open file but what was passed on purpose.
    Descriptors,
    /// No variable but what was passed on purpose.
    Environment,
    /// Limits of the kernel on a group of processes.
    Cgroup,
}

impl LayerName {
    /// All, in the order in which they are put on.
    pub const ALL: [LayerName; 15] = [
        LayerName::UserNamespace,
        LayerName::MountNamespace,
        LayerName::PidNamespace,
        LayerName::IpcNamespace,
        LayerName::NetworkNamespace,
        LayerName::Root,
        LayerName::Uid,
        LayerName::Capabilities,
        LayerName::NoNewPrivs,
        LayerName::Rlimits,
        LayerName::Landlock,
        LayerName::Seccomp,
        LayerName::Descriptors,
        LayerName::Environment,
        LayerName::Cgroup,
    ];

    /// The name in reports, such as `user_namespace`.
    pub fn as_str(self) -> &'static str {
        match self {
            LayerName::UserNamespace => "user_namespace",
            LayerName::MountNamespace => "mount_namespace",
            LayerName::PidNamespace => "pid_namespace",
            LayerName::IpcNamespace => "ipc_namespace",
            LayerName::NetworkNamespace => "network_namespace",
            LayerName::Root => "root",
            LayerName::Uid => "uid",
            LayerName::Capabilities => "capabilities",
            LayerName::NoNewPrivs => "no_new_privs",
            LayerName::Rlimits => "rlimits",
            LayerName::Landlock => "landlock",
            LayerName::Seccomp => "seccomp",
            LayerName::Descriptors => "descriptors",
            LayerName::Environment => "environment",
            LayerName::Cgroup => "cgroup",
        }
    }
}

impl std::fmt::Display for LayerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

use crate::LimitName;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The limits of one run. `None` means not limited.
///
/// ```
/// use skills_core::Limits;
/// use std::time::Duration;
/// let limits = Limits { time: Some(Duration::from_millis(200)), ..Limits::default() };
/// assert_eq!(limits.memory, Some(256 << 20));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Execution time; it stands still while a function of the host program runs.
    pub time: Option<Duration>,
    /// Wall-clock time of the whole run, host calls included.
    pub wall: Option<Duration>,
    /// Memory that the script holds, in bytes.
    pub memory: Option<u64>,
    /// Operations. Counting costs time in Python and JavaScript, so it is off unless asked for.
    pub operations: Option<u64>,
    /// What the script prints, stdout and stderr together, in bytes.
    pub output: Option<u64>,
    /// The result: its text, and what holding its elements and members takes, in bytes.
    pub result: Option<u64>,
    /// Depth of nested calls. `None` leaves each language's own guard against a stack overflow in force.
    pub recursion: Option<u64>,
    /// Number of host calls.
    pub host_calls: Option<u64>,
    /// Processes and threads at once, where a skill may start any.
    pub processes: Option<u64>,
    /// CPU time as a share of one processor, in percent: 150 is one and a half processors.
    pub cpu_percent: Option<u64>,
    /// What a confined process may keep in its private temporary folders, in bytes.
    pub disk: Option<u64>,
    /// The largest file that may be written, in bytes.
    pub file_size: Option<u64>,
}

impl Default for Limits {
    /// 30 s of execution (the seed's default timeout), 10 min of wall time, 256 MiB, 1 MiB of output, 64 MiB of
    /// result, 100,000 host calls; operations and recursion as the language has them.
    fn default() -> Limits {
        Limits {
            time: Some(Duration::from_secs(30)),
            wall: Some(Duration::from_secs(600)),
            memory: Some(256 << 20),
            operations: None,
            output: Some(1 << 20),
            result: Some(64 << 20),
            recursion: None,
            host_calls: Some(100_000),
            ..Limits::none()
        }
    }
}

impl Limits {
    /// No limits at all, for measuring what they cost.
    pub fn none() -> Limits {
        Limits {
            time: None,
            wall: None,
            memory: None,
            operations: None,
            output: None,
            result: None,
            recursion: None,
            host_calls: None,
            processes: None,
            cpu_percent: None,
            disk: None,
            file_size: None,
        }
    }

    /// The stricter of two, limit by limit.
    #[must_use]
    pub fn min(&self, other: &Limits) -> Limits {
        fn stricter<T: Ord + Copy>(a: Option<T>, b: Option<T>) -> Option<T> {
            match (a, b) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            }
        }
        Limits {
            time: stricter(self.time, other.time),
            wall: stricter(self.wall, other.wall),
            memory: stricter(self.memory, other.memory),
            operations: stricter(self.operations, other.operations),
            output: stricter(self.output, other.output),
            result: stricter(self.result, other.result),
            recursion: stricter(self.recursion, other.recursion),
            host_calls: stricter(self.host_calls, other.host_calls),
            processes: stricter(self.processes, other.processes),
            cpu_percent: stricter(self.cpu_percent, other.cpu_percent),
            disk: stricter(self.disk, other.disk),
            file_size: stricter(self.file_size, other.file_size),
        }
    }

    /// The amount allowed, in the unit of [`LimitName`].
    pub fn get(&self, name: LimitName) -> Option<u64> {
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        match name {
            LimitName::Time => self.time.map(millis),
            LimitName::Wall => self.wall.map(millis),
            LimitName::Memory => self.memory,
            LimitName::Operations => self.operations,
            LimitName::Output => self.output,
            LimitName::Result => self.result,
            LimitName::Recursion => self.recursion,
            LimitName::HostCalls => self.host_calls,
            LimitName::Processes => self.processes,
            LimitName::CpuPercent => self.cpu_percent,
            LimitName::Disk => self.disk,
            LimitName::FileSize => self.file_size,
        }
    }
}

/// How far a limit holds where a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Enforcement {
    /// It always holds.
    Enforced,
    /// It holds for ordinary code, and is known not to stop some.
    BestEffort,
    /// Nothing enforces it here.
    Unavailable,
}

/// What a limit is worth in a language on this machine, found by trying it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapStatus {
    /// Which limit.
    pub name: LimitName,
    /// How far it holds.
    pub status: Enforcement,
    /// What was tried, or what it does not stop, for a person.
    pub detail: String,
}

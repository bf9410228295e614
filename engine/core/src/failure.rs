use crate::Language;
use serde::{Deserialize, Serialize};

/// What sort of thing went wrong. The names are those of `error.kind` in JSON output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The script raised an error of its own, or could not be parsed.
    ScriptError,
    /// Execution time or the wall deadline ran out.
    Timeout,
    /// The memory limit was reached.
    MemoryLimit,
    /// The operation limit was reached.
    OperationLimit,
    /// More output, or a larger result, than allowed.
    OutputLimit,
    /// Calls nested deeper than allowed.
    RecursionLimit,
    /// More host calls than allowed.
    HostCallLimit,
    /// Something that was not granted.
    PermissionDenied,
    /// Arguments that do not fit the parameters.
    InvalidArguments,
    /// A definition that has errors.
    InvalidDefinition,
    /// No such skill, file or function.
    NotFound,
    /// A part that this build, machine or configuration does not have.
    Unavailable,
    /// The interpreter or its process died.
    Crashed,
    /// Interrupted by the caller.
    Cancelled,
    /// A network operation failed.
    NetworkError,
    /// Too many runs were waiting.
    QueueFull,
    /// A defect of the engine itself.
    Internal,
}

impl ErrorKind {
    /// The name in JSON output, such as `memory_limit`.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::ScriptError => "script_error",
            ErrorKind::Timeout => "timeout",
            ErrorKind::MemoryLimit => "memory_limit",
            ErrorKind::OperationLimit => "operation_limit",
            ErrorKind::OutputLimit => "output_limit",
            ErrorKind::RecursionLimit => "recursion_limit",
            ErrorKind::HostCallLimit => "host_call_limit",
            ErrorKind::PermissionDenied => "permission_denied",
            ErrorKind::InvalidArguments => "invalid_arguments",
            ErrorKind::InvalidDefinition => "invalid_definition",
            ErrorKind::NotFound => "not_found",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Crashed => "crashed",
            ErrorKind::Cancelled => "cancelled",
            ErrorKind::NetworkError => "network_error",
            ErrorKind::QueueFull => "queue_full",
            ErrorKind::Internal => "internal",
        }
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name of a limit, as in JSON output and in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LimitName {
    /// Execution time in milliseconds; it stands still while a function of the host program runs.
    Time,
    /// Wall-clock time of the whole run in milliseconds, host calls included.
    Wall,
    /// Memory that the script holds, in bytes.
    Memory,
    /// Operations; how they are counted is documented by each language.
    Operations,
    /// What the script printed, stdout and stderr together, in bytes.
    Output,
    /// The size of the result: its text, and what holding its elements and members takes, in bytes.
    Result,
    /// The depth of nested calls.
    Recursion,
    /// The number of host calls.
    HostCalls,
    /// The number of processes and threads at once.
    Processes,
    /// CPU time as a share of one processor, in percent.
    CpuPercent,
    /// What a confined process keeps in its private temporary folders, in bytes.
    Disk,
    /// The largest file that may be written, in bytes.
    FileSize,
}

impl LimitName {
    /// All of them.
    pub const ALL: [LimitName; 12] = [
        LimitName::Time,
        LimitName::Wall,
        LimitName::Memory,
        LimitName::Operations,
        LimitName::Output,
        LimitName::Result,
        LimitName::Recursion,
        LimitName::HostCalls,
        LimitName::Processes,
        LimitName::CpuPercent,
        LimitName::Disk,
        LimitName::FileSize,
    ];

    /// The name in JSON output, such as `host_calls`.
    pub fn as_str(self) -> &'static str {
        match self {
            LimitName::Time => "time",
            LimitName::Wall => "wall",
            LimitName::Memory => "memory",
            LimitName::Operations => "operations",
            LimitName::Output => "output",
            LimitName::Result => "result",
            LimitName::Recursion => "recursion",
            LimitName::HostCalls => "host_calls",
            LimitName::Processes => "processes",
            LimitName::CpuPercent => "cpu_percent",
            LimitName::Disk => "disk",
            LimitName::FileSize => "file_size",
        }
    }

    /// The kind of error that a breach of this limit is.
    pub fn error_kind(self) -> ErrorKind {
        match self {
            LimitName::Time | LimitName::Wall | LimitName::CpuPercent => ErrorKind::Timeout,
            LimitName::Memory => ErrorKind::MemoryLimit,
            LimitName::Operations => ErrorKind::OperationLimit,
            LimitName::Output | LimitName::Result | LimitName::Disk | LimitName::FileSize => ErrorKind::OutputLimit,
            LimitName::Processes => ErrorKind::PermissionDenied,
            LimitName::Recursion => ErrorKind::RecursionLimit,
            LimitName::HostCalls => ErrorKind::HostCallLimit,
        }
    }

    /// A person's wording of an amount of this limit, with its unit.
    pub fn amount(self, n: u64) -> String {
        match self {
            LimitName::Time | LimitName::Wall => format!("{n} ms"),
            LimitName::Memory | LimitName::Output | LimitName::Result | LimitName::Disk | LimitName::FileSize => {
                bytes(n)
            }
            LimitName::Processes => format!("{n} processes"),
            LimitName::CpuPercent => format!("{n}%"),
            LimitName::Operations => format!("{n} operations"),
            LimitName::Recursion => format!("{n} nested calls"),
            LimitName::HostCalls => format!("{n} host calls"),
        }
    }
}

fn bytes(n: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    match UNITS.iter().find(|(_, size)| n >= *size) {
        Some((unit, size)) if n.is_multiple_of(*size) => format!("{} {unit}", n / size),
        Some((unit, size)) => format!("{:.1} {unit}", n as f64 / *size as f64),
        None => format!("{n} bytes"),
    }
}

/// A limit that was reached: which, how much was allowed, and what was read when it was noticed.
///
/// Units are those of [`LimitName`]: milliseconds, bytes or counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Which limit.
    pub name: LimitName,
    /// What was allowed.
    pub limit: u64,
    /// What was read, or would have been reached by the refused step.
    pub reading: u64,
}

/// One level of a script's call stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The file, as the definition or the person named it.
    pub file: String,
    /// Line, from 1; 0 where it is not known.
    pub line: u32,
    /// Column in characters, from 1; 0 where it is not known.
    pub column: u32,
    /// The function, or nothing at the top level.
    pub function: Option<String>,
    /// The source line.
    pub source: Option<String>,
}

/// Why a run has no value: a kind, a message for a person, and where the kind has them a hint, frames and the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct Failure {
    /// What sort of thing went wrong.
    pub kind: ErrorKind,
    /// What happened, for a person, without a full stop. For a script's own error this begins with the error's type
    /// where the language has one: `ZeroDivisionError: division by zero`.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The language, for an error of the script's own; where scripts called one another, that of the innermost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The script's call stack, innermost first; where scripts called one another, the called one's frames come before
    /// the caller's. At most [`MOST_FRAMES`](Failure::MOST_FRAMES) after [`in_script`](Failure::in_script).
    #[serde(default)]
    pub frames: Vec<Frame>,
    /// The limit, for a breach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Breach>,
}

impl Failure {
    /// The most frames that a failure carries; of deeper stacks the innermost are kept.
    pub const MOST_FRAMES: usize = 64;

    /// A failure of a kind with a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), help: None, language: None, frames: Vec::new(), limit: None }
    }

    /// The failure of a breached limit, worded for a person.
    pub fn breach(breach: Breach) -> Failure {
        let Breach { name, limit, reading } = breach;
        let message = match name {
            LimitName::Time => format!("execution time limit of {} reached", name.amount(limit)),
            LimitName::Wall => format!("wall time limit of {} reached", name.amount(limit)),
            LimitName::Memory => {
                format!("memory limit of {} reached ({} needed)", name.amount(limit), name.amount(reading))
            }
            LimitName::Operations => format!("operation limit of {limit} reached"),
            LimitName::Output => format!("output limit of {} reached", name.amount(limit)),
            LimitName::Result => format!("the result is larger than {}", name.amount(limit)),
            LimitName::Recursion => format!("recursion limit of {limit} nested calls reached"),
            LimitName::HostCalls => format!("limit of {limit} host calls reached"),
            LimitName::Processes => format!("limit of {limit} processes reached"),
            LimitName::CpuPercent => format!("limit of {limit}% of a processor reached"),
            LimitName::Disk => format!("limit of {} of temporary files reached", name.amount(limit)),
            LimitName::FileSize => format!("file size limit of {} reached", name.amount(limit)),
        };
        Failure { limit: Some(breach), ..Failure::new(name.error_kind(), message) }
    }

    /// The same failure with a hint of what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }

    /// The same failure with the language and the frames of the script that it went through, innermost first.
    ///
    /// Called once by each script that lets the failure pass, from the inside out: where a called script already gave a
    /// language and frames, these frames go behind its own, and the language stays. What is more than
    /// [`MOST_FRAMES`](Failure::MOST_FRAMES) in all is left out.
    #[must_use]
    pub fn in_script(mut self, language: Language, frames: Vec<Frame>) -> Failure {
        self.language.get_or_insert(language);
        let room = Self::MOST_FRAMES.saturating_sub(self.frames.len());
        self.frames.extend(frames.into_iter().take(room).map(Frame::clipped));
        self
    }
}

impl Frame {
    /// The longest source line that a frame keeps, in characters: a minified file may be one line of a megabyte.
    pub const MOST_SOURCE: usize = 1000;

    fn clipped(mut self) -> Frame {
        if let Some(source) = &mut self.source
            && let Some((end, _)) = source.char_indices().nth(Self::MOST_SOURCE)
        {
            source.truncate(end);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(file: &str, lines: std::ops::Range<u32>) -> Vec<Frame> {
        lines.map(|line| Frame { file: file.into(), line, ..Frame::default() }).collect()
    }

    #[test]
    fn a_frame_keeps_no_endless_line() {
        let frame = Frame { source: Some("é".repeat(5000)), ..Frame::default() };
        let failure = Failure::new(ErrorKind::ScriptError, "x").in_script(Language::JavaScript, vec![frame]);
        assert_eq!(failure.frames[0].source.as_ref().unwrap().chars().count(), Frame::MOST_SOURCE);
    }

    #[test]
    fn frames_of_a_caller_go_behind_those_of_the_called_script() {
        let failure = Failure::new(ErrorKind::ScriptError, "KeyError: 'x'")
            .in_script(Language::Python, frames("inner.py", 1..3))
            .in_script(Language::JavaScript, frames("outer.js", 7..8));
        assert_eq!(failure.language, Some(Language::Python));
        let places: Vec<_> = failure.frames.iter().map(|frame| (frame.file.as_str(), frame.line)).collect();
        assert_eq!(places, [("inner.py", 1), ("inner.py", 2), ("outer.js", 7)]);
    }

    #[test]
    fn the_innermost_frames_are_kept() {
        let failure = Failure::new(ErrorKind::ScriptError, "deep")
            .in_script(Language::Rhai, frames("inner.rhai", 0..50))
            .in_script(Language::Rhai, frames("outer.rhai", 0..50))
            .in_script(Language::Rhai, frames("outermost.rhai", 0..50));
        assert_eq!(failure.frames.len(), Failure::MOST_FRAMES);
        assert_eq!((failure.frames[49].file.as_str(), failure.frames[49].line), ("inner.rhai", 49));
        assert_eq!((failure.frames[63].file.as_str(), failure.frames[63].line), ("outer.rhai", 13));
    }
}

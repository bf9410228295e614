use serde::{Deserialize, Serialize};

/// One of a script's two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogLevel {
    /// For whoever debugs the skill.
    Debug,
    /// For whoever follows the run.
    Info,
    /// Something may be wrong.
    Warn,
    /// Something is wrong.
    Error,
}

impl LogLevel {
    /// The level of a name: `debug`, `info`, `warn` (or `warning`), `error`.
    pub fn from_name(name: &str) -> Option<LogLevel> {
        Some(match name {
            "debug" => LogLevel::Debug,
            "info" => LogLevel::Info,
            "warn" | "warning" => LogLevel::Warn,
            "error" => LogLevel::Error,
            _ => return None,
        })
    }
}

/// Something that happens while a skill runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The script printed something; `text` is not cut into lines.
    Output {
        /// Which stream.
        stream: Stream,
        /// What it printed.
        text: String,
    },
    /// The script logged a line.
    Log {
        /// How important it is.
        level: LogLevel,
        /// The line.
        message: String,
    },
    /// The script says how far it is.
    Progress {
        /// From 0 to 1, or nothing where the script cannot tell.
        fraction: Option<f64>,
        /// What it is doing.
        message: Option<String>,
    },
}

/// Where the engine reports what happens in a run. Called on the thread that runs the script: return quickly.
pub trait EventSink: Send + Sync {
    /// Takes one event of a run of `skill` with its correlation id.
    fn event(&self, skill: &str, correlation_id: &str, event: &Event);
}

/// A sink that drops everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _skill: &str, _correlation_id: &str, _event: &Event) {}
}

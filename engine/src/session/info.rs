//! What there is to know about a session from outside.

use crate::{Isolation, Persistence};
use serde::Serialize;
use serde_json::{Map, Value};
use skills_core::{ErrorKind, Language, Lost};

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionState {
    /// Nothing.
    Idle,
    /// Something is under way, or waits for its turn.
    Busy,
    /// It is over.
    Ended,
}

/// A session as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Tells it from every other of the process, also from one that had its name before.
    #[serde(skip)]
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: Language,
    /// The skill that it is of, with its scope.
    pub skill: Option<String>,
    /// Whom it belongs to.
    pub owner: String,
    /// What it is doing.
    pub state: SessionState,
    /// How long ago it was opened, in milliseconds.
    pub age_ms: u64,
    /// How long nothing was asked of it, in milliseconds; 0 while it is busy.
    pub idle_ms: u64,
    /// How long nothing may be asked of it before it ends, in milliseconds, where that is bounded.
    pub idle_timeout_ms: Option<u64>,
    /// How long it may live, in milliseconds, where that is bounded.
    pub max_duration_ms: Option<u64>,
    /// How many evaluations there were.
    pub evaluations: u64,
    /// The memory of its namespace after the last evaluation, where that is known.
    pub memory_bytes: Option<u64>,
    /// The processor time of its evaluations, in milliseconds, where it is measured.
    pub cpu_ms: Option<u64>,
    /// Where it runs.
    pub isolation: Isolation,
    /// Where its state is kept.
    pub persistence: Persistence,
    /// What is bounded over all evaluations: `{"time": {"limit": 1000, "used": 20}}`, in the units of
    /// [`LimitName`](crate::LimitName).
    pub budget: Map<String, Value>,
    /// What of its namespace was not restored, or cannot be kept.
    pub lost: Vec<Lost>,
}

/// Something that happened to a session. See [`SessionHub::watch`](crate::SessionHub::watch).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SessionEvent {
    /// What happened.
    #[serde(flatten)]
    pub what: SessionChange,
    /// The session after it.
    pub session: SessionInfo,
}

/// What happened to a session.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionChange {
    /// It was opened.
    Opened,
    /// It evaluated something.
    Evaluated {
        /// Names the evaluation in events and logs.
        correlation_id: String,
        /// The kind of its error; `None` where it has a value.
        error: Option<ErrorKind>,
    },
    /// It is over.
    Ended {
        /// Why, where it ended by itself.
        reason: Option<String>,
    },
}

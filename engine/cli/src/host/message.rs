//! What clients and the host say to one another.

use super::build::Build;
use crate::surroundings::Surroundings;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use skills::core::Lost;
use skills::{Event, Failure, Isolation, LimitOverrides, Permissions, Persistence, Question, Reply};
use std::time::Duration;

/// What a client says first, and what it came for. Like [`Build`], it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) build: Build,
    pub(super) purpose: Purpose,
}

/// What a client came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    /// To ask things of it.
    Serve,
    /// That it goes, where nothing is lost by that.
    Replace,
    /// That it ends, where nothing is under way.
    Stop,
    /// That it ends.
    ForceStop,
}

/// What the host says first. It stays as it is, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Greeting {
    pub(super) build: Build,
    /// Its process.
    pub(super) pid: u32,
    /// Whether nothing would be lost if it ended now: nothing is under way, and no session lives in memory alone.
    pub(super) replaceable: bool,
    /// Where it was told to end: the sessions that end with it, or those that keep it from ending.
    #[serde(default)]
    pub(super) farewell: Option<Farewell>,
}

/// What the host says where it is told to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Farewell {
    /// Whether it ends.
    pub(crate) ends: bool,
    /// Sessions that are gone with it.
    pub(crate) ended: Vec<String>,
    /// Sessions whose state stays on disk.
    pub(crate) kept: Vec<String>,
    /// Sessions in which something is under way.
    pub(crate) busy: Vec<String>,
}

/// What a client sends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToHost {
    /// Asks for something. Requests are answered in order.
    Call(Box<Request>),
    /// Interrupts what it asked for.
    Cancel,
    /// Answers a question, by its number.
    Answer { id: u64, reply: Option<Reply> },
}

/// What the host sends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FromHost {
    /// Something happens in what the client asked for.
    Event { skill: String, correlation_id: String, event: Event },
    /// Something that a person should know.
    Warning(String),
    /// A diagnostic, ready to be shown.
    Diagnostic(String),
    /// A person is asked. The number is that of the answer.
    Question { id: u64, question: Box<Question> },
    /// Something happened to some session.
    Change(Value),
    /// The answer to a request.
    Done(Value),
    /// Why there is none.
    Refused(Box<Refusal>),
}

/// An error, for a person and as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) failure: Failure,
    /// What is wrong with a definition, as JSON shows it.
    pub(crate) diagnostics: Vec<Value>,
    /// All of it as a person reads it.
    pub(crate) shown: String,
}

/// What a client asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Opens a session, where none of its name is there.
    Open(Box<Opening>),
    /// Evaluates code in it, opened first where that is needed.
    Evaluate { opening: Box<Opening>, code: String, file: Option<String>, front: Front },
    /// Runs the skill that it is of.
    Run { opening: Box<Opening>, words: Vec<String>, params: Option<Map<String, Value>>, front: Front },
    /// Lists sessions.
    List,
    /// Tells everything about one.
    Show { name: String },
    /// Lists its variables.
    Variables { name: String },
    /// Gives the value of a variable.
    Get { name: String, variable: String },
    /// Tells how the word before the cursor could go on.
    Complete { name: String, text: String, cursor: usize },
    /// Tells what there is to know about a name or a path of names.
    Inspect { name: String, path: String },
    /// Tells whether code can be evaluated as it stands.
    Completeness { name: String, code: String },
    /// Ends it.
    Kill { name: String },
    /// Copies it.
    Fork { name: String, to: String },
    /// Gives what it holds, in base64.
    Export { name: String },
    /// Opens a session that holds that.
    Import { opening: Box<Opening>, image: String },
    /// Tells what happens to sessions, until it is interrupted.
    Watch,
}

impl Request {
    /// Whether it only looks at sessions or ends one, and keeps nobody waiting.
    pub(super) fn is_modest(&self) -> bool {
        matches!(self, Request::List | Request::Show { .. } | Request::Kill { .. })
    }

    /// Whether it ends with the client that asked for it.
    pub(super) fn is_of_a_person(&self) -> bool {
        match self {
            Request::Evaluate { front, .. } | Request::Run { front, .. } => front.person,
            _ => false,
        }
    }
}

/// The client's end of an evaluation.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Front {
    /// Whether output is shown as it comes.
    pub(crate) streams: bool,
    /// Whether a person sits there: such a client's evaluation ends with it, and it can be asked.
    pub(crate) person: bool,
}

/// Which session, and what it is opened with where it is not there yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Opening {
    /// Its name; `None` for one that is made up.
    pub(crate) name: Option<String>,
    /// The skill that it is of: a name or an absolute path.
    pub(crate) skill: Option<String>,
    /// The language, where no skill says it.
    pub(crate) language: Option<String>,
    /// Where it runs.
    pub(crate) isolation: Option<Isolation>,
    /// What a person allows.
    pub(crate) allow: Permissions,
    /// Whether the person says yes to whatever would be asked.
    pub(crate) yes: bool,
    /// Limits of each evaluation of a new session; of this evaluation of one that is there.
    pub(crate) limits: LimitOverrides,
    /// Where its state is kept.
    pub(crate) persistence: Option<Persistence>,
    /// After how long of nothing it ends.
    pub(crate) idle: Option<Duration>,
    /// How long it lives at most.
    pub(crate) max_duration: Option<Duration>,
    /// Where the client stands.
    pub(crate) surroundings: Surroundings,
}

/// What a session holds, for a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Exported {
    /// In base64.
    pub(crate) image: String,
    /// What is not in it.
    pub(crate) lost: Vec<Lost>,
}

/// What came of opening a session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Opened {
    /// Whether it was not there before.
    pub(crate) created: bool,
    /// The session, as `skills sessions show --json` prints it.
    pub(crate) session: Value,
}

/// What came of an evaluation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Evaluated {
    /// The object that `--json` prints.
    pub(crate) object: Value,
    /// Why there is no value.
    pub(crate) error: Option<Refusal>,
}

use crate::Failure;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// To run a skill that nobody has vouched for yet.
    Run,
    /// To read below a path.
    FileRead,
    /// To write below a path.
    FileWrite,
    /// To reach a host.
    Network,
    /// To start a program.
    ProcessSpawn,
    /// To read an environment variable.
    Environment,
    /// To use a secret.
    Secret,
    /// To reach a session of somebody else.
    Session,
    /// To run something that destroys.
    Destructive,
}

impl Operation {
    /// Every operation, as they are listed.
    pub const ALL: [Operation; 9] = [
        Operation::Run,
        Operation::FileRead,
        Operation::FileWrite,
        Operation::Network,
        Operation::ProcessSpawn,
        Operation::Environment,
        Operation::Secret,
        Operation::Session,
        Operation::Destructive,
    ];

    /// The name in JSON output and in the store, such as `file_write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Run => "run",
            Operation::FileRead => "file_read",
            Operation::FileWrite => "file_write",
            Operation::Network => "network",
            Operation::ProcessSpawn => "process_spawn",
            Operation::Environment => "environment",
            Operation::Secret => "secret",
            Operation::Session => "session",
            Operation::Destructive => "destructive",
        }
    }

    /// The operation of a name.
    pub fn from_name(name: &str) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.as_str() == name)
    }

    /// What a skill wants to do with the things named, for a person: `write files in /srv`.
    pub fn phrase(self, names: &[String]) -> String {
        let names = names.join(", ");
        match self {
            Operation::Run => "run".to_owned(),
            Operation::FileRead => format!("read files in {names}"),
            Operation::FileWrite => format!("write files in {names}"),
            Operation::Network if names == "*" => "use the whole network".to_owned(),
            Operation::Network => format!("use the network: {names}"),
            Operation::ProcessSpawn if names == "*" => "start any program".to_owned(),
            Operation::ProcessSpawn => format!("start programs: {names}"),
            Operation::Environment => format!("read the environment variable {names}"),
            Operation::Secret => format!("use the secret {names}"),
            Operation::Session => format!("reach the session {names}"),
            Operation::Destructive => format!("do something destructive: {names}"),
        }
    }

    /// The options of the command that allow it without a question.
    pub fn flags(self, names: &[String]) -> String {
        let each = |flag: &str| names.iter().map(|name| format!("{flag} {name}")).collect::<Vec<_>>().join(" ");
        match self {
            Operation::Run | Operation::Destructive => "--yes".to_owned(),
            Operation::FileRead => each("--allow-read"),
            Operation::FileWrite => each("--allow-write"),
            Operation::Network => each("--allow-net"),
            Operation::ProcessSpawn => each("--allow-run"),
            Operation::Environment => each("--allow-env"),
            Operation::Secret => each("--allow-secret"),
            Operation::Session => each("--allow-session"),
        }
    }
}

/// How far a decision reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecisionScope {
    /// This skill as it is now, with these arguments.
    Call,
    /// This skill as it is now.
    Skill,
    /// Every skill in its folder, as they are now.
    Folder,
}

impl DecisionScope {
    /// The name in JSON output and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            DecisionScope::Call => "call",
            DecisionScope::Skill => "skill",
            DecisionScope::Folder => "folder",
        }
    }

    /// The scope of a name.
    pub fn from_name(name: &str) -> Option<DecisionScope> {
        [DecisionScope::Call, DecisionScope::Skill, DecisionScope::Folder]
            .into_iter()
            .find(|scope| scope.as_str() == name)
    }
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What it is about.
    pub operation: Operation,
    /// The things that it is about: hosts, paths, programs, names. Empty for [`Operation::Run`].
    pub names: Vec<String>,
    /// The skill, with its scope.
    pub skill: String,
    /// Its definition or script file.
    pub file: String,
    /// What would run: the language and the file, or the program with its arguments.
    pub runs: String,
    /// What yes means beside that: the rights that its code has then. Empty where it means nothing more.
    #[serde(default)]
    pub means: String,
    /// Everything that it asks to use, for a person.
    pub capabilities: Vec<String>,
    /// Why somebody has to be asked.
    pub why: String,
    /// The digest that an answer for the skill holds for.
    pub digest: String,
    /// How far an answer may reach beyond this once. Empty where nothing can be remembered.
    pub scopes: Vec<DecisionScope>,
    /// Names the run that it is asked for in events and logs.
    pub correlation_id: String,
}

/// What a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// Yes, this once.
    Once,
    /// Yes, and from now on.
    Always(DecisionScope),
    /// No, this once.
    No,
    /// No, and from now on.
    Never(DecisionScope),
}

/// An answer, and the reason given for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply { answer, reason: None }
    }
}

/// Answers what policy leaves to a person. The command asks in the terminal; tests script it.
pub trait Approver: Send + Sync {
    /// The answer; `None` where nobody is there to be asked, which counts as no.
    fn ask(&self, question: &Question) -> Option<Reply>;

    /// The same for a run that may be stopped meanwhile: `wanted` says whether anybody still needs the answer, and is cheap to
    /// call again and again. Whoever cannot look at it while waiting need not.
    fn ask_while(&self, question: &Question, wanted: &dyn Fn() -> bool) -> Option<Reply> {
        if wanted() { self.ask(question) } else { None }
    }
}

/// A decision that holds from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// What it is about.
    pub operation: Operation,
    /// The one thing that it is about: a host, a path, a program, a name. Empty for [`Operation::Run`].
    pub name: String,
    /// Whether it allows.
    pub allowed: bool,
    /// How far it reaches.
    pub scope: DecisionScope,
    /// The definition or script file, or the folder for [`DecisionScope::Folder`]: absolute, links resolved.
    pub place: PathBuf,
    /// What stood there when it was made. A decision that allows holds for nothing else; one that denies holds for
    /// whatever stands there.
    pub digest: String,
    /// The digest of the arguments, for [`DecisionScope::Call`].
    pub call: Option<String>,
    /// Why, in the person's words.
    pub reason: Option<String>,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// Where decisions are kept.
pub trait DecisionStore: Send + Sync {
    /// Every decision, the newest first.
    ///
    /// # Errors
    /// `unavailable` where the store cannot be read: then nothing is trusted.
    fn all(&self) -> Result<Vec<Decision>, Failure>;

    /// Keeps a decision, instead of an older one about the same.
    ///
    /// # Errors
    /// `unavailable` where it cannot be written.
    fn record(&self, decision: &Decision) -> Result<(), Failure>;

    /// Forgets every decision about a file or folder and what is below it, and says how many those were.
    ///
    /// # Errors
    /// `unavailable` where it cannot be written.
    fn revoke(&self, place: &Path) -> Result<usize, Failure>;
}

use crate::{CapStatus, Failure, Host, Language, Signature};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A script: its language, its source and the file that errors point into.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Script {
    /// The language.
    pub language: Language,
    /// The file, as errors name it. Code that stands in the definition itself has the definition's name.
    pub file: String,
    /// The source text.
    pub source: String,
}

impl Script {
    /// A line of the source, from 1, without its line ending.
    pub fn line(&self, line: u32) -> Option<&str> {
        self.source.lines().nth((line as usize).checked_sub(1)?)
    }
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// CPU time of the interpreter's thread.
    pub cpu: Option<Duration>,
    /// The most memory that the script held at once, in bytes.
    pub peak_memory: Option<u64>,
    /// Operations, where they were counted.
    pub operations: Option<u64>,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The value or the failure. Where the budget has a verdict, that is the failure.
    pub result: Result<Value, Failure>,
    /// What it used.
    pub usage: Usage,
}

/// A language that can be embedded.
///
/// Making one starts nothing: the interpreter itself starts when the first session opens.
pub trait Interpreter: Send + Sync {
    /// The languages that it takes: JavaScript's takes TypeScript too.
    fn languages(&self) -> &[Language];

    /// Opens a session for the functions that the host offers. It may be used again for other runs with the same
    /// functions, one after another, but only on the thread that opened it.
    ///
    /// # Errors
    /// `unavailable` where the interpreter cannot start or its self-test failed.
    fn open(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure>;

    /// What a script says of its own parameters, without running it; `None` where it does not parse.
    fn signature(&self, script: &Script) -> Option<Signature>;

    /// Tries every limit and tells what each is worth here. Starts the interpreter.
    ///
    /// # Errors
    /// `unavailable` where the interpreter cannot start.
    fn self_test(&self) -> Result<Vec<CapStatus>, Failure>;

    /// What each limit is known to be worth, without starting the interpreter: constants, for the report of a run.
    fn caps(&self) -> Vec<CapStatus>;

    /// Starts the interpreter on the calling thread, and leaves no other thread, so that the process can be forked: each
    /// fork then has it started. Does nothing where the interpreter starts fast enough without.
    ///
    /// # Errors
    /// `unavailable` where the interpreter cannot start.
    fn prepare_fork(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Called on that thread before and after each fork.
    fn forking(&self, _moment: Fork) {}

    /// Does the work of a fork, sessions and all, on the thread that the interpreter wants for that. Need not return.
    fn in_fork(&self, work: Box<dyn FnOnce() + Send>) {
        work();
    }

    /// Files and folders that the interpreter reads, and what it imports, beside what every program reads.
    fn needs(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// A moment of a fork. See [`Interpreter::forking`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// Before it.
    Before,
    /// After it, in the process that forked, also where it failed.
    InParent,
    /// After it, in the new process.
    InChild,
}

/// An open interpreter, bound to the thread that opened it.
pub trait Session {
    /// Runs a whole script in a fresh namespace, by the script contract: `run` is called with the parameters where the
    /// script defines it, otherwise the value is that of the last expression.
    ///
    /// `params` is an object. What the script compiles to may be kept for the next run of an equal script. Nothing of
    /// one run's namespace is seen by the next.
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation;

    /// Whether it can be used again. A session whose interpreter is in doubt says no and is dropped.
    fn reusable(&self) -> bool {
        true
    }
}

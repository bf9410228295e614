use crate::{
    CapStatus, Cell, Completeness, Completions, ErrorKind, Evaluated, Failure, Host, Inspection, Language, Lost,
    Signature, Snapshot, Variable,
};
use serde_json::Value;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
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

    /// Whether a script parses, without running it.
    ///
    /// # Errors
    /// Why it does not, with a frame where that is.
    fn check(&self, _script: &Script) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether code of one of its languages can be evaluated as it stands, for whoever types it line by line. Parses, and
    /// runs nothing.
    fn completeness(&self, _script: &Script) -> Completeness {
        Completeness::Complete
    }

    /// Tries every limit and tells what each is worth here. Starts the interpreter.
    ///
    /// # Errors
    /// `unavailable` where the interpreter cannot start.
    fn self_test(&self) -> Result<Vec<CapStatus>, Failure>;

    /// What each limit is known to be worth, without starting the interpreter: constants, for the report of a run.
    fn caps(&self) -> Vec<CapStatus>;

    /// How deep calls may nest where no limit says it, as far as that is a number of calls.
    fn recursion(&self) -> Option<u64> {
        None
    }

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

    /// Whether a process in which a session lives can be forked on that session's thread, between two evaluations and
    /// with [`Interpreter::forking`] around it, so that the session goes on in both.
    fn forks_sessions(&self) -> bool {
        false
    }

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

    /// Says that this thread does nothing but the session's work from now on, and that relative paths of its code start at a folder.
    ///
    /// # Errors
    /// `unavailable` where they start at the process's own all the same.
    fn settle(&mut self, _folder: &Path) -> Result<(), Failure> {
        Ok(())
    }

    /// Evaluates code in the session's own namespace, which stays: variables, functions, classes, imports and closures
    /// are there for the next cell, also where this one raised an error half way. [`Session::run`] knows nothing of it.
    ///
    /// Stopping the run's budget stops the cell. The limit on memory holds for the namespace and the cell together.
    fn eval(&mut self, _cell: &Cell, _host: &Arc<dyn Host>) -> Evaluated {
        Evaluated::failed(stateless())
    }

    /// The variables of the namespace, sorted by name.
    ///
    /// # Errors
    /// `unavailable` where the language keeps none. What asks for values may meet limits and errors of their own code.
    fn variables(&mut self, _host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        Err(stateless())
    }

    /// The value of a variable, as a result is converted.
    ///
    /// # Errors
    /// `not_found`; else as [`Session::variables`].
    fn get(&mut self, _name: &str, _host: &Arc<dyn Host>) -> Result<Value, Failure> {
        Err(stateless())
    }

    /// Gives a variable a value.
    ///
    /// # Errors
    /// `invalid_arguments` where the name is none in the language; else as [`Session::variables`].
    fn set(&mut self, _name: &str, _value: &Value, _host: &Arc<dyn Host>) -> Result<(), Failure> {
        Err(stateless())
    }

    /// How the word before the cursor, a byte of the text, could go on: by names, and by attributes of what is alive. Calls
    /// nothing of the script's.
    ///
    /// # Errors
    /// As [`Session::variables`].
    fn complete(&mut self, _text: &str, _cursor: usize, _host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        Err(stateless())
    }

    /// What there is to know about a name or a path of names: `obj.name`.
    ///
    /// # Errors
    /// `not_found`; else as [`Session::variables`].
    fn inspect(&mut self, _path: &str, _host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        Err(stateless())
    }

    /// The namespace as bytes, with what could not be kept named. The namespace stays as it is.
    ///
    /// # Errors
    /// As [`Session::variables`].
    fn snapshot(&mut self, _host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        Err(stateless())
    }

    /// Fills the namespace, which must be fresh, from a snapshot. Gives what is missing of what the snapshot holds.
    ///
    /// # Errors
    /// `invalid_arguments` where the snapshot is another language's or has another format; else as [`Session::variables`].
    fn restore(&mut self, _snapshot: &Snapshot, _host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        Err(stateless())
    }

    /// An independent copy of the session with all it holds, where that is possible without a snapshot; `None` where not.
    ///
    /// # Errors
    /// Where it should be possible and failed.
    fn fork(&mut self, _host: &Arc<dyn Host>) -> Result<Option<Forked>, Failure> {
        Ok(None)
    }

    /// What the session holds and has used by now, where that is known without asking its code.
    fn held(&self) -> Held {
        Held::default()
    }
}

/// The copy of a session, as what opens it on the thread that it is going to be bound to.
pub type Forked = Box<dyn FnOnce() -> Result<OpenSession, Failure> + Send>;

/// An open session, and the threads that may use it.
pub enum OpenSession {
    /// The one that it was opened on.
    Here(Box<dyn Session>),
    /// Any, one at a time: there is nothing in it but a way to another process.
    Anywhere(Box<dyn Session + Send>),
}

impl From<OpenSession> for Box<dyn Session> {
    fn from(session: OpenSession) -> Box<dyn Session> {
        match session {
            OpenSession::Here(session) => session,
            OpenSession::Anywhere(session) => session,
        }
    }
}

impl Deref for OpenSession {
    type Target = dyn Session;

    fn deref(&self) -> &(dyn Session + 'static) {
        match self {
            OpenSession::Here(session) => &**session,
            OpenSession::Anywhere(session) => &**session,
        }
    }
}

impl DerefMut for OpenSession {
    fn deref_mut(&mut self) -> &mut (dyn Session + 'static) {
        match self {
            OpenSession::Here(session) => &mut **session,
            OpenSession::Anywhere(session) => &mut **session,
        }
    }
}

/// What a session holds between evaluations. See [`Session::held`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// Its memory now, in bytes.
    pub memory: Option<u64>,
    /// Its processor time since it was opened.
    pub cpu: Option<Duration>,
}

fn stateless() -> Failure {
    Failure::new(ErrorKind::Unavailable, "this language keeps no state between evaluations")
}

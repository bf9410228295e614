use crate::caps;
use crate::pool::Workers;
use skills_core::{CapStatus, Completeness, Failure, Host, Interpreter, Language, Script, Session, Signature};
use std::sync::Arc;

/// An interpreter whose sessions are workers.
pub struct Remote {
    workers: Arc<Workers>,
    /// The same interpreter in this process, for what needs no worker.
    local: Arc<dyn Interpreter>,
}

impl Remote {
    /// The workers for the languages of an interpreter.
    pub fn new(workers: Arc<Workers>, local: Arc<dyn Interpreter>) -> Remote {
        Remote { workers, local }
    }

    /// Opens a session; `nested` where another run of the same engine waits for it.
    ///
    /// # Errors
    /// As [`Interpreter::open`], and `queue_full`.
    pub fn open_for(&self, host: &Arc<dyn Host>, nested: bool) -> Result<Box<dyn Session>, Failure> {
        let language = self.local.languages().first().copied().unwrap_or(Language::Rhai);
        Ok(Box::new(self.workers.open(language.as_str(), language, host, nested)?))
    }
}

impl Remote {
    /// Opens a session that is going to live: for evaluations, one after another, in a namespace that stays.
    ///
    /// # Errors
    /// As [`Interpreter::open`].
    pub fn open_living(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Session + Send>, Failure> {
        let language = self.local.languages().first().copied().unwrap_or(Language::Rhai);
        Ok(Box::new(self.workers.open_living(language.as_str(), language, host)?))
    }
}

impl Interpreter for Remote {
    fn languages(&self) -> &[Language] {
        self.local.languages()
    }

    fn open(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
        self.open_for(host, false)
    }

    fn signature(&self, script: &Script) -> Option<Signature> {
        self.local.signature(script)
    }

    fn completeness(&self, script: &Script) -> Completeness {
        self.local.completeness(script)
    }

    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        self.workers.zygotes().get(self.local.languages().first().copied().unwrap_or(Language::Rhai).as_str())?;
        let mut caps = self.caps();
        caps::Tried::out(self.workers.zygotes())?.correct(&mut caps);
        Ok(caps)
    }

    fn caps(&self) -> Vec<CapStatus> {
        caps::of_interpreter(self.local.caps(), true)
    }
}

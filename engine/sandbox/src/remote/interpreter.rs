use crate::pool::Workers;
use skills_core::{
    CapStatus, Completeness, Enforcement, Failure, Host, Interpreter, Language, LimitName, Script, Session, Signature,
};
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
    pub fn open_living(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
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
        Ok(self.caps())
    }

    fn caps(&self) -> Vec<CapStatus> {
        caps(&*self.local)
    }
}

/// What each limit is worth for an interpreter in a worker: what the interpreter holds by itself, and what the host and the
/// kernel hold the worker to.
pub fn caps(local: &dyn Interpreter) -> Vec<CapStatus> {
    let mut caps = local.caps();
    for (name, detail) in [
        (LimitName::Time, "the host ends a worker that does not stop by itself"),
        (LimitName::Wall, "the host ends a worker that does not stop by itself"),
        (LimitName::Memory, "the kernel bounds the worker, and the host watches it"),
        (LimitName::Processes, "the kernel refuses processes, or the host counts them"),
        (LimitName::CpuPercent, "by quota where there is one, else the host stops and continues the worker"),
        (LimitName::Disk, "the private temporary folders hold no more"),
        (LimitName::FileSize, "the kernel bounds each file"),
    ] {
        let cap = CapStatus { name, status: Enforcement::Enforced, detail: detail.to_owned() };
        match caps.iter_mut().find(|cap| cap.name == name) {
            Some(known) => *known = cap,
            None => caps.push(cap),
        }
    }
    caps
}

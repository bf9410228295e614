//! Programs and bash: what starts them, and where they are looked for. The one place that names the launcher.

use crate::plan::{Isolation, Step};
use crate::worker::LazyWorkers;
use serde_json::Map;
use skills_core::{Completeness, Evaluation, Failure, Host, Language, Launcher, Script, Session, Usage};
use skills_executors::{Invocation, Machine, Resident, Shell, environment};
use skills_sandbox::ProgramLauncher;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// What an engine runs programs with.
pub(crate) struct Programs {
    /// What the host program gave to start them.
    pub(crate) launcher: Option<Arc<dyn Launcher>>,
    /// The folders that programs are looked for in.
    pub(crate) search: Vec<PathBuf>,
    /// Where nothing was given: what confined processes are started from, and the launcher that was made of it.
    pub(crate) workers: Arc<LazyWorkers>,
    made: OnceLock<Result<Arc<dyn Launcher>, Failure>>,
}

impl Default for Programs {
    /// Programs of the folders of the system.
    fn default() -> Programs {
        Programs {
            launcher: None,
            search: environment::PATH.split(':').map(PathBuf::from).collect(),
            workers: Arc::default(),
            made: OnceLock::new(),
        }
    }
}

impl Programs {
    /// What starts them.
    pub(crate) fn launcher(&self) -> Result<&Arc<dyn Launcher>, Failure> {
        let make = || {
            let zygotes = self.workers.get()?.zygotes();
            Ok(Arc::new(ProgramLauncher::new(Arc::clone(zygotes))) as Arc<dyn Launcher>)
        };
        match &self.launcher {
            Some(launcher) => Ok(launcher),
            None => self.made.get_or_init(make).as_ref().map_err(Failure::clone),
        }
    }

    /// Runs a program. One that stays has a session of a single request.
    pub(crate) fn run(&self, invocation: &Invocation, host: &Arc<dyn Host>) -> Evaluation {
        let run = || match request(invocation) {
            Some(script) => Ok(self.open(invocation, host)?.run(&script, &Map::new().into(), host)),
            None => Ok(skills_executors::run(invocation, self.machine()?, host)),
        };
        run().unwrap_or_else(|failure| Evaluation { result: Err(failure), usage: Usage::default() })
    }

    /// Starts a program that stays: one that is asked by its protocol, or a shell.
    pub(crate) fn open(&self, invocation: &Invocation, host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
        let machine = self.machine()?;
        Ok(match &invocation.protocol {
            Some(protocol) => Box::new(Resident::open(invocation, protocol, machine, host)?),
            None => Box::new(Shell::open(invocation, machine, host)?),
        })
    }

    /// Whether code of bash is all there, as bash says. Where bash cannot be asked, it is.
    pub(crate) fn completeness(&self, source: &str, host: &Arc<dyn Host>) -> Completeness {
        let asked = |machine| skills_executors::completeness(source, machine, host);
        self.machine().map_or(Completeness::Complete, asked)
    }

    fn machine(&self) -> Result<Machine<'_>, Failure> {
        Ok(Machine { launcher: &**self.launcher()?, search: &self.search })
    }
}

/// What a program that stays is asked, as a session evaluates it.
pub(crate) fn request(invocation: &Invocation) -> Option<Arc<Script>> {
    let source = invocation.request.clone()?;
    Some(Arc::new(Script { language: Language::Program, file: invocation.name.clone(), source }))
}

impl Step {
    /// Where it runs, where `asked` is asked for: a program has a process of its own whatever is asked.
    pub(crate) fn isolation(&self, asked: Option<Isolation>) -> Isolation {
        match (self, asked.unwrap_or_default()) {
            (Step::Program(_), Isolation::InProcess) => Isolation::Worker,
            (_, asked) => asked,
        }
    }
}

//! Programs and bash: what starts them, and where they are looked for. The one place that names the launcher.

use crate::plan::{Isolation, Step};
use crate::worker::LazyWorkers;
use skills_core::{Enforcement, Evaluation, Failure, Host, Launcher, LimitName, Session, Usage};
use skills_executors::{Invocation, Machine, Shell, environment};
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

    /// Runs a program.
    pub(crate) fn run(&self, invocation: &Invocation, host: &Arc<dyn Host>) -> Evaluation {
        match self.launcher() {
            Ok(launcher) => {
                let machine = Machine { launcher: &**launcher, search: &self.search };
                skills_executors::run(invocation, machine, host)
            }
            Err(failure) => Evaluation { result: Err(failure), usage: Usage::default() },
        }
    }

    /// Starts a shell that stays.
    pub(crate) fn open_shell(
        &self,
        invocation: &Invocation,
        host: &Arc<dyn Host>,
    ) -> Result<Box<dyn Session>, Failure> {
        let machine = Machine { launcher: &**self.launcher()?, search: &self.search };
        Ok(Box::new(Shell::open(invocation, machine, host)?))
    }
}

/// What a limit is worth for a program, which the operating system holds to it.
pub(crate) fn cap(name: LimitName) -> Enforcement {
    match name {
        LimitName::Operations | LimitName::Recursion => Enforcement::Unavailable,
        _ => Enforcement::Enforced,
    }
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

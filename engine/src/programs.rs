//! Programs and bash: what starts them, and where they are looked for.

use crate::plan::{Isolation, Step};
use skills_core::{Enforcement, ErrorKind, Evaluation, Failure, Host, Launcher, LimitName, Usage};
use skills_executors::{Invocation, Machine, environment};
use std::path::PathBuf;
use std::sync::Arc;

/// What an engine runs programs with.
pub(crate) struct Programs {
    /// Starts them, confined; `None` where this engine was given none.
    pub(crate) launcher: Option<Arc<dyn Launcher>>,
    /// The folders that programs are looked for in.
    pub(crate) search: Vec<PathBuf>,
}

impl Default for Programs {
    /// Nothing that starts programs, and the folders of the system.
    fn default() -> Programs {
        Programs { launcher: None, search: environment::PATH.split(':').map(PathBuf::from).collect() }
    }
}

impl Programs {
    /// Runs a program.
    pub(crate) fn run(&self, invocation: &Invocation, host: &Arc<dyn Host>) -> Evaluation {
        let Some(launcher) = &self.launcher else {
            let message =
                format!("`{}` is a program, and nothing here starts programs in confinement", invocation.name);
            let failure = Failure::new(ErrorKind::Unavailable, message).with_help(
                "run it with the `skills` command, or give the engine a launcher: `EngineBuilder::launcher`",
            );
            return Evaluation { result: Err(failure), usage: Usage::default() };
        };
        skills_executors::run(invocation, Machine { launcher: &**launcher, search: &self.search }, host)
    }

    /// What limits are worth for programs here: what the launcher found by trying, and what holds wherever it can start
    /// anything at all.
    pub(crate) fn caps(&self) -> Vec<(LimitName, Enforcement)> {
        let layers = self.launcher.as_ref().map(|launcher| launcher.layers()).unwrap_or_default();
        crate::plan::LIMIT_NAMES
            .into_iter()
            .map(|name| {
                let found = layers.iter().find(|layer| layer.name == name.as_str()).map(|layer| layer.status);
                let otherwise = match name {
                    LimitName::Operations | LimitName::Recursion => Enforcement::Unavailable,
                    _ => Enforcement::Enforced,
                };
                (name, found.unwrap_or(otherwise))
            })
            .collect()
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

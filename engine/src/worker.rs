//! The workers of an engine, and what a process does that was started as one.

use crate::engine::Inner;
use crate::languages::KERNELS;
use crate::{Engine, Error};
#[cfg(not(all(target_os = "linux", feature = "container")))]
use skills_core::ErrorKind;
use skills_core::{CapStatus, Failure, Host, Interpreter, Language, Layer, Session};
use skills_sandbox::{Executable, PoolFigures, PoolSettings, Workers, Zygotes};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Where workers come from, and how many there may be.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerSettings {
    /// The executable that the host program names.
    pub(crate) executable: Option<PathBuf>,
    /// Whether the host program's own `main` calls [`worker_main`].
    pub(crate) reexec: bool,
    pub(crate) pool: PoolSettings,
    /// Where containers come from.
    #[cfg(all(target_os = "linux", feature = "container"))]
    pub(crate) containers: skills_sandbox::container::ContainerOptions,
}

/// The workers of an engine, from when they are first wanted.
#[derive(Debug, Default)]
pub(crate) struct LazyWorkers {
    settings: WorkerSettings,
    made: OnceLock<Result<Arc<Workers>, Failure>>,
    #[cfg(all(target_os = "linux", feature = "container"))]
    containers: OnceLock<Result<skills_sandbox::container::Containers, Failure>>,
}

impl LazyWorkers {
    pub(crate) fn new(settings: WorkerSettings) -> LazyWorkers {
        LazyWorkers { settings, ..LazyWorkers::default() }
    }

    /// The workers, where any were wanted by now.
    pub(crate) fn existing(&self) -> Option<&Arc<Workers>> {
        self.made.get()?.as_ref().ok()
    }

    /// The workers. Only looks for the executable.
    pub(crate) fn get(&self) -> Result<&Arc<Workers>, Failure> {
        let make = || {
            let executable = Executable::find(self.settings.executable.as_deref(), self.settings.reexec)?;
            let zygotes = Arc::new(Zygotes::new(executable, Vec::new()));
            Ok(Arc::new(Workers::new(zygotes, self.settings.pool.clone())))
        };
        self.made.get_or_init(make).as_ref().map_err(Failure::clone)
    }
}

#[cfg(all(target_os = "linux", feature = "container"))]
impl LazyWorkers {
    /// The container engine, asked once.
    pub(crate) fn containers(&self) -> Result<&skills_sandbox::container::Containers, Failure> {
        let connect = || skills_sandbox::container::Containers::connect(self.settings.containers.clone());
        self.containers.get_or_init(connect).as_ref().map_err(Failure::clone)
    }

    /// Opens a session of an interpreter in a container.
    pub(crate) fn open_in_container(
        &self,
        interpreter: &Arc<dyn Interpreter>,
        host: &Arc<dyn Host>,
    ) -> Result<Box<dyn Session>, Failure> {
        let executable = Executable::find(self.settings.executable.as_deref(), self.settings.reexec)?;
        skills_sandbox::remote::open_in_container(self.containers()?, executable.path(), interpreter, host)
    }
}

#[cfg(all(target_os = "linux", feature = "container"))]
impl LazyWorkers {
    /// What limits are worth in a container for an interpreter, where a container engine answers.
    pub(crate) fn container_caps(&self, interpreter: &dyn Interpreter) -> Option<Vec<CapStatus>> {
        Some(self.containers().ok()?.caps(interpreter.caps()))
    }
}

#[cfg(not(all(target_os = "linux", feature = "container")))]
impl LazyWorkers {
    /// There are none.
    pub(crate) fn container_caps(&self, _interpreter: &dyn Interpreter) -> Option<Vec<CapStatus>> {
        None
    }

    fn none() -> Failure {
        Failure::new(ErrorKind::Unavailable, "this build runs nothing in containers")
            .with_help("build the crate `skills` with its feature `container`, or use `--isolation worker`")
    }

    /// That there is none.
    pub(crate) fn containers(&self) -> Result<(), Failure> {
        Err(LazyWorkers::none())
    }

    /// That there is none.
    pub(crate) fn open_in_container(
        &self,
        _interpreter: &Arc<dyn Interpreter>,
        _host: &Arc<dyn Host>,
    ) -> Result<Box<dyn Session>, Failure> {
        Err(LazyWorkers::none())
    }
}

impl Engine {
    /// Whether code can be confined in workers on this machine, in every language of this engine: tries it, with a worker of
    /// each that does nothing.
    ///
    /// # Errors
    /// `unavailable`, with what to do about it.
    pub fn workers_available(&self) -> Result<(), Error> {
        let inner = &self.inner;
        inner.worker_available(None)?;
        inner.workers.get()?.zygotes().try_one()?;
        for language in self.languages() {
            inner.worker_available(Some(language))?;
        }
        Ok(())
    }

    /// Whether a container engine answers, for the tier `container`; the first time, this asks it.
    ///
    /// # Errors
    /// `unavailable`, with what to do about it.
    pub fn containers_available(&self) -> Result<(), Error> {
        self.inner.container_available().map_err(Error::from)
    }

    /// How many workers there are, and what they did so far.
    pub fn pool(&self) -> PoolFigures {
        self.inner.workers.existing().map(|workers| workers.figures()).unwrap_or_default()
    }

    /// The layers of confinement, each as it was found on this machine by trying it; none where nothing could be tried.
    pub fn layers(&self) -> Vec<Layer> {
        self.inner.programs.launcher().map(|launcher| launcher.layers()).unwrap_or_default()
    }
}

impl Inner {
    /// Whether code of a language can be confined in workers here, or programs: starts what they are forked from, which has all
    /// that does not differ between them.
    ///
    /// # Errors
    /// `unavailable`, with what to do about it.
    pub(crate) fn worker_available(&self, language: Option<Language>) -> Result<(), Failure> {
        let interpreter = language.and_then(|language| self.languages.get(language));
        let kind =
            interpreter.and_then(|interpreter| interpreter.languages().first()).map(|language| language.as_str());
        self.workers.get()?.zygotes().get(kind.unwrap_or("command")).map(drop)
    }

    /// Whether a container engine answers; the first time, this asks it.
    ///
    /// # Errors
    /// `unavailable`, with what to do about it.
    pub(crate) fn container_available(&self) -> Result<(), Failure> {
        self.workers.containers().map(drop)
    }
}

/// Call this first thing in `main` of a program that workers are started from, before any thread is there: it returns at
/// once in an ordinary process, and never in a worker.
pub fn worker_main() {
    skills_sandbox::entry(KERNELS);
}

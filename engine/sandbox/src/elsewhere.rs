//! A system that confinement is not written for: all that a host program asks of this crate, which answers that it is not
//! available. It is built for the tests of other systems too, so that it stays whole.

use crate::{Executable, Kernel, PoolFigures, PoolSettings};
use skills_core::{CapStatus, Enforcement, ErrorKind, Failure, Host, Launcher, Layer, LimitName, Program, Ran};
use std::path::PathBuf;
use std::sync::Arc;

/// Makes the kernel of a kind.
pub type MakeKernel = fn() -> Box<dyn Kernel>;

/// Would serve as a worker; there are none on this system.
pub fn entry(_kernels: &[(&str, MakeKernel)]) {}

const WHY: &str = "confinement exists on Linux only";

fn unavailable() -> Failure {
    Failure::new(ErrorKind::Unavailable, WHY).with_help("run code that you trust with `--isolation in-process`")
}

/// What would fork confined processes.
#[derive(Debug)]
pub struct Zygote;

/// The zygotes of one worker executable.
#[derive(Debug)]
pub struct Zygotes(Executable);

impl Zygotes {
    /// Those of an executable. Nothing is started.
    pub fn new(executable: Executable, _needs: Vec<PathBuf>) -> Zygotes {
        Zygotes(executable)
    }

    /// The executable.
    pub fn executable(&self) -> &Executable {
        &self.0
    }

    /// Would give the zygote of a kind.
    ///
    /// # Errors
    /// `unavailable`, always.
    pub fn get(&self, _kind: &str) -> Result<Arc<Zygote>, Failure> {
        Err(unavailable())
    }

    /// Would confine a process.
    ///
    /// # Errors
    /// `unavailable`, always.
    pub fn try_one(&self) -> Result<(), Failure> {
        Err(unavailable())
    }
}

/// The workers of an engine: none.
#[derive(Debug)]
pub struct Workers(Arc<Zygotes>);

impl Workers {
    /// Would have some ready.
    pub fn new(zygotes: Arc<Zygotes>, _settings: PoolSettings) -> Workers {
        Workers(zygotes)
    }

    /// What would make them.
    pub fn zygotes(&self) -> &Arc<Zygotes> {
        &self.0
    }

    /// Nothing is ready, and nothing was done.
    pub fn figures(&self) -> PoolFigures {
        PoolFigures::default()
    }
}

/// Runs programs in confinement: none, on this system.
#[derive(Debug)]
pub struct ProgramLauncher;

impl ProgramLauncher {
    /// A launcher of these zygotes.
    pub fn new(_zygotes: Arc<Zygotes>) -> ProgramLauncher {
        ProgramLauncher
    }
}

impl Launcher for ProgramLauncher {
    fn run(&self, _program: &Program, _host: &Arc<dyn Host>) -> Result<Ran, Failure> {
        Err(unavailable())
    }

    fn layers(&self) -> Vec<Layer> {
        let layer = |name: crate::LayerName| Layer {
            name: name.as_str(),
            status: Enforcement::Unavailable,
            detail: WHY.to_owned(),
        };
        crate::LayerName::ALL.map(layer).to_vec()
    }

    fn caps(&self) -> Vec<CapStatus> {
        caps::of_programs()
    }
}

/// What each limit is worth in a confined process: nothing, because there is none.
pub mod caps {
    use super::{CapStatus, Enforcement, LimitName, WHY};

    /// For a program.
    pub fn of_programs() -> Vec<CapStatus> {
        LimitName::ALL.map(|name| CapStatus { name, status: Enforcement::Unavailable, detail: WHY.to_owned() }).to_vec()
    }

    /// For an interpreter.
    pub fn of_interpreter(_local: Vec<CapStatus>, _starts: bool) -> Vec<CapStatus> {
        of_programs()
    }
}

/// The outside of workers.
pub mod remote {
    use super::{CapStatus, Failure, Host, Workers, caps, unavailable};
    use skills_core::{Completeness, Interpreter, Language, Script, Session, Signature};
    use std::sync::Arc;

    /// An interpreter whose sessions would be workers.
    pub struct Remote(Arc<dyn Interpreter>);

    impl Remote {
        /// The workers for the languages of an interpreter.
        pub fn new(_workers: Arc<Workers>, local: Arc<dyn Interpreter>) -> Remote {
            Remote(local)
        }

        /// Would open a session.
        ///
        /// # Errors
        /// `unavailable`, always.
        pub fn open_for(&self, _host: &Arc<dyn Host>, _nested: bool) -> Result<Box<dyn Session>, Failure> {
            Err(unavailable())
        }

        /// Would open a session that is going to live.
        ///
        /// # Errors
        /// `unavailable`, always.
        pub fn open_living(&self, _host: &Arc<dyn Host>) -> Result<Box<dyn Session + Send>, Failure> {
            Err(unavailable())
        }
    }

    impl Interpreter for Remote {
        fn languages(&self) -> &[Language] {
            self.0.languages()
        }

        fn open(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
            self.open_for(host, false)
        }

        fn signature(&self, script: &Script) -> Option<Signature> {
            self.0.signature(script)
        }

        fn completeness(&self, script: &Script) -> Completeness {
            self.0.completeness(script)
        }

        fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
            Err(unavailable())
        }

        fn caps(&self) -> Vec<CapStatus> {
            caps::of_interpreter(Vec::new(), false)
        }
    }
}

/// The inside of workers.
pub mod worker {
    use super::{Failure, Kernel, unavailable};
    use skills_core::Interpreter;
    use std::os::fd::OwnedFd;
    use std::sync::Arc;

    /// The kernel of an interpreter. No zygote asks it for anything.
    pub struct Interpreting;

    impl Interpreting {
        /// The kernel of an interpreter.
        pub fn new(_interpreter: Arc<dyn Interpreter>) -> Interpreting {
            Interpreting
        }
    }

    impl Kernel for Interpreting {
        fn warm(&mut self) -> Result<(), Failure> {
            Err(unavailable())
        }

        fn serve(&mut self, _descriptors: Vec<OwnedFd>) -> ! {
            loop {
                std::thread::park();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_for_is_unavailable_with_the_way_out() {
        let zygotes = Arc::new(Zygotes::new(Executable::at("/nowhere"), Vec::new()));
        let workers = Workers::new(Arc::clone(&zygotes), PoolSettings::default());
        for failure in [zygotes.get("python").unwrap_err(), workers.zygotes().try_one().unwrap_err()] {
            assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::Unavailable, WHY));
            assert!(failure.help.unwrap().contains("--isolation in-process"));
        }
        assert_eq!(workers.figures(), PoolFigures::default());
        let launcher = ProgramLauncher::new(zygotes);
        assert!(launcher.layers().iter().all(|layer| layer.status == Enforcement::Unavailable));
        for caps in [launcher.caps(), caps::of_interpreter(Vec::new(), true)] {
            assert_eq!(caps.len(), LimitName::ALL.len());
            assert!(caps.iter().all(|cap| cap.status == Enforcement::Unavailable), "nothing passes for held");
        }
    }
}

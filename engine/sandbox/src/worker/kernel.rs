use super::serve;
use crate::zygote::Kernel;
use skills_core::{Failure, Fork, Interpreter};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

/// The kernel of an interpreter: what a zygote has warm, and a session in each of its forks.
///
/// A fork is given its socket, what becomes its standard output and its standard error, and perhaps where it is told to stop.
pub struct Interpreting {
    interpreter: Arc<dyn Interpreter>,
}

impl Interpreting {
    /// The kernel of an interpreter.
    pub fn new(interpreter: Arc<dyn Interpreter>) -> Interpreting {
        Interpreting { interpreter }
    }
}

impl Kernel for Interpreting {
    fn warm(&mut self) -> Result<(), Failure> {
        // Threads share one heap: those of a worker wait for one another anyhow, and each heap reserves address space.
        // SAFETY: no other thread allocates.
        unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
        self.interpreter.prepare_fork()
    }

    fn needs(&self) -> Vec<PathBuf> {
        self.interpreter.needs()
    }

    fn before_fork(&mut self) {
        self.interpreter.forking(Fork::Before);
    }

    fn after_fork_in_parent(&mut self) {
        self.interpreter.forking(Fork::InParent);
    }

    fn after_fork_in_child(&mut self) {
        self.interpreter.forking(Fork::InChild);
    }

    fn serve(&mut self, descriptors: Vec<OwnedFd>) -> ! {
        let mut descriptors = descriptors.into_iter();
        let (Some(socket), Some(stdout), Some(stderr)) = (descriptors.next(), descriptors.next(), descriptors.next())
        else {
            end(80)
        };
        let control = descriptors.next();
        if rustix::stdio::dup2_stdout(&stdout).is_err() || rustix::stdio::dup2_stderr(&stderr).is_err() {
            end(81);
        }
        drop((stdout, stderr));
        let interpreter = Arc::clone(&self.interpreter);
        self.interpreter.in_fork(Box::new(move || {
            let of = |language| interpreter.languages().contains(&language).then(|| Arc::clone(&interpreter));
            let served = serve(socket, control, of);
            end(if served.is_ok() { 0 } else { 82 })
        }));
        end(83)
    }
}

/// Ends the process at once: nothing of it is worth an orderly end.
fn end(code: i32) -> ! {
    crate::zygote::server::end(code)
}

use skills_core::Failure;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// What a zygote of one kind has ready, and what its forks do.
///
/// All of it runs in the worker executable, on its only thread.
pub trait Kernel {
    /// Makes ready what every fork shares, such as a started interpreter. No thread may be left running.
    ///
    /// # Errors
    /// Why it cannot; the host gets it as the failure of what it wanted to run.
    fn warm(&mut self) -> Result<(), Failure>;

    /// Files and folders of the host that a fork reads, such as the interpreter's library. Asked after [`Kernel::warm`].
    fn needs(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Called before each fork.
    fn before_fork(&mut self) {}

    /// Called in the zygote after each fork, also after one that failed.
    fn after_fork_in_parent(&mut self) {}

    /// Called in the child after the fork, before it is confined.
    fn after_fork_in_child(&mut self) {}

    /// Serves one session in a confined child, with the descriptors that the host gave it, and ends the process.
    fn serve(&mut self, descriptors: Vec<OwnedFd>) -> !;
}

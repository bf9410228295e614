use super::line::Line;
use super::process::{Contained, Process};
use super::session::{RemoteSession, no_room};
use crate::Cage;
use crate::container::{Containers, inside};
use crate::frame::Open;
use rustix::pipe::{PipeFlags, pipe_with};
use skills_core::{ErrorKind, Failure, Host, Interpreter, Language, Session};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// Opens a session in a container of its own, which runs the worker executable.
///
/// # Errors
/// `unavailable` with what the container engine answered, and as [`Interpreter::open`].
pub fn open_in_container(
    containers: &Containers,
    executable: &Path,
    interpreter: &Arc<dyn Interpreter>,
    host: &Arc<dyn Host>,
) -> Result<Box<dyn Session>, Failure> {
    let language = interpreter.languages().first().copied().unwrap_or(Language::Rhai);
    let limits = host.budget().limits();
    let cage = Cage::new(host.grants(), limits);
    let executable = real(executable)?;
    let command = vec![executable.display().to_string(), inside::ARGUMENT.to_owned(), language.as_str().to_owned()];
    let mut needs = interpreter.needs();
    needs.push(executable);
    let (container, frames, errors) = containers.start(&cage, limits.cpu_percent, command, &needs)?;
    // All that is printed past the frames comes over one stream.
    let (nothing, _) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| no_room(&error))?;
    let line = Line::new(OwnedFd::from(frames), nothing, OwnedFd::from(errors)).map_err(|error| no_room(&error))?;
    let functions = Arc::clone(host.functions());
    let globals = (0..functions.len()).map(|index| host.is_global(index)).collect();
    let open = Open { language, functions, globals, memory: limits.memory };
    let process = Process::Contained(Contained::new(container));
    Ok(Box::new(RemoteSession::open(line, process, None, open, host)?))
}

/// The file itself: a link to it means nothing to the engine.
#[expect(clippy::disallowed_methods, reason = "the worker executable is named by the host program")]
fn real(executable: &Path) -> Result<std::path::PathBuf, Failure> {
    executable.canonicalize().map_err(|error| {
        let message = format!("the worker executable {} cannot be found: {error}", executable.display());
        Failure::new(ErrorKind::Unavailable, message)
    })
}

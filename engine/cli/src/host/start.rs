//! Starting the host, from a client.

#![expect(clippy::disallowed_methods, reason = "the one place that starts a process of the command itself")]

use super::frame;
use super::process::{ARGUMENT, Start, Started};
use crate::context::Context;
use crate::surroundings::Surroundings;
use skills::{Error, ErrorKind};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// After how long without sessions and clients the host ends.
const IDLE: Duration = Duration::from_secs(600);

/// The variable that says otherwise.
pub(super) const IDLE_VARIABLE: &str = "SKILLS_HOST_IDLE";

/// How long a host may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the host gets of the environment of whoever starts it: what a program needs to start at all. All else belongs to
/// that client, and comes to its own sessions only.
const KEPT: [&str; 8] = ["HOME", "PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "RUST_BACKTRACE"];

/// Starts a host for the folder, and waits until it listens.
pub(super) fn host(folder: &Path, surroundings: &Surroundings) -> Result<(), Error> {
    let idle = idle(&Context::of(surroundings.clone()), surroundings)?;
    let log = surroundings.own_folder("XDG_STATE_HOME", ".local/state").map(|folder| folder.join("session-host.log"));
    let log = log.map(|path| path.into_os_string());
    let start = Start { folder: folder.as_os_str().to_owned(), log, idle };
    let started = launch(&start, surroundings).unwrap_or_else(|error| Err(error.to_string()));
    started.map_err(|why| {
        Error::new(ErrorKind::Unavailable, format!("the session host does not start: {why}"))
            .with_help("without `--session`, code runs without it")
    })
}

/// After how long of nothing a host that is started now ends: what the environment says, else the user's configuration.
pub(crate) fn idle(context: &Context, surroundings: &Surroundings) -> Result<Duration, Error> {
    match surroundings.var(IDLE_VARIABLE) {
        Some(text) => crate::words::duration(&text)
            .map_err(|why| Error::new(ErrorKind::InvalidArguments, format!("{IDLE_VARIABLE} is `{text}`: {why}"))),
        None => Ok(context.host_idle().unwrap_or(IDLE)),
    }
}

fn launch(start: &Start, surroundings: &Surroundings) -> io::Result<Started> {
    let (mut own, other) = UnixStream::pair()?;
    let kept = KEPT.iter().filter_map(|name| surroundings.var_os(name).map(|value| (name, value)));
    // By the link: the one that runs, whatever its path leads to by now.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("skills").arg(ARGUMENT).env_clear().envs(kept).current_dir("/");
    command.stdin(OwnedFd::from(other)).stdout(Stdio::null()).stderr(Stdio::null());
    // It lives on its own from here on.
    drop(command.spawn()?);
    drop(command);
    own.set_read_timeout(Some(PATIENCE))?;
    own.set_write_timeout(Some(PATIENCE))?;
    frame::send(&mut own, start)?;
    let gone = || io::Error::other("it ended at once");
    frame::receive::<Started>(&mut own, frame::MOST_GREETING)?.ok_or_else(gone)
}

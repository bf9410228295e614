//! What `skill` itself does: it asks, prints the value as JSON, and ends with 1 where there is none.
#![expect(clippy::disallowed_methods, reason = "it is a program of its own, started by a skill")]
#![expect(clippy::print_stderr, reason = "it is a program of its own, which prints")]

use super::{Answer, Ask, NAME, VARIABLE};
use crate::zygote::wire;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Runs as `skill`, where the process was started as that, and ends it; returns otherwise.
pub(crate) fn run() {
    let mut words = std::env::args_os();
    let named = words.next().is_some_and(|name| Path::new(&name).file_name().is_some_and(|name| name == NAME));
    let Some(number) = std::env::var(VARIABLE).ok().and_then(|number| number.parse::<i32>().ok()).filter(|_| named)
    else {
        return;
    };
    // SAFETY: asking about a descriptor that is not open answers with an error.
    if number < 3 || unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
        return fail("the descriptor to the host is closed in this process");
    }
    // SAFETY: it is open, and nothing else of this process has it: it was inherited.
    let door = unsafe { OwnedFd::from_raw_fd(number) };
    let words = words.map(|word| word.to_string_lossy().into_owned()).collect();
    match ask(&door, &Ask { words }) {
        Ok(Answer::Value(value)) => finish(&format!("{value}\n")),
        Ok(Answer::Text(text)) => finish(&text),
        Ok(Answer::Failure(failure)) => {
            let help = failure.help.map(|help| format!("\nhelp: {help}")).unwrap_or_default();
            fail(&format!("{}{help}", failure.message))
        }
        Err(error) => fail(&format!("the host does not answer: {error}")),
    }
}

fn ask(door: &OwnedFd, ask: &Ask) -> io::Result<Answer> {
    let (mut near, far) = UnixStream::pair()?;
    wire::send_visit(door.as_fd(), far.as_fd())?;
    drop(far);
    near.write_all(&serde_json::to_vec(ask)?)?;
    near.shutdown(std::net::Shutdown::Write)?;
    let mut answer = Vec::new();
    near.read_to_end(&mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}

fn finish(text: &str) {
    let failed = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()).is_err();
    crate::zygote::server::end(i32::from(failed))
}

fn fail(message: &str) {
    eprintln!("{NAME}: {message}");
    crate::zygote::server::end(1)
}

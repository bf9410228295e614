//! Programs that print secrets: `"secrets": {"api": {"command": ["pass", "show", "api"]}}`.

use crate::surroundings::Surroundings;
use skills::{ErrorKind, Failure, SecretCommand, SecretString};
use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The most that is read of what a program prints.
const MOST: usize = 128 << 10;

/// Runs them with the user's own rights, where the user stands: the user's configuration names them, and no project's can.
pub(crate) struct Commands {
    surroundings: Arc<Surroundings>,
}

impl Commands {
    /// Those of a user with these surroundings.
    pub(crate) fn new(surroundings: Arc<Surroundings>) -> Commands {
        Commands { surroundings }
    }
}

impl SecretCommand for Commands {
    #[expect(clippy::disallowed_methods, reason = "the user's configuration names the program")]
    fn output(&self, program: &[String], timeout: Duration) -> Result<SecretString, Failure> {
        let Some((name, arguments)) = program.split_first() else { return Err(failed("no program is named")) };
        let failed = |why: String| failed(format!("`{name}` {why}"));
        let mut command = Command::new(name);
        // What it has to say to a person goes to the terminal; it reads nothing that is meant for the skill.
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let variables = self.surroundings.variables().iter().map(|(name, value)| (name, value));
        command.current_dir(self.surroundings.cwd()).env_clear().envs(variables);
        let mut child = command.spawn().map_err(|error| failed(format!("cannot be started: {error}")))?;
        let result = read(&mut child, timeout);
        if result.is_none() {
            drop(child.kill());
            drop(child.wait());
        }
        let (bytes, status) = result.ok_or_else(|| failed(format!("took more than {} s", timeout.as_secs())))?;
        if !status.success() {
            return Err(failed(format!("failed: {status}")));
        }
        let text = String::from_utf8(bytes).map_err(|_| failed("printed what is not UTF-8".to_owned()))?;
        Ok(SecretString::from(text))
    }
}

/// What it prints, and how it ended; `None` where it takes too long.
fn read(child: &mut Child, timeout: Duration) -> Option<(Vec<u8>, ExitStatus)> {
    let until = Instant::now() + timeout;
    let stdout = child.stdout.take()?;
    let (sender, receiver) = channel();
    // Of its own: a program that the child left behind may keep the pipe open.
    std::thread::spawn(move || {
        let mut bytes = Vec::with_capacity(MOST);
        drop(stdout.take(MOST as u64).read_to_end(&mut bytes));
        drop(sender.send(bytes));
    });
    let bytes = receiver.recv_timeout(timeout).ok()?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some((bytes, status)),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
            _ => return None,
        }
    }
}

fn failed(why: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Unavailable, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use skills::core::ExposeSecret as _;

    fn output(program: &[&str], timeout: Duration) -> Result<String, String> {
        let program: Vec<String> = program.iter().map(ToString::to_string).collect();
        let output = Commands::new(Arc::new(Surroundings::own())).output(&program, timeout);
        output.map(|text| text.expose_secret().to_owned()).map_err(|failure| failure.message)
    }

    #[test]
    fn what_a_program_prints_is_the_secret() {
        assert_eq!(output(&["printf", "%s", "a b"], Duration::from_secs(60)).unwrap(), "a b");
    }

    #[test]
    fn a_program_that_gives_none_is_an_error_that_says_why() {
        let minute = Duration::from_secs(60);
        assert!(output(&["/no/such/program"], minute).unwrap_err().starts_with("`/no/such/program` cannot be started"));
        assert_eq!(output(&["false"], minute).unwrap_err(), "`false` failed: exit status: 1");
        assert_eq!(output(&["printf", "\\377"], minute).unwrap_err(), "`printf` printed what is not UTF-8");
        assert_eq!(output(&["sleep", "600"], Duration::ZERO).unwrap_err(), "`sleep` took more than 0 s");
        assert_eq!(output(&[], minute).unwrap_err(), "no program is named");
    }
}

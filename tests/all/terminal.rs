//! The command in a terminal of the tests.

use crate::support::Sandbox;
use rexpect::session::{PtySession, spawn_command};
use std::process::Command;

/// How long something may take to appear. Long: the machine may be busy.
const PATIENCE_MS: u64 = 120_000;

/// The command in a pseudo-terminal of 80 columns and 24 rows.
pub(crate) struct Terminal {
    session: PtySession,
}

impl Terminal {
    /// Starts it with arguments and with environment variables beside the usual ones, and waits for the prompt: the terminal
    /// changes keys that are pressed before. What it shows has no colours.
    #[track_caller]
    pub(crate) fn open(sandbox: &Sandbox, arguments: &[&str], environment: &[(&str, &str)]) -> Terminal {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skills"));
        command.args(arguments).current_dir(sandbox.path()).env_clear();
        command.env("HOME", sandbox.folder.path()).env("PATH", "/usr/bin:/bin").env("TERM", "xterm");
        command.env("NO_COLOR", "1").env("PAGER", "cat");
        // Neither the session host nor the temporary files of whoever runs the tests.
        command.env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
        command.env("TMPDIR", sandbox.folder.path().join("tmp"));
        for (name, value) in environment {
            match value.is_empty() {
                true => command.env_remove(name),
                false => command.env(name, value),
            };
        }
        let mut terminal = Terminal { session: spawn_command(command, Some(PATIENCE_MS)).unwrap() };
        terminal.resize(80, 24);
        terminal.sees("> ");
        terminal
    }

    /// Gives it another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let size = rustix::termios::Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(self.session.process.get_file_handle().unwrap(), size).unwrap();
    }

    /// Types keys.
    pub(crate) fn keys(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
    }

    /// Types a line, and presses Enter.
    pub(crate) fn line(&mut self, line: &str) {
        self.keys(&format!("{line}\r"));
    }

    /// Waits for a text, and gives what was shown before it.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> String {
        // Each byte comes as a character of its own.
        let bytes: String = text.bytes().map(char::from).collect();
        let before = self.session.exp_string(&bytes).map(|before| decoded(&before));
        before.unwrap_or_else(|error| panic!("`{text}` did not appear: {}", decoded(&error.to_string())))
    }

    /// Types a line, and waits for a text that only comes of it.
    #[track_caller]
    pub(crate) fn says(&mut self, line: &str, text: &str) -> String {
        self.line(line);
        self.sees(text)
    }

    /// Waits for the end, and gives what was shown before it.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> String {
        decoded(&self.session.exp_eof().unwrap_or_else(|error| panic!("it does not end: {error}")))
    }
}

fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

//! What the terminal is like that a session is shown in.

use clap::builder::styling::Style;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::IsTerminal as _;

/// Where values and errors are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Whether a person looks at it.
    pub(crate) terminal: bool,
    /// Whether colours are seen.
    pub(crate) color: bool,
    /// The size where it is fixed: in tests.
    fixed: Option<(usize, usize)>,
}

/// The size of what has none: columns and rows.
const USUAL: (usize, usize) = (80, 24);

impl Screen {
    /// That of standard output.
    pub(crate) fn new() -> Screen {
        let stdout = std::io::stdout();
        let color = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        Screen { terminal: stdout.is_terminal(), color: color && stdout.is_terminal(), fixed: None }
    }

    /// One without colours and with a size of its own.
    #[cfg(test)]
    pub(crate) fn plain(columns: usize, rows: usize) -> Screen {
        Screen { terminal: true, color: false, fixed: Some((columns, rows)) }
    }

    /// Its columns and rows, as they are now.
    pub(crate) fn size(&self) -> (usize, usize) {
        let asked = || rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok();
        let size = |size: rustix::termios::Winsize| (usize::from(size.ws_col), usize::from(size.ws_row));
        let real = || asked().map(size).filter(|(columns, rows)| *columns > 0 && *rows > 0);
        self.fixed.or_else(real).unwrap_or(USUAL)
    }

    /// A text in a style, where colours are seen.
    pub(crate) fn styled(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// While this lives, keys that are pressed are not shown: they are for the next prompt, which shows them.
pub(crate) struct Unseen(Option<Termios>);

impl Unseen {
    /// Hides what is typed on standard input.
    pub(crate) fn new() -> Unseen {
        let before = tcgetattr(rustix::stdio::stdin()).ok();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHO);
            set(&quiet);
        }
        Unseen(before)
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            set(before);
        }
    }
}

fn set(modes: &Termios) {
    // Where this fails there is no terminal any more.
    let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, modes);
}

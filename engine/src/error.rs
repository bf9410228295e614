use crate::{Diagnostic, Outcome};
use skills_core::{Breach, ErrorKind, Failure, Frame};
use std::sync::Arc;

/// Why the engine has no value to give.
///
/// Opaque: ask [`Error::kind`] what to do, show [`Error`] itself (or [`Error::render`]) to a person.
///
/// ```
/// # fn main() -> Result<(), skills::Error> {
/// let engine = skills::Engine::new()?;
/// let error = engine.run("no-such-skill", serde_json::json!({})).unwrap_err();
/// assert_eq!(error.kind(), skills::ErrorKind::NotFound);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    failure: Failure,
    diagnostics: Vec<Diagnostic>,
    outcome: Option<Box<Outcome>>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a kind with a message for a person.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::from(Failure::new(kind, message))
    }

    /// The same error with a hint of what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Error {
        self.0.failure.help = Some(help.into());
        self
    }

    /// The same error with the one beneath it.
    #[must_use]
    pub(crate) fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same error with what is wrong in a definition.
    #[must_use]
    pub(crate) fn with_diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> Error {
        self.0.diagnostics = diagnostics;
        self
    }

    /// The same error with the outcome of the run that failed.
    pub(crate) fn with_outcome(mut self, outcome: Outcome) -> Error {
        self.0.outcome = Some(Box::new(outcome));
        self
    }

    /// What sort of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.failure.kind
    }

    /// What happened, in one line or a few, without a full stop.
    pub fn message(&self) -> &str {
        &self.0.failure.message
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        self.0.failure.help.as_deref()
    }

    /// The script's call stack, innermost first; empty where no script failed.
    pub fn frames(&self) -> &[Frame] {
        &self.0.failure.frames
    }

    /// The limit that was reached, with what it allowed and what was read.
    pub fn limit(&self) -> Option<Breach> {
        self.0.failure.limit
    }

    /// What is wrong with a definition, each with its place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0.diagnostics
    }

    /// Everything else about the run that failed: what it printed, what it used. `None` where nothing ran.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.0.outcome.as_deref()
    }

    /// The plain data of the error.
    pub fn failure(&self) -> &Failure {
        &self.0.failure
    }

    /// The error for a person: the message, the script's own source line with its place, the hint; or every
    /// diagnostic with its excerpt. `color` adds terminal colours to diagnostics.
    pub fn render(&self, color: bool) -> String {
        let mut out = format!("error: {}\n", printable(self.message()));
        for diagnostic in self.diagnostics() {
            out.push_str(&diagnostic.render(color));
            out.push('\n');
        }
        for frame in self.frames() {
            let Frame { file, line, column, function, source } = frame;
            out.push_str(&format!("  --> {}:{line}", printable(file)));
            if *column > 0 {
                out.push_str(&format!(":{column}"));
            }
            if let Some(function) = function {
                out.push_str(&format!(" in {}", printable(function)));
            }
            out.push('\n');
            if let Some(source) = source {
                out.push_str(&printable(&excerpt(source, *line, *column)));
            }
        }
        if let Some(help) = self.help() {
            out.push_str(&format!("help: {}\n", printable(help)));
        }
        out
    }
}

/// A text of a script's without what a terminal would act on.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

/// One source line with a caret below the column, cut to what a terminal shows.
fn excerpt(source: &str, line: u32, column: u32) -> String {
    const WIDEST: usize = 120;
    let text: String = source.chars().take(WIDEST).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    let mut out = format!("{gutter}  |\n{number}  | {text}\n");
    if (1..=WIDEST as u32).contains(&column) {
        out.push_str(&format!("{gutter}  | {}^\n", " ".repeat(column as usize - 1)));
    }
    out
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error(Box::new(Inner { failure, diagnostics: Vec::new(), outcome: None, source: None }))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Error {
    /// What lies beneath: the error of the system or of a source, or the first thing that is wrong in a definition.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Some(source) => Some(&**source),
            None => self.0.diagnostics.iter().find(|d| d.is_error()).map(|d| d as &(dyn std::error::Error + 'static)),
        }
    }
}

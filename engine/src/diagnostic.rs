//! What is wrong with a definition, and where.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::Serialize;
use std::ops::Range;
use std::sync::Arc;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// The skill loads, but something in it is not as it should be.
    Warning,
    /// The skill does not load.
    Error,
}

/// One thing that is wrong in a file: a code, what, where, and what to do.
///
/// Serialises as `{"code","severity","message","help","file","line","column"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// A stable code such as `S0012`; `skills validate --help` says where they are listed.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The bytes of `source` it is about.
    #[serde(skip)]
    pub span: Range<usize>,
    /// The whole text of the file, for the excerpt; `None` where it could not be read.
    #[serde(skip)]
    pub source: Option<Arc<str>>,
}

impl Diagnostic {
    /// A diagnostic about a span of bytes of a file's text; a span that the text does not have is cut to fit.
    pub fn at(
        code: &'static str,
        severity: Severity,
        file: &str,
        source: &Arc<str>,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Diagnostic {
        let span = fit(source, span);
        let before = &source[..span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Diagnostic {
            code,
            severity,
            message: clipped(message.into()),
            help: None,
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span,
            source: Some(Arc::clone(source)),
        }
    }

    /// A diagnostic about a whole file, whose text is not at hand.
    pub fn of_file(code: &'static str, severity: Severity, file: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity,
            message: clipped(message.into()),
            help: None,
            file: file.to_owned(),
            line: 1,
            column: 1,
            span: 0..0,
            source: None,
        }
    }

    /// The same diagnostic with a hint of what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(clipped(help.into()));
        self
    }

    /// Whether the skill does not load because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The diagnostic with an excerpt of the source and a caret, as rustc shows its own; coloured where asked.
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(&self.message).id(self.code);
        let mut group = match &self.source {
            Some(source) => title.element(
                Snippet::source(source.as_ref())
                    .path(&self.file)
                    .annotation(AnnotationKind::Primary.span(self.span.clone())),
            ),
            None if self.line == 1 && self.column == 1 => title.element(Origin::path(&self.file)),
            None => title.element(Origin::path(&self.file).line(self.line).char_column(self.column)),
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl std::fmt::Display for Diagnostic {
    /// The diagnostic in one line, without the excerpt.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Diagnostic { code, message, file, line, column, .. } = self;
        write!(f, "{message} ({code}, {file}:{line}:{column})")
    }
}

impl std::error::Error for Diagnostic {}

/// The longest message or help, in characters: what a file says is quoted in them.
const MOST_TEXT: usize = 1000;

/// A text cut to what a person reads.
pub(crate) fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_TEXT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The nearest span that lies within the text and on character boundaries.
fn fit(source: &str, span: Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let source: Arc<str> = "{\n  \"ä\": -1\n}".into();
        let at = source.find("-1").unwrap();
        let diagnostic = Diagnostic::at("S0001", Severity::Error, "a.json", &source, at..at + 2, "negative");
        assert_eq!((diagnostic.line, diagnostic.column), (2, 8));
        let shown = diagnostic.with_help("use a positive number").render(false);
        assert!(shown.contains("error[S0001]: negative"), "{shown}");
        assert!(shown.contains("a.json:2:8"), "{shown}");
        assert!(shown.contains("help: use a positive number"), "{shown}");
    }

    #[test]
    fn what_is_quoted_from_a_file_is_cut() {
        let endless = "x".repeat(1_000_000);
        let diagnostic = Diagnostic::of_file("S0001", Severity::Error, "a", endless.clone()).with_help(endless);
        assert!(diagnostic.message.len() < 1010 && diagnostic.help.unwrap().len() < 1010);
    }

    #[test]
    fn a_span_outside_the_text_is_cut() {
        let source: Arc<str> = "é".into();
        assert_eq!(Diagnostic::at("S0001", Severity::Error, "a", &source, 1..99, "x").span, 0..2);
    }
}

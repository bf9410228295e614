use crate::definition::codes::{self, Code};
use crate::definition::node::Span;
use crate::definition::patterns;
use crate::{Diagnostic, Severity};
use std::sync::Arc;

/// The most problems of one file that are shown. Nobody reads more, and finding the line of each takes time that a
/// hostile file could make long.
const MOST: usize = 200;

/// Collects what is wrong in one file.
#[derive(Debug)]
pub(crate) struct Sink {
    file: String,
    text: Arc<str>,
    diagnostics: Vec<Diagnostic>,
    /// How many were not kept, and the worst of them.
    dropped: usize,
    worst_dropped: Severity,
    errors: usize,
    pattern_room: usize,
}

impl Sink {
    /// A sink for a file and its text.
    pub(crate) fn new(file: &str, text: &Arc<str>) -> Sink {
        Sink {
            file: file.to_owned(),
            text: Arc::clone(text),
            diagnostics: Vec::new(),
            dropped: 0,
            worst_dropped: Severity::Warning,
            errors: 0,
            pattern_room: patterns::ROOM,
        }
    }

    /// Reports what keeps the skill from loading. `help` says what to write instead.
    pub(crate) fn error(&mut self, code: Code, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(code, Severity::Error, span, message.into(), help.into());
    }

    /// Reports what is not as it should be. `help` says what to write instead.
    pub(crate) fn warning(&mut self, code: Code, span: &Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(code, Severity::Warning, span, message.into(), help.into());
    }

    fn report(&mut self, code: Code, severity: Severity, span: &Span, message: String, help: String) {
        if severity == Severity::Error {
            self.errors += 1;
        }
        if self.is_full() {
            self.dropped += 1;
            self.worst_dropped = self.worst_dropped.max(severity);
            return;
        }
        let diagnostic = Diagnostic::at(code.id, severity, &self.file, &self.text, span.clone(), message);
        self.diagnostics.push(diagnostic.with_help(help));
    }

    /// Whether what is reported now is only counted, so that its words need not be looked for.
    pub(crate) fn is_full(&self) -> bool {
        self.diagnostics.len() >= MOST
    }

    /// What further patterns may take compiled, in bytes.
    pub(crate) fn pattern_room(&mut self) -> &mut usize {
        &mut self.pattern_room
    }

    /// Takes over diagnostics that were made elsewhere.
    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        for diagnostic in diagnostics {
            self.errors += usize::from(diagnostic.is_error());
            self.diagnostics.push(diagnostic);
        }
    }

    /// Whether something that overlaps a span is reported as an error already.
    pub(crate) fn has_error_at(&self, span: &Span) -> bool {
        self.diagnostics.iter().any(|d| d.is_error() && d.span.start < span.end && span.start < d.span.end)
    }

    /// How many errors there are, those that are not shown included.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// The file, as errors name it.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Everything that was reported, in the order of the file, each once.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|d| (d.span.start, d.span.end, d.code));
        self.diagnostics.dedup();
        // A general complaint says nothing that a more exact one about the same place does not say better.
        let exact = |d: &Diagnostic| d.is_error() && d.code != codes::NOT_A_JSON_NUMBER.id;
        let spans: Vec<Span> = self.diagnostics.iter().filter(|d| exact(d)).map(|d| d.span.clone()).collect();
        self.diagnostics.retain(|d| d.code != codes::NOT_A_JSON_NUMBER.id || !spans.contains(&d.span));
        if self.dropped > 0 {
            let message = format!("{} more problems are not shown", self.dropped);
            let end = self.text.len();
            let code = codes::MORE.id;
            let diagnostic = Diagnostic::at(code, self.worst_dropped, &self.file, &self.text, end..end, message);
            self.diagnostics.push(diagnostic.with_help("set those shown right first"));
        }
        self.diagnostics
    }
}

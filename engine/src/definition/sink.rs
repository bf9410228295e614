use crate::definition::codes::{self, Code};
use crate::definition::node::Span;
use crate::{Diagnostic, Severity};
use std::sync::Arc;

/// Collects what is wrong in one file.
#[derive(Debug)]
pub(crate) struct Sink {
    file: String,
    text: Arc<str>,
    diagnostics: Vec<Diagnostic>,
}

impl Sink {
    /// A sink for a file and its text.
    pub(crate) fn new(file: &str, text: &Arc<str>) -> Sink {
        Sink { file: file.to_owned(), text: Arc::clone(text), diagnostics: Vec::new() }
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
        let diagnostic = Diagnostic::at(code.id, severity, &self.file, &self.text, span.clone(), message);
        self.diagnostics.push(diagnostic.with_help(help));
    }

    /// Takes over diagnostics that were made elsewhere.
    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.extend(diagnostics);
    }

    /// Whether something that overlaps a span is reported as an error already.
    pub(crate) fn has_error_at(&self, span: &Span) -> bool {
        self.diagnostics.iter().any(|d| d.is_error() && d.span.start < span.end && span.start < d.span.end)
    }

    /// How many errors there are.
    pub(crate) fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.is_error()).count()
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
        self.diagnostics
    }
}

use super::on_large_stack;
use oxc::allocator::Allocator;
use oxc::parser::Parser;
use oxc::span::SourceType;
use skills_core::{Completeness, Language, Script};

/// Whether a script ends where something is still open.
///
/// The parser says so by where it gives up: behind the last word. A text in quotes ends with its line, so an open one is
/// an error that more lines do not mend; a template and a comment go on.
pub(crate) fn completeness(script: &Script) -> Completeness {
    let source = script.source.as_str();
    if source.len() > super::LONGEST {
        return Completeness::Complete;
    }
    on_large_stack(source, || {
        if parses(source, script.language) {
            return Completeness::Complete;
        }
        if source.starts_with('{') && parses(&format!("({source}\n)"), script.language) {
            return Completeness::Complete;
        }
        // What is open at the end is open: a word that fits nowhere moves the error only where the text had ended.
        let allocator = Allocator::default();
        let parsed = Parser::new(&allocator, source, kind(script.language)).parse();
        let end = source.trim_end().len();
        let open = parsed.diagnostics.errors().next().is_some_and(|error| {
            let message = error.message.to_lowercase();
            if message.contains("unterminated") {
                let at = error.labels.iter().map(|label| label.offset() as usize).next().unwrap_or(end);
                let opened = source.get(at..).and_then(|rest| rest.chars().next());
                return !matches!(opened, Some('\'' | '"')) && !message.contains("regular") || source.ends_with("\\\n");
            }
            error.labels.iter().any(|label| label.offset() as usize >= end)
        });
        if open { Completeness::Incomplete } else { Completeness::Complete }
    })
}

fn kind(language: Language) -> SourceType {
    if language == Language::TypeScript { SourceType::ts() } else { SourceType::mjs() }
}

fn parses(source: &str, language: Language) -> bool {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, kind(language)).parse();
    parsed.diagnostics.errors().next().is_none()
}

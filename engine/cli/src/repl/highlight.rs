//! Source code in colours: by the grammars of Sublime Text, in the sixteen colours that a person's terminal has.

use clap::builder::styling::{AnsiColor, Color, Effects, Style};
use skills::Language;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};
use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxDefinition, SyntaxReference, SyntaxSet, SyntaxSetBuilder};
use syntect::util::LinesWithEndings;

/// The longest text that is coloured, in bytes: it is read again at every key.
const MOST: usize = 16 << 10;

/// A part of a text and its style.
pub(crate) type Span = (Range<usize>, Style);

struct Grammars {
    /// Those that everybody knows.
    known: SyntaxSet,
    /// Rhai's.
    rhai: SyntaxSet,
}

static GRAMMARS: OnceLock<Grammars> = OnceLock::new();

/// Loads the grammars on a thread of their own, while a person reads the first line.
pub(crate) fn warm() {
    std::thread::spawn(|| drop(spans(Language::Python, "0")));
}

fn grammars() -> &'static Grammars {
    GRAMMARS.get_or_init(|| {
        let mut builder = SyntaxSetBuilder::new();
        if let Ok(rhai) = SyntaxDefinition::load_from_str(include_str!("rhai.sublime-syntax"), true, None) {
            builder.add(rhai);
        }
        Grammars { known: two_face::syntax::extra_newlines(), rhai: builder.build() }
    })
}

fn grammar(language: Language) -> Option<(&'static SyntaxSet, &'static SyntaxReference)> {
    let grammars = grammars();
    let set = if language == Language::Rhai { &grammars.rhai } else { &grammars.known };
    Some((set, set.find_syntax_by_extension(language.extension())?))
}

/// The parts of a text that have a colour, in their order.
pub(crate) fn spans(language: Language, text: &str) -> Vec<Span> {
    let Some((set, syntax)) = grammar(language).filter(|_| text.len() <= MOST) else { return Vec::new() };
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut spans: Vec<Span> = Vec::new();
    let mut at = 0;
    for line in LinesWithEndings::from(text) {
        let Ok(operations) = state.parse_line(line, set) else { return spans };
        for (part, operation) in ScopeRegionIterator::new(&operations, line) {
            if stack.apply(operation).is_err() {
                return spans;
            }
            let range = at..at + part.len();
            at = range.end;
            let Some(style) = style(&stack).filter(|_| !part.trim().is_empty()) else { continue };
            match spans.last_mut() {
                Some((before, same)) if before.end == range.start && *same == style => before.end = range.end,
                _ => spans.push((range, style)),
            }
        }
    }
    spans
}

/// A text with its colours as escape sequences.
pub(crate) fn paint(language: Language, text: &str) -> String {
    escaped(text, &spans(language, text))
}

/// A text with the escape sequences of its spans, which do not overlap.
pub(crate) fn escaped(text: &str, spans: &[Span]) -> String {
    let mut out = String::with_capacity(text.len() + spans.len() * 8);
    let mut at = 0;
    for (range, style) in spans {
        if range.start < at || range.end > text.len() {
            continue;
        }
        out.push_str(&text[at..range.start]);
        out.push_str(&format!("{style}{}{style:#}", &text[range.clone()]));
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Spans with another style at one byte, a bracket.
pub(crate) fn with_mark(spans: Vec<Span>, at: usize, mark: Style) -> Vec<Span> {
    let mut marked = Vec::with_capacity(spans.len() + 2);
    let mut placed = false;
    for (range, style) in spans {
        if !placed && range.start > at {
            marked.push((at..at + 1, mark));
            placed = true;
        }
        if !range.contains(&at) {
            marked.push((range, style));
            continue;
        }
        placed = true;
        let parts = [(range.start..at, style), (at..at + 1, mark), (at + 1..range.end, style)];
        marked.extend(parts.into_iter().filter(|(part, _)| !part.is_empty()));
    }
    if !placed {
        marked.push((at..at + 1, mark));
    }
    marked
}

/// The styles of scopes; the first that a scope begins with counts.
static STYLES: LazyLock<Vec<(Scope, Option<Style>)>> = LazyLock::new(|| {
    let color = |color: AnsiColor| Some(Style::new().fg_color(Some(Color::Ansi(color))));
    let table = [
        ("comment", color(AnsiColor::BrightBlack).map(|style| style.effects(Effects::ITALIC))),
        ("constant.character.escape", color(AnsiColor::Cyan)),
        ("constant.other.placeholder", color(AnsiColor::Cyan)),
        ("meta.interpolation", None),
        ("meta.template.expression", None),
        ("source.python.embedded", None),
        ("string", color(AnsiColor::Green)),
        ("constant", color(AnsiColor::Yellow)),
        ("keyword.operator.logical.python", color(AnsiColor::Magenta)),
        ("keyword.operator.word", color(AnsiColor::Magenta)),
        ("keyword.operator", None),
        ("keyword", color(AnsiColor::Magenta)),
        ("storage", color(AnsiColor::Magenta)),
        ("variable.language", color(AnsiColor::Red)),
        ("variable.function", color(AnsiColor::Blue)),
        ("entity.name.function", color(AnsiColor::Blue)),
        ("support.function", color(AnsiColor::Blue)),
        ("entity.name", color(AnsiColor::Cyan)),
        ("support.type", color(AnsiColor::Cyan)),
        ("support.class", color(AnsiColor::Cyan)),
    ];
    table.into_iter().filter_map(|(name, style)| Some((Scope::new(name).ok()?, style))).collect()
});

fn style(stack: &ScopeStack) -> Option<Style> {
    let of = |scope: &Scope| STYLES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope));
    stack.as_slice().iter().rev().find_map(of).and_then(|(_, style)| *style)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that have a colour, with it.
    fn colored(language: Language, text: &str) -> Vec<(&str, AnsiColor)> {
        let spans = spans(language, text).into_iter();
        let color = |style: Style| match style.get_fg_color() {
            Some(Color::Ansi(color)) => color,
            other => panic!("{other:?}"),
        };
        spans.map(|(range, style)| (&text[range], color(style))).filter(|(word, _)| word.len() > 1).collect()
    }

    #[test]
    fn every_language_has_its_words_strings_and_comments() {
        use AnsiColor::{BrightBlack, Magenta, Yellow};
        let cases = [
            (Language::Python, "for x in range(10): # all\n    total = \"text\"", ["for", "10", "all"]),
            (Language::JavaScript, "const x = 10; // all\nlet y = \"text\"", ["const", "10", "all"]),
            (Language::TypeScript, "const x: number = 10; // all\nlet y = \"text\"", ["const", "10", "all"]),
            (Language::Rhai, "let x = 10; // all\nlet y = \"text\"", ["let", "10", "all"]),
        ];
        for (language, text, [keyword, number, comment]) in cases {
            let colored = colored(language, text);
            for expected in [(keyword, Magenta), (number, Yellow)] {
                assert!(colored.contains(&expected), "{language}: {expected:?} in {colored:?}");
            }
            let is_comment = |(word, color): &(&str, AnsiColor)| word.contains(comment.trim()) && *color == BrightBlack;
            assert!(colored.iter().any(is_comment), "{language}: {colored:?}");
            let is_string = |(word, color): &(&str, AnsiColor)| word.contains("text") && *color == AnsiColor::Green;
            assert!(colored.iter().any(is_string), "{language}: {colored:?}");
        }
    }

    #[test]
    fn colours_change_nothing_else_of_a_text() {
        let text = "def f(a):\n\treturn f\"{a!r}\" # ä\n";
        let painted = paint(Language::Python, text);
        assert_ne!(painted, text);
        let plain = anstream::adapter::strip_str(&painted).to_string();
        assert_eq!(plain, text);
        let long = "x = 1\n".repeat(10_000);
        assert_eq!(paint(Language::Python, &long), long, "what is long is left as it is");
    }

    #[test]
    fn a_mark_parts_what_it_falls_into() {
        let (red, bold) = (Style::new().fg_color(Some(AnsiColor::Red.into())), Style::new().effects(Effects::BOLD));
        let ranges = |spans: Vec<Span>| spans.into_iter().map(|(range, _)| range).collect::<Vec<_>>();
        assert_eq!(ranges(with_mark(vec![(0..4, red)], 2, bold)), [0..2, 2..3, 3..4]);
        assert_eq!(ranges(with_mark(vec![(3..4, red)], 1, bold)), [1..2, 3..4]);
        assert_eq!(ranges(with_mark(vec![(0..1, red)], 1, bold)), [0..1, 1..2]);
    }
}

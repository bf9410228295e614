//! What is not typed but given: standard input that is no terminal, and files of cells.

use super::input::{self, Input};
use super::shared::Shared;
use super::{Flow, Repl, meta};
use crate::exit::Stop;
use skills::Language;
use skills::core::Completeness;
use std::io::Read as _;

/// The most that is read from standard input.
const MOST: u64 = 64 << 20;

/// Evaluates all of standard input, cell by cell, up to the first that fails.
pub(crate) fn run(repl: &mut Repl) -> Result<(), Stop> {
    let mut text = String::new();
    std::io::stdin().lock().take(MOST).read_to_string(&mut text).map_err(|error| {
        skills::Error::new(skills::ErrorKind::InvalidArguments, format!("standard input cannot be read: {error}"))
    })?;
    for cell in cells(&repl.shared, &text) {
        if let Flow::Leave = repl.feed(&cell)? {
            break;
        }
    }
    Ok(())
}

/// A text as its cells: a cell ends where the language's parser says that it may, and the next line begins something new.
pub(crate) fn cells(shared: &Shared, text: &str) -> Vec<String> {
    split(text, shared.language(), |language, code| shared.completeness(language, code))
}

fn split(text: &str, mut language: Language, of_code: impl Fn(Language, &str) -> Completeness) -> Vec<String> {
    let own = language;
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if cell.is_empty() {
            if line.trim().is_empty() {
                continue;
            }
            language = match input::read(line) {
                Input::CodeIn(other, _) => other,
                _ => own,
            };
        }
        cell.push_str(line);
        cell.push('\n');
        let next = lines.iter_next();
        if next.is_none_or(|next| begins(language, next)) && ends(&cell, language, &of_code) {
            cells.push(std::mem::take(&mut cell));
        }
    }
    if !cell.is_empty() {
        cells.push(cell);
    }
    cells
}

/// Whether the text is all of a cell.
fn ends(cell: &str, language: Language, of_code: impl Fn(Language, &str) -> Completeness) -> bool {
    match input::read(cell) {
        // Its first line names the language; the code follows.
        Input::CodeIn(_, "") => false,
        Input::Command(name, _) if meta::find(name).is_none_or(|command| !command.takes_code) => true,
        _ => input::is_complete(cell, language, of_code),
    }
}

/// Whether a line begins something new: not indented, and no word or bracket that goes on with what was before.
fn begins(language: Language, line: &str) -> bool {
    let word: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let goes_on = match language {
        Language::Python => matches!(word.as_str(), "else" | "elif" | "except" | "finally"),
        _ => matches!(word.as_str(), "else" | "catch" | "finally" | "while"),
    };
    !goes_on && !line.starts_with([' ', '\t', ')', ']', '}', '.']) && !line.trim().is_empty()
}

/// What follows, past empty lines.
trait IterNext<'t> {
    fn iter_next(&mut self) -> Option<&'t str>;
}

impl<'t> IterNext<'t> for std::iter::Peekable<std::str::Lines<'t>> {
    fn iter_next(&mut self) -> Option<&'t str> {
        let mut ahead = self.clone();
        ahead.find(|line| !line.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Brackets and colons as a parser of both would see them, roughly.
    fn of_code(language: Language, code: &str) -> Completeness {
        let open = code.matches(['(', '{', '[']).count() > code.matches([')', '}', ']']).count();
        let block = language == Language::Python && code.contains(":\n") && !code.ends_with("\n");
        let blockless = language == Language::Python && code.trim_end().ends_with(':');
        if open || block || blockless { Completeness::Incomplete } else { Completeness::Complete }
    }

    #[test]
    fn a_script_is_parted_where_something_new_begins() {
        let python = "x = 1\n\nif x:\n    y = 2\n\n    z = 3\nelse:\n    y = 4\nf(1,\n  2)\n%vars\ny";
        let cells = split(python, Language::Python, of_code);
        assert_eq!(
            cells,
            ["x = 1\n", "if x:\n    y = 2\n\n    z = 3\nelse:\n    y = 4\n", "f(1,\n  2)\n", "%vars\n", "y\n"]
        );
        let script = "let a = [1]\n  .map(f)\nif (a) {\n  b\n}\nelse {\n c }\na";
        let cells = split(script, Language::JavaScript, of_code);
        assert_eq!(cells, ["let a = [1]\n  .map(f)\n", "if (a) {\n  b\n}\nelse {\n c }\n", "a\n"]);
    }

    #[test]
    fn a_cell_of_another_language_has_its_own_parser() {
        let text = "%js\nlet f = () => {\n  return 1\n}\nx = 1\n";
        let cells = split(text, Language::Python, of_code);
        assert_eq!(cells, ["%js\nlet f = () => {\n  return 1\n}\n", "x = 1\n"]);
    }

    #[test]
    fn what_never_ends_is_a_cell_too() {
        assert_eq!(split("f(1\n", Language::Python, of_code), ["f(1\n"]);
        assert!(split("\n \n", Language::Python, of_code).is_empty());
    }
}

//! What a person typed: code, a command of the REPL, or a question about a name.

use super::meta;
use skills::Language;
use skills::core::Completeness;

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input<'t> {
    /// Nothing, or only spaces.
    Nothing,
    /// Code in the language of the session.
    Code(&'t str),
    /// Code in a language that it names: `%py x = 1`.
    CodeIn(Language, &'t str),
    /// A command of the REPL with what stands behind it.
    Command(&'t str, &'t str),
    /// What a name is: `?name`; with its source: `??name`.
    About { path: &'t str, source: bool },
}

/// Reads what was typed.
pub(crate) fn read(text: &str) -> Input<'_> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Input::Nothing;
    }
    if let Some(rest) = trimmed.strip_prefix('%') {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        return match Language::from_name(name) {
            Some(language) => {
                Input::CodeIn(language, rest.trim_start_matches([' ', '\t']).trim_start_matches('\n').trim_end())
            }
            None => Input::Command(name, rest.trim()),
        };
    }
    about(trimmed).unwrap_or(Input::Code(text))
}

/// `?name`, `name?`, and the same with two marks for the source.
fn about(text: &str) -> Option<Input<'_>> {
    let path = text.trim_start_matches('?').trim_end_matches('?').trim();
    let marks = text.len() - text.replace('?', "").len();
    let is_path = !path.is_empty()
        && path
            .split('.')
            .all(|name| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) && !name.is_empty())
        && !path.starts_with(|c: char| c.is_ascii_digit());
    (is_path && (1..=2).contains(&marks)).then_some(Input::About { path, source: marks == 2 })
}

/// Whether what was typed can be evaluated as it stands, where `of_code` knows it of code.
pub(crate) fn is_complete(text: &str, language: Language, of_code: impl Fn(Language, &str) -> Completeness) -> bool {
    let complete = |language, code: &str| of_code(language, &ended(code)) == Completeness::Complete;
    match read(text) {
        Input::Nothing | Input::About { .. } => true,
        Input::Code(code) => complete(language, code),
        // The code begins in the next line; an empty one changes the mind.
        Input::CodeIn(_, "") => text.contains('\n') && text.ends_with('\n'),
        Input::CodeIn(other, code) => complete(other, &with_end(code, text)),
        Input::Command(name, rest) => {
            !meta::find(name).is_some_and(|command| command.takes_code && !rest.is_empty())
                || complete(language, &with_end(meta::code_of(rest), text))
        }
    }
}

/// A code with the line end that what was typed ends with: that is how a person ends a block.
fn with_end(code: &str, text: &str) -> String {
    let line = text.rfind('\n').map_or(text, |at| &text[at + 1..]);
    if line.trim().is_empty() && text.contains('\n') { format!("{code}\n") } else { code.to_owned() }
}

/// The text with an empty last line where that has only spaces.
fn ended(text: &str) -> String {
    let end = text.rfind('\n').map_or(0, |at| at + 1);
    if text[end..].trim().is_empty() { text[..end].to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_code_and_questions_are_told_apart() {
        assert_eq!(read("  \n"), Input::Nothing);
        assert_eq!(read("x % 3"), Input::Code("x % 3"));
        assert_eq!(read("%vars df_ "), Input::Command("vars", "df_"));
        assert_eq!(read("%py x = 1"), Input::CodeIn(Language::Python, "x = 1"));
        assert_eq!(read("%js\n  let x = 1;\n"), Input::CodeIn(Language::JavaScript, "  let x = 1;"));
        assert_eq!(read("?obj.name"), Input::About { path: "obj.name", source: false });
        assert_eq!(read("name??"), Input::About { path: "name", source: true });
        assert_eq!(read("a ? b : c"), Input::Code("a ? b : c"));
        assert_eq!(read("5?"), Input::Code("5?"));
        assert_eq!(read("???x"), Input::Code("???x"));
    }

    #[test]
    fn the_language_says_when_code_is_complete() {
        let of_code = |language: Language, code: &str| match code.ends_with(':') || language == Language::Rhai {
            true => Completeness::Incomplete,
            false => Completeness::Complete,
        };
        let complete = |text| is_complete(text, Language::Python, of_code);
        assert!(complete("x = 1") && complete("") && complete("?x") && complete("%vars") && complete("%py x = 1"));
        assert!(!complete("if x:") && !complete("%time if x:") && !complete("%rhai 1") && !complete("%py"));
        assert!(complete("if x:\n    y\n    ") && complete("%py\n") && complete("%time"));
    }

    #[test]
    fn the_line_that_ends_a_block_reaches_the_parser() {
        let seen = std::cell::RefCell::new(Vec::new());
        let note = |_, code: &str| {
            seen.borrow_mut().push(code.to_owned());
            Completeness::Complete
        };
        is_complete("def f():\n    x\n    ", Language::Python, note);
        is_complete("%py\ndef f():\n    x\n", Language::Python, note);
        assert_eq!(*seen.borrow(), ["def f():\n    x\n", "def f():\n    x\n"]);
    }
}

//! How far the next line of a cell is indented.

use skills::Language;

/// How wide one step is.
pub(crate) fn step(language: Language) -> usize {
    if language == Language::Python { 4 } else { 2 }
}

/// The spaces that the line after this text begins with.
pub(crate) fn next(language: Language, text: &str) -> String {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let indent: String = line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let code = without_comment(language, line).trim_end();
    if code.trim().is_empty() {
        return indent;
    }
    let deeper = code.ends_with(['{', '[', '(']) || (language == Language::Python && code.ends_with(':'));
    if deeper {
        return format!("{indent}{}", " ".repeat(step(language)));
    }
    let first = code.split_whitespace().next().unwrap_or_default().trim_end_matches(';');
    if language == Language::Python && matches!(first, "return" | "pass" | "break" | "continue" | "raise") {
        return " ".repeat(indent.len().saturating_sub(step(language)));
    }
    indent
}

/// A line up to its comment. A mark within a string counts too, which at worst keeps the indentation.
fn without_comment(language: Language, line: &str) -> &str {
    let mark = if language == Language::Python { "#" } else { "//" };
    let quoted = |at: usize| line[..at].matches(['"', '\'', '`']).count() % 2 == 1;
    match line.find(mark) {
        Some(at) if !quoted(at) => &line[..at],
        _ => line,
    }
}

/// How many spaces before the cursor go when a closing bracket is typed there: it stands as deep as what it closes.
pub(crate) fn closing(language: Language, text: &str) -> Option<usize> {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let blank = !line.is_empty() && line.chars().all(|c| c == ' ');
    // In the first line nothing is indented by the editor.
    (blank && text.contains('\n')).then(|| step(language).min(line.len()))
}

/// How many spaces before the cursor go at once: those of one step, where there is nothing else on the line.
pub(crate) fn before(language: Language, text: &str) -> Option<usize> {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let spaces = line.len();
    let blank = spaces > 1 && line.chars().all(|c| c == ' ');
    blank.then(|| ((spaces - 1) % step(language)) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_indented_and_left_again() {
        let python = |text| next(Language::Python, text).len();
        assert_eq!(python("def f():"), 4);
        assert_eq!(python("def f():  # a note"), 4);
        assert_eq!(python("def f():\n    x = 1"), 4);
        assert_eq!(python("def f():\n    return 1"), 0);
        assert_eq!(python("x = '#:'"), 0);
        assert_eq!(python("f("), 4);
        let script = |text| next(Language::JavaScript, text).len();
        assert_eq!(script("if (x) {"), 2);
        assert_eq!(script("if (x) {\n  return 1;"), 2);
        assert_eq!(script("a:"), 0);
    }

    #[test]
    fn a_closing_bracket_leaves_the_block() {
        assert_eq!(closing(Language::JavaScript, "if (x) {\n  a\n  "), Some(2));
        assert_eq!(closing(Language::Python, "f(\n    1,\n    "), Some(4));
        assert_eq!(closing(Language::JavaScript, "f({\n  a"), None);
        assert_eq!(closing(Language::JavaScript, "  "), None);
        assert_eq!(closing(Language::JavaScript, "if (x) {\n"), None);
    }

    #[test]
    fn backspace_takes_a_step() {
        assert_eq!(before(Language::Python, "f():\n        "), Some(4));
        assert_eq!(before(Language::Python, "f():\n      "), Some(2));
        assert_eq!(before(Language::Python, "f():\n    x"), None);
        assert_eq!(before(Language::Python, ""), None);
    }
}

//! How what is typed could go on: names of what is alive, commands, skills, files.

use super::editor::Word;
use super::meta::{self, Argument};
use super::shared::Shared;
use rustyline::completion::FilenameCompleter;
use skills::Language;
use skills::core::NameKind;

/// The most that is listed: nobody reads more, and the list is drawn on each press of Tab.
const MOST: usize = 400;

/// Where the word at the cursor begins, and what it could be.
pub(crate) fn words(shared: &Shared, line: &str, pos: usize) -> (usize, Vec<Word>) {
    let (from, mut words) = all(shared, line, pos);
    words.truncate(MOST);
    (from, words)
}

fn all(shared: &Shared, line: &str, pos: usize) -> (usize, Vec<Word>) {
    let text = &line[..pos];
    let blank = text.len() - text.trim_start().len();
    if let Some(rest) = text[blank..].strip_prefix('%') {
        let start = blank + 1;
        let Some(space) = rest.find(char::is_whitespace) else {
            return (blank, named(commands(), rest, |name| format!("%{name}")));
        };
        let (name, after) = (&rest[..space], start + space + 1);
        if let Some(language) = Language::from_name(name) {
            return code(shared, language, line, after, pos);
        }
        return match meta::find(name) {
            Some(command) => argument(shared, command, line, after, pos),
            None => (pos, Vec::new()),
        };
    }
    let start = if text.starts_with('?') { text.len() - text.trim_start_matches('?').len() } else { 0 };
    code(shared, shared.language(), line, start, pos)
}

/// The argument of a command, which begins at `start`.
fn argument(shared: &Shared, command: &meta::Command, line: &str, start: usize, pos: usize) -> (usize, Vec<Word>) {
    let word = line[..pos].rfind(char::is_whitespace).map_or(0, |at| at + 1).max(start);
    let prefix = &line[word..pos];
    let first = line[start..word].trim().is_empty();
    let options = || named(command.options.iter().map(|option| (*option).to_owned()), prefix, str::to_owned);
    if prefix.starts_with('-') {
        return (word, options());
    }
    let list: Vec<String> = match command.argument {
        Argument::Code => return code(shared, shared.language(), line, start, pos),
        Argument::File => return files(line, pos),
        Argument::Name => return code(shared, shared.language(), line, word, pos),
        Argument::Command => commands().collect(),
        Argument::Language => ["python", "javascript", "typescript", "rhai", "bash"].map(str::to_owned).to_vec(),
        Argument::Skill if first => shared.skills.clone(),
        Argument::Skill => return files(line, pos),
        Argument::Keys => vec!["emacs".to_owned(), "vi".to_owned()],
        Argument::Limit => super::limits::NAMES.iter().map(|name| format!("{name}=")).collect(),
        Argument::Nothing => return (word, options()),
    };
    (word, named(list.into_iter(), prefix, str::to_owned))
}

/// Code that begins at `start` of the line: files in strings, else what the session knows.
fn code(shared: &Shared, language: Language, line: &str, start: usize, pos: usize) -> (usize, Vec<Word>) {
    let text = &line[start..];
    let cursor = pos - start;
    if in_string(&text[..cursor]) {
        return files(line, pos);
    }
    // What cannot be completed is no reason to disturb who types.
    let Ok(completions) = shared.session().complete(language, text, cursor) else { return (pos, Vec::new()) };
    let from = completions.from.min(cursor);
    if !text.is_char_boundary(from) {
        return (pos, Vec::new());
    }
    let typed = &text[from..cursor];
    let private = |name: &str| name.rsplit('.').next().is_some_and(|last| last.starts_with('_'));
    let asked = private(typed);
    let items = completions.items.into_iter().filter(|item| asked || !private(&item.text)).take(MOST);
    let word = |item: skills::core::Completion| {
        let mark = if matches!(item.kind, NameKind::Function | NameKind::Class) { "()" } else { "" };
        // Of a path, the last name: that is what changes from one to the next.
        let last = item.text.rsplit('.').next().unwrap_or_default().to_owned();
        Word { shown: last + mark, text: item.text }
    };
    (start + from, items.map(word).collect())
}

/// Whether the end of a line of code stands in a string.
fn in_string(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or_default();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            _ => {}
        }
    }
    quote.is_some()
}

fn files(line: &str, pos: usize) -> (usize, Vec<Word>) {
    let Ok((from, pairs)) = FilenameCompleter::new().complete_path(line, pos) else { return (pos, Vec::new()) };
    (from, pairs.into_iter().map(|pair| Word { shown: pair.display, text: pair.replacement }).collect())
}

fn commands() -> impl Iterator<Item = String> {
    let languages = ["py", "js", "ts", "rhai", "bash"].into_iter();
    let mut names: Vec<_> = meta::COMMANDS.iter().map(|command| command.name).chain(languages).collect();
    names.sort_unstable();
    names.into_iter().map(str::to_owned)
}

/// Those that begin with what is typed, as they are put in.
fn named(names: impl Iterator<Item = String>, typed: &str, text: impl Fn(&str) -> String) -> Vec<Word> {
    let fitting = names.filter(|name| name.starts_with(typed));
    fitting.map(|name| Word { text: text(&name), shown: text(&name) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_known_by_its_open_quote() {
        assert!(in_string("open(\"da"));
        assert!(in_string("x = 'it\\'s"));
        assert!(!in_string("open(\"da\")"));
        assert!(!in_string("x = \"a\"\ny"));
    }
}

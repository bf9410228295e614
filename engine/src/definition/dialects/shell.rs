//! What a command line is: a program with arguments, or something that only a shell understands.

use skills_core::template::Braced;

/// What a command line is. Its placeholders are already `{name}`.
#[derive(Debug, PartialEq)]
pub(super) enum CommandLine {
    /// A program and its arguments, with the quotes taken off.
    Words(Vec<String>),
    /// Source for a shell, because of the part that is named here.
    Shell(String),
    /// A quote that is never closed, or nothing at all; what is wrong with it.
    Broken(&'static str),
}

/// Commands that exist only inside a shell, or that would have no effect in a process of their own.
const SHELL_WORDS: [&str; 24] = [
    "!", ".", "[[", "alias", "case", "cd", "command", "eval", "exec", "exit", "export", "for", "function", "if",
    "pushd", "popd", "read", "set", "source", "time", "trap", "ulimit", "unset", "while",
];

/// Decides what a command line is; `is_parameter` says which names in braces are placeholders.
pub(super) fn analyse(line: &str, is_parameter: &dyn Fn(&str) -> bool) -> CommandLine {
    if line.trim().is_empty() {
        return CommandLine::Broken("the command is empty");
    }
    let scan = scan(line, is_parameter);
    if scan.open {
        return CommandLine::Broken("a quote in the command is never closed");
    }
    if let Some(operator) = scan.operator {
        return CommandLine::Shell(operator);
    }
    match shell_words::split(line.trim()) {
        Err(_) => CommandLine::Broken("a quote in the command is never closed"),
        Ok(words) => match words.first() {
            None => CommandLine::Broken("the command is empty"),
            Some(first) if SHELL_WORDS.contains(&first.as_str()) || is_assignment(first) => {
                CommandLine::Shell(first.clone())
            }
            Some(_) => CommandLine::Words(words),
        },
    }
}

/// A `command` that has arguments of its own beside it: the program, and arguments that stand behind its name. A path
/// with blanks in it is one program.
pub(super) fn program(text: &str, is_parameter: &dyn Fn(&str) -> bool) -> (String, Vec<String>) {
    let path = text.starts_with(['/', '.', '~']) || text.contains('\\');
    match analyse(text, is_parameter) {
        CommandLine::Words(words) if !path => match words.split_first() {
            Some((program, arguments)) => (program.clone(), arguments.to_vec()),
            None => (text.to_owned(), Vec::new()),
        },
        _ => (text.to_owned(), Vec::new()),
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// What surrounds a character.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Within {
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `$(…)` or `(…)`, where quotes start afresh.
    Parenthesis,
}

/// What a line holds.
#[derive(Default)]
struct Scan {
    /// The first part that only a shell understands.
    operator: Option<String>,
    /// Whether a quote or bracket is never closed.
    open: bool,
}

fn scan(line: &str, is_parameter: &dyn Fn(&str) -> bool) -> Scan {
    let mut out = Scan::default();
    // What surrounds the place, from the outside in.
    let mut within: Vec<Within> = Vec::new();
    let mut rest = line;
    let mut word_start = true;
    let mut in_run = false;
    // Where the braces that are open here list something, or end.
    let mut list_end = 0;
    while let Some(c) = rest.chars().next() {
        // A run of braces is looked at where it begins: what is nothing there is nothing further on.
        if !in_run && let Some(braced) = Braced::at(rest).filter(|braced| is_parameter(braced.name)) {
            rest = &rest[braced.written.len()..];
            word_start = false;
            continue;
        }
        in_run = c == '{';
        let mut taken = c.len_utf8();
        match (within.last(), c) {
            (Some(Within::Single), '\'') | (Some(Within::Double), '"') | (Some(Within::Parenthesis), ')') => {
                within.pop();
            }
            (Some(Within::Single), _) | (Some(Within::Double), '\'') => {}
            (_, '\\') => taken += rest[1..].chars().next().map_or(0, char::len_utf8),
            (_, '\'') => within.push(Within::Single),
            (_, '"') => within.push(Within::Double),
            (_, '$') if rest.starts_with("$(") => {
                out.note("$(…)");
                within.push(Within::Parenthesis);
                taken = 2;
            }
            (_, '$') if rest[1..].starts_with(|n: char| n.is_ascii_alphanumeric() || "_{@*#?$!-".contains(n)) => {
                out.note("$");
            }
            (_, '`') => out.note("`"),
            (Some(Within::Double), _) => {}
            (_, '(') => {
                out.note("(");
                within.push(Within::Parenthesis);
            }
            (_, '&') if rest.starts_with("&&") => out.note("&&"),
            (_, '|') if rest.starts_with("||") => out.note("||"),
            (_, '\n') => out.note("a line break"),
            (_, '|' | '&' | ';' | '<' | '>' | ')' | '*' | '?' | '[') => out.note(&rest[..1]),
            (_, '~' | '#') if word_start => out.note(&rest[..1]),
            (_, '{') => {
                let at = line.len() - rest.len();
                // Found once for all braces before it.
                if list_end <= at {
                    list_end = rest.find(['}', ',', ' ']).map_or(line.len(), |end| at + end);
                }
                if line[list_end..].starts_with([',', ' ']) {
                    out.note("{…}");
                }
            }
            _ => {}
        }
        word_start = c.is_whitespace();
        rest = &rest[taken..];
    }
    out.open = !within.is_empty();
    out
}

impl Scan {
    fn note(&mut self, operator: &str) {
        self.operator.get_or_insert_with(|| operator.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn analyse(line: &str) -> CommandLine {
        super::analyse(line, &|_| true)
    }

    fn program(text: &str) -> (String, Vec<String>) {
        super::program(text, &|_| true)
    }

    fn words(line: &str) -> Vec<String> {
        match analyse(line) {
            CommandLine::Words(words) => words,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_program_with_arguments_is_split() {
        assert_eq!(words("ls -la"), ["ls", "-la"]);
        assert_eq!(words("echo 'a | b' \"c; d\" e\\ f"), ["echo", "a | b", "c; d", "e f"]);
        assert_eq!(words("cargo test --test '*'"), ["cargo", "test", "--test", "*"]);
        assert_eq!(words("echo 'Hello, {name}!'"), ["echo", "Hello, {name}!"]);
        assert_eq!(words("curl -s 'h/{a}?b={c}'"), ["curl", "-s", "h/{a}?b={c}"]);
        assert_eq!(words("cost 5$ a#b"), ["cost", "5$", "a#b"]);
    }

    #[test]
    fn a_program_keeps_arguments_behind_its_name_apart() {
        assert_eq!(program("git -C x"), ("git".to_owned(), vec!["-C".to_owned(), "x".to_owned()]));
        for one in ["git", "/opt/My Tool/run", "./a b", "a | b"] {
            assert_eq!(program(one), (one.to_owned(), Vec::new()), "{one}");
        }
    }

    #[test]
    fn what_only_a_shell_understands_is_left_to_it() {
        for (line, operator) in [
            ("a | b", "|"),
            ("a || b", "||"),
            ("a && b", "&&"),
            ("a; b", ";"),
            ("a > b", ">"),
            ("a < b", "<"),
            ("a $(b)", "$(…)"),
            ("a \"$(b)\"", "$(…)"),
            ("a `b`", "`"),
            ("a \"`b`\"", "`"),
            ("a $HOME", "$"),
            ("a \"${HOME}\"", "$"),
            ("ls *.txt", "*"),
            ("ls ~/x", "~"),
            ("a &", "&"),
            ("(a)", "("),
            ("a # b", "#"),
            ("cd x", "cd"),
            ("A=1 b", "A=1"),
            ("mv a.{x,y}", "{…}"),
            ("a\nb", "a line break"),
        ] {
            assert_eq!(analyse(line), CommandLine::Shell(operator.to_owned()), "{line}");
        }
    }

    #[test]
    fn what_nobody_understands_is_said() {
        assert!(matches!(analyse("echo 'a"), CommandLine::Broken(why) if why.contains("never closed")));
        assert!(matches!(analyse("  "), CommandLine::Broken(why) if why.contains("empty")));
    }

    #[test]
    fn braces_that_are_never_closed_are_read_once() {
        for unit in ["{a", "{"] {
            let line = unit.repeat(500_000 / unit.len());
            assert_eq!(words(&line), std::slice::from_ref(&line));
            assert_eq!(analyse(&format!("{line},")), CommandLine::Shell("{…}".to_owned()));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(line in r#"[a{}'"\\$()`| é]{0,24}"#) {
            let _ = analyse(&line);
        }
    }
}

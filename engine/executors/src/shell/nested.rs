//! Placeholders that would become part of another program's code, of a program's name, or of a variable's.

use super::programs::{ARGUMENT_BEFORE_PROGRAM, Takes, takes};
use super::words::{Hole, Word};
use crate::environment;

/// A placeholder that cannot stand where it does, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The placeholder.
    pub(crate) hole: Hole,
    /// The rest of a sentence that begins with the placeholder: `is part of the code of awk`.
    pub(crate) reason: String,
}

/// What is wrong with a command of these words, the first of which names the program.
pub(crate) fn check(words: &[Word]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let Some(name) = word.literal() else { continue };
        let Some(takes) = takes(name) else { continue };
        // Behind another program only what is a program beyond doubt counts: `env bash -c …`, but not `git log test`.
        let anywhere = matches!(takes, Takes::Shell | Takes::Interpreter { .. } | Takes::Filter { .. });
        if index == 0 || anywhere {
            arguments(name, takes, &words[index + 1..], &mut found);
        }
        // What stands behind it are its arguments.
        if anywhere || (index == 0 && takes == Takes::Program) {
            break;
        }
    }
    found.sort_by(|a, b| (a.hole.at, &a.hole.name).cmp(&(b.hole.at, &b.hole.name)));
    found.dedup_by(|a, b| a.hole == b.hole);
    found
}

/// Whether a command runs what it reads from its standard input.
pub(crate) fn runs_its_input(words: &[Word]) -> bool {
    let reads = |word: &Word| matches!(word.text.as_str(), "-" | "/dev/stdin" | "/proc/self/fd/0" | "-s");
    words.iter().enumerate().any(|(index, word)| {
        let Some(takes) = word.literal().and_then(takes) else { return false };
        let rest = &words[index + 1..];
        let operand = rest.iter().any(|word| !word.text.starts_with('-'));
        match takes {
            Takes::Shell | Takes::Interpreter { .. } => !operand || rest.iter().any(reads) || words[0].text == "xargs",
            Takes::Filter { .. } | Takes::Code => {
                index == 0 && (rest.iter().any(reads) || rest.is_empty() || loud(word))
            }
            Takes::Database => index == 0,
            _ => false,
        }
    })
}

/// Programs that run their input whatever their arguments are.
fn loud(word: &Word) -> bool {
    matches!(
        word.text.rsplit('/').next().unwrap_or_default(),
        "parallel" | "at" | "batch" | "ed" | "ex" | "ssh" | "su" | "m4" | "dc"
    )
}

/// Whether a command makes values into code wherever they are assigned from then on: it declares a variable as a number
/// (`declare -i`), whose values are computed, or as another one's name (`declare -n`), or fills one that is a number.
pub(crate) fn computes(words: &[Word]) -> bool {
    let declares =
        |word: &Word| word.assigns().is_none() && (word.open || cluster(&word.text, 'i') || cluster(&word.text, 'n'));
    let fills = |word: &Word| word.literal().is_some_and(environment::is_number);
    words.iter().enumerate().any(|(index, word)| match word.literal().unwrap_or_default() {
        "declare" | "typeset" | "local" => words[index + 1..].iter().any(declares),
        "for" | "select" | "read" | "readarray" | "mapfile" | "getopts" | "printf" => {
            words[index + 1..].iter().any(fills)
        }
        _ => false,
    })
}

fn arguments(name: &str, takes: Takes, rest: &[Word], found: &mut Vec<Finding>) {
    let code = format!("is part of the code that `{name}` runs");
    match takes {
        Takes::Code => refuse(rest, &code, found),
        Takes::Variables => refuse(rest, &format!("is the name of a variable for `{name}`"), found),
        Takes::Assignments => {
            for word in rest {
                match word.assigns() {
                    Some(variable) if !environment::takes_code(variable) => {}
                    _ => refuse(std::slice::from_ref(word), &format!("is what `{name}` declares"), found),
                }
            }
        }
        Takes::Condition => {
            if rest.iter().any(|word| matches!(word.text.as_str(), "-v" | "-R")) {
                refuse(rest, "is the name of a variable", found);
            }
        }
        Takes::Printf => {
            if rest.first().is_some_and(|word| word.text == "-v") {
                refuse(rest.get(1..2).unwrap_or_default(), "is the name of a variable", found);
            }
        }
        Takes::Shell => interpreter(name, &[], &["-o", "-O", "+o", "+O", "--rcfile", "--init-file"], true, rest, found),
        Takes::Interpreter { code, with_argument } => interpreter(name, code, with_argument, false, rest, found),
        Takes::Filter { code: options, with_argument, with_two } => {
            filter(&code, options, with_argument, with_two, rest, found);
        }
        Takes::Database => {
            for (index, word) in rest.iter().enumerate() {
                let before = index.checked_sub(1).map_or("", |before| rest[before].text.as_str());
                let statement = matches!(before, "-c" | "-e" | "--command" | "--execute" | "-cmd");
                if statement || word.text.contains(char::is_whitespace) || word.text.starts_with("--command=") {
                    refuse(std::slice::from_ref(word), &format!("is part of a statement of `{name}`"), found);
                }
            }
        }
        Takes::Find => {
            for pair in rest.windows(2) {
                if matches!(pair[0].text.as_str(), "-exec" | "-execdir" | "-ok" | "-okdir") {
                    refuse(&pair[1..], "is the name of a program", found);
                }
            }
        }
        Takes::Git => {
            for pair in rest.windows(2) {
                if matches!(pair[0].text.as_str(), "-c" | "--exec" | "-x" | "--upload-pack" | "--receive-pack") {
                    refuse(&pair[1..], "sets what git runs", found);
                }
            }
        }
        Takes::Program => program(name, rest, found),
    }
}

/// A shell or an interpreter: options, then its script or, behind an option for it, its code, then arguments.
fn interpreter(
    name: &str,
    code: &[&str],
    with_argument: &[&str],
    shell: bool,
    rest: &[Word],
    found: &mut Vec<Finding>,
) {
    let is_code = |text: &str| {
        code.contains(&text)
            || (shell && cluster(text, 'c'))
            || code.iter().any(|option| option.len() == 2 && cluster_ends(text, &option[1..]))
    };
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        let option = word.text.starts_with(['-', '+']) || (!shell && is_code(&word.text));
        if !option {
            break;
        }
        if word.has_hole() {
            refuse(std::slice::from_ref(word), &format!("is part of an option of `{name}`"), found);
        }
        if is_code(&word.text) && !shell {
            break;
        }
        at += if with_argument.contains(&word.text.as_str()) { 2 } else { 1 };
    }
    if !shell && rest.get(at).is_some_and(|word| is_code(&word.text)) {
        at += 1;
    }
    refuse(rest.get(at..=at).unwrap_or_default(), &format!("is the program that `{name}` runs, or part of it"), found);
    // An option with an argument that is not known may have hidden where the code is.
    for pair in rest.get(at + 1..).unwrap_or_default().windows(2) {
        if is_code(&pair[0].text) {
            refuse(&pair[1..], &format!("stands behind `{}`, where `{name}` takes code", pair[0].text), found);
        }
    }
}

/// Whether a word is short options, one of which is this.
fn cluster(text: &str, option: char) -> bool {
    text.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-') && rest.contains(option))
}

/// Whether a word is short options, the last of which is this: `-lane`.
fn cluster_ends(text: &str, option: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| {
        rest.ends_with(option) && rest.len() <= 6 && rest.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// `awk`, `sed` and their like: the first operand is code, unless an option gave it.
fn filter(
    reason: &str,
    code: &[&str],
    with_argument: &[&str],
    with_two: &[&str],
    rest: &[Word],
    found: &mut Vec<Finding>,
) {
    let (mut at, mut given) = (0, false);
    while let Some(word) = rest.get(at) {
        let text = word.text.as_str();
        let next = |count: usize| rest.get(at + 1..(at + 1 + count).min(rest.len())).unwrap_or_default();
        if code.contains(&text)
            || code.iter().any(|option| text.strip_prefix(option).is_some_and(|t| t.starts_with('=')))
        {
            given = true;
            refuse(std::slice::from_ref(word), reason, found);
            if !text.contains('=') {
                refuse(next(1), reason, found);
                at += 1;
            }
        } else if with_two.contains(&text) {
            // The name of a variable, then its value.
            refuse(next(1), reason, found);
            at += 2;
        } else if with_argument.contains(&text) {
            // `-v name=value`: the value is no code, the name is the definition's.
            let named = next(1).first().is_none_or(|word| !word.has_hole() || word.assigns().is_some());
            if matches!(text, "-v" | "--assign") && !named {
                refuse(next(1), "is the name of a variable", found);
            }
            at += 1;
        } else if text.starts_with('-') && text.len() > 1 {
            refuse(std::slice::from_ref(word), reason, found);
        } else if !given {
            given = true;
            refuse(std::slice::from_ref(word), reason, found);
        }
        at += 1;
    }
}

/// A program that starts another: the first operand is that one's name.
fn program(name: &str, rest: &[Word], found: &mut Vec<Finding>) {
    let mut at = 0;
    while let Some(word) = rest.get(at) {
        let text = word.text.as_str();
        let number = text.trim_end_matches(['s', 'm', 'h', 'd']).parse::<f64>().is_ok();
        if word.assigns().is_some_and(|variable| !(word.has_hole() && environment::takes_code(variable))) || number {
            at += 1;
        } else if text.starts_with('-') && !word.has_hole() {
            at += if ARGUMENT_BEFORE_PROGRAM.contains(&text) { 2 } else { 1 };
        } else {
            break;
        }
    }
    let Some(word) = rest.get(at) else { return };
    refuse(std::slice::from_ref(word), &format!("is the program that `{name}` starts"), found);
    if !word.has_hole() {
        found.extend(check(&rest[at..]));
    }
}

fn refuse(words: &[Word], reason: &str, found: &mut Vec<Finding>) {
    let holes = words.iter().flat_map(|word| &word.holes);
    found.extend(holes.map(|hole| Finding { hole: hole.clone(), reason: reason.to_owned() }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reasons for a command of words in which `{x}` is a parameter.
    fn reasons(words: &[&str]) -> Vec<String> {
        let words: Vec<Word> = words.iter().map(|word| Word::of_argument(word, 0, |name| name == "x")).collect();
        check(&words).into_iter().map(|finding| finding.reason).collect()
    }

    #[test]
    fn code_of_another_program_takes_no_placeholder() {
        for words in [
            &["sh", "-c", "echo {x}"] as &[_],
            &["bash", "-lc", "{x}"],
            &["bash", "-e", "-c", "echo {x}"],
            &["bash", "{x}"],
            &["bash", "-o", "pipefail", "{x}"],
            &["eval", "{x}"],
            &["python3.12", "-c", "print('{x}')"],
            &["python3", "-W", "ignore", "-c", "{x}"],
            &["python3", "-m", "{x}"],
            &["python3", "{x}.py"],
            &["python3", "--unknown", "value", "-c", "{x}"],
            &["perl", "-lane", "print {x}"],
            &["perl", "-e{x}"],
            &["node", "--eval", "{x}"],
            &["deno", "eval", "{x}"],
            &["php", "-r", "echo {x};"],
            &["awk", "{print {x}}"],
            &["awk", "-F", ":", "$1 == \"{x}\"", "/etc/passwd"],
            &["gawk", "-f", "{x}"],
            &["awk", "-v", "{x}", "{print}"],
            &["sed", "-n", "s/{x}/y/"],
            &["sed", "-i", "-e", "s/{x}/y/", "f"],
            &["sed", "--expression=s/{x}/y/", "f"],
            &["sed", "-i{x}", "s/a/b/", "f"],
            &["jq", "-r", ".{x}"],
            &["jq", "--arg", "{x}", "v", "."],
            &["ssh", "host", "ls {x}"],
            &["xargs", "sh", "-c", "echo {x}"],
            &["xargs", "-I", "%", "sh", "-c", "echo % {x}"],
            &["env", "A=1", "sh", "-c", "{x}"],
            &["sudo", "-u", "me", "bash", "-c", "{x}"],
            &["timeout", "5s", "{x}"],
            &["nice", "-n", "5", "{x}"],
            &["env", "-S", "{x}"],
            &["find", ".", "-name", "a", "-exec", "{x}", ";"],
            &["find", ".", "-exec", "sh", "-c", "{x}", ";"],
            &["docker", "exec", "c", "sh", "-c", "echo {x}"],
            &["sqlite3", "f.db", "select '{x}'"],
            &["psql", "-c", "{x}"],
            &["git", "-c", "{x}", "log"],
            &["make", "{x}"],
            &["export", "{x}"],
            &["export", "LD_PRELOAD={x}"],
            &["read", "{x}"],
            &["printf", "-v", "{x}", "a"],
            &["test", "-v", "{x}"],
            &["env", "LD_PRELOAD={x}", "ls"],
            &["env", "PYTHONPATH={x}", "ls"],
            &["export", "PATH={x}"],
            &["dc", "-e", "{x}"],
            &["m4", "-D", "{x}"],
        ] {
            assert_eq!(reasons(words).len(), 1, "{words:?}: {:?}", reasons(words));
        }
    }

    #[test]
    fn arguments_take_placeholders() {
        for words in [
            &["echo", "{x}"] as &[_],
            &["sh", "-c", "echo \"$1\"", "sh", "{x}"],
            &["bash", "script.sh", "{x}"],
            &["python3", "tool.py", "--name", "{x}"],
            &["python3", "-c", "import sys", "{x}"],
            &["awk", "-v", "n={x}", "{print n}", "f"],
            &["awk", "{print $1}", "{x}"],
            &["sed", "-e", "s/a/b/", "{x}"],
            &["jq", "--indent", "{x}", "--arg", "n", "{x}", ".[$n]"],
            &["env", "A={x}", "ls", "{x}"],
            &["sudo", "ls", "{x}"],
            &["xargs", "grep", "{x}"],
            &["find", "{x}", "-name", "{x}"],
            &["git", "log", "--", "{x}"],
            &["export", "A={x}"],
            &["printf", "%s", "{x}"],
            &["psql", "-h", "{x}"],
            &["[", "-n", "{x}", "]"],
            &["cargo", "test", "{x}"],
        ] {
            assert_eq!(reasons(words), Vec::<String>::new(), "{words:?}");
        }
    }
}

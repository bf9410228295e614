//! Which keys the line editor has: those of vi, or those of Emacs.

#![expect(clippy::disallowed_methods, reason = "the file is the person's own, and named by their environment")]

use super::ReplArgs;
use crate::surroundings::Surroundings;
use rustyline::config::EditMode;
use std::io::Read as _;

/// The most bytes of an inputrc that are read.
const MOST: u64 = 1 << 20;

/// The keys by that name.
pub(crate) fn named(name: &str) -> Option<EditMode> {
    match name.to_ascii_lowercase().as_str() {
        "vi" => Some(EditMode::Vi),
        "emacs" => Some(EditMode::Emacs),
        _ => None,
    }
}

/// Their name.
pub(crate) fn name(keys: EditMode) -> &'static str {
    if keys == EditMode::Vi { "vi" } else { "emacs" }
}

/// What the command line says; else what the person says to every program with such keys, in `$INPUTRC` or `~/.inputrc`.
pub(crate) fn chosen(args: &ReplArgs, surroundings: &Surroundings) -> EditMode {
    if args.vi || args.emacs {
        return if args.vi { EditMode::Vi } else { EditMode::Emacs };
    }
    let own = || surroundings.folder("HOME").map(|home| home.join(".inputrc"));
    let named = surroundings.var_os("INPUTRC").filter(|path| !path.is_empty()).map(std::path::PathBuf::from);
    let Some(file) = named.or_else(own).and_then(|path| std::fs::File::open(path).ok()) else { return EditMode::Emacs };
    let mut bytes = Vec::new();
    // What cannot be read says nothing.
    drop(file.take(MOST).read_to_end(&mut bytes));
    of_inputrc(&String::from_utf8_lossy(&bytes))
}

/// What an inputrc says: the last `set editing-mode` that is for every program, or for this one.
fn of_inputrc(text: &str) -> EditMode {
    let mut keys = EditMode::Emacs;
    // Whether each `$if` around the line holds.
    let mut holds: Vec<bool> = Vec::new();
    for line in text.lines() {
        let words: Vec<String> = line.split_whitespace().map(str::to_ascii_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["$if", of, ..] => holds.push(*of == "skills" || *of == format!("mode={}", name(keys))),
            ["$else", ..] => {
                if let Some(last) = holds.last_mut() {
                    *last = !*last;
                }
            }
            ["$endif", ..] => drop(holds.pop()),
            ["set", "editing-mode", mode, ..] if holds.iter().all(|holds| *holds) => {
                keys = named(mode).unwrap_or(keys);
            }
            _ => {}
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inputrc_chooses_the_keys() {
        assert_eq!(of_inputrc(""), EditMode::Emacs);
        assert_eq!(
            of_inputrc("# set editing-mode vi\nset bell-style none\n  set  Editing-Mode VI  # so\n"),
            EditMode::Vi
        );
        assert_eq!(of_inputrc("set editing-mode vi\nset editing-mode emacs"), EditMode::Emacs);
        assert_eq!(of_inputrc("$if Bash\nset editing-mode vi\n$endif"), EditMode::Emacs);
        assert_eq!(of_inputrc("$if Bash\n$if skills\nset editing-mode vi\n$endif\n$else\n$endif"), EditMode::Emacs);
        assert_eq!(of_inputrc("$if Bash\n$else\nset editing-mode vi\n$endif"), EditMode::Vi);
        assert_eq!(of_inputrc("$if skills\nset editing-mode vi\n$endif\n$endif\n$else"), EditMode::Vi);
        assert_eq!(of_inputrc("set editing-mode ed"), EditMode::Emacs);
    }
}

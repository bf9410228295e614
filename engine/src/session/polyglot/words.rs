//! The words of code: which names it could mean.

use std::collections::BTreeSet;

/// Words by which code reaches names that it does not spell.
const REACHING: &[&str] =
    &["globals", "locals", "vars", "dir", "eval", "exec", "globalThis", "this", "Function", "__main__", "scope"];

/// Everything in the code that could be a name, strings and comments included: rather too much than too little.
pub(super) fn of(code: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let words = code.split(move |c: char| !is_part(c));
    words.filter(|word| word.chars().next().is_some_and(|first| !first.is_numeric())).collect()
}

/// Whether code could reach any name.
pub(super) fn reach_all(words: &BTreeSet<&str>) -> bool {
    REACHING.iter().any(|word| words.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_could_be_names() {
        let words = of("größe = $x.y2[3e5] + f\"{z!r}\" # note\n");
        assert_eq!(words.into_iter().collect::<Vec<_>>(), ["$x", "f", "größe", "note", "r", "y2", "z"]);
        assert!(reach_all(&of("globals()['x']")) && !reach_all(&of("my_globals + 1")));
    }
}

//! "Did you mean": the nearest of several known words.

/// How many known words a help line lists.
const MOST_LISTED: usize = 10;

/// The known word nearest to a word, where one is near enough to be meant. Case, `-` and `_` do not count.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.chars().filter(|c| *c != '-' && *c != '_').flat_map(char::to_lowercase).collect();
    let wanted: String = plain(word);
    // A third of the letters may differ: enough for a slip or a missing suffix, too few for another word.
    let most = (wanted.chars().count() / 3).max(1);
    let distance = |candidate: &str| {
        let candidate: String = plain(candidate);
        let distance = strsim::damerau_levenshtein(&wanted, &candidate);
        // A beginning is an abbreviation: `min`, `desc`, `param`.
        let abbreviated = wanted.len() >= 3 && candidate.starts_with(&wanted);
        (distance <= most || abbreviated).then_some(distance)
    };
    let near = known.into_iter().filter_map(|candidate| Some((distance(candidate)?, candidate)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// The help line for a word that is none of those known: the nearest, or all of them.
pub(crate) fn help<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let words: Vec<&str> = known.into_iter().collect();
            match words.len() {
                0..=MOST_LISTED => format!("known are {}", list(words)),
                all => format!("known are {}, and {} more", list(words[..MOST_LISTED].to_vec()), all - MOST_LISTED),
            }
        }
    }
}

/// Words as a sentence lists them: `` `a`, `b` and `c` ``.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_does_not() {
        let known = ["timeout", "parameters", "working_directory", "aliases"];
        assert_eq!(nearest("time_out", known), Some("timeout"));
        assert_eq!(nearest("tiemout", known), Some("timeout"));
        assert_eq!(nearest("workingDirectory", known), Some("working_directory"));
        assert_eq!(nearest("paramters", known), Some("parameters"));
        assert_eq!(nearest("icon", known), None);
        assert_eq!(nearest("min", ["min_items", "minimum", "min_length"]), Some("minimum"));
        assert_eq!(help("icon", ["a", "b"]), "known are `a` and `b`");
    }
}

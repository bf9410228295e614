//! How far apart two texts are.

use crate::bounds::Watch;
use crate::define::invalid;
use skills_core::{Budget, Failure};

/// The most cells of the table that comparing two texts fills; each takes about a nanosecond.
const MAX_COMPARISON: usize = 100_000_000;

/// The least number of characters to insert, remove or replace that turns one text into the other.
pub(super) fn distance(budget: &Budget, a: &str, b: &str) -> Result<u64, Failure> {
    if a.len().saturating_mul(b.len()) > MAX_COMPARISON {
        return Err(invalid(format!("texts of {} and {} bytes are too long to compare", a.len(), b.len()))
            .with_help("compare pieces of at most 10000 bytes, such as lines"));
    }
    let watch = Watch::start(budget);
    watch.check()?;
    let b: Vec<char> = b.chars().collect();
    // Row by row of the table whose last cell is the distance.
    let mut row: Vec<u64> = (0..=b.len() as u64).collect();
    for (index, here) in a.chars().enumerate() {
        watch.check()?;
        let mut diagonal = index as u64;
        let mut left = diagonal + 1;
        row[0] = left;
        for (cell, there) in row[1..].iter_mut().zip(&b) {
            let replaced = diagonal + u64::from(here != *there);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
    }
    Ok(row.last().copied().unwrap_or(0))
}

/// From 0 for nothing in common to 1 for the same: the distance over the length of the longer text.
pub(super) fn similarity(budget: &Budget, a: &str, b: &str) -> Result<f64, Failure> {
    let distance = distance(budget, a, b)?;
    let longer = a.chars().count().max(b.chars().count());
    Ok(if longer == 0 { 1.0 } else { 1.0 - distance as f64 / longer as f64 })
}

#[cfg(test)]
mod tests {
    use super::{distance, similarity};
    use proptest::prelude::*;
    use skills_core::{Budget, Limits};

    /// The definition, taken at its word.
    fn defined(a: &[char], b: &[char]) -> u64 {
        match (a, b) {
            (rest, []) | ([], rest) => rest.len() as u64,
            ([x, a @ ..], [y, b @ ..]) if x == y => defined(a, b),
            ([_, after_a @ ..], [_, after_b @ ..]) => {
                1 + defined(after_a, b).min(defined(a, after_b)).min(defined(after_a, after_b))
            }
        }
    }

    #[test]
    fn nothing_is_like_nothing() {
        let budget = Budget::new(Limits::none());
        assert_eq!(similarity(&budget, "", ""), Ok(1.0));
        assert_eq!(similarity(&budget, "", "é"), Ok(0.0));
        assert_eq!(distance(&budget, "", "日本"), Ok(2));
    }

    proptest! {
        #[test]
        fn it_is_the_least_number_of_edits(a in "[abé]{0,6}", b in "[abé]{0,6}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let budget = Budget::new(Limits::none());
            prop_assert_eq!(distance(&budget, &a, &b).unwrap(), defined(&characters(&a), &characters(&b)));
        }
    }
}

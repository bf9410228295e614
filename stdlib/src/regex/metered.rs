//! Many searches by few patterns, as one call makes them, within one bound on the work of all.

use super::{Flags, compile_new, cost};
use crate::define::invalid;
use ::regex::Regex;
use regex_automata::Input;
use regex_automata::hybrid::regex::{Cache, Regex as Automaton};
use skills_core::Failure;
use std::collections::HashMap;

/// How many patterns one call may use: compiling one takes milliseconds.
const MAX_PATTERNS: usize = 16;

/// How many steps the searches of one call may take: one for each byte of text, or several for each state and byte
/// where no automaton can be used.
const MAX_STEPS: u64 = 1_000_000_000;

/// The patterns of one call, and what is left of its steps.
pub(crate) struct Searches {
    patterns: HashMap<String, Option<Pattern>>,
    steps: u64,
}

struct Pattern {
    regex: Regex,
    automaton: Automaton,
    cache: Cache,
}

impl Default for Searches {
    fn default() -> Searches {
        Searches { patterns: HashMap::new(), steps: MAX_STEPS }
    }
}

impl Searches {
    /// Whether a pattern matches anywhere in a text; one that is not valid matches nowhere.
    ///
    /// # Errors
    /// `invalid_arguments` where the searches of this call could take very long.
    pub(crate) fn is_match(&mut self, pattern: &str, text: &str) -> Result<bool, Failure> {
        if !self.patterns.contains_key(pattern) {
            if self.patterns.len() == MAX_PATTERNS {
                return Err(invalid(format!("the path uses more than {MAX_PATTERNS} patterns"))
                    .with_help("write the pattern in the path, rather than taking it from each value"));
            }
            self.patterns.insert(pattern.to_owned(), Pattern::new(pattern)?);
        }
        let Some(Some(pattern)) = self.patterns.get_mut(pattern) else { return Ok(false) };
        take(&mut self.steps, text.len() as u64 + 1)?;
        match pattern.automaton.try_search(&mut pattern.cache, &Input::new(text).earliest(true)) {
            Ok(found) => Ok(found.is_some()),
            // It gave up; the other way costs a step in every state for each byte, and a slower one.
            Err(_) => {
                const SLOWER: u64 = 4;
                let states = pattern.automaton.forward().get_nfa().states().len() as u64;
                take(&mut self.steps, states.saturating_mul(text.len() as u64).saturating_mul(SLOWER))?;
                Ok(pattern.regex.is_match(text))
            }
        }
    }
}

impl Pattern {
    fn new(pattern: &str) -> Result<Option<Pattern>, Failure> {
        let flags = Flags::default();
        // JSONPath asks that a pattern which is not valid matches nothing; one that is too large is a mistake to tell.
        if regex_automata::util::syntax::parse_with(pattern, &flags.syntax()).is_err() {
            return Ok(None);
        }
        let regex = compile_new(pattern, flags)?;
        let automaton = cost::automaton(pattern, flags.syntax()).map_err(|_| too_much())?;
        let cache = automaton.create_cache();
        Ok(Some(Pattern { regex, automaton, cache }))
    }
}

fn take(left: &mut u64, steps: u64) -> Result<(), Failure> {
    *left = left.checked_sub(steps).ok_or_else(too_much)?;
    Ok(())
}

fn too_much() -> Failure {
    invalid("the patterns of the path could take very long on these values")
        .with_help("query fewer or shorter texts, or use smaller counts in {…}")
}

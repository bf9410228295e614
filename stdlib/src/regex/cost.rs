//! What a search in long text may cost, found out before it runs.
//!
//! A search is linear in the text, but for a pattern of many states each character can cost a step in every state, and
//! nothing can stop a search that is under way. Ordinary searches run in a lazily built automaton that costs one step a
//! character, whatever the pattern. So long text is first gone through by such an automaton, which gives up as soon as
//! it has to build a new state too often; only what it gets through is searched.

use super::MAX_COMPILED;
use crate::bounds::Watch;
use crate::define::invalid;
use regex_automata::hybrid::{dfa, regex::Regex};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_automata::{Input, MatchError};
use skills_core::Failure;

/// Text of at most this many bytes is searched whatever the pattern: the largest takes seconds then.
const FREE: usize = 64 << 10;

/// How many steps, which are states times bytes of text, a search may take at worst.
const MAX_STEPS: usize = 2_000_000_000;

/// How many bytes of text a new state of the automaton must last on average, once there are many.
const BYTES_PER_STATE: usize = 200;

/// What a search is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whether or where the pattern matches; groups do not matter.
    Places,
    /// The first match with its groups.
    FirstGroups,
    /// Every match with its groups.
    AllGroups,
}

/// Fails where a search could take very long, or might when its run is over.
pub(super) fn check(
    watch: &Watch<'_>,
    pattern: &str,
    syntax: syntax::Config,
    text: &str,
    wanted: Wanted,
) -> Result<(), Failure> {
    if text.len() <= FREE {
        return Ok(());
    }
    // The pattern has been compiled before; what only this automaton cannot do makes it as slow as it can be.
    let Ok(regex) = automaton(pattern, syntax) else { return Err(too_slow(text)) };
    let states = regex.forward().get_nfa().states().len();
    let affordable = MAX_STEPS / states.max(1);
    if text.len() <= affordable {
        return Ok(());
    }
    let mut cache = regex.create_cache();
    let (mut at, mut in_groups) = (0, 0);
    while at <= text.len() {
        watch.check()?;
        let found = regex.try_search(&mut cache, &Input::new(text).range(at..));
        let Some(found) = found.map_err(|_: MatchError| too_slow(text))? else { break };
        if wanted != Wanted::Places {
            // Groups are found by a search of the match itself, one step a state again.
            in_groups += found.len();
        }
        if in_groups > affordable {
            return Err(too_slow(text));
        }
        if wanted == Wanted::FirstGroups {
            break;
        }
        at = if found.is_empty() { found.end() + 1 } else { found.end() };
    }
    Ok(())
}

pub(super) fn automaton(
    pattern: &str,
    syntax: syntax::Config,
) -> Result<Regex, Box<regex_automata::hybrid::BuildError>> {
    Regex::builder()
        .syntax(syntax)
        .thompson(thompson::Config::new().nfa_size_limit(Some(MAX_COMPILED)))
        .dfa(
            dfa::Config::new()
                .unicode_word_boundary(true)
                .skip_cache_capacity_check(true)
                .minimum_cache_clear_count(Some(3))
                .minimum_bytes_per_state(Some(BYTES_PER_STATE)),
        )
        .build(pattern)
        .map_err(Box::new)
}

fn too_slow(text: &str) -> Failure {
    invalid(format!("the pattern could take very long on a text of {} bytes", text.len()))
        .with_help(format!("search pieces of at most {FREE} bytes, such as lines, or use smaller counts in {{…}}"))
}

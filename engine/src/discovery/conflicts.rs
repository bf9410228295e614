//! Names that several definitions want.

use super::entry::Entry;
use crate::definition::codes;
use crate::{Diagnostic, Severity};
use std::collections::HashMap;

/// A diagnostic about several entries.
#[derive(Debug)]
pub(super) struct Conflict {
    /// The entries it concerns, as places in the list of all.
    pub(super) entries: Vec<usize>,
    pub(super) diagnostic: Diagnostic,
}

/// Every conflict among sorted entries: shadowed names in their order, then aliases in theirs.
pub(super) fn find(
    entries: &[Entry],
    names: &HashMap<String, usize>,
    aliases: &HashMap<String, Vec<usize>>,
) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some((first, winner)) = names.get(entry.name()).and_then(|first| Some((*first, entries.get(*first)?)))
            && first != at
        {
            conflicts.push(Conflict { entries: vec![first, at], diagnostic: hidden(winner, entry) });
        }
    }
    let mut aliases: Vec<_> = aliases.iter().collect();
    aliases.sort_unstable();
    for (alias, claimants) in aliases {
        let of = |at: &usize| entries.get(*at);
        if let Some((at, named)) = names.get(alias).and_then(|at| Some((*at, entries.get(*at)?))) {
            for claimant in claimants.iter().filter(|claimant| **claimant != at) {
                if let Some(entry) = of(claimant) {
                    let diagnostic = alias_of_a_name(alias, entry, named);
                    conflicts.push(Conflict { entries: vec![*claimant, at], diagnostic });
                }
            }
        } else if claimants.len() > 1 {
            let all: Vec<&Entry> = claimants.iter().filter_map(of).collect();
            conflicts
                .extend(several(alias, &all).map(|diagnostic| Conflict { entries: claimants.clone(), diagnostic }));
        }
    }
    conflicts
}

fn hidden(winner: &Entry, hidden: &Entry) -> Diagnostic {
    let name = winner.name();
    let (code, message) = if winner.rank == hidden.rank {
        (
            codes::SAME_NAME,
            format!("two definitions are called `{name}`: this one is used, and {} is not", hidden.file()),
        )
    } else {
        let message = format!("`{}` hides `{}` ({})", winner.qualified_name(), hidden.qualified_name(), hidden.file());
        (codes::SHADOWED, message)
    };
    let help = match winner.scope == hidden.scope {
        true => format!("rename one of the two, or call the other by its path: {}", hidden.file()),
        false => format!("call the other `{}`, or rename one of the two", hidden.qualified_name()),
    };
    Diagnostic::of_file(code.id, Severity::Warning, winner.file(), message).with_help(help)
}

fn alias_of_a_name(alias: &str, entry: &Entry, named: &Entry) -> Diagnostic {
    let message = format!(
        "the alias `{alias}` of `{}` is the name of `{}`, which it means",
        entry.qualified_name(),
        named.qualified_name()
    );
    Diagnostic::of_file(codes::ALIAS_IS_A_NAME.id, Severity::Warning, entry.file(), message)
        .with_help(format!("give `{}` another alias", entry.name()))
}

fn several(alias: &str, claimants: &[&Entry]) -> Option<Diagnostic> {
    let first = claimants.first()?;
    let names: Vec<String> = claimants.iter().map(|entry| format!("`{}`", entry.qualified_name())).collect();
    let message = format!("the alias `{alias}` is claimed by {}: it means none of them", names.join(", "));
    Some(
        Diagnostic::of_file(codes::ALIAS_OF_SEVERAL.id, Severity::Warning, first.file(), message)
            .with_help("take the alias from all but one of them; until then call them by name"),
    )
}

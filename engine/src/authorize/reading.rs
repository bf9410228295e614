//! What nobody may read, whoever allows it: for what a script imports of its own folder, which the host reads for it.

use super::atom::{Atom, resolved};
use super::policy::{Bound, Policy, Rule};
use skills_core::Operation;
use std::path::Path;

/// The rules about reading that no grant overrides.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    denied: Vec<Rule>,
    ceiling: Bound,
}

impl Reading {
    pub(super) fn of(policy: &Policy) -> Reading {
        let denied = policy.denied.iter().filter(|rule| rule.operation == Operation::FileRead).cloned();
        Reading { denied: denied.collect(), ceiling: policy.ceiling.clone() }
    }

    /// The rule that keeps a path, or all of a folder, from being read. Links are followed: what counts is where it leads.
    pub(crate) fn refuses(&self, path: &Path) -> Option<String> {
        if self.denied.is_empty() && self.ceiling.is_open(Operation::FileRead) {
            return None;
        }
        let atom = Atom::Path(resolved(path));
        // Where the two meet in the path itself it is in what is denied, and not only above it.
        let denies = |rule: &&Rule| rule.atom.meet(&atom).as_ref() == Some(&atom);
        if let Some(rule) = self.denied.iter().find(denies) {
            return Some(format!("a rule denies {}", rule.atom));
        }
        let leaves = self.ceiling.leaves(Operation::FileRead, &atom);
        (!leaves.contains(&atom)).then(|| format!("the host program allows no file_read of {atom}"))
    }
}

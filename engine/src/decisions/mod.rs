//! Where decisions are kept: in memory, or in a SQLite file.

mod sqlite;

pub use sqlite::SqliteDecisions;

use skills_core::{Decision, DecisionStore, Failure};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Decisions that live as long as the engine, in memory.
#[derive(Debug, Default)]
pub struct MemoryDecisions(Mutex<Vec<Decision>>);

impl MemoryDecisions {
    fn lock(&self) -> MutexGuard<'_, Vec<Decision>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DecisionStore for MemoryDecisions {
    fn all(&self) -> Result<Vec<Decision>, Failure> {
        Ok(self.lock().iter().rev().cloned().collect())
    }

    fn record(&self, decision: &Decision) -> Result<(), Failure> {
        let mut all = self.lock();
        all.retain(|old| !is_same(old, decision));
        all.push(decision.clone());
        Ok(())
    }

    fn revoke(&self, place: &Path) -> Result<usize, Failure> {
        let mut all = self.lock();
        let before = all.len();
        all.retain(|decision| !decision.place.starts_with(place));
        Ok(before - all.len())
    }
}

/// Whether two decisions are about the same, so that the newer one holds instead of the older.
fn is_same(one: &Decision, other: &Decision) -> bool {
    (one.operation, &one.name, one.scope, &one.place, &one.call)
        == (other.operation, &other.name, other.scope, &other.place, &other.call)
}

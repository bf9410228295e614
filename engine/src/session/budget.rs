//! What a session may use in all, over its evaluations.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use skills_core::{Breach, Budget, Failure, LimitName, Limits};
use std::time::Duration;

/// What all evaluations of a session together may use. `None` is no bound. The limits of each evaluation hold beside it.
///
/// A session whose budget is spent ends: what was under way gets the error of the limit, and so does what comes later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionBudget {
    /// Execution time.
    pub time: Option<Duration>,
    /// Wall time of evaluations; time between them does not count.
    pub wall: Option<Duration>,
    /// Memory of the namespace, in bytes.
    pub memory: Option<u64>,
    /// Operations.
    pub operations: Option<u64>,
    /// What is printed, in bytes.
    pub output: Option<u64>,
    /// Host calls.
    pub host_calls: Option<u64>,
}

/// The limits that a budget can have, in the order in which they are reported.
const NAMES: [LimitName; 6] = [
    LimitName::Time,
    LimitName::Wall,
    LimitName::Memory,
    LimitName::Operations,
    LimitName::Output,
    LimitName::HostCalls,
];

impl SessionBudget {
    /// As limits, with no bound on all else.
    fn limits(&self) -> Limits {
        Limits {
            time: self.time,
            wall: self.wall,
            memory: self.memory,
            operations: self.operations,
            output: self.output,
            host_calls: self.host_calls,
            ..Limits::none()
        }
    }

    /// What is left of it: limits for the next evaluation.
    pub(crate) fn left(&self, spent: &Spent) -> Limits {
        let rest = |limit: Option<u64>, used: u64| limit.map(|limit| limit.saturating_sub(used));
        Limits {
            time: self.time.map(|limit| limit.saturating_sub(spent.time)),
            wall: self.wall.map(|limit| limit.saturating_sub(spent.wall)),
            memory: self.memory,
            operations: rest(self.operations, spent.operations),
            output: rest(self.output, spent.output),
            host_calls: rest(self.host_calls, spent.host_calls),
            ..Limits::none()
        }
    }

    /// That nothing is left of some part, before something is evaluated. Output and host calls may stay untouched, and
    /// breach when they are used.
    pub(crate) fn spent_up(&self, spent: &Spent) -> Option<Failure> {
        [LimitName::Time, LimitName::Wall, LimitName::Operations].into_iter().find_map(|name| {
            let (limit, reading) = (self.limits().get(name)?, spent.get(name));
            (reading >= limit).then(|| Failure::breach(Breach { name, limit, reading }))
        })
    }

    /// The failure of an evaluation as a breach of this budget, where what stopped it was what this one had `left`.
    pub(crate) fn breached(&self, failure: &Failure, left: &Limits) -> Option<Failure> {
        let breach = failure.limit?;
        let limit = self.limits().get(breach.name)?;
        (left.get(breach.name) == Some(breach.limit)).then(|| {
            let reading = limit.saturating_add(breach.reading.saturating_sub(breach.limit));
            let own = Failure::breach(Breach { name: breach.name, limit, reading });
            Failure { language: failure.language, frames: failure.frames.clone(), ..own }
        })
    }

    /// Each part that is bounded, with what was used of it.
    pub(crate) fn report(&self, spent: &Spent) -> Map<String, Value> {
        let limits = self.limits();
        let part = |name: &LimitName| {
            let limit = limits.get(*name)?;
            Some((name.as_str().to_owned(), json!({"limit": limit, "used": spent.get(*name)})))
        };
        NAMES.iter().filter_map(part).collect()
    }
}

/// What a session's evaluations used so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spent {
    time: Duration,
    wall: Duration,
    memory: u64,
    operations: u64,
    output: u64,
    host_calls: u64,
}

impl Spent {
    /// Adds what an evaluation used.
    pub(crate) fn add(&mut self, budget: &Budget, usage: &skills_core::Usage) {
        // Where an image says what was spent before, that may be any number.
        self.time = self.time.saturating_add(budget.elapsed());
        self.wall = self.wall.saturating_add(budget.wall());
        self.memory = usage.peak_memory.unwrap_or(self.memory);
        self.operations = self.operations.saturating_add(usage.operations.unwrap_or(0));
        self.output = self.output.saturating_add(budget.output());
        self.host_calls = self.host_calls.saturating_add(budget.host_calls());
    }

    /// What both used; memory is each one's own.
    pub(crate) fn plus(&self, other: &Spent) -> Spent {
        Spent {
            time: self.time.saturating_add(other.time),
            wall: self.wall.saturating_add(other.wall),
            memory: self.memory,
            operations: self.operations.saturating_add(other.operations),
            output: self.output.saturating_add(other.output),
            host_calls: self.host_calls.saturating_add(other.host_calls),
        }
    }

    fn get(&self, name: LimitName) -> u64 {
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        match name {
            LimitName::Time => millis(self.time),
            LimitName::Wall => millis(self.wall),
            LimitName::Memory => self.memory,
            LimitName::Operations => self.operations,
            LimitName::Output => self.output,
            LimitName::HostCalls => self.host_calls,
            _ => 0,
        }
    }
}

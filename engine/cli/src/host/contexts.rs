//! The engines of the host: one for each place and environment that clients come from.

use super::reports::Reports;
use crate::context::Context;
use crate::surroundings::Surroundings;
use skills::{Engine, Error, SessionHub};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an engine is given to new sessions. What a person changes of configuration and skills counts after that; what
/// opens many sessions in a row shares one engine, and its workers.
const FRESH: Duration = Duration::from_secs(2);

/// The most engines that are kept for new sessions. Those of sessions live as long as these.
const MOST: usize = 16;

/// The link to the executable that runs: it stays good when the file is replaced.
const EXECUTABLE: &str = "/proc/self/exe";

/// Makes engines, and keeps those that were made a moment ago.
pub(super) struct Contexts {
    hub: SessionHub,
    reports: Reports,
    made: Mutex<Vec<Made>>,
}

struct Made {
    surroundings: Surroundings,
    engine: Engine,
    diagnostics: Vec<String>,
    at: Instant,
}

impl Contexts {
    /// None yet.
    pub(super) fn new(hub: SessionHub, reports: Reports) -> Contexts {
        Contexts { hub, reports, made: Mutex::default() }
    }

    /// The engine of a client, and what is wrong with its configuration, ready to be shown.
    pub(super) fn engine(&self, surroundings: &Surroundings) -> Result<(Engine, Vec<String>), Error> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|made| made.at.elapsed() < FRESH);
        if let Some(same) = made.iter().find(|made| made.surroundings == *surroundings) {
            return Ok((same.engine.clone(), same.diagnostics.clone()));
        }
        let context = Context::of(surroundings.clone());
        let diagnostics: Vec<String> = context.config_diagnostics.iter().map(|found| found.render(true)).collect();
        let builder = context.builder().sessions(self.hub.clone()).worker(EXECUTABLE).ready_workers(0);
        let engine = builder.approver(Arc::new(self.reports.clone())).events(Arc::new(self.reports.clone())).build()?;
        if made.len() >= MOST {
            made.remove(0);
        }
        let surroundings = surroundings.clone();
        made.push(Made { surroundings, engine: engine.clone(), diagnostics: diagnostics.clone(), at: Instant::now() });
        Ok((engine, diagnostics))
    }

    /// Drops what nobody took lately.
    pub(super) fn tidy(&self) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|made| made.at.elapsed() < FRESH);
    }
}

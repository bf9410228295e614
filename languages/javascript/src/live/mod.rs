//! Sessions that live: cells are evaluated in a namespace that stays. `source/cell.rs` and `source/declare.rs` say how, and
//! `bridge/live` is the half of it in JavaScript.

mod eval;
mod keep;
mod members;
mod names;
mod sources;

pub(crate) use eval::evaluate;
pub(crate) use keep::{restore, snapshot};
pub(crate) use members::{complete, inspect};
pub(crate) use names::{get, set, variables};
pub(crate) use sources::{Definitions, Sources};

use crate::engine::Fault;
use crate::error::{self, Places};
use crate::modules::Graph;
use crate::session::{JavaScriptSession, cpu_time};
use crate::source::{Columns, Shadows};
use skills_core::{Breach, ErrorKind, Failure, Host, Language, LimitName, Script, Usage};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What a session has beside its engine once it evaluates cells.
pub(crate) struct Living {
    sources: Sources,
    shadows: Shadows,
    /// What stands before the declarations of names.
    docs: HashMap<String, String>,
    /// The sources of skills whose bodies were evaluated: each one's place is its number in the bridge.
    skills: Vec<Arc<Script>>,
    /// The language of the last cell.
    language: Language,
    cpu: Duration,
    /// The files of the skill that its cells have imported.
    graph: Graph,
}

impl Living {
    /// Remembers what stands before the declaration of a name, or that nothing does.
    fn document(&mut self, name: String, doc: Option<String>) {
        const LONGEST: usize = 4000;
        const MOST: usize = 2000;
        match doc {
            Some(doc) if self.docs.len() < MOST || self.docs.contains_key(&name) => {
                self.docs.insert(name, doc.chars().take(LONGEST).collect());
            }
            _ => {
                self.docs.remove(&name);
            }
        }
    }

    /// The processor time of all that was asked of the session.
    pub(crate) fn cpu(&self) -> Duration {
        self.cpu
    }
}

/// A run needs a world as it was made, and the one of a living session belongs to its cells.
pub(crate) fn serves_no_run() -> Failure {
    Failure::new(ErrorKind::Unavailable, "this session evaluates cells in a namespace of its own, and runs no scripts")
        .with_help("open another session for it")
}

/// Begins to live, where the session has not yet.
fn begin(session: &mut JavaScriptSession) -> Result<(), Failure> {
    if session.living.is_some() {
        return Ok(());
    }
    if !skills_core::Session::reusable(session) {
        return Err(Failure::new(ErrorKind::Unavailable, "a script has left this session in doubt")
            .with_help("open another session"));
    }
    session.engine.start(None);
    let fixed = session.engine.live().map_err(|fault| {
        Failure::new(ErrorKind::Unavailable, format!("the session cannot keep a namespace: {fault:?}"))
    })?;
    session.living = Some(Living {
        sources: Sources::default(),
        shadows: Shadows::new(fixed),
        docs: HashMap::new(),
        skills: Vec::new(),
        language: Language::JavaScript,
        cpu: Duration::ZERO,
        graph: Graph::default(),
    });
    Ok(())
}

/// Does something of a living session under the host's budget.
fn under<R>(
    session: &mut JavaScriptSession,
    host: &Arc<dyn Host>,
    language: Language,
    work: impl FnOnce(&mut JavaScriptSession) -> Result<R, Failure>,
) -> (Result<R, Failure>, Usage) {
    under_memory(session, host, language, 1, work)
}

/// As [`under`], with so many times the memory.
fn under_memory<R>(
    session: &mut JavaScriptSession,
    host: &Arc<dyn Host>,
    language: Language,
    times: u64,
    work: impl FnOnce(&mut JavaScriptSession) -> Result<R, Failure>,
) -> (Result<R, Failure>, Usage) {
    let mut usage = Usage::default();
    let budget = host.budget();
    let started = cpu_time();
    if let Some(verdict) = budget.verdict() {
        return (Err(verdict.clone()), usage);
    }
    if let Err(failure) = begin(session) {
        return (Err(failure), usage);
    }
    let limits = budget.limits();
    session.engine.natives().bind(host);
    session.engine.start_cell(limits.memory.map(|limit| limit.saturating_mul(times)));
    if let Some(heap) = session.engine.heap() {
        heap.pace(budget);
    }
    let running = budget.running(session.engine.interrupt());
    let mut result = work(session);
    let peak = session.engine.heap().map(|heap| (heap.breached(), heap.peak()));
    drop(running);
    if let (Some((true, peak)), Some(limit)) = (peak, limits.memory) {
        budget.breach(Breach { name: LimitName::Memory, limit, reading: peak.max(limit) });
    }
    if let Some(verdict) = budget.verdict() {
        let frames = result.err().map(|failure| failure.frames).unwrap_or_default();
        result = Err(verdict.clone().in_script(language, frames));
    }
    session.engine.rest();
    usage.cpu = started.and_then(|started| cpu_time()?.checked_sub(started));
    if let (Some(living), Some(cpu)) = (session.living.as_mut(), usage.cpu) {
        living.cpu += cpu;
    }
    usage.peak_memory = peak.map(|(_, peak)| peak);
    (result, usage)
}

/// The failure of a question that the bridge could not answer. It is about no cell.
fn unanswered(session: &mut JavaScriptSession, fault: &Fault) -> Failure {
    let script = asking();
    let places = Places { script: &script, resource: "", columns: &Columns::default(), earlier: None };
    error::fault(fault, &places, || session.engine.depth())
}

/// What stands for the script where none is evaluated.
fn asking() -> Script {
    Script { language: Language::JavaScript, file: "<session>".into(), source: String::new() }
}

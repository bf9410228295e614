use super::refill::Shared;
use super::shelf::Wanted;
use super::turns::Turn;
use crate::remote::RemoteSession;
use serde_json::Value;
use skills_core::{
    Cell, Completions, Evaluated, Evaluation, Failure, Forked, Held, Host, Inspection, Lost, OpenSession, Script,
    Session, Snapshot, Variable,
};
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// A session as whoever asked for it has it. What comes after its end is done behind its back: the worker ends, and its place
/// is filled.
#[derive(Debug)]
pub(crate) struct Lent {
    // Taken out when this is dropped, and only then.
    session: ManuallyDrop<RemoteSession>,
    wanted: Option<Wanted>,
    shared: Arc<Shared>,
    turn: Option<Turn>,
    living: bool,
}

impl Lent {
    pub(crate) fn new(
        session: RemoteSession,
        wanted: Wanted,
        shared: &Arc<Shared>,
        turn: Option<Turn>,
        living: bool,
    ) -> Lent {
        Lent { session: ManuallyDrop::new(session), wanted: Some(wanted), shared: Arc::clone(shared), turn, living }
    }
}

impl Lent {
    /// A turn for one evaluation of a living session. There is always one: whoever waits for the session may have a turn
    /// that it will not give back before.
    fn serves(&self) -> Option<Turn> {
        (self.living && self.turn.is_none()).then(|| self.shared.turns.take_now())
    }
}

impl Session for Lent {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        self.session.run(script, params, host)
    }

    fn reusable(&self) -> bool {
        self.session.reusable()
    }

    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        let _turn = self.serves();
        self.session.eval(cell, host)
    }

    fn variables(&mut self, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        self.session.variables(host)
    }

    fn get(&mut self, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        self.session.get(name, host)
    }

    fn set(&mut self, name: &str, value: &Value, host: &Arc<dyn Host>) -> Result<(), Failure> {
        self.session.set(name, value, host)
    }

    fn complete(&mut self, text: &str, cursor: usize, host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        self.session.complete(text, cursor, host)
    }

    fn inspect(&mut self, path: &str, host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        self.session.inspect(path, host)
    }

    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        let _turn = self.serves();
        self.session.snapshot(host)
    }

    fn restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        let _turn = self.serves();
        self.session.restore(snapshot, host)
    }

    fn fork(&mut self, host: &Arc<dyn Host>) -> Result<Option<Forked>, Failure> {
        let _turn = self.serves();
        let Some(copy) = self.session.fork_worker(host)? else { return Ok(None) };
        let Some(wanted) = self.wanted.clone() else { return Ok(None) };
        let copy = Lent::new(copy, wanted, &self.shared, None, true);
        Ok(Some(Box::new(move || Ok(OpenSession::Anywhere(Box::new(copy))))))
    }

    fn held(&self) -> Held {
        self.session.held()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: dropping happens once, and nothing uses the session afterwards.
        let session = unsafe { ManuallyDrop::take(&mut self.session) };
        // What the script left running ends here, and not when somebody gets round to it.
        session.end();
        Shared::take_back(&self.shared, session, self.wanted.take());
    }
}

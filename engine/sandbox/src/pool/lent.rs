use super::refill::Shared;
use super::shelf::Wanted;
use super::turns::Turn;
use crate::remote::RemoteSession;
use serde_json::Value;
use skills_core::{Evaluation, Host, Script, Session};
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
    _turn: Option<Turn>,
}

impl Lent {
    pub(crate) fn new(session: RemoteSession, wanted: Wanted, shared: &Arc<Shared>, turn: Option<Turn>) -> Lent {
        Lent { session: ManuallyDrop::new(session), wanted: Some(wanted), shared: Arc::clone(shared), _turn: turn }
    }
}

impl Session for Lent {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        self.session.run(script, params, host)
    }

    fn reusable(&self) -> bool {
        self.session.reusable()
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

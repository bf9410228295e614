//! The end of a session: what its variables hold may run code when it goes, which happens under limits as all else.

use super::Given;
use crate::guard::Guarded;
use crate::session::PythonSession;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use serde_json::Value;
use skills_core::{Arguments, Budget, ErrorKind, Failure, FunctionSpec, Grants, Host, Limits, Stream};
use std::sync::Arc;
use std::time::Duration;

/// How long finalizers may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much memory they may take beside what the session holds, in bytes.
const ROOM: u64 = 16 << 20;

impl PythonSession {
    /// Empties the namespace, where there is one.
    pub(crate) fn part(&mut self, py: Python<'_>) {
        let Some(members) = self.members.as_ref().filter(|_| self.living.is_some()) else { return };
        let Some(living) = &self.living else { return };
        let (held, most) = (living.memory.used(), living.memory.limit());
        // No more than the session might hold, and little more than it does where it might hold anything.
        let memory = Some(held.saturating_add(ROOM).min(most.max(held)));
        let limits = Limits { time: Some(PATIENCE), memory, ..Limits::none() };
        let host: Arc<dyn Host> =
            Arc::new(Nobody { functions: Arc::clone(&members.functions), budget: Budget::new(limits) });
        let emptied: Guarded<()> = self.lived(py, &host, Given::default(), |work| {
            let living = &mut *work.living;
            // A loop that does not close has been closed by the session's own code, or is in doubt.
            let _ = living.event_loop.bind(py).call_method0(intern!(py, "close"));
            living.bodies.clear();
            living.names.bind(py).clear();
            // SAFETY: the GIL is held.
            unsafe { ffi::PyGC_Collect() };
            Ok(())
        });
        drop(emptied);
        self.living = None;
    }
}

/// The host of code that runs when nobody is there any more.
struct Nobody {
    functions: Arc<[FunctionSpec]>,
    budget: Arc<Budget>,
}

impl Host for Nobody {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        &self.functions
    }

    fn is_global(&self, _index: usize) -> bool {
        false
    }

    fn call(&self, _index: usize, _arguments: Arguments) -> Result<Value, Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "the session has ended"))
    }

    fn print(&self, _stream: Stream, _text: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        Grants::NONE
    }
}

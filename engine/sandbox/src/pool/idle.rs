use super::shelf::Wanted;
use serde_json::Value;
use skills_core::{Arguments, Budget, ErrorKind, Failure, FunctionSpec, Grants, Host, Limits, Stream};
use std::sync::Arc;
use std::time::Duration;

/// The host of a session that nobody uses yet.
pub(crate) struct Idle {
    functions: Arc<[FunctionSpec]>,
    globals: Arc<[bool]>,
    budget: Arc<Budget>,
}

impl Idle {
    pub(crate) fn host(wanted: &Wanted) -> Arc<dyn Host> {
        /// How long a worker may take until it is ready.
        const PATIENCE: Duration = Duration::from_secs(10);
        let limits = Limits { wall: Some(PATIENCE), memory: wanted.cage.memory, ..Limits::none() };
        let (functions, globals) = (Arc::clone(&wanted.functions), Arc::clone(&wanted.globals));
        Arc::new(Idle { functions, globals, budget: Budget::new(limits) })
    }
}

impl Host for Idle {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        &self.functions
    }

    fn is_global(&self, index: usize) -> bool {
        self.globals.get(index).copied().unwrap_or(false)
    }

    fn call(&self, _index: usize, _arguments: Arguments) -> Result<Value, Failure> {
        Err(Failure::new(ErrorKind::Internal, "nothing runs in this worker yet"))
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

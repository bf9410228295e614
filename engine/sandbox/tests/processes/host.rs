//! A host for programs of tests.

use serde_json::Value;
use skills_core::{Arguments, Budget, ErrorKind, Failure, FunctionSpec, Grants, Host, Limits, Stream};
use std::sync::{Arc, Mutex};

pub(crate) struct TestHost {
    functions: Arc<[FunctionSpec]>,
    budget: Arc<Budget>,
    grants: Grants,
    pub(crate) printed: Mutex<Vec<(Stream, String)>>,
}

impl TestHost {
    pub(crate) fn new(limits: Limits) -> Arc<TestHost> {
        TestHost::granted(limits, Grants::default())
    }

    pub(crate) fn granted(limits: Limits, grants: Grants) -> Arc<TestHost> {
        let functions = Arc::new([]);
        Arc::new(TestHost { functions, budget: Budget::new(limits), grants, printed: Mutex::default() })
    }

    /// What was printed to a stream.
    pub(crate) fn text(&self, stream: Stream) -> String {
        self.printed.lock().unwrap().iter().filter(|(of, _)| *of == stream).map(|(_, text)| text.as_str()).collect()
    }
}

impl Host for TestHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        &self.functions
    }

    fn is_global(&self, _index: usize) -> bool {
        false
    }

    fn call(&self, _index: usize, _arguments: Arguments) -> Result<Value, Failure> {
        Err(Failure::new(ErrorKind::NotFound, "there is no function"))
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        self.budget.charge_output(text.len() as u64)?;
        self.printed.lock().unwrap().push((stream, text.to_owned()));
        Ok(())
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        &self.grants
    }
}

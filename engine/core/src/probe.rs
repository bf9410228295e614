use crate::{Arguments, Budget, Failure, FunctionSpec, Grants, Host, Limits, Stream};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// A host with one function, `probe`, which does nothing: what an interpreter tries its limits on.
#[derive(Debug)]
pub struct ProbeHost {
    budget: Arc<Budget>,
}

impl ProbeHost {
    /// A host with a budget of its own.
    pub fn with_limits(limits: Limits) -> Arc<dyn Host> {
        Arc::new(ProbeHost { budget: Budget::new(limits) })
    }
}

impl Host for ProbeHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        static FUNCTIONS: LazyLock<Arc<[FunctionSpec]>> = LazyLock::new(|| {
            Arc::new([FunctionSpec {
                name: "probe".to_owned(),
                description: "Does nothing.".to_owned(),
                parameters: Vec::new(),
                returns: json!({}),
                capability: None,
            }])
        });
        &FUNCTIONS
    }

    fn is_global(&self, _index: usize) -> bool {
        false
    }

    fn call(&self, _index: usize, _arguments: Arguments) -> Result<Value, Failure> {
        self.budget.charge_host_call().map(|()| Value::Null)
    }

    fn print(&self, _stream: Stream, text: &str) -> Result<(), Failure> {
        self.budget.charge_output(text.len() as u64)
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        Grants::NONE
    }
}

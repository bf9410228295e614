//! A host for programs of tests.

use serde_json::{Value, json};
use skills_core::{Arguments, Budget, ErrorKind, Failure, FunctionSpec, Grants, Host, Limits, ParameterSpec, Stream};
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
        let function = |name: &str, parameters: Vec<ParameterSpec>| FunctionSpec {
            name: name.into(),
            description: format!("Does {name}"),
            parameters,
            returns: json!({}),
            capability: None,
        };
        let functions = Arc::new([
            function("echo", vec![ParameterSpec::any("value")]),
            FunctionSpec {
                returns: json!({"type": "null"}),
                ..function("log", vec![ParameterSpec::any("message"), ParameterSpec::any("level").or(json!("info"))])
            },
            function("state.set", vec![ParameterSpec::typed("key", "string"), ParameterSpec::any("value")]),
        ]);
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

    /// Echoes; state is not granted.
    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.budget.charge_host_call()?;
        let mut bound = self.functions[index].bind(arguments)?;
        match index {
            0 => Ok(bound.remove(0)),
            1 => Ok(Value::Null),
            _ => Err(Failure::new(ErrorKind::PermissionDenied, "no state here").with_help("ask for it")),
        }
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

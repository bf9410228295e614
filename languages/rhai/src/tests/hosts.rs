//! A host for tests, and short ways to run scripts on it.

use crate::Rhai;
use serde_json::{Value, json};
use skills_core::{
    Arguments, Budget, Cell, Entry, ErrorKind, Evaluated, Evaluation, Failure, FunctionSpec, Grants, Host, Interpreter,
    Language, Limits, ParameterSpec, Script, Session, Stream,
};
use std::sync::{Arc, Mutex};

pub(super) struct TestHost {
    budget: Arc<Budget>,
    functions: Arc<[FunctionSpec]>,
    printed: Mutex<Vec<(Stream, String)>>,
    kept: Mutex<Vec<Value>>,
}

fn spec(name: &str, parameters: Vec<ParameterSpec>) -> FunctionSpec {
    FunctionSpec { name: name.into(), description: String::new(), parameters, returns: json!({}), capability: None }
}

impl TestHost {
    pub(super) fn new(limits: Limits) -> Arc<TestHost> {
        let functions: Vec<FunctionSpec> = vec![
            spec("echo", vec![ParameterSpec::any("value")]),
            spec("add", vec![ParameterSpec::typed("a", "number"), ParameterSpec::typed("b", "number").or(json!(10))]),
            spec("fail", vec![]),
            spec("call", vec![ParameterSpec::typed("name", "string"), ParameterSpec::any("args").or(json!({}))]),
            spec("state.get", vec![ParameterSpec::typed("key", "string")]),
            spec("fs.get", vec![ParameterSpec::typed("path", "string")]),
            spec("deep.slow", vec![ParameterSpec::typed("ms", "integer")]),
            spec("keep", vec![ParameterSpec::typed("bytes", "integer")]),
            spec("big", vec![ParameterSpec::typed("items", "integer")]),
            spec("room", vec![ParameterSpec::typed("name", "string")]),
            spec("room.get", vec![ParameterSpec::typed("name", "string"), ParameterSpec::any("key").or(Value::Null)]),
        ];
        Arc::new(TestHost {
            budget: Budget::new(limits),
            functions: functions.into(),
            printed: Mutex::default(),
            kept: Mutex::default(),
        })
    }

    pub(super) fn printed(&self, stream: Stream) -> String {
        let printed = self.printed.lock().unwrap();
        printed.iter().filter(|(to, _)| *to == stream).map(|(_, text)| text.as_str()).collect()
    }
}

impl Host for TestHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        &self.functions
    }

    fn is_global(&self, index: usize) -> bool {
        matches!(self.functions[index].name.as_str(), "echo" | "add" | "fail")
    }

    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.budget.charge_host_call()?;
        let _pause = self.budget.pause();
        let spec = &self.functions[index];
        let args = spec.bind(arguments)?;
        Ok(match spec.name.as_str() {
            "echo" => args[0].clone(),
            "add" => match (args[0].as_i64(), args[1].as_i64()) {
                (Some(a), Some(b)) => json!(a + b),
                _ => json!(args[0].as_f64().unwrap() + args[1].as_f64().unwrap()),
            },
            "room" => json!(format!("the {}", args[0].as_str().unwrap())),
            "call" | "state.get" | "fs.get" | "room.get" => json!([spec.name, args]),
            "deep.slow" => {
                std::thread::sleep(std::time::Duration::from_millis(args[0].as_u64().unwrap()));
                Value::Null
            }
            "keep" => {
                self.kept.lock().unwrap().push(json!("x".repeat(args[0].as_u64().unwrap() as usize)));
                Value::Null
            }
            "big" => json!(vec![7; args[0].as_u64().unwrap() as usize]),
            _ => {
                return Err(Failure::new(ErrorKind::PermissionDenied, "reading /etc/shadow is not granted")
                    .with_help("grant it with --read /etc"));
            }
        })
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        self.budget.charge_output(text.len() as u64)?;
        self.printed.lock().unwrap().push((stream, text.into()));
        Ok(())
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        Grants::NONE
    }
}

pub(super) fn script(source: &str) -> Arc<Script> {
    Arc::new(Script { language: Language::Rhai, file: "test.rhai".into(), source: source.into() })
}

pub(super) fn session() -> Box<dyn Session> {
    let host: Arc<dyn Host> = TestHost::new(Limits::default());
    Rhai::new().open(&host).unwrap()
}

/// Runs on a session of its own.
pub(super) fn run_with(source: &str, params: Value, limits: Limits) -> Evaluation {
    run_on(&mut *session(), source, params, limits).0
}

/// Runs on a session at hand, with a host of its own.
pub(super) fn run_on(
    session: &mut dyn Session,
    source: &str,
    params: Value,
    limits: Limits,
) -> (Evaluation, Arc<TestHost>) {
    let host = TestHost::new(limits);
    let seen: Arc<dyn Host> = host.clone();
    (session.run(&script(source), &params, &seen), host)
}

pub(super) fn value(source: &str) -> Value {
    run_with(source, json!({}), Limits::default()).result.unwrap()
}

pub(super) fn failure(source: &str) -> Failure {
    run_with(source, json!({}), Limits::default()).result.unwrap_err()
}

/// A session whose namespace lives, with cells that are numbered.
pub(super) struct Notebook {
    pub(super) session: Box<dyn Session>,
    cells: usize,
}

impl Notebook {
    pub(super) fn new() -> Notebook {
        Notebook::of(session())
    }

    pub(super) fn of(session: Box<dyn Session>) -> Notebook {
        Notebook { session, cells: 0 }
    }

    pub(super) fn eval(&mut self, source: &str) -> Evaluated {
        self.eval_with(source, Limits::default())
    }

    pub(super) fn eval_with(&mut self, source: &str, limits: Limits) -> Evaluated {
        self.cells += 1;
        let file = format!("<cell {}>", self.cells);
        let script = Arc::new(Script { language: Language::Rhai, file, source: source.into() });
        self.session.eval(&Cell { script, entry: Entry::Cell }, &host(limits))
    }

    pub(super) fn value(&mut self, source: &str) -> Value {
        self.eval(source).evaluation.result.unwrap()
    }

    pub(super) fn failure(&mut self, source: &str) -> Failure {
        self.eval(source).evaluation.result.unwrap_err()
    }

    pub(super) fn skill(&mut self, source: &str, params: Value) -> Result<Value, Failure> {
        let Value::Object(params) = params else { panic!("parameters are an object") };
        self.session
            .eval(&Cell { script: script(source), entry: Entry::Skill { params } }, &any_host())
            .evaluation
            .result
    }
}

pub(super) fn host(limits: Limits) -> Arc<dyn Host> {
    TestHost::new(limits)
}

pub(super) fn any_host() -> Arc<dyn Host> {
    host(Limits::default())
}

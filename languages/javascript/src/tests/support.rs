//! A host for tests, and short ways to run scripts.

use crate::JavaScript;
use serde_json::{Value, json};
use skills_core::{
    Arguments, Budget, ErrorKind, Evaluation, Failure, FunctionSpec, Grants, Host, Interpreter, Language, Limits,
    ParameterSpec, Script, Session, Stream,
};
use std::sync::{Arc, LazyLock, Mutex};

pub(crate) struct TestHost {
    budget: Arc<Budget>,
    pub(crate) out: Mutex<String>,
    pub(crate) err: Mutex<String>,
}

fn spec(name: &str, parameters: Vec<ParameterSpec>) -> FunctionSpec {
    FunctionSpec { name: name.into(), description: String::new(), parameters, returns: json!({}), capability: None }
}

static FUNCTIONS: LazyLock<Arc<[FunctionSpec]>> = LazyLock::new(|| {
    [
        spec("echo", vec![ParameterSpec::any("value").or(Value::Null)]),
        spec("add", vec![ParameterSpec::typed("a", "number"), ParameterSpec::typed("b", "number")]),
        spec("fail", vec![]),
        spec("deep.slow", vec![]),
        spec("panics", vec![]),
        spec("nested", vec![ParameterSpec::typed("source", "string")]),
        spec("room", vec![ParameterSpec::typed("name", "string")]),
        spec(
            "room.put",
            vec![
                ParameterSpec::typed("name", "string"),
                ParameterSpec::any("key"),
                ParameterSpec::any("value").or(Value::Null),
            ],
        ),
    ]
    .into()
});

impl TestHost {
    pub(crate) fn new(limits: Limits) -> Arc<TestHost> {
        Arc::new(TestHost { budget: Budget::new(limits), out: Mutex::default(), err: Mutex::default() })
    }
}

impl Host for TestHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        &FUNCTIONS
    }

    fn is_global(&self, index: usize) -> bool {
        index == 1
    }

    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.budget.charge_host_call()?;
        let _paused = self.budget.pause();
        let values = FUNCTIONS[index].bind(arguments)?;
        match index {
            0 => Ok(values[0].clone()),
            1 => Ok(json!(values[0].as_f64().unwrap() + values[1].as_f64().unwrap())),
            2 => Err(Failure::new(ErrorKind::PermissionDenied, "reading /etc is not granted").with_help("grant it")),
            3 => {
                std::thread::sleep(std::time::Duration::from_millis(30));
                Ok(json!("slept"))
            }
            4 => panic!("on purpose"),
            5 => js(values[0].as_str().unwrap()).result,
            6 => Ok(json!(format!("the {}", values[0].as_str().unwrap()))),
            _ => Ok(json!(values)),
        }
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        self.budget.charge_output(text.len() as u64)?;
        match stream {
            Stream::Stdout => self.out.lock().unwrap().push_str(text),
            Stream::Stderr => self.err.lock().unwrap().push_str(text),
        }
        Ok(())
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        Grants::NONE
    }
}

pub(crate) fn script(language: Language, source: &str) -> Arc<Script> {
    let file = if language == Language::TypeScript { "skill.ts" } else { "skill.js" };
    Arc::new(Script { language, file: file.into(), source: source.into() })
}

pub(crate) fn open() -> Box<dyn Session> {
    let host: Arc<dyn Host> = TestHost::new(Limits::default());
    JavaScript::new().open(&host).unwrap()
}

pub(crate) fn run_in(
    session: &mut dyn Session,
    language: Language,
    source: &str,
    params: Value,
    limits: Limits,
) -> (Evaluation, Arc<TestHost>) {
    let host = TestHost::new(limits);
    let dynamic: Arc<dyn Host> = host.clone();
    (session.run(&script(language, source), &params, &dynamic), host)
}

pub(crate) fn js(source: &str) -> Evaluation {
    run_in(&mut *open(), Language::JavaScript, source, json!({}), Limits::default()).0
}

pub(crate) fn with(source: &str, params: Value) -> Evaluation {
    run_in(&mut *open(), Language::JavaScript, source, params, Limits::default()).0
}

pub(crate) fn ts(source: &str, params: Value) -> Evaluation {
    run_in(&mut *open(), Language::TypeScript, source, params, Limits::default()).0
}

pub(crate) fn value(source: &str) -> Value {
    js(source).result.unwrap()
}

pub(crate) fn failure(source: &str) -> Failure {
    js(source).result.unwrap_err()
}

pub(crate) fn output(source: &str) -> (String, String) {
    let (evaluation, host) = run_in(&mut *open(), Language::JavaScript, source, json!({}), Limits::default());
    evaluation.result.unwrap();
    (host.out.lock().unwrap().clone(), host.err.lock().unwrap().clone())
}

//! A host for tests, and short ways to run a script on it.

use crate::CPython;
use serde_json::{Value, json};
use skills_core::{
    Arguments, Budget, ErrorKind, Evaluation, Failure, FunctionSpec, Grants, Host, Interpreter, Language, Limits,
    ParameterSpec, Script, Session, Stream,
};
use std::sync::{Arc, Barrier, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

pub(super) struct TestHost {
    pub(super) budget: Arc<Budget>,
    pub(super) printed: Mutex<Vec<(Stream, String)>>,
    /// The files that can be imported: their paths and what they hold.
    pub(super) files: Vec<(&'static str, &'static str)>,
    /// The paths that were asked for.
    pub(super) asked: Mutex<Vec<String>>,
    /// Where the scripts of two threads wait for each other.
    pub(super) meeting: Option<Arc<Barrier>>,
}

impl TestHost {
    pub(super) fn new(limits: Limits) -> Arc<TestHost> {
        TestHost::with(limits, &[], None)
    }

    /// One whose scripts can import files, and wait for those of another.
    pub(super) fn with(
        limits: Limits,
        files: &[(&'static str, &'static str)],
        meeting: Option<Arc<Barrier>>,
    ) -> Arc<TestHost> {
        let (budget, files) = (Budget::new(limits), files.to_vec());
        Arc::new(TestHost { budget, printed: Mutex::default(), files, asked: Mutex::default(), meeting })
    }

    pub(super) fn stdout(&self) -> String {
        self.text(Stream::Stdout)
    }

    pub(super) fn stderr(&self) -> String {
        self.text(Stream::Stderr)
    }

    fn text(&self, wanted: Stream) -> String {
        let printed = self.printed.lock().unwrap();
        printed.iter().filter(|(stream, _)| *stream == wanted).map(|(_, text)| text.as_str()).collect()
    }
}

fn spec(name: &str, parameters: Vec<ParameterSpec>) -> FunctionSpec {
    FunctionSpec {
        name: name.to_owned(),
        description: format!("The test function {name}."),
        parameters,
        returns: json!({}),
        capability: None,
    }
}

impl Host for TestHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        static FUNCTIONS: OnceLock<Arc<[FunctionSpec]>> = OnceLock::new();
        FUNCTIONS.get_or_init(|| {
            Arc::from([
                spec("echo", vec![ParameterSpec::any("value")]),
                spec("add", vec![ParameterSpec::typed("a", "number"), ParameterSpec::typed("b", "number")]),
                spec("fail", Vec::new()),
                spec("meet", Vec::new()),
                spec("deep.slow", vec![ParameterSpec::typed("ms", "integer").or(json!(10))]),
                spec("fs.missing", Vec::new()),
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
            ])
        })
    }

    fn is_global(&self, index: usize) -> bool {
        self.functions()[index].name == "add"
    }

    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.budget.charge_host_call()?;
        let _pause = self.budget.pause();
        let spec = &self.functions()[index];
        let arguments = spec.bind(arguments)?;
        match spec.name.as_str() {
            "echo" => Ok(arguments[0].clone()),
            "add" => Ok(json!(arguments[0].as_f64().unwrap() + arguments[1].as_f64().unwrap())),
            "fail" => Err(Failure::new(ErrorKind::PermissionDenied, "the file /secret was not granted")
                .with_help("grant it with --read /secret")),
            "fs.missing" => Err(Failure::new(ErrorKind::NotFound, "no file a.txt")),
            "meet" => {
                self.meeting.as_ref().unwrap().wait();
                Ok(Value::Null)
            }
            "room" => Ok(json!(format!("the {}", arguments[0].as_str().unwrap()))),
            "room.put" => Ok(json!(arguments)),
            "nested" => {
                let inner = TestHost::with(Limits::default(), &[], self.meeting.clone());
                unguarded(&inner, arguments[0].as_str().unwrap(), json!({})).result
            }
            _ => {
                std::thread::sleep(Duration::from_millis(arguments[0].as_u64().unwrap()));
                Ok(Value::Null)
            }
        }
    }

    fn module(&self, path: &str) -> Result<Script, Failure> {
        self.asked.lock().unwrap().push(path.to_owned());
        if path.starts_with("refused") {
            return Err(Failure::new(ErrorKind::ScriptError, "asked too often").with_help("ask less"));
        }
        let found = self.files.iter().find(|(file, _)| *file == path);
        let (file, source) = found.ok_or_else(|| Failure::new(ErrorKind::NotFound, "there is none"))?;
        Ok(Script { language: Language::Python, file: (*file).to_owned(), source: (*source).to_owned() })
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
        Grants::NONE
    }
}

pub(super) fn script(source: &str) -> Arc<Script> {
    script_in("test.py", source)
}

pub(super) fn script_in(file: &str, source: &str) -> Arc<Script> {
    Arc::new(Script { language: Language::Python, file: file.to_owned(), source: source.to_owned() })
}

pub(super) fn open() -> Box<dyn Session> {
    let host: Arc<dyn Host> = TestHost::new(Limits::default());
    CPython::new().open(&host).unwrap()
}

/// Held for writing by a test that looks at what all runs of the process share; for reading by every other run, so that
/// `cargo test`, which has all tests in one process, gives what one process for each gives.
static ALONE: RwLock<()> = RwLock::new(());

pub(super) fn together() -> RwLockReadGuard<'static, ()> {
    ALONE.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn alone() -> RwLockWriteGuard<'static, ()> {
    ALONE.write().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn run_on(host: &Arc<TestHost>, source: &str, params: Value) -> Evaluation {
    let _together = together();
    unguarded(host, source, params)
}

fn unguarded(host: &Arc<TestHost>, source: &str, params: Value) -> Evaluation {
    let host: Arc<dyn Host> = host.clone();
    CPython::new().open(&host).unwrap().run(&script(source), &params, &host)
}

/// Runs on an open session.
pub(super) fn again(session: &mut dyn Session, source: &str, limits: Limits) -> Evaluation {
    let _together = together();
    again_alone(session, source, limits)
}

/// The same for a test that is [`alone`].
pub(super) fn again_alone(session: &mut dyn Session, source: &str, limits: Limits) -> Evaluation {
    let host: Arc<dyn Host> = TestHost::new(limits);
    session.run(&script(source), &json!({}), &host)
}

/// The value of a script.
pub(super) fn value(source: &str) -> Value {
    run_on(&TestHost::new(Limits::default()), source, json!({})).result.unwrap()
}

pub(super) fn value_with(source: &str, params: Value) -> Value {
    run_on(&TestHost::new(Limits::default()), source, params).result.unwrap()
}

/// The failure of a script.
pub(super) fn failure(source: &str) -> Failure {
    failure_within(source, Limits::default())
}

pub(super) fn failure_within(source: &str, limits: Limits) -> Failure {
    run_on(&TestHost::new(limits), source, json!({})).result.unwrap_err()
}

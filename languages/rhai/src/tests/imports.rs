use super::hosts::{TestHost, session};
use serde_json::{Value, json};
use skills_core::{
    Arguments, Budget, Cell, Entry, ErrorKind, Failure, FunctionSpec, Grants, Host, Language, Limits, Script, Session,
    Stream,
};
use std::sync::{Arc, Mutex};

/// A host with files.
struct Filed {
    host: Arc<TestHost>,
    files: Vec<(&'static str, String)>,
    asked: Mutex<Vec<String>>,
}

impl Filed {
    fn new(files: &[(&'static str, &str)]) -> Arc<Filed> {
        let files = files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
        Arc::new(Filed { host: TestHost::new(Limits::default()), files, asked: Mutex::default() })
    }
}

impl Host for Filed {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        self.host.functions()
    }

    fn is_global(&self, index: usize) -> bool {
        self.host.is_global(index)
    }

    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.host.call(index, arguments)
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        self.host.print(stream, text)
    }

    fn budget(&self) -> &Arc<Budget> {
        self.host.budget()
    }

    fn grants(&self) -> &Grants {
        self.host.grants()
    }

    fn module(&self, path: &str) -> Result<Script, Failure> {
        self.asked.lock().unwrap().push(path.to_owned());
        let (file, text) = self.files.iter().find(|(file, _)| *file == path).unwrap();
        Ok(Script { language: Language::Rhai, file: (*file).into(), source: text.clone() })
    }
}

fn main(source: &str) -> Arc<Script> {
    Arc::new(Script { language: Language::Rhai, file: "main.rhai".into(), source: source.into() })
}

fn run(session: &mut dyn Session, source: &str, host: &Arc<Filed>) -> Result<Value, Failure> {
    let host: Arc<dyn Host> = host.clone();
    session.run(&main(source), &json!({}), &host).result
}

fn cell(session: &mut dyn Session, source: &str, host: &Arc<Filed>) -> Result<Value, Failure> {
    let host: Arc<dyn Host> = host.clone();
    session.eval(&Cell { script: main(source), entry: Entry::Cell }, &host).evaluation.result
}

#[test]
fn what_a_cell_imports_is_not_evaluated_again_for_others() {
    let host = Filed::new(&[("a.rhai", "print(\"a\"); fn one() { 1 }")]);
    let mut session = session();
    cell(&mut *session, "import \"a\" as a; fn two() { a::one() + 1 }", &host).unwrap();
    assert_eq!(cell(&mut *session, "[a::one(), two()]", &host).unwrap(), json!([1, 2]));
    assert_eq!(cell(&mut *session, "5", &host).unwrap(), json!(5));
    assert_eq!(host.host.printed(Stream::Stdout), "a\n");
    assert_eq!(*host.asked.lock().unwrap(), ["a.rhai"]);
}

#[test]
fn so_many_bytes_are_imported_and_of_a_file_its_last_version() {
    let large = |text: &str| format!("/* {} */ {text}", "x".repeat(1_500_000));
    let (a, b) = (large("export const A = 1;"), large("export const A = 2;"));
    let both = Filed::new(&[("a.rhai", &a), ("b.rhai", &b)]);
    let mut session = session();
    let failure = run(&mut *session, "import \"a\" as a; import \"b\" as b; 1", &both).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert!(failure.message.contains("more than 40000 lines or 2 MB together"), "{failure:?}");
    for (text, value) in [(&a, 1), (&b, 2), (&a, 1)] {
        let host = Filed::new(&[("a.rhai", text)]);
        assert_eq!(run(&mut *session, "import \"a\" as a; a::A", &host).unwrap(), json!(value));
    }
    assert_eq!(
        run(&mut *session, "import \"b\" as b; b::A", &both).unwrap(),
        json!(2),
        "in place of what no run needs"
    );
}

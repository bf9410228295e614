use super::support::{self, TestHost};
use serde_json::{Value, json};
use skills_core::{
    Arguments, Budget, Cell, Entry, ErrorKind, Failure, FunctionSpec, Grants, Host, Language, Limits, Script, Stream,
};
use std::sync::{Arc, Mutex};

/// A host whose run is cancelled while it has the first file read.
struct Cancelled {
    host: Arc<TestHost>,
    asked: Mutex<Vec<String>>,
}

impl Host for Cancelled {
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
        self.budget().cancel();
        Ok(Script { language: Language::JavaScript, file: path.into(), source: "import './more.js'".into() })
    }
}

#[test]
fn nothing_more_is_imported_once_the_run_is_to_stop() {
    for lives in [false, true] {
        let host = Arc::new(Cancelled { host: TestHost::new(Limits::default()), asked: Mutex::default() });
        let given: Arc<dyn Host> = host.clone();
        let source = "import './a.js'\nimport './b.js'\n1".to_owned();
        let script = Arc::new(Script { language: Language::JavaScript, file: "main.js".into(), source });
        let mut session = support::open();
        let result = match lives {
            false => session.run(&script, &json!({}), &given).result,
            true => session.eval(&Cell { script, entry: Entry::Cell }, &given).evaluation.result,
        };
        assert_eq!(result.unwrap_err().kind, ErrorKind::Cancelled);
        assert_eq!(*host.asked.lock().unwrap(), ["a.js"]);
    }
}

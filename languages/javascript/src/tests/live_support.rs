//! A session whose cells follow one another, for tests.

use super::support::TestHost;
use crate::JavaScript;
use serde_json::{Map, Value};
use skills_core::{
    Cell, Entry, Evaluated, Failure, Host, Interpreter, Language, Limits, Lost, Script, Session, Shown, Snapshot,
};
use std::sync::Arc;

pub(crate) struct Living {
    pub(crate) session: Box<dyn Session>,
    pub(crate) limits: Limits,
    pub(crate) language: Language,
    cells: usize,
    pub(crate) out: String,
}

impl Living {
    pub(crate) fn new() -> Living {
        Living::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Living {
        Living { session: super::support::open(), limits, language: Language::JavaScript, cells: 0, out: String::new() }
    }

    pub(crate) fn host(&self) -> Arc<TestHost> {
        TestHost::new(self.limits.clone())
    }

    pub(crate) fn cell(&mut self, source: &str) -> Evaluated {
        self.cells += 1;
        let file = format!("<cell {}>", self.cells);
        self.enter(&file, source, Entry::Cell)
    }

    pub(crate) fn enter(&mut self, file: &str, source: &str, entry: Entry) -> Evaluated {
        let script = Arc::new(Script { language: self.language, file: file.into(), source: source.into() });
        let host = self.host();
        let dynamic: Arc<dyn Host> = host.clone();
        let evaluated = self.session.eval(&Cell { script, entry }, &dynamic);
        self.out.push_str(&host.out.lock().unwrap());
        self.out.push_str(&host.err.lock().unwrap());
        evaluated
    }

    pub(crate) fn skill(&mut self, source: &str, params: Value) -> Result<Value, Failure> {
        let params = params.as_object().cloned().unwrap_or_else(Map::new);
        self.enter("skill.js", source, Entry::Skill { params }).evaluation.result
    }

    pub(crate) fn value(&mut self, source: &str) -> Value {
        self.cell(source).evaluation.result.unwrap_or_else(|failure| panic!("{source}: {failure:#?}"))
    }

    pub(crate) fn fails(&mut self, source: &str) -> Failure {
        match self.cell(source).evaluation.result {
            Ok(value) => panic!("{source} gave {value}"),
            Err(failure) => failure,
        }
    }

    pub(crate) fn shown(&mut self, source: &str) -> Shown {
        let evaluated = self.cell(source);
        evaluated.shown.unwrap_or_else(|| panic!("{source}: {:#?}", evaluated.evaluation.result))
    }

    pub(crate) fn text(&mut self, source: &str) -> String {
        self.shown(source).text
    }

    pub(crate) fn names(&mut self) -> Vec<String> {
        let host: Arc<dyn Host> = self.host();
        self.session.variables(&host).unwrap().into_iter().map(|variable| variable.name).collect()
    }

    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let host: Arc<dyn Host> = self.host();
        self.session.snapshot(&host).unwrap()
    }

    /// A session made from a snapshot of this one, with what was lost on the way, at both ends.
    pub(crate) fn revived(&mut self) -> (Living, Vec<Lost>) {
        let snapshot = self.snapshot();
        let mut lost = snapshot.lost.clone();
        let mut other = Living::with(self.limits.clone());
        other.language = self.language;
        let host: Arc<dyn Host> = other.host();
        lost.extend(other.session.restore(&snapshot, &host).unwrap());
        (other, lost)
    }
}

pub(crate) fn completeness(language: Language, source: &str) -> skills_core::Completeness {
    JavaScript::new().completeness(&Script { language, file: "x".into(), source: source.into() })
}

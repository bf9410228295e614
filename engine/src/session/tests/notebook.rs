//! A language for tests: each line is one of `x = JSON`, a name, `print TEXT`, `call FUNCTION`, `spin`, `fail`, `panic`, `die`.

use serde_json::{Map, Value};
use skills_core::{
    Arguments, CapStatus, Cell, Entry, ErrorKind, Evaluated, Evaluation, Failure, Forked, Held, Host, Interpreter,
    Language, Lost, NameKind, OpenSession, Script, Session, Shown, Signature, Snapshot, Stream, Usage, Variable,
};
use std::sync::Arc;

/// The language, which stands in for JavaScript. Its sessions fork where `forks` says so.
pub(super) struct Notebook {
    pub(super) forks: bool,
}

struct Page {
    forks: bool,
    names: Map<String, Value>,
    dead: bool,
}

impl Interpreter for Notebook {
    fn languages(&self) -> &[Language] {
        &[Language::JavaScript]
    }
    fn open(&self, _host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(Page { forks: self.forks, names: Map::new(), dead: false }))
    }
    fn signature(&self, _script: &Script) -> Option<Signature> {
        None
    }
    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        Ok(Vec::new())
    }
    fn caps(&self) -> Vec<CapStatus> {
        Vec::new()
    }
}

impl Page {
    fn line(&mut self, line: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        let failed = |message: &str| Err(Failure::new(ErrorKind::ScriptError, message));
        match line.split_once(' ') {
            Some(("print", text)) => host.print(Stream::Stdout, text).map(|()| Value::Null),
            Some(("call", function)) => {
                let specs = host.functions();
                let index = specs.iter().position(|spec| spec.name == function).unwrap();
                host.call(index, Arguments::default())
            }
            _ if line == "spin" => {
                while !host.budget().stopping() && host.budget().check_time().is_ok() {
                    std::thread::yield_now();
                }
                Err(host.budget().verdict().unwrap().clone())
            }
            // What a command line leaves.
            _ if line.starts_with("void (globalThis.process") => {
                self.names.insert("process".to_owned(), line.into());
                Ok(Value::Null)
            }
            _ if line == "panic" => panic!("a defect"),
            _ if line == "fail" => failed("it failed"),
            _ if line == "die" => {
                self.dead = true;
                Err(Failure::new(ErrorKind::Crashed, "it died"))
            }
            _ => match line.split_once(" = ") {
                Some((name, value)) => {
                    self.names.insert(name.to_owned(), serde_json::from_str(value).unwrap());
                    Ok(Value::Null)
                }
                None => self.names.get(line).cloned().map_or_else(|| failed("no such name"), Ok),
            },
        }
    }
}

impl Session for Page {
    fn run(&mut self, _: &Arc<Script>, _: &Value, _: &Arc<dyn Host>) -> Evaluation {
        Evaluated::failed(Failure::new(ErrorKind::Unavailable, "cells only")).evaluation
    }
    fn reusable(&self) -> bool {
        !self.dead
    }
    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        if let Entry::Skill { params } = &cell.entry {
            self.names.extend(params.clone());
        }
        let mut result = Ok(Value::Null);
        for line in cell.script.source.lines() {
            result = self.line(line.trim(), host);
            if result.is_err() {
                break;
            }
        }
        let result = host.budget().verdict().map_or(result, |verdict| Err(verdict.clone()));
        let show = |value: &Value| Shown { type_name: "json".into(), text: value.to_string(), ..Shown::default() };
        let shown = result.as_ref().ok().filter(|value| !value.is_null()).map(show);
        let mut usage = Usage::default();
        usage.operations = Some(1);
        Evaluated { evaluation: Evaluation { result, usage }, shown }
    }
    fn variables(&mut self, _: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        let variable = |(name, value): (&String, &Value)| Variable {
            name: name.clone(),
            kind: NameKind::Value,
            type_name: "json".into(),
            shown: value.to_string(),
            size: None,
        };
        Ok(self.names.iter().map(variable).collect())
    }
    fn get(&mut self, name: &str, _: &Arc<dyn Host>) -> Result<Value, Failure> {
        self.names.get(name).cloned().ok_or_else(|| Failure::new(ErrorKind::NotFound, "no such name"))
    }
    fn set(&mut self, name: &str, value: &Value, _: &Arc<dyn Host>) -> Result<(), Failure> {
        self.names.insert(name.to_owned(), value.clone());
        Ok(())
    }
    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        // What a class says of how it is saved is code.
        for _ in 0..self.names.get("prints").and_then(Value::as_u64).unwrap_or(0) {
            host.print(Stream::Stdout, &"x".repeat(1 << 20))?;
        }
        if self.names.contains_key("spins") {
            self.line("spin", host)?;
        }
        let mut kept = self.names.clone();
        let lost = kept.remove("socket").map(|_| Lost { name: "socket".into(), why: "it is open".into() });
        let bytes = serde_json::to_vec(&kept).unwrap();
        Ok(Snapshot {
            language: Language::JavaScript,
            format: "notebook 1".into(),
            bytes,
            lost: lost.into_iter().collect(),
        })
    }
    fn restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        if snapshot.format != "notebook 1" {
            return Err(Failure::new(ErrorKind::InvalidArguments, "another format"));
        }
        self.names = serde_json::from_slice(&snapshot.bytes).unwrap();
        // And so is what it says of how it is restored.
        if let Some(session) = self.names.get("asks") {
            let index = host.functions().iter().position(|spec| spec.name == "session").unwrap();
            host.call(index, Arguments::positional([session.clone()]))?;
        }
        Ok(Vec::new())
    }
    fn fork(&mut self, _: &Arc<dyn Host>) -> Result<Option<Forked>, Failure> {
        let names = self.names.clone();
        let open = move || Ok(OpenSession::Here(Box::new(Page { forks: true, names, dead: false })));
        Ok(self.forks.then(|| Box::new(open) as Forked))
    }
    fn held(&self) -> Held {
        Held { memory: Some(self.names.len() as u64), ..Held::default() }
    }
}

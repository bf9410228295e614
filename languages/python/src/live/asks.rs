//! What a session is asked about its namespace.

use super::{Given, Work};
use crate::call::Uncalled;
use crate::memory;
use crate::session::{PythonSession, converted, ended};
use crate::to_python::to_python;
use pyo3::prelude::*;
use serde_json::Value;
use skills_core::{
    Completion, Completions, ErrorKind, Failure, Host, Inspection, Language, NameKind, Script, Variable, taken,
};
use std::sync::Arc;

impl PythonSession {
    /// Asks something of the namespace.
    pub(super) fn ask<'py, T>(
        &mut self,
        py: Python<'py>,
        host: &Arc<dyn Host>,
        question: impl FnOnce(&mut Work<'_, 'py>) -> Result<T, Uncalled>,
    ) -> Result<T, Failure> {
        self.asked(py, host, Given::default(), question)
    }

    pub(super) fn asked<'py, T>(
        &mut self,
        py: Python<'py>,
        host: &Arc<dyn Host>,
        given: Given<'_>,
        question: impl FnOnce(&mut Work<'_, 'py>) -> Result<T, Uncalled>,
    ) -> Result<T, Failure> {
        let asked = self.lived(py, host, given, |work| {
            question(work).map_err(|error| {
                let nowhere = Script { language: Language::Python, file: String::new(), source: String::new() };
                match ended(py, work.runtime, error, &nowhere, work.run) {
                    Err(failure) => failure,
                    Ok(()) => {
                        Failure::new(ErrorKind::ScriptError, "SystemExit").in_script(Language::Python, Vec::new())
                    }
                }
            })
        });
        asked.result
    }

    /// The variables of the namespace.
    pub(crate) fn list(&mut self, py: Python<'_>, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        type Row = (String, String, String, String, Option<u64>);
        self.ask(py, host, |work| {
            let rows = work.tools.variables.bind(py).call1((work.names(), &work.living.first))?;
            let rows: Vec<Row> = rows.extract()?;
            let variable = |(name, word, type_name, shown, size): Row| Variable {
                name,
                kind: kind(&word),
                type_name,
                shown,
                size,
            };
            Ok(rows.into_iter().map(variable).collect())
        })
    }

    /// The value of a variable.
    pub(crate) fn value_of(&mut self, py: Python<'_>, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        self.ask(py, host, |work| match work.names().get_item(name)? {
            Some(value) => converted(work.run, &value),
            None => Err(Uncalled::Unfit(unknown(name))),
        })
    }

    /// Gives a variable a value.
    pub(crate) fn assign(
        &mut self,
        py: Python<'_>,
        name: &str,
        value: &Value,
        host: &Arc<dyn Host>,
    ) -> Result<(), Failure> {
        if !is_name(py, name) {
            let message = format!("{name:?} is not the name of a variable in Python");
            let help = "use letters, digits and _, no keyword, and not one that begins with __";
            return Err(Failure::new(ErrorKind::InvalidArguments, message).with_help(help));
        }
        // Here and not in the session, which may have taken some of them out.
        let built_in = self.runtime.builtins.bind(py).contains(name).unwrap_or(true);
        self.ask(py, host, |work| {
            if built_in || work.living.first.bind(py).contains(name)? {
                return Err(Uncalled::Unfit(taken(name, "Python")));
            }
            let made = {
                // A refusal would be a panic here; what is over the limit is met a line below.
                let _lenient = memory::lenient(true);
                to_python(py, value).map_err(|error| {
                    Uncalled::Unfit(Failure::new(ErrorKind::InvalidArguments, error.value(py).to_string()))
                })?
            };
            work.run.check(py)?;
            Ok(work.set(name, &made)?)
        })
    }

    /// How a text could go on at a place in it.
    pub(crate) fn completions(
        &mut self,
        py: Python<'_>,
        text: &str,
        cursor: usize,
        host: &Arc<dyn Host>,
    ) -> Result<Completions, Failure> {
        let text = &text[..text.floor_char_boundary(cursor)];
        self.ask(py, host, |work| {
            let living = &work.living;
            let own = living.own.modules();
            let complete = work.tools.complete.bind(py);
            let found = complete.call1((text, work.names(), &living.first, living.folder.as_deref(), own))?;
            let (from, items): (usize, Vec<(String, String)>) = found.extract()?;
            let items = items.into_iter().map(|(text, word)| Completion { text, kind: kind(&word) });
            Ok(Completions { from, items: items.collect() })
        })
    }

    /// What there is to know about what a path leads to.
    pub(crate) fn inspection(
        &mut self,
        py: Python<'_>,
        path: &str,
        host: &Arc<dyn Host>,
    ) -> Result<Inspection, Failure> {
        type Found<'py> = (Bound<'py, PyAny>, Option<String>, Option<String>, Option<String>);
        self.ask(py, host, |work| {
            let found = work.tools.inspect.bind(py).call1((path, work.names()))?;
            if found.is_none() {
                return Err(Uncalled::Unfit(unknown(path)));
            }
            let (value, signature, doc, source): Found<'_> = found.extract()?;
            Ok(Inspection { shown: work.shown(&value)?, signature, doc, source })
        })
    }
}

fn unknown(name: &str) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("the session has no {name}"))
}

fn kind(word: &str) -> NameKind {
    match word {
        "function" => NameKind::Function,
        "class" => NameKind::Class,
        "module" => NameKind::Module,
        "keyword" => NameKind::Keyword,
        "member" => NameKind::Member,
        _ => NameKind::Value,
    }
}

/// Whether a host may give a value to a name.
fn is_name(py: Python<'_>, name: &str) -> bool {
    let ask = || -> PyResult<bool> {
        let keyword = py.import("keyword")?.getattr("iskeyword")?.call1((name,))?.is_truthy()?;
        let identifier = pyo3::types::PyString::new(py, name).call_method0("isidentifier")?.is_truthy()?;
        Ok(identifier && !keyword && !(name.starts_with("__") && name.ends_with("__")))
    };
    ask().unwrap_or(false)
}

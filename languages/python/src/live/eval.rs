//! Evaluating cells, and the scripts of skills, in a namespace that stays.

use super::{Body, Given, Work};
use crate::call::{self, Uncalled};
use crate::compile::{Compiled, TOP_LEVEL_AWAIT, compile};
use crate::memory;
use crate::session::{PythonSession, converted, ended, evaluate, is_coroutine};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::Value;
use skills_core::{Cell, Entry, Evaluated, Evaluation, Host, Script, Shown};
use std::sync::Arc;

/// The bits of a code object's flags that say which features of `__future__` it was compiled with.
const FEATURES: i32 = 0x01fe_0000;

/// The bit of a code object that awaits: evaluating it gives a coroutine.
const AWAITS: i32 = 0x80;

type Answer = (Value, Option<Shown>);

impl PythonSession {
    /// Evaluates a cell.
    pub(crate) fn cell(&mut self, py: Python<'_>, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        let script = &cell.script;
        let params = match &cell.entry {
            Entry::Cell => None,
            Entry::Skill { params } => Some(params),
        };
        let folder = params.and_then(|_| self.scripts.get(script).folder.clone());
        let given = Given { file: &script.file, params, folder };
        let guarded = self.lived(py, host, given, |work| {
            let answer = match (params, work.run.params.bind(py).cast::<PyDict>()) {
                (None, _) => work.cell(script),
                (Some(_), Ok(params)) => work.skill(script, params),
                (Some(_), Err(error)) => Err(Uncalled::Raised(error.into())),
            };
            answer.or_else(|error| ended(py, work.runtime, error, script, work.run).map(|()| (Value::Null, None)))
        });
        let (result, shown) = match guarded.result {
            Ok((value, shown)) => (Ok(value), shown),
            Err(failure) => (Err(failure), None),
        };
        Evaluated { evaluation: Evaluation { result, usage: guarded.usage }, shown }
    }
}

impl<'py> Work<'_, 'py> {
    /// As a notebook does.
    fn cell(&mut self, script: &Arc<Script>) -> Result<Answer, Uncalled> {
        let compiled = self.compiled(script)?;
        let value = self.evaluated(&compiled)?;
        if value.is_none() {
            return Ok((Value::Null, None));
        }
        self.set("_", &value)?;
        let shown = self.shown(&value)?;
        let value = match converted_quietly(self.run, &value)? {
            Some(value) => value,
            None => skills_core::value::describe(&shown.type_name, &shown.text),
        };
        Ok((value, Some(shown)))
    }

    /// As the script of a skill: its body once, then its `run`; without `run` its body each time.
    fn skill(&mut self, script: &Arc<Script>, params: &Bound<'py, PyDict>) -> Result<Answer, Uncalled> {
        let value = self.entry(script, params).and_then(|value| match is_coroutine(&value) {
            true => Ok(self.driven(&value)?),
            false => Ok(value),
        });
        self.set("__name__", intern!(self.py, "__main__").as_any())?;
        let value = value?;
        self.run.check(self.py)?;
        let shown = if value.is_none() { None } else { Some(self.shown(&value)?) };
        Ok((converted(self.run, &value)?, shown))
    }

    /// Calls the `run` of a script, after its body where that is new here.
    fn entry(&mut self, script: &Arc<Script>, params: &Bound<'py, PyDict>) -> Result<Bound<'py, PyAny>, Uncalled> {
        let Some(at) = self.living.bodies.iter().position(|body| body.script == *script) else {
            return self.body(script, params);
        };
        self.set("__name__", intern!(self.py, "__skill__").as_any())?;
        let body = &mut self.living.bodies[at];
        call::call(body.run.bind(self.py), params, &mut body.plan)
    }

    /// Evaluates the body of a script, and calls the `run` that it defines, which is known from then on.
    fn body(&mut self, script: &Arc<Script>, params: &Bound<'py, PyDict>) -> Result<Bound<'py, PyAny>, Uncalled> {
        let py = self.py;
        let compiled = self.compiled(script)?;
        let module = if compiled.defines_run { "__skill__" } else { "__main__" };
        self.set("__name__", PyString::new(py, module).as_any())?;
        self.living.bodies.retain(|body| body.script.file != script.file);
        // A `run` that is there already is not this script's.
        let names = self.names();
        let before = names.get_item(intern!(py, "run"))?;
        if before.is_some() {
            names.del_item(intern!(py, "run"))?;
        }
        let evaluated = self.evaluated(&compiled);
        let run = call::entry(&names, module)?;
        if let (Some(before), false) = (before, names.contains(intern!(py, "run"))?) {
            self.set("run", &before)?;
        }
        let value = evaluated?;
        let Some(run) = run else { return Ok(value) };
        let mut plan = None;
        let answer = call::call(&run, params, &mut plan);
        if compiled.defines_run {
            self.living.bodies.push(Body { script: Arc::clone(script), run: run.unbind(), plan });
        }
        answer
    }

    /// Compiles, with the features that earlier cells have asked for.
    fn compiled(&mut self, script: &Arc<Script>) -> PyResult<Compiled> {
        {
            let _lenient = memory::lenient(true);
            self.living.texts.add(script, self.living.lines.bind(self.py))?;
        }
        let compiled = compile(self.py, self.runtime, script, TOP_LEVEL_AWAIT | self.living.features)?;
        self.living.features |= flags(self.py, &compiled.body)? & FEATURES;
        Ok(compiled)
    }

    /// The value of the last expression; a coroutine is awaited.
    fn evaluated(&mut self, compiled: &Compiled) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        let names = self.names();
        let mut awaits = flags(py, &compiled.body)? & AWAITS != 0;
        if let Some(last) = &compiled.last {
            awaits |= flags(py, last)? & AWAITS != 0;
        }
        let value = if awaits {
            self.tools.whole.bind(py).call1((&compiled.body, &compiled.last, &names))?
        } else {
            evaluate(py, &compiled.body, &names)?;
            match &compiled.last {
                Some(last) => evaluate(py, last, &names)?,
                None => py.None().into_bound(py),
            }
        };
        let value = if is_coroutine(&value) { self.driven(&value)? } else { value };
        self.run.check(py)?;
        Ok(value)
    }

    /// Runs an awaitable to its end, on the session's loop.
    fn driven(&self, awaitable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.living.event_loop.bind(self.py).call_method1(intern!(self.py, "run"), (awaitable,))
    }
}

/// The JSON of a value; `None` where it has none, or is too large.
fn converted_quietly(run: &crate::run::Run, value: &Bound<'_, PyAny>) -> Result<Option<Value>, Uncalled> {
    use crate::from_python::{Unconverted, from_python};
    let mut meter = skills_core::value::Meter::new("result", run.budget.limits().result);
    match from_python(value, &mut meter) {
        Ok(value) => Ok(Some(value)),
        Err(Unconverted::Failure(_)) => Ok(None),
        Err(Unconverted::Raised(error)) => Err(Uncalled::Raised(error)),
    }
}

fn flags(py: Python<'_>, code: &Py<PyAny>) -> PyResult<i32> {
    code.bind(py).getattr(intern!(py, "co_flags"))?.extract()
}

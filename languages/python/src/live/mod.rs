//! A namespace that lives: what a session keeps from one evaluation to the next.
//!
//! - The namespace is that of a module of its own, which is `__main__` (and `__skill__`) while the session evaluates.
//! - What a cell changed of the process and of CPython is taken along ([`own`]), so that it is there for the next cell and
//!   for nobody else. So are the context of `contextvars` and the loop of `asyncio`.
//! - One meter counts the memory of the namespace and of each evaluation.
//! - Everything that may run code of the session's is a run: under a budget, with the limits and the tidying of one.

mod asks;
mod completeness;
mod eval;
mod image;
mod own;
mod parting;
mod show;
mod texts;
mod tools;

pub(crate) use completeness::completeness;
pub(crate) use texts::Texts;
pub(crate) use tools::prepare;

use crate::call::Plan;
use crate::context::Context;
use crate::guard::{Guarded, flushed, guarded};
use crate::memory::MemoryMeter;
use crate::run::{Run, Scene};
use crate::runtime::Runtime;
use crate::session::{Members, PythonSession, begin};
use crate::to_python;
use own::Own;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};
use serde_json::{Map, Value};
use skills_core::{ErrorKind, Failure, Held, Host, Script};
use std::sync::Arc;
use std::time::Duration;
use tools::Tools;

/// What a session keeps.
pub(crate) struct Living {
    /// The module whose dict is the namespace.
    main: Py<PyModule>,
    names: Py<PyDict>,
    /// What the namespace held at first.
    first: Py<PyDict>,
    /// The parameters that were given last.
    params: Py<PyAny>,
    /// What `linecache` has of the session.
    lines: Py<PyDict>,
    texts: Arc<Texts>,
    memory: Arc<MemoryMeter>,
    context: Option<Py<PyAny>>,
    own: Own,
    /// The scripts with a `run` whose bodies were evaluated, one for each file.
    bodies: Vec<Body>,
    /// The features of `__future__` that cells have imported, as flags of `compile`.
    features: i32,
    /// The folder of the last skill's script.
    folder: Option<Arc<str>>,
    /// The session's event loop.
    event_loop: Py<PyAny>,
    /// What all evaluations took of the processor.
    cpu: Duration,
    counted: bool,
}

/// A script whose body was evaluated, and the `run` that it defined.
struct Body {
    script: Arc<Script>,
    run: Py<PyAny>,
    plan: Option<Plan>,
}

/// What a run of a session is given.
#[derive(Default)]
struct Given<'a> {
    file: &'a str,
    params: Option<&'a Map<String, Value>>,
    /// The folder of a skill's script.
    folder: Option<Arc<str>>,
}

/// What is at hand while a session works.
struct Work<'a, 'py> {
    py: Python<'py>,
    runtime: &'static Runtime,
    tools: &'static Tools,
    run: &'a Arc<Run>,
    living: &'a mut Living,
}

impl Living {
    fn new(py: Python<'_>, runtime: &Runtime, tools: &Tools, members: &Members) -> PyResult<Living> {
        let main = PyModule::new(py, "__main__")?;
        let (names, params) = (main.dict(), PyDict::new(py));
        names.set_item("__builtins__", &runtime.builtins)?;
        names.set_item("skill", &runtime.skill)?;
        names.set_item("params", &params)?;
        for (name, function) in &members.globals {
            names.set_item(name, function)?;
        }
        Ok(Living {
            first: names.copy()?.unbind(),
            names: names.unbind(),
            main: main.unbind(),
            params: params.into_any().unbind(),
            lines: PyDict::new(py).unbind(),
            texts: Arc::default(),
            memory: Arc::new(MemoryMeter::new(None)),
            context: None,
            own: Own::default(),
            bodies: Vec::new(),
            features: 0,
            folder: None,
            event_loop: tools.event_loop(py)?,
            cpu: Duration::ZERO,
            counted: !runtime.foreign,
        })
    }

    /// What the session holds and has used.
    pub(crate) fn held(&self) -> Held {
        Held { memory: self.counted.then(|| self.memory.used()), cpu: Some(self.cpu) }
    }

    /// Has the host's functions be those of the present table, unless the session has given their names something else.
    fn refresh(&mut self, py: Python<'_>, members: &Members) -> PyResult<()> {
        let (names, first) = (self.names.bind(py), self.first.bind(py));
        for (name, function) in &members.globals {
            let before = first.get_item(name)?;
            if before.as_ref().is_some_and(|before| before.is(function)) {
                continue;
            }
            let now = names.get_item(name)?;
            if now.is_none() || before.is_some_and(|before| now.is_some_and(|now| now.is(&before))) {
                names.set_item(name, function)?;
            }
            first.set_item(name, function)?;
        }
        Ok(())
    }

    fn enter_context(&mut self, py: Python<'_>) -> PyResult<Context> {
        let again = self.context.as_ref().and_then(|context| Context::again(py, context.bind(py)).ok());
        let context = again.map_or_else(|| Context::enter(py), Ok)?;
        self.context = Some(context.object(py));
        Ok(context)
    }
}

impl PythonSession {
    /// Does something in the session's namespace: a run, whose parameters are those given last.
    fn lived<'py, T>(
        &mut self,
        py: Python<'py>,
        host: &Arc<dyn Host>,
        given: Given<'_>,
        work: impl FnOnce(&mut Work<'_, 'py>) -> Result<T, Failure>,
    ) -> Guarded<T> {
        let runtime = self.runtime;
        let prepared = Tools::get(py, runtime).map_err(|error| internal(py, &error));
        let prepared = prepared.and_then(|tools| Ok((tools, self.awake(py, tools, host, given)?)));
        let (tools, run) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return Guarded::unstarted(failure),
        };
        let Some(living) = self.living.as_deref_mut() else {
            return Guarded::unstarted(Failure::new(ErrorKind::Internal, "the session has no namespace"));
        };
        let guarded = guarded(py, runtime, &run, || {
            begin(&run)?;
            let entered = living.own.enter(py, &runtime.pristine, &run, &living.main);
            let lines = tools.show_lines(py, &living.lines);
            let context = living.enter_context(py);
            let result = work(&mut Work { py, runtime, tools, run: &run, living });
            let result = result.and_then(|value| flushed(py, &run).map(|()| value));
            run.end_threads(py);
            if run.stopping() {
                // What was stopped may have left much in cycles, and finalizers that loop: both are this run's.
                // SAFETY: the GIL is held.
                unsafe { ffi::PyGC_Collect() };
            }
            drop(context);
            drop(lines);
            let entered = entered.map_err(|error| internal(py, &error))?;
            let left = living.own.leave(py, &runtime.pristine, &run, &entered);
            result.and_then(|value| left.map(|()| value).map_err(|error| internal(py, &error)))
        });
        self.reusable &= guarded.sound;
        if let Some(living) = &mut self.living {
            living.cpu += guarded.usage.cpu.unwrap_or_default();
        }
        guarded
    }

    /// The run of a session that is there.
    fn awake(
        &mut self,
        py: Python<'_>,
        tools: &Tools,
        host: &Arc<dyn Host>,
        given: Given<'_>,
    ) -> Result<Arc<Run>, Failure> {
        let members = self.at_hand(py, tools, host).map_err(|error| internal(py, &error))?;
        let Some(living) = &mut self.living else {
            return Err(Failure::new(ErrorKind::Internal, "the session has no namespace"));
        };
        living.memory.begin(host.budget().limits().memory);
        let names = living.names.bind(py);
        if let Some(params) = given.params {
            // Those of the last run go from the same account.
            let last = &mut living.params;
            to_python::parameters(py, params, (&living.memory, host.budget()), |params| {
                names.set_item(intern!(py, "params"), params)?;
                *last = params.clone().into_any().unbind();
                Ok(())
            })?;
        }
        if let Some(folder) = given.folder {
            names.set_item(intern!(py, "__file__"), given.file).map_err(|error| internal(py, &error))?;
            living.folder = Some(folder);
        }
        let (memory, texts) = (Arc::clone(&living.memory), Some(Arc::clone(&living.texts)));
        let (folder, params) = (living.folder.clone(), living.params.clone_ref(py));
        let kept = living.own.modules().map(|modules| modules.clone_ref(py));
        let modules = Arc::clone(&self.modules);
        Ok(Run::new(host, Scene { file: given.file.into(), folder, params, members, memory, texts, kept, modules }))
    }

    /// Has a namespace be there, with the functions of a host. Gives the members of `skill`.
    fn at_hand(&mut self, py: Python<'_>, tools: &Tools, host: &Arc<dyn Host>) -> PyResult<Py<PyDict>> {
        self.members(py, host)?;
        let Some(members) = &self.members else { return Err(PyRuntimeError::new_err("no members")) };
        match &mut self.living {
            Some(living) => living.refresh(py, members)?,
            none => *none = Some(Box::new(Living::new(py, self.runtime, tools, members)?)),
        }
        Ok(members.members.clone_ref(py))
    }
}

impl<'py> Work<'_, 'py> {
    fn names(&self) -> Bound<'py, PyDict> {
        self.living.names.bind(self.py).clone()
    }

    fn set(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let _lenient = crate::memory::lenient(true);
        self.names().set_item(name, value)
    }
}

fn internal(py: Python<'_>, error: &PyErr) -> Failure {
    let text = error.value(py).str().map(|text| text.to_string()).unwrap_or_default();
    Failure::new(ErrorKind::Internal, format!("the session's namespace could not be used: {text}"))
}

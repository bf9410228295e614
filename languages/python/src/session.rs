//! An open session: runs scripts one after another, each in a fresh namespace.

use crate::bridge;
use crate::call::{self, Uncalled};
use crate::compile::{Known, Scripts, compile};
use crate::context::Context;
use crate::errors::{self, End};
use crate::from_python::{Unconverted, from_python};
use crate::guard::{flushed, guarded};
use crate::live::Living;
use crate::memory::MemoryMeter;
use crate::modules::Modules;
use crate::run::{Run, Scene};
use crate::runtime::{KeptThread, Runtime};
use crate::to_python;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::{Map, Value};
use skills_core::value::Meter;
use skills_core::{
    Cell, Completions, ErrorKind, Evaluated, Evaluation, Failure, FunctionSpec, Held, Host, Inspection, Language, Lost,
    Script, Session, Snapshot, Usage, Variable,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a run may leave behind before the garbage collector is run on its account, in bytes.
const LEFTOVER: u64 = 4 << 20;

/// One session, bound to the thread that opened it.
pub(crate) struct PythonSession {
    pub(crate) runtime: &'static Runtime,
    pub(crate) scripts: Scripts,
    pub(crate) modules: Arc<Modules>,
    pub(crate) members: Option<Members>,
    /// The namespace that stays, once it has been asked for.
    pub(crate) living: Option<Box<Living>>,
    pub(crate) reusable: bool,
    _thread: KeptThread,
}

/// The host's functions as objects, for one table of functions.
pub(crate) struct Members {
    pub(crate) functions: Arc<[FunctionSpec]>,
    pub(crate) members: Py<PyDict>,
    /// Those that stand in a script's namespace.
    pub(crate) globals: Vec<(Py<PyString>, Py<PyAny>)>,
}

impl PythonSession {
    pub(crate) fn open(runtime: &'static Runtime) -> PythonSession {
        let thread = KeptThread::new();
        let scripts = Scripts::default();
        let modules = Arc::default();
        PythonSession { runtime, scripts, modules, members: None, living: None, reusable: true, _thread: thread }
    }

    /// Makes the objects of the host's functions, where they are not those of the last run.
    pub(crate) fn members(&mut self, py: Python<'_>, host: &Arc<dyn Host>) -> PyResult<&Members> {
        let functions = host.functions();
        let fresh = self.members.as_ref().is_none_or(|members| !Arc::ptr_eq(&members.functions, functions));
        if fresh {
            let (members, all) = bridge::members(py, functions)?;
            let mut globals = Vec::new();
            for (index, (spec, function)) in functions.iter().zip(all).enumerate() {
                if host.is_global(index) {
                    let name = spec.name.rsplit('.').next().unwrap_or(&spec.name);
                    globals.push((PyString::intern(py, name).unbind(), function));
                }
            }
            self.members = Some(Members { functions: Arc::clone(functions), members: members.unbind(), globals });
        }
        match &self.members {
            Some(members) => Ok(members),
            None => Err(pyo3::exceptions::PyRuntimeError::new_err("no members")),
        }
    }

    fn attached(&mut self, py: Python<'_>, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        let prepared = self.prepare(py, script, params, host);
        let (run, globals) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return Evaluation { result: Err(failure), usage: Usage::default() },
        };
        let runtime = self.runtime;
        let known = self.scripts.get(script);
        let guarded = guarded(py, runtime, &run, || {
            let context = Context::enter(py);
            let result = execute(py, runtime, &run, known, &globals);
            let result = result.and_then(|value| flushed(py, &run).map(|()| value));
            run.end_threads(py);
            globals.clear();
            drop(globals);
            // What the parameters took goes from the account that they were charged to.
            if let Ok(params) = run.params.bind(py).cast::<PyDict>() {
                params.clear();
            }
            // What its variables hold may run code of the script when it goes, so that goes before the tidying.
            drop(context);
            if run.memory.used() > LEFTOVER || run.stopping() {
                // Cycles that the script left are its own: they should not weigh on the next run, nor should finalizers
                // that loop, such as those of a generator that was stopped.
                // SAFETY: the GIL is held.
                unsafe { ffi::PyGC_Collect() };
            }
            result
        });
        self.reusable &= guarded.sound;
        Evaluation { result: guarded.result, usage: guarded.usage }
    }

    /// The run and its namespace.
    fn prepare<'py>(
        &mut self,
        py: Python<'py>,
        script: &Arc<Script>,
        params: &Value,
        host: &Arc<dyn Host>,
    ) -> Result<(Arc<Run>, Bound<'py, PyDict>), Failure> {
        let empty = Map::new();
        let params = match params {
            Value::Object(map) => map,
            Value::Null => &empty,
            _ => return Err(Failure::new(ErrorKind::InvalidArguments, "the parameters must be an object")),
        };
        let internal = |error: PyErr| {
            Failure::new(ErrorKind::Internal, format!("the namespace could not be made: {}", error.value(py)))
        };
        let memory = Arc::new(MemoryMeter::new(host.budget().limits().memory));
        let params = to_python::parameters(py, params, (&memory, host.budget()), |_| Ok(()))?;
        let runtime = self.runtime;
        let (file, folder) = {
            let known = self.scripts.get(script);
            (Arc::clone(&known.file), known.folder.clone())
        };
        let members = self.members(py, host).map_err(internal)?;
        let fill = || -> PyResult<Bound<'py, PyDict>> {
            let globals = PyDict::new(py);
            globals.set_item(intern!(py, "__builtins__"), &runtime.builtins)?;
            globals.set_item(intern!(py, "__doc__"), py.None())?;
            globals.set_item(intern!(py, "skill"), &runtime.skill)?;
            globals.set_item(intern!(py, "params"), &params)?;
            for (name, function) in &members.globals {
                globals.set_item(name, function)?;
            }
            if folder.is_some() {
                globals.set_item(intern!(py, "__file__"), &*file)?;
            }
            Ok(globals)
        };
        let globals = fill().map_err(internal)?;
        let params = params.into_any().unbind();
        let members = members.members.clone_ref(py);
        let modules = Arc::clone(&self.modules);
        let run = Run::new(host, Scene { file, folder, params, members, memory, texts: None, kept: None, modules });
        Ok((run, globals))
    }
}

/// Compiles where need be, executes, calls `run`, and turns what comes out into JSON.
fn execute(
    py: Python<'_>,
    runtime: &Runtime,
    run: &Arc<Run>,
    known: &mut Known,
    globals: &Bound<'_, PyDict>,
) -> Result<Value, Failure> {
    begin(run)?;
    let script = Arc::clone(&known.script);
    let answer = outcome(py, runtime, run, known, globals);
    answer.or_else(|error| ended(py, runtime, error, &script, run).map(|()| Value::Null))
}

/// Begins with what a script itself does, unless it has been stopped already.
pub(crate) fn begin(run: &Run) -> Result<(), Failure> {
    if let Some(verdict) = run.budget.verdict() {
        return Err(verdict.clone());
    }
    if run.budget.limits().operations.is_some() {
        // A collection runs finalizers, perhaps those of an earlier script: with a clean start, it falls on the same
        // operation every time.
        // SAFETY: the GIL is held.
        unsafe { ffi::PyGC_Collect() };
        run.counting.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// What it means that there is no value. Where a script left by `sys.exit()`, nothing.
pub(crate) fn ended(
    py: Python<'_>,
    runtime: &Runtime,
    error: Uncalled,
    script: &Script,
    run: &Run,
) -> Result<(), Failure> {
    let error = match error {
        Uncalled::Unfit(failure) => return Err(failure),
        Uncalled::Raised(error) => error,
    };
    match errors::end(py, runtime, &error, script, run) {
        End::Quiet => Ok(()),
        End::Failed(failure) => Err(failure),
    }
}

fn outcome(
    py: Python<'_>,
    runtime: &Runtime,
    run: &Arc<Run>,
    known: &mut Known,
    globals: &Bound<'_, PyDict>,
) -> Result<Value, Uncalled> {
    let compiled = match &known.compiled {
        Some(compiled) => compiled,
        None => known.compiled.insert(compile(py, runtime, &known.script, 0)?),
    };
    // A script with `run` is imported, so to say; one without is the main program.
    let module = if compiled.defines_run { intern!(py, "__skill__") } else { intern!(py, "__main__") };
    globals.set_item(intern!(py, "__name__"), module)?;
    evaluate(py, &compiled.body, globals)?;
    let mut value = match &compiled.last {
        Some(last) => evaluate(py, last, globals)?,
        None => py.None().into_bound(py),
    };
    if let Some(function) = call::entry(globals, module.to_str()?)? {
        let params = run.params.bind(py).cast::<PyDict>().map_err(PyErr::from)?;
        value = call::call(&function, params, &mut known.plan)?;
    }
    if is_coroutine(&value) {
        value = runtime.drive.bind(py).call1((value,))?;
    }
    run.check(py)?;
    converted(run, &value)
}

pub(crate) fn is_coroutine(value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: only looks at the type.
    unsafe { ffi::PyCoro_CheckExact(value.as_ptr()) != 0 }
}

/// The JSON of a result, within the limit on it.
pub(crate) fn converted(run: &Run, value: &Bound<'_, PyAny>) -> Result<Value, Uncalled> {
    let mut meter = Meter::new("result", run.budget.limits().result);
    from_python(value, &mut meter).map_err(|error| match error {
        Unconverted::Raised(error) => Uncalled::Raised(error),
        Unconverted::Failure(failure) => {
            let failure = match failure.limit {
                Some(breach) => run.budget.breach(breach),
                None => failure,
            };
            Uncalled::Unfit(failure.in_script(Language::Python, Vec::new()))
        }
    })
}

/// Executes code in a namespace.
pub(crate) fn evaluate<'py>(
    py: Python<'py>,
    code: &Py<PyAny>,
    globals: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the code is a code object and the namespace a dict, both alive; the reference is new.
    unsafe {
        let value = ffi::PyEval_EvalCode(code.as_ptr(), globals.as_ptr(), globals.as_ptr());
        Bound::from_owned_ptr_or_err(py, value)
    }
}

impl Session for PythonSession {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        Python::attach(|py| self.attached(py, script, params, host))
    }

    fn reusable(&self) -> bool {
        self.reusable
    }

    fn settle(&mut self, folder: &Path) -> Result<(), Failure> {
        crate::process::settle(folder).map_err(|error| {
            let message = format!("relative paths do not start at {}: {error}", folder.display());
            Failure::new(ErrorKind::Unavailable, message)
        })
    }

    fn held(&self) -> Held {
        self.living.as_ref().map(|living| living.held()).unwrap_or_default()
    }

    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        Python::attach(|py| self.cell(py, cell, host))
    }

    fn variables(&mut self, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        Python::attach(|py| self.list(py, host))
    }

    fn get(&mut self, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        Python::attach(|py| self.value_of(py, name, host))
    }

    fn set(&mut self, name: &str, value: &Value, host: &Arc<dyn Host>) -> Result<(), Failure> {
        Python::attach(|py| self.assign(py, name, value, host))
    }

    fn complete(&mut self, text: &str, cursor: usize, host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        Python::attach(|py| self.completions(py, text, cursor, host))
    }

    fn inspect(&mut self, path: &str, host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        Python::attach(|py| self.inspection(py, path, host))
    }

    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        Python::attach(|py| self.image(py, host))
    }

    fn restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        Python::attach(|py| self.refill(py, snapshot, host))
    }
}

impl Drop for PythonSession {
    fn drop(&mut self) {
        // What is dropped without the GIL would wait for the next time that someone holds it.
        Python::attach(|py| {
            self.part(py);
            self.scripts.clear();
            self.modules.clear();
            self.members = None;
        });
    }
}

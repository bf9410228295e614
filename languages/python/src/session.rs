//! An open session: runs scripts one after another, each in a fresh namespace.

use crate::bridge;
use crate::call::{self, Uncalled};
use crate::compile::{Known, Scripts, compile};
use crate::context::Context;
use crate::errors::{self, End};
use crate::from_python::{Unconverted, from_python};
use crate::run::{Run, Stop};
use crate::runtime::{KeptThread, Runtime};
use crate::stopper;
use crate::tidy::Counted;
use crate::to_python;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::{Map, Value};
use skills_core::value::Meter;
use skills_core::{ErrorKind, Evaluation, Failure, FunctionSpec, Host, Language, Script, Session, Usage};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a run may leave behind before the garbage collector is run on its account, in bytes.
const LEFTOVER: u64 = 4 << 20;

/// One session, bound to the thread that opened it.
pub(crate) struct PythonSession {
    runtime: &'static Runtime,
    scripts: Scripts,
    members: Option<Members>,
    reusable: bool,
    _thread: KeptThread,
}

/// The host's functions as objects, for one table of functions.
struct Members {
    functions: Arc<[FunctionSpec]>,
    members: Py<PyDict>,
    globals: Vec<(Py<PyString>, Py<PyAny>)>,
}

impl PythonSession {
    pub(crate) fn open(runtime: &'static Runtime) -> PythonSession {
        let thread = KeptThread::new();
        PythonSession { runtime, scripts: Scripts::default(), members: None, reusable: true, _thread: thread }
    }

    /// Makes the objects of the host's functions, where they are not those of the last run.
    fn members(&mut self, py: Python<'_>, host: &Arc<dyn Host>) -> PyResult<&Members> {
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
        let before = cpu_time();
        let prepared = self.prepare(py, script, params, host);
        let (run, globals) = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return Evaluation { result: Err(failure), usage: Usage::default() },
        };
        let counted = Counted::new(py, &run);
        stopper::watch(&run);
        let running = run.budget.running(Arc::new(Stop(Arc::clone(&run))));
        let runtime = self.runtime;
        let known = self.scripts.get(script);
        let result = catch_unwind(AssertUnwindSafe(|| {
            let entered = run.enter(py);
            let context = Context::enter(py);
            let result = execute(py, runtime, &run, known, &globals);
            let result = result.and_then(|value| flushed(py, &run).map(|()| value));
            run.end_threads(py);
            globals.clear();
            drop(globals);
            // What its variables hold may run code of the script when it goes, so that goes before the tidying.
            drop(context);
            if run.memory.used() > LEFTOVER || run.stopping() {
                // Cycles that the script left are its own: they should not weigh on the next run, nor should finalizers
                // that loop, such as those of a generator that was stopped.
                // SAFETY: the GIL is held.
                unsafe { ffi::PyGC_Collect() };
            }
            let _ = runtime.pristine.after(py, &run);
            drop(entered);
            result
        }));
        run.deactivate(py);
        drop(running);
        stopper::unwatch(&run);
        drop(counted);
        run.settle_memory();
        let result = result.unwrap_or_else(|_| {
            self.reusable = false;
            Err(Failure::new(ErrorKind::Internal, "the bridge to Python panicked"))
        });
        let mut usage = Usage::default();
        usage.cpu = before.and_then(|before| cpu_time()?.checked_sub(before));
        usage.peak_memory = (!runtime.foreign).then(|| run.memory.peak());
        usage.operations = run.budget.limits().operations.map(|_| run.operations.load(Ordering::Relaxed));
        Evaluation { result: judged(&run, result), usage }
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
        let params = to_python::object(py, params).map_err(|error| {
            Failure::new(ErrorKind::InvalidArguments, format!("the parameters: {}", error.value(py)))
        })?;
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
        let run = Run::new(host, file, folder, params.into_any().unbind(), members.members.clone_ref(py));
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
    let script = Arc::clone(&known.script);
    let answer = outcome(py, runtime, run, known, globals);
    let error = match answer {
        Ok(value) => return Ok(value),
        Err(Uncalled::Unfit(failure)) => return Err(failure),
        Err(Uncalled::Raised(error)) => error,
    };
    match errors::end(py, runtime, &error, &script, &run.budget) {
        End::Quiet => Ok(Value::Null),
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
        None => known.compiled.insert(compile(py, runtime, &known.script)?),
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
    // SAFETY: only looks at the type.
    let awaitable = unsafe { ffi::PyCoro_CheckExact(value.as_ptr()) } != 0;
    if awaitable {
        value = runtime.drive.bind(py).call1((value,))?;
    }
    run.check(py)?;
    let mut meter = Meter::new("result", run.budget.limits().result);
    let converted = from_python(&value, &mut meter, 0);
    converted.map_err(|error| match error {
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

fn evaluate<'py>(py: Python<'py>, code: &Py<PyAny>, globals: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the code is a code object and the namespace a dict, both alive; the reference is new.
    unsafe {
        let value = ffi::PyEval_EvalCode(code.as_ptr(), globals.as_ptr(), globals.as_ptr());
        Bound::from_owned_ptr_or_err(py, value)
    }
}

fn flushed(py: Python<'_>, run: &Arc<Run>) -> Result<(), Failure> {
    // Where it fails there is a verdict, which is the failure.
    run.flush(py).map_err(|_| Failure::new(ErrorKind::OutputLimit, "the output could not be taken"))
}

/// The budget's verdict where there is one, with the frames of what the script was doing.
fn judged(run: &Run, result: Result<Value, Failure>) -> Result<Value, Failure> {
    let Some(verdict) = run.budget.verdict() else { return result };
    let frames = result.err().map(|failure| failure.frames).unwrap_or_default();
    let mut failure = verdict.clone();
    failure.language = Some(Language::Python);
    if failure.frames.is_empty() {
        failure.frames = frames;
    }
    Err(failure)
}

impl Session for PythonSession {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        Python::attach(|py| self.attached(py, script, params, host))
    }

    fn reusable(&self) -> bool {
        self.reusable
    }
}

impl Drop for PythonSession {
    fn drop(&mut self) {
        // What is dropped without the GIL would wait for the next time that someone holds it.
        Python::attach(|_| {
            self.scripts.clear();
            self.members = None;
        });
    }
}

/// The CPU time of this thread.
fn cpu_time() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to a struct of ours.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) } != 0 {
        return None;
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

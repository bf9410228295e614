//! The functions in Rust that the bootstrap and the scripts' threads use.

use crate::run::{self, Run};
use crate::runtime::Runtime;
use crate::{memory, modules, tidy, trace};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyTuple};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The functions as one module object.
pub(crate) fn module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    let module = PyModule::new(py, "_skills_natives")?;
    module.add_function(wrap_pyfunction!(stopped, &module)?)?;
    module.add_function(wrap_pyfunction!(set_waker, &module)?)?;
    module.add_function(wrap_pyfunction!(script_folder, &module)?)?;
    module.add_function(wrap_pyfunction!(module_file, &module)?)?;
    module.add_function(wrap_pyfunction!(module_code, &module)?)?;
    module.add_function(wrap_pyfunction!(module_source, &module)?)?;
    module.add_function(wrap_pyfunction!(imported, &module)?)?;
    module.add_function(wrap_pyfunction!(sleep, &module)?)?;
    module.add_function(wrap_pyfunction!(importer, &module)?)?;
    module.add_function(wrap_pyfunction!(thread_of_run, &module)?)?;
    Ok(module)
}

/// The initialiser of the stop exception, which CPython runs on the thread that meets it.
#[pyfunction]
#[pyo3(signature = (*_arguments))]
fn stopped(py: Python<'_>, _arguments: &Bound<'_, PyTuple>) {
    if run::current().is_some_and(|run| run.defies()) {
        trace::insist(py);
    }
}

/// Says what wakes the loop that the current run waits in.
#[pyfunction]
fn set_waker(waker: Option<Py<PyAny>>) {
    if let Some(run) = run::current() {
        run.set_waker(waker);
    }
}

/// The folder of the current run's script, where the host lets it import at all.
#[pyfunction]
fn script_folder() -> Option<String> {
    let run = run::current()?;
    run.folder.as_deref().filter(|_| !run.alone.load(Ordering::Relaxed)).map(str::to_owned)
}

/// What errors call a file beside the script, by its path from there; nothing where the skill has none.
#[pyfunction]
fn module_file(py: Python<'_>, path: &str) -> PyResult<Option<String>> {
    run::current().map_or(Ok(None), |run| modules::find(py, &run, path))
}

/// The code of such a file.
#[pyfunction]
fn module_code(py: Python<'_>, file: &str) -> PyResult<Option<Py<PyAny>>> {
    run::current().map_or(Ok(None), |run| modules::code(py, &run, file))
}

/// The source of such a file.
#[pyfunction]
fn module_source(file: &str) -> Option<String> {
    Some(run::current()?.modules.get(file)?.source.clone())
}

/// Notes that the current run imported a module of its script's folder.
#[pyfunction]
fn imported(name: String) {
    if let Some(run) = run::current() {
        tidy::imported(&run, name);
    }
}

/// Wraps the function that imports what is not imported yet.
#[pyfunction]
fn importer(original: Py<PyAny>) -> Importer {
    Importer { original }
}

/// Imports, and notes what library modules are like before a script sees them. It is not written in Python, so that
/// the traceback of a failing import stays as short as CPython makes it.
#[pyclass(frozen, module = "skill")]
struct Importer {
    original: Py<PyAny>,
}

#[pymethods]
impl Importer {
    #[pyo3(signature = (*arguments))]
    fn __call__(&self, py: Python<'_>, arguments: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        // There is none while the engine itself is being set up.
        let Ok(runtime) = Runtime::get() else { return self.original.call1(py, arguments) };
        let before = runtime.pristine.changed(py);
        let module = self.original.call1(py, arguments)?;
        let _lenient = memory::lenient(true);
        if let Ok(name) = arguments.get_item(0)
            && let Ok(name) = name.cast_exact::<PyString>()
        {
            runtime.pristine.imported(py, name, module.bind(py), &before)?;
        }
        Ok(module)
    }
}

/// `time.sleep`, which a stop wakes.
#[pyfunction]
#[pyo3(signature = (seconds, /))]
fn sleep(py: Python<'_>, seconds: &Bound<'_, PyAny>) -> PyResult<()> {
    let _lenient = memory::lenient(true);
    let Ok(seconds) = seconds.extract::<f64>() else {
        let name = seconds.get_type().name()?;
        return Err(PyTypeError::new_err(format!("'{name}' object cannot be interpreted as a number of seconds")));
    };
    let time = match Duration::try_from_secs_f64(seconds) {
        Ok(time) => time,
        Err(_) if seconds < 0.0 => return Err(PyValueError::new_err("sleep length must be non-negative")),
        Err(_) if seconds.is_nan() => return Err(PyValueError::new_err("sleep length must be a number")),
        Err(_) => Duration::MAX,
    };
    match run::current() {
        Some(run) => run.sleep(py, time),
        None => {
            py.detach(|| std::thread::sleep(time));
            Ok(())
        }
    }
}

/// Wraps the function of a new thread, so that the thread belongs to the current run.
#[pyfunction]
fn thread_of_run(py: Python<'_>, function: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let Some(run) = run::current() else { return Ok(function.unbind()) };
    run.check(py)?;
    Ok(Bound::new(py, ThreadOfRun { run, function: function.unbind() })?.into_any().unbind())
}

/// What a thread that a script started executes.
#[pyclass(frozen, module = "skill")]
struct ThreadOfRun {
    run: Arc<Run>,
    function: Py<PyAny>,
}

#[pymethods]
impl ThreadOfRun {
    #[pyo3(signature = (*arguments, **named))]
    fn __call__(
        &self,
        py: Python<'_>,
        arguments: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let _entered = self.run.enter(py);
        self.run.check(py).and_then(|()| self.function.call(py, arguments, named)).or_else(|error| {
            // A stop ends the thread without a word: the run's failure says why.
            match Runtime::get() {
                Ok(runtime) if error.is_instance(py, runtime.stop.bind(py)) => Ok(py.None()),
                _ => Err(error),
            }
        })
    }
}

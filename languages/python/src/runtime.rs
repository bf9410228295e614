//! The process's one CPython: started when the first session opens, never ended.

use crate::bridge::SkillModule;
use crate::paths::{self, Home};
use crate::streams::{Input, Output};
use crate::tidy::Pristine;
use crate::{memory, natives, stopper, trace};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyModule, PyType};
use skills_core::{ErrorKind, Failure, Stream};
use std::ffi::CStr;
use std::path::Path;
use std::sync::OnceLock;

/// What the engine keeps of CPython.
pub(crate) struct Runtime {
    /// The exception that ends a run.
    pub(crate) stop: Py<PyType>,
    /// `skill.Error` and those of its kinds that Python has exceptions for.
    pub(crate) error: Py<PyType>,
    pub(crate) permission_denied: Py<PyType>,
    pub(crate) not_found: Py<PyType>,
    pub(crate) refused: Py<PyType>,
    /// The module `skill`, the same for all runs: it answers for the run of the thread that asks.
    pub(crate) skill: Py<SkillModule>,
    /// Runs an awaitable to its end.
    pub(crate) drive: Py<PyAny>,
    /// `builtins.compile`.
    pub(crate) compile: Py<PyAny>,
    /// `builtins.__dict__`.
    pub(crate) builtins: Py<PyDict>,
    /// Where files are that are not a script's.
    pub(crate) library: Vec<Box<str>>,
    /// Code that does nothing, and a namespace to do it in.
    pub(crate) nothing: (Py<PyAny>, Py<PyDict>),
    /// What is put back after each run.
    pub(crate) pristine: Pristine,
    /// Whether the host program had started CPython itself: then its memory is not counted.
    pub(crate) foreign: bool,
}

static RUNTIME: OnceLock<Result<Runtime, Failure>> = OnceLock::new();

impl Runtime {
    /// The runtime, if it has been started.
    pub(crate) fn get() -> Result<&'static Runtime, Failure> {
        match RUNTIME.get() {
            Some(Ok(runtime)) => Ok(runtime),
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(unavailable("CPython has not been started")),
        }
    }

    /// The runtime, started where it has not been.
    ///
    /// # Errors
    /// `unavailable` where CPython does not start or its memory cannot be limited.
    pub(crate) fn start() -> Result<&'static Runtime, Failure> {
        if RUNTIME.get().is_none() {
            // SAFETY: both may be asked at any time.
            let held = unsafe { ffi::Py_IsInitialized() != 0 && ffi::PyGILState_Check() != 0 };
            if held {
                // The thread that starts needs the GIL, which the host's own call of the engine holds here.
                Python::attach(|py| py.detach(start_once));
            } else {
                start_once();
            }
        }
        Runtime::get()
    }
}

impl Runtime {
    /// The runtime, started on this thread where it has not been, without the thread that stops scripts.
    pub(crate) fn start_here() -> Result<&'static Runtime, Failure> {
        RUNTIME.get_or_init(|| start(&COMMON).map_err(unavailable));
        Runtime::get()
    }
}

fn start_once() {
    let start = || start(&[]);
    RUNTIME.get_or_init(|| stopper::spawn(start).and_then(|started| started).map_err(unavailable));
}

/// What scripts import most, and what takes long to import: there from the start in a process that forks.
const COMMON: [&str; 18] = [
    "json",
    "re",
    "math",
    "datetime",
    "collections",
    "itertools",
    "functools",
    "random",
    "string",
    "decimal",
    "statistics",
    "textwrap",
    "hashlib",
    "base64",
    "csv",
    "dataclasses",
    "typing",
    "asyncio",
];

fn unavailable(reason: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorKind::Unavailable, format!("Python is not available: {reason}"))
}

/// Starts CPython on the calling thread, with some modules imported.
fn start(modules: &[&str]) -> Result<Runtime, String> {
    // SAFETY: may be asked at any time.
    let foreign = unsafe { ffi::Py_IsInitialized() } != 0;
    let library = if foreign { Vec::new() } else { initialise()? };
    let runtime = Python::attach(|py| set_up(py, library, foreign, modules).map_err(|error| describe(py, &error)))?;
    // A host that comes with its own CPython knows that its memory is not limited; otherwise it has to be.
    if !foreign && !memory::armed() {
        return Err("its memory hooks do not work".to_owned());
    }
    Ok(runtime)
}

fn describe(py: Python<'_>, error: &PyErr) -> String {
    let text = error.value(py).to_string();
    let line = error.traceback(py).and_then(|tb| tb.getattr("tb_lineno").ok()?.extract::<u32>().ok()).unwrap_or(0);
    format!("its set-up failed: {text} (line {line})")
}

/// Starts an isolated CPython: no environment, no user folder, no signal handlers, no byte code written beside scripts.
fn initialise() -> Result<Vec<Box<str>>, String> {
    let home = paths::find()?;
    let mut before = std::mem::MaybeUninit::<ffi::PyPreConfig>::zeroed();
    // SAFETY: fills the struct in, and pre-initialises with it; no other thread uses CPython yet.
    let status = unsafe {
        ffi::PyPreConfig_InitIsolatedConfig(before.as_mut_ptr());
        ffi::Py_PreInitialize(before.as_ptr())
    };
    check(status)?;
    trace::guard();
    memory::install();
    let mut config = std::mem::MaybeUninit::<ffi::PyConfig>::zeroed();
    // SAFETY: fills the struct in.
    unsafe { ffi::PyConfig_InitIsolatedConfig(config.as_mut_ptr()) };
    // SAFETY: filled in just now.
    let mut config = unsafe { config.assume_init() };
    let status = configure(&mut config, &home).and_then(|()| {
        // SAFETY: the configuration is complete, and CPython pre-initialised.
        check(unsafe { ffi::Py_InitializeFromConfig(&config) })
    });
    // SAFETY: it was initialised above, and is not used any more.
    unsafe { ffi::PyConfig_Clear(&mut config) };
    status?;
    // SAFETY: initialisation left the GIL with this thread; it is taken again by whoever attaches.
    unsafe { ffi::PyEval_SaveThread() };
    let dirs = home.search.iter().map(|dir| format!("{}/", dir.display()).into_boxed_str());
    Ok(dirs.collect())
}

fn configure(config: &mut ffi::PyConfig, home: &Home) -> Result<(), String> {
    config.install_signal_handlers = 0;
    config.site_import = 0;
    config.write_bytecode = 0;
    config.user_site_directory = 0;
    // Sets of strings iterate in the same order in every process, so that a script is stopped at the same place.
    config.use_hash_seed = 1;
    config.hash_seed = 0;
    config.module_search_paths_set = 1;
    let config: *mut ffi::PyConfig = config;
    set(config, |config| &raw mut config.program_name, &home.program)?;
    set(config, |config| &raw mut config.executable, &home.program)?;
    set(config, |config| &raw mut config.home, &home.prefix)?;
    for dir in &home.search {
        let wide = wide(dir);
        // SAFETY: the list belongs to a live configuration, and the text ends in NUL.
        check(unsafe { ffi::PyWideStringList_Append(&raw mut (*config).module_search_paths, wide.as_ptr()) })?;
    }
    Ok(())
}

fn set(
    config: *mut ffi::PyConfig,
    field: impl FnOnce(&mut ffi::PyConfig) -> *mut *mut libc::wchar_t,
    path: &Path,
) -> Result<(), String> {
    // SAFETY: the caller's configuration is alive; only a pointer to its field is taken.
    let field = field(unsafe { &mut *config });
    // SAFETY: the field belongs to the configuration, and the text ends in NUL.
    check(unsafe { ffi::PyConfig_SetString(config, field, wide(path).as_ptr()) })
}

fn wide(path: &Path) -> Vec<libc::wchar_t> {
    path.to_string_lossy().chars().map(|c| c as libc::wchar_t).chain([0]).collect()
}

fn check(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: only reads the status.
    if unsafe { ffi::PyStatus_Exception(status) } == 0 {
        return Ok(());
    }
    if status.err_msg.is_null() {
        return Err("it did not start".to_owned());
    }
    // SAFETY: CPython's messages are static and NUL-terminated.
    Err(unsafe { CStr::from_ptr(status.err_msg) }.to_string_lossy().into_owned())
}

fn set_up(py: Python<'_>, library: Vec<Box<str>>, foreign: bool, modules: &[&str]) -> PyResult<Runtime> {
    let sys = py.import("sys")?;
    if !modules.is_empty() {
        // A thread that computes gives way sooner than after the usual 5 ms, and the one that is to stop a script waits for just
        // that. In a process of its own nobody else's threads are slowed down by it.
        sys.call_method1("setswitchinterval", (0.0005,))?;
    }
    for module in modules {
        py.import(*module)?;
    }
    let builtins = py.import("builtins")?;
    let compile = builtins.getattr("compile")?;
    let globals = PyModule::new(py, "_skills_bootstrap")?.dict();
    globals.set_item("__builtins__", &builtins)?;
    globals.set_item("natives", natives::module(py)?)?;
    let code = compile.call1((include_str!("python/bootstrap.py"), "<skills:bootstrap>", "exec"))?;
    builtins.getattr("exec")?.call1((code, &globals))?;
    let class = |name: &str| -> PyResult<Py<PyType>> {
        Ok(globals.as_any().get_item(name)?.cast_into::<PyType>().map_err(PyErr::from)?.unbind())
    };
    let function = |name: &str| -> PyResult<Py<PyAny>> { Ok(globals.as_any().get_item(name)?.unbind()) };
    for (names, stream) in [(["stdout", "__stdout__"], Stream::Stdout), (["stderr", "__stderr__"], Stream::Stderr)] {
        let output = Bound::new(py, Output { stream })?;
        names.iter().try_for_each(|name| sys.setattr(*name, &output))?;
    }
    let input = Bound::new(py, Input)?;
    ["stdin", "__stdin__"].iter().try_for_each(|name| sys.setattr(*name, &input))?;
    let modules = sys.getattr("modules")?.cast_into::<PyDict>().map_err(PyErr::from)?;
    let skill = Py::new(py, SkillModule)?;
    modules.set_item("skill", &skill)?;
    modules.set_item("__skill__", PyModule::new(py, "__skill__")?)?;
    let nothing = compile.call1(("", "<skills:nothing>", "exec"))?.unbind();
    let namespace = PyDict::new(py);
    namespace.set_item("__builtins__", &builtins)?;
    let library = if foreign { foreign_library(&sys)? } else { library };
    let pristine = Pristine::take(&sys, &builtins.dict(), modules, function("restore_limit")?, foreign)?;
    freeze(py)?;
    Ok(Runtime {
        stop: class("Stop")?,
        error: class("Error")?,
        permission_denied: class("PermissionDenied")?,
        not_found: class("NotFound")?,
        refused: class("ImportRefused")?,
        skill,
        drive: function("drive")?,
        compile: compile.unbind(),
        builtins: builtins.dict().unbind(),
        library,
        nothing: (nothing, namespace.unbind()),
        pristine,
        foreign,
    })
}

/// The module search path of a CPython that the host has started.
fn foreign_library(sys: &Bound<'_, PyModule>) -> PyResult<Vec<Box<str>>> {
    let path: Vec<String> = sys.getattr("path")?.extract()?;
    let dirs = path.into_iter().filter(|dir| dir.starts_with('/'));
    Ok(dirs.map(|dir| format!("{dir}/").into_boxed_str()).collect())
}

/// Keeps CPython's thread state of this thread alive between runs, which makes attaching cheap.
pub(crate) struct KeptThread {
    _on_this_thread: std::marker::PhantomData<*const ()>,
}

impl KeptThread {
    pub(crate) fn new() -> KeptThread {
        // SAFETY: nested in an attachment; the count that it adds is taken off on drop.
        Python::attach(|_| unsafe { ffi::PyGILState_Ensure() });
        KeptThread { _on_this_thread: std::marker::PhantomData }
    }
}

impl Drop for KeptThread {
    fn drop(&mut self) {
        // SAFETY: gives back what `new` took on this thread, nested in an attachment as it was.
        Python::attach(|_| unsafe { ffi::PyGILState_Release(ffi::PyGILState_STATE::PyGILState_LOCKED) });
    }
}

/// Asks for the bridge's exceptions by the kind of a failure.
pub(crate) fn exception_of(runtime: &Runtime, kind: ErrorKind, file: bool) -> &Py<PyType> {
    match kind {
        ErrorKind::PermissionDenied => &runtime.permission_denied,
        ErrorKind::NotFound if file => &runtime.not_found,
        _ => &runtime.error,
    }
}

/// What is there now lives for ever: the collector need not look at it again.
pub(crate) fn freeze(py: Python<'_>) -> PyResult<()> {
    py.import("gc")?.call_method0("freeze").map(drop)
}

//! Python exceptions as failures: the message, and frames that point into the script's own files.

use crate::bridge::Carried;
use crate::from_python::{lossy, type_name};
use crate::live::Texts;
use crate::modules::Modules;
use crate::run::Run;
use crate::runtime::Runtime;
use crate::trace::is_library;
use pyo3::exceptions::{PyModuleNotFoundError, PyRecursionError, PySyntaxError, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use skills_core::{Breach, ErrorKind, Failure, Frame, Language, LimitName, Script};

/// The most frames that a failure carries; of deeper stacks the innermost are kept.
const MOST_FRAMES: usize = 32;

/// The most characters of an exception's message.
const MOST_MESSAGE: usize = 4000;

/// How a script ended that raised something.
pub(crate) enum End {
    /// By `sys.exit()` without an error: there is no value.
    Quiet,
    Failed(Failure),
}

/// What an exception that a script did not catch makes of its run.
pub(crate) fn end(py: Python<'_>, runtime: &Runtime, error: &PyErr, script: &Script, run: &Run) -> End {
    let sources = Sources { script, texts: run.texts.as_deref(), modules: Some(&run.modules) };
    let (frames, budget) = (frames(py, error, sources), &run.budget);
    let failure = if error.is_instance(py, runtime.stop.bind(py)) {
        Failure::new(ErrorKind::Cancelled, "the run was stopped together with the run that called it")
    } else if error.is_instance_of::<PySystemExit>(py) {
        match exit(py, error) {
            Some(failure) => failure,
            None => return End::Quiet,
        }
    } else if error.is_instance_of::<PyRecursionError>(py) && budget.verdict().is_none() {
        // SAFETY: only reads a number.
        let limit = u64::try_from(unsafe { pyo3::ffi::Py_GetRecursionLimit() }).unwrap_or_default();
        let breach = Breach { name: LimitName::Recursion, limit, reading: limit + 1 };
        budget.breach(breach).with_help("CPython's own guard of its stack: use a loop, or a list as a stack")
    } else if let Some(failure) = carried(py, error) {
        failure
    } else {
        let failure = Failure::new(ErrorKind::ScriptError, message(py, error));
        Failure { help: unimported(py, error, run), ..failure }
    };
    End::Failed(failure.in_script(Language::Python, frames))
}

/// What there is instead of a module that is not there.
fn unimported(py: Python<'_>, error: &PyErr, run: &Run) -> Option<String> {
    if !error.is_instance_of::<PyModuleNotFoundError>(py) {
        return None;
    }
    let name = error.value(py).getattr(intern!(py, "name")).ok()?;
    run.misses.help(name.extract::<&str>().ok()?)
}

/// Why a script does not compile.
pub(crate) fn of_syntax(py: Python<'_>, error: &PyErr, script: &Script) -> Failure {
    let failure = Failure::new(ErrorKind::ScriptError, message(py, error));
    failure.in_script(Language::Python, frames(py, error, Sources { script, texts: None, modules: None }))
}

/// The failure of a host function that an exception stands for.
fn carried(py: Python<'_>, error: &PyErr) -> Option<Failure> {
    let carried = error.value(py).getattr_opt(intern!(py, "_failure")).ok()??;
    Some(carried.cast::<Carried>().ok()?.get().0.clone())
}

fn exit(py: Python<'_>, error: &PyErr) -> Option<Failure> {
    let code = error.value(py).getattr(intern!(py, "code")).ok()?;
    if code.is_none() {
        return None;
    }
    let message = match code.extract::<i64>() {
        Ok(0) => return None,
        Ok(code) => format!("SystemExit: the script exited with code {code}"),
        Err(_) => format!("SystemExit: {}", text(&code)),
    };
    Some(Failure::new(ErrorKind::ScriptError, message))
}

/// `ZeroDivisionError: division by zero`, with the exception's notes.
fn message(py: Python<'_>, error: &PyErr) -> String {
    let value = error.value(py);
    let name = type_name(value);
    let said = match value.getattr_opt(intern!(py, "msg")) {
        // A syntax error's own text repeats the place, which the frames tell.
        Ok(Some(message)) if error.is_instance_of::<PySyntaxError>(py) => text(&message),
        _ => text(value),
    };
    let mut message = if said.is_empty() { name } else { format!("{name}: {said}") };
    let notes = value.getattr_opt(intern!(py, "__notes__")).ok().flatten().and_then(|notes| notes.try_iter().ok());
    for note in notes.into_iter().flatten().take(10).flatten() {
        message.push('\n');
        message.push_str(&text(&note));
    }
    match message.char_indices().nth(MOST_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    }
}

/// The `str` of an object, whatever it does.
fn text(object: &Bound<'_, PyAny>) -> String {
    object.str().map_or_else(|_| format!("<{} that cannot be shown>", type_name(object)), |text| lossy(&text))
}

/// Where the lines of frames come from.
#[derive(Clone, Copy)]
struct Sources<'a> {
    script: &'a Script,
    /// What a session that lives evaluated before.
    texts: Option<&'a Texts>,
    /// What was imported of the skill.
    modules: Option<&'a Modules>,
}

impl Sources<'_> {
    /// Whether a file is one of ours, whatever it is called.
    fn own(self, file: &str) -> bool {
        file == self.script.file || self.texts.is_some_and(|texts| texts.has(file))
    }
}

/// The places of an exception in the script's own files, innermost first. Runs no Python code.
fn frames(py: Python<'_>, error: &PyErr, sources: Sources<'_>) -> Vec<Frame> {
    let mut frames = std::collections::VecDeque::new();
    let mut next = error.traceback(py).map(Bound::into_any);
    while let Some(level) = next {
        if let Ok(Some(frame)) = frame(&level, sources) {
            frames.push_front(frame);
            frames.truncate(MOST_FRAMES);
        }
        next = level.getattr(intern!(py, "tb_next")).ok().filter(|next| !next.is_none());
    }
    let syntax =
        error.is_instance_of::<PySyntaxError>(py).then(|| syntax_frame(error.value(py), sources).ok().flatten());
    syntax.flatten().into_iter().chain(frames).collect()
}

fn frame(level: &Bound<'_, PyAny>, sources: Sources<'_>) -> PyResult<Option<Frame>> {
    let py = level.py();
    let code = level.getattr(intern!(py, "tb_frame"))?.getattr(intern!(py, "f_code"))?;
    let file = string(&code, "co_filename")?;
    if !sources.own(&file) && is_library(&file) {
        return Ok(None);
    }
    let line: u32 = level.getattr(intern!(py, "tb_lineno"))?.extract().unwrap_or(0);
    let instruction: i64 = level.getattr(intern!(py, "tb_lasti"))?.extract()?;
    let name = string(&code, "co_qualname")?;
    let source = source(py, &file, line, sources);
    let column = match (column(&code, instruction), &source) {
        // CPython counts bytes of UTF-8.
        (Some(bytes), Some(source)) => {
            let before = source.char_indices().take_while(|(at, _)| *at < bytes).count();
            u32::try_from(before + 1).unwrap_or(0)
        }
        (Some(bytes), None) => u32::try_from(bytes + 1).unwrap_or(0),
        (None, _) => 0,
    };
    let function = Some(name).filter(|name| name != "<module>");
    Ok(Some(Frame { file, line, column, function, source }))
}

fn string(object: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    Ok(lossy(object.getattr(name)?.cast::<PyString>().map_err(PyErr::from)?))
}

/// Where an instruction begins in its line, in bytes from 0.
fn column(code: &Bound<'_, PyAny>, instruction: i64) -> Option<usize> {
    let index = usize::try_from(instruction / 2).ok()?;
    let positions = code.call_method0("co_positions").ok()?;
    let position = positions.try_iter().ok()?.nth(index)?.ok()?;
    position.get_item(2).ok()?.extract().ok()
}

/// A line of the script, of what the session evaluated before, or of a module beside it.
fn source(py: Python<'_>, file: &str, line: u32, sources: Sources<'_>) -> Option<String> {
    if file == sources.script.file {
        return sources.script.line(line).map(str::to_owned);
    }
    if let Some(script) = sources.texts.and_then(|texts| texts.get(file)) {
        return script.line(line).map(str::to_owned);
    }
    if let Some(module) = sources.modules.and_then(|modules| modules.get(file)) {
        return module.line(line).map(str::to_owned);
    }
    if !file.starts_with('/') {
        return None;
    }
    let read = || -> PyResult<String> {
        let file = py.import("_io")?.getattr("open")?.call1((file, "rb"))?;
        let bytes = file.call_method1("read", (1 << 20,))?;
        file.call_method0("close")?;
        let bytes = bytes.cast_into::<PyBytes>().map_err(PyErr::from)?;
        Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned())
    };
    let text = read().ok()?;
    Some(text.lines().nth((line as usize).checked_sub(1)?)?.chars().take(1000).collect())
}

/// The place that a syntax error names.
fn syntax_frame(value: &Bound<'_, PyAny>, sources: Sources<'_>) -> PyResult<Option<Frame>> {
    let Ok(file) = string(value, "filename") else { return Ok(None) };
    if !sources.own(&file) && is_library(&file) {
        return Ok(None);
    }
    let line: u32 = value.getattr("lineno")?.extract().unwrap_or(0);
    let column = value.getattr("offset")?.extract().unwrap_or(0);
    let source = source(value.py(), &file, line, sources);
    Ok(Some(Frame { file, line, column, function: None, source }))
}

//! Whether code that somebody types line by line is complete.

use crate::runtime::Runtime;
use pyo3::exceptions::PySyntaxError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;
use skills_core::{Completeness, Script};

/// `ast.PyCF_ONLY_AST`, and what CPython's own `codeop` uses: an end that comes too early is told from other errors.
const PARSE: i32 = 0x400 | 0x4000;

/// The statements that a line after them could belong to.
const BLOCKS: [&str; 12] = [
    "FunctionDef",
    "AsyncFunctionDef",
    "ClassDef",
    "If",
    "For",
    "AsyncFor",
    "While",
    "With",
    "AsyncWith",
    "Try",
    "TryStar",
    "Match",
];

/// Whether lines, joined by line ends, are complete: a block ends with an empty line.
pub(crate) fn completeness(script: &Script) -> Completeness {
    let Ok(runtime) = Runtime::start() else { return Completeness::Complete };
    let incomplete = Python::attach(|py| incomplete(py, runtime, &script.source).unwrap_or(false));
    if incomplete { Completeness::Incomplete } else { Completeness::Complete }
}

fn incomplete(py: Python<'_>, runtime: &Runtime, source: &str) -> PyResult<bool> {
    let parse = |source: &str| runtime.compile.bind(py).call1((source, "<input>", "exec", PARSE, true));
    let tree = match parse(source) {
        Ok(tree) => tree,
        Err(error) if error.is_instance_of::<PySyntaxError>(py) => {
            // One more line end tells an error at the end from an end that comes too early.
            return match parse(&format!("{source}\n")) {
                Ok(_) => Ok(false),
                Err(error) => Ok(error.is_instance_of::<PySyntaxError>(py) && says_incomplete(py, &error)),
            };
        }
        // Too deep, or not text: more of it does not help.
        Err(_) => return Ok(false),
    };
    let last_line = source.rsplit('\n').next().unwrap_or_default();
    if last_line.trim().is_empty() {
        return Ok(false);
    }
    let body = tree.getattr(intern!(py, "body"))?.cast_into::<PyList>().map_err(PyErr::from)?;
    let Some(index) = body.len().checked_sub(1) else { return Ok(false) };
    let kind = body.get_item(index)?.get_type().name()?;
    Ok(BLOCKS.contains(&kind.to_str()?))
}

fn says_incomplete(py: Python<'_>, error: &PyErr) -> bool {
    error.value(py).to_string().contains("incomplete input")
}

//! Scripts as code objects, kept for the next run of an equal script.

use crate::call::Plan;
use crate::errors;
use crate::runtime::Runtime;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;
use skills_core::{Failure, Script};
use std::path::Path;
use std::sync::Arc;

/// How many scripts a session keeps.
const KEPT: usize = 8;

/// `ast.PyCF_ONLY_AST`: parse only. The constant is part of CPython's `compile`, the module `ast` need not be imported.
const ONLY_AST: i32 = 0x400;

/// `ast.PyCF_ALLOW_TOP_LEVEL_AWAIT`.
pub(crate) const TOP_LEVEL_AWAIT: i32 = 0x2000;

/// A script and what is known about it.
pub(crate) struct Known {
    pub(crate) script: Arc<Script>,
    pub(crate) file: Arc<str>,
    /// The folder of the script, where its file is one that exists.
    pub(crate) folder: Option<Arc<str>>,
    pub(crate) compiled: Option<Compiled>,
    /// How parameters become the arguments of `run`.
    pub(crate) plan: Option<Plan>,
}

/// The code of a script.
pub(crate) struct Compiled {
    /// All statements but for the last expression.
    pub(crate) body: Py<PyAny>,
    /// The last expression, whose value is the script's.
    pub(crate) last: Option<Py<PyAny>>,
    /// Whether a function `run` stands at the top level.
    pub(crate) defines_run: bool,
}

/// The scripts that a session has seen, latest last.
#[derive(Default)]
pub(crate) struct Scripts {
    known: Vec<Known>,
}

impl Scripts {
    /// What is known about a script.
    pub(crate) fn get(&mut self, script: &Arc<Script>) -> &mut Known {
        let found = self.known.iter().position(|known| Arc::ptr_eq(&known.script, script) || known.script == *script);
        let known = match found {
            Some(at) => self.known.remove(at),
            None => Known::new(script),
        };
        if self.known.len() >= KEPT {
            self.known.remove(0);
        }
        self.known.push(known);
        let last = self.known.len() - 1;
        &mut self.known[last]
    }

    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}

impl Known {
    fn new(script: &Arc<Script>) -> Known {
        let path = Path::new(&script.file);
        let folder = path.parent().filter(|_| path.is_absolute() && path.is_file());
        Known {
            script: Arc::clone(script),
            file: script.file.as_str().into(),
            folder: folder.map(|folder| folder.to_string_lossy().into()),
            compiled: None,
            plan: None,
        }
    }
}

/// Whether a script compiles. Where Python cannot start, nobody knows, and the run will say so.
pub(crate) fn check(script: &Script) -> Result<(), Failure> {
    let Ok(runtime) = Runtime::start() else { return Ok(()) };
    Python::attach(|py| match compile(py, runtime, script, TOP_LEVEL_AWAIT) {
        Ok(_) => Ok(()),
        Err(error) => Err(errors::of_syntax(py, &error, script)),
    })
}

/// Parses a script; the module's `body` can be looked at.
fn parse<'py>(py: Python<'py>, runtime: &Runtime, script: &Script, flags: i32) -> PyResult<Bound<'py, PyAny>> {
    runtime.compile.bind(py).call1((&script.source, &script.file, "exec", ONLY_AST | flags, true))
}

/// Compiles a script, its last expression apart. The flags are those of CPython's `compile`.
pub(crate) fn compile(py: Python<'_>, runtime: &Runtime, script: &Script, flags: i32) -> PyResult<Compiled> {
    let compile = |tree: &Bound<'_, PyAny>, mode: &str| -> PyResult<Py<PyAny>> {
        Ok(runtime.compile.bind(py).call1((tree, &script.file, mode, flags, true))?.unbind())
    };
    let tree = parse(py, runtime, script, flags)?;
    let body = tree.getattr(intern!(py, "body"))?.cast_into::<PyList>().map_err(PyErr::from)?;
    let ast = py.import("_ast")?;
    let (expression, functions) =
        (ast.getattr("Expr")?, (ast.getattr("FunctionDef")?, ast.getattr("AsyncFunctionDef")?));
    let mut defines_run = false;
    for statement in &body {
        let function = statement.is_instance(&functions.0)? || statement.is_instance(&functions.1)?;
        defines_run |= function && statement.getattr("name")?.extract::<&str>().is_ok_and(|name| name == "run");
    }
    let mut last = None;
    if let Some(index) = body.len().checked_sub(1) {
        let statement = body.get_item(index)?;
        if statement.is_instance(&expression)? {
            body.del_item(index)?;
            let whole = ast.getattr("Expression")?.call1((statement.getattr("value")?,))?;
            last = Some(compile(&whole, "eval")?);
        }
    }
    Ok(Compiled { body: compile(&tree, "exec")?, last, defines_run })
}

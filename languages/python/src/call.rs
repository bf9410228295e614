//! Calling a script's `run` with the parameters, by keyword.

use crate::trace::is_library;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use skills_core::{ErrorKind, Failure, Language};

/// `CO_VARKEYWORDS`: the function takes `**kwargs`.
const VAR_KEYWORDS: i64 = 8;

/// The parameters of a function, read from its code object.
pub(crate) struct Plan {
    code: Py<PyAny>,
    /// Positional-only, then ordinary, then keyword-only.
    names: Vec<Py<PyString>>,
    positional_only: usize,
    positional: usize,
    var_keywords: bool,
}

/// Why there is no value.
pub(crate) enum Uncalled {
    /// The parameters do not fit.
    Unfit(Failure),
    Raised(PyErr),
}

impl From<PyErr> for Uncalled {
    fn from(error: PyErr) -> Uncalled {
        Uncalled::Raised(error)
    }
}

/// The `run` of a script's namespace: a function that the script, or a module beside it, defines.
pub(crate) fn entry<'py>(globals: &Bound<'py, PyDict>, module: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = globals.py();
    let Some(run) = globals.get_item(intern!(py, "run"))? else { return Ok(None) };
    if !run.is_callable() || run.is_instance_of::<PyType>() {
        return Ok(None);
    }
    let of_script = run
        .getattr_opt(intern!(py, "__module__"))?
        .is_some_and(|name| name.extract::<&str>().is_ok_and(|name| name == module));
    // `from subprocess import run` defines no entry.
    let of_sibling = || -> PyResult<bool> {
        let Some(code) = run.getattr_opt(intern!(py, "__code__"))? else { return Ok(false) };
        Ok(!is_library(code.getattr(intern!(py, "co_filename"))?.extract::<&str>()?))
    };
    Ok((of_script || of_sibling()?).then_some(run))
}

/// Calls `run` with the parameters.
pub(crate) fn call<'py>(
    run: &Bound<'py, PyAny>,
    params: &Bound<'py, PyDict>,
    plan: &mut Option<Plan>,
) -> Result<Bound<'py, PyAny>, Uncalled> {
    let py = run.py();
    let inner = innermost(run)?;
    // SAFETY: only looks at the type.
    if unsafe { ffi::PyFunction_Check(inner.as_ptr()) } == 0 {
        return called(run.call((), Some(params)), py);
    }
    let code = inner.getattr(intern!(py, "__code__"))?;
    let plan = match plan {
        Some(plan) if plan.code.is(&code) => plan,
        slot => slot.insert(Plan::read(code)?),
    };
    let arguments = plan.bind(&inner, params)?;
    if plan.positional_only == 0 || !inner.is(run) {
        return called(run.call((), Some(params)), py);
    }
    let rest = params.copy()?;
    for name in &plan.names[..plan.positional_only] {
        if rest.contains(name)? {
            rest.del_item(name)?;
        }
    }
    called(run.call(PyTuple::new(py, arguments)?, Some(&rest)), py)
}

/// The function below decorators that tell (`functools.wraps`).
fn innermost<'py>(run: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let mut inner = run.clone();
    for _ in 0..100 {
        match inner.getattr_opt(intern!(run.py(), "__wrapped__"))? {
            Some(wrapped) => inner = wrapped,
            None => break,
        }
    }
    Ok(inner)
}

/// A `TypeError` that no Python code raised is the call's own.
fn called<'py>(answer: PyResult<Bound<'py, PyAny>>, py: Python<'py>) -> Result<Bound<'py, PyAny>, Uncalled> {
    answer.map_err(|error| {
        if error.is_instance_of::<PyTypeError>(py) && error.traceback(py).is_none() {
            return Uncalled::Unfit(unfit(error.value(py).to_string()));
        }
        Uncalled::Raised(error)
    })
}

fn unfit(message: String) -> Failure {
    Failure::new(ErrorKind::InvalidArguments, message).in_script(Language::Python, Vec::new())
}

impl Plan {
    fn read(code: Bound<'_, PyAny>) -> PyResult<Plan> {
        let py = code.py();
        let count = |name: &Bound<'_, PyString>| code.getattr(name)?.extract::<usize>();
        let positional = count(intern!(py, "co_argcount"))?;
        let all = positional + count(intern!(py, "co_kwonlyargcount"))?;
        let names = code.getattr(intern!(py, "co_varnames"))?.cast_into::<PyTuple>().map_err(PyErr::from)?;
        let names: Vec<Py<PyString>> = names
            .iter()
            .take(all)
            .map(|name| Ok(name.cast_into::<PyString>().map_err(PyErr::from)?.unbind()))
            .collect::<PyResult<_>>()?;
        Ok(Plan {
            names,
            positional_only: count(intern!(py, "co_posonlyargcount"))?,
            positional,
            var_keywords: code.getattr(intern!(py, "co_flags"))?.extract::<i64>()? & VAR_KEYWORDS != 0,
            code: code.unbind(),
        })
    }

    /// Checks the parameters, and gives the values of the positional-only ones.
    fn bind<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        params: &Bound<'py, PyDict>,
    ) -> Result<Vec<Bound<'py, PyAny>>, Uncalled> {
        let py = function.py();
        // SAFETY: the caller checked that it is a function; the references are borrowed from it, and null means none.
        let (defaults, keyword_defaults) = unsafe {
            (
                Bound::from_borrowed_ptr_or_opt(py, ffi::PyFunction_GetDefaults(function.as_ptr())),
                Bound::from_borrowed_ptr_or_opt(py, ffi::PyFunction_GetKwDefaults(function.as_ptr())),
            )
        };
        let with_default = defaults.as_ref().map_or(Ok(0), |defaults| defaults.len())?;
        let keyword_defaults = keyword_defaults.and_then(|defaults| defaults.cast_into::<PyDict>().ok());
        let required = self.positional.saturating_sub(with_default);
        let mut given = 0;
        let mut positional = Vec::new();
        for (index, name) in self.names.iter().enumerate() {
            match params.get_item(name)? {
                Some(value) => {
                    given += 1;
                    // A gap before it can only be a default that must be repeated.
                    if index < self.positional_only {
                        while positional.len() < index {
                            let at = positional.len() - required.min(positional.len());
                            positional.push(
                                defaults.as_ref().map_or_else(|| Ok(py.None().into_bound(py)), |d| d.get_item(at))?,
                            );
                        }
                        positional.push(value);
                    }
                }
                None if index < required => return Err(self.missing(py, name)),
                None if index >= self.positional => {
                    let has_default =
                        keyword_defaults.as_ref().map_or(Ok(false), |defaults| defaults.contains(name))?;
                    if !has_default {
                        return Err(self.missing(py, name));
                    }
                }
                None => {}
            }
        }
        if given < params.len() && !self.var_keywords {
            return Err(self.unknown(py, params)?);
        }
        Ok(positional)
    }

    fn missing(&self, py: Python<'_>, name: &Py<PyString>) -> Uncalled {
        Uncalled::Unfit(unfit(format!("run needs the parameter `{name}`")).with_help(self.takes(py)))
    }

    fn unknown(&self, py: Python<'_>, params: &Bound<'_, PyDict>) -> PyResult<Uncalled> {
        for key in params.keys() {
            let mut known = false;
            for name in &self.names {
                known |= key.eq(name)?;
            }
            if !known {
                let failure = unfit(format!("run has no parameter `{key}`")).with_help(self.takes(py));
                return Ok(Uncalled::Unfit(failure));
            }
        }
        Ok(Uncalled::Unfit(unfit("the parameters do not fit run".to_owned())))
    }

    fn takes(&self, _py: Python<'_>) -> String {
        let names: Vec<String> = self.names.iter().map(|name| name.to_string()).collect();
        if names.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", names.join(", ")) }
    }
}

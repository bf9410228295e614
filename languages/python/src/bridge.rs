//! The module `skill`: the host's functions as Python sees them.

use crate::from_python::{Unconverted, from_python};
use crate::memory;
use crate::run::{self, Run};
use crate::runtime::{Runtime, exception_of};
use crate::to_python::to_python;
use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyList, PyString, PyTuple, PyType};
use skills_core::value::Meter;
use skills_core::{Arguments, Breach, ErrorKind, Failure, FunctionSpec, LimitName};
use std::sync::atomic::Ordering;

/// `skill`, for the run of whichever thread asks.
#[pyclass(frozen, module = "skill", name = "skill")]
pub(crate) struct SkillModule;

#[pymethods]
impl SkillModule {
    fn __getattr__<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let _lenient = memory::lenient(true);
        let runtime = Runtime::get().map_err(|failure| PyRuntimeError::new_err(failure.message))?;
        match name.to_str()? {
            "params" => return Ok(run::required()?.params.bind(py).clone()),
            "Error" => return Ok(runtime.error.bind(py).clone().into_any()),
            "PermissionDenied" => return Ok(runtime.permission_denied.bind(py).clone().into_any()),
            "NotFound" => return Ok(runtime.not_found.bind(py).clone().into_any()),
            "__name__" => return Ok(PyString::new(py, "skill").into_any()),
            "__all__" => return Ok(self.__dir__(py)?.into_any()),
            name if name.starts_with("__") => return Err(PyAttributeError::new_err(format!("skill has no {name}"))),
            _ => {}
        }
        let run = run::required()?;
        let members = run.members.bind(py);
        match members.get_item(name)? {
            Some(member) => Ok(member),
            None => Err(missing("skill", name, members)),
        }
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let names = run::required()?.members.bind(py).keys();
        ["params", "Error"].iter().try_for_each(|name| names.append(name))?;
        Ok(names)
    }

    fn __repr__(&self) -> &'static str {
        "<module 'skill'>"
    }
}

fn missing(owner: &str, name: &Bound<'_, PyString>, members: &Bound<'_, PyDict>) -> PyErr {
    let has: Vec<String> = members.keys().iter().map(|key| key.to_string()).collect();
    PyAttributeError::new_err(format!("{owner} has no {name}; it has {}", has.join(", ")))
}

/// A part of `skill`, such as `skill.fs`. One that is a function too gives its members when it is called, with its answer
/// as their first argument: `skill.session("a").get("x")` is `skill.session.get("a", "x")`.
#[pyclass(frozen, module = "skill")]
struct Namespace {
    name: String,
    members: Py<PyDict>,
    function: Option<Py<HostFunction>>,
}

#[pymethods]
impl Namespace {
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let _lenient = memory::lenient(true);
        let members = self.members.bind(name.py());
        match members.get_item(name)? {
            Some(member) => Ok(member),
            None => Err(missing(&self.name, name, members)),
        }
    }

    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Namespace>> {
        let Some(function) = &self.function else {
            return Err(PyTypeError::new_err(format!("{} is no function; it has members", self.name)));
        };
        let given = function.bind(py).get().__call__(py, arguments, named)?;
        let members = PyDict::new(py);
        for (name, member) in self.members.bind(py).iter() {
            let member = member.cast::<HostFunction>()?.get();
            members.set_item(name, Bound::new(py, member.bound(&given))?)?;
        }
        let name = format!("{}({})", self.name, given.repr()?);
        Bound::new(py, Namespace { name, members: members.unbind(), function: None })
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        self.members.bind(py).keys()
    }

    fn __repr__(&self) -> String {
        format!("<{}>", self.name)
    }
}

// One function of the host. What stands in a doc comment here would hide `__doc__` of each.
#[pyclass(frozen, module = "skill")]
struct HostFunction {
    index: usize,
    name: String,
    doc: String,
    /// Whether its `not_found` is about a file.
    file: bool,
    /// What stands before the arguments of the script.
    given: Option<Py<PyAny>>,
}

#[pymethods]
impl HostFunction {
    #[pyo3(signature = (*arguments, **named))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let run = run::required()?;
        run.check(py)?;
        let arguments = self.arguments(py, &run, arguments, named)?;
        // What was printed before the call is seen before what the call does.
        run.flush(py)?;
        run.budget.note_operations(run.operations.load(Ordering::Relaxed));
        let answer = py.detach(|| run.host.call(self.index, arguments));
        // Refusing memory here would be a panic; what is over the limit stops the run a moment later.
        let _lenient = memory::lenient(true);
        match answer {
            Ok(value) => {
                let value = to_python(py, &value)?;
                run.check(py)?;
                Ok(value)
            }
            Err(_) if run.stopping() => Err(run.stopped(py)),
            Err(failure) => Err(exception(py, failure, self.file)),
        }
    }

    #[getter]
    fn __name__(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    #[getter]
    fn __doc__(&self) -> &str {
        &self.doc
    }

    fn __repr__(&self) -> String {
        format!("<function skill.{}>", self.name)
    }
}

impl HostFunction {
    /// The function with its first argument given.
    fn bound(&self, given: &Bound<'_, PyAny>) -> HostFunction {
        let HostFunction { index, name, doc, file, .. } = self;
        HostFunction {
            index: *index,
            name: name.clone(),
            doc: doc.clone(),
            file: *file,
            given: Some(given.clone().unbind()),
        }
    }

    fn arguments(
        &self,
        py: Python<'_>,
        run: &Run,
        given: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Arguments> {
        let mut meter = Meter::new("argument", run.budget.limits().memory);
        let mut arguments = Arguments::default();
        let mut convert = |object: &Bound<'_, PyAny>| {
            from_python(object, &mut meter).map_err(|error| self.unconverted(py, run, error))
        };
        if let Some(first) = &self.given {
            arguments.positional.push(convert(first.bind(py))?);
        }
        for object in given {
            arguments.positional.push(convert(&object)?);
        }
        for (name, object) in named.into_iter().flatten() {
            arguments.named.insert(name.to_string(), convert(&object)?);
        }
        Ok(arguments)
    }

    fn unconverted(&self, py: Python<'_>, run: &Run, error: Unconverted) -> PyErr {
        match error {
            Unconverted::Raised(error) => error,
            // The meter was given the memory limit, because what is converted is the host's memory.
            Unconverted::Failure(Failure { limit: Some(breach), .. }) => {
                run.breach(py, Breach { name: LimitName::Memory, ..breach })
            }
            Unconverted::Failure(failure) => exception(py, failure, self.file),
        }
    }
}

/// The failure that an exception of ours stands for, which the exception carries.
#[pyclass(frozen, module = "skill")]
pub(crate) struct Carried(pub(crate) Failure);

/// The Python exception of a failure.
pub(crate) fn exception(py: Python<'_>, failure: Failure, file: bool) -> PyErr {
    raised(py, failure, |runtime, kind| exception_of(runtime, kind, file))
}

/// The exception for a file that may not be imported: an `ImportError` as well, unless it is about a permission.
pub(crate) fn unimportable(py: Python<'_>, failure: Failure) -> PyErr {
    raised(py, failure, |runtime, kind| match kind {
        ErrorKind::ScriptError => &runtime.refused,
        _ => exception_of(runtime, kind, false),
    })
}

fn raised(py: Python<'_>, failure: Failure, class: impl Fn(&Runtime, ErrorKind) -> &Py<PyType>) -> PyErr {
    let make = || -> PyResult<PyErr> {
        let runtime = Runtime::get().map_err(|failure| PyRuntimeError::new_err(failure.message))?;
        let class = class(runtime, failure.kind).bind(py);
        let error = class.call1((&failure.message, failure.kind.as_str(), failure.help.as_deref()))?;
        error.setattr("_failure", Bound::new(py, Carried(failure.clone()))?)?;
        Ok(PyErr::from_value(error))
    };
    make().unwrap_or_else(|error| error)
}

/// The members of `skill` for a table of functions, and its functions one by one.
pub(crate) fn members<'py>(
    py: Python<'py>,
    functions: &[FunctionSpec],
) -> PyResult<(Bound<'py, PyDict>, Vec<Py<PyAny>>)> {
    let members = PyDict::new(py);
    let mut all = Vec::with_capacity(functions.len());
    for (index, spec) in functions.iter().enumerate() {
        let (space, name) = spec.name.split_once('.').unwrap_or(("", &spec.name));
        let function =
            HostFunction { index, name: spec.name.clone(), doc: doc(spec), file: space == "fs", given: None };
        let function = Bound::new(py, function)?.into_any();
        all.push(function.clone().unbind());
        if space.is_empty() {
            members.set_item(name, function)?;
            continue;
        }
        let there = members.get_item(space)?;
        let part = match there.as_ref().and_then(|part| part.cast::<Namespace>().ok()) {
            Some(part) => part.clone(),
            None => {
                let name = format!("skill.{space}");
                let function = there.and_then(|function| function.cast_into::<HostFunction>().ok()).map(Bound::unbind);
                let part = Bound::new(py, Namespace { name, members: PyDict::new(py).unbind(), function })?;
                members.set_item(space, &part)?;
                part
            }
        };
        part.get().members.bind(py).set_item(name, function)?;
    }
    Ok((members, all))
}

fn doc(spec: &FunctionSpec) -> String {
    let names: Vec<String> = spec
        .parameters
        .iter()
        .map(|parameter| match &parameter.default {
            _ if parameter.required => parameter.name.clone(),
            Some(default) => format!("{}={default}", parameter.name),
            None => format!("{}=None", parameter.name),
        })
        .collect();
    format!("skill.{}({})\n\n{}", spec.name, names.join(", "), spec.description)
}

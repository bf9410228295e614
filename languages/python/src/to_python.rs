//! JSON values as Python objects.

use crate::memory::{self, MemoryMeter};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use serde_json::{Map, Number, Value};
use skills_core::value::MAX_DEPTH;
use skills_core::{Breach, Budget, ErrorKind, Failure, LimitName};

/// The Python object of a JSON value: `dict`, `list`, `str`, `int`, `float`, `bool` or `None`, always new.
///
/// # Errors
/// `ValueError` where the value nests deeper than [`MAX_DEPTH`], `MemoryError` where this thread's run has no memory for it.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    convert(py, value, 0)
}

/// The dict of a run's parameters, charged to the meter of the run, and what is done with it.
///
/// # Errors
/// `memory_limit`, which is the budget's verdict then; `invalid_arguments`.
pub(crate) fn parameters<'py>(
    py: Python<'py>,
    map: &Map<String, Value>,
    (meter, budget): (&MemoryMeter, &Budget),
    place: impl FnOnce(&Bound<'py, PyDict>) -> PyResult<()>,
) -> Result<Bound<'py, PyDict>, Failure> {
    // SAFETY: the meter is borrowed for longer than the guard lives, which stays on this thread.
    let _metered = unsafe { memory::meter(meter) };
    // A refusal would be a panic here.
    let _lenient = memory::lenient(true);
    let made = members(py, map, 0).and_then(|params| place(&params).map(|()| params));
    if let (Some(reading), Some(limit)) = (meter.refused(), budget.limits().memory) {
        return Err(budget.breach(Breach { name: LimitName::Memory, limit, reading }));
    }
    made.map_err(|error| Failure::new(ErrorKind::InvalidArguments, format!("the parameters: {}", error.value(py))))
}

fn convert<'py>(py: Python<'py>, value: &Value, depth: usize) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Number(number) => self::number(py, number),
        Value::String(text) => self::text(py, text)?.into_any(),
        Value::Array(items) => {
            check(depth)?;
            let list = PyList::empty(py);
            for item in items {
                has_room(0)?;
                list.append(convert(py, item, depth + 1)?)?;
            }
            list.into_any()
        }
        Value::Object(map) => members(py, map, depth)?.into_any(),
    })
}

fn members<'py>(py: Python<'py>, map: &Map<String, Value>, depth: usize) -> PyResult<Bound<'py, PyDict>> {
    check(depth)?;
    let dict = PyDict::new(py);
    for (key, item) in map {
        dict.set_item(text(py, key)?, convert(py, item, depth + 1)?)?;
    }
    Ok(dict)
}

fn text<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    // Before it is there: one of many megabytes would be too late to notice.
    has_room(text.len())?;
    Ok(PyString::new(py, text))
}

fn has_room(bytes: usize) -> PyResult<()> {
    if memory::has_room(bytes) {
        Ok(())
    } else {
        Err(PyMemoryError::new_err("the value is larger than the memory limit"))
    }
}

fn number<'py>(py: Python<'py>, number: &Number) -> Bound<'py, PyAny> {
    if let Some(integer) = number.as_i64() {
        PyInt::new(py, integer).into_any()
    } else if let Some(integer) = number.as_u64() {
        PyInt::new(py, integer).into_any()
    } else {
        PyFloat::new(py, number.as_f64().unwrap_or_default()).into_any()
    }
}

fn check(depth: usize) -> PyResult<()> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("the value is nested deeper than {MAX_DEPTH} levels")))
}

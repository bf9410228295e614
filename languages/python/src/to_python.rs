//! JSON values as Python objects.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use serde_json::{Map, Number, Value};
use skills_core::value::MAX_DEPTH;

/// The Python object of a JSON value: `dict`, `list`, `str`, `int`, `float`, `bool` or `None`, always new.
///
/// # Errors
/// `ValueError` where the value nests deeper than [`MAX_DEPTH`].
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    convert(py, value, 0)
}

/// The dict of a JSON object.
pub(crate) fn object<'py>(py: Python<'py>, map: &Map<String, Value>) -> PyResult<Bound<'py, PyDict>> {
    members(py, map, 0)
}

fn convert<'py>(py: Python<'py>, value: &Value, depth: usize) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Number(number) => self::number(py, number),
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            check(depth)?;
            let list = PyList::empty(py);
            for item in items {
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
        dict.set_item(key, convert(py, item, depth + 1)?)?;
    }
    Ok(dict)
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

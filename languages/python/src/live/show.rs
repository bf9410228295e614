//! A value as Python shows it.

use super::Work;
use crate::from_python::{guarded_repr, lossy, type_name};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString};
use skills_core::Shown;

/// The longest string whose `repr` is asked for at once, in bytes.
const SHORT: usize = 4096;

impl Work<'_, '_> {
    /// A value as it is shown.
    pub(super) fn shown(&self, value: &Bound<'_, PyAny>) -> PyResult<Shown> {
        let py = self.py;
        let type_name = type_name(value);
        if simple(value) {
            return Ok(Shown { type_name, text: guarded_repr(value)?, cut: false, png: None });
        }
        let (text, cut) =
            self.tools.text.bind(py).call1((value, Shown::MOST))?.extract::<(Bound<'_, PyString>, bool)>()?;
        let mut text = lossy(&text);
        let longer = text.len() > Shown::MOST;
        if longer {
            text.truncate(text.floor_char_boundary(Shown::MOST));
        }
        let png = self.tools.picture.bind(py).call1((value, Shown::PNG, Shown::MOST_IMAGE))?;
        let png = png.cast::<PyBytes>().ok().map(|png| png.as_bytes().to_vec());
        Ok(Shown { type_name, text, cut: cut || longer, png })
    }
}

/// Whether a value is certainly small, and runs no code.
fn simple(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || (value.is_exact_instance_of::<PyInt>() && value.extract::<i64>().is_ok())
        || value
            .cast_exact::<PyString>()
            .is_ok_and(|text| text.to_str().is_ok_and(|text| text.len() < SHORT && !text.contains(" at 0x")))
}

//! `sys.stdout`, `sys.stderr` and `sys.stdin`: one set for the process, which hands each write to the run of the
//! thread that writes. Outside of a run what is written is dropped.

use crate::{memory, run};
use pyo3::exceptions::{PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use skills_core::Stream;

/// A text stream that a script writes to.
#[pyclass(frozen, module = "skill", name = "Output")]
pub(crate) struct Output {
    pub(crate) stream: Stream,
}

fn print(py: Python<'_>, stream: Stream, text: &str) -> PyResult<()> {
    match run::current() {
        Some(run) => run.print(py, stream, text),
        None => Ok(()),
    }
}

fn not_a_file() -> PyErr {
    PyOSError::new_err("a script's standard streams are not files of the system")
}

#[pymethods]
impl Output {
    fn write(&self, py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<usize> {
        let _lenient = memory::lenient(true);
        let Ok(text) = text.cast::<PyString>() else {
            let message = format!("write() argument must be str, not {}", text.get_type().name()?);
            return Err(PyTypeError::new_err(message));
        };
        match text.to_str() {
            Ok(text) => print(py, self.stream, text)?,
            Err(_) => print(py, self.stream, &crate::from_python::lossy(text))?,
        }
        text.len()
    }

    fn writelines(&self, py: Python<'_>, lines: &Bound<'_, PyAny>) -> PyResult<()> {
        lines.try_iter()?.try_for_each(|line| self.write(py, &line?).map(drop))
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let _lenient = memory::lenient(true);
        run::current().map_or(Ok(()), |run| run.flush(py))
    }

    #[getter]
    fn buffer(&self) -> Bytes {
        Bytes { stream: self.stream }
    }

    #[getter]
    fn name(&self) -> &'static str {
        match self.stream {
            Stream::Stdout => "<stdout>",
            Stream::Stderr => "<stderr>",
        }
    }

    #[getter]
    fn encoding(&self) -> &'static str {
        "utf-8"
    }

    #[getter]
    fn errors(&self) -> &'static str {
        "replace"
    }

    #[getter]
    fn closed(&self) -> bool {
        false
    }

    #[getter]
    fn line_buffering(&self) -> bool {
        true
    }

    #[getter]
    fn mode(&self) -> &'static str {
        "w"
    }

    fn close(&self) {}

    #[pyo3(signature = (**_options))]
    fn reconfigure(&self, _options: Option<&Bound<'_, PyAny>>) {}

    fn isatty(&self) -> bool {
        false
    }

    fn readable(&self) -> bool {
        false
    }

    fn writable(&self) -> bool {
        true
    }

    fn seekable(&self) -> bool {
        false
    }

    fn fileno(&self) -> PyResult<i32> {
        Err(not_a_file())
    }
}

/// The bytes below a text stream; what is not UTF-8 is replaced.
#[pyclass(frozen, module = "skill", name = "OutputBytes")]
pub(crate) struct Bytes {
    stream: Stream,
}

#[pymethods]
impl Bytes {
    fn write(&self, py: Python<'_>, bytes: &Bound<'_, PyAny>) -> PyResult<usize> {
        let _lenient = memory::lenient(true);
        // SAFETY: copies any object with a buffer into new bytes, or raises TypeError.
        let bytes = unsafe { Bound::from_owned_ptr_or_err(py, pyo3::ffi::PyBytes_FromObject(bytes.as_ptr())) }?;
        let bytes = bytes.cast_into::<PyBytes>().map_err(PyErr::from)?;
        print(py, self.stream, &String::from_utf8_lossy(bytes.as_bytes()))?;
        Ok(bytes.as_bytes().len())
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        run::current().map_or(Ok(()), |run| run.flush(py))
    }

    fn writable(&self) -> bool {
        true
    }

    fn fileno(&self) -> PyResult<i32> {
        Err(not_a_file())
    }
}

/// Standard input, which is at its end: `input()` raises `EOFError`.
#[pyclass(frozen, module = "skill", name = "Input")]
pub(crate) struct Input;

#[pymethods]
impl Input {
    #[pyo3(signature = (_size = None))]
    fn read(&self, _size: Option<i64>) -> &'static str {
        ""
    }

    #[pyo3(signature = (_size = None))]
    fn readline(&self, _size: Option<i64>) -> &'static str {
        ""
    }

    #[pyo3(signature = (_hint = None))]
    fn readlines(&self, _hint: Option<i64>) -> Vec<String> {
        Vec::new()
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self) -> Option<String> {
        None
    }

    #[getter]
    fn name(&self) -> &'static str {
        "<stdin>"
    }

    #[getter]
    fn encoding(&self) -> &'static str {
        "utf-8"
    }

    #[getter]
    fn errors(&self) -> &'static str {
        "strict"
    }

    #[getter]
    fn closed(&self) -> bool {
        false
    }

    fn close(&self) {}

    fn isatty(&self) -> bool {
        false
    }

    fn readable(&self) -> bool {
        false
    }

    fn fileno(&self) -> PyResult<i32> {
        Err(not_a_file())
    }
}

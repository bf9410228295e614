//! Snapshots of a namespace.
//!
//! The bytes are the length of a header, the header as JSON, and what `python/image.py` writes. They hold byte code, so their format
//! names the exact version of CPython.

use super::tools::Imaging;
use super::{Body, Given, Work};
use crate::memory;
use crate::session::PythonSession;
use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyList};
use serde_json::{Value, json};
use skills_core::{ErrorKind, Failure, Host, Language, Lost, Script, Snapshot};
use std::ffi::CStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Row = (String, String);

/// What is missing, the files, sources and entries of skills, the files and sources of all code.
type Found = (Vec<Row>, Vec<(String, String, Py<PyAny>)>, Vec<Row>);

/// The name and version of what is written.
fn format() -> String {
    // SAFETY: CPython's own text, static and NUL-terminated.
    let version = unsafe { CStr::from_ptr(ffi::Py_GetVersion()) }.to_string_lossy();
    format!("python-1 {}", version.split_whitespace().next().unwrap_or_default())
}

impl PythonSession {
    /// The namespace as bytes.
    pub(crate) fn image(&mut self, py: Python<'_>, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        let imaging = imaging(py, self)?;
        let most = host.budget().limits().memory.unwrap_or(u64::MAX);
        let (lost, bytes) = self.ask(py, host, |work| {
            let header = work.header().to_string();
            let mut bytes = Vec::with_capacity(header.len() + 4);
            bytes.extend_from_slice(&u32::try_from(header.len()).unwrap_or_default().to_le_bytes());
            bytes.extend_from_slice(header.as_bytes());
            let sink = Sink { start: bytes.len(), bytes: Mutex::new(bytes), most };
            let sink = Bound::new(py, sink)?;
            let bodies = work.bodies()?;
            let (tools, living) = (work.tools, &work.living);
            let arguments = (work.names(), &tools.is_own, &living.first, &living.lines, bodies, &sink);
            let lost: Vec<Row> = imaging.snapshot.bind(py).call1(arguments)?.extract()?;
            let bytes = std::mem::take(&mut *sink.get().bytes());
            Ok((lost, bytes))
        })?;
        Ok(Snapshot { language: Language::Python, format: format(), bytes, lost: named(lost) })
    }

    /// Fills the namespace.
    pub(crate) fn refill(
        &mut self,
        py: Python<'_>,
        snapshot: &Snapshot,
        host: &Arc<dyn Host>,
    ) -> Result<Vec<Lost>, Failure> {
        let imaging = imaging(py, self)?;
        if snapshot.language != Language::Python || snapshot.format != format() {
            let message = format!(
                "the snapshot is one of {} in the format {:?}, and this is {}",
                snapshot.language,
                snapshot.format,
                format()
            );
            let help = "restore it with the version of Python that it was made with";
            return Err(Failure::new(ErrorKind::InvalidArguments, message).with_help(help));
        }
        let (header, rest) = parted(&snapshot.bytes)?;
        let folder = header["folder"].as_str().map(Arc::from);
        let path: Option<Vec<String>> = serde_json::from_value(header["path"].clone()).unwrap_or_default();
        // Made and gone outside of the session's account.
        let data = PyBytes::new(py, rest);
        let given = Given { file: header["file"].as_str().unwrap_or_default(), params: None, folder };
        self.asked(py, host, given, |work| {
            if let Some(path) = &path {
                let _lenient = memory::lenient(true);
                let live = work.runtime.pristine.path.live(py);
                live.set_slice(0, live.len(), PyList::new(py, path)?.as_any())?;
            }
            let found = imaging.restore.bind(py).call1((work.names(), &data))?;
            let (lost, bodies, texts): Found = found.extract()?;
            let script = |file: String, source: String| Arc::new(Script { language: Language::Python, file, source });
            let _lenient = memory::lenient(true);
            for (file, source) in texts {
                work.living.texts.add(&script(file, source), work.living.lines.bind(py))?;
            }
            for (file, source, run) in bodies {
                work.living.bodies.push(Body { script: script(file, source), run, plan: None });
            }
            work.living.features |= header["features"].as_i64().and_then(|bits| i32::try_from(bits).ok()).unwrap_or(0);
            Ok(named(lost))
        })
    }
}

impl<'py> Work<'_, 'py> {
    fn header(&self) -> Value {
        let py = self.py;
        let path: Option<Vec<String>> = self.runtime.pristine.path.delta(py).and_then(|path| path.extract(py).ok());
        let file = self.names().get_item(intern!(py, "__file__")).ok().flatten();
        json!({
            "features": self.living.features,
            "folder": self.living.folder.as_deref(),
            "file": file.and_then(|file| file.extract::<String>().ok()),
            "path": path,
        })
    }

    /// The scripts whose bodies were evaluated, with their entries.
    fn bodies(&self) -> PyResult<Bound<'py, PyList>> {
        let _lenient = memory::lenient(true);
        let rows = self.living.bodies.iter().map(|body| (&body.script.file, &body.script.source, &body.run));
        let list = PyList::empty(self.py);
        rows.into_iter().try_for_each(|row| list.append(row))?;
        Ok(list)
    }
}

fn imaging(py: Python<'_>, session: &PythonSession) -> Result<&'static Imaging, Failure> {
    Imaging::get(py, session.runtime).map_err(|error| super::internal(py, &error))
}

fn named(rows: Vec<Row>) -> Vec<Lost> {
    rows.into_iter().map(|(name, why)| Lost { name, why }).collect()
}

/// The header and the rest of a snapshot's bytes.
fn parted(bytes: &[u8]) -> Result<(Value, &[u8]), Failure> {
    let parted = || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (header, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        Some((serde_json::from_slice(header).ok()?, rest))
    };
    parted().ok_or_else(|| Failure::new(ErrorKind::InvalidArguments, "the snapshot is damaged"))
}

/// What a pickler writes to: memory of the host's, so that a snapshot does not count as the session's.
#[pyclass(frozen, module = "skill")]
struct Sink {
    bytes: Mutex<Vec<u8>>,
    /// Where what is written begins.
    start: usize,
    most: u64,
}

impl Sink {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, more: &[u8]) -> PyResult<usize> {
        let mut bytes = self.bytes();
        if (bytes.len() + more.len()) as u64 > self.most {
            return Err(PyMemoryError::new_err("the snapshot would be larger than the session may be"));
        }
        bytes.extend_from_slice(more);
        Ok(more.len())
    }
}

#[pymethods]
impl Sink {
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        if let Ok(bytes) = data.cast::<PyBytes>() {
            return self.take(bytes.as_bytes());
        }
        if let Ok(bytes) = data.cast::<PyByteArray>() {
            // SAFETY: the GIL is held, and nothing else runs until the bytes are copied.
            return self.take(unsafe { bytes.as_bytes() });
        }
        let copy = data.py().get_type::<PyBytes>().call1((data,))?.cast_into::<PyBytes>().map_err(PyErr::from)?;
        self.take(copy.as_bytes())
    }

    fn clear(&self) {
        self.bytes().truncate(self.start);
    }
}

//! What a script says of its own parameters: `run`'s signature, hints and documentation, without running anything.
//!
//! The work is done in Python, on CPython's own syntax tree (`python/signature.py`).

use crate::from_python::from_python;
use crate::runtime::Runtime;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;
use serde_json::{Value, json};
use skills_core::value::Meter;
use skills_core::{ParameterSpec, Script, Signature};

static FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The signature of a script; `None` where it does not parse or Python is not available.
pub(crate) fn signature(script: &Script) -> Option<Signature> {
    let runtime = Runtime::start().ok()?;
    let read = Python::attach(|py| -> PyResult<Option<Value>> {
        let function = FUNCTION.get_or_try_init(py, || load(py, runtime))?;
        let found = function.bind(py).call1((&script.source, &script.file))?;
        Ok(from_python(&found, &mut Meter::new("signature", None)).ok())
    });
    let Value::Object(mut found) = read.ok()?? else { return None };
    let Some(Value::Array(parameters)) = found.remove("parameters") else { return None };
    Some(Signature {
        description: text(found.remove("description")),
        parameters: parameters.into_iter().map(parameter).collect(),
    })
}

fn load(py: Python<'_>, runtime: &Runtime) -> PyResult<Py<PyAny>> {
    let code = runtime.compile.bind(py).call1((include_str!("python/signature.py"), "<skills:signature>", "exec"))?;
    let globals = PyModule::new(py, "_skills_signature")?.dict();
    globals.set_item("__builtins__", &runtime.builtins)?;
    py.import("builtins")?.getattr("exec")?.call1((code, &globals))?;
    Ok(globals.as_any().get_item("signature")?.unbind())
}

fn parameter(mut read: Value) -> ParameterSpec {
    let has_default = read["has_default"] == json!(true);
    let default = read["default"].take();
    ParameterSpec {
        name: read["name"].as_str().unwrap_or_default().to_owned(),
        schema: read["schema"].take(),
        required: read["required"] == json!(true),
        default: has_default.then_some(default),
        description: text(Some(read["description"].take())),
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

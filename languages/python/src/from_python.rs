//! Python objects as JSON values.
//!
//! | Python | JSON |
//! |---|---|
//! | `None`, `bool`, `str`, `float` | the same; `2.0` stays `2.0` |
//! | a `str` with lone surrogates | a description with all of it; as a key an error |
//! | `int` in the range of `i64` or `u64` | the same |
//! | a larger `int` | a description with all digits (hexadecimal above CPython's limit of 4,300 digits) |
//! | `list`, `tuple`, `set`, `frozenset`, `range`, a dict's views | array |
//! | `dict` | object, in order; keys that are numbers, `bool` or `None` as `json.dumps` writes them |
//! | `bytes`, `bytearray`, `memoryview` | a description with the base64 |
//! | dates, `Decimal`, `UUID`, paths | a description whose `repr` is their text form |
//! | anything else | a description with its `repr` |
//!
//! Subclasses (an `IntEnum`, a named tuple, a `defaultdict`) are what they derive from.

use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PyMemoryView, PySet, PyString, PyTuple,
    PyType,
};
use serde_json::{Map, Number, Value};
use skills_core::value::{self, Meter};
use skills_core::{ErrorKind, Failure};

/// Why an object has no JSON value: a failure of the conversion, or an exception of Python code that it had to run.
pub(crate) enum Unconverted {
    Failure(Failure),
    Raised(PyErr),
}

impl From<Failure> for Unconverted {
    fn from(failure: Failure) -> Unconverted {
        Unconverted::Failure(failure)
    }
}

impl From<PyErr> for Unconverted {
    fn from(error: PyErr) -> Unconverted {
        Unconverted::Raised(error)
    }
}

type Converted<T = Value> = Result<T, Unconverted>;

/// The JSON value of an object. The meter bounds depth and size as it grows.
pub(crate) fn from_python(object: &Bound<'_, PyAny>, meter: &mut Meter) -> Converted {
    Converter { meter, open: Vec::new() }.convert(object)
}

/// The text of a Python string, each lone surrogate replaced.
pub(crate) fn lossy(text: &Bound<'_, PyString>) -> String {
    if let Ok(text) = text.to_str() {
        return text.to_owned();
    }
    units(text).map_or_else(|| String::from(char::REPLACEMENT_CHARACTER), |units| String::from_utf16_lossy(&units))
}

/// The text of a Python string in UTF-16, which has one unit for each lone surrogate.
fn units(text: &Bound<'_, PyString>) -> Option<Vec<u16>> {
    // SAFETY: encodes a live string with NUL-terminated names; the reference is new.
    let encoded = unsafe {
        let encoded = ffi::PyUnicode_AsEncodedString(text.as_ptr(), c"utf-16-le".as_ptr(), c"surrogatepass".as_ptr());
        Bound::from_owned_ptr_or_err(text.py(), encoded)
    };
    let encoded = encoded.ok()?;
    let bytes = encoded.cast::<PyBytes>().ok()?;
    Some(bytes.as_bytes().as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
}

/// The `repr` of an object, whatever it does: an exception becomes a placeholder, a stop is passed on.
pub(crate) fn guarded_repr(object: &Bound<'_, PyAny>) -> PyResult<String> {
    match object.repr() {
        Ok(text) => Ok(without_address(&lossy(&text))),
        Err(error) if error.is_instance_of::<PyException>(object.py()) => {
            Ok(format!("<{} whose repr raises {}>", type_name(object), error_name(&error, object.py())))
        }
        Err(error) => Err(error),
    }
}

fn error_name(error: &PyErr, py: Python<'_>) -> String {
    error.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| lossy(&name))
}

/// The name of an object's type, without its module.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "object".to_owned(), |name| lossy(&name))
}

/// Addresses differ from run to run, and mean nothing to a reader.
fn without_address(repr: &str) -> String {
    let mut out = String::with_capacity(repr.len());
    let mut rest = repr;
    while let Some(at) = rest.find(" at 0x") {
        out.push_str(&rest[..at]);
        rest = rest[at + 6..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    out.push_str(rest);
    out
}

struct Converter<'m> {
    meter: &'m mut Meter,
    /// The containers that the conversion is inside of.
    open: Vec<*mut ffi::PyObject>,
}

impl Converter<'_> {
    fn convert(&mut self, object: &Bound<'_, PyAny>) -> Converted {
        if object.is_none() {
            self.meter.charge(4)?;
            return Ok(Value::Null);
        }
        if let Ok(text) = object.cast::<PyString>() {
            return match self.string(text)? {
                Some(text) => Ok(Value::String(text)),
                None => self.described(value::describe_text(&units(text).unwrap_or_default())),
            };
        }
        if let Ok(value) = object.cast::<PyBool>() {
            self.meter.charge(if value.is_true() { 4 } else { 5 })?;
            return Ok(Value::Bool(value.is_true()));
        }
        if object.is_instance_of::<PyInt>() {
            return self.integer(object);
        }
        if let Ok(float) = object.cast::<PyFloat>() {
            return self.float(float.value());
        }
        if let Ok(dict) = object.cast::<PyDict>() {
            return self.nested(object, |this| this.dict(dict));
        }
        if let Ok(list) = object.cast::<PyList>() {
            return self.nested(object, |this| this.list(list));
        }
        if let Ok(tuple) = object.cast::<PyTuple>() {
            return self.nested(object, |this| this.items(tuple.len(), tuple.iter().map(Ok)));
        }
        if is_iterable(object) {
            return self.nested(object, |this| this.items(0, object.try_iter()?));
        }
        self.other(object)
    }

    /// The text; nothing where it has lone surrogates.
    fn string(&mut self, text: &Bound<'_, PyString>) -> Converted<Option<String>> {
        // The length in characters is known at once; the exact size needs the bytes.
        self.meter.charge(text.len()? + 2)?;
        let Ok(text) = text.to_str() else { return Ok(None) };
        self.meter.charge(text.len() - text.chars().count() + escapes(text))?;
        Ok(Some(text.to_owned()))
    }

    fn integer(&mut self, object: &Bound<'_, PyAny>) -> Converted {
        if let Ok(integer) = object.extract::<i64>() {
            self.meter.charge(integer.unsigned_abs().checked_ilog10().unwrap_or(0) as usize + 1)?;
            return Ok(Value::from(integer));
        }
        if let Ok(integer) = object.extract::<u64>() {
            self.meter.charge(20)?;
            return Ok(Value::from(integer));
        }
        let py = object.py();
        let bits: usize = py.get_type::<PyInt>().call_method1("bit_length", (object,))?.extract()?;
        // CPython refuses to write more decimal digits than this, because it takes quadratic time.
        const DECIMAL_BITS: usize = 14_000;
        let form = if bits <= DECIMAL_BITS { "d" } else { "#x" };
        self.meter.charge(if bits <= DECIMAL_BITS { bits * 10 / 33 } else { bits / 4 } + 32)?;
        let digits = py.get_type::<PyInt>().call_method1("__format__", (object, form))?;
        Ok(value::describe_integer(&lossy(digits.cast::<PyString>().map_err(PyErr::from)?)))
    }

    fn float(&mut self, float: f64) -> Converted {
        let Some(number) = Number::from_f64(float) else {
            let shown = match (float.is_nan(), float > 0.0) {
                (true, _) => "nan",
                (false, true) => "inf",
                (false, false) => "-inf",
            };
            return Err(self.meter.not_finite(shown).into());
        };
        let number = Value::Number(number);
        self.meter.charge(number.to_string().len())?;
        Ok(number)
    }

    /// Converts a container, unless the conversion is inside of it already.
    fn nested(&mut self, object: &Bound<'_, PyAny>, convert: impl FnOnce(&mut Self) -> Converted) -> Converted {
        if self.open.contains(&object.as_ptr()) {
            let name = type_name(object);
            return self.described(value::describe("cycle", &format!("<{name} that contains itself>")));
        }
        self.meter.check_inside()?;
        self.open.push(object.as_ptr());
        self.meter.charge(2)?;
        let converted = convert(self);
        self.open.pop();
        converted
    }

    fn list(&mut self, list: &Bound<'_, PyList>) -> Converted {
        // By index, because the `repr` of an item may run code that changes the list.
        let mut index = 0;
        let items = std::iter::from_fn(|| {
            let item = list.get_item(index).ok()?;
            index += 1;
            Some(Ok(item))
        });
        self.items(list.len(), items)
    }

    /// `about` is how many there are, where that is known.
    fn items<'py>(&mut self, about: usize, items: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>) -> Converted {
        let mut array = Vec::with_capacity(self.meter.capacity(about));
        for (index, item) in items.enumerate() {
            self.meter.enter_index(index)?;
            self.meter.charge(usize::from(index > 0))?;
            array.push(self.convert(&item?)?);
            self.meter.leave();
        }
        Ok(Value::Array(array))
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>) -> Converted {
        let py = dict.py();
        let mut object = Map::new();
        let length = dict.len();
        let (mut position, mut key, mut item) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the dict is alive; `PyDict_Next` checks the position against the dict as it is now, and the
        // references that it lends are made our own before any other code runs.
        while unsafe { ffi::PyDict_Next(dict.as_ptr(), &mut position, &mut key, &mut item) } != 0 {
            // SAFETY: as above.
            let (key, item) = unsafe { (Bound::from_borrowed_ptr(py, key), Bound::from_borrowed_ptr(py, item)) };
            let name = self.key(&key)?;
            self.meter.charge(1 + usize::from(!object.is_empty()))?;
            self.meter.enter_key(&name)?;
            let converted = self.convert(&item)?;
            if object.contains_key(&name) {
                let message = format!("two different keys become {:?} in JSON", self.meter.place());
                return Err(Failure::new(ErrorKind::ScriptError, message).with_help("use strings as keys").into());
            }
            self.meter.leave();
            object.insert(name, converted);
            if dict.len() != length {
                let message = format!("{} changed while it was read", self.meter.place());
                return Err(Failure::new(ErrorKind::ScriptError, message).into());
            }
        }
        Ok(Value::Object(object))
    }

    fn key(&mut self, key: &Bound<'_, PyAny>) -> Converted<String> {
        if let Ok(text) = key.cast::<PyString>() {
            return self.string(text)?.ok_or_else(|| self.meter.not_whole().into());
        }
        let name = if key.is_none() {
            "null".to_owned()
        } else if let Ok(value) = key.cast::<PyBool>() {
            value.is_true().to_string()
        } else if key.is_instance_of::<PyInt>() {
            match self.integer(key)? {
                Value::Object(description) => {
                    description.get("repr").and_then(Value::as_str).unwrap_or_default().to_owned()
                }
                number => number.to_string(),
            }
        } else {
            guarded_repr(key)?
        };
        self.meter.charge(name.len() + 2)?;
        Ok(name)
    }

    /// What JSON has no form for.
    fn other(&mut self, object: &Bound<'_, PyAny>) -> Converted {
        let py = object.py();
        if object.is_instance_of::<PyBytes>()
            || object.is_instance_of::<PyByteArray>()
            || object.is_instance_of::<PyMemoryView>()
        {
            let bytes = match object.cast::<PyBytes>() {
                Ok(bytes) => bytes.clone(),
                Err(_) => py.get_type::<PyBytes>().call1((object,))?.cast_into::<PyBytes>().map_err(PyErr::from)?,
            };
            self.meter.charge(bytes.as_bytes().len() / 3 * 4 + 48)?;
            return Ok(value::describe_bytes(bytes.as_bytes()));
        }
        if object.is_instance_of::<PyType>() {
            let description = value::describe("class", &guarded_repr(object)?);
            return self.described(description);
        }
        let name = type_name(object);
        let module = object.get_type().module().map(|module| lossy(&module)).unwrap_or_default();
        let text = match (module.as_str(), name.as_str()) {
            ("datetime", "datetime" | "date" | "time") => {
                object.call_method0("isoformat").ok().and_then(|text| Some(lossy(text.cast::<PyString>().ok()?)))
            }
            ("datetime", "timedelta") | ("decimal", _) | ("uuid", _) | ("fractions", _) | ("pathlib", _) => {
                object.str().ok().map(|text| lossy(&text))
            }
            _ => None,
        };
        let repr = match text {
            Some(text) => text,
            None => guarded_repr(object)?,
        };
        let name = match name.as_str() {
            "builtin_function_or_method" | "method" | "method_descriptor" | "HostFunction" => "function",
            other => other,
        };
        self.described(value::describe(name, &repr))
    }

    fn described(&mut self, description: Value) -> Converted {
        self.meter.charge(description.to_string().len())?;
        Ok(description)
    }
}

fn is_iterable(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyFrozenSet>()
        || matches!(
            object.get_type().name().as_ref().ok().and_then(|name| name.to_str().ok()),
            Some("dict_keys" | "dict_values" | "dict_items" | "range" | "deque")
        )
}

/// How many bytes JSON's escapes add to a text.
fn escapes(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
            0..0x20 => 5,
            _ => 0,
        })
        .sum()
}

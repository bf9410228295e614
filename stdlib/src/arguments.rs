//! From the JSON values of a call to the types that a function's code works with.

use crate::define::invalid;
use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use skills_core::{Failure, FunctionSpec};

/// The arguments of one call on their way into code.
pub(crate) struct Taker<'a> {
    spec: &'a FunctionSpec,
    next: usize,
    arguments: std::vec::IntoIter<Value>,
}

impl<'a> Taker<'a> {
    /// Arguments as [`FunctionSpec::bind`] left them.
    pub(crate) fn new(spec: &'a FunctionSpec, arguments: Vec<Value>) -> Taker<'a> {
        Taker { spec, next: 0, arguments: arguments.into_iter() }
    }

    fn take<T: FromArgument>(&mut self) -> Result<T, Failure> {
        let name = self.spec.parameters.get(self.next).map_or("?", |parameter| parameter.name.as_str());
        self.next += 1;
        T::from_argument(self.arguments.next().unwrap_or_default())
            .map_err(|expected| invalid(format!("skill.{} `{name}` must be {expected}", self.spec.name)))
    }
}

/// What the code of a function takes: a tuple with one element a parameter.
pub(crate) trait FromArguments: Sized {
    const COUNT: usize;
    fn take(taker: &mut Taker<'_>) -> Result<Self, Failure>;
}

macro_rules! tuples {
    ($($count:literal: $($name:ident)*;)*) => {$(
        impl<$($name: FromArgument),*> FromArguments for ($($name,)*) {
            const COUNT: usize = $count;
            #[allow(unused_variables, reason = "the empty tuple takes nothing")]
            fn take(taker: &mut Taker<'_>) -> Result<Self, Failure> {
                Ok(($(taker.take::<$name>()?,)*))
            }
        }
    )*};
}

tuples! {
    0: ;
    1: A;
    2: A B;
    3: A B C;
    4: A B C D;
}

/// A type that one argument can be. Where it cannot, the error says what it must be, as in "must be …".
pub(crate) trait FromArgument: Sized {
    fn from_argument(value: Value) -> Result<Self, &'static str>;
}

impl FromArgument for Value {
    fn from_argument(value: Value) -> Result<Value, &'static str> {
        Ok(value)
    }
}

impl<T: FromArgument> FromArgument for Option<T> {
    fn from_argument(value: Value) -> Result<Option<T>, &'static str> {
        if value.is_null() { Ok(None) } else { T::from_argument(value).map(Some) }
    }
}

impl FromArgument for String {
    fn from_argument(value: Value) -> Result<String, &'static str> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err("a string"),
        }
    }
}

impl FromArgument for bool {
    fn from_argument(value: Value) -> Result<bool, &'static str> {
        value.as_bool().ok_or("true or false")
    }
}

impl FromArgument for f64 {
    fn from_argument(value: Value) -> Result<f64, &'static str> {
        value.as_f64().ok_or("a number")
    }
}

impl FromArgument for i64 {
    fn from_argument(value: Value) -> Result<i64, &'static str> {
        // JavaScript has no integers of its own: 3.0 is one. The bound is where f64 still holds every integer.
        let whole = |f: f64| (f.fract() == 0.0 && f.abs() <= 9_007_199_254_740_992.0).then_some(f as i64);
        value.as_i64().or_else(|| value.as_f64().and_then(whole)).ok_or("an integer of at most 64 bits")
    }
}

impl FromArgument for usize {
    fn from_argument(value: Value) -> Result<usize, &'static str> {
        let expected = "an integer that is not negative";
        i64::from_argument(value).ok().and_then(|n| usize::try_from(n).ok()).ok_or(expected)
    }
}

impl FromArgument for Vec<Value> {
    fn from_argument(value: Value) -> Result<Vec<Value>, &'static str> {
        match value {
            Value::Array(items) => Ok(items),
            _ => Err("a list"),
        }
    }
}

impl FromArgument for Map<String, Value> {
    fn from_argument(value: Value) -> Result<Map<String, Value>, &'static str> {
        match value {
            Value::Object(map) => Ok(map),
            _ => Err("an object"),
        }
    }
}

/// Text (its UTF-8) or the description of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Data(pub(crate) Vec<u8>);

impl FromArgument for Data {
    fn from_argument(value: Value) -> Result<Data, &'static str> {
        const EXPECTED: &str = r#"a string, or bytes as {"$type": "bytes", "base64": …}"#;
        match value {
            Value::String(text) => Ok(Data(text.into_bytes())),
            Value::Object(map) if map.get("$type").is_some_and(|name| name == "bytes") => {
                let encoded = map.get("base64").and_then(Value::as_str).ok_or(EXPECTED)?;
                STANDARD.decode(encoded).map(Data).map_err(|_| EXPECTED)
            }
            _ => Err(EXPECTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn integers_may_come_as_floats_but_not_with_a_fraction() {
        assert_eq!(i64::from_argument(json!(3.0)), Ok(3));
        assert_eq!(i64::from_argument(json!(i64::MIN)), Ok(i64::MIN));
        assert!(i64::from_argument(json!(3.5)).is_err());
        assert!(i64::from_argument(json!(1e300)).is_err());
        assert!(usize::from_argument(json!(-1)).is_err());
    }

    #[test]
    fn data_is_text_or_bytes() {
        assert_eq!(Data::from_argument(json!("é")).unwrap().0, "é".as_bytes());
        let bytes = skills_core::value::describe_bytes(&[0, 255]);
        assert_eq!(Data::from_argument(bytes).unwrap().0, [0, 255]);
        assert!(Data::from_argument(json!({"$type": "bytes", "base64": "!"})).is_err());
        assert!(Data::from_argument(json!([1, 2])).is_err());
    }
}

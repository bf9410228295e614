//! The quick check. It knows the plain part of JSON Schema, and only ever says "yes" or "ask the validator": where it
//! says yes, the validator would too, so nothing depends on it but the time.

use serde_json::{Number, Value};

/// The largest magnitude up to which every integer is exactly a `f64`. Beyond, comparing needs the validator's care.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A schema of plain keywords.
#[derive(Debug)]
pub(super) struct Plain {
    types: Types,
    one_of: Option<Vec<Value>>,
    numbers: Range<f64>,
    lengths: Range<usize>,
    items: Option<Box<Plain>>,
    counts: Range<usize>,
    members: Option<Members>,
}

#[derive(Debug)]
struct Range<T> {
    least: Option<T>,
    most: Option<T>,
}

#[derive(Debug, Default)]
struct Members {
    properties: Vec<(String, Plain)>,
    required: Vec<String>,
    others: Others,
}

/// What is allowed of a member that `properties` does not name.
#[derive(Debug, Default)]
enum Others {
    #[default]
    Any,
    None,
    Like(Box<Plain>),
}

/// A set of JSON types.
#[derive(Debug, Clone, Copy)]
struct Types(u8);

impl Types {
    const ALL: Types = Types(0x7f);

    fn bit(name: &str) -> Option<u8> {
        ["null", "boolean", "integer", "number", "string", "array", "object"]
            .iter()
            .position(|known| *known == name)
            .map(|at| 1 << at)
    }

    fn read(value: &Value) -> Option<Types> {
        let names = match value {
            Value::String(name) => return Types::bit(name).map(Types),
            Value::Array(names) => names,
            _ => return None,
        };
        names.iter().try_fold(Types(0), |all, name| Some(Types(all.0 | Types::bit(name.as_str()?)?)))
    }

    fn has(self, value: &Value) -> bool {
        let bits = match value {
            Value::Null => 1,
            Value::Bool(_) => 1 << 1,
            // Whether 5.0 is an integer is for the validator to say.
            Value::Number(number) if number.is_f64() => 1 << 3,
            Value::Number(_) => 1 << 2 | 1 << 3,
            Value::String(_) => 1 << 4,
            Value::Array(_) => 1 << 5,
            Value::Object(_) => 1 << 6,
        };
        self.0 & bits != 0
    }
}

impl<T: PartialOrd + Copy> Range<T> {
    const fn open() -> Range<T> {
        Range { least: None, most: None }
    }

    fn is_open(&self) -> bool {
        self.least.is_none() && self.most.is_none()
    }

    fn has(&self, value: T) -> bool {
        self.least.is_none_or(|least| value >= least) && self.most.is_none_or(|most| value <= most)
    }
}

impl Plain {
    /// The quick check of a schema; `None` where it has a keyword that is not plain.
    pub(super) fn of(schema: &Value) -> Option<Plain> {
        let map = match schema {
            Value::Bool(true) => return Some(Plain::any()),
            Value::Object(map) => map,
            _ => return None,
        };
        let mut plain = Plain::any();
        for (key, value) in map {
            match key.as_str() {
                "type" => plain.types = Types::read(value)?,
                "enum" => plain.one_of = Some(value.as_array()?.clone()),
                "minimum" => plain.numbers.least = Some(exact(value.as_number()?)?),
                "maximum" => plain.numbers.most = Some(exact(value.as_number()?)?),
                "minLength" => plain.lengths.least = Some(count(value)?),
                "maxLength" => plain.lengths.most = Some(count(value)?),
                "minItems" => plain.counts.least = Some(count(value)?),
                "maxItems" => plain.counts.most = Some(count(value)?),
                "items" => plain.items = Some(Box::new(Plain::of(value)?)),
                "properties" => {
                    let properties = value.as_object()?.iter();
                    plain.members().properties = properties
                        .map(|(name, schema)| Some((name.clone(), Plain::of(schema)?)))
                        .collect::<Option<_>>()?;
                }
                "required" => {
                    let names = value.as_array()?.iter();
                    plain.members().required =
                        names.map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?;
                }
                "additionalProperties" => {
                    plain.members().others = match value {
                        Value::Bool(false) => Others::None,
                        schema => Others::Like(Box::new(Plain::of(schema)?)),
                    };
                }
                "title" | "description" | "default" | "examples" | "deprecated" | "$comment" => {}
                _ => return None,
            }
        }
        Some(plain)
    }

    const fn any() -> Plain {
        Plain {
            types: Types::ALL,
            one_of: None,
            numbers: Range::open(),
            lengths: Range::open(),
            items: None,
            counts: Range::open(),
            members: None,
        }
    }

    fn members(&mut self) -> &mut Members {
        self.members.get_or_insert_default()
    }

    /// Whether a value certainly fits.
    pub(super) fn vouches(&self, value: &Value) -> bool {
        if !self.types.has(value) || self.one_of.as_ref().is_some_and(|options| !options.contains(value)) {
            return false;
        }
        match value {
            Value::Null | Value::Bool(_) => true,
            Value::Number(number) => {
                self.numbers.is_open() || exact(number).is_some_and(|number| self.numbers.has(number))
            }
            Value::String(text) => self.lengths.is_open() || self.lengths.has(text.chars().count()),
            Value::Array(items) => {
                self.counts.has(items.len())
                    && self.items.as_ref().is_none_or(|item| items.iter().all(|value| item.vouches(value)))
            }
            Value::Object(map) => self.members.as_ref().is_none_or(|members| {
                members.required.iter().all(|name| map.contains_key(name))
                    && map.iter().all(|(name, value)| members.vouches(name, value))
            }),
        }
    }
}

impl Members {
    fn vouches(&self, name: &str, value: &Value) -> bool {
        match (self.properties.iter().find(|(known, _)| known == name), &self.others) {
            (Some((_, schema)), _) => schema.vouches(value),
            (None, Others::Any) => true,
            (None, Others::None) => false,
            (None, Others::Like(schema)) => schema.vouches(value),
        }
    }
}

fn exact(number: &Number) -> Option<f64> {
    number.as_f64().filter(|number| number.abs() <= EXACT)
}

fn count(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

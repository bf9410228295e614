use super::error::{ArgumentError, ArgumentErrors};
use super::{FLATTER, QUOTED, RANGE, Reason};
use serde_json::{Map, Number, Value};
use skills_core::value::{MAX_DEPTH, depth, describe_integer};
use skills_core::{ParameterSpec, json};

/// Reads arguments from plain words, as a shell passes them.
///
/// | word | meaning |
/// |---|---|
/// | `name=value`, `--name value`, `--name=value` | a value, converted by the parameter's type |
/// | `name:=json` | JSON, whatever the type |
/// | `--flag`, `--no-flag` | true and false, for a boolean |
/// | anything else | the value of the first required parameter that is not given otherwise |
/// | `--` | everything after it is such a value |
///
/// `-` and `_` in a name are the same. A number, boolean, array or object is read where the parameter wants one; a text
/// stays as it is, and a parameter of no type takes JSON where the word is a number, `true`, `false`, `null`, an array or
/// an object, else the text. An array's parameter may be given several times, an item each. A word that does not
/// convert is left as text, and a name that is not a parameter's is kept: [`super::Checker::check`] says what is wrong
/// with them, together with everything else.
///
/// # Errors
/// All at once: a name without a value, one given twice, JSON that does not parse, a word that no parameter takes.
pub fn from_words(parameters: &[ParameterSpec], words: &[String]) -> Result<Map<String, Value>, ArgumentErrors> {
    let mut reader = Reader { parameters, given: Map::new(), bare: Vec::new(), problems: Vec::new() };
    reader.read(words);
    reader.place_bare();
    match reader.problems.is_empty() {
        true => Ok(reader.given),
        false => Err(ArgumentErrors::from(reader.problems)),
    }
}

struct Reader<'a> {
    parameters: &'a [ParameterSpec],
    given: Map<String, Value>,
    /// Words without a name, in order.
    bare: Vec<&'a str>,
    problems: Vec<ArgumentError>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, words: &'a [String]) {
        let mut words = words.iter().map(String::as_str).peekable();
        while let Some(word) = words.next() {
            if word == "--" {
                self.bare.extend(words);
                return;
            }
            let (option, rest) = match word.strip_prefix("--") {
                Some(rest) => (true, rest),
                None => (false, word),
            };
            match split(rest) {
                Some((name, How::Json, text)) => self.give_json(name, text),
                Some((name, How::Word, text)) => self.give(name, text),
                None if option => {
                    let next = words.peek().copied();
                    if self.option(rest, next) {
                        words.next();
                    }
                }
                None => self.bare.push(word),
            }
        }
    }

    /// `--name` with the word after it; says whether that word was its value.
    fn option(&mut self, name: &str, next: Option<&str>) -> bool {
        let parameter = self.find(name);
        if parameter.is_none()
            && let Some(flag) = name.strip_prefix("no-").or_else(|| name.strip_prefix("no_"))
            && self.find(flag).is_some_and(|spec| Form::of(&spec.schema).is_flag())
        {
            self.set(flag, Value::Bool(false));
            return false;
        }
        let is_flag = parameter.is_some_and(|spec| Form::of(&spec.schema).is_flag());
        let next_is_option = next.is_some_and(|next| self.is_option(next));
        match next {
            Some(text @ ("true" | "false")) if is_flag => {
                self.set(name, Value::Bool(text == "true"));
                true
            }
            _ if is_flag => {
                self.set(name, Value::Bool(true));
                false
            }
            Some(text) if !next_is_option => {
                self.give(name, text);
                true
            }
            // Nobody knows what an unknown name wants: as a flag it reaches the check, which says that it is unknown.
            _ if parameter.is_none() => {
                self.set(name, Value::Bool(true));
                false
            }
            _ => {
                let name = self.name_of(name);
                self.problem(
                    Some(&name),
                    format!("`--{name}` has no value"),
                    format!("write `--{name} VALUE`, or `{name}=VALUE` where the value begins with `--`"),
                );
                false
            }
        }
    }

    /// Whether a word is the next option rather than a value: it has the form of one, or is the closing `--`.
    fn is_option(&self, word: &str) -> bool {
        word.strip_prefix("--")
            .is_some_and(|rest| rest.is_empty() || is_name(rest.split(['=', ':']).next().unwrap_or(rest)))
    }

    fn give(&mut self, name: &str, text: &str) {
        match self.find(name) {
            Some(spec) => match convert(&spec.schema, text) {
                Ok(value) => self.set(name, value),
                Err(reason) => self.not_json(name, text, &reason),
            },
            None => self.set(name, untyped(text)),
        }
    }

    fn give_json(&mut self, name: &str, text: &str) {
        match json::read(text) {
            Ok(value) => self.set(name, value),
            Err(error) => self.not_json(name, text, &error),
        }
    }

    fn not_json(&mut self, name: &str, text: &str, error: &serde_json::Error) {
        let name = self.name_of(name);
        let shown = super::error::clipped(&Value::from(text));
        let (why, help) = match super::reason(error) {
            Reason::Range => (format!("beyond {RANGE}"), QUOTED.to_owned()),
            Reason::Depth => (format!("nested deeper than {MAX_DEPTH} levels"), FLATTER.to_owned()),
            Reason::Other(reason) => (
                format!("which is not JSON: {reason} at column {}", error.column()),
                format!("write JSON in single quotes, so that the shell leaves it alone: {name}:='[\"a\", 1]'"),
            ),
        };
        self.problem(Some(&name), format!("`{name}` is {shown}, {why}"), help);
    }

    fn set(&mut self, name: &str, value: Value) {
        // A parameter is a level itself.
        if depth(&value) >= MAX_DEPTH {
            let message = format!("`{name}` is nested deeper than {MAX_DEPTH} levels");
            return self.problem(Some(name), message, FLATTER.to_owned());
        }
        let repeats = self.find(name).is_some_and(|spec| Form::of(&spec.schema).is_list());
        let name = self.name_of(name);
        match self.given.get_mut(&name) {
            None => {
                self.given.insert(name, value);
            }
            Some(Value::Array(items)) if repeats => match value {
                Value::Array(more) => items.extend(more),
                one => items.push(one),
            },
            Some(_) => {
                let help = format!("leave one of the two `{name}` out");
                self.problem(Some(&name), format!("`{name}` is given twice"), help);
            }
        }
    }

    fn place_bare(&mut self) {
        for text in std::mem::take(&mut self.bare) {
            let open =
                |spec: &&ParameterSpec| spec.required && spec.default.is_none() && !self.given.contains_key(&spec.name);
            match self.parameters.iter().find(open) {
                Some(spec) => self.give(&spec.name, text),
                None => {
                    let shown = super::error::clipped(&Value::from(text));
                    let optional = self.parameters.iter().find(|spec| !self.given.contains_key(&spec.name));
                    let help = match optional {
                        Some(spec) => format!("say which one it is for: {}=…", spec.name),
                        None => "leave it out".to_owned(),
                    };
                    self.problem(None, format!("no parameter is left for {shown}"), help);
                }
            }
        }
    }

    fn find(&self, name: &str) -> Option<&'a ParameterSpec> {
        let same = |c: char| if c == '-' { '_' } else { c };
        (self.parameters.iter().find(|spec| spec.name == name))
            .or_else(|| self.parameters.iter().find(|spec| spec.name.chars().map(same).eq(name.chars().map(same))))
    }

    fn name_of(&self, name: &str) -> String {
        self.find(name).map_or(name, |spec| &spec.name).to_owned()
    }

    fn problem(&mut self, parameter: Option<&str>, message: String, help: String) {
        self.problems.push(ArgumentError { parameter: parameter.map(str::to_owned), message, help: Some(help) });
    }
}

enum How {
    Word,
    Json,
}

/// Splits `name=value` and `name:=json`; `None` for a word whose part before the `=` is no name.
fn split(word: &str) -> Option<(&str, How, &str)> {
    let (name, value) = word.split_once('=')?;
    let (name, how) = match name.strip_suffix(':') {
        Some(name) => (name, How::Json),
        None => (name, How::Word),
    };
    is_name(name).then_some((name, how, value))
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// What a schema wants, as far as reading a word goes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Form {
    types: u8,
}

const NULL: u8 = 1;
const BOOLEAN: u8 = 2;
const INTEGER: u8 = 4;
const NUMBER: u8 = 8;
const STRING: u8 = 16;
const ARRAY: u8 = 32;
const OBJECT: u8 = 64;

impl Form {
    fn of(schema: &Value) -> Form {
        let bit = |name: &Value| match name.as_str() {
            Some("null") => NULL,
            Some("boolean") => BOOLEAN,
            Some("integer") => INTEGER,
            Some("number") => NUMBER,
            Some("string") => STRING,
            Some("array") => ARRAY,
            Some("object") => OBJECT,
            _ => 0,
        };
        let types = match schema.get("type") {
            Some(Value::Array(names)) => names.iter().map(bit).fold(0, |all, one| all | one),
            Some(name) => bit(name),
            None => match schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
                Some(branches) => branches.iter().map(|branch| Form::of(branch).types).fold(0, |all, one| all | one),
                None => 0,
            },
        };
        Form { types }
    }

    fn takes(self, one: u8) -> bool {
        self.types & one != 0
    }

    fn is_flag(self) -> bool {
        self.takes(BOOLEAN) && self.types & !(BOOLEAN | NULL) == 0
    }

    fn is_list(self) -> bool {
        self.takes(ARRAY)
    }
}

/// A word as a schema wants it; the word itself where it does not convert. The error is that of JSON which was begun.
fn convert(schema: &Value, text: &str) -> Result<Value, serde_json::Error> {
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        let word = |option: &Value| option.as_str().map_or_else(|| option.to_string(), str::to_owned);
        return Ok(options.iter().find(|option| word(option) == text).cloned().unwrap_or_else(|| Value::from(text)));
    }
    let form = Form::of(schema);
    if form.types == 0 {
        return Ok(untyped(text));
    }
    let trimmed = text.trim();
    if form.takes(NULL) && trimmed == "null" {
        return Ok(Value::Null);
    }
    if form.takes(ARRAY) && trimmed.starts_with('[') || form.takes(OBJECT) && trimmed.starts_with('{') {
        return match json::read(trimmed) {
            Err(_) if form.takes(STRING) => Ok(Value::from(text)),
            read => read,
        };
    }
    let number = match () {
        // One that is no integer stays a number, so that the check can say what it has to be.
        () if form.takes(NUMBER) || form.takes(INTEGER) => number(trimmed, form),
        () => None,
    };
    if let Some(number) = number {
        return Ok(number);
    }
    if form.takes(BOOLEAN) {
        match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => return Ok(Value::Bool(true)),
            "false" | "no" | "off" | "0" => return Ok(Value::Bool(false)),
            _ => {}
        }
    }
    if form.takes(ARRAY) && !form.takes(STRING) {
        let item = schema.get("items").map_or_else(|| Ok(untyped(text)), |items| convert(items, text))?;
        return Ok(Value::Array(vec![item]));
    }
    Ok(Value::from(text))
}

/// A word for a parameter of no type.
fn untyped(text: &str) -> Value {
    let trimmed = text.trim();
    if let Some(number) = integer(trimmed).filter(|number| number.to_string() == trimmed) {
        return Value::Number(number);
    }
    match json::read(trimmed) {
        // A text in quotes keeps them: they are the person's own.
        Ok(Value::String(_)) | Err(_) => Value::from(text),
        Ok(value) => value,
    }
}

/// A number. An integer that would lose digits is described, where a text would not keep them.
fn number(text: &str, form: Form) -> Option<Value> {
    let plain = text.strip_prefix('+').unwrap_or(text);
    match integer(text) {
        Some(number) => Some(Value::Number(number)),
        None if json::is_big_integer(plain) => (!form.takes(STRING)).then(|| describe_integer(plain)),
        None => float(text).map(Value::Number),
    }
}

fn integer(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

fn float(text: &str) -> Option<Number> {
    // `inf` and `nan` are numbers to Rust and words to everybody else.
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        .then(|| text.parse().ok().and_then(Number::from_f64))
        .flatten()
}

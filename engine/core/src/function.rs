use crate::signature::object_schema;
use crate::{
    Budget, ErrorKind, EventSink, Failure, Grants, ParameterSpec, Script, SecretSource, StateStore, Stream, Variable,
    Variables,
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a host function needs to have been granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// Reading files.
    FileRead,
    /// Writing files.
    FileWrite,
    /// Running other skills.
    CallSkills,
    /// Environment variables.
    Environment,
    /// Secrets.
    Secret,
}

/// The arguments of a call as a script wrote them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arguments {
    /// By position.
    pub positional: Vec<Value>,
    /// By name, where the language has that.
    pub named: Map<String, Value>,
}

impl Arguments {
    /// Arguments by position.
    pub fn positional(values: impl IntoIterator<Item = Value>) -> Arguments {
        Arguments { positional: values.into_iter().collect(), named: Map::new() }
    }
}

/// The name, parameters and result of a host function, the same in every language.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionSpec {
    /// The name below `skill`, with at most one dot: `log`, `fs.read`.
    pub name: String,
    /// What it does, in one sentence.
    pub description: String,
    /// Its parameters, in order.
    pub parameters: Vec<ParameterSpec>,
    /// The JSON Schema of its result; an empty object for anything.
    pub returns: Value,
    /// What must have been granted; `None` where nothing need be.
    pub capability: Option<Capability>,
}

impl FunctionSpec {
    /// The parameters as one JSON Schema of an object.
    pub fn schema(&self) -> Value {
        object_schema(&self.parameters)
    }

    /// Puts arguments in the order of the parameters, fills defaults in and checks the JSON types. Where the schema
    /// asks for an integer, a whole number that a language keeps as a float (`1.0`) becomes one.
    ///
    /// # Errors
    /// `invalid_arguments`, naming the function, the parameter and what is allowed.
    pub fn bind(&self, arguments: Arguments) -> Result<Vec<Value>, Failure> {
        let Arguments { positional, mut named } = arguments;
        if positional.len() > self.parameters.len() {
            let message = format!("takes {} but got {}", count(self.parameters.len()), positional.len());
            return Err(self.wrong(&message));
        }
        let mut given = positional.into_iter();
        let mut bound = Vec::with_capacity(self.parameters.len());
        for parameter in &self.parameters {
            let mut value = match (given.next(), named.shift_remove(&parameter.name)) {
                (Some(_), Some(_)) => return Err(self.wrong(&format!("got `{}` twice", parameter.name))),
                (Some(value), None) | (None, Some(value)) => value,
                (None, None) if parameter.required => {
                    return Err(self.wrong(&format!("needs `{}`", parameter.name)));
                }
                (None, None) => parameter.default.clone().unwrap_or(Value::Null),
            };
            let omitted = !parameter.required && (value.is_null() || Some(&value) == parameter.default.as_ref());
            if !omitted && let Some(expected) = mismatch(&parameter.schema, &value) {
                let message = format!("`{}` must be {expected}, not {}", parameter.name, type_of(&value));
                return Err(self.wrong(&message));
            }
            make_integers(&parameter.schema, &mut value);
            bound.push(value);
        }
        match named.keys().next() {
            Some(unknown) => Err(self.wrong(&format!("has no parameter `{unknown}`"))),
            None => Ok(bound),
        }
    }

    fn wrong(&self, what: &str) -> Failure {
        let names: Vec<String> =
            self.parameters.iter().map(|p| if p.required { p.name.clone() } else { format!("{}?", p.name) }).collect();
        Failure::new(ErrorKind::InvalidArguments, format!("skill.{} {what}", self.name)).with_help(format!(
            "call it as skill.{}({})",
            self.name,
            names.join(", ")
        ))
    }
}

fn count(n: usize) -> String {
    if n == 1 { "1 argument".into() } else { format!("{n} arguments") }
}

/// The name of a value's JSON type, with its article.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// What a schema's `type` asks for, where the value is something else.
fn mismatch(schema: &Value, value: &Value) -> Option<&'static str> {
    let (fits, expected) = match schema.get("type")?.as_str()? {
        "string" => (value.is_string(), "a string"),
        "boolean" => (value.is_boolean(), "a boolean"),
        "integer" => {
            (value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|f| f.fract() == 0.0), "an integer")
        }
        "number" => (value.is_number(), "a number"),
        "array" => (value.is_array(), "an array"),
        "object" => (value.is_object(), "an object"),
        "null" => (value.is_null(), "null"),
        _ => return None,
    };
    (!fits).then_some(expected)
}

/// The largest magnitude up to which every whole float is exactly one integer.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Turns whole floats into integers wherever a schema asks for an integer, in arrays and objects too: readers of
/// integers refuse `1.0`.
fn make_integers(schema: &Value, value: &mut Value) {
    match value {
        Value::Number(number) if asks_for_integer(schema) && number.is_f64() => {
            let whole = number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() <= MOST_EXACT);
            if let Some(whole) = whole {
                *number = (whole as i64).into();
            }
        }
        Value::Array(items) => {
            let first = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            for (index, item) in items.iter_mut().enumerate() {
                if let Some(schema) = first.get(index).or_else(|| schema.get("items")) {
                    make_integers(schema, item);
                }
            }
        }
        Value::Object(members) => {
            let known = schema.get("properties").and_then(Value::as_object);
            for (name, member) in members {
                let schema = known.and_then(|known| known.get(name)).or_else(|| schema.get("additionalProperties"));
                if let Some(schema) = schema {
                    make_integers(schema, member);
                }
            }
        }
        _ => {}
    }
}

/// Whether a schema's `type` allows integers, and no other numbers.
fn asks_for_integer(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(name)) => name == "integer",
        Some(Value::Array(names)) => {
            names.iter().any(|name| name == "integer") && !names.iter().any(|name| name == "number")
        }
        _ => false,
    }
}

/// Runs another skill for a script: what `skill.call` reaches.
pub trait SkillCaller: Send + Sync {
    /// Runs a skill by name with an object of arguments, and gives its value or its failure.
    fn call_skill(&self, name: &str, arguments: Value) -> Result<Value, Failure>;
}

/// Reaches sessions for a script: what `skill.session` reaches. Each checks that the run may reach the session.
pub trait SessionReach: Send + Sync {
    /// Whether the session is there, and may be reached.
    fn find(&self, session: &str) -> Result<(), Failure>;

    /// The value of a variable of a session.
    fn get(&self, session: &str, variable: &str) -> Result<Value, Failure>;

    /// Gives a variable of a session a value.
    fn set(&self, session: &str, variable: &str, value: Value) -> Result<(), Failure>;

    /// The variables of a session.
    fn variables(&self, session: &str) -> Result<Vec<Variable>, Failure>;

    /// Evaluates code in a session, and gives its value.
    fn eval(&self, session: &str, code: &str) -> Result<Value, Failure>;
}

/// What a host function can see of the run that calls it.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    /// The skill's name, as events show it.
    pub skill: &'a str,
    /// The skill whose state it is: unlike the name, it is that of no other.
    pub space: &'a str,
    /// The run's correlation id.
    pub correlation_id: &'a str,
    /// What the run may reach.
    pub grants: &'a Grants,
    /// Where state is kept.
    pub state: &'a dyn StateStore,
    /// Where log lines and progress go.
    pub events: &'a dyn EventSink,
    /// Where the values of secrets come from, whether they are granted or not: look at the grants first.
    pub secrets: &'a dyn SecretSource,
    /// Where the values of environment variables come from, whether they are granted or not: look at the grants first.
    pub variables: &'a dyn Variables,
    /// Runs other skills.
    pub skills: &'a dyn SkillCaller,
    /// Reaches sessions.
    pub sessions: &'a dyn SessionReach,
    /// The run's budget.
    pub budget: &'a Budget,
}

/// A function of the host that scripts can call, written once for every language.
pub trait HostFunction: Send + Sync {
    /// Its name, parameters and result. The same at every call.
    fn spec(&self) -> &FunctionSpec;

    /// Runs it. `arguments` are bound: one value a parameter, in order, of the right JSON type, `null` for what was
    /// left out and has no default.
    fn call(&self, context: &CallContext<'_>, arguments: Vec<Value>) -> Result<Value, Failure>;
}

/// The host as one running script sees it.
///
/// A language adapts [`Host::functions`] into its `skill` module: `fs.read` becomes `skill.fs.read`, a name without a
/// dot is a member of `skill` itself, and those at [`Host::is_global`] are global names too. Where a name is a group too, what
/// it answers gives the group's members, with the answer as their first argument: `skill.session("a").get("x")` calls
/// `session("a")` and then `session.get("a", "x")`. A failure that a call
/// returns is raised in the script as an error of its own, with the kind and the message; where the script does not
/// catch it, the run fails with that kind.
pub trait Host: Send + Sync {
    /// The functions, in a fixed order; the same `Arc` for every run of one engine.
    fn functions(&self) -> &Arc<[FunctionSpec]>;

    /// Whether a function is a global name in scripts as well as a member of `skill`: the host program's own are.
    fn is_global(&self, index: usize) -> bool;

    /// Calls a function by its index: counts the call, checks arguments and grants, and stops the execution clock while a
    /// function of the host program's own runs.
    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure>;

    /// A file of the skill that the script imports, by its path from the folder that the script's own file is in, with `/`
    /// between its parts. Its `file` tells it from every other, however it is asked for.
    ///
    /// # Errors
    /// `not_found` where there is no such file, with what is there as its help; `unavailable` where the script can import
    /// nothing at all; anything else where the file may not be imported.
    fn module(&self, path: &str) -> Result<Script, Failure> {
        Err(Failure::new(ErrorKind::NotFound, format!("there is no `{path}` beside the script")))
    }

    /// Takes what the script printed. Fails where the output limit is reached; what fits has been kept by then.
    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure>;

    /// The run's budget.
    fn budget(&self) -> &Arc<Budget>;

    /// What the run may reach.
    fn grants(&self) -> &Grants;

    /// Takes what was refused to the run's process itself, for a person: a host that its program asked for. Called on any
    /// thread.
    fn refused(&self, _what: &str) {}

    /// The environment variables that were granted and are set, with their values.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec() -> FunctionSpec {
        FunctionSpec {
            name: "fs.write".into(),
            description: String::new(),
            parameters: vec![
                ParameterSpec::typed("path", "string"),
                ParameterSpec::any("data"),
                ParameterSpec::typed("append", "boolean").or(json!(false)),
            ],
            returns: json!({}),
            capability: None,
        }
    }

    #[test]
    fn binds_by_position_and_name() {
        let arguments =
            Arguments { positional: vec![json!("a")], named: [("data".to_owned(), json!(1))].into_iter().collect() };
        assert_eq!(spec().bind(arguments).unwrap(), [json!("a"), json!(1), json!(false)]);
    }

    #[test]
    fn a_whole_float_is_an_integer_where_one_is_asked_for() {
        let nested = json!({
            "type": "object",
            "properties": {"n": {"type": ["integer", "null"]}, "x": {"type": "number"}},
            "additionalProperties": {"type": "array", "items": {"type": "integer"}},
        });
        let spec = FunctionSpec {
            parameters: vec![
                ParameterSpec::typed("n", "integer"),
                ParameterSpec::typed("x", "number"),
                ParameterSpec { schema: nested, ..ParameterSpec::any("nested") },
            ],
            ..spec()
        };
        let bind = |n: Value| {
            let nested = json!({"n": 3.0, "x": 3.0, "all": [-4.0, 4.5]});
            spec.bind(Arguments::positional([n, json!(2.0), nested])).map(Value::from)
        };
        let nested = json!({"n": 3, "x": 3.0, "all": [-4, 4.5]});
        assert_eq!(bind(json!(1.0)).unwrap(), json!([1, 2.0, nested]));
        assert_eq!(bind(json!(-9_007_199_254_740_992.0)).unwrap()[0], json!(-9_007_199_254_740_992_i64));
        // Beyond, the float may stand for other integers as well.
        assert_eq!(bind(json!(1e17)).unwrap()[0], json!(1e17));
        assert_eq!(bind(json!(1.5)).unwrap_err().message, "skill.fs.write `n` must be an integer, not a number");
    }

    #[test]
    fn wrong_calls_say_what_is_wrong() {
        let message = |arguments| spec().bind(arguments).unwrap_err().message;
        assert_eq!(message(Arguments::default()), "skill.fs.write needs `path`");
        assert_eq!(
            message(Arguments::positional([json!(1), json!(1)])),
            "skill.fs.write `path` must be a string, not an integer"
        );
        assert_eq!(
            message(Arguments::positional([json!("a"), json!(1), json!(true), json!(2)])),
            "skill.fs.write takes 3 arguments but got 4"
        );
        let twice = Arguments {
            positional: vec![json!("a"), json!(1)],
            named: [("path".to_owned(), json!("b"))].into_iter().collect(),
        };
        assert_eq!(message(twice), "skill.fs.write got `path` twice");
    }
}

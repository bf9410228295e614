//! How a host function is written down: what scripts and documentation see of it, and its code, in one expression.

use crate::arguments::{FromArguments, Taker};
use crate::bounds::check_result;
use serde_json::{Value, json};
use skills_core::{CallContext, Capability, ErrorKind, Failure, FunctionSpec, HostFunction, ParameterSpec};
use std::sync::Arc;

/// Begins the definition of a function by its name below `skill` and one sentence that says what it does.
pub(crate) fn define(name: &str, description: &str) -> Definition {
    Definition(FunctionSpec {
        name: name.into(),
        description: description.into(),
        parameters: Vec::new(),
        returns: json!({}),
        capability: None,
    })
}

/// A function that has no code yet.
pub(crate) struct Definition(FunctionSpec);

impl Definition {
    /// Adds a parameter.
    pub(crate) fn takes(mut self, parameter: ParameterSpec) -> Definition {
        self.0.parameters.push(parameter);
        self
    }

    /// Sets the JSON Schema of the result; without it, the result may be anything.
    pub(crate) fn returns(mut self, schema: Value) -> Definition {
        self.0.returns = schema;
        self
    }

    /// Sets what must have been granted.
    pub(crate) fn needs(mut self, capability: Capability) -> Definition {
        self.0.capability = Some(capability);
        self
    }

    /// Finishes it with its code, whose argument is a tuple with one element a parameter.
    pub(crate) fn runs<A, R, F>(self, code: F) -> Arc<dyn HostFunction>
    where
        A: FromArguments,
        R: Into<Value>,
        F: Fn(&CallContext<'_>, A) -> Result<R, Failure> + Send + Sync + 'static,
    {
        debug_assert_eq!(A::COUNT, self.0.parameters.len(), "parameters of {}", self.0.name);
        let code = move |spec: &FunctionSpec, context: &CallContext<'_>, arguments: Vec<Value>| {
            let arguments = A::take(&mut Taker::new(spec, arguments))?;
            let value = code(context, arguments)?.into();
            check_result(context.budget, &value)?;
            Ok(value)
        };
        Arc::new(Function { spec: self.0, code })
    }
}

struct Function<F> {
    spec: FunctionSpec,
    code: F,
}

impl<F> HostFunction for Function<F>
where
    F: Fn(&FunctionSpec, &CallContext<'_>, Vec<Value>) -> Result<Value, Failure> + Send + Sync,
{
    fn spec(&self) -> &FunctionSpec {
        &self.spec
    }

    fn call(&self, context: &CallContext<'_>, arguments: Vec<Value>) -> Result<Value, Failure> {
        (self.code)(&self.spec, context, arguments)
    }
}

/// A failure of kind `invalid_arguments`.
pub(crate) fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::InvalidArguments, message)
}

/// A number of things: `1 row`, `2 rows`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// A required parameter that is a string.
pub(crate) fn string(name: &str) -> ParameterSpec {
    ParameterSpec::typed(name, "string")
}

/// A required parameter that is an integer.
pub(crate) fn integer(name: &str) -> ParameterSpec {
    ParameterSpec::typed(name, "integer")
}

/// A required parameter that is a number.
pub(crate) fn number(name: &str) -> ParameterSpec {
    ParameterSpec::typed(name, "number")
}

/// A required parameter that is a list.
pub(crate) fn array(name: &str) -> ParameterSpec {
    ParameterSpec::typed(name, "array")
}

/// A required parameter that is an object.
pub(crate) fn object(name: &str) -> ParameterSpec {
    ParameterSpec::typed(name, "object")
}

/// A parameter that is true or false, false unless it is given.
pub(crate) fn flag(name: &str) -> ParameterSpec {
    ParameterSpec::typed(name, "boolean").or(json!(false))
}

/// A required parameter that may be anything.
pub(crate) fn any(name: &str) -> ParameterSpec {
    ParameterSpec::any(name)
}

/// A required parameter that is text or bytes.
pub(crate) fn data(name: &str) -> ParameterSpec {
    ParameterSpec { schema: json!({"anyOf": [{"type": "string"}, bytes()]}), ..ParameterSpec::any(name) }
}

/// One of the names that a parameter may be; the code checks it, the schema tells of it.
pub(crate) fn one_of(name: &str, names: &[&str]) -> ParameterSpec {
    ParameterSpec { schema: json!({"type": "string", "enum": names}), ..ParameterSpec::any(name) }
}

/// The schema of a JSON type by its name.
pub(crate) fn a(json_type: &str) -> Value {
    json!({"type": json_type})
}

/// The schema of a list.
pub(crate) fn list_of(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// The schema of a value or null.
pub(crate) fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// The schema of the description of bytes.
pub(crate) fn bytes() -> Value {
    json!({
        "type": "object",
        "properties": {"$type": {"const": "bytes"}, "length": {"type": "integer"}, "base64": {"type": "string"}},
        "required": ["$type", "base64"],
    })
}

/// A schema as a person writes a type: `string`, `list of integer`, `string | bytes`.
pub(crate) fn type_text(schema: &Value) -> String {
    if let Some(choices) = schema.get("anyOf").and_then(Value::as_array) {
        return choices.iter().map(type_text).collect::<Vec<_>>().join(" | ");
    }
    if schema.pointer("/properties/$type/const").is_some_and(|name| name == "bytes") {
        return "bytes".into();
    }
    match (schema.get("type").and_then(Value::as_str), schema.get("items")) {
        (Some("array"), Some(items)) => format!("list of {}", type_text(items)),
        (Some("array"), None) => "list".into(),
        (Some(name), _) => name.into(),
        (None, _) => "any".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::MAX_RESULT;
    use skills_core::{Budget, Grants, Limits, NoEvents, SkillCaller};

    struct Nobody;

    impl SkillCaller for Nobody {
        fn call_skill(&self, _: &str, _: Value) -> Result<Value, Failure> {
            Err(invalid("nobody"))
        }
    }

    fn call(function: &dyn HostFunction, arguments: Vec<Value>) -> Result<Value, Failure> {
        let context = CallContext {
            skill: "s",
            space: "s",
            correlation_id: "c",
            grants: &Grants::default(),
            state: &crate::testing::TestState::default(),
            events: &NoEvents,
            secrets: &crate::testing::TestSecrets,
            variables: &|_: &str| None,
            skills: &Nobody,
            sessions: &crate::testing::TestSessions::default(),
            budget: &Budget::new(Limits::none()),
        };
        function.call(&context, arguments)
    }

    #[test]
    fn an_argument_that_does_not_fit_is_named() {
        let function =
            define("f.g", "").takes(string("a")).takes(integer("n")).runs(|_, (_, n): (String, usize)| Ok(n as u64));
        assert_eq!(call(&*function, vec![json!("x"), json!(3)]).unwrap(), json!(3));
        let message = call(&*function, vec![json!("x"), json!(-3)]).unwrap_err().message;
        assert_eq!(message, "skill.f.g `n` must be an integer that is not negative");
    }

    #[test]
    fn no_function_gives_more_than_is_allowed() {
        let long = define("f", "").takes(integer("n")).runs(|_, (n,): (usize,)| Ok("x".repeat(n)));
        assert!(call(&*long, vec![json!(MAX_RESULT - 16)]).is_ok());
        assert_eq!(call(&*long, vec![json!(MAX_RESULT)]).unwrap_err().kind, ErrorKind::OutputLimit);
        let many = define("f", "").takes(integer("n")).runs(|_, (n,): (usize,)| Ok(vec![Value::Null; n]));
        assert_eq!(call(&*many, vec![json!(MAX_RESULT / 16)]).unwrap_err().kind, ErrorKind::OutputLimit);
    }
}

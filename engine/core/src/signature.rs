use serde_json::{Map, Value, json};

/// What a script says of its own parameters: its signature, type hints and documentation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signature {
    /// The first paragraph of the documentation.
    pub description: Option<String>,
    /// The parameters, in order.
    pub parameters: Vec<ParameterSpec>,
}

/// One named parameter with its JSON Schema.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// The name.
    pub name: String,
    /// The JSON Schema of the value, draft 2020-12; an empty object allows anything.
    pub schema: Value,
    /// Whether it must be given.
    pub required: bool,
    /// The value where it is not given; `None` where there is none.
    pub default: Option<Value>,
    /// What it means, for a person.
    pub description: Option<String>,
}

impl ParameterSpec {
    /// A required parameter that allows anything.
    pub fn any(name: impl Into<String>) -> ParameterSpec {
        ParameterSpec { name: name.into(), schema: json!({}), required: true, default: None, description: None }
    }

    /// A required parameter of a JSON type: `string`, `number`, `integer`, `boolean`, `array`, `object`.
    pub fn typed(name: impl Into<String>, json_type: &str) -> ParameterSpec {
        ParameterSpec { schema: json!({"type": json_type}), ..ParameterSpec::any(name) }
    }

    /// The same parameter, optional with a default; `null` means absent.
    #[must_use]
    pub fn or(mut self, default: Value) -> ParameterSpec {
        self.required = false;
        self.default = Some(default);
        self
    }

    /// The same parameter with a description.
    #[must_use]
    pub fn about(mut self, description: impl Into<String>) -> ParameterSpec {
        self.description = Some(description.into());
        self
    }
}

/// One object schema for a list of parameters, with defaults and descriptions inside and nothing else allowed.
pub(crate) fn object_schema(parameters: &[ParameterSpec]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for parameter in parameters {
        let mut schema = parameter.schema.clone();
        if let Value::Object(map) = &mut schema {
            if let Some(default) = &parameter.default {
                map.insert("default".into(), default.clone());
            }
            if let Some(description) = &parameter.description {
                map.insert("description".into(), Value::String(description.clone()));
            }
        }
        properties.insert(parameter.name.clone(), schema);
        if parameter.required {
            required.push(Value::String(parameter.name.clone()));
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

impl Signature {
    /// The parameters as one JSON Schema of an object.
    pub fn schema(&self) -> Value {
        object_schema(&self.parameters)
    }
}

use super::error::{ArgumentError, ArgumentErrors};
use super::explain::explain;
use super::plain::Plain;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value};
use skills_core::{ParameterSpec, Signature};
use std::sync::OnceLock;

/// The parameters of a skill, ready to check calls. Made once for a skill; any thread may use it.
#[derive(Debug)]
pub struct Checker {
    rules: Vec<Rule>,
    signature: Signature,
    /// Compiled by the first call that the quick check does not vouch for.
    schema: OnceLock<Result<Compiled, String>>,
}

/// What the quick check needs of one parameter.
#[derive(Debug)]
struct Rule {
    name: String,
    must_be_given: bool,
    takes_null: bool,
    whole: bool,
    default: Option<Value>,
    plain: Option<Plain>,
}

#[derive(Debug)]
struct Compiled {
    schema: Value,
    validator: Validator,
}

impl Checker {
    /// A checker for parameters. Each schema should be one that `jsonschema` takes, as those of a definition that was
    /// validated are; otherwise the calls that need it fail, naming what is wrong with it.
    pub fn new(parameters: &[ParameterSpec]) -> Checker {
        let mut parameters = parameters.to_vec();
        for parameter in &mut parameters {
            parameter.required &= parameter.default.is_none();
        }
        Checker {
            rules: parameters.iter().map(Rule::of).collect(),
            signature: Signature { description: None, parameters },
            schema: OnceLock::new(),
        }
    }

    /// Checks the arguments of a call. Gives them in the order of the parameters, defaults filled in. An optional
    /// parameter that is given as `null`, where its schema does not allow `null`, counts as left out. A number such as
    /// `5.0` for a whole number becomes `5`.
    ///
    /// # Errors
    /// All violations at once: wrong values and missing parameters, in the order of the parameters, and unknown ones.
    pub fn check(&self, skill_name: &str, mut given: Map<String, Value>) -> Result<Map<String, Value>, ArgumentErrors> {
        for rule in &self.rules {
            if !rule.must_be_given && !rule.takes_null && given.get(&rule.name).is_some_and(Value::is_null) {
                given.shift_remove(&rule.name);
            }
        }
        if !self.vouches(&given) {
            given = self.validate(skill_name, given)?;
        }
        Ok(self.arrange(given))
    }

    /// The parameters as one JSON Schema.
    pub fn schema(&self) -> Value {
        self.signature.schema()
    }

    fn vouches(&self, given: &Map<String, Value>) -> bool {
        let mut known = 0;
        for rule in &self.rules {
            match given.get(&rule.name) {
                Some(value) => {
                    known += 1;
                    if !rule.plain.as_ref().is_some_and(|plain| plain.vouches(value)) {
                        return false;
                    }
                }
                None if rule.must_be_given => return false,
                None => {}
            }
        }
        known == given.len()
    }

    fn validate(&self, skill_name: &str, given: Map<String, Value>) -> Result<Map<String, Value>, ArgumentErrors> {
        let errors = |problems: Vec<ArgumentError>| ArgumentErrors {
            skill: Some(skill_name.to_owned()),
            problems,
            takes: Some(self.takes(skill_name)),
        };
        let compiled = match self.schema.get_or_init(|| Compiled::new(&self.signature)) {
            Ok(compiled) => compiled,
            Err(reason) => {
                let message = format!("the parameters of `{skill_name}` cannot be checked: {reason}");
                let help = Some("correct the schema in the definition".to_owned());
                return Err(errors(vec![ArgumentError { parameter: None, message, help }]));
            }
        };
        let instance = Value::Object(given);
        let mut problems = Vec::new();
        for error in compiled.validator.iter_errors(&instance) {
            explain(&compiled.schema, &instance, &error, &mut problems);
        }
        if !problems.is_empty() {
            // The validator's order is its own; a person reads down the parameters.
            let place = |problem: &ArgumentError| {
                let name = problem.parameter.as_deref().unwrap_or("");
                let name = name.split(['.', '[']).next().unwrap_or(name);
                self.rules.iter().position(|rule| rule.name == name).unwrap_or(usize::MAX)
            };
            problems.sort_by_cached_key(|problem| (place(problem), problem.parameter.clone()));
            problems.dedup();
            return Err(errors(problems));
        }
        match instance {
            Value::Object(given) => Ok(given),
            _ => Ok(Map::new()),
        }
    }

    fn takes(&self, skill_name: &str) -> String {
        match &self.rules[..] {
            [] => format!("`{skill_name}` takes no parameters"),
            rules => {
                let names: Vec<String> = rules
                    .iter()
                    .map(|rule| format!("`{}`{}", rule.name, if rule.must_be_given { "" } else { " (optional)" }))
                    .collect();
                format!("`{skill_name}` takes {}", names.join(", "))
            }
        }
    }

    fn arrange(&self, mut given: Map<String, Value>) -> Map<String, Value> {
        for rule in self.rules.iter().filter(|rule| rule.whole) {
            if let Some(value) = given.get_mut(&rule.name) {
                make_whole(value);
            }
        }
        let complete = given.len() == self.rules.len();
        if complete && given.keys().zip(&self.rules).all(|(name, rule)| *name == rule.name) {
            return given;
        }
        let mut arranged = Map::with_capacity(self.rules.len());
        for rule in &self.rules {
            if let Some(value) = given.swap_remove(&rule.name).or_else(|| rule.default.clone()) {
                arranged.insert(rule.name.clone(), value);
            }
        }
        arranged
    }
}

impl Rule {
    fn of(parameter: &ParameterSpec) -> Rule {
        let plain = Plain::of(&parameter.schema);
        Rule {
            name: parameter.name.clone(),
            must_be_given: parameter.required,
            takes_null: plain
                .as_ref()
                .map_or_else(|| mentions_null(&parameter.schema), |plain| plain.vouches(&Value::Null)),
            whole: parameter.schema.get("type").is_some_and(|name| name == "integer"),
            default: parameter.default.clone(),
            plain,
        }
    }
}

impl Compiled {
    fn new(signature: &Signature) -> Result<Compiled, String> {
        let schema = signature.schema();
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            // Never backtracks, so no pattern can hang; a schema cannot reach for another one either.
            .with_pattern_options(PatternOptions::regex())
            .offline()
            .build(&schema)
            .map_err(|error| error.to_string())?;
        Ok(Compiled { schema, validator })
    }
}

/// Whether a schema that is not plain may allow `null`. Where it might, a given `null` is left for the validator.
fn mentions_null(schema: &Value) -> bool {
    let is_null = |name: &Value| name == "null";
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(is_null),
        Some(name) => is_null(name),
        None => true,
    }
}

/// A whole number that is written with a fraction of zero, as an integer, where that loses nothing.
fn make_whole(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Value::Number(number) = value
        && number.is_f64()
        && let Some(float) = number.as_f64()
        && float.fract() == 0.0
        && float.abs() <= EXACT
    {
        *value = Value::from(float as i64);
    }
}

use serde::Serialize;
use serde_json::Value;
use skills_core::{ErrorKind, Failure};

/// One thing that is wrong with the arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArgumentError {
    /// Where: the parameter, or a place in it, such as `items[2].price`. `None` where it is about no parameter.
    pub parameter: Option<String>,
    /// What is wrong, with the place, the value and what is allowed.
    pub message: String,
    /// What to do about it, where there is more to say.
    pub help: Option<String>,
}

/// Everything that is wrong with the arguments of a call; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArgumentErrors {
    /// The skill, where one is known.
    pub skill: Option<String>,
    /// The problems: parameters in their order, then what no parameter takes.
    pub problems: Vec<ArgumentError>,
    /// What the skill takes, in one line.
    pub takes: Option<String>,
}

impl From<Vec<ArgumentError>> for ArgumentErrors {
    fn from(problems: Vec<ArgumentError>) -> ArgumentErrors {
        ArgumentErrors { skill: None, problems, takes: None }
    }
}

impl ArgumentErrors {
    /// What to do about it, in one line; `None` where the messages say it all.
    pub fn help(&self) -> Option<String> {
        let own: Vec<&str> = self.problems.iter().filter_map(|problem| problem.help.as_deref()).collect();
        match own.is_empty() {
            false => Some(own.join("; ")),
            true => self.takes.clone(),
        }
    }
}

impl std::fmt::Display for ArgumentErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let [only] = &self.problems[..] {
            return f.write_str(&only.message);
        }
        let count = self.problems.len();
        match &self.skill {
            Some(skill) => write!(f, "{count} of the arguments of `{skill}` are not right")?,
            None => write!(f, "{count} of the arguments are not right")?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {}", problem.message))
    }
}

impl std::error::Error for ArgumentErrors {}

impl From<ArgumentErrors> for Failure {
    fn from(errors: ArgumentErrors) -> Failure {
        let failure = Failure::new(ErrorKind::InvalidArguments, errors.to_string());
        match errors.help() {
            Some(help) => failure.with_help(help),
            None => failure,
        }
    }
}

impl From<ArgumentErrors> for crate::Error {
    fn from(errors: ArgumentErrors) -> crate::Error {
        crate::Error::from(Failure::from(errors))
    }
}

/// The type of a value as a sentence names it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A value as a message shows it: compact JSON of at most 60 characters.
pub(super) fn clipped(value: &Value) -> String {
    const MOST: usize = 60;
    // A long text or a large tree is never printed whole just to be cut: only what can be shown is.
    let short = match value {
        Value::String(text) => match text.char_indices().nth(MOST) {
            Some((end, _)) => return format!("{}…\"", Value::from(&text[..end]).to_string().trim_end_matches('"')),
            None => value.to_string(),
        },
        Value::Array(items) if items.len() > MOST => return format!("an array of {} items", items.len()),
        Value::Object(map) if map.len() > MOST => return format!("an object of {} keys", map.len()),
        _ => value.to_string(),
    };
    match short.char_indices().nth(MOST + 2) {
        Some((end, _)) => format!("{}…", &short[..end]),
        None => short,
    }
}

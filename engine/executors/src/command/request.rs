//! From the arguments of a call to what a program that stays is asked.

use super::Call;
use super::fill::SESSION;
use crate::Protocol;
use serde_json::{Map, Value};
use skills_core::template::{self, Piece};
use skills_core::{ErrorKind, Failure};

impl Call<'_> {
    /// What a program is asked: all of the parameters where its protocol takes them, else the template of the definition,
    /// else the only parameter.
    ///
    /// # Errors
    /// `invalid_arguments` where it is not said what to ask, and where a value would make a line of its own in the template.
    pub fn request(&self, protocol: &Protocol, template: Option<&str>) -> Result<String, Failure> {
        if protocol.takes_parameters() {
            let given = self.arguments.iter().filter(|(name, _)| self.is_own(name));
            let given: Map<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
            return Ok(Value::Object(given).to_string());
        }
        match template {
            Some(template) => self.in_template(template),
            None => self.only(),
        }
    }

    /// Whether it is a parameter, and not what the engine adds to them.
    fn is_own(&self, name: &str) -> bool {
        name != SESSION || self.parameters.contains(&name)
    }

    fn in_template(&self, template: &str) -> Result<String, Failure> {
        // What is not declared has not been looked at by whoever checked the definition.
        let known = |name: &str| self.parameters.contains(&name) || name == SESSION;
        let pieces: Vec<_> = template::pieces(template, known).filter(|piece| *piece != Piece::Text("")).collect();
        let alone = pieces.len() == 1;
        let mut request = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => request.push_str(text),
                Piece::Value(name) => {
                    let value = template::shown(self.arguments.get(name));
                    if !alone && value.contains(['\n', '\r']) {
                        let message =
                            format!("`{name}` has a line break, and would be more than a part of the request");
                        return Err(Failure::new(ErrorKind::InvalidArguments, message).with_help("give one line"));
                    }
                    request.push_str(&value);
                }
            }
        }
        Ok(request)
    }

    fn only(&self) -> Result<String, Failure> {
        let mut given = self.arguments.iter().filter(|(name, value)| self.is_own(name) && !value.is_null());
        match (given.next(), given.next()) {
            (Some((_, value)), None) => Ok(template::shown(Some(value)).into_owned()),
            (Some(_), Some(_)) => {
                let message = format!("`{}` is asked with one parameter, and several are given", self.skill);
                Err(Failure::new(ErrorKind::InvalidArguments, message).with_help(
                    "give one; in the definition, `\"request\"` of the session settings makes one text of several",
                ))
            }
            (None, _) => {
                let name = self.parameters.first().copied().unwrap_or("request");
                let message = format!("nothing is said that `{}` could be asked", self.skill);
                Err(Failure::new(ErrorKind::InvalidArguments, message)
                    .with_help(format!("give it a parameter: `{name}=…`")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OutputForm;
    use serde_json::json;

    fn request(
        protocol: &Protocol,
        parameters: &[&str],
        arguments: Value,
        template: Option<&str>,
    ) -> Result<String, String> {
        let arguments = arguments.as_object().unwrap();
        let call = Call { skill: "db", parameters, arguments, folder: None, output: OutputForm::Text };
        call.request(protocol, template).map_err(|failure| failure.message)
    }

    #[test]
    fn a_request_is_made_of_the_arguments() {
        let (lines, json_lines) = (Protocol::Lines { ready: None }, Protocol::JsonLines { ready: None });
        let given = json!({"session_id": "s", "a": 1, "b": "x y"});
        assert_eq!(request(&json_lines, &["a", "b"], given.clone(), None).unwrap(), r#"{"a":1,"b":"x y"}"#);
        assert_eq!(request(&lines, &["a", "b"], given.clone(), Some("{session_id}: {b} {a}")).unwrap(), "s: x y 1");
        assert_eq!(request(&lines, &["q"], json!({"session_id": "s", "q": "x\ny"}), None).unwrap(), "x\ny");
        assert_eq!(request(&lines, &["q"], json!({"q": "x\ny"}), Some("{q}")).unwrap(), "x\ny");
        for (arguments, template, why) in [
            (json!({"session_id": "s"}), None, "nothing is said"),
            (given, None, "several are given"),
            (json!({"q": "x\ndrop"}), Some("get {q}"), "`q` has a line break"),
        ] {
            let error = request(&lines, &["q"], arguments, template).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}

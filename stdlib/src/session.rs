//! `session`: other sessions, their variables and their code.

use crate::define::{a, any, define, invalid, list_of, string};
use serde_json::{Value, json};
use skills_core::{Failure, HostFunction, value};
use std::sync::Arc;

/// The functions of this domain. Each reaches a session by its name; `skill.session("a").get("x")` and
/// `skill.session.get("a", "x")` are the same.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    let name = || string("name").about("the session, as `skills sessions list` shows it");
    vec![
        define("session", "Another session, by its name: skill.session(name).get(variable) and so on")
            .takes(name())
            .returns(a("string"))
            .runs(|context, (name,): (String,)| {
                context.sessions.find(&name)?;
                Ok(name)
            }),
        define("session.get", "The value of a variable of another session; what is no data is described")
            .takes(name())
            .takes(string("variable").about("its name"))
            .runs(|context, (name, variable): (String, String)| context.sessions.get(&name, &variable)),
        define("session.set", "Gives a variable of another session a value")
            .takes(name())
            .takes(string("variable").about("its name"))
            .takes(any("value"))
            .returns(a("null"))
            .runs(|context, (name, variable, value): (String, String, Value)| {
                check_data(&variable, &value)?;
                context.sessions.set(&name, &variable, value)?;
                Ok(Value::Null)
            }),
        define("session.vars", "The variables of another session: name, kind, type and how each is shown")
            .takes(name())
            .returns(list_of(a("object")))
            .runs(|context, (name,): (String,)| {
                let variables = context.sessions.variables(&name)?;
                let tell = |variable: &skills_core::Variable| {
                    let skills_core::Variable { name, kind, type_name, shown, .. } = variable;
                    json!({"name": name, "kind": kind, "type": type_name, "shown": shown})
                };
                Ok(variables.iter().map(tell).collect::<Value>())
            }),
        define("session.evaluate", "Evaluates code in another session, in its language, and gives the value")
            .takes(name())
            .takes(string("code").about("the code"))
            .runs(|context, (name, code): (String, String)| context.sessions.eval(&name, &code)),
    ]
}

/// A description stands for something that stays where it is.
fn check_data(variable: &str, value: &Value) -> Result<(), Failure> {
    match value::description_in(value) {
        None => Ok(()),
        Some(what) => {
            Err(invalid(format!("a value with a {what} in it cannot be given to `{variable}` of another session"))
                .with_help("pass numbers, text, lists and objects; define functions there, with `evaluate`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::ErrorKind;

    #[test]
    fn variables_of_another_session_are_read_and_set() {
        let test = TestContext::new();
        assert_eq!(test.ok("session", [json!("notes")]), "notes");
        assert_eq!(test.ok("session.set", [json!("notes"), json!("x"), json!({"a": [1]})]), Value::Null);
        assert_eq!(test.ok("session.get", [json!("notes"), json!("x")]), json!({"a": [1]}));
        assert_eq!(test.ok("session.vars", [json!("notes")])[0]["name"], "x");
        assert_eq!(test.ok("session.evaluate", [json!("notes"), json!("x")]), "value of x");
        assert_eq!(test.fails("session.get", [json!("notes"), json!("y")]).kind, ErrorKind::NotFound);
        for name in ["session", "session.vars"] {
            assert_eq!(test.fails(name, [json!("other")]).kind, ErrorKind::NotFound);
        }
    }

    #[test]
    fn what_is_no_data_is_not_passed_on() {
        let test = TestContext::new();
        let function = json!({"deep": [{"$type": "function", "repr": "<function f>"}]});
        let message = test.invalid("session.set", [json!("notes"), json!("f"), function]);
        assert_eq!(message, "a value with a function in it cannot be given to `f` of another session");
        for whole in [json!({"$type": "integer", "repr": "9"}), json!({"$type": "bytes", "length": 0, "base64": ""})] {
            test.ok("session.set", [json!("notes"), json!("b"), whole]);
        }
    }
}

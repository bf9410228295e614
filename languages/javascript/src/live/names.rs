use super::eval::no_name;
use super::{asking, unanswered, under};
use crate::convert;
use crate::engine::Argument;
use crate::error::{self, Places};
use crate::session::JavaScriptSession;
use crate::source::{Columns, written};
use oxc::syntax::identifier::is_identifier_name;
use oxc::syntax::keyword::is_reserved_keyword;
use serde_json::Value;
use skills_core::{ErrorKind, Failure, Host, Language, Variable, taken};
use std::rc::Rc;
use std::sync::Arc;

/// The most characters of a variable that are listed.
const MOST_SHOWN: usize = 80;

/// The variables of a session.
pub(crate) fn variables(session: &mut JavaScriptSession, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
    under(session, host, Language::JavaScript, |session| {
        let listed = session.engine.ask("variables", &[]).map_err(|fault| unanswered(session, &fault))?;
        let mut found: Vec<Variable> = serde_json::from_str(&listed)
            .map_err(|error| error::internal(&asking(), format!("the list of variables cannot be read: {error}")))?;
        for variable in &mut found {
            if variable.shown.chars().count() > MOST_SHOWN {
                variable.shown = variable.shown.chars().take(MOST_SHOWN - 1).chain(['…']).collect();
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    })
    .0
}

/// The value of a variable.
pub(crate) fn get(session: &mut JavaScriptSession, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
    under(session, host, Language::JavaScript, |session| {
        let most = host.budget().limits().result.map_or(-1.0, |most| most as f64);
        let answer = session.engine.ask("get", &[Argument::Text(name), Argument::Number(most)]);
        let answer = answer.map_err(|fault| unanswered(session, &fault))?;
        if answer == "?" {
            return Err(missing(name));
        }
        read(session, &answer, host)
    })
    .0
}

/// Gives a variable a value.
pub(crate) fn set(
    session: &mut JavaScriptSession,
    name: &str,
    value: &Value,
    host: &Arc<dyn Host>,
) -> Result<(), Failure> {
    if !is_identifier_name(name) || is_reserved_keyword(name) || written(name) != name {
        return Err(no_name(name));
    }
    under(session, host, Language::JavaScript, |session| {
        let Some(living) = session.living.as_mut() else { return Err(missing(name)) };
        let own = living.shadows.name(name);
        let (text, wide) = convert::encode(value);
        let answer = session.engine.ask("set", &[Argument::Text(&own), Argument::Text(&text), Argument::Text(&wide)]);
        let answer = answer.map_err(|fault| unanswered(session, &fault))?;
        match answer.as_str() {
            "=" => Ok(()),
            "!" => Err(taken(name, "JavaScript")),
            _ => read(session, &answer, host).map(|_| ()),
        }
    })
    .0
}

pub(super) fn missing(name: &str) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("the session has no variable {name:?}"))
}

fn read(session: &mut JavaScriptSession, answer: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
    let JavaScriptSession { engine, living, .. } = session;
    let script = asking();
    let earlier = living.as_ref().map(|living| &living.sources);
    let places = Places { script: &script, resource: "", columns: &Columns::default(), earlier };
    let natives = Rc::clone(engine.natives());
    error::read(answer, &places, &natives, host.budget(), || engine.depth())
}

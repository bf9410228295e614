//! What a script reaches of other sessions: `skill.session`.

use super::handle::{EvalOptions, Session};
use super::living::After;
use crate::authorize::exceeding;
use crate::host::RunHost;
use crate::secrets::Redactor;
use crate::{Cancel, Isolation};
use serde_json::Value;
use skills_core::{ErrorKind, Failure, Host, Session as InterpreterSession, SessionReach, Stream, Variable};
use std::sync::Arc;

impl RunHost {
    /// A session of the same owner, or one that was granted.
    fn session(&self, name: &str) -> Result<Session, Failure> {
        let Some(session) = self.engine.sessions.find_open(name) else {
            return Err(Failure::new(ErrorKind::NotFound, format!("there is no session `{name}`"))
                .with_help("open it first, or look at the names of those that are open"));
        };
        let owner = session.shared.owner();
        if owner == self.owner || self.grants.sessions.iter().any(|granted| granted == name) {
            return Ok(session);
        }
        let message = format!("{:?} may not reach the session `{name}` of `{owner}`", self.skill.name);
        Err(Failure::new(ErrorKind::PermissionDenied, message).with_help(format!(
            "name it in \"security\": {{\"permissions\": {{\"sessions\": [{name:?}]}}}} of the definition, and allow it"
        )))
    }

    /// Asks something of another session's namespace.
    fn ask_session<T: Send + 'static>(
        &self,
        session: &Session,
        ask: impl FnOnce(&mut dyn InterpreterSession, &Arc<dyn Host>, &Redactor) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (shared, engine) = (Arc::clone(&session.shared), Arc::clone(&session.engine.inner));
        let cancel = Cancel::new();
        let options = EvalOptions { cancel: Some(cancel.clone()), ..EvalOptions::default() };
        let done = session.shared.ask_for(&self.budget, move |living| {
            let authorized = shared.again(&engine, &options, None);
            living.ask(&shared, &engine, authorized, ask)
        });
        stopped(done, &cancel)?.map_err(|error| error.failure().clone())
    }

    /// What is brought to another session may hold the secrets of this run.
    fn tell_secrets(&self, session: &Session) -> Result<(), Failure> {
        let seen = self.chain.vault.seen();
        if seen.is_empty() {
            return Ok(());
        }
        let told = session.shared.ask_for(&self.budget, move |living| living.vault.remember(&seen));
        told.map_err(|error| error.failure().clone())
    }
}

/// Stops what a run waits for no longer.
fn stopped<T>(done: Result<T, crate::Error>, cancel: &Cancel) -> Result<T, Failure> {
    done.map_err(|error| {
        cancel.cancel();
        error.failure().clone()
    })
}

impl SessionReach for RunHost {
    fn find(&self, session: &str) -> Result<(), Failure> {
        self.session(session).map(drop)
    }

    fn get(&self, session: &str, variable: &str) -> Result<Value, Failure> {
        let session = self.session(session)?;
        let variable = variable.to_owned();
        self.ask_session(&session, move |session, host, redactor| {
            session.get(&variable, host).map(|value| redactor.value(value))
        })
    }

    fn set(&self, session: &str, variable: &str, value: Value) -> Result<(), Failure> {
        let session = self.session(session)?;
        self.tell_secrets(&session)?;
        let variable = variable.to_owned();
        let (shared, engine) = (Arc::clone(&session.shared), Arc::clone(&session.engine.inner));
        let done = session.shared.ask_for(&self.budget, move |living| {
            let authorized = shared.again(&engine, &EvalOptions::default(), None);
            let set = living.ask(&shared, &engine, authorized, |session, host, _| session.set(&variable, &value, host));
            living.keep(&shared, &engine, After::default());
            set
        });
        done.and_then(|set| set).map_err(|error| error.failure().clone())
    }

    fn variables(&self, session: &str) -> Result<Vec<Variable>, Failure> {
        let session = self.session(session)?;
        self.ask_session(&session, |session, host, redactor| {
            let mut all = session.variables(host)?;
            for variable in &mut all {
                variable.shown = redactor.owned(std::mem::take(&mut variable.shown));
            }
            Ok(all)
        })
    }

    fn eval(&self, session: &str, code: &str) -> Result<Value, Failure> {
        let session = self.session(session)?;
        let name = session.name().to_owned();
        let opened = &session.shared.terms.authorized;
        // Otherwise what is confined would have done there what it may not do itself.
        let weaker = self.isolation != Isolation::InProcess && opened.plan().isolation == Isolation::InProcess;
        let more = weaker.then(|| "running in process".to_owned()).or_else(|| exceeding(opened.grants(), &self.grants));
        if let Some(more) = more {
            let message = format!("code may not be evaluated in session `{name}` from here: it has more, {more}");
            return Err(Failure::new(ErrorKind::PermissionDenied, message)
                .with_help("open both with the same permissions, or pass data with `get` and `set`"));
        }
        self.tell_secrets(&session)?;
        let cancel = Cancel::new();
        let options = EvalOptions { cancel: Some(cancel.clone()), ..EvalOptions::default() };
        let outcome = stopped(session.shared.ask_for(&self.budget, session.cell(code, &options)), &cancel)?;
        self.budget.charge_called(outcome.usage.host_calls, outcome.usage.operations.unwrap_or(0));
        self.keep(Stream::Stdout, &outcome.stdout).1?;
        self.keep(Stream::Stderr, &outcome.stderr).1?;
        outcome.result.map_err(|error| {
            let failure = error.failure().clone();
            Failure { message: format!("session {name}: {}", failure.message), ..failure }
        })
    }
}

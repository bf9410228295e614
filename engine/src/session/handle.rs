use super::SessionInfo;
use super::builder::{Carried, Copied, Origin, SessionBuilder};
use super::image::{About, KnownSecrets, SessionImage};
use super::living::{After, Living, without_secrets};
use super::shared::Shared;
use crate::engine::Inner;
use crate::host::Chain;
use crate::plan::{LimitOverrides, Step};
use crate::secrets::Redactor;
use crate::{Cancel, Engine, Error, Isolation, Outcome, RunOptions, Skill, programs};
use serde_json::Value;
use skills_core::{
    Completeness, Completions, Entry, ErrorKind, Failure, Grants, Host, Inspection, Language, Script,
    Session as InterpreterSession, Variable,
};
use std::sync::Arc;

/// How to evaluate a cell, where the defaults are not what is wanted.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EvalOptions {
    /// Limits instead of the session's own; what is left of the session's budget holds all the same.
    pub limits: LimitOverrides,
    /// Stops the evaluation from another thread.
    pub cancel: Option<Cancel>,
    /// Names the evaluation in events and logs; made up where it is not given.
    pub correlation_id: Option<String>,
    /// What errors call the code; `<cell 3>` where it is not given.
    pub file: Option<String>,
}

/// A namespace that lives: what is evaluated in it stays for the next evaluation. Opened by [`Engine::session`].
///
/// Clones are the same session, and any thread may use them at once: what is asked of a session is done in order, on a
/// thread of its own, or, for a worker that does nothing else, on the thread that asks. A handle keeps the engine, but not the
/// session: [`Session::close`] ends that, also for others.
#[derive(Clone)]
pub struct Session {
    pub(super) shared: Arc<Shared>,
    pub(super) engine: Engine,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, engine: Engine) -> Session {
        Session { shared, engine }
    }

    /// The handle of a session whose engine is still there.
    pub(crate) fn of(shared: Arc<Shared>) -> Option<Session> {
        let engine = shared.engine()?;
        Some(Session { shared, engine })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.shared.terms.name
    }

    /// Its language.
    pub fn language(&self) -> Language {
        self.shared.terms.language
    }

    /// The skill that it is of.
    pub fn skill(&self) -> Option<&Arc<Skill>> {
        self.shared.terms.skill.as_ref()
    }

    /// What a person should know of how it was opened, such as that its skill is not trusted.
    pub fn warnings(&self) -> &[String] {
        self.shared.terms.authorized.warnings()
    }

    /// Evaluates code, as a notebook does, and gives the value of its last expression.
    ///
    /// # Errors
    /// Any: see [`ErrorKind`]. An error of the code's own, one of its limits and a cancellation leave the session as it is; a
    /// budget that is spent and a process that died end it.
    pub fn eval(&self, code: &str) -> Result<Value, Error> {
        self.evaluate(code, &EvalOptions::default()).into_value()
    }

    /// Evaluates code, and gives everything there is to know about the evaluation.
    pub fn evaluate(&self, code: &str, options: &EvalOptions) -> Outcome {
        let job = self.cell(code, options);
        self.shared.ask(job).unwrap_or_else(|error| self.failed(options.correlation_id.as_deref(), error))
    }

    /// The same for a future, which any executor can poll. Dropping it cancels the evaluation, or takes it out of the queue.
    ///
    /// # Errors
    /// As [`Session::eval`].
    pub async fn eval_async(&self, code: &str) -> Result<Value, Error> {
        self.evaluate_async(code, EvalOptions::default()).await.into_value()
    }

    /// As [`Session::evaluate`] and [`Session::eval_async`].
    pub async fn evaluate_async(&self, code: &str, mut options: EvalOptions) -> Outcome {
        let own = options.cancel.as_ref().map_or_else(Cancel::new, Cancel::child);
        let mut guard = crate::handle::CancelOnDrop(Some(own.clone()));
        options.cancel = Some(own);
        let done = self.shared.ask_async(self.cell(code, &options)).await;
        guard.0 = None;
        done.unwrap_or_else(|error| self.failed(options.correlation_id.as_deref(), error))
    }

    /// Runs the session's skill with parameters: its script is evaluated where the namespace has not seen it yet, then
    /// `run` is called.
    ///
    /// The tier, and what is allowed, are those that the session was opened with.
    pub fn run(&self, params: Value, options: &RunOptions) -> Outcome {
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine.inner));
        let asked = options.clone();
        let job = move |living: &mut Living<'_>| skill_run(living, &shared, &engine, params, asked);
        self.shared.ask(job).unwrap_or_else(|error| self.failed(options.correlation_id.as_deref(), error))
    }

    /// As [`Session::run`] and [`Session::eval_async`].
    pub async fn run_async(&self, params: Value, mut options: RunOptions) -> Outcome {
        let own = options.cancel.as_ref().map_or_else(Cancel::new, Cancel::child);
        let mut guard = crate::handle::CancelOnDrop(Some(own.clone()));
        options.cancel = Some(own);
        let correlation_id = options.correlation_id.clone();
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine.inner));
        let job = move |living: &mut Living<'_>| skill_run(living, &shared, &engine, params, options);
        let done = self.shared.ask_async(job).await;
        guard.0 = None;
        done.unwrap_or_else(|error| self.failed(correlation_id.as_deref(), error))
    }

    /// The variables of the namespace, sorted by name.
    ///
    /// # Errors
    /// `unavailable` where the language keeps none; limits of the code that tells of values.
    pub fn variables(&self) -> Result<Vec<Variable>, Error> {
        self.ask(|session, host, redactor| {
            let mut all = session.variables(host)?;
            for variable in &mut all {
                variable.shown = redactor.owned(std::mem::take(&mut variable.shown));
            }
            Ok(all)
        })
    }

    /// The value of a variable.
    ///
    /// # Errors
    /// `not_found`; else as [`Session::variables`].
    pub fn get(&self, name: &str) -> Result<Value, Error> {
        let name = name.to_owned();
        self.ask(move |session, host, redactor| session.get(&name, host).map(|value| redactor.value(value)))
    }

    /// Gives a variable a value.
    ///
    /// # Errors
    /// `invalid_arguments` where the name is none in the language; else as [`Session::variables`].
    pub fn set(&self, name: &str, value: Value) -> Result<(), Error> {
        let name = name.to_owned();
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine.inner));
        self.shared.ask(move |living| {
            let authorized = shared.again(&engine, &EvalOptions::default(), None);
            let set = living.ask(&shared, &engine, authorized, |session, host, _| session.set(&name, &value, host));
            living.keep(&shared, &engine, After::default());
            set
        })?
    }

    /// How the word before the cursor, a byte of the text, could go on.
    ///
    /// # Errors
    /// As [`Session::variables`].
    pub fn complete(&self, text: &str, cursor: usize) -> Result<Completions, Error> {
        let text = text.to_owned();
        self.ask(move |session, host, _| session.complete(&text, cursor, host))
    }

    /// What there is to know about a name or a path of names: `obj.name`.
    ///
    /// # Errors
    /// `not_found`; else as [`Session::variables`].
    pub fn inspect(&self, path: &str) -> Result<Inspection, Error> {
        let path = path.to_owned();
        self.ask(move |session, host, redactor| {
            let inspection = session.inspect(&path, host)?;
            let clean = |text: Option<String>| text.map(|text| redactor.owned(text));
            Ok(Inspection {
                shown: without_secrets(inspection.shown, redactor),
                signature: clean(inspection.signature),
                doc: clean(inspection.doc),
                source: clean(inspection.source),
            })
        })
    }

    /// Whether code can be evaluated as it stands, for whoever types it line by line. Does not wait for the session's turn.
    pub fn completeness(&self, code: &str) -> Completeness {
        if self.language() == Language::Bash {
            return self.parsed_by_bash(code);
        }
        let script = Script { language: self.language(), file: "<cell>".to_owned(), source: code.to_owned() };
        let interpreter = self.engine.inner.interpreter(script.language);
        interpreter.map_or(Completeness::Complete, |interpreter| interpreter.completeness(&script))
    }

    /// What a bash of its own says, which reads the code and may do nothing.
    fn parsed_by_bash(&self, code: &str) -> Completeness {
        let engine = &self.engine.inner;
        let (plan, _, modules) = self.shared.again(engine, &EvalOptions::default(), None).into_parts();
        let host = engine.host(&plan, (Grants::default(), modules), Chain::default());
        engine.programs.completeness(code, &(Arc::new(host) as Arc<dyn Host>))
    }

    /// An independent copy of it, with all that it holds, its limits, and what it has spent of its budget: of its process
    /// where that is possible, else by a snapshot.
    ///
    /// # Errors
    /// As [`Session::snapshot`] and [`SessionBuilder::open`](crate::SessionBuilder::open).
    pub fn fork(&self, name: &str) -> Result<Session, Error> {
        let shared = Arc::clone(&self.shared);
        let engine = Arc::clone(&self.engine.inner);
        let origin = self.shared.ask(move |living| copy(living, &shared, &engine))??;
        SessionBuilder::copy(&self.engine, &self.shared.terms, origin).name(name).open()
    }

    /// What it holds now, as data. What cannot be kept is named in it: [`SessionImage::lost`].
    ///
    /// # Errors
    /// As [`Session::variables`].
    pub fn snapshot(&self) -> Result<SessionImage, Error> {
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine.inner));
        self.shared.ask(move |living| image(living, &shared, &engine))?
    }

    /// Stops the evaluation that is under way, from any thread; the session stays. Gives whether there was one.
    pub fn interrupt(&self) -> bool {
        self.shared.interrupt()
    }

    /// What there is to know about it. Does not wait for its turn.
    pub fn info(&self) -> SessionInfo {
        self.shared.info()
    }

    /// Closes it: what is under way is stopped, what waits is not done, and its namespace is gone. What is on disk of it stays, unless it
    /// was opened with [`SessionBuilder::cleanup_on_exit`].
    pub fn close(&self) {
        self.shared.end(None);
    }

    /// Closes it, and leaves nothing of it on disk.
    ///
    /// # Errors
    /// `unavailable` where the file cannot be removed.
    pub fn remove(&self) -> Result<(), Error> {
        self.shared.forget();
        self.shared.end(None);
        let terms = &self.shared.terms;
        match &self.engine.inner.session_store {
            // Its thread does it when it is over: not to be waited for on that thread.
            Some(store) if terms.forget.is_some() && super::waits::wait(self.shared.id).is_some() => {
                store.remove(&terms.owner, &terms.name).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Why it ended, where it ended by itself: its budget is spent, it idled or lived too long, its process died.
    pub fn ended(&self) -> Option<Error> {
        self.shared.reason()
    }

    /// How much is under way or waits.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> u64 {
        self.shared.status().waiting
    }

    /// What evaluates a cell.
    pub(super) fn cell(
        &self,
        code: &str,
        options: &EvalOptions,
    ) -> impl FnOnce(&mut Living<'_>) -> Outcome + Send + 'static {
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine.inner));
        let (source, options) = (code.to_owned(), options.clone());
        move |living| {
            let number = shared.status().evaluations + 1;
            let file = options.file.clone().unwrap_or_else(|| format!("<cell {number}>"));
            let script = Arc::new(Script { language: shared.terms.language, file, source });
            match shared.typed(&engine, options.cancel.as_ref()) {
                Ok(()) => {
                    let authorized = shared.again(&engine, &options, Some(Arc::clone(&script)));
                    living.evaluate(&shared, &engine, authorized, (script, Entry::Cell))
                }
                Err(error) => shared.failed(&engine, options.correlation_id.as_deref(), error),
            }
        }
    }

    /// The outcome of an evaluation that did not begin.
    fn failed(&self, correlation_id: Option<&str>, error: Error) -> Outcome {
        self.shared.failed(&self.engine.inner, correlation_id, error)
    }

    /// Asks something of the namespace, in its turn.
    fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut dyn InterpreterSession, &Arc<dyn Host>, &Redactor) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let (shared, engine) = (Arc::clone(&self.shared), Arc::clone(&self.engine.inner));
        self.shared.ask(move |living| {
            let authorized = shared.again(&engine, &EvalOptions::default(), None);
            living.ask(&shared, &engine, authorized, ask)
        })?
    }
}

/// What a session holds now.
pub(crate) fn image(living: &mut Living<'_>, shared: &Arc<Shared>, engine: &Arc<Inner>) -> Result<SessionImage, Error> {
    let authorized = shared.again(engine, &EvalOptions::default(), None);
    let snapshot = living.ask(shared, engine, authorized, |session, host, _| session.snapshot(host))?;
    let terms = &shared.terms;
    let status = shared.status();
    let about = About {
        name: terms.name.clone(),
        language: snapshot.language,
        skill: terms.skill.as_ref().map(|skill| skill.qualified_name()),
        owner: terms.owner.clone(),
        in_process: terms.authorized.plan().isolation == Isolation::InProcess,
        evaluations: status.evaluations,
        budget: terms.budget.clone(),
        spent: status.spent.clone(),
        format: snapshot.format,
        lost: snapshot.lost,
    };
    let seen = KnownSecrets(living.vault.seen());
    Ok(SessionImage { about, bytes: snapshot.bytes, seen, foreign: false })
}

/// What the copy of a session begins as.
fn copy(living: &mut Living<'_>, shared: &Arc<Shared>, engine: &Arc<Inner>) -> Result<Origin, Error> {
    let authorized = shared.again(engine, &EvalOptions::default(), None);
    let Some(open) = living.ask(shared, engine, authorized, |session, host, _| session.fork(host))? else {
        return image(living, shared, engine).map(|image| Origin::Image(Box::new(image)));
    };
    let status = shared.status();
    let carried = Carried {
        evaluations: status.evaluations,
        spent: status.spent.clone(),
        lost: status.lost.clone(),
        ..Carried::default()
    };
    Ok(Origin::Copy(Copied { open, seen: living.vault.seen(), carried, table: Arc::clone(living.table) }))
}

/// Runs a session's skill: the whole data path, whose decision must be the one that the session was opened with.
fn skill_run(
    living: &mut Living<'_>,
    shared: &Arc<Shared>,
    engine: &Arc<Inner>,
    params: Value,
    asked: RunOptions,
) -> Outcome {
    let terms = &shared.terms;
    let mut options = terms.for_run(asked);
    // Somebody may be asked, and whoever ends or interrupts the session does not wait for an answer.
    let cancel = options.cancel.as_ref().map_or_else(Cancel::new, Cancel::child);
    options.cancel = Some(cancel.clone());
    let Some(skill) = &terms.skill else {
        let message = format!("session `{}` is of no skill, so there is nothing to run with parameters", terms.name);
        let error = Error::new(ErrorKind::InvalidArguments, message).with_help("evaluate code in it");
        return shared.failed(engine, options.correlation_id.as_deref(), error);
    };
    shared.begin(cancel);
    let authorized = engine.plan(skill, params, &options).and_then(|plan| shared.authorize(engine, plan, &options));
    shared.rest();
    let authorized = match authorized {
        Ok(authorized) => authorized,
        Err(error) if shared.has_ended() && error.kind() == ErrorKind::Cancelled => {
            return shared.failed(engine, options.correlation_id.as_deref(), shared.gone());
        }
        Err(error) => return shared.failed(engine, options.correlation_id.as_deref(), error),
    };
    let script = match &authorized.plan().step {
        Step::Script(script) => Some(Arc::clone(script)),
        Step::Program(invocation) => invocation.script.clone().or_else(|| programs::request(invocation)),
        _ => None,
    };
    match script {
        Some(script) => {
            let entry = Entry::Skill { params: authorized.plan().arguments.clone() };
            living.evaluate(shared, engine, authorized, (script, entry))
        }
        _ => {
            let message = format!("`{}` does not run in an interpreter, whose sessions this version keeps", skill.name);
            shared.failed(engine, options.correlation_id.as_deref(), Error::new(ErrorKind::Unavailable, message))
        }
    }
}

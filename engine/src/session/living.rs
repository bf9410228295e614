//! A session while something is done with it.

use super::handle::EvalOptions;
use super::info::SessionChange;
use super::kept::Kept;
use super::opening;
use super::shared::Shared;
use super::stored::Place;
use crate::authorize::AuthorizedPlan;
use crate::engine::Inner;
use crate::host::{Chain, FunctionTable, RunHost};
use crate::run::defect;
use crate::secrets::{Redactor, Vault};
use crate::{Cancel, Error, Isolation, Outcome, Persistence, Plan};
use skills_core::{
    Cell, Entry, ErrorKind, Evaluated, Evaluation, Failure, Host, Limits, Lost, Script, Session as InterpreterSession,
    Shown, Usage,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A session that has been taken up, for as long as something is done with it: [`Stored`](super::stored::Stored).
pub(crate) struct Living<'a> {
    pub(crate) place: &'a mut dyn Place,
    pub(crate) table: &'a Arc<FunctionTable>,
    pub(crate) vault: &'a Arc<Vault>,
    pub(crate) kept: &'a mut Option<Kept>,
}

/// A plan that a session is about to do something under.
struct Entered {
    plan: Plan,
    host: Arc<RunHost>,
    /// What is left of the session's budget.
    left: Limits,
}

impl Living<'_> {
    /// Evaluates a script.
    pub(crate) fn evaluate(
        &mut self,
        shared: &Arc<Shared>,
        engine: &Arc<Inner>,
        authorized: AuthorizedPlan,
        (script, entry): (Arc<Script>, Entry),
    ) -> Outcome {
        if let Err(error) = within_budget(shared) {
            return shared.failed(engine, Some(&authorized.plan().correlation_id), error);
        }
        let entered = self.enter(shared, engine, authorized);
        let cell = Cell { script, entry };
        let evaluated = self.begin_anew(shared, engine, &entered).and_then(|()| {
            self.guarded(&entered, |session, host| {
                Ok(opening::evaluate(session, &cell, entered.plan.command_line.as_deref(), host))
            })
        });
        let Evaluated { evaluation, shown } = evaluated.unwrap_or_else(Evaluated::failed);
        let Evaluation { result, usage } = evaluation;
        let result = self.leave(shared, &entered, result, (usage, true));
        let after = After::of(&entered);
        let Entered { plan, host, .. } = entered;
        let mut outcome = engine.conclude(plan, Evaluation { result, usage }, &host);
        outcome.shown = shown.map(|shown| without_secrets(shown, self.vault.redactor()));
        outcome.lost = self.keep(shared, engine, after);
        shared.report(SessionChange::Evaluated {
            correlation_id: outcome.correlation_id.clone(),
            error: outcome.result.as_ref().err().map(Error::kind),
        });
        outcome
    }

    /// Asks something of the namespace.
    ///
    /// # Errors
    /// What the interpreter says, and limits.
    pub(crate) fn ask<T>(
        &mut self,
        shared: &Arc<Shared>,
        engine: &Arc<Inner>,
        authorized: AuthorizedPlan,
        ask: impl FnOnce(&mut dyn InterpreterSession, &Arc<dyn Host>, &Redactor) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        within_budget(shared)?;
        let entered = self.enter(shared, engine, authorized);
        let vault = Arc::clone(self.vault);
        let result = self.guarded(&entered, |session, host| ask(session, host, vault.redactor()));
        let result = self.leave(shared, &entered, result, (Usage::default(), false));
        entered.host.finish_output();
        result.map_err(|failure| self.vault.redactor().failure(failure).into())
    }

    /// Writes what the session holds to its file, where it has one. Gives what could not be kept that was not known before.
    pub(crate) fn keep(&mut self, shared: &Arc<Shared>, engine: &Arc<Inner>, after: After) -> Vec<Lost> {
        let session = self.place.session();
        // Also where it was closed meanwhile: what is answered is kept.
        let Some(kept) = self.kept.as_mut().filter(|kept| session.reusable() && !kept.is_forgotten()) else {
            return Vec::new();
        };
        let authorized = shared.again(engine, &EvalOptions::default(), None);
        let confined_to = authorized.confines();
        let (mut plan, grants, modules) = authorized.into_parts();
        // It is the namespace's own code that runs: on what is left of the evaluation and of the session's budget, and whoever
        // could stop the evaluation can stop this. What did stop the evaluation does not, so that what it did is kept.
        let left = after.left.unwrap_or_else(|| plan.limits.clone());
        let stopped = after.cancel.as_ref().is_some_and(Cancel::is_cancelled);
        plan.limits = Kept::limits(&left.min(&shared.terms.budget.left(&shared.status().spent_in_all())), stopped);
        let cancel = after.cancel.filter(|_| !stopped).map_or_else(Cancel::new, |cancel| cancel.child());
        plan.options.cancel = Some(cancel.clone());
        shared.begin_saving(cancel);
        let chain = Chain { vault: Arc::clone(self.vault), confined_to, ..Chain::default() };
        let host = RunHost {
            table: Arc::clone(self.table),
            space: shared.space(),
            owner: shared.owner(),
            ..engine.host(&plan, (grants, modules), chain)
        };
        let host: Arc<dyn Host> = Arc::new(host);
        let snapshot =
            catch_unwind(AssertUnwindSafe(|| session.snapshot(&host))).unwrap_or_else(|panic| Err(defect(&*panic)));
        shared.finish(host.budget(), &Usage::default(), session.held(), false);
        let broken = snapshot.as_ref().err().filter(|_| !session.reusable()).cloned();
        let lost = kept.save(shared, snapshot, self.vault.redactor());
        if let Some(failure) = broken {
            shared.end(Some(failure.into()));
        }
        lost
    }

    /// Holds a plan to what is left of the session's budget, and makes its host.
    fn enter(&mut self, shared: &Arc<Shared>, engine: &Arc<Inner>, authorized: AuthorizedPlan) -> Entered {
        let confined_to = authorized.confines();
        let (mut plan, grants, modules) = authorized.into_parts();
        let left = shared.terms.budget.left(&shared.status().spent_in_all());
        plan.limits = plan.limits.min(&left);
        // One of its own: the caller's may stop other runs too.
        let cancel = plan.options.cancel.as_ref().map_or_else(Cancel::new, Cancel::child);
        plan.options.cancel = Some(cancel.clone());
        let chain = Chain { vault: Arc::clone(self.vault), confined_to, ..Chain::default() };
        let host = RunHost {
            table: Arc::clone(self.table),
            space: shared.space(),
            owner: shared.owner(),
            ..engine.host(&plan, (grants, modules), chain)
        };
        shared.begin(cancel);
        Entered { plan, host: Arc::new(host), left }
    }

    /// Forgets everything, where nothing is to stay from one evaluation to the next.
    fn begin_anew(&mut self, shared: &Shared, engine: &Inner, entered: &Entered) -> Result<(), Failure> {
        if shared.terms.persistence != Persistence::None {
            return Ok(());
        }
        let plan = shared.terms.authorized.plan();
        self.place.renew(engine.open_session(plan, shared.terms.language, &entered.host)?)
    }

    /// Does something with the interpreter. A panic there is a defect, but it must not take the session's thread along.
    fn guarded<T>(
        &mut self,
        entered: &Entered,
        act: impl FnOnce(&mut dyn InterpreterSession, &Arc<dyn Host>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let host: Arc<dyn Host> = Arc::clone(&entered.host) as Arc<dyn Host>;
        let session = self.place.session();
        catch_unwind(AssertUnwindSafe(|| act(session, &host))).unwrap_or_else(|panic| Err(defect(&*panic)))
    }

    /// Counts what was used, and ends the session where this was its end. Gives what the caller is to know.
    fn leave<T>(
        &mut self,
        shared: &Arc<Shared>,
        entered: &Entered,
        result: Result<T, Failure>,
        (usage, evaluation): (Usage, bool),
    ) -> Result<T, Failure> {
        let session = self.place.session();
        shared.finish(&entered.host.budget, &usage, session.held(), evaluation);
        let result = match result {
            Err(failure) if shared.has_ended() && failure.kind == ErrorKind::Cancelled => {
                return Err(shared.gone().failure().clone());
            }
            Err(failure) => match shared.terms.budget.breached(&failure, &entered.left) {
                Some(own) => {
                    let own = of_budget(&own);
                    shared.end(Some(own.clone().into()));
                    return Err(own);
                }
                None => Err(failure),
            },
            Ok(value) => Ok(value),
        };
        // The defect of a panic leaves an interpreter in doubt, whatever that says of itself.
        let defect = matches!(&result, Err(failure) if failure.kind == ErrorKind::Crashed);
        if defect || !session.reusable() {
            let why = match &result {
                Err(failure) => failure.clone(),
                Ok(_) => Failure::new(ErrorKind::Crashed, "its interpreter is in doubt"),
            };
            shared.end(Some(why.into()));
        }
        result
    }
}

/// What a namespace is saved after.
#[derive(Default)]
pub(crate) struct After {
    /// What is left of its limits; those of the session where it has none of its own.
    left: Option<Limits>,
    /// What stops it.
    cancel: Option<Cancel>,
}

impl After {
    fn of(entered: &Entered) -> After {
        After { left: Some(entered.host.budget.left()), cancel: entered.plan.options.cancel.clone() }
    }
}

/// Has relative paths of a session's code start where those of `skill.fs` do.
pub(crate) fn settle(authorized: &AuthorizedPlan, session: &mut dyn InterpreterSession) {
    let (plan, folder) = (authorized.plan(), &authorized.grants().working_directory);
    // A worker starts there.
    let Some(folder) = folder.as_deref().filter(|_| plan.isolation == Isolation::InProcess) else { return };
    if let Err(failure) = session.settle(folder) {
        tracing::warn!("{failure}");
    }
}

/// Ends a session of whose budget nothing is left, before it does anything more.
fn within_budget(shared: &Arc<Shared>) -> Result<(), Error> {
    let spent = shared.status().spent_in_all();
    let Some(failure) = shared.terms.budget.spent_up(&spent) else { return Ok(()) };
    shared.end(Some(of_budget(&failure).into()));
    Err(shared.gone())
}

/// A breach of the session's budget, in its words.
fn of_budget(failure: &Failure) -> Failure {
    Failure { message: format!("the session's budget is spent: {}", failure.message), ..failure.clone() }
        .with_help("open another session, with a larger budget")
}

/// A shown value without the secrets in its text.
pub(crate) fn without_secrets(shown: Shown, redactor: &Redactor) -> Shown {
    Shown { type_name: redactor.owned(shown.type_name), text: redactor.owned(shown.text), ..shown }
}

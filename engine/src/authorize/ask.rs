//! What was decided before, and asking where nothing was.

use super::digest::{self, Pin};
use super::trust::{Trust, decisions, question};
use crate::{Cancel, Plan, Skill};
use serde_json::{Map, Value};
use skills_core::{Approver, Decision, DecisionScope, DecisionStore, ErrorKind, Failure, Operation, Reply};
use std::cell::OnceCell;
use std::time::{SystemTime, UNIX_EPOCH};

/// What decisions are made with.
pub(crate) struct Deciding<'a> {
    pub(crate) trust: Trust,
    pub(crate) store: &'a dyn DecisionStore,
    /// `None` where nobody is to be asked now.
    pub(crate) approver: Option<&'a dyn Approver>,
    /// What stops the run that it is decided for.
    pub(crate) cancel: Option<Cancel>,
    /// Whether the person said yes to everything.
    pub(crate) yes: bool,
    /// The decisions, read when first needed.
    pub(crate) all: OnceCell<Vec<Decision>>,
}

/// What was decided before about something.
pub(crate) enum Decided {
    /// By a rule, and for what the digest says.
    Allowed(String, Pin),
    Denied(String),
    /// It was allowed, but what was allowed is no longer what is there.
    Changed,
    Nothing,
}

impl Deciding<'_> {
    fn all(&self) -> Result<&[Decision], Failure> {
        if let Some(all) = self.all.get() {
            return Ok(all);
        }
        let all = self.store.all()?;
        Ok(self.all.get_or_init(|| all))
    }

    /// What was decided about an operation of a skill. No beats yes, and holds whatever the skill has become.
    ///
    /// # Errors
    /// `unavailable` where the decisions cannot be read.
    pub(crate) fn known(
        &self,
        skill: &Skill,
        operation: Operation,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Decided, Failure> {
        let all = self.all()?;
        if all.is_empty() {
            return Ok(Decided::Nothing);
        }
        let place = digest::place(skill);
        let call = OnceCell::new();
        let speaks = |decision: &&Decision| {
            decision.operation == operation
                && decision.name == name
                && match decision.scope {
                    DecisionScope::Folder => place.starts_with(&decision.place),
                    _ => place == decision.place,
                }
                && decision.call.as_ref().is_none_or(|digest| {
                    digest == call.get_or_init(|| digest::of_text(&Value::Object(arguments.clone()).to_string()))
                })
        };
        let mut changed = false;
        let mut allowed = None;
        let own = OnceCell::new();
        for decision in all.iter().filter(speaks) {
            if !decision.allowed {
                return Ok(Decided::Denied(rule(decision)));
            }
            // What cannot be told is not what was allowed.
            let now = match decision.scope {
                DecisionScope::Folder => digest::of_folder(&decision.place, true).ok(),
                _ => own.get_or_init(|| digest::of_skill(skill).ok()).clone(),
            };
            match now.filter(|now| *now == decision.digest) {
                Some(now) => allowed = allowed.or_else(|| Some((decision, pin(decision, now)))),
                None => changed = true,
            }
        }
        Ok(match allowed {
            Some((decision, pin)) => Decided::Allowed(rule(decision), pin),
            None if changed => Decided::Changed,
            None => Decided::Nothing,
        })
    }

    /// Asks, and keeps an answer that holds for longer. Gives it with the digest that it was given for; `None` where nobody can be
    /// asked.
    ///
    /// # Errors
    /// `unavailable` where the answer cannot be kept, `cancelled` where the run was stopped before it came.
    pub(crate) fn ask(
        &self,
        plan: &Plan,
        operation: Operation,
        names: &[String],
        why: &str,
    ) -> Result<Option<(Reply, String)>, Failure> {
        let Some(approver) = self.approver else { return Ok(None) };
        let asked = question(plan, operation, names, why);
        let stopped = || self.cancel.as_ref().is_some_and(Cancel::is_cancelled);
        let Some(reply) = approver.ask_while(&asked, &|| !stopped()) else {
            if !stopped() {
                return Ok(None);
            }
            let what = operation.phrase(names);
            let message = format!("the run was stopped before anybody said whether `{}` may {what}", asked.skill);
            return Err(Failure::new(ErrorKind::Cancelled, message));
        };
        // Between the question and the answer the files may have become others: what was shown is what is decided on.
        if asked.digest != digest::of_skill(&plan.skill).unwrap_or_default() {
            let message = format!("`{}` changed while somebody was asked about it", asked.skill);
            return Err(Failure::new(ErrorKind::PermissionDenied, message).with_help("run it again"));
        }
        for decision in decisions(plan, operation, names, &reply, now())? {
            self.store.record(&decision)?;
        }
        Ok(Some((reply, asked.digest)))
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn pin(decision: &Decision, digest: String) -> Pin {
    match decision.scope {
        DecisionScope::Folder => Pin::Folder(decision.place.clone(), digest),
        _ => Pin::Skill(digest),
    }
}

fn rule(decision: &Decision) -> String {
    let what = if decision.allowed { "allowed" } else { "refused" };
    let reach = match decision.scope {
        DecisionScope::Call => "this call",
        DecisionScope::Folder => "the folder",
        _ => "the skill",
    };
    let reason = decision.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("a person {what} {reach} for good{reason}")
}

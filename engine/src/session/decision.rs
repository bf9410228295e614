//! The decision that a session was opened with, and whether it covers what is asked of the session later.

use super::handle::EvalOptions;
use super::shared::{Shared, Terms};
use crate::authorize::{self, AuthorizedPlan};
use crate::engine::Inner;
use crate::host::Chain;
use crate::plan::{LimitOverrides, Step};
use crate::{Cancel, Error, Isolation, Permissions, Plan, RunOptions, scripts};
use skills_core::{ErrorKind, Language, Script};
use std::sync::Arc;

impl Terms {
    /// The options of a run in the session: those that it was opened with, but for what this run says.
    pub(crate) fn for_run(&self, asked: RunOptions) -> RunOptions {
        let own = &self.options;
        RunOptions {
            limits: asked.limits.or(&own.limits),
            isolation: asked.isolation.or(own.isolation),
            allow: if asked.allow == Permissions::default() { own.allow.clone() } else { asked.allow },
            yes: asked.yes || own.yes,
            script: asked.script.or_else(|| own.script.clone()),
            caller: own.caller.clone(),
            session: Some(self.name.clone()),
            correlation_id: asked.correlation_id,
            cancel: asked.cancel,
        }
    }
}

impl Shared {
    /// Whose state the code of the session sees: its skill's, else its own.
    pub(crate) fn space(&self) -> String {
        let terms = &self.terms;
        terms.skill.as_ref().map_or_else(|| format!("session:{}", terms.name), |skill| skill.identity())
    }

    /// Whose session it is: its skill's, else that of whoever opened it.
    pub(crate) fn owner(&self) -> String {
        self.terms.skill.as_ref().map_or_else(|| self.terms.owner.clone(), |skill| skill.owner())
    }

    /// The decision of the opening for something else that the session does.
    pub(crate) fn again(&self, engine: &Inner, options: &EvalOptions, script: Option<Arc<Script>>) -> AuthorizedPlan {
        let own = &self.terms.authorized;
        let limits = match options.limits == LimitOverrides::default() {
            true => own.plan().limits.clone(),
            false => engine.limits.resolve(&own.plan().skill, &options.limits.clone().or(&self.terms.options.limits)),
        };
        let correlation_id = options.correlation_id.clone().unwrap_or_else(|| engine.next_id());
        own.again(script.map(Step::Script), limits, (correlation_id, options.cancel.clone()))
    }

    /// Whether code that somebody types may be evaluated here. What is decided of such code does not depend on what it says,
    /// so it is decided once.
    ///
    /// # Errors
    /// `permission_denied` where it has to run elsewhere than the session does; `cancelled` where it was stopped while somebody was
    /// asked.
    pub(crate) fn typed(&self, engine: &Arc<Inner>, cancel: Option<&Cancel>) -> Result<(), Error> {
        let terms = &self.terms;
        // A session of no skill was opened as such code, and a program is confined as such code is.
        if terms.skill.is_none() || terms.language == Language::Program {
            return Ok(());
        }
        if let Some(decided) = self.typed.get() {
            return decided.clone();
        }
        let cancel = cancel.map_or_else(Cancel::new, Cancel::child);
        let options = RunOptions { cancel: Some(cancel.clone()), ..terms.options.clone() };
        let decide = || {
            let code = Arc::new(scripts::from_text(terms.language, ""));
            let plan = engine.lay_out(&code, &options)?;
            self.judged(engine, plan, &options).and_then(|authorized| self.same_tier(authorized.plan().isolation))
        };
        self.begin(cancel);
        let decided = decide();
        self.rest();
        match decided {
            Err(error) if error.kind() == ErrorKind::Cancelled => Err(error),
            decided => self.typed.get_or_init(|| decided).clone(),
        }
    }

    /// Decides about a plan, which must come to what the session has.
    ///
    /// # Errors
    /// As [`Engine::authorize`](crate::Engine::authorize); `permission_denied` where it needs another tier or other grants.
    pub(crate) fn authorize(
        &self,
        engine: &Arc<Inner>,
        plan: Plan,
        options: &RunOptions,
    ) -> Result<AuthorizedPlan, Error> {
        let authorized = self.judged(engine, plan, options)?;
        self.same_tier(authorized.plan().isolation)?;
        if authorized.grants() != self.terms.authorized.grants() {
            let name = &self.terms.name;
            let message = format!("session `{name}` was opened with other permissions than this run would have");
            return Err(Error::new(ErrorKind::PermissionDenied, message)
                .with_help("run it without options, close the session, or open another one with these"));
        }
        Ok(authorized)
    }

    fn judged(&self, engine: &Arc<Inner>, plan: Plan, options: &RunOptions) -> Result<AuthorizedPlan, Error> {
        let chain = Chain::default();
        let mut circumstances = engine.circumstances(options, &chain, true);
        circumstances.deciding.approver = Some(&self.terms.answers);
        authorize::authorize(plan, &circumstances)
    }

    fn same_tier(&self, needed: Isolation) -> Result<(), Error> {
        let own = self.terms.authorized.plan().isolation;
        if needed == own || needed == Isolation::InProcess {
            return Ok(());
        }
        let name = &self.terms.name;
        let message = format!("this has to run in a {}, and session `{name}` does not", needed.as_str());
        Err(Error::new(ErrorKind::PermissionDenied, message)
            .with_help(format!("close the session, or open another one with `--isolation {}`", needed.as_str())))
    }
}

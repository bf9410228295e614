use crate::Permissions;
use crate::plan::{Isolation, LimitOverrides};
use skills_core::Budget;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How to run a skill, where the defaults are not what is wanted.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Limits instead of the skill's own; the host's ceiling holds all the same.
    pub limits: LimitOverrides,
    /// The isolation tier; `None` for the one that policy gives.
    pub isolation: Option<Isolation>,
    /// What a person allows for this run, beside what policy gives. A skill gets what it asks for of it; code without a
    /// definition gets all of it.
    pub allow: Permissions,
    /// Whether the person says yes to whatever would be asked.
    pub yes: bool,
    /// A script beside a `SKILL.md` to run, by its path or file name.
    pub script: Option<String>,
    /// Who runs it. Interpreter state that is kept warm is never shared between two callers.
    pub caller: Option<String>,
    /// The session that the run is a part of: what `{session_id}` in the arguments of a `code_session` skill stands for. Made
    /// up where it is not given.
    pub session: Option<String>,
    /// Names the run in events and logs; made up where it is not given.
    pub correlation_id: Option<String>,
    /// Stops the run from another thread.
    pub cancel: Option<Cancel>,
}

impl RunOptions {
    /// The same with a name for the run, made up where there is none.
    pub(crate) fn named(&self, made_up: impl FnOnce() -> String) -> Cow<'_, RunOptions> {
        match self.correlation_id {
            Some(_) => Cow::Borrowed(self),
            None => Cow::Owned(RunOptions { correlation_id: Some(made_up()), ..self.clone() }),
        }
    }
}

/// Stops runs from another thread. Clones stop the same runs: those that were given one of them in their options.
///
/// ```
/// let cancel = skills::Cancel::new();
/// let mut options = skills::RunOptions::default();
/// options.cancel = Some(cancel.clone());
/// cancel.cancel(); // A run that starts now with these options ends at once, with the kind `cancelled`.
/// assert!(cancel.is_cancelled());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    parent: Option<Cancel>,
    budgets: Mutex<Vec<Weak<Budget>>>,
}

impl Cancel {
    /// One that has not been used.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Stops every run that has it now, and any that gets it later.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        let budgets: Vec<_> = self.lock().iter().filter_map(Weak::upgrade).collect();
        budgets.iter().for_each(|budget| budget.cancel());
    }

    /// One of its own that stops with this one too, but not the other way round.
    pub(crate) fn child(&self) -> Cancel {
        Cancel(Arc::new(Shared { parent: Some(self.clone()), ..Shared::default() }))
    }

    /// Whether it was used.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst) || self.0.parent.as_ref().is_some_and(Cancel::is_cancelled)
    }

    pub(crate) fn attach(&self, budget: &Arc<Budget>) {
        let mut budgets = self.lock();
        budgets.retain(|budget| budget.strong_count() > 0);
        budgets.push(Arc::downgrade(budget));
        drop(budgets);
        if let Some(parent) = &self.0.parent {
            parent.attach(budget);
        }
        if self.is_cancelled() {
            budget.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Budget>>> {
        self.0.budgets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use crate::engine::{Engine, Inner};
use crate::{Cancel, Error, Outcome, RunOptions, Skill};
use serde_json::Value;
use skills_core::ErrorKind;
use std::sync::{Arc, Weak};

/// An engine that does not keep itself alive: for what an engine owns and what has to reach it, such as a host function.
///
/// ```
/// # fn main() -> Result<(), skills::Error> {
/// let engine = skills::Engine::new()?;
/// let weak = engine.downgrade();
/// engine.function("languages()", move || {
///     weak.upgrade().map(|engine| engine.languages().len()).ok_or("the engine is gone")
/// })?;
/// assert!(engine.eval(skills::Language::Rhai, "languages()")?.as_u64() > Some(0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct WeakEngine(Weak<Inner>);

impl WeakEngine {
    /// The engine, as long as someone has it.
    pub fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(|inner| Engine { inner })
    }
}

impl Engine {
    /// A handle that does not keep the engine alive.
    pub fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.inner))
    }

    /// Runs a skill on the engine's own threads, as [`Engine::run_with`] does. Dropping the future cancels the run.
    ///
    /// It does not need a tokio runtime: any executor can poll it.
    pub async fn run_async(&self, name: &str, params: Value, options: RunOptions) -> Outcome {
        let owned = name.to_owned();
        self.in_background(name, options, move |engine, options| engine.run_with(&owned, params, options)).await
    }

    /// The same for a skill that is at hand: one that was loaded, or [`Engine::code`], or [`Engine::script_file`].
    pub async fn run_skill_async(&self, skill: &Arc<Skill>, params: Value, options: RunOptions) -> Outcome {
        let owned = Arc::clone(skill);
        self.in_background(&skill.name, options, move |engine, options| engine.run_skill(&owned, params, options)).await
    }

    async fn in_background(
        &self,
        name: &str,
        mut options: RunOptions,
        work: impl FnOnce(&Engine, &RunOptions) -> Outcome + Send + 'static,
    ) -> Outcome {
        // A token of its own: the caller's may stop other runs too.
        let own = options.cancel.as_ref().map_or_else(Cancel::new, Cancel::child);
        let mut guard = CancelOnDrop(Some(own.clone()));
        options.cancel = Some(own);
        let engine = self.clone();
        let task = self.inner.runtime.spawn_blocking(move || work(&engine, &options));
        let joined = match task {
            Ok(task) => task.await,
            Err(error) => return Outcome::failed(name, &RunOptions::default(), error),
        };
        guard.0 = None;
        joined.unwrap_or_else(|error| {
            Outcome::failed(name, &RunOptions::default(), Error::new(ErrorKind::Crashed, error.to_string()))
        })
    }
}

/// Cancels, unless it was told that there is nothing left to cancel.
pub(crate) struct CancelOnDrop(pub(crate) Option<Cancel>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(cancel) = &self.0 {
            cancel.cancel();
        }
    }
}

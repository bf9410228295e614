//! What is worked out once for each skill.

use crate::arguments::Checker;
use crate::engine::Inner;
use crate::{Body, Diagnostic, Engine, Error, Skill};
use skills_core::{ParameterSpec, Signature};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

/// What is worked out once for a skill: its parameters, inferred where the definition gives none, and their check.
pub(crate) struct Prepared {
    pub(crate) parameters: Arc<[ParameterSpec]>,
    /// What the script says that it does, where it was asked.
    pub(crate) description: Option<String>,
    pub(crate) checker: Option<Checker>,
}

impl Engine {
    /// Everything that is wrong with a definition, named as in [`Engine::skill`]: what the published schema and the checks of
    /// meaning find, and code that its language's own parser refuses. Nothing of it runs.
    ///
    /// # Errors
    /// `not_found`. A broken definition is no error here: that is what the diagnostics tell.
    pub fn check(&self, name: &str) -> Result<Vec<Diagnostic>, Error> {
        let languages = &self.inner.languages;
        self.catalog().check_with(name, &|script| match languages.get(script.language) {
            Some(interpreter) => interpreter.check(script),
            None => Ok(()),
        })
    }

    /// What a skill does: the definition's words, or the first paragraph of its script's documentation.
    pub fn description(&self, skill: &Skill) -> String {
        match skill.description.is_empty() {
            true => self.inner.prepare(skill).description.clone().unwrap_or_default(),
            false => skill.description.clone(),
        }
    }
}

impl Inner {
    fn prepared(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<Prepared>>> {
        self.prepared.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The check of the arguments of a script beside a skill, which has parameters of its own: those it names. `None` where it
    /// names none, and takes whatever it is given.
    pub(crate) fn checker_of_script(&self, skill: &Skill, name: &str) -> Option<Checker> {
        let Body::Prompt { scripts, .. } = &skill.body else { return None };
        let script = crate::scripts::beside(skill, scripts, name).ok()?;
        let signature = self.languages.get(script.language)?.signature(&script)?;
        (!signature.parameters.is_empty()).then(|| Checker::new(&signature.parameters))
    }

    pub(crate) fn prepare(&self, skill: &Skill) -> Arc<Prepared> {
        if let Some(prepared) = self.prepared().get(&skill.digest) {
            return Arc::clone(prepared);
        }
        let declared = skill.parameters_declared || skill.script().is_none();
        let signature = if declared {
            Signature { description: None, parameters: skill.parameters.clone() }
        } else {
            let signature = skill.script().and_then(|script| {
                self.languages.get(script.language).and_then(|interpreter| interpreter.signature(script))
            });
            signature.unwrap_or_default()
        };
        let parameters: Arc<[ParameterSpec]> = signature.parameters.into();
        // A script that says nothing of its parameters takes whatever it is given.
        let open = parameters.is_empty() && !skill.parameters_declared;
        let checker = (!open).then(|| Checker::new(&parameters));
        let prepared = Arc::new(Prepared { parameters, description: signature.description, checker });
        let mut all = self.prepared.write().unwrap_or_else(PoisonError::into_inner);
        // Code given directly makes a new skill each time: the table must not grow with it for ever.
        const MOST: usize = 4096;
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(skill.digest.clone(), Arc::clone(&prepared));
        prepared
    }
}

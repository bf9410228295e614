//! What is worked out once for each skill.

use crate::Skill;
use crate::arguments::Checker;
use crate::engine::Inner;
use skills_core::ParameterSpec;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLockReadGuard};

/// What is worked out once for a skill: its parameters, inferred where the definition gives none, and their check.
pub(crate) struct Prepared {
    pub(crate) parameters: Arc<[ParameterSpec]>,
    pub(crate) checker: Option<Checker>,
}

impl Inner {
    fn prepared(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<Prepared>>> {
        self.prepared.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn prepare(&self, skill: &Skill) -> Arc<Prepared> {
        if let Some(prepared) = self.prepared().get(&skill.digest) {
            return Arc::clone(prepared);
        }
        let declared = skill.parameters_declared || skill.script().is_none();
        let parameters: Arc<[ParameterSpec]> = if declared {
            skill.parameters.clone().into()
        } else {
            let signature = skill.script().and_then(|script| {
                self.languages.get(script.language).and_then(|interpreter| interpreter.signature(script))
            });
            signature.map(|signature| signature.parameters).unwrap_or_default().into()
        };
        // A script that says nothing of its parameters takes whatever it is given.
        let open = parameters.is_empty() && !skill.parameters_declared;
        let checker = (!open).then(|| Checker::new(&parameters));
        let prepared = Arc::new(Prepared { parameters, checker });
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

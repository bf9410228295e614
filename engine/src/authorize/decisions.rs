//! What a person decides of a skill, through an engine.

use super::digest;
use super::trust::decision;
use crate::{Engine, Error, Skill};
use skills_core::{Decision, DecisionScope, DecisionStore, Operation};
use std::path::PathBuf;

impl Engine {
    /// Keeps a person's decision to trust a skill as it is now, and gives it.
    ///
    /// # Errors
    /// `unavailable` where its folder cannot be looked at, or the decision cannot be kept.
    pub fn trust(&self, skill: &Skill, reason: Option<String>) -> Result<Decision, Error> {
        let scope = (true, DecisionScope::Skill);
        let made = decision(skill, Operation::Run, String::new(), scope, super::ask::now())?;
        let decision = Decision { reason, ..made };
        self.inner.people.decisions.record(&decision)?;
        Ok(decision)
    }

    /// The digest of what a decision to trust a skill would hold for: what was loaded of it, and its files as they are now.
    ///
    /// # Errors
    /// `unavailable` where its folder cannot be looked at.
    pub fn trust_digest(&self, skill: &Skill) -> Result<String, Error> {
        Ok(digest::of_skill(skill)?)
    }

    /// The file that decisions about a skill name: its definition, links resolved.
    pub fn place(&self, skill: &Skill) -> PathBuf {
        digest::place(skill)
    }

    /// Where decisions are kept.
    pub fn decisions(&self) -> &dyn DecisionStore {
        &*self.inner.people.decisions
    }
}

//! Skills that a skill says it needs: without them it is not planned.

use crate::catalog::Catalog;
use crate::{Error, Skill};
use semver::{Version, VersionReq};
use skills_core::ErrorKind;
use std::sync::Arc;

impl Catalog {
    /// Sees to it that everything that a skill needs is there: a skill of that name, or one that provides it.
    ///
    /// # Errors
    /// `not_found` for what is not there, `unavailable` for what is there in another version.
    pub(crate) fn check_dependencies(&self, skill: &Skill) -> Result<(), Error> {
        skill.dependencies.iter().try_for_each(|(name, wanted)| self.check_dependency(skill, name, wanted))
    }

    fn check_dependency(&self, skill: &Skill, name: &str, wanted: &VersionReq) -> Result<(), Error> {
        let named = self.load_named(name, skill.scope).ok();
        let own = named.as_ref().and_then(|found| found.version.clone());
        let provided = || self.provided(name);
        if own.as_ref().is_some_and(|version| wanted.matches(version)) || provided().any(|one| wanted.matches(&one)) {
            return Ok(());
        }
        // A skill without a version is of any.
        if *wanted == VersionReq::STAR && named.is_some() {
            return Ok(());
        }
        let needs = format!("`{}` needs `{name}` {wanted}", skill.name);
        match (&named, own.or_else(|| provided().max())) {
            (_, Some(version)) => {
                Err(Error::new(ErrorKind::Unavailable, format!("{needs}, but version {version} is what is here"))
                    .with_help(format!("install a version of `{name}` that fits, or change `dependencies`")))
            }
            (Some(found), None) => {
                let message = format!("{needs}, but {} does not say its version", found.file);
                Err(Error::new(ErrorKind::Unavailable, message).with_help("give it a `version`, or ask for `\"*\"`"))
            }
            (None, None) => {
                let message = format!("{needs}, and there is no such skill");
                Err(Error::new(ErrorKind::NotFound, message)
                    .with_help("install it, or remove it from `dependencies`; `skills list` shows what is here"))
            }
        }
    }

    /// The versions of a name that skills provide besides their own.
    fn provided<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Version> + 'a {
        let claiming = self
            .entries()
            .iter()
            .filter(move |entry| entry.summary.provides.iter().any(|one| one == name) && !self.is_shadowed(entry));
        let skills = claiming.filter_map(|entry| self.load(&entry.qualified_name()).ok());
        skills.filter_map(move |skill: Arc<Skill>| skill.provides.get(name).cloned())
    }
}

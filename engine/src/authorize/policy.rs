//! What may be used at all: what the host program says, what the configuration says, and what is denied to everybody.

use super::atom::{Atom, NAMED, named, resolved};
use crate::config::Config;
use crate::{ConfigScope, Error, Permissions};
use serde::Serialize;
use skills_core::{ErrorKind, Operation};
use std::path::{Path, PathBuf};

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RuleSource {
    /// Nothing allows it.
    Nothing,
    /// The host program.
    Host,
    /// The user's or the project's configuration.
    Configuration,
    /// What a person allowed for this run, as by an option of the command.
    Flag,
    /// A decision that was made before.
    Decision,
    /// A person who was asked just now.
    Person,
    /// Whether the skill is trusted.
    Trust,
    /// The run that called this one.
    Caller,
    /// The tier that it runs in.
    Isolation,
}

/// One thing that is allowed or denied.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) operation: Operation,
    pub(crate) atom: Atom,
    pub(crate) source: RuleSource,
}

/// What is left of each operation that it speaks of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bound(Vec<(Operation, Vec<Atom>)>);

impl Bound {
    pub(crate) fn of(permissions: &Permissions, base: Option<&Path>) -> Bound {
        let each = NAMED.into_iter().filter_map(|operation| {
            let texts = named(permissions, operation)?;
            // What cannot be read bounds everything away.
            Some((operation, texts.iter().filter_map(|text| Atom::parse(operation, text, base).ok()).collect()))
        });
        Bound(each.collect())
    }

    /// Whether it says nothing of an operation.
    pub(crate) fn is_open(&self, operation: Operation) -> bool {
        self.0.iter().all(|(spoken, _)| *spoken != operation)
    }

    /// What the bound leaves of something.
    pub(crate) fn leaves(&self, operation: Operation, atom: &Atom) -> Vec<Atom> {
        match self.0.iter().find(|(spoken, _)| *spoken == operation) {
            Some((_, atoms)) => atoms.iter().filter_map(|bound| bound.meet(atom)).collect(),
            None => vec![atom.clone()],
        }
    }
}

/// The rules of an engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    /// What skills may have where they ask for it, without anybody being asked.
    pub(crate) allowed: Vec<Rule>,
    /// What a skill has that says nothing.
    pub(crate) defaults: Permissions,
    /// What each project's configuration leaves of what is allowed.
    pub(crate) projects: Vec<Bound>,
    /// What nobody gets, whoever allows it.
    pub(crate) denied: Vec<Rule>,
    /// The most that anybody gets.
    pub(crate) ceiling: Bound,
    /// Where relative paths start; `None`: skills have no relative paths.
    pub(crate) working_directory: Option<PathBuf>,
    /// Whether code that is not trusted runs in process all the same.
    pub(crate) sandbox_off: bool,
}

/// What the builder was told.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostRules {
    pub(crate) read: Vec<PathBuf>,
    pub(crate) write: Vec<PathBuf>,
    pub(crate) allowed: Permissions,
    pub(crate) denied: Permissions,
    pub(crate) ceiling: Permissions,
    pub(crate) working_directory: Option<PathBuf>,
}

impl Policy {
    /// The policy of a host program and a configuration.
    ///
    /// # Errors
    /// `invalid_arguments` where something that is denied cannot be read: to deny nothing instead would be to allow it.
    pub(crate) fn new(host: &HostRules, config: &Config) -> Result<Policy, Error> {
        let base = host.working_directory.as_deref();
        let security = &config.security;
        let mut allowed = rules(&host.allowed, base, RuleSource::Host);
        for (operation, folders) in [(Operation::FileRead, &host.read), (Operation::FileWrite, &host.write)] {
            let path = |folder: &PathBuf| resolved(&base.map_or_else(|| folder.clone(), |base| base.join(folder)));
            let rule = |folder| Rule { operation, atom: Atom::Path(path(folder)), source: RuleSource::Host };
            allowed.extend(folders.iter().map(rule));
        }
        allowed.extend(rules(&security.default_permissions, base, RuleSource::Configuration));
        let mut denied = denied_rules(&host.denied, base, RuleSource::Host)?;
        denied.extend(denied_rules(&security.denied_permissions, base, RuleSource::Configuration)?);
        let projects = security.stated.iter().filter(|(scope, _)| *scope == ConfigScope::Project);
        Ok(Policy {
            allowed,
            defaults: security.default_permissions.clone(),
            projects: projects.map(|(_, permissions)| Bound::of(permissions, base)).collect(),
            denied,
            ceiling: Bound::of(&host.ceiling, base),
            working_directory: host.working_directory.as_deref().map(resolved),
            sandbox_off: !security.sandbox_enabled,
        })
    }

    /// Whether a path lies in the working folder.
    pub(crate) fn is_inside(&self, atom: &Atom) -> bool {
        match (atom, &self.working_directory) {
            (Atom::Path(path), Some(folder)) => path.starts_with(folder),
            _ => false,
        }
    }
}

/// What is denied, as rules.
fn denied_rules(permissions: &Permissions, base: Option<&Path>, source: RuleSource) -> Result<Vec<Rule>, Error> {
    for operation in NAMED {
        for text in named(permissions, operation).unwrap_or_default() {
            // What decides what programs load is never given to anybody.
            let never = operation == Operation::Environment && super::atom::steers(&text);
            if let Err(reason) = Atom::parse(operation, &text, base)
                && !never
            {
                let message = format!("a rule of `denied_permissions` cannot be read: {reason}");
                return Err(Error::new(ErrorKind::InvalidArguments, message)
                    .with_help("correct it: a rule that denies nothing would let through what it was meant for"));
            }
        }
    }
    Ok(rules(permissions, base, source))
}

/// Permissions as rules. What cannot be read allows nothing.
pub(crate) fn rules(permissions: &Permissions, base: Option<&Path>, source: RuleSource) -> Vec<Rule> {
    let mut all = Vec::new();
    for operation in NAMED {
        let texts = named(permissions, operation).unwrap_or_default();
        let atoms = texts.iter().filter_map(|text| Atom::parse(operation, text, base).ok());
        all.extend(atoms.map(|atom| Rule { operation, atom, source }));
    }
    all
}

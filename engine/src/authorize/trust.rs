//! Whose word stands behind a skill.

use super::digest::{self, Pin};
use super::policy::RuleSource;
use super::{Decided, Deciding};
use crate::plan::Step;
use crate::{Body, Engine, Plan, Scope, Skill};
use skills_core::{Answer, Decision, DecisionScope, Failure, Language, Operation, Question, Reply};
use std::path::PathBuf;

/// Which skills run with the trust that the host program itself has. Bundled ones and those of its own sources always do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// What the host program names: code and paths that it gives, and skills of the user's and of its own folders. Skills
    /// of a project have to be decided on.
    #[default]
    Host,
    /// Nothing but what was decided on: as in the command. Code that is given directly is confined too.
    Decided,
    /// Every skill that is found. For a program that runs only what it was shipped with.
    Everything,
}

/// How a skill stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Whether it may run in process, with what policy gives.
    pub(crate) trusted: bool,
    /// Whether it is code that a person typed: theirs, and confined all the same.
    pub(crate) typed: bool,
    /// Whether it must not run at all.
    pub(crate) refused: bool,
    /// Whether it is another than the one that was trusted.
    pub(crate) changed: bool,
    pub(crate) source: RuleSource,
    pub(crate) rule: String,
    pub(crate) file: PathBuf,
    /// What it is trusted as, where that depends on what it is.
    pub(crate) pin: Option<Pin>,
}

impl Standing {
    fn new(skill: &Skill, trusted: bool, source: RuleSource, rule: impl Into<String>) -> Standing {
        let file = PathBuf::from(&skill.file);
        Standing { trusted, typed: false, refused: false, changed: false, source, rule: rule.into(), file, pin: None }
    }

    /// What a person says to trust it.
    pub(crate) fn grant_command(&self) -> String {
        format!("skills trust grant {}", shell_words::quote(&self.file.to_string_lossy()))
    }
}

/// How the skill of a plan stands; asks where nobody has decided yet.
///
/// # Errors
/// `unavailable` where the decisions cannot be read or kept.
pub(crate) fn standing(plan: &Plan, deciding: &Deciding<'_>) -> Result<Standing, Failure> {
    let skill = &plan.skill;
    let given = match deciding.trust {
        _ if skill.scope == Scope::Bundled => Some("it is bundled"),
        _ if skill.scope == Scope::Host => Some("the host program gives it"),
        Trust::Everything => Some("the host trusts every skill"),
        Trust::Decided if skill.typed => {
            let rule = "a person gave this code";
            return Ok(Standing { typed: true, ..Standing::new(skill, true, RuleSource::Person, rule) });
        }
        Trust::Host if skill.scope != Scope::Project => Some("the host names it"),
        _ => None,
    };
    if let Some(rule) = given {
        return Ok(Standing::new(skill, true, RuleSource::Host, rule));
    }
    let known = deciding.known(skill, Operation::Run, "", &plan.arguments)?;
    match known {
        Decided::Denied(rule) => {
            return Ok(Standing { refused: true, ..Standing::new(skill, false, RuleSource::Decision, rule) });
        }
        Decided::Allowed(rule, pin) => {
            return Ok(Standing { pin: Some(pin), ..Standing::new(skill, true, RuleSource::Decision, rule) });
        }
        Decided::Changed | Decided::Nothing => {}
    }
    let changed = matches!(known, Decided::Changed);
    let why = match changed {
        true => "it has changed since it was trusted",
        false => "nobody has decided yet whether to trust it",
    };
    if deciding.yes {
        return Ok(Standing {
            changed,
            ..Standing::new(skill, true, RuleSource::Flag, "an option of this run says yes to all")
        });
    }
    // Text alone does nothing.
    if matches!(plan.step, Step::Prompt(_)) {
        return Ok(Standing { changed, ..Standing::new(skill, false, RuleSource::Nothing, why) });
    }
    let Some((reply, digest)) = deciding.ask(plan, Operation::Run, &[], why)? else {
        return Ok(Standing { changed, ..Standing::new(skill, false, RuleSource::Nothing, why) });
    };
    let allowed = matches!(reply.answer, Answer::Once | Answer::Always(_));
    let rule = if allowed { "a person trusts it" } else { "a person said no" };
    // What cannot be told apart from what it becomes has no digest.
    let pin = Some(digest).filter(|digest| allowed && !digest.is_empty()).map(Pin::Skill);
    Ok(Standing { changed, refused: !allowed, pin, ..Standing::new(skill, allowed, RuleSource::Person, rule) })
}

/// What a person is asked about a plan.
pub(crate) fn question(plan: &Plan, operation: Operation, names: &[String], why: &str) -> Question {
    let skill = &plan.skill;
    // What cannot be told apart from what it becomes cannot be remembered.
    let digest = digest::of_skill(skill).ok();
    let scopes = match (&digest, skill.typed) {
        (Some(_), false) => vec![DecisionScope::Call, DecisionScope::Skill, DecisionScope::Folder],
        _ => Vec::new(),
    };
    Question {
        operation,
        names: names.to_vec(),
        skill: skill.qualified_name(),
        file: skill.file.clone(),
        runs: runs(plan),
        means: if operation == Operation::Run { means(skill) } else { "" }.to_owned(),
        capabilities: plan.capabilities.iter().map(ToString::to_string).collect(),
        why: why.to_owned(),
        digest: digest.unwrap_or_default(),
        scopes,
        correlation_id: plan.correlation_id().to_owned(),
    }
}

/// What a plan runs, for a person.
fn runs(plan: &Plan) -> String {
    match (&plan.step, &plan.skill.body) {
        (Step::Script(script), _) => format!("{}: {}", script.language, script.file),
        (Step::Program(invocation), _) if invocation.script.is_none() => {
            shell_words::join(std::iter::once(&invocation.program).chain(&invocation.arguments))
        }
        (Step::Program(_), body) => match body {
            Body::Inline { script } => format!("{}: {}", script.language, script.file),
            _ => format!("bash: {}", plan.skill.file),
        },
        (Step::Prompt(_), _) => "nothing: it is a prompt".to_owned(),
    }
}

/// What it means to trust a skill: the rights that its code has from then on.
fn means(skill: &Skill) -> &'static str {
    let confined = skill.permissions.sandbox == Some(true);
    match &skill.body {
        Body::Inline { script } if script.language == Language::Python && !confined => {
            "its Python code runs with your own rights: whatever you may read, write, start or reach, it may"
        }
        Body::Inline { script } if script.language != Language::Bash && !confined => {
            "its code runs in this process, and reaches what it asks for"
        }
        Body::Inline { .. } | Body::Command(_) => "it runs confined, and reaches what it asks for",
        _ => "",
    }
}

impl Engine {
    /// What it means to trust a skill, for a person: the rights that its code has from then on.
    pub fn trust_means(&self, skill: &Skill) -> &'static str {
        means(skill)
    }
}

/// The folder that a decision for a folder is about: the one that holds the skill, or the folder of the skill.
fn folder(skill: &Skill) -> PathBuf {
    let file = digest::place(skill);
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    let own = file.file_name().is_some_and(|name| name == "SKILL.md") || file.file_stem() == folder.file_name();
    match folder.parent() {
        Some(outer) if own => outer.to_owned(),
        _ => folder,
    }
}

/// Decisions to keep, one for each name.
///
/// # Errors
/// `unavailable` where what they hold for cannot be told.
pub(crate) fn decisions(
    plan: &Plan,
    operation: Operation,
    names: &[String],
    reply: &Reply,
    now: u64,
) -> Result<Vec<Decision>, Failure> {
    let (allowed, scope) = match reply.answer {
        Answer::Always(scope) => (true, scope),
        Answer::Never(scope) => (false, scope),
        _ => return Ok(Vec::new()),
    };
    let mut names = names.to_vec();
    if names.is_empty() {
        names.push(String::new());
    }
    let mut all = Vec::new();
    for name in names {
        all.push(decision(&plan.skill, operation, name, (allowed, scope), now).map(|decision| Decision {
            call: (scope == DecisionScope::Call).then(|| call(plan)),
            reason: reply.reason.clone(),
            ..decision
        })?);
    }
    Ok(all)
}

/// One decision about a skill.
///
/// # Errors
/// As [`decisions`].
pub(crate) fn decision(
    skill: &Skill,
    operation: Operation,
    name: String,
    (allowed, scope): (bool, DecisionScope),
    at: u64,
) -> Result<Decision, Failure> {
    let (place, digest) = match scope {
        DecisionScope::Folder => {
            let folder = folder(skill);
            let digest = if allowed { digest::of_folder(&folder, true)? } else { String::new() };
            (folder, digest)
        }
        _ if !allowed => (digest::place(skill), String::new()),
        _ => (digest::place(skill), digest::of_skill(skill)?),
    };
    Ok(Decision { operation, name, allowed, scope, place, digest, call: None, reason: None, at })
}

/// The digest of a plan's arguments.
pub(crate) fn call(plan: &Plan) -> String {
    digest::of_text(&serde_json::Value::Object(plan.arguments.clone()).to_string())
}

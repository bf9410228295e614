//! The decision whether a plan may run, where, and with what.
//!
//! What a run gets is what its skill asks for ∩ what the configuration and the host program allow. What they leave open is
//! left to a person: an option of the run, a decision made before, or an answer now. What is denied stays denied.

pub(crate) mod ask;
mod atom;
mod attenuate;
mod capabilities;
mod danger;
mod decisions;
pub(crate) mod digest;
pub(crate) mod policy;
mod reading;
mod tier;
pub(crate) mod trust;

#[cfg(test)]
mod tests;

pub use policy::RuleSource;
pub use trust::Trust;

pub(crate) use ask::{Decided, Deciding};
pub(crate) use attenuate::exceeding;
pub(crate) use policy::Policy;
pub(crate) use reading::Reading;

use crate::modules::Modules;
use crate::plan::Step;
use crate::tiers::Caps;
use crate::{Cancel, CapabilityRequest, Error, Isolation, Plan, tiers};
use capabilities::{Item, Judge, Verdict};
use digest::Pin;
use serde::Serialize;
use skills_core::{Answer, ErrorKind, Failure, Grants, Limits, Operation};
use std::path::Path;
use trust::Standing;

/// Why something is allowed or not: one rule that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// What was asked for.
    pub request: CapabilityRequest,
    /// Whether it is granted.
    pub granted: bool,
    /// Where the rule stands.
    pub source: RuleSource,
    /// The rule, for a person.
    pub rule: String,
}

/// Whose word stands behind a skill, and where it runs therefore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TrustReport {
    /// Whether it is trusted.
    pub trusted: bool,
    /// Where the rule stands.
    pub source: RuleSource,
    /// The rule, for a person.
    pub rule: String,
    /// Whether it is another than the one that was trusted before.
    pub changed: bool,
    /// Why it runs in its tier; `None` where it does not run.
    pub isolation: Option<String>,
}

/// What was decided about a plan, whether it may run or not: `skills policy check` prints it.
#[derive(Debug, Clone)]
pub struct Judgement {
    plan: Plan,
    grants: Grants,
    trust: TrustReport,
    evidence: Vec<Evidence>,
    warnings: Vec<String>,
    refusal: Option<Failure>,
    pin: Option<Pin>,
}

impl Judgement {
    /// The plan, in the tier that was decided.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether it is trusted.
    pub fn trust(&self) -> &TrustReport {
        &self.trust
    }

    /// The rules that matched, one for each thing asked for.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// What a person should know before it runs.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Why it may not run; `None` where it may.
    pub fn refusal(&self) -> Option<Error> {
        self.refusal.clone().map(Error::from)
    }
}

/// A plan with the decision that allowed it. Only [`Engine::authorize`](crate::Engine::authorize) makes one, and only one of these can be run.
#[derive(Debug, Clone)]
pub struct AuthorizedPlan {
    plan: Plan,
    grants: Grants,
    trust: TrustReport,
    evidence: Vec<Evidence>,
    warnings: Vec<String>,
    pin: Option<Pin>,
    reading: Reading,
}

impl AuthorizedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was granted.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Fails where the skill is no longer what was decided on. For whoever is about to start what the plan is for.
    pub(crate) fn verify(&self) -> Result<(), Failure> {
        self.pin.as_ref().map_or(Ok(()), |pin| pin.check(&self.plan.skill))
    }

    pub(crate) fn into_parts(self) -> (Plan, Grants, Modules) {
        let modules = self.modules();
        (self.plan, self.grants, modules)
    }

    /// What its script may import.
    pub(crate) fn modules(&self) -> Modules {
        Modules::new(&self.plan, self.pin.clone(), self.reading.clone())
    }

    /// What the skills that it calls may have at most: what it has itself, where it is not trusted, or is so only because the
    /// person says yes to whatever it asks for.
    pub(crate) fn confines(&self) -> Option<Grants> {
        (!self.trust.trusted || self.trust.source == RuleSource::Flag).then(|| self.grants.clone())
    }

    /// The same decision for something else that is done in the session that it opened: with another script, where `step`
    /// gives one, other limits, and a name and an end of its own.
    ///
    /// What is decided of code that is typed does not depend on what it says, and what was granted is in the session's reach
    /// anyway: its cage was made of it.
    pub(crate) fn again(
        &self,
        step: Option<Step>,
        limits: Limits,
        (correlation_id, cancel): (String, Option<Cancel>),
    ) -> AuthorizedPlan {
        let mut again = self.clone();
        let plan = &mut again.plan;
        if let Some(step) = step {
            plan.step = step;
            plan.command_line = None;
        }
        plan.limits = limits;
        plan.correlation_id = correlation_id;
        plan.options.cancel = cancel;
        again
    }

    /// Whether it is trusted.
    pub fn trust(&self) -> &TrustReport {
        &self.trust
    }

    /// The rules that matched, one for each thing asked for.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// What a person should know before it runs.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Says whether a tier is there to run a step in.
pub(crate) type Available<'a> = Box<dyn Fn(Isolation, &Step) -> Result<(), Failure> + 'a>;

/// Says what limits are worth where a plan would run. The second says whether it may start programs there.
pub(crate) type Worth<'a> = Box<dyn Fn(&Plan, bool) -> Caps + 'a>;

/// What a decision is made from, beside the plan.
pub(crate) struct Circumstances<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) deciding: Deciding<'a>,
    /// Whether another skill calls it.
    pub(crate) nested: bool,
    /// What the skills that called it have at most, where one of them is not trusted.
    pub(crate) confined_to: Option<&'a Grants>,
    /// Whether a tier is there to run a step in.
    pub(crate) available: Available<'a>,
    /// What limits are worth.
    pub(crate) caps: Worth<'a>,
}

/// Decides, and refuses what may not run.
///
/// # Errors
/// `permission_denied`, with what would allow it; `unavailable` for a tier that is not there, and where decisions cannot
/// be read.
pub(crate) fn authorize(plan: Plan, circumstances: &Circumstances<'_>) -> Result<AuthorizedPlan, Error> {
    let Judgement { plan, grants, trust, evidence, warnings, refusal, pin } = judge(plan, circumstances)?;
    match refusal {
        Some(failure) => Err(failure.into()),
        None => {
            let reading = Reading::of(circumstances.policy);
            Ok(AuthorizedPlan { plan, grants, trust, evidence, warnings, pin, reading })
        }
    }
}

/// Decides.
///
/// # Errors
/// `unavailable` where decisions cannot be read.
pub(crate) fn judge(mut plan: Plan, circumstances: &Circumstances<'_>) -> Result<Judgement, Error> {
    let Circumstances { policy, deciding, .. } = circumstances;
    let standing = trust::standing(&plan, deciding)?;
    let mut warnings = Vec::new();
    let mut refusal = standing.refused.then(|| {
        let message = format!("`{}` may not run: {}", plan.skill.qualified_name(), standing.rule);
        let file = plan.skill.file.clone();
        Failure::new(ErrorKind::PermissionDenied, message)
            .with_help(format!("`skills trust revoke {file}` forgets a decision that was kept"))
    });
    let for_others = circumstances.confined_to.is_some();
    let tier = tier::decide(&plan, &standing, policy.sandbox_off, for_others, &circumstances.available);
    let mut isolation = None;
    match tier {
        Ok(tier) => {
            plan.isolation = tier.isolation;
            isolation = Some(tier.rule);
            warnings.extend(tier.warning);
        }
        Err(failure) => refusal = refusal.or(Some(failure)),
    }
    let mut grants = Grants {
        max_file_size: plan.limits.file_size,
        working_directory: policy.working_directory.clone(),
        call_skills: true,
        ..Grants::default()
    };
    let mut evidence = Vec::new();
    // A prompt is text, and uses nothing.
    if !matches!(plan.step, Step::Prompt(_)) {
        let open = capabilities(&plan, circumstances, &standing, refusal.is_none(), (&mut grants, &mut evidence))?;
        refusal = refusal.or(open);
        if refusal.is_none() && !standing.typed {
            refusal = destructive(&plan, deciding, &standing)?;
        }
        if !standing.trusted && refusal.is_none() {
            refusal = tiers::not_held(&plan, &(circumstances.caps)(&plan, !grants.programs.is_nothing()));
        }
        if !standing.trusted && refusal.is_none() {
            let (name, why) = (plan.skill.qualified_name(), &standing.rule);
            let help = standing.grant_command();
            warnings.push(format!("`{name}` is not trusted ({why}): to trust it, read it, then say `{help}`"));
        }
    }
    if let Some(outer) = circumstances.confined_to {
        attenuate::to(&mut grants, outer);
    }
    let Standing { trusted, source, rule, changed, pin, .. } = standing;
    let trust = match (trusted, circumstances.confined_to) {
        (true, Some(_)) => {
            let rule = "a skill that is not trusted calls it, and it gets no more than that one".to_owned();
            TrustReport { trusted: false, source: RuleSource::Caller, rule, changed, isolation }
        }
        _ => TrustReport { trusted, source, rule, changed, isolation },
    };
    Ok(Judgement { plan, grants, trust, evidence, warnings, refusal, pin })
}

/// Goes through what the skill asks to use. Gives the refusal where something is denied that it cannot do without.
fn capabilities(
    plan: &Plan,
    circumstances: &Circumstances<'_>,
    standing: &Standing,
    may_ask: bool,
    (grants, evidence): (&mut Grants, &mut Vec<Evidence>),
) -> Result<Option<Failure>, Error> {
    let Circumstances { policy, deciding, nested, .. } = circumstances;
    let flags = capabilities::flag_rules(&plan.options.allow, policy);
    let judge = Judge { policy, flags: &flags, trusted: standing.trusted, tier: plan.isolation };
    let items = capabilities::items(&plan.skill, policy, &plan.options.allow, *nested);
    let mut verdicts: Vec<Verdict> = items.iter().map(|item| judge.judge(item)).collect();
    for (item, verdict) in items.iter().zip(&mut verdicts) {
        let decided = match verdict {
            Verdict::Denied { .. } => continue,
            _ if !standing.trusted || standing.typed => Decided::Nothing,
            _ => deciding.known(&plan.skill, item.operation, &item.decided(policy), &plan.arguments)?,
        };
        match (decided, &*verdict) {
            (Decided::Denied(rule), _) => *verdict = Verdict::Denied { source: RuleSource::Decision, rule },
            (Decided::Allowed(rule, _), Verdict::Open { atoms, .. }) => {
                *verdict = Verdict::Granted { atoms: atoms.clone(), source: RuleSource::Decision, rule };
            }
            (_, Verdict::Open { atoms, .. }) if deciding.yes && item.explicit => {
                let rule = "an option of this run says yes to all".to_owned();
                *verdict = Verdict::Granted { atoms: atoms.clone(), source: RuleSource::Flag, rule };
            }
            _ => {}
        }
    }
    if may_ask && standing.trusted {
        ask_for_open(plan, circumstances, &items, &mut verdicts)?;
    }
    let mut missing: Vec<(&Item, &Verdict)> = Vec::new();
    for (item, verdict) in items.iter().zip(&verdicts) {
        if let Verdict::Granted { atoms, .. } = verdict {
            capabilities::add(grants, item.operation, atoms);
        } else if item.explicit && is_needed(item, verdict, policy, standing) {
            missing.push((item, verdict));
        }
        evidence.push(item.evidence(verdict));
    }
    let mut own = None;
    match (plan.isolation, &plan.step, &plan.skill.folder) {
        (Isolation::Worker, Step::Script(_), Some(folder)) => own_folder(folder, policy, (grants, evidence)),
        (_, Step::Program(_), Some(folder)) => own = in_sight(plan, folder, policy, evidence),
        _ => {}
    }
    Ok(own.or_else(|| refusal(plan, standing, &missing)))
}

/// A program sees its own folder, without which it would not be there. Gives the refusal where that is denied.
fn in_sight(plan: &Plan, folder: &Path, policy: &Policy, evidence: &mut Vec<Evidence>) -> Option<Failure> {
    let folder = atom::resolved(folder);
    if skills_core::is_shared_folder(&folder) {
        return None;
    }
    let atom = atom::Atom::Path(folder);
    let denies = |rule: &&policy::Rule| rule.operation == Operation::FileRead && rule.atom.meet(&atom).is_some();
    let request = CapabilityRequest::FileRead { path: atom.to_string() };
    if let Some(denied) = policy.denied.iter().find(denies) {
        let rule = format!("a rule denies {}", denied.atom);
        let name = plan.skill.qualified_name();
        let message = format!("`{name}` is a program that sees its own folder, {atom}, which is denied: {rule}");
        evidence.push(Evidence { request, granted: false, source: denied.source, rule });
        return Some(
            Failure::new(ErrorKind::PermissionDenied, message)
                .with_help("give it a folder of its own that no rule denies, or any part of"),
        );
    }
    evidence.push(Evidence {
        request,
        granted: true,
        source: RuleSource::Isolation,
        rule: "a confined program sees its own folder".to_owned(),
    });
    None
}

/// A confined script may read its own folder, from which it imports.
fn own_folder(folder: &Path, policy: &Policy, (grants, evidence): (&mut Grants, &mut Vec<Evidence>)) {
    let folder = atom::resolved(folder);
    if skills_core::is_shared_folder(&folder) {
        return;
    }
    let atom = atom::Atom::Path(folder);
    let denies = |rule: &policy::Rule| rule.operation == Operation::FileRead && rule.atom.meet(&atom).is_some();
    if policy.denied.iter().any(denies) || policy.ceiling.leaves(Operation::FileRead, &atom) != [atom.clone()] {
        return;
    }
    capabilities::add(grants, Operation::FileRead, std::slice::from_ref(&atom));
    evidence.push(Evidence {
        request: CapabilityRequest::FileRead { path: atom.to_string() },
        granted: true,
        source: RuleSource::Isolation,
        rule: "a confined script may read its own folder, from which it imports".to_owned(),
    });
}

/// Asks for what nothing speaks of, one question for each kind.
fn ask_for_open(
    plan: &Plan,
    Circumstances { policy, deciding, .. }: &Circumstances<'_>,
    items: &[Item],
    verdicts: &mut [Verdict],
) -> Result<(), Error> {
    for operation in atom::NAMED {
        let open: Vec<usize> = (0..items.len())
            .filter(|at| items[*at].operation == operation && items[*at].explicit)
            .filter(|at| matches!(verdicts[*at], Verdict::Open { .. }))
            .collect();
        let names: Vec<String> = open.iter().map(|at| items[*at].decided(policy)).collect();
        if names.is_empty() {
            continue;
        }
        let Some((reply, _)) = deciding.ask(plan, operation, &names, "no rule allows it")? else { continue };
        for at in open {
            let Verdict::Open { atoms, .. } = &verdicts[at] else { continue };
            let source = RuleSource::Person;
            verdicts[at] = match reply.answer {
                Answer::Once | Answer::Always(_) => {
                    Verdict::Granted { atoms: atoms.clone(), source, rule: "a person allows it".to_owned() }
                }
                _ => Verdict::Denied { source, rule: "a person said no".to_owned() },
            };
        }
    }
    Ok(())
}

/// Whether a run without it is not worth starting: everything dangerous. Reading, writing in the working folder, and
/// variables are met by the script when it tries.
fn is_needed(item: &Item, verdict: &Verdict, policy: &Policy, standing: &Standing) -> bool {
    let inside =
        |atoms: &[atom::Atom]| atoms.iter().all(|atom| policy.is_inside(atom) || capabilities::is_temporary(atom));
    match (item.operation, verdict) {
        (Operation::FileRead, _) => false,
        (Operation::Environment, _) => !standing.trusted,
        (Operation::FileWrite, Verdict::Open { atoms, .. }) => !standing.trusted || !inside(atoms),
        // Relative where there is no working folder.
        (Operation::FileWrite, Verdict::Denied { source: RuleSource::Nothing, .. }) => false,
        _ => true,
    }
}

fn refusal(plan: &Plan, standing: &Standing, missing: &[(&Item, &Verdict)]) -> Option<Failure> {
    let (first, _) = missing.first()?;
    let name = plan.skill.qualified_name();
    let same = missing.iter().filter(|(item, _)| item.operation == first.operation);
    let names: Vec<String> = same.map(|(item, _)| item.text.clone()).collect();
    let phrase = first.operation.phrase(&names);
    let denied = missing.iter().find_map(|(_, verdict)| match verdict {
        Verdict::Denied { rule, .. } => Some(rule),
        _ => None,
    });
    if let Some(rule) = denied {
        let message = format!("`{name}` asks to {phrase}, which is denied: {rule}");
        return Some(Failure::new(ErrorKind::PermissionDenied, message));
    }
    let flags: Vec<String> =
        missing.iter().map(|(item, _)| item.operation.flags(std::slice::from_ref(&item.text))).collect();
    let flags = flags.join(" ");
    let (message, help) = match standing.trusted {
        true => (
            format!("`{name}` asks to {phrase}, which nobody has allowed"),
            format!(
                "`{flags}` allows it for one run, and `security.default_permissions` in the user's own configuration for good"
            ),
        ),
        false => (
            format!("`{name}` is not trusted ({}), and asks to {phrase}", standing.rule),
            format!("read it, then say `{}`; or allow it for one run with `{flags}`", standing.grant_command()),
        ),
    };
    Some(Failure::new(ErrorKind::PermissionDenied, message).with_help(help))
}

/// Asks before something that destroys. Gives the refusal where it may not run.
fn destructive(plan: &Plan, deciding: &Deciding<'_>, standing: &Standing) -> Result<Option<Failure>, Error> {
    let mut open = Vec::new();
    for part in danger::of_step(&plan.step) {
        match deciding.known(&plan.skill, Operation::Destructive, &part, &plan.arguments)? {
            Decided::Allowed(..) if standing.trusted => {}
            _ => open.push(part),
        }
    }
    if open.is_empty() || deciding.yes {
        return Ok(None);
    }
    let reply = deciding.ask(plan, Operation::Destructive, &open, "what it does cannot be undone")?;
    if reply.is_some_and(|(reply, _)| matches!(reply.answer, Answer::Once | Answer::Always(_))) {
        return Ok(None);
    }
    let message = format!("`{}` would run {}, which cannot be undone", plan.skill.qualified_name(), open.join(", "));
    Ok(Some(Failure::new(ErrorKind::PermissionDenied, message).with_help("`--yes` allows it for one run")))
}

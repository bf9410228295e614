//! Where a plan runs.

use super::policy::RuleSource;
use super::trust::Standing;
use crate::plan::Step;
use crate::{Isolation, Plan, Scope};
use skills_core::{ErrorKind, Failure, Language};

/// The tier that was decided, and why.
pub(crate) struct Tier {
    pub(crate) isolation: Isolation,
    pub(crate) rule: String,
    /// What a person should know about it.
    pub(crate) warning: Option<String>,
}

impl Tier {
    fn of(isolation: Isolation, rule: &str) -> Tier {
        Tier { isolation, rule: rule.to_owned(), warning: None }
    }
}

/// The tier of a plan: what its caller asks for, within what its standing allows. `for_others` says that a skill which is not
/// trusted calls it: what that one makes of a trusted skill is not what was trusted, so only bundled ones, which are made
/// for any caller, run in process for it.
///
/// # Errors
/// `permission_denied` where more is asked for than its standing allows; `unavailable` where it needs a tier that is not
/// there.
pub(crate) fn decide(
    plan: &Plan,
    standing: &Standing,
    sandbox_off: bool,
    for_others: bool,
    available: impl Fn(Isolation, &Step) -> Result<(), Failure>,
) -> Result<Tier, Failure> {
    let asked = plan.options.isolation;
    if asked == Some(Isolation::Container) {
        if !matches!(plan.step, Step::Script(_)) {
            return Err(Failure::new(ErrorKind::Unavailable, "only scripts run in containers")
                .with_help("leave the tier out: a program runs confined in a process of its own"));
        }
        return available(Isolation::Container, &plan.step)
            .map(|()| Tier::of(Isolation::Container, "whoever runs it asks for this tier"));
    }
    if matches!(plan.step, Step::Prompt(_)) && asked.is_none() {
        return Ok(Tier::of(Isolation::InProcess, "a prompt is text, and runs nothing"));
    }
    if matches!(plan.step, Step::Program(_)) {
        return Ok(Tier::of(Isolation::Worker, "a program has a confined process of its own"));
    }
    let name = plan.skill.qualified_name();
    let wants_sandbox = plan.skill.permissions.sandbox == Some(true);
    let for_others = for_others && plan.skill.scope != Scope::Bundled;
    // Yes to what it asks for is not yes to all that a person may do, which is what code in process may.
    let only_yes = standing.source == RuleSource::Flag;
    let is_free = standing.trusted && !standing.typed && !only_yes && !for_others;
    let confined = match asked {
        Some(Isolation::InProcess) if (standing.trusted && !for_others) || sandbox_off => {
            return Ok(Tier::of(Isolation::InProcess, "whoever runs it asks for this tier"));
        }
        Some(Isolation::InProcess) => {
            return Err(Failure::new(
                ErrorKind::PermissionDenied,
                format!("`{name}` is not trusted, and does not run in process"),
            )
            .with_help(format!("read it, then say `{}`, or leave the tier out", standing.grant_command())));
        }
        Some(_) => "whoever runs it asks for this tier",
        None if is_free && wants_sandbox => "the skill asks to be confined",
        None if is_free => {
            return Ok(Tier::of(Isolation::InProcess, "the skill is trusted"));
        }
        None if sandbox_off => {
            return Ok(Tier::of(Isolation::InProcess, "the user's configuration turns the sandbox off"));
        }
        None if for_others => "a skill that is not trusted calls it",
        None if standing.typed => "code that a person types is confined",
        None if only_yes => "yes to all allows what it asks for, and not what only trusted skills may",
        None => "the skill is not trusted",
    };
    let Err(missing) = available(Isolation::Worker, &plan.step) else {
        return Ok(Tier::of(Isolation::Worker, confined));
    };
    let language = match &plan.step {
        Step::Script(script) => Some(script.language),
        _ => None,
    };
    match asked {
        Some(_) => Err(missing),
        None if language == Some(Language::Rhai) => Ok(Tier::of(
            Isolation::InProcess,
            "no worker is available here, and Rhai reaches nothing but what it is given",
        )),
        None if is_free => Ok(Tier {
            warning: Some(format!("`{name}` asks to be confined, and runs in process: {}", missing.message)),
            ..Tier::of(Isolation::InProcess, "the skill is trusted, and no worker is available here")
        }),
        None => {
            let what = if standing.typed { "this code".to_owned() } else { format!("`{name}`") };
            let help = match standing.typed {
                true => "`--isolation in-process` runs it with your own rights".to_owned(),
                false => format!(
                    "read it, then say `{}`; `\"security\": {{\"sandbox_enabled\": false}}` in the user's own configuration lets all \
                     such code run in process",
                    standing.grant_command()
                ),
            };
            let message =
                format!("{what} has to be confined ({confined}), which is not possible here: {}", missing.message);
            Err(Failure::new(ErrorKind::Unavailable, message).with_help(help))
        }
    }
}

//! The last step of the data path: an authorized plan becomes an outcome.

use crate::authorize::AuthorizedPlan;
use crate::engine::Inner;
use crate::host::{Printed, RunHost, panic_text};
use crate::outcome::{LimitReport, RunUsage};
use crate::plan::{LIMIT_NAMES, Step};
use crate::{Dialect, Error, Outcome, Plan, RunOptions, prompt, warm};
use serde_json::Value;
use skills_core::{Budget, Enforcement, ErrorKind, Evaluation, Failure, Host, LimitName, Script, Usage};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

impl Inner {
    /// Runs a plan that was allowed. `stack` names the skills that called one another to get here.
    pub(crate) fn execute(
        self: &Arc<Inner>,
        authorized: AuthorizedPlan,
        options: &RunOptions,
        mut stack: Vec<String>,
    ) -> Outcome {
        let (plan, grants) = authorized.into_parts();
        let budget = Budget::new(plan.limits.clone());
        if let Some(cancel) = &options.cancel {
            cancel.attach(&budget);
        }
        let span = tracing::debug_span!("run", skill = %plan.skill.name, correlation_id = %plan.correlation_id);
        let _entered = span.enter();
        stack.push(plan.skill.name.clone());
        let host = Arc::new(RunHost {
            engine: Arc::clone(self),
            table: self.functions(),
            skill: Arc::clone(&plan.skill),
            correlation_id: plan.correlation_id.clone(),
            grants,
            budget: Arc::clone(&budget),
            stack,
            options: options.clone(),
            printed: Mutex::default(),
        });
        let evaluation = match &plan.step {
            Step::Script(script) => self.run_script(script, &plan, &host),
            // The body of a SKILL.md is text for a model, in which braces are just braces.
            Step::Prompt(text) if plan.skill.dialect == Dialect::SkillMd => {
                Evaluation { result: Ok(Value::String(text.clone())), usage: Usage::default() }
            }
            Step::Prompt(template) => {
                let is_parameter = |name: &str| plan.skill.parameters.iter().any(|p| p.name == name);
                let text = prompt::fill(template, &plan.arguments, is_parameter);
                Evaluation { result: Ok(Value::String(text)), usage: Usage::default() }
            }
        };
        let printed = std::mem::take(&mut *host.printed());
        self.outcome(plan, evaluation, &budget, printed)
    }

    fn run_script(self: &Arc<Inner>, script: &Arc<Script>, plan: &Plan, host: &Arc<RunHost>) -> Evaluation {
        let failed = |failure| Evaluation { result: Err(failure), usage: Usage::default() };
        let Some(interpreter) = self.languages.get(script.language) else {
            let have: Vec<_> = self.languages.list().into_iter().map(|language| language.as_str()).collect();
            let message = format!("this build does not run {}", script.language);
            let help = format!("it runs {}", have.join(", "));
            return failed(Failure::new(ErrorKind::Unavailable, message).with_help(help));
        };
        let key = warm::Key {
            engine: self.id,
            functions: Arc::as_ptr(&host.table).addr(),
            language: script.language,
            digest: format!("{}:{}", plan.skill.digest, script.file),
            grants: host.grants.clone(),
            caller: host.options.caller.clone().unwrap_or_default(),
        };
        let as_host: Arc<dyn Host> = Arc::clone(host) as Arc<dyn Host>;
        // A panic in a language crate or a host function is a defect, but it must not take the host program along.
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            let mut session = match warm::take(&key) {
                Some(session) => session,
                None => interpreter.open(&as_host)?,
            };
            let params = Value::Object(plan.arguments.clone());
            let evaluation = session.run(script, &params, &as_host);
            Ok((evaluation, session))
        }));
        match attempt {
            Ok(Ok((evaluation, session))) => {
                warm::keep(key, session, crate::engine::is_alive);
                evaluation
            }
            Ok(Err(failure)) => failed(failure),
            Err(panic) => {
                let text = panic_text(&*panic);
                failed(Failure::new(
                    ErrorKind::Crashed,
                    format!("a defect of the engine or of a host function: {text}"),
                ))
            }
        }
    }

    fn outcome(&self, plan: Plan, evaluation: Evaluation, budget: &Budget, printed: Printed) -> Outcome {
        let Evaluation { result, usage } = evaluation;
        let caps = match &plan.step {
            Step::Script(script) => self.caps(script.language),
            Step::Prompt(_) => Arc::default(),
        };
        let millis = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let limits = LIMIT_NAMES.iter().filter_map(|name| {
            let used = match name {
                LimitName::Time => Some(millis(budget.elapsed())),
                LimitName::Wall => Some(millis(budget.wall())),
                LimitName::Memory => usage.peak_memory,
                LimitName::Operations => usage.operations,
                LimitName::Output => Some(budget.output()),
                LimitName::HostCalls => Some(budget.host_calls()),
                _ => None,
            };
            let status = caps.iter().find(|cap| cap.0 == *name).map_or(Enforcement::Enforced, |cap| cap.1);
            Some(LimitReport { name: *name, limit: plan.limits.get(*name)?, used, status })
        });
        Outcome {
            skill: plan.skill.name.clone(),
            version: plan.skill.version.as_ref().map(ToString::to_string),
            result: result.map_err(Error::from),
            stdout: printed.stdout,
            stderr: printed.stderr,
            usage: RunUsage {
                wall: budget.wall(),
                cpu: usage.cpu,
                peak_memory: usage.peak_memory,
                operations: usage.operations,
                host_calls: budget.host_calls(),
            },
            limits: limits.collect(),
            isolation: plan.isolation,
            cached: false,
            correlation_id: plan.correlation_id,
        }
    }
}

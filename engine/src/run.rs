//! The last step of the data path: an authorized plan becomes an outcome.

use crate::authorize::{self, AuthorizedPlan};
use crate::engine::Inner;
use crate::host::{Chain, Printed, RunHost, panic_text};
use crate::modules::Modules;
use crate::outcome::{LimitReport, RunUsage};
use crate::plan::Step;
use crate::session::opening;
use crate::{Dialect, Error, Isolation, Outcome, Plan, RunOptions, Skill, warm};
use serde_json::Value;
use skills_core::{
    Breach, Budget, Enforcement, ErrorKind, Evaluation, Failure, Grants, Host, Interpreter, Language, LimitName,
    OpenSession, Script, Session, Usage, template,
};
use skills_sandbox::remote::Remote;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

impl Inner {
    /// Runs a plan that was allowed. `chain` names the runs that called one another to get here.
    pub(crate) fn execute(self: &Arc<Inner>, authorized: AuthorizedPlan, chain: Chain) -> Outcome {
        if let Err(failure) = authorized.verify() {
            let plan = authorized.plan();
            return self.not_begun(plan, Some(&plan.correlation_id), failure.into());
        }
        let (plan, grants, modules) = authorized.into_parts();
        let span = tracing::debug_span!("run", skill = %plan.skill.name, correlation_id = %plan.correlation_id);
        let _entered = span.enter();
        let host = Arc::new(self.host(&plan, (grants, modules), chain));
        let evaluation = match &plan.step {
            Step::Script(script) => self.run_script(script, &plan, &host),
            Step::Program(invocation) => self.programs.run(invocation, &(Arc::clone(&host) as Arc<dyn Host>)),
            // The body of a SKILL.md is text for a model, in which braces are just braces.
            Step::Prompt(text) if plan.skill.dialect == Dialect::SkillMd => {
                Evaluation { result: Ok(Value::String(text.clone())), usage: Usage::default() }
            }
            Step::Prompt(template) => {
                let names: HashSet<&str> = plan.skill.parameters.iter().map(|p| p.name.as_str()).collect();
                let is_parameter = |name: &str| names.contains(name);
                let most = plan.limits.result;
                let text = template::fill(template, &plan.arguments, is_parameter, most);
                let result = text.map(Value::String).map_err(|reading| {
                    let limit = most.unwrap_or(reading);
                    Failure::breach(Breach { name: LimitName::Result, limit, reading })
                });
                Evaluation { result, usage: Usage::default() }
            }
        };
        self.conclude(plan, evaluation, &host)
    }

    /// The host of a plan that begins to run now.
    pub(crate) fn host(self: &Arc<Inner>, plan: &Plan, (grants, modules): (Grants, Modules), chain: Chain) -> RunHost {
        let budget = Budget::new(plan.limits.clone());
        if let Some(cancel) = &plan.options.cancel {
            cancel.attach(&budget);
        }
        RunHost {
            engine: Arc::clone(self),
            table: self.functions(),
            skill: Arc::clone(&plan.skill),
            correlation_id: plan.correlation_id.clone(),
            grants,
            modules,
            budget,
            chain,
            space: plan.skill.identity(),
            owner: plan.skill.owner(),
            isolation: plan.isolation,
            options: plan.options.clone(),
            printed: Mutex::default(),
            restores: false,
            holds_back: plan.command_line.is_some(),
        }
    }

    /// What became of a plan that ran with a host, without the secrets that it met.
    pub(crate) fn conclude(&self, plan: Plan, evaluation: Evaluation, host: &RunHost) -> Outcome {
        host.finish_output();
        let printed = std::mem::take(&mut *host.printed());
        let redactor = host.chain.vault.redactor();
        let result = evaluation.result.map(|value| redactor.value(value)).map_err(|error| redactor.failure(error));
        let result = result.map_err(|error| place_in_code(error, &plan));
        let mut printed = printed.without_secrets(redactor);
        let result = match host.holds_back {
            true => host.judge_output(&plan, result, &mut printed),
            false => result,
        };
        self.outcome(plan, Evaluation { result, ..evaluation }, host, printed)
    }

    /// The interpreter of a language.
    ///
    /// # Errors
    /// `unavailable` where the build lacks it.
    pub(crate) fn interpreter(&self, language: Language) -> Result<&Arc<dyn Interpreter>, Failure> {
        self.languages.get(language).ok_or_else(|| {
            let have: Vec<_> = self.languages.list().into_iter().map(|language| language.as_str()).collect();
            let message = format!("this build does not run {language}");
            Failure::new(ErrorKind::Unavailable, message).with_help(format!("it runs {}", have.join(", ")))
        })
    }

    /// Opens an interpreter's session where a plan runs.
    ///
    /// # Errors
    /// As [`Interpreter::open`], and what keeps a worker or a container from starting.
    pub(crate) fn open_interpreter(
        &self,
        interpreter: &Arc<dyn Interpreter>,
        isolation: Isolation,
        host: &Arc<RunHost>,
    ) -> Result<Box<dyn Session>, Failure> {
        let as_host: Arc<dyn Host> = Arc::clone(host) as Arc<dyn Host>;
        match isolation {
            Isolation::InProcess => interpreter.open(&as_host),
            Isolation::Container => self.workers.open_in_container(interpreter, &as_host),
            Isolation::Worker => {
                let remote = Remote::new(Arc::clone(self.workers.get()?), Arc::clone(interpreter));
                remote.open_for(&as_host, !host.chain.skills.is_empty())
            }
        }
    }

    /// The same for a session that is going to live: how many of those there are is bounded by itself.
    ///
    /// # Errors
    /// As [`Inner::open_interpreter`].
    pub(crate) fn open_living(
        &self,
        interpreter: &Arc<dyn Interpreter>,
        isolation: Isolation,
        host: &Arc<RunHost>,
    ) -> Result<OpenSession, Failure> {
        if isolation != Isolation::Worker {
            return self.open_interpreter(interpreter, isolation, host).map(OpenSession::Here);
        }
        let remote = Remote::new(Arc::clone(self.workers.get()?), Arc::clone(interpreter));
        remote.open_living(&(Arc::clone(host) as Arc<dyn Host>)).map(OpenSession::Anywhere)
    }

    /// Opens what keeps the state of a session: an interpreter, or a program.
    ///
    /// # Errors
    /// As [`Inner::open_living`], and what keeps a program from starting.
    pub(crate) fn open_session(
        &self,
        plan: &Plan,
        language: Language,
        host: &Arc<RunHost>,
    ) -> Result<OpenSession, Failure> {
        match &plan.step {
            Step::Program(invocation) => {
                self.programs.open(invocation, &(Arc::clone(host) as Arc<dyn Host>)).map(OpenSession::Here)
            }
            _ => self.open_living(self.interpreter(language)?, plan.isolation, host),
        }
    }

    fn run_script(self: &Arc<Inner>, script: &Arc<Script>, plan: &Plan, host: &Arc<RunHost>) -> Evaluation {
        let failed = |failure| Evaluation { result: Err(failure), usage: Usage::default() };
        let interpreter = match self.interpreter(script.language) {
            Ok(interpreter) => interpreter,
            Err(failure) => return failed(failure),
        };
        let key = warm::Key {
            engine: self.id,
            functions: host.table.version(),
            language: script.language,
            digest: format!("{}:{}", plan.skill.digest, script.file),
            grants: host.grants.clone(),
            caller: host.options.caller.clone().unwrap_or_default(),
        };
        let as_host: Arc<dyn Host> = Arc::clone(host) as Arc<dyn Host>;
        // A worker serves one run, and a session of one call is over with it.
        let once = plan.isolation != Isolation::InProcess || plan.command_line.is_some();
        // A panic in a language crate or a host function is a defect, but it must not take the host program along.
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            let kept = if once { None } else { warm::take(&key) };
            let mut session = match kept {
                Some((session, seen)) => {
                    host.chain.vault.remember(&seen);
                    session
                }
                None => self.open_interpreter(interpreter, plan.isolation, host)?,
            };
            let params = Value::Object(plan.arguments.clone());
            let evaluation = match &plan.command_line {
                Some(line) => opening::run(&mut *session, script, (&params, line), &as_host),
                None => session.run(script, &params, &as_host),
            };
            Ok((evaluation, session))
        }));
        match attempt {
            Ok(Ok((evaluation, session))) => {
                if !once {
                    warm::keep(key, session, host.chain.vault.seen(), crate::engine::is_alive);
                }
                evaluation
            }
            Ok(Err(failure)) => failed(failure),
            Err(panic) => failed(defect(&*panic)),
        }
    }

    /// The outcome of a plan that did not begin to run.
    pub(crate) fn not_begun(&self, plan: &Plan, correlation_id: Option<&str>, error: Error) -> Outcome {
        let correlation_id = correlation_id.map_or_else(|| self.next_id(), str::to_owned);
        let options = RunOptions { correlation_id: Some(correlation_id), ..RunOptions::default() };
        Outcome {
            version: plan.skill.version.as_ref().map(ToString::to_string),
            limits: self.reports(plan, false, |_| None),
            isolation: plan.isolation,
            ..Outcome::failed(&plan.skill.name, &options, error)
        }
    }

    /// The outcome of a run that came to no plan: with its limits and its tier, as far as they can be told without arguments.
    pub(crate) fn not_planned(self: &Arc<Inner>, skill: &Arc<Skill>, options: &RunOptions, error: Error) -> Outcome {
        let chain = Chain::default();
        let plan = self.lay_out(skill, options);
        let judged = plan.and_then(|plan| authorize::judge(plan, &self.circumstances(options, &chain, false)));
        match judged {
            Ok(judgement) => self.not_begun(judgement.plan(), options.correlation_id.as_deref(), error),
            Err(_) => Outcome {
                version: skill.version.as_ref().map(ToString::to_string),
                ..Outcome::failed(&skill.name, options, error)
            },
        }
    }

    /// The limits of a plan, with what was used and how far each holds where it starts programs, or does not.
    fn reports(&self, plan: &Plan, starts: bool, used: impl Fn(LimitName) -> Option<u64>) -> Vec<LimitReport> {
        let caps = self.caps(plan, starts);
        // Text runs nothing that could go beyond a limit.
        let otherwise = match &plan.step {
            Step::Prompt(_) => Enforcement::Enforced,
            _ => Enforcement::Unavailable,
        };
        let report = |name: &LimitName| {
            let status = caps.iter().find(|cap| cap.name == *name).map_or(otherwise, |cap| cap.status);
            Some(LimitReport { name: *name, limit: plan.limit(*name)?, used: used(*name), status })
        };
        LimitName::ALL.iter().filter_map(report).collect()
    }

    fn outcome(&self, plan: Plan, evaluation: Evaluation, host: &RunHost, printed: Printed) -> Outcome {
        let Evaluation { result, mut usage } = evaluation;
        let budget = &host.budget;
        let starts = !host.grants.programs.is_nothing();
        let called = budget.called_operations();
        usage.operations = usage.operations.or((called > 0).then_some(0)).map(|own| own.saturating_add(called));
        let millis = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let limits = self.reports(&plan, starts, |name| match name {
            LimitName::Time => Some(millis(budget.elapsed())),
            LimitName::Wall => Some(millis(budget.wall())),
            LimitName::Memory => usage.peak_memory,
            LimitName::Operations => usage.operations,
            LimitName::Output => Some(budget.output()),
            LimitName::HostCalls => Some(budget.host_calls()),
            LimitName::CpuPercent => usage.cpu.map(|cpu| share(cpu, budget.wall())),
            _ => None,
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
            limits,
            isolation: plan.isolation,
            cached: false,
            correlation_id: plan.correlation_id,
            shown: None,
            lost: Vec::new(),
        }
    }
}

/// Names the code in a definition in frames that lie in it: their lines are those of the code, and not of the file.
fn place_in_code(mut failure: Failure, plan: &Plan) -> Failure {
    let script = match &plan.step {
        Step::Script(script) => Some(script),
        Step::Program(invocation) => invocation.script.as_ref(),
        Step::Prompt(_) => None,
    };
    let file = &plan.skill.file;
    if !plan.skill.typed && script.is_some_and(|script| script.file == *file) {
        for frame in failure.frames.iter_mut().filter(|frame| frame.file == *file) {
            frame.file.push_str("#code");
        }
    }
    failure
}

/// The failure of a panic in a language crate or in a host function.
pub(crate) fn defect(panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic_text(panic);
    Failure::new(ErrorKind::Crashed, format!("a defect of the engine or of a host function: {text}"))
}

/// Processor time as a share of wall time, in percent, rounded.
fn share(cpu: std::time::Duration, wall: std::time::Duration) -> u64 {
    (cpu.as_secs_f64() * 100.0 / wall.as_secs_f64().max(1e-9)).round() as u64
}

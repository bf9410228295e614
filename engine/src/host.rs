//! The host as one running script sees it.

use crate::engine::Inner;
use crate::modules::Modules;
use crate::secrets::{Flow, Redactor, Vault};
use crate::{Error, Isolation, Plan, RunOptions, Skill};
use serde_json::Value;
use skills_core::value::{MAX_DEPTH, depth};
use skills_core::{
    Arguments, Breach, Budget, CallContext, ErrorKind, Event, EventSink as _, Failure, FunctionSpec, Grants, Host,
    HostFunction, LimitName, Limits, LogLevel, PauseGuard, Script, SkillCaller, Stream,
};
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How deep skills may call one another.
pub(crate) const MAX_CALL_DEPTH: usize = 16;

/// The functions that scripts can call, in a fixed order, with their specs side by side.
pub(crate) struct FunctionTable {
    functions: Vec<Arc<dyn HostFunction>>,
    specs: Arc<[FunctionSpec]>,
    /// From here on they are the host program's own.
    own: usize,
    /// Tells this table from every other of the process.
    version: u64,
}

impl FunctionTable {
    /// The standard functions.
    pub(crate) fn standard() -> FunctionTable {
        let functions = skills_stdlib::functions();
        let own = functions.len();
        FunctionTable::of(functions, own)
    }

    fn of(functions: Vec<Arc<dyn HostFunction>>, own: usize) -> FunctionTable {
        let specs = functions.iter().map(|function| function.spec().clone()).collect();
        static NEXT: AtomicU64 = AtomicU64::new(0);
        FunctionTable { functions, specs, own, version: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The table with one more function of the host program's.
    ///
    /// # Errors
    /// `invalid_arguments` where the name is taken, or means something in a language.
    pub(crate) fn with(&self, function: Arc<dyn HostFunction>) -> Result<FunctionTable, Error> {
        let name = &function.spec().name;
        crate::function::check_name(name)?;
        let domain = |spec: &FunctionSpec| spec.name.split('.').next() == name.split('.').next();
        if let Some(taken) = self.specs.iter().find(|spec| spec.name == *name || domain(spec)) {
            let message = format!("`skill.{name}` clashes with `skill.{}`", taken.name);
            return Err(Error::new(ErrorKind::InvalidArguments, message).with_help("choose another name"));
        }
        let mut functions = self.functions.clone();
        functions.push(function);
        Ok(FunctionTable::of(functions, self.own))
    }

    /// Tells this table from every other of the process.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// What the functions look like.
    pub(crate) fn specs(&self) -> &Arc<[FunctionSpec]> {
        &self.specs
    }
}

/// What a script printed, as it came.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What of them is held back, because it may be the start of a secret.
    flows: [Flow; 2],
}

impl Printed {
    /// Adds what is ready of a text, at most as much as the limit leaves room for, and gives it.
    fn take<'a>(&mut self, stream: Stream, text: &'a str, vault: &Vault, most: Option<u64>) -> Cow<'a, str> {
        match self.flows[stream as usize].push(text, vault.redactor()) {
            Cow::Borrowed(ready) => {
                self.add(stream, ready, None);
                Cow::Borrowed(ready)
            }
            Cow::Owned(ready) => Cow::Owned(self.add(stream, &ready, most).to_owned()),
        }
    }

    /// Once more as a whole: what was printed before a secret was fetched may hold it too.
    pub(crate) fn without_secrets(mut self, redactor: &Redactor) -> Printed {
        self.stdout = redactor.owned(self.stdout);
        self.stderr = redactor.owned(self.stderr);
        self
    }

    fn finish(&mut self, stream: Stream, vault: &Vault, most: Option<u64>) -> String {
        let rest = self.flows[stream as usize].finish(vault.redactor());
        self.add(stream, &rest, most).to_owned()
    }

    /// What stands for a secret may be longer than the secret, and has to fit all the same.
    fn add<'a>(&mut self, stream: Stream, text: &'a str, most: Option<u64>) -> &'a str {
        let has = (self.stdout.len() + self.stderr.len()) as u64;
        let fits = most.map_or(text, |most| cut(text, most.saturating_sub(has)));
        match stream {
            Stream::Stdout => self.stdout.push_str(fits),
            Stream::Stderr => self.stderr.push_str(fits),
        }
        fits
    }
}

/// The runs that called one another to get to a run.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    /// Their skills, the outermost first.
    pub(crate) skills: Vec<String>,
    /// Their budgets, in the same order.
    pub(crate) budgets: Vec<Arc<Budget>>,
    /// What the last of them had left when it called; `None` where nobody did.
    pub(crate) left: Option<Limits>,
    /// The secrets that any of them met.
    pub(crate) vault: Arc<Vault>,
    /// What all below may have at most, where one of them is not trusted: what it may not do itself it may not have done.
    pub(crate) confined_to: Option<Grants>,
}

/// One run's host.
pub(crate) struct RunHost {
    pub(crate) engine: Arc<Inner>,
    pub(crate) table: Arc<FunctionTable>,
    pub(crate) skill: Arc<Skill>,
    pub(crate) correlation_id: String,
    pub(crate) grants: Grants,
    /// What its script may import.
    pub(crate) modules: Modules,
    pub(crate) budget: Arc<Budget>,
    /// What this run was called from.
    pub(crate) chain: Chain,
    /// Whose state it sees.
    pub(crate) space: String,
    /// Whose sessions it reaches.
    pub(crate) owner: String,
    /// Where it runs.
    pub(crate) isolation: Isolation,
    pub(crate) options: RunOptions,
    pub(crate) printed: Mutex<Printed>,
    /// Whether what runs is what a namespace says of how it is restored: whoever wrote that reaches nothing of the host.
    pub(crate) restores: bool,
    /// Whether what it prints may be its value, as that of a program is, and waits for the end.
    pub(crate) holds_back: bool,
}

impl RunHost {
    pub(crate) fn printed(&self) -> MutexGuard<'_, Printed> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn context(&self) -> CallContext<'_> {
        CallContext {
            skill: &self.skill.name,
            space: &self.space,
            correlation_id: &self.correlation_id,
            grants: &self.grants,
            state: self,
            events: self,
            secrets: self,
            variables: self,
            skills: self,
            sessions: self,
            budget: &self.budget,
        }
    }

    /// Stops the execution clock of this run and of all that wait for it.
    fn pause(&self) -> Vec<PauseGuard<'_>> {
        self.chain.budgets.iter().chain([&self.budget]).map(|budget| budget.pause()).collect()
    }

    /// Keeps what fits of a text under the output limit, without secrets, and gives what is ready of it.
    pub(crate) fn keep<'a>(&self, stream: Stream, text: &'a str) -> (Cow<'a, str>, Result<(), Failure>) {
        let before = self.budget.output();
        let result = self.budget.charge_output(text.len() as u64);
        let fits = match (&result, self.budget.limits().output) {
            (Ok(()), _) | (_, None) => text,
            (Err(_), Some(allowed)) => cut(text, allowed.saturating_sub(before)),
        };
        let ready = self.printed().take(stream, fits, &self.chain.vault, self.budget.limits().output);
        (ready, result)
    }

    /// Gives out what was held back of the output.
    pub(crate) fn finish_output(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = self.printed().finish(stream, &self.chain.vault, self.budget.limits().output);
            self.report_output(stream, rest);
        }
    }

    /// Takes what was printed for the value, where there is no other; else gives it out.
    pub(crate) fn judge_output(
        &self,
        plan: &Plan,
        result: Result<Value, Failure>,
        printed: &mut Printed,
    ) -> Result<Value, Failure> {
        let stdout = std::mem::take(&mut printed.stdout);
        match result {
            Ok(Value::Null) if !stdout.is_empty() => {
                plan.skill.output.value(&plan.skill.name, stdout.as_bytes(), plan.limits.result)
            }
            result => {
                let event = Event::Output { stream: Stream::Stdout, text: stdout.clone() };
                if !stdout.is_empty() {
                    self.engine.events.event(&self.skill.name, &self.correlation_id, &event);
                }
                printed.stdout = stdout;
                result
            }
        }
    }

    fn report_output(&self, stream: Stream, text: String) {
        let held = self.holds_back && stream == Stream::Stdout;
        if !text.is_empty() && !held {
            self.engine.events.event(&self.skill.name, &self.correlation_id, &Event::Output { stream, text });
        }
    }
}

impl Host for RunHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        &self.table.specs
    }

    fn is_global(&self, index: usize) -> bool {
        index >= self.table.own
    }

    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.budget.charge_host_call()?;
        let function = (self.table.functions.get(index))
            .ok_or_else(|| Failure::new(ErrorKind::Internal, format!("there is no host function {index}")))?;
        let spec = &self.table.specs[index];
        if self.restores {
            let message = format!("skill.{} is not there while a session is restored", spec.name);
            return Err(Failure::new(ErrorKind::PermissionDenied, message)
                .with_help("call it in an evaluation, and not in what says how a value is restored"));
        }
        // What the host program does is not the script's time. What the engine does for a script is, called skills too.
        let _pause = self.is_global(index).then(|| self.pause());
        let arguments = spec.bind(arguments)?;
        if arguments.iter().any(|argument| depth(argument) > MAX_DEPTH) {
            let message = format!("an argument of skill.{} is nested deeper than {MAX_DEPTH} levels", spec.name);
            return Err(Failure::new(ErrorKind::InvalidArguments, message));
        }
        // A panic must not unwind through an interpreter written in another language.
        catch_unwind(AssertUnwindSafe(|| function.call(&self.context(), arguments))).unwrap_or_else(|panic| {
            let text = panic_text(&*panic);
            Err(Failure::new(ErrorKind::Crashed, format!("the host function skill.{} panicked: {text}", spec.name)))
        })
    }

    fn module(&self, path: &str) -> Result<Script, Failure> {
        self.modules.read(path)
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        let (ready, result) = self.keep(stream, text);
        self.report_output(stream, ready.into_owned());
        result
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        &self.grants
    }

    fn refused(&self, what: &str) {
        let event = Event::Log { level: LogLevel::Warn, message: what.to_owned() };
        self.event(&self.skill.name, &self.correlation_id, &event);
    }

    fn environment(&self) -> Vec<(String, String)> {
        let set = |name: &String| Some((name.clone(), self.engine.variables.variable(name)?));
        self.grants.environment.iter().filter_map(set).collect()
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    (panic.downcast_ref::<&str>().copied())
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// The longest start of a text that has at most `most` bytes and ends on a character.
fn cut(text: &str, most: u64) -> &str {
    let mut end = usize::try_from(most).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

impl SkillCaller for RunHost {
    fn call_skill(&self, name: &str, arguments: Value) -> Result<Value, Failure> {
        if self.chain.skills.len() + 1 >= MAX_CALL_DEPTH {
            let chain = self.chain.skills.join(" → ");
            let message = format!(
                "skills call one another more than {MAX_CALL_DEPTH} deep: {chain} → {} → {name}",
                self.skill.name
            );
            let most = MAX_CALL_DEPTH as u64;
            let breach = Breach { name: LimitName::Recursion, limit: most, reading: most + 1 };
            return Err(Failure { limit: Some(breach), ..Failure::new(ErrorKind::RecursionLimit, message) });
        }
        // Names only: what a script may run must not depend on what files it can guess or write.
        let skill =
            self.engine.catalog().load_named(name, self.skill.scope).map_err(|error| error.failure().clone())?;
        let mut options = RunOptions::default();
        options.isolation = self.options.isolation;
        options.allow = self.options.allow.clone();
        options.yes = self.options.yes;
        options.cancel = self.options.cancel.clone();
        options.correlation_id = Some(self.correlation_id.clone());
        // State that is kept warm belongs to the whole way here, not just to the skill that calls.
        let outer = self.options.caller.as_deref().unwrap_or_default();
        options.caller = Some(format!("{outer}\0{}", self.skill.name));
        let mut chain = self.chain.clone();
        chain.skills.push(self.skill.name.clone());
        chain.budgets.push(Arc::clone(&self.budget));
        let left = self.budget.left();
        chain.left = Some(left.clone());
        let outcome =
            self.engine.run_nested(&skill, arguments, &options, chain).map_err(|error| error.failure().clone())?;
        self.budget.charge_called(outcome.usage.host_calls, outcome.usage.operations.unwrap_or(0));
        // Already reported as events by the run itself; here it joins the caller's output, under its cap.
        self.keep(Stream::Stdout, &outcome.stdout).1?;
        self.keep(Stream::Stderr, &outcome.stderr).1?;
        outcome.result.map_err(|error| {
            let mut failure = error.failure().clone();
            if let Some(own) = self.own_breach(&failure, &left) {
                return own;
            }
            if failure.limit.is_none() {
                failure.message = format!("{name}: {}", failure.message);
            }
            failure
        })
    }
}

impl RunHost {
    /// This run's own breach, where what stopped a called run was what this one had left.
    fn own_breach(&self, failure: &Failure, left: &Limits) -> Option<Failure> {
        let breach = failure.limit?;
        let adds_up = matches!(
            breach.name,
            LimitName::Time | LimitName::Wall | LimitName::Operations | LimitName::Output | LimitName::HostCalls
        );
        let limit = self.budget.limits().get(breach.name)?;
        let was_left = left.get(breach.name) == Some(breach.limit);
        let reading = limit.saturating_add(breach.reading.saturating_sub(breach.limit));
        (adds_up && was_left).then(|| {
            let own = self.budget.breach(Breach { name: breach.name, limit, reading });
            Failure { language: failure.language, frames: failure.frames.clone(), ..own }
        })
    }
}

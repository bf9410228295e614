//! The host as one running script sees it.

use crate::engine::Inner;
use crate::{Error, RunOptions, Skill};
use serde_json::Value;
use skills_core::value::{MAX_DEPTH, depth};
use skills_core::{
    Arguments, Budget, CallContext, Capability, ErrorKind, Event, Failure, FunctionSpec, Grants, Host, HostFunction,
    SkillCaller, Stream,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How deep skills may call one another.
pub(crate) const MAX_CALL_DEPTH: usize = 16;

/// The functions that scripts can call, in a fixed order, with their specs side by side.
pub(crate) struct FunctionTable {
    functions: Vec<Arc<dyn HostFunction>>,
    specs: Arc<[FunctionSpec]>,
    /// From here on they are the host program's own.
    own: usize,
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
        FunctionTable { functions, specs, own }
    }

    /// The table with one more function of the host program's.
    ///
    /// # Errors
    /// `invalid_arguments` where the name is taken.
    pub(crate) fn with(&self, function: Arc<dyn HostFunction>) -> Result<FunctionTable, Error> {
        let name = &function.spec().name;
        let domain = |spec: &FunctionSpec| spec.name.split('.').next() == name.split('.').next();
        if let Some(taken) = self.specs.iter().find(|spec| spec.name == *name || domain(spec)) {
            let message = format!("`skill.{name}` clashes with `skill.{}`", taken.name);
            return Err(Error::new(ErrorKind::InvalidArguments, message).with_help("choose another name"));
        }
        let mut functions = self.functions.clone();
        functions.push(function);
        Ok(FunctionTable::of(functions, self.own))
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
}

/// One run's host.
pub(crate) struct RunHost {
    pub(crate) engine: Arc<Inner>,
    pub(crate) table: Arc<FunctionTable>,
    pub(crate) skill: Arc<Skill>,
    pub(crate) correlation_id: String,
    pub(crate) grants: Grants,
    pub(crate) budget: Arc<Budget>,
    /// The skills that called one another to get here, this one last.
    pub(crate) stack: Vec<String>,
    pub(crate) options: RunOptions,
    pub(crate) printed: Mutex<Printed>,
}

impl RunHost {
    pub(crate) fn printed(&self) -> MutexGuard<'_, Printed> {
        self.printed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn context(&self) -> CallContext<'_> {
        CallContext {
            skill: &self.skill.name,
            correlation_id: &self.correlation_id,
            grants: &self.grants,
            state: &*self.engine.state,
            events: &*self.engine.events,
            skills: self,
            budget: &self.budget,
        }
    }

    fn check_grant(&self, spec: &FunctionSpec) -> Result<(), Failure> {
        let granted = match spec.capability {
            None => true,
            Some(Capability::CallSkills) => self.grants.call_skills,
            // Which file is the function's own check; without any granted folder it says so itself, with the path.
            Some(_) => true,
        };
        if granted {
            return Ok(());
        }
        Err(Failure::new(ErrorKind::PermissionDenied, format!("skill.{} was not granted", spec.name)))
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
        let _pause = self.budget.pause();
        let function = (self.table.functions.get(index))
            .ok_or_else(|| Failure::new(ErrorKind::Internal, format!("there is no host function {index}")))?;
        let spec = &self.table.specs[index];
        self.check_grant(spec)?;
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

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        let allowed = self.budget.limits().output;
        let before = self.budget.output();
        let result = self.budget.charge_output(text.len() as u64);
        let fits = match (&result, allowed) {
            (Ok(()), _) | (_, None) => text,
            (Err(_), Some(allowed)) => cut(text, allowed.saturating_sub(before)),
        };
        if !fits.is_empty() {
            let mut printed = self.printed();
            match stream {
                Stream::Stdout => printed.stdout.push_str(fits),
                Stream::Stderr => printed.stderr.push_str(fits),
            }
            drop(printed);
            let event = Event::Output { stream, text: fits.to_owned() };
            self.engine.events.event(&self.skill.name, &self.correlation_id, &event);
        }
        result
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
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
        if self.stack.len() >= MAX_CALL_DEPTH {
            let chain = self.stack.join(" → ");
            let message = format!("skills call one another more than {MAX_CALL_DEPTH} deep: {chain} → {name}");
            return Err(Failure::new(ErrorKind::RecursionLimit, message));
        }
        let mut options = self.options.clone();
        // A called skill cannot outlive its caller: what is left of the wall time is all it has.
        if let Some(limit) = self.budget.limits().wall {
            let left = limit.saturating_sub(self.budget.wall());
            options.limits.wall = Some(options.limits.wall.map_or(left, |wall| wall.min(left)));
        }
        options.limits.time = None;
        options.caller = Some(self.skill.name.clone());
        options.script = None;
        let mut stack = self.stack.clone();
        let outcome = self.engine.run_nested(name, arguments, &options, &mut stack);
        let printed = outcome.as_ref().map(|outcome| (outcome.stdout.clone(), outcome.stderr.clone()));
        if let Ok((stdout, stderr)) = printed {
            // Already reported as events by the run itself; here it joins the caller's output, under its cap.
            self.absorb(Stream::Stdout, &stdout)?;
            self.absorb(Stream::Stderr, &stderr)?;
        }
        outcome.and_then(|outcome| outcome.result).map_err(|error| {
            let mut failure = error.failure().clone();
            failure.message = format!("{name}: {}", failure.message);
            failure
        })
    }
}

impl RunHost {
    fn absorb(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        self.budget.charge_output(text.len() as u64)?;
        let mut printed = self.printed();
        match stream {
            Stream::Stdout => printed.stdout.push_str(text),
            Stream::Stderr => printed.stderr.push_str(text),
        }
        Ok(())
    }
}

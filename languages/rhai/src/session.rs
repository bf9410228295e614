use crate::control::{Control, cpu, lock};
use crate::convert::{ToJson, from_json};
use crate::failures::{self, Places};
use crate::live::{Live, Machine};
use crate::program::Program;
use crate::stack::Stack;
use crate::{engine, memory};
use rhai::{Dynamic, Engine};
use serde_json::Value;
use skills_core::{
    Cell, Completions, ErrorKind, Evaluated, Evaluation, Failure, Forked, Held, Host, Inspection, Language, LimitName,
    Lost, OpenSession, Script, Session, Snapshot, Usage, Variable,
};
use std::sync::Arc;
use std::time::Duration;

/// A run of at least this many operations may have gone deep.
const LONG: u64 = 10_000;

/// How many compiled scripts a session keeps.
const KEPT: usize = 8;

/// An engine with what it has compiled.
pub(crate) struct RhaiSession {
    engine: Engine,
    control: Arc<Control>,
    params: Dynamic,
    compiled: Vec<Kept>,
    stack: Option<Stack>,
    live: Live,
    /// Whether memory is counted.
    counted: bool,
    /// The processor time of all runs and cells.
    cpu: Duration,
}

struct Kept {
    script: Arc<Script>,
    program: Arc<Program>,
}

impl RhaiSession {
    pub(crate) fn open(host: &Arc<dyn Host>) -> Result<RhaiSession, Failure> {
        RhaiSession::open_where(host, memory::counted())
    }

    /// A session where memory is counted, or as it is where that cannot be.
    pub(crate) fn open_where(host: &Arc<dyn Host>, counted: bool) -> Result<RhaiSession, Failure> {
        let stack = Stack::new()?;
        let control = Arc::new(Control::default());
        let (engine, params) = engine::build(&control, host, counted);
        let (compiled, live) = (Vec::new(), Live::new());
        Ok(RhaiSession { engine, control, params, compiled, stack: Some(stack), live, counted, cpu: Duration::ZERO })
    }

    /// The compiled script: kept from an earlier run, or compiled now.
    fn compile(&mut self, script: &Arc<Script>) -> Result<Arc<Program>, Failure> {
        let same = |kept: &Kept| Arc::ptr_eq(&kept.script, script) || kept.script == *script;
        if let Some(found) = self.compiled.iter().position(same) {
            let program = Arc::clone(&self.compiled[found].program);
            if found > 0 {
                let kept = self.compiled.remove(found);
                self.compiled.insert(0, kept);
            }
            return Ok(program);
        }
        let program = Arc::new(Program::compile(&self.engine, script)?);
        self.compiled.truncate(KEPT - 1);
        self.compiled.insert(0, Kept { script: Arc::clone(script), program: Arc::clone(&program) });
        Ok(program)
    }

    fn evaluate(
        &mut self,
        script: &Arc<Script>,
        params: &Value,
        host: &Arc<dyn Host>,
        stack: usize,
        usage: &mut Usage,
    ) -> Result<Value, Failure> {
        let program = self.compile(script)?;
        let limits = host.budget().limits();
        self.engine.set_max_call_levels(engine::recursion(limits, stack));
        self.control.begin(host);
        let outer = self.control.memory.begin(limits.memory);
        let result = {
            let _running = host.budget().running(self.control.clone());
            self.evaluate_program(&program, script, params, host)
        };
        usage.peak_memory = self.control.memory.end(outer);
        usage.operations = Some(self.control.operations());
        result
    }

    fn evaluate_program(
        &self,
        program: &Program,
        script: &Script,
        params: &Value,
        host: &Arc<dyn Host>,
    ) -> Result<Value, Failure> {
        self.put_params(from_json(params));
        let limits = host.budget().limits();
        let result = match self.engine.eval_ast::<Dynamic>(&program.ast) {
            Ok(value) => {
                let mut to_json = ToJson::new("result", limits.result, &self.control.memory);
                to_json.value(&value).map_err(|failure| match failure.limit {
                    Some(breach) => self.control.breach(breach),
                    None => Failure { language: Some(Language::Rhai), ..failure },
                })
            }
            Err(error) => {
                let others = lock(&self.control.modules).places();
                let places = Places { others: &others, ..Places::alone(script, program.written.as_ref()) };
                Err(failures::from_runtime(*error, &places, &self.control, self.engine.max_call_levels()))
            }
        };
        self.put_params(Dynamic::UNIT);
        lock(&self.control.modules).forget();
        result
    }

    fn put_params(&self, value: Dynamic) {
        put(&self.params, value);
    }

    /// Does something on the session's own stack.
    fn on_stack<T>(
        &mut self,
        usage: &mut Usage,
        work: impl FnOnce(&mut Self, usize, &mut Usage) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let started = cpu();
        let Some(mut stack) = self.stack.take() else {
            return Err(Failure::new(ErrorKind::Crashed, "the session's interpreter panicked in an earlier run"));
        };
        let size = stack.size();
        let outcome = stack.run(|| work(self, size, usage));
        self.control.end();
        let result = match outcome {
            Ok(result) => {
                if usage.operations.is_none_or(|count| count >= LONG) {
                    stack.cool();
                }
                self.stack = Some(stack);
                result
            }
            Err(_) => Err(Failure::new(ErrorKind::Crashed, "the Rhai interpreter panicked")),
        };
        let spent = cpu().saturating_sub(started);
        self.cpu += spent;
        usage.cpu = Some(spent);
        result
    }

    /// Does something with the namespace that lives, on the stack, within the limits, stopped with the run.
    fn with_live<T>(
        &mut self,
        host: &Arc<dyn Host>,
        usage: &mut Usage,
        work: impl FnOnce(&mut Live, &Machine<'_>, usize) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.on_stack(usage, |this, stack, usage| {
            let limits = host.budget().limits();
            this.engine.set_max_call_levels(engine::recursion(limits, stack));
            this.control.begin(host);
            let outer = this.control.memory.begin_from(limits.memory, this.live.mark());
            let result = {
                let _running = host.budget().running(this.control.clone());
                let put_params = |value| put(&this.params, value);
                let (engine, control) = (&this.engine, &*this.control);
                let result = work(&mut this.live, &Machine { engine, control, host, put_params: &put_params }, stack);
                lock(&control.modules).forget();
                result
            };
            usage.peak_memory = this.control.memory.end(outer);
            usage.operations = Some(this.control.operations());
            result
        })
    }

    /// As [`RhaiSession::with_live`], for what only looks.
    fn look<T>(
        &mut self,
        host: &Arc<dyn Host>,
        work: impl FnOnce(&Live, &Machine<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.with_live(host, &mut Usage::default(), |live, machine, _| work(live, machine))
    }
}

fn put(params: &Dynamic, value: Dynamic) {
    // A clone of what is shared: both are the variable that the engine holds.
    let mut params = params.clone();
    if let Some(mut slot) = params.write_lock::<Dynamic>() {
        *slot = value;
    }
}

impl Session for RhaiSession {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        let mut usage = Usage::default();
        let result = self.on_stack(&mut usage, |this, size, usage| this.evaluate(script, params, host, size, usage));
        Evaluation { result: verdict(result, host), usage }
    }

    fn reusable(&self) -> bool {
        self.stack.is_some()
    }

    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        let mut usage = Usage::default();
        let told = self.with_live(host, &mut usage, |live, machine, _| live.evaluate(cell, machine));
        let (result, shown) = match told {
            Ok((value, shown)) => (Ok(value), shown),
            Err(failure) => (Err(failure), None),
        };
        let result = verdict(result, host);
        let shown = shown.filter(|_| result.is_ok());
        Evaluated { evaluation: Evaluation { result, usage }, shown }
    }

    fn variables(&mut self, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        self.look(host, |live, machine| Ok(live.list(machine)))
    }

    fn get(&mut self, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        self.look(host, |live, machine| live.get(name, machine))
    }

    fn set(&mut self, name: &str, value: &Value, host: &Arc<dyn Host>) -> Result<(), Failure> {
        self.with_live(host, &mut Usage::default(), |live, machine, _| live.set(name, value, machine))
    }

    fn complete(&mut self, text: &str, cursor: usize, host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        self.look(host, |live, machine| Ok(live.complete(text, cursor, machine)))
    }

    fn inspect(&mut self, path: &str, host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        self.look(host, |live, machine| live.inspect(path, machine))
    }

    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        self.with_live(host, &mut Usage::default(), |live, _, stack| Ok(live.snapshot(stack)))
    }

    fn restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        self.with_live(host, &mut Usage::default(), |live, machine, stack| live.restore(snapshot, machine, stack))
    }

    fn fork(&mut self, host: &Arc<dyn Host>) -> Result<Option<Forked>, Failure> {
        let copy = self.look(host, |live, _| Ok(live.copy()))?;
        let (host, counted) = (Arc::clone(host), self.counted);
        Ok(Some(Box::new(move || {
            let mut session = RhaiSession::open_where(&host, counted)?;
            session.live = copy;
            Ok(OpenSession::Here(Box::new(session)))
        })))
    }

    fn held(&self) -> Held {
        Held { memory: self.counted.then(|| self.live.mark().held()), cpu: Some(self.cpu) }
    }
}

/// What the budget says outranks what the script made of it.
fn verdict(result: Result<Value, Failure>, host: &Arc<dyn Host>) -> Result<Value, Failure> {
    let Some(verdict) = host.budget().verdict() else { return result };
    let (frames, help) = result.err().map(|failure| (failure.frames, failure.help)).unwrap_or_default();
    let verdict = verdict.clone().in_script(Language::Rhai, frames);
    Err(match help {
        Some(help) if verdict.limit.is_some_and(|limit| limit.name == LimitName::Memory) => verdict.with_help(help),
        _ => verdict,
    })
}

use crate::control::{Control, cpu};
use crate::convert::{ToJson, from_json};
use crate::failures::{self, Places};
use crate::program::Program;
use crate::stack::Stack;
use crate::{engine, memory};
use rhai::{Dynamic, Engine};
use serde_json::Value;
use skills_core::{ErrorKind, Evaluation, Failure, Host, Language, Script, Session, Usage};
use std::sync::Arc;

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
        Ok(RhaiSession { engine, control, params, compiled: Vec::new(), stack: Some(stack) })
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
                let places = Places { script, written: program.written.as_ref() };
                Err(failures::from_runtime(*error, &places, &self.control, self.engine.max_call_levels()))
            }
        };
        self.put_params(Dynamic::UNIT);
        result
    }

    fn put_params(&self, value: Dynamic) {
        // A clone of what is shared: both are the variable that the engine holds.
        let mut params = self.params.clone();
        if let Some(mut slot) = params.write_lock::<Dynamic>() {
            *slot = value;
        }
    }
}

impl Session for RhaiSession {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        let started = cpu();
        let mut usage = Usage::default();
        let Some(mut stack) = self.stack.take() else {
            let failure = Failure::new(ErrorKind::Crashed, "the session's interpreter panicked in an earlier run");
            return Evaluation { result: Err(failure), usage };
        };
        let size = stack.size();
        let outcome = stack.run(|| self.evaluate(script, params, host, size, &mut usage));
        self.control.end();
        let result = match outcome {
            Ok(result) => {
                if usage.operations.is_some_and(|count| count >= LONG) {
                    stack.cool();
                }
                self.stack = Some(stack);
                result
            }
            Err(_) => Err(Failure::new(ErrorKind::Crashed, "the Rhai interpreter panicked")),
        };
        usage.cpu = Some(cpu().saturating_sub(started));
        Evaluation { result: verdict(result, host), usage }
    }

    fn reusable(&self) -> bool {
        self.stack.is_some()
    }
}

/// What the budget says outranks what the script made of it.
fn verdict(result: Result<Value, Failure>, host: &Arc<dyn Host>) -> Result<Value, Failure> {
    let Some(verdict) = host.budget().verdict() else { return result };
    let frames = result.err().map(|failure| failure.frames).unwrap_or_default();
    Err(verdict.clone().in_script(Language::Rhai, frames))
}

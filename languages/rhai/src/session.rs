use crate::control::Control;
use crate::convert::{ToJson, from_json};
use crate::{engine, failures, host};
use rhai::{AST, Dynamic, Engine};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use skills_core::{ErrorKind, Evaluation, Failure, Host, Language, Script, Session, Usage};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The stack of a run: calls and values may nest far deeper than a thread's usual 2 MiB hold. It is address space, of
/// which a run touches what it needs; a thread that has this much left is used as it is.
const STACK: usize = 256 << 20;
const ENOUGH_STACK: usize = 192 << 20;

/// How many compiled scripts a session keeps.
const KEPT: usize = 8;

/// An engine with what it has compiled.
pub(crate) struct RhaiSession {
    engine: Engine,
    control: Arc<Control>,
    params: Dynamic,
    compiled: Vec<Compiled>,
    reusable: bool,
}

struct Compiled {
    script: Arc<Script>,
    ast: Arc<AST>,
}

impl RhaiSession {
    pub(crate) fn open(host: &Arc<dyn Host>) -> RhaiSession {
        let control = Arc::new(Control::default());
        let (engine, params) = engine::build(&control, host);
        RhaiSession { engine, control, params, compiled: Vec::new(), reusable: true }
    }

    /// The compiled script: kept from an earlier run, or compiled now.
    fn compile(&mut self, script: &Arc<Script>) -> Result<Arc<AST>, Failure> {
        let same = |kept: &Compiled| Arc::ptr_eq(&kept.script, script) || kept.script == *script;
        if let Some(found) = self.compiled.iter().position(same) {
            let ast = Arc::clone(&self.compiled[found].ast);
            if found > 0 {
                let kept = self.compiled.remove(found);
                self.compiled.insert(0, kept);
            }
            return Ok(ast);
        }
        let ast = compile(&self.engine, script).map_err(|error| failures::from_parse(&error, script))?;
        let ast = Arc::new(ast);
        self.compiled.truncate(KEPT - 1);
        self.compiled.insert(0, Compiled { script: Arc::clone(script), ast: Arc::clone(&ast) });
        Ok(ast)
    }

    fn evaluate(
        &mut self,
        script: &Arc<Script>,
        params: &Value,
        host: &Arc<dyn Host>,
        usage: &mut Usage,
    ) -> Result<Value, Failure> {
        let ast = self.compile(script)?;
        let limits = host.budget().limits();
        engine::limit(&mut self.engine, limits);
        self.control.begin(host);
        let outer = self.control.memory.begin(limits.memory);
        let result = {
            let _running = host.budget().running(self.control.clone());
            self.evaluate_compiled(&ast, script, params, host)
        };
        usage.peak_memory = self.control.memory.end(outer);
        usage.operations = Some(self.control.operations());
        result
    }

    fn evaluate_compiled(
        &self,
        ast: &AST,
        script: &Script,
        params: &Value,
        host: &Arc<dyn Host>,
    ) -> Result<Value, Failure> {
        self.put_params(from_json(params));
        let limits = host.budget().limits();
        let result = match self.engine.eval_ast::<Dynamic>(ast) {
            Ok(value) => {
                let mut to_json = ToJson::new("result", limits.result, &self.control.memory);
                to_json.value(&value).map_err(|failure| match failure.limit {
                    Some(breach) => self.control.breach(breach),
                    None => Failure { language: Some(Language::Rhai), ..failure },
                })
            }
            Err(error) => Err(failures::from_runtime(*error, script, &self.control, engine::recursion(limits))),
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
        let attempt = || self.evaluate(script, params, host, &mut usage);
        let outcome = catch_unwind(AssertUnwindSafe(|| stacker::maybe_grow(ENOUGH_STACK, STACK, attempt)));
        self.control.end();
        let result = outcome.unwrap_or_else(|_| {
            self.reusable = false;
            Err(Failure::new(ErrorKind::Crashed, "the Rhai interpreter panicked"))
        });
        usage.cpu = Some(cpu().saturating_sub(started));
        Evaluation { result: verdict(result, host), usage }
    }

    fn reusable(&self) -> bool {
        self.reusable
    }
}

/// What the budget says outranks what the script made of it.
fn verdict(result: Result<Value, Failure>, host: &Arc<dyn Host>) -> Result<Value, Failure> {
    let Some(verdict) = host.budget().verdict() else { return result };
    let frames = result.err().map(|failure| failure.frames).unwrap_or_default();
    Err(verdict.clone().in_script(Language::Rhai, frames))
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Compiles a script, and behind it the call of `run` where it defines one.
pub(crate) fn compile(engine: &Engine, script: &Script) -> Result<AST, rhai::ParseError> {
    let ast = engine.compile(&script.source)?;
    let Some(call) = call_of_run(&ast) else { return Ok(ast) };
    // Far below any script, so that an error's position tells whose call it was.
    let below = "\n".repeat(failures::OWN_LINE - 1);
    Ok(ast.merge(&engine.compile(format!("{below}{call}"))?))
}

/// The names of `run`'s parameters, where a script defines it; of several, the one that takes all in one object.
pub(crate) fn run_parameters(ast: &AST) -> Option<Vec<String>> {
    let runs = ast.iter_functions().filter(|function| function.name == "run" && function.this_type.is_none());
    let run = runs.min_by_key(|function| if function.params.len() == 1 { 0 } else { function.params.len() + 1 })?;
    Some(run.params.iter().map(|name| (*name).to_owned()).collect())
}

fn call_of_run(ast: &AST) -> Option<String> {
    let parameters = run_parameters(ast)?;
    let name = host::PARAMETERS;
    Some(match parameters.as_slice() {
        [] => "run()".into(),
        [_] => format!("run({name})"),
        several => {
            let arguments: Vec<String> = several.iter().map(|member| format!("{name}[{member:?}]")).collect();
            format!("run({})", arguments.join(", "))
        }
    })
}

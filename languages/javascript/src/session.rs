use crate::caps;
use crate::convert;
use crate::engine::{self, Compiled, Engine, Fault};
use crate::error::{self, Places};
use crate::heap::Heap;
use crate::live::{self, Living};
use crate::modules::Graph;
use crate::source::{self, Counting, Prepared};
use serde_json::Value;
use skills_core::{
    Breach, Cell, Completions, Evaluated, Evaluation, Failure, Held, Host, Inspection, LimitName, Lost, Script,
    Session, Snapshot, Usage, Variable,
};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Scripts that stay compiled in a session.
const CACHED: usize = 8;

/// A session: one isolate on the thread that opened it, and the scripts compiled in it.
pub(crate) struct JavaScriptSession {
    pub(crate) engine: Engine,
    /// What a session has that evaluates cells; it then serves no run.
    pub(crate) living: Option<Living>,
    /// The last one used is the last.
    cache: Vec<Entry>,
    reusable: bool,
}

struct Entry {
    script: Arc<Script>,
    counting: Counting,
    prepared: Prepared,
    compiled: Compiled,
    /// The files of its skill that it imports.
    graph: Graph,
}

impl JavaScriptSession {
    pub(crate) fn open(host: &Arc<dyn Host>) -> Result<JavaScriptSession, Failure> {
        let mut engine = Engine::new(host)?;
        caps::ensure_armed(&mut engine)?;
        Ok(JavaScriptSession { engine, living: None, cache: Vec::new(), reusable: true })
    }

    /// Puts the compiled script at the end of the cache.
    fn compile(&mut self, script: &Arc<Script>, counting: Counting) -> Result<(), Failure> {
        let known = self
            .cache
            .iter()
            .position(|e| e.counting == counting && (Arc::ptr_eq(&e.script, script) || e.script == *script));
        if let Some(index) = known {
            if index + 1 < self.cache.len() {
                let entry = self.cache.remove(index);
                self.cache.push(entry);
            }
            return Ok(());
        }
        let prepared = source::prepare(script, counting)?;
        let compiled = self.engine.compile(&prepared, !counting.is_off()).map_err(|fault| {
            // The resource's name is that of the compilation that has just failed.
            let resource = fault_resource(&fault);
            let places = Places { script, resource: &resource, columns: &prepared.columns, earlier: None };
            error::fault(&fault, &places, || self.engine.depth())
        })?;
        if self.cache.len() >= CACHED {
            self.cache.remove(0);
        }
        self.cache.push(Entry { script: Arc::clone(script), counting, prepared, compiled, graph: Graph::default() });
        Ok(())
    }

    fn evaluate(
        &mut self,
        script: &Arc<Script>,
        params: &Value,
        host: &Arc<dyn Host>,
    ) -> (Result<Value, Failure>, Option<u64>) {
        let limits = host.budget().limits();
        let counting = Counting { operations: limits.operations, recursion: limits.recursion };
        if let Err(failure) = self.compile(script, counting) {
            return (Err(failure), None);
        }
        let Some(entry) = self.cache.last_mut() else { return (Err(error::never_settled(script)), None) };
        let mut compiled = &entry.compiled;
        if !entry.prepared.links.is_empty() {
            let own = (script, &entry.prepared.links, &entry.compiled);
            match entry.graph.link(&mut self.engine, &**host, own, (counting, false)) {
                Ok(linked) => compiled = linked,
                Err(failure) => return (Err(failure), None),
            }
        }
        let (text, wide) = convert::encode(params);
        let mut answer = self.engine.run(compiled, &text, &wide, limits.result);
        // Also for an answer that is there: what a script left in the queue is its own to run, and not the next run's.
        self.engine.run_microtasks();
        while matches!(answer.as_deref(), Ok("?")) {
            answer = match wait(&mut self.engine) {
                Waited::Answer(answer) => answer,
                Waited::Nothing => return (Err(error::never_settled(script)), self.counted(counting)),
            };
        }
        let operations = self.counted(counting);
        let Some(entry) = self.cache.last() else { return (Err(error::never_settled(script)), None) };
        let (resource, columns) = (&entry.compiled.resource, &entry.prepared.columns);
        let places = Places { script, resource, columns, earlier: Some(&entry.graph.sources) };
        let natives = Rc::clone(self.engine.natives());
        let depth = || self.engine.depth();
        let result = match answer {
            Ok(answer) => error::read(&answer, &places, &natives, host.budget(), depth),
            Err(fault) => Err(error::fault(&fault, &places, depth)),
        };
        (result, operations)
    }

    fn counted(&mut self, counting: Counting) -> Option<u64> {
        counting.operations.and_then(|_| self.engine.count())
    }
}

impl Drop for JavaScriptSession {
    fn drop(&mut self) {
        // Compiled scripts point into the isolate: see the engine's own drop.
        let compiled = (std::mem::take(&mut self.cache), self.living.take());
        if engine::thread_is_ending() {
            std::mem::forget(compiled);
        }
    }
}

pub(crate) enum Waited {
    Answer(Result<String, Fault>),
    Nothing,
}

/// Goes on with a script that awaits: microtasks, then the next timer. Waiting is execution time.
pub(crate) fn wait(engine: &mut Engine) -> Waited {
    const SLICE: Duration = Duration::from_millis(2);
    loop {
        engine.run_microtasks();
        if engine.stop().is_set() {
            let stack = engine.heap().and_then(Heap::stopped_at).unwrap_or_default();
            return Waited::Answer(Err(Fault::Stopped("execution was ended".into(), stack)));
        }
        match engine.poll() {
            Ok(answer) if answer == "?" => {}
            answer => return Waited::Answer(answer),
        }
        match engine.tick() {
            Ok(0.0) => {}
            Ok(next) if next < 0.0 => return Waited::Nothing,
            Ok(next) => std::thread::sleep(Duration::from_secs_f64(next / 1000.0).min(SLICE)),
            Err(fault) => return Waited::Answer(Err(fault)),
        }
    }
}

pub(crate) fn fault_resource(fault: &Fault) -> String {
    let Fault::Syntax(_, stack) = fault else { return String::new() };
    let Some(at) = stack.find("skill:") else { return String::new() };
    let digits = stack[at + 6..].chars().take_while(char::is_ascii_digit).count();
    stack[at..at + 6 + digits].to_owned()
}

impl Session for JavaScriptSession {
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        let budget = host.budget();
        let started = cpu_time();
        if self.living.is_some() {
            return Evaluation { result: Err(live::serves_no_run()), usage: Usage::default() };
        }
        if let Some(verdict) = budget.verdict() {
            return Evaluation { result: Err(verdict.clone()), usage: Usage::default() };
        }
        let limits = budget.limits();
        self.engine.natives().bind(host);
        self.engine.start(limits.memory);
        if let Some(heap) = self.engine.heap() {
            heap.pace(budget);
        }
        let running = budget.running(self.engine.interrupt());
        let (mut result, operations) = self.evaluate(script, params, host);
        let peak = self.engine.heap().map(|heap| (heap.breached(), heap.peak()));
        drop(running);
        if let (Some((true, peak)), Some(limit)) = (peak, limits.memory) {
            // A refused allocation is not in what was used: the limit is what it would have passed.
            budget.breach(Breach { name: LimitName::Memory, limit, reading: peak.max(limit) });
        }
        if let Some(verdict) = budget.verdict() {
            let frames = result.err().map(|failure| failure.frames).unwrap_or_default();
            result = Err(verdict.clone().in_script(script.language, frames));
        }
        let compare = self.cache.last().is_none_or(|entry| !entry.prepared.pure);
        self.reusable = self.engine.finish(compare) && budget.verdict().is_none();
        let mut usage = Usage::default();
        usage.cpu = started.and_then(|started| cpu_time()?.checked_sub(started));
        usage.peak_memory = peak.map(|(_, peak)| peak);
        usage.operations = operations;
        Evaluation { result, usage }
    }

    fn reusable(&self) -> bool {
        self.reusable
    }

    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        live::evaluate(self, cell, host)
    }

    fn variables(&mut self, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        live::variables(self, host)
    }

    fn get(&mut self, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        live::get(self, name, host)
    }

    fn set(&mut self, name: &str, value: &Value, host: &Arc<dyn Host>) -> Result<(), Failure> {
        live::set(self, name, value, host)
    }

    fn complete(&mut self, text: &str, cursor: usize, host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        live::complete(self, text, cursor, host)
    }

    fn inspect(&mut self, path: &str, host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        live::inspect(self, path, host)
    }

    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        live::snapshot(self, host)
    }

    fn restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        live::restore(self, snapshot, host)
    }

    fn held(&self) -> Held {
        Held { memory: self.engine.heap().map(Heap::held), cpu: self.living.as_ref().map(Living::cpu) }
    }
}

/// CPU time of this thread.
pub(crate) fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

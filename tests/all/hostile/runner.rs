//! Runs a case in a tier, and looks at everything that it must have left alone.

use super::case::{Case, Expect, Tier};
use super::processes::{Watch, strays};
use super::world::World;
use serde_json::{Value, json};
use skills::{
    Allow, Engine, EngineBuilder, ErrorKind, Isolation, Language, Limits, Outcome, Permissions, RunOptions, Skill,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How late a run may end: the deadline is held by a kill.
const GRACE: Duration = Duration::from_millis(50);

/// Times that a run is given to be on time: the machine may have been busy with something else.
const ATTEMPTS: usize = 3;

/// Runs cases, one after another, each with the engine of its grants.
pub(super) struct Runner {
    tier: Tier,
    world: World,
    engines: RefCell<HashMap<String, Engine>>,
}

/// One run.
struct Ran {
    outcome: Outcome,
    wall: Duration,
    /// The most that the worker held, as seen from outside.
    held: u64,
}

impl Runner {
    /// One for a tier; else why it does not run here.
    pub(super) fn new(tier: Tier, language: &str) -> Result<Runner, String> {
        let world = World::new(tier != Tier::InProcess);
        if let Some(why) = world.alone().filter(|_| tier != Tier::InProcess) {
            eprintln!("skipped: the listeners in a network namespace beside this one: {why}");
        }
        let runner = Runner { tier, world, engines: RefCell::default() };
        let engine = runner.engine(&[], None);
        let probe = match language {
            "bash" => (Language::Bash, "echo 42", json!("42")),
            _ => (Language::Rhai, "6 * 7", json!(42)),
        };
        match runner.ordinary(&engine, probe.0, probe.1, &probe.2) {
            Err((Some(ErrorKind::Unavailable), why)) if tier != Tier::InProcess && !confines(&why) => Err(why),
            Err((_, why)) => panic!("an ordinary run fails: {why}"),
            Ok(()) => Ok(runner),
        }
    }

    fn isolation(&self) -> Isolation {
        match self.tier {
            Tier::InProcess => Isolation::InProcess,
            Tier::Worker => Isolation::Worker,
            Tier::Container => Isolation::Container,
        }
    }

    /// Runs a case, and gives all that is wrong.
    pub(super) fn run(&self, case: &Case, expected: &[Expect]) -> Vec<String> {
        let mut wrong = self.attempt(case, &case.grants, expected);
        let here = case.granted_in.as_ref().is_none_or(|tiers| tiers.iter().any(|tier| tier == self.tier.key()));
        if let Some((grants, value)) = case.granted.as_ref().filter(|_| here) {
            let found = self.attempt(case, grants, &[Expect::Value(Some(value.clone()))]);
            wrong.extend(found.into_iter().map(|why| format!("granted: {why}")));
        }
        wrong
    }

    fn attempt(&self, case: &Case, grants: &[String], expected: &[Expect]) -> Vec<String> {
        self.world.restore();
        let mut wrong = Vec::new();
        let engine = self.engine(grants, Some(case));
        let skill = match self.skill(case, grants, &engine) {
            Ok(skill) => skill,
            Err(error) => return vec![error],
        };
        let language = Language::from_extension(case.path.extension().unwrap().to_str().unwrap()).unwrap();
        let before = self.world.snapshot();
        let punctual = case.late.is_none() && (self.tier != Tier::InProcess || language == Language::Rhai);
        let mut ran = self.once(&engine, &skill, case);
        for _ in 1..ATTEMPTS {
            if !punctual || ran.wall <= case.time() + GRACE {
                break;
            }
            ran = self.once(&engine, &skill, case);
        }
        let shown = shown(&ran.outcome);
        let first = shown.lines().next().unwrap_or_default();
        eprintln!("  {:?}, peak {:?}, seen {}: {first}", ran.wall, ran.outcome.usage.peak_memory, ran.held);
        if !expected.iter().any(|expected| meets(expected, &ran.outcome)) {
            wrong.push(format!("expected {expected:?}, got {shown}"));
        }
        if punctual && ran.wall > case.time() + GRACE {
            wrong.push(format!("ended after {:?}, with a limit of {:?}", ran.wall, case.time()));
        }
        if let Some(memory) = case.limits.get("memory") {
            let most = memory + memory / 10 + (8 << 20);
            let peak = ran.outcome.usage.peak_memory.unwrap_or(0).max(ran.held);
            if peak > most {
                wrong.push(format!("held {peak} bytes, with a limit of {memory}: {shown}"));
            }
        }
        let next = case.next.as_deref().map_or(("6 * 7", json!(42)), |code| (code, json!(true)));
        let next = if language == Language::Bash { ("echo 42", json!("42")) } else { next };
        if let Err((_, why)) = self.ordinary(&engine, language, next.0, &next.1) {
            wrong.push(format!("the next run: {why}"));
        }
        let asked = grants.iter().any(|grant| grant.starts_with("network="));
        if !grants.iter().any(|grant| grant.starts_with("write=$outside")) {
            wrong.extend(self.world.disturbed(&before, asked));
        }
        let said = format!("{shown} {} {}", ran.outcome.to_json(), ran.outcome.stderr);
        if self.world.betrays(&said) {
            wrong.push(format!("the secret came out: {said}"));
        }
        wrong.extend(self.strays().into_iter().map(|stray| format!("left behind: {stray}")));
        wrong
    }

    fn once(&self, engine: &Engine, skill: &Arc<Skill>, case: &Case) -> Ran {
        let params = serde_json::from_str(&self.world.fill(&case.params)).unwrap();
        let mut options = RunOptions::default();
        options.isolation = Some(self.isolation());
        let limit = |name: &str| case.limits.get(name).copied();
        options.limits.time = Some(case.time());
        options.limits.memory = limit("memory");
        options.limits.operations = limit("operations");
        options.limits.output = limit("output");
        options.limits.result = limit("result");
        options.limits.recursion = limit("recursion");
        options.limits.host_calls = limit("host_calls");
        let watch = (self.tier != Tier::InProcess && limit("memory").is_some()).then(Watch::start);
        let started = Instant::now();
        let outcome = engine.run_skill(skill, params, &options);
        let wall = started.elapsed();
        Ran { outcome, wall, held: watch.map_or(0, Watch::end) }
    }

    /// The case as a skill: one that asks for what it is to be granted, and for nothing else.
    fn skill(&self, case: &Case, grants: &[String], engine: &Engine) -> Result<Arc<Skill>, String> {
        let language = Language::from_extension(case.path.extension().unwrap().to_str().unwrap()).unwrap();
        let mut permissions = json!({});
        for grant in grants {
            let (kind, what) = grant.split_once('=').ok_or_else(|| format!("`{grant}` is no grant"))?;
            let key = match kind {
                "read" => "file_read",
                "write" => "file_write",
                "network" => "network_access",
                "programs" => "process_spawn",
                _ => return Err(format!("`{grant}` is no grant")),
            };
            let filled = self.world.fill(what);
            permissions[key] = if filled == "*" { json!(true) } else { json!(filled.split(',').collect::<Vec<_>>()) };
        }
        let name = case.path.file_stem().unwrap().to_string_lossy().into_owned();
        let definition = json!({
            "name": name, "description": "A hostile case", "type": "code_inline",
            "executor": {"type": "inline", "language": language.as_str(), "code": case.code},
            "security": {"permissions": permissions},
        });
        let file = self.world.skills().join(format!("{name}.json"));
        std::fs::write(&file, definition.to_string()).unwrap();
        engine.skill(&file.to_string_lossy()).map_err(|error| error.render(false))
    }

    /// The engine of what is granted, and of the limits that a caller does not set.
    fn engine(&self, grants: &[String], case: Option<&Case>) -> Engine {
        let limit = |name: &str| case.and_then(|case| case.limits.get(name).copied());
        let ceiling = Limits {
            processes: limit("processes"),
            disk: limit("disk"),
            file_size: limit("file_size"),
            cpu_percent: limit("cpu_percent"),
            ..Limits::none()
        };
        let key = format!("{grants:?} {ceiling:?}");
        let mut engines = self.engines.borrow_mut();
        // One that serves most cases, and the last of the others: each has processes of its own.
        let most = format!("{:?} {:?}", [""; 0], Limits::none());
        engines.retain(|other, _| *other == key || *other == most);
        let engine = engines.entry(key).or_insert_with(|| {
            let mut builder = Engine::builder()
                .worker(env!("CARGO_BIN_EXE_skills"))
                .limits(ceiling)
                .working_directory(self.world.skills());
            for grant in grants {
                builder = self.allow(builder, grant);
            }
            builder.build().unwrap()
        });
        engine.clone()
    }

    fn allow(&self, builder: EngineBuilder, grant: &str) -> EngineBuilder {
        let (kind, what) = grant.split_once('=').unwrap();
        let filled = self.world.fill(what);
        match kind {
            "read" => builder.allow_read(filled),
            "write" => builder.allow_write(filled),
            _ => {
                let what = if filled == "*" { Allow::All(true) } else { Allow::Only(vec![filled]) };
                let mut permissions = Permissions::default();
                match kind {
                    "network" => permissions.network_access = Some(what),
                    _ => permissions.process_spawn = Some(what),
                }
                builder.allow(permissions)
            }
        }
    }

    /// A run of code that means no harm.
    fn ordinary(
        &self,
        engine: &Engine,
        language: Language,
        code: &str,
        expected: &Value,
    ) -> Result<(), (Option<ErrorKind>, String)> {
        let mut options = RunOptions::default();
        options.isolation = Some(self.isolation());
        let outcome = engine.run_skill(&engine.code(language, &self.world.fill(code)), json!({}), &options);
        match &outcome.result {
            Ok(value) if value == expected && outcome.isolation == self.isolation() => Ok(()),
            Ok(_) => Err((None, format!("{} in {:?}", shown(&outcome), outcome.isolation))),
            Err(error) => Err((Some(error.kind()), error.render(false))),
        }
    }

    /// Processes that the case left behind; they are given a moment to be gone.
    fn strays(&self) -> Vec<String> {
        for _ in 0..100 {
            if strays(self.tier != Tier::InProcess).is_empty() {
                return Vec::new();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        strays(self.tier != Tier::InProcess)
    }
}

/// Whether this machine has what confinement takes, so that a tier that is refused all the same is a defect, and nothing to skip.
fn confines(refusal: &str) -> bool {
    let mut unshare = std::process::Command::new("unshare");
    let namespaces = unshare.args(["--user", "--map-root-user", "--pid", "--net", "--fork", "true"]).status();
    namespaces.is_ok_and(|status| status.success()) && !refusal.to_lowercase().contains("landlock")
}

pub(super) fn meets(expected: &Expect, outcome: &Outcome) -> bool {
    match (expected, &outcome.result) {
        (Expect::Value(None), Ok(_)) => true,
        (Expect::Value(Some(expected)), Ok(value)) => expected == value,
        (Expect::Error(kind, text), Err(error)) => {
            error.kind().as_str() == kind && text.as_ref().is_none_or(|text| error.render(false).contains(text))
        }
        _ => false,
    }
}

pub(super) fn shown(outcome: &Outcome) -> String {
    let mut text = match &outcome.result {
        Ok(value) => format!("value {value}"),
        Err(error) => format!("{}: {}", error.kind(), error.render(false)),
    };
    if let Some((end, _)) = text.char_indices().nth(2000) {
        text.truncate(end);
    }
    text
}

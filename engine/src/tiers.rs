//! What each limit is worth where something runs, and what code reaches there by itself.

use crate::engine::Inner;
use crate::plan::Step;
use crate::{Engine, Isolation, Plan, RunOptions};
use serde::Serialize;
use serde_json::json;
use skills_core::{CapStatus, Enforcement, ErrorKind, Failure, Interpreter, Language, Layer, LimitName};
use skills_sandbox::caps;
use skills_sandbox::remote::Remote;
use std::sync::{Arc, PoisonError};

/// What runs (a language, or a program), where, and whether it may start programs.
pub(crate) type CapsOf = (Option<Language>, Isolation, bool);

/// What each limit is worth where something runs.
pub(crate) type Caps = Arc<[CapStatus]>;

/// What a tier is worth on this machine for what runs in it, found by trying.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TierReport {
    /// The tier.
    pub tier: Isolation,
    /// What runs in it: a language, or `programs`.
    pub runs: String,
    /// Every limit.
    pub limits: Vec<CapStatus>,
    /// How far code is kept from what was not granted: `files`, `network`, `processes`, `environment`.
    pub reach: Vec<Layer>,
}

/// What of confinement keeps code from each thing.
const KEEPS: [(&str, &[&str]); 4] = [
    ("files", &["mount_namespace", "root", "landlock", "capabilities"]),
    ("network", &["network_namespace", "landlock", "seccomp"]),
    ("processes", &["pid_namespace", "seccomp", "no_new_privs"]),
    ("environment", &["environment", "descriptors"]),
];

impl Engine {
    /// Tries every limit in every tier that is there, and what code reaches there without a grant. Starts what it has to.
    ///
    /// A tier that is not there is not in the list: [`Engine::workers_available`] and [`Engine::containers_available`] say why. What
    /// cannot be tried in one is in it with no limit.
    pub fn tiers(&self) -> Vec<TierReport> {
        let inner = &self.inner;
        let languages = self.languages().into_iter().filter(|language| *language != Language::TypeScript);
        let interpreters: Vec<(Language, &Arc<dyn Interpreter>)> =
            languages.filter_map(|language| Some((language, inner.languages.get(language)?))).collect();
        let mut all: Vec<TierReport> = interpreters
            .iter()
            .map(|(language, interpreter)| {
                let mut limits = interpreter.self_test().unwrap_or_default();
                limits.extend(of_host(*language));
                let reach = self.tried_in_process(*language);
                TierReport { tier: Isolation::InProcess, runs: language.to_string(), limits, reach }
            })
            .collect();
        if let Ok(workers) = inner.workers.get()
            && inner.worker_available(None).is_ok()
        {
            let reach = kept(&self.layers());
            for (language, interpreter) in &interpreters {
                let remote = Remote::new(Arc::clone(workers), Arc::clone(interpreter));
                let limits = remote.self_test().unwrap_or_default();
                let (runs, reach) = (language.to_string(), reach.clone());
                all.push(TierReport { tier: Isolation::Worker, runs, limits, reach });
            }
            let limits = inner.programs.launcher().and_then(|launcher| launcher.self_test()).unwrap_or_default();
            all.push(TierReport { tier: Isolation::Worker, runs: "programs".to_owned(), limits, reach });
        }
        for (language, interpreter) in interpreters {
            let Some(limits) = inner.workers.container_caps(&**interpreter) else { break };
            let reach = KEEPS.map(|(name, _)| Layer {
                name,
                status: Enforcement::Enforced,
                detail: "the container engine's".to_owned(),
            });
            all.push(TierReport {
                tier: Isolation::Container,
                runs: language.to_string(),
                limits,
                reach: reach.to_vec(),
            });
        }
        all
    }

    /// What a script reaches in process without a grant, found by a script that tries to.
    fn tried_in_process(&self, language: Language) -> Vec<Layer> {
        let options = RunOptions { isolation: Some(Isolation::InProcess), ..RunOptions::default() };
        let reaches = |code: &str| {
            let skill = self.code(language, code);
            self.run_skill(&skill, json!({}), &options).result.is_ok_and(|value| value == json!(true))
        };
        let tries = own_ways(language);
        KEEPS
            .iter()
            .zip(tries)
            .map(|((name, _), code)| match reaches(code) {
                true => {
                    Layer { name, status: Enforcement::Unavailable, detail: "a script reaches it by itself".to_owned() }
                }
                false => Layer {
                    name,
                    status: Enforcement::Enforced,
                    detail: "a script has the host's functions only".to_owned(),
                },
            })
            .collect()
    }
}

/// Scripts that give `true` where they reach files, the network, processes and the environment without the host.
fn own_ways(language: Language) -> [&'static str; 4] {
    match language {
        Language::Python => [
            "open('/dev/null').close(); True",
            "import socket; socket.socket().close(); True",
            "import os; callable(os.fork)",
            "import os; isinstance(os.environ.copy(), dict)",
        ],
        Language::Rhai => [
            "open_file(\"/dev/null\"); true",
            "import \"/dev/null\" as file; true",
            "spawn(\"true\"); true",
            "env(\"PATH\"); true",
        ],
        _ => [
            "require('fs').closeSync(require('fs').openSync('/dev/null')); true",
            "typeof fetch === 'function' || typeof WebSocket === 'function'",
            "typeof Deno === 'object' || typeof require === 'function'",
            "typeof process === 'object'",
        ],
    }
}

/// What layers keep code from, each as good as the weakest of them.
fn kept(layers: &[Layer]) -> Vec<Layer> {
    let report = |(name, by): (&'static str, &[&str])| {
        let found = || by.iter().map(|by| layers.iter().find(|layer| layer.name == *by));
        let status = match found().any(|layer| layer.is_none_or(|layer| layer.status == Enforcement::Unavailable)) {
            true => Enforcement::Unavailable,
            false if found().flatten().all(|layer| layer.status == Enforcement::Enforced) => Enforcement::Enforced,
            false => Enforcement::BestEffort,
        };
        Layer { name, status, detail: format!("by {}", by.join(", ")) }
    };
    KEEPS.map(report).to_vec()
}

/// What the host holds of a script in process, beside what its interpreter holds.
fn of_host(language: Language) -> [CapStatus; 3] {
    let python = language == Language::Python;
    let cap = |name, status, detail: &str| CapStatus { name, status, detail: detail.to_owned() };
    [
        match python {
            true => cap(LimitName::Processes, Enforcement::Unavailable, "nothing counts what CPython starts"),
            false => cap(LimitName::Processes, Enforcement::Enforced, "a script can start none"),
        },
        match python {
            true => cap(LimitName::Disk, Enforcement::Unavailable, "CPython writes where the host program may"),
            false => cap(LimitName::Disk, Enforcement::Enforced, "a script has no temporary folder of its own"),
        },
        match python {
            true => cap(LimitName::FileSize, Enforcement::BestEffort, "by `skill.fs`; not by Python's own `open`"),
            false => cap(LimitName::FileSize, Enforcement::Enforced, "by `skill.fs`, the only way to a file"),
        },
    ]
}

impl Inner {
    /// What each limit is worth for a plan; `starts` says whether it may start programs.
    pub(crate) fn caps(&self, plan: &Plan, starts: bool) -> Caps {
        let language = match &plan.step {
            Step::Script(script) => Some(script.language),
            Step::Program(_) => None,
            Step::Prompt(_) => return Caps::default(),
        };
        let mut known = self.caps.lock().unwrap_or_else(PoisonError::into_inner);
        let caps = known.entry((language, plan.isolation, starts)).or_insert_with(|| {
            let interpreter = language.and_then(|language| self.languages.get(language));
            let caps = match (plan.isolation, language, interpreter) {
                (_, None, _) => self.programs.launcher().map(|launcher| launcher.caps()).unwrap_or_default(),
                (_, _, None) => Vec::new(),
                (Isolation::InProcess, Some(language), Some(interpreter)) => {
                    let mut caps = interpreter.caps();
                    caps.extend(of_host(language));
                    caps
                }
                (Isolation::Worker, _, Some(interpreter)) => caps::of_interpreter(interpreter.caps(), starts),
                (Isolation::Container, _, Some(interpreter)) => {
                    self.workers.container_caps(&**interpreter).unwrap_or_default()
                }
            };
            caps.into()
        });
        Arc::clone(caps)
    }
}

/// Why a plan that is not trusted may not run: a limit that is set, and that nothing holds where it would run.
pub(crate) fn not_held(plan: &Plan, caps: &[CapStatus]) -> Option<Failure> {
    let cap = caps.iter().find(|cap| cap.status == Enforcement::Unavailable && plan.limits.get(cap.name).is_some())?;
    let name = plan.skill.qualified_name();
    let limit = plan.limits.get(cap.name).unwrap_or_default();
    let message = format!(
        "`{name}` is not trusted, and its limit of {} cannot be held where it would run: {}",
        cap.name.amount(limit),
        cap.detail
    );
    Some(Failure::new(ErrorKind::Unavailable, message).with_help(format!(
        "leave the limit `{}` out, run it in another tier with `--isolation`, or read it and say `skills trust grant {}`",
        cap.name.as_str(),
        shell_words::quote(&plan.skill.file)
    )))
}

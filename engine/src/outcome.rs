use crate::{Error, Isolation, RunOptions};
use serde::Serialize;
use serde_json::{Map, Value, json};
use skills_core::{Enforcement, LimitName, Lost, Shown};
use std::time::Duration;

/// What became of one run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Outcome {
    /// The skill's name.
    pub skill: String,
    /// The skill's version.
    pub version: Option<String>,
    /// The value, or why there is none.
    pub result: Result<Value, Error>,
    /// What the script printed on its standard output, as far as the limit allowed.
    pub stdout: String,
    /// What the script printed on its standard error, as far as the limit allowed.
    pub stderr: String,
    /// What the run used.
    pub usage: RunUsage,
    /// Every limit that was set, with what was used and how far it holds.
    pub limits: Vec<LimitReport>,
    /// Where it ran.
    pub isolation: Isolation,
    /// Whether the value came from a cache instead of a run.
    pub cached: bool,
    /// Names this run in events and logs.
    pub correlation_id: String,
    /// The value as its language shows it, where a session evaluated a cell and there is something to show.
    pub shown: Option<Shown>,
    /// What of a session on disk could not be saved after this evaluation, and was not known before.
    pub lost: Vec<Lost>,
}

/// What a run used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct RunUsage {
    /// Wall time of the whole run.
    pub wall: Duration,
    /// CPU time of the interpreter's thread, where it was measured.
    pub cpu: Option<Duration>,
    /// The most memory the script held at once, in bytes, where it was measured.
    pub peak_memory: Option<u64>,
    /// Operations, where they were counted.
    pub operations: Option<u64>,
    /// Host calls.
    pub host_calls: u64,
}

/// One limit of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LimitReport {
    /// Which limit.
    #[serde(skip)]
    pub name: LimitName,
    /// What was allowed, in the unit of [`LimitName`].
    pub limit: u64,
    /// What was used; `None` where it is not measured.
    pub used: Option<u64>,
    /// How far the limit holds where this ran.
    pub status: Enforcement,
}

/// A name for a run that no engine has named.
fn made_up() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..12].to_owned()
}

impl Outcome {
    /// The outcome of a run that did not begin, and of which nothing else is known: see
    /// [`Engine::not_run`](crate::Engine::not_run) for a skill that was found.
    pub fn failed(skill: &str, options: &RunOptions, error: Error) -> Outcome {
        Outcome {
            skill: skill.to_owned(),
            version: None,
            result: Err(error),
            stdout: String::new(),
            stderr: String::new(),
            usage: RunUsage::default(),
            limits: Vec::new(),
            isolation: Isolation::default(),
            cached: false,
            correlation_id: options.correlation_id.clone().unwrap_or_else(made_up),
            shown: None,
            lost: Vec::new(),
        }
    }

    /// The value.
    ///
    /// # Errors
    /// Why there is none. The error carries the rest of the outcome: see [`Error::outcome`].
    pub fn into_value(self) -> Result<Value, Error> {
        match &self.result {
            Ok(_) => self.result,
            Err(error) => Err(error.clone().with_outcome(self)),
        }
    }

    /// The object that `skills run --json` prints; `shown` and `lost` stand in it only where there
    /// is something to show, or lost.
    pub fn to_json(&self) -> Value {
        let millis = |d: Duration| (d.as_secs_f64() * 1e6).round() / 1e3;
        let limits: Map<String, Value> =
            self.limits.iter().map(|report| (report.name.as_str().to_owned(), json!(report))).collect();
        let (status, value, error) = match &self.result {
            Ok(value) => ("ok", value.clone(), Value::Null),
            Err(error) => ("error", Value::Null, error_json(error)),
        };
        let mut object = json!({
            "skill": self.skill,
            "version": self.version,
            "status": status,
            "value": value,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "error": error,
            "usage": {
                "wall_ms": millis(self.usage.wall),
                "cpu_ms": self.usage.cpu.map(millis),
                "peak_memory_bytes": self.usage.peak_memory,
                "operations": self.usage.operations,
            },
            "limits": limits,
            "isolation": self.isolation,
            "cached": self.cached,
            "correlation_id": self.correlation_id,
        });
        if let (Some(shown), Value::Object(map)) = (&self.shown, &mut object) {
            map.insert("shown".into(), json!(shown));
        }
        if let (false, Value::Object(map)) = (self.lost.is_empty(), &mut object) {
            map.insert("lost".into(), json!(self.lost));
        }
        object
    }
}

/// The `error` object of JSON output: `{"kind","message","help","frames"}`, with `limit` on a breach.
pub(crate) fn error_json(error: &Error) -> Value {
    let mut object = json!({
        "kind": error.kind(),
        "message": error.message(),
        "help": error.help(),
        "frames": error.frames(),
    });
    if let Value::Object(map) = &mut object {
        if let Some(limit) = error.limit() {
            map.insert("limit".into(), json!(limit));
        }
        if !error.diagnostics().is_empty() {
            map.insert("diagnostics".into(), json!(error.diagnostics()));
        }
    }
    object
}

impl Error {
    /// The error as the JSON object that stands under `error` in `skills run --json`.
    pub fn to_json(&self) -> Value {
        error_json(self)
    }
}

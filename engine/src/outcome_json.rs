//! Outcomes that come back from JSON.

use crate::outcome::{LimitReport, Outcome, RunUsage};
use crate::{Error, Isolation};
use serde::Deserialize;
use serde_json::Value;
use skills_core::{Enforcement, ErrorKind, Failure, LimitName, Lost, Shown};
use std::collections::BTreeMap;
use std::time::Duration;

/// The object, as [`Outcome::to_json`] makes it.
#[derive(Deserialize)]
struct Form {
    skill: String,
    version: Option<String>,
    value: Value,
    stdout: String,
    stderr: String,
    error: Option<Failure>,
    usage: Usage,
    limits: BTreeMap<LimitName, Report>,
    isolation: Isolation,
    cached: bool,
    correlation_id: String,
    shown: Option<Shown>,
    #[serde(default)]
    lost: Vec<Lost>,
}

#[derive(Deserialize)]
struct Usage {
    wall_ms: f64,
    cpu_ms: Option<f64>,
    peak_memory_bytes: Option<u64>,
    operations: Option<u64>,
}

#[derive(Deserialize)]
struct Report {
    limit: u64,
    used: Option<u64>,
    status: Enforcement,
}

impl Outcome {
    /// The outcome that [`Outcome::to_json`] made an object of. What the object does not tell is left out: the diagnostics of an error,
    /// and the number of host calls where they are not limited.
    ///
    /// # Errors
    /// `invalid_arguments` where it is none.
    pub fn from_json(object: &Value) -> Result<Outcome, Error> {
        let form = Form::deserialize(object).map_err(|error| {
            Error::new(ErrorKind::InvalidArguments, format!("this is not the outcome of a run: {error}"))
        })?;
        let time = |ms: f64| Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default();
        let report = |(name, Report { limit, used, status })| LimitReport { name, limit, used, status };
        let host_calls = form.limits.get(&LimitName::HostCalls).and_then(|report| report.used);
        Ok(Outcome {
            skill: form.skill,
            version: form.version,
            result: form.error.map_or(Ok(form.value), |failure| Err(failure.into())),
            stdout: form.stdout,
            stderr: form.stderr,
            usage: RunUsage {
                wall: time(form.usage.wall_ms),
                cpu: form.usage.cpu_ms.map(time),
                peak_memory: form.usage.peak_memory_bytes,
                operations: form.usage.operations,
                host_calls: host_calls.unwrap_or_default(),
            },
            limits: form.limits.into_iter().map(report).collect(),
            isolation: form.isolation,
            cached: form.cached,
            correlation_id: form.correlation_id,
            shown: form.shown,
            lost: form.lost,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engine, Language, RunOptions};

    #[test]
    fn an_outcome_comes_back_from_its_object() {
        let engine = Engine::new().unwrap();
        for code in ["print(1); #{a: [1, 2.5]}", "throw \"no\"", "loop {}"] {
            let mut options = RunOptions::default();
            options.limits.operations = Some(1000);
            let outcome = engine.run_skill(&engine.code(Language::Rhai, code), Value::Null, &options);
            let back = Outcome::from_json(&outcome.to_json()).unwrap();
            assert_eq!(back.to_json(), outcome.to_json());
            assert_eq!(back.usage.host_calls, outcome.usage.host_calls);
        }
        let error = Outcome::from_json(&serde_json::json!({"skill": "x"})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments);
    }
}

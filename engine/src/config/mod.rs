//! The configuration: `.skills/config.json` of the project over the user's own, in JSON with comments.
//!
//! ```json
//! {
//!   "security": {
//!     "sandbox_enabled": true,
//!     "default_permissions": {"file_read": ["./"], "file_write": [], "network_access": false, "process_spawn": false},
//!     "resource_limits": {"max_memory_mb": 256, "max_cpu_percent": 80, "max_execution_time": 30, "max_file_size_mb": 10}
//!   },
//!   "performance": {"caching": {"metadata_cache_ttl": 3600, "max_cache_size_mb": 100}},
//!   "session_config": {"max_sessions": 20, "host_idle": 600},
//!   "skills": {"paths": ["more-skills"]},
//!   "references": {"absolute_folders": ["/srv/prompts"]},
//!   "secrets": {"github": {"env": "GITHUB_TOKEN"}, "db": {"file": "/run/secrets/db"}, "api": {"command": ["pass", "show", "api"]}}
//! }
//! ```
//!
//! Times are in seconds. A project's configuration may only tighten what the user's allows: where it asks for more, the
//! user's stays, with a warning. So whoever wrote a folder that somebody just cloned can take away, and give nothing.
//!
//! # What has an effect
//! - `security.resource_limits`: the limits of a run whose skill asks for none;
//! - `security.default_permissions`: what a skill gets that says nothing, and what any skill gets that asks for it without
//!   anybody being asked; what a project's configuration states bounds that further;
//! - `security.denied_permissions`, in the same form: what no skill gets, whoever allows it. A wider thing that holds a
//!   denied one is denied too;
//! - `security.sandbox_enabled`: `false` in the user's own configuration lets code that is not trusted run in process;
//! - `secrets`, in the user's configuration only: where the value of each is;
//! - `performance.caching.metadata_cache_ttl` and `max_cache_size_mb`: the cache of what discovery found;
//! - `performance.execution.max_concurrent_skills` and `execution_queue_size`: read by whoever runs several at once;
//! - `session_config.max_sessions`: how many sessions there may be at once; `session_config.host_idle`, in the user's configuration only: after
//!   how long of nothing the command's session host ends;
//! - `skills.paths`, `references.absolute_folders`.
//!
//! Everything else is checked and kept as data: `resilience`,
//! `performance.caching.result_cache_ttl`, `performance.execution.parallel_execution`, `development`, `observability`.

mod merge;
mod read;
mod secrets;
mod settings;

#[cfg(test)]
mod tests;

pub use secrets::SecretPlace;
pub use settings::{
    Backoff, Caching, CircuitBreaker, Development, Execution, HealthCheck, LogLevelName, Logging, Metrics,
    Observability, Performance, ResilienceDefaults, ResourceLimits, Retry, Security, Sessions, TestFramework, Tracing,
};

use crate::Diagnostic;
use skills_core::Limits;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whose configuration a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConfigScope {
    /// The user's: what it says is allowed.
    User,
    /// The project's: it may only tighten.
    Project,
}

/// What the configuration says, its defaults filled in. `Config::default()` is what holds without any file.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// `security`.
    pub security: Security,
    /// `resilience`.
    pub resilience: ResilienceDefaults,
    /// `performance`.
    pub performance: Performance,
    /// `session_config`.
    pub sessions: Sessions,
    /// `development`.
    pub development: Development,
    /// `observability`.
    pub observability: Observability,
    /// `skills.paths`: more folders with skills, absolute, in the order of the files. A relative one is written
    /// relative to the folder of the configuration file, or to the folder around it where that is `.skills`.
    pub skill_paths: Vec<PathBuf>,
    /// `references.absolute_folders`: where `file:///…` references may lead, absolute.
    pub absolute_folders: Vec<PathBuf>,
    /// `secrets`: where the value of each one is, by name.
    pub secrets: BTreeMap<String, SecretPlace>,
}

impl Config {
    /// Reads configuration files. The user's come first whatever their order, then the project's, later ones over
    /// earlier ones. A file that does not exist says nothing.
    ///
    /// Whatever is wrong is reported, all of it at once; a value that is wrong counts as left out, so that there always
    /// is a configuration to go on with.
    pub fn load(files: &[(ConfigScope, PathBuf)]) -> (Config, Vec<Diagnostic>) {
        let mut config = Config::default();
        let mut diagnostics = Vec::new();
        let mut files: Vec<_> = files.iter().collect();
        files.sort_by_key(|(scope, _)| *scope);
        for (scope, path) in files {
            read::apply(&mut config, *scope, path, &mut diagnostics);
        }
        (config, diagnostics)
    }

    /// The most that a definition may ask for: what `security.resource_limits` says. Whoever runs a
    /// skill may ask for more.
    pub fn most_of_definitions(&self) -> Limits {
        let limits = &self.security.resource_limits;
        Limits {
            time: limits.max_execution_time,
            memory: limits.max_memory_mb.map(|mebibytes| mebibytes << 20),
            cpu_percent: limits.max_cpu_percent,
            file_size: limits.max_file_size_mb.map(|mebibytes| mebibytes << 20),
            ..Limits::none()
        }
    }

    /// The limits of a run whose skill asks for none: [`Limits::default`] with what `security.resource_limits` says.
    pub fn default_limits(&self) -> Limits {
        let limits = &self.security.resource_limits;
        let mut defaults = Limits::default();
        if let Some(time) = limits.max_execution_time {
            defaults.time = Some(time);
            // The wall clock goes on while host calls run: it must leave room for the time that is allowed.
            defaults.wall = defaults.wall.map(|wall| wall.max(time.saturating_mul(2)));
        }
        if let Some(mebibytes) = limits.max_memory_mb {
            defaults.memory = Some(mebibytes << 20);
        }
        defaults.cpu_percent = limits.max_cpu_percent;
        defaults.file_size = limits.max_file_size_mb.map(|mebibytes| mebibytes << 20);
        defaults
    }
}

/// The folder that relative paths of a configuration file start at.
fn base_of(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new(""));
    match folder.file_name() {
        Some(name) if name == ".skills" => folder.parent().unwrap_or(folder).to_owned(),
        _ => folder.to_owned(),
    }
}

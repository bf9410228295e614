//! What v2 may say of limits, permissions and failure.

#![expect(dead_code, reason = "only the JSON Schemas of these structs are used")]

use schemars::JsonSchema;

/// Limits of a run.
#[derive(JsonSchema)]
pub(super) struct Limits {
    /// Memory in MiB.
    #[schemars(range(min = 1, max = 1_048_576))]
    max_memory_mb: Option<u64>,
    /// Share of one CPU, in percent.
    #[schemars(range(min = 1, max = 100))]
    max_cpu_percent: Option<u64>,
    /// Seconds that a run may take.
    #[schemars(range(min = 0.001, max = 86_400))]
    max_execution_time: Option<f64>,
    /// The largest file that may be written, in MiB.
    #[schemars(range(min = 1, max = 1_048_576))]
    max_file_size_mb: Option<u64>,
}

/// What a skill may reach, in short.
#[derive(JsonSchema)]
pub(super) struct Sandbox {
    /// Whether it may use the network.
    allow_network: Option<bool>,
    /// Whether it may write below `allowed_paths`.
    allow_file_write: Option<bool>,
    /// Paths that it may read.
    allowed_paths: Option<Vec<String>>,
}

/// What a skill may reach, and its limits.
#[derive(JsonSchema)]
pub(super) struct Security {
    /// A skill cannot turn the sandbox off.
    sandbox_enabled: Option<bool>,
    /// What it may reach.
    permissions: Option<Permissions>,
    /// The same, as the seed's configuration calls it.
    default_permissions: Option<Permissions>,
    /// Limits of a run.
    resource_limits: Option<Limits>,
}

/// What a skill may reach.
#[derive(JsonSchema)]
pub(super) struct Permissions {
    /// Paths to read.
    file_read: Option<Vec<String>>,
    /// Paths to write.
    file_write: Option<Vec<String>>,
    /// Network: all, none, or these hosts.
    network_access: Option<Allow>,
    /// Programs: all, none, or these.
    process_spawn: Option<Allow>,
    /// Environment variables by name.
    environment: Option<Vec<String>>,
    /// Secrets by name.
    secrets: Option<Vec<String>>,
    /// Sessions of other owners that it reaches, by name.
    sessions: Option<Vec<String>>,
}

/// All, none, or a list.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Allow {
    /// All or none.
    All(bool),
    /// These.
    Only(Vec<String>),
}

/// What to do when a skill fails.
#[derive(JsonSchema)]
pub(super) struct Resilience {
    /// Attempts after the first.
    #[schemars(range(min = 0, max = 1000))]
    retry_attempts: Option<u32>,
    /// Seconds that a run may take.
    #[schemars(range(min = 0.001, max = 86_400))]
    timeout: Option<f64>,
    /// A command to run when all attempts failed.
    fallback_command: Option<String>,
    /// When and how to try again.
    retry_config: Option<Retry>,
    /// When to stop trying for a while.
    circuit_breaker: Option<CircuitBreaker>,
    /// Whether and how often to check health.
    health_check: Option<HealthCheck>,
}

/// When and how to try again.
#[derive(JsonSchema)]
pub(super) struct Retry {
    /// Attempts, the first included.
    #[schemars(range(min = 1, max = 1000))]
    max_attempts: Option<u32>,
    /// How the pause between attempts grows.
    backoff_strategy: Option<Backoff>,
    /// Kinds of failure to try again after.
    retry_on: Option<Vec<String>>,
}

/// How the pause between attempts grows.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum Backoff {
    Exponential,
    Linear,
    Fixed,
}

/// When to stop trying for a while.
#[derive(JsonSchema)]
pub(super) struct CircuitBreaker {
    /// Failures in a row that open the circuit.
    #[schemars(range(min = 1, max = 1000))]
    failure_threshold: Option<u32>,
    /// Seconds that it stays open.
    #[schemars(range(min = 0.001, max = 86_400))]
    recovery_timeout: Option<f64>,
}

/// Whether and how often to check health.
#[derive(JsonSchema)]
pub(super) struct HealthCheck {
    /// Whether to.
    enabled: Option<bool>,
    /// Seconds between two checks.
    #[schemars(range(min = 0.001, max = 86_400))]
    interval: Option<f64>,
}

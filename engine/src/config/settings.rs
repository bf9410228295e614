use super::ConfigScope;
use crate::{Allow, Permissions};
use std::time::Duration;

/// `security`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Security {
    /// `sandbox_enabled`. Where the user's own configuration turns it off, code that is not trusted runs in process.
    pub sandbox_enabled: bool,
    /// `default_permissions`, paths as written: relative ones start at the working folder. What a skill gets that says
    /// nothing, and what any skill gets that asks for it, without a question. Without configuration, nothing.
    pub default_permissions: Permissions,
    /// `denied_permissions`: what no skill gets, whoever allows it.
    pub denied_permissions: Permissions,
    /// `default_permissions` as each file states them, in the order of the files. What a project states bounds what skills
    /// get without a question, whoever else allows it.
    pub stated: Vec<(ConfigScope, Permissions)>,
    /// `resource_limits`.
    pub resource_limits: ResourceLimits,
}

impl Default for Security {
    fn default() -> Security {
        let default_permissions = Permissions {
            file_read: Some(Vec::new()),
            file_write: Some(Vec::new()),
            network_access: Some(Allow::All(false)),
            process_spawn: Some(Allow::All(false)),
            environment: Some(Vec::new()),
            secrets: Some(Vec::new()),
            sessions: Some(Vec::new()),
            sandbox: None,
        };
        Security {
            sandbox_enabled: true,
            default_permissions,
            denied_permissions: Permissions::default(),
            stated: Vec::new(),
            resource_limits: ResourceLimits::default(),
        }
    }
}

/// `security.resource_limits`: `None` where the engine's own default holds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct ResourceLimits {
    /// `max_memory_mb`, in MiB.
    pub max_memory_mb: Option<u64>,
    /// `max_cpu_percent`, of one CPU.
    pub max_cpu_percent: Option<u64>,
    /// `max_execution_time`.
    pub max_execution_time: Option<Duration>,
    /// `max_file_size_mb`, in MiB.
    pub max_file_size_mb: Option<u64>,
}

/// `resilience`: what holds for skills that say nothing of it. Kept for later parts.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ResilienceDefaults {
    /// `retry_config`.
    pub retry: Retry,
    /// `circuit_breaker`.
    pub circuit_breaker: CircuitBreaker,
    /// `health_check`.
    pub health_check: HealthCheck,
}

/// `resilience.retry_config`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Retry {
    /// `max_attempts`, the first included; 1 by default.
    pub max_attempts: u64,
    /// `backoff_strategy`.
    pub backoff: Backoff,
    /// `retry_on`: kinds of failure.
    pub retry_on: Vec<String>,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { max_attempts: 1, backoff: Backoff::default(), retry_on: Vec::new() }
    }
}

/// How the time between attempts grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backoff {
    /// It doubles.
    #[default]
    Exponential,
    /// It grows by the same amount.
    Linear,
    /// It stays.
    Fixed,
}

/// `resilience.circuit_breaker`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct CircuitBreaker {
    /// `failure_threshold`: failures in a row that open the circuit; `None` for no circuit breaker.
    pub failure_threshold: Option<u64>,
    /// `recovery_timeout`: how long it stays open.
    pub recovery_timeout: Option<Duration>,
}

/// `resilience.health_check`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct HealthCheck {
    /// `enabled`.
    pub enabled: bool,
    /// `interval`.
    pub interval: Option<Duration>,
}

/// `performance`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Performance {
    /// `caching`.
    pub caching: Caching,
    /// `execution`.
    pub execution: Execution,
}

/// `performance.caching`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Caching {
    /// `result_cache_ttl`; 300 s by default. Kept for later parts.
    pub result_cache_ttl: Duration,
    /// `metadata_cache_ttl`: how long what was read of a definition file is believed while the file looks unchanged;
    /// 3600 s by default, zero for never.
    pub metadata_cache_ttl: Duration,
    /// `max_cache_size_mb`, in MiB; 100 by default, zero for no cache.
    pub max_cache_size_mb: u64,
}

impl Default for Caching {
    fn default() -> Caching {
        Caching {
            result_cache_ttl: Duration::from_secs(300),
            metadata_cache_ttl: Duration::from_secs(3600),
            max_cache_size_mb: 100,
        }
    }
}

/// `performance.execution`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Execution {
    /// `parallel_execution`; true by default. Kept for later parts.
    pub parallel_execution: bool,
    /// `max_concurrent_skills`: skills that run at once; 5 by default.
    pub max_concurrent_skills: u64,
    /// `execution_queue_size`: skills that may wait; 20 by default.
    pub execution_queue_size: u64,
}

impl Default for Execution {
    fn default() -> Execution {
        Execution { parallel_execution: true, max_concurrent_skills: 5, execution_queue_size: 20 }
    }
}

/// `session_config`: sessions of all skills together. What a definition says under the same key holds for its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sessions {
    /// `max_sessions`: how many there may be at once; `None` for what the host program says.
    pub max_sessions: Option<u64>,
    /// `host_idle`: after how long without clients and sessions in memory the session host ends; `None` for what the command says. The
    /// user's alone: there is one host for all projects.
    pub host_idle: Option<Duration>,
}

/// `development`. Kept for later parts; all off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Development {
    /// `session_isolation`.
    pub session_isolation: bool,
    /// `hot_reload`.
    pub hot_reload: bool,
    /// `debug_mode`.
    pub debug_mode: bool,
    /// `test_framework`.
    pub test_framework: TestFramework,
}

/// `development.test_framework`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestFramework {
    /// `unit_tests`.
    pub unit_tests: bool,
    /// `integration_tests`.
    pub integration_tests: bool,
    /// `mock_services`.
    pub mock_services: bool,
}

/// `observability`. Kept for later parts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Observability {
    /// `metrics`.
    pub metrics: Metrics,
    /// `logging`.
    pub logging: Logging,
    /// `tracing`.
    pub tracing: Tracing,
}

/// `observability.metrics`; all off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// `execution_time`.
    pub execution_time: bool,
    /// `success_rate`.
    pub success_rate: bool,
    /// `resource_usage`.
    pub resource_usage: bool,
    /// `error_rate`.
    pub error_rate: bool,
}

/// `observability.logging`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logging {
    /// `level`.
    pub level: LogLevelName,
    /// `structured`: as JSON, a line each.
    pub structured: bool,
    /// `correlation_id`: whether each line has it.
    pub correlation_id: bool,
}

/// `observability.logging.level`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogLevelName {
    /// `trace`.
    Trace,
    /// `debug`.
    Debug,
    /// `info`.
    #[default]
    Info,
    /// `warn`.
    Warn,
    /// `error`.
    Error,
    /// `off`.
    Off,
}

/// `observability.tracing`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Tracing {
    /// `enabled`.
    pub enabled: bool,
    /// `sample_rate`, from 0 to 1; `None` for all.
    pub sample_rate: Option<f64>,
}

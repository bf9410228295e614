#![allow(clippy::disallowed_methods, reason = "only resolves links; files are opened through cap-std")]

use super::merge::{Layer, ceiling, folders, permissions};
use super::settings::{
    Backoff, Caching, Development, Execution, LogLevelName, Observability, ResilienceDefaults, ResourceLimits,
    Security, Sessions,
};
use super::{Config, ConfigScope, base_of};
use crate::definition::fields::Fields;
use crate::definition::limits::{self, Bound};
use crate::definition::node::{Node, Span};
use crate::definition::sink::Sink;
use crate::definition::{codes, suggest, syntax};
use crate::{Diagnostic, ReadError, Severity, SkillFiles};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The largest configuration file, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// How long something may be kept, in seconds: up to 30 days, zero for not at all.
const TTL: Bound = Bound::new(0.0, 2_592_000.0, false, "seconds");
/// How large a cache may get; zero for none.
const CACHE_SIZE: Bound = Bound::new(0.0, 1_048_576.0, true, "MiB");
/// How many may wait.
const QUEUE: Bound = Bound::new(0.0, 1_000_000.0, true, "skills");
/// A share of a whole.
const RATE: Bound = Bound::new(0.0, 1.0, false, "");

/// Reads one file into the configuration.
pub(super) fn apply(config: &mut Config, scope: ConfigScope, path: &Path, diagnostics: &mut Vec<Diagnostic>) {
    let file = path.display().to_string();
    let text = match text_of(scope, path) {
        Ok(Some(text)) => text,
        Ok(None) => return,
        Err(reason) => {
            let message = format!("the configuration cannot be read: {reason}");
            let diagnostic = Diagnostic::of_file(codes::CONFIG_UNREADABLE.id, Severity::Error, &file, message);
            diagnostics.push(diagnostic.with_help("make it a readable text file inside its folder, or remove it"));
            return;
        }
    };
    if text.trim().is_empty() {
        return;
    }
    let text: Arc<str> = text.into();
    let mut sink = Sink::new(&file, &text);
    if let Some(root) = syntax::parse(&mut sink) {
        if root.is_object() {
            let mut layer = Layer { scope, base: base_of(path), sink };
            Reader { config, layer: &mut layer }.root(&mut Fields::new(&root, ""));
            not_applied(&root, &mut layer.sink);
            let mut fields = Fields::new(&root, "");
            for key in KEYS {
                fields.node(key);
            }
            fields.finish(&mut layer.sink);
            let mut found = layer.sink.finish();
            // Somebody may have written a secret itself where its place belongs: no excerpt shows it.
            if let Some(secrets) = root.member("secrets") {
                let lines = lines_of(&text, &(secrets.key_span.start..secrets.value.span.end));
                found.iter_mut().filter(|d| lines.contains(&d.span.start)).for_each(|d| d.source = None);
            }
            diagnostics.extend(found);
            return;
        }
        let message = format!("the configuration is {}, but has to be an object", root.type_name());
        sink.error(codes::WRONG_TYPE, &root.span, message, "write `{…}`");
    }
    diagnostics.extend(sink.finish());
}

/// The whole lines that a span is on.
fn lines_of(text: &str, span: &Span) -> Span {
    let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |newline| span.end + newline);
    start..end
}

const KEYS: [&str; 10] = [
    "$schema",
    "security",
    "resilience",
    "performance",
    "session_config",
    "development",
    "observability",
    "skills",
    "references",
    "secrets",
];

/// Settings that are checked and kept, and that nothing acts on yet.
const IDLE: &[&[&str]] = &[
    &["resilience"],
    &["performance", "caching", "result_cache_ttl"],
    &["performance", "execution", "parallel_execution"],
    &["development"],
    &["observability"],
];

/// Says, once a file, what of it does nothing.
fn not_applied(root: &Node, sink: &mut Sink) {
    let idle: Vec<_> = IDLE.iter().filter_map(|path| Some((path.join("."), root.at(path)?))).collect();
    let Some((_, first)) = idle.first() else { return };
    let names = suggest::list(idle.iter().map(|(name, _)| name.as_str()));
    let verb = if idle.len() == 1 { "is" } else { "are" };
    let message = format!("{names} {verb} declared, but not applied in this version");
    let span = if first.is_object() { first.span.start..first.span.start + 1 } else { first.span.clone() };
    sink.warning(codes::NOT_APPLIED, &span, message, "remove them, or keep them for a later version");
}

/// The text of a file; `None` where there is none.
fn text_of(scope: ConfigScope, path: &Path) -> Result<Option<String>, String> {
    // The user's own may be a link to wherever they keep such files. A project's may not: what it leads to would be
    // shown in an excerpt.
    let followed = match scope {
        ConfigScope::User => std::fs::canonicalize(path).ok(),
        ConfigScope::Project => None,
    };
    let path: PathBuf = followed.unwrap_or_else(|| path.to_owned());
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let files = match SkillFiles::folder(folder) {
        Ok(files) => files,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    match files.read(Path::new(name), MOST_BYTES) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8".to_owned()),
        Err(ReadError::Missing) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

struct Reader<'a> {
    config: &'a mut Config,
    layer: &'a mut Layer,
}

impl Reader<'_> {
    fn root(&mut self, root: &mut Fields<'_>) {
        self.section(root, "security", |reader, fields| security(&mut reader.config.security, fields, reader.layer));
        self.section(root, "resilience", |reader, fields| {
            resilience(&mut reader.config.resilience, fields, reader.layer);
        });
        self.section(root, "performance", |reader, fields| {
            let performance = &mut reader.config.performance;
            object(fields, "caching", reader.layer, |fields, layer| caching(&mut performance.caching, fields, layer));
            object(fields, "execution", reader.layer, |fields, layer| {
                execution(&mut performance.execution, fields, layer);
            });
        });
        self.section(root, "session_config", |reader, fields| {
            sessions(&mut reader.config.sessions, fields, reader.layer)
        });
        self.section(root, "development", |reader, fields| {
            development(&mut reader.config.development, fields, reader.layer);
        });
        self.section(root, "observability", |reader, fields| {
            observability(&mut reader.config.observability, fields, reader.layer);
        });
        self.section(root, "skills", |reader, fields| {
            folders(&mut reader.config.skill_paths, &[], fields, "paths", reader.layer);
        });
        self.section(root, "references", |reader, fields| {
            let users = reader.config.absolute_folders.clone();
            folders(&mut reader.config.absolute_folders, &users, fields, "absolute_folders", reader.layer);
        });
        super::secrets::read(&mut self.config.secrets, root, self.layer);
    }

    fn section(&mut self, root: &mut Fields<'_>, key: &'static str, read: impl FnOnce(&mut Self, &mut Fields<'_>)) {
        if let Some(mut fields) = root.object(key, &mut self.layer.sink) {
            read(self, &mut fields);
            fields.finish(&mut self.layer.sink);
        }
    }
}

fn object(
    parent: &mut Fields<'_>,
    key: &'static str,
    layer: &mut Layer,
    read: impl FnOnce(&mut Fields<'_>, &mut Layer),
) {
    if let Some(mut fields) = parent.object(key, &mut layer.sink) {
        read(&mut fields, layer);
        fields.finish(&mut layer.sink);
    }
}

fn security(security: &mut Security, fields: &mut Fields<'_>, layer: &mut Layer) {
    if let Some(enabled) = fields.bool("sandbox_enabled", &mut layer.sink) {
        match fields.node("sandbox_enabled") {
            Some(node) if !enabled && layer.scope == ConfigScope::Project => {
                let message = "a project's configuration cannot turn the sandbox off";
                let help = "remove it; a person can turn it off in their own configuration";
                layer.sink.warning(codes::CONFIG_LOOSENS, &node.span, message, help);
            }
            _ => security.sandbox_enabled = enabled,
        }
    }
    object(fields, "default_permissions", layer, |fields, layer| {
        permissions(&mut security.default_permissions, fields, layer);
    });
    // Once more as it stands: what is wrong with it has been said.
    let mut unheard = Sink::new("", &Arc::from(""));
    if let Some(mut fields) = fields.object("default_permissions", &mut unheard) {
        let stated = crate::definition::permissions::stated(&mut fields, &mut unheard);
        security.stated.push((layer.scope, stated));
    }
    if let Some(mut fields) = fields.object("denied_permissions", &mut layer.sink) {
        let denied = crate::definition::permissions::stated(&mut fields, &mut layer.sink);
        fields.finish(&mut layer.sink);
        crate::definition::permissions::join(&mut security.denied_permissions, denied);
    }
    object(fields, "resource_limits", layer, |fields, layer| {
        resource_limits(&mut security.resource_limits, fields, layer);
    });
}

fn resource_limits(resource: &mut ResourceLimits, fields: &mut Fields<'_>, layer: &mut Layer) {
    // Where the user says nothing, the engine's own default is what a project may not pass.
    let defaults = skills_core::Limits::default();
    let memory = resource.max_memory_mb.or(defaults.memory.map(|bytes| bytes >> 20));
    let time = resource.max_execution_time.or(defaults.time);
    let counts = [
        ("max_memory_mb", &limits::MEBIBYTES, memory, &mut resource.max_memory_mb),
        ("max_cpu_percent", &limits::PERCENT, resource.max_cpu_percent, &mut resource.max_cpu_percent),
        ("max_file_size_mb", &limits::MEBIBYTES, resource.max_file_size_mb, &mut resource.max_file_size_mb),
    ];
    for (key, bound, most, target) in counts {
        if let Some(number) = ceiling(fields, key, bound, most.map(|most| most as f64), layer) {
            *target = Some(number as u64);
        }
    }
    let most = time.map(|time| time.as_secs_f64());
    if let Some(seconds) = ceiling(fields, "max_execution_time", &limits::TIMEOUT, most, layer) {
        if let Some(node) = fields.node("max_execution_time") {
            let named = fields.named("max_execution_time");
            limits::warn_if_milliseconds(&named, seconds, &node.span, limits::RUN, &mut layer.sink);
        }
        resource.max_execution_time = Some(limits::duration(seconds));
    }
}

fn resilience(resilience: &mut ResilienceDefaults, fields: &mut Fields<'_>, layer: &mut Layer) {
    object(fields, "retry_config", layer, |fields, layer| {
        let sink = &mut layer.sink;
        set(&mut resilience.retry.max_attempts, fields.count("max_attempts", &limits::COUNT, sink));
        let strategies =
            [("exponential", Backoff::Exponential), ("linear", Backoff::Linear), ("fixed", Backoff::Fixed)];
        set(&mut resilience.retry.backoff, fields.choice("backoff_strategy", &strategies, sink));
        let kinds = fields.texts("retry_on", sink);
        set(
            &mut resilience.retry.retry_on,
            kinds.map(|kinds| kinds.into_iter().map(|kind| kind.text.to_owned()).collect()),
        );
    });
    object(fields, "circuit_breaker", layer, |fields, layer| {
        let breaker = &mut resilience.circuit_breaker;
        let threshold = fields.count("failure_threshold", &limits::COUNT, &mut layer.sink);
        breaker.failure_threshold = threshold.or(breaker.failure_threshold);
        let recovery = seconds(fields, "recovery_timeout", &limits::LIFETIME, layer);
        breaker.recovery_timeout = recovery.or(breaker.recovery_timeout);
    });
    object(fields, "health_check", layer, |fields, layer| {
        let check = &mut resilience.health_check;
        set(&mut check.enabled, fields.bool("enabled", &mut layer.sink));
        check.interval = seconds(fields, "interval", &limits::LIFETIME, layer).or(check.interval);
    });
}

fn caching(caching: &mut Caching, fields: &mut Fields<'_>, layer: &mut Layer) {
    set(&mut caching.result_cache_ttl, seconds(fields, "result_cache_ttl", &TTL, layer));
    set(&mut caching.metadata_cache_ttl, seconds(fields, "metadata_cache_ttl", &TTL, layer));
    let most = Some(caching.max_cache_size_mb as f64);
    set(
        &mut caching.max_cache_size_mb,
        ceiling(fields, "max_cache_size_mb", &CACHE_SIZE, most, layer).map(|size| size as u64),
    );
}

fn execution(execution: &mut Execution, fields: &mut Fields<'_>, layer: &mut Layer) {
    set(&mut execution.parallel_execution, fields.bool("parallel_execution", &mut layer.sink));
    let most = Some(execution.max_concurrent_skills as f64);
    let concurrent = ceiling(fields, "max_concurrent_skills", &limits::COUNT, most, layer);
    set(&mut execution.max_concurrent_skills, concurrent.map(|count| count as u64));
    let most = Some(execution.execution_queue_size as f64);
    let queue = ceiling(fields, "execution_queue_size", &QUEUE, most, layer);
    set(&mut execution.execution_queue_size, queue.map(|count| count as u64));
}

fn sessions(sessions: &mut Sessions, fields: &mut Fields<'_>, layer: &mut Layer) {
    // Where the user says nothing, the engine's own default is what a project may not pass.
    let most = sessions.max_sessions.unwrap_or(crate::builder::MOST_SESSIONS as u64);
    let count = ceiling(fields, "max_sessions", &limits::COUNT, Some(most as f64), layer);
    sessions.max_sessions = count.map(|count| count as u64).or(sessions.max_sessions);
    let Some(idle) = seconds(fields, "host_idle", &TTL, layer) else { return };
    match fields.node("host_idle") {
        Some(node) if layer.scope == ConfigScope::Project => {
            let message = "there is one session host for all projects: a project's `host_idle` is ignored";
            let help = "write it in the user's own configuration";
            layer.sink.warning(codes::CONFIG_LOOSENS, &node.span, message, help);
        }
        _ => sessions.host_idle = Some(idle),
    }
}

fn development(development: &mut Development, fields: &mut Fields<'_>, layer: &mut Layer) {
    let sink = &mut layer.sink;
    set(&mut development.session_isolation, fields.bool("session_isolation", sink));
    set(&mut development.hot_reload, fields.bool("hot_reload", sink));
    set(&mut development.debug_mode, fields.bool("debug_mode", sink));
    object(fields, "test_framework", layer, |fields, layer| {
        let tests = &mut development.test_framework;
        set(&mut tests.unit_tests, fields.bool("unit_tests", &mut layer.sink));
        set(&mut tests.integration_tests, fields.bool("integration_tests", &mut layer.sink));
        set(&mut tests.mock_services, fields.bool("mock_services", &mut layer.sink));
    });
}

fn observability(observability: &mut Observability, fields: &mut Fields<'_>, layer: &mut Layer) {
    object(fields, "metrics", layer, |fields, layer| {
        let metrics = &mut observability.metrics;
        set(&mut metrics.execution_time, fields.bool("execution_time", &mut layer.sink));
        set(&mut metrics.success_rate, fields.bool("success_rate", &mut layer.sink));
        set(&mut metrics.resource_usage, fields.bool("resource_usage", &mut layer.sink));
        set(&mut metrics.error_rate, fields.bool("error_rate", &mut layer.sink));
    });
    object(fields, "logging", layer, |fields, layer| {
        let levels = [
            ("trace", LogLevelName::Trace),
            ("debug", LogLevelName::Debug),
            ("info", LogLevelName::Info),
            ("warn", LogLevelName::Warn),
            ("error", LogLevelName::Error),
            ("off", LogLevelName::Off),
        ];
        let logging = &mut observability.logging;
        set(&mut logging.level, fields.choice("level", &levels, &mut layer.sink));
        set(&mut logging.structured, fields.bool("structured", &mut layer.sink));
        set(&mut logging.correlation_id, fields.bool("correlation_id", &mut layer.sink));
    });
    object(fields, "tracing", layer, |fields, layer| {
        let tracing = &mut observability.tracing;
        set(&mut tracing.enabled, fields.bool("enabled", &mut layer.sink));
        tracing.sample_rate = fields.number("sample_rate", &RATE, &mut layer.sink).or(tracing.sample_rate);
    });
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn seconds(fields: &mut Fields<'_>, key: &'static str, bound: &Bound, layer: &mut Layer) -> Option<Duration> {
    fields.number(key, bound, &mut layer.sink).map(limits::duration)
}

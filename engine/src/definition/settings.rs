//! Limits, session settings and what to do on failure.

use crate::definition::build::Context;
use crate::definition::fields::Fields;
use crate::definition::{codes, limits, protocol, suggest};
use crate::{Dialect, LimitRequest, Persistence, Resilience, SessionSettings, SkillKind};

/// Kinds of failure that may be tried again: the seed's names, and those of the outcome.
const RETRY_ON: &[&str] = &[
    "timeout",
    "resource_limit",
    "network_error",
    "memory_limit",
    "operation_limit",
    "output_limit",
    "script_error",
    "unavailable",
    "crashed",
    "queue_full",
];

/// Keys of `resilience` that are checked and kept, and that nothing acts on yet.
const IDLE: &[&str] = &["retry_attempts", "retry_config", "fallback_command", "circuit_breaker", "health_check"];

const BACKOFF: &[(&str, &str)] = &[("exponential", "exponential"), ("linear", "linear"), ("fixed", "fixed")];

/// The limits that stand at the top level and in `resource_limits`; of several for the same thing the smallest holds.
pub(crate) fn limits(fields: &mut Fields<'_>, context: &mut Context<'_>) -> LimitRequest {
    let mut request = LimitRequest {
        time: context.seconds(fields, "timeout", &limits::TIMEOUT, limits::RUN),
        ..LimitRequest::default()
    };
    let top = fields.object("resource_limits", &mut context.sink);
    // What is wrong with `security` itself is reported with the permissions.
    let security = fields.node("security").filter(|node| node.is_object());
    let inner = security.and_then(|node| Fields::new(node, "security").object("resource_limits", &mut context.sink));
    for mut asked in [top, inner].into_iter().flatten() {
        let time = context.seconds(&mut asked, "max_execution_time", &limits::TIMEOUT, limits::RUN);
        let sink = &mut context.sink;
        let other = LimitRequest {
            time,
            max_memory_mb: asked.count("max_memory_mb", &limits::MEBIBYTES, sink),
            max_cpu_percent: asked.count("max_cpu_percent", &limits::PERCENT, sink),
            max_file_size_mb: asked.count("max_file_size_mb", &limits::MEBIBYTES, sink),
        };
        asked.finish(sink);
        request = stricter(&request, &other);
    }
    request
}

fn stricter(a: &LimitRequest, b: &LimitRequest) -> LimitRequest {
    fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
        [a, b].into_iter().flatten().min()
    }
    LimitRequest {
        time: least(a.time, b.time),
        max_memory_mb: least(a.max_memory_mb, b.max_memory_mb),
        max_cpu_percent: least(a.max_cpu_percent, b.max_cpu_percent),
        max_file_size_mb: least(a.max_file_size_mb, b.max_file_size_mb),
    }
}

/// Session settings: those said, or the defaults where the type of skill keeps a session.
pub(crate) fn session(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<SessionSettings> {
    let keeps_session = matches!(context.kind, SkillKind::CodeSession | SkillKind::Conversation);
    let Some(member) = fields.member("session_config") else {
        return keeps_session.then(SessionSettings::default);
    };
    if !keeps_session {
        let message = "inline skills are stateless: a session cannot be here";
        let help = "remove it, or make the skill a `code_session` one";
        context.sink.error(codes::INLINE_WITH_SESSION, &member.key_span, message, help);
        return None;
    }
    // v1 calls it otherwise, and messages call it what the file does.
    let place = if context.dialect == Dialect::V1 { "session" } else { "session_config" };
    let mut inner = fields.object("session_config", &mut context.sink)?.called(place);
    let settings = SessionSettings {
        max_duration: context.seconds(&mut inner, "max_duration", &limits::LIFETIME, limits::SESSION),
        idle_timeout: context.seconds(&mut inner, "session_timeout", &limits::LIFETIME, limits::SESSION),
        max_sessions: inner.count("max_sessions", &limits::COUNT, &mut context.sink),
        cleanup_on_exit: inner.bool("cleanup_on_exit", &mut context.sink),
        persistence: persistence(&mut inner, context),
        external: inner.bool("external", &mut context.sink).unwrap_or(false),
        protocol: protocol::read(&mut inner, context),
        request: request(&mut inner, context),
    };
    inner.finish(&mut context.sink);
    Some(settings)
}

/// The template of a request to a program that stays.
fn request(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<String> {
    let text = fields.filled("request", &mut context.sink)?;
    context.check_placeholders(text.text, text.span);
    Some(text.text.to_owned())
}

/// v1 names where state is kept; v2 says whether it is saved between executions.
fn persistence(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Persistence {
    let Some(node) = fields.node("state_persistence") else { return Persistence::default() };
    match node.as_bool() {
        Some(true) => Persistence::Disk,
        Some(false) => Persistence::Memory,
        None if node.as_str().is_some() => {
            let choices = [("none", Persistence::None), ("memory", Persistence::Memory), ("disk", Persistence::Disk)];
            fields.choice("state_persistence", &choices, &mut context.sink).unwrap_or_default()
        }
        None => {
            let help = "write true, false, \"memory\" or \"disk\"";
            fields.wrong_type("state_persistence", node, "true, false or a string", help, &mut context.sink);
            Persistence::default()
        }
    }
}

/// What to do on failure. `resilience.timeout` joins the limits.
pub(crate) fn resilience(fields: &mut Fields<'_>, limits: &mut LimitRequest, context: &mut Context<'_>) -> Resilience {
    let Some(mut section) = fields.object("resilience", &mut context.sink) else { return Resilience::default() };
    let timeout = context.seconds(&mut section, "timeout", &limits::TIMEOUT, limits::RUN);
    limits.time = [limits.time, timeout].into_iter().flatten().min();
    // Attempts after the first one.
    let retries = section.count("retry_attempts", &limits::RETRIES, &mut context.sink);
    not_applied(&section, context);
    let mut resilience = Resilience {
        max_attempts: retries.map(|retries| small(retries).saturating_add(1)),
        fallback_command: section.filled("fallback_command", &mut context.sink).map(|text| text.text.to_owned()),
        ..Resilience::default()
    };
    retry(&mut section, &mut resilience, context);
    if let Some(mut breaker) = section.object("circuit_breaker", &mut context.sink) {
        resilience.failure_threshold = breaker.count("failure_threshold", &limits::COUNT, &mut context.sink).map(small);
        resilience.recovery_timeout = context.seconds(&mut breaker, "recovery_timeout", &limits::TIMEOUT, limits::RUN);
        breaker.finish(&mut context.sink);
    }
    if let Some(mut check) = section.object("health_check", &mut context.sink) {
        let enabled = check.bool("enabled", &mut context.sink).unwrap_or(true);
        let interval = context.seconds(&mut check, "interval", &limits::TIMEOUT, limits::RUN);
        let interval = interval.unwrap_or(std::time::Duration::from_secs(30));
        resilience.health_check_interval = enabled.then_some(interval);
        check.finish(&mut context.sink);
    }
    section.finish(&mut context.sink);
    resilience
}

/// Says, once, what of the section does nothing yet.
fn not_applied(section: &Fields<'_>, context: &mut Context<'_>) {
    let idle: Vec<_> = section.members().iter().filter(|member| IDLE.contains(&member.key.as_str())).collect();
    let Some(first) = idle.iter().find(|member| !member.value.is_null()) else { return };
    let names: Vec<String> = idle.iter().map(|member| format!("resilience.{}", member.key)).collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    let message =
        format!("{} {verb} declared, but not applied in this version", suggest::list(names.iter().map(String::as_str)));
    let help = "a run that fails is not tried again; of `resilience`, only `timeout` holds";
    context.sink.warning(codes::NOT_APPLIED, &first.key_span, message, help);
}

fn retry(section: &mut Fields<'_>, resilience: &mut Resilience, context: &mut Context<'_>) {
    let sink = &mut context.sink;
    let Some(mut retry) = section.object("retry_config", sink) else { return };
    if let Some(attempts) = retry.count("max_attempts", &limits::COUNT, sink) {
        if resilience.max_attempts.is_some()
            && let Some(member) = retry.member("max_attempts")
        {
            let message = "`max_attempts` and `retry_attempts` say the same; the smaller holds";
            sink.warning(codes::REPEATED, &member.key_span, message, "remove one of the two");
        }
        let said = small(attempts);
        resilience.max_attempts = Some(resilience.max_attempts.map_or(said, |other| other.min(said)));
    }
    resilience.backoff_strategy = retry.choice("backoff_strategy", BACKOFF, sink).map(str::to_owned);
    for text in retry.texts("retry_on", sink).unwrap_or_default() {
        if !RETRY_ON.contains(&text.text) {
            let message = format!("`{}` is no kind of failure", text.text);
            sink.warning(codes::UNKNOWN_VALUE, text.span, message, suggest::help(text.text, RETRY_ON.iter().copied()));
        }
        resilience.retry_on.push(text.text.to_owned());
    }
    retry.finish(sink);
}

/// A count whose bound is far below 2^32.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

use crate::args::Info;
use crate::context::Context;
use crate::exit::Stop;
use crate::render;
use serde_json::{Value, json};
use skills::{
    Allow, Body, Conversation, ExitMeaning, ParameterSpec, Permissions, Persistence, SessionSettings, Skill, Stdin,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Shows everything about a skill.
pub(crate) fn info(args: &Info) -> Result<(), Stop> {
    let engine = Context::new().quiet_engine()?;
    let skill = super::skill(&engine, &args.skill)?;
    let parameters = engine.parameters(&skill);
    let warnings: Vec<_> = engine.catalog().warnings(&args.skill).into_iter().chain(skill.remarks.clone()).collect();
    if args.json.json {
        let mut object = json!(*skill);
        object["parameters"] = skills::parameter_schema(&parameters);
        object["parameters_inferred"] = json!(!skill.parameters_declared && !parameters.is_empty());
        object["description"] = json!(engine.description(&skill));
        object["warnings"] = json!(warnings);
        return Ok(render::json(&object)?);
    }
    warnings.iter().for_each(render::diagnostic);
    let text = describe(&skill, &engine.description(&skill), &parameters);
    Ok(render::text(&render::harmless(text.trim_end()))?)
}

fn describe(skill: &Skill, description: &str, parameters: &[ParameterSpec]) -> String {
    let mut out = match &skill.version {
        Some(version) => format!("{} {version}\n", skill.name),
        None => format!("{}\n", skill.name),
    };
    if !description.is_empty() {
        out.push_str(&format!("{description}\n"));
    }
    out.push('\n');
    let mut line = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            out.push_str(&format!("{name:<12} {text}\n"));
        }
    };
    let plain = |value: Value| value.as_str().map(str::to_owned);
    line("aliases", Some(skill.aliases.join(", ")));
    line("type", plain(json!(skill.kind)));
    line("runs", Some(runs(&skill.body)));
    for (name, text) in program(&skill.body) {
        line(name, Some(text));
    }
    line("asked by", skill.session.as_ref().and_then(asked_by));
    line("scope", Some(skill.scope.to_string()));
    line("file", Some(skill.file.clone()));
    line("written as", plain(json!(skill.dialect)));
    line("author", skill.author.clone());
    line("license", skill.license.clone());
    line("homepage", skill.homepage.clone());
    line("shown as", plain(json!(skill.output_format)));
    line("time limit", skill.limits.time.map(seconds));
    line("memory", skill.limits.max_memory_mb.map(|mb| format!("{mb} MB")));
    line("processor", skill.limits.max_cpu_percent.map(|percent| format!("{percent} %")));
    line("file size", skill.limits.max_file_size_mb.map(|mb| format!("{mb} MB")));
    for (name, text) in permissions(&skill.permissions) {
        line(name, Some(text));
    }
    line("session", skill.session.as_ref().map(session));
    line("needs", Some(versions(&skill.dependencies)));
    line("provides", Some(versions(&skill.provides)));
    line("digest", Some(skill.digest.clone()));
    for (key, value) in &skill.metadata {
        line(key, Some(value_text(value)));
    }
    if !parameters.is_empty() {
        out.push_str(if skill.parameters_declared { "\nparameters\n" } else { "\nparameters (from the script)\n" });
        for parameter in parameters {
            out.push_str(&format!("  {:<14} {}\n", parameter.name, parameter_text(parameter)));
        }
    }
    for (name, text) in texts(skill) {
        let text: Vec<String> = text.trim().lines().map(|line| format!("  {line}").trim_end().to_owned()).collect();
        out.push_str(&format!("\n{name}\n{}\n", text.join("\n")));
    }
    out
}

/// How a program that stays is asked.
fn asked_by(session: &SessionSettings) -> Option<String> {
    let name = session.protocol.as_ref()?.name();
    Some(match &session.request {
        Some(request) => format!("{name}: {request}"),
        None => name.to_owned(),
    })
}

/// What stands around what runs.
fn program(body: &Body) -> Vec<(&'static str, String)> {
    let pairs = |of: Vec<String>| of.join(", ");
    let lines = match body {
        Body::Command(spec) => vec![
            ("runs in", spec.working_directory.clone().unwrap_or_default()),
            ("sets", pairs(spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect())),
            ("reads in", if spec.stdin == Stdin::Json { "the parameters as JSON".to_owned() } else { String::new() }),
            ("exit codes", pairs(spec.exit_codes.iter().map(|(code, meaning)| exit_code(*code, meaning)).collect())),
        ],
        Body::Mcp { mapping, .. } => {
            vec![("with", pairs(mapping.iter().map(|(name, value)| format!("{name}={}", value_text(value))).collect()))]
        }
        Body::Delegate { delegation_threshold: Some(threshold), .. } => {
            vec![("hands over", format!("after {}", seconds(*threshold)))]
        }
        _ => Vec::new(),
    };
    lines.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn exit_code(code: i32, meaning: &ExitMeaning) -> String {
    match meaning {
        ExitMeaning::Success => format!("{code} ok"),
        ExitMeaning::Failure(why) => format!("{code} {why}"),
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// What the definition asks for, what it asks to do without included.
fn permissions(asked: &Permissions) -> Vec<(&'static str, String)> {
    let list = |names: &Option<Vec<String>>| {
        names.as_ref().map(|names| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
    };
    let allow = |allow: &Option<Allow>| {
        allow.as_ref().map(|allow| match allow {
            Allow::All(true) => "anything".to_owned(),
            Allow::All(false) => "nothing".to_owned(),
            Allow::Only(names) if names.is_empty() => "nothing".to_owned(),
            Allow::Only(names) => names.join(", "),
        })
    };
    let lines = [
        ("reads", list(&asked.file_read)),
        ("writes", list(&asked.file_write)),
        ("network", allow(&asked.network_access)),
        ("starts", allow(&asked.process_spawn)),
        ("variables", list(&asked.environment)),
        ("secrets", list(&asked.secrets)),
        ("sessions", list(&asked.sessions)),
        ("sandbox", asked.sandbox.filter(|sandbox| *sandbox).map(|_| "always".to_owned())),
    ];
    lines.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn session(settings: &SessionSettings) -> String {
    let persistence = match settings.persistence {
        Persistence::None => Some("state is dropped after each call"),
        Persistence::Memory => Some("state in memory"),
        Persistence::Disk => Some("state on disk"),
    };
    let parts = [
        persistence.map(str::to_owned),
        settings.max_duration.map(|time| format!("lives {}", seconds(time))),
        settings.idle_timeout.map(|time| format!("idle {}", seconds(time))),
        settings.max_sessions.map(|most| format!("at most {most} at once")),
        settings
            .cleanup_on_exit
            .map(|cleans| if cleans { "dropped when it ends".to_owned() } else { "kept when it ends".to_owned() }),
        settings.external.then(|| "a process of its own".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn versions<V: std::fmt::Display>(of: &BTreeMap<String, V>) -> String {
    of.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", ")
}

/// A value of the metadata on one line.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('\n', " "),
        Value::Array(items) if items.iter().all(|item| !item.is_array() && !item.is_object()) => {
            items.iter().map(value_text).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// Texts that stand below a title of their own: prompts and what belongs to them.
fn texts(skill: &Skill) -> Vec<(&'static str, String)> {
    let guides = &skill.prompt;
    let mut texts: Vec<(&'static str, Option<String>)> = vec![
        ("how to check what was said", guides.input_validation.clone()),
        ("how to find the parameters", guides.argument_mapping.clone()),
        ("how to present the result", guides.output_formatting.clone()),
    ];
    match &skill.body {
        Body::Prompt { template, .. } => texts.push(("prompt", Some(template.clone()))),
        Body::Conversation(conversation) => {
            let questions: Vec<String> = conversation.guided_questions.iter().map(|one| format!("- {one}")).collect();
            texts.extend([
                ("how it begins", Some(conversation.initial_prompt.clone())),
                ("questions", Some(questions.join("\n"))),
                ("how it is summed up", conversation.context_summary_prompt.clone()),
                ("how it ends", conversation.summary_format.clone()),
                ("settings", Some(settings(conversation))),
            ]);
        }
        _ => {}
    }
    texts.into_iter().filter_map(|(name, text)| Some((name, text.filter(|text| !text.trim().is_empty())?))).collect()
}

fn settings(conversation: &Conversation) -> String {
    let files = conversation.context_files.as_ref();
    let lines = [
        conversation.max_turns.map(|turns| format!("at most {turns} turns")),
        conversation.model.as_ref().map(|model| format!("model {model}")),
        conversation.context_window.map(|tokens| format!("{tokens} tokens of context")),
        conversation.return_to_context.then(|| "the summary goes back to the context".to_owned()),
        files.map(|files| format!("files {}", files.patterns.join(", "))),
        files
            .filter(|files| !files.exclude_patterns.is_empty())
            .map(|files| format!("without {}", files.exclude_patterns.join(", "))),
        files.and_then(|files| files.max_files).map(|most| format!("at most {most} files")),
        files.and_then(|files| files.max_file_size_kb).map(|most| format!("of at most {most} KB")),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn runs(body: &Body) -> String {
    match body {
        Body::Inline { script } => format!("{} ({})", script.language, script.file),
        Body::Command(command) => format!("{} {}", command.command, command.args.join(" ")).trim_end().to_owned(),
        Body::Mcp { server, tool, .. } => format!("{tool} of the MCP server {server}"),
        Body::Delegate { agent, .. } => format!("the agent {agent}"),
        Body::Prompt { scripts, .. } if !scripts.is_empty() => format!("a prompt; scripts: {}", scripts.join(", ")),
        Body::Prompt { .. } => "a prompt".to_owned(),
        Body::Conversation(_) => "a conversation".to_owned(),
        Body::Workflow { steps, .. } => format!("a workflow of {} steps", steps.len()),
        _ => String::new(),
    }
}

fn parameter_text(parameter: &ParameterSpec) -> String {
    let schema = &parameter.schema;
    let allowed = schema.get("enum").and_then(Value::as_array).map(|values| {
        let values: Vec<_> = values.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
        values.join("|")
    });
    let mut parts = vec![match (&allowed, schema.get("type")) {
        (Some(allowed), _) => allowed.clone(),
        (None, Some(Value::String(name))) => name.clone(),
        (None, Some(Value::Array(names))) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|"),
        _ => "anything".to_owned(),
    }];
    match (&parameter.default, parameter.required) {
        (Some(default), _) if !default.is_null() => parts.push(format!("default {default}")),
        (_, true) => parts.push("required".to_owned()),
        _ => parts.push("optional".to_owned()),
    }
    parts.extend(constraints(schema));
    let head = parts.join(", ");
    match &parameter.description {
        Some(description) => format!("{head}: {description}"),
        None => head,
    }
}

/// What else a parameter's values have to be.
fn constraints(schema: &Value) -> Vec<String> {
    let shown = |(key, before): (&str, &str)| {
        let value = schema.get(key)?;
        Some(format!("{before} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    };
    let known = [
        ("pattern", "like"),
        ("minimum", "from"),
        ("maximum", "to"),
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("minItems", "items at least"),
        ("maxItems", "items at most"),
    ];
    known.into_iter().filter_map(shown).collect()
}

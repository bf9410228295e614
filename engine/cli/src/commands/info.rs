use crate::args::Info;
use crate::context::Context;
use crate::exit::Stop;
use crate::render;
use serde_json::{Value, json};
use skills::{Body, ParameterSpec, SessionSettings, Skill};

/// Shows everything about a skill.
pub(crate) fn info(args: &Info) -> Result<(), Stop> {
    let engine = Context::new().quiet_engine()?;
    let skill = super::skill(&engine, &args.skill)?;
    let parameters = engine.parameters(&skill);
    if args.json.json {
        let mut object = json!(*skill);
        object["parameters"] = skills::parameter_schema(&parameters);
        object["parameters_inferred"] = json!(!skill.parameters_declared && !parameters.is_empty());
        object["warnings"] = json!(engine.catalog().warnings(&args.skill));
        return Ok(render::json(&object)?);
    }
    for diagnostic in engine.catalog().warnings(&args.skill) {
        render::diagnostic(&diagnostic);
    }
    Ok(render::text(&render::harmless(describe(&skill, &parameters).trim_end()))?)
}

fn describe(skill: &Skill, parameters: &[ParameterSpec]) -> String {
    let mut out = match &skill.version {
        Some(version) => format!("{} {version}\n", skill.name),
        None => format!("{}\n", skill.name),
    };
    out.push_str(&format!("{}\n\n", skill.description));
    let mut line = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            out.push_str(&format!("{name:<12} {text}\n"));
        }
    };
    let plain = |value: Value| value.as_str().map(str::to_owned);
    line("aliases", Some(skill.aliases.join(", ")));
    line("type", plain(json!(skill.kind)));
    line("runs", Some(runs(&skill.body)));
    line("asked by", skill.session.as_ref().and_then(asked_by));
    line("scope", Some(skill.scope.to_string()));
    line("file", Some(skill.file.clone()));
    line("written as", plain(json!(skill.dialect)));
    line("author", skill.author.clone());
    line("license", skill.license.clone());
    line("homepage", skill.homepage.clone());
    line("time limit", skill.limits.time.map(|time| format!("{} s", time.as_secs_f64())));
    line("memory", skill.limits.max_memory_mb.map(|mb| format!("{mb} MB")));
    for (name, paths) in [("reads", &skill.permissions.file_read), ("writes", &skill.permissions.file_write)] {
        line(name, paths.as_ref().map(|paths| paths.join(", ")));
    }
    let needs = skill.dependencies.iter().map(|(name, version)| format!("{name} {version}"));
    line("needs", Some(needs.collect::<Vec<_>>().join(", ")));
    line("digest", Some(skill.digest.clone()));
    if !parameters.is_empty() {
        out.push_str(if skill.parameters_declared { "\nparameters\n" } else { "\nparameters (from the script)\n" });
        for parameter in parameters {
            out.push_str(&format!("  {:<14} {}\n", parameter.name, parameter_text(parameter)));
        }
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
    let head = parts.join(", ");
    match &parameter.description {
        Some(description) => format!("{head}: {description}"),
        None => head,
    }
}

use crate::render;
use serde_json::{Value, json};
use skills::{Invocation, Judgement, Step};
use std::io;

/// Prints what would run: `--dry-run`.
pub(crate) fn plan(judgement: &Judgement, as_json: bool) -> io::Result<()> {
    let plan = judgement.plan();
    let mut object = json!(plan);
    object["evidence"] = json!(judgement.evidence());
    object["trust"] = json!(judgement.trust());
    object["warnings"] = json!(judgement.warnings());
    object["allowed"] = json!(judgement.refusal().is_none());
    object["error"] = judgement.refusal().map_or(Value::Null, |error| error.to_json());
    if as_json {
        return render::json(&object);
    }
    let mut out = format!("would run    {} ({})\n", plan.skill().qualified_name(), plan.skill().file);
    out.push_str(&where_it_runs(judgement));
    if let Step::Program(invocation) = plan.step() {
        out.push_str(&program(invocation));
    }
    if !plan.arguments().is_empty() {
        out.push_str("arguments\n");
        for (name, value) in plan.arguments() {
            out.push_str(&format!("  {name:<12} {value}\n"));
        }
    }
    out.push_str("limits\n");
    for (name, amount) in object["limits"].as_object().into_iter().flatten() {
        let amount = match (name.as_str(), amount.as_u64()) {
            ("time" | "wall", Some(ms)) => time(ms),
            ("memory" | "output" | "result", Some(bytes)) => size(bytes),
            _ => amount.to_string(),
        };
        out.push_str(&format!("  {:<12} {amount}\n", name.replace('_', " ")));
    }
    out.push_str(&capabilities(judgement));
    render::text(&render::harmless(out.trim_end()))
}

/// Prints what would be decided: `policy check`.
pub(crate) fn policy(judgement: &Judgement, as_json: bool) -> io::Result<()> {
    let (plan, trust) = (judgement.plan(), judgement.trust());
    let refusal = judgement.refusal();
    if as_json {
        return render::json(&json!({
            "skill": plan.skill().name,
            "scope": plan.skill().scope,
            "file": plan.skill().file,
            "allowed": refusal.is_none(),
            "isolation": trust.isolation.as_ref().map(|_| plan.isolation()),
            "trust": trust,
            "evidence": judgement.evidence(),
            "warnings": judgement.warnings(),
            "error": refusal.map(|error| error.to_json()),
        }));
    }
    let mut out = format!("skill        {} ({})\n", plan.skill().qualified_name(), plan.skill().file);
    out.push_str(&format!("decision     {}\n", if refusal.is_none() { "allowed" } else { "refused" }));
    if let Some(error) = &refusal {
        out.push_str(&format!("because      {}\n", error.message()));
        out.push_str(&error.help().map(|help| format!("help         {help}\n")).unwrap_or_default());
    }
    out.push_str(&where_it_runs(judgement));
    out.push_str(&capabilities(judgement));
    render::text(&render::harmless(out.trim_end()))
}

fn where_it_runs(judgement: &Judgement) -> String {
    let trust = judgement.trust();
    let word = if trust.trusted { "trusted" } else { "not trusted" };
    let mut out = format!("trust        {word}: {}\n", trust.rule);
    if let Some(why) = &trust.isolation {
        // As `--isolation` spells it.
        let tier = text(&json!(judgement.plan().isolation())).replace('_', "-");
        out.push_str(&format!("isolation    {tier}: {why}\n"));
    }
    out
}

fn capabilities(judgement: &Judgement) -> String {
    let mut out = "capabilities\n".to_owned();
    if judgement.evidence().is_empty() {
        out.push_str("  none\n");
    }
    for evidence in judgement.evidence() {
        let asked = evidence.request.to_string();
        let decision = if evidence.granted { "granted" } else { "not granted" };
        out.push_str(&format!("  {asked:<24} {decision}: {}\n", evidence.rule));
    }
    out
}

/// What is started: the program and its arguments, each as JSON where it is more than a word.
fn program(invocation: &Invocation) -> String {
    let word = |text: &String| {
        let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
        if text.chars().all(plain) && !text.is_empty() { text.clone() } else { json!(text).to_string() }
    };
    let words: Vec<String> = std::iter::once(&invocation.program).chain(&invocation.arguments).map(word).collect();
    let mut out = format!("program      {}\n", words.join(" "));
    for (name, value) in &invocation.environment {
        out.push_str(&format!("  {name}={}\n", word(value)));
    }
    if let Some(protocol) = &invocation.protocol {
        out.push_str(&format!("asked by     {}\n", protocol.name()));
    }
    if let Some(request) = &invocation.request {
        out.push_str(&format!("request      {}\n", word(request)));
    }
    out
}

/// Milliseconds as `--max-time` takes them.
fn time(ms: u64) -> String {
    if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

/// Bytes as `--max-memory` takes them.
fn size(bytes: u64) -> String {
    let units = [(30, "GB"), (20, "MB"), (10, "KB")];
    let unit = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    unit.map_or_else(|| format!("{bytes} bytes"), |(shift, name)| format!("{}{name}", bytes >> shift))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

use crate::render;
use serde_json::{Value, json};
use skills::{AuthorizedPlan, Invocation, Step};
use std::io;

/// Prints what would run: `--dry-run`.
pub(crate) fn plan(authorized: &AuthorizedPlan, as_json: bool) -> io::Result<()> {
    let plan = authorized.plan();
    let mut object = json!(plan);
    object["evidence"] = json!(authorized.evidence());
    if as_json {
        return render::json(&object);
    }
    let mut out = format!("would run    {} ({})\n", plan.skill().qualified_name(), plan.skill().file);
    // As `--isolation` spells it.
    out.push_str(&format!("isolation    {}\n", text(&object["isolation"]).replace('_', "-")));
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
    out.push_str("capabilities\n");
    if authorized.evidence().is_empty() {
        out.push_str("  none\n");
    }
    for evidence in authorized.evidence() {
        let asked = request(&json!(evidence.request));
        let decision = if evidence.granted { "granted" } else { "not granted" };
        out.push_str(&format!("  {asked:<24} {decision}: {}\n", evidence.rule));
    }
    render::text(&render::harmless(out.trim_end()))
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

/// `{"capability": "file_read", "path": "./"}` as `file_read ./`.
fn request(value: &Value) -> String {
    let words = value.as_object().into_iter().flatten().map(|(_, value)| match value {
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(" "),
        other => text(other),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

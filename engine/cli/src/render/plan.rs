use crate::render;
use serde_json::{Value, json};
use skills::AuthorizedPlan;

/// Prints what would run: `--dry-run`.
pub(crate) fn plan(authorized: &AuthorizedPlan, as_json: bool) {
    let plan = authorized.plan();
    let mut object = json!(plan);
    object["evidence"] = json!(authorized.evidence());
    if as_json {
        render::json(&object);
        return;
    }
    let mut out = format!("would run    {} ({})\n", plan.skill.qualified_name(), plan.skill.file);
    out.push_str(&format!("isolation    {}\n", text(&object["isolation"])));
    if !plan.arguments.is_empty() {
        out.push_str("arguments\n");
        for (name, value) in &plan.arguments {
            out.push_str(&format!("  {name:<12} {value}\n"));
        }
    }
    out.push_str("limits\n");
    for (name, amount) in object["limits"].as_object().into_iter().flatten() {
        let unit = match name.as_str() {
            "time" | "wall" => " ms",
            "memory" | "output" | "result" => " bytes",
            _ => "",
        };
        out.push_str(&format!("  {name:<12} {amount}{unit}\n"));
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
    render::text(out.trim_end());
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

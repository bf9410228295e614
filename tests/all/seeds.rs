//! What a person sees of every key of both seed documents: in `skills info`, or as what `skills validate` says of it.

use crate::support::{Sandbox, folders, root};
use serde_json::Value;
use std::path::Path;

/// Every leaf of a value, with its path.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (format!("{path}.{key}"), value)).collect(),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().map(|value| (path.to_owned(), value)).collect()
        }
        _ => return found.push((path.trim_start_matches('.').to_owned(), value.clone())),
    };
    inner.into_iter().for_each(|(path, value)| leaves(value, &path, found));
}

/// What has to be seen of a key; `None` for what is for editors only.
fn seen(path: &str, value: &Value, v1: bool) -> Option<String> {
    let key = path.rsplit('.').next().unwrap_or(path);
    let seconds = |value: &Value| format!("{} s", value.as_f64().unwrap() / if v1 { 1000.0 } else { 1.0 });
    let list = |value: &Value| {
        let items = value.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned());
        items.collect::<Vec<_>>()
    };
    let on = value.as_bool();
    Some(match (path, key) {
        ("$schema", _) => return None,
        _ if ["performance", "development", "observability"].iter().any(|section| path.starts_with(section)) => {
            "[S0023]".into()
        }
        (_, "timeout" | "max_execution_time") => "time limit ".into(),
        _ if path.starts_with("resilience.") => "[S0027]".into(),
        ("scope", _) => "scope        project".into(),
        ("executor.type", _) => match value.as_str().unwrap() {
            "mcp" => "of the MCP server".into(),
            "delegate" => "the agent".into(),
            _ => "runs ".into(),
        },
        ("prompt", _) => value.as_str().unwrap().into(),
        (_, "working_directory") => format!("runs in      {}", value.as_str().unwrap()),
        (_, "KEY" | "PYTHONPATH") => format!("sets         {key}={}", value.as_str().unwrap()),
        (_, "mapping" | "location" | "units") => format!("{key}={}", value.as_str().unwrap()),
        (_, "delegation_threshold") => format!("hands over   after {}", seconds(value)),
        (_, "max_duration") => format!("lives {}", seconds(value)),
        (_, "session_timeout") => format!("idle {}", seconds(value)),
        (_, "max_sessions") => format!("at most {value} at once"),
        (_, "cleanup_on_exit") => "dropped when it ends".into(),
        (_, "state_persistence") if on == Some(true) => "state on disk".into(),
        (_, "state_persistence") => format!("state in {}", value.as_str().unwrap()),
        (_, "max_memory_mb") => format!("memory       {value} MB"),
        (_, "max_cpu_percent") => format!("processor    {value} %"),
        (_, "max_file_size_mb") => format!("file size    {value} MB"),
        (_, "allow_network" | "network_access") if on == Some(false) => "network      nothing".into(),
        (_, "process_spawn") if on == Some(false) => "starts       nothing".into(),
        (_, "allow_file_write") if on == Some(false) => "writes       nothing".into(),
        (_, "allowed_paths" | "file_read") => format!("reads        {}", list(value).join(", ")),
        (_, "file_write") => format!("writes       {}", list(value).join(", ")),
        (_, "sandbox_enabled") => "sandbox      always".into(),
        (_, "return_to_context") => "the summary goes back".into(),
        (_, "max_turns") => format!("at most {value} turns"),
        (_, "context_window") => format!("{value} tokens"),
        (_, "max_files") => format!("at most {value} files"),
        (_, "max_file_size_kb") => format!("at most {value} KB"),
        (_, "required") if on == Some(true) => "required".into(),
        ("parameters.operation.type", _) => "add|subtract|multiply|divide".into(),
        (_, "type") if value == "enum" => "test|documentation|example".into(),
        (_, "guided_questions") => format!("- {}", list(value)[0]),
        (_, "values" | "enum") => list(value).join("|"),
        (_, "pattern") => format!("like {}", value.as_str().unwrap()),
        (_, "output_format") => format!("shown as     {}", value.as_str().unwrap()),
        _ => match value {
            Value::String(text) => match text.strip_prefix("file://./") {
                // Code is named by its file, and a text that it holds is shown.
                Some(file) if key == "code" => file.to_owned(),
                Some(file) => {
                    let path = root().join("tests/fixtures/definitions/seeds").join(file);
                    std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned()
                }
                None => text.lines().next().unwrap().to_owned(),
            },
            Value::Array(_) => list(value).first().unwrap().rsplit('/').next().unwrap().to_owned(),
            other => other.to_string(),
        },
    })
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for folder in folders(from) {
        copy(&folder, &to.join(folder.file_name().unwrap()));
    }
    for file in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        std::fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

#[test]
fn every_key_of_both_seeds_is_seen() {
    let sandbox = Sandbox::new();
    let from = root().join("tests/fixtures/definitions/seeds");
    copy(&from, &sandbox.path());
    let mut unseen = Vec::new();
    let mut count = 0;
    for file in std::fs::read_dir(&from).unwrap().map(|entry| entry.unwrap().path()) {
        let Some(name) = file.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".json")) else {
            continue;
        };
        let path = format!("./{name}");
        let (info, checked) = (sandbox.run(&["info", &path]).exits(0), sandbox.run(&["validate", &path]).exits(0));
        let text = format!("{}{}", info.stdout, checked.stdout);
        let mut found = Vec::new();
        leaves(&serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap(), "", &mut found);
        for (path, value) in found {
            count += 1;
            if let Some(wanted) = seen(&path, &value, name.starts_with("v1-"))
                && !text.contains(&wanted)
            {
                unseen.push(format!("{name}: {path}: `{wanted}` is not in\n{text}"));
            }
        }
    }
    assert!(count > 100, "only {count} keys");
    assert!(unseen.is_empty(), "{} of {count}:\n{}", unseen.len(), unseen.join("\n"));
}

//! Which session it is, and how it is talked to: `%session`, `%fork`, `%reset`, `%lang`, `%keys`, `%quit`.

use super::usage;
use crate::exit::Stop;
use crate::render;
use crate::repl::{Flow, Repl, keys, show};
use serde_json::Value;
use skills::{Error, ErrorKind, Language};
use std::time::Duration;

pub(super) fn session(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    match rest {
        "" => render::text(&about(&repl.shared.session().info()?))?,
        "list" => {
            let mut table = render::table(&["name", "language", "state", "age", "evaluations", "memory"]);
            for info in repl.sessions.list()? {
                let text = |key: &str| info[key].as_str().unwrap_or_default().to_owned();
                let age = show::time(Duration::from_millis(info["age_ms"].as_u64().unwrap_or(0)));
                let memory = info["memory_bytes"].as_u64().map(show::bytes).unwrap_or_default();
                table.add_row(vec![
                    text("name"),
                    text("language"),
                    text("state"),
                    age,
                    info["evaluations"].to_string(),
                    memory,
                ]);
            }
            render::print_table(&table)?;
        }
        name if name.contains(char::is_whitespace) => return Err(usage("session").into()),
        name => {
            let session = repl.sessions.open(repl.shared.language(), Some(name))?;
            repl.go(session);
            render::note(&format!("this is session {name}"));
            repl.define()?;
        }
    }
    Ok(Flow::On)
}

/// A session in a few lines.
fn about(info: &Value) -> String {
    let millis = |key: &str| info[key].as_u64().map(|ms| show::time(Duration::from_millis(ms)));
    let lines = [
        ("session", info["name"].as_str().map(str::to_owned)),
        ("language", info["language"].as_str().map(str::to_owned)),
        ("skill", info["skill"].as_str().map(str::to_owned)),
        ("isolation", info["isolation"].as_str().map(|tier| tier.replace('_', "-"))),
        ("age", millis("age_ms")),
        ("evaluations", info["evaluations"].as_u64().map(show::count)),
        ("memory", info["memory_bytes"].as_u64().map(show::bytes)),
        ("cpu", millis("cpu_ms")),
        ("kept", info["persistence"].as_str().map(str::to_owned)),
    ];
    let line = |(name, value): (&str, Option<String>)| Some(format!("{name:<12} {}", value?));
    render::harmless(&lines.into_iter().filter_map(line).collect::<Vec<_>>().join("\n"))
}

pub(super) fn fork(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    if rest.is_empty() || rest.contains(char::is_whitespace) {
        return Err(usage("fork").into());
    }
    let session = repl.shared.session();
    let copy = session.fork(rest)?;
    repl.sessions.met(&copy);
    let language = repl.shared.language();
    repl.go(copy);
    // Whoever copies goes on with what they were at.
    repl.shared.set_language(language);
    render::note(&format!("this is {rest}, a copy of {0}; `%session {0}` goes back", session.name()));
    Ok(Flow::On)
}

pub(super) fn reset(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    if !rest.is_empty() {
        return Err(usage("reset").into());
    }
    let session = repl.sessions.reset(repl.shared.session().as_ref())?;
    repl.go(session);
    repl.cells.clear();
    render::note("everything is forgotten");
    repl.define()?;
    Ok(Flow::On)
}

pub(super) fn lang(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    if rest.is_empty() {
        render::text(repl.shared.language().as_str())?;
        return Ok(Flow::On);
    }
    let language = Language::from_name(rest).ok_or_else(|| {
        Error::new(ErrorKind::InvalidArguments, format!("`{rest}` is not a language"))
            .with_help("use one of python, javascript, typescript, rhai, bash")
    })?;
    repl.speak(language)?;
    repl.shared.set_language(language);
    Ok(Flow::On)
}

pub(super) fn keys(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let Some(editor) = &mut repl.editor else { return Ok(Flow::On) };
    if rest.is_empty() {
        render::text(keys::name(editor.keys()))?;
        return Ok(Flow::On);
    }
    editor.set_keys(keys::named(rest).ok_or_else(|| usage("keys"))?);
    Ok(Flow::On)
}

pub(super) fn quit(_: &mut Repl, _: &str) -> Result<Flow, Stop> {
    Ok(Flow::Leave)
}

use super::session_files;
use crate::args::{SessionStop, Sessions};
use crate::context::Context;
use crate::exit::Stop;
use crate::host::{Client, Front, Request, no_session};
use crate::prompt::Prompt;
use crate::render;
use crate::surroundings::Surroundings;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use skills::core::Variable;
use skills::{Error, ErrorKind, NoEvents, StoredSession};
use std::io;
use std::time::{Duration, SystemTime};

/// How often whoever watches looks whether a host runs by now.
const LOOK: Duration = Duration::from_millis(500);

/// Lists, inspects, copies, saves and ends sessions. Starts no host for it.
pub(crate) fn sessions(command: &Sessions) -> Result<(), Stop> {
    let surroundings = Surroundings::own();
    match command {
        Sessions::List(args) => list(&surroundings, args.json.json),
        Sessions::Show(args) => {
            let info: Value = of_host(&surroundings, &args.name, Request::Show { name: args.name.clone() })?;
            if args.json.json { Ok(render::json(&info)?) } else { Ok(show(&info)?) }
        }
        Sessions::Vars(args) => {
            let request = Request::Variables { name: args.name.clone() };
            let variables: Vec<Variable> = of_host(&surroundings, &args.name, request)?;
            if args.json.json { Ok(render::json(&json!(variables))?) } else { Ok(vars(&variables)?) }
        }
        Sessions::Kill(args) => {
            let info: Value = match of_host(&surroundings, &args.name, Request::Kill { name: args.name.clone() }) {
                Err(stop) => match forgotten(surroundings, &args.name)? {
                    Some(stored) => stored,
                    None => return Err(stop),
                },
                killed => killed?,
            };
            match args.json.json {
                true => Ok(render::json(&info)?),
                false => Ok(render::text(&format!("ended `{}`", args.name))?),
            }
        }
        Sessions::Fork(args) => {
            let request = Request::Fork { name: args.name.clone(), to: args.to.clone() };
            let info: Value = of_host(&surroundings, &args.name, request)?;
            match args.json.json {
                true => Ok(render::json(&info)?),
                false => Ok(render::text(&format!("copied `{}` to `{}`", args.name, args.to))?),
            }
        }
        Sessions::Export(args) => session_files::export(&surroundings, args),
        Sessions::Import(args) => session_files::import(&surroundings, args),
        Sessions::Watch(args) => watch(&surroundings, args.json.json),
        Sessions::Stop(args) => stop(&surroundings, args),
    }
}

/// Asks the host about a session, which cannot be there where no host runs.
pub(super) fn of_host<T: DeserializeOwned>(
    surroundings: &Surroundings,
    name: &str,
    request: Request,
) -> Result<T, Stop> {
    let Some(mut client) = Client::existing(surroundings)? else { return Err(no_session(name, &[], None).into()) };
    let mut front = Front { events: &NoEvents, approver: &Prompt, changes: &mut |_| Ok(()) };
    Ok(client.call(request, &mut front)?)
}

fn list(surroundings: &Surroundings, as_json: bool) -> Result<(), Stop> {
    let all: Vec<Value> = match Client::existing(surroundings)? {
        Some(mut client) => {
            let mut front = Front { events: &NoEvents, approver: &Prompt, changes: &mut |_| Ok(()) };
            client.call(Request::List, &mut front)?
        }
        None => Vec::new(),
    };
    let all = with_stored(all, surroundings)?;
    if as_json {
        return Ok(render::json(&json!(all))?);
    }
    if all.is_empty() {
        render::note("no sessions");
        return Ok(());
    }
    let header =
        ["NAME", "LANGUAGE", "OF", "STATE", "AGE", "IDLE", "EVALUATIONS", "MEMORY", "CPU", "ISOLATION", "KEPT"];
    let mut table = render::table(&header);
    for session in &all {
        table.add_row(row(session));
    }
    Ok(render::print_table(&table)?)
}

/// Sessions, and those that lie on disk only.
fn with_stored(mut all: Vec<Value>, surroundings: &Surroundings) -> Result<Vec<Value>, Stop> {
    let Some(store) = Context::of(surroundings.clone()).session_store() else { return Ok(all) };
    let (stored, wrong) = store.list()?;
    for error in wrong {
        render::warning(error.message());
    }
    for session in stored {
        if !all.iter().any(|open| open["name"] == session.name) {
            all.push(on_disk(&session));
        }
    }
    Ok(all)
}

/// A session that nobody has open, in the form of one that is.
fn on_disk(session: &StoredSession) -> Value {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let idle = u64::try_from(now.as_millis()).unwrap_or(u64::MAX).saturating_sub(session.saved);
    json!({
        "name": session.name,
        "language": session.language,
        "skill": session.skill,
        "owner": session.owner,
        "state": "on_disk",
        "idle_ms": idle,
        "evaluations": session.evaluations,
        "bytes": session.bytes,
        "isolation": session.isolation,
        "persistence": "disk",
        "lost": session.lost,
        "file": session.file,
    })
}

/// Removes a session that lies on disk only; what it was, where there was one.
fn forgotten(surroundings: Surroundings, name: &str) -> Result<Option<Value>, Stop> {
    let Some(store) = Context::of(surroundings).session_store() else { return Ok(None) };
    let mut gone = None;
    for session in store.named(name)? {
        store.remove(&session.owner, &session.name)?;
        gone = Some(on_disk(&session));
    }
    Ok(gone)
}

fn row(session: &Value) -> Vec<String> {
    let of = |key: &str| session[key].as_str().unwrap_or_default().to_owned();
    let since = |key: &str| session[key].as_u64().map(age).unwrap_or_default();
    vec![
        of("name"),
        of("language"),
        session["skill"].as_str().map_or_else(|| of("owner"), str::to_owned),
        of("state").replace('_', " "),
        since("age_ms"),
        since("idle_ms"),
        session["evaluations"].to_string(),
        session["memory_bytes"].as_u64().map(bytes).unwrap_or_default(),
        session["cpu_ms"].as_u64().map(|ms| format!("{ms} ms")).unwrap_or_default(),
        of("isolation").replace('_', "-"),
        of("persistence"),
    ]
}

/// A time for a person: `45s`, `12m`, `3h`, `2d`.
fn age(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A size for a person.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.0} KB", n as f64 / 1024.0),
        _ => format!("{:.1} MB", n as f64 / 1_048_576.0),
    }
}

fn show(info: &Value) -> io::Result<()> {
    let mut out = String::new();
    for (key, value) in info.as_object().into_iter().flatten() {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Array(lost) if key == "lost" => {
                let each = lost.iter().map(|lost| format!("{} ({})", text_of(lost, "name"), text_of(lost, "why")));
                each.collect::<Vec<_>>().join(", ")
            }
            Value::Object(budget) if key == "budget" => {
                let each = budget.iter().map(|(name, part)| format!("{name} {} of {}", part["used"], part["limit"]));
                each.collect::<Vec<_>>().join(", ")
            }
            Value::Number(n) if key.ends_with("_bytes") => n.as_u64().map(bytes).unwrap_or_default(),
            other => other.to_string(),
        };
        if !text.is_empty() {
            let key = key.trim_end_matches("_bytes").replace("_ms", " (ms)").replace('_', " ");
            out.push_str(&format!("{key:<12} {}\n", render::one_line(&text)));
        }
    }
    render::text(out.trim_end())
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn vars(variables: &[Variable]) -> io::Result<()> {
    if variables.is_empty() {
        render::note("no variables");
        return Ok(());
    }
    let mut table = render::table(&["NAME", "TYPE", "VALUE"]);
    for Variable { name, type_name, shown, .. } in variables {
        table.add_row([name, type_name, &render::one_line(shown)]);
    }
    render::print_table(&table)
}

fn watch(surroundings: &Surroundings, as_json: bool) -> Result<(), Stop> {
    let mut waits = false;
    loop {
        if let Some(mut client) = Client::existing(surroundings)? {
            waits = false;
            let mut changes = |change: Value| match as_json {
                true => render::text(&change.to_string()),
                false => render::text(&line(&change)),
            };
            let mut front = Front { events: &NoEvents, approver: &Prompt, changes: &mut changes };
            match client.call::<Value>(Request::Watch, &mut front) {
                // It ended: another may come.
                Err(crate::host::Failed::Error(error)) if error.kind() == ErrorKind::Crashed => {}
                other => drop(other?),
            }
        }
        if !std::mem::replace(&mut waits, true) {
            render::note("no session host runs; waiting for one");
        }
        std::thread::sleep(LOOK);
    }
}

/// What happened, on one line.
fn line(change: &Value) -> String {
    let session = &change["session"];
    let name = text_of(session, "name");
    let what = match text_of(change, "event") {
        "opened" => format!("opened: {}, {}", text_of(session, "language"), text_of(session, "isolation")),
        "evaluated" => {
            let failed = change["error"].as_str().map(|kind| format!(", failed: {kind}")).unwrap_or_default();
            let memory = session["memory_bytes"].as_u64().map(|n| format!(", {}", bytes(n))).unwrap_or_default();
            format!("evaluated: {} so far{memory}{failed}", session["evaluations"])
        }
        "ended" => change["reason"].as_str().map_or_else(|| "ended".to_owned(), |why| format!("ended: {why}")),
        other => other.to_owned(),
    };
    render::one_line(&format!("{name} {what}"))
}

fn stop(surroundings: &Surroundings, args: &SessionStop) -> Result<(), Stop> {
    let farewell = Client::stop(surroundings, args.force)?;
    if let Some(farewell) = farewell.as_ref().filter(|farewell| !farewell.ends) {
        let busy = farewell.busy.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let error = Error::new(ErrorKind::Unavailable, format!("something is under way in {busy}"));
        return Err(error.with_help("wait for it, or end it too: `skills sessions stop --force`").into());
    }
    let (ended, kept) =
        farewell.as_ref().map(|farewell| (farewell.ended.clone(), farewell.kept.clone())).unwrap_or_default();
    if args.json.json {
        return Ok(render::json(&json!({"stopped": farewell.is_some(), "ended": ended, "kept": kept}))?);
    }
    if farewell.is_none() {
        render::note("no session host runs");
        return Ok(());
    }
    let mut text = "stopped the session host".to_owned();
    for (names, what) in [(ended, "ended"), (kept, "kept on disk")] {
        if !names.is_empty() {
            text.push_str(&format!("; {what}: {}", names.join(", ")));
        }
    }
    Ok(render::text(&text)?)
}

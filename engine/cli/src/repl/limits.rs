//! Limits as a person says and reads them.

use super::{Repl, show};
use crate::{render, words};
use serde_json::Value;
use skills::{Breach, Error, LimitName, LimitOverrides};
use std::time::Duration;

/// The limits that can be set.
pub(crate) const NAMES: [&str; 8] =
    ["time", "wall", "memory", "operations", "output", "result", "recursion", "host_calls"];

/// Sets a limit by its name; `default` makes it what it was.
pub(crate) fn set(limits: &mut LimitOverrides, name: &str, amount: &str) -> Result<(), String> {
    fn parsed<T>(amount: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        if amount == "default" { Ok(None) } else { parse(amount).map(Some) }
    }
    let wrong = |why: String| format!("`{name}={amount}`: {why}");
    match name {
        "time" => limits.time = parsed(amount, words::duration).map_err(wrong)?,
        "wall" => limits.wall = parsed(amount, words::duration).map_err(wrong)?,
        "memory" => limits.memory = parsed(amount, words::size).map_err(wrong)?,
        "operations" => limits.operations = parsed(amount, words::count).map_err(wrong)?,
        "output" => limits.output = parsed(amount, words::size).map_err(wrong)?,
        "result" => limits.result = parsed(amount, words::size).map_err(wrong)?,
        "recursion" => limits.recursion = parsed(amount, words::count).map_err(wrong)?,
        "host_calls" => limits.host_calls = parsed(amount, words::count).map_err(wrong)?,
        _ => return Err(format!("`{name}` is no limit: there are {}", NAMES.join(", "))),
    }
    Ok(())
}

/// Whether what one cell uses and what the next one uses are more together than each.
pub(crate) fn adds_up(name: LimitName) -> bool {
    use LimitName::{HostCalls, Operations, Output, Time, Wall};
    matches!(name, Time | Wall | Operations | Output | HostCalls)
}

/// What to set where a cell met its limit: ten times as much. Memory is the session's from the beginning.
pub(crate) fn more(breach: &Breach) -> Option<String> {
    let name = breach.name.as_str();
    let settable = NAMES.contains(&name) && !matches!(breach.name, LimitName::Memory | LimitName::Recursion);
    settable.then(|| format!("{name}={}", amount(name, breach.limit.saturating_mul(10)).replace([' ', ','], "")))
}

/// What is allowed and used: of a cell, and of the session as a whole.
pub(crate) fn table(repl: &Repl) -> Result<String, Error> {
    let info = repl.shared.session().info()?;
    let mut table = render::table(&["limit", "a cell may", "last cell", "all cells", "how far it holds"]);
    for report in &repl.reports {
        let name = report.name.as_str();
        let used = report.used.map(|used| amount(name, used)).unwrap_or_default();
        let all = repl.used.get(&report.name).map(|used| amount(name, *used)).unwrap_or_default();
        let status = serde_json::to_value(report.status).ok();
        let status = status.as_ref().and_then(Value::as_str).unwrap_or_default().replace('_', " ");
        table.add_row(vec![name.replace('_', " "), amount(name, report.limit), used, all, status]);
    }
    let mut text = match repl.reports.is_empty() {
        true => "no cell yet: the limits are known when one was evaluated".to_owned(),
        false => table.trim_fmt(),
    };
    let set = overrides(&repl.limits);
    if !set.is_empty() {
        text.push_str(&format!("\nset here: {}", set.join(" ")));
    }
    for line in of_session(&info) {
        text.push_str(&format!("\n{line}"));
    }
    Ok(text)
}

/// What the session as a whole may use, and what is left of it.
fn of_session(info: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, bound) in info["budget"].as_object().into_iter().flatten() {
        if let (Some(limit), Some(used)) = (bound["limit"].as_u64(), bound["used"].as_u64()) {
            let [left, limit] = [limit.saturating_sub(used), limit].map(|number| amount(name, number));
            lines.push(format!("session {}: {left} of {limit} left", name.replace('_', " ")));
        }
    }
    let time = |key: &str| info[key].as_u64().map(Duration::from_millis);
    if let (Some(most), Some(age)) = (time("max_duration_ms"), time("age_ms")) {
        let left = show::time(most.saturating_sub(age));
        lines.push(format!("session: ends in {left}, when it is {} old", show::time(most)));
    }
    if let Some(idle) = time("idle_timeout_ms") {
        lines.push(format!("session: ends when nothing is asked of it for {}", show::time(idle)));
    }
    lines
}

fn overrides(limits: &LimitOverrides) -> Vec<String> {
    let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let all = [
        ("time", limits.time.map(millis)),
        ("wall", limits.wall.map(millis)),
        ("memory", limits.memory),
        ("operations", limits.operations),
        ("output", limits.output),
        ("result", limits.result),
        ("recursion", limits.recursion),
        ("host_calls", limits.host_calls),
    ];
    all.into_iter()
        .filter_map(|(name, limit)| Some(format!("{name}={}", amount(name, limit?).replace(' ', ""))))
        .collect()
}

/// An amount in the unit of its limit.
fn amount(name: &str, number: u64) -> String {
    match name {
        "time" | "wall" => show::time(std::time::Duration::from_millis(number)),
        "memory" | "output" | "result" | "disk" | "file_size" => show::bytes(number),
        "cpu_percent" => format!("{number} %"),
        _ => show::count(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_set_by_name_with_units() {
        let mut limits = LimitOverrides::default();
        set(&mut limits, "time", "10s").unwrap();
        set(&mut limits, "memory", "64MB").unwrap();
        set(&mut limits, "operations", "1_000").unwrap();
        assert_eq!(overrides(&limits), ["time=10s", "memory=64MB", "operations=1,000"]);
        set(&mut limits, "time", "default").unwrap();
        assert_eq!(limits.time, None);
        assert!(set(&mut limits, "time", "soon").unwrap_err().starts_with("`time=soon`: say "));
        assert!(set(&mut limits, "tme", "1s").unwrap_err().contains("is no limit: there are time, wall"));
    }

    #[test]
    fn what_allows_more_can_be_typed() {
        for (name, limit, said) in [
            (LimitName::Time, 200, Some("time=2s")),
            (LimitName::Output, 1 << 20, Some("output=10MB")),
            (LimitName::Operations, 1_000_000, Some("operations=10000000")),
            (LimitName::Memory, 1 << 20, None),
            (LimitName::CpuPercent, 10, None),
        ] {
            let more = more(&Breach { name, limit, reading: limit });
            assert_eq!(more.as_deref(), said);
            if let Some((name, amount)) = more.as_deref().and_then(|more| more.split_once('=')) {
                set(&mut LimitOverrides::default(), name, amount).unwrap();
            }
        }
    }

    #[test]
    fn what_is_left_of_a_session_is_told() {
        let budget =
            serde_json::json!({"time": {"limit": 10_000, "used": 2_500}, "host_calls": {"limit": 5, "used": 9}});
        let info = serde_json::json!({"budget": budget, "max_duration_ms": 3_600_000, "age_ms": 900_000, "idle_timeout_ms": 60_000});
        assert_eq!(
            of_session(&info),
            [
                "session time: 7.5 s of 10 s left",
                "session host calls: 0 of 5 left",
                "session: ends in 45 min, when it is 1 h old",
                "session: ends when nothing is asked of it for 1 min",
            ]
        );
        assert!(of_session(&serde_json::json!({"age_ms": 1})).is_empty());
    }

    #[test]
    fn every_name_can_be_set() {
        for name in NAMES {
            assert_eq!(set(&mut LimitOverrides::default(), name, "default"), Ok(()));
        }
    }
}

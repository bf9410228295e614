//! Limits as a person says and reads them.

use super::{Repl, show};
use crate::{render, words};
use serde_json::Value;
use skills::{Error, LimitOverrides};

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

/// What is allowed and used: of a cell, and of the session as a whole.
pub(crate) fn table(repl: &Repl) -> Result<String, Error> {
    let mut table = render::table(&["limit", "allowed", "last cell", "how far it holds"]);
    for report in &repl.reports {
        let name = report.name.as_str();
        let used = report.used.map(|used| amount(name, used)).unwrap_or_default();
        let status = serde_json::to_value(report.status).ok();
        let status = status.as_ref().and_then(Value::as_str).unwrap_or_default().replace('_', " ");
        table.add_row(vec![name.replace('_', " "), amount(name, report.limit), used, status]);
    }
    let mut text = match repl.reports.is_empty() {
        true => "no cell yet: the limits are known when one was evaluated".to_owned(),
        false => table.trim_fmt(),
    };
    let set = overrides(&repl.limits);
    if !set.is_empty() {
        text.push_str(&format!("\nset here: {}", set.join(" ")));
    }
    let info = repl.shared.session().info()?;
    for (name, bound) in info["budget"].as_object().into_iter().flatten() {
        if let (Some(limit), Some(used)) = (bound["limit"].as_u64(), bound["used"].as_u64()) {
            let (limit, used) = (amount(name, limit), amount(name, used));
            text.push_str(&format!("\nsession {}: {used} of {limit} used", name.replace('_', " ")));
        }
    }
    Ok(text)
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
    fn every_name_can_be_set() {
        for name in NAMES {
            assert_eq!(set(&mut LimitOverrides::default(), name, "default"), Ok(()));
        }
    }
}

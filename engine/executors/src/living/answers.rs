//! What bash tells of its variables, as values, and values as bash is told them; and what all programs that stay have in common.

use serde_json::{Map, Value};
use skills_core::{ErrorKind, Failure, Held, NameKind, Shown, Usage, Variable, template};

/// The lines of what was told.
pub(super) fn lines(told: &[u8]) -> impl Iterator<Item = &str> {
    told.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()).filter(|line| !line.is_empty())
}

/// A text as a word of bash.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Refuses what is no name of a variable.
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    if crate::environment::is_name(name) {
        return Ok(());
    }
    let message = format!("`{name}` is no name of a variable in bash");
    Err(Failure::new(ErrorKind::InvalidArguments, message).with_help("use letters, digits and `_`, no digit first"))
}

/// Names that say how the shell itself works, and what the programs that it starts load.
const SHELL: [&str; 12] = [
    "PATH",
    "IFS",
    "ENV",
    "HOME",
    "PS4",
    "CDPATH",
    "GLOBIGNORE",
    "OPTIND",
    "PROMPT_COMMAND",
    "SHELLOPTS",
    "TMPDIR",
    "PYTHONPATH",
];

/// Refuses what is no name of a variable that somebody outside may give a value to.
pub(super) fn check_settable(name: &str) -> Result<(), Failure> {
    check_name(name)?;
    let begins = ["BASH", "LD_", "SKILLS_"].iter().any(|start| name.starts_with(start));
    if begins || SHELL.contains(&name) { Err(skills_core::taken(name, "bash")) } else { Ok(()) }
}

/// The value that was told of a variable: its attributes, then its text; or its keys, then its values. `None` where nothing was.
pub(super) fn value(told: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(told.strip_suffix(b"\0")?).into_owned();
    let mut parts = text.split('\0');
    let attributes = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    if !attributes.contains(['a', 'A']) {
        return rest.first().map(|text| Value::from(*text));
    }
    // As many keys as values.
    let (keys, values) = rest.split_at(rest.len() / 2);
    if attributes.contains('A') {
        return Some(keys.iter().zip(values).map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect());
    }
    Some(values.iter().take(keys.len()).map(|value| Value::from(*value)).collect())
}

/// What gives a variable a value: a text, a list of texts or an object of texts.
pub(super) fn assignment(name: &str, value: &Value) -> Result<String, Failure> {
    let word = |value: &Value| {
        let text = template::shown(Some(value)).into_owned();
        if text.contains('\0') {
            return Err(Failure::new(
                ErrorKind::InvalidArguments,
                format!("`{name}` has a NUL character, which bash cannot hold"),
            ));
        }
        Ok(quoted(&text))
    };
    let entries = |object: &Map<String, Value>| {
        object
            .iter()
            .map(|(key, value)| Ok(format!("[{}]={}", quoted(key), word(value)?)))
            .collect::<Result<Vec<_>, Failure>>()
    };
    Ok(match value {
        Value::Array(items) => {
            let items = items.iter().map(word).collect::<Result<Vec<_>, _>>()?;
            format!("unset {name}; declare -ga {name}=({})", items.join(" "))
        }
        Value::Object(object) => format!("unset {name}; declare -gA {name}=({})", entries(object)?.join(" ")),
        Value::Null => format!("unset {name}; {name}="),
        other => format!("unset {name}; {name}={}", word(other)?),
    })
}

pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "array",
        Value::Object(_) => "map",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        _ => "string",
    }
}

pub(super) fn variable(name: String, kind: NameKind, value: &Value, size: Option<u64>) -> Variable {
    let (type_name, shown) = match kind {
        NameKind::Function => ("function", format!("{name} ()")),
        _ => (type_name(value), value.to_string()),
    };
    Variable { name, kind, type_name: type_name.to_owned(), shown: shown.chars().take(80).collect(), size }
}

pub(super) fn shown(type_name: &str, text: &str) -> Shown {
    let mut end = text.len().min(Shown::MOST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Shown { type_name: type_name.to_owned(), text: text[..end].to_owned(), cut: end < text.len(), png: None }
}

/// What was used between two moments.
pub(super) fn usage(before: Held, after: Held) -> Usage {
    let mut usage = Usage::default();
    usage.cpu = after.cpu.zip(before.cpu).map(|(after, before)| after.saturating_sub(before));
    usage.peak_memory = after.memory;
    usage
}

/// What bash says of places in its script, as places in a file whose first line is the next after so many.
pub(super) fn placed(text: &str, file: &str, before: usize) -> String {
    let place = |line: &str| {
        let (shell, rest) = line.split_once(": ")?;
        if shell != "bash" && !shell.ends_with("/bash") {
            return None;
        }
        let rest = rest.strip_prefix("eval: ").unwrap_or(rest).strip_prefix("line ")?;
        let (number, rest) = rest.split_once(':')?;
        let number = number.parse::<usize>().ok()?.checked_sub(before)?;
        Some(format!("{file}: line {number}:{rest}"))
    };
    text.split_inclusive('\n').map(|line| place(line).unwrap_or_else(|| line.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_told_and_taken() {
        assert_eq!(value(b"\0a b\0"), Some(json!("a b")));
        assert_eq!(value(b"a\x000\x001\0x\0y\0"), Some(json!(["x", "y"])));
        assert_eq!(value(b"A\0k\0v\0"), Some(json!({"k": "v"})));
        assert_eq!(value(b""), None);
        assert_eq!(assignment("x", &json!("it's")).unwrap(), r"unset x; x='it'\''s'");
        assert_eq!(assignment("x", &json!([1, "b"])).unwrap(), "unset x; declare -ga x=('1' 'b')");
        assert_eq!(assignment("x", &json!({"k": "v"})).unwrap(), "unset x; declare -gA x=(['k']='v')");
        assert!(assignment("x", &json!("\0")).is_err());
    }

    #[test]
    fn places_are_those_of_the_cell() {
        let text = "bash: line 14: nosuch: command not found\nother\n/bin/bash: eval: line 11: oh\n";
        let own = "<cell 3>: line 4: nosuch: command not found\nother\n<cell 3>: line 1: oh\n";
        assert_eq!(placed(text, "<cell 3>", 10), own);
    }
}

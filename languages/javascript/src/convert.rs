//! JSON text into the bridge, with what a JavaScript number would round kept beside it.

use serde_json::{Value, json};

/// The largest integer up to which every integer is a number of JavaScript.
const MAX_EXACT: u64 = 1 << 53;

/// The JSON text of a value, and where it holds integers that a number would round: JSON text of pairs of a path and the
/// digits, empty where there are none.
pub(crate) fn encode(value: &Value) -> (String, String) {
    let text = value.to_string();
    // Seventeen digits are needed for a wide integer, so a shorter text holds none.
    if text.len() < 16 {
        return (text, String::new());
    }
    let mut wide = Vec::new();
    find(value, &mut Vec::new(), &mut wide);
    let wide = if wide.is_empty() { String::new() } else { Value::Array(wide).to_string() };
    (text, wide)
}

fn find(value: &Value, path: &mut Vec<Value>, wide: &mut Vec<Value>) {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if magnitude.is_some_and(|magnitude| magnitude > MAX_EXACT) {
                wide.push(json!([path, number.to_string()]));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Value::from(index));
                find(item, path, wide);
                path.pop();
            }
        }
        // A member that is no number and holds none costs no copy of its name.
        Value::Object(map) => {
            for (name, item) in map {
                if matches!(item, Value::Number(_) | Value::Array(_) | Value::Object(_)) {
                    path.push(Value::String(name.clone()));
                    find(item, path, wide);
                    path.pop();
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_integers_are_found_where_they_are() {
        let (_, wide) = encode(&json!({"a": [1, u64::MAX], "b": i64::MIN, "c": 1u64 << 53, "d": "9007199254740993"}));
        assert_eq!(wide, r#"[[["a",1],"18446744073709551615"],[["b"],"-9223372036854775808"]]"#);
        assert_eq!(encode(&json!({"a": 1})).1, "");
    }
}

//! The seeds' `{name}` templates.

use serde_json::{Map, Value};

/// Fills a template in, in one pass: what a value contains is never looked at again. `{name}` becomes the argument
/// (a string as it is, anything else as JSON, a missing one as nothing where it is a parameter); `{{` and `}}` stand
/// for braces; braces around anything that is not a parameter's name stay as they are.
pub(crate) fn fill(template: &str, arguments: &Map<String, Value>, is_parameter: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        if let Some(after) = tail.strip_prefix("{{") {
            out.push('{');
            rest = after;
        } else if let Some(after) = tail.strip_prefix("}}") {
            out.push('}');
            rest = after;
        } else if let Some((name, after)) = tail[1..].split_once('}')
            && tail.starts_with('{')
            && (arguments.contains_key(name) || is_parameter(name))
        {
            match arguments.get(name) {
                Some(Value::String(text)) => out.push_str(text),
                Some(Value::Null) | None => {}
                Some(value) => out.push_str(&value.to_string()),
            }
            rest = after;
        } else {
            out.push_str(&tail[..1]);
            rest = &tail[1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(template: &str) -> String {
        let arguments = json!({"name": "{evil} {name}", "n": 3, "list": [1]});
        fill(template, arguments.as_object().unwrap(), |name| name == "absent")
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        assert_eq!(filled("hi {name}"), "hi {evil} {name}");
    }

    #[test]
    fn anything_but_a_parameter_stays() {
        assert_eq!(filled("{n}{list}[{absent}] {other} { } fn() { } {{n}} }"), "3[1][] {other} { } fn() { } {n} }");
    }
}

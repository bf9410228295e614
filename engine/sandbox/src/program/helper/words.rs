use serde_json::Value;
use skills_core::{Arguments, ErrorKind, Failure, FunctionSpec, LogLevel, ParameterSpec};

/// The function that the words of a command line name, and its arguments: `state get KEY` is `state.get`.
pub(super) fn read(functions: &[FunctionSpec], words: &[String]) -> Result<(usize, Arguments), Failure> {
    let find = |name: &str| functions.iter().position(|function| function.name == name);
    let (index, rest) = match words {
        [first, rest @ ..] if find(first).is_some() => (find(first), rest),
        [first, second, rest @ ..] => (find(&format!("{first}.{second}")), rest),
        _ => (None, &[][..]),
    };
    let Some(function) = index.and_then(|index| functions.get(index)) else {
        let named = words.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
        return Err(Failure::new(ErrorKind::NotFound, format!("there is no function `skill {named}`"))
            .with_help("`skill` without arguments lists them"));
    };
    let mut rest: Vec<&String> = rest.iter().collect();
    // As a person says it: the level first.
    if function.name == "log" && rest.len() == 2 && LogLevel::from_name(rest[0]).is_some() {
        rest.swap(0, 1);
    }
    let parameters = function.parameters.iter().map(Some).chain(std::iter::repeat(None));
    let values = rest.into_iter().zip(parameters).map(|(word, parameter)| value(word, parameter));
    Ok((index.unwrap_or_default(), Arguments::positional(values)))
}

/// A word as a value: text where text is asked for, else what it is as JSON, else text after all.
fn value(word: &str, parameter: Option<&ParameterSpec>) -> Value {
    let wanted = parameter.and_then(|parameter| parameter.schema.get("type")).and_then(Value::as_str);
    if wanted == Some("string") {
        return Value::String(word.to_owned());
    }
    match serde_json::from_str::<Value>(word) {
        Ok(value) if skills_core::value::depth(&value) <= skills_core::value::MAX_DEPTH => value,
        _ => Value::String(word.to_owned()),
    }
}

/// How each function is called, a line each.
pub(super) fn usage(functions: &[FunctionSpec]) -> String {
    let line = |function: &FunctionSpec| {
        let parameters = function.parameters.iter().map(|parameter| match parameter.required {
            true => format!(" {}", parameter.name.to_uppercase()),
            false => format!(" [{}]", parameter.name.to_uppercase()),
        });
        let parameters: String = parameters.collect();
        format!("skill {}{parameters}\n    {}\n", function.name.replace('.', " "), function.description)
    };
    functions.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn functions() -> Vec<FunctionSpec> {
        let function = |name: &str, parameters: Vec<ParameterSpec>| FunctionSpec {
            name: name.into(),
            description: format!("Does {name}"),
            parameters,
            returns: json!({}),
            capability: None,
        };
        vec![
            function(
                "log",
                vec![ParameterSpec::any("message"), ParameterSpec::typed("level", "string").or(json!("info"))],
            ),
            function("state.set", vec![ParameterSpec::typed("key", "string"), ParameterSpec::any("value")]),
        ]
    }

    fn read(words: &[&str]) -> Result<(usize, Vec<Value>), Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        super::read(&functions(), &words).map(|(index, arguments)| (index, arguments.positional))
    }

    #[test]
    fn words_become_arguments() {
        assert_eq!(read(&["state", "set", "7", r#"{"a": 1}"#]).unwrap(), (1, vec![json!("7"), json!({"a": 1})]));
        assert_eq!(read(&["state.set", "k", "plain text"]).unwrap(), (1, vec![json!("k"), json!("plain text")]));
        assert_eq!(read(&["log", "warn", "hot"]).unwrap(), (0, vec![json!("hot"), json!("warn")]));
        assert_eq!(read(&["log", "warn"]).unwrap(), (0, vec![json!("warn")]));
        let deep = "[".repeat(110) + &"]".repeat(110);
        assert_eq!(read(&["log", &deep]).unwrap(), (0, vec![json!(deep)]), "deeper than any value may be");
    }

    #[test]
    fn what_is_not_there_is_named() {
        assert_eq!(read(&["state", "drop", "k"]).unwrap_err().message, "there is no function `skill state drop`");
        assert_eq!(read(&["nothing"]).unwrap_err().message, "there is no function `skill nothing`");
    }

    #[test]
    fn usage_has_a_line_for_each() {
        assert_eq!(
            usage(&functions()),
            "skill log MESSAGE [LEVEL]\n    Does log\nskill state set KEY VALUE\n    Does state.set\n"
        );
    }
}

//! What the published schemas say beyond the types of single keys: which keys a type of skill has to have and which it
//! cannot have, and how names, versions and languages look.
//!
//! Editors show it while a file is written. The builder reports the same in better words, so what a rule finds is only
//! reported where the builder found nothing at all; a test shows that this never happens.

use crate::Dialect;
use serde_json::{Map, Value, json};

/// Where the rules stand in a schema; `$defs` have theirs in the same place.
pub(super) const PLACE: &str = "allOf";

/// A name of a skill: letters, digits, `-`, `_` and `.`.
const NAME: &str = r"^[\p{L}\p{M}\p{N}_][\p{L}\p{M}\p{N}_.\-]*$";

/// A version, the forms that are taken with a warning included.
const VERSION: &str = r"^\s*[vV]*[0-9]+(\.[0-9]+){0,2}([\-+].*)?\s*$";

/// A text that is not blank.
const FILLED: &str = r"\S";

/// An exit code.
const EXIT_CODE: &str = "^[+\\-]?0*(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$";

/// The names of languages; case does not count.
const LANGUAGES: [&str; 12] =
    ["rhai", "python", "javascript", "typescript", "bash", "python3", "py", "js", "node", "ts", "sh", "shell"];

/// Adds the rules of a form to its schema.
pub(super) fn add(dialect: Dialect, schema: &mut Value) {
    let (rules, names) = match dialect {
        Dialect::V1 => (of_v1(), "/$defs/Metadata"),
        _ => (of_v2(), ""),
    };
    schema[PLACE] = Value::Array(rules);
    if let Some(about) = schema.pointer_mut(names) {
        set(about, "/properties/name", json!({"pattern": NAME}));
        set(about, "/properties/aliases/items", json!({"pattern": NAME}));
        set(about, "/properties/version", json!({"pattern": VERSION}));
    }
    for key in ["dependencies", "provides"] {
        set(schema, &format!("/properties/{key}"), json!({"propertyNames": {"pattern": NAME}}));
    }
    set(schema, "/properties/provides/additionalProperties", json!({"pattern": VERSION}));
    set(schema, "/$defs/Conversation/properties/initial_prompt", json!({"pattern": FILLED}));
    parameters(schema);
    for executor in ["Executor", "ExecutorV1"] {
        let variants = schema.pointer_mut(&format!("/$defs/{executor}/oneOf")).and_then(Value::as_array_mut);
        variants.into_iter().flatten().for_each(variant);
    }
}

fn of_v1() -> Vec<Value> {
    let conversation = absent(&["conversation", "completion"]);
    vec![
        when(
            "skill_type",
            &["code_inline"],
            all(vec![present("executor"), absent(&["session"]), conversation.clone()]),
        ),
        when("skill_type", &["code_session"], all(vec![present("executor"), present("session"), conversation])),
        when(
            "skill_type",
            &["conversation"],
            all(vec![present("conversation"), present("session"), absent(&["executor"])]),
        ),
    ]
}

fn of_v2() -> Vec<Value> {
    let one_of = |keys: &[&str]| json!({"oneOf": keys.iter().map(|key| present(key)).collect::<Vec<_>>()});
    let any_of = |keys: &[&str]| json!({"anyOf": keys.iter().map(|key| present(key)).collect::<Vec<_>>()});
    let runs = ["command", "code", "executor"];
    let guides = json!({"properties": {"prompt": {"type": ["object", "null"]}}});
    let conversation = absent(&["conversation", "completion", "prompt_template", "context_files"]);
    let filled = json!({"properties": {"prompt_template": {"pattern": FILLED}, "model": {"pattern": FILLED}}});
    vec![
        when("type", &["code_inline", "code_session"], all(vec![one_of(&runs), conversation, guides.clone()])),
        when("type", &["code_inline"], absent(&["session_config"])),
        when(
            "type",
            &["conversation"],
            all(vec![absent(&runs), any_of(&["conversation", "prompt_template"]), guides, filled]),
        ),
        when(
            "type",
            &["prompt_inline"],
            all(vec![
                absent(&runs),
                one_of(&["prompt", "prompt_template", "instructions"]),
                json!({"properties": {"prompt": {"type": ["string", "null"]}}}),
            ]),
        ),
        json!({"if": present("command"), "then": {"properties": program()}}),
        json!({"if": present("code"), "then": all(code())}),
    ]
}

/// What the texts of a program look like.
fn program() -> Value {
    json!({
        "command": {"pattern": FILLED},
        "working_directory": {"pattern": FILLED},
        "args": {"items": {"pattern": "^[^\\u0000]*$"}},
        "environment": {"propertyNames": {"pattern": "^[^=\\u0000]+$"}},
        "env": {"propertyNames": {"pattern": "^[^=\\u0000]+$"}},
        "exit_codes": {"propertyNames": {"pattern": EXIT_CODE}},
    })
}

/// Code is not blank, and where it is no reference to a file, its language is said.
fn code() -> Vec<Value> {
    let language: String = LANGUAGES.map(in_any_case).join("|");
    let itself = json!({"required": ["code"], "properties": {"code": {"not": {"pattern": "^[Ff][Ii][Ll][Ee]:"}}}});
    vec![
        json!({"properties": {"code": {"pattern": FILLED}, "language": {"pattern": format!("^({language})$")}}}),
        json!({"if": itself, "then": present("language")}),
    ]
}

fn in_any_case(word: &str) -> String {
    word.chars()
        .map(|c| if c.is_ascii_alphabetic() { format!("[{}{c}]", c.to_ascii_uppercase()) } else { c.to_string() })
        .collect()
}

/// One of the forms of an executor.
fn variant(variant: &mut Value) {
    let has = |key: &str| variant.pointer(&format!("/properties/{key}")).is_some();
    let (is_code, is_program) = (has("code"), has("command"));
    for key in ["server", "tool", "agent"] {
        set(variant, &format!("/properties/{key}"), json!({"pattern": FILLED}));
    }
    let named = |key: &str| json!({"required": [key], "properties": {key: {"type": "string"}}});
    set(variant, "/properties/steps/items", json!({"anyOf": [named("tool"), named("skill")]}));
    if is_code {
        variant[PLACE] = Value::Array(code());
    } else if is_program {
        variant[PLACE] = json!([{"properties": program()}]);
    }
}

/// A parameter of a list has a name, and an enum has values.
fn parameters(schema: &mut Value) {
    if let Some(items) = schema.pointer_mut("/$defs/Parameters/anyOf/0/items") {
        *items = all(vec![items.clone(), present("name")]);
    }
    let values = json!({"anyOf": [present("values"), present("enum")]});
    set(schema, "/$defs/Parameter", json!({PLACE: [when("type", &["enum"], values)]}));
}

/// Adds keywords to the schema at a JSON pointer, where there is one.
fn set(schema: &mut Value, pointer: &str, keywords: Value) {
    if let (Some(Value::Object(target)), Value::Object(keywords)) = (schema.pointer_mut(pointer), keywords) {
        target.extend(keywords);
    }
}

fn all(rules: Vec<Value>) -> Value {
    json!({ "allOf": rules })
}

/// A key that has to be there; `null` means that it is not.
fn present(key: &str) -> Value {
    json!({"required": [key], "properties": {key: {"not": {"type": "null"}}}})
}

/// Keys that cannot be there.
fn absent(keys: &[&str]) -> Value {
    let keys: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), json!({"type": "null"}))).collect();
    json!({ "properties": keys })
}

/// What holds where a key has one of some values.
fn when(key: &str, values: &[&str], then: Value) -> Value {
    json!({"if": {"required": [key], "properties": {key: {"enum": values}}}, "then": then})
}

#[cfg(test)]
mod tests {
    use super::LANGUAGES;
    use skills_core::Language;

    #[test]
    fn every_language_is_in_the_schema() {
        assert!(LANGUAGES.iter().all(|name| Language::from_name(name).is_some()));
        assert!(Language::ALL.iter().all(|language| LANGUAGES.contains(&language.as_str())));
    }
}

use super::{codes, fixtures, load, skill};
use crate::definition::{LoadOptions, classify, read, summarise, upgrade, validate};
use crate::{Dialect, Scope, SkillFiles};
use proptest::prelude::*;

/// `{"type": "prompt_inline", …, "parameters": PARAMETERS}`
fn with_parameters(parameters: &str) -> String {
    let start = r#"{"type": "prompt_inline", "name": "a", "description": "d", "prompt": "{x}", "parameters": "#;
    format!("{start}{parameters}}}")
}

/// Everything that takes a text, on a text.
fn try_all(text: &str) {
    let _ = classify(text);
    let _ = summarise("test.json", text);
    if let Ok(raw) = read("test.json", text, SkillFiles::empty(), Scope::Project) {
        let _ = upgrade(&raw);
    }
    let loaded = load(text);
    // What does not load says why, and what loads has no error.
    assert_eq!(loaded.skill.is_none(), loaded.diagnostics.iter().any(|diagnostic| diagnostic.is_error()), "{text}");
    for diagnostic in loaded.diagnostics {
        let _ = diagnostic.render(false);
        assert!(!diagnostic.message.is_empty() && diagnostic.help.is_some());
    }
}

/// The text of one of the seeds' examples.
fn example() -> impl Strategy<Value = String> {
    let mut texts: Vec<String> = std::fs::read_dir(fixtures().join("seeds"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    texts.sort();
    prop::sample::select(texts)
}

/// JSON that is no definition, or nearly one.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
        Just("file://./%2e%2e/x.md".into()),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((key(), inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let known = [
        "type",
        "skill_type",
        "name",
        "metadata",
        "executor",
        "command",
        "code",
        "language",
        "parameters",
        "timeout",
        "security",
        "permissions",
        "resource_limits",
        "sandbox",
        "session",
        "session_config",
        "conversation",
        "prompt",
        "resilience",
        "implementation",
        "handler",
        "steps",
        "commands",
        "default",
        "values",
        "pattern",
        "items",
    ];
    prop_oneof![4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}") {
        try_all(&text);
    }

    #[test]
    fn arbitrary_json_never_panics(value in json(), kind in prop::sample::select(vec!["code_inline", "conversation", "prompt_inline"])) {
        try_all(&value.to_string());
        if let serde_json::Value::Object(mut map) = value {
            map.insert("type".into(), kind.into());
            try_all(&serde_json::Value::Object(map).to_string());
        }
    }

    #[test]
    fn mutated_definitions_never_panic(text in example(), at in any::<prop::sample::Index>(), length in 0_usize..20, new in ".{0,4}") {
        let mut characters: Vec<char> = text.chars().collect();
        let start = at.index(characters.len());
        let end = (start + length).min(characters.len());
        characters.splice(start..end, new.chars());
        try_all(&characters.into_iter().collect::<String>());
    }
}

#[test]
fn a_file_100_000_levels_deep_is_a_diagnostic() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(codes(&deep), ["S0002"]);
        assert_eq!(classify(&deep), None);
    }
}

#[test]
fn which_files_are_definitions_is_decided_by_content() {
    let v1 = Some(Dialect::V1);
    let v2 = Some(Dialect::V2);
    for (text, dialect) in [
        (r#"{"skill_type": "code_inline"}"#, v1),
        (r#"{"skill_type": "code_inline", "type": "code_inline"}"#, v1),
        (r#"{"type": "code_inline"}"#, v2),
        (r#"{"type": "code-inline"}"#, v2),
        (r#"{"type": "whatever", "prompt_template": "x"}"#, v2),
        (r#"{"name": "a", "command": "ls"}"#, v2),
        (r#"{"metadata": {"name": "a"}, "executor": {}}"#, v1),
        (r#"{"$schema": "https://example.org/skill-v1.json"}"#, v1),
        (r#"{"type": "object", "properties": {}}"#, None),
        (r#"{"name": "package", "type": "module", "scripts": {}}"#, None),
        (r#"{"states": [], "start": "ask"}"#, None),
        (r#"[{"type": "code_inline"}]"#, None),
        ("", None),
        (r#"{"skill_type": "code_inline",,}"#, v1),
        (r#"{"type": "prompt_inline" "name": 1}"#, v2),
        (r#"{"broken": "#, None),
    ] {
        assert_eq!(classify(text), dialect, "{text}");
    }
}

#[test]
fn both_forms_of_parameters_and_v1_keys_are_read_in_v2() {
    let list = skill(&with_parameters(r#"[{"name": "x", "type": "string", "required": true}]"#));
    let map = skill(&with_parameters(r#"{"x": {"type": "string", "required": true}}"#));
    assert_eq!(list.parameters, map.parameters);
    assert!(list.parameters_declared);
}

#[test]
fn parameters_as_one_json_schema_become_a_list() {
    let text = std::fs::read_to_string(fixtures().join("invalid/v2-parameters-as-schema.json")).unwrap();
    let skill = skill(&text);
    let parameters: Vec<_> = skill.parameters.iter().map(|p| (p.name.as_str(), p.required, &p.schema)).collect();
    let points = serde_json::json!({
        "type": "array",
        "items": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}
    });
    let word = serde_json::json!({"type": "string", "minLength": 1});
    assert_eq!(parameters, [("word", true, &word), ("points", false, &points)]);
}

#[test]
fn a_file_cannot_lift_itself_to_another_scope() {
    let text = r#"{"type": "code_inline", "name": "a", "description": "d", "command": "true", "scope": "user"}"#;
    let scope_of = |found, scope: &str| {
        let text = text.replace("user", scope);
        let raw = read("a.json", &text, SkillFiles::empty(), found).unwrap();
        let loaded = validate(&raw, &LoadOptions::default());
        let codes: Vec<&str> = loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        (loaded.skill.unwrap().scope, codes)
    };
    assert_eq!(scope_of(Scope::Project, "user"), (Scope::Project, vec!["S0022"]));
    assert_eq!(scope_of(Scope::User, "workspace"), (Scope::User, vec!["S0022"]));
    assert_eq!(scope_of(Scope::Project, "workspace"), (Scope::Project, vec![]));
    assert_eq!(scope_of(Scope::Direct, "workspace"), (Scope::Project, vec![]));
    assert_eq!(scope_of(Scope::Direct, "user"), (Scope::Direct, vec![]));
}

#[test]
fn a_file_with_endless_problems_is_reported_in_bounded_time_and_space() {
    let keys: String = (0..50_000).map(|i| format!(", \"unknown{i}\": 1")).collect();
    let text = format!(r#"{{"type": "code_inline", "name": "a", "description": "d", "command": "true"{keys}}}"#);
    let loaded = load(&text);
    assert_eq!(loaded.diagnostics.len(), 201);
    assert_eq!(loaded.diagnostics[200].code, "S0006");
    assert_eq!(loaded.diagnostics[200].message, "49800 more problems are not shown");
    assert!(loaded.skill.is_some());
    // An error that is not shown still counts.
    let loaded = load(&text.replace("\"type\"", "\"timeout\": -1, \"type\""));
    assert!(loaded.skill.is_none());
    let parameters: Vec<String> = (0..20_000).map(|i| format!(r#"{{"name": "p{i}", "type": "string"}}"#)).collect();
    assert_eq!(skill(&with_parameters(&format!("[{}]", parameters.join(",")))).parameters.len(), 20_000);
}

/// `{"type": "prompt_inline", …, "prompt": PROMPT}` with the parameter `x`.
fn with_prompt(prompt: &str) -> String {
    let parameters = [serde_json::json!({"name": "x", "type": "string"})];
    serde_json::json!({
        "type": "prompt_inline", "name": "a", "description": "d", "prompt": prompt, "parameters": parameters
    })
    .to_string()
}

#[test]
fn braces_that_are_no_placeholder_are_neither_changed_nor_reported() {
    let prompt = r#"For {x}: {"a": {"b": 1}, "c": {}, "d": []}, {{context.y}}, { z }, }} {{ {}"#;
    let loaded = load(&with_prompt(prompt));
    assert_eq!(loaded.diagnostics, []);
    match &loaded.skill.unwrap().body {
        crate::Body::Prompt { template, .. } => assert_eq!(template, prompt),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_placeholder_without_a_parameter_is_reported_once() {
    let loaded = load(&with_prompt("{x} {y} {{z}} {y} {{{w.w}}} {session_id}"));
    let messages: Vec<&str> = loaded.diagnostics.iter().map(|d| d.message.as_str()).collect();
    let of = |name: &str| format!("no parameter fills the placeholder `{{{name}}}`");
    assert_eq!(messages, [of("y"), of("w.w")]);
    assert!(loaded.skill.is_some());
}

/// What is opened and never closed is looked at once, in every form that is read on the way to a skill.
#[test]
fn unclosed_braces_are_read_in_bounded_time() {
    for unit in ["{a", "{{a", "{{a:", "${a:-", "{", "{}{a"] {
        let text = unit.repeat(450_000 / unit.len());
        assert!(load(&with_prompt(&text)).skill.is_some(), "{unit}");
        let wild = serde_json::json!({
            "name": "a", "description": "d", "implementation": {"type": "command", "command": format!("echo {text}")}
        });
        // No shell would take what it opens and never closes.
        assert_eq!(load(&wild.to_string()).skill.is_some(), !unit.starts_with('$'), "{unit}");
    }
    let names: String = (0..40_000).map(|n| format!("{{n{n}}}")).collect();
    assert_eq!(load(&with_prompt(&names)).diagnostics[200].message, "39801 more problems are not shown");
}

#[test]
fn a_definition_has_few_patterns_that_take_long_to_compile() {
    let with = |pattern: &str, count: usize| {
        let one = |n| serde_json::json!({"name": format!("p{n}"), "type": "string", "pattern": pattern});
        let parameters: Vec<_> = (0..count).map(one).collect();
        let definition = serde_json::json!({"type": "prompt_inline", "name": "p", "description": "d", "prompt": "x",
            "parameters": parameters});
        let mut codes = codes(&definition.to_string());
        // None of them is used.
        codes.retain(|code| *code != "S0108");
        codes
    };
    assert_eq!(with("[a-z]{2,40}@[a-z.]+", 500), [""; 0]);
    assert_eq!(with("\\w{20}", 20), [""; 0]);
    for hostile in ["\\w{20}", "\\w{1000}", "[\\w--a][\\w--a][\\w--a]", "(?i)\\PL\\PL\\PL\\PL"] {
        let refused = with(hostile, 1000);
        let count = refused.iter().filter(|code| **code == "S0081").count();
        assert!(count > 150, "{hostile}: {count}");
    }
}

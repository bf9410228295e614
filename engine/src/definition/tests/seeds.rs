//! Every key of every example in both seed documents, with what it does to the skill.
//!
//! The examples stand in `tests/fixtures/definitions/seeds`. A key without a row here fails, and so does a row whose key
//! could be changed without the skill changing.

use super::{fixtures, load_text};
use crate::definition::LoadOptions;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What shows that a key was read.
enum Effect {
    /// The value at a JSON pointer of the skill, as it serialises.
    Skill(&'static str, Value),
    /// A diagnostic, for what does nothing in a skill.
    Diagnostic(&'static str),
    /// Nothing: the key is for editors, or says what holds anyhow.
    None,
}

type Row = (&'static str, Effect);

fn at(path: &'static str, pointer: &'static str, value: Value) -> Row {
    (path, Effect::Skill(pointer, value))
}

fn v1_common(name: &str, description: &str, aliases: Value) -> Vec<Row> {
    vec![
        ("$schema", Effect::None),
        at("metadata.name", "/name", json!(name)),
        at("metadata.description", "/description", json!(description)),
        at("metadata.aliases", "/aliases", aliases),
        at("metadata.version", "/version", json!("1.0.0")),
        at("metadata.author", "/author", json!("Q CLI Team")),
    ]
}

fn executor_v1(name: &str) -> Vec<Row> {
    vec![
        at("skill_type", "/type", json!("code_inline")),
        at("metadata.name", "/name", json!(name)),
        at("metadata.description", "/description", json!(format!("The seed's {name} executor"))),
        at("executor.type", "/body/executor", json!(name)),
    ]
}

fn calculator() -> Vec<Row> {
    let description = "Perform arithmetic calculations";
    let mut rows = v1_common("calculator", description, json!(["calc", "math"]));
    let required = json!(["operation", "operand1", "operand2"]);
    rows.extend([
        at("skill_type", "/type", json!("code_inline")),
        at("prompt.input_validation", "/prompt/input_validation", json!("Ask for the operation and both operands.\n")),
        at(
            "prompt.argument_mapping",
            "/prompt/argument_mapping",
            json!("Map words to `operation`, `operand1` and `operand2`.\n"),
        ),
        at(
            "prompt.output_formatting",
            "/prompt/output_formatting",
            json!("Present calculation results clearly with original expression"),
        ),
        at("executor.type", "/body/executor", json!("inline")),
        at("executor.language", "/body/script/language", json!("python")),
        at("executor.code", "/body/script/file", json!("scripts/calculator.py")),
        at("executor.timeout", "/limits/time_ms", json!(1000)),
        at("parameters.operation.type", "/parameters/properties/operation/type", json!("string")),
        at("parameters.operation.required", "/parameters/required", required.clone()),
        at(
            "parameters.operation.enum",
            "/parameters/properties/operation/enum",
            json!(["add", "subtract", "multiply", "divide"]),
        ),
        at(
            "parameters.operation.description",
            "/parameters/properties/operation/description",
            json!("Mathematical operation to perform"),
        ),
        at("parameters.operand1.type", "/parameters/properties/operand1/type", json!("number")),
        at("parameters.operand1.required", "/parameters/required", required.clone()),
        at(
            "parameters.operand1.description",
            "/parameters/properties/operand1/description",
            json!("First number in the operation"),
        ),
        at("parameters.operand2.type", "/parameters/properties/operand2/type", json!("number")),
        at("parameters.operand2.required", "/parameters/required", required),
        at(
            "parameters.operand2.description",
            "/parameters/properties/operand2/description",
            json!("Second number in the operation"),
        ),
    ]);
    rows
}

fn data_analyzer() -> Vec<Row> {
    let description = "Interactive data analysis with persistent state";
    let mut rows = v1_common("data_analyzer", description, json!(["analyze", "data"]));
    rows.extend([
        at("skill_type", "/type", json!("code_session")),
        at("prompt.input_validation", "/prompt/input_validation", json!("Ask which data to look at.\n")),
        at(
            "prompt.argument_mapping",
            "/prompt/argument_mapping",
            json!("Map the request to a column and a question.\n"),
        ),
        at(
            "prompt.output_formatting",
            "/prompt/output_formatting",
            json!("Format analysis results with charts and summaries"),
        ),
        at("executor.type", "/body/executor", json!("command")),
        at("executor.command", "/body/command", json!("python3")),
        at(
            "executor.args",
            "/body/args",
            json!(["FIXTURES/seeds/scripts/data_analyzer.py", "--session", "{session_id}"]),
        ),
        at("executor.timeout", "/limits/time_ms", json!(5000)),
        at("executor.working_directory", "/body/working_directory", json!("./skills/data_analyzer")),
        at("session.max_duration", "/session/max_duration_ms", json!(3_600_000)),
        at("session.cleanup_on_exit", "/session/cleanup_on_exit", json!(true)),
        at("session.state_persistence", "/session/persistence", json!("memory")),
    ]);
    rows
}

fn debug_helper() -> Vec<Row> {
    let description = "Help debug code issues through guided conversation";
    let mut rows = v1_common("debug_helper", description, json!(["debug", "troubleshoot"]));
    rows.extend([
        at("skill_type", "/type", json!("conversation")),
        at("conversation.initial_prompt", "/body/initial_prompt", json!("Let us find the bug together.\n")),
        at("conversation.max_turns", "/body/max_turns", json!(10)),
        at(
            "conversation.context_summary_prompt",
            "/body/context_summary_prompt",
            json!("Sum up problem, cause and solution.\n"),
        ),
        at(
            "conversation.guided_questions",
            "/body/guided_questions",
            json!([
                "What programming language and framework are you using?",
                "What error message or unexpected behavior are you seeing?",
                "What were you trying to accomplish when this happened?",
                "Can you share the relevant code snippet?",
                "What have you already tried to fix it?"
            ]),
        ),
        at("session.max_duration", "/session/max_duration_ms", json!(1_800_000)),
        at("session.cleanup_on_exit", "/session/cleanup_on_exit", json!(true)),
        at("session.state_persistence", "/session/persistence", json!("memory")),
        at(
            "completion.summary_format",
            "/body/summary_format",
            json!("## Debug Session Summary\n**Problem**: {problem}\n**Solution**: {solution}\n**Key Steps**: {steps}"),
        ),
        at("completion.return_to_context", "/body/return_to_context", json!(true)),
    ]);
    rows
}

fn executors() -> [(&'static str, Vec<Row>); 3] {
    let mut command = executor_v1("command");
    command.extend([
        at("executor.command", "/body/command", json!("python3")),
        at("executor.args", "/body/args", json!(["script.py", "{param1}", "{param2}"])),
        at("executor.timeout", "/limits/time_ms", json!(5000)),
        at("executor.working_directory", "/body/working_directory", json!("./skills/myskill")),
        at("executor.env.KEY", "/body/env/KEY", json!("value")),
    ]);
    let mut mcp = executor_v1("mcp");
    mcp.extend([
        at("executor.server", "/body/server", json!("weather-mcp")),
        at("executor.tool", "/body/tool", json!("get_current_weather")),
        at("executor.timeout", "/limits/time_ms", json!(5000)),
        at("executor.mapping.location", "/body/mapping/location", json!("{location}")),
        at("executor.mapping.units", "/body/mapping/units", json!("{units}")),
    ]);
    let mut delegate = executor_v1("delegate");
    delegate.extend([
        at("executor.agent", "/body/agent", json!("data-processor")),
        at("executor.timeout", "/limits/time_ms", json!(300_000)),
        at("executor.delegation_threshold", "/body/delegation_threshold", json!(2000)),
    ]);
    [("v1-executor-command", command), ("v1-executor-mcp", mcp), ("v1-executor-delegate", delegate)]
}

/// A program that does nothing, around a section of v2.
fn around(rows: Vec<Row>) -> Vec<Row> {
    let mut all = vec![at("type", "/type", json!("code_inline")), at("command", "/body/command", json!("true"))];
    all.extend(rows);
    all
}

fn v2_types() -> [(&'static str, Vec<Row>); 4] {
    let echo = vec![
        at("type", "/type", json!("code_inline")),
        at("command", "/body/command", json!("echo")),
        at("args", "/body/args", json!(["hello"])),
        at("timeout", "/limits/time_ms", json!(30_000)),
        at("resource_limits.max_memory_mb", "/limits/max_memory_mb", json!(100)),
        at("resource_limits.max_cpu_percent", "/limits/max_cpu_percent", json!(50)),
        at("resource_limits.max_execution_time", "/limits/time_ms", json!(30_000)),
        at("sandbox.allow_network", "/permissions/network_access", json!(false)),
        at("sandbox.allow_file_write", "/permissions/file_write", json!([])),
        at("sandbox.allowed_paths", "/permissions/file_read", json!(["/tmp", "./"])),
    ];
    let session = vec![
        at("type", "/type", json!("code_session")),
        at("command", "/body/command", json!("python3")),
        at("session_config.session_timeout", "/session/session_timeout_ms", json!(3_600_000)),
        at("session_config.max_sessions", "/session/max_sessions", json!(5)),
        at("session_config.cleanup_on_exit", "/session/cleanup_on_exit", json!(true)),
        at("session_config.state_persistence", "/session/persistence", json!("disk")),
        at("environment.PYTHONPATH", "/body/env/PYTHONPATH", json!("./src")),
    ];
    let review = vec![
        at("type", "/type", json!("conversation")),
        at("prompt_template", "/body/initial_prompt", json!("Review this code: {code}")),
        at("context_files.patterns", "/body/context_files/patterns", json!(["*.rs", "*.py"])),
        at("context_files.max_files", "/body/context_files/max_files", json!(10)),
        at("context_files.max_file_size_kb", "/body/context_files/max_file_size_kb", json!(100)),
        at(
            "context_files.exclude_patterns",
            "/body/context_files/exclude_patterns",
            json!(["target/", "node_modules/"]),
        ),
        at("model", "/body/model", json!("claude-3-sonnet")),
        at("context_window", "/body/context_window", json!(100_000)),
    ];
    let generate = vec![
        at("type", "/type", json!("prompt_inline")),
        at("prompt", "/body/template", json!("Generate {type} for {language}")),
        at("parameters[0].name", "/parameters/required/0", json!("type")),
        at("parameters[0].type", "/parameters/properties/type", json!({"enum": ["test", "documentation", "example"]})),
        at("parameters[0].values", "/parameters/properties/type/enum", json!(["test", "documentation", "example"])),
        at("parameters[0].required", "/parameters/required", json!(["type", "language"])),
        at("parameters[1].name", "/parameters/required/1", json!("language")),
        at("parameters[1].type", "/parameters/properties/language/type", json!("string")),
        at("parameters[1].pattern", "/parameters/properties/language/pattern", json!("^[a-zA-Z]+$")),
        at("parameters[1].required", "/parameters/required", json!(["type", "language"])),
        at("output_format", "/output_format", json!("markdown")),
    ];
    [("v2-echo", echo), ("v2-python-session", session), ("v2-review", review), ("v2-generate", generate)]
}

fn v2_sections() -> [(&'static str, Vec<Row>); 3] {
    let security = around(vec![
        // A skill cannot turn the sandbox off: `false` is a diagnostic, as a fixture shows.
        ("security.sandbox_enabled", Effect::None),
        at("security.default_permissions.file_read", "/permissions/file_read", json!(["./", "/tmp"])),
        at("security.default_permissions.file_write", "/permissions/file_write", json!(["/tmp"])),
        at("security.default_permissions.network_access", "/permissions/network_access", json!(false)),
        at("security.default_permissions.process_spawn", "/permissions/process_spawn", json!(false)),
        at("security.resource_limits.max_memory_mb", "/limits/max_memory_mb", json!(256)),
        at("security.resource_limits.max_cpu_percent", "/limits/max_cpu_percent", json!(80)),
        at("security.resource_limits.max_execution_time", "/limits/time_ms", json!(300_000)),
        at("security.resource_limits.max_file_size_mb", "/limits/max_file_size_mb", json!(10)),
    ]);
    let resilience = around(vec![
        at("resilience.retry_config.max_attempts", "/resilience/max_attempts", json!(3)),
        at("resilience.retry_config.backoff_strategy", "/resilience/backoff_strategy", json!("exponential")),
        at(
            "resilience.retry_config.retry_on",
            "/resilience/retry_on",
            json!(["timeout", "resource_limit", "network_error"]),
        ),
        at("resilience.circuit_breaker.failure_threshold", "/resilience/failure_threshold", json!(5)),
        at("resilience.circuit_breaker.recovery_timeout", "/resilience/recovery_timeout_ms", json!(60_000)),
        at("resilience.health_check.enabled", "/resilience/health_check_interval_ms", json!(30_000)),
        at("resilience.health_check.interval", "/resilience/health_check_interval_ms", json!(30_000)),
    ]);
    let dependencies = around(vec![
        at("dependencies.git-utils", "/dependencies/git-utils", json!("^1.0.0")),
        at("dependencies.file-processor", "/dependencies/file-processor", json!(">=2.1.0")),
        at("provides.code-formatter", "/provides/code-formatter", json!("1.2.0")),
    ]);
    [("v2-security", security), ("v2-resilience", resilience), ("v2-dependencies", dependencies)]
}

/// The keys of the seed's configuration sections, which a skill is told to move.
fn configuration() -> Vec<Row> {
    let keys = [
        "performance.caching.result_cache_ttl",
        "performance.caching.metadata_cache_ttl",
        "performance.caching.max_cache_size_mb",
        "performance.execution.parallel_execution",
        "performance.execution.max_concurrent_skills",
        "performance.execution.execution_queue_size",
        "development.session_isolation",
        "development.hot_reload",
        "development.debug_mode",
        "development.test_framework.unit_tests",
        "development.test_framework.integration_tests",
        "development.test_framework.mock_services",
        "observability.metrics.execution_time",
        "observability.metrics.success_rate",
        "observability.metrics.resource_usage",
        "observability.metrics.error_rate",
        "observability.logging.level",
        "observability.logging.structured",
        "observability.logging.correlation_id",
        "observability.tracing.enabled",
        "observability.tracing.sample_rate",
    ];
    around(keys.into_iter().map(|key| (key, Effect::Diagnostic("S0023"))).collect())
}

fn advanced_skill() -> Vec<Row> {
    vec![
        at("name", "/name", json!("advanced-skill")),
        at("description", "/description", json!("Advanced skill with all features")),
        at("version", "/version", json!("1.0.0")),
        at("aliases", "/aliases", json!(["adv", "advanced"])),
        at("scope", "/scope", json!("project")),
        at("author", "/author", json!("user@example.com")),
        at("license", "/license", json!("MIT")),
        at("homepage", "/homepage", json!("https://github.com/user/skill")),
        at("type", "/type", json!("code_inline")),
        at("command", "/body/command", json!("python3")),
        at("args", "/body/args", json!(["script.py"])),
        at("security.permissions.file_read", "/permissions/file_read", json!(["./src", "./data"])),
        at("security.permissions.file_write", "/permissions/file_write", json!(["./output"])),
        at("security.permissions.network_access", "/permissions/network_access", json!(false)),
        at("security.resource_limits.max_memory_mb", "/limits/max_memory_mb", json!(128)),
        // Of 60 and `resilience.timeout` the smaller holds; lowered below it, it is this one.
        at("security.resource_limits.max_execution_time", "/limits/time_ms", json!(30_000)),
        at("resilience.retry_attempts", "/resilience/max_attempts", json!(3)),
        at("resilience.timeout", "/limits/time_ms", json!(30_000)),
        at("resilience.fallback_command", "/resilience/fallback_command", json!("echo 'Fallback executed'")),
        at("dependencies.python-utils", "/dependencies/python-utils", json!("^1.0.0")),
        at("metadata.tags", "/metadata/tags", json!(["python", "data-processing"])),
        at("metadata.category", "/metadata/category", json!("development")),
        at("metadata.maturity", "/metadata/maturity", json!("stable")),
    ]
}

fn table() -> Vec<(&'static str, Vec<Row>)> {
    let mut table = vec![
        ("v1-calculator", calculator()),
        ("v1-data_analyzer", data_analyzer()),
        ("v1-debug_helper", debug_helper()),
        ("v2-configuration", configuration()),
        ("v2-advanced-skill", advanced_skill()),
    ];
    table.extend(executors());
    table.extend(v2_types());
    table.extend(v2_sections());
    table
}

/// Every key path down to scalars and arrays of scalars: `executor.timeout`, `parameters[0].name`.
fn paths(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                paths(inner, &path, found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, inner) in items.iter().enumerate() {
                paths(inner, &format!("{prefix}[{index}]"), found);
            }
        }
        _ => {
            found.insert(prefix.to_owned());
        }
    }
}

/// A JSON pointer of a path.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace(['.', '['], "/").replace(']', ""))
}

/// Another value of the same type.
fn changed(value: &Value) -> Value {
    match value {
        Value::Bool(b) => json!(!b),
        // Smaller, so that it shows among several limits; small enough for one that another undercuts.
        Value::Number(n) if n.as_f64() == Some(60.0) => json!(20),
        Value::Number(n) => json!(n.as_u64().unwrap() - 1),
        Value::String(s) => json!(format!("{s}x")),
        Value::Array(items) => json!(items[1..]),
        other => panic!("{other}"),
    }
}

fn observe(name: &str, text: &str) -> (Option<Value>, Vec<&'static str>) {
    let folder = fixtures().join("seeds");
    let loaded = load_text(&folder, &format!("{name}.json"), text, &LoadOptions::default());
    let skill = loaded.skill.map(|skill| {
        let text = serde_json::to_string(&*skill).unwrap().replace(fixtures().to_str().unwrap(), "FIXTURES");
        serde_json::from_str(&text).unwrap()
    });
    (skill, loaded.diagnostics.iter().map(|diagnostic| diagnostic.code).collect())
}

#[test]
fn every_key_of_both_seeds_has_its_effect() {
    let mut files: BTreeSet<String> = std::fs::read_dir(fixtures().join("seeds"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".json").map(str::to_owned))
        .collect();
    for (name, rows) in table() {
        assert!(files.remove(name), "no example {name}");
        let text = std::fs::read_to_string(fixtures().join("seeds").join(format!("{name}.json"))).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap();
        let (skill, diagnostics) = observe(name, &text);
        let skill = skill.unwrap_or_else(|| panic!("{name} does not load: {diagnostics:?}"));
        let mut left = BTreeSet::new();
        paths(&json, "", &mut left);
        for (path, effect) in rows {
            assert!(left.remove(path), "{name}: {path} stands in no example, or twice in the table");
            match effect {
                Effect::None => {}
                Effect::Diagnostic(code) => assert!(diagnostics.contains(&code), "{name}: {path}: {diagnostics:?}"),
                Effect::Skill(place, expected) => {
                    assert_eq!(skill.pointer(place), Some(&expected), "{name}: {path}");
                    let mut other = json.clone();
                    let value = other.pointer_mut(&pointer(path)).unwrap();
                    *value = changed(value);
                    let after = observe(name, &other.to_string()).0;
                    let after = after.as_ref().and_then(|skill| skill.pointer(place));
                    assert_ne!(after, Some(&expected), "{name}: changing {path} changes nothing");
                }
            }
        }
        assert!(left.is_empty(), "{name}: no row for {left:?}");
    }
    assert!(files.is_empty(), "no rows for {files:?}");
}

#[test]
fn the_seeds_load_without_errors_and_with_no_unknown_key() {
    for (name, _) in table() {
        let text = std::fs::read_to_string(fixtures().join("seeds").join(format!("{name}.json"))).unwrap();
        let (_, codes) = observe(name, &text);
        // Some examples of v2 have neither a name nor a description, one holds configuration, and one is not applied yet.
        assert!(codes.iter().all(|code| ["S0013", "S0023", "S0027"].contains(code)), "{name}: {codes:?}");
    }
}

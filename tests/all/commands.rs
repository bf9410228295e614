//! Commands and inline bash, as a person runs them: confined, with arguments that mean no good.

use crate::support::Sandbox;
use serde_json::{Value, json};

/// A definition that runs a program, with more keys.
fn definition(name: &str, more: Value) -> String {
    let mut all = json!({"name": name, "description": "d", "type": "code_inline"});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all.to_string()
}

/// A sandbox, unless nothing can be confined on this machine.
#[allow(clippy::print_stderr, reason = "a test that is skipped says why")]
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::new();
    sandbox.write("probe.json", &definition("probe", json!({"command": "true"})));
    let outcome = sandbox.run(&["run", "./probe.json", "--json"]).json();
    if outcome["error"]["kind"] == "unavailable" {
        eprintln!("skipped: {}", outcome["error"]["message"]);
        return None;
    }
    assert_eq!(outcome["status"], "ok", "{outcome}");
    assert_eq!(outcome["isolation"], "worker", "{outcome}");
    Some(sandbox)
}

const EVIL: [&str; 5] =
    ["; rm -rf ~ #", "$(touch PWNED)", "`touch PWNED`", "' ; touch PWNED ; '", "\" ; touch PWNED ; \""];

#[test]
fn no_value_runs_as_code() {
    let Some(sandbox) = sandbox() else { return };
    let greet = json!({
        "name": "greet", "description": "d", "parameters": [{"name": "name", "type": "string", "required": true}],
        "implementation": {"type": "command", "command": "echo 'Hello, {{name}}!'"}
    });
    let piped = json!({
        "name": "piped", "description": "d", "parameters": [{"name": "name", "type": "string", "required": true}],
        "implementation": {"type": "command", "command": "true && echo 'Hello, {{name}}!'"}
    });
    sandbox.write("greet.json", &greet.to_string());
    sandbox.write("piped.json", &piped.to_string());
    let parameters = json!([{"name": "name", "type": "string"}]);
    let flat = json!({"command": "echo", "args": ["Hello, {name}!"], "parameters": parameters});
    sandbox.write("flat.json", &definition("flat", flat));
    let double = json!({"command": "echo \"Hello, {name}!\"", "shell": true, "parameters": parameters});
    sandbox.write("double.json", &definition("double", double));
    for evil in EVIL {
        for skill in ["greet", "piped", "flat", "double"] {
            let ran = sandbox.run(&["run", &format!("./{skill}.json"), &format!("name={evil}")]).exits(0);
            assert_eq!(ran.stdout, format!("Hello, {evil}!\n"), "{skill}");
        }
    }
    assert!(!sandbox.path().join("PWNED").exists());
}

#[test]
fn what_a_program_prints_is_the_value() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.write("json.json", &definition("json", json!({"command": "echo", "args": ["[1, {}]"], "output": "json"})));
    let outcome = sandbox.run(&["run", "./json.json", "--json"]).exits(0).json();
    assert_eq!((&outcome["value"], &outcome["stdout"]), (&json!([1, {}]), &json!("")));
    assert!(outcome["usage"]["cpu_ms"].is_number(), "{outcome}");
    // What memory is worth depends on who may make control groups: `limit_status` compares it with the doctor.
    for limit in ["time", "output"] {
        assert_eq!(outcome["limits"][limit]["status"], "enforced", "{outcome}");
    }
    sandbox.write("wrong.json", &definition("wrong", json!({"command": "echo", "args": ["oh"], "output": "json"})));
    let outcome = sandbox.run(&["run", "./wrong.json", "--json"]).exits(1).json();
    assert_eq!((&outcome["error"]["kind"], &outcome["stdout"]), (&json!("script_error"), &json!("oh\n")));
}

#[test]
fn each_way_to_fail_is_an_error_of_its_own() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.write("plain", "no program");
    for (name, more, code, kind, message) in [
        ("missing", json!({"command": "no-such-program"}), 4, "not_found", "there is no program `no-such-program`"),
        ("plain", json!({"command": "./plain"}), 6, "permission_denied", "is not executable"),
        ("exit", json!({"command": "echo oh >&2; exit 3", "shell": true}), 1, "script_error", "exit code 3: oh"),
        ("signal", json!({"command": "kill -SEGV $$", "shell": true}), 1, "crashed", "signal 11 (SIGSEGV)"),
        (
            "utf8",
            json!({"command": "printf", "args": ["a\\377"], "output": "lines"}),
            1,
            "script_error",
            "byte 1 is not",
        ),
        ("huge", json!({"command": "yes"}), 1, "output_limit", "output limit of 1 MB"),
        ("slow", json!({"command": "sleep", "args": ["60"], "timeout": 0.2}), 124, "timeout", "time limit of 200 ms"),
        ("option", json!({"command": "ls", "args": ["{x}"]}), 5, "invalid_arguments", "begins with `-`"),
        ("session", json!({"command": "ls", "args": ["{session_id}"]}), 3, "unavailable", "only a session has"),
    ] {
        sandbox.write(&format!("{name}.json"), &definition(name, more));
        let outcome = sandbox.run(&["run", &format!("./{name}.json"), "--json", "--params", r#"{"x":"-l"}"#]);
        let object = outcome.json();
        let error = &object["error"];
        assert_eq!(error["kind"], kind, "{name}: {object}");
        assert!(error["message"].as_str().unwrap().contains(message), "{name}: {object}");
        assert_eq!(outcome.code, code, "{name}");
    }
}

#[test]
fn a_program_has_a_clean_environment_and_its_own_variables() {
    let Some(sandbox) = sandbox() else { return };
    let more = json!({"command": "env", "output": "lines", "environment": {"GREETING": "Hi {x}"},
        "parameters": [{"name": "x", "type": "string"}]});
    sandbox.write("env.json", &definition("env", more));
    let mut command = sandbox.skills();
    let output = command.env("TOKEN", "s3cret").args(["run", "./env.json", "x=$HOME", "--json"]).output().unwrap();
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<&str> = outcome["value"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(lines.contains(&"GREETING=Hi $HOME"), "{lines:?}");
    assert!(lines.contains(&"HOME=/tmp"), "{lines:?}");
    assert!(!outcome.to_string().contains("s3cret"), "{lines:?}");
}

#[test]
fn bash_gets_parameters_and_points_to_its_own_lines() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.write("hello.sh", "echo \"Hello, $name! $SKILL_PARAMS\"\n");
    let ran = sandbox.run(&["run", "./hello.sh", "name=$(id)"]).exits(0);
    assert_eq!(ran.stdout, "Hello, $(id)! {\"name\":\"$(id)\"}\n");
    sandbox.write("bad.sh", "true\n\nno_such_program\n");
    let ran = sandbox.run(&["run", "./bad.sh"]).exits(1);
    assert!(ran.stderr.contains("bad.sh:3\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("3 | no_such_program") || ran.stderr.contains("no_such_program"), "{}", ran.stderr);
    let ran = sandbox.run(&["run", "-e", "grep x /etc/passwd", "--lang", "bash"]).exits(1);
    assert!(ran.stderr.contains("`--allow-run grep`"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_shows_what_would_be_started() {
    let sandbox = Sandbox::new();
    let more = json!({"command": "ls", "args": ["-l", "{x}"], "parameters": [{"name": "x", "type": "string"}]});
    sandbox.write("list.json", &definition("list", more));
    let ran = sandbox.run(&["run", "./list.json", "x=a b", "--dry-run"]).exits(0);
    assert!(ran.stdout.contains("program      ls -l \"a b\"\n"), "{}", ran.stdout);
    let plan = sandbox.run(&["run", "./list.json", "x=a b", "--dry-run", "--json"]).exits(0).json();
    assert_eq!(plan["step"]["program"], "ls");
    assert_eq!(plan["step"]["arguments"], json!(["-l", "a b"]));
    assert_eq!(plan["isolation"], "worker");
}

#[test]
fn unsafe_placeholders_do_not_load() {
    let sandbox = Sandbox::new();
    let more = json!({"command": "sh", "args": ["-c", "echo {x}"], "parameters": [{"name": "x", "type": "string"}]});
    sandbox.write("nested.json", &definition("nested", more));
    let outcome = sandbox.run(&["run", "./nested.json", "x=a", "--json"]).exits(5).json();
    assert_eq!(outcome["error"]["diagnostics"][0]["code"], "S0088", "{outcome}");
    let more = json!({
        "command": "git", "args": ["log"], "environment": {"PAGER": "{x}"},
        "parameters": [{"name": "x", "type": "string"}]
    });
    sandbox.write("pager.json", &definition("pager", more));
    let outcome = sandbox.run(&["run", "./pager.json", "x=a", "--json"]).exits(5).json();
    assert_eq!(outcome["error"]["diagnostics"][0]["code"], "S0088", "{outcome}");
    let more = json!({"command": "ls", "environment": {"LD_PRELOAD": "x.so"}});
    sandbox.write("preload.json", &definition("preload", more));
    let outcome = sandbox.run(&["run", "./preload.json", "--json"]).exits(5).json();
    assert_eq!(outcome["error"]["diagnostics"][0]["code"], "S0089", "{outcome}");
}

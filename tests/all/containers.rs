//! The tier `container`, against an engine that speaks Docker's protocol and runs what it is asked to as plain processes.

use crate::support::Sandbox;
use serde_json::json;

#[path = "../support/docker.rs"]
mod docker;

use docker::FakeEngine;

fn run(engine: &FakeEngine, sandbox: &Sandbox, arguments: &[&str]) -> serde_json::Value {
    let host = format!("unix://{}", engine.socket().display());
    let output = sandbox
        .skills()
        .env("DOCKER_HOST", host)
        .args(["run", "--isolation", "container", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn scripts_run_in_containers_by_the_contract_of_every_tier() {
    let (engine, sandbox) = (FakeEngine::start(), Sandbox::new());
    for (language, code) in [
        ("python", "print('hi'); import skill; skill.state.set('k', params['n']); skill.state.get('k') + 1"),
        ("javascript", "console.log('hi'); skill.state.set('k', params.n); skill.state.get('k') + 1"),
        ("rhai", "print(\"hi\"); skill.state.set(\"k\", params.n); skill.state.get(\"k\") + 1"),
    ] {
        let outcome = run(&engine, &sandbox, &["--params", "{\"n\": 41}", "--lang", language, "-e", code]);
        assert_eq!(outcome["value"], json!(42), "{outcome:#}");
        assert_eq!((&outcome["stdout"], &outcome["isolation"]), (&json!("hi\n"), &json!("container")));
        assert!(outcome["usage"]["cpu_ms"].is_number(), "{outcome:#}");
    }
    assert!(engine.asked("DELETE"), "containers are removed");
}

#[test]
fn what_goes_wrong_in_a_container_is_told_apart() {
    let (engine, sandbox) = (FakeEngine::start(), Sandbox::new());
    for (code, kind) in [
        ("1/0", "script_error"),
        ("10**10**8", "timeout"),
        ("import ctypes; ctypes.CDLL(None)._exit(0)", "crashed"),
        ("print('x' * 9000000)", "output_limit"),
    ] {
        let outcome = run(&engine, &sandbox, &["--max-time", "2s", "--lang", "python", "-e", code]);
        assert_eq!(outcome["error"]["kind"], kind, "{code}: {outcome:#}");
    }
}

#[test]
fn without_an_engine_the_error_says_where_it_was_looked_for() {
    let ran = Sandbox::new().run(&["run", "hash", "text=x", "--isolation", "container"]).exits(3);
    assert!(ran.stderr.contains("no container engine answers at /nowhere/docker.sock"), "{ran:?}");
    assert!(ran.stderr.contains("--isolation container"), "{ran:?}");
}

#[test]
fn what_a_container_used_is_what_its_engine_counts() {
    let (engine, sandbox) = (FakeEngine::start(), Sandbox::new());
    let code = "x = bytearray(40 << 20)\nn = 0\nfor i in range(3_000_000): n += i\nlen(x)";
    let outcome = run(&engine, &sandbox, &["--lang", "python", "-e", code]);
    assert!(outcome["usage"]["peak_memory_bytes"].as_u64().unwrap() > 30 << 20, "{outcome:#}");
    assert!(outcome["usage"]["cpu_ms"].as_f64().unwrap() > 0.0, "{outcome:#}");
    assert_eq!(outcome["limits"]["memory"]["status"], "enforced", "{outcome:#}");
}

#[test]
fn what_the_engine_does_not_hold_keeps_code_that_is_not_trusted_out() {
    let (engine, sandbox) = (FakeEngine::start(), Sandbox::new());
    let definition = json!({
        "name": "slow", "description": "A test", "type": "code_inline", "language": "rhai", "code": "1",
    });
    sandbox.write(".skills/slow/slow.json", &definition.to_string());
    sandbox
        .write(".skills/config.json", &json!({"security": {"resource_limits": {"max_cpu_percent": 50}}}).to_string());
    let outcome = run(&engine, &sandbox, &["slow"]);
    assert_eq!(outcome["error"]["kind"], "unavailable", "{outcome:#}");
    let message = outcome["error"]["message"].as_str().unwrap();
    assert!(message.contains("the container engine says that its kernel does not hold it"), "{message}");
}

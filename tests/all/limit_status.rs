//! What a limit is said to be worth where something runs, and what becomes of code that is not trusted where it is worth nothing.

use crate::support::Sandbox;
use serde_json::json;

fn bash(sandbox: &Sandbox) {
    let definition = json!({
        "name": "says", "description": "A test", "type": "code_inline", "language": "bash", "code": "echo hi"
    });
    sandbox.write(".skills/says/says.json", &definition.to_string());
}

#[test]
fn a_limit_that_nothing_can_hold_keeps_code_that_is_not_trusted_from_running() {
    let sandbox = Sandbox::new();
    bash(&sandbox);
    if crate::support::tiers().len() == 1 {
        return;
    }
    let arguments = ["run", "says", "--max-operations", "1000"];
    let ran = sandbox.run(&arguments).exits(3);
    assert!(ran.stderr.contains("is not trusted, and its limit of 1000 operations cannot be held"), "{ran:?}");
    assert!(ran.stderr.contains("leave the limit `operations` out"), "{ran:?}");
    assert_eq!(sandbox.run(&["run", "says"]).exits(0).stdout, "hi\n", "without it nothing is missing");
    sandbox.run(&["trust", "grant", "says", "-y"]).exits(0);
    let outcome = sandbox.run(&[&arguments[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(outcome["limits"]["operations"]["status"], "unavailable", "{outcome:#}");
    assert_eq!(outcome["limits"]["time"]["status"], "enforced", "{outcome:#}");
}

#[test]
fn what_a_run_says_of_its_limits_is_what_the_doctor_found() {
    let sandbox = Sandbox::new();
    bash(&sandbox);
    let doctor = sandbox.run(&["doctor", "--json"]).exits(0).json();
    let found = |runs: &str, name: &str| {
        let report = doctor["tiers"].as_array().unwrap().iter().find(|r| r["tier"] == "worker" && r["runs"] == runs)?;
        let cap = report["limits"].as_array().unwrap().iter().find(|cap| cap["name"] == name).unwrap();
        Some(cap["status"].clone())
    };
    if found("programs", "time").is_none() {
        assert_eq!(crate::support::tiers().len(), 1, "{doctor:#}");
        return;
    }
    let outcome = sandbox.run(&["run", "says", "--json"]).exits(0).json();
    for (name, limit) in outcome["limits"].as_object().unwrap() {
        assert_eq!(Some(&limit["status"]), found("programs", name).as_ref(), "{name} of {outcome:#}");
    }
}

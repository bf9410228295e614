//! What the command says of what went wrong, and to whom.

use crate::support::{Sandbox, tiers};
use serde_json::json;

#[test]
fn wrong_use_has_one_exit_code_and_is_json_where_json_is_asked_for() {
    let sandbox = Sandbox::new();
    let cases: [(&[&str], &str); 7] = [
        (&["run", "-e", "1", "--lang", "cobol"], "use rhai, python"),
        (&["eval", "1", "--lang", "cobol"], "use rhai, python"),
        (&["run", "-e", "1", "--isolation", "moon"], "use in-process, worker or container"),
        (&["run", "-e", "1", "--max-time", "abc"], "say a number with its unit"),
        (&["run", "-e", "1", "--allow-net", "http://a.org"], "it is a URL"),
        (&["create", "x", "--type", "bad"], "invalid value 'bad'"),
        (&["schema", "v9"], "invalid value 'v9'"),
    ];
    for (arguments, why) in cases {
        let ran = sandbox.run(arguments).exits(2);
        assert!(ran.stderr.contains(why) && ran.stdout.is_empty(), "{ran:?}");
        let ran = sandbox.run(&[arguments, &["--json"]].concat()).exits(2);
        let error = &ran.json()["error"];
        assert_eq!((&error["kind"], ran.stderr.as_str()), (&json!("invalid_arguments"), ""), "{ran:?}");
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
    }
}

#[test]
fn what_a_script_asks_for_wrongly_is_the_scripts_own_failure() {
    let sandbox = Sandbox::new();
    let cases = [
        ("skill.call(\"nosuch\", #{})", 1, "not_found"),
        ("skill.log(\"info\", \"x\")", 1, "invalid_arguments"),
        ("skill.fs.read(\"/etc/passwd\")", 6, "permission_denied"),
    ];
    for (code, exit, kind) in cases {
        let ran = sandbox.run(&["run", "-e", code, "--json"]).exits(exit);
        assert_eq!(ran.json()["error"]["kind"], kind, "{ran:?}");
        sandbox.run(&["run", "-e", code]).exits(exit);
    }
    sandbox.run(&["run", "nosuch"]).exits(4);
    sandbox.run(&["run", "calculator"]).exits(5);
}

#[test]
fn a_script_file_that_is_not_there_is_said_to_be_so() {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    for path in ["./nosuch.py", "nodir/x.py", "file/x.py"] {
        let ran = sandbox.run(&["run", path]).exits(4);
        assert!(ran.stderr.contains("the file does not exist") && !ran.stderr.contains("os error"), "{ran:?}");
    }
}

#[test]
fn a_run_that_does_not_begin_says_what_is_known_of_it() {
    let sandbox = Sandbox::new();
    let outcome = sandbox.run(&["run", "calculator", "--json", "--max-memory", "32MB"]).exits(5).json();
    assert_eq!((&outcome["version"], &outcome["isolation"]), (&json!("1.0.0"), &json!("in_process")), "{outcome}");
    assert_eq!(outcome["limits"]["time"]["limit"], 1000, "{outcome}");
    assert_eq!(outcome["limits"]["memory"], json!({"limit": 32 << 20, "used": null, "status": "enforced"}));
    assert!(outcome["correlation_id"].as_str().is_some_and(|id| !id.is_empty()), "{outcome}");
    let unknown = sandbox.run(&["run", "nosuch", "--json"]).exits(4).json();
    assert!(unknown["correlation_id"].as_str().is_some_and(|id| !id.is_empty()), "{unknown}");
    if tiers().contains(&skills::Isolation::Worker) {
        let definition = json!({"name": "mine", "description": "d", "type": "code_inline", "version": "2.0.0",
            "executor": {"type": "inline", "language": "python", "code": "1"},
            "parameters": [{"name": "n", "type": "integer", "required": true}]});
        sandbox.write(".git/HEAD", "");
        sandbox.write(".skills/mine/mine.json", &definition.to_string());
        for words in [&["n=x"][..], &["--params", "{"]] {
            let outcome = sandbox.run(&[&["run", "mine", "--json"], words].concat()).exits(5).json();
            assert_eq!((&outcome["version"], &outcome["isolation"]), (&json!("2.0.0"), &json!("worker")), "{outcome}");
        }
    }
}

#[test]
fn frames_have_all_their_keys_and_those_of_code_in_a_definition_do_not_name_its_lines() {
    let sandbox = Sandbox::new();
    let code = "let a = 1;\n\nthrow \"no\"";
    let outcome = sandbox.run(&["run", "-e", code, "--json"]).exits(1).json();
    let frame = &outcome["error"]["frames"][0];
    assert_eq!(frame, &json!({"file": "<rhai>", "line": 3, "column": 1, "function": null, "source": "throw \"no\""}));
    let definition = json!({"name": "inl", "description": "d", "type": "code_inline",
        "executor": {"type": "inline", "language": "rhai", "code": code}});
    let path = sandbox.write("inl.json", &serde_json::to_string_pretty(&definition).unwrap());
    let ran = sandbox.run(&["run", "./inl.json"]).exits(1);
    assert!(ran.stderr.contains(&format!("--> {}#code:3:1", path.display())), "{ran:?}");
}

//! What the command says of definitions: what is wrong with them, what they need, what they do not get.

use crate::support::Sandbox;
use serde_json::{Value, json};

const BROKEN: &str = r#"{"type": "code_inline"}"#;

#[test]
fn what_has_errors_is_listed_as_such_also_when_it_is_known_already() {
    let sandbox = Sandbox::new();
    sandbox.write(".skills/nothing.json", BROKEN);
    sandbox.write(".skills/cut.json", r#"{"type": "code_inline", "command": "#);
    sandbox.write(
        ".skills/lost.json",
        r#"{"name": "lost", "description": "d", "type": "code_inline", "code": "file://./lost.py"}"#,
    );
    sandbox
        .write(".skills/fine.json", r#"{"name": "fine", "description": "d", "type": "prompt_inline", "prompt": "x"}"#);
    std::thread::sleep(std::time::Duration::from_millis(120));
    let valid = |sandbox: &Sandbox| -> Vec<String> {
        let ran = sandbox.run(&["list", "--json"]).exits(0);
        let entries = ran.json();
        let own = entries.as_array().unwrap().iter().filter(|entry| entry["scope"] == "project");
        own.filter(|entry| entry["valid"] == true).map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    };
    for _ in 0..2 {
        assert_eq!(valid(&sandbox), ["fine"]);
        let ran = sandbox.run(&["list"]).exits(0);
        assert!(ran.stderr.contains("3 of the definitions found have errors"), "{ran:?}");
        assert_eq!(ran.stdout.matches("(has errors").count(), 3, "{ran:?}");
    }
    // A file that was referred to and is there now, without the definition itself having changed.
    sandbox.write(".skills/lost.py", "1");
    assert_eq!(valid(&sandbox), ["fine", "lost"]);
    let doctor = sandbox.run(&["doctor", "--json"]).json();
    assert_eq!(doctor["skills"]["broken"], 2);
}

#[test]
fn a_skill_that_is_needed_has_to_be_there_in_a_version_that_fits() {
    let sandbox = Sandbox::new();
    let skill = |name: &str, rest: &str| {
        let text = format!(r#"{{"name": "{name}", "description": "d", "type": "prompt_inline", "prompt": "x"{rest}}}"#);
        sandbox.write(&format!(".skills/{name}.json"), &text);
    };
    skill("user", r#", "dependencies": {"tool": "^1.2.0"}"#);
    let ran = sandbox.run(&["run", "user"]).exits(4);
    assert!(ran.stderr.contains("`user` needs `tool` ^1.2.0, and there is no such skill"), "{ran:?}");
    skill("tool", r#", "version": "1.1.0""#);
    let ran = sandbox.run(&["run", "user", "--json"]);
    assert_eq!(ran.json()["error"]["kind"], "unavailable");
    assert!(ran.stdout.contains("version 1.1.0 is what is here"), "{ran:?}");
    skill("tool", r#", "version": "1.3.0""#);
    assert_eq!(sandbox.run(&["run", "user"]).exits(0).stdout, "x\n");
    // Another skill may provide it.
    skill("tool", "");
    assert!(sandbox.run(&["run", "user"]).stderr.contains("does not say its version"));
    std::fs::remove_file(sandbox.path().join(".skills/tool.json")).unwrap();
    skill("box", r#", "provides": {"tool": "1.2.9"}"#);
    assert_eq!(sandbox.run(&["run", "user"]).exits(0).stdout, "x\n");
}

#[test]
fn what_is_not_applied_is_said_once_when_it_runs() {
    let sandbox = Sandbox::new();
    let text = r#"{"name": "a", "description": "d", "type": "prompt_inline", "prompt": "x", "resilience": {"retry_attempts": 2}}"#;
    let path = sandbox.write("a.json", text);
    let ran = sandbox.run(&["run", path.to_str().unwrap()]).exits(0);
    assert_eq!(ran.stderr.matches("[S0027]").count(), 1, "{ran:?}");
    assert_eq!(ran.stdout, "x\n");
}

#[test]
fn the_value_is_shown_in_the_format_that_the_definition_asks_for() {
    let sandbox = Sandbox::new();
    for (format, shown) in [("json", "\"x\"\n"), ("markdown", "x\n"), ("text", "x\n")] {
        let text =
            json!({"name": "a", "description": "d", "type": "prompt_inline", "prompt": "x", "output_format": format});
        sandbox.write("a.json", &text.to_string());
        assert_eq!(sandbox.run(&["run", "./a.json"]).exits(0).stdout, shown, "{format}");
    }
}

#[test]
fn code_that_does_not_parse_is_found_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("one.py", "def run(a):\n    return a +\n");
    for (code, language, place) in [
        ("1 +", "rhai", "bad.json:1:"),
        ("1 +", "python", "bad.json:1:"),
        ("const a = ;", "javascript", "bad.json:1:"),
        ("file://./one.py", "python", "one.py:2:"),
    ] {
        let text =
            json!({"name": "bad", "description": "d", "type": "code_inline", "language": language, "code": code});
        sandbox.write("bad.json", &text.to_string());
        let ran = sandbox.run(&["validate", "./bad.json"]).exits(5);
        assert!(ran.stdout.contains("error[S0074]: the code does not parse") && ran.stdout.contains(place), "{ran:?}");
        assert_eq!(ran.stderr, "");
        let object = sandbox.run(&["validate", "./bad.json", "--json"]).exits(5).json();
        assert_eq!(object["diagnostics"][0]["code"], "S0074");
    }
}

#[test]
fn files_that_nobody_recognises_are_named() {
    let sandbox = Sandbox::new();
    sandbox.write(".skills/a.json", r#"{"nme": "x", "typ": "code_inline"}"#);
    sandbox.write(".skills/b.json", "");
    sandbox.write(".skills/deep/c.json", "{\"x\": ");
    sandbox.write(".skills/d/d.json", r#"{"name": "d", "description": "d", "type": "prompt_inline", "prompt": "x"}"#);
    sandbox.write(".skills/d/cases.json", "[]");
    let ran = sandbox.run(&["validate", ".skills"]).exits(0);
    assert!(ran.stdout.contains("3 JSON files are no definitions: a.json, b.json, deep/c.json"), "{ran:?}");
    assert!(ran.stdout.contains("1 definition checked: 0 errors, 1 warning"), "{ran:?}");
}

#[test]
fn a_file_of_another_kind_is_no_script() {
    let sandbox = Sandbox::new();
    sandbox.write("g.txt", "hello");
    for name in ["g.txt", "./g.txt"] {
        let ran = sandbox.run(&["run", name]).exits(5);
        assert!(ran.stderr.contains("no language has the extension `txt`"), "{ran:?}");
    }
}

#[test]
fn a_script_without_a_definition_tells_what_it_does() {
    let sandbox = Sandbox::new();
    sandbox.write("g.py", "\"\"\"Greets.\n\nMore.\"\"\"\ndef run(name: str):\n    return name\n");
    sandbox.write(
        "g.js",
        "/**\n * Adds.\n * @param {number} a first\n */\nexport function run({a, b}) { return a + b }\n",
    );
    let shown = sandbox.run(&["info", "./g.py"]).exits(0).stdout;
    assert!(shown.starts_with("g\nGreets.\n\n"), "{shown}");
    let shown = sandbox.run(&["info", "./g.js"]).exits(0).stdout;
    assert!(shown.starts_with("g\nAdds.\n\n") && shown.contains("a              number, required: first"), "{shown}");
    assert_eq!(sandbox.run(&["info", "./g.js", "--json"]).json()["description"], "Adds.");
}

#[test]
fn an_alias_that_means_nothing_is_not_listed() {
    let sandbox = Sandbox::new();
    for (name, aliases) in [("one", json!(["both", "first"])), ("two", json!(["both", "one"]))] {
        let text = json!({"name": name, "aliases": aliases, "description": "d", "type": "prompt_inline", "prompt": "x",
            "metadata": {"tags": ["seldom"]}});
        sandbox.write(&format!(".skills/{name}.json"), &text.to_string());
    }
    // By a tag, which only these two have.
    let listed = sandbox.run(&["list", "seldom", "--json"]).exits(0).json();
    let aliases: Vec<&Value> = listed.as_array().unwrap().iter().map(|entry| &entry["aliases"]).collect();
    assert_eq!(aliases, [&json!(["first"]), &json!([])]);
}

#[test]
fn a_script_beside_a_skill_md_takes_the_parameters_that_it_names() {
    let sandbox = Sandbox::new();
    sandbox.write("helper/SKILL.md", "---\nname: helper\ndescription: d\n---\nBody\n");
    sandbox.write("helper/scripts/add.py", "def run(a: int, b: int = 1):\n    return a + b\n");
    let run = |words: &[&str]| sandbox.run(&[&["run", "./helper", "--yes", "--script", "add.py"], words].concat());
    assert_eq!(run(&["a=2"]).exits(0).stdout, "3\n");
    let ran = run(&["a=2", "c=3"]).exits(5);
    assert!(ran.stderr.contains("`c`"), "{ran:?}");
}

#[test]
fn what_an_upgrade_loses_is_said() {
    let sandbox = Sandbox::new();
    let text =
        "{\n  // why\n  \"name\": \"a\", \"description\": \"d\", \"type\": \"prompt_inline\", \"prompt\": \"x\"\n}\n";
    sandbox.write("a.json", text);
    let ran = sandbox.run(&["upgrade", "./a.json"]).exits(0);
    assert!(ran.stderr.contains("the comments of ./a.json are not in it"), "{ran:?}");
    sandbox.write("b.json", &text.replace("// why", ""));
    assert_eq!(sandbox.run(&["upgrade", "./b.json"]).exits(0).stderr, "");
}

#[test]
fn a_created_skill_validates_and_runs_and_has_a_case() {
    let sandbox = Sandbox::new();
    let confined = crate::support::tiers().len() > 1;
    for language in ["rhai", "python", "javascript", "typescript", "bash"] {
        if language == "bash" && !confined {
            continue;
        }
        let name = format!("greet-{language}");
        sandbox.run(&["create", &name, "--type", "code_inline", "--lang", language]).exits(0);
        let definition = format!("./{name}/{name}.json");
        let ran = sandbox.run(&["validate", &definition]).exits(0);
        assert!(ran.stdout.contains("0 errors, 0 warnings"), "{ran:?}");
        let cases = crate::support::read_json(&sandbox.path().join(&name).join("cases.json"));
        for case in cases.as_array().unwrap() {
            let params = case["params"].to_string();
            let object = sandbox.run(&["run", &definition, "--params", &params, "--json"]).json();
            match case.get("value") {
                Some(value) => assert_eq!(object["value"], *value, "{object:#}"),
                None => assert_eq!(object["error"]["kind"], case["error"]["kind"], "{object:#}"),
            }
        }
        sandbox.run(&["create", &name]).exits(5);
    }
    for kind in ["code_session", "prompt_inline", "conversation"] {
        let name = format!("my-{kind}");
        sandbox.run(&["create", &name, "--type", kind]).exits(0);
        sandbox.run(&["validate", &format!("./{name}/{name}.json")]).exits(0);
    }
    let ran = sandbox.run(&["run", "./my-prompt_inline/my-prompt_inline.json", "topic=tea"]).exits(0);
    assert_eq!(ran.stdout, "Explain tea to a beginner, in at most five sentences.\n");
    sandbox.run(&["create", "../evil"]).exits(5);
    sandbox.run(&["create", "x", "--lang", "cobol"]).exits(2);
    sandbox.run(&["create", "x", "--type", "spell"]).exits(2);
    let ran = sandbox.run(&["create", "x", "--type", "prompt_inline", "--lang", "rhai"]).exits(5);
    assert!(ran.stderr.contains("runs no code"), "{ran:?}");
    let cases = crate::support::read_json(&sandbox.path().join("my-conversation/cases.json"));
    assert_eq!(cases[0]["error"]["kind"], "unavailable");
}

//! The command, as a person uses it.

use crate::support::{Sandbox, root};
use serde_json::{Value, json};

#[test]
fn pages_of_help_and_errors_read_as_they_should() {
    let sandbox = Sandbox::new();
    let home = sandbox.folder.path().to_string_lossy();
    let pages = trycmd::TestCases::new();
    pages.register_bin("skills", std::path::Path::new(env!("CARGO_BIN_EXE_skills")));
    // A page runs in a folder of its own, outside of this project, because it has an `.out` folder.
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"] {
        pages.env(variable, home.clone());
    }
    pages.env("NO_COLOR", "1").insert_var("[VERSION]", env!("CARGO_PKG_VERSION")).unwrap();
    pages.case(root().join("tests/cmd/*.md")).run();
}

#[test]
fn parameters_come_as_json_words_options_files_and_standard_input() {
    let sandbox = Sandbox::new();
    let object = r#"{"operation":"add","operand1":5,"operand2":3}"#;
    let file = format!("@{}", sandbox.write("p.json", object).display());
    let ways: [&[&str]; 5] = [
        &["run", "calculator", "--params", object],
        &["run", "calc", "operation=add", "operand1=5", "operand2=3"],
        &["run", "calculator-js", "--operation", "add", "--operand1", "5", "--operand2=3"],
        &["run", "calculator-rhai", "--params", &file],
        &["run", "calculator-rhai", "--params", object, "operand2=3"],
    ];
    for way in ways {
        let ran = sandbox.run(way).exits(0);
        assert_eq!(ran.stdout.trim().trim_end_matches(".0"), "8", "{way:?}");
        assert_eq!(ran.stderr, "", "{way:?}");
    }
    let output =
        sandbox.skills().args(["run", "calculator-rhai", "--params", "-"]).write_stdin(object).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "8");
}

#[test]
fn the_json_object_has_exactly_its_keys() {
    let sandbox = Sandbox::new();
    let object = sandbox.run(&["run", "calculator-rhai", "operation=add", "operand1=5", "operand2=3", "--json"]).json();
    let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
    let expected = [
        "skill",
        "version",
        "status",
        "value",
        "stdout",
        "stderr",
        "error",
        "usage",
        "limits",
        "isolation",
        "cached",
        "correlation_id",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&object["status"], &object["value"]), (&json!("ok"), &json!(8)));
    assert_eq!(object["isolation"], "in_process");
    let usage: Vec<&String> = object["usage"].as_object().unwrap().keys().collect();
    assert_eq!(usage, ["wall_ms", "cpu_ms", "peak_memory_bytes", "operations"]);
    assert_eq!(object["limits"]["memory"]["status"], "enforced", "the command installs the counting allocator");
    assert!(object["limits"]["time"]["limit"].is_u64());
}

#[test]
fn a_breach_has_limit_and_reading_and_its_exit_code() {
    let sandbox = Sandbox::new();
    let cases = [
        ("loop {}", "rhai", "--max-time", "50ms", 124, "timeout", "time"),
        ("for (;;) {}", "javascript", "--max-time", "50ms", 124, "timeout", "time"),
        ("[0] * 10**9", "python", "--max-memory", "32MB", 137, "memory_limit", "memory"),
        ("while True: pass", "python", "--max-operations", "1000", 1, "operation_limit", "operations"),
        ("loop { print(\"aaaaaaaaaa\"); }", "rhai", "--max-output", "1KB", 1, "output_limit", "output"),
    ];
    for (code, language, option, amount, exit, kind, limit) in cases {
        let ran = sandbox.run(&["run", "-e", code, "--lang", language, option, amount, "--json"]).exits(exit);
        let error = &ran.json()["error"];
        assert_eq!((&error["kind"], &error["limit"]["name"]), (&json!(kind), &json!(limit)), "{ran:?}");
        assert!(error["limit"]["limit"].is_u64() && error["limit"]["reading"].is_u64(), "{ran:?}");
    }
}

#[test]
fn a_failing_script_shows_its_own_source_line() {
    let sandbox = Sandbox::new();
    let scripts = [
        ("fail.py", "def run():\n    return 1 / 0\n", "fail.py:2:", "return 1 / 0"),
        ("fail.js", "function run() {\n  return missing.thing;\n}\n", "fail.js:2:", "return missing.thing;"),
        ("fail.ts", "const n: number = 1;\nthrow new Error('no ' + n);\n", "fail.ts:2:", "throw new Error('no ' + n);"),
        ("fail.rhai", "let x = 1;\nlet y = x / 0;\ny\n", "fail.rhai:2:", "let y = x / 0;"),
    ];
    for (file, source, place, line) in scripts {
        sandbox.write(file, source);
        let ran = sandbox.run(&["run", &format!("./{file}")]).exits(1);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains(place) && ran.stderr.contains(line), "{ran:?}");
    }
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let sandbox = Sandbox::new();
    sandbox.write("broken.json", r#"{"name": "broken", "type": "code_inline", "timeout": -1}"#);
    let cases: [(&[&str], i32, &str); 8] = [
        (&["run", "calculater"], 4, "calculator"),
        (&["run", "calculator", "operation=pow", "operand1=1", "operand2=2"], 5, "multiply"),
        (&["run", "calculator"], 5, "operand2"),
        (&["run", "calculator", "--params", "{\"operation\": "], 5, "line 1"),
        (&["run", "./broken.json"], 5, "S0"),
        (&["run", "./missing.py"], 4, "missing.py"),
        (
            &["run", "calculator", "--isolation", "container", "operation=add", "operand1=1", "operand2=2"],
            3,
            "container",
        ),
        (&["frobnicate"], 2, "Usage"),
    ];
    for (arguments, code, part) in cases {
        let ran = sandbox.run(arguments).exits(code);
        assert!(ran.stderr.contains(part), "{arguments:?}: {ran:?}");
        assert_eq!(ran.stdout, "", "{arguments:?}: data only on stdout");
    }
}

#[test]
fn every_problem_of_a_definition_is_reported_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "bad.json",
        "{\n  \"skill_type\": \"code_inline\",\n  \"metadata\": {\"name\": \"bad name\", \"description\": \"x\"},\n  \
         \"executor\": {\"type\": \"inline\", \"language\": \"cobol\", \"code\": \"file://./gone.py\", \"timeout\": -1},\n  \
         \"session\": {},\n  \"timeuot\": 1\n}\n",
    );
    let ran = sandbox.run(&["validate", "./bad.json", "--json"]).exits(5);
    let report = ran.json();
    assert_eq!(report["valid"], false);
    let diagnostics = report["diagnostics"].as_array().unwrap();
    assert!(diagnostics.len() >= 5, "{diagnostics:#?}");
    for diagnostic in diagnostics {
        let keys: Vec<&String> = diagnostic.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "severity", "message", "help", "file", "line", "column"]);
        assert!(diagnostic["code"].as_str().unwrap().starts_with('S'));
    }
    let lines: Vec<u64> = diagnostics.iter().map(|d| d["line"].as_u64().unwrap()).collect();
    assert!(lines.contains(&3) && lines.contains(&4) && lines.contains(&5) && lines.contains(&6), "{lines:?}");
    let shown = sandbox.run(&["validate", "./bad.json"]).exits(5).stdout;
    assert!(
        shown.contains("bad.json:4:") && shown.contains('^') && shown.contains("inline skills are stateless"),
        "{shown}"
    );
}

#[test]
fn parameters_that_cannot_be_read_say_why() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path().join("folder")).unwrap();
    std::fs::write(sandbox.path().join("bytes"), [0xff, 0xfe]).unwrap();
    let cases = [
        ("@missing", 4, "the file does not exist"),
        ("@folder", 5, "it is a folder"),
        ("@bytes", 5, "it is not UTF-8"),
        ("@/dev/zero", 5, "it has more than 64 MB"),
        ("-", 5, "the parameters are empty"),
    ];
    for (params, code, why) in cases {
        let ran = sandbox.run(&["run", "evaluate", "--params", params]).exits(code);
        assert!(ran.stderr.contains(why), "{params}: {ran:?}");
    }
}

#[test]
fn code_may_begin_with_a_dash_or_stand_in_the_options_own_word() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["run", "-e", "-1 + 2"]).exits(0).stdout, "1\n");
    assert_eq!(sandbox.run(&["run", "-e40 + 2"]).exits(0).stdout, "42\n");
    assert_eq!(sandbox.run(&["run", "-eparams.n * 2", "n=21"]).exits(0).stdout, "42\n");
}

#[test]
fn what_stands_here_under_the_name_of_no_skill_is_pointed_at() {
    let sandbox = Sandbox::new();
    sandbox.run(&["create", "greeter"]).exits(0);
    for command in ["run", "info"] {
        assert!(sandbox.run(&[command, "greeter"]).exits(4).stderr.contains("`./greeter`"), "{command}");
        assert!(!sandbox.run(&[command, "welcomer"]).exits(4).stderr.contains("./"), "{command}");
    }
    assert_eq!(sandbox.run(&["run", "./greeter", "World"]).exits(0).stdout, "Hello, World!\n");
}

#[test]
fn what_goes_wrong_is_json_too_where_json_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("broken.json", r#"{"name": "broken", "type": "code_inline", "timeout": -1}"#);
    let cases: [(&[&str], i32, &str); 4] = [
        (&["info", "nosuch", "--json"], 4, "not_found"),
        (&["info", "./broken.json", "--json"], 5, "invalid_definition"),
        (&["create", "../evil", "--json"], 5, "invalid_arguments"),
        (&["upgrade", "./missing.json", "--json"], 4, "not_found"),
    ];
    for (arguments, code, kind) in cases {
        let ran = sandbox.run(arguments).exits(code);
        assert_eq!((&ran.json()["error"]["kind"], ran.stderr.as_str()), (&json!(kind), ""), "{ran:?}");
    }
    let broken = sandbox.run(&["info", "./broken.json", "--json"]).json();
    assert_eq!((&broken["error"]["diagnostics"][0]["line"], &broken["diagnostics"]), (&json!(1), &json!(null)));
}

#[test]
fn a_definition_that_is_not_there_does_not_hide_the_problems_of_another() {
    let sandbox = Sandbox::new();
    sandbox.write("broken.json", r#"{"name": "broken", "type": "code_inline", "timeout": -1}"#);
    let ran = sandbox.run(&["validate", "./missing.json", "./broken.json", "calculator"]).exits(5);
    assert!(ran.stderr.contains("no definition at ./missing.json"), "{ran:?}");
    assert!(ran.stdout.contains("error[S0") && ran.stdout.contains("2 definitions checked"), "{ran:?}");
    let report = sandbox.run(&["validate", "calculator", "./missing.json", "--json"]).exits(4).json();
    assert_eq!((&report["valid"], &report["error"]["kind"]), (&json!(false), &json!("not_found")));
}

#[test]
fn an_option_without_a_skill_is_wrong_use() {
    let sandbox = Sandbox::new();
    for arguments in [&["run", "--version"][..], &["run", "--max-tme", "5s", "calculator"]] {
        let ran = sandbox.run(arguments).exits(2);
        assert!(ran.stderr.contains(arguments[1]) && ran.stderr.contains("Usage: skills run"), "{ran:?}");
    }
}

#[test]
fn nobody_who_stops_reading_makes_it_panic_or_run_on() {
    let sandbox = Sandbox::new();
    let endless = "loop { print(\"x\"); }";
    let cases: [&[&str]; 4] =
        [&["list"], &["schema"], &["run", "-e", endless, "--max-output", "1GB"], &["run", "-e", "[1]"]];
    for arguments in cases {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_skills"));
        let command = command.args(arguments).current_dir(sandbox.path()).env("HOME", sandbox.folder.path());
        let output = command.stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments:?}");
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(error.starts_with("error: cannot write to standard output"), "{arguments:?}: {error}");
    }
}

#[test]
fn an_interrupted_run_ends_with_130() {
    let sandbox = Sandbox::new();
    for (code, language) in [("loop {}", "rhai"), ("while True: pass", "python"), ("for (;;);", "javascript")] {
        // It prints a line first, which tells that it runs.
        let line = if language == "javascript" { "console.log(1);" } else { "print(1);" };
        let source = format!("{line}{}{code}", if language == "python" { "\n" } else { "" });
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_skills"))
            .args(["run", "-e", &source, "--lang", language])
            .env("HOME", sandbox.folder.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
        let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{error}");
        assert!(error.contains("error: the run was cancelled"), "{error}");
    }
}

#[test]
fn data_on_stdout_is_the_value_to_the_byte() {
    let sandbox = Sandbox::new();
    for language in ["rhai", "python", "javascript"] {
        let ran = sandbox.run(&["run", "-e", r#""a\u0000b\u001b[31mc\u0007""#, "--lang", language]).exits(0);
        assert_eq!(ran.stdout, "a\0b\x1b[31mc\x07\n", "{language}");
    }
}

#[test]
fn what_a_definition_says_of_itself_does_not_steer_the_terminal() {
    let sandbox = Sandbox::new();
    let definition =
        json!({"name": "sly", "description": "a\u{1b}[2Jb\u{9b}31mc", "type": "prompt_inline", "prompt": "x"});
    sandbox.write(".skills/sly.json", &definition.to_string());
    for arguments in [&["list", "sly"], &["info", "sly"]] {
        let shown = sandbox.run(arguments).exits(0).stdout;
        assert!(shown.contains("sly") && !shown.contains(['\u{1b}', '\u{9b}']), "{shown:?}");
    }
}

#[test]
fn an_upgrade_keeps_what_a_person_wrote() {
    let sandbox = Sandbox::new();
    let old = r#"{"skill_type": "code_inline", "metadata": {"name": "old", "description": "x"},
        "executor": {"type": "inline", "language": "rhai", "code": "1"}}"#;
    let file = sandbox.write("old.json", old);
    let read = |name: &str| std::fs::read_to_string(sandbox.path().join(name)).unwrap();
    assert!(sandbox.run(&["upgrade", "old.json", "--write"]).exits(0).stderr.contains("wrote old.json"));
    assert_eq!(read("old.json.bak"), old);
    let new = read("old.json");
    assert!(sandbox.run(&["upgrade", "old.json", "--write"]).exits(0).stderr.contains("current form already"));
    assert_eq!((read("old.json"), read("old.json.bak").as_str()), (new, old));
    std::fs::write(&file, old.replace("\"1\"", "\"2\"")).unwrap();
    assert!(sandbox.run(&["upgrade", "old.json", "--write"]).exits(5).stderr.contains("old.json.bak"));
    assert_eq!(read("old.json.bak"), old);
}

#[test]
fn a_dry_run_prints_the_plan_and_runs_nothing() {
    let sandbox = Sandbox::new();
    sandbox.write("touch.rhai", "skill.fs.write(\"made.txt\", \"x\")");
    let ran = sandbox
        .run(&["run", "./touch.rhai", "--dry-run", "--max-memory", "64MB", "--json", "--isolation", "in-process"])
        .exits(0);
    let plan = ran.json();
    assert_eq!((&plan["isolation"], &plan["limits"]["memory"]), (&json!("in_process"), &json!(64 << 20)));
    assert!(!sandbox.path().join("made.txt").exists());
}

#[test]
fn skills_are_found_by_scope_and_a_shadowed_one_is_still_reachable() {
    let sandbox = Sandbox::new();
    let definition = json!({
        "name": "evaluate", "description": "Mine", "type": "code_inline",
        "executor": {"type": "inline", "language": "rhai", "code": "\"mine\""}
    });
    sandbox.write(".skills/evaluate.json", &definition.to_string());
    assert_eq!(sandbox.run(&["run", "evaluate"]).exits(0).stdout, "mine\n");
    let ran = sandbox.run(&["run", "bundled:evaluate", "expression=15% of 250"]).exits(0);
    assert_eq!(ran.stdout.trim(), "37.5");
    let list = sandbox.run(&["list", "--json"]).json();
    let mine: Vec<&Value> = list.as_array().unwrap().iter().filter(|entry| entry["name"] == "evaluate").collect();
    assert_eq!(mine.len(), 2);
    assert_eq!(mine.iter().filter(|entry| entry["shadowed"] == true).count(), 1);
    assert!(sandbox.run(&["info", "evaluate"]).exits(0).stderr.contains("bundled"), "shadowing is warned about");
}

#[test]
fn inferred_parameters_are_shown() {
    let sandbox = Sandbox::new();
    let definition = |file: &str| {
        json!({
            "name": "inferred", "description": "x", "type": "code_inline",
            "executor": {"type": "inline", "code": format!("file://./{file}")}
        })
    };
    let scripts = [
        (
            "a.py",
            "def run(count: int, name: str = 'x'):\n    \"\"\"Counts.\n\n    Args:\n        count: How many.\n    \"\"\"\n",
        ),
        (
            "a.ts",
            "/** Counts.\n * @param params.count How many. */\nexport default function run({ count, name = 'x' }: { count: number; name?: string }) {}\n",
        ),
        (
            "a.rhai",
            "/// Counts.\n/// @param {integer} count - How many.\n/// @param {string} [name=\"x\"] - A name.\nfn run(params) { 1 }\n",
        ),
    ];
    for (file, source) in scripts {
        sandbox.write(file, source);
        let path = sandbox.write("inferred.json", &definition(file).to_string());
        let info = sandbox.run(&["info", &path.to_string_lossy(), "--json"]).exits(0).json();
        let parameters = &info["parameters"];
        assert_eq!(info["parameters_inferred"], true, "{file}");
        assert_eq!(parameters["required"], json!(["count"]), "{file}: {info:#}");
        assert_eq!(parameters["properties"]["name"]["type"], "string", "{file}");
        assert_eq!(parameters["properties"]["name"]["default"], "x", "{file}");
        assert_eq!(parameters["properties"]["count"]["description"], "How many.", "{file}");
    }
}

#[test]
fn schemas_and_completions_and_version_are_printed() {
    let sandbox = Sandbox::new();
    for form in ["v1", "v2"] {
        let published = root().join(format!("engine/schemas/skill-{form}.schema.json"));
        assert_eq!(sandbox.run(&["schema", form]).exits(0).json(), crate::support::read_json(&published));
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(sandbox.run(&["completions", shell]).exits(0).stdout.contains("skills"));
    }
    let version = sandbox.run(&["version", "--json"]).exits(0).json();
    assert_eq!(version["languages"], json!(["rhai", "python", "javascript", "typescript", "bash"]));
    let doctor = sandbox.run(&["doctor", "--json"]).exits(0).json();
    for language in ["rhai", "python", "javascript"] {
        assert_eq!(doctor["languages"][language]["available"], true, "{doctor:#}");
    }
    assert_ne!(doctor["isolation"]["worker"] == true, doctor["workers"]["error"].is_object(), "{doctor:#}");
    let tiers = doctor["tiers"].as_array().unwrap();
    let cap = |tier: &str, runs: &str, name: &str| {
        let report = tiers.iter().find(|report| report["tier"] == tier && report["runs"] == runs)?;
        Some(report["limits"].as_array()?.iter().find(|cap| cap["name"] == name)?["status"].clone())
    };
    assert_eq!(cap("in_process", "python", "processes"), Some(json!("unavailable")), "{doctor:#}");
    if doctor["isolation"]["worker"] == true {
        assert_eq!(cap("worker", "python", "time"), Some(json!("enforced")), "{doctor:#}");
        assert_eq!(cap("worker", "programs", "operations"), Some(json!("unavailable")), "{doctor:#}");
    }
    assert!(doctor["layers"].to_string().contains(r#""name":"landlock","status":"#), "{doctor:#}");
}

#[test]
fn a_copy_of_a_bundled_skill_is_that_skill_until_it_is_changed() {
    let sandbox = Sandbox::new();
    for file in ["evaluate.json", "cases.json"] {
        let text = std::fs::read_to_string(root().join("skills/evaluate").join(file)).unwrap();
        sandbox.write(&format!("skills/evaluate/{file}"), &text);
    }
    for script in std::fs::read_dir(root().join("skills/evaluate/scripts")).unwrap() {
        let script = script.unwrap();
        let text = std::fs::read_to_string(script.path()).unwrap();
        sandbox.write(&format!("skills/evaluate/scripts/{}", script.file_name().to_string_lossy()), &text);
    }
    let count = |sandbox: &Sandbox| {
        let list = sandbox.run(&["list", "--json"]).exits(0).json();
        list.as_array().unwrap().iter().filter(|entry| entry["name"] == "evaluate").count()
    };
    assert_eq!(count(&sandbox), 1);
    let ran = sandbox.run(&["run", "evaluate", "expression=1+1"]).exits(0);
    assert_eq!((ran.stdout.trim(), ran.stderr.as_str()), ("2", ""));
    sandbox.write("skills/evaluate/cases.json", "[]");
    assert_eq!(count(&sandbox), 2);
}

#[test]
fn a_skill_md_folder_is_a_prompt_with_runnable_scripts() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "notes/SKILL.md",
        "---\nname: notes\ndescription: Takes notes\n---\nfile://./x.md\nSay {this} and {{that}}.\n",
    );
    sandbox.write("notes/scripts/double.py", "def run(n: int):\n    return n * 2\n");
    sandbox.write("notes/scripts/readme.txt", "not a script");
    let body = sandbox.run(&["run", "./notes"]).exits(0).stdout;
    assert_eq!(body, "file://./x.md\nSay {this} and {{that}}.\n", "the body is taken as it is");
    let ran = sandbox.run(&["run", "./notes", "--script", "double.py", "--params", r#"{"n": 4}"#]).exits(0);
    assert_eq!(ran.stdout, "8\n");
    let ran = sandbox.run(&["run", "./notes", "--script", "triple.py"]).exits(4);
    assert!(ran.stderr.contains("scripts/double.py") && !ran.stderr.contains("readme.txt"), "{ran:?}");
}

#[test]
fn what_a_script_says_does_not_act_on_the_terminal() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["run", "-e", "raise ValueError('\\x1b[2Jgone')", "--lang", "python"]).exits(1);
    assert!(!ran.stderr.contains('\u{1b}') && ran.stderr.contains("gone"), "{ran:?}");
}

#[test]
fn a_long_value_is_printed_on_one_line() {
    let sandbox = Sandbox::new();
    let deep = "a = [1000] * 400000\nfor i in range(90): a = [a]\na";
    let ran = sandbox.run(&["run", "-e", deep, "--lang", "python"]).exits(0);
    assert!(ran.stdout.len() < 3_000_000, "{}", ran.stdout.len());
    assert_eq!(ran.stdout.lines().count(), 1);
}

#[test]
fn native_code_that_does_not_stop_is_left_behind() {
    let sandbox = Sandbox::new();
    let stuck = "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()";
    let command = ["run", "-e", stuck, "--lang", "python", "--max-time", "300ms", "--json"];
    let ran = sandbox.run(&[&command[..], &["--isolation", "in-process"]].concat()).exits(124);
    let error = &ran.json()["error"];
    assert_eq!((&error["kind"], &error["limit"]["limit"]), (&json!("timeout"), &json!(300)));
    assert!(error["help"].as_str().unwrap().contains("native code"), "{error}");
}

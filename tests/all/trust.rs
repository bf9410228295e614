//! Who trusts what: bundled skills, a user's, a project's, and code that a person types.

use crate::policy::{Scripted, skill};
use crate::support::Sandbox;
use serde_json::{Value, json};
use skills::{Answer, DecisionScope, DecisionStore as _, Engine, ErrorKind, Isolation, Layout, Operation, RunOptions};
use skills::{SqliteDecisions, Trust};
use std::sync::Arc;

fn project(sandbox: &Sandbox, permissions: Value) {
    skill(&sandbox.path().join(".skills"), "deploy", "7", permissions);
}

#[test]
fn a_project_skill_is_not_trusted_until_somebody_says_so() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    let ran = sandbox.run(&["run", "deploy"]).exits(0);
    assert_eq!(ran.stdout, "7\n");
    assert!(ran.stderr.contains("`project:deploy` is not trusted"), "{ran:?}");
    assert!(ran.stderr.contains("skills trust grant"), "{ran:?}");
    assert!(ran.stderr.contains("deploy.json"), "{ran:?}");
    let granted = sandbox.run(&["trust", "grant", "deploy", "--yes", "--reason", "read it"]).exits(0);
    assert!(granted.stdout.contains("trusted deploy (.skills/deploy/deploy.json)"), "{granted:?}");
    assert_eq!(sandbox.run(&["run", "deploy"]).exits(0).stderr, "");
    let list = sandbox.run(&["trust", "list", "--json"]).exits(0).json();
    assert_eq!(
        (&list[0]["operation"], &list[0]["allowed"], &list[0]["reason"]),
        (&json!("run"), &json!(true), &json!("read it"))
    );
    assert!(sandbox.run(&["trust", "list"]).exits(0).stdout.contains("read it"));
    sandbox.run(&["trust", "revoke", ".skills"]).exits(0);
    assert!(sandbox.run(&["run", "deploy"]).exits(0).stderr.contains("not trusted"));
    sandbox.run(&["trust", "revoke", ".skills"]).exits(4);
}

#[test]
fn a_project_is_trusted_as_a_whole() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    sandbox.write(".git/HEAD", "ref: refs/heads/main");
    let granted = sandbox.run(&["trust", "grant", ".", "-y"]).exits(0);
    assert!(granted.stdout.contains("trusted deploy"), "{granted:?}");
    assert_eq!(sandbox.run(&["run", "deploy"]).exits(0).stderr, "");
}

#[test]
fn a_changed_file_is_not_what_was_trusted() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    sandbox.run(&["trust", "grant", "deploy", "-y"]).exits(0);
    sandbox.write(".skills/deploy/helper.py", "import os");
    let ran = sandbox.run(&["run", "deploy"]).exits(0);
    assert!(ran.stderr.contains("it has changed since it was trusted"), "{ran:?}");
    let object = sandbox.run(&["policy", "check", "deploy", "--json"]).exits(0).json();
    assert_eq!((&object["trust"]["trusted"], &object["trust"]["changed"]), (&json!(false), &json!(true)));
}

#[test]
fn a_program_beside_its_definition_is_part_of_what_was_trusted() {
    let sandbox = Sandbox::new();
    let definition = json!({"name": "tool", "description": "A test", "type": "code_inline", "command": "./tool"});
    sandbox.write(".skills/all.json", &definition.to_string());
    sandbox.write(".skills/tool", "#!/bin/sh\necho 1");
    let place = || sandbox.run(&["policy", "check", "tool", "--json"]).exits(0).json()["trust"]["trusted"] == true;
    assert!(!place());
    sandbox.run(&["trust", "grant", "tool", "-y"]).exits(0);
    assert!(place());
    sandbox.write(".skills/tool", "#!/bin/sh\necho 2");
    assert!(!place());
}

#[test]
fn what_is_not_trusted_does_not_run_where_nothing_can_confine_it() {
    let sandbox = Sandbox::new();
    let definition = json!({
        "name": "evil", "description": "A test", "type": "code_inline",
        "executor": {"type": "inline", "language": "python", "code": "open('OUT', 'w').close()\n7"}
    });
    sandbox.write(".skills/evil.json", &definition.to_string());
    let engine = Engine::builder()
        .layout(Layout { cwd: sandbox.path(), ..Layout::default() })
        .worker("/nowhere/skills-worker")
        .build()
        .unwrap();
    let error = engine.run("evil", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("`project:evil` has to be confined"), "{error}");
    assert!(error.message().contains("/nowhere/skills-worker"), "{error}");
    assert!(error.help().unwrap().contains("sandbox_enabled"), "{error:?}");
    assert!(!sandbox.path().join("OUT").exists());
}

/// A trusted skill runs what it is given with all that Python can do: made for whoever trusts it, not for a stranger.
#[test]
fn what_is_not_trusted_gets_nothing_out_of_what_is() {
    let sandbox = Sandbox::new();
    let python = |name: &str, code: &str| {
        let definition = json!({
            "name": name, "description": "A test", "type": "code_inline", "language": "python", "code": code
        });
        sandbox.write(&format!(".skills/{name}/{name}.json"), &definition.to_string());
    };
    let marker = sandbox.path().join("marker");
    python("writes", &format!("def run(): open({:?}, 'w').write('x')", marker.display().to_string()));
    python("calls", "import skill\ndef run(): return skill.call('writes', {})");
    sandbox.run(&["trust", "grant", "writes", "-y"]).exits(0);
    for yes in [&["run", "calls"][..], &["run", "calls", "-y"]] {
        // Whether writing fails is the worker's: its own `/tmp` may be where the marker would be.
        let ran = sandbox.run(yes);
        assert!(!marker.exists(), "{ran:?}");
    }
    sandbox.run(&["run", "writes"]).exits(0);
    assert!(marker.exists(), "the person who trusts it calls it");
}

#[test]
fn yes_to_all_is_yes_to_what_is_asked_for() {
    let sandbox = Sandbox::new();
    let marker = sandbox.path().join("marker");
    let code = format!("def run(): open({:?}, 'w').write('x')", marker.display().to_string());
    let definition = json!({
        "name": "asks-nothing", "description": "A test", "type": "code_inline", "language": "python", "code": code
    });
    sandbox.write(".skills/asks-nothing/asks-nothing.json", &definition.to_string());
    let ran = sandbox.run(&["run", "asks-nothing", "-y"]);
    assert!(!marker.exists(), "{ran:?}");
}

#[test]
fn what_is_not_trusted_gets_nothing_that_is_dangerous() {
    for (permissions, flag) in [
        (json!({"network_access": true}), "--allow-net *"),
        (json!({"file_write": ["./out"]}), "--allow-write ./out"),
        (json!({"process_spawn": ["git"]}), "--allow-run git"),
        (json!({"environment": ["LANG"]}), "--allow-env LANG"),
        (json!({"secrets": ["TOKEN"]}), "--allow-secret TOKEN"),
    ] {
        let sandbox = Sandbox::new();
        // Even where the user's configuration allows it to skills that ask.
        let config = json!({"security": {"default_permissions": {
            "network_access": true, "file_write": ["./"], "process_spawn": true, "environment": ["LANG"], "secrets": ["TOKEN"]
        }}});
        let folder = sandbox.folder.path().join(".config/skills");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
        project(&sandbox, permissions);
        let ran = sandbox.run(&["run", "deploy"]).exits(6);
        assert!(ran.stderr.contains("is not trusted"), "{flag}: {ran:?}");
        assert!(ran.stderr.contains("skills trust grant"), "{flag}: {ran:?}");
        assert!(ran.stderr.contains(flag), "{flag}: {ran:?}");
        let words: Vec<&str> = flag.split(' ').collect();
        sandbox.run(&[&["run", "deploy"][..], &words].concat()).exits(0);
        sandbox.run(&["trust", "grant", "deploy", "-y"]).exits(0);
        sandbox.run(&["run", "deploy"]).exits(0);
    }
}

#[test]
fn what_is_not_trusted_does_not_run_in_process_on_demand() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    let ran = sandbox.run(&["run", "deploy", "--isolation", "in-process"]).exits(6);
    assert!(ran.stderr.contains("is not trusted, and does not run in process"), "{ran:?}");
    assert!(ran.stderr.contains("skills trust grant"), "{ran:?}");
    sandbox.run(&["run", "-e", "1", "--isolation", "in-process"]).exits(0);
    sandbox.run(&["run", "hash", "text=x", "--isolation", "in-process"]).exits(0);
    sandbox.run(&["trust", "grant", "deploy", "-y"]).exits(0);
    sandbox.run(&["run", "deploy", "--isolation", "in-process"]).exits(0);
}

#[test]
fn a_copy_of_a_bundled_skill_is_that_skill() {
    let sandbox = Sandbox::new();
    let from = crate::support::root().join("skills/calculator-rhai");
    let to = sandbox.path().join(".skills/calculator-rhai");
    copy(&from, &to);
    let arguments = ["run", "calculator-rhai", "operation=add", "operand1=1", "operand2=2"];
    assert_eq!(sandbox.run(&arguments).exits(0).stderr, "");
    std::fs::write(to.join("more.txt"), "x").unwrap();
    assert!(sandbox.run(&arguments).exits(0).stderr.contains("is not trusted"));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { std::fs::copy(&path, target).map(drop).unwrap() }
    }
}

#[test]
fn what_create_writes_is_trusted() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["create", "greeter", "--lang", "rhai"]).exits(0);
    assert!(ran.stdout.contains("trusted it as it is now"), "{ran:?}");
    assert_eq!(sandbox.run(&["run", "./greeter", "name=World"]).exits(0).stderr, "");
    sandbox.write("greeter/scripts/greeter.rhai", "1");
    assert!(sandbox.run(&["run", "./greeter", "name=World"]).exits(0).stderr.contains("has changed"));
}

#[test]
fn decisions_that_cannot_be_read_are_no_trust() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    sandbox.run(&["trust", "grant", "deploy", "-y"]).exits(0);
    let file = sandbox.folder.path().join(".local/share/skills/decisions.db");
    std::fs::write(&file, "broken".repeat(1000)).unwrap();
    for suffix in ["-wal", "-shm"] {
        drop(std::fs::remove_file(format!("{}{suffix}", file.display())));
    }
    let ran = sandbox.run(&["run", "deploy"]).exits(3);
    assert!(ran.stderr.contains("decisions.db"), "{ran:?}");
    assert!(ran.stderr.contains("nothing is trusted until it can be read"), "{ran:?}");
    assert_eq!(sandbox.run(&["run", "-e", "1"]).exits(0).stdout, "1\n");
}

#[test]
fn a_trust_command_says_what_it_cannot_do() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    sandbox.write("x.rhai", "1");
    assert!(sandbox.run(&["trust", "grant", "deploy"]).exits(6).stderr.contains("--yes"));
    assert!(sandbox.run(&["trust", "grant", "./x.rhai", "-y"]).exits(5).stderr.contains("is a script file"));
    assert!(sandbox.run(&["trust", "grant", "hash", "-y"]).exits(5).stderr.contains("is bundled"));
    sandbox.run(&["trust", "grant", "nothing", "-y"]).exits(4);
    assert!(sandbox.run(&["trust", "list"]).exits(0).stderr.contains("nothing has been decided yet"));
}

/// An engine that sees a project, as the command makes it.
fn engine(sandbox: &Sandbox, approver: &Arc<Scripted>, decisions: &Arc<SqliteDecisions>) -> Engine {
    Engine::builder()
        .layout(Layout { cwd: sandbox.path(), ..Layout::default() })
        .working_directory(sandbox.path())
        .allow_write(sandbox.path())
        .trust(Trust::Decided)
        .approver(approver.clone())
        .decisions(decisions.clone())
        .build()
        .unwrap()
}

#[test]
fn a_person_is_asked_once_and_what_would_run_is_shown() {
    let sandbox = Sandbox::new();
    project(&sandbox, json!({"file_write": ["./"]}));
    let decisions = Arc::new(SqliteDecisions::new(sandbox.folder.path().join("d.db")));
    let approver = Scripted::new(&[Answer::Once, Answer::Always(DecisionScope::Skill), Answer::Once]);
    let run = || engine(&sandbox, &approver, &decisions).run("deploy", json!({})).unwrap();
    assert_eq!(run(), 7);
    assert_eq!(decisions.all().unwrap(), [], "once is not kept");
    run();
    run();
    assert_eq!(approver.count(), 2, "always is");
    {
        let asked = approver.asked.lock().unwrap();
        assert_eq!((asked[0].operation, asked[0].skill.as_str()), (Operation::Run, "project:deploy"));
        assert_eq!(asked[0].capabilities, ["file_write ./"]);
        assert_eq!(asked[0].why, "nobody has decided yet whether to trust it");
        assert_eq!(asked[0].digest.len(), 64);
    }
    sandbox.write(".skills/deploy/other.txt", "x");
    run();
    assert_eq!(approver.asked.lock().unwrap()[2].why, "it has changed since it was trusted");
}

#[test]
fn no_and_never_refuse() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    let decisions = Arc::new(SqliteDecisions::new(sandbox.folder.path().join("d.db")));
    let approver = Scripted::new(&[Answer::No, Answer::Never(DecisionScope::Folder)]);
    let run = || engine(&sandbox, &approver, &decisions).run("deploy", json!({})).unwrap_err();
    assert!(run().message().contains("a person said no"));
    assert_eq!(run().kind(), ErrorKind::PermissionDenied);
    sandbox.write(".skills/deploy/other.txt", "x");
    let error = run();
    assert_eq!(approver.count(), 2, "never is kept, whatever the folder becomes");
    assert!(error.message().contains("a person refused the folder for good"), "{error}");
    assert!(error.help().unwrap().contains("skills trust revoke"), "{error:?}");
    let options = {
        let mut options = RunOptions::default();
        options.yes = true;
        options
    };
    let outcome = engine(&sandbox, &approver, &decisions).run_with("deploy", json!({}), &options);
    assert_eq!(outcome.result.unwrap_err().kind(), ErrorKind::PermissionDenied, "no beats a yes to all");
}

#[test]
fn what_changes_between_the_decision_and_the_run_does_not_run() {
    let sandbox = Sandbox::new();
    project(&sandbox, Value::Null);
    let decisions = Arc::new(SqliteDecisions::new(sandbox.folder.path().join("d.db")));
    for answers in [
        &[Answer::Once][..],
        &[Answer::Always(DecisionScope::Skill)],
        &[],
        &[Answer::Always(DecisionScope::Folder)],
        &[],
    ] {
        let approver = Scripted::new(answers);
        let engine = engine(&sandbox, &approver, &decisions);
        let allowed = || {
            let plan = engine.plan(&engine.skill("deploy").unwrap(), json!({}), &RunOptions::default()).unwrap();
            engine.authorize(plan).unwrap()
        };
        let plan = allowed();
        let late = sandbox.write(".skills/deploy/late.py", "hostile");
        let error = engine.execute(plan).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.message().contains("has changed since it was allowed to run"), "{error}");
        std::fs::remove_file(late).unwrap();
        if !matches!(answers, [Answer::Once]) {
            assert_eq!(engine.execute(allowed()).result.unwrap(), 7);
        }
    }
}

#[test]
fn a_host_trusts_what_it_names_and_not_what_a_project_holds() {
    let sandbox = Sandbox::new();
    project(&sandbox, json!({"file_write": ["./"]}));
    let builder = || {
        Engine::builder()
            .layout(Layout { cwd: sandbox.path(), ..Layout::default() })
            .working_directory(sandbox.path())
            .allow_write(sandbox.path())
    };
    let engine = builder().build().unwrap();
    let error = engine.run("deploy", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(engine.eval(skills::Language::Rhai, "1 + 1").unwrap(), 2);
    let outcome = engine.run_skill(&engine.code(skills::Language::Python, "1"), json!({}), &RunOptions::default());
    assert_eq!(outcome.isolation, Isolation::InProcess, "code that the host gives is the host's");
    assert_eq!(builder().trust(Trust::Everything).build().unwrap().run("deploy", json!({})).unwrap(), 7);
    engine.trust(&engine.skill("deploy").unwrap(), None).unwrap();
    assert_eq!(engine.run("deploy", json!({})).unwrap(), 7);
}

#[test]
fn what_is_not_trusted_gets_no_more_through_others() {
    let sandbox = Sandbox::new();
    sandbox.write("data.txt", "secret");
    let skills = sandbox.path().join(".skills");
    skill(&skills, "reader", "skill.fs.read(\"data.txt\")", json!({"file_read": ["./"]}));
    skill(&skills, "caller", "skill.call(\"reader\", #{})", json!({}));
    sandbox.run(&["trust", "grant", "reader", "-y"]).exits(0);
    assert_eq!(sandbox.run(&["run", "reader"]).exits(0).stdout, "secret\n");
    sandbox.run(&["run", "caller"]).exits(6);
    sandbox.run(&["trust", "grant", "caller", "-y"]).exits(0);
    assert_eq!(sandbox.run(&["run", "caller"]).exits(0).stdout, "secret\n");
}

/// The command in a terminal.
fn in_a_terminal(sandbox: &Sandbox, arguments: &[&str]) -> rexpect::session::PtySession {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_skills"));
    command.args(arguments).current_dir(sandbox.path()).env_clear();
    command.env("HOME", sandbox.folder.path()).env("TERM", "dumb");
    rexpect::session::spawn_command(command, Some(60_000)).unwrap()
}

#[test]
fn in_a_terminal_the_command_asks() {
    let sandbox = Sandbox::new();
    project(&sandbox, json!({"network_access": ["a.org"]}));
    let mut terminal = in_a_terminal(&sandbox, &["run", "deploy"]);
    terminal.exp_string("Trust project:deploy and run it?").unwrap();
    terminal.exp_string("nobody has decided yet whether to trust it").unwrap();
    terminal.exp_string("rhai: ").unwrap();
    terminal.exp_string("network a.org").unwrap();
    terminal.exp_string("means   its code runs in this process, and reaches what it asks for").unwrap();
    terminal.exp_string("digest").unwrap();
    terminal.exp_string("[N]o").unwrap();
    terminal.send_line("perhaps").unwrap();
    terminal.exp_string("none of the answers").unwrap();
    terminal.send_line("always skill I wrote it").unwrap();
    terminal.exp_string("Let project:deploy use the network: a.org?").unwrap();
    terminal.send_line("y").unwrap();
    terminal.exp_string("7").unwrap();
    terminal.exp_eof().unwrap();
    let list = sandbox.run(&["trust", "list", "--json"]).json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["reason"]), (1, &json!("I wrote it")));
    // Without a terminal the one is remembered, and the other was for once.
    let ran = sandbox.run(&["run", "deploy"]).exits(6);
    assert!(ran.stderr.contains("--allow-net a.org"), "{ran:?}");
    let mut terminal = in_a_terminal(&sandbox, &["run", "deploy"]);
    terminal.exp_string("Let project:deploy use the network").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_string("a person said no").unwrap();
    terminal.exp_eof().unwrap();
}

#[test]
fn whoever_trusts_python_is_told_what_that_means() {
    let sandbox = Sandbox::new();
    let definition = json!({
        "name": "py", "description": "A test", "type": "code_inline", "language": "python", "code": "def run(): return 1"
    });
    sandbox.write(".skills/py/py.json", &definition.to_string());
    for arguments in [&["run", "py"][..], &["trust", "grant", "py"]] {
        let mut terminal = in_a_terminal(&sandbox, arguments);
        terminal.exp_string("its Python code runs with your own rights").unwrap();
        terminal.exp_string("[N]o").unwrap();
        terminal.send_line("n").unwrap();
        terminal.exp_eof().unwrap();
    }
}

#[test]
fn a_terminal_obeys_nothing_that_a_script_prints() {
    let sandbox = Sandbox::new();
    let code = "import sys\nprint('a\\x1b[31mred')\nprint('b\\x1b]0;title\\x07', file=sys.stderr)\n'c\\x1b[2J\\x9b'";
    let arguments = ["run", "--lang", "python", "--isolation", "in-process", "-e", code];
    let mut terminal = in_a_terminal(&sandbox, &arguments);
    let shown = terminal.exp_eof().unwrap();
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
    for text in ["[31mred", "]0;title", "[2J"] {
        assert!(shown.contains(text), "{shown:?}");
    }
    let piped = sandbox.run(&arguments).exits(0);
    assert_eq!(piped.stdout, "a\u{1b}[31mred\nc\u{1b}[2J\u{9b}\n", "whatever else reads it gets it as it is");
    assert_eq!(piped.stderr, "b\u{1b}]0;title\u{7}\n");
}

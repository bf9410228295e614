//! Sessions that live between commands, as their clients see them.

use crate::support::{Sandbox, tiers};
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Evaluates in a session in process, as a client of its own; the output is JSON.
fn client(sandbox: &Sandbox, name: &str, code: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skills"));
    command.args(["eval", "--session", name, "--json", "--isolation", "in-process", code]);
    command.env_clear().current_dir(sandbox.path()).env("HOME", sandbox.folder.path());
    command.env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn value(client: Child) -> Value {
    let output = client.wait_with_output().unwrap();
    let object: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(object["status"], "ok", "{object}");
    object["value"].clone()
}

#[track_caller]
fn wait_until_busy(sandbox: &Sandbox, name: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while sandbox.run(&["sessions", "show", name, "--json"]).json()["state"] != "busy" {
        assert!(Instant::now() < until, "`{name}` was never busy");
    }
}

/// Code that takes a while, and then leaves something behind.
const SLOW: &str = "let t = timestamp(); while t.elapsed < 1.5 {} log.push(\"slow\"); log";

/// The command in a terminal.
fn in_a_terminal(sandbox: &Sandbox, arguments: &[&str]) -> rexpect::session::PtySession {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skills"));
    command.args(arguments).current_dir(sandbox.path()).env_clear();
    command.env("HOME", sandbox.folder.path()).env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
    command.env("TERM", "dumb");
    rexpect::session::spawn_command(command, Some(60_000)).unwrap()
}

#[test]
fn code_meets_what_earlier_code_left_in_every_language_and_tier() {
    let sandbox = Sandbox::new();
    let cells = [
        ("rhai", "let x = 41; fn f(n) { n + 1 }", "f(x)"),
        ("python", "import math\nx = 41\ndef f(n): return math.floor(n) + 1", "f(x)"),
        ("javascript", "const x = 41; class A { f(n) { return n + 1 } }", "new A().f(x)"),
        ("typescript", "const x: number = 41; const f = (n: number) => n + 1", "f(x)"),
    ];
    for tier in tiers() {
        let tier = json!(tier).as_str().unwrap().replace('_', "-");
        for (language, first, second) in cells {
            let name = format!("{language}-{tier}");
            let open = ["eval", "--session", &name, "--lang", language, "--isolation", &tier, first];
            assert_eq!(sandbox.run(&open).exits(0).stdout, "");
            let ran = sandbox.run(&["eval", "--session", &name, second]).exits(0);
            assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("42\n", ""), "{name}");
            let info = sandbox.run(&["sessions", "show", &name, "--json"]).json();
            assert_eq!(info["isolation"], tier.replace('-', "_"));
        }
    }
}

#[test]
fn clients_of_one_session_are_served_in_order() {
    let sandbox = Sandbox::new();
    value(client(&sandbox, "a", "let log = [];"));
    let first = client(&sandbox, "a", SLOW);
    wait_until_busy(&sandbox, "a");
    let second = client(&sandbox, "a", "log.push(\"quick\"); log");
    assert_eq!(value(second), json!(["slow", "quick"]));
    assert_eq!(value(first), json!(["slow"]));
}

#[test]
fn a_hundred_clients_on_twenty_sessions_are_all_served_each_in_its_order() {
    let sandbox = Sandbox::new();
    let made = std::sync::Barrier::new(100);
    std::thread::scope(|scope| {
        for number in 0..100 {
            let (sandbox, made) = (&sandbox, &made);
            scope.spawn(move || {
                let name = format!("s{}", number % 20);
                // Five of them open the session at once.
                value(client(sandbox, &name, "0"));
                if number < 20 {
                    value(client(sandbox, &name, "let log = [];"));
                }
                made.wait();
                for turn in 0..3 {
                    value(client(sandbox, &name, &format!("log.push([{number}, {turn}]); log.len()")));
                }
            });
        }
    });
    for session in 0..20 {
        let log = value(client(&sandbox, &format!("s{session}"), "log"));
        let log: Vec<(u64, u64)> = serde_json::from_value(log).unwrap();
        assert_eq!(log.len(), 15, "{log:?}");
        for number in (session..100).step_by(20) {
            let turns: Vec<u64> = log.iter().filter(|(from, _)| *from == number).map(|(_, turn)| *turn).collect();
            assert_eq!(turns, [0, 1, 2], "client {number} in {log:?}");
        }
    }
}

#[test]
fn what_a_script_asked_for_is_finished_though_the_script_is_gone() {
    let sandbox = Sandbox::new();
    value(client(&sandbox, "a", "let log = [];"));
    let mut first = client(&sandbox, "a", SLOW);
    wait_until_busy(&sandbox, "a");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(value(client(&sandbox, "a", "log")), json!(["slow"]));
}

#[test]
fn what_a_person_asked_for_ends_with_the_terminal_and_the_session_stays() {
    let sandbox = Sandbox::new();
    value(client(&sandbox, "a", "let log = [\"kept\"];"));
    let terminal = in_a_terminal(&sandbox, &["eval", "--session", "a", "loop {}"]);
    wait_until_busy(&sandbox, "a");
    // The terminal goes, and what runs in it.
    drop(terminal);
    assert_eq!(value(client(&sandbox, "a", "log")), json!(["kept"]));
}

#[test]
fn ctrl_c_interrupts_the_evaluation_and_keeps_the_session() {
    let sandbox = Sandbox::new();
    value(client(&sandbox, "a", "let log = [\"kept\"];"));
    let mut terminal = in_a_terminal(&sandbox, &["eval", "--session", "a", "loop {}"]);
    wait_until_busy(&sandbox, "a");
    terminal.send_control('c').unwrap();
    terminal.exp_string("error:").unwrap();
    terminal.exp_eof().unwrap();
    let status = terminal.process().wait().unwrap();
    assert!(format!("{status:?}").contains("130"), "{status:?}");
    assert_eq!(value(client(&sandbox, "a", "log")), json!(["kept"]));
}

#[test]
fn output_comes_as_it_is_printed_or_stands_in_the_object() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["eval", "--session", "a", "print(\"one\"); debug(\"two\"); 3"]).exits(0);
    assert_eq!(ran.stdout, "one\n3\n");
    let object = sandbox.run(&["eval", "--session", "a", "--json", "print(\"one\"); 3"]).exits(0).json();
    assert_eq!((&object["stdout"], &object["value"]), (&json!("one\n"), &json!(3)));
    assert!(object["correlation_id"].is_string());
    // As it comes: the reader sees the first line while the code still runs.
    let mut terminal = in_a_terminal(&sandbox, &["eval", "--session", "a", "print(\"begun\"); loop {}"]);
    terminal.exp_string("begun").unwrap();
    wait_until_busy(&sandbox, "a");
}

#[test]
fn errors_are_those_of_every_run_and_the_session_stays() {
    let sandbox = Sandbox::new();
    sandbox.run(&["eval", "--session", "a", "let x = 41;"]).exits(0);
    let ran = sandbox.run(&["eval", "--session", "a", "let y = 1;\nthrow \"no\""]).exits(1);
    assert!(ran.stderr.starts_with("error: no\n  --> <cell 2>:2:1"), "{ran:?}");
    let object = sandbox.run(&["eval", "--session", "a", "--json", "throw \"no\""]).exits(1).json();
    assert_eq!((&object["status"], &object["error"]["kind"]), (&json!("error"), &json!("script_error")));
    let ran = sandbox.run(&["eval", "--session", "a", "--max-time", "50ms", "loop {}"]).exits(124);
    assert!(ran.stderr.contains("execution time limit of 50 ms"), "{ran:?}");
    assert_eq!(sandbox.run(&["eval", "--session", "a", "x + y"]).exits(0).stdout, "42\n");
}

#[test]
fn code_comes_from_a_file_or_from_standard_input_too() {
    let sandbox = Sandbox::new();
    sandbox.write("cell.rhai", "let x = 6;\nx * 7");
    assert_eq!(sandbox.run(&["eval", "@cell.rhai"]).exits(0).stdout, "42\n");
    assert_eq!(sandbox.run(&["eval", "--session", "a", "@cell.rhai"]).exits(0).stdout, "42\n");
    sandbox.write("bad.rhai", "\nthrow 1");
    let ran = sandbox.run(&["eval", "--session", "a", "@bad.rhai"]).exits(1);
    assert!(ran.stderr.contains("--> bad.rhai:2:1"), "{ran:?}");
    let output = sandbox.skills().args(["eval", "--session", "a", "-"]).write_stdin("x * 6").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "36\n");
    let ran = sandbox.run(&["eval", "--session", "a", "@nowhere.rhai"]).exits(4);
    assert!(ran.stderr.contains("cannot read the code from nowhere.rhai: the file does not exist"), "{ran:?}");
    // A decorator is no file.
    let code = "@staticmethod\ndef f(): return 3\nf()";
    assert_eq!(sandbox.run(&["eval", "--session", "b", "--lang", "python", code]).exits(0).stdout, "3\n");
}

#[test]
fn a_session_is_in_the_folder_and_the_environment_of_whoever_opened_it() {
    let sandbox = Sandbox::new();
    sandbox.write("data.txt", "here");
    let code = "[skill.fs.read(\"data.txt\"), skill.env(\"CITY\")]";
    let mut command = sandbox.skills();
    command.env("CITY", "Oslo").args([
        "eval",
        "--session",
        "a",
        "--allow-read",
        ".",
        "--allow-env",
        "CITY",
        "--json",
        code,
    ]);
    let object: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(object["value"], json!(["here", "Oslo"]), "{object}");
    // Somebody else who comes to it finds it as it was opened.
    let mut command = sandbox.skills();
    command.env("CITY", "Rome").current_dir("/").args(["eval", "--session", "a", "--json", code]);
    let object: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(object["value"], json!(["here", "Oslo"]), "{object}");
    // Another session of theirs has their own.
    let mut command = sandbox.skills();
    command.env("CITY", "Rome").args([
        "eval",
        "--session",
        "b",
        "--allow-env",
        "CITY",
        "--json",
        "skill.env(\"CITY\")",
    ]);
    let object: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(object["value"], "Rome", "{object}");
}

#[test]
fn relative_paths_of_python_start_where_the_session_was_opened() {
    let sandbox = Sandbox::new();
    for tier in tiers() {
        let tier = json!(tier).as_str().unwrap().replace('_', "-");
        for name in ["one", "two"] {
            sandbox.write(&format!("{name}/data.txt"), name);
            let session = format!("{name}-{tier}");
            let eval = |code: &str| {
                let mut command = sandbox.skills();
                command.current_dir(sandbox.path().join(name)).args(["eval", "--session", &session]);
                command.args(["--lang", "python", "--isolation", &tier, "--allow-read", ".", "--json", code]);
                let output = command.output().unwrap();
                let object: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
                assert_eq!(object["error"], Value::Null, "{object}");
                object["value"].clone()
            };
            assert_eq!(eval("open('data.txt').read()"), name, "{tier}");
            assert_eq!(eval("skill.fs.read('data.txt')"), name, "{tier}");
            assert_eq!(eval("import os, threading; os.path.basename(os.getcwd())"), name, "{tier}");
            let thread = "seen = []\nt = threading.Thread(target=lambda: seen.append(os.getcwd()))\nt.start(); t.join()\nseen == [os.getcwd()]";
            assert_eq!(eval(thread), true, "{tier}");
        }
        // Where one goes, the other does not follow.
        let eval = |session: &str, code: &str| {
            let ran = sandbox.run(&["eval", "--session", &format!("{session}-{tier}"), "--json", code]).exits(0);
            ran.json()["value"].clone()
        };
        eval("one", "os.chdir('/')");
        assert_eq!(eval("two", "open('data.txt').read()"), "two", "{tier}");
        assert_eq!(eval("one", "os.getcwd()"), "/", "{tier}");
    }
}

#[test]
fn a_session_that_is_there_is_not_opened_with_other_options() {
    let sandbox = Sandbox::new();
    let open = ["eval", "--session", "a", "--isolation", "in-process", "--idle", "10m", "--allow-env", "CITY", "1"];
    sandbox.run(&open).exits(0);
    sandbox.run(&open).exits(0);
    let cases: [(&[&str], &str); 6] = [
        (&["--lang", "python"], "its language is rhai"),
        (&["--isolation", "worker"], "it runs in_process"),
        (&["--persist", "disk"], "its state is kept in memory"),
        (&["--idle", "20m"], "it was opened with another `--idle`"),
        (&["--max-duration", "20m"], "it was opened with another `--max-duration`"),
        (&["--allow-net", "example.com"], "it was opened with other permissions"),
    ];
    for (options, why) in cases {
        let ran = sandbox.run(&[&["eval", "--session", "a", "1"], options].concat()).exits(5);
        assert!(ran.stderr.contains(why), "{ran:?}");
        assert!(ran.stderr.contains("skills sessions kill a"), "{ran:?}");
    }
    let ran = sandbox.run(&["run", "calculator-rhai", "--session", "a", "operation=add"]).exits(5);
    assert!(ran.stderr.contains("it is of no skill"), "{ran:?}");
}

#[test]
fn options_of_a_session_need_its_name() {
    let sandbox = Sandbox::new();
    for options in [["--persist", "disk"], ["--idle", "1m"], ["--max-duration", "1m"]] {
        let ran = sandbox.run(&[&["eval", "1"], &options[..]].concat()).exits(2);
        assert!(ran.stderr.contains("--session <NAME>"), "{ran:?}");
    }
}

#[test]
fn names_are_names_and_a_slip_is_noticed() {
    let sandbox = Sandbox::new();
    for name in ["../evil", "a b", "", "-x", "é"] {
        let ran = sandbox.run(&["eval", &format!("--session={name}"), "1"]).exits(5);
        assert!(ran.stderr.contains("is not the name of a session"), "{ran:?}");
    }
    sandbox.run(&["eval", "--session", "analysis", "1"]).exits(0);
    let ran = sandbox.run(&["sessions", "show", "analisys"]).exits(4);
    assert!(ran.stderr.contains("did you mean `analysis`?"), "{ran:?}");
    let object = sandbox.run(&["sessions", "kill", "analisys", "--json"]).exits(4).json();
    assert_eq!(object["error"]["kind"], "not_found");
}

#[test]
fn sessions_are_shown_listed_and_ended() {
    let sandbox = Sandbox::new();
    let open = ["eval", "--session", "a", "--max-time", "2s", "--isolation", "in-process", "let x = 41; let y = [1];"];
    sandbox.run(&open).exits(0);
    let table = sandbox.run(&["sessions", "list"]).exits(0).stdout;
    let header: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    let columns =
        ["NAME", "LANGUAGE", "OF", "STATE", "AGE", "IDLE", "EVALUATIONS", "MEMORY", "CPU", "ISOLATION", "KEPT"];
    assert_eq!(header, columns);
    assert!(table.lines().nth(1).unwrap().starts_with("a "), "{table}");
    let vars = sandbox.run(&["sessions", "vars", "a", "--json"]).exits(0).json();
    assert_eq!((&vars[0]["name"], &vars[0]["shown"], &vars[1]["name"]), (&json!("x"), &json!("41"), &json!("y")));
    assert!(sandbox.run(&["sessions", "vars", "a"]).exits(0).stdout.starts_with("NAME"));
    assert!(sandbox.run(&["sessions", "show", "a"]).exits(0).stdout.contains("evaluations  1"));
    assert_eq!(sandbox.run(&["sessions", "kill", "a"]).exits(0).stdout, "ended `a`\n");
    assert_eq!(sandbox.run(&["sessions", "list", "--json"]).exits(0).json(), json!([]));
    let ran = sandbox.run(&["eval", "--session", "a", "x"]).exits(1);
    assert!(!ran.stderr.contains("warning"), "whoever ended it knows: {ran:?}");
}

#[test]
fn a_session_that_idled_out_says_so_when_it_is_wanted_again() {
    let sandbox = Sandbox::new();
    sandbox.run(&["eval", "--session", "a", "--idle", "50ms", "let x = 41;"]).exits(0);
    let until = Instant::now() + Duration::from_secs(60);
    while sandbox.run(&["sessions", "list", "--json"]).json() != json!([]) {
        assert!(Instant::now() < until, "it does not idle out");
    }
    let ran = sandbox.run(&["sessions", "show", "a"]).exits(4);
    assert!(ran.stderr.contains("the session `a` has ended: "), "{ran:?}");
    let ran = sandbox.run(&["eval", "--session", "a", "1"]).exits(0);
    assert!(ran.stderr.contains("this is a new session `a`"), "{ran:?}");
}

#[test]
fn a_copy_goes_its_own_way_and_a_file_holds_a_session() {
    let sandbox = Sandbox::new();
    sandbox.run(&["eval", "--session", "a", "let x = 41;"]).exits(0);
    assert_eq!(sandbox.run(&["sessions", "fork", "a", "b"]).exits(0).stdout, "copied `a` to `b`\n");
    sandbox.run(&["eval", "--session", "b", "x += 1"]).exits(0);
    assert_eq!(sandbox.run(&["eval", "--session", "a", "x"]).stdout, "41\n");
    assert_eq!(sandbox.run(&["eval", "--session", "b", "x"]).stdout, "42\n");
    sandbox.run(&["sessions", "fork", "a", "b"]).exits(5);
    let ran = sandbox.run(&["sessions", "export", "b", "b.session"]).exits(0);
    assert!(ran.stdout.starts_with("wrote `b` to b.session: "), "{ran:?}");
    sandbox.run(&["sessions", "export", "b", "b.session"]).exits(5);
    sandbox.run(&["sessions", "stop"]).exits(0);
    let ran = sandbox.run(&["sessions", "import", "b.session", "c"]).exits(0);
    assert_eq!(ran.stdout, "opened `c` with what b.session holds\n");
    assert_eq!(sandbox.run(&["eval", "--session", "c", "x"]).stdout, "42\n");
    sandbox.write("no.session", "no session at all");
    let ran = sandbox.run(&["sessions", "import", "no.session", "d"]).exits(5);
    assert!(ran.stderr.contains("this is no exported session"), "{ran:?}");
}

#[test]
fn whoever_watches_sees_what_happens() {
    let sandbox = Sandbox::new();
    sandbox.run(&["eval", "--session", "warm", "1"]).exits(0);
    let mut terminal = in_a_terminal(&sandbox, &["sessions", "watch", "--json"]);
    // When it has come is seen by nothing but what it shows, so something happens until it does.
    let come = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !come.load(Ordering::Relaxed) {
                sandbox.run(&["eval", "--session", "warm", "2"]).exits(0);
            }
        });
        let seen = terminal.exp_string("evaluated");
        come.store(true, Ordering::Relaxed);
        seen.unwrap();
    });
    sandbox.run(&["eval", "--session", "a", "throw 1"]).exits(1);
    sandbox.run(&["sessions", "kill", "a"]).exits(0);
    terminal.exp_regex("\"opened\".*\"name\":\"a\"").unwrap();
    terminal.exp_regex("\"error\":\"script_error\".*\"name\":\"a\"").unwrap();
    terminal.exp_regex("\"ended\".*\"name\":\"a\"").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
}

/// A skill of the project that nobody has vouched for.
fn counter(sandbox: &Sandbox) {
    std::fs::create_dir_all(sandbox.path().join(".git")).unwrap();
    let definition = json!({
        "name": "counter",
        "description": "Counts",
        "version": "1.0.0",
        "type": "code_session",
        "language": "rhai",
        "code": "let count = if is_def_var(\"count\") { count } else { 0 };\ncount += params.by;\ncount",
        "security": {"permissions": {"network_access": ["a.org"]}},
        "parameters": [{"name": "by", "type": "integer", "required": true, "description": "By how much"}],
    });
    sandbox.write(".skills/counter/counter.json", &definition.to_string());
}

#[test]
fn a_person_is_asked_in_their_own_terminal() {
    let sandbox = Sandbox::new();
    counter(&sandbox);
    let arguments = ["run", "counter", "--session", "a", "by=2"];
    let ran = sandbox.run(&arguments).exits(6);
    assert!(ran.stderr.contains("nobody has decided yet"), "{ran:?}");
    assert_eq!(sandbox.run(&["sessions", "list", "--json"]).json(), json!([]), "what is refused leaves no session");
    let mut terminal = in_a_terminal(&sandbox, &arguments);
    terminal.exp_string("Trust project:counter and run it?").unwrap();
    terminal.send_line("n").unwrap();
    terminal.exp_string("error:").unwrap();
    terminal.exp_eof().unwrap();
    let mut terminal = in_a_terminal(&sandbox, &arguments);
    terminal.exp_string("Trust project:counter and run it?").unwrap();
    terminal.send_line("always").unwrap();
    terminal.exp_string("Let project:counter use the network: a.org?").unwrap();
    terminal.send_line("y").unwrap();
    terminal.exp_string("reason: 2\r\n").unwrap();
    terminal.exp_eof().unwrap();
    // What was said when the session was opened holds for as long as it lives.
    assert_eq!(sandbox.run(&arguments).exits(0).stdout, "4\n");
}

#[test]
fn the_repl_talks_to_a_session_that_lives_on() {
    let sandbox = Sandbox::new();
    let repl = |arguments: &[&str], code: &str| {
        let output =
            sandbox.skills().args(["repl", "--session", "a"]).args(arguments).write_stdin(code).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    repl(&["--lang", "javascript"], "let x = 40;\nfunction f(n) { return n + 1 }\n");
    assert_eq!(sandbox.run(&["eval", "--session", "a", "x = f(x)"]).exits(0).stdout, "41\n");
    assert_eq!(repl(&[], "f(x)\n").trim(), "42");
    let output =
        sandbox.skills().args(["repl", "--session", "a", "--lang", "python"]).write_stdin("1").output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("its language is javascript"));
    let objects = repl(&["--json"], "console.log('hi'); x\n");
    let object: Value = serde_json::from_str(objects.lines().next().unwrap()).unwrap();
    assert_eq!((&object["value"], &object["stdout"]), (&json!(41), &json!("hi\n")));
    // A person's Ctrl-C interrupts what the host evaluates, and the session stays.
    let mut terminal = in_a_terminal(&sandbox, &["repl", "--session", "a"]);
    terminal.exp_string("javascript").unwrap();
    terminal.send_line("while (true) {}").unwrap();
    wait_until_busy(&sandbox, "a");
    terminal.send_control('c').unwrap();
    terminal.exp_string("interrupted; the session goes on").unwrap();
    terminal.send_line("x + 1000").unwrap();
    terminal.exp_string("1041").unwrap();
    terminal.send_line("%quit").unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(sandbox.run(&["eval", "--session", "a", "x"]).exits(0).stdout, "41\n");
}

#[test]
fn a_terminal_does_not_obey_what_a_session_holds() {
    let sandbox = Sandbox::new();
    sandbox.run(&["eval", "--session", "a", "let s = \"\\x1b[31mred\";"]).exits(0);
    assert_eq!(sandbox.run(&["eval", "--session", "a", "s"]).stdout, "\u{1b}[31mred\n", "what is no terminal gets it");
    let mut terminal = in_a_terminal(&sandbox, &["eval", "--session", "a", "s"]);
    let shown = terminal.exp_eof().unwrap();
    assert!(shown.contains("[31mred") && !shown.contains('\u{1b}'), "{shown:?}");
}

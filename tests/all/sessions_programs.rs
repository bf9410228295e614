//! Sessions of programs that are no interpreters of the engine's: each is asked by a protocol.

use crate::support::{Sandbox, tiers};
use serde_json::{Value, json};
use skills::{
    Engine, Error, ErrorKind, EvalOptions, Isolation, LimitName, LimitOverrides, Outcome, RunOptions, Session,
};
use std::path::Path;
use std::time::Duration;

/// A definition in a folder of its own, with the engine that knows it.
struct World {
    engine: Engine,
    folder: tempfile::TempDir,
}

impl World {
    /// A skill of a program, where this machine has that and can confine it. Says why where not.
    #[expect(clippy::print_stderr, reason = "says why a test is skipped")]
    fn of(command: &str, more: Value) -> Option<World> {
        if !tiers().contains(&Isolation::Worker) {
            eprintln!("skipped: nothing can be confined here");
            return None;
        }
        if !["/usr/bin", "/bin", "/usr/local/bin"].iter().any(|folder| Path::new(folder).join(command).exists()) {
            eprintln!("skipped: `{command}` is not installed");
            return None;
        }
        let engine = Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0).build().unwrap();
        let world = World { engine, folder: tempfile::tempdir().unwrap() };
        let mut definition = json!({
            "name": "asked", "description": "d", "type": "code_session", "command": command,
            "parameters": {"request": {"type": "string"}},
        });
        for (key, value) in more.as_object().unwrap() {
            definition[key] = value.clone();
        }
        world.write("asked.json", &definition.to_string());
        Some(world)
    }

    /// A skill of a Python program that stands beside it.
    fn script(source: &str, protocol: Value) -> Option<World> {
        let session = json!({"protocol": protocol});
        let more = json!({"args": ["file://./main.py"], "parameters": null, "session_config": session});
        let world = World::of("python3", more)?;
        world.write("main.py", source);
        Some(world)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn file(&self) -> String {
        self.folder.path().join("asked.json").display().to_string()
    }

    fn try_open(&self) -> Result<Session, Error> {
        self.engine.skill_session(&self.engine.skill(&self.file())?).open()
    }

    fn open(&self) -> Session {
        self.try_open().unwrap_or_else(|error| panic!("{error}: {:?}", error.help()))
    }
}

fn limited(limits: LimitOverrides) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.limits = limits;
    options
}

fn within(millis: u64) -> EvalOptions {
    limited(LimitOverrides { time: Some(Duration::from_millis(millis)), ..LimitOverrides::default() })
}

fn run(session: &Session, request: &str) -> Outcome {
    session.run(json!({"request": request}), &RunOptions::default())
}

#[test]
fn python_and_node_keep_their_process_where_the_definition_says_so() {
    let external = json!({"session_config": {"external": true}});
    if let Some(world) = World::of("python3", external.clone()) {
        let session = world.open();
        assert_eq!(run(&session, "x = 41").result.unwrap(), "");
        assert_eq!(run(&session, "def f(n):\n    return n + 1\n\nf(x)").result.unwrap(), "42");
        let outcome = run(&session, "print('out')\nimport sys\nsys.stderr.write('err\\n')\n'last'");
        assert_eq!((outcome.result.unwrap(), outcome.stderr.as_str()), (json!("out\n4\n'last'"), "err\n"));
        for (request, name) in [("print('so far'); 1 / 0", "ZeroDivisionError"), ("open quote '", "SyntaxError")] {
            let outcome = run(&session, request);
            let error = outcome.result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ScriptError, "{error}");
            assert!(error.message().contains("with status 1") && error.message().contains(name), "{error}");
            assert!(outcome.stderr.contains(name), "{}", outcome.stderr);
            assert_eq!(outcome.stdout, if name == "SyntaxError" { "" } else { "so far\n" });
        }
        assert_eq!(session.eval("x").unwrap(), "41");
    }
    if let Some(world) = World::of("python3", external.clone()) {
        let session = world.open();
        let outcome = session.evaluate("print('so far', flush=True)\nwhile True: pass", &within(500));
        assert_eq!(outcome.result.unwrap_err().kind(), ErrorKind::Timeout);
        assert_eq!(outcome.stdout, "so far\n", "no marker");
        assert_eq!(session.eval("6 * 7").unwrap(), "42");
    }
    if let Some(world) = World::of("python3", json!({"args": ["-i", "-q"]})) {
        let session = world.open();
        let outcome = run(&session, "21 * 2");
        assert_eq!((outcome.result.unwrap(), outcome.stderr.as_str()), (json!("42"), ""));
    }
    if let Some(world) = World::of("node", external) {
        let session = world.open();
        run(&session, "const x = 41;\nlet f = n => {\n  return n + 1\n}").result.unwrap();
        assert_eq!(run(&session, "f(x)").result.unwrap(), "42");
        assert_eq!(run(&session, "process.release.name").result.unwrap(), "'node'");
        run(&session, "let open = (").result.unwrap();
        assert_eq!(run(&session, "x").result.unwrap(), "41");
    }
}

#[test]
fn programs_with_a_prompt_are_asked_line_by_line() {
    // It writes a banner, prompts without line breaks, and others for lines that go on.
    if let Some(world) = World::of("node", json!({"args": ["-i"]})) {
        let session = world.open();
        run(&session, "let x = 41").result.unwrap();
        assert_eq!(run(&session, "function f() {\nreturn x + 1\n}\nf()").result.unwrap(), "undefined\n42");
        assert_eq!(run(&session, "console.log('> not a prompt')").result.unwrap(), "> not a prompt\nundefined");
    }
    // It writes back what it reads, behind its prompt.
    let prompt = json!({"prompt": "sqlite> |   \\.\\.\\.> ", "echo": true});
    let more = json!({"args": ["-interactive", ":memory:"], "session_config": {"protocol": prompt}});
    if let Some(world) = World::of("sqlite3", more) {
        let session = world.open();
        assert_eq!(run(&session, "create table t(a);").result.unwrap(), "");
        assert_eq!(run(&session, "insert into t\nvalues (1), (2);\nselect a from t;").result.unwrap(), "1\n2");
    }
}

#[test]
fn programs_that_are_known_need_no_protocol() {
    if let Some(world) = World::of("sqlite3", json!({"args": [":memory:"]})) {
        let session = world.open();
        run(&session, "create table t(a, b)").result.unwrap();
        run(&session, "insert into t values (1, 'x;y'), (2, 'z')").result.unwrap();
        assert_eq!(run(&session, "select * from t").result.unwrap(), "1|x;y\n2|z");
        assert!(run(&session, "select nowhere").stderr.contains("no such column"));
        assert_eq!(run(&session, "select count(*) from t;").result.unwrap(), "2");
    }
    if let Some(world) = World::of("bc", json!({})) {
        let session = world.open();
        run(&session, "x = 6").result.unwrap();
        assert_eq!(run(&session, "x * 7").result.unwrap(), "42");
    }
    if let Some(world) = World::of("bash", json!({})) {
        let session = world.open();
        assert!(run(&session, "x=42; read y").result.unwrap_err().message().contains("with status 1"));
        assert!(run(&session, "echo 'open").result.unwrap_err().message().contains("unexpected EOF"));
        assert_eq!(run(&session, "echo \"$x\"").result.unwrap(), "42");
    }
}

#[test]
fn a_program_of_lines_answers_each() {
    let Some(world) = World::of("cat", json!({"session_config": {"protocol": "lines"}})) else { return };
    let session = world.open();
    assert_eq!(run(&session, "it's {x} é").result.unwrap(), "it's {x} é");
    assert_eq!(session.eval("").unwrap(), "");
    let error = run(&session, "a\nb").result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{error}");
    // More than a pipe holds, both ways at once.
    let large = "0123456789".repeat(50_000);
    assert_eq!(run(&session, &large).result.unwrap(), large.as_str());
    assert_eq!(session.run(json!({}), &RunOptions::default()).result.unwrap_err().kind(), ErrorKind::InvalidArguments);
}

#[test]
fn a_request_is_made_of_several_parameters() {
    let more = json!({
        "parameters": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "session_config": {"protocol": "lines", "request": "{session_id}: {a} and {b}"},
    });
    let Some(world) = World::of("cat", more) else { return };
    let session = world.open();
    let asked = |params: Value| session.run(params, &RunOptions::default()).result;
    assert_eq!(asked(json!({"a": 1, "b": "x y"})).unwrap(), format!("{}: 1 and x y", session.name()));
    assert!(asked(json!({"a": 1, "b": "x\ny"})).unwrap_err().message().contains("line break"));
}

const CALCULATOR: &str = "
import json, sys
seen = 0
for line in sys.stdin:
    given = json.loads(line)
    seen += 1
    sys.stdout.write(json.dumps({'sum': given['a'] + given['b'], 'seen': seen})[:7])
    sys.stdout.flush()
    print('working', file=sys.stderr, flush=True)
    print(json.dumps({'sum': given['a'] + given['b'], 'seen': seen})[7:], end='\\r\\n', flush=True)
";

#[test]
fn json_goes_in_and_comes_out_in_parts_on_both_streams() {
    let Some(world) = World::script(CALCULATOR, json!("json-lines")) else { return };
    let session = world.open();
    let asked = |a: i64| session.run(json!({"a": a, "b": 2}), &RunOptions::default());
    assert_eq!(asked(40).result.unwrap(), json!({"sum": 42, "seen": 1}));
    let outcome = asked(1);
    assert_eq!((outcome.result.unwrap(), outcome.stderr.as_str()), (json!({"sum": 3, "seen": 2}), "working\n"));
    assert_eq!(session.eval(r#"{"a": 1, "b": 1}"#).unwrap()["sum"], 2);
    assert_eq!(session.eval("nonsense").unwrap_err().kind(), ErrorKind::InvalidArguments);
    // It is dead, and so is the session.
    let error = session.eval("{}").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScriptError);
    assert!(error.message().contains("exit code 1: KeyError: 'a'"), "{error}");
    assert!(session.eval(r#"{"a": 1, "b": 1}"#).unwrap_err().message().contains("has ended"));
}

const STUBBORN: &str = "
import os, signal, sys, time
print('welcome', 'to this', sep='\\n')
print('READY', flush=True)
for line in sys.stdin:
    match line.strip():
        case 'sleep':
            try:
                time.sleep(600)
            except KeyboardInterrupt:
                print('woken', flush=True)
        case 'hang':
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            time.sleep(600)
        case 'bytes':
            os.write(1, b'a\\xff\\n')
        case 'flood':
            try:
                while True:
                    print('x' * 1000, end='', flush=True)
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                print(flush=True)
                signal.signal(signal.SIGINT, signal.default_int_handler)
        case 'two':
            print('one\\ntwo', flush=True)
        case 'quit':
            print('half', end='', flush=True)
            sys.exit(0)
        case 'crash':
            os.abort()
        case word:
            print(word, flush=True)
";

fn stubborn() -> Option<World> {
    World::script(STUBBORN, json!({"type": "lines", "ready": "^READY"}))
}

#[test]
fn who_does_not_answer_is_interrupted_and_then_ended() {
    let Some(world) = stubborn() else { return };
    let session = world.open();
    assert_eq!(session.eval("hello").unwrap(), "hello");
    let error = session.evaluate("sleep", &within(200)).result.unwrap_err();
    assert_eq!((error.kind(), error.limit().unwrap().name), (ErrorKind::Timeout, LimitName::Time));
    assert_eq!(session.eval("still there").unwrap(), "still there");
    let error = session.evaluate("hang", &within(200)).result.unwrap_err();
    assert_eq!((error.kind(), error.limit().unwrap().name), (ErrorKind::Timeout, LimitName::Time));
    assert!(session.ended().is_some());
    assert!(session.eval("gone").unwrap_err().message().contains("has ended"));
}

#[test]
fn what_a_program_writes_is_bounded_and_need_not_be_text() {
    let Some(world) = stubborn() else { return };
    let session = world.open();
    let value = session.eval("bytes").unwrap();
    assert_eq!((&value["$type"], &value["length"]), (&json!("bytes"), &json!(2)), "{value}");
    let options = limited(LimitOverrides { output: Some(10_000), ..LimitOverrides::default() });
    let error = session.evaluate("flood", &options).result.unwrap_err();
    assert_eq!((error.kind(), error.limit().unwrap().name), (ErrorKind::OutputLimit, LimitName::Output));
    assert_eq!(session.eval("still there").unwrap(), "still there");
    // What comes after the answer is no other answer.
    let outcome = session.evaluate("two", &EvalOptions::default());
    assert_eq!(outcome.result.unwrap(), "one");
    let after = session.evaluate("three", &EvalOptions::default());
    assert_eq!(after.result.unwrap(), "three");
    assert_eq!(format!("{}{}", outcome.stdout, after.stdout), "two\n");
}

#[test]
fn a_program_that_dies_ends_its_session_and_says_how() {
    let Some(world) = stubborn() else { return };
    for (request, kind, message) in [
        ("quit", ErrorKind::ScriptError, "has ended before it answered, with exit code 0"),
        ("crash", ErrorKind::Crashed, "was killed by signal 6 (SIGABRT)"),
    ] {
        let session = world.open();
        let outcome = session.evaluate(request, &EvalOptions::default());
        let error = outcome.result.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(message), "{error}");
        assert_eq!(outcome.stdout, if request == "quit" { "half" } else { "" });
        assert!(session.ended().is_some(), "{request}");
    }
    world.write("main.py", "import sys; sys.exit('no database')");
    let error = world.try_open().unwrap_err();
    assert!(error.message().contains("exit code 1: no database"), "{error}");
}

#[test]
fn what_cannot_be_done_with_a_program_says_so() {
    let Some(world) = World::of("cat", json!({"session_config": {"protocol": "lines"}})) else { return };
    let session = world.open();
    let refusals = [
        session.variables().unwrap_err(),
        session.get("x").unwrap_err(),
        session.set("x", json!(1)).unwrap_err(),
        session.complete("x", 1).unwrap_err(),
        session.inspect("x").unwrap_err(),
        session.fork("copy").unwrap_err(),
        session.snapshot().unwrap_err(),
    ];
    for error in refusals {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains("`cat` is a program"), "{error}");
    }
    assert_eq!(session.eval("alive").unwrap(), "alive");
    let skill = world.engine.skill(&world.file()).unwrap();
    let on_disk = world.engine.skill_session(&skill).name("kept").persistence(skills::Persistence::Disk).open();
    assert_eq!(on_disk.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn a_run_without_a_session_asks_once() {
    let Some(world) = World::of("sqlite3", json!({"args": [":memory:"]})) else { return };
    let skill = world.engine.skill(&world.file()).unwrap();
    for request in ["create table t(a); select 1", "create table t(a); select 2"] {
        let outcome = world.engine.run_skill(&skill, json!({"request": request}), &RunOptions::default());
        assert_eq!(outcome.result.unwrap(), &request[request.len() - 1..]);
    }
    assert!(world.engine.sessions().is_empty());
}

#[test]
fn a_program_of_which_nothing_is_known_has_no_session() {
    let Some(world) = World::of("cat", json!({})) else { return };
    let error = world.try_open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("nothing says how `cat` is asked"), "{error}");
    assert!(error.help().unwrap().contains("\"protocol\""), "{error}");
}

#[test]
fn commands_meet_the_same_program() {
    if World::of("sqlite3", json!({})).is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let definition = json!({
        "name": "notes", "description": "d", "type": "code_session", "command": "sqlite3", "args": [":memory:"],
        "parameters": [{"name": "sql", "type": "string", "required": true}],
    });
    sandbox.write("notes.json", &definition.to_string());
    let run = |sql: &str| sandbox.run(&["run", "--session", "n", "--yes", "./notes.json", &format!("sql={sql}")]);
    run("create table t(a); insert into t values (41)").exits(0);
    assert_eq!(run("select a + 1 from t").exits(0).stdout, "42\n");
    // A cell is a request.
    let mut repl = sandbox.skills();
    let output =
        repl.args(["repl", "./notes.json", "--session", "n", "--yes"]).write_stdin("select a from t\nselect 2\n");
    assert_eq!(String::from_utf8(output.output().unwrap().stdout).unwrap(), "41\n2\n");
    let shown = sandbox.run(&["sessions", "show", "n", "--json"]).exits(0).json();
    assert_eq!((&shown["language"], &shown["evaluations"]), (&json!("program"), &json!(4)), "{shown:#}");
    assert!(shown["memory_bytes"].as_u64().unwrap() > 0, "{shown:#}");
    for command in
        [&["sessions", "vars", "n"][..], &["sessions", "fork", "n", "m"], &["sessions", "export", "n", "n.image"]]
    {
        let ran = sandbox.run(command);
        assert!(ran.stderr.contains("`sqlite3` is a program"), "{ran:?}");
        assert_ne!(ran.code, 0);
    }
    let ran = sandbox.run(&["run", "--dry-run", "./notes.json", "sql=select 1"]).exits(0);
    assert!(ran.stdout.contains("asked by     marker\nrequest      \"select 1\""), "{ran:?}");
    assert!(sandbox.run(&["info", "./notes.json"]).exits(0).stdout.contains("asked by     marker"));
    let plan = sandbox.run(&["run", "--dry-run", "--json", "./notes.json", "sql=select 1"]).json();
    assert_eq!(plan["step"]["protocol"]["type"], "marker", "{plan:#}");
}

#[test]
fn the_memory_of_all_processes_counts() {
    let more = json!({"security": {"permissions": {"process_spawn": true}}});
    let Some(world) = World::of("bash", more) else { return };
    let mut options = RunOptions::default();
    options.yes = true;
    options.allow.process_spawn = Some(skills::Allow::All(true));
    let skill = world.engine.skill(&world.file()).unwrap();
    let session = world.engine.skill_session(&skill).options(options).open().unwrap();
    let before = session.info().memory_bytes.unwrap_or_default();
    let child = "python3 -c 'x = bytearray(60 << 20); print(1, flush=True); import time; time.sleep(600)' | { read -r line; sleep 600; } &";
    run(&session, child).result.unwrap();
    let large = |session: &Session| session.info().memory_bytes.unwrap() > before + (50 << 20);
    for _ in 0..600 {
        run(&session, "sleep 0.1").result.unwrap();
        if large(&session) {
            break;
        }
    }
    assert!(large(&session), "{:?}", session.info());
}

use super::hosts::{TestHost, failure, run_on, run_with, session, value};
use serde_json::json;
use skills_core::{ErrorKind, Limits, Stream};

#[test]
fn the_last_expression_is_the_value() {
    assert_eq!(value("let a = 20; a * 2 + 2"), json!(42));
    assert_eq!(value("let a = 20;"), json!(null));
    assert_eq!(value("exit(7); 8"), json!(7));
}

#[test]
fn run_is_called_with_what_it_asks_for() {
    let with = |source| run_with(source, json!({"a": 2, "b": 3}), Limits::default()).result.unwrap();
    assert_eq!(with("fn run(params) { params.a * params.b } 99"), json!(6));
    assert_eq!(with("fn run() { 5 }"), json!(5));
    assert_eq!(with("fn run(b, a) { b - a }"), json!(1));
    assert_eq!(with("const N = 4; fn run(p) { p.a + global::N }"), json!(6));
    assert_eq!(with("private fn run(p) { p.b }"), json!(3));
    assert_eq!(with("let params = 1; fn run(p) { p.a }"), json!(2));
}

#[test]
fn params_and_skill_are_seen_at_the_top_and_in_functions() {
    let with = |source| run_with(source, json!({"a": 2}), Limits::default()).result.unwrap();
    assert_eq!(with("params.a"), json!(2));
    assert_eq!(with("fn f() { params.a + skill.params.a } f()"), json!(4));
    assert_eq!(with("fn f() { skill.add(1, 2) } f()"), json!(3));
    assert_eq!(with("[1, 2].map(|x| x + params.a)"), json!([3, 4]));
}

#[test]
fn host_functions_are_members_of_skill_and_the_hosts_own_are_global() {
    assert_eq!(value("skill.add(1, 2)"), json!(3));
    assert_eq!(value("skill.add(1)"), json!(11));
    assert_eq!(value("add(1.5, 2)"), json!(3.5));
    assert_eq!(value("skill.state.get(\"k\")"), json!(["state.get", ["k"]]));
    assert_eq!(value("skill.fs.get(\"k\")"), json!(["fs.get", ["k"]]));
    assert_eq!(value("skill.call(\"other\", #{n: 1})"), json!(["call", ["other", {"n": 1}]]));
    assert_eq!(value("skill.call(\"other\")"), json!(["call", ["other", {}]]));
    assert!(failure("let f = |x| x; f.state").message.contains("state"));
}

#[test]
fn a_wrong_call_of_the_host_says_what_is_wrong() {
    let failure = failure("let x = 1;\nskill.add(1, 2, 3)");
    assert_eq!(failure.kind, ErrorKind::InvalidArguments);
    assert_eq!(failure.message, "skill.add takes 2 arguments but got 3");
    assert_eq!(failure.frames[0].line, 2);
}

#[test]
fn a_script_catches_the_hosts_failures_and_sees_the_kind() {
    let caught = value("let r; try { fail() } catch (e) { r = [e.kind, e.message, e.help]; } r");
    assert_eq!(caught, json!(["permission_denied", "reading /etc/shadow is not granted", "grant it with --read /etc"]));
}

#[test]
fn printing_is_captured_by_stream() {
    let (evaluation, host) = run_on(
        &mut *session(),
        "print(\"a\"); print([1, \"x\"]); debug(#{k: 2.0}); print(`${[1]}`)",
        json!({}),
        Limits::default(),
    );
    evaluation.result.unwrap();
    assert_eq!(host.printed(Stream::Stdout), "a\n[1, \"x\"]\n[1]\n");
    assert_eq!(host.printed(Stream::Stderr), "#{\"k\": 2.0}\n");
}

#[test]
fn interpolation_shows_what_to_string_does() {
    let source = "let x = 1; `${x}|${\"s\"}|${'c'}|${2.0}|${()}|${[1, \"a\"]}|${#{k: 1}}|${`${x + 1}`}|${let y = 3; y}|}{\n${0..3}|${x}`";
    assert_eq!(value(source), json!("1|s|c|2.0||[1, \"a\"]|#{\"k\": 1}|2|3|}{\n0..3|1"));
    assert_eq!(value("\"a${b}\" + /* ` ${ */ `${1}`"), json!("a${b}1"));
    assert_eq!(value("let s = \"a\"; s += 1; s.append([2]); 1.5 + s + ()"), json!("1.5a1[2]"));
}

#[test]
fn nothing_of_a_run_is_seen_by_the_next() {
    let mut session = session();
    let mut run = |source, params| run_on(&mut *session, source, params, Limits::default()).0.result;
    assert_eq!(run("let secret = 1; params.x = 5; secret", json!({"x": 1})).unwrap(), json!(1));
    assert!(run("secret", json!({})).unwrap_err().message.contains("secret"));
    assert_eq!(run("params.x", json!({"x": 1})).unwrap(), json!(1));
    assert_eq!(run("params.x", json!({})).unwrap(), json!(null));
    assert_eq!(run("fn f() { params.x } f()", json!({"x": 2})).unwrap(), json!(2));
}

#[test]
fn what_a_run_used_is_told() {
    let usage = run_with("let a = []; a.pad(100000, 0); a.len()", json!({}), Limits::default()).usage;
    assert!(usage.cpu.is_some());
    assert!(usage.operations.unwrap() > 3);
    let peak = usage.peak_memory.unwrap();
    assert!((1_600_000..3_000_000).contains(&peak), "{peak}");
}

#[test]
fn import_and_eval_are_refused_with_a_reason() {
    let import = failure("import \"other\" as o;\no::f()");
    assert_eq!(import.kind, ErrorKind::ScriptError);
    assert!(import.message.contains("cannot import \"other\""), "{import}");
    assert_eq!(import.frames[0].line, 1);
    let eval = failure("let x = 1;\neval(\"x\")");
    assert!(eval.message.contains("`eval` is not available"), "{eval}");
    assert_eq!(eval.frames[0].line, 2);
    assert!(failure("Fn(\"eval\").call(\"1\")").message.contains("eval"));
}

#[test]
fn a_session_serves_hosts_one_after_another() {
    let mut session = session();
    for n in 0..20 {
        let source = format!("fn run(p) {{ print(p.n); p.n + {} }}", n % 3);
        let (evaluation, host) = run_on(&mut *session, &source, json!({"n": n}), Limits::default());
        assert_eq!(evaluation.result.unwrap(), json!(n + n % 3));
        assert_eq!(host.printed(Stream::Stdout), format!("{n}\n"));
    }
    let _unused = TestHost::new(Limits::none());
}

#[test]
fn a_function_that_is_a_group_too_gives_its_members() {
    assert_eq!(value("skill.room(\"kitchen\").get(\"k\")"), json!(["room.get", ["the kitchen", "k"]]));
    assert_eq!(
        value("let r = skill.room(\"a\"); [r.get(), r.get(1)]"),
        json!([["room.get", ["the a", null]], ["room.get", ["the a", 1]]])
    );
    assert_eq!(value("skill.room.get(\"attic\", \"k\")"), json!(["room.get", ["attic", "k"]]));
    assert!(failure("skill.room(1)").message.contains("`name` must be a string"));
    assert!(failure("skill.room(\"a\").slow()").message.contains("skill.room has no function `slow`"));
}

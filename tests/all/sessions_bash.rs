//! Sessions of bash, as a host program uses them.

use crate::support::tiers;
use serde_json::json;
use skills::core::Completeness;
use skills::{Engine, ErrorKind, EvalOptions, Isolation, Language, LimitName, LimitOverrides, Session};
use std::time::Duration;

fn engine() -> Engine {
    Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0).build().unwrap()
}

/// A session, where this machine can confine programs.
#[expect(clippy::print_stderr, reason = "says why a test is skipped")]
fn session(engine: &Engine) -> Option<Session> {
    if !tiers().contains(&Isolation::Worker) {
        eprintln!("skipped: nothing can be confined here");
        return None;
    }
    Some(engine.session(Language::Bash).open().unwrap())
}

#[test]
fn a_shell_lives_from_one_cell_to_the_next() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    assert_eq!(session.eval("x=41; cd /tmp; hello() { echo \"hello $1\"; }").unwrap(), "");
    assert_eq!(session.eval("echo $((x + 1)); hello you; pwd").unwrap(), "42\nhello you\n/tmp");
    // None of what is read is the next cell.
    assert_eq!(session.eval("read -r line; echo \"$? $line\"").unwrap(), "1 ");
    assert_eq!(
        session.eval("while read -r line; do echo \"<$line>\"; done <<END\na $x\nb\nEND").unwrap(),
        "<a 41>\n<b>"
    );
    assert_eq!(session.eval("break 9; continue; echo on").unwrap(), "on");
    assert_eq!(session.info().evaluations, 5);
    assert!(session.info().memory_bytes.unwrap() > 0);
}

#[test]
fn errors_of_cells_leave_the_shell_as_it_is() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    session.eval("x=1").unwrap();
    for (code, message) in [
        ("echo 'open", "unexpected EOF while looking for matching"),
        ("if true; then\n  echo", "syntax error"),
        ("echo \"$(", "unexpected EOF"),
        ("true\nno_such_program", "line 2: no_such_program: command not found"),
        ("echo $((1 / 0))", "division by 0"),
        ("false", "exit code 1"),
    ] {
        let error = session.eval(code).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ScriptError, "{code}");
        assert!(error.message().contains(message), "{code}: {error}");
    }
    assert_eq!(session.eval("echo $x").unwrap(), "1");
    let outcome = session.evaluate("echo out; echo err >&2", &EvalOptions::default());
    assert_eq!((outcome.result.unwrap(), outcome.stderr), (json!("out"), "err\n".to_owned()));
}

#[test]
fn how_a_cell_ended_is_known_to_the_next() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    assert!(session.eval("f() { return 42; }; f").is_err());
    // Who asks of the shell in between changes nothing of it.
    assert_eq!(session.variables().unwrap().len(), 1);
    assert_eq!(session.eval("echo \"$?\"").unwrap(), "42");
    assert_eq!(session.eval("echo \"$?\"").unwrap(), "0");
    // Neither is an error of this cell.
    session.eval("trap 'echo trapped' ERR").unwrap();
    session.eval("f").unwrap_err();
    assert_eq!(session.eval("echo \"$?\"; trap - ERR").unwrap(), "42");
    assert_eq!(session.eval("compgen -A function").unwrap(), "f");
}

#[test]
fn bash_itself_says_what_goes_on_in_the_next_line() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    for code in [
        "echo 'open",
        "echo \"open",
        "cat <<END\ntext",
        "if true; then",
        "for i in 1 2; do\necho $i",
        "f() {",
        "echo \\",
        "echo a |",
        "true &&",
        "true ||",
        "echo $(ls",
        "case x in",
        "a=(1",
        "cat <<A <<B\nA",
    ] {
        assert_eq!(session.completeness(code), Completeness::Incomplete, "{code}");
    }
    for code in [
        "",
        "echo a",
        "echo \\\\",
        "cat <<END\ntext\nEND",
        "if true; then\n  echo\nfi",
        "echo )",
        "fi",
        "echo 'unexpected end of file' )",
        "echo !(a)",
        "# echo 'open",
    ] {
        assert_eq!(session.completeness(code), Completeness::Complete, "{code}");
    }
}

#[test]
fn a_shell_that_exits_ends_its_session() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    let error = session.eval("exit 3").unwrap_err();
    assert!(error.message().contains("the shell has ended with exit code 3"), "{error}");
    let error = session.eval("echo 1").unwrap_err();
    assert!(error.message().contains("has ended: the shell has ended with exit code 3"), "{error}");
}

#[test]
fn a_time_limit_interrupts_and_leaves_the_shell() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    let mut options = EvalOptions::default();
    options.limits = LimitOverrides { time: Some(Duration::from_millis(200)), ..LimitOverrides::default() };
    session.eval("x=1").unwrap();
    let error = session.evaluate("while :; do while :; do :; done; done", &options).result.unwrap_err();
    assert_eq!(error.limit().unwrap().name, LimitName::Time, "{error}");
    assert_eq!(session.eval("echo $x").unwrap(), "1");
    // Whoever does not let itself be interrupted is ended, and the session with it.
    let error = session.evaluate("trap '' INT; while :; do :; done", &options).result.unwrap_err();
    assert_eq!(error.limit().unwrap().name, LimitName::Time, "{error}");
    assert!(session.ended().is_some());
}

#[test]
fn too_much_output_is_a_limit_and_a_lot_is_none() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    let text = session.eval("for ((i = 0; i < 20000; i++)); do echo 0123456789; done").unwrap();
    assert_eq!(text.as_str().unwrap().len(), 20000 * 11 - 1);
    let mut options = EvalOptions::default();
    options.limits = LimitOverrides { output: Some(1000), ..LimitOverrides::default() };
    let error = session.evaluate("while :; do echo 0123456789; done", &options).result.unwrap_err();
    assert_eq!(error.limit().unwrap().name, LimitName::Output, "{error}");
    assert_eq!(session.eval("echo on").unwrap(), "on");
}

#[test]
fn variables_are_told_taken_and_completed() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    session.eval("text='a b'; list=(x 'y z'); declare -A map=([k]=v); greet() { :; }").unwrap();
    let names: Vec<_> = session.variables().unwrap().into_iter().map(|v| (v.name, v.type_name)).collect();
    let expected = [("greet", "function"), ("list", "array"), ("map", "map"), ("text", "string")];
    assert_eq!(names, expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    assert_eq!(session.get("list").unwrap(), json!(["x", "y z"]));
    assert_eq!(session.get("map").unwrap(), json!({"k": "v"}));
    assert_eq!(session.get("nothing").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(session.get("a b").unwrap_err().kind(), ErrorKind::InvalidArguments);
    session.set("text", json!("it's\n$x")).unwrap();
    for name in ["PATH", "IFS", "BASH_ENV", "LD_PRELOAD"] {
        let error = session.set(name, json!("x")).unwrap_err();
        assert!(error.message().contains("means something in bash already"), "{error}");
    }
    assert_eq!(session.eval("echo \"$text\"").unwrap(), "it's\n$x");
    session.set("list", json!(["1", "2"])).unwrap();
    assert_eq!(session.eval("echo ${#list[@]}").unwrap(), "2");
    let completions = session.complete("gre", 3).unwrap();
    assert!(completions.items.iter().any(|item| item.text == "greet"));
    let completions = session.complete("echo $tex", 9).unwrap();
    assert_eq!((completions.from, completions.items[0].text.as_str()), (6, "text"));
}

#[test]
fn a_copy_goes_its_own_way() {
    let engine = engine();
    let Some(session) = session(&engine) else { return };
    session.eval("x=1; list=(a 'b c'); f() { echo \"f $x\"; }; cd /tmp; set -u").unwrap();
    let copy = session.fork("copy").unwrap();
    assert_eq!(copy.eval("f; pwd; echo \"${list[1]}\"; echo $-").unwrap().as_str().unwrap().lines().count(), 4);
    copy.eval("x=2").unwrap();
    assert_eq!((session.eval("f").unwrap(), copy.eval("f").unwrap()), (json!("f 1"), json!("f 2")));
    assert_eq!(copy.eval("pwd").unwrap(), "/tmp");
    assert!(copy.eval("case $- in *u*) ;; *) false;; esac").is_ok());
}

use super::host::{TestHost, failure, failure_within, run_on, value};
use serde_json::json;
use skills_core::{ErrorKind, Language, Limits};

#[test]
fn frames_point_into_the_script() {
    let source = "def inner(n):\n    é = 1; return n / 0\n\ndef run():\n    return inner(1)\n";
    let failure = failure(source);
    assert_eq!((failure.kind, failure.language), (ErrorKind::ScriptError, Some(Language::Python)));
    assert_eq!(failure.message, "ZeroDivisionError: division by zero");
    let frames: Vec<_> =
        failure.frames.iter().map(|f| (f.file.as_str(), f.line, f.column, f.function.as_deref())).collect();
    assert_eq!(frames, [("test.py", 2, 19, Some("inner")), ("test.py", 5, 12, Some("run"))]);
    assert_eq!(failure.frames[0].source.as_deref(), Some("    é = 1; return n / 0"));
}

#[test]
fn frames_of_libraries_are_left_out() {
    let failure = failure("import json\njson.loads('{')");
    assert!(failure.message.starts_with("JSONDecodeError: "), "{}", failure.message);
    assert_eq!(failure.frames.len(), 1);
    assert_eq!(failure.frames[0].line, 2);
}

#[test]
fn a_syntax_error_has_its_place() {
    let failure = failure("x = 1\ny = = 2\n");
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert_eq!(failure.message, "SyntaxError: invalid syntax");
    let frame = &failure.frames[0];
    assert_eq!((frame.file.as_str(), frame.line, frame.column), ("test.py", 2, 5));
    assert_eq!(frame.source.as_deref(), Some("y = = 2"));
}

#[test]
fn what_cannot_be_compiled_is_a_script_error() {
    for source in ["x = 'a\0b'", "  x = 1\n y", "return 1", &format!("{}1{}", "(".repeat(500), ")".repeat(500))] {
        assert_eq!(failure(source).kind, ErrorKind::ScriptError, "{source:.20}");
    }
}

#[test]
fn a_host_failure_keeps_its_kind() {
    let failure = failure("def run():\n    skill.fail()");
    assert_eq!(failure.kind, ErrorKind::PermissionDenied);
    assert_eq!(failure.message, "the file /secret was not granted");
    assert_eq!(failure.help.as_deref(), Some("grant it with --read /secret"));
    assert_eq!((failure.frames[0].line, failure.language), (2, Some(Language::Python)));
}

#[test]
fn a_host_failure_can_be_caught() {
    let source = "try:\n    skill.fail()\nexcept skill.Error as e:\n    got = [e.kind, e.message, str(e), e.help]\ngot";
    let text = "the file /secret was not granted";
    assert_eq!(value(source), json!(["permission_denied", text, text, "grant it with --read /secret"]));
    assert_eq!(value("try: skill.fail()\nexcept PermissionError: x = 1\nx"), json!(1));
    assert_eq!(value("try: skill.fs.missing()\nexcept FileNotFoundError: x = 1\nx"), json!(1));
    let wrong = failure("skill.add('a', 1)");
    assert_eq!(wrong.kind, ErrorKind::InvalidArguments);
    assert_eq!(wrong.message, "skill.add `a` must be a number, not a string");
}

#[test]
fn a_kind_cannot_be_made_up() {
    assert_eq!(failure("raise skill.Error('no', kind='timeout')").kind, ErrorKind::ScriptError);
    let source = "class E(Exception): _failure = 1\nraise E('x')";
    assert_eq!(failure(source).message, "E: x");
}

#[test]
fn an_exception_that_cannot_be_shown_is_named() {
    let source = "class E(Exception):\n    def __str__(self): raise ValueError\nraise E()";
    assert_eq!(failure(source).message, "E: <E that cannot be shown>");
    assert_eq!(failure("e = ValueError('a'); e.add_note('b'); raise e").message, "ValueError: a\nb");
    assert_eq!(failure("raise KeyboardInterrupt").message, "KeyboardInterrupt");
    assert!(failure("raise ValueError('x' * 100_000)").message.chars().count() < 5000);
}

#[test]
fn a_deep_stack_is_cut_to_its_innermost_frames() {
    let failure = failure_within("def f(n):\n    if n == 0: raise ValueError\n    f(n - 1)\nf(300)", Limits::default());
    assert_eq!(failure.frames.len(), 32);
    assert_eq!(failure.frames[0].line, 2);
}

#[test]
fn code_of_exec_has_frames() {
    let failure = failure("exec('1 / 0')");
    let places: Vec<_> = failure.frames.iter().map(|f| (f.file.as_str(), f.line)).collect();
    assert_eq!(places, [("<string>", 1), ("test.py", 1)]);
}

#[test]
fn parameters_must_be_an_object() {
    let evaluation = run_on(&TestHost::new(Limits::default()), "1", json!([1]));
    assert_eq!(evaluation.result.unwrap_err().kind, ErrorKind::InvalidArguments);
}

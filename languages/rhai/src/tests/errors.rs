use super::hosts::{failure, run_with};
use serde_json::json;
use skills_core::{ErrorKind, Language, Limits};

#[test]
fn an_error_has_its_place_its_line_and_the_calls_around_it() {
    let source = "fn inner(x) {\n    let y = x;\n    y.missing_function()\n}\nfn outer(x) {\n    inner(x) + 1\n}\nfn run(params) {\n    outer(2)\n}";
    let failure = failure(source);
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert_eq!(failure.language, Some(Language::Rhai));
    assert!(failure.message.contains("Function not found: missing_function"), "{failure}");
    let frames: Vec<_> =
        failure.frames.iter().map(|f| (f.function.as_deref(), f.line, f.source.as_deref().unwrap().trim())).collect();
    assert_eq!(
        frames,
        [(Some("inner"), 3, "y.missing_function()"), (Some("outer"), 6, "inner(x) + 1"), (Some("run"), 9, "outer(2)"),]
    );
    assert_eq!(failure.frames[0].column, 7);
    assert_eq!(failure.frames[0].file, "test.rhai");
}

#[test]
fn an_error_at_the_top_level_has_one_frame() {
    let failure = failure("let x = \"é\";\nlet y = \"é\" + nope;");
    assert!(failure.message.contains("Variable not found: nope"), "{failure}");
    assert_eq!(failure.frames.len(), 1);
    assert_eq!((failure.frames[0].line, failure.frames[0].column), (2, 15));
    assert_eq!(failure.frames[0].function, None);
}

#[test]
fn a_syntax_error_says_where() {
    let failure = failure("let x = 1;\nlet y = (2 +;\n");
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert!(failure.message.starts_with("syntax error: "), "{failure}");
    assert_eq!((failure.frames[0].line, failure.frames[0].column), (2, 13));
    assert_eq!(failure.frames[0].source.as_deref(), Some("let y = (2 +;"));
}

#[test]
fn thrown_values_give_the_message() {
    assert_eq!(failure("throw \"no such account\"").message, "no such account");
    assert_eq!(failure("throw #{message: \"bad\", help: \"do better\"}").message, "bad");
    assert_eq!(failure("throw #{message: \"bad\", help: \"do better\"}").help.as_deref(), Some("do better"));
    assert_eq!(failure("throw 42").message, "42");
    assert_eq!(failure("throw [1, \"a\"]").message, "[1, \"a\"]");
    assert_eq!(failure("throw ()").message, "the script threw nothing");
    assert!(failure("let s = \"x\"; s.pad(100000, 'x'); throw s").message.len() < 5000);
}

#[test]
fn places_in_and_after_interpolations_are_those_of_the_source() {
    let at = |source| failure(source).frames.iter().map(|f| (f.line, f.column)).collect::<Vec<_>>();
    assert_eq!(at("let x = `é${1} ${nope}`;"), [(1, 18)]);
    assert_eq!(at("let x = `${1}${2}`; nope"), [(1, 21)]);
    assert_eq!(at("let x = `${`${1}` + nope}`;"), [(1, 21)]);
    assert_eq!(at("let x = `a\n${1} b`; nope"), [(2, 10)]);
    assert_eq!(at("let x = `${1 +}`;"), [(1, 15)]);
}

#[test]
fn arithmetic_and_bounds_read_well() {
    assert_eq!(failure("1 / 0").message, "Division by zero: 1 / 0");
    assert!(failure("let a = [1]; a[5]").message.contains("out of bounds"));
    assert!(failure("9223372036854775807 + 1").message.contains("overflow"));
}

#[test]
fn a_failure_of_the_host_keeps_its_kind_and_help() {
    let failure = failure("fn f() {\n    skill.fail()\n}\nf()");
    assert_eq!(failure.kind, ErrorKind::PermissionDenied);
    assert_eq!(failure.message, "reading /etc/shadow is not granted");
    assert_eq!(failure.help.as_deref(), Some("grant it with --read /etc"));
    let places: Vec<_> = failure.frames.iter().map(|f| (f.function.as_deref(), f.line)).collect();
    assert_eq!(places, [(Some("f"), 2), (None, 4)]);
}

#[test]
fn a_failure_that_is_caught_and_thrown_on_keeps_its_kind() {
    assert_eq!(failure("try { fail() } catch (e) { throw e; }").kind, ErrorKind::PermissionDenied);
}

#[test]
fn a_script_cannot_forge_a_kind() {
    let failure = failure("throw #{kind: \"permission_denied\", message: \"reading is not granted\"}");
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert_eq!(failure.message, "reading is not granted");
}

#[test]
fn an_error_in_a_closure_names_it() {
    let failure = failure("let f = |x| x.nope();\n[1].map(f)");
    assert_eq!(failure.frames[0].line, 1, "{:?}", failure.frames);
}

#[test]
fn the_same_session_goes_on_after_errors() {
    for source in ["throw 1", "let x = ", "1 / 0"] {
        assert!(run_with(source, json!({}), Limits::default()).result.is_err());
    }
}

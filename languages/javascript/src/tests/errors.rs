use super::support::*;
use skills_core::{ErrorKind, Failure, Frame, Language};

fn places(failure: &Failure) -> Vec<(u32, u32, Option<&str>)> {
    failure.frames.iter().map(|f| (f.line, f.column, f.function.as_deref())).collect()
}

#[test]
fn an_error_points_into_the_script() {
    let source = "function inner(x) {\n  throw new TypeError(`bad ${x}`);\n}\n\nclass Box {\n  open() { inner(1) }\n}\nnew Box().open()";
    let failure = failure(source);
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert_eq!(failure.language, Some(Language::JavaScript));
    assert_eq!(failure.message, "TypeError: bad 1");
    assert_eq!(
        places(&failure).iter().map(|p| (p.0, p.2)).collect::<Vec<_>>(),
        [(2, Some("inner")), (6, Some("open")), (8, None)]
    );
    let first: &Frame = &failure.frames[0];
    assert_eq!(
        (first.file.as_str(), first.source.as_deref()),
        ("skill.js", Some("  throw new TypeError(`bad ${x}`);"))
    );
}

#[test]
fn columns_are_those_of_the_source() {
    // The engine reports where the call is made or the error is constructed.
    let before =
        places(&failure("const f = () => null.x;\n    f()")).to_vec().iter().map(|p| (p.0, p.1)).collect::<Vec<_>>();
    assert_eq!(before[0].0, 1);
    assert_eq!(before[1], (2, 5));
    let wide = failure("'é\u{1F600}'; null.x");
    assert_eq!(wide.frames[0].line, 1);
}

#[test]
fn a_syntax_error_has_its_place() {
    let failure = failure("const a = 1;\nconst b = ;\n");
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert!(failure.message.starts_with("SyntaxError: "), "{}", failure.message);
    assert_eq!((failure.frames[0].line, failure.frames[0].column), (2, 11));
    assert_eq!(failure.frames[0].source.as_deref(), Some("const b = ;"));
    let twice = super::support::failure("let a = 1;\nlet b = 2;\nlet a = 3;");
    assert!(twice.message.contains("SyntaxError"), "{}", twice.message);
    assert_eq!(twice.frames[0].line, 3, "{twice:?}");
}

#[test]
fn whatever_is_thrown_is_reported() {
    assert_eq!(failure("throw null").message, "uncaught null");
    assert_eq!(failure("throw 'boom'").message, "uncaught boom");
    assert_eq!(failure("throw {code: 7}").message, "uncaught { code: 7 }");
    assert_eq!(failure("Promise.reject(new RangeError('later'))").message, "RangeError: later");
    assert_eq!(failure("await (async () => { throw new Error('in async') })()").message, "Error: in async");
    assert_eq!(failure("class Mine extends Error { name = 'Mine' }\nthrow new Mine('x')").message, "Mine: x");
    assert_eq!(
        failure("setTimeout(() => { throw new Error('in timer') }, 1); await new Promise(() => {})").message,
        "Error: in timer"
    );
}

#[test]
fn a_promise_that_nothing_settles_is_an_error() {
    let failure = failure("await new Promise(() => {})");
    assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::ScriptError, "the promise was never settled"));
}

#[test]
fn imports_of_anything_else_are_refused() {
    let failure = failure("const a = 1;\nimport fs from \"fs\";");
    assert!(failure.message.contains("cannot import \"fs\""), "{}", failure.message);
    assert_eq!((failure.frames[0].line, failure.frames[0].column), (2, 16));
    assert!(super::support::failure("await import('/etc/passwd')").message.contains("cannot import"));
    assert!(super::support::failure("export * from './other.js'").message.contains("cannot import"));
}

#[test]
fn console_writes_to_both_streams() {
    let (out, err) = output(
        "console.log('a', 1, {b: [1, 'c', null], d: {e: {f: {g: 1}}}}, [undefined]);\nconsole.info('%s=%d%%', 'x', 5);\nconsole.error(new Error('bad'));\nconsole.warn(new Map([['k', 1]]), new Set([1]))",
    );
    assert_eq!(out, "a 1 { b: [ 1, 'c', null ], d: { e: { f: [Object] } } } [ undefined ]\nx=5%\n");
    assert_eq!(err, "Error: bad\nMap { 'k' => 1 } Set { 1 }\n");
    let (out, _) = output("Promise.resolve().then(() => console.log('after'));\n1");
    assert_eq!(out, "after\n");
}

#[test]
fn a_failure_of_the_host_keeps_its_kind_after_many_others() {
    let many = "const all = [];\nfor (let i = 0; i < 3000; i++) try { skill.fail() } catch (e) { all.push(e) }\n";
    let last = failure(&format!("{many}throw all[2999]"));
    assert_eq!((last.kind, last.frames[0].line), (ErrorKind::PermissionDenied, 2), "{last:?}");
    // Only so many are remembered; one that is not is still an error with its message.
    let first = failure(&format!("{many}throw all[0]"));
    assert_eq!(first.kind, ErrorKind::ScriptError);
    assert!(first.message.starts_with("SkillError: "), "{first:?}");
}

use super::limits::under;
use super::support::*;
use serde_json::json;
use skills_core::{ErrorKind, Limits};
use std::time::Duration;

#[test]
fn nothing_but_the_language_is_in_reach() {
    let names = value("Object.getOwnPropertyNames(globalThis).filter((n) => !/^[A-Z]/.test(n)).sort()");
    assert_eq!(
        names,
        json!([
            "add",
            "clearInterval",
            "clearTimeout",
            "console",
            "decodeURI",
            "decodeURIComponent",
            "encodeURI",
            "encodeURIComponent",
            "escape",
            "eval",
            "globalThis",
            "isFinite",
            "isNaN",
            "parseFloat",
            "parseInt",
            "queueMicrotask",
            "setInterval",
            "setTimeout",
            "skill",
            "structuredClone",
            "undefined",
            "unescape"
        ])
    );
    for name in [
        "Deno",
        "process",
        "require",
        "WebAssembly",
        "SharedArrayBuffer",
        "Atomics",
        "ShadowRealm",
        "gc",
        "Intl",
        "Temporal",
        "FinalizationRegistry",
        "__v8x_import_source",
        "__v8xTemporalTimeZone",
        "performance",
    ] {
        assert_eq!(value(&format!("typeof {name}")), json!("undefined"), "{name}");
    }
    assert_eq!(value("(() => {}).constructor('return typeof Deno + typeof process')()"), json!("undefinedundefined"));
    assert_eq!(value("(0, eval)('typeof Deno')"), json!("undefined"));
    assert_eq!(value("typeof Date.prototype.toTemporalInstant"), json!("undefined"));
}

#[test]
fn pollution_does_not_reach_the_bridge() {
    assert_eq!(
        value("Object.prototype.toJSON = () => 'fooled'; Array.prototype.toJSON = () => 'fooled'; ({a: [1]})"),
        json!({"a": [1]})
    );
    assert_eq!(
        value("Array.prototype.push = () => {}; Array.prototype[Symbol.iterator] = null; skill.echo([1, 2])"),
        json!([1, 2])
    );
    assert_eq!(
        value("Object.defineProperty(Object.prototype, '0', { set() { throw 1 } }); skill.echo([{a: 1}])"),
        json!([{"a": 1}])
    );
    assert_eq!(
        value(
            "String.prototype.slice = () => 'x'; Map.prototype.forEach = () => {}; [skill.echo('yes'), new Map([['a', 1]])]"
        ),
        json!(["yes", {"a": 1}])
    );
    assert_eq!(
        value("Object.prototype.value = 7; Object.prototype.get = () => 8; ({a: skill.echo(1)})"),
        json!({"a": 1})
    );
    assert_eq!(value("Promise.prototype.then = () => { throw new Error('no') }; await 5; 6"), json!(6));
    let failure = failure(
        "Error.prototype.toString = () => { throw 1 }; Object.defineProperty(Error.prototype, 'code', { get() { throw 2 } }); Error.prototype.message = 7; skill.fail()",
    );
    assert_eq!(failure.kind, ErrorKind::PermissionDenied);
}

#[test]
fn a_polluted_session_is_not_used_again() {
    use skills_core::Language::JavaScript;
    for source in [
        "Array.prototype.evil = 1",
        "Object.prototype.evil = 1",
        "String.prototype.trim = () => 'x'",
        "[].__proto__.evil = 1",
        "const k = '__proto__'; ({})[k].evil = 1",
        "Object.setPrototypeOf(Array.prototype, null)",
        "Object.freeze(Error.prototype)",
        "Object.preventExtensions(Map.prototype)",
        "Object.defineProperty(Error.prototype, 'message', { writable: false })",
        "Promise.prototype.then = null",
        "skill.Error.prototype.evil = 1",
        "Object.getPrototypeOf([][Symbol.iterator]()).next = null",
        "(function* () {}).__proto__.prototype.evil = 1",
        "const { prototype: p } = Map; p.evil = 1",
        "Reflect.defineProperty(Date.prototype, 'x', { value: 1 })",
    ] {
        let mut session = open();
        let _ = run_in(&mut *session, JavaScript, source, json!({}), Limits::default());
        assert!(!session.reusable(), "{source}");
    }
    for source in [
        "globalThis.leak = 1",
        "1",
        "Object.keys({a: 1})",
        "const a = []; a['x'] = 1; a.length",
        "class A extends Error { name = 'x' }\nnew A()",
    ] {
        let mut session = open();
        let _ = run_in(&mut *session, JavaScript, source, json!({}), Limits::default()).0.result.unwrap();
        assert!(session.reusable(), "{source}");
        let after = "[typeof leak, typeof A, typeof a, Object.keys(globalThis).length]";
        assert_eq!(
            run_in(&mut *session, JavaScript, after, json!({}), Limits::default()).0.result.unwrap(),
            json!(["undefined", "undefined", "undefined", 0])
        );
    }
}

#[test]
fn built_ins_cannot_be_replaced() {
    for source in [
        "JSON.parse = () => 1",
        "globalThis.Object = 1",
        "Math.max = 1",
        "console.log = 1",
        "skill.echo = 1",
        "skill.x = 1",
        "globalThis.skill = 1",
        "Array.isArray = 1",
        "Error.prepareStackTrace = () => 'x'",
        "Error.captureStackTrace = 1",
        "delete Array.prototype.map",
        "Object.defineProperty(Map.prototype, 'size', { get: () => 1 })",
    ] {
        assert!(failure(source).message.starts_with("TypeError"), "{source}");
    }
}

#[test]
fn forged_and_hostile_errors_are_only_reported() {
    assert_eq!(
        failure("const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw 1 } }); throw e").message,
        "Error: x"
    );
    assert_eq!(
        failure("const e = new Error('x'); Object.defineProperty(e, 'message', { get() { throw 1 } }); throw e")
            .message,
        "Error"
    );
    assert!(
        failure("throw new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 }, getPrototypeOf() { throw 3 } })")
            .message
            .starts_with("uncaught")
    );
    let forged = failure(
        "const e = new Error('x'); e.stack = '    at f (skill:1:99999999999:1)\\n    at g (skill:1:7:1)\\n at (/etc/passwd:1:1)'; throw e",
    );
    assert!(forged.frames.is_empty(), "{forged:?}");
    assert_eq!(failure("const e = new Error('x'.repeat(1e6)); throw e").message.len(), 7 + 10000);
    assert_eq!(
        failure("throw Object.assign(new Error(), { name: 'SkillError', kind: 'timeout' })").kind,
        ErrorKind::ScriptError
    );
    assert_eq!(failure("throw { get stack() { throw 1 } }").kind, ErrorKind::ScriptError);
}

#[test]
fn getters_and_proxies_as_arguments_and_results() {
    assert_eq!(failure("skill.echo({ get a() { throw new Error('from getter') } })").message, "Error: from getter");
    assert_eq!(failure("({ get a() { throw new Error('from getter') } })").message, "Error: from getter");
    assert_eq!(value("skill.echo(new Proxy([1, 2], {}))"), json!([1, 2]));
    let limits = || Limits { time: Some(Duration::from_millis(300)), result: Some(1000), ..Limits::default() };
    assert!(under(limits(), "new Proxy([], { get: (t, k) => k === 'length' ? 2 ** 53 - 1 : 0 })").is_err());
    assert!(under(limits(), "const deep = () => new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }), get: deep }); deep()").is_err());
}

#[test]
fn native_loops_over_huge_lengths_are_refused() {
    let limits = || Limits { time: Some(Duration::from_secs(2)), memory: Some(64 << 20), ..Limits::default() };
    for source in [
        "new Array(1e9) + ''",
        "new Array(1e9).join()",
        "[].indexOf.call({ length: 2 ** 53 - 1 }, 1)",
        "Array.prototype.includes.call({ length: 1e12 }, 1)",
        "new Array(1e9).map((x) => x)",
        "const a = []; a.length = 4e9; a.forEach(() => {})",
        "Array.from({ length: 1e9 })",
        "new Array(4e9).fill(0)",
        "[].lastIndexOf.call({ length: 1e15 }, 1)",
        "new Array(4e9).sort()",
        "new Array(1e9).reverse()",
        "2n ** (2n ** 40n)",
        "'x'.repeat(2 ** 40)",
        "let n = 3n; for (;;) n = n ** 3n",
    ] {
        let failure = under(limits(), source).expect_err(source);
        assert!(failure.message.contains("RangeError") || failure.limit.is_some(), "{source}: {failure:?}");
    }
}

#[test]
fn deep_sources_do_not_overflow_the_parser() {
    for source in [
        format!("{}1{}", "(".repeat(50000), ")".repeat(50000)),
        format!("{}1{}", "[".repeat(50000), "]".repeat(50000)),
        format!("{}1", "!".repeat(50000)),
        format!("{}1", "a=>".repeat(30000)),
        format!("1{}", "+1".repeat(30000)),
        format!("a{}", ".b".repeat(30000)),
        format!("{}{}", "{".repeat(50000), "}".repeat(50000)),
        format!("{};", "if(1)".repeat(30000)),
        format!("{}1{}", "`${".repeat(20000), "}`".repeat(20000)),
        format!("{}1", "typeof ".repeat(30000)),
        format!("{}1", "1?1:".repeat(30000)),
        format!("{}1", "x=".repeat(30000)),
        format!("{}1", "new ".repeat(30000)),
        "(".repeat(300000),
    ] {
        let _ = under(Limits::default(), &source);
    }
}

#[test]
fn callbacks_do_not_outlive_their_run() {
    use skills_core::Language::JavaScript;
    let mut session = open();
    let source = "setTimeout(() => console.log('late'), 5); Promise.resolve().then(() => console.log('soon')); 1";
    let (_, first) = run_in(&mut *session, JavaScript, source, json!({}), Limits::default());
    assert_eq!(*first.out.lock().unwrap(), "soon\n");
    let wait = "await new Promise((done) => setTimeout(done, 20)); 2";
    let (evaluation, second) = run_in(&mut *session, JavaScript, wait, json!({}), Limits::default());
    assert_eq!(evaluation.result.unwrap(), json!(2));
    assert_eq!(*second.out.lock().unwrap(), "");
}

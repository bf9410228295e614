use super::support::*;
use serde_json::json;
use skills_core::ErrorKind;

#[test]
fn the_last_expression_is_the_value() {
    assert_eq!(value("1 + 1"), json!(2));
    assert_eq!(value("const a = 2;\na * 21;"), json!(42));
    assert_eq!(value("\"only a string\""), json!("only a string"));
    assert_eq!(value("if (1) { 'yes' } else { 'no' }"), json!("yes"));
    assert_eq!(value("let a = 1;"), json!(null));
    assert_eq!(value(""), json!(null));
}

#[test]
fn run_is_called_with_the_parameters() {
    let params = json!({"a": 2, "b": [3]});
    assert_eq!(with("function run({ a, b }) { return a * b[0]; }", params.clone()).result.unwrap(), json!(6));
    assert_eq!(with("const run = async ({ a }) => a + 1;", params.clone()).result.unwrap(), json!(3));
    assert_eq!(with("export default function (p) { return p.b }", params.clone()).result.unwrap(), json!([3]));
    assert_eq!(with("export default async (p) => p.a", params.clone()).result.unwrap(), json!(2));
    assert_eq!(with("export default { fixed: true }", params.clone()).result.unwrap(), json!({"fixed": true}));
    assert_eq!(
        with("function f(p) { return p.a }\nexport { f as default };", params.clone()).result.unwrap(),
        json!(2)
    );
    assert_eq!(with("export function run(p) { return p.a }", params).result.unwrap(), json!(2));
}

#[test]
fn await_works_at_the_top_level() {
    assert_eq!(value("const v = await Promise.resolve(4);\nv + 1"), json!(5));
    assert_eq!(
        value("const wait = (ms) => new Promise((done) => setTimeout(done, ms));\nawait wait(5);\n'late'"),
        json!("late")
    );
    assert_eq!(value("const n = await 20;\nexport default async () => n + await 1"), json!(21));
    assert_eq!(value("Promise.all([1, Promise.resolve(2)])"), json!([1, 2]));
}

#[test]
fn params_and_the_skill_module() {
    assert_eq!(with("params.a + skill.params.a", json!({"a": 2})).result.unwrap(), json!(4));
    assert_eq!(value("import skill from \"skill\";\nskill.echo([1, {a: null}])"), json!([1, {"a": null}]));
    assert_eq!(value("import { echo, deep as d } from 'skill';\n[echo('x'), d.slow()]"), json!(["x", "slept"]));
    assert_eq!(value("import * as s from 'skill';\nconst skill = 5;\ns.add(skill, 1)"), json!(6));
    assert_eq!(value("add(1, 2)"), json!(3));
}

#[test]
fn a_failed_host_call_is_an_error_of_the_script() {
    let source = "try { skill.fail() } catch (e) { [e.name, e.kind, e.message, e.help, e instanceof Error] }";
    assert_eq!(
        value(source),
        json!(["SkillError", "permission_denied", "reading /etc is not granted", "grant it", true])
    );
    let failure = failure("function f() {\n  skill.fail();\n}\nf();");
    assert_eq!(failure.kind, ErrorKind::PermissionDenied);
    assert_eq!(failure.help.as_deref(), Some("grant it"));
    assert_eq!(failure.frames.iter().map(|f| f.line).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(js("add(1)").result.unwrap_err().kind, ErrorKind::InvalidArguments);
}

#[test]
fn one_script_can_run_another_in_between() {
    assert_eq!(value("const a = skill.nested('[1].concat(2)');\na.concat(3)"), json!([1, 2, 3]));
}

#[test]
fn a_panic_of_the_host_is_a_failure() {
    let failure = failure("skill.panics()");
    assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::Internal, "a function of the host panicked"));
    assert_eq!(value("try { skill.panics() } catch (e) { e.kind }"), json!("internal"));
}

#[test]
fn an_error_in_an_exported_function_has_a_frame() {
    let failure = failure("export default function () {\n  null.x;\n}");
    assert_eq!((failure.frames[0].line, failure.frames[0].function.as_deref()), (2, None));
    assert_eq!(failure.frames.len(), 1);
}

#[test]
fn a_function_that_is_a_group_too_gives_its_members() {
    assert_eq!(value("skill.room('kitchen').put('a', {b: 1})"), json!(["the kitchen", "a", {"b": 1}]));
    assert_eq!(value("const { put } = skill.room('kitchen'); put('a')"), json!(["the kitchen", "a", null]));
    assert_eq!(value("skill.room.put('attic', 'a', 2)"), json!(["attic", "a", 2]));
    assert_eq!(value("Object.isFrozen(skill.room) && Object.isFrozen(skill.room('x'))"), json!(true));
    assert!(failure("skill.room(1)").message.contains("`name` must be a string"));
    assert!(failure("skill.room('x').put()").message.contains("needs `key`"));
    // What a script makes of the prototypes changes nothing of it.
    let source = "Object.defineProperty(Array.prototype, 0, {set() { throw 1 }}); skill.room('x').put('a', 1)";
    assert_eq!(value(source), json!(["the x", "a", 1]));
}

use super::live_support::*;
use super::support::*;
use serde_json::json;
use skills_core::{ErrorKind, Host, Language, Limits};
use std::sync::Arc;

#[test]
fn ten_feeds_build_on_one_another() {
    let mut living = Living::new();
    living.cell("const text = 'B1 2 3.5\\nB2 1 10\\nB3 4 1.15'");
    living.cell("class Order { constructor(id, count, price) { Object.assign(this, { id, count, price }) } get total() { return this.count * this.price } }");
    living.cell(
        "function parse(line) { const [id, count, price] = line.split(' '); return new Order(id, +count, +price) }",
    );
    living.cell("let orders = text.split('\\n').map(parse)");
    assert_eq!(living.value("orders.length"), json!(3));
    living.cell("let total = 0; for (const order of orders) total += order.total");
    assert_eq!(living.value("total"), json!(21.6));
    living.cell("const { id: biggest } = orders.reduce((a, b) => (a.total > b.total ? a : b))");
    assert_eq!(living.value("[biggest, _]"), json!(["B2", 21.6]));
    living.cell("console.log(`${orders.length} orders, total ${total}, biggest ${biggest}`)");
    assert_eq!(living.out, "3 orders, total 21.6, biggest B2\n");
    assert_eq!(living.names(), ["Order", "biggest", "orders", "parse", "text", "total"]);
}

#[test]
fn every_declaration_stays_and_may_be_made_again() {
    let mut living = Living::new();
    for source in [
        "const a = 1, b = a + 1; let c, d = [a, b]; var e = 5; var f",
        "const { g, h: [i, j = 7, ...k], ...l } = { g: 1, h: [2, undefined, 3, 4], m: 5 }",
        "const [n, , o = () => {}] = [1, 2]",
        "class P { static q = 1; r() { return P.q } }",
        "function s() { return t() } function t() { return 't' }",
        "async function u() { return 'u' }\nfunction* v() { yield 1; yield 2 }",
        "if (true) { var w = 1, x } for (var y = 0; y < 3; y++) ; for (var [z] of [[1], [2]]) ; for (var aa in { k: 1 }) ;",
        "if (a) var bb = 3; else var cc = 4",
        "export const dd = 1; export function ee() { return 2 }",
    ] {
        for _ in 0..2 {
            assert!(living.cell(source).evaluation.result.is_ok(), "{source}: {:?}", living.cell(source));
        }
    }
    assert_eq!(living.value("[a, b, c ?? null, d, e, f ?? null]"), json!([1, 2, null, [1, 2], 5, null]));
    assert_eq!(living.value("[g, i, j, k, l, n, o.name]"), json!([1, 2, 7, [3, 4], {"m": 5}, 1, "o"]));
    assert_eq!(
        living.value("[new P().r(), P.name, s(), s.name, await u(), [...v()]]"),
        json!([1, "P", "t", "s", "u", [1, 2]])
    );
    assert_eq!(
        living.value("[w, x ?? null, y, z, aa, bb, typeof cc, dd, ee()]"),
        json!([1, null, 3, 2, "k", 3, "undefined", 1, 2])
    );
    assert_eq!(living.value("const a = 'again'; a"), json!("again"));
    // `let` without a value sets it, `var` does not.
    assert_eq!(living.value("let d; var e; [d ?? null, e]"), json!([null, 5]));
}

#[test]
fn a_function_of_an_earlier_cell_sees_what_is_declared_later() {
    let mut living = Living::new();
    living.cell("const f = () => later() + n; let n = 1");
    assert!(living.fails("f()").message.contains("later"));
    living.cell("function later() { return 10 } n = 2");
    assert_eq!(living.value("f()"), json!(12));
    living.cell("function later() { return 20 }");
    assert_eq!(living.value("f()"), json!(22));
    // What is called in the cell before it is declared there.
    assert_eq!(living.value("const r = hoisted(); function hoisted() { return 'up' } r"), json!("up"));
}

#[test]
fn a_constant_can_be_declared_again_and_not_assigned() {
    let mut living = Living::new();
    living.cell("const a = 1");
    for source in ["a = 2", "a++", "const b = 1; b = 2", "(() => { a = 3 })()"] {
        assert!(living.fails(source).message.starts_with("TypeError"), "{source}");
    }
    assert_eq!(living.value("a"), json!(1));
    assert_eq!(living.value("let a = 5; a = 6; a"), json!(6));
    assert!(living.fails("undeclared = 1").message.starts_with("ReferenceError"));
}

#[test]
fn closures_over_loops_and_blocks_are_the_languages_own() {
    let mut living = Living::new();
    living.cell("const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i++)");
    assert_eq!(living.value("[fs[0](), fs[0](), fs[1](), fs[2]()]"), json!([0, 1, 1, 2]));
    assert!(
        living.fails("i").message.contains("'i' is not defined")
            || living.fails("i").message.contains("i is not defined")
    );
    living.cell("{ let hidden = 1; var counter = () => hidden++ }");
    assert_eq!(living.value("[counter(), counter()]"), json!([1, 2]));
    assert_eq!(living.value("typeof hidden"), json!("undefined"));
    living.cell("const it = (function* () { let n = 0; while (true) yield n++ })()");
    assert_eq!(living.value("[it.next().value, it.next().value]"), json!([0, 1]));
    assert_eq!(living.value("it.next().value"), json!(2));
}

#[test]
fn instances_live_on_with_their_class() {
    let mut living = Living::new();
    living.cell("class Counter { #n = 0; bump() { return ++this.#n } static of() { return new Counter() } }");
    living.cell("const c = Counter.of(); c.bump()");
    living.cell("class Twice extends Counter { bump() { super.bump(); return super.bump() } }");
    assert_eq!(
        living.value("[c.bump(), new Twice().bump(), c instanceof Counter, new Twice() instanceof Counter]"),
        json!([2, 2, true, true])
    );
    living.cell("class Counter { bump() { return 'new' } }");
    assert_eq!(living.value("[c.bump(), new Counter().bump(), new Twice().bump()]"), json!([3, "new", 2]));
}

#[test]
fn a_name_of_the_engine_can_be_declared() {
    let mut living = Living::new();
    living.cell("const before = () => new Map([[1, 2]]).size");
    living.cell("const Map = { set: 1 }, { console, add = Map } = { console: 'c' }; function Set() { return 's' }");
    assert_eq!(
        living.value("const o = { Map, console }; [Map.set, console, add.set, o.Map.set, o.console, Set(), Set.name]"),
        json!([1, "c", 1, 1, "c", "s", "Set"])
    );
    assert_eq!(living.value("before()"), json!(1));
    assert_eq!(living.value("{ let Map = 2; Map }"), json!(2));
    assert_eq!(living.value("((Map) => Map)(3)"), json!(3));
    assert_eq!(living.names(), ["Map", "Set", "add", "before", "console", "o"]);
    let host: Arc<dyn Host> = living.host();
    assert_eq!(living.session.get("console", &host).unwrap(), json!("c"));
    living.session.set("Map", &json!(5), &host).unwrap();
    assert_eq!(living.value("Map += 1; let Set = 7; [Map, Set]"), json!([6, 7]));
    for name in ["Date", "skill", "parseInt"] {
        let failure = living.session.set(name, &json!(5), &host).unwrap_err();
        assert!(failure.message.contains(&format!("`{name}` means something in JavaScript")), "{failure:?}");
    }
    assert!(!living.fails("console.log(1)").message.contains('\u{200d}'));
}

#[test]
fn await_works_at_the_top_level_of_cells() {
    let mut living = Living::new();
    living.cell("const sleep = (ms, value) => new Promise((done) => setTimeout(done, ms, value))");
    assert_eq!(living.value("const a = await sleep(2, 5); a + 1"), json!(6));
    assert_eq!(living.value("[a, _]"), json!([5, 6]));
    assert_eq!(living.value("let n = 0; for await (const x of [sleep(1, 1), 2]) n += x; n"), json!(3));
    assert_eq!(living.value("sleep(1, 'awaited')"), json!("awaited"));
    // A promise goes on in later cells, and so do timers.
    living.cell("let done = 'no'; const later = sleep(20).then(() => { done = 'yes' })");
    assert_eq!(living.value("done"), json!("no"));
    assert_eq!(living.value("await later; done"), json!("yes"));
    living.cell("let ticks = 0; const timer = setInterval(() => { ticks++ }, 1)");
    living.cell("await sleep(15)");
    assert_eq!(living.value("clearInterval(timer); ticks > 2"), json!(true));
    let pending = living.shown("const never = new Promise(() => {}); never");
    assert_eq!((pending.type_name.as_str(), pending.text.as_str()), ("Promise", "Promise { <pending> }"));
    assert_eq!(living.fails("await never").message, "the promise was never settled");
    assert_eq!(living.value("1 + 1"), json!(2));
    assert_eq!(living.fails("await Promise.reject(new TypeError('no'))").message, "TypeError: no");
    assert_eq!(living.fails("Promise.reject(new TypeError('no'))").message, "TypeError: no");
    living.cell("setTimeout(() => { throw new Error('in timer') }, 0)");
    living.cell("1");
    living.cell("await sleep(2)");
    assert!(living.out.contains("Uncaught Error: in timer"), "{}", living.out);
}

#[test]
fn a_cell_that_fails_keeps_what_it_had_done() {
    let mut living = Living::new();
    let failure = living.fails("let a = 1; const b = 2; a = 3; throw new Error('half'); a = 4");
    assert_eq!(failure.message, "Error: half");
    assert_eq!(living.value("[a, b]"), json!([3, 2]));
    assert_eq!(living.fails("let z = ;").kind, ErrorKind::ScriptError);
    assert_eq!(living.value("typeof z"), json!("undefined"));
    assert!(living.session.reusable());
}

#[test]
fn the_last_value_stays() {
    let mut living = Living::new();
    assert_eq!(living.value("6 * 7"), json!(42));
    assert_eq!(living.value("_ + 1"), json!(43));
    assert!(living.cell("undefined").shown.is_none());
    assert!(living.cell("let quiet = 1").shown.is_none());
    assert_eq!(living.value("_"), json!(43));
    assert_eq!(living.value("null"), json!(null));
    assert_eq!(living.value("_ === null"), json!(true));
    living.cell("const _ = { own: 1 }");
    living.cell("7");
    assert_eq!(living.value("_.own"), json!(1));
}

#[test]
fn an_object_may_be_typed_as_one() {
    let mut living = Living::new();
    assert_eq!(living.value("{ a: 1, b: [2] }"), json!({"a": 1, "b": [2]}));
    assert_eq!(living.value("{}"), json!({}));
    assert_eq!(living.value("{ let a = 1; a }"), json!(1));
    let failure = living.fails("{ a: missing() }");
    assert_eq!((failure.frames[0].line, failure.frames[0].column), (1, 6), "{failure:?}");
    assert_eq!(living.value("{ a: 1 } // an object"), json!({"a": 1}));
}

#[test]
fn a_skill_keeps_its_state_between_calls() {
    let mut living = Living::new();
    let source = "let n = 0;\nexport default function bump({ by }) { n += by; return n }";
    assert_eq!(living.skill(source, json!({"by": 2})).unwrap(), json!(2));
    assert_eq!(living.skill(source, json!({"by": 3})).unwrap(), json!(5));
    let other = "function run(p) { return [n, p.x] }";
    assert_eq!(living.skill(other, json!({"x": 1})).unwrap(), json!([5, 1]));
    assert_eq!(living.skill(source, json!({"by": 1})).unwrap(), json!(6));
    assert_eq!(living.value("[n, bump({ by: 10 })]"), json!([6, 16]));
    let body = "m = (globalThis.m ?? 0) + params.step; m";
    assert_eq!(living.skill(&format!("var {body}"), json!({"step": 1})).unwrap(), json!(1));
    assert_eq!(living.skill(&format!("var {body}"), json!({"step": 2})).unwrap(), json!(3));
    // The parameters are there in a function, too, and are no variable of the session.
    assert_eq!(living.skill("function run() { return params.x + skill.params.x }", json!({"x": 2})).unwrap(), json!(4));
    assert!(!living.names().contains(&"params".to_owned()));
    let waits = "export default async ({ ms }) => { await new Promise((d) => setTimeout(d, ms)); return ms }";
    assert_eq!(living.skill(waits, json!({"ms": 1})).unwrap(), json!(1));
    assert_eq!(living.skill(waits, json!({"ms": 2})).unwrap(), json!(2));
    let awaits = "const base = await Promise.resolve(40);\nasync function run({ x }) { return base + x }";
    assert_eq!(living.skill(awaits, json!({"x": 2})).unwrap(), json!(42));
    assert_eq!(living.skill(awaits, json!({"x": 3})).unwrap(), json!(43));
    // A result that is none is an error here, as in a run.
    assert!(living.skill("export default () => NaN", json!({})).unwrap_err().message.contains("NaN"));
    let failing = "let tries = (globalThis.tries ?? 0) + 1; if (tries < 2) throw new Error('first'); function run() { return tries }";
    assert!(living.skill(failing, json!({})).is_err());
    assert_eq!(living.skill(failing, json!({})).unwrap(), json!(2));
}

#[test]
fn typescript_cells_are_cells() {
    let mut living = Living::new();
    living.language = Language::TypeScript;
    living.cell("interface Point { x: number }\nenum Color { Red, Green = 5 }\nconst p: Point = { x: 1 } as Point");
    living.cell("class Shape<T> { constructor(private readonly name: string, public n?: T) {} get label(): string { return this.name } }");
    living.cell("let { x }: Point = p, list: number[] = [1, 2]!; function twice<T>(a: T): [T, T] { return [a, a] }");
    assert_eq!(
        living.value("[Color.Green, Color[0], new Shape<number>('s').label, x, list, twice<number>(3)]"),
        json!([5, "Red", "s", 1, [1, 2], [3, 3]])
    );
    assert_eq!(living.value("enum Color { Blue } Color.Blue satisfies number"), json!(0));
}

#[test]
fn a_living_session_serves_no_runs_and_changes_no_other() {
    let mut living = Living::new();
    living.cell(
        "let secret = 1; Array.prototype.last = function () { return this[this.length - 1] }; globalThis.extra = 2",
    );
    assert_eq!(living.value("[[1, 2].last(), extra]"), json!([2, 2]));
    let host: Arc<dyn Host> = living.host();
    let refused = living.session.run(&script(Language::JavaScript, "1"), &json!({}), &host).result.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    assert_eq!(value("[typeof secret, typeof [].last, typeof extra]"), json!(["undefined", "undefined", "undefined"]));
    // A session may have served runs before.
    let mut session = open();
    assert_eq!(
        run_in(&mut *session, Language::JavaScript, "const a = 1; a", json!({}), Limits::default()).0.result.unwrap(),
        json!(1)
    );
    living.session = session;
    assert_eq!(living.value("typeof a"), json!("undefined"));
}

#[test]
fn variables_are_read_and_written_from_outside() {
    let mut living = Living::new();
    living.cell("let a = 1, text = 'x'.repeat(200), bytes = new Uint8Array(1000); class B {} const f = () => 1, big = 2n ** 60n");
    let host: Arc<dyn Host> = living.host();
    let found = living.session.variables(&host).unwrap();
    let told: Vec<_> = found.iter().map(|v| (v.name.as_str(), v.type_name.as_str(), format!("{:?}", v.kind))).collect();
    let expected = [
        ("B", "Function", "Class"),
        ("a", "number", "Value"),
        ("big", "bigint", "Value"),
        ("bytes", "Uint8Array", "Value"),
        ("f", "Function", "Function"),
        ("text", "string", "Value"),
    ];
    assert_eq!(told, expected.map(|(a, b, c)| (a, b, c.to_owned())));
    assert_eq!(found[3].size, Some(1000));
    assert_eq!((found[0].shown.as_str(), found[1].shown.as_str()), ("[class B]", "1"));
    assert_eq!(found[5].shown.chars().count(), 80);
    assert_eq!(living.session.get("a", &host).unwrap(), json!(1));
    assert_eq!(living.session.get("big", &host).unwrap()["repr"], json!("1152921504606846976"));
    assert_eq!(living.session.get("none", &host).unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(living.session.get("Map", &host).unwrap_err().kind, ErrorKind::NotFound);
    let value = json!({"n": [1, u64::MAX], "s": "é"});
    living.session.set("given", &value, &host).unwrap();
    assert_eq!(living.value("[typeof given.n[1], given.s]"), json!(["bigint", "é"]));
    living.session.set("a", &json!(null), &host).unwrap();
    assert_eq!(living.value("a = 5; a"), json!(5));
    for bad in ["", "1a", "a b", "class", "a.b", "a\u{200d}", "a;b"] {
        assert_eq!(living.session.set(bad, &json!(1), &host).unwrap_err().kind, ErrorKind::InvalidArguments, "{bad}");
    }
}

#[test]
fn values_that_are_not_json_are_described() {
    let mut living = Living::with(Limits { result: Some(200), ..Limits::default() });
    assert_eq!(living.value("NaN"), json!({"$type": "number", "repr": "NaN"}));
    let cycle = living.value("const o = {}; o.o = o; o");
    assert_eq!(cycle["o"]["$type"], json!("cycle"));
    let large = living.cell("'x'.repeat(1000)");
    assert_eq!(large.evaluation.result.unwrap()["$type"], json!("string"));
    assert_eq!(large.shown.unwrap().text.len(), 1002);
    assert_eq!(living.value("let d = []; for (let i = 0; i < 200; i++) d = [d]; d")["$type"], json!("Array"));
    assert_eq!(living.value("({ get x() { throw new Error('no') } })")["$type"], json!("Object"));
}

#[test]
fn cells_that_change_what_the_language_brings_harm_only_themselves() {
    let mut living = Living::new();
    living.cell("let a = { n: [1, 2] }, m = new Map([[1, a]])");
    for source in [
        "Object.prototype.get = () => 1; Object.prototype.value = 5; Object.prototype.writable = false",
        "Array.prototype[Symbol.iterator] = undefined; Array.prototype.push = null; Array.prototype.toJSON = () => 'no'",
        "String.prototype.toJSON = () => 'no'; Map.prototype.forEach = undefined; Promise.prototype.then = null",
    ] {
        living.cell(source);
        assert_eq!(living.value("const again = a; again.n[1]"), json!(2), "{source}");
        assert_eq!(living.text("m"), "Map(1) { 1 => { n: [ 1, 2 ] } }", "{source}");
        assert!(living.names().contains(&"again".to_owned()));
    }
    let (mut other, lost) = living.revived();
    assert!(lost.iter().all(|lost| lost.why.contains("what the language brings")), "{lost:?}");
    assert_eq!(other.text("m"), "Map(1) { 1 => { n: [ 1, 2 ] } }");
    assert_eq!(other.value("[...m.keys()]"), json!([1]));
}

#[test]
fn a_cell_of_one_line_is_the_place_of_its_error() {
    let failure = Living::new().fails("null.x");
    assert_eq!(failure.frames.first().map(|frame| (frame.line, frame.source.as_deref())), Some((1, Some("null.x"))));
}

#[test]
fn what_modules_say_is_understood() {
    let mut living = Living::new();
    living.cell("import { echo, add as plus } from 'skill'; import all from 'skill'");
    assert_eq!(living.value("[echo(1), plus(1, 2), all.echo(3)]"), json!([1, 3, 3]));
    living.cell("export class Out { x = 1 }\nexport const { n, ...others } = { n: 1, m: 2 };\nconst local = 5; export { local as renamed }");
    assert_eq!(living.value("[new Out().x, n, others, local]"), json!([1, 1, {"m": 2}, 5]));
    living.cell("export default class Main { y = 2 }");
    assert_eq!(living.value("[new Main().y, Main.name]"), json!([2, "Main"]));
    assert_eq!(
        living.skill("export default async function go({ a }) { return a }", json!({"a": 1})).unwrap(),
        json!(1)
    );
    assert_eq!(living.value("go.name"), json!("go"));
    assert_eq!(living.skill("const pick = (p) => p.b; export { pick as default }", json!({"b": 2})).unwrap(), json!(2));
    assert_eq!(
        living.skill("export default class { static z = 3 }", json!({})).unwrap_err().kind,
        ErrorKind::ScriptError
    );
    assert!(living.fails("import fs from 'fs'").message.contains("cannot import \"fs\""));
    // A name that was imported goes with the session, because it leads to what every session has.
    let (mut other, lost) = living.revived();
    assert_eq!(lost, []);
    assert_eq!(other.value("[echo(4), new Main().y]"), json!([4, 2]));
}

#[test]
fn statements_may_stand_without_semicolons() {
    let mut living = Living::new();
    assert_eq!(
        living.value("let a = 1\nlet [b, c] = [2, 3]\nclass D {}\n[a, b].forEach((x) => { c += x })\nfunction e() {}\n(a + c)\nvar f\nswitch (c) { case 6: var g = 1; break }\nif (g)\n  var h = 2\nelse\n  var i = 3\n;[a, c, g, h]"),
        json!([1, 6, 1, 2])
    );
    assert_eq!(living.value("label: for (const x of [1, 2]) { for (;;) continue label } 'done'"), json!("done"));
    assert_eq!(living.value("try { throw 1 } catch { 'caught' }"), json!("caught"));
}

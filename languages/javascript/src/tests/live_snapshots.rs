use super::live_support::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use skills_core::{ErrorKind, Host, Language, Limits, Lost, Snapshot};
use std::sync::Arc;

/// What a session with these cells shows of an expression, before and after it was a snapshot. Nothing may be lost.
fn same(cells: &[&str], expression: &str) {
    let mut living = Living::new();
    for cell in cells {
        living.value(cell);
    }
    let before = living.value(expression);
    let (mut other, lost) = living.revived();
    assert_eq!(lost, [], "{cells:?}");
    assert_eq!(other.value(expression), before, "{cells:?}: {expression}");
    // What was restored can be kept again.
    let (mut third, lost) = other.revived();
    assert_eq!(lost, [], "{cells:?}");
    assert_eq!(third.value(expression), before, "{cells:?}, twice: {expression}");
}

fn lost(cells: &[&str]) -> (Living, Vec<Lost>) {
    let mut living = Living::new();
    for cell in cells {
        living.value(cell);
    }
    living.revived()
}

#[test]
fn values_of_every_kind_are_kept() {
    same(
        &["let a = 1.5, b = 'é\\ud800', c = [true, null, undefined], d = -0, e = NaN, f = -Infinity, g = -(2n ** 70n)"],
        "[a, b.length, b.charCodeAt(1), c.length, 2 in c, Object.is(d, -0), Number.isNaN(e), f === -Infinity, `${g}`]",
    );
    same(
        &["const o = { n: 1, 'a b': { x: [1, , 3] }, __proto__: null, ['__proto__']: 5 }"],
        "[Object.keys(o), 1 in o['a b'].x, o['a b'].x.length, Object.getPrototypeOf(o), o.__proto__]",
    );
    same(
        &["const d = new Date(5), bad = new Date(NaN), r = /a(b)\\/?/gi; r.lastIndex = 3"],
        "[d.getTime(), isNaN(bad), r.source, r.flags, r.lastIndex]",
    );
    same(
        &["const m = new Map([[{ k: 1 }, 'v'], [NaN, new Set([1, 'x'])]]); m.extra = 1"],
        "[[...m.keys()][0].k, m.get(NaN).has('x'), m.size, m.extra]",
    );
    same(
        &[
            "const buffer = new ArrayBuffer(16), bytes = new Uint8Array(buffer, 4, 4), floats = new Float64Array([1.5, -0]), view = new DataView(buffer, 2); bytes.set([1, 2, 255])",
        ],
        "[bytes.buffer === buffer, view.buffer === buffer, [...bytes], view.getUint8(4), floats[0], Object.is(floats[1], -0), bytes.byteOffset, view.byteOffset]",
    );
    same(
        &[
            "const e = new TypeError('no', { cause: 1 }); e.code = 7; const own = new (class Mine extends Error { name = 'Mine' })('m')",
        ],
        "[e instanceof TypeError, e.message, e.cause, e.code, own instanceof Error, own.name, own.message]",
    );
    same(
        &[
            "const boxed = [new Number(-0), new String('text'), new Boolean(false), Object(5n), Object(Symbol.iterator)]",
        ],
        "boxed.map((b) => [typeof b, b.valueOf() === Symbol.iterator || String(b)])",
    );
    same(
        &["const s = Symbol('own'), t = Symbol.for('shared'), o = { [s]: 1, [t]: 2, [Symbol.toStringTag]: 'Tag' }"],
        "[o[s], o[t], o[Symbol.for('shared')], `${o}`, s.description]",
    );
    same(
        &["const sparse = []; sparse[1e6] = 1; sparse.name = 'far'"],
        "[sparse.length, sparse[1e6], Object.keys(sparse).length, sparse.name]",
    );
    same(
        &[
            "const frozen = Object.freeze({ a: [1] }), sealed = Object.seal([1]), fixed = Object.defineProperty({}, 'x', { value: 1 })",
        ],
        "[Object.isFrozen(frozen), Object.isSealed(sealed), Object.getOwnPropertyDescriptor(fixed, 'x')]",
    );
    same(
        &["const world = [Math, Map, console.log, Array.prototype.map, skill.echo, globalThis, Object.prototype]"],
        "[world[0] === Math, world[1] === Map, world[2] === console.log, world[3] === [].map, world[4](5), world[5] === globalThis, world[6] === Object.prototype]",
    );
}

#[test]
fn cycles_and_sharing_are_kept() {
    same(
        &["const a = { name: 'a' }, b = { a }; a.b = b; const list = [a, b, a]; a.list = list", "let alias = a"],
        "[a.b.a === a, list[0] === list[2], a.list === list, alias === a]",
    );
    same(
        &["const m = new Map(); m.set(m, m); const s = new Set([m]); s.add(s)"],
        "[m.get(m) === m, s.has(s), s.has(m)]",
    );
    same(
        &["let chain = null; for (let i = 0; i < 20000; i++) chain = { next: chain }"],
        "(() => { let n = 0; for (let c = chain; c; c = c.next) n++; return n })()",
    );
}

#[test]
fn functions_and_classes_are_kept_by_their_source() {
    same(
        &[
            "let n = 10; const add = (x) => x + n; function twice(f) { return (x) => add(add(x)) } async function later() { return n }",
            "function* count() { yield 1; yield n } const o = { [Symbol.iterator]: function* () { yield 'it' }, *[Symbol.asyncIterator]() { yield 'own' }, m(x) { return x + this.k }, k: 5, get g() { return this.k * 2 }, set g(v) { this.k = v }, async *a() { yield 1 } }",
            "function Old(x) { this.x = x } Old.prototype.show = function () { return `old ${this.x}` }; Old.count = 3; const old = new Old(1)",
        ],
        "o.g = 7; [...o, ...o[Symbol.asyncIterator](), add(1), add.name, twice()(1), twice.name, await later(), [...count()], o.m(1), o.g, old.show(), old instanceof Old, old.constructor === Old, Old.count]",
    );
    same(
        &[
            "class Shape { static made = 0; static make(...a) { return new this(...a) } constructor(n) { this.n = n; Shape.made++ } get area() { return 0 } describe() { return `${this.constructor.name} ${this.area}` } }",
            "class Square extends Shape { get area() { return this.n ** 2 } describe() { return `[${super.describe()}]` } }",
            "const shapes = [Square.make(3), new Shape(1)], anonymous = class { x = 1 }, it = new anonymous(); class Bag extends Map { first() { return [...this.keys()][0] } } const bag = new Bag([['k', 1]])",
            "Shape.prototype.extra = (x) => x * 2",
        ],
        "[shapes[0].describe(), shapes[0] instanceof Shape, shapes[0].constructor === Square, Shape.made, Square.name, it.x, it instanceof anonymous, anonymous.name, bag.first(), bag instanceof Bag, shapes[1].extra(4)]",
    );
    // A function calls what has its name when it is called.
    let mut living = Living::new();
    living.cell("function f(n) { return n ? g(n) : 'end' } function g(n) { return f(n - 1) }");
    let (mut other, lost) = living.revived();
    assert_eq!(lost, []);
    other.cell("function g(n) { return 'new' }");
    assert_eq!(other.value("f(3)"), json!("new"));
}

#[test]
fn what_cannot_be_kept_is_named_and_the_rest_is_kept() {
    let (mut living, lost) = lost(&[
        "const adder = (n) => (x) => x + n; const add5 = adder(5)",
        "const promise = Promise.resolve(1), weak = new WeakMap(), proxy = new Proxy({}, {}), gen = (function* () { yield 1 })(), bound = adder.bind(null)",
        "const nested = { kept: 1, deep: [{ 'p q': promise }] }",
        "class Vault { #code = 42; label = 'v'; arrow = () => this.label; open() { return this.#code } } const vault = new Vault()",
        "const made = new Function('return 1'); let fine = [1]; { let hidden = 1; var counter = () => hidden }",
    ]);
    let why = |name: &str| {
        lost.iter().filter(|lost| lost.name == name).map(|lost| lost.why.as_str()).collect::<Vec<_>>().join("; ")
    };
    assert!(why("add5").contains("uses `n`, which belongs to what surrounds it"), "{lost:?}");
    assert!(why("counter").contains("uses `hidden`"), "{lost:?}");
    for (name, text) in [
        ("promise", "a promise"),
        ("weak", "a WeakMap"),
        ("proxy", "a proxy"),
        ("gen", "a generator"),
        ("bound", "native or bound"),
        ("made", "not known"),
    ] {
        assert!(why(name).contains(text), "{name}: {lost:?}");
    }
    assert!(why("nested").contains("nested.deep[0][\"p q\"]: a promise"), "{lost:?}");
    assert!(why("vault").contains("the private fields of Vault are not kept"), "{lost:?}");
    assert!(why("vault").contains("vault.arrow: this function is more than its source: it uses `this`"), "{lost:?}");
    assert_eq!(lost.len(), 11, "{lost:?}");
    assert_eq!(living.names(), ["Vault", "adder", "fine", "nested", "vault"]);
    assert_eq!(living.value("[fine, nested.kept, nested.deep[0]['p q'] ?? null, vault.label, vault instanceof Vault, adder(1)(2), new Vault().open()]"), json!([[1], 1, null, "v", true, 3, 42]));
}

#[test]
fn names_keep_what_they_are() {
    let mut living = Living::new();
    living.cell("const fixed = 1; let open = 2; const Map = 'mine'; /** Says hello. */ function hello(name = 'you') { return `hello ${name}` }");
    living.cell("40 + 2");
    let (mut other, lost) = living.revived();
    assert_eq!(lost, []);
    assert_eq!(other.names(), ["Map", "fixed", "hello", "open"]);
    assert_eq!(other.value("[_, Map, hello()]"), json!([42, "mine", "hello you"]));
    assert!(other.fails("fixed = 2").message.starts_with("TypeError"));
    assert_eq!(other.value("open = 3; const fixed = 5; fixed + open"), json!(8));
    let host: Arc<dyn Host> = other.host();
    let found = other.session.inspect("hello", &host).unwrap();
    assert_eq!((found.doc.as_deref(), found.signature.as_deref()), (Some("Says hello."), Some("hello(name = 'you')")));
}

#[test]
fn a_snapshot_may_be_as_large_as_the_session() {
    let mut living = Living::with(Limits { memory: Some(24 << 20), ..Limits::default() });
    living.cell("const bytes = new Uint8Array(3 << 20).fill(7), texts = Array.from({ length: 2000 }, (_, i) => 'x'.repeat(1000) + i)");
    let (mut other, lost) = living.revived();
    assert_eq!(lost, []);
    assert_eq!(other.value("[bytes.length, bytes[99], texts[1999].length]"), json!([3 << 20, 7, 1004]));
}

#[test]
fn a_skill_goes_on_where_it_was() {
    let mut living = Living::new();
    let source = "let n = 0;\nexport default ({ by }) => { n += by; return n }";
    assert_eq!(living.skill(source, json!({"by": 2})).unwrap(), json!(2));
    let (mut other, lost) = living.revived();
    assert_eq!(lost, []);
    assert_eq!(other.skill(source, json!({"by": 3})).unwrap(), json!(5));
}

#[test]
fn restored_functions_are_found_where_they_stood() {
    let mut living = Living::new();
    living.language = Language::TypeScript;
    living.cell("const before = 1");
    living.cell("\n  function bad(x: number): void {\n    throw new RangeError(`bad ${x}`);\n  }\n  const arrow = (): void => bad(1)");
    for limits in [Limits::default(), Limits { operations: Some(1000), recursion: Some(100), ..Limits::default() }] {
        living.limits = limits;
        let (mut other, lost) = living.revived();
        assert_eq!(lost, []);
        let failure = other.fails("arrow()");
        assert_eq!(failure.message, "RangeError: bad 1");
        let places: Vec<_> = failure.frames.iter().map(|f| (f.file.as_str(), f.line, f.function.as_deref())).collect();
        assert_eq!(places, [("<cell 2>", 3, Some("bad")), ("<cell 2>", 5, Some("arrow")), ("<cell 1>", 1, None)]);
        assert_eq!(failure.frames[0].source.as_deref(), Some("    throw new RangeError(`bad ${x}`);"));
    }
}

#[test]
fn counted_functions_are_kept_and_counted_again() {
    let mut living = Living::with(Limits { operations: Some(50), recursion: Some(20), ..Limits::default() });
    living.cell("const sum = (n) => { let s = 0; for (let i = 0; i < n; i++) s += i; return s }, inc = (x) => x + 1; class A { go(n) { return n ? this.go(n - 1) : 'ok' } } const a = new A()");
    let (mut other, lost) = living.revived();
    assert_eq!(lost, []);
    assert_eq!(other.value("[sum(10), inc(1), a.go(5)]"), json!([45, 2, "ok"]));
    assert_eq!(other.fails("sum(100)").kind, ErrorKind::OperationLimit);
    assert_eq!(other.fails("a.go(30)").kind, ErrorKind::RecursionLimit);
    let host: Arc<dyn Host> = other.host();
    assert_eq!(other.session.inspect("inc", &host).unwrap().source.as_deref(), Some("(x) => x + 1"));
}

#[test]
fn a_snapshot_runs_nothing_of_the_session() {
    let mut living = Living::new();
    living.cell("let ran = []; const trap = { get g() { ran.push('getter'); return 1 }, get [Symbol.toStringTag]() { ran.push('tag'); return 'x' }, toJSON() { ran.push('json') } }; class T { static { ran.push('static') } get [Symbol.toStringTag]() { ran.push('tag2'); return 'T' } } const t = new T(); ran = []");
    let host: Arc<dyn Host> = living.host();
    assert_eq!(living.snapshot().lost, []);
    living.session.variables(&host).unwrap();
    living.session.complete("trap.", 5, &host).unwrap();
    living.session.inspect("trap.g", &host).unwrap();
    assert_eq!(living.value("ran"), json!([]));
}

#[test]
fn a_snapshot_that_is_none_is_refused() {
    let mut living = Living::new();
    living.cell("let a = 1");
    let good = living.snapshot();
    assert_eq!(good.format, "javascript-1");
    let host: Arc<dyn Host> = living.host();
    let refused = |snapshot: Snapshot| Living::new().session.restore(&snapshot, &host).unwrap_err();
    for bad in [
        Snapshot { language: Language::Python, ..good.clone() },
        Snapshot { format: "javascript-0".into(), ..good.clone() },
        Snapshot { bytes: b"nothing".to_vec(), ..good.clone() },
        Snapshot { bytes: vec![0xff, 0xfe], ..good.clone() },
        Snapshot { bytes: good.bytes[..good.bytes.len() - 5].to_vec(), ..good.clone() },
        Snapshot {
            bytes: String::from_utf8(good.bytes.clone()).unwrap().replace("\"roots\"", "\"rots\"").into_bytes(),
            ..good.clone()
        },
    ] {
        let failure = refused(bad.clone());
        assert_eq!(failure.kind, ErrorKind::InvalidArguments, "{bad:?}: {failure:?}");
    }
}

#[test]
fn changes_to_the_language_and_timers_are_named() {
    let (mut living, lost) =
        lost(&["Array.prototype.last = function () { return 1 }; setTimeout(() => {}, 100000); let a = 1"]);
    let names: Vec<_> = lost.iter().map(|lost| lost.name.as_str()).collect();
    assert_eq!(names, ["setTimeout", "Array.prototype"]);
    assert_eq!(living.value("a"), json!(1));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_values_survive(values in prop::collection::vec(any_json(), 1..4)) {
        let mut living = Living::new();
        let host: Arc<dyn Host> = living.host();
        for (index, value) in values.iter().enumerate() {
            living.session.set(&format!("v{index}"), value, &host).unwrap();
        }
        living.cell("const shared = { v0, again: v0 }, map = new Map([[v0, new Set([v0])]])");
        let before: Vec<_> = (0..values.len()).map(|i| living.session.get(&format!("v{i}"), &host).unwrap()).collect();
        let (mut other, lost) = living.revived();
        prop_assert_eq!(lost, []);
        let host: Arc<dyn Host> = other.host();
        for (index, value) in before.iter().enumerate() {
            prop_assert_eq!(&other.session.get(&format!("v{index}"), &host).unwrap(), value);
        }
        prop_assert_eq!(other.value("[Object.is(shared.v0, v0), Object.is(shared.again, v0), map.get(v0).has(v0)]"), json!([true, true, true]));
    }
}

use super::support::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use skills_core::{ErrorKind, Language, Limits, Session};
use std::cell::RefCell;

thread_local! {
    static SESSION: RefCell<Option<Box<dyn Session>>> = const { RefCell::new(None) };
}

/// Sends a value through a script and through a host function.
fn round(source: &str, value: &Value) -> Value {
    SESSION.with_borrow_mut(|session| {
        let session = session.get_or_insert_with(open);
        run_in(&mut **session, Language::JavaScript, source, json!({"v": value}), Limits::none()).0.result.unwrap()
    })
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-(1i64 << 53)..(1i64 << 53)).prop_map(Value::from),
        any::<f64>().prop_filter("finite, not whole", |f| f.is_finite() && f.fract() != 0.0).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("\u{0}\u{1F600}\u{2028}")),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..6).prop_map(|members| {
                // Integer-like names come first in a JavaScript object, whatever the order they came in.
                Value::Object(members.into_iter().filter(|(k, _)| k.parse::<u32>().is_err()).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_json_holds_comes_back(value in json_value()) {
        prop_assert_eq!(&round("params.v", &value), &value);
        prop_assert_eq!(&round("skill.echo(params.v)", &value), &value);
        prop_assert_eq!(round("params.v", &value).to_string(), value.to_string());
    }
}

#[test]
fn names_that_objects_have_are_plain_names() {
    let value =
        json!({"__proto__": {"a": 1}, "constructor": 1, "toString": null, "hasOwnProperty": [2], "then": 3, "": 4});
    assert_eq!(round("params.v", &value), value);
    assert_eq!(round("skill.echo(params.v)", &value), value);
}

#[test]
fn integers_keep_their_digits() {
    assert_eq!(value("2 ** 53"), json!(9007199254740992u64));
    assert_eq!(value("-(2 ** 53)"), json!(-9007199254740992i64));
    assert_eq!(value("2.0"), json!(2));
    assert_eq!(value("12345678901234567890n"), json!({"$type": "integer", "repr": "12345678901234567890"}));
    assert_eq!(value("7n"), json!(7));
    assert_eq!(
        with("[typeof params.n, params.n + 1n, params.d.e[1]]", json!({"n": i64::MAX, "d": {"e": [1, u64::MAX]}}))
            .result
            .unwrap(),
        json!(["bigint", {"$type": "integer", "repr": "9223372036854775808"}, {"$type": "integer", "repr": "18446744073709551615"}])
    );
    assert_eq!(with("typeof params.n", json!({"n": 9007199254740992u64})).result.unwrap(), json!("number"));
    assert_eq!(value("[0, -0]").to_string(), "[0,-0.0]");
}

#[test]
fn what_json_cannot_hold_is_described_or_refused() {
    assert_eq!(
        value("({f: function area() {}, c: class Box {}, s: Symbol('q'), u: undefined, a: [undefined]})"),
        json!({"f": {"$type": "function", "repr": "[function area]"}, "c": {"$type": "function", "repr": "[class Box]"},
               "s": {"$type": "symbol", "repr": "Symbol(q)"}, "a": [null]})
    );
    assert_eq!(value("const a = {n: 1}; a.self = a; a"), json!({"n": 1, "self": {"$type": "cycle", "repr": "{...}"}}));
    assert_eq!(value("const a = {n: 1}; [a, a]"), json!([{"n": 1}, {"n": 1}]));
    assert_eq!(value("new Date(0)"), json!({"$type": "date", "repr": "1970-01-01T00:00:00.000Z"}));
    assert_eq!(value("new Date(NaN)"), json!({"$type": "date", "repr": "Invalid Date"}));
    assert_eq!(
        value("[/a+/g, new TypeError('no')]"),
        json!([{"$type": "regexp", "repr": "/a+/g"}, {"$type": "error", "repr": "TypeError: no"}])
    );
    assert_eq!(value("new Set([1, 'a'])"), json!([1, "a"]));
    assert_eq!(value("new Map([['a', 1]])"), json!({"a": 1}));
    assert_eq!(value("new Map([[1, 2]])"), json!([[1, 2]]));
    assert_eq!(value("new Float64Array([1, 2.5])"), json!([1, 2.5]));
    let bytes = json!({"$type": "bytes", "length": 4, "base64": "AAECAw=="});
    assert_eq!(value("new Uint8Array([0, 1, 2, 3])"), bytes);
    assert_eq!(value("new Uint8Array([9, 0, 1, 2, 3]).subarray(1)"), bytes);
    assert_eq!(value("new DataView(new Uint8Array([9, 0, 1, 2, 3]).buffer, 1)"), bytes);
    assert_eq!(value("class P { x = 1; get y() { return 2 } }\nnew P()"), json!({"x": 1}));
    let refused = failure("({items: [0, 1, {price: 0 / 0}]})");
    assert_eq!(
        (refused.kind, refused.message.as_str()),
        (ErrorKind::ScriptError, "result.items[2].price is NaN, which JSON cannot hold")
    );
    assert!(failure("-1 / 0").message.contains("-Infinity"));
    assert!(failure("let a = []; for (let i = 0; i < 101; i++) a = [a]; a").message.contains("deeper than 100"));
    assert!(js("let a = []; for (let i = 0; i < 99; i++) a = [a]; a").result.is_ok());
    assert!(failure("skill.echo(NaN)").message.contains("argument 1 of skill.echo holds NaN"));
}

#[test]
fn strings_are_whole() {
    assert_eq!(value("'\\u0000a\\u{1F600}'"), json!("\u{0}a\u{1F600}"));
    assert_eq!(value("'a\\ud800b'"), json!({"$type": "string", "repr": r#""a\ud800b""#}));
    assert_eq!(with("params.s.length", json!({"s": "é\u{1F600}"})).result.unwrap(), json!(3));
}

#[test]
fn the_additions_work() {
    assert_eq!(value("new TextDecoder().decode(new TextEncoder().encode('aé€\\u{1F600}'))"), json!("aé€\u{1F600}"));
    assert_eq!(value("new TextDecoder().decode(new Uint8Array([0x61, 0xff, 0xe2, 0x82]))"), json!("a\u{fffd}\u{fffd}"));
    assert_eq!(
        value(
            "const a = {d: new Date(5), m: new Map([[1, [2]]])}; a.me = a;\nconst b = structuredClone(a);\n[b !== a, b.me === b, b.d.getTime(), b.m.get(1)]"
        ),
        json!([true, true, 5, [2]])
    );
}

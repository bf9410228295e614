use super::host::{TestHost, failure, run_on, value, value_with};
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};
use skills_core::value::{ELEMENT_COST, MEMBER_COST};
use skills_core::{ErrorKind, Limits};

fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |f| Number::from_f64(f).map(Value::Number)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        ".*".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// What the elements and members of a value count for beside its text.
fn held(value: &Value) -> u64 {
    match value {
        Value::Array(items) => items.iter().map(|item| ELEMENT_COST as u64 + held(item)).sum(),
        Value::Object(members) => members.values().map(|item| MEMBER_COST as u64 + held(item)).sum(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_comes_back_as_it_went_in(value in any_json()) {
        let back = value_with("[params['v'], skill.echo(params['v'])]", json!({"v": value}));
        prop_assert_eq!(back.to_string(), json!([value, value]).to_string());
    }

    #[test]
    fn the_size_of_a_result_is_its_text_and_what_holding_it_takes(value in any_json()) {
        let size = value.to_string().len() as u64 + held(&value);
        let limited = |limit| {
            let host = TestHost::new(Limits { result: Some(limit), ..Limits::default() });
            run_on(&host, "params['v']", json!({"v": value})).result
        };
        // Integers of 20 digits are counted as such, whatever their length.
        prop_assert!(limited(size * 3 + 40).is_ok());
        prop_assert!(size < 4 || limited(size / 2 - 1).is_err());
    }
}

#[test]
fn what_json_cannot_hold_is_described() {
    assert_eq!(value("2**70"), json!({"$type": "integer", "repr": "1180591620717411303424"}));
    assert_eq!(value("-2**63 - 1")["repr"], "-9223372036854775809");
    assert_eq!(value("[2**64 - 1, -2**63]"), json!([u64::MAX, i64::MIN]));
    assert!(value("1 << 100_000")["repr"].as_str().unwrap().starts_with("0x1000"));
    assert_eq!(value("b'ab\\xff'"), json!({"$type": "bytes", "length": 3, "base64": "YWL/"}));
    assert_eq!(value("bytearray(b'a')")["$type"], "bytes");
    assert_eq!(value("def area(): pass\narea"), json!({"$type": "function", "repr": "<function area>"}));
    assert_eq!(value("len")["$type"], "function");
    assert_eq!(value("class A: pass\nA")["$type"], "class");
    assert_eq!(value("object()"), json!({"$type": "object", "repr": "<object object>"}));
    assert_eq!(value("import datetime\ndatetime.date(2024, 2, 3)"), json!({"$type": "date", "repr": "2024-02-03"}));
    assert_eq!(value("import decimal\ndecimal.Decimal('1.50')"), json!({"$type": "Decimal", "repr": "1.50"}));
    assert_eq!(value("1j"), json!({"$type": "complex", "repr": "1j"}));
}

#[test]
fn collections_are_arrays_and_objects() {
    assert_eq!(value("(1, [2.0, True])"), json!([1, [2.0, true]]));
    assert_eq!(value("{3}"), json!([3]));
    assert_eq!(value("[frozenset(), range(3), {'a': 1}.keys()]"), json!([[], [0, 1, 2], ["a"]]));
    assert_eq!(
        value("{1: 'a', None: 'b', True: 'c', 1.5: 'd', (1, 2): 'e'}"),
        json!({"1": "c", "null": "b", "1.5": "d", "(1, 2)": "e"})
    );
    assert_eq!(value("{'z': 1, 'a': 2}").to_string(), r#"{"z":1,"a":2}"#);
    assert_eq!(
        value("import enum, collections\nclass E(enum.IntEnum): A = 1\n[E.A, collections.OrderedDict(a=1)]"),
        json!([1, {"a": 1}])
    );
    assert!(failure("{1: 'a', '1': 'b'}").message.contains("two different keys"));
}

#[test]
fn strings_are_whole() {
    assert_eq!(value("'a\\0b\\U0001F600é'"), json!("a\0b😀é"));
    let described = |repr: &str| json!({"$type": "string", "repr": repr});
    assert_eq!(value("'x\\ud800y'"), described(r#""x\ud800y""#));
    assert_eq!(
        failure("{'\\udfff': 1}").message,
        "result has a key with half a character (a lone surrogate), which JSON cannot hold"
    );
    assert_eq!(value("skill.echo('\\ud800')"), described(r#""\ud800""#));
}

#[test]
fn numbers_that_json_lacks_are_errors_that_say_where() {
    let failure = failure("{'items': [1, {'unit price': float('nan')}]}");
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert_eq!(failure.message, r#"result.items[1]["unit price"] is nan, which JSON cannot hold"#);
    assert!(super::host::failure("float('-inf')").message.contains("result is -inf"));
    assert_eq!(super::host::failure("skill.echo(float('inf'))").kind, ErrorKind::ScriptError);
}

#[test]
fn cycles_and_depth_are_bounded() {
    assert_eq!(value("a = [1]\na.append(a)\na"), json!([1, {"$type": "cycle", "repr": "<list that contains itself>"}]));
    assert_eq!(value("a = [1]\n[a, a]"), json!([[1], [1]]), "the same object twice is no cycle");
    let nested = |depth| format!("x = []\nfor i in range({depth} - 1): x = [x]\nx");
    assert!(value(&nested(100)).is_array());
    assert!(failure(&nested(101)).message.contains("nested deeper than 100 levels"));
    let deepest = failure(&nested(10_000));
    assert!(deepest.message.contains("nested deeper than 100 levels"), "{deepest:?}");
}

#[test]
fn objects_that_misbehave_when_looked_at_are_survived() {
    let object = |body: &str| format!("class A:\n    def __repr__(self): {body}\nA()");
    assert_eq!(
        value(&object("raise ValueError('no')")),
        json!({"$type": "A", "repr": "<A whose repr raises ValueError>"})
    );
    assert_eq!(value(&object("return 5"))["repr"], "<A whose repr raises TypeError>");
    assert_eq!(value(&object("return repr(self)"))["repr"], "<A whose repr raises RecursionError>");
    assert_eq!(value(&object("return 'x' * 1_000_000"))["repr"].as_str().unwrap().chars().count(), 201);
    let growing =
        "class A:\n    def __repr__(self):\n        d['x' + str(len(d))] = 1\n        return 'a'\nd = {'a': A()}\nd";
    assert!(failure(growing).message.contains("changed while it was read"));
    assert_eq!(
        value("class A:\n    def __repr__(self):\n        l.clear()\n        return 'a'\nl = [A(), 1, 2]\nl")
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

use super::hosts::{failure, run_with, value};
use proptest::prelude::*;
use serde_json::{Value, json};
use skills_core::value::MAX_DEPTH;
use skills_core::{ErrorKind, Limits};

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_comes_back_as_it_went(given in json_values()) {
        let params = json!({"v": given});
        let back = run_with("fn run(p) { skill.echo(p.v) }", params, Limits::none()).result.unwrap();
        prop_assert_eq!(back, given);
    }

    #[test]
    fn any_source_ends_without_a_panic(source in ".{0,80}") {
        let limits = Limits { operations: Some(10_000), ..Limits::default() };
        let _ = run_with(&source, json!({}), limits);
    }
}

#[test]
fn integers_beyond_i64_are_described() {
    let back = run_with("params.n", json!({"n": u64::MAX}), Limits::none()).result.unwrap();
    assert_eq!(back, json!({"$type": "integer", "repr": "18446744073709551615"}));
    let edge = run_with("params.n", json!({"n": i64::MIN}), Limits::none()).result.unwrap();
    assert_eq!(edge, json!(i64::MIN));
}

#[test]
fn what_json_cannot_hold_is_described() {
    assert_eq!(value("'é'"), json!("é"));
    assert_eq!(value("2.0").to_string(), "2.0");
    assert_eq!(value("let b = blob(); b += 1; b += 255; b"), json!({"$type": "bytes", "length": 2, "base64": "Af8="}));
    assert_eq!(value("fn f() {} Fn(\"f\")"), json!({"$type": "function", "repr": "Fn(\"f\")"}));
    assert_eq!(value("|x| x + 1"), json!({"$type": "function", "repr": "closure"}));
    assert_eq!(value("0..5"), json!({"$type": "range", "repr": "0..5"}));
    assert_eq!(value("0..=5"), json!({"$type": "range", "repr": "0..=5"}));
    assert_eq!(value("timestamp()")["$type"], json!("timestamp"));
    assert_eq!(value("skill"), json!({"$type": "module", "repr": "skill"}));
    assert_eq!(value("skill.fs")["$type"], json!("Group"));
}

#[test]
fn numbers_that_are_none_say_where() {
    let nan = failure("#{items: [1, 0.0 / 0.0]}");
    assert_eq!(nan.kind, ErrorKind::ScriptError);
    assert_eq!(nan.message, "result.items[1] is NaN, which JSON cannot hold");
    let infinite = failure("skill.echo([1.0 / 0.0])");
    assert_eq!(infinite.message, "argument[0] is infinite, which JSON cannot hold");
    assert_eq!(infinite.frames[0].line, 1);
}

#[test]
fn depth_is_bounded() {
    let nest = |n: usize| format!("let a = []; for i in 1..{n} {{ a = [a]; }} a");
    assert_eq!(skills_core::value::depth(&value(&nest(MAX_DEPTH))), MAX_DEPTH);
    assert!(failure(&nest(MAX_DEPTH + 2)).message.contains("deeper than 100"));
}

#[test]
fn strings_hold_all_of_unicode() {
    let odd = "a\0b\u{1F600}\u{FFFF}\u{200D}é";
    assert_eq!(run_with("params.s", json!({"s": odd}), Limits::none()).result.unwrap(), json!(odd));
    assert_eq!(value("\"\\U0001F600\".len()"), json!(1));
}

#[test]
fn a_value_that_closures_share_comes_out_as_it_is() {
    assert_eq!(value("let n = 1; let f = || { n += 1; n }; f.call(); f.call(); [n]"), json!([3]));
    assert_eq!(value("let n = #{a: 1}; let f = || n; n"), json!({"a": 1}));
}

use super::{MAX_RESULT, to_json};
use serde::Serialize;
use serde_json::{Value, json};
use skills_core::{ErrorKind, LimitName};
use std::collections::BTreeMap;

#[derive(Serialize, Clone)]
enum Shape {
    Empty,
    Round(f64),
    Pair(f64, f32),
    Box { wide: f64, high: Option<f64> },
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Meters(f64);

#[derive(Serialize)]
struct Both(i8, u64);

#[derive(Serialize)]
struct Everything {
    shapes: Vec<Shape>,
    keyed: BTreeMap<i32, (char, bool)>,
    unit: Unit,
    meters: Meters,
    both: Both,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<u8>,
    #[serde(flatten)]
    more: BTreeMap<&'static str, Value>,
}

fn everything() -> Everything {
    Everything {
        shapes: vec![
            Shape::Empty,
            Shape::Round(1.5),
            Shape::Pair(0.1, 0.5),
            Shape::Box { wide: -1.0, high: None },
            Shape::Box { wide: 2.0, high: Some(3.0) },
        ],
        keyed: [(-1, ('ä', true)), (2, ('b', false))].into(),
        unit: Unit,
        meters: Meters(7.25),
        both: Both(-128, u64::MAX),
        left_out: None,
        more: [("z", json!({"a": [null, {}]})), ("a", json!([]))].into(),
    }
}

fn message<T: Serialize>(value: &T) -> String {
    let failure = to_json(value, "f").unwrap_err();
    assert_eq!(failure.kind, ErrorKind::ScriptError, "{failure}");
    failure.message
}

#[test]
fn what_json_holds_is_what_serde_json_makes_of_it() {
    assert_eq!(to_json(&everything(), "f").unwrap(), serde_json::to_value(everything()).unwrap());
    for value in [json!(null), json!("x"), json!([1, [2.5], {"a": {"b": false}}]), json!({})] {
        assert_eq!(to_json(&value, "f").unwrap(), value);
    }
    assert_eq!(to_json(&i128::from(u64::MAX), "f").unwrap(), json!(u64::MAX));
}

#[test]
fn a_number_that_json_cannot_hold_is_named_with_its_place() {
    assert_eq!(message(&f64::NAN), "the result of skill.f is NaN, which JSON cannot hold");
    assert_eq!(message(&Some(f32::INFINITY)), "the result of skill.f is infinity, which JSON cannot hold");
    assert_eq!(message(&vec![0.0, -1.0 / 0.0]), "result[1] of skill.f is -infinity, which JSON cannot hold");
    let mut value = everything();
    value.shapes.truncate(2);
    value.shapes.push(Shape::Box { wide: 1.0, high: Some(f64::NAN) });
    assert_eq!(message(&value), "result.shapes[2].Box.high of skill.f is NaN, which JSON cannot hold");
    value.shapes[2] = Shape::Pair(1.0, f32::NAN);
    assert_eq!(message(&value), "result.shapes[2].Pair[1] of skill.f is NaN, which JSON cannot hold");
    value.shapes[2] = Shape::Round(f64::NAN);
    assert_eq!(message(&value), "result.shapes[2].Round of skill.f is NaN, which JSON cannot hold");
    // What came before has been left again.
    value = everything();
    value.meters = Meters(f64::NAN);
    assert_eq!(message(&value), "result.meters of skill.f is NaN, which JSON cannot hold");
    let keyed: BTreeMap<&str, f64> = [("a", 1.0), ("unit price", f64::NAN)].into();
    assert_eq!(message(&keyed), r#"result["unit price"] of skill.f is NaN, which JSON cannot hold"#);
}

#[test]
fn what_is_no_json_says_why() {
    let keyed: BTreeMap<Option<Vec<u8>>, u8> = [(Some(vec![1]), 1)].into();
    assert_eq!(message(&keyed), "the result of skill.f cannot be JSON: key must be a string");
    assert_eq!(message(&u128::MAX), "the result of skill.f cannot be JSON: number out of range");
}

#[derive(Serialize)]
struct Nest(Vec<Nest>);

#[test]
fn depth_is_bounded_before_the_stack_is() {
    let nest = |levels: usize| (0..levels).fold(Nest(vec![]), |inner, _| Nest(vec![inner]));
    assert!(to_json(&nest(90), "f").is_ok());
    assert_eq!(message(&nest(101)), "the result of skill.f is nested deeper than 100 levels");
    assert!(message(&nest(2000)).contains("deeper than 100 levels"));
}

#[test]
fn size_is_bounded_before_it_is_made() {
    /// As many numbers as one likes, made as they are asked for.
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(std::iter::repeat(1))
        }
    }
    for failure in [to_json(&Endless, "f").unwrap_err(), to_json(&"x".repeat(MAX_RESULT as usize), "f").unwrap_err()] {
        assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::OutputLimit, LimitName::Result));
        assert_eq!(failure.message, "the result of skill.f is larger than 64 MB");
        assert!(failure.limit.unwrap().reading > MAX_RESULT);
    }
    assert!(to_json(&"x".repeat(MAX_RESULT as usize - 100), "f").is_ok());
}

use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use skills_core::value::{ELEMENT_COST, MAX_DEPTH, Meter};
use skills_core::{
    Arguments, Cell, Completion, Completions, Entry, ErrorKind, Failure, FunctionSpec, Inspection, Language, Limits,
    Lost, NameKind, ParameterSpec, Script, Shown, Stream, Variable,
};
use std::sync::Arc;
use std::time::Duration;

fn payload(frame: &[u8]) -> &[u8] {
    let (length, rest) = frame.split_first_chunk::<4>().unwrap();
    assert_eq!(u32::from_le_bytes(*length) as usize, rest.len());
    rest
}

fn answer(value: &Value, most: u64) -> Result<Value, Malformed> {
    let answer = FromWorker::Answer { run: 1, result: Ok(value.clone()), operations: None, reusable: true };
    match FromWorker::decode(payload(&answer.encode().unwrap()), most)? {
        FromWorker::Answer { result, .. } => Ok(result.unwrap()),
        other => panic!("{other:?}"),
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |value, _| json!([value]))
}

#[test]
fn messages_of_a_worker_arrive_as_they_were_sent() {
    let failure = Failure::new(ErrorKind::ScriptError, "x").with_help("y");
    let named: Map<String, Value> =
        [("a".to_owned(), json!({"b": [1, -1, 1.5, null, true, "é"]}))].into_iter().collect();
    for message in [
        FromWorker::Opened(Ok(())),
        FromWorker::Opened(Err(failure.clone())),
        FromWorker::Print { run: 3, stream: Stream::Stderr, text: "tea\n".into() },
        FromWorker::Call {
            run: 1,
            index: 300,
            arguments: Arguments { positional: vec![json!(1), json!([])], named },
            operations: 1 << 40,
        },
        FromWorker::Module { run: 2, path: "parts/table.py".into() },
        FromWorker::Answer { run: u64::MAX, result: Ok(json!(0.1)), operations: Some(7), reusable: false },
        FromWorker::Answer { run: 1, result: Err(failure), operations: None, reusable: true },
    ] {
        let frame = message.encode().unwrap();
        assert_eq!(FromWorker::decode(payload(&frame), 1 << 20).unwrap(), message);
    }
}

#[test]
fn messages_of_a_host_arrive_as_they_were_sent() {
    let function = FunctionSpec {
        name: "fs.read".into(),
        description: "Reads.".into(),
        parameters: vec![ParameterSpec::typed("path", "string").about("a path"), ParameterSpec::any("n").or(json!(1))],
        returns: json!({"type": "string"}),
        capability: Some(skills_core::Capability::FileRead),
    };
    let script = Script { language: Language::TypeScript, file: "a.ts".into(), source: "1 + 1".into() };
    let limits = Limits { disk: Some(3), time: Some(Duration::from_nanos(17)), ..Limits::default() };
    let passed = (Duration::from_millis(1), Duration::from_millis(2));
    for message in [
        ToWorker::Open(Open {
            language: Language::Python,
            functions: vec![function].into(),
            globals: vec![true],
            memory: Some(64 << 20),
        }),
        ToWorker::Run(Box::new(Asked { run: 2, script: Arc::new(script), params: nested(120), limits, passed })),
        ToWorker::Reply(Reply {
            result: Ok(json!(1)),
            verdict: Some(Failure::new(ErrorKind::Timeout, "late")),
            passed,
            called_operations: 12,
        }),
    ] {
        assert_eq!(ToWorker::decode(payload(&message.encode().unwrap())).unwrap(), message);
    }
}

fn told(told: Told) -> FromWorker {
    FromWorker::Told { run: 1, result: Ok(told), operations: Some(3), reusable: true }
}

fn shown(png: Option<&[u8]>) -> Shown {
    Shown { type_name: "list".into(), text: "[1]".into(), cut: true, png: png.map(<[u8]>::to_vec) }
}

fn packed(length: u64) -> Packed {
    let lost = vec![Lost { name: "f".into(), why: "it is open".into() }];
    Packed { language: Language::Python, format: "python-1".into(), lost, length }
}

#[test]
fn what_a_living_session_tells_arrives_as_it_was_sent() {
    let variable = Variable {
        name: "x".into(),
        kind: NameKind::Module,
        type_name: "int".into(),
        shown: "1".into(),
        size: Some(28),
    };
    let item = Completion { text: "append".into(), kind: NameKind::Member };
    let inspection = Inspection { shown: shown(None), doc: Some("It adds.".into()), ..Inspection::default() };
    for message in [
        told(Told::Evaluated(json!([0.1]), Some(shown(Some(b"\x89PNG\r\n\x1a\nrest"))))),
        told(Told::Evaluated(json!(null), None)),
        told(Told::Variables(vec![variable])),
        told(Told::Value(json!({"a": 1}))),
        told(Told::Done),
        told(Told::Completions(Completions { from: 3, items: vec![item] })),
        told(Told::Inspection(inspection)),
        told(Told::Snapshot(packed(MOST_SNAPSHOT))),
        told(Told::Restored(packed(0).lost)),
        FromWorker::Part { run: 2, bytes: vec![0, 255] },
    ] {
        let frame = message.encode().unwrap();
        assert_eq!(FromWorker::decode(payload(&frame), 1 << 20).unwrap(), message);
    }
}

#[test]
fn what_a_living_session_is_asked_arrives_as_it_was_sent() {
    let script = Arc::new(Script { language: Language::JavaScript, file: "<cell 1>".into(), source: "1".into() });
    let params = [("a".to_owned(), json!(1))].into_iter().collect();
    let limits = Limits { time: Some(Duration::from_secs(1)), ..Limits::none() };
    for ask in [
        Ask::Cell(Cell { script: Arc::clone(&script), entry: Entry::Cell }),
        Ask::Cell(Cell { script, entry: Entry::Skill { params } }),
        Ask::Variables,
        Ask::Get("x".into()),
        Ask::Set("x".into(), nested(120)),
        Ask::Complete { text: "é.".into(), cursor: 3 },
        Ask::Inspect("a.b".into()),
        Ask::Snapshot,
        Ask::Restore(packed(5)),
        Ask::Fork,
    ] {
        let live = Live { run: 9, ask, limits: limits.clone(), passed: (Duration::ZERO, Duration::from_millis(1)) };
        let message = ToWorker::Live(Box::new(live));
        assert_eq!(ToWorker::decode(payload(&message.encode().unwrap())).unwrap(), message);
    }
    let part = ToWorker::Part(vec![1, 2]);
    assert_eq!(ToWorker::decode(payload(&part.encode().unwrap())).unwrap(), part);
}

#[test]
fn what_a_living_session_tells_is_bounded() {
    let refused =
        |message: &FromWorker| FromWorker::decode(payload(&message.encode().unwrap()), 1 << 20).unwrap_err().0;
    let long = |length: usize| Shown { text: "x".repeat(length), ..Shown::default() };
    assert_eq!(
        refused(&told(Told::Evaluated(json!(1), Some(long(Shown::MOST + 65))))),
        "a value is shown at greater length than it may be"
    );
    assert_eq!(
        refused(&told(Told::Evaluated(json!(1), Some(shown(Some(b"GIF89a")))))),
        "an image is none, or too large"
    );
    let mut image = Shown::PNG.to_vec();
    image.resize(Shown::MOST_IMAGE + 1, 0);
    assert_eq!(refused(&told(Told::Evaluated(json!(1), Some(shown(Some(&image)))))), "an image is none, or too large");
    assert_eq!(refused(&told(Told::Value(json!("x".repeat(1 << 21))))), "a message holds more than it may");
    assert_eq!(refused(&told(Told::Snapshot(packed(MOST_SNAPSHOT + 1)))), "a snapshot is larger than it may be");
    assert_eq!(
        refused(&FromWorker::Part { run: 1, bytes: vec![0; MOST_PART + 1] }),
        "a message holds more than it may"
    );
    let many = vec![Lost { name: String::new(), why: String::new() }; MOST_TOLD as usize / size_of::<Variable>() + 1];
    assert_eq!(refused(&told(Told::Restored(many.clone()))), "a message holds more than it may");
    // What a worker would have to tell is cut to what its host takes.
    let Told::Restored(lost) = Told::Restored(many).bounded() else { panic!() };
    assert!(!lost.is_empty());
    let documented = Inspection { shown: long(1 << 20), doc: Some("é".repeat(1 << 20)), ..Inspection::default() };
    let names = vec![Lost { name: "n".repeat(1 << 14), why: "w".repeat(1 << 14) }; 3000];
    for answer in [
        Told::Restored(lost),
        Told::Restored(names),
        Told::Inspection(documented),
        Told::Evaluated(json!(1), Some(shown(Some(&image)))),
        Told::Evaluated(json!(1), Some(long(1 << 20))),
    ] {
        let message = told(answer.bounded());
        assert_eq!(FromWorker::decode(payload(&message.encode().unwrap()), 1 << 20), Ok(message));
    }
}

#[test]
fn numbers_keep_every_digit() {
    for value in
        [json!(0.1 + 0.2), json!(f64::MIN_POSITIVE), json!(-0.0), json!(u64::MAX), json!(i64::MIN), json!(1e300)]
    {
        assert_eq!(answer(&value, 1 << 10).unwrap(), value);
    }
}

#[test]
fn a_value_is_read_as_deep_as_values_may_be() {
    assert_eq!(answer(&nested(MAX_DEPTH), 1 << 20).unwrap(), nested(MAX_DEPTH));
    assert_eq!(answer(&nested(MAX_DEPTH + 1), 1 << 20).unwrap_err().0, "a value is nested too deep");
    // Far deeper than any stack.
    let mut frame = vec![19, 1, 0, 1, 1];
    frame.extend([7, 1].repeat(1 << 20));
    assert!(FromWorker::decode(&frame, u64::MAX).is_err());
}

#[test]
fn a_value_is_charged_before_it_is_made() {
    let most = 4 << 20;
    let many = vec![Value::Null; most as usize / ELEMENT_COST + 1];
    assert_eq!(answer(&json!(many), most).unwrap_err().0, "a message holds more than it may");
    let long = "x".repeat(most as usize + 1);
    assert_eq!(answer(&json!(long), most).unwrap_err().0, "a message holds more than it may");
}

#[test]
fn a_call_counts_what_its_arguments_take() {
    let many = vec![Value::Null; MOST_CALL as usize / size_of::<Value>() + 1];
    let arguments = Arguments::positional([json!(many)]);
    let call = FromWorker::Call { run: 1, index: 0, arguments, operations: 0 };
    let frame = call.encode().unwrap();
    assert_eq!(FromWorker::decode(payload(&frame), u64::MAX).unwrap_err().0, "a message holds more than it may");
}

#[test]
fn what_may_be_said_fits_a_frame_of_its_kind() {
    const MOST: u64 = 1 << 20;
    let count = MOST as usize / ELEMENT_COST;
    let members = json!({"": u64::MAX});
    for value in [json!(vec![u64::MAX; count]), json!(vec![0.1; count]), json!(vec![members; count / 2])] {
        for message in [
            FromWorker::Answer { run: u64::MAX, result: Ok(value.clone()), operations: Some(u64::MAX), reusable: true },
            FromWorker::Told {
                run: u64::MAX,
                result: Ok(Told::Value(value.clone())),
                operations: Some(u64::MAX),
                reusable: true,
            },
        ] {
            let frame = message.encode().unwrap();
            assert!(payload(&frame).len() <= FromWorker::most(frame[4], MOST));
            assert_eq!(FromWorker::decode(payload(&frame), MOST), Ok(message));
        }
    }
    let text = "x".repeat(MOST_PRINT);
    let print = FromWorker::Print { run: u64::MAX, stream: Stream::Stderr, text }.encode().unwrap();
    assert!(payload(&print).len() <= FromWorker::most(print[4], 0));
    let part = FromWorker::part(u64::MAX, &vec![1; MOST_PART]).unwrap();
    assert!(payload(&part).len() <= FromWorker::most(part[4], 0));
    let values = vec![json!(u64::MAX); MOST_CALL as usize / size_of::<Value>()];
    let arguments = Arguments::positional(values);
    let call = FromWorker::Call { run: u64::MAX, index: usize::MAX, arguments, operations: u64::MAX }.encode().unwrap();
    assert!(payload(&call).len() <= FromWorker::most(call[4], 0));
    // A large result that is allowed lets nothing else be large.
    assert!(FromWorker::most(print[4], u64::MAX) < 2 * MOST_PRINT);
    assert!(FromWorker::most(part[4], u64::MAX) < 2 * MOST_PART);
}

#[test]
fn lies_about_lengths_are_found() {
    // An array of 2³² elements, a text of 2⁶⁴ bytes, a frame that goes on.
    assert_eq!(
        FromWorker::decode(&[19, 1, 0, 1, 1, 7, 0x80, 0x80, 0x80, 0x80, 0x10], u64::MAX).unwrap_err().0,
        "a message announces more than it holds"
    );
    let endless = [19, 1, 0, 1, 1, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(FromWorker::decode(&endless, u64::MAX).unwrap_err().0, "a message is cut short");
    assert_eq!(FromWorker::decode(&[16, 1, 0], 0).unwrap_err().0, "a message goes on after its end");
    assert_eq!(FromWorker::decode(&[99], 0).unwrap_err().0, "a message has an unknown tag");
    let number = |kind: u8, last: &[u8]| {
        let frame = [&[19_u8, 1, 0, 1, 1, kind][..], &[0xff; 9], last].concat();
        FromWorker::decode(&frame, u64::MAX).unwrap_err().0
    };
    // 65 bits, digits without end, and a negative number that no integer holds.
    assert_eq!(number(3, &[0x02]), "a number has too many digits");
    assert_eq!(number(3, &[0xff, 0x01]), "a number has too many digits");
    assert_eq!(number(4, &[0x01]), "a number is too small");
    let frame = [19, 1, 0, 1, 1, 5, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f];
    assert_eq!(FromWorker::decode(&frame, 9).unwrap_err().0, "a number is not finite");
}

#[test]
fn a_frame_comes_in_any_pieces() {
    let frames: Vec<u8> = (0..50)
        .flat_map(|run| {
            let text = "x".repeat(run as usize * 700);
            FromWorker::Print { run, stream: Stream::Stdout, text }.encode().unwrap()
        })
        .collect();
    for piece in [1, 3, 4096, usize::MAX] {
        let (mut assembler, mut rest, mut runs) = (Assembler::new(), &frames[..], 0);
        while !rest.is_empty() {
            let space = assembler.space();
            let count = piece.min(space.len()).min(rest.len());
            space[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            assembler.filled(count);
            while let Some(frame) = assembler.next(|_| 1 << 20).unwrap() {
                let FromWorker::Print { run, .. } = FromWorker::decode(frame, 0).unwrap() else { panic!() };
                assert_eq!(run, runs);
                runs += 1;
            }
        }
        assert_eq!(runs, 50);
        assert!(assembler.is_empty());
    }
}

#[test]
fn a_length_that_is_only_announced_takes_no_memory() {
    let mut assembler = Assembler::new();
    let space = assembler.space();
    space[..4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    assembler.filled(4);
    assert_eq!(assembler.next(|_| 0), Ok(None), "of what kind it is comes next");
    assembler.space()[0] = 7;
    assembler.filled(1);
    assert_eq!(assembler.next(|kind| usize::from(kind == 7) << 30), Ok(None));
    assert!(assembler.space().len() <= 64 << 10);
    assert_eq!(assembler.next(|_| 1 << 29), Err(Malformed("a message is longer than it may be")));
    let mut empty = Assembler::new();
    empty.space()[..4].fill(0);
    empty.filled(4);
    assert_eq!(empty.next(|_| 1), Err(Malformed("a message is empty")));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What the languages charge for a value that they let pass as a result.
fn metered(value: &Value, meter: &mut Meter) {
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
            meter.enter_index(index).unwrap();
            metered(item, meter);
            meter.leave();
        }),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            meter.enter_key(key).unwrap();
            meter.charge(key.len()).unwrap();
            metered(item, meter);
            meter.leave();
        }),
        Value::String(text) => meter.charge(text.len()).unwrap(),
        _ => meter.charge(1).unwrap(),
    }
}

proptest! {
    #[test]
    fn every_value_arrives(value in value()) {
        prop_assert_eq!(answer(&value, 1 << 20).unwrap(), value);
    }

    #[test]
    fn what_fits_a_limit_in_a_language_fits_it_here(value in value()) {
        let mut meter = Meter::new("result", None);
        metered(&value, &mut meter);
        // A failure may come in place of a value, so there is always room for that.
        prop_assert!(answer(&value, meter.size()).is_ok());
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..256), tag in 14_u8..23) {
        let _ = FromWorker::decode(&bytes, 1 << 16);
        let tagged: Vec<u8> = [tag].into_iter().chain(bytes).collect();
        let _ = FromWorker::decode(&tagged, 1 << 16);
    }

    #[test]
    fn a_frame_that_is_cut_or_changed_is_refused_or_another_message(value in value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let message = FromWorker::Answer { run: 1, result: Ok(value), operations: Some(1), reusable: true };
        let frame = message.encode().unwrap();
        let whole = payload(&frame);
        prop_assert!(FromWorker::decode(&whole[..at.index(whole.len())], 1 << 20).is_err());
        let mut changed = whole.to_vec();
        changed[at.index(whole.len())] = byte;
        let _ = FromWorker::decode(&changed, 1 << 20);
    }
}

use super::hosts::{Notebook, any_host, host};
use proptest::prelude::*;
use serde_json::{Value, json};
use skills_core::{ErrorKind, Language, Limits, Lost, Snapshot};

/// What a notebook is after a restart.
fn restored(notebook: &mut Notebook) -> (Notebook, Vec<Lost>) {
    let snapshot = notebook.session.snapshot(&any_host()).unwrap();
    let mut after = Notebook::new();
    let lost = after.session.restore(&snapshot, &any_host()).unwrap();
    (after, lost)
}

fn forked(notebook: &mut Notebook) -> Notebook {
    Notebook::of(notebook.session.fork(&any_host()).unwrap().unwrap()().unwrap().into())
}

const STATE: &str = "let n = 0; let add = |by| { n += by; n }; let read = || n; const C = 'c'; let f = 1.5; let u = (); \
    let m = #{list: [1, -2, true], text: \"a long text that is written only once\"}; let again = [m.text, m.text]; \
    let b = blob(3, 7); let r = 1..5; let ri = 1..=5; let min = -9223372036854775807; fn area(w) { w * w } \
    let named = Fn(\"area\"); let linked = area; let curried = named.curry(6);";

const CHECK: &str = "[n, add.call(2), read.call(), C, f, u, m, again, b.len(), b[2], named.call(3), linked.call(4), \
    curried.call(), min, r.contains(4), ri.contains(5)]";

#[test]
fn a_snapshot_holds_what_cells_made() {
    let mut notebook = Notebook::new();
    notebook.value(STATE);
    notebook.value("fn more() { global::C } 42");
    notebook.value("add.call(5); 42");
    let (mut after, lost) = restored(&mut notebook);
    assert!(lost.is_empty(), "{lost:?}");
    let expected = notebook.value(CHECK);
    assert_eq!(expected.as_array().unwrap()[..3], [json!(5), json!(7), json!(7)]);
    assert_eq!(after.value("_"), json!(42));
    assert_eq!(after.value(CHECK), expected);
    assert_eq!(after.value("n += 1; [read.call(), more()]"), json!([8, "c"]));
    assert!(after.failure("C = 1").message.contains("constant"));
    // And a snapshot of that one too.
    assert_eq!(restored(&mut after).0.value("n += 1; read.call()"), json!(9));
}

#[test]
fn functions_keep_their_places_and_skills_their_state() {
    let mut notebook = Notebook::new();
    notebook.value("fn bad() {\n  throw 1\n}");
    let skill = "let calls = 0; let note = || { calls += 1; calls };\nfn run(params) { params.n }";
    notebook.skill(skill, json!({"n": 1})).unwrap();
    notebook.value("note.call()");
    let (mut after, _) = restored(&mut notebook);
    let frames = after.failure("bad()").frames;
    assert!(frames.iter().any(|frame| frame.file == "<cell 1>" && frame.line == 2));
    assert_eq!(after.skill(skill, json!({"n": 2})).unwrap(), json!(2));
    assert_eq!(after.value("note.call()"), json!(2));
}

#[test]
fn what_cannot_be_kept_is_named() {
    let mut notebook = Notebook::new();
    notebook.value("let t = [timestamp(), 5]; let files = skill.fs; let s = skill; let ok = 1;");
    let (mut after, lost) = restored(&mut notebook);
    let names: Vec<&str> = lost.iter().map(|lost| lost.name.as_str()).collect();
    assert_eq!(names, ["t", "files"]);
    assert!(lost[0].why.contains("timestamp"), "{}", lost[0].why);
    assert_eq!(after.value("[t, ok, s.add(1, 2)]"), json!([[null, 5], 1, 3]));
}

#[test]
fn shared_values_and_cycles_stay_as_they_are() {
    let mut notebook = Notebook::new();
    notebook.value("let x = #{n: 1}; let a = || x; let b = || { x.n += 1; x.n }; let both = [a, b]; x.me = b;");
    let (mut after, _) = restored(&mut notebook);
    assert_eq!(after.value("both[1].call(); b.call(); [x.n, a.call().n]"), json!([3, 3]));
    let mut fork = forked(&mut notebook);
    assert_eq!(fork.value("both[1].call(); b.call(); [x.n, a.call().n]"), json!([3, 3]));
    assert_eq!(notebook.value("x.n"), json!(1));
}

#[test]
fn a_snapshot_of_another_kind_or_a_damaged_one_is_refused() {
    let mut notebook = Notebook::new();
    notebook.value(STATE);
    let snapshot = notebook.session.snapshot(&any_host()).unwrap();
    assert_eq!((snapshot.language, snapshot.format.as_str()), (Language::Rhai, "rhai-1"));
    let refused = |snapshot: &Snapshot| {
        let mut session = Notebook::new();
        session.session.restore(snapshot, &any_host()).unwrap_err().kind
    };
    let kind = ErrorKind::InvalidArguments;
    assert_eq!(refused(&Snapshot { format: "rhai-2".into(), ..snapshot.clone() }), kind);
    assert_eq!(refused(&Snapshot { language: Language::Python, ..snapshot.clone() }), kind);
    for length in 0..snapshot.bytes.len() {
        let mut session = Notebook::new();
        let cut = Snapshot { bytes: snapshot.bytes[..length].into(), ..snapshot.clone() };
        assert!(session.session.restore(&cut, &any_host()).is_err(), "{length}");
    }
}

#[test]
fn a_snapshot_that_is_too_large_is_not_restored() {
    let mut notebook = Notebook::new();
    notebook.value("let early = 1; let big = []; big.pad(1000000, 1);");
    let snapshot = notebook.session.snapshot(&any_host()).unwrap();
    let small = host(Limits { memory: Some(4 << 20), ..Limits::none() });
    let mut other = Notebook::new();
    let failure = other.session.restore(&snapshot, &small).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::MemoryLimit);
    // Little is taken before it is noticed, and nothing stays.
    assert!(failure.limit.unwrap().reading < 6 << 20, "{failure}");
    assert!(other.failure("early").message.contains("early"));
}

#[test]
fn a_fork_and_its_original_know_nothing_of_each_other() {
    let mut notebook = Notebook::new();
    notebook.value(STATE);
    let mut fork = forked(&mut notebook);
    assert_eq!(notebook.value(CHECK), fork.value(CHECK));
    notebook.value("m.list.push(9); add.call(10); fn area(w) { 0 }");
    assert_eq!(fork.value("[m.list.len(), n, read.call(), area(3), add.call(1)]"), json!([3, 2, 2, 9, 3]));
    fork.value("let only_here = 1; fn here() { 1 }");
    assert!(notebook.failure("only_here").message.contains("only_here"));
    assert!(notebook.failure("here()").message.contains("here"));
    assert!(fork.session.held().memory.unwrap() > 0);
    let opens = notebook.session.fork(&any_host()).unwrap().unwrap();
    let there = std::thread::spawn(move || Notebook::of(opens().unwrap().into()).value("[n, area(3)]"));
    assert_eq!(there.join().unwrap(), json!([12, 0]));
}

/// Source of values of every kind, with their JSON.
fn source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("()".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(|i| format!("({i})")),
        (-1e9..1e9_f64).prop_map(|f| format!("({f:?})")),
        "[a-zé€]{0,50}".prop_map(|text| format!("{text:?}")),
        "[a-z€]".prop_map(|c| format!("'{c}'")),
        (0..50_u8).prop_map(|n| format!("blob({n}, {n})")),
        Just("common".to_owned()),
        Just("reader".to_owned()),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..5).prop_map(|members| {
                let members: Vec<String> = members.into_iter().map(|(k, v)| format!("{k:?}: {v}")).collect();
                format!("#{{{}}}", members.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_value_comes_back(values in prop::collection::vec(source(), 1..4)) {
        let mut notebook = Notebook::new();
        notebook.value("let common = [0]; let reader = || common.len();");
        for (index, value) in values.iter().enumerate() {
            notebook.value(&format!("let v{index} = {value};"));
        }
        let all: Vec<String> = (0..values.len()).map(|index| format!("v{index}")).collect();
        // Closures have other names in another session.
        let look = |notebook: &mut Notebook| -> Value { notebook.value(&format!("[{}, reader.call()]", all.join(", "))) };
        let before = look(&mut notebook);
        let (mut after, lost) = restored(&mut notebook);
        prop_assert!(lost.is_empty());
        prop_assert_eq!(look(&mut after), before.clone());
        let mut fork = forked(&mut notebook);
        prop_assert_eq!(look(&mut fork), before);
        after.value("common.push(1)");
        prop_assert_eq!(after.value("reader.call()"), json!(2));
        prop_assert_eq!(fork.value("reader.call()"), json!(1));
    }
}

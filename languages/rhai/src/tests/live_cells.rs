use super::hosts::{Notebook, run_on};
use serde_json::json;
use skills_core::{ErrorKind, Limits, Shown};

#[test]
fn ten_feeds_build_on_one_another() {
    let mut notebook = Notebook::new();
    let feeds = [
        "let raw = [\"A1;3;2.5\", \"B2;2;6.0\", \"C3;1;2.1\"]",
        "fn parse(line) { let p = line.split(';'); #{id: p[0], n: parse_int(p[1]), price: parse_float(p[2])} }",
        "let orders = raw.map(|line| parse(line))",
        "orders.len()",
        "fn total(order) { order.n * order.price }",
        "let totals = orders.map(|o| total(o))",
        "let sum = totals.reduce(|a, b| a + b, 0.0)",
        "let best = orders.reduce(|a, b| if a == () || total(b) > total(a) { b } else { a })",
        "best.id",
        "print(`${orders.len()} orders, total ${sum}, biggest ${best.id}`); `${orders.len()} orders, total ${sum}, biggest ${_}`",
    ];
    let last = feeds.into_iter().map(|feed| notebook.value(feed)).last();
    assert_eq!(last.unwrap(), json!("3 orders, total 21.6, biggest B2"));
}

#[test]
fn what_a_cell_makes_is_there_for_the_next() {
    let mut notebook = Notebook::new();
    assert_eq!(notebook.value("let x = 40;"), json!(null));
    assert_eq!(notebook.value("x += 2; x"), json!(42));
    assert_eq!(notebook.value("let x = `${x}!`; x"), json!("42!"));
    notebook.value("const N = 4; let list = [1]");
    notebook.value("list.push(N)");
    assert_eq!(notebook.value("list"), json!([1, 4]));
    assert!(notebook.failure("N = 5").message.contains("constant"));
    assert_eq!(notebook.value("const N = 6; N"), json!(6));
    assert_eq!(notebook.value("let N = 7; N += 1; N"), json!(8));
}

#[test]
fn the_last_value_is_kept_unless_it_is_nothing() {
    let mut notebook = Notebook::new();
    notebook.value("6 * 7");
    notebook.value("let y = 1;");
    assert_eq!(notebook.value("_ + 1"), json!(43));
    assert_eq!(notebook.value("[_, `${_}`, #{k: _}.k, if _ > 1 { _ } else { 0 }]"), json!([43, "43", 43, 43]));
    let switch = "switch 5 { 1 => _, _ if false => 0, }";
    assert!(notebook.failure(switch).message.contains("switch"));
    notebook.value("3");
    assert_eq!(notebook.value("switch _ { 1 => \"a\", 2 => { \"b\" } _ => `c${_}` }"), json!("c3"));
    assert_eq!(notebook.value("switch (_) { \"c3\" => [_, _], _ => 0 }"), json!(["c3", "c3"]));
    // A script that runs by itself has no such name.
    let (evaluation, _) = run_on(&mut *notebook.session, "_ + 1", json!({}), Limits::default());
    assert!(evaluation.result.unwrap_err().message.contains("syntax error"));
}

#[test]
fn functions_stay_and_later_ones_replace_earlier_ones() {
    let mut notebook = Notebook::new();
    notebook.value("fn one() { 1 } fn twice(x) { one() * 2 * x }");
    assert_eq!(notebook.value("twice(5)"), json!(10));
    notebook.value("fn one() { 100 }");
    assert_eq!(notebook.value("twice(5)"), json!(1000));
    notebook.value("fn one(a) { a }");
    assert_eq!(notebook.value("[one(), one(7)]"), json!([100, 7]));
    assert_eq!(notebook.value("let f = Fn(\"twice\"); f.call(1)"), json!(200));
    assert_eq!(notebook.value("let g = twice; fn twice(x) { x } [f.call(3), g.call(4)]"), json!([3, 4]));
}

#[test]
fn a_function_sees_the_constants_of_all_cells() {
    let mut notebook = Notebook::new();
    notebook.value("const RATE = 19; fn tax(x) { x * global::RATE / 100 }");
    assert_eq!(notebook.value("tax(200)"), json!(38));
    assert_eq!(notebook.value("const RATE = 7; tax(200)"), json!(14));
    assert_eq!(notebook.value("tax(100)"), json!(7));
    assert_eq!(notebook.value("const MORE = [1, 2]; fn more() { global::MORE.len() } 0"), json!(0));
    assert_eq!(notebook.value("more()"), json!(2));
    assert!(notebook.failure("fn none() { global::MISSING } none()").message.contains("MISSING"));
}

#[test]
fn closures_share_what_they_captured() {
    let mut notebook = Notebook::new();
    notebook.value("let n = 0; let add = |by| { n += by; n }; let read = || n;");
    assert_eq!(notebook.value("add.call(5)"), json!(5));
    assert_eq!(notebook.value("n += 1; [add.call(1), read.call(), n]"), json!([7, 7, 7]));
    // A new variable with the name is another one.
    assert_eq!(notebook.value("let n = 100; [read.call(), n]"), json!([7, 100]));
    notebook.value("fn maker(start) { let at = start; || { at += 1; at } } let a = maker(10); let b = maker(20);");
    assert_eq!(notebook.value("[a.call(), a.call(), b.call()]"), json!([11, 12, 21]));
    notebook.value("fn adder(by) { |x| x + by }");
    for _ in 0..200 {
        notebook.value("[1, 2].map(|x| x + 1)");
    }
    assert_eq!(notebook.value("[a.call(), add.call(1), read.call()]"), json!([13, 8, 8]));
    // One that only the body of a function has is still there.
    assert_eq!(notebook.value("adder(2).call(3)"), json!(5));
}

#[test]
fn a_cell_that_fails_keeps_what_it_had_done() {
    let mut notebook = Notebook::new();
    notebook.value("let seen = [];");
    let failure = notebook.failure("let a = 1; seen.push(a); fn later() { 5 }\nthrow \"no\"; seen.push(2)");
    assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::ScriptError, "no"));
    assert_eq!(notebook.value("[a, seen, later()]"), json!([1, [1], 5]));
    assert!(notebook.failure("let b = ;").message.contains("syntax error"));
    assert!(notebook.failure("b").message.contains("b"));
    notebook.failure("if true { let inner = 1; throw 1 }");
    assert!(notebook.failure("inner").message.contains("inner"));
}

#[test]
fn errors_say_which_cell_and_where() {
    let mut notebook = Notebook::new();
    notebook.value("\nfn half(x) {\n    if x < 0 { throw \"negative\" }\n    x / 2\n}");
    notebook.value("fn outer(x) {\n    half(x)\n}");
    let failure = notebook.failure("let y = 3;\n  outer(-1)");
    let frames: Vec<_> = failure.frames.iter().map(|f| (f.file.as_str(), f.line, f.function.as_deref())).collect();
    let expected = [("<cell 1>", 3, Some("half")), ("<cell 2>", 2, Some("outer")), ("<cell 3>", 2, None)];
    let mut reversed = expected;
    reversed.reverse();
    assert!(frames == expected || frames == reversed, "{frames:?}");
    let inner = failure.frames.iter().find(|frame| frame.file == "<cell 1>").unwrap();
    assert_eq!(inner.source.as_deref(), Some("    if x < 0 { throw \"negative\" }"));
    assert_eq!(inner.column, 16);
    let syntax = notebook.failure("1 +\n+ ) 2");
    assert_eq!((syntax.frames[0].file.as_str(), syntax.frames[0].line), ("<cell 4>", 2));
    let interpolated = notebook.failure("let z = 1; `${z} ${missing}`");
    assert_eq!((interpolated.frames[0].line, interpolated.frames[0].column), (1, 20));
    notebook.value("let boom = |x| { `${x}` + gone() };");
    let closure = notebook.failure("boom.call(1)");
    assert!(closure.frames.iter().any(|f| f.file == "<cell 6>" && f.function.as_deref() == Some("closure")));
}

#[test]
fn a_skill_keeps_its_state_between_calls() {
    let mut notebook = Notebook::new();
    let counter = "let count = 0;\nlet add = |n| { count += n; count };\nfn run(params) { params.n }";
    assert_eq!(notebook.skill(counter, json!({"n": 3})).unwrap(), json!(3));
    assert_eq!(notebook.value("add.call(5)"), json!(5));
    // The body is not evaluated again: what it declared is as it was left.
    assert_eq!(notebook.skill(counter, json!({"n": 4})).unwrap(), json!(4));
    assert_eq!(notebook.value("count"), json!(5));
    let other = "fn run(params) { \"other\" }";
    assert_eq!(notebook.skill(other, json!({})).unwrap(), json!("other"));
    assert_eq!(notebook.skill(counter, json!({"n": 9})).unwrap(), json!(9));
    let failing = "fn run(params) {\n  throw `bad ${params.n}`\n}";
    for n in 1..3 {
        let failure = notebook.skill(failing, json!({"n": n})).unwrap_err();
        assert_eq!(failure.message, format!("bad {n}"));
        assert_eq!(
            (failure.frames.len(), failure.frames[0].line, failure.frames[0].file.as_str()),
            (1, 2, "test.rhai")
        );
    }
    // What was stopped before its end is evaluated again.
    assert!(notebook.skill("if params.n == 1 { throw 1 } fn run(p) { p.n }", json!({"n": 1})).is_err());
    assert_eq!(notebook.skill("if params.n == 1 { throw 1 } fn run(p) { p.n }", json!({"n": 2})).unwrap(), json!(2));
}

#[test]
fn a_skill_without_run_is_evaluated_each_time() {
    let mut notebook = Notebook::new();
    notebook.value("let total = 0;");
    let adds = "total += params.n; total";
    assert_eq!(notebook.skill(adds, json!({"n": 3})).unwrap(), json!(3));
    assert_eq!(notebook.skill(adds, json!({"n": 4})).unwrap(), json!(7));
    assert!(notebook.skill("0.0 / 0.0", json!({})).unwrap_err().message.contains("NaN"));
}

#[test]
fn values_are_shown_as_rhai_prints_them() {
    let mut notebook = Notebook::new();
    let mut shown = |source: &str| notebook.eval(source).shown.map(|shown| (shown.type_name, shown.text));
    let text = |kind: &str, text: &str| Some((kind.to_owned(), text.to_owned()));
    assert_eq!(shown("()"), None);
    assert_eq!(shown("let x = 1;"), None);
    assert_eq!(shown("1 + 1"), text("i64", "2"));
    assert_eq!(shown("\"a\\n\""), text("string", "\"a\\n\""));
    assert_eq!(shown("[1, #{a: 'c', b: 1.5}]"), text("array", "[1, #{\"a\": 'c', \"b\": 1.5}]"));
    assert_eq!(shown("let v = 1; let f = || v; [v]"), text("array", "[1]"));
    assert_eq!(shown("Fn(\"abs\")"), text("Fn", "Fn(abs)"));
    let long = notebook.eval("let s = \"x\"; s.pad(600000, 'é'); s").shown.unwrap();
    assert!(long.cut && long.text.len() <= Shown::MOST && long.text.ends_with('é'));
    let png = notebook.eval("let b = blob(); for c in \"\\u0089PNG\\r\\n\\x1a\\nrest\" { b.push(c.to_int()) } b").shown;
    assert_eq!(png.unwrap().png.unwrap(), b"\x89PNG\r\n\x1a\nrest");
}

#[test]
fn what_json_cannot_hold_is_described_in_a_cell() {
    let mut notebook = Notebook::new();
    assert_eq!(notebook.value("1.0 / 0.0"), json!({"$type": "f64", "repr": "inf"}));
    let limits = Limits { result: Some(100), ..Limits::default() };
    let evaluated = notebook.eval_with("let a = []; a.pad(1000, 7); a", limits);
    let value = evaluated.evaluation.result.unwrap();
    assert_eq!(value["$type"], json!("array"));
    assert!(evaluated.shown.unwrap().text.len() > 2000);
    assert_eq!(notebook.value("_.len()"), json!(1000));
}

#[test]
fn a_run_knows_nothing_of_the_namespace() {
    let mut notebook = Notebook::new();
    notebook.value("let x = 1; fn f() { 2 }");
    for source in ["x", "f()"] {
        assert!(run_on(&mut *notebook.session, source, json!({}), Limits::default()).0.result.is_err());
    }
    run_on(&mut *notebook.session, "let x = 9; fn f() { 9 }", json!({}), Limits::default()).0.result.unwrap();
    assert_eq!(notebook.value("[x, f()]"), json!([1, 2]));
}

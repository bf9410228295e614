use super::*;
use crate::{Isolation, LimitOverrides, SessionBudget};
use serde_json::json;
use std::time::Duration;

const ALL: [Language; 3] = [Language::Rhai, Language::Python, Language::JavaScript];

fn polyglot(name: &str) -> Polyglot {
    polyglot_with(name, |session| session)
}

fn polyglot_with(name: &str, more: impl Fn(SessionBuilder) -> SessionBuilder + Send + Sync + 'static) -> Polyglot {
    let engine = Engine::builder().bundled(false).build().unwrap();
    let options = RunOptions { isolation: Some(Isolation::InProcess), ..RunOptions::default() };
    engine.polyglot(name, move |session| more(session.options(options.clone())))
}

/// An assignment, as each language writes it.
fn assign(language: Language, name: &str, value: &str) -> String {
    match language {
        Language::Python => format!("{name} = {value}"),
        _ => format!("let {name} = {value};"),
    }
}

#[test]
fn what_is_assigned_in_one_language_is_readable_in_the_others() {
    for from in ALL {
        let all = polyglot("p");
        all.eval(from, &assign(from, "x", "[1, \"two\", [3.5]]")).unwrap();
        for to in ALL {
            assert_eq!(all.eval(to, "x").unwrap(), json!([1, "two", [3.5]]), "from {from} to {to}");
        }
    }
}

#[test]
fn the_last_assignment_holds() {
    let all = polyglot("p");
    all.eval(Language::Python, "x = 1").unwrap();
    all.eval(Language::JavaScript, "x = x + 1; let y = x").unwrap();
    assert_eq!(all.eval(Language::Python, "x = x * 10\n[x, y]").unwrap(), json!([20, 2]));
    all.eval(Language::Rhai, "x += 1; y += 1;").unwrap();
    assert_eq!(all.eval(Language::JavaScript, "[x, y]").unwrap(), json!([21, 3]));
    assert_eq!(all.get("x").unwrap(), 21);
    all.set(Language::Python, "x", json!("set")).unwrap();
    assert_eq!(all.eval(Language::Rhai, "x").unwrap(), "set");
}

#[test]
fn a_change_inside_of_a_large_value_is_seen() {
    let all = polyglot("p");
    all.eval(Language::Python, "big = list(range(1000))\nalias = big\ndef change(): big[900] = 'f'").unwrap();
    assert_eq!(all.eval(Language::JavaScript, "big.length + big[900]").unwrap(), 1900);
    all.eval(Language::Python, "alias[900] = 'a'").unwrap();
    assert_eq!(all.eval(Language::JavaScript, "big[900]").unwrap(), "a");
    all.eval(Language::Python, "change()").unwrap();
    assert_eq!(all.eval(Language::JavaScript, "big[900]").unwrap(), "f");
    all.eval(Language::JavaScript, "big[901] = 'js'").unwrap();
    assert_eq!(all.eval(Language::Python, "[big[900], big[901]]").unwrap(), json!(["f", "js"]));
    // A function of an earlier cell names it.
    all.eval(Language::JavaScript, "function last() { return big[999] }").unwrap();
    all.eval(Language::Python, "big[999] = 'end'").unwrap();
    assert_eq!(all.eval(Language::JavaScript, "last()").unwrap(), "end");
}

#[test]
fn what_has_no_form_elsewhere_stays_and_is_listed_where_it_is() {
    let all = polyglot("p");
    all.eval(Language::Python, "def area(r): return 3 * r * r\nx = 1").unwrap();
    all.eval(Language::JavaScript, "function area(r) { return 0 }; const y = x").unwrap();
    assert_eq!(all.eval(Language::Python, "area(2)").unwrap(), 12);
    assert_eq!(all.eval(Language::JavaScript, "area(2)").unwrap(), 0);
    let listed = |name: &str| -> Vec<Language> {
        all.variables().unwrap().into_iter().filter(|v| v.variable.name == name).map(|v| v.language).collect()
    };
    assert_eq!(listed("area"), [Language::Python, Language::JavaScript]);
    assert_eq!((listed("x"), listed("y")), (vec![Language::Python], vec![Language::JavaScript]));
    all.eval(Language::Python, "odd = {1, 2}; nan = float('nan')").unwrap();
    assert!(all.eval(Language::JavaScript, "nan").is_err());
    let nan = all.variables().unwrap().into_iter().find(|v| v.variable.name == "nan").unwrap();
    assert_eq!(nan.language, Language::Python);
    assert!(nan.stays.is_some(), "{nan:?}");
    // What meant a value before is no old value there.
    all.eval(Language::JavaScript, "x").unwrap();
    all.eval(Language::Python, "x = area").unwrap();
    assert_ne!(all.eval(Language::JavaScript, "typeof x === 'undefined' ? null : x").unwrap(), 1);
    assert_eq!(listed("x"), [Language::Python]);
}

#[test]
fn what_is_deleted_is_gone_everywhere() {
    let all = polyglot("p");
    all.eval(Language::JavaScript, "let x = 1").unwrap();
    all.eval(Language::Python, "x").unwrap();
    all.eval(Language::Rhai, "x").unwrap();
    all.eval(Language::Python, "del x").unwrap();
    assert!(all.variables().unwrap().iter().all(|v| v.variable.name != "x"), "{:?}", all.variables());
    assert!(all.eval(Language::Python, "x").is_err());
    assert_eq!(all.get("x").unwrap_err().kind(), ErrorKind::NotFound);
    all.eval(Language::Rhai, "let x = 7;").unwrap();
    assert_eq!(all.eval(Language::Python, "x").unwrap(), 7);
    assert_eq!(all.variables().unwrap().iter().filter(|v| v.variable.name == "x").count(), 1);
}

#[test]
fn a_budget_is_one_for_all_languages() {
    let budget = SessionBudget { output: Some(20), ..SessionBudget::default() };
    let all = polyglot_with("p", move |session| session.budget(budget.clone()));
    all.eval(Language::Python, "print('0123456789')").unwrap();
    let error = all.eval(Language::JavaScript, "console.log('0123456789')").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputLimit, "{error}");
    assert!(all.ended().is_some());
    for language in ALL {
        let error = all.eval(language, "1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutputLimit, "{error}");
    }
}

#[test]
fn it_is_interrupted_completed_and_inspected_as_one() {
    let all = polyglot("p");
    all.eval(Language::Python, "counted_in_python = {'a': 1}").unwrap();
    let found = all.complete(Language::JavaScript, "counted_", 8).unwrap();
    assert!(found.items.iter().any(|item| item.text == "counted_in_python"), "{found:?}");
    assert!(!all.inspect(Language::JavaScript, "counted_in_python").unwrap().shown.cut);
    all.eval(Language::Python, "def only_here(): 'Tells.'").unwrap();
    assert_eq!(all.inspect(Language::JavaScript, "only_here").unwrap().doc.as_deref(), Some("Tells."));
    let other = all.clone();
    let spins = std::thread::spawn(move || other.eval(Language::JavaScript, "for (;;);").unwrap_err().kind());
    while !all.interrupt() {
        std::thread::yield_now();
    }
    assert_eq!(spins.join().unwrap(), ErrorKind::Cancelled);
    assert_eq!(all.eval(Language::JavaScript, "counted_in_python.a").unwrap(), 1);
    assert_eq!(all.completeness(Language::Python, "if x:"), Completeness::Incomplete);
    assert_eq!(all.completeness(Language::JavaScript, "if (x) {"), Completeness::Incomplete);
    let names: Vec<String> = all.info().into_iter().map(|info| info.name).collect();
    assert_eq!(names, ["p.python", "p.javascript"]);
    all.close();
    assert_eq!(all.eval(Language::Python, "7").unwrap(), 7, "what was closed is opened anew");
    assert!(all.eval(Language::Python, "counted_in_python").is_err());
}

#[test]
fn what_nobody_names_is_not_moved() {
    let all = polyglot("p");
    all.eval(Language::Python, "data = 'x' * 1_000_000\nsmall = 1").unwrap();
    let limits = LimitOverrides { time: Some(Duration::from_secs(60)), ..LimitOverrides::default() };
    let options = EvalOptions { limits, ..EvalOptions::default() };
    assert_eq!(all.evaluate(Language::JavaScript, "small + 1", &options).into_value().unwrap(), 2);
    let there = all.session(Language::JavaScript).unwrap().variables().unwrap();
    assert_eq!(there.iter().map(|variable| variable.name.as_str()).collect::<Vec<_>>(), ["small"]);
    assert_eq!(all.eval(Language::JavaScript, "data.length").unwrap(), 1_000_000);
}

#[test]
fn a_copy_has_all_languages_and_goes_its_own_way() {
    let all = polyglot("p");
    all.eval(Language::Python, "x = [1, 2]\ndef f(): return len(x)").unwrap();
    all.eval(Language::JavaScript, "let y = x.length + 10").unwrap();
    let copy = all.fork("q").unwrap();
    copy.eval(Language::JavaScript, "y += 1").unwrap();
    copy.eval(Language::Python, "x.append(y)").unwrap();
    assert_eq!(copy.eval(Language::Rhai, "[x, y]").unwrap(), json!([[1, 2, 13], 13]));
    assert_eq!(copy.eval(Language::Python, "f()").unwrap(), 3);
    assert_eq!(all.eval(Language::Rhai, "[x, y]").unwrap(), json!([[1, 2], 12]));
    assert_eq!(
        copy.info().iter().map(|info| info.name.as_str()).collect::<Vec<_>>(),
        ["q.rhai", "q.python", "q.javascript"]
    );
    // Where one language cannot be copied, none is.
    let engine = &all.0.engine;
    let taken = engine.session(Language::Python).name("r.python").open().unwrap();
    let error = all.fork("r").unwrap_err();
    assert!(error.message().starts_with("python: ") && error.message().contains("r.python"), "{error}");
    assert!(engine.find_session("r.rhai").unwrap().is_none());
    drop(taken);
}

#[test]
fn all_languages_are_kept_as_one() {
    let all = polyglot("p");
    all.eval(Language::Python, "x = {'a': 1}\ndef twice(n): return n * 2\nimport threading; lock = threading.Lock()")
        .unwrap();
    all.eval(Language::JavaScript, "x.b = 2; let y = [x]; class Box { size() { return 4 } }").unwrap();
    let image = all.snapshot().unwrap();
    assert_eq!(image.languages(), [Language::Python, Language::JavaScript]);
    let lost: Vec<_> = image.lost().map(|(language, lost)| (language, lost.name.as_str())).collect();
    assert_eq!(lost, [(Language::Python, "lock")]);
    let bytes = image.for_file().unwrap();
    let read = PolyglotImage::from_bytes(&bytes).unwrap();
    assert_eq!((read.name(), read.languages()), ("p", image.languages()));
    let engine = Engine::builder().bundled(false).build().unwrap();
    let options = RunOptions { isolation: Some(Isolation::InProcess), ..RunOptions::default() };
    let again = engine.restore_polyglot(&image, "again", move |session| session.options(options.clone())).unwrap();
    assert_eq!(again.eval(Language::Python, "[twice(x['b']), y]").unwrap(), json!([4, [{"a": 1, "b": 2}]]));
    assert_eq!(again.eval(Language::JavaScript, "new Box().size() + x.a").unwrap(), 5);
    assert_eq!(again.eval(Language::Rhai, "y[0].b").unwrap(), 2);
    let listed = again.variables().unwrap().into_iter().filter(|v| v.variable.name == "x").count();
    assert_eq!(listed, 1);
}

#[test]
fn bytes_that_are_no_image_are_refused() {
    let all = polyglot("p");
    all.eval(Language::Rhai, "let x = 1;").unwrap();
    let bytes = all.snapshot().unwrap().for_file().unwrap();
    for (bytes, why) in [
        (&bytes[..30], "it ends too soon"),
        (&bytes[..bytes.len() - 1], "it ends too soon"),
        (&b"skills sessions 1\n\xff\xff\xff\xff"[..], "its head is larger"),
        (&b"skills sessions 1\n\x02\x00\x00\x00{}"[..], "missing field"),
        (&b"something else"[..], "it begins otherwise"),
    ] {
        let error = PolyglotImage::from_bytes(bytes).unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidArguments && error.message().contains(why), "{why}: {error}");
    }
    let one = all.session(Language::Rhai).unwrap().snapshot().unwrap();
    assert_eq!(PolyglotImage::from_bytes(&one.to_bytes()).unwrap().languages(), [Language::Rhai]);
}

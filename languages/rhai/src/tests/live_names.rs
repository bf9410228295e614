use super::hosts::{Notebook, any_host, host};
use crate::Rhai;
use serde_json::{Value, json};
use skills_core::Completeness::{Complete, Incomplete};
use skills_core::{ErrorKind, Interpreter, Language, Limits, NameKind, Script};

#[test]
fn variables_are_listed_with_functions() {
    let mut notebook = Notebook::new();
    notebook.value("let b = [1, 2]; const A = \"x\"; fn f(x) { x } fn f() { } let g = |x| x; 5");
    notebook.value("let b = [1];");
    let listed = notebook.session.variables(&any_host()).unwrap();
    let short: Vec<_> = listed.iter().map(|v| (v.name.as_str(), v.kind, v.type_name.as_str())).collect();
    let expected = [
        ("A", NameKind::Value, "string"),
        ("b", NameKind::Value, "array"),
        ("f", NameKind::Function, "Fn"),
        ("g", NameKind::Function, "Fn"),
    ];
    assert_eq!(short, expected);
    assert_eq!(
        (listed[0].shown.as_str(), listed[1].shown.as_str(), listed[2].shown.as_str()),
        ("\"x\"", "[1]", "f(), f(x)")
    );
    assert!(listed[1].size.unwrap() > 0);
    notebook.value("let long = \"é\"; long.pad(500, '\\n');");
    let listed = notebook.session.variables(&any_host()).unwrap();
    let long = listed.iter().find(|v| v.name == "long").unwrap();
    assert!(long.shown.chars().count() == 80 && long.shown.ends_with('…'));
}

#[test]
fn values_are_read_and_written_by_name() {
    let mut notebook = Notebook::new();
    let host = any_host();
    notebook.value("let x = [1, #{a: ()}]; const C = 1; fn f() { } let inc = || x.len();");
    let get = |notebook: &mut Notebook, name: &str| notebook.session.get(name, &host).map_err(|f| f.kind);
    assert_eq!(get(&mut notebook, "x"), Ok(json!([1, {"a": null}])));
    assert_eq!(get(&mut notebook, "f").unwrap()["$type"], json!("function"));
    assert_eq!(get(&mut notebook, "nothing"), Err(ErrorKind::NotFound));
    notebook.session.set("x", &json!([1, 2, 3]), &host).unwrap();
    // It is the variable that the closure captured.
    assert_eq!(notebook.value("inc.call()"), json!(3));
    notebook.session.set("C", &json!(5), &host).unwrap();
    notebook.session.set("fresh", &json!({"k": 1.5}), &host).unwrap();
    assert_eq!(notebook.value("[C, fresh.k]"), json!([5, 1.5]));
    for name in ["1x", "a b", "let", "a;b", "", "x.y", "eval"] {
        assert_eq!(
            notebook.session.set(name, &Value::Null, &host).unwrap_err().kind,
            ErrorKind::InvalidArguments,
            "{name}"
        );
    }
    let small = super::hosts::host(Limits { memory: Some(1 << 20), ..Limits::none() });
    let large = json!(vec![7; 200_000]);
    assert_eq!(notebook.session.set("large", &large, &small).unwrap_err().kind, ErrorKind::MemoryLimit);
    assert_eq!(get(&mut notebook, "large"), Err(ErrorKind::NotFound));
}

fn completions(notebook: &mut Notebook, text: &str) -> Vec<String> {
    let found = notebook.session.complete(text, text.len(), &any_host()).unwrap();
    found.items.into_iter().map(|item| format!("{}{}", &text[..found.from], item.text)).collect()
}

#[test]
fn words_are_completed_from_what_is_alive() {
    let mut notebook = Notebook::new();
    notebook
        .value("let order = #{name: \"x\", nested: #{deep: 1}, \"odd key\": 1}; fn ordinal(n) { n } fn rename(n) { this.name = n } let text = \"\";");
    let mut of = |text: &str| completions(&mut notebook, text);
    assert_eq!(of("1 + ord"), ["1 + order", "1 + ordinal"]);
    assert_eq!(of("order.n"), ["order.name", "order.nested"]);
    assert_eq!(of("f(order.nested.d"), ["f(order.nested.deep", "f(order.nested.drain"]);
    assert_eq!(of("text.to_u"), ["text.to_upper"]);
    assert!(of("nested.orde").is_empty() && of("order.orde").is_empty());
    assert_eq!(of("order.renam"), ["order.rename"]);
    assert_eq!(of("whi"), ["while"]);
    assert_eq!(of("pars"), ["parse_float", "parse_int", "parse_json"]);
    assert_eq!(of("ski"), ["skill"]);
    assert_eq!(of("ech"), ["echo"]);
    assert_eq!(of("skill.st"), ["skill.state"]);
    assert_eq!(of("skill.state."), ["skill.state.get"]);
    assert!(of("skill.").contains(&"skill.add".to_owned()));
    assert!(of("\"ord").is_empty() && of("`x ord").is_empty() && of("// ord").is_empty() && of("order.odd").is_empty());
    assert_eq!(of("`${ord"), ["`${order", "`${ordinal"]);
    assert!(of("nothing.x").is_empty() && of("order.name.nested.").is_empty());
    let found = notebook.session.complete("let é = ordxyz", 12, &any_host()).unwrap();
    assert_eq!((found.from, found.items.len()), (9, 2));
}

#[test]
fn a_name_is_explained() {
    let mut notebook = Notebook::new();
    notebook.value("let m = #{a: [1, 2]};");
    notebook.value(
        "let z = 1;\n/// The area of a rectangle.\n/// Both in metres.\nfn area(w, h) {\n    let s = `${w}`; w * h\n} fn area(r) { r }\n\
         /** Doubles. */ private fn double(x) { x * 2 }\nlet f = |a, b| { a + b }; let named = Fn(\"area\");",
    );
    let mut inspect = |path: &str| notebook.session.inspect(path, &any_host());
    assert_eq!(inspect("m.a").unwrap().shown.text, "[1, 2]");
    assert_eq!(inspect("m.b").unwrap_err().kind, ErrorKind::NotFound);
    let area = inspect("area").unwrap();
    assert_eq!(area.signature.as_deref(), Some("area(r)\narea(w, h)"));
    assert_eq!(area.doc.as_deref(), Some("The area of a rectangle.\nBoth in metres."));
    assert_eq!(area.source.as_deref(), Some("fn area(r) { r }\n\nfn area(w, h) {\n    let s = `${w}`; w * h\n}"));
    assert_eq!(inspect("double").unwrap().source.as_deref(), Some("private fn double(x) { x * 2 }"));
    assert_eq!(inspect("double").unwrap().doc.as_deref(), Some("Doubles."));
    assert_eq!(inspect("named").unwrap().signature, area.signature);
    assert_eq!(inspect("f").unwrap().source.as_deref(), Some("|a, b| { a + b }"));
    assert_eq!(inspect("skill.add").unwrap().signature.as_deref(), Some("skill.add(a, b = 10)"));
    assert!(inspect("skill").unwrap().doc.unwrap().contains("state.get"));
    assert_eq!(inspect("nowhere").unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn the_parser_says_whether_more_is_to_come() {
    let of = |source: &str| {
        Rhai::new().completeness(&Script { language: Language::Rhai, file: "<cell>".into(), source: source.into() })
    };
    let incomplete = [
        "fn f() {",
        "let x =",
        "let",
        "f(1,",
        "[1, 2",
        "#{a: 1,",
        "1 +",
        "if x {\n 1",
        "`abc",
        "`abc ${x",
        "/* note",
        "let s = `a\nb",
        "fn f() { /* x",
        "switch x {",
        "|x| {",
        "(",
        "#\"raw",
        "x.",
        "\"abc \\",
        "for x in",
        "_ +",
        "fn f(a",
        "do { 1 }",
    ];
    for source in incomplete {
        assert_eq!(of(source), Incomplete, "{source}");
    }
    let complete = [
        "",
        "1",
        "let x = 1",
        "let x = 1;",
        "fn f() { 1 }",
        "x y",
        ")",
        "let x = \"abc",
        "// note",
        "1 + )",
        "`a`",
        "/* a */ 1",
        "if x { 1 }",
        "_ + 1",
        "f(",
        "}",
        "eval(\"1\")",
    ];
    for source in complete.into_iter().filter(|source| *source != "f(") {
        assert_eq!(of(source), Complete, "{source}");
    }
}

#[test]
fn a_result_that_is_too_large_is_not_read() {
    let mut notebook = Notebook::new();
    notebook.value("let a = []; a.pad(1000, 1);");
    let limits = Limits { result: Some(100), ..Limits::none() };
    assert!(notebook.session.get("a", &host(limits)).is_err());
}

#[test]
fn every_word_that_is_offered_exists() {
    let values = ["1.5", "1", "\"a\"", "[1]", "#{a: 1}", "blob(1)", "Fn(\"abs\")", "timestamp()", "'c'"];
    let arguments = ["0", "\"a\"", "'c'", "|x| x", "|a, b| 0", "0..1", "[2]", "#{}", "blob()"];
    let mut notebook = Notebook::new();
    let mut unknown = Vec::new();
    for value in values {
        notebook.value(&format!("let v = {value};"));
        for word in completions(&mut notebook, "v.").into_iter().filter(|word| word != "v.a") {
            let mut calls = vec![word.clone(), format!("{word}()")];
            calls.extend(arguments.iter().map(|a| format!("{word}({a})")));
            calls.extend(
                arguments
                    .iter()
                    .flat_map(|a| arguments.iter().map(move |b| (a, b)))
                    .map(|(a, b)| format!("{word}({a}, {b})")),
            );
            calls.push(format!("{word}(0, 1, [2])"));
            let missing = |failure: &skills_core::Failure| {
                let name = word.trim_start_matches("v.");
                let message = failure.message.as_str();
                message.starts_with(&format!("Function not found: {name} ")) || message.contains("property")
            };
            let known =
                calls.iter().any(|call| !notebook.eval(call).evaluation.result.is_err_and(|failure| missing(&failure)));
            if !known {
                unknown.push(format!("{value} has no {word}"));
            }
            notebook.value(&format!("let v = {value};"));
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
}

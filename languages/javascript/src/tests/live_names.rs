use super::live_support::*;
use skills_core::{Completeness, ErrorKind, Host, Language, NameKind, Shown};
use std::sync::Arc;

fn completions(living: &mut Living, text: &str) -> Vec<String> {
    let host: Arc<dyn Host> = living.host();
    let found = living.session.complete(text, text.len(), &host).unwrap();
    found.items.into_iter().map(|item| item.text).collect()
}

#[test]
fn names_and_members_are_completed() {
    let mut living = Living::new();
    living.cell("let calls = 0; const total = 1; class Tower { static tall() {} get top() { calls++ } climb() {} } const tower = new Tower(); tower.own = { inner: { deep: 1 } }; const console = { mine: 1 }");
    assert_eq!(completions(&mut living, "1 + to"), ["total", "tower"]);
    assert_eq!(completions(&mut living, "To"), ["Tower"]);
    assert_eq!(completions(&mut living, "tower.t"), ["toLocaleString", "toString", "top"]);
    assert_eq!(completions(&mut living, "f(tower?.cl"), ["climb"]);
    assert_eq!(completions(&mut living, "tower.own.inner.d"), ["deep"]);
    assert_eq!(completions(&mut living, "Tower.t"), ["tall", "toLocaleString", "toString"]);
    assert_eq!(completions(&mut living, "tower.top."), Vec::<String>::new());
    assert_eq!(completions(&mut living, "skill.ec"), ["echo"]);
    assert_eq!(completions(&mut living, "skill.deep."), ["slow"]);
    assert_eq!(completions(&mut living, "Math.flo"), ["floor"]);
    assert_eq!(completions(&mut living, "console."), completions(&mut living, "({}).x; console."));
    assert!(completions(&mut living, "console.").contains(&"mine".to_owned()));
    assert_eq!(completions(&mut living, "'to"), Vec::<String>::new());
    assert_eq!(completions(&mut living, "nothing."), Vec::<String>::new());
    assert!(completions(&mut living, "con").contains(&"const".to_owned()));
    assert!(completions(&mut living, "").contains(&"calls".to_owned()));
    let host: Arc<dyn Host> = living.host();
    let found = living.session.complete("x = tow + 1", 7, &host).unwrap();
    assert_eq!((found.from, found.items.len(), found.items[0].kind), (4, 1, NameKind::Value));
    let kinds = living.session.complete("Tower", 5, &host).unwrap();
    assert_eq!(kinds.items[0].kind, NameKind::Class);
    assert_eq!(living.value("calls"), serde_json::json!(0));
    living.cell("const trapped = new Proxy({ a: 1 }, { ownKeys() { throw new Error('trap') }, getPrototypeOf() { throw new Error('trap') }, get() { throw new Error('trap') } })");
    assert_eq!(completions(&mut living, "trapped."), Vec::<String>::new());
}

#[test]
fn a_name_is_inspected() {
    let mut living = Living::new();
    living.cell("/**\n * Adds two numbers.\n * @param {number} a - the first\n */\nexport const add = (a, { b = 1, ...rest } = {}) =>\n  a + b");
    living.cell("class Shape { constructor(width, height) {} area() { return 1 } }\n/** The first. */ const shape = new Shape(1, 2)");
    let host: Arc<dyn Host> = living.host();
    let mut inspect = |path: &str| living.session.inspect(path, &host).unwrap();
    let own = inspect("add");
    assert_eq!(own.signature.as_deref(), Some("add(a, { b = 1, ...rest } = {})"));
    assert_eq!(own.doc.as_deref(), Some("Adds two numbers.\n@param {number} a - the first"));
    assert_eq!(own.source.as_deref(), Some("(a, { b = 1, ...rest } = {}) =>\n  a + b"));
    assert_eq!((own.shown.text.as_str(), own.shown.type_name.as_str()), ("[Function: add]", "Function"));
    assert_eq!(inspect("Shape").signature.as_deref(), Some("Shape(width, height)"));
    assert_eq!(inspect("shape").doc.as_deref(), Some("The first."));
    assert_eq!(inspect("shape.area").shown.text, "[Function: area]");
    assert_eq!(inspect("Math.max").signature.as_deref(), Some("max(arg1, arg2)"));
    assert_eq!(inspect("skill.add").signature.as_deref(), Some("skill.add(a, b)"));
}

#[test]
fn what_is_not_there_is_not_found() {
    let mut living = Living::new();
    let host: Arc<dyn Host> = living.host();
    for path in ["nothing", "Math.nothing", "", "a b"] {
        assert_eq!(living.session.inspect(path, &host).unwrap_err().kind, ErrorKind::NotFound, "{path}");
    }
}

#[test]
fn open_input_goes_on() {
    let js = |source: &str| completeness(Language::JavaScript, source);
    for source in [
        "function f() {",
        "[1, 2",
        "f(1,",
        "if (a)",
        "for (const x of y) {\n  x",
        "`text ${a",
        "`text",
        "/* comment",
        "a +",
        "a = {\n b: 1,",
        "class A {\n  m() {",
        "const x =",
        "async () => {",
        "({",
        "x => {",
        "try { a }",
        "switch (a) {\n case 1:",
        "do {} ",
        "'a\\\n",
        "foo(\n// done",
        "export default function () {",
        "`a ${`b ${",
        "a ?",
        "new",
        "import",
    ] {
        assert_eq!(js(source), Completeness::Incomplete, "{source}");
    }
    for source in [
        "",
        "1",
        "let a = 1",
        "'open",
        "\"open",
        "a b",
        ")",
        "}",
        "f(]",
        "{ a: 1 }",
        "{ a: 1, b: 2 }",
        "await x",
        "let 1a",
        "/re",
        "class { }",
        "x = `a`",
        "return 1",
        "// comment",
        "function f() {}",
        "a = ;",
    ] {
        assert_eq!(js(source), Completeness::Complete, "{source}");
    }
    let ts = |source: &str| completeness(Language::TypeScript, source);
    for source in ["interface A {", "const a: Map<string,", "type T =", "enum E {", "function f<T>(a: T"] {
        assert_eq!(ts(source), Completeness::Incomplete, "{source}");
    }
    assert_eq!(ts("const a: number = 1"), Completeness::Complete);
}

#[test]
fn values_are_shown_as_people_know_them() {
    let mut living = Living::new();
    for (source, shown) in [
        ("'it\\'s'", "\"it's\""),
        (
            "['a\\n', 1.5, -0, 10n, true, null, undefined, Symbol('s')]",
            "[ 'a\\n', 1.5, -0, 10n, true, null, undefined, Symbol(s) ]",
        ),
        (
            "({ a: 1, 'b c': [1, 2, { d: { e: {} } }], f() {}, g: class A {}, [Symbol('k')]: 1 })",
            "{\n  a: 1,\n  'b c': [ 1, 2, { d: [Object] } ],\n  f: [Function: f],\n  g: [class A],\n  [Symbol(k)]: 1\n}",
        ),
        ("new Map([['k', new Set([1])]])", "Map(1) { 'k' => Set(1) { 1 } }"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("class P { x = 1 } new P()", "P { x: 1 }"),
        ("class Q extends P {} Q", "[class Q extends P]"),
        ("(() => {})", "[Function (anonymous)]"),
        ("async function* ag() {} ag", "[AsyncGeneratorFunction: ag]"),
        ("const o = { name: 'o' }; o.self = o; o", "<ref *1> { name: 'o', self: [Circular *1] }"),
        ("[1, , 3]", "[ 1, <1 empty item>, 3 ]"),
        ("Array(3)", "[ <3 empty items> ]"),
        ("[]", "[]"),
        ("({})", "{}"),
        ("Object.create(null)", "[Object: null prototype] {}"),
        ("({ get a() { return 1 }, set a(v) {}, get b() { return 1 } })", "{ a: [Getter/Setter], b: [Getter] }"),
        ("new Uint8Array([1, 2])", "Uint8Array(2) [ 1, 2 ]"),
        ("new Proxy({}, { get() { throw 1 } })", "[Proxy]"),
        ("[[[[1]]]]", "[ [ [ [Array] ] ] ]"),
        ("/a\\/b/g", "/a\\/b/g"),
        ("globalThis.x = 'x'.repeat(90); [x]", &format!("[\n  '{}'\n]", "x".repeat(90))),
    ] {
        assert_eq!(living.text(source), shown, "{source}");
    }
    assert_eq!(living.text("Array.from({ length: 101 }, (_, i) => i)").lines().last(), Some("]"));
    assert!(living.text("Array.from({ length: 102 }, (_, i) => i)").contains("... 2 more items\n]"));
}

#[test]
fn an_error_is_shown_with_its_places() {
    let mut living = Living::new();
    living.cell("\nconst make = () => new TypeError('boom')");
    let shown = living.text("make()");
    assert_eq!(shown, "TypeError: boom\n    at make (<cell 1>:2:24)\n    at <anonymous> (<cell 2>:1:1)");
    assert_eq!(living.text("[make()]").lines().next(), Some("["));
}

#[test]
fn large_values_are_cut_and_images_passed_on() {
    let mut living = Living::new();
    let large = living.shown("'x'.repeat(1e6)");
    assert!(large.cut && large.text.len() <= Shown::MOST, "{}", large.text.len());
    let many = living.shown("Array.from({ length: 1000 }, () => Array.from({ length: 100 }, () => 'y'.repeat(1000)))");
    assert!(many.cut && many.text.len() <= Shown::MOST, "{}", many.text.len());
    let wide = living.shown("Object.fromEntries(Array.from({ length: 1e5 }, (_, i) => ['k' + i, i]))");
    assert!(wide.cut && wide.text.len() <= Shown::MOST);
    living.cell("const png = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 1, 2, 3])");
    assert_eq!(living.shown("png").png.as_deref(), Some(&[137, 80, 78, 71, 13, 10, 26, 10, 1, 2, 3][..]));
    assert_eq!(living.shown("png.buffer").png.map(|png| png.len()), Some(11));
    assert_eq!(living.shown("png.slice(1)").png, None);
}

//! What sessions tell of their namespace.

use super::live::{Repl, host, repl};
use crate::CPython;
use serde_json::json;
use skills_core::{Completeness, ErrorKind, Interpreter, Language, NameKind, Script};

fn texts(repl: &mut Repl, text: &str) -> Vec<String> {
    let found = repl.session.complete(text, text.len(), &host()).unwrap();
    found.items.into_iter().map(|item| item.text).collect()
}

#[test]
fn variables_are_what_the_cells_made() {
    let mut repl = repl();
    assert_eq!(repl.session.variables(&host()).unwrap(), []);
    repl.value("import json\nn = 5\ntext = 'a\\nb'\ndef f(): pass\nclass A: pass\na = A()\n_own = 1\nbig = list(range(10**6))\nadd = 7\n'last'");
    let found = repl.session.variables(&host()).unwrap();
    let short: Vec<_> =
        found.iter().map(|v| (v.name.as_str(), v.kind, v.type_name.as_str(), v.shown.as_str())).collect();
    let list = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, …";
    assert_eq!(
        short,
        [
            ("A", NameKind::Class, "type", "<class '__main__.A'>"),
            ("_own", NameKind::Value, "int", "1"),
            ("a", NameKind::Value, "A", "<__main__.A object>"),
            ("add", NameKind::Value, "int", "7"),
            ("big", NameKind::Value, "list", list),
            ("f", NameKind::Function, "function", "<function f>"),
            ("json", NameKind::Module, "module", short[6].3),
            ("n", NameKind::Value, "int", "5"),
            ("text", NameKind::Value, "str", "'a\\nb'"),
        ]
    );
    assert!(found.iter().all(|variable| variable.shown.chars().count() <= 80));
    assert!(found[4].size.unwrap() > 8_000_000);
}

#[test]
fn a_variable_that_cannot_be_shown_does_not_hide_the_others() {
    let mut repl = repl();
    repl.value(
        "class A:\n    def __repr__(self): return 1 / 0\n    def __sizeof__(self): return 1 / 0\na = A()\nb = 1",
    );
    let found = repl.session.variables(&host()).unwrap();
    assert_eq!((found[1].shown.as_str(), found[1].size), ("<A whose repr raises ZeroDivisionError>", None));
    assert_eq!(found[2].name, "b");
}

#[test]
fn variables_are_read_and_written_by_name() {
    let mut repl = repl();
    repl.value("x = {'a': (1, 2)}");
    assert_eq!(repl.session.get("x", &host()), Ok(json!({"a": [1, 2]})));
    assert_eq!(repl.session.get("y", &host()).unwrap_err().kind, ErrorKind::NotFound);
    repl.session.set("y", &json!({"b": [1.5, null]}), &host()).unwrap();
    assert_eq!(repl.value("y['b'][0] + 1"), json!(2.5));
    for name in ["", "a b", "1a", "class", "__builtins__", "a.b"] {
        let failure = repl.session.set(name, &json!(1), &host()).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::InvalidArguments, "{name}");
    }
    let deep = (0..200).fold(json!(1), |value, _| json!([value]));
    assert_eq!(repl.session.set("z", &deep, &host()).unwrap_err().kind, ErrorKind::InvalidArguments);
    repl.value("nan = float('nan')");
    assert!(repl.session.get("nan", &host()).is_err());
}

#[test]
fn names_are_completed_from_what_is_alive() {
    let mut repl = repl();
    repl.value("import os.path, json\nvariable = 1\nclass A:\n    count = 0\n    def method(self): pass\n    def __init__(self): self.field = {'name': 1, 'nest': 'x'}\na = A()\nrows = [a]");
    assert_eq!(texts(&mut repl, "x = vari"), ["variable"]);
    assert_eq!(texts(&mut repl, "isinst"), ["isinstance"]);
    assert_eq!(texts(&mut repl, "whi"), ["while"]);
    assert_eq!(texts(&mut repl, "a."), ["count", "field", "method"]);
    assert_eq!(texts(&mut repl, "print(a.me"), ["method"]);
    assert!(texts(&mut repl, "a.__ini").contains(&"__init__".to_owned()));
    assert_eq!(texts(&mut repl, "rows[0].fi"), ["field"]);
    assert_eq!(texts(&mut repl, "a.field['na"), ["name"]);
    assert_eq!(texts(&mut repl, "a.field[\""), ["name", "nest"]);
    assert_eq!(texts(&mut repl, "a.field['nest'].upp"), ["upper"]);
    assert_eq!(texts(&mut repl, "'abc'.isasc"), ["isascii"]);
    assert_eq!(texts(&mut repl, "json.dump"), ["dump", "dumps"]);
    assert_eq!(texts(&mut repl, "os.path.basen"), ["basename"]);
    assert_eq!(texts(&mut repl, "skill.ec"), ["echo"]);
    assert_eq!(texts(&mut repl, "skill.fs."), ["missing"]);
    assert_eq!(texts(&mut repl, "import datet"), ["datetime"]);
    assert_eq!(texts(&mut repl, "import os, datet"), ["datetime"]);
    assert_eq!(texts(&mut repl, "from json import dum"), ["dump", "dumps"]);
    assert_eq!(texts(&mut repl, "import os.pa"), ["path"]);
    assert_eq!(texts(&mut repl, "# vari"), [""; 0]);
    assert_eq!(texts(&mut repl, "'vari"), [""; 0]);
    assert_eq!(texts(&mut repl, "'''\nvari"), [""; 0]);
    assert_eq!(texts(&mut repl, "missing.na"), [""; 0]);
    assert_eq!(texts(&mut repl, "f(x).na"), [""; 0]);
    let found = repl.session.complete("é = variab + 1", "é = variab".len(), &host()).unwrap();
    assert_eq!((found.from, found.items[0].text.as_str(), found.items[0].kind), (5, "variable", NameKind::Value));
    let found = repl.session.complete("a.me", 4, &host()).unwrap();
    assert_eq!((found.from, found.items[0].kind), (2, NameKind::Function));
    assert_eq!(repl.session.complete("x", 100, &host()).unwrap().from, 0);
}

#[test]
fn completing_calls_nothing() {
    let mut repl = repl();
    repl.value("calls = []\nclass M(type):\n    def __getattr__(c, n): calls.append(1)\nclass A(metaclass=M):\n    @property\n    def p(self): calls.append(2)\n    def __getattr__(self, n): calls.append(3)\n    def __getattribute__(self, n): calls.append(4)\n    def __dir__(self): calls.append(5)\n    __slots__ = ('s', '__dict__')\nclass D(dict):\n    def __getitem__(self, k): calls.append(6)\n    def keys(self): calls.append(7)\na = A()\nd = D(x=1)\nclass P:\n    def __getattr__(self, n): calls.append(8)\nproxy = P()\nclass L(list):\n    def __getitem__(self, k): calls.append(9)\nl = L([1])");
    for text in ["a.", "a.p.", "a.p.x", "a.q.x", "A.", "A.q.x", "d['", "d['x'].", "proxy.x.", "l[0].", "a.s."] {
        texts(&mut repl, text);
    }
    assert_eq!(repl.value("calls"), json!([]));
    assert_eq!(texts(&mut repl, "a.p"), ["p"]);
}

#[test]
fn a_value_is_inspected_by_its_path() {
    let mut repl = repl();
    repl.value("def area(w: float, h=2):\n    '''The area.\n\n    Of a rectangle.'''\n    return w * h\nclass A:\n    'A class.'\n    x = 5\n    def m(self, *a): pass\na = A()");
    let area = repl.session.inspect("area", &host()).unwrap();
    assert_eq!(area.shown.text, "<function area>");
    assert_eq!(area.signature.as_deref(), Some("(w: float, h=2)"));
    assert_eq!(area.doc.as_deref(), Some("The area.\n\nOf a rectangle."));
    assert!(area.source.unwrap().starts_with("def area(w: float, h=2):\n    '''The area."));
    let x = repl.session.inspect("a.x", &host()).unwrap();
    assert_eq!((x.shown.text.as_str(), x.signature, x.doc, x.source), ("5", None, None, None));
    assert_eq!(repl.session.inspect("a.m", &host()).unwrap().signature.as_deref(), Some("(*a)"));
    let class = repl.session.inspect("A", &host()).unwrap();
    assert_eq!((class.doc.as_deref(), class.signature.as_deref()), (Some("A class."), Some("()")));
    assert!(class.source.unwrap().ends_with("def m(self, *a): pass\n"));
    assert!(repl.session.inspect("len", &host()).unwrap().doc.unwrap().starts_with("Return the number"));
    let doc = repl.session.inspect("skill.echo", &host()).unwrap().doc.unwrap();
    assert!(doc.contains("skill.echo"), "{doc}");
    for path in ["missing", "a.missing", "", "a..x", "a.m()", "1"] {
        assert_eq!(repl.session.inspect(path, &host()).unwrap_err().kind, ErrorKind::NotFound, "{path}");
    }
    repl.value("class Odd:\n    @property\n    def p(self): return 1 / 0\nodd = Odd()");
    let failure = repl.session.inspect("odd.p", &host()).unwrap_err();
    assert_eq!((failure.kind, failure.frames[0].file.as_str()), (ErrorKind::ScriptError, "<cell 2>"));
}

#[test]
fn the_parser_says_whether_code_is_complete() {
    let python = CPython::new();
    let complete = |source: &str| {
        let script = Script { language: Language::Python, file: "<input>".to_owned(), source: source.to_owned() };
        python.completeness(&script) == Completeness::Complete
    };
    for source in [
        "",
        "x = 1",
        "x = 1\n",
        "# only a comment",
        "def f():\n    return 1\n",
        "def f(): return 1\n",
        "f(1,\n2)",
        "'''a\nb'''",
        "if x:\n    1\n    ",
        "x = = 1",
        "foo bar",
        "x = 'abc",
        "for",
        ")",
        "class A:\n    x = 1\n\n",
        "await f()",
        "return 1",
        "def f():\n    return 1\nx = 2",
        "x = 1  # (",
        "\0",
        "def f():\nx = 1",
        "lambda: 0",
    ] {
        assert!(complete(source), "{source:?}");
    }
    for source in [
        "def f():",
        "def f():\n    return 1",
        "if x:\n",
        "x = (1,",
        "x = [\n1,\n",
        "'''a",
        "f(",
        "x = \\",
        "@decorator",
        "class A:\n    x = 1",
        "for i in x: pass",
        "try:\n    1\n",
        "if x:\n    1\nelse:",
        "async def f():\n    await g()",
        "x = {\n    'a': 1,\n",
        "def f():\n    '''doc",
        "match x:\n    case 1:\n        2",
        "with a as b:\n    1",
        "def f(a,",
    ] {
        assert!(!complete(source), "{source:?}");
    }
}

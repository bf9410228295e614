//! Cells, one after another.

use super::host::TestHost;
use super::live::repl;
use serde_json::json;
use skills_core::{ErrorKind, Limits, Shown};

#[test]
fn what_a_cell_defines_is_there_for_the_next() {
    let mut repl = repl();
    repl.value("import json as j, functools\nx = 41\ndef f(n): return n + x\nclass A:\n    kind = 'a'");
    assert_eq!(repl.value("f(1)"), json!(42));
    repl.value("x = 1");
    assert_eq!(repl.value("f(1)"), json!(2), "functions see the namespace as it is");
    assert_eq!(repl.value("j.dumps([A.kind])"), json!("[\"a\"]"));
    repl.value(
        "def counter():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up",
    );
    repl.value("up = counter()");
    assert_eq!((repl.value("up()"), repl.value("up()")), (json!(1), json!(2)));
    repl.value("def twice(g):\n    @functools.wraps(g)\n    def both(*a): return g(g(*a))\n    return both");
    assert_eq!(repl.value("@twice\ndef add(n): return n + 1\nadd(0)"), json!(2));
    assert_eq!(repl.value("del x\n'x' in globals()"), json!(false));
}

#[test]
fn the_last_value_stays() {
    let mut repl = repl();
    assert_eq!(repl.value("6 * 7"), json!(42));
    assert_eq!(repl.value("_ + 1"), json!(43));
    repl.value("None");
    repl.value("y = 5");
    assert_eq!(repl.value("_"), json!(43), "what has no value leaves it");
}

#[test]
fn the_namespace_is_that_of_the_main_program() {
    let mut repl = repl();
    assert_eq!(repl.value("__name__"), json!("__main__"));
    assert_eq!(
        repl.value("class A: pass\nimport sys\nsys.modules['__main__'].A is A and A.__module__"),
        json!("__main__")
    );
    assert_eq!(repl.value("import pickle\nisinstance(pickle.loads(pickle.dumps(A())), A)"), json!(true));
    assert_eq!(repl.value("import typing\nclass B: x: 'A'\ntyping.get_type_hints(B)['x'] is A"), json!(true));
    assert_eq!(repl.value("[skill.add(1, 2), add(1, 1), params, 'echo' in dir(skill)]"), json!([3.0, 2.0, {}, true]));
}

#[test]
fn features_of_the_future_stay_on() {
    let mut repl = repl();
    assert!(repl.failure("def f(a: missing): pass").message.contains("missing"));
    repl.value("from __future__ import annotations");
    assert_eq!(repl.value("def f(a: missing): pass\nf.__annotations__"), json!({"a": "missing"}));
}

#[test]
fn a_cell_that_raises_keeps_what_it_had_done() {
    let mut repl = repl();
    let failure = repl.failure("a = 1\nimport math\n1 / 0\nb = 2");
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (ErrorKind::ScriptError, "ZeroDivisionError: division by zero")
    );
    assert_eq!(repl.value("[a, 'b' in globals(), math.floor(1.5)]"), json!([1, false, 1]));
    assert_eq!(repl.failure("x = (").kind, ErrorKind::ScriptError);
    assert_eq!(repl.value("a"), json!(1));
}

#[test]
fn exit_ends_the_cell_only() {
    let mut repl = repl();
    assert_eq!(repl.value("x = 1\nexit()\nx = 2"), json!(null));
    assert_eq!(repl.value("x"), json!(1));
    assert_eq!(repl.failure("import sys\nsys.exit(3)").message, "SystemExit: the script exited with code 3");
    assert_eq!(repl.failure("raise KeyboardInterrupt").message, "KeyboardInterrupt");
    assert_eq!(repl.value("x"), json!(1));
}

#[test]
fn errors_point_into_the_cells_that_they_come_from() {
    let mut repl = repl();
    repl.value("def f(n):\n    # a comment\n    return 10 / n");
    repl.value("def g(n): return f(n)");
    let frames = repl.failure("1\ng(0)").frames;
    let found: Vec<_> = frames
        .iter()
        .map(|frame| (frame.file.as_str(), frame.line, frame.function.as_deref(), frame.source.as_deref().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("<cell 1>", 3, Some("f"), "    return 10 / n"),
            ("<cell 2>", 1, Some("g"), "def g(n): return f(n)"),
            ("<cell 3>", 2, None, "g(0)"),
        ]
    );
    let syntax = repl.failure("x = 1\ny = = 2").frames;
    assert_eq!((syntax[0].file.as_str(), syntax[0].line), ("<cell 4>", 2));
    assert_eq!(syntax[0].source.as_deref(), Some("y = = 2"));
}

#[test]
fn python_itself_knows_the_lines_of_cells() {
    let mut repl = repl();
    repl.value("def f(n):\n    return 10 / n\n");
    assert_eq!(repl.value("import inspect\ninspect.getsource(f)"), json!("def f(n):\n    return 10 / n\n"));
    let text = repl.value("import traceback\ntry: f(0)\nexcept Exception: text = traceback.format_exc()\ntext");
    let text = text.as_str().unwrap();
    assert!(text.contains("File \"<cell 1>\", line 2, in f\n    return 10 / n"), "{text}");
    assert!(text.contains("File \"<cell 3>\", line 2, in <module>\n    try: f(0)"), "{text}");
}

#[test]
fn cells_may_await() {
    let mut repl = repl();
    repl.value("import asyncio\nasync def slow(n):\n    await asyncio.sleep(0.001)\n    return n");
    assert_eq!(repl.value("x = await slow(1)\nawait slow(x + 1)"), json!(2));
    assert_eq!(repl.value("[n async for n in (n async for n in aiter_())] if False else await slow(3)"), json!(3));
    assert_eq!(repl.value("slow(4)"), json!(4), "a coroutine is awaited, as in a script");
    repl.value("task = asyncio.ensure_future(slow(5)) if False else None\nawait asyncio.sleep(0)\ntask = asyncio.create_task(slow(5))");
    assert_eq!(repl.value("await task"), json!(5), "a task goes on in the next cell that awaits");
    let failure = repl.failure("1\nawait slow(1 / 0)");
    assert_eq!((failure.frames[0].file.as_str(), failure.frames[0].line), ("<cell 7>", 2));
    assert_eq!(repl.value("await slow(7)"), json!(7));
    assert_eq!(repl.value("await asyncio.to_thread(int, '8')"), json!(8));
    assert_eq!(repl.value("await asyncio.to_thread(int, '9')"), json!(9), "threads end with their cell");
}

#[test]
fn values_are_json_where_they_can_be() {
    let mut repl = repl();
    assert_eq!(repl.value("{'a': [1, 2.5, None]}"), json!({"a": [1, 2.5, null]}));
    assert_eq!(repl.value("float('nan')"), json!({"$type": "float", "repr": "nan"}));
    assert_eq!(repl.value("def f(): pass\nf"), json!({"$type": "function", "repr": "<function f>"}));
    let small = Limits { result: Some(100), ..Limits::default() };
    let evaluated = repl.cell("list(range(1000))", small);
    let value = evaluated.evaluation.result.unwrap();
    assert_eq!(value["$type"], "list");
    assert!(value["repr"].as_str().unwrap().starts_with("[0, 1, 2"), "{value}");
    assert!(evaluated.shown.unwrap().text.ends_with("998, 999]"));
    assert_eq!(repl.value("len(_)"), json!(1000));
}

#[test]
fn values_are_shown_as_python_shows_them() {
    let mut repl = repl();
    assert_eq!(repl.cell("x = 1", Limits::default()).shown, None);
    assert_eq!(repl.cell("None", Limits::default()).shown, None);
    for text in [
        "1",
        "'a'",
        "[1, 'b', None]",
        "(1,)",
        "()",
        "{}",
        "set()",
        "{1: {2: (3, 4)}}",
        "{1, 2}",
        "b'x'",
        "[[], [[]]]",
        "'it\\'s'",
        "range(0, 5)",
        "True",
        "-1.5",
        "(1+2j)",
        "frozenset({1})",
        "Ellipsis",
        "[1, 2.5, True, None]",
    ] {
        assert_eq!(
            repl.value(&format!("x = {text}\nimport skill\nskill.echo(repr(x))")),
            json!(repl.shown("x")),
            "{text}"
        );
    }
    assert_eq!(repl.shown("from collections import OrderedDict\nOrderedDict(a=1)"), "OrderedDict([('a', 1)])");
    assert_eq!(repl.shown("class A: pass\n[A()]"), "[<__main__.A object>]");
    assert_eq!(repl.shown("x = []\nx.append(x)\nx"), "[[...]]");
    assert_eq!(repl.shown("d = {}\nd['d'] = [d]\nd"), "{'d': [{...}]}");
    assert_eq!(repl.cell("A()", Limits::default()).shown.unwrap().type_name, "A");
    assert_eq!(
        repl.shown("class B:\n    def __repr__(self): return 1 / 0\nB()"),
        "<B whose repr raises ZeroDivisionError>"
    );
    assert!(repl.shown("10 ** 10_000").starts_with("0x"), "digits that Python refuses to write");
}

#[test]
fn what_is_shown_is_cut_before_it_is_made() {
    let mut repl = repl();
    let limits = || Limits { memory: Some(64 << 20), ..Limits::default() };
    for source in
        ["[7] * 4_000_000", "'é' * 2_000_000", "{0: [[7] * 4_000_000]}", "b'x' * 20_000_000", "['a' * 100] * 1_000_000"]
    {
        let shown = repl.cell(source, limits()).shown.unwrap_or_else(|| panic!("{source}"));
        assert!(shown.cut && shown.text.len() <= Shown::MOST && shown.text.len() > Shown::MOST / 3, "{source}");
        repl.value("_ = None");
    }
}

#[test]
fn pictures_are_passed_on() {
    let mut repl = repl();
    let png = b"\x89PNG\r\n\x1a\nrest".to_vec();
    let source = "picture = b'\\x89PNG\\r\\n\\x1a\\nrest'\npicture";
    assert_eq!(repl.cell(source, Limits::default()).shown.unwrap().png, Some(png.clone()));
    let source = "class Plot:\n    def _repr_png_(self): return picture\nPlot()";
    assert_eq!(repl.cell(source, Limits::default()).shown.unwrap().png, Some(png));
    for source in
        ["b'PNG'", "Plot", "class Bad:\n    def _repr_png_(self): return 1 / 0\nBad()", "picture + bytes(5 << 20)"]
    {
        assert_eq!(repl.cell(source, Limits::default()).shown.unwrap().png, None, "{source}");
    }
}

#[test]
fn output_and_host_calls_are_the_cells_own() {
    let mut repl = repl();
    let host = TestHost::new(Limits::default());
    repl.cell_on(&host, "print('a')\nprint('b', end='')");
    assert_eq!(host.stdout(), "a\nb");
    let other = TestHost::new(Limits { host_calls: Some(2), ..Limits::default() });
    let evaluated = repl.cell_on(&other, "for i in range(3): skill.echo(i)");
    assert_eq!(evaluated.evaluation.result.unwrap_err().kind, ErrorKind::HostCallLimit);
    assert_eq!(repl.value("[i, skill.echo(5)]"), json!([2, 5]));
    assert_eq!(host.stdout(), "a\nb");
}

#[test]
fn the_body_of_a_skill_is_evaluated_once() {
    let mut repl = repl();
    let source = "print('body')\ncalls = []\ndef run(n=0):\n    calls.append(n)\n    return [len(calls), params['n'], skill.params['n'], __name__]";
    assert_eq!(repl.skill("a.py", source, json!({"n": 5})), Ok(json!([1, 5, 5, "__skill__"])));
    assert_eq!(repl.skill("a.py", source, json!({"n": 6})), Ok(json!([2, 6, 6, "__skill__"])));
    assert_eq!(repl.value("calls"), json!([5, 6]), "cells see the same namespace");
    let edited = source.replace("print('body')", "edited = True");
    assert_eq!(repl.skill("a.py", &edited, json!({"n": 7})), Ok(json!([1, 7, 7, "__skill__"])));
    assert_eq!(repl.value("edited"), json!(true));
    let unfit = repl.skill("a.py", &edited, json!({"m": 7})).unwrap_err();
    assert_eq!((unfit.kind, unfit.message.as_str()), (ErrorKind::InvalidArguments, "run has no parameter `m`"));
    let main = "x = 0\ndef run(): return x\nif __name__ == '__main__':\n    x = 1";
    assert_eq!(repl.skill("c.py", main, json!({})), Ok(json!(0)), "the name is that of a script with `run`");
    assert_eq!(repl.value("__name__"), json!("__main__"));
}

#[test]
fn a_skill_without_run_is_evaluated_each_time() {
    let mut repl = repl();
    repl.value("total = 0\ndef run(): return 'of a cell'");
    let source = "total += params['n']\ntotal";
    assert_eq!(repl.skill("b.py", source, json!({"n": 2})), Ok(json!(2)));
    assert_eq!(repl.skill("b.py", source, json!({"n": 3})), Ok(json!(5)));
    assert_eq!(repl.value("run()"), json!("of a cell"));
    assert_eq!(repl.skill("d.py", "run = lambda n: n * 2", json!({"n": 4})), Ok(json!(8)));
    let failure = repl.skill("e.py", "def run(): return 1\n1 / 0", json!({})).unwrap_err();
    assert_eq!((failure.frames[0].file.as_str(), failure.frames[0].line), ("e.py", 2));
    assert_eq!(repl.skill("e.py", "def run(): return 1\n1", json!({})), Ok(json!(1)));
    assert!(repl.skill("f.py", "def run(): return float('nan')", json!({})).is_err(), "as in a run");
}

#[test]
fn skills_share_a_namespace_and_keep_their_entries() {
    let mut repl = repl();
    assert_eq!(repl.skill("a.py", "def run(): return 'a'", json!({})), Ok(json!("a")));
    assert_eq!(repl.skill("b.py", "def run(): return 'b'", json!({})), Ok(json!("b")));
    assert_eq!(repl.skill("a.py", "def run(): return 'a'", json!({})), Ok(json!("a")));
    let source =
        "import asyncio\nqueue = asyncio.Queue()\nasync def run(n):\n    await queue.put(n)\n    return queue.qsize()";
    assert_eq!(repl.skill("q.py", source, json!({"n": 1})), Ok(json!(1)));
    assert_eq!(repl.skill("q.py", source, json!({"n": 1})), Ok(json!(2)));
    assert_eq!(repl.value("await queue.get()"), json!(1));
}

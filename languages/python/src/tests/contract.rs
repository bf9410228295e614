use super::host::{TestHost, again, failure, open, run_on, script_in, value, value_with};
use crate::CPython;
use serde_json::json;
use skills_core::{ErrorKind, Host, Interpreter, Limits};
use std::sync::Arc;

#[test]
fn the_last_expression_is_the_value() {
    assert_eq!(value("x = 20\nx + 22"), json!(42));
    assert_eq!(value("x = 20"), json!(null));
    assert_eq!(value("'only a docstring'"), json!("only a docstring"));
    assert_eq!(value(""), json!(null));
}

#[test]
fn run_is_called_by_keyword() {
    let source = "def run(a, b=1, *, c=2):\n    return [a, b, c]\n'not this'";
    assert_eq!(value_with(source, json!({"c": 5, "a": 3})), json!([3, 1, 5]));
    assert_eq!(
        value_with("def run(a, /, b=2, **rest): return [a, b, rest]", json!({"a": 1, "z": 9})),
        json!([1, 2, {"z": 9}])
    );
    assert_eq!(value_with("def run(a=1, b=2, /): return [a, b]", json!({"b": 5})), json!([1, 5]));
    assert_eq!(value_with("run = lambda n: n * 2", json!({"n": 4})), json!(8));
}

#[test]
fn parameters_are_one_object_too() {
    assert_eq!(value_with("params['a'] + skill.params['a']", json!({"a": 2})), json!(4));
    assert_eq!(value_with("import skill\nfrom skill import params as p\np['a']", json!({"a": 2})), json!(2));
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    for (source, params, message) in [
        ("def run(a, b): return a", json!({"a": 1}), "run needs the parameter `b`"),
        ("def run(*, a): return a", json!({}), "run needs the parameter `a`"),
        ("def run(a): return a", json!({"a": 1, "x": 2}), "run has no parameter `x`"),
        ("def run(): return 1", json!({"x": 2}), "run has no parameter `x`"),
    ] {
        let evaluation = run_on(&TestHost::new(Limits::default()), source, params);
        let failure = evaluation.result.unwrap_err();
        assert_eq!(failure.kind, ErrorKind::InvalidArguments, "{source}");
        assert_eq!(failure.message, message);
        assert!(failure.help.is_some());
    }
    let wrapped = "import functools\ndef deco(f):\n    @functools.wraps(f)\n    def g(**k): return f(**k)\n    return g\n\
                   @deco\ndef run(a): return a";
    assert_eq!(failure(wrapped).kind, ErrorKind::InvalidArguments);
}

#[test]
fn a_type_error_inside_run_is_the_scripts_own() {
    let failure = failure("def run():\n    return len(1)");
    assert_eq!(failure.kind, ErrorKind::ScriptError);
    assert_eq!(failure.frames[0].line, 2);
}

#[test]
fn an_imported_run_is_not_the_entry() {
    assert_eq!(value("from subprocess import run\n1"), json!(1));
    assert_eq!(value("from asyncio import run\n2"), json!(2));
}

#[test]
fn async_run_is_awaited() {
    let source = "import asyncio\nasync def part(n):\n    await asyncio.sleep(0.001)\n    return n\n\
                  async def run(n):\n    return sum(await asyncio.gather(part(n), part(1)))";
    assert_eq!(value_with(source, json!({"n": 41})), json!(42));
    assert_eq!(value("async def main(): return 7\nmain()"), json!(7));
    assert_eq!(value("import asyncio\nasync def main(): return 7\nasyncio.run(main())"), json!(7));
}

#[test]
fn a_main_block_runs_where_there_is_no_run() {
    assert_eq!(value("x = 1\nif __name__ == '__main__':\n    x = 2\nx"), json!(2));
    assert_eq!(value("def run(): return 'run'\nif __name__ == '__main__':\n    1 / 0"), json!("run"));
}

#[test]
fn host_functions_are_members_and_globals() {
    assert_eq!(
        value("[skill.add(1, 2), add(a=2, b=3), skill.echo({'a': [1, None]})]"),
        json!([3.0, 5.0, {"a": [1, null]}])
    );
    assert_eq!(value("skill.deep.slow(ms=1)"), json!(null));
    assert_eq!(value("from skill import add as plus, deep\nplus(1, 1)"), json!(2.0));
    assert_eq!(value("'echo' in dir(skill) and 'missing' in dir(skill.fs)"), json!(true));
    assert!(failure("skill.fs.reed").message.contains("skill.fs has no reed; it has missing"));
    assert!(failure("skill.echoo").message.contains("AttributeError: skill has no echoo"));
}

#[test]
fn a_function_that_is_a_group_too_gives_its_members() {
    assert_eq!(value("skill.room('kitchen').put('a', value={'b': 1})"), json!(["the kitchen", "a", {"b": 1}]));
    assert_eq!(value("put = skill.room(name='kitchen').put\nput('a')"), json!(["the kitchen", "a", null]));
    assert_eq!(value("skill.room.put('attic', 'a', 2)"), json!(["attic", "a", 2]));
    assert_eq!(value("[dir(skill.room('x')), repr(skill.room('x'))]"), json!([["put"], "<skill.room('the x')>"]));
    assert!(failure("skill.room(1)").message.contains("`name` must be a string"));
    assert!(failure("skill.room('x').get").message.contains("has no get; it has put"));
    assert!(failure("skill.fs()").message.contains("skill.fs is no function"));
}

#[test]
fn nothing_of_a_namespace_is_left_for_the_next_run() {
    let mut session = open();
    let limits = Limits::default;
    assert_eq!(again(&mut *session, "x = 1\nx", limits()).result, Ok(json!(1)));
    let failure = again(&mut *session, "x", limits()).result.unwrap_err();
    assert_eq!(failure.message, "NameError: name 'x' is not defined");
}

#[test]
fn output_is_captured_stream_by_stream() {
    let host = TestHost::new(Limits::default());
    let source = "import sys\nprint('a', 1)\nprint('b', file=sys.stderr)\nsys.stdout.write('c')\n\
                  sys.stdout.buffer.write(b'd\\xff')\nsys.__stderr__.write('e')\nprint('f', end='')";
    run_on(&host, source, json!({})).result.unwrap();
    assert_eq!(host.stdout(), "a 1\ncd\u{fffd}f");
    assert_eq!(host.stderr(), "b\ne");
}

#[test]
fn input_is_at_its_end() {
    assert_eq!(failure("input()").message, "EOFError: EOF when reading a line");
    assert_eq!(value("import sys\nsys.stdin.read()"), json!(""));
}

#[test]
fn exit_without_an_error_is_the_value_null() {
    assert_eq!(value("import sys\nsys.exit()"), json!(null));
    assert_eq!(value("import sys\nsys.exit(0)"), json!(null));
    assert_eq!(value("exit()"), json!(null));
    assert_eq!(failure("import sys\nsys.exit(3)").message, "SystemExit: the script exited with code 3");
    assert_eq!(failure("import sys\nsys.exit('bad input')").message, "SystemExit: bad input");
    assert!(failure("import os\nos._exit(0)").message.contains("os._exit would end the host"));
}

#[test]
fn modules_beside_the_script_can_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("main.py");
    std::fs::write(&file, "").unwrap();
    std::fs::write(folder.path().join("helper.py"), "import other\ndef f(): return other.N\ndef g(): return 1 / 0")
        .unwrap();
    std::fs::write(folder.path().join("other.py"), "N = 5").unwrap();
    let file = file.to_str().unwrap();
    let host: Arc<dyn Host> = TestHost::new(Limits::default());
    let mut session = CPython::new().open(&host).unwrap();
    let run = |session: &mut dyn skills_core::Session, file: &str, source: &str| {
        let host: Arc<dyn Host> = TestHost::new(Limits::default());
        session.run(&script_in(file, source), &json!({}), &host).result
    };
    assert_eq!(run(&mut *session, file, "import helper\nhelper.f()"), Ok(json!(5)));
    std::fs::write(folder.path().join("other.py"), "N = 600").unwrap();
    assert_eq!(run(&mut *session, file, "import helper\nhelper.f()"), Ok(json!(600)), "it is loaded afresh");
    let failure = run(&mut *session, file, "import helper\nhelper.g()").unwrap_err();
    assert!(failure.frames[0].file.ends_with("helper.py"), "{failure:?}");
    assert_eq!(failure.frames[0].source.as_deref(), Some("def g(): return 1 / 0"));
    assert_eq!(failure.frames[1].file, file);
    let failure = run(&mut *session, "elsewhere.py", "import helper").unwrap_err();
    assert_eq!(failure.message, "ModuleNotFoundError: No module named 'helper'");
}

#[test]
fn usage_is_told() {
    let host = TestHost::new(Limits::default());
    let usage = run_on(&host, "x = 'a' * 5_000_000\nfor i in range(100_000): pass", json!({})).usage;
    assert!(usage.cpu.unwrap().as_nanos() > 0);
    let peak = usage.peak_memory.unwrap();
    assert!((5_000_000..12_000_000).contains(&peak), "{peak}");
    assert_eq!(usage.operations, None);
}

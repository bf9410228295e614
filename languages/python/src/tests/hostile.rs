use super::host::{TestHost, again_alone, alone, failure, open, run_on, value};
use serde_json::json;
use skills_core::{ErrorKind, Limits};
use std::time::Duration;

/// Runs a script that may do what it likes, then one that must find everything as it was.
fn afterwards(hostile: &str, check: &str) {
    let _alone = alone();
    let mut session = open();
    let limits = Limits { time: Some(Duration::from_millis(300)), ..Limits::default() };
    let _ = again_alone(&mut *session, hostile, limits);
    let evaluation = again_alone(&mut *session, check, Limits::default());
    assert_eq!(evaluation.result, Ok(json!(true)), "after {hostile}");
}

#[test]
fn builtins_are_put_back() {
    afterwards(
        "import builtins\nbuiltins.len = lambda x: 5\nbuiltins.extra = 1",
        "len([]) == 0 and 'extra' not in dir(__builtins__)",
    );
    afterwards("__builtins__.pop('print', None)", "callable(print)");
}

#[test]
fn modules_are_put_back() {
    afterwards("import sys\nsys.modules['json'] = 5", "import json\njson.loads('[1]') == [1]");
    afterwards("import sys, json\nsys.modules['json'] = 5", "import json\njson.loads('[1]') == [1]");
    afterwards("import sys\nsys.modules.clear()", "import json, sys\njson.loads('[1]') == [1]");
    afterwards(
        "import sys, types\nsys.modules['evil'] = types.ModuleType('evil')",
        "import sys\n'evil' not in sys.modules",
    );
    afterwards("import sys\nsys.modules['skill'] = 5", "import skill as s\ns.echo(1) == 1");
    let looping = "import sys\nclass M:\n    @property\n    def __spec__(self):\n        while True: pass\nsys.modules['m'] = M()";
    afterwards(looping, "import sys\n'm' not in sys.modules");
}

#[test]
fn sys_is_put_back() {
    afterwards("import sys\nsys.path.insert(0, '/tmp/evil')", "import sys\n'/tmp/evil' not in sys.path");
    afterwards("import sys\nsys.path = []\nsys.meta_path.clear()", "import sys, json, csv, uuid\nlen(sys.path) > 0");
    afterwards("import sys\nsys.setrecursionlimit(100)", "import sys\nsys.getrecursionlimit() == 1000");
    let host = TestHost::new(Limits::default());
    run_on(&host, "import sys, io\nsys.stdout = io.StringIO()\nprint('lost')", json!({})).result.unwrap();
    run_on(&host, "print('kept')", json!({})).result.unwrap();
    assert_eq!(host.stdout(), "kept\n");
}

#[test]
fn threads_end_with_the_run() {
    let loops = "import threading, time\nn = []\ndef f():\n    while True:\n        try:\n            n.append(1); time.sleep(0.001)\n\
                 \x20       except Exception: pass\nfor i in range(3): threading.Thread(target=f).start()";
    afterwards(
        loops,
        "import threading, time\ntime.sleep(0.1)\nnot [t for t in threading.enumerate() if t.name.startswith('Thread-')]",
    );
    afterwards(&loops.replace("Exception", "BaseException"), "True");
}

#[test]
fn threads_print_to_their_run() {
    let host = TestHost::new(Limits::default());
    let source = "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool:\n\
                  \x20   x = list(pool.map(lambda n: (print(n), skill.add(n, 1))[1], range(4)))\nx";
    assert_eq!(run_on(&host, source, json!({})).result, Ok(json!([1.0, 2.0, 3.0, 4.0])));
    let mut lines: Vec<String> = host.stdout().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines.concat().len(), 4, "{lines:?}");
}

#[test]
fn finalizers_that_loop_are_stopped() {
    afterwards("class A:\n    def __del__(self):\n        while True: pass\nx = [A() for i in range(5)]", "True");
    afterwards("class A:\n    def __del__(self):\n        global k\n        k = A()\nA()", "True");
}

#[test]
fn the_process_is_left_alone() {
    assert!(failure("import os\nos.fork()").message.contains("cannot fork"));
    assert!(failure("import signal\nsignal.signal(signal.SIGTERM, lambda *a: None)").message.contains("main thread"));
    let hook =
        "import sys\nseen = []\nsys.addaudithook(lambda *a: seen.append(a))\nopen('/dev/null').close()\nlen(seen)";
    assert_eq!(value(hook), json!(0));
}

#[test]
fn the_environment_does_not_reach_the_interpreter() {
    assert_eq!(
        value("import sys\n[sys.flags.ignore_environment, sys.flags.no_user_site, sys.dont_write_bytecode]"),
        json!([1, 1, true])
    );
    assert_eq!(value("import sys, os\nos.path.exists(sys.prefix + '/lib')"), json!(true));
    // The same in every process, whatever PYTHONHASHSEED says.
    assert_eq!(value("hash('a') == hash('a') and [*{'a', 'b', 'c', 'd'}]"), value("[*{'a', 'b', 'c', 'd'}]"));
}

#[test]
fn inner_runs_are_apart_from_outer_ones() {
    assert_eq!(value("x = 1\n[skill.nested('x = 5\\nx'), x]"), json!([5, 1]));
    let failure = failure("skill.nested('1 / 0')");
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (ErrorKind::ScriptError, "ZeroDivisionError: division by zero")
    );
    let host = TestHost::new(Limits { operations: Some(50), ..Limits::default() });
    let source = "skill.nested('for i in range(10_000): pass')\nfor i in range(20): pass";
    let evaluation = run_on(&host, source, json!({}));
    assert!(evaluation.result.is_ok(), "{evaluation:?}");
    assert!((20..=22).contains(&evaluation.usage.operations.unwrap()));
    let host = TestHost::new(Limits { wall: Some(Duration::from_millis(50)), ..Limits::default() });
    assert_eq!(
        run_on(&host, "skill.nested('while True: pass')", json!({})).result.unwrap_err().kind,
        ErrorKind::Timeout
    );
}

#[test]
fn ways_around_the_namespace_crash_nothing() {
    for source in [
        "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'x']",
        "import gc\nlen(gc.get_objects()) > 0",
        "'{0.__class__}'.format(skill)",
        "repr(skill) + repr(skill.fs) + repr(skill.echo)",
        "import sys\nsys._getframe().f_builtins is not None",
        "x = []\nfor i in range(100_000): x = [x]\ndel x",
        "import pickle\ntry: pickle.dumps(skill.echo)\nexcept Exception: pass",
        "type(skill.echo)",
    ] {
        run_on(&TestHost::new(Limits::default()), source, json!({})).result.unwrap();
    }
    failure("type(skill.echo)()");
    failure("skill.x = 1");
    failure("del skill.params");
}

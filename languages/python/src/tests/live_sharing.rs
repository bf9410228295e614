//! What sessions keep of the process, and what others see of it.

use super::host::{TestHost, again_alone, alone, open};
use super::live::{Repl, repl};
use serde_json::{Value, json};
use skills_core::Limits;

fn value(repl: &mut Repl, source: &str) -> Value {
    let evaluated = repl.cell_alone(&TestHost::new(Limits::default()), source);
    evaluated.evaluation.result.unwrap_or_else(|failure| panic!("{source}: {failure:?}"))
}

/// Has a session change something, and asks it, another one and a run.
fn kept(change: &str, ask: &str) {
    let _alone = alone();
    let (mut first, mut second, mut plain) = (repl(), repl(), open());
    let before = value(&mut first, ask);
    value(&mut first, change);
    let during = value(&mut first, ask);
    assert_ne!(during, before, "{change} changes nothing");
    for _ in 0..2 {
        assert_eq!(value(&mut second, ask), before, "another session after {change}");
        assert_eq!(again_alone(&mut *plain, ask, Limits::default()).result.unwrap(), before, "a run after {change}");
        assert_eq!(value(&mut first, ask), during, "the same session after {change}");
    }
    drop(first);
    assert_eq!(value(&mut second, ask), before, "when the session has gone");
}

#[test]
fn the_process_is_a_sessions_own() {
    kept("import os\nos.chdir('/')", "import os\nos.getcwd()");
    kept(
        "import os\nos.environ['SKILLS_L'] = '1'",
        "import os, subprocess\n[os.environ.get('SKILLS_L'), subprocess.run(['/bin/sh', '-c', 'echo $SKILLS_L'], capture_output=True, text=True).stdout]",
    );
    kept("import os\ndel os.environ['PATH']", "import os\n'PATH' in os.environ");
    kept(
        "import os, time\nos.environ['TZ'] = 'EST5'\ntime.tzset()",
        "import time\n[time.localtime(0).tm_hour, time.tzname[0]]",
    );
}

#[test]
fn changes_of_modules_are_a_sessions_own() {
    kept("import json\njson.dumps = lambda x: 'mine'", "import json\njson.dumps(1)");
    kept("import math\ndel math.pi", "import math\nhasattr(math, 'pi')");
    kept("import builtins\nbuiltins.answer = 42", "import builtins\ngetattr(builtins, 'answer', None)");
    kept("import sys\nsys.answer = 42", "import sys\ngetattr(sys, 'answer', None)");
    kept("import sys\nsys.path.append('/somewhere')", "import sys\n'/somewhere' in sys.path");
    kept("import sys\nsys.setrecursionlimit(500)", "import sys\nsys.getrecursionlimit()");
    kept("import gc\ngc.disable()", "import gc\ngc.isenabled()");
    kept("import warnings\nwarnings.simplefilter('error')", "import warnings\nwarnings.filters[0][0]");
    kept(
        "import logging\nlogging.basicConfig(level=logging.DEBUG)",
        "import logging\n[logging.getLogger().level, len(logging.getLogger().handlers)]",
    );
    kept("import decimal\ndecimal.getcontext().prec = 4", "import decimal\nstr(decimal.Decimal(1) / 3)");
}

#[test]
fn a_seed_says_what_comes_in_the_next_cells() {
    let _alone = alone();
    let (mut first, mut second) = (repl(), repl());
    let together =
        value(&mut second, "import random\nrandom.seed(7)\n[random.random(), random.random(), random.gauss(0, 1)]");
    value(&mut first, "import random\nrandom.seed(7)");
    let a = value(&mut first, "random.random()");
    value(&mut second, "random.seed(1)\nrandom.random()");
    let b = value(&mut first, "random.random()");
    assert_eq!(json!([a, b, value(&mut first, "random.gauss(0, 1)")]), together);
}

#[test]
fn modules_of_the_user_are_a_sessions_own() {
    let _alone = alone();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut sessions = [repl(), repl()];
    for (n, (folder, session)) in folders.iter().zip(&mut sessions).enumerate() {
        std::fs::write(folder.path().join("helper_l.py"), format!("count = 0\nN = {n}\ndef where(): return N"))
            .unwrap();
        let path = folder.path().to_str().unwrap();
        value(session, &format!("import sys\nsys.path.insert(0, {path:?})"));
    }
    for session in &mut sessions {
        value(session, "import helper_l\nhelper_l.count += 1");
    }
    for (n, session) in sessions.iter_mut().enumerate() {
        assert_eq!(value(session, "import helper_l\nhelper_l.count += 1\n[helper_l.N, helper_l.count]"), json!([n, 2]));
        assert_eq!(value(session, "import pickle\npickle.loads(pickle.dumps(helper_l.where))()"), json!(n));
    }
    let gone = "try:\n    import helper_l\n    x = 1\nexcept ImportError: x = 0\nx";
    assert_eq!(again_alone(&mut *open(), gone, Limits::default()).result, Ok(json!(0)));
}

#[test]
fn modules_beside_a_skill_stay_imported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("main.py");
    std::fs::write(&file, "").unwrap();
    std::fs::write(folder.path().join("beside_l.py"), "calls = 0").unwrap();
    let mut repl = repl();
    let source = "import beside_l\ndef run():\n    beside_l.calls += 1\n    return [beside_l.calls, __file__]";
    let file = file.to_str().unwrap();
    assert_eq!(repl.skill(file, source, json!({})), Ok(json!([1, file])));
    assert_eq!(repl.skill(file, source, json!({})), Ok(json!([2, file])));
    assert_eq!(repl.value("import beside_l\nbeside_l.calls"), json!(2));
}

#[test]
fn a_run_on_the_same_session_knows_nothing_of_it() {
    let _alone = alone();
    let mut repl = repl();
    value(&mut repl, "x = 1\nimport sys, types\nsys.modules['made_up'] = types.ModuleType('made_up')");
    let run = |repl: &mut Repl, source: &str| again_alone(&mut *repl.session, source, Limits::default()).result;
    assert!(run(&mut repl, "x").is_err());
    assert!(run(&mut repl, "import made_up").is_err());
    assert_eq!(run(&mut repl, "import __main__\nhasattr(__main__, 'x')"), Ok(json!(false)));
    assert_eq!(value(&mut repl, "import made_up\n[x, made_up.__name__]"), json!([1, "made_up"]));
}

#[test]
fn sessions_on_several_threads_keep_their_own() {
    let threads: Vec<_> = (0..4)
        .map(|n| {
            std::thread::spawn(move || {
                let mut repl = repl();
                repl.value(&format!("mine = {n}\ndef get(): return mine"));
                for round in 0..50 {
                    assert_eq!(repl.value("skill.deep.slow(0)\nget()"), json!(n), "{round}");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

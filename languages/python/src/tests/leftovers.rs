//! What one run changes and the next one must not see.

use super::host::{TestHost, again_alone, alone, open, script};
use crate::CPython;
use serde_json::{Value, json};
use skills_core::{Host, Interpreter, Limits};
use std::sync::Arc;

/// Runs scripts one after another, each on a session of its own; the value of the last one.
fn in_turn(sources: &[&str]) -> Value {
    let _alone = alone();
    let mut value = Value::Null;
    for source in sources {
        value = again_alone(&mut *open(), source, Limits::default()).result.unwrap();
    }
    value
}

/// Asks for a value, runs a script that changes it (which must be seen in that run), and asks again.
fn put_back(ask: &str, change: &str) {
    let _alone = alone();
    // One session: another would have another thread state of CPython, with a context of its own.
    let mut session = open();
    let mut run = |source: &str| again_alone(&mut *session, source, Limits::default()).result.unwrap();
    let before = run(ask);
    let during = run(&format!("{change}\n{ask}"));
    assert_ne!(during, before, "{change} changes nothing");
    assert_eq!(run(ask), before, "after {change}");
    // And once more, because then everything has been imported.
    assert_eq!(run(&format!("{change}\n{ask}")), during);
    assert_eq!(run(ask), before, "after the second {change}");
}

#[test]
fn the_working_directory_is_put_back() {
    put_back("import os\nos.getcwd()", "import os\nos.chdir('/')\nos.chdir('/tmp')");
    put_back("import os\nos.getcwd()", "import os\nfd = os.open('/', os.O_RDONLY)\nos.fchdir(fd)\nos.close(fd)");
}

#[test]
fn the_environment_is_put_back() {
    let ask = "import os, subprocess\n[os.environ.get('SKILLS_A'), os.environ['PATH'], subprocess.run(['/bin/sh', '-c', \
               'echo $SKILLS_A'], capture_output=True, text=True).stdout]";
    put_back(ask, "import os\nos.environ['SKILLS_A'] = '1'\nos.environ['SKILLS_A'] = '2'");
    put_back(ask, "import os\nos.environ['PATH'] = '/bin'");
    put_back(ask, "import os\nos.putenv('SKILLS_A', '1')");
    put_back("import os\ndict(os.environ)", "import os\nos.environ.clear()");
    put_back("import os\nos.environ.get('X')", "import os\nos.environ = {'X': '1'}");
    put_back(
        "import time\n[time.localtime(0).tm_hour, time.tzname[0]]",
        "import os, time\nos.environ['TZ'] = 'EST5'\ntime.tzset()",
    );
}

#[test]
fn contexts_are_a_runs_own() {
    put_back("import decimal\nstr(decimal.Decimal(1) / 3)", "import decimal\ndecimal.getcontext().prec = 4");
    put_back(
        "import decimal\ndecimal.getcontext().prec",
        "import decimal\ndecimal.setcontext(decimal.Context(prec=5))",
    );
}

#[test]
fn attributes_of_modules_are_put_back() {
    put_back("import json\njson.dumps([1])", "import json\njson.dumps = lambda x: 'evil'");
    put_back("import math\nmath.pi", "import math\nmath.pi = 3");
    put_back("import string\nhasattr(string, 'digits')", "import string\ndel string.digits");
    put_back("import math\nhasattr(math, 'x')", "import math\nmath.__dict__['x'] = 1");
    put_back("import time\ntime.time() > 0", "import time\ntime.time = lambda: -1");
    put_back(
        "import json\njson.loads('1')",
        "import importlib, json\nimportlib.reload(json)\njson.loads = lambda x: 'evil'",
    );
}

#[test]
fn a_module_is_put_back_after_the_run_that_imports_it_first() {
    // No other test imports these, not even the first run of a process does.
    let first = "import colorsys, sys\ncolorsys.ONE_THIRD = 5\ncolorsys.ONE_THIRD";
    assert_eq!(in_turn(&[first, "import colorsys\ncolorsys.ONE_THIRD < 1"]), json!(true));
    // The same where the import is a library's own.
    let first = "import plistlib\nplistlib.struct.pack = None\nplistlib.itertools = 1";
    assert_eq!(
        in_turn(&[first, "import plistlib, struct\ncallable(struct.pack) and plistlib.itertools != 1"]),
        json!(true)
    );
}

#[test]
fn packages_keep_their_modules() {
    let imports = "import xml.dom.minidom, concurrent.futures.thread, importlib.resources";
    let uses = "import xml, concurrent\n[m.__name__ for m in (xml.dom.minidom, concurrent.futures.thread)]";
    assert_eq!(in_turn(&[imports, "1", uses]), json!(["xml.dom.minidom", "concurrent.futures.thread"]));
    let patched = "import wsgiref\nwsgiref.x = 1\nimport wsgiref.util\nwsgiref.util.guess_scheme({})";
    assert_eq!(
        in_turn(&[patched, "import wsgiref\n[hasattr(wsgiref, 'x'), hasattr(wsgiref, 'util')]"]),
        json!([false, true])
    );
    let pool =
        "from concurrent.futures import ThreadPoolExecutor as P\nwith P(1) as p: x = p.submit(int, '7').result()\nx";
    assert_eq!(in_turn(&[pool, pool, pool]), json!(7));
    let waits = "import asyncio\nasync def run():\n    await asyncio.sleep(0)\n    return 5";
    assert_eq!(in_turn(&[waits, waits, waits]), json!(5));
}

#[test]
fn logging_is_put_back() {
    let ask = "import logging\nroot = logging.getLogger()\n[root.level, len(root.handlers), len(root.filters), \
               logging.getLogger('a').isEnabledFor(logging.INFO)]";
    put_back(ask, "import logging\nlogging.basicConfig(level=logging.DEBUG)");
    put_back(ask, "import logging\nlogging.getLogger().handlers = [1]\nlogging.getLogger().addFilter(print)");
    put_back(
        "import logging\nlogging.getLogger('a').isEnabledFor(logging.ERROR)",
        "import logging\nlogging.disable(logging.CRITICAL)",
    );
}

#[test]
fn warning_filters_are_put_back() {
    let ask = "import warnings\ntry:\n    warnings.warn('w', UserWarning)\n    x = 0\nexcept UserWarning: x = 1\nx";
    put_back(ask, "import warnings\nwarnings.simplefilter('error')");
    put_back("import warnings\nlen(warnings.filters)", "import warnings\nwarnings.resetwarnings()");
}

#[test]
fn chance_is_not_what_a_script_before_chose() {
    let seeded = "import random\nrandom.seed(1)\nrandom.random()";
    assert_eq!(in_turn(&[seeded, seeded]), in_turn(&[seeded]), "a seed still says what comes");
    for seed in ["random.seed(1)", "random.seed(1)\nrandom.gauss(0, 1)", "random.setstate(random.Random(1).getstate())"]
    {
        let change = format!("import random\n{seed}");
        let ask = "import random\nrandom.random()";
        assert_ne!(in_turn(&[&change, ask]), in_turn(&[&change, ask]), "after {seed}");
    }
}

#[test]
fn the_collector_stays_on() {
    put_back("import gc\ngc.isenabled()", "import gc\ngc.disable()");
}

#[test]
fn what_a_stopped_script_changed_is_put_back() {
    let _alone = alone();
    let limits = Limits { time: Some(std::time::Duration::from_millis(50)), ..Limits::default() };
    let change = "import os, json\nos.chdir('/')\nos.environ['SKILLS_B'] = '1'\njson.dumps = 1\nwhile True: pass";
    let mut session = open();
    let ask = "import os, json\n[os.getcwd(), 'SKILLS_B' in os.environ, callable(json.dumps)]";
    let before = again_alone(&mut *session, ask, Limits::default()).result.unwrap();
    again_alone(&mut *session, change, limits).result.unwrap_err();
    assert_eq!(again_alone(&mut *session, ask, Limits::default()).result.unwrap(), before);
}

#[test]
fn a_run_that_goes_on_keeps_what_it_changed() {
    let _alone = alone();
    let host: Arc<dyn Host> = TestHost::new(Limits::default());
    let source = "import json, os\njson.dumps = lambda x: 'mine'\nos.chdir('/')\nos.environ['SKILLS_C'] = '1'\n\
                  skill.nested('import json, os\\njson.loads = 5\\nos.chdir(\"/tmp\")\\nos.environ[\"SKILLS_C\"] = \"2\"')\n\
                  [json.dumps(1), 'SKILLS_C' in os.environ]";
    let mut session = CPython::new().open(&host).unwrap();
    let ask = "import json, os\n[json.dumps(1), json.loads('1'), os.getcwd(), 'SKILLS_C' in os.environ]";
    let before = session.run(&script(ask), &json!({}), &host).result.unwrap();
    assert_eq!(session.run(&script(source), &json!({}), &host).result, Ok(json!(["mine", true])));
    assert_eq!(session.run(&script(ask), &json!({}), &host).result, Ok(before));
}

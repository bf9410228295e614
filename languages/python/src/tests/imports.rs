use super::host::{TestHost, run_on};
use serde_json::{Value, json};
use skills_core::{ErrorKind, Limits};
use std::sync::{Arc, Barrier};

type Files = &'static [(&'static str, &'static str)];

/// What two scripts give that run on two threads and wait for each other in `skill.meet`.
fn meeting(first: (&'static str, Files), second: (&'static str, Files)) -> (Value, Value) {
    let meeting = Arc::new(Barrier::new(2));
    let [first, second] = [first, second].map(|(source, files)| {
        let host = TestHost::with(Limits::default(), files, Some(Arc::clone(&meeting)));
        std::thread::spawn(move || run_on(&host, source, json!({})).result.unwrap())
    });
    (first.join().unwrap(), second.join().unwrap())
}

#[test]
fn a_run_that_waits_for_another_takes_no_modules_from_a_third() {
    let waiting = "import one, sys
skill.meet()
there = skill.nested('import sys\\nskill.meet()\\nskill.meet()\\n\"one\" in sys.modules')
[there, 'one' in sys.modules]";
    let third = "import two, sys
skill.meet()
skill.meet()
there = 'two' in sys.modules
skill.meet()
there";
    let given = meeting((waiting, &[("one.py", "")]), (third, &[("two.py", "")]));
    assert_eq!(given, (json!([false, true]), json!(true)));
}

#[test]
fn what_another_run_imported_meanwhile_stays_its_own() {
    let waiting = "import helper, helper.part
skill.meet()
skill.nested('skill.meet()\\nskill.meet()')
skill.meet()
skill.meet()
helper.NAME";
    let third = "import sys
skill.meet()
skill.meet()
import helper
skill.meet()
skill.meet()
found = [helper.NAME, __import__('helper').NAME, 'helper.part' in sys.modules]
skill.meet()
found";
    let package: Files = &[("helper/__init__.py", "NAME = 'first'"), ("helper/part.py", "")];
    let given = meeting((waiting, package), (third, &[("helper.py", "NAME = 'third'")]));
    assert_eq!(given, (json!("first"), json!(["third", "third", false])));
    let host = TestHost::with(Limits::default(), &[("helper.py", "NAME = 'later'")], None);
    assert_eq!(run_on(&host, "import helper\nhelper.NAME", json!({})).result, Ok(json!("later")));
}

#[test]
fn what_is_not_there_is_asked_for_once() {
    let host = TestHost::new(Limits::default());
    let source =
        "for _ in range(600):\n    try: import nowhere\n    except ImportError as error: found = error.name\nfound";
    assert_eq!(run_on(&host, source, json!({})).result, Ok(json!("nowhere")));
    assert_eq!(*host.asked.lock().unwrap(), ["nowhere/__init__.py", "nowhere.py"]);
}

#[test]
fn a_refusal_is_an_import_error() {
    let host = TestHost::new(Limits::default());
    let source = "try: import refused\nexcept ImportError as error: found = [str(error), error.kind]\nfound";
    assert_eq!(run_on(&host, source, json!({})).result, Ok(json!(["asked too often", "script_error"])));
    let failure = run_on(&host, "import refused", json!({})).result.unwrap_err();
    assert_eq!((failure.kind, failure.help.as_deref()), (ErrorKind::ScriptError, Some("ask less")));
    assert!(failure.message.contains("asked too often"), "{failure}");
}

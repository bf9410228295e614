//! What a skill's script imports of its own skill: from a folder and from a source that is none, in each tier.

use crate::policy::Scripted;
use crate::support::{Sandbox, tiers};
use serde_json::{Value, json};
use skills::{Answer, Engine, ErrorKind, Isolation, Layout, MemorySkills, Outcome, RunOptions, Session, Trust};
use std::path::Path;

/// The definition of a skill `many` whose script is one of its files.
pub(crate) fn definition(script: &str) -> String {
    json!({"name": "many", "description": "d", "type": "code_inline", "code": format!("file://./{script}")}).to_string()
}

/// The files of a skill, the first of them its script.
pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

/// Writes the files of a skill `many` into a folder.
pub(crate) fn write(folder: &Path, files: Files<'_>) {
    let own = folder.join("many");
    for (path, text) in files {
        let path = own.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(own.join("many.json"), definition(files[0].0)).unwrap();
}

fn options(tier: Isolation) -> RunOptions {
    let mut options = RunOptions::default();
    options.isolation = Some(tier);
    options
}

/// What becomes of a skill wherever it is from and wherever it runs; each runs twice in one engine.
pub(crate) fn everywhere(files: Files<'_>, check: impl Fn(&str, Outcome)) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let source = files
        .iter()
        .fold(MemorySkills::new("shop"), |source, (path, text)| source.with(format!("many/{path}"), text.as_bytes()));
    let source = source.with("many/many.json", definition(files[0].0));
    let builder = || Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0);
    let engines = [
        ("a folder", builder().layout(Layout::of_folder(folder.path())).build().unwrap()),
        ("a source", builder().source(source).build().unwrap()),
    ];
    for (from, engine) in &engines {
        let skill = engine.skill("many").unwrap();
        for tier in tiers() {
            for turn in 1..=2 {
                check(&format!("{from}, {tier:?}, {turn}"), engine.run_skill(&skill, json!({}), &options(tier)));
            }
        }
    }
}

pub(crate) fn gives(files: Files<'_>, value: &Value) {
    everywhere(files, |place, outcome| match outcome.result {
        Ok(found) => assert_eq!(found, *value, "{place}"),
        Err(error) => panic!("{place}: {}", error.render(false)),
    });
}

/// What a script fails with, and the innermost place as `FILE:LINE:COLUMN`, the file from the skill's folder.
pub(crate) fn fails(files: Files<'_>, kind: ErrorKind, parts: &[&str], place: &str) {
    everywhere(files, |at, outcome| {
        let error = outcome.result.unwrap_err();
        assert_eq!(error.kind(), kind, "{at}: {}", error.render(false));
        let text = error.render(false);
        for part in parts {
            assert!(text.contains(part), "{at}: {part:?} is not in: {text}");
        }
        let frame = error.frames().first().unwrap_or_else(|| panic!("{at}: {text}"));
        let shown = format!("{}:{}:{}", frame.file, frame.line, frame.column);
        assert!(shown.ends_with(&format!("many/{place}")), "{at}: {shown} is not {place}: {text}");
        assert!(frame.source.is_some(), "{at}: {text}");
    });
}

#[test]
fn python_imports_modules_and_packages() {
    let main = "\
import helper
from parts import table
from parts.inner.deep import NAME as deep, up
import parts.inner.deep as again

def run():
    helper.seen.append(1)
    return [helper.twice(4), table.rows(), deep, up(), again.NAME, len(helper.seen), helper.__name__]
";
    let files: Files<'_> = &[
        ("scripts/main.py", main),
        ("scripts/helper.py", "from other import ONE\nseen = []\ndef twice(n):\n    return n * 2 * ONE\n"),
        ("scripts/other.py", "import helper\nONE = 1\ndef later():\n    return helper.seen\n"),
        ("scripts/parts/__init__.py", "SIZE = 3\n"),
        ("scripts/parts/table.py", "from . import SIZE\ndef rows():\n    return [SIZE]\n"),
        ("scripts/parts/inner/__init__.py", ""),
        ("scripts/parts/inner/deep.py", "from .. import table\nNAME = __name__\ndef up():\n    return table.rows()\n"),
    ];
    let value = json!([8, [3], "parts.inner.deep", [3], "parts.inner.deep", 1, "helper"]);
    gives(files, &value);
}

#[test]
fn an_error_in_what_python_imports_has_its_place_there() {
    let helper = "def fail():\n    raise ValueError('no')\n";
    let files: Files<'_> =
        &[("scripts/main.py", "import helper\n\ndef run():\n    helper.fail()\n"), ("scripts/helper.py", helper)];
    fails(files, ErrorKind::ScriptError, &["ValueError: no", "in fail", "in run"], "scripts/helper.py:2:5");
    let files: Files<'_> = &[("scripts/main.py", "import helper\n"), ("scripts/helper.py", "x = 1\ny = (\n")];
    fails(files, ErrorKind::ScriptError, &["SyntaxError", "was never closed"], "scripts/helper.py:2:5");
}

#[test]
fn what_python_cannot_import_is_named_with_what_there_is() {
    let files: Files<'_> = &[("scripts/main.py", "1\nimport helpr\n"), ("scripts/helper.py", "")];
    fails(
        files,
        ErrorKind::ScriptError,
        &["No module named 'helpr'", "there are helper.py, main.py"],
        "scripts/main.py:2:1",
    );
    let caught = "try:\n    import helpr\nexcept ImportError as error:\n    found = error.name\nfound";
    gives(&[("scripts/main.py", caught)], &json!("helpr"));
    // Not above the folder of the script, and the folder of the process is none of the skill's.
    let files: Files<'_> = &[("scripts/main.py", "import above\n"), ("above.py", "")];
    fails(files, ErrorKind::ScriptError, &["No module named 'above'"], "scripts/main.py:1:1");
}

#[test]
fn a_skill_that_is_called_has_its_own_modules_and_its_caller_keeps_its_own() {
    let other = json!({"name": "other", "description": "d", "type": "code_inline", "code": "file://./main.py"});
    let many = "import skill, helper\n[skill.call('other', {}), helper.NAME, __import__('helper').NAME]";
    let source = MemorySkills::new("shop")
        .with("many/many.json", definition("main.py"))
        .with("many/main.py", many)
        .with("many/helper.py", "NAME = 'many'\n")
        .with("other/other.json", other.to_string())
        .with("other/main.py", "import helper\nhelper.NAME")
        .with("other/helper.py", "NAME = 'other'\n");
    let engine =
        Engine::builder().source(source).worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0).build().unwrap();
    let skill = engine.skill("many").unwrap();
    for tier in tiers() {
        let result = engine.run_skill(&skill, json!({}), &options(tier)).result;
        assert_eq!(result.unwrap(), json!(["other", "many", "many"]), "{tier:?}");
    }
}

#[test]
fn too_much_is_not_imported() {
    let large = format!("x = '{}'\n", "x".repeat(4 << 20));
    let files: Files<'_> = &[("main.py", "import large\n"), ("large.py", &large)];
    fails(files, ErrorKind::ScriptError, &["cannot import `large.py`", "more than the 4194304"], "main.py:1:1");
    let many = "for n in range(600):\n    try:\n        __import__(f'none{n}')\n    except ModuleNotFoundError:\n        pass\n";
    fails(&[("main.py", many)], ErrorKind::ScriptError, &["asks more than 1000 times"], "main.py:3:9");
}

#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.py"), "x = 1\n").unwrap();
    let skills = folder.path().join("skills");
    write(&skills, &[("main.py", "import helper\n1")]);
    std::os::unix::fs::symlink(folder.path().join("secret.py"), skills.join("many/helper.py")).unwrap();
    let engine = Engine::builder().layout(Layout::of_folder(&skills)).worker(env!("CARGO_BIN_EXE_skills"));
    let engine = engine.ready_workers(0).build().unwrap();
    let skill = engine.skill("many").unwrap();
    for tier in tiers() {
        let error = engine.run_skill(&skill, json!({}), &options(tier)).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ScriptError, "{tier:?}: {error}");
        assert!(error.message().contains("not in the skill's own folder"), "{tier:?}: {error}");
    }
}

#[test]
fn what_has_changed_since_it_was_decided_on_is_not_imported() {
    let sandbox = Sandbox::new();
    let skills = sandbox.path().join(".skills");
    let code = "\
import os
path = os.path.join(os.path.dirname(__file__), 'helper.py')
import first
with open(path, 'w') as file:
    file.write(params['text'])
import helper
helper.VALUE";
    write(&skills, &[("main.py", code), ("helper.py", "VALUE = 1\n"), ("first.py", "")]);
    let engine = Engine::builder()
        .layout(Layout { cwd: sandbox.path(), ..Layout::default() })
        .trust(Trust::Decided)
        .approver(Scripted::new(&[Answer::Once, Answer::Once]))
        .build()
        .unwrap();
    let run = |text: &str| engine.run("many", json!({"text": text}));
    assert_eq!(run("VALUE = 1\n").unwrap(), 1);
    let error = run("VALUE = 2\n").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.message().contains("cannot import `helper.py`: it has changed"), "{error}");
}

/// A session of a skill of these files, in each tier.
fn in_sessions(files: Files<'_>, check: impl Fn(&str, &Session)) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let session = definition(files[0].0).replace("code_inline", "code_session");
    std::fs::write(folder.path().join("many/many.json"), session).unwrap();
    let engine = Engine::builder().layout(Layout::of_folder(folder.path())).worker(env!("CARGO_BIN_EXE_skills"));
    let engine = engine.ready_workers(0).build().unwrap();
    for tier in tiers() {
        let session = engine.skill_session(&engine.skill("many").unwrap()).options(options(tier)).open().unwrap();
        check(&format!("{tier:?}"), &session);
    }
}

fn called(session: &Session) -> Value {
    session.run(json!({}), &RunOptions::default()).result.unwrap_or_else(|error| panic!("{}", error.render(false)))
}

#[test]
fn cells_of_a_python_skills_session_import_as_its_script_does() {
    let files: Files<'_> = &[
        ("scripts/main.py", "import helper\ndef run():\n    helper.count += 1\n    return helper.count\n"),
        ("scripts/helper.py", "count = 0\ndef where():\n    raise KeyError('here')\n"),
        ("scripts/late.py", "LATE = 'late'\n"),
    ];
    in_sessions(files, |tier, session| {
        assert_eq!((called(session), called(session)), (json!(1), json!(2)), "{tier}");
        assert_eq!(session.eval("import late; [late.LATE, helper.count]").unwrap(), json!(["late", 2]), "{tier}");
        let error = session.eval("helper.where()").unwrap_err();
        assert_eq!(error.frames()[0].source.as_deref(), Some("    raise KeyError('here')"), "{tier}");
    });
}

#[test]
fn cells_of_a_javascript_skills_session_import_as_its_script_does() {
    let files: Files<'_> = &[
        (
            "scripts/main.js",
            "import { state, step } from './helper.js'\nexport function run() { step(); return state.count }\n",
        ),
        ("scripts/helper.js", "export const state = { count: 0 };\nexport function step() {\n  state.count++;\n}\n"),
        (
            "scripts/late.ts",
            "import { state } from './helper.js';\nexport const seen = (): number => state.count;\nexport const fail = () => { throw new Error('x') };\n",
        ),
    ];
    in_sessions(files, |tier, session| {
        assert_eq!((called(session), called(session)), (json!(1), json!(2)), "{tier}");
        let cell = "import { seen, fail } from './late.ts'\n[seen(), state.count]";
        assert_eq!(session.eval(cell).unwrap(), json!([2, 2]), "{tier}: one helper.js for all");
        assert_eq!(session.eval("step(); seen()").unwrap(), json!(3), "{tier}");
        let error = session.eval("fail()").unwrap_err();
        assert!(error.frames()[0].file.ends_with("scripts/late.ts"), "{tier}: {}", error.render(false));
    });
}

#[test]
fn a_javascript_session_evaluates_a_file_once_whatever_cells_import_in_between() {
    let files: Files<'_> = &[
        ("main.js", "export function run() {}\n"),
        ("a.js", "export const made = { times: 0 };\nexport const fail = () => { throw new Error('x') };\n"),
        ("b.js", "export const b = 1;\n"),
        ("broken.js", "import { b } from './b.js';\nexport const = 1;\n"),
    ];
    in_sessions(files, |tier, session| {
        let cell =
            |source: &str| session.eval(source).unwrap_or_else(|error| panic!("{tier}: {}", error.render(false)));
        let import = "import { made, fail } from './a.js'\n++made.times";
        assert_eq!(cell(import), json!(1), "{tier}");
        assert_eq!(cell("import { b } from './b.js'\nb"), json!(1), "{tier}");
        assert_eq!(cell(import), json!(2), "{tier}: another file was imported in between");
        for bad in ["import './b.js'; import './none.js'", "import './broken.js'", "import { none } from './b.js'"] {
            session.eval(bad).unwrap_err();
            assert_eq!(cell("import { made as again } from './a.js'\nagain === made"), json!(true), "{tier}: {bad}");
        }
        let error = session.eval("fail()").unwrap_err();
        assert!(error.frames()[0].file.ends_with("a.js"), "{tier}: {}", error.render(false));
    });
}

#[test]
fn cells_of_a_rhai_skills_session_import_as_its_script_does() {
    let files: Files<'_> = &[
        ("scripts/main.rhai", "import \"helper\" as h;\nfn run() { h::twice(4) }\n"),
        ("scripts/helper.rhai", "fn twice(n) { n * 2 }\nfn fail() { throw \"no\" }\n"),
        ("scripts/late.rhai", "export const LATE = 5;\n"),
    ];
    in_sessions(files, |tier, session| {
        assert_eq!((called(session), called(session)), (json!(8), json!(8)), "{tier}");
        assert_eq!(session.eval("import \"late\" as late; late::LATE + h::twice(1)").unwrap(), json!(7), "{tier}");
        assert_eq!(session.eval("late::LATE").unwrap(), json!(5), "{tier}");
        let error = session.eval("h::fail()").unwrap_err();
        assert!(error.frames().iter().any(|f| f.file.ends_with("helper.rhai") && f.line == 2), "{tier}: {error:?}");
    });
}

#[test]
fn what_a_rhai_cell_has_imported_stays_as_it_was() {
    let files: Files<'_> = &[
        ("main.rhai", "fn run() { 1 }"),
        ("helper.rhai", "print(`evaluated`);\nfn twice(n) { n * 2 }\nfn fail() { throw `no` }\n"),
        ("caf\u{65}\u{301}.rhai", "export const SIZE = 3;\n"),
    ];
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let session = definition(files[0].0).replace("code_inline", "code_session");
    std::fs::write(folder.path().join("many/many.json"), session).unwrap();
    let engine = Engine::builder().layout(Layout::of_folder(folder.path())).worker(env!("CARGO_BIN_EXE_skills"));
    let engine = engine.ready_workers(0).build().unwrap();
    for tier in tiers() {
        let helper = folder.path().join("many/helper.rhai");
        std::fs::write(&helper, files[1].1).unwrap();
        let session = engine.skill_session(&engine.skill("many").unwrap()).options(options(tier)).open().unwrap();
        let cell =
            |source: &str| session.eval(source).unwrap_or_else(|error| panic!("{tier:?}: {}", error.render(false)));
        cell("import \"helper\" as h; import \"caf\u{65}\u{301}\" as c; fn four() { h::twice(2) }");
        assert_eq!(cell("[four(), c::SIZE]"), json!([4, 3]), "{tier:?}");
        std::fs::write(&helper, "let = ;").unwrap();
        assert_eq!(cell("1 + 1"), json!(2), "{tier:?}");
        assert_eq!(cell("h::twice(four())"), json!(8), "{tier:?}");
        let error = session.eval("import \"helper\" as h;").unwrap_err();
        assert!(error.render(false).contains("syntax error"), "{tier:?}: {}", error.render(false));
        let error = session.eval("h::fail()").unwrap_err();
        assert!(error.frames().iter().any(|f| f.file.ends_with("helper.rhai") && f.line == 3), "{tier:?}: {error:?}");
        std::fs::remove_file(&helper).unwrap();
        assert_eq!(cell("h::twice(5)"), json!(10), "{tier:?}");
    }
}

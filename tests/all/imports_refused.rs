//! What a script does not get of its own folder: what a rule denies, what lies beyond the host's ceiling, and what
//! somebody else may have put there.

use crate::imports::{definition, write};
use crate::policy::Scripted;
use crate::support::{Sandbox, tiers};
use serde_json::json;
use skills::{
    Answer, Engine, EngineBuilder, Error, ErrorKind, Isolation, Layout, MemorySkills, Permissions, RunOptions, Trust,
};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn options(tier: Isolation) -> RunOptions {
    let mut options = RunOptions::default();
    options.isolation = Some(tier);
    options
}

fn builder(folder: &Path) -> EngineBuilder {
    Engine::builder().layout(Layout::of_folder(folder)).worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0)
}

fn reading(path: &Path) -> Permissions {
    Permissions { file_read: Some(vec![path.to_str().unwrap().to_owned()]), ..Permissions::default() }
}

/// What becomes of the skill `many` in each tier.
fn each(engine: &Engine, check: impl Fn(Isolation, Result<serde_json::Value, Error>)) {
    let skill = engine.skill("many").unwrap();
    for tier in tiers() {
        check(tier, engine.run_skill(&skill, json!({}), &options(tier)).result);
    }
}

/// Fails with a rule, and without anything of what is denied.
fn refused(engine: &Engine, parts: &[&str]) {
    each(engine, |tier, result| {
        let error = result.unwrap_err();
        let text = error.render(false);
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{tier:?}: {text}");
        assert!(parts.iter().all(|part| text.contains(part)) && !text.contains("hunter2"), "{tier:?}: {text}");
    });
}

#[test]
fn what_a_rule_denies_is_not_imported_in_any_language() {
    let cases = [
        ("main.py", "import keys.prod\nkeys.prod.KEY", "keys/__init__.py", ""),
        ("main.js", "import { KEY } from './keys/prod.js'\nKEY", "keys/prod.js", "export const KEY = 'hunter2'"),
        ("main.rhai", "import \"keys/prod\" as k; k::KEY", "keys/prod.rhai", "export const KEY = \"hunter2\";"),
        // Where it leads counts.
        ("main.py", "import link\nlink.KEY", "keys/prod.py", "KEY = 'hunter2'"),
    ];
    for (script, code, file, text) in cases {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        write(&root, &[(script, code), (file, text), ("keys/prod.py", "KEY = 'hunter2'")]);
        std::os::unix::fs::symlink("keys/prod.py", root.join("many/link.py")).unwrap();
        let keys = root.join("many/keys");
        each(&builder(&root).build().unwrap(), |tier, result| {
            assert_eq!(result.unwrap(), "hunter2", "{tier:?}: {code}")
        });
        let engine = builder(&root).deny(reading(&keys)).build().unwrap();
        refused(&engine, &["cannot import", &format!("a rule denies {}", keys.display())]);
    }
}

#[test]
fn nothing_is_imported_beyond_the_hosts_ceiling_and_libraries_still_are() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    write(
        &root,
        &[
            ("main.py", "import lib.a\nimport helper\nhelper.KEY"),
            ("helper.py", "KEY = 'hunter2'"),
            ("lib/__init__.py", ""),
            ("lib/a.py", ""),
        ],
    );
    let engine = builder(&root).permissions(reading(&root.join("many/lib"))).build().unwrap();
    refused(&engine, &["cannot import `helper.py`", "the host program allows no file_read of"]);
    // Of the standard library some ask for modules that other systems have.
    let code =
        "import subprocess, platform\ntry:\n    import nowhere\nexcept ModuleNotFoundError:\n    found = 7\nfound";
    write(&root, &[("main.py", code)]);
    let engine = builder(&root).deny(reading(&root)).build().unwrap();
    each(&engine, |tier, result| assert_eq!(result.unwrap(), 7, "{tier:?}"));
}

#[test]
fn a_source_has_no_folder_that_a_rule_could_speak_of() {
    let source = MemorySkills::new("shop")
        .with("many/many.json", definition("main.py"))
        .with("many/main.py", "import helper\nhelper.N")
        .with("many/helper.py", "N = 7");
    let engine = Engine::builder().source(source).worker(env!("CARGO_BIN_EXE_skills")).ready_workers(0);
    each(&engine.deny(reading(Path::new("/"))).build().unwrap(), |tier, result| {
        assert_eq!(result.unwrap(), 7, "{tier:?}")
    });
}

#[test]
fn nothing_is_imported_from_a_folder_that_everybody_may_write() {
    for (file, text) in [("helper.py", "KEY = 'hunter2'"), ("helper/part.py", "")] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[("main.py", "import helper\nstr(helper)"), (file, text)]);
        let engine = builder(folder.path()).build().unwrap();
        // A package without `__init__.py` CPython finds itself, where it sees the folder.
        each(&engine, |tier, result| assert!(result.is_ok(), "{tier:?}: {result:?}"));
        std::fs::set_permissions(folder.path().join("many"), std::fs::Permissions::from_mode(0o1777)).unwrap();
        each(&engine, |tier, result| {
            let text = result.unwrap_err().render(false);
            assert!(text.contains("No module named 'helper'"), "{tier:?}: {text}");
            assert!(text.contains("its folder is for all sorts of files"), "{tier:?}: {text}");
        });
    }
    for (script, code) in [("main.js", "import './helper.js'"), ("main.rhai", "import \"helper\" as h;")] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[(script, code), ("helper.js", ""), ("helper.rhai", "")]);
        std::fs::set_permissions(folder.path().join("many"), std::fs::Permissions::from_mode(0o1777)).unwrap();
        each(&builder(folder.path()).build().unwrap(), |tier, result| {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ScriptError, "{tier:?}: {error}");
            assert!(error.render(false).contains("its folder is for all sorts of files"), "{tier:?}: {error}");
        });
    }
}

#[test]
fn what_no_decision_looks_into_is_not_said_to_have_changed() {
    let sandbox = Sandbox::new();
    let engine = || {
        Engine::builder()
            .layout(Layout { cwd: sandbox.path(), ..Layout::default() })
            .trust(Trust::Decided)
            .approver(Scripted::new(&[Answer::Once]))
            .build()
            .unwrap()
    };
    let code = "import { N } from './node_modules/n.js'\nN";
    write(&sandbox.path().join(".skills"), &[("main.js", code), ("node_modules/n.js", "export const N = 7")]);
    assert_eq!(engine().run("many", json!({})).unwrap(), 7, "its own folder counts as a whole");
    sandbox.write(".skills/beside.json", &definition("main.js").replace("many", "beside"));
    sandbox.write(".skills/main.js", code);
    sandbox.write(".skills/node_modules/n.js", "export const N = 7");
    let error = engine().run("beside", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.message().contains("what is in `node_modules` is no part of a skill"), "{error}");
    assert!(error.help().unwrap().contains("a folder that has its name"), "{error:?}");
}

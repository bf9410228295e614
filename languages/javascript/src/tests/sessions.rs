use super::support::*;
use serde_json::json;
use skills_core::{ErrorKind, Language::JavaScript, Limits};
use std::time::Duration;

#[test]
fn a_session_serves_many_runs_with_fresh_names() {
    let mut session = open();
    for i in 0..20 {
        let source = format!("let n = 0; function bump() {{ n += params.i }}\nbump(); n + {i}");
        let result = run_in(&mut *session, JavaScript, &source, json!({"i": i}), Limits::default()).0.result;
        assert_eq!(result.unwrap(), json!(2 * i));
    }
    let source = "const o = (globalThis.n = (globalThis.n ?? 0) + 1); o";
    for _ in 0..3 {
        assert_eq!(run_in(&mut *session, JavaScript, source, json!({}), Limits::default()).0.result.unwrap(), json!(1));
    }
    assert!(session.reusable());
}

#[test]
fn a_failed_script_leaves_the_session_usable() {
    let mut session = open();
    assert!(run_in(&mut *session, JavaScript, "throw new Error('x')", json!({}), Limits::default()).0.result.is_err());
    assert!(run_in(&mut *session, JavaScript, "const a = ;", json!({}), Limits::default()).0.result.is_err());
    assert!(session.reusable());
    assert_eq!(run_in(&mut *session, JavaScript, "3", json!({}), Limits::default()).0.result.unwrap(), json!(3));
}

#[test]
fn limits_are_those_of_each_run() {
    let mut session = open();
    let source = "let n = 0; for (let i = 0; i < 100; i++) n++; n";
    let counted = |operations| Limits { operations, ..Limits::default() };
    assert_eq!(run_in(&mut *session, JavaScript, source, json!({}), counted(Some(100))).0.usage.operations, Some(100));
    assert_eq!(run_in(&mut *session, JavaScript, source, json!({}), counted(None)).0.usage.operations, None);
    let code = "(0, eval)('1 + 1')";
    let refused = run_in(&mut *session, JavaScript, code, json!({}), counted(Some(100))).0.result.unwrap_err();
    assert!(refused.message.contains("not allowed where operations"), "{refused:?}");
    assert_eq!(run_in(&mut *session, JavaScript, code, json!({}), counted(None)).0.result.unwrap(), json!(2));
    let stopped = run_in(&mut *session, JavaScript, source, json!({}), counted(Some(99))).0.result.unwrap_err();
    assert_eq!(stopped.kind, ErrorKind::OperationLimit);
}

#[test]
fn sessions_may_be_dropped_in_any_order() {
    let mut first = open();
    let mut second = open();
    let third = open();
    assert_eq!(run_in(&mut *first, JavaScript, "1", json!({}), Limits::default()).0.result.unwrap(), json!(1));
    drop(first);
    assert_eq!(run_in(&mut *second, JavaScript, "2", json!({}), Limits::default()).0.result.unwrap(), json!(2));
    drop(third);
    assert_eq!(run_in(&mut *second, JavaScript, "3", json!({}), Limits::default()).0.result.unwrap(), json!(3));
}

#[test]
fn many_threads_run_at_once_and_keep_their_output_apart() {
    let threads: Vec<_> = (0..6)
        .map(|t| {
            std::thread::spawn(move || {
                let mut session = open();
                for i in 0..15 {
                    let source = "console.log(params.t); let s = 0; for (let i = 0; i < 1000; i++) s += params.t; s";
                    let (evaluation, host) =
                        run_in(&mut *session, JavaScript, source, json!({"t": t}), Limits::default());
                    assert_eq!(evaluation.result.unwrap(), json!(t * 1000));
                    assert_eq!(*host.out.lock().unwrap(), format!("{t}\n"));
                    if i % 5 == 0 {
                        let limits = Limits { time: Some(Duration::from_millis(10)), ..Limits::default() };
                        let stopped = run_in(&mut *session, JavaScript, "for (;;);", json!({}), limits).0.result;
                        assert_eq!(stopped.unwrap_err().kind, ErrorKind::Timeout);
                        assert!(!session.reusable());
                        session = open();
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test looks at what the engine does to a home folder of its own")]
fn nothing_is_written_to_the_home_folder() {
    // QuickJS's V8 emulation keeps compiled scripts in a cache below it, and trusts what it finds there.
    let home = std::env::temp_dir().join(format!("skills-js-home-{}", std::process::id()));
    let exe = std::env::current_exe().unwrap();
    std::fs::create_dir_all(&home).unwrap();
    let child = std::process::Command::new(exe)
        .args(["tests::contract::await_works_at_the_top_level", "--exact"])
        .env("HOME", &home)
        .env_remove("XDG_CACHE_HOME")
        .env_remove("V82JSC_NO_BC_CACHE")
        .env_remove("V82JSC_BC_CACHE_DIR")
        .output()
        .unwrap();
    assert!(child.status.success());
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0);
    std::fs::remove_dir_all(&home).unwrap();
}

#[test]
fn a_session_may_be_kept_until_its_thread_ends() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Box<dyn skills_core::Session>>> = const { std::cell::RefCell::new(None) };
    }
    std::thread::spawn(|| {
        KEPT.with_borrow_mut(|kept| {
            let session = kept.insert(open());
            assert_eq!(
                run_in(&mut **session, JavaScript, "await 1", json!({}), Limits::default()).0.result.unwrap(),
                json!(1)
            );
        });
    })
    .join()
    .unwrap();
}

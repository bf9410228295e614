//! The library, as a host program uses it.

use serde_json::{Value, json};
use skills::{
    Cancel, Engine, ErrorKind, Event, EventSink, Isolation, Language, LimitName, LimitOverrides, Limits, RunOptions,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LANGUAGES: [Language; 3] = [Language::Rhai, Language::Python, Language::JavaScript];

/// An expression that counts to a million and more, in a language.
fn endless(language: Language) -> &'static str {
    match language {
        Language::Rhai => "loop {}",
        Language::Python => "while True: pass",
        _ => "for (;;) {}",
    }
}

#[test]
fn two_engines_do_not_see_each_other() {
    let (one, two) = (Engine::new().unwrap(), Engine::new().unwrap());
    one.function("who", || Ok::<_, String>("one")).unwrap();
    two.function("who", || Ok::<_, String>("two")).unwrap();
    for language in LANGUAGES {
        assert_eq!(one.eval(language, "who()").unwrap(), "one");
        assert_eq!(two.eval(language, "who()").unwrap(), "two");
        assert_eq!(one.eval(language, "who()").unwrap(), "one");
    }
}

#[test]
fn many_threads_call_one_engine() {
    let engine = Engine::new().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let engine = engine.clone();
            scope.spawn(move || {
                for i in 0..10 {
                    let language = LANGUAGES[(thread + i) % 3];
                    let code = match language {
                        Language::Python => format!("print('t{thread}')\n{thread} * 100 + {i}"),
                        Language::Rhai => format!("print(\"t{thread}\"); {thread} * 100 + {i}"),
                        _ => format!("console.log('t{thread}'); {thread} * 100 + {i}"),
                    };
                    let skill = engine.code(language, &code);
                    let outcome = engine.run_skill(&skill, json!({}), &RunOptions::default());
                    assert_eq!(outcome.result.unwrap(), thread * 100 + i);
                    assert_eq!(outcome.stdout, format!("t{thread}\n"), "output of one run is not another's");
                }
            });
        }
    });
}

#[test]
fn an_engine_may_be_dropped_while_a_script_runs() {
    for language in LANGUAGES {
        let engine = Engine::new().unwrap();
        let mut options = RunOptions::default();
        options.limits.time = Some(Duration::from_millis(200));
        let skill = engine.code(language, endless(language));
        let running = {
            let engine = engine.clone();
            std::thread::spawn(move || engine.run_skill(&skill, json!({}), &options).result.map_err(|e| e.kind()))
        };
        drop(engine);
        assert_eq!(running.join().unwrap(), Err(ErrorKind::Timeout), "{language}");
    }
}

#[test]
fn a_run_is_cancelled_from_another_thread() {
    for language in LANGUAGES {
        let engine = Engine::new().unwrap();
        let cancel = Cancel::new();
        let mut options = RunOptions::default();
        options.cancel = Some(cancel.clone());
        let skill = engine.code(language, endless(language));
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            cancel.cancel();
        });
        let error = engine.run_skill(&skill, json!({}), &options).result.unwrap_err();
        canceller.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{language}");
        assert_eq!(engine.eval(language, "1 + 1").unwrap(), 2, "{language}");
    }
}

#[test]
fn a_future_that_is_dropped_cancels_its_run() {
    let engine = Engine::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let outcome = engine.run_async("calculator-rhai", sum(), RunOptions::default()).await;
        assert_eq!(outcome.result.unwrap(), 8);
        let code = engine.code(Language::Rhai, "6 * 7");
        let outcome = engine.run_skill_async(&code, json!({}), RunOptions::default()).await;
        assert_eq!(outcome.result.unwrap(), 42);
        let cancel = Cancel::new();
        let mut options = RunOptions::default();
        options.cancel = Some(cancel.clone());
        let endless = engine.run_async("evaluate", json!({"expression": "1"}), options);
        drop(endless);
        assert!(!cancel.is_cancelled(), "a run that never began is not cancelled");
    });
}

#[test]
fn a_weak_handle_gives_the_engine_as_long_as_it_lives() {
    let engine = Engine::new().unwrap();
    let weak = engine.downgrade();
    let own = weak.clone();
    let count = move || own.upgrade().map(|engine| engine.functions().len()).ok_or("the engine is gone");
    engine.function("again()", count).unwrap();
    assert_eq!(engine.eval(Language::Rhai, "again()").unwrap(), engine.functions().len());
    drop(engine);
    assert!(weak.upgrade().is_none());
}

fn sum() -> Value {
    json!({"operation": "add", "operand1": 5, "operand2": 3})
}

#[test]
fn every_limit_is_a_typed_error_with_limit_and_reading() {
    let engine = Engine::new().unwrap();
    let flood = |language| match language {
        Language::Rhai => "loop { print(\"aaaaaaaaaaaaaaaa\"); }",
        Language::Python => "while True: print('a' * 16)",
        _ => "for (;;) console.log('a'.repeat(16))",
    };
    let calls = |language| match language {
        Language::Rhai => "loop { skill.uuid.v4(); }",
        Language::Python => "while True: skill.uuid.v4()",
        _ => "for (;;) skill.uuid.v4()",
    };
    let hoard = |language| match language {
        Language::Rhai => "let a = []; loop { a.push(a.len()); }",
        Language::Python => "a = []\nwhile True: a.append(bytearray(1000))",
        _ => "const a = []; for (;;) a.push(new Array(100).fill(0.5))",
    };
    let large = |language| match language {
        Language::Rhai => "let a = []; for i in 0..5000 { a.push(i); } a",
        Language::Python => "list(range(5000))",
        _ => "Array.from({length: 5000}, (_, i) => i)",
    };
    let deep = |language| match language {
        Language::Rhai => "fn f(n) { f(n + 1) } f(0)",
        Language::Python => "def f(n): return f(n + 1)\nf(0)",
        _ => "function f(n) { return f(n + 1) + 1 } f(0)",
    };
    for language in LANGUAGES {
        let none = LimitOverrides::default;
        let cases: Vec<(LimitName, LimitOverrides, &str)> = vec![
            (LimitName::Time, LimitOverrides { time: Some(Duration::from_millis(50)), ..none() }, endless(language)),
            (LimitName::Wall, LimitOverrides { wall: Some(Duration::from_millis(50)), ..none() }, endless(language)),
            (LimitName::Operations, LimitOverrides { operations: Some(5000), ..none() }, endless(language)),
            (LimitName::Memory, LimitOverrides { memory: Some(16 << 20), ..none() }, hoard(language)),
            (LimitName::Output, LimitOverrides { output: Some(1000), ..none() }, flood(language)),
            (LimitName::Result, LimitOverrides { result: Some(1000), ..none() }, large(language)),
            (LimitName::Recursion, LimitOverrides { recursion: Some(20), ..none() }, deep(language)),
            (LimitName::HostCalls, LimitOverrides { host_calls: Some(7), ..none() }, calls(language)),
        ];
        for (name, limits, code) in cases {
            let mut options = RunOptions::default();
            options.limits = limits;
            let outcome = engine.run_skill(&engine.code(language, code), json!({}), &options);
            let error = outcome.result.as_ref().expect_err(name.as_str());
            assert_eq!(error.kind(), name.error_kind(), "{language} {}: {error}", name.as_str());
            let breach = error.limit().unwrap_or_else(|| panic!("{language} {}: no breach", name.as_str()));
            assert_eq!(breach.name, name, "{language}");
            assert!(breach.reading >= breach.limit || name == LimitName::Memory, "{language}: {breach:?}");
            let report = outcome.limits.iter().find(|report| report.name == name).unwrap();
            assert_eq!(report.limit, breach.limit);
            if name == LimitName::Output {
                assert!(outcome.stdout.len() <= 1000 && outcome.stdout.len() > 900, "what fitted was kept");
            }
            assert_eq!(engine.eval(language, "1 + 1").unwrap(), 2, "{language} after {}", name.as_str());
        }
    }
}

#[test]
fn the_same_script_stops_at_the_same_count() {
    for language in LANGUAGES {
        let code = match language {
            Language::Rhai => "let n = 0; for i in 0..1000 { n += i; } n",
            Language::Python => "n = 0\nfor i in range(1000):\n    n += i\nn",
            _ => "let n = 0; for (let i = 0; i < 1000; i++) n += i; n",
        };
        let engine = Engine::new().unwrap();
        let count = |engine: &Engine| {
            let mut options = RunOptions::default();
            options.limits.operations = Some(1_000_000);
            engine.run_skill(&engine.code(language, code), json!({}), &options).usage.operations.unwrap()
        };
        let first = count(&engine);
        assert!(first >= 1000, "{language}: {first}");
        assert_eq!(count(&engine), first, "{language}, warm");
        assert_eq!(count(&Engine::new().unwrap()), first, "{language}, another engine");
        let run = |operations| {
            let mut options = RunOptions::default();
            options.limits.operations = Some(operations);
            engine.run_skill(&engine.code(language, code), json!({}), &options).result.map_err(|e| e.kind())
        };
        assert_eq!(run(first), Ok(json!(499_500)), "{language}: exactly enough");
        assert_eq!(run(first - 1), Err(ErrorKind::OperationLimit), "{language}: one too few");
    }
}

#[test]
fn a_ceiling_of_the_host_holds_whatever_is_asked_for() {
    let ceiling = Limits { time: Some(Duration::from_millis(50)), ..Limits::none() };
    let engine = Engine::builder().limits(ceiling).build().unwrap();
    let mut options = RunOptions::default();
    options.limits.time = Some(Duration::from_secs(600));
    let outcome = engine.run_skill(&engine.code(Language::Rhai, "loop {}"), json!({}), &options);
    assert_eq!(outcome.result.unwrap_err().limit().unwrap().limit, 50);
}

#[test]
fn state_belongs_to_its_skill_and_outlives_the_run() {
    let engine = Engine::new().unwrap();
    for language in LANGUAGES {
        let null = if language == Language::Rhai {
            "()"
        } else if language == Language::Python {
            "None"
        } else {
            "null"
        };
        let code = format!("skill.state.update(\"k\", {null}, 1)");
        let skill = engine.code(language, &code);
        for expected in [true, false] {
            let outcome = engine.run_skill(&skill, json!({}), &RunOptions::default());
            assert_eq!(outcome.result.unwrap(), expected, "{language}: the second time the key is there");
        }
    }
}

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl EventSink for Recorder {
    fn event(&self, skill: &str, correlation_id: &str, event: &Event) {
        assert!(!correlation_id.is_empty());
        self.0.lock().unwrap().push(format!("{skill} {event:?}"));
    }
}

#[test]
fn events_arrive_as_they_happen() {
    let recorder = Arc::new(Recorder::default());
    let engine = Engine::builder().events(recorder.clone()).build().unwrap();
    engine.eval(Language::Python, "print('hi')\nskill.log('look', 'warn')\nskill.progress(0.5, 'half')").unwrap();
    let events = recorder.0.lock().unwrap().join("\n");
    for part in ["hi", "Warn", "look", "Some(0.5)", "half"] {
        assert!(events.contains(part), "{part}: {events}");
    }
}

#[test]
fn a_tier_that_is_not_there_is_refused() {
    let engine = Engine::new().unwrap();
    let mut options = RunOptions::default();
    options.isolation = Some(Isolation::Worker);
    let outcome = engine.run_with("calculator-rhai", sum(), &options);
    assert_eq!(outcome.result.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[test]
fn file_functions_reach_only_what_was_granted() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir(root.join("data")).unwrap();
    std::fs::write(root.join("data/a.txt"), "inside").unwrap();
    std::fs::write(root.join("secret.txt"), "outside").unwrap();
    let definition = json!({
        "name": "reader", "description": "A test", "type": "code_inline",
        "executor": {"type": "inline", "language": "rhai", "code": "skill.fs.read(params.path)"},
        "parameters": [{"name": "path", "type": "string", "required": true}],
        "security": {"permissions": {"file_read": ["./data"]}}
    });
    std::fs::create_dir(root.join("skills")).unwrap();
    std::fs::write(root.join("skills/reader.json"), definition.to_string()).unwrap();
    let build = |allow: bool| {
        let mut builder =
            Engine::builder().layout(skills::Layout::of_folder(&root.join("skills"))).working_directory(&root);
        if allow {
            builder = builder.allow_read(&root);
        }
        builder.build().unwrap()
    };
    let engine = build(true);
    let read = |engine: &Engine, path: &str| engine.run("reader", json!({"path": path})).map_err(|error| error.kind());
    assert_eq!(read(&engine, "data/a.txt"), Ok(json!("inside")));
    assert_eq!(read(&engine, "secret.txt"), Err(ErrorKind::PermissionDenied));
    assert_eq!(read(&engine, "data/../secret.txt"), Err(ErrorKind::PermissionDenied));
    assert_eq!(read(&build(false), "data/a.txt"), Err(ErrorKind::PermissionDenied), "the host did not allow it");
}

#[test]
fn a_session_of_one_caller_is_not_used_for_another() {
    let engine = Engine::new().unwrap();
    let code = "globalThis.seen = (globalThis.seen ?? 0) + 1; globalThis.seen";
    let skill = engine.code(Language::JavaScript, code);
    for caller in ["a", "b", "a"] {
        let mut options = RunOptions::default();
        options.caller = Some(caller.to_owned());
        assert_eq!(engine.run_skill(&skill, json!({}), &options).result.unwrap(), 1, "{caller}");
    }
}

#[test]
fn a_definition_limits_the_files_that_its_script_writes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let definition = json!({
        "name": "writer", "description": "A test", "type": "code_inline",
        "executor": {"type": "inline", "language": "python", "code": "skill.fs.write(params['path'], 'x' * params['n'], True)"},
        "parameters": [
            {"name": "path", "type": "string", "required": true}, {"name": "n", "type": "integer", "required": true}
        ],
        "security": {"permissions": {"file_write": ["."]}, "resource_limits": {"max_file_size_mb": 1}}
    });
    std::fs::create_dir(root.join("skills")).unwrap();
    std::fs::write(root.join("skills/writer.json"), definition.to_string()).unwrap();
    let engine = Engine::builder()
        .layout(skills::Layout::of_folder(&root.join("skills")))
        .working_directory(&root)
        .allow_write(&root)
        .build()
        .unwrap();
    let write = |n: u32| engine.run("writer", json!({"path": "out.txt", "n": n}));
    assert_eq!(write(1 << 20).unwrap(), json!(null));
    let error = write(1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutputLimit, "{error}");
    assert!(error.message().contains("would have 1048577 bytes, more than the 1048576 allowed"), "{error}");
    assert_eq!(std::fs::metadata(root.join("out.txt")).unwrap().len(), 1 << 20);
}

/// The most memory that this process has had, in bytes.
#[cfg(target_os = "linux")]
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_near_its_limit_takes_about_as_much_as_the_limit() {
    const LIMIT: u64 = 32 << 20;
    let engine = Engine::new().unwrap();
    let run = |language, count: usize| {
        let code = match language {
            Language::Rhai => format!("let list = []; list.pad({count}, 0); list"),
            Language::Python => format!("[0] * {count}"),
            _ => format!("new Array({count}).fill(0)"),
        };
        let mut options = RunOptions::default();
        options.limits.result = Some(LIMIT);
        engine.run_skill(&engine.code(language, &code), json!({}), &options).result
    };
    for language in LANGUAGES {
        run(language, 10).unwrap();
        let before = most_memory();
        // What fits is given, and nothing that comes near what an element of two bytes took when only its text counted.
        let result = run(language, 400_000).unwrap();
        assert_eq!(result.as_array().unwrap().len(), 400_000);
        drop(result);
        let error = run(language, 2_000_000).unwrap_err();
        assert_eq!(error.limit().unwrap().name, LimitName::Result, "{language}");
        let more = most_memory() - before;
        assert!(more < 4 * LIMIT, "{language}: {} MB", more >> 20);
    }
}

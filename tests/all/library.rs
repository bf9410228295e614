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
fn a_host_function_is_callable_from_every_language() {
    let engine = Engine::new().unwrap();
    engine
        .function("price(sku, n)", |sku: String, n: u32| -> Result<f64, String> {
            if sku == "tea" { Ok(2.5 * f64::from(n)) } else { Err(format!("no price for {sku}")) }
        })
        .unwrap();
    for language in LANGUAGES {
        assert_eq!(engine.eval(language, r#"price("tea", 3)"#).unwrap(), 7.5, "{language}");
        assert_eq!(engine.eval(language, r#"skill.price("tea", 3)"#).unwrap(), 7.5, "{language}");
        let error = engine.eval(language, r#"price("gold", 1)"#).unwrap_err();
        assert_eq!((error.kind(), error.message().contains("no price for gold")), (ErrorKind::ScriptError, true));
        assert_eq!(error.frames()[0].line, 1, "{language}");
        let error = engine.eval(language, r#"price("tea", -1)"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{language}: {error}");
        assert!(error.message().contains("`n`"), "{error}");
        let error = engine.eval(language, r#"price("tea")"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{language}: {error}");
    }
    let spec = engine.functions().last().cloned().unwrap();
    assert_eq!(spec.schema()["properties"]["sku"]["type"], "string");
    assert_eq!(spec.schema()["properties"]["n"]["minimum"], 0);
}

#[test]
fn an_async_host_function_is_awaited_for_the_script() {
    let engine = Engine::new().unwrap();
    engine
        .async_function("later(x)", |x: i64| async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok::<_, String>(x + 1)
        })
        .unwrap();
    for language in LANGUAGES {
        assert_eq!(engine.eval(language, "later(41)").unwrap(), 42, "{language}");
    }
}

#[test]
fn a_function_name_is_taken_once() {
    let engine = Engine::new().unwrap();
    let add = |name: &str| engine.function(name, |x: i64| Ok::<_, String>(x)).map_err(|error| error.kind());
    assert_eq!(add("mine"), Ok(()));
    for taken in ["mine", "log", "fs", "not a name", "9", ""] {
        assert_eq!(add(taken), Err(ErrorKind::InvalidArguments), "{taken}");
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
        let cancel = Cancel::new();
        let mut options = RunOptions::default();
        options.cancel = Some(cancel.clone());
        let endless = engine.run_async("evaluate", json!({"expression": "1"}), options);
        drop(endless);
        assert!(!cancel.is_cancelled(), "a run that never began is not cancelled");
    });
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
fn skills_call_one_another_and_cycles_end() {
    let folder = tempfile::tempdir().unwrap();
    let write =
        |name: &str, language: &str, file: &str, code: &str| write_skill(folder.path(), name, language, file, code);
    write("one", "rhai", "one.rhai", "fn run(params) { skill.call(\"two\", params) }");
    write(
        "two",
        "python",
        "two.py",
        "import skill\ndef run(value=None):\n    return skill.call('three', {'value': value})",
    );
    write("three", "javascript", "three.js", "export default ({ value }) => ({ ...value, seen: Object.keys(value) })");
    write("loop-a", "rhai", "a.rhai", "fn run(params) { skill.call(\"loop-b\", #{}) }");
    write("loop-b", "python", "b.py", "def run(value=None):\n    return skill.call('loop-a')");
    let engine = Engine::builder().layout(skills::Layout::of_folder(folder.path())).build().unwrap();
    let value = json!({"z": 1, "a": [1.5, null, "ä🦀", {"deep": [[]]}], "big": 9_007_199_254_740_991_i64});
    let result = engine.run("one", json!({"value": value})).unwrap();
    assert_eq!(result["a"], value["a"]);
    assert_eq!(result["big"], value["big"]);
    // Rhai keeps the members of a map sorted.
    assert_eq!(result["seen"], json!(["a", "big", "z"]));
    let error = engine.run("loop-a", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RecursionLimit);
    assert!(error.message().contains("loop-a → loop-b → loop-a"), "{error}");
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
fn a_panic_in_a_host_function_does_not_take_the_host_along() {
    let engine = Engine::new().unwrap();
    engine.function("boom", || -> Result<i64, String> { panic!("on purpose") }).unwrap();
    for language in LANGUAGES {
        let error = engine.eval(language, "boom()").unwrap_err();
        assert!(error.message().contains("on purpose"), "{language}: {error}");
        assert_eq!(engine.eval(language, "1 + 1").unwrap(), 2, "{language}");
    }
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

fn write_skill(folder: &std::path::Path, name: &str, language: &str, file: &str, code: &str) {
    let dir = folder.join(name);
    std::fs::create_dir_all(&dir).unwrap();
    let definition = json!({
        "name": name, "description": "A test", "type": "code_inline",
        "executor": {"type": "inline", "language": language, "code": format!("file://./{file}")},
        "parameters": [{"name": "value", "type": "object"}]
    });
    std::fs::write(dir.join(format!("{name}.json")), definition.to_string()).unwrap();
    std::fs::write(dir.join(file), code).unwrap();
}

#[test]
fn the_failure_of_a_called_skill_shows_its_frames_before_the_callers() {
    let folder = tempfile::tempdir().unwrap();
    let codes = [
        ("in-python", "python", "in.py", "def look(table):\n    return table['x']\n\ndef run():\n    return look({})"),
        ("in-js", "javascript", "in.js", "function fail() {\n  null.x\n}\nexport default () => fail()"),
        ("in-rhai", "rhai", "in.rhai", "fn check(n) {\n    n / 0\n}\nfn run(params) {\n    check(1)\n}"),
        ("js", "javascript", "out.js", "export default () => {\n  return skill.call('in-python')\n}"),
        ("rhai", "rhai", "out.rhai", "fn run(params) {\n    skill.call(\"in-js\")\n}"),
        ("python", "python", "out.py", "def run():\n    return skill.call('in-rhai')"),
        // A message longer than any that a language keeps of its own.
        ("in-long", "javascript", "long.js", "export default () => {\n  throw new Error('é'.repeat(5000))\n}"),
        ("long", "rhai", "out.rhai", "fn run(params) {\n    skill.call(\"in-long\")\n}"),
        // Caught and thrown on, three skills deep.
        (
            "again-js",
            "javascript",
            "again.js",
            "export default async () => {\n  try {\n    skill.call('again-rhai')\n  } catch (e) { throw e }\n}",
        ),
        (
            "again-rhai",
            "rhai",
            "again.rhai",
            "fn run(params) {\n    try { skill.call(\"again-python\") } catch (e) {\n        throw e;\n    }\n}",
        ),
        (
            "again-python",
            "python",
            "again.py",
            "def run():\n    try:\n        skill.call('in-python')\n    except skill.Error:\n        raise",
        ),
    ];
    for (name, language, file, code) in codes {
        write_skill(folder.path(), name, language, file, code);
    }
    let engine = Engine::builder().layout(skills::Layout::of_folder(folder.path())).build().unwrap();
    let python = [("in.py", 2, "    return table['x']"), ("in.py", 5, "    return look({})")];
    let javascript = [("in.js", 2, "  null.x"), ("in.js", 4, "export default () => fail()")];
    let rhai = [("in.rhai", 2, "    n / 0"), ("in.rhai", 5, "    check(1)")];
    let again = [
        ("again.py", 3, "        skill.call('in-python')"),
        ("again.rhai", 3, "        throw e;"),
        ("again.js", 3, "    skill.call('again-rhai')"),
    ];
    let cases = [
        (
            "js",
            "KeyError",
            Language::Python,
            [&python[..], &[("out.js", 2, "  return skill.call('in-python')")]].concat(),
        ),
        (
            "rhai",
            "TypeError",
            Language::JavaScript,
            [&javascript[..], &[("out.rhai", 2, "    skill.call(\"in-js\")")]].concat(),
        ),
        ("python", "zero", Language::Rhai, [&rhai[..], &[("out.py", 2, "    return skill.call('in-rhai')")]].concat()),
        (
            "long",
            "éééé",
            Language::JavaScript,
            vec![("long.js", 2, "  throw new Error('é'.repeat(5000))"), ("out.rhai", 2, "    skill.call(\"in-long\")")],
        ),
        ("again-js", "KeyError", Language::Python, [&python[..], &again[..]].concat()),
    ];
    for (name, message, language, expected) in cases {
        let error = engine.run(name, json!({})).unwrap_err();
        assert_eq!(
            (error.kind(), error.failure().language),
            (ErrorKind::ScriptError, Some(language)),
            "{name}: {error}"
        );
        assert!(error.message().contains(message), "{name}: {error}");
        let frames: Vec<_> = (error.frames().iter())
            .map(|frame| {
                let file = frame.file.rsplit('/').next().unwrap();
                (file, frame.line, frame.source.as_deref().unwrap_or_default())
            })
            .collect();
        assert_eq!(frames, expected, "{name}");
    }
}

#[test]
fn a_result_that_json_cannot_hold_is_a_failure_that_says_where() {
    let engine = Engine::new().unwrap();
    engine.function("nan", || Ok::<_, String>(f64::NAN)).unwrap();
    engine
        .async_function("items", || async {
            let item = |price: f64| std::collections::BTreeMap::from([("price", price)]);
            Ok::<_, String>(vec![item(1.0), item(f64::INFINITY)])
        })
        .unwrap();
    engine.function("deep", || Ok::<_, String>((0..150).fold(json!(1), |inner, _| json!([inner])))).unwrap();
    engine.function("large", || Ok::<_, String>("x".repeat(65 << 20))).unwrap();
    for language in LANGUAGES {
        for (call, kind, message) in [
            ("nan()", ErrorKind::ScriptError, "the result of skill.nan is NaN, which JSON cannot hold"),
            ("items()", ErrorKind::ScriptError, "result[1].price of skill.items is infinity, which JSON cannot hold"),
            ("deep()", ErrorKind::ScriptError, "the result of skill.deep is nested deeper than 100 levels"),
            ("large()", ErrorKind::OutputLimit, "the result of skill.large is larger than 64 MB"),
        ] {
            let error = engine.eval(language, call).unwrap_err();
            assert_eq!((error.kind(), error.message().contains(message)), (kind, true), "{language} {call}: {error}");
        }
    }
}

#[test]
fn a_function_name_that_means_something_in_a_language_is_refused() {
    let engine = Engine::new().unwrap();
    for taken in [
        "class",
        "fn",
        "let",
        "print",
        "params",
        "skill",
        "eval",
        "run",
        "def",
        "len",
        "type_of",
        "debug",
        "console",
        "globalThis",
        "None",
        "undefined",
        "__import__",
        "_",
    ] {
        let error = engine.function(taken, || Ok::<_, String>(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{taken}: {error}");
        assert!(error.message().starts_with(&format!("`{taken}` cannot name a function")), "{error}");
        assert!(error.help().is_some(), "{taken}");
    }
    let error = engine.async_function("class(x)", |x: i64| async move { Ok::<_, String>(x) }).unwrap_err();
    assert!(error.message().contains("Python and JavaScript"), "{error}");
}

#[test]
fn a_whole_number_is_an_integer_to_a_host_function() {
    let engine = Engine::new().unwrap();
    engine
        .function("add(n, more)", |n: i64, more: Vec<u8>| {
            Ok::<_, String>(more.into_iter().fold(n, |sum, more| sum + i64::from(more)))
        })
        .unwrap();
    for language in LANGUAGES {
        assert_eq!(engine.eval(language, "add(2.0, [3.0, 4])").unwrap(), 9, "{language}");
        let error = engine.eval(language, "add(2.5, [])").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{language}: {error}");
    }
}

#[test]
fn an_async_host_function_may_run_scripts_that_wait_for_others() {
    let engine = Engine::new().unwrap();
    engine
        .async_function("inner(x)", |x: i64| async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok::<_, String>(x + 1)
        })
        .unwrap();
    let again = engine.clone();
    engine
        .async_function("outer(x)", move |x: i64| {
            let engine = again.clone();
            async move {
                // Blocks the thread that the future runs on, in each language and three levels deep.
                let mut sum = x;
                for language in LANGUAGES {
                    let call = if x > 0 { format!("outer({})", x - 1) } else { "inner(0)".to_owned() };
                    sum += engine.eval(language, &call).map_err(|error| error.to_string())?.as_i64().unwrap();
                }
                Ok::<_, String>(sum)
            }
        })
        .unwrap();
    let mut options = RunOptions::default();
    options.limits.wall = Some(Duration::from_secs(60));
    for language in LANGUAGES {
        let skill = engine.code(language, "outer(2)");
        let outcome = engine.run_skill(&skill, json!({}), &options);
        // f(0) = 3, f(1) = 1 + 3 · f(0), f(2) = 2 + 3 · f(1)
        assert_eq!(outcome.result.unwrap(), 32, "{language}");
    }
}

#[test]
fn a_future_that_is_no_longer_waited_for_is_dropped() {
    struct Told(std::sync::mpsc::Sender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let engine = Engine::new().unwrap();
    let (sender, dropped) = std::sync::mpsc::channel();
    let sender = Mutex::new(sender);
    engine
        .async_function("forever", move || {
            let told = Told(sender.lock().unwrap().clone());
            async move {
                std::future::pending::<()>().await;
                drop(told);
                Ok::<_, String>(1)
            }
        })
        .unwrap();
    engine
        .async_function("stuck", || async {
            std::thread::sleep(Duration::from_secs(2));
            Ok::<_, String>(1)
        })
        .unwrap();
    for call in ["forever()", "stuck()"] {
        let mut options = RunOptions::default();
        options.limits.wall = Some(Duration::from_millis(50));
        let outcome = engine.run_skill(&engine.code(Language::Rhai, call), json!({}), &options);
        assert_eq!(outcome.result.unwrap_err().kind(), ErrorKind::Timeout, "{call}");
    }
    dropped.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(engine.eval(Language::Rhai, "1 + 1").unwrap(), 2);
}

#[test]
fn a_panic_in_a_future_says_what_it_said() {
    let engine = Engine::new().unwrap();
    engine
        .async_function("boom", || async {
            tokio::task::yield_now().await;
            if true {
                panic!("on purpose")
            }
            Ok::<_, String>(1)
        })
        .unwrap();
    for language in LANGUAGES {
        let error = engine.eval(language, "boom()").unwrap_err();
        assert!(error.message().contains("skill.boom panicked: on purpose"), "{language}: {error}");
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

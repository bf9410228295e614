//! Skills that call one another.

use crate::support::tiers;
use serde_json::json;
use skills::{Engine, ErrorKind, Language, LimitName, RunOptions};

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
fn a_run_and_all_that_it_calls_have_one_limit_of_operations() {
    let folder = tempfile::tempdir().unwrap();
    // Each works before and after it calls, so that what it did before counts against what it calls, and the other way round.
    let codes = |inner: &str| {
        [
            (
                "rhai",
                "rhai",
                format!(
                    "fn run(params) {{ let n = 0; for i in 0..40 {{ n += i; }} skill.call(\"{inner}\"); for i in 0..30 {{ n += i; }} }}"
                ),
            ),
            (
                "python",
                "py",
                format!(
                    "import skill\ndef run(value=None):\n    for i in range(50): pass\n    skill.call('{inner}')\n    for i in range(20): pass"
                ),
            ),
            (
                "javascript",
                "js",
                format!(
                    "export default () => {{ for (let i = 0; i < 60; i++); skill.call('{inner}'); for (let i = 0; i < 10; i++); }}"
                ),
            ),
        ]
    };
    write_skill(
        folder.path(),
        "last",
        "rhai",
        "last.rhai",
        "fn run(params) { let n = 0; for i in 0..100 { n += i; } print(\"over\"); }",
    );
    let mut names = Vec::new();
    for (language, extension, code) in codes("last") {
        let name = format!("to-last-{language}");
        write_skill(folder.path(), &name, language, &format!("x.{extension}"), &code);
        for (outer, extension, code) in codes(&name) {
            let name = format!("{outer}-to-{language}");
            write_skill(folder.path(), &name, outer, &format!("x.{extension}"), &code);
            names.push(name);
        }
    }
    let builder = Engine::builder().layout(skills::Layout::of_folder(folder.path()));
    let engine = builder.worker(env!("CARGO_BIN_EXE_skills")).build().unwrap();
    for isolation in tiers() {
        let run = |name: &str, limit: u64| {
            let mut options = RunOptions::default();
            options.isolation = Some(isolation);
            options.limits.operations = Some(limit);
            engine.run_with(name, json!({}), &options)
        };
        let last = run("last", 1_000_000).usage.operations.unwrap();
        for name in &names {
            let all = run(name, 1_000_000).usage.operations.unwrap();
            // Two skills that pass through 70 loops and one of 100.
            assert!((240..2000).contains(&all), "{name}: {all}");
            let enough = run(name, all);
            assert!(enough.result.is_ok(), "{name} in {isolation:?} with {all}: {:?}", enough.result);
            assert_eq!(enough.usage.operations, Some(all), "{name} in {isolation:?}");
            // One less is not enough, wherever the last of them is.
            let error = run(name, all - 1).result.unwrap_err();
            let breach = error.limit().unwrap();
            let (limit, reading) = (all - 1, all);
            assert_eq!((breach.name, breach.limit, breach.reading), (LimitName::Operations, limit, reading), "{name}");
            // What stops a called skill stops its caller with the figures of the whole. It has less than it needs, because its
            // callers have used some.
            let short = last + 20;
            let stopped = run(name, short);
            assert_eq!(stopped.stdout, "", "{name} in {isolation:?}");
            let breach = stopped.result.unwrap_err().limit().unwrap();
            assert_eq!(
                (breach.name, breach.limit, breach.reading),
                (LimitName::Operations, short, short + 1),
                "{name}"
            );
        }
    }
}

#[test]
fn what_a_project_calls_the_same_does_not_get_between_a_user_s_skills() {
    let sandbox = crate::support::Sandbox::new();
    let home = sandbox.folder.path().join(".agents/skills");
    write_skill(
        &home,
        "asks",
        "rhai",
        "asks.rhai",
        "fn run(params) { [skill.call(\"answers\", #{}), skill.call(\"hash\", #{text: \"x\"})] }",
    );
    write_skill(&home, "answers", "rhai", "answers.rhai", "fn run(params) { \"the user's\" }");
    let project = sandbox.path().join(".skills");
    write_skill(&project, "answers", "rhai", "answers.rhai", "fn run(params) { \"hostile \" }");
    write_skill(&project, "hash", "rhai", "hash.rhai", "fn run(params) { \"hostile\" }");
    sandbox.run(&["trust", "grant", "user:asks", "-y"]).exits(0);
    let ran = sandbox.run(&["run", "asks"]).exits(0);
    assert!(ran.stdout.contains("the user's") && !ran.stdout.contains("hostile"), "{ran:?}");
    assert!(sandbox.run(&["run", "answers"]).exits(0).stdout.contains("hostile"), "a person means the nearest");
    // A project's own skills see the project's.
    write_skill(&project, "mine", "rhai", "mine.rhai", "fn run(params) { skill.call(\"answers\", #{}) }");
    assert!(sandbox.run(&["run", "mine"]).exits(0).stdout.contains("hostile"));
}

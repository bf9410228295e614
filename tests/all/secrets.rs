//! Secrets: who gets them, and that nothing that leaves a run holds one.

use crate::support::{Ran, Sandbox};
use serde_json::{Value, json};
use skills::core::{ExposeSecret as _, Failure, SecretSource, SecretString};
use skills::{Config, ConfigScope, Engine, ErrorKind, Event, EventSink, Language, Layout, Outcome, RunOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The value of every secret here. The name of the one that is granted is `db`.
const VALUE: &str = "hunter2/correct horse";

const LANGUAGES: [(Language, &str); 3] =
    [(Language::Rhai, "rhai"), (Language::Python, "py"), (Language::JavaScript, "js")];

/// Code in each of the languages, in their order, where `S` is the secret.
fn codes(rhai: &str, python: &str, javascript: &str) -> [String; 3] {
    [
        format!("let S = skill.secret(\"db\");\n{rhai}"),
        format!("S = skill.secret('db')\n{python}"),
        format!("const S = skill.secret('db');\n{javascript}"),
    ]
}

#[derive(Default)]
struct Source(AtomicUsize);

impl SecretSource for Source {
    fn secret(&self, _name: &str) -> Result<SecretString, Failure> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(SecretString::from(VALUE))
    }
}

#[derive(Default)]
struct Sink(Mutex<Vec<Event>>);

impl EventSink for Sink {
    fn event(&self, _skill: &str, _correlation_id: &str, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Sink {
    fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }

    /// What was printed, in one piece.
    fn output(&self) -> String {
        let one = |event: &Event| match event {
            Event::Output { text, .. } => Some(text.clone()),
            _ => None,
        };
        self.0.lock().unwrap().iter().filter_map(one).collect()
    }
}

/// Skills that ask for secrets, and an engine that grants `db`.
struct Skills {
    folder: tempfile::TempDir,
    sink: Arc<Sink>,
    source: Arc<Source>,
}

impl Skills {
    fn new() -> Skills {
        Skills { folder: tempfile::tempdir().unwrap(), sink: Arc::default(), source: Arc::default() }
    }

    fn add(&self, name: &str, file: &str, code: &str, secrets: &[&str]) -> PathBuf {
        let folder = self.folder.path().join("skills").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(file), code).unwrap();
        let definition = json!({
            "name": name, "version": "1.0.0", "description": "Uses a secret", "type": "code_inline",
            "code": format!("file://./{file}"), "security": {"permissions": {"secrets": secrets}},
        });
        let path = folder.join(format!("{name}.json"));
        std::fs::write(&path, definition.to_string()).unwrap();
        path
    }

    fn engine(&self) -> Engine {
        let layout = Layout { cwd: self.folder.path().to_owned(), ..Layout::default() };
        Engine::builder()
            .layout(layout)
            .trust(skills::Trust::Everything)
            .secrets(Arc::clone(&self.source) as _)
            .allow_secret("db")
            .events(Arc::clone(&self.sink) as _)
            .build()
            .unwrap()
    }

    /// Runs code of a language as a skill that asks for `db`.
    fn run(&self, index: usize, code: &str) -> Outcome {
        let (language, extension) = LANGUAGES[index];
        let name = format!("uses-{language}-{}", self.source.0.load(Ordering::SeqCst));
        let path = self.add(&name, &format!("main.{extension}"), code, &["db"]);
        self.engine().run_with(path.to_str().unwrap(), json!({}), &RunOptions::default())
    }
}

/// Fails where a text holds the secret in any form that is known here.
#[track_caller]
fn assert_clean(what: &str, text: &str) {
    let hex: String = VALUE.bytes().map(|byte| format!("{byte:02x}")).collect();
    let forms = [VALUE, "hunter2%2Fcorrect%20horse", "aHVudGVyMi9jb3JyZWN0IGhvcnNl", "hunter2", &hex];
    for form in forms {
        assert!(!text.contains(form), "{what} holds {form}: {text}");
    }
}

#[test]
fn a_script_gets_the_secret_and_its_value_leaves_without_it() {
    for (index, code) in codes("[S.len(), S]", "[len(S), S]", "[S.length, S]").iter().enumerate() {
        let skills = Skills::new();
        let outcome = skills.run(index, code);
        assert_eq!(outcome.result.clone().unwrap(), json!([VALUE.len(), "[secret:db]"]), "{:?}", LANGUAGES[index]);
        assert_clean("the outcome", &outcome.to_json().to_string());
    }
}

#[test]
fn encoded_secrets_leave_neither() {
    let codes = codes(
        "#{b: skill.base64.encode(\"user:\" + S), j: skill.json.stringify(#{a: S})}",
        "import base64, urllib.parse\n{'b': base64.b64encode(('user:' + S).encode()).decode(), 'u': urllib.parse.quote(S, safe=''), 'h': S.encode().hex(), 'r': repr([S])}",
        "({ b: skill.base64.encode('user:' + S), u: encodeURIComponent(S), j: JSON.stringify({ a: S }) })",
    );
    for (index, code) in codes.iter().enumerate() {
        let value = Skills::new().run(index, code).result.unwrap();
        for (key, text) in value.as_object().unwrap() {
            assert!(text.as_str().unwrap().contains("[secret:db]"), "{key}: {text}");
        }
        let text = value.to_string();
        assert_clean("the value", &text);
        assert!(!text.contains("h1bnRlcjIvY29ycmVjdCBob3Jz"), "{text}");
    }
}

#[test]
fn what_is_printed_leaves_without_it_even_in_pieces() {
    let codes = codes(
        "print(\"a \" + S); print(\"hunter2/corr\"); skill.log(S); skill.log(#{k: S}, \"warn\"); skill.progress(0.5, S); 1",
        "import sys\nprint('a', S)\nprint('b', S[:9], sep='', end='')\nprint(S[9:])\nprint('e' + S, file=sys.stderr)\nskill.log(S)\nskill.log({'k': S}, 'warn')\nskill.progress(0.5, S)\n1",
        "console.log('a', S); console.error('e' + S); skill.log(S); skill.log({ k: S }, 'warn'); skill.progress(0.5, S); 1",
    );
    for (index, code) in codes.iter().enumerate() {
        let skills = Skills::new();
        let outcome = skills.run(index, code);
        assert_eq!(outcome.result.clone().unwrap(), 1);
        assert!(outcome.stdout.starts_with("a [secret:db]\n"), "{}", outcome.stdout);
        if index > 0 {
            assert_eq!(outcome.stderr, "e[secret:db]\n");
        }
        if index == 1 {
            assert_eq!(outcome.stdout, "a [secret:db]\nb[secret:db]\n");
        }
        let mut text = skills.sink.text() + outcome.stdout.as_str();
        // The start alone, which Rhai printed on a line of its own, is no secret.
        text = text.replace("hunter2/corr\\n", "").replace("hunter2/corr\n", "");
        assert_clean("an event", &text);
        assert_eq!(text.matches("Log {").count(), 2, "{text}");
        assert_eq!(skills.sink.output().len(), outcome.stdout.len() + outcome.stderr.len(), "all of it was reported");
    }
}

#[test]
fn what_was_printed_before_the_secret_was_fetched_leaves_without_it_too() {
    let code = format!(
        "print('{VALUE}', flush=True)\nimport sys\nprint('{VALUE}', file=sys.stderr, flush=True)\nlen(skill.secret('db'))"
    );
    let outcome = Skills::new().run(1, &code);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("[secret:db]\n", "[secret:db]\n"));
}

#[test]
fn errors_leave_without_it() {
    let codes = codes("throw \"no \" + S", "raise ValueError('no ' + S)", "throw new Error('no ' + S)");
    for (index, code) in codes.iter().enumerate() {
        let error = Skills::new().run(index, code).result.unwrap_err();
        assert!(error.message().contains("no [secret:db]"), "{error}");
        assert_clean("the error", &format!("{error:?} {}", error.render(false)));
    }
    // The line of the source that failed is shown too.
    let literal = format!("S = skill.secret('db')\nraise ValueError() if S == '{VALUE}' else 1");
    let error = Skills::new().run(1, &literal).result.unwrap_err();
    assert!(error.frames().iter().any(|frame| frame.source.as_ref().is_some_and(|line| line.contains("[secret:db]"))));
    assert_clean("the error", &format!("{error:?}"));
}

#[test]
fn state_takes_no_secret() {
    let codes =
        codes("skill.state.set(\"k\", #{deep: [S]})", "skill.state.update('k', None, S)", "skill.state.set(S, 1)");
    for (index, code) in codes.iter().enumerate() {
        let error = Skills::new().run(index, code).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(error.message().contains("the secret `db` must not be kept in state"), "{error}");
        assert!(error.help().unwrap().contains("skill.secret"));
    }
}

#[test]
fn only_what_is_asked_for_and_allowed_is_given() {
    for (language, extension) in LANGUAGES {
        for (asked, wanted) in [(&[][..], "db"), (&["db"][..], "other"), (&["other"][..], "other")] {
            let skills = Skills::new();
            let code = format!("skill.secret(\"{wanted}\")");
            let path = skills.add("asks", &format!("main.{extension}"), &code, asked);
            let outcome = skills.engine().run_with(path.to_str().unwrap(), json!({}), &RunOptions::default());
            let error = outcome.result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{language}: {error}");
            // What nobody allows is refused before anything runs.
            let part = match asked {
                ["other"] => "asks to use the secret other, which nobody has allowed".to_owned(),
                _ => format!("was not granted the secret \"{wanted}\""),
            };
            assert!(error.message().contains(&part), "{error}");
            assert_eq!(skills.source.0.load(Ordering::SeqCst), 0, "the source is not even asked");
        }
    }
}

#[test]
fn a_called_skill_keeps_its_secret_from_its_caller() {
    let skills = Skills::new();
    skills.add("inner", "main.py", "S = skill.secret('db')\nprint(S)\n{'len': len(S), 'is': S}", &["db"]);
    skills.add("fails", "main.js", "throw new Error(skill.secret('db'))", &["db"]);
    let code = "try:\n    skill.call('fails')\nexcept Exception as e:\n    why = str(e)\n[skill.call('inner'), why]";
    skills.add("outer", "main.py", code, &[]);
    let outcome = skills.engine().run_with("outer", json!({}), &RunOptions::default());
    let value = outcome.result.clone().unwrap();
    assert_eq!(value[0], json!({"len": VALUE.len(), "is": "[secret:db]"}));
    assert!(value[1].as_str().unwrap().contains("[secret:db]"), "{value}");
    assert_eq!(outcome.stdout, "[secret:db]\n");
    assert_clean("an event", &skills.sink.text());
}

#[test]
fn a_session_that_met_a_secret_does_not_give_it_to_the_next_run() {
    // Python keeps its modules from one run of a skill to the next.
    let code = "def run(first):\n    import string\n    if first:\n        string.kept = skill.secret('db')\n    return getattr(string, 'kept', 'nothing')";
    let skills = Skills::new();
    let path = skills.add("keeps", "main.py", code, &["db"]);
    let engine = skills.engine();
    for first in [true, false] {
        let outcome = engine.run_with(path.to_str().unwrap(), json!({"first": first}), &RunOptions::default());
        assert_clean("the value", &outcome.result.unwrap().to_string());
    }
}

#[test]
fn the_source_is_asked_once_a_run_and_never_for_a_plan() {
    let skills = Skills::new();
    let code = "[skill.secret('db') for _ in range(5)]";
    let path = skills.add("asks", "main.py", code, &["db"]);
    let engine = skills.engine();
    let skill = engine.skill(path.to_str().unwrap()).unwrap();
    let plan = engine.authorize(engine.plan(&skill, json!({}), &RunOptions::default()).unwrap()).unwrap();
    let shown = serde_json::to_value(plan.plan()).unwrap();
    assert_eq!(shown["capabilities"], json!([{"capability": "secret", "name": "db"}]));
    assert_eq!(skills.source.0.load(Ordering::SeqCst), 0);
    assert_clean("the plan", &format!("{shown} {plan:?}"));
    engine.execute(plan).result.unwrap();
    assert_eq!(skills.source.0.load(Ordering::SeqCst), 1);
}

/// An engine with a user's configuration, and a variable.
fn configured(folder: &std::path::Path, secrets: &Value) -> Engine {
    let file = folder.join("config.json");
    let names: Vec<_> = secrets.as_object().unwrap().keys().collect();
    let permissions = json!({"secrets": names, "environment": ["CITY", "UNSET"]});
    std::fs::write(&file, json!({"security": {"default_permissions": permissions}, "secrets": secrets}).to_string())
        .unwrap();
    let (config, diagnostics) = Config::load(&[(ConfigScope::User, file)]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let layout = Layout { cwd: folder.to_owned(), ..Layout::default() };
    let variables = |name: &str| matches!(name, "DB_PASSWORD" | "CITY").then(|| format!("value of {name}"));
    Engine::builder()
        .trust(skills::Trust::Everything)
        .config(config)
        .layout(layout)
        .variables(variables)
        .build()
        .unwrap()
}

#[test]
fn the_configuration_says_where_values_are() {
    let skills = Skills::new();
    let folder = skills.folder.path();
    std::fs::write(folder.join("key"), "value of a file\r\n").unwrap();
    std::os::unix::fs::symlink(folder.join("key"), folder.join("link")).unwrap();
    let places = json!({
        "env": {"env": "DB_PASSWORD"}, "file": {"file": folder.join("key")}, "link": {"file": "link"},
        "unset": {"env": "NOT_SET"}, "gone": {"file": "/nowhere/key"}, "folder": {"file": folder},
        "command": {"command": ["pass", "show", "x"]}, "empty": {"file": folder.join("empty")},
        "large": {"file": folder.join("large")}, "larger": {"file": folder.join("larger")},
    });
    std::fs::write(folder.join("empty"), "\n").unwrap();
    std::fs::write(folder.join("large"), "x".repeat((64 << 10) + 1)).unwrap();
    std::fs::write(folder.join("larger"), "x".repeat(1 << 20)).unwrap();
    let engine = configured(folder, &places);
    let ask = |name: &str| {
        // Turned round, the value is not recognised.
        let code = format!("skill.secret('{name}')[::-1]");
        let path = skills.add(&format!("asks-{name}"), "main.py", &code, &[name]);
        engine.run_with(path.to_str().unwrap(), json!({}), &RunOptions::default()).result
    };
    let turned = |text: &str| Value::from(text.chars().rev().collect::<String>());
    assert_eq!(ask("env").unwrap(), turned("value of DB_PASSWORD"));
    assert_eq!(ask("file").unwrap(), turned("value of a file"));
    assert_eq!(ask("link").unwrap(), turned("value of a file"));
    let why = |name: &str| {
        let error = ask(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        error.message().to_owned()
    };
    assert!(why("unset").contains("the environment variable NOT_SET is not set"));
    assert!(why("gone").contains("the file /nowhere/key cannot be read: the file does not exist"));
    assert!(why("folder").contains("it is not a regular file"));
    assert!(why("empty").contains("it is empty"));
    assert!(why("large").contains("it has more than 65536 bytes"));
    assert!(why("larger").contains("cannot be read"));
    assert!(why("command").contains("the host program runs no commands for secrets"));
}

#[test]
fn variables_are_given_by_name() {
    for (language, extension) in LANGUAGES {
        let skills = Skills::new();
        let engine = configured(skills.folder.path(), &json!({}));
        let code = "[skill.env(\"CITY\"), skill.env(\"UNSET\", \"none\")]";
        let path = skills.add("varies", &format!("main.{extension}"), code, &[]);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace(r#""secrets":[]"#, r#""environment":["CITY","UNSET","DB_PASSWORD"]"#))
            .unwrap();
        let run = || engine.run_with(path.to_str().unwrap(), json!({}), &RunOptions::default()).result;
        assert_eq!(run().unwrap(), json!(["value of CITY", "none"]), "{language}");
        // The user's configuration does not allow it.
        std::fs::write(path.with_file_name(format!("main.{extension}")), "skill.env(\"DB_PASSWORD\")").unwrap();
        let engine = configured(skills.folder.path(), &json!({}));
        let error = engine.run_with(path.to_str().unwrap(), json!({}), &RunOptions::default()).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{language}: {error}");
    }
}

#[test]
fn a_source_hides_its_values() {
    let value = SecretString::from(VALUE);
    assert_clean("the type", &format!("{value:?}"));
    assert_eq!(value.expose_secret(), VALUE);
}

/// A sandbox whose user has secrets, and a skill in the working folder that uses one.
fn user(secrets: &Value, code: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path().join(".config/skills");
    std::fs::create_dir_all(&folder).unwrap();
    let permissions = json!({"secrets": ["api"]});
    let config = json!({"security": {"default_permissions": permissions}, "secrets": secrets});
    std::fs::write(folder.join("config.json"), serde_json::to_string_pretty(&config).unwrap()).unwrap();
    sandbox.write("asks/main.py", code);
    let definition = json!({
        "name": "asks", "version": "1.0.0", "description": "Uses a secret", "type": "code_inline",
        "code": "file://./main.py", "security": {"permissions": {"secrets": ["api"]}},
    });
    sandbox.write("asks/asks.json", &definition.to_string());
    sandbox.run(&["trust", "grant", "./asks/asks.json", "--yes"]).exits(0);
    sandbox
}

fn run(sandbox: &Sandbox, options: &[&str]) -> Ran {
    let mut command = sandbox.skills();
    let output = command.env("API_KEY", VALUE).args(["run", "./asks/asks.json"]).args(options).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn the_command_prints_no_secret() {
    let code = "import sys\nS = skill.secret('api')\nprint(S)\nskill.log(S)\nprint(S, file=sys.stderr)\nraise ValueError(S + '!')";
    let sandbox = user(&json!({"api": {"env": "API_KEY"}}), code);
    for options in [&["--json"][..], &[], &["--dry-run"], &["--dry-run", "--json"]] {
        let ran = run(&sandbox, options);
        assert_clean("stdout", &ran.stdout);
        assert_clean("stderr", &ran.stderr);
        if !options.contains(&"--dry-run") {
            assert!((ran.stdout.clone() + ran.stderr.as_str()).contains("ValueError: [secret:api]!"), "{ran:?}");
            ran.exits(1);
        }
    }
}

#[test]
fn the_command_runs_the_program_that_prints_a_secret() {
    let code = "skill.secret('api')[::-1]";
    let sandbox = user(&json!({"api": {"command": ["printf", "%s\\n", "abc def"]}}), code);
    assert_eq!(run(&sandbox, &[]).exits(0).stdout, "fed cba\n");
    let sandbox = user(&json!({"api": {"command": ["false"]}}), code);
    let ran = run(&sandbox, &["--json"]);
    assert_eq!(ran.json()["error"]["kind"], "unavailable");
    assert!(ran.stdout.contains("`false` failed: exit status: 1"), "{ran:?}");
}

#[test]
fn a_secret_that_stands_in_the_configuration_itself_is_not_shown() {
    for wrong in
        [json!({"api": VALUE}), json!({"api": {"value": VALUE}}), json!({"api": {"env": [VALUE]}}), json!([VALUE])]
    {
        let ran = run(&user(&wrong, "1"), &[]);
        assert!(ran.stderr.contains("config.json:"), "its place is: {}", ran.stderr);
        assert_clean("stderr", &ran.stderr);
    }
}

#[test]
fn a_project_cannot_say_where_secrets_are() {
    let sandbox = user(&json!({}), "skill.secret('api')");
    sandbox.write(".skills/config.json", r#"{"secrets": {"api": {"env": "API_KEY"}}}"#);
    let ran = run(&sandbox, &["--json"]);
    assert_eq!(ran.json()["error"]["kind"], "not_found");
    assert!(ran.json()["error"]["message"] == "there is no secret `api`", "{ran:?}");
    assert!(ran.stderr.contains("a project's configuration cannot say where secrets are"), "{}", ran.stderr);
}

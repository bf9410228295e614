//! What holds across calls, engines, grants and names.

use crate::support::Sandbox;
use serde_json::{Value, json};
use skills::{Cancel, Engine, EngineBuilder, ErrorKind, Language, Layout, LimitName, Limits, RunOptions};
use std::path::Path;
use std::time::Duration;

/// Writes a skill of inline code that takes anything.
fn skill(folder: &Path, name: &str, language: &str, code: &str, more: Value) {
    let mut definition = json!({
        "name": name, "description": "A test", "type": "code_inline",
        "executor": {"type": "inline", "language": language, "code": code}
    });
    for (key, value) in more.as_object().unwrap() {
        definition[key] = value.clone();
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), definition.to_string()).unwrap();
}

fn builder(folder: &Path) -> EngineBuilder {
    Engine::builder().layout(Layout::of_folder(&folder.join("skills"))).working_directory(folder)
}

#[test]
fn a_link_does_not_lead_a_grant_out_of_what_the_host_allows() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.txt"), "outside").unwrap();
    let inside = tempfile::tempdir().unwrap();
    let root = inside.path();
    std::os::unix::fs::symlink(outside.path(), root.join("link")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.txt"), root.join("file")).unwrap();
    let asks = |path: &str| json!({"security": {"permissions": {"file_read": [path], "file_write": [path]}}});
    let skills = root.join("skills");
    skill(&skills, "folder", "rhai", "skill.fs.read(\"link/secret.txt\")", asks("./link"));
    skill(&skills, "file", "rhai", "skill.fs.read(\"file\")", asks("./file"));
    skill(&skills, "all", "rhai", "skill.fs.read(\"link/secret.txt\")", asks("./"));
    skill(&skills, "write", "rhai", "skill.fs.write(\"link/made.txt\", \"x\")", asks("./link"));
    let engine = builder(root).allow_read(root).allow_write(root).build().unwrap();
    for name in ["folder", "file", "all", "write"] {
        let result = engine.run(name, json!({})).map_err(|error| error.kind());
        assert_eq!(result, Err(ErrorKind::PermissionDenied), "{name}");
    }
    assert!(!outside.path().join("made.txt").exists());
    std::fs::write(root.join("plain.txt"), "inside").unwrap();
    skill(&skills, "plain", "rhai", "skill.fs.read(\"plain.txt\")", asks("./"));
    let engine = builder(root).allow_read(root).build().unwrap();
    assert_eq!(engine.run("plain", json!({})).unwrap(), "inside");
}

#[test]
fn a_script_calls_skills_by_name_and_not_by_path() {
    let folder = tempfile::tempdir().unwrap();
    let skills = folder.path().join("skills");
    skill(&folder.path().join("elsewhere"), "hidden", "python", "1 + 1", json!({}));
    let path = folder.path().join("elsewhere/hidden.json");
    skill(&skills, "by-path", "rhai", &format!("skill.call({path:?}, #{{}})"), json!({}));
    skill(&skills, "by-script", "rhai", "skill.call(\"./x.py\", #{})", json!({}));
    skill(&skills, "by-name", "rhai", "skill.call(\"by-other\", #{})", json!({}));
    skill(&skills, "by-other", "rhai", "7", json!({}));
    let engine = builder(folder.path()).build().unwrap();
    for name in ["by-path", "by-script"] {
        assert_eq!(engine.run(name, json!({})).unwrap_err().kind(), ErrorKind::NotFound, "{name}");
    }
    assert_eq!(engine.run("by-name", json!({})).unwrap(), 7);
    assert_eq!(engine.run(&path.to_string_lossy(), json!({})).unwrap(), 2, "the host may name a path");
}

#[test]
fn limits_hold_for_a_run_with_all_that_it_calls() {
    let folder = tempfile::tempdir().unwrap();
    let skills = folder.path().join("skills");
    skill(&skills, "spin", "rhai", "loop {}", json!({}));
    skill(&skills, "chatter", "rhai", "for i in 0..10 { print(\"12345678\"); skill.uuid.v4(); } 1", json!({}));
    // Catching what a called skill met does not give its caller more.
    skill(&skills, "waits", "rhai", "loop { try { skill.call(\"spin\", #{}) } catch (e) {} }", json!({}));
    skill(&skills, "talks", "rhai", "loop { try { skill.call(\"chatter\", #{}) } catch (e) {} }", json!({}));
    skill(&skills, "itself", "rhai", "loop { try { skill.call(\"itself\", #{}) } catch (e) {} }", json!({}));
    let calls = "for i in 0..14 { skill.uuid.v4(); }";
    skill(&skills, "first", "rhai", &format!("{calls} skill.call(\"chatter\", #{{}})"), json!({}));
    skill(&skills, "last", "rhai", &format!("skill.call(\"chatter\", #{{}}); {calls} 1"), json!({}));
    let engine = builder(folder.path()).build().unwrap();
    let run = |name: &str, set: &dyn Fn(&mut RunOptions)| {
        let mut options = RunOptions::default();
        options.limits.time = Some(Duration::from_secs(20));
        set(&mut options);
        engine.run_with(name, json!({}), &options)
    };
    let breach = |outcome: skills::Outcome| outcome.result.unwrap_err().limit().map(|b| (b.name, b.limit));
    let time = |options: &mut RunOptions| options.limits.time = Some(Duration::from_millis(100));
    assert_eq!(breach(run("waits", &time)), Some((LimitName::Time, 100)));
    assert_eq!(breach(run("itself", &time)), Some((LimitName::Time, 100)));
    let calls = |options: &mut RunOptions| options.limits.host_calls = Some(25);
    assert_eq!(breach(run("talks", &calls)), Some((LimitName::HostCalls, 25)));
    // What is called has what its caller has left, though the caller asks for nothing more after it.
    let calls = |options: &mut RunOptions| options.limits.host_calls = Some(20);
    assert_eq!(breach(run("first", &calls)), Some((LimitName::HostCalls, 20)));
    assert_eq!(breach(run("last", &calls)), Some((LimitName::HostCalls, 20)));
    let output = |options: &mut RunOptions| options.limits.output = Some(200);
    let outcome = run("talks", &output);
    assert!((150..=200).contains(&outcome.stdout.len()), "{}", outcome.stdout.len());
    assert_eq!(breach(outcome), Some((LimitName::Output, 200)));
    let operations = |options: &mut RunOptions| options.limits.operations = Some(500);
    assert_eq!(breach(run("talks", &operations)), Some((LimitName::Operations, 500)));
}

#[test]
fn a_ceiling_holds_for_called_skills_too() {
    let folder = tempfile::tempdir().unwrap();
    let skills = folder.path().join("skills");
    skill(&skills, "spin", "rhai", "loop {}", json!({"timeout": 60}));
    skill(&skills, "outer", "rhai", "skill.call(\"spin\", #{})", json!({}));
    let ceiling = Limits { time: Some(Duration::from_millis(100)), ..Limits::none() };
    let engine = builder(folder.path()).limits(ceiling).build().unwrap();
    let error = engine.run("outer", json!({})).unwrap_err();
    assert_eq!(error.limit().map(|breach| (breach.name, breach.limit)), Some((LimitName::Time, 100)));
}

#[test]
fn a_dropped_future_stops_its_own_run_only() {
    let engine = Engine::new().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let shared = Cancel::new();
    let mut options = RunOptions::default();
    options.cancel = Some(shared.clone());
    runtime.block_on(async {
        let slow = engine.run_async("evaluate", json!({"expression": "1"}), options.clone());
        let mut slow = Box::pin(slow);
        // Polled once, so that the run has begun; then dropped.
        let _ = tokio::time::timeout(Duration::ZERO, &mut slow).await;
        drop(slow);
        assert!(!shared.is_cancelled(), "the token of others is not used");
        let sibling = engine.run_async("evaluate", json!({"expression": "1 + 1"}), options.clone()).await;
        assert_eq!(sibling.result.unwrap(), 2);
        shared.cancel();
        let stopped = engine.run_async("evaluate", json!({"expression": "1"}), options.clone()).await;
        assert_eq!(stopped.result.unwrap_err().kind(), ErrorKind::Cancelled);
    });
}

#[test]
fn the_wall_clock_leaves_room_for_the_time_that_is_allowed() {
    let engine = Engine::new().unwrap();
    let skill = engine.code(Language::Rhai, "1");
    let mut options = RunOptions::default();
    options.limits.time = Some(Duration::from_secs(1200));
    let plan = engine.plan(&skill, json!({}), &options).unwrap();
    assert_eq!(plan.limits().wall, Some(Duration::from_secs(2400)));
    options.limits.time = Some(Duration::MAX);
    options.limits.wall = Some(Duration::MAX);
    assert_eq!(engine.run_skill(&skill, json!({}), &options).result.unwrap(), 1, "no time is too long");
}

#[test]
fn a_plan_runs_only_in_the_engine_that_made_it() {
    let (strict, lax) = (Engine::new().unwrap(), Engine::new().unwrap());
    let skill = lax.code(Language::Rhai, "1");
    let plan = lax.plan(&skill, json!({}), &RunOptions::default()).unwrap();
    assert_eq!(strict.authorize(plan.clone()).unwrap_err().kind(), ErrorKind::InvalidArguments);
    let authorized = lax.authorize(plan).unwrap();
    assert_eq!(strict.execute(authorized.clone()).result.unwrap_err().kind(), ErrorKind::InvalidArguments);
    assert_eq!(lax.execute(authorized).result.unwrap(), 1);
}

#[test]
fn state_is_not_shared_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let code = "let was = skill.state.get(\"k\", \"nothing\"); skill.state.set(\"k\", \"mine\"); was";
    skill(&folder.path().join("skills"), "st", "rhai", code, json!({}));
    skill(&folder.path().join("other"), "st", "rhai", code, json!({}));
    let engine = builder(folder.path()).build().unwrap();
    assert_eq!(engine.run("st", json!({})).unwrap(), "nothing");
    assert_eq!(engine.run("st", json!({})).unwrap(), "mine");
    let other = folder.path().join("other/st.json");
    assert_eq!(engine.run(&other.to_string_lossy(), json!({})).unwrap(), "nothing");
    skill(&folder.path().join("strange"), "st", "rhai", code, json!({"scope": "workspace"}));
    let strange = folder.path().join("strange/st.json");
    assert_eq!(engine.run(&strange.to_string_lossy(), json!({})).unwrap(), "nothing", "whatever it says of its scope");
    assert_eq!(engine.eval(Language::Rhai, code).unwrap(), "nothing");
    assert_eq!(engine.eval(Language::Rhai, &format!("{code} ")).unwrap(), "nothing", "other code, other state");
}

#[test]
fn a_definition_gets_no_more_than_the_users_configuration_allows() {
    let sandbox = Sandbox::new();
    let config = json!({"security": {"resource_limits": {"max_memory_mb": 16, "max_execution_time": 1}}});
    let home = sandbox.folder.path().join(".config/skills");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("config.json"), config.to_string()).unwrap();
    let greedy = json!({"resource_limits": {"max_memory_mb": 1000, "max_execution_time": 60}});
    skill(&sandbox.path().join(".skills"), "greedy", "rhai", "1", greedy);
    let plan = sandbox.run(&["run", "greedy", "--dry-run", "--json"]).exits(0).json();
    assert_eq!((&plan["limits"]["memory"], &plan["limits"]["time"]), (&json!(16 << 20), &json!(1000)));
    let plan = sandbox.run(&["run", "greedy", "--dry-run", "--json", "--max-memory", "64MB"]).exits(0).json();
    assert_eq!(plan["limits"]["memory"], json!(64 << 20), "a person may ask for more");
}

#[test]
fn a_script_file_imports_what_stands_beside_it_and_is_described() {
    let sandbox = Sandbox::new();
    sandbox.write("tools/helper.py", "ANSWER = 42\n");
    sandbox.write("tools/main.py", "import helper\n\ndef run(n: int = 1):\n    return helper.ANSWER * n\n");
    assert_eq!(sandbox.run(&["run", "./tools/main.py"]).exits(0).stdout, "42\n");
    assert_eq!(sandbox.run(&["run", "tools/main.py", "n=2"]).exits(0).stdout, "84\n");
    let info = sandbox.run(&["info", "./tools/main.py", "--json"]).exits(0).json();
    assert_eq!(info["parameters"]["properties"]["n"]["type"], "integer");
}

#[test]
fn a_script_does_not_run_a_script_file_of_the_working_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("x.py", "'from the file'\n");
    sandbox.write("outer.rhai", "skill.call(\"x.py\", #{})");
    assert_eq!(sandbox.run(&["run", "x.py"]).exits(0).stdout, "from the file\n", "a person may name it");
    let ran = sandbox.run(&["run", "./outer.rhai", "--json"]).exits(1);
    assert_eq!(ran.json()["error"]["kind"], "not_found");
}

//! What a skill gets of what it asks for: definition, configuration, host, options of the run, and a person.

use crate::support::Sandbox;
use serde_json::{Value, json};
use skills::{
    Allow, Answer, Approver, Config, ConfigScope, DecisionScope, Engine, EngineBuilder, ErrorKind, Evidence, Layout,
    MemoryDecisions, Operation, Permissions, Question, Reply, RunOptions, Trust,
};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A skill in a folder of its own that asks for permissions.
pub(crate) fn skill(folder: &Path, name: &str, code: &str, permissions: Value) {
    let own = folder.join(name);
    std::fs::create_dir_all(&own).unwrap();
    let mut definition = json!({
        "name": name, "description": "A test", "type": "code_inline",
        "executor": {"type": "inline", "language": "rhai", "code": code}
    });
    if !permissions.is_null() {
        definition["security"] = json!({"permissions": permissions});
    }
    std::fs::write(own.join(format!("{name}.json")), definition.to_string()).unwrap();
}

/// Answers from a script, and remembers what was asked.
pub(crate) struct Scripted {
    answers: Mutex<Vec<Answer>>,
    pub(crate) asked: Mutex<Vec<Question>>,
}

impl Scripted {
    pub(crate) fn new(answers: &[Answer]) -> Arc<Scripted> {
        Arc::new(Scripted { answers: Mutex::new(answers.to_vec()), asked: Mutex::default() })
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Approver for Scripted {
    fn ask(&self, question: &Question) -> Option<Reply> {
        self.asked.lock().unwrap().push(question.clone());
        let mut answers = self.answers.lock().unwrap();
        (!answers.is_empty()).then(|| answers.remove(0).into())
    }
}

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new(permissions: Value) -> Case {
        let folder = tempfile::tempdir().unwrap();
        skill(&folder.path().join("skills"), "asks", "1", permissions);
        Case { folder }
    }

    fn root(&self) -> std::path::PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    fn builder(&self) -> EngineBuilder {
        Engine::builder().layout(Layout::of_folder(&self.root().join("skills"))).working_directory(self.root())
    }

    fn config(&self, scope: ConfigScope, security: Value) -> (ConfigScope, std::path::PathBuf) {
        let path = self.root().join(format!("{scope:?}.json"));
        std::fs::write(&path, json!({"security": security}).to_string()).unwrap();
        (scope, path)
    }
}

/// The evidence of the skill `asks`, and the kind of the refusal.
fn judged(engine: &Engine, options: &RunOptions) -> (Vec<Evidence>, Option<(ErrorKind, String)>) {
    let judgement = engine.judge_skill(&engine.skill("asks").unwrap(), options).unwrap();
    let refusal = judgement.refusal().map(|error| (error.kind(), format!("{error} {}", error.help().unwrap_or(""))));
    (judgement.evidence().to_vec(), refusal)
}

fn granted(engine: &Engine, options: &RunOptions) -> Vec<bool> {
    judged(engine, options).0.iter().map(|evidence| evidence.granted).collect()
}

fn grants(engine: &Engine, options: &RunOptions) -> skills::core::Grants {
    let skill = engine.skill("asks").unwrap();
    let plan = engine.plan(&skill, json!({}), options).unwrap();
    engine.authorize(plan).unwrap().grants().clone()
}

fn allowing(permissions: Permissions) -> RunOptions {
    let mut options = RunOptions::default();
    options.allow = permissions;
    options
}

/// Each kind of thing that is dangerous, and the option that allows it.
fn dangerous() -> Vec<(Value, Permissions, &'static str)> {
    let one = |name: &str| Some(vec![name.to_owned()]);
    vec![
        (
            json!({"network_access": ["api.example.com"]}),
            Permissions { network_access: Some(Allow::Only(vec!["*.example.com".into()])), ..Permissions::default() },
            "--allow-net api.example.com",
        ),
        (
            json!({"process_spawn": ["git"]}),
            Permissions { process_spawn: Some(Allow::Only(vec!["git".into()])), ..Permissions::default() },
            "--allow-run git",
        ),
        (
            json!({"file_write": ["/srv/out"]}),
            Permissions { file_write: one("/srv"), ..Permissions::default() },
            "--allow-write /srv/out",
        ),
        (
            json!({"secrets": ["TOKEN"]}),
            Permissions { secrets: one("TOKEN"), ..Permissions::default() },
            "--allow-secret TOKEN",
        ),
    ]
}

#[test]
fn what_is_dangerous_is_refused_without_a_word_and_the_option_is_named() {
    for (asked, allowed, flag) in dangerous() {
        let case = Case::new(asked);
        let engine = case.builder().build().unwrap();
        let error = engine.run("asks", json!({})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{flag}");
        assert!(error.help().unwrap().contains(flag), "{flag}: {error:?}");
        // The person, the host and the configuration can each allow it.
        let options = allowing(allowed.clone());
        assert_eq!(engine.run_with("asks", json!({}), &options).result.unwrap(), 1, "{flag}");
        assert!(!grants(&engine, &options).eq(&grants_of_nothing(&case)), "{flag}");
        let engine = case.builder().allow(allowed.clone()).build().unwrap();
        assert_eq!(engine.run("asks", json!({})).unwrap(), 1, "{flag}");
        // What is denied stays denied, whoever allows it; and nobody passes the host's ceiling.
        let engine = case.builder().allow(allowed.clone()).deny(allowed.clone()).build().unwrap();
        let error = engine.run_with("asks", json!({}), &options).result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{flag}");
        assert!(error.message().contains("denies"), "{error}");
        let nothing = Permissions {
            network_access: Some(Allow::All(false)),
            process_spawn: Some(Allow::All(false)),
            file_write: Some(Vec::new()),
            secrets: Some(Vec::new()),
            ..Permissions::default()
        };
        let engine = case.builder().allow(allowed).permissions(nothing).build().unwrap();
        assert_eq!(
            engine.run_with("asks", json!({}), &options).result.unwrap_err().kind(),
            ErrorKind::PermissionDenied,
            "{flag}"
        );
    }
}

fn grants_of_nothing(case: &Case) -> skills::core::Grants {
    let engine = case.builder().build().unwrap();
    let plan = engine.plan(&engine.skill("hash").unwrap(), json!({"text": "x"}), &RunOptions::default()).unwrap();
    engine.authorize(plan).unwrap().grants().clone()
}

#[test]
fn a_definition_gets_no_more_than_it_asks_for() {
    let case = Case::new(json!({"network_access": ["a.example.com"], "process_spawn": false, "file_read": ["./data"]}));
    std::fs::create_dir(case.root().join("data")).unwrap();
    let everything = Permissions {
        file_read: Some(vec!["/".into()]),
        network_access: Some(Allow::All(true)),
        process_spawn: Some(Allow::All(true)),
        ..Permissions::default()
    };
    let engine = case.builder().allow(everything.clone()).build().unwrap();
    let grants = grants(&engine, &allowing(everything));
    assert_eq!(grants.network, skills::core::Access::Only(vec!["a.example.com".into()]));
    assert!(grants.programs.is_nothing());
    assert_eq!(grants.read, [case.root().join("data")]);
}

#[test]
fn of_a_wide_request_what_is_allowed_is_granted() {
    let case = Case::new(json!({"network_access": true, "file_read": ["/"], "process_spawn": true}));
    let allowed = Permissions {
        network_access: Some(Allow::Only(vec!["a.org".into(), "*.b.org:443".into()])),
        process_spawn: Some(Allow::Only(vec!["git".into()])),
        ..Permissions::default()
    };
    let engine = case.builder().allow(allowed).allow_read(case.root()).build().unwrap();
    let grants = grants(&engine, &RunOptions::default());
    assert_eq!(grants.network, skills::core::Access::Only(vec!["a.org".into(), "*.b.org:443".into()]));
    assert_eq!(grants.programs, skills::core::Access::Only(vec!["git".into()]));
    assert_eq!(grants.read, [case.root()]);
}

#[test]
fn a_skill_that_says_nothing_gets_the_default_permissions() {
    let case = Case::new(Value::Null);
    let user = case
        .config(ConfigScope::User, json!({"default_permissions": {"file_read": ["./"], "network_access": ["a.org"]}}));
    let (config, diagnostics) = Config::load(&[user]);
    assert_eq!(diagnostics, []);
    let engine = case.builder().config(config).build().unwrap();
    let grants = grants(&engine, &RunOptions::default());
    assert_eq!((grants.read, grants.write), (vec![case.root()], Vec::new()));
    assert_eq!(grants.network, skills::core::Access::Only(vec!["a.org".into()]));
    let bare = case.builder().build().unwrap();
    assert_eq!(judged(&bare, &RunOptions::default()), (Vec::new(), None));
}

#[test]
fn a_project_takes_away_what_is_allowed_without_a_question() {
    let case = Case::new(json!({"file_write": ["./"], "file_read": ["./"]}));
    let engine = case.builder().allow_write(case.root()).allow_read(case.root()).build().unwrap();
    assert_eq!(granted(&engine, &RunOptions::default()), [true, true]);
    std::fs::create_dir(case.root().join("src")).unwrap();
    let project =
        case.config(ConfigScope::Project, json!({"default_permissions": {"file_write": [], "file_read": ["./src"]}}));
    let (config, _) = Config::load(&[project]);
    let engine = case.builder().config(config).allow_write(case.root()).allow_read(case.root()).build().unwrap();
    let grants = grants(&engine, &RunOptions::default());
    assert_eq!((grants.read, grants.write), (vec![case.root().join("src")], Vec::new()));
}

#[test]
fn a_configuration_denies_and_a_wider_request_with_it() {
    for asked in ["./secret", "./", "./secret/deep"] {
        let case = Case::new(json!({"file_read": [asked], "network_access": ["*.example.com"]}));
        std::fs::create_dir(case.root().join("secret")).unwrap();
        let project = case.config(
            ConfigScope::Project,
            json!({"denied_permissions": {"file_read": ["./secret"], "network_access": ["evil.example.com"]}}),
        );
        let (config, diagnostics) = Config::load(&[project]);
        assert_eq!(diagnostics, []);
        let engine = case.builder().config(config).allow_read("/").build().unwrap();
        let options = allowing(Permissions { network_access: Some(Allow::All(true)), ..Permissions::default() });
        let (evidence, refusal) = judged(&engine, &options);
        assert!(evidence.iter().all(|evidence| !evidence.granted), "{evidence:?}");
        assert!(refusal.unwrap().1.contains("the configuration denies evil.example.com"));
    }
}

#[test]
fn a_rule_is_named_for_everything() {
    let case = Case::new(json!({"file_read": ["./"], "network_access": ["a.org"], "environment": ["LD_PRELOAD"]}));
    let engine = case.builder().allow_read(case.root()).build().unwrap();
    let options = allowing(Permissions { network_access: Some(Allow::All(true)), ..Permissions::default() });
    let (evidence, _) = judged(&engine, &options);
    let found: Vec<_> = evidence.iter().map(|one| (json!(one.source), one.granted, one.rule.clone())).collect();
    assert_eq!(found[0], (json!("host"), true, format!("the host allows {}", case.root().display())));
    assert_eq!(found[1], (json!("flag"), true, "an option of this run allows a.org".into()));
    assert_eq!(found[2].0, json!("nothing"));
    assert!(found[2].2.contains("never given to a skill"), "{}", found[2].2);
}

#[test]
fn a_person_is_asked_what_exactly_and_why() {
    let case = Case::new(json!({"network_access": ["a.org", "b.org"]}));
    let approver = Scripted::new(&[Answer::Once, Answer::No]);
    let engine = case.builder().approver(approver.clone()).build().unwrap();
    assert_eq!(engine.run("asks", json!({})).unwrap(), 1);
    let error = engine.run("asks", json!({})).unwrap_err();
    assert!(error.message().contains("a person said no"), "{error}");
    let asked = approver.asked.lock().unwrap();
    assert_eq!(
        (asked[0].operation, asked[0].names.clone()),
        (Operation::Network, vec!["a.org".into(), "b.org".into()])
    );
    assert_eq!((asked[0].skill.as_str(), asked[0].why.as_str()), ("user:asks", "no rule allows it"));
    assert!(asked[0].runs.starts_with("rhai: "), "{}", asked[0].runs);
    assert_eq!(asked[0].capabilities, ["network a.org b.org"]);
}

#[test]
fn an_answer_holds_as_far_as_it_was_given() {
    let call = |engine: &Engine, n: u32| engine.run("asks", json!({"n": n})).map_err(|error| error.kind());
    let no = Err(ErrorKind::PermissionDenied);
    let yes = Ok(json!(1));
    for (scope, same, other, changed) in [
        (DecisionScope::Call, &yes, &no, &no),
        (DecisionScope::Skill, &yes, &yes, &no),
        (DecisionScope::Folder, &yes, &yes, &no),
    ] {
        let case = Case::new(json!({"network_access": ["a.org"]}));
        let decisions = Arc::new(MemoryDecisions::default());
        let engine = || case.builder().decisions(decisions.clone());
        let approver = Scripted::new(&[Answer::Always(scope)]);
        assert_eq!(call(&engine().approver(approver).build().unwrap(), 1), yes);
        assert_eq!(call(&engine().build().unwrap(), 1), *same, "{scope:?}");
        assert_eq!(call(&engine().build().unwrap(), 2), *other, "{scope:?}");
        std::fs::write(case.root().join("skills/asks/new.py"), "").unwrap();
        assert_eq!(call(&engine().build().unwrap(), 1), *changed, "{scope:?}");
    }
}

#[test]
fn never_holds_whatever_the_skill_becomes_and_whoever_allows_it() {
    let case = Case::new(json!({"network_access": ["a.org"]}));
    let decisions = Arc::new(MemoryDecisions::default());
    let approver = Scripted::new(&[Answer::Never(DecisionScope::Skill)]);
    let engine = case.builder().decisions(decisions.clone()).approver(approver.clone()).build().unwrap();
    assert_eq!(engine.run("asks", json!({})).unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(engine.run("asks", json!({})).unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(approver.count(), 1, "who said never is not asked again");
    std::fs::write(case.root().join("skills/asks/new.py"), "").unwrap();
    let allowed = Permissions { network_access: Some(Allow::All(true)), ..Permissions::default() };
    let engine = case.builder().decisions(decisions).allow(allowed).build().unwrap();
    let error = engine.run("asks", json!({})).unwrap_err();
    assert!(error.message().contains("a person refused the skill for good"), "{error}");
}

#[test]
fn a_variable_that_nobody_allows_is_not_granted() {
    let case = Case::new(json!({"environment": ["LANG"]}));
    let engine = case.builder().build().unwrap();
    assert_eq!(grants(&engine, &RunOptions::default()).environment, Vec::<String>::new());
    let one = || Permissions { environment: Some(vec!["LANG".into()]), ..Permissions::default() };
    assert_eq!(grants(&engine, &allowing(one())).environment, ["LANG"]);
    let engine = case.builder().deny(one()).build().unwrap();
    assert_eq!(grants(&engine, &allowing(one())).environment, Vec::<String>::new());
}

#[test]
fn a_private_temporary_folder_is_no_question() {
    let case = Case::new(json!({"file_write": ["/tmp"], "file_read": ["/tmp"]}));
    let engine = case.builder().build().unwrap();
    assert_eq!(engine.run("asks", json!({})).unwrap(), 1);
}

#[test]
fn the_command_names_the_option_and_takes_it() {
    let sandbox = Sandbox::new();
    skill(&sandbox.path().join(".skills"), "fetch", "1", json!({"network_access": ["api.example.com"]}));
    sandbox.run(&["trust", "grant", "fetch", "--yes"]).exits(0);
    let ran = sandbox.run(&["run", "fetch"]).exits(6);
    assert!(ran.stderr.contains("asks to use the network: api.example.com, which nobody has allowed"), "{ran:?}");
    assert!(ran.stderr.contains("--allow-net api.example.com"), "{ran:?}");
    assert_eq!(sandbox.run(&["run", "fetch", "--allow-net", "*.example.com"]).exits(0).stdout, "1\n");
    assert_eq!(sandbox.run(&["run", "fetch", "--yes"]).exits(0).stdout, "1\n");
    assert_eq!(sandbox.run(&["run", "fetch", "-y"]).exits(0).stdout, "1\n");
    let ran = sandbox.run(&["run", "fetch", "--allow-net", "https://x"]).exits(2);
    assert!(ran.stderr.contains("it is a URL"), "{ran:?}");
    assert_eq!(sandbox.run(&["run", "fetch", "--json"]).exits(6).json()["error"]["kind"], "permission_denied");
}

#[test]
fn for_typed_code_the_options_are_the_request() {
    let sandbox = Sandbox::new();
    sandbox.write("data.txt", "hello");
    let code = "skill.fs.read(\"data.txt\")";
    sandbox.run(&["run", "-e", code]).exits(6);
    assert_eq!(sandbox.run(&["run", "-e", code, "--allow-read", "."]).exits(0).stdout, "hello\n");
    sandbox.run(&["run", "-e", "skill.fs.write(\"out.txt\", \"x\")", "--allow-read", "."]).exits(6);
    sandbox.run(&["run", "-e", "skill.fs.write(\"out.txt\", \"x\")", "--allow-write", "."]).exits(0);
    assert_eq!(std::fs::read_to_string(sandbox.path().join("out.txt")).unwrap(), "x");
}

#[test]
fn policy_check_prints_the_decision_and_its_rules() {
    let sandbox = Sandbox::new();
    skill(
        &sandbox.path().join(".skills"),
        "fetch",
        "1",
        json!({"network_access": ["api.example.com"], "file_read": ["./"]}),
    );
    sandbox.run(&["trust", "grant", ".skills", "-y"]).exits(0);
    let object = sandbox.run(&["policy", "check", "fetch", "--json"]).exits(6).json();
    assert_eq!((&object["allowed"], &object["trust"]["trusted"]), (&json!(false), &json!(true)), "{object}");
    assert_eq!(object["error"]["kind"], "permission_denied");
    assert_eq!(object["evidence"][0]["request"], json!({"capability": "file_read", "path": "./"}));
    assert_eq!(object["evidence"][0]["granted"], true);
    assert_eq!(object["evidence"][1]["source"], "nothing");
    let ran = sandbox.run(&["policy", "check", "fetch", "--allow-net", "api.example.com"]).exits(0);
    assert!(ran.stdout.contains("decision     allowed"), "{ran:?}");
    assert!(ran.stdout.contains("granted: an option of this run allows api.example.com"), "{ran:?}");
    // A skill with required parameters can be asked about before there are any.
    sandbox.run(&["policy", "check", "calculator"]).exits(0);
    sandbox.run(&["policy", "check", "calculator", "--", "operation=add"]).exits(5);
    let plan = sandbox.run(&["run", "fetch", "--dry-run", "--json"]).exits(6).json();
    assert_eq!(plan["allowed"], false);
}

#[test]
fn the_users_configuration_says_which_folders_and_a_project_only_which_not() {
    let sandbox = Sandbox::new();
    sandbox.write("docs/a.txt", "a");
    sandbox.write("b.txt", "b");
    skill(&sandbox.path().join(".skills"), "reader", "skill.fs.read(params.path)", json!({"file_read": ["./"]}));
    sandbox.run(&["trust", "grant", ".skills", "-y"]).exits(0);
    assert_eq!(sandbox.run(&["run", "reader", "path=b.txt"]).exits(0).stdout, "b\n");
    sandbox.write(".skills/config.json", r#"{"security": {"default_permissions": {"file_read": ["./docs"]}}}"#);
    sandbox.run(&["run", "reader", "path=b.txt"]).exits(6);
    assert_eq!(sandbox.run(&["run", "reader", "path=docs/a.txt"]).exits(0).stdout, "a\n");
}

#[test]
fn an_answer_about_a_relative_path_is_about_where_it_led() {
    let project = tempfile::tempdir().unwrap();
    skill(&project.path().join("skills"), "writes", "1", json!({"file_write": ["./"]}));
    let decisions = Arc::new(MemoryDecisions::default());
    let run = |folder: &Path, answers: &[Answer]| {
        let approver = Scripted::new(answers);
        let engine = Engine::builder()
            .layout(Layout::of_folder(project.path()))
            .trust(Trust::Everything)
            .working_directory(folder)
            .approver(approver.clone())
            .decisions(decisions.clone())
            .build()
            .unwrap();
        engine.run("writes", json!({})).unwrap();
        approver.count()
    };
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(run(here.path(), &[Answer::Always(DecisionScope::Skill)]), 1);
    assert_eq!(run(here.path(), &[]), 0, "decided");
    assert_eq!(run(there.path(), &[]), 1, "another folder is another question");
}

#[test]
fn a_program_does_not_see_a_folder_of_its_own_that_is_denied() {
    let sandbox = Sandbox::new();
    let definition = json!({
        "name": "peek", "description": "A test", "type": "code_inline", "language": "bash", "code": "echo $(<secret.txt)"
    });
    sandbox.write(".skills/peek.json", &definition.to_string());
    sandbox.write(".skills/secret.txt", "hidden");
    let object = sandbox.run(&["policy", "check", "peek", "--json"]).exits(0).json();
    assert_eq!(object["evidence"][0]["rule"], "a confined program sees its own folder", "{object}");
    let folder = sandbox.folder.path().join(".config/skills");
    std::fs::create_dir_all(&folder).unwrap();
    let denied = json!({"security": {"denied_permissions": {"file_read": [sandbox.path()]}}});
    std::fs::write(folder.join("config.json"), denied.to_string()).unwrap();
    let ran = sandbox.run(&["run", "peek"]).exits(6);
    assert!(ran.stderr.contains("sees its own folder"), "{ran:?}");
    assert!(!ran.stdout.contains("hidden"), "{ran:?}");
}

#[test]
fn what_destroys_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("wipe");
    std::fs::create_dir_all(&own).unwrap();
    let definition = json!({
        "name": "wipe", "description": "A test", "type": "code_inline", "command": "rm", "args": ["-rf", "{folder}"],
        "parameters": [{"name": "folder", "type": "string", "required": true}]
    });
    std::fs::write(own.join("wipe.json"), definition.to_string()).unwrap();
    let approver = Scripted::new(&[Answer::No, Answer::Once]);
    let engine = Engine::builder()
        .layout(Layout::of_folder(folder.path()))
        .trust(Trust::Everything)
        .approver(approver.clone())
        .build()
        .unwrap();
    let skill = engine.skill("wipe").unwrap();
    let options = RunOptions::default();
    let plan = engine.plan(&skill, json!({"folder": "x"}), &options).unwrap();
    let error = engine.authorize(plan.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("rm -r"), "{error}");
    let asked = approver.asked.lock().unwrap()[0].clone();
    assert_eq!((asked.operation, asked.names), (Operation::Destructive, vec!["rm -r".to_owned()]));
    assert_eq!(asked.runs, "rm -rf x");
    engine.authorize(plan).unwrap();
}

#[test]
fn a_denial_that_cannot_be_read_is_an_error_and_denies_everything() {
    let sandbox = Sandbox::new();
    let config = json!({"security": {"denied_permissions": {"network_access": ["exa mple.com/path"]}}});
    sandbox.write(".skills/config.json", &config.to_string());
    let ran = sandbox.run(&["run", "hash", "text=x"]).exits(5);
    assert!(ran.stderr.contains("`denied_permissions` cannot be read"), "{ran:?}");
}

//! What a decision does not reach: another skill, another folder, another operation, another moment; and what a permission does
//! not give beside what it names.

use crate::policy::{Scripted, skill};
use crate::support::Sandbox;
use serde_json::{Value, json};
use skills::{
    Allow, Answer, Approver, Cancel, DecisionScope, Engine, EngineBuilder, ErrorKind, Isolation, Layout,
    MemoryDecisions, Operation, Permissions, Question, Reply, RunOptions, Trust,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A skill of a project that writes, which only one that is trusted may.
fn project(sandbox: &Sandbox) {
    skill(&sandbox.path().join(".skills"), "deploy", "7", json!({"file_write": ["./"]}));
}

/// An engine that sees a project, as the command makes it.
fn engine(sandbox: &Sandbox, decisions: &Arc<MemoryDecisions>) -> EngineBuilder {
    Engine::builder()
        .layout(Layout { cwd: sandbox.path(), ..Layout::default() })
        .working_directory(sandbox.path())
        .allow_write(sandbox.path())
        .trust(Trust::Decided)
        .decisions(decisions.clone())
}

/// Skills in a folder that the host program names.
fn named(folder: &Path) -> EngineBuilder {
    Engine::builder().layout(Layout::of_folder(&folder.join("skills"))).working_directory(folder)
}

fn kind(engine: &Engine, name: &str) -> Result<Value, ErrorKind> {
    engine.run(name, json!({})).map_err(|error| error.kind())
}

/// Answers by what is asked.
struct Answers<F>(F);

impl<F: Fn(&Question) -> Option<Answer> + Send + Sync> Approver for Answers<F> {
    fn ask(&self, question: &Question) -> Option<Reply> {
        (self.0)(question).map(Reply::from)
    }
}

#[test]
fn a_decision_holds_for_no_other_place_though_all_is_the_same_there() {
    for scope in [DecisionScope::Skill, DecisionScope::Folder, DecisionScope::Call] {
        let (here, there) = (Sandbox::new(), Sandbox::new());
        project(&here);
        project(&there);
        let decisions = Arc::new(MemoryDecisions::default());
        let approver = Scripted::new(&[Answer::Always(scope)]);
        let asked = engine(&here, &decisions).approver(approver).build().unwrap();
        assert_eq!(kind(&asked, "deploy"), Ok(json!(7)));
        assert_eq!(kind(&engine(&here, &decisions).build().unwrap(), "deploy"), Ok(json!(7)), "{scope:?}");
        let elsewhere = engine(&there, &decisions).build().unwrap();
        assert_eq!(kind(&elsewhere, "deploy"), Err(ErrorKind::PermissionDenied), "{scope:?}");
    }
}

#[test]
fn a_decision_about_one_operation_is_none_about_another_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let asked = json!({"network_access": ["x.org"], "secrets": ["x.org"]});
    skill(&folder.path().join("skills"), "asks", "1", asked);
    let decisions = Arc::new(MemoryDecisions::default());
    let always_hosts = Answers(|question: &Question| match question.operation {
        Operation::Network => Some(Answer::Always(DecisionScope::Skill)),
        _ => Some(Answer::Once),
    });
    let engine = || named(folder.path()).decisions(decisions.clone());
    assert_eq!(kind(&engine().approver(Arc::new(always_hosts)).build().unwrap(), "asks"), Ok(json!(1)));
    let error = engine().build().unwrap().run("asks", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("secret") && !error.message().contains("network"), "{error}");
}

#[test]
fn a_folder_that_changes_between_the_decision_and_the_run_runs_nothing() {
    let sandbox = Sandbox::new();
    project(&sandbox);
    let decisions = Arc::new(MemoryDecisions::default());
    for answers in [&[Answer::Always(DecisionScope::Folder)][..], &[]] {
        let engine = engine(&sandbox, &decisions).approver(Scripted::new(answers)).build().unwrap();
        let plan = engine.plan(&engine.skill("deploy").unwrap(), json!({}), &RunOptions::default()).unwrap();
        let allowed = engine.authorize(plan).unwrap();
        let late = sandbox.write(".skills/another/late.py", "hostile");
        let outcome = engine.execute(allowed);
        std::fs::remove_dir_all(late.parent().unwrap()).unwrap();
        if answers.is_empty() {
            let error = outcome.result.unwrap_err();
            assert!(error.message().contains("has changed since it was allowed to run"), "{error}");
        }
    }
}

#[test]
fn what_changes_while_somebody_is_asked_is_not_what_they_allowed() {
    let sandbox = Sandbox::new();
    project(&sandbox);
    let decisions = Arc::new(MemoryDecisions::default());
    let late: PathBuf = sandbox.path().join(".skills/deploy/late.py");
    let changes = Answers(move |_: &Question| {
        std::fs::write(&late, "hostile").unwrap();
        Some(Answer::Always(DecisionScope::Skill))
    });
    let engine = engine(&sandbox, &decisions).approver(Arc::new(changes)).build().unwrap();
    let error = engine.run("deploy", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("changed while somebody was asked about it"), "{error}");
    assert_eq!(engine.decisions().all().unwrap(), [], "nothing is kept of such an answer");
}

#[test]
fn what_was_loaded_is_decided_on_whatever_lies_there_by_now() {
    let sandbox = Sandbox::new();
    project(&sandbox);
    let decisions = Arc::new(MemoryDecisions::default());
    let good = engine(&sandbox, &decisions).build().unwrap();
    good.trust(&good.skill("deploy").unwrap(), None).unwrap();
    let file = sandbox.path().join(".skills/deploy/deploy.json");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"7\"", "\"8\"")).unwrap();
    let engine = engine(&sandbox, &decisions).build().unwrap();
    let loaded = engine.skill("deploy").unwrap();
    std::fs::write(&file, text).unwrap();
    assert_eq!(kind(&good, "deploy"), Ok(json!(7)));
    let outcome = engine.run_skill(&loaded, json!({}), &RunOptions::default());
    assert_eq!(outcome.result.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn a_file_that_bash_reads_is_part_of_what_was_trusted() {
    let sandbox = Sandbox::new();
    let definition = json!({
        "name": "reads", "description": "A test", "type": "code_inline", "language": "bash", "code": ". ./lib"
    });
    sandbox.write(".skills/all.json", &definition.to_string());
    sandbox.write(".skills/lib", "echo 1");
    let trusted = || sandbox.run(&["policy", "check", "reads", "--json"]).exits(0).json()["trust"]["trusted"] == true;
    sandbox.run(&["trust", "grant", "reads", "-y"]).exits(0);
    assert!(trusted());
    sandbox.write(".skills/lib", "echo 2");
    assert!(!trusted());
}

#[test]
fn a_run_that_is_stopped_while_somebody_is_asked_says_so() {
    let sandbox = Sandbox::new();
    project(&sandbox);
    let cancel = Cancel::new();
    let stops = {
        let cancel = cancel.clone();
        Answers(move |_: &Question| {
            cancel.cancel();
            None
        })
    };
    let engine = engine(&sandbox, &Arc::default()).approver(Arc::new(stops)).build().unwrap();
    let mut options = RunOptions::default();
    options.cancel = Some(cancel);
    let error = engine.run_with("deploy", json!({}), &options).result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.message().contains("stopped before anybody said"), "{error}");
}

/// Whoever leaves open whether a skill is trusted is not asked what it may have, as if it were.
#[test]
fn nobody_is_asked_what_a_skill_may_have_that_is_not_trusted() {
    let sandbox = Sandbox::new();
    project(&sandbox);
    let generous = Answers(|question: &Question| (question.operation != Operation::Run).then_some(Answer::Once));
    let engine = Engine::builder()
        .layout(Layout { cwd: sandbox.path(), ..Layout::default() })
        .working_directory(sandbox.path())
        .trust(Trust::Decided)
        .approver(Arc::new(generous))
        .build()
        .unwrap();
    let error = engine.run("deploy", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("is not trusted"), "{error}");
}

#[test]
fn what_destroys_is_asked_about_again_where_the_skill_is_not_trusted() {
    let sandbox = Sandbox::new();
    let definition = json!({
        "name": "wipe", "description": "A test", "type": "code_inline", "command": "rm", "args": ["-rf", "x"]
    });
    sandbox.write(".skills/wipe/wipe.json", &definition.to_string());
    let decisions = Arc::new(MemoryDecisions::default());
    let allowed = |answers: &[Answer]| {
        let engine = engine(&sandbox, &decisions).approver(Scripted::new(answers)).build().unwrap();
        let plan = engine.plan(&engine.skill("wipe").unwrap(), json!({}), &RunOptions::default()).unwrap();
        engine.authorize(plan).err().map(|error| error.message().to_owned())
    };
    assert_eq!(allowed(&[Answer::Once, Answer::Always(DecisionScope::Skill)]), None);
    assert_eq!(allowed(&[Answer::Once]), None, "what destroys was decided on");
    assert!(allowed(&[]).unwrap().contains("cannot be undone"), "it was decided on as what a trusted skill does");
}

#[test]
fn what_may_not_be_read_may_not_be_written() {
    let folder = tempfile::tempdir().unwrap();
    skill(&folder.path().join("skills"), "asks", "1", json!({"file_write": ["./secret"]}));
    std::fs::create_dir(folder.path().join("secret")).unwrap();
    let denied = Permissions { file_read: Some(vec!["./secret".into()]), ..Permissions::default() };
    let engine = named(folder.path()).allow_write("/").deny(denied).build().unwrap();
    let error = engine.run("asks", json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().contains("denies"), "{error}");
}

#[test]
fn every_variable_and_secret_is_named_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let all = || Some(vec!["*".to_owned()]);
    skill(&folder.path().join("skills"), "asks", "1", json!({"environment": ["*"], "secrets": ["*"]}));
    let everything = Permissions { environment: all(), secrets: all(), ..Permissions::default() };
    let engine = named(folder.path()).allow(everything.clone()).build().unwrap();
    let mut options = RunOptions::default();
    options.allow = everything;
    let judgement = engine.judge_skill(&engine.skill("asks").unwrap(), &options).unwrap();
    assert_eq!(judgement.evidence().len(), 2);
    for evidence in judgement.evidence() {
        assert!(!evidence.granted && evidence.rule.contains("`*` is no name"), "{evidence:?}");
    }
}

#[test]
fn a_private_temporary_folder_is_given_by_confinement_only() {
    let folder = tempfile::tempdir().unwrap();
    skill(&folder.path().join("skills"), "asks", "1", json!({"file_write": ["/tmp"]}));
    let engine = named(folder.path()).build().unwrap();
    let judgement = engine.judge_skill(&engine.skill("asks").unwrap(), &RunOptions::default()).unwrap();
    assert_eq!(judgement.plan().isolation(), Isolation::InProcess);
    assert!(judgement.evidence().iter().all(|evidence| !evidence.granted), "{:?}", judgement.evidence());
}

#[test]
fn what_a_person_allows_for_a_run_is_no_request_of_what_it_calls() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.txt"), "hello").unwrap();
    let skills = folder.path().join("skills");
    skill(&skills, "reads", "skill.fs.read(\"data.txt\")", Value::Null);
    skill(&skills, "calls", "skill.call(\"reads\", #{})", Value::Null);
    let engine = named(folder.path()).build().unwrap();
    let mut options = RunOptions::default();
    options.allow = Permissions { file_read: Some(vec!["./".into()]), ..Permissions::default() };
    let run = |name| engine.run_with(name, json!({}), &options).result.map_err(|error| error.kind());
    assert_eq!(run("reads"), Ok(json!("hello")));
    assert_eq!(run("calls"), Err(ErrorKind::PermissionDenied));
}

#[test]
fn a_confined_script_does_not_read_a_folder_of_its_own_that_is_denied() {
    let sandbox = Sandbox::new();
    skill(&sandbox.path().join(".skills"), "own", "1", Value::Null);
    let own = "a confined script may read its own folder, from which it imports";
    let rules = || {
        let object = sandbox.run(&["policy", "check", "own", "--json"]).exits(0).json();
        let evidence = object["evidence"].as_array().unwrap().clone();
        evidence.iter().any(|evidence| evidence["rule"] == own)
    };
    if !crate::support::tiers().contains(&Isolation::Worker) {
        return;
    }
    assert!(rules());
    let folder = sandbox.folder.path().join(".config/skills");
    std::fs::create_dir_all(&folder).unwrap();
    let denied = json!({"security": {"denied_permissions": {"file_read": [sandbox.path().join(".skills/own/deep")]}}});
    std::fs::write(folder.join("config.json"), denied.to_string()).unwrap();
    assert!(!rules());
}

#[test]
fn a_confined_script_reads_no_folder_of_its_own_beyond_the_hosts_ceiling() {
    if !crate::support::tiers().contains(&Isolation::Worker) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    skill(&folder.path().join("skills"), "own", "1", Value::Null);
    let read = |ceiling: Option<Permissions>| {
        let builder = named(folder.path()).worker(env!("CARGO_BIN_EXE_skills"));
        let engine =
            ceiling.map_or(named(folder.path()).worker(env!("CARGO_BIN_EXE_skills")), |c| builder.permissions(c));
        let engine = engine.build().unwrap();
        let mut options = RunOptions::default();
        options.isolation = Some(Isolation::Worker);
        let plan = engine.plan(&engine.skill("own").unwrap(), json!({}), &options).unwrap();
        engine.authorize(plan).unwrap().grants().read.clone()
    };
    assert_eq!(read(None), [folder.path().canonicalize().unwrap().join("skills/own")]);
    let nothing =
        Permissions { file_read: Some(Vec::new()), network_access: Some(Allow::All(false)), ..Permissions::default() };
    assert_eq!(read(Some(nothing)), Vec::<PathBuf>::new());
}

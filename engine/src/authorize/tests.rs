//! Tiers and what is left of grants, which need no file.

use super::attenuate;
use super::policy::RuleSource;
use super::tier::decide;
use super::trust::Standing;
use crate::plan::Step;
use crate::{Engine, Isolation, Plan, RunOptions};
use serde_json::json;
use skills_core::{Access, ErrorKind, Failure, Grants, Language};

fn standing(trusted: bool, typed: bool) -> Standing {
    Standing {
        trusted,
        typed,
        refused: false,
        changed: false,
        source: RuleSource::Nothing,
        rule: "a test".into(),
        file: "x.json".into(),
        pin: None,
    }
}

fn plan(language: Language, asked: Option<Isolation>) -> Plan {
    let engine = Engine::new().unwrap();
    let options = RunOptions { isolation: asked, ..RunOptions::default() };
    engine.plan(&engine.code(language, "1"), json!({}), &options).unwrap()
}

fn missing(_: Isolation, _: &Step) -> Result<(), Failure> {
    Err(Failure::new(ErrorKind::Unavailable, "user namespaces are forbidden"))
}

/// The tier, or the kind of the refusal.
fn tier(plan: &Plan, standing: &Standing, sandbox_off: bool, there: bool) -> Result<Isolation, ErrorKind> {
    let available = |_, _: &Step| if there { Ok(()) } else { missing(Isolation::Worker, &plan.step) };
    decide(plan, standing, sandbox_off, false, available).map(|tier| tier.isolation).map_err(|failure| failure.kind)
}

#[test]
fn what_is_trusted_runs_in_process_and_all_else_in_a_worker() {
    let plan = plan(Language::Python, None);
    assert_eq!(tier(&plan, &standing(true, false), false, true), Ok(Isolation::InProcess));
    assert_eq!(tier(&plan, &standing(false, false), false, true), Ok(Isolation::Worker));
    assert_eq!(tier(&plan, &standing(true, true), false, true), Ok(Isolation::Worker), "typed code");
    assert_eq!(tier(&plan, &standing(false, false), true, true), Ok(Isolation::InProcess), "the user turned it off");
}

#[test]
fn what_should_be_confined_does_not_run_where_it_cannot_be() {
    let python = plan(Language::Python, None);
    assert_eq!(tier(&python, &standing(false, false), false, false), Err(ErrorKind::Unavailable));
    assert_eq!(tier(&python, &standing(true, true), false, false), Err(ErrorKind::Unavailable), "typed code");
    let rhai = plan(Language::Rhai, None);
    assert_eq!(tier(&rhai, &standing(false, false), false, false), Ok(Isolation::InProcess));
}

#[test]
fn programs_do_not_run_in_containers() {
    let bash = plan(Language::Bash, Some(Isolation::Container));
    assert_eq!(tier(&bash, &standing(true, false), false, true), Err(ErrorKind::Unavailable));
    let python = plan(Language::Python, Some(Isolation::Container));
    assert_eq!(tier(&python, &standing(true, false), false, true), Ok(Isolation::Container));
}

#[test]
fn yes_to_all_and_calls_of_skills_that_are_not_trusted_make_nothing_free() {
    let python = plan(Language::Python, None);
    let yes = Standing { source: RuleSource::Flag, ..standing(true, false) };
    assert_eq!(tier(&python, &yes, false, true), Ok(Isolation::Worker));
    assert_eq!(tier(&python, &yes, false, false), Err(ErrorKind::Unavailable));
    let called = |asked, there: bool| {
        let available = |tier, step: &Step| if there { Ok(()) } else { missing(tier, step) };
        let decided = decide(&plan(Language::Python, asked), &standing(true, false), false, true, available);
        decided.map(|tier| tier.isolation).map_err(|failure| failure.kind)
    };
    assert_eq!(called(None, true), Ok(Isolation::Worker));
    assert_eq!(called(None, false), Err(ErrorKind::Unavailable));
    assert_eq!(called(Some(Isolation::InProcess), true), Err(ErrorKind::PermissionDenied));
}

#[test]
fn whoever_runs_it_may_ask_for_a_stricter_tier_and_only_for_their_own_for_a_weaker() {
    let worker = plan(Language::Rhai, Some(Isolation::Worker));
    assert_eq!(tier(&worker, &standing(true, false), false, true), Ok(Isolation::Worker));
    assert_eq!(tier(&worker, &standing(true, false), false, false), Err(ErrorKind::Unavailable));
    let weaker = plan(Language::Rhai, Some(Isolation::InProcess));
    assert_eq!(tier(&weaker, &standing(true, true), false, true), Ok(Isolation::InProcess));
    assert_eq!(tier(&weaker, &standing(false, false), false, true), Err(ErrorKind::PermissionDenied));
}

#[test]
fn what_has_to_be_confined_does_not_run_where_that_is_not_possible() {
    for asked in [None, Some(Isolation::Container)] {
        let plan = plan(Language::Python, asked);
        assert_eq!(tier(&plan, &standing(false, false), false, false), Err(ErrorKind::Unavailable));
        assert_eq!(tier(&plan, &standing(true, true), false, false), Err(ErrorKind::Unavailable), "typed code");
    }
    let rhai = plan(Language::Rhai, None);
    assert_eq!(tier(&rhai, &standing(false, false), false, false), Ok(Isolation::InProcess));
    let asked = plan(Language::Python, Some(Isolation::Container));
    assert_eq!(tier(&asked, &standing(false, false), false, true), Ok(Isolation::Container));
}

#[test]
fn a_skill_may_ask_to_be_confined() {
    let mut plan = plan(Language::JavaScript, None);
    let mut skill = (*plan.skill).clone();
    skill.permissions.sandbox = Some(true);
    plan.skill = std::sync::Arc::new(skill);
    assert_eq!(tier(&plan, &standing(true, false), false, true), Ok(Isolation::Worker));
    let there = decide(&plan, &standing(true, false), false, false, missing).unwrap();
    assert_eq!(there.isolation, Isolation::InProcess, "it is trusted");
    assert!(there.warning.unwrap().contains("user namespaces are forbidden"));
}

#[test]
fn a_caller_that_is_not_trusted_bounds_what_it_calls() {
    let mut grants = Grants {
        read: vec!["/work".into(), "/srv/a".into()],
        write: vec!["/work/out".into()],
        network: Access::Everything,
        programs: Access::Only(vec!["git".into(), "ls".into()]),
        environment: vec!["LANG".into(), "TERM".into()],
        secrets: vec!["TOKEN".into()],
        call_skills: true,
        ..Grants::default()
    };
    let outer = Grants {
        read: vec!["/work/src".into(), "/srv".into()],
        network: Access::Only(vec!["a.org".into()]),
        programs: Access::Only(vec!["git".into()]),
        environment: vec!["LANG".into()],
        call_skills: true,
        ..Grants::default()
    };
    attenuate::to(&mut grants, &outer);
    let expected = Grants {
        read: vec!["/work/src".into(), "/srv/a".into()],
        network: Access::Only(vec!["a.org".into()]),
        programs: Access::Only(vec!["git".into()]),
        environment: vec!["LANG".into()],
        call_skills: true,
        ..Grants::default()
    };
    assert_eq!(grants, expected);
}

//! Definitions that mean harm: each is refused with its diagnostics, or does no more than it says.

use super::case::{self, Expect};
use super::runner::{meets, shown};
use super::world::World;
use crate::support::{folders, read_json};
use serde_json::{Value, json};
use skills::{Engine, ErrorKind, Isolation, Layout, Outcome, RunOptions};
use std::path::Path;
use std::time::Duration;

/// What is wrong with a case, if anything.
fn check(world: &World, folder: &Path) -> Vec<String> {
    let case = read_json(&folder.join("case.json"));
    if case["about"].as_str().is_none_or(|about| about.len() < 10) {
        return vec!["`about` is missing".to_owned()];
    }
    world.restore();
    let place = world.skills().join(folder.file_name().unwrap());
    copy(world, folder, &place);
    for (name, target) in case["links"].as_object().into_iter().flatten() {
        std::os::unix::fs::symlink(world.fill(target.as_str().unwrap()), place.join(name)).unwrap();
    }
    let before = world.snapshot();
    let (outcome, codes) = run(world, &case, &place);
    let mut wrong = Vec::new();
    for code in case["codes"].as_array().into_iter().flatten() {
        if !codes.iter().any(|found| Some(found.as_str()) == code.as_str()) {
            wrong.push(format!("expected the code {code}, got {codes:?}"));
        }
    }
    let ends: Vec<Expect> =
        case["ends"].as_str().map(|text| case::ends(&world.fill(text)).unwrap()).unwrap_or_default();
    let text = shown(&outcome);
    let missing = outcome.result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unavailable);
    if case["tier"] == "worker" && missing {
        eprintln!("skipped: {}: {text}", folder.display());
    } else if !ends.iter().any(|expected| meets(expected, &outcome)) {
        wrong.push(format!("expected {ends:?}, got {text}"));
    }
    if world.betrays(&format!("{text} {}", outcome.to_json())) {
        wrong.push(format!("the secret came out: {text}"));
    }
    wrong.extend(world.disturbed(&before, false));
    wrong
}

/// Loads the definition and runs it; also the codes of all that is said of it.
fn run(world: &World, case: &Value, place: &Path) -> (Outcome, Vec<String>) {
    let engine = Engine::builder().working_directory(place).layout(Layout::of_folder(place)).build().unwrap();
    let file = place.join(case["file"].as_str().unwrap_or("definition.json"));
    let name = case["find"].as_str().map_or_else(|| file.to_string_lossy().into_owned(), str::to_owned);
    let mut options = RunOptions::default();
    options.limits.time = Some(Duration::from_secs(5));
    options.limits.result = Some(1 << 20);
    if case["tier"] == "worker" {
        options.isolation = Some(Isolation::Worker);
    }
    let said = engine.catalog().check(&name).unwrap_or_default();
    let codes = said.iter().map(|diagnostic| diagnostic.code.to_owned()).collect();
    let params = case
        .get("params")
        .map_or(json!({}), |params| serde_json::from_str(&repeated(&world.fill(&params.to_string()))).unwrap());
    (engine.run_with(&name, params, &options), codes)
}

fn copy(world: &World, from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(world, &path, &target);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(target, repeated(&world.fill(&text))).unwrap();
        }
    }
}

/// `$(3*ab)` is `ababab`: bombs are small in the repository.
fn repeated(text: &str) -> String {
    let bombs = regex::Regex::new(r"\$\((\d+)\*([^)]+)\)").unwrap();
    bombs.replace_all(text, |found: &regex::Captures<'_>| found[2].repeat(found[1].parse().unwrap())).into_owned()
}

#[test]
fn definitions() {
    let world = World::new(false);
    let mut failures = Vec::new();
    let all = folders(&super::cases().join("definitions"));
    for folder in &all {
        let name = folder.file_name().unwrap().to_string_lossy();
        eprintln!("{name}");
        failures.extend(check(&world, folder).into_iter().map(|why| format!("{name}: {why}")));
    }
    assert!(failures.is_empty(), "{} failures in {} cases:\n{}", failures.len(), all.len(), failures.join("\n"));
}

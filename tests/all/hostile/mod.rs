//! Code that means harm, one file a case under `tests/hostile`: it costs its caller one typed error, and nothing else.
#![allow(
    clippy::print_stderr,
    reason = "the last line tells which case took the test along; the first, why one is skipped"
)]

mod case;
mod definitions;
mod neighbour;
mod processes;
mod runner;
mod world;

use crate::support::{folders, root};
use case::{Case, Said, Tier};
use runner::Runner;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folder of the cases.
fn cases() -> PathBuf {
    root().join("tests/hostile")
}

/// The cases of a folder, sorted; and what is wrong with the data of any.
fn read(folder: &Path) -> (Vec<Case>, Vec<String>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut cases, mut failures) = (Vec::new(), Vec::new());
    for path in paths {
        match Case::read(&path) {
            Ok(case) => cases.push(case),
            Err(why) => failures.push(format!("{}: {why}", path.display())),
        }
    }
    (cases, failures)
}

/// Runs the cases of a language in a tier. `SKILLS_HOSTILE=part` runs those whose name has this in it.
fn run(language: &str, tier: Tier) {
    let (cases, mut failures) = read(&cases().join(language));
    let only = std::env::var("SKILLS_HOSTILE").unwrap_or_default();
    let runner = match Runner::new(tier, language) {
        Ok(runner) => runner,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let mut count = 0;
    for case in cases.iter().filter(|case| case.name().contains(&only)) {
        let Said::Ends(expected) = &case.tiers[&tier] else { continue };
        // The last line tells which case it was that took this process along.
        eprintln!("{}", case.name());
        count += 1;
        failures.extend(runner.run(case, expected).into_iter().map(|why| format!("{}: {why}", case.name())));
    }
    assert!(failures.is_empty(), "{} failures in {count} cases:\n{}", failures.len(), failures.join("\n"));
    assert!(count > 0 || !only.is_empty(), "no case of {language} runs in this tier");
}

#[test]
fn python_in_process() {
    run("python", Tier::InProcess);
}

#[test]
fn javascript_in_process() {
    run("javascript", Tier::InProcess);
}

#[test]
fn typescript_in_process() {
    run("typescript", Tier::InProcess);
}

#[test]
fn rhai_in_process() {
    run("rhai", Tier::InProcess);
}

#[test]
fn python_in_a_worker() {
    run("python", Tier::Worker);
}

#[test]
fn javascript_in_a_worker() {
    run("javascript", Tier::Worker);
}

#[test]
fn typescript_in_a_worker() {
    run("typescript", Tier::Worker);
}

#[test]
fn rhai_in_a_worker() {
    run("rhai", Tier::Worker);
}

#[test]
fn bash_in_a_worker() {
    run("bash", Tier::Worker);
}

/// Each case stands in the README's list of what is attempted, and the README names no case that is not there.
#[test]
fn the_list_of_attempts_is_whole() {
    let readme = std::fs::read_to_string(cases().join("README.md")).unwrap();
    let named: BTreeSet<String> =
        regex::Regex::new(r"`((?:python|javascript|typescript|rhai|bash|definitions)/[\w.-]+)`")
            .unwrap()
            .captures_iter(&readme)
            .map(|found| found[1].to_owned())
            .collect();
    let mut there = BTreeSet::new();
    let definitions = folders(&cases().join("definitions"));
    there.extend(definitions.iter().map(|folder| format!("definitions/{}", folder.file_name().unwrap().display())));
    for folder in folders(&cases()).iter().filter(|folder| !folder.ends_with("definitions")) {
        let (cases, failures) = read(folder);
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        there.extend(cases.iter().map(Case::name));
    }
    let missing: Vec<_> = there.symmetric_difference(&named).collect();
    assert!(missing.is_empty(), "in tests/hostile or in its README.md, but not in both: {missing:#?}");
}

//! The dependency edges that ARCHITECTURE.md draws.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::BTreeMap;

/// What each crate of the workspace may depend on, of the workspace. Dev-dependencies are free.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("skills-core", &[] as &[_]),
        ("skills-rhai", &["skills-core"]),
        ("skills-python", &["skills-core"]),
        ("skills-javascript", &["skills-core"]),
        ("skills-stdlib", &["skills-core"]),
        ("skills-executors", &["skills-core"]),
        ("skills-sandbox", &["skills-core"]),
        (
            "skills",
            &[
                "skills-core",
                "skills-rhai",
                "skills-python",
                "skills-javascript",
                "skills-stdlib",
                "skills-executors",
                "skills-sandbox",
            ],
        ),
        ("skills-cli", &["skills"]),
        ("skills-examples", &["skills"]),
        ("skills-benches", &["skills"]),
    ])
}

#[test]
fn the_workspace_has_only_the_edges_that_are_drawn() {
    let metadata = MetadataCommand::new().manifest_path(crate::support::root().join("Cargo.toml")).exec().unwrap();
    let allowed = allowed();
    let members = metadata.workspace_packages();
    let names: Vec<String> = members.iter().map(|package| package.name.to_string()).collect();
    for package in &members {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the drawing"));
        for dependency in &package.dependencies {
            if dependency.kind == DependencyKind::Development || !names.contains(&dependency.name) {
                continue;
            }
            assert!(may.contains(&dependency.name.as_str()), "{name} must not depend on {}", dependency.name);
        }
    }
    assert_eq!(members.len(), allowed.len(), "a crate of the drawing is gone");
}

#[test]
fn only_the_language_crates_know_their_interpreters() {
    let metadata = MetadataCommand::new().manifest_path(crate::support::root().join("Cargo.toml")).exec().unwrap();
    let owners = [("rhai", "skills-rhai"), ("pyo3", "skills-python"), ("deno_core", "skills-javascript")];
    for package in metadata.workspace_packages() {
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            if let Some((_, owner)) = owners.iter().find(|(interpreter, _)| *interpreter == dependency.name) {
                assert_eq!(package.name.as_str(), *owner, "only {owner} may depend on {}", dependency.name);
            }
        }
    }
}

#[test]
fn a_rhai_only_build_compiles_neither_python_nor_javascript() {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "skills",
            "--no-default-features",
            "--features",
            "rhai",
            "-e",
            "normal,build",
        ])
        .args(["--prefix", "none"])
        .current_dir(crate::support::root())
        .output()
        .unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(tree.contains("rhai v"), "{tree}");
    for unwanted in ["pyo3 v", "deno_core v", "oxc v", "v8x v"] {
        assert!(!tree.lines().any(|line| line.starts_with(unwanted)), "{unwanted} is in a Rhai-only build");
    }
}

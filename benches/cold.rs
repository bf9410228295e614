//! Cold start of the command, against `python3 -c pass`. Build the command first: `cargo build --release -p skills-cli`.
#![allow(clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn command() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let command = target.join("release/skills");
    assert!(command.is_file(), "{} is not there: run `cargo build --release -p skills-cli` first", command.display());
    command
}

/// The interpreter that is embedded, not a version manager's shim in front of it.
fn python() -> PathBuf {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().expect("python3");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status().expect("it starts");
    assert!(status.success());
}

fn cold(criterion: &mut Criterion) {
    let skills = command();
    let mut group = criterion.benchmark_group("cold");
    let python = python();
    group.bench_function("python3 -c pass", |bencher| bencher.iter(|| run(Command::new(&python).args(["-c", "pass"]))));
    let sum = ["operation=add", "operand1=5", "operand2=3"];
    for name in ["calculator-rhai", "calculator", "calculator-js"] {
        group.bench_function(format!("skills run {name}"), |bencher| {
            bencher.iter(|| run(Command::new(&skills).args(["run", name]).args(sum)));
        });
    }
    group.bench_function("skills list", |bencher| bencher.iter(|| run(Command::new(&skills).arg("list"))));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(40);
    targets = cold
}
criterion_main!(benches);

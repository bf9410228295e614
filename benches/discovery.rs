//! Finding and listing 1,000 definitions, with the metadata cache cold and warm.
#![allow(clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::json;
use skills::{Engine, Layout};
use std::path::Path;

fn definitions(folder: &Path) {
    for i in 0..1000 {
        let name = format!("skill-{i:04}");
        let dir = folder.join(&name);
        std::fs::create_dir_all(&dir).expect("a folder");
        let definition = json!({
            "name": name, "description": format!("Does the thing number {i}"), "version": "1.0.0",
            "aliases": [format!("s{i}")], "type": "code_inline",
            "executor": {"type": "inline", "language": "rhai", "code": "params.a + 1"},
            "parameters": [{"name": "a", "type": "integer", "required": true, "description": "A number"}]
        });
        std::fs::write(dir.join(format!("{name}.json")), definition.to_string()).expect("a file");
    }
}

fn discovery(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let skills = folder.path().join("skills");
    definitions(&skills);
    let cache = folder.path().join("cache/definitions");
    let list = |cached: bool| {
        let mut layout = Layout::of_folder(&skills);
        layout.cache_folder = cached.then(|| cache.clone());
        let engine = Engine::builder().layout(layout).build().expect("an engine");
        assert!(engine.catalog().entries().len() >= 1000);
    };
    let mut group = criterion.benchmark_group("discovery/1000");
    group.bench_function("no cache", |bencher| bencher.iter_batched(|| (), |()| list(false), BatchSize::PerIteration));
    list(true);
    group.bench_function("warm cache", |bencher| bencher.iter_batched(|| (), |()| list(true), BatchSize::PerIteration));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = discovery
}
criterion_main!(benches);

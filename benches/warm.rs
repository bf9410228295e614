//! What `engine.run` of a warm one-line skill adds to the bare interpreter's call of the same line.
#![allow(clippy::expect_used, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use skills::{Engine, Language, RunOptions};
use std::hint::black_box;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: skills::CountingAllocator = skills::CountingAllocator;

fn engine_run(criterion: &mut Criterion, language: Language, code: &str) {
    let engine = Engine::new().expect("an engine");
    let skill = engine.code(language, code);
    let options = RunOptions::default();
    criterion.bench_function(&format!("warm/{language}/engine"), |bencher| {
        bencher.iter(|| {
            let outcome = engine.run_skill(black_box(&skill), json!({"n": 20}), &options);
            outcome.result.expect("a value")
        });
    });
}

fn rhai(criterion: &mut Criterion) {
    let engine = rhai::Engine::new();
    let ast = engine.compile("n * 2 + 2").expect("it parses");
    criterion.bench_function("warm/rhai/bare", |bencher| {
        bencher.iter(|| {
            let mut scope = rhai::Scope::new();
            scope.push("n", 20_i64);
            engine.eval_ast_with_scope::<i64>(&mut scope, black_box(&ast)).expect("a value")
        });
    });
    engine_run(criterion, Language::Rhai, "params.n * 2 + 2");
}

fn python(criterion: &mut Criterion) {
    use pyo3::prelude::*;
    // The engine first: it sets its allocator before CPython starts.
    engine_run(criterion, Language::Python, "def run(n): return n * 2 + 2");
    let run: Py<PyAny> = Python::attach(|py| {
        let globals = pyo3::types::PyDict::new(py);
        py.run(c"def run(n): return n * 2 + 2", Some(&globals), None).expect("it runs");
        globals.get_item("run").expect("a dict").expect("run").unbind()
    });
    criterion.bench_function("warm/python/bare", |bencher| {
        bencher.iter(|| {
            Python::attach(|py| {
                let kwargs = pyo3::types::PyDict::new(py);
                kwargs.set_item("n", 20).expect("an item");
                run.call(py, (), Some(&kwargs)).expect("a value").extract::<i64>(py).expect("an integer")
            })
        });
    });
}

fn javascript(criterion: &mut Criterion) {
    engine_run(criterion, Language::JavaScript, "params.n * 2 + 2");
    let mut runtime = deno_core::JsRuntime::new(deno_core::RuntimeOptions::default());
    criterion.bench_function("warm/javascript/bare", |bencher| {
        bencher.iter(|| {
            runtime
                .execute_script("bare.js", black_box("(() => { const n = 20; return n * 2 + 2; })()"))
                .expect("a value")
        });
    });
}

/// By name, as a host calls it: with the look-up, the check of arguments and everything.
fn by_name(criterion: &mut Criterion) {
    let engine = Engine::new().expect("an engine");
    for name in ["calculator-rhai", "calculator", "calculator-js"] {
        let params = json!({"operation": "add", "operand1": 5, "operand2": 3});
        criterion.bench_function(&format!("warm/by-name/{name}"), |bencher| {
            bencher.iter(|| engine.run(name, params.clone()).expect("a value"));
        });
    }
    drop(Arc::new(engine));
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(60);
    targets = rhai, python, javascript, by_name
}
criterion_main!(benches);

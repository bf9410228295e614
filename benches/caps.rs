//! What armed limits (all but the operation cap) cost a compute-heavy script, against the bare interpreter.
#![allow(clippy::expect_used, missing_docs)]

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use serde_json::json;
use skills::{Engine, Language, RunOptions};

#[global_allocator]
static ALLOCATOR: skills::CountingAllocator = skills::CountingAllocator;

const RHAI: &str = "let n = 0; let list = []; \
    for i in 0..200000 { n = (n * 31 + i) % 1000003; if i % 50 == 0 { list.push(n); } } n + list.len()";

const PYTHON: &str = "
def work():
    n, items = 0, []
    for i in range(400000):
        n = (n * 31 + i) % 1000003
        if i % 50 == 0:
            items.append([n])
    return n + len(items)
";

const JAVASCRIPT: &str = "
function work() {
  let n = 0;
  const items = [];
  for (let i = 0; i < 400000; i++) {
    n = (n * 31 + i) % 1000003;
    if (i % 50 === 0) items.push([n]);
  }
  return n + items.length;
}
";

fn engine_run(group: &mut BenchmarkGroup<'_, WallTime>, language: Language, code: &str) {
    let engine = Engine::new().expect("an engine");
    let skill = engine.code(language, code);
    let options = RunOptions::default();
    group.bench_function("capped", |bencher| {
        bencher.iter(|| engine.run_skill(&skill, json!({}), &options).result.expect("a value"));
    });
}

fn rhai(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("caps/rhai");
    let engine = rhai::Engine::new();
    let ast = engine.compile(RHAI).expect("it parses");
    group.bench_function("bare", |bencher| bencher.iter(|| engine.eval_ast::<i64>(&ast).expect("a value")));
    engine_run(&mut group, Language::Rhai, RHAI);
}

fn python(criterion: &mut Criterion) {
    use pyo3::prelude::*;
    let mut group = criterion.benchmark_group("caps/python");
    engine_run(&mut group, Language::Python, &format!("{PYTHON}\nwork()"));
    let work: Py<PyAny> = Python::attach(|py| {
        let globals = pyo3::types::PyDict::new(py);
        let code = std::ffi::CString::new(PYTHON).expect("no NUL");
        py.run(&code, Some(&globals), None).expect("it runs");
        globals.get_item("work").expect("a dict").expect("work").unbind()
    });
    group.bench_function("bare", |bencher| {
        bencher.iter(|| Python::attach(|py| work.call0(py).expect("a value").extract::<i64>(py).expect("an integer")));
    });
}

fn javascript(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("caps/javascript");
    engine_run(&mut group, Language::JavaScript, &format!("{JAVASCRIPT}\nwork()"));
    let mut runtime = deno_core::JsRuntime::new(deno_core::RuntimeOptions::default());
    runtime.execute_script("bare.js", JAVASCRIPT).expect("it runs");
    group.bench_function("bare", |bencher| {
        bencher.iter(|| runtime.execute_script("call.js", "work()").expect("a value"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = rhai, python, javascript
}
criterion_main!(benches);

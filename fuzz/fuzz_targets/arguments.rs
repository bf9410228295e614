//! Arguments as JSON text and as words of a command line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use skills::ParameterSpec;
use skills::arguments::{check, from_text, from_words};
use std::sync::LazyLock;

static PARAMETERS: LazyLock<Vec<ParameterSpec>> = LazyLock::new(|| {
    let of = |name: &str, kind: &str, required: bool| ParameterSpec {
        name: name.to_owned(),
        description: None,
        schema: json!({"type": kind}),
        required,
        default: None,
    };
    let kinds = ["string", "integer", "number", "boolean", "array", "object"];
    kinds.iter().enumerate().map(|(i, kind)| of(kind, kind, i == 0)).collect()
});

fuzz_target!(|given: (&str, Vec<String>)| {
    let (text, words) = given;
    if let Ok(arguments) = from_text(text) {
        drop(check("fuzzed", &PARAMETERS, arguments));
    }
    if let Ok(arguments) = from_words(&PARAMETERS, &words) {
        drop(check("fuzzed", &PARAMETERS, arguments));
    }
});

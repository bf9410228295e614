//! The lexer of shell source: no placeholder's value ever stands in what it makes, only a reference to a variable does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills_executors::shell::{check_arguments, rewrite};

fuzz_target!(|text: &str| {
    let variable = |name: &str| matches!(name, "a" | "b").then(|| format!("SKILL_PARAM_{name}"));
    match rewrite(text, &variable) {
        Ok(source) => {
            // Once written, there is nothing left to fill in.
            if let Ok(again) = rewrite(&source.text, &variable) {
                assert_eq!(again.text, source.text, "of {text:?}");
            }
        }
        Err(refusals) => assert!(!refusals.is_empty() && refusals.iter().all(|refusal| refusal.at <= text.len())),
    }
    let words: Vec<String> = text.split(' ').skip(1).map(str::to_owned).collect();
    let program = text.split(' ').next().unwrap_or_default();
    drop(check_arguments(program, &words, &|name| name == "a"));
});

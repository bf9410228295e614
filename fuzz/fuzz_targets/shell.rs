//! The lexer of shell source: values become references to variables, nothing else changes but quotes, and no value stands in what it makes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills_core::template::{Piece, pieces};
use skills_executors::shell::{check_arguments, rewrite};

const NAMES: [&str; 2] = ["a", "b"];

fuzz_target!(|text: &str| {
    let variable = |name: &str| NAMES.contains(&name).then(|| format!("SKILL_PARAM_{name}"));
    match rewrite(text, &variable) {
        Ok(source) if !text.contains("SKILL_PARAM") => {
            let wanted: String = pieces(text, |name| NAMES.contains(&name))
                .map(|piece| match piece {
                    Piece::Text(text) => text.to_owned(),
                    Piece::Value(name) => format!("${{SKILL_PARAM_{name}}}"),
                })
                .collect();
            assert_eq!(source.text.replace(['\'', '"'], ""), wanted.replace(['\'', '"'], ""), "of {text:?}");
        }
        Ok(_) => {}
        Err(refusals) => assert!(!refusals.is_empty() && refusals.iter().all(|refusal| refusal.at <= text.len())),
    }
    if let Ok(source) = rewrite(text, &|_| None) {
        assert_eq!(source.text, text);
    }
    let words: Vec<String> = text.split(' ').skip(1).map(str::to_owned).collect();
    let program = text.split(' ').next().unwrap_or_default();
    drop(check_arguments(program, &words, &|name| name == "a"));
});

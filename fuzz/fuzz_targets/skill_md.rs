//! `SKILL.md`: front matter in YAML, and instructions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills::definition::{LoadOptions, read, summarise, validate};
use skills::{Scope, SkillFiles};

fuzz_target!(|text: &str| {
    summarise("fuzzed/SKILL.md", text);
    if let Ok(raw) = read("fuzzed/SKILL.md", text, SkillFiles::empty(), Scope::Direct) {
        for diagnostic in validate(&raw, &LoadOptions::default()).diagnostics {
            diagnostic.render(false);
        }
    }
});

//! Namespaces as bytes, in the languages whose form is our own: what is restored can be listed, and saved again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills_core::{Interpreter, Language, Limits, ProbeHost, Snapshot};
use std::time::Duration;

fuzz_target!(|given: (bool, &[u8])| {
    let (rhai, bytes) = given;
    let interpreter: &dyn Interpreter =
        if rhai { &skills_rhai::Rhai::new() } else { &skills_javascript::JavaScript::new() };
    let (language, format) = if rhai { (Language::Rhai, "rhai-1") } else { (Language::JavaScript, "javascript-1") };
    let limits = Limits {
        operations: Some(100_000),
        time: Some(Duration::from_secs(1)),
        memory: Some(64 << 20),
        ..Limits::default()
    };
    let host = ProbeHost::with_limits(limits);
    let mut session = interpreter.open(&host).unwrap();
    let snapshot = Snapshot { language, format: format.to_owned(), bytes: bytes.to_vec(), lost: Vec::new() };
    if session.restore(&snapshot, &host).is_ok() {
        drop(session.variables(&host));
        drop(session.snapshot(&host));
    }
});

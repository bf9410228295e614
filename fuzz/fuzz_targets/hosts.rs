//! Rules for hosts: one covers itself, what two share is within both, and what matches the shared part matches both.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills_core::HostPattern;

fuzz_target!(|input: (&str, &str, &str, u16)| {
    let (one, other, host, port) = input;
    let (Ok(one), Ok(other)) = (HostPattern::parse(one), HostPattern::parse(other)) else { return };
    assert!(one.covers(&one) && other.covers(&other));
    if one.covers(&other) && other.matches(host, port) {
        assert!(one.matches(host, port), "{one:?} covers {other:?}, but not {host}:{port}");
    }
    if let Some(shared) = one.intersection(&other) {
        assert!(one.covers(&shared) && other.covers(&shared), "{shared:?} of {one:?} and {other:?}");
    }
});

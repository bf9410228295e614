//! Hosts and rules for them: each is read again as it is written; a rule covers itself, what two share is within both, and what
//! matches the shared part matches both.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills_core::{HostPattern, NetworkHost};

fuzz_target!(|input: (&str, &str, &str, u16)| {
    let (one, other, host, port) = input;
    let host = NetworkHost::parse(host);
    if let Some(host) = &host {
        assert_eq!(NetworkHost::parse(&host.to_string()).as_ref(), Some(host));
    }
    let (Ok(one), Ok(other)) = (HostPattern::parse(one), HostPattern::parse(other)) else { return };
    for pattern in [&one, &other] {
        assert_eq!(HostPattern::parse(&pattern.to_string()).as_ref(), Ok(pattern));
        assert!(pattern.covers(pattern));
    }
    if let Some(shared) = one.intersection(&other) {
        assert!(one.covers(&shared) && other.covers(&shared), "{shared:?} of {one:?} and {other:?}");
    }
    if let Some(host) = host
        && one.covers(&other)
        && other.matches(&host, port)
    {
        assert!(one.matches(&host, port), "{one:?} covers {other:?}, but not {host}:{port}");
    }
});

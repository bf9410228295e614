//! What comes over the socket of the session host, and outcomes as objects: one that is understood can be said again.
#![no_main]

#[allow(dead_code, reason = "nothing is sent here")]
#[path = "../../engine/cli/src/host/frame.rs"]
mod frame;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use skills::Outcome;

fuzz_target!(|bytes: &[u8]| {
    let mut from = bytes;
    while let Ok(Some(message)) = frame::receive::<Value>(&mut from, frame::MOST_GREETING) {
        let packed = frame::packed(&message).unwrap();
        assert_eq!(frame::receive::<Value>(&mut &*packed, frame::MOST).unwrap(), Some(message));
    }
    if let Ok(object) = serde_json::from_slice::<Value>(bytes)
        && let Ok(outcome) = Outcome::from_json(&object)
    {
        let told = outcome.to_json();
        assert_eq!(Outcome::from_json(&told).unwrap().to_json(), told);
    }
});

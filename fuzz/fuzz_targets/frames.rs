//! What a hostile worker sends to its host, in any pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills_sandbox::frame::{Assembler, FromWorker};

fuzz_target!(|bytes: &[u8]| {
    let Some((piece, mut rest)) = bytes.split_first() else { return };
    let mut assembler = Assembler::new();
    while !rest.is_empty() {
        let space = assembler.space();
        let count = (usize::from(*piece) + 1).min(space.len()).min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        assembler.filled(count);
        loop {
            match assembler.next(|kind| FromWorker::most(kind, 1 << 16)) {
                Ok(Some(frame)) => {
                    if let Ok(message) = FromWorker::decode(frame, 1 << 16) {
                        // What was understood can be said again, and means the same.
                        let again = message.encode().unwrap();
                        assert!(again.len() - 4 <= FromWorker::most(again[4], 1 << 16));
                        assert_eq!(FromWorker::decode(&again[4..], 1 << 16).unwrap(), message);
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});

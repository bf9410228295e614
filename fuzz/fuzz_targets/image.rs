//! Exported sessions, of one language and of several: what is read of a file can be written, and is the same then.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills::{PolyglotImage, SessionImage};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = SessionImage::from_bytes(bytes) {
        assert_eq!(SessionImage::from_bytes(&image.to_bytes()).unwrap(), image);
    }
    if let Ok(image) = PolyglotImage::from_bytes(bytes) {
        let again = PolyglotImage::from_bytes(&image.for_file().unwrap()).unwrap();
        assert_eq!((again.name(), again.languages()), (image.name(), image.languages()));
    }
});

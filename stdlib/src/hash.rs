//! `hash`: digests and checksums.

use crate::arguments::Data;
use crate::define::{Definition, a, data, define};
use sha2::Digest;
use skills_core::HostFunction;
use std::sync::Arc;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    let digest = |name: &str, description: &str| -> Definition {
        define(name, description)
            .takes(data("data").about("text, which stands for its UTF-8, or bytes"))
            .returns(a("string"))
    };
    vec![
        digest("hash.sha256", "The SHA-256 digest, as 64 hexadecimal digits")
            .runs(|_, (data,): (Data,)| Ok(hex(&sha2::Sha256::digest(data.0)))),
        digest("hash.sha512", "The SHA-512 digest, as 128 hexadecimal digits")
            .runs(|_, (data,): (Data,)| Ok(hex(&sha2::Sha512::digest(data.0)))),
        digest("hash.sha1", "The SHA-1 digest, as 40 hexadecimal digits; not for security")
            .runs(|_, (data,): (Data,)| Ok(hex(&sha1::Sha1::digest(data.0)))),
        digest("hash.md5", "The MD5 digest, as 32 hexadecimal digits; not for security")
            .runs(|_, (data,): (Data,)| Ok(hex(&md5::Md5::digest(data.0)))),
        digest("hash.crc32", "The CRC-32 checksum (IEEE), as 8 hexadecimal digits; not for security")
            .runs(|_, (data,): (Data,)| Ok(hex(&crc32fast::hash(&data.0).to_be_bytes()))),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::json;

    #[test]
    fn digests_are_those_of_the_standards() {
        let test = TestContext::new();
        for (name, digest) in [
            ("hash.sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("hash.sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("hash.md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("hash.crc32", "352441c2"),
        ] {
            assert_eq!(test.ok(name, [json!("abc")]), json!(digest));
            assert_eq!(test.ok(name, [json!({"$type": "bytes", "base64": "YWJj"})]), json!(digest));
        }
        let sha512 = test.ok("hash.sha512", [json!("abc")]);
        assert!(sha512.as_str().unwrap().starts_with("ddaf35a193617abacc417349ae204131"));
        assert_eq!(test.ok("hash.crc32", [json!("")]), json!("00000000"));
    }

    #[test]
    fn what_is_neither_text_nor_bytes_is_refused() {
        let message = TestContext::new().invalid("hash.md5", [json!(5)]);
        assert!(message.starts_with("skill.hash.md5 `data` must be a string, or bytes"), "{message}");
    }
}

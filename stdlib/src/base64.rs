//! `base64`: bytes as text.

use crate::arguments::Data;
use crate::define::{a, bytes, data, define, flag, invalid, string};
use ::base64::Engine as _;
use ::base64::alphabet::{STANDARD, URL_SAFE};
use ::base64::engine::DecodePaddingMode;
use ::base64::engine::general_purpose::{self, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use skills_core::{HostFunction, value::describe_bytes};
use std::sync::Arc;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const READ_STANDARD: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const READ_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("base64.encode", "Text or bytes as base64")
            .takes(data("data").about("text, which stands for its UTF-8, or bytes"))
            .takes(flag("url").about("use `-` and `_` and no padding, for URLs and file names"))
            .returns(a("string"))
            .runs(|_, (data, url): (Data, Option<bool>)| {
                let engine =
                    if url == Some(true) { general_purpose::URL_SAFE_NO_PAD } else { general_purpose::STANDARD };
                Ok(engine.encode(data.0))
            }),
        define("base64.decode", "What base64 of either alphabet stands for: a string where that is UTF-8, else bytes")
            .takes(string("text").about("with or without padding; white space is ignored"))
            .returns(json!({"anyOf": [a("string"), bytes()]}))
            .runs(|_, (mut text,): (String,)| {
                text.retain(|c| !c.is_ascii_whitespace());
                let engine = if text.contains(['-', '_']) { READ_URL } else { READ_STANDARD };
                let bytes = engine.decode(&text).map_err(|e| invalid(format!("the text is not base64: {e}")))?;
                Ok(String::from_utf8(bytes).map_or_else(|e| describe_bytes(e.as_bytes()), Value::String))
            }),
    ]
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::json;
    use skills_core::value::describe_bytes;

    #[test]
    fn text_and_bytes_come_back() {
        let test = TestContext::new();
        assert_eq!(test.ok("base64.encode", [json!("é?>")]), json!("w6k/Pg=="));
        assert_eq!(test.ok("base64.encode", [json!("é?>"), json!(true)]), json!("w6k_Pg"));
        for encoded in ["w6k/Pg==", "w6k/Pg", "w6k_Pg", " w6k/\n Pg== "] {
            assert_eq!(test.ok("base64.decode", [json!(encoded)]), json!("é?>"));
        }
        let bytes = describe_bytes(&[0xff, 0, 1]);
        let encoded = test.ok("base64.encode", [bytes.clone()]);
        assert_eq!(test.ok("base64.decode", [encoded]), bytes);
    }

    #[test]
    fn other_text_is_refused() {
        let message = TestContext::new().invalid("base64.decode", [json!("not base64!")]);
        assert!(message.starts_with("the text is not base64: "), "{message}");
    }
}

//! The forms in which the value of a secret is met.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use std::collections::BTreeSet;

/// The shortest text that is taken for a secret: shorter ones are met everywhere by chance.
pub(super) const SHORTEST: usize = 4;

/// The shortest part of an encoded value that tells it from others.
const SHORTEST_PART: usize = 6;

/// The shortest line of a value of several lines that is a secret by itself.
const SHORTEST_LINE: usize = 8;

/// The most lines of a value that are secrets by themselves.
const MOST_LINES: usize = 256;

/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What RFC 3986 leaves as it is.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What Python's `quote` leaves as it is.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// A value, and what the usual encodings make of it.
pub(super) fn of(value: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for plain in [value, value.trim()] {
        if plain.len() < SHORTEST {
            continue;
        }
        all.insert(plain.to_owned());
        escapes(plain, &mut all);
        base64_forms(plain.as_bytes(), &mut all);
        let hex: String = plain.bytes().map(|byte| format!("{byte:02x}")).collect();
        all.insert(hex.to_uppercase());
        all.insert(hex);
        for set in [NON_ALPHANUMERIC, COMPONENT, UNRESERVED, PATH] {
            let encoded = percent_encode(plain.as_bytes(), set).to_string();
            all.insert(encoded.replace("%20", "+"));
            all.insert(lower_escapes(&encoded));
            all.insert(encoded);
        }
    }
    let lines = value.trim().lines().map(str::trim);
    if value.trim().contains('\n') {
        all.extend(lines.filter(|line| line.len() >= SHORTEST_LINE).take(MOST_LINES).map(str::to_owned));
    }
    all
}

/// As strings are written in JSON and in source text.
fn escapes(value: &str, all: &mut BTreeSet<String>) {
    let json = serde_json::Value::from(value).to_string();
    let json = &json[1..json.len() - 1];
    let ascii: String = json
        .chars()
        .map(|c| match c.is_ascii() {
            true => c.to_string(),
            false => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
        })
        .collect();
    all.insert(json.replace('/', "\\/"));
    all.insert(ascii);
    // As `repr` writes it: the quotes that it does not need to escape stay.
    all.insert(json.replace("\\\"", "\""));
    all.insert(json.replace("\\\"", "\"").replace('\'', "\\'"));
    all.insert(json.to_owned());
    let html = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    all.insert(html.replace('\'', "&#x27;"));
    all.insert(html.replace('\'', "&#39;"));
}

/// Base64, alone and in the midst of other data, where it begins at one of three places in a group.
fn base64_forms(value: &[u8], all: &mut BTreeSet<String>) {
    for alphabet in [STANDARD, URL_SAFE] {
        all.insert(GeneralPurpose::new(&alphabet, PAD).encode(value));
        let plain = GeneralPurpose::new(&alphabet, NO_PAD);
        all.insert(plain.encode(value));
        for before in 0..3 {
            let mut data = vec![0; before];
            data.extend_from_slice(value);
            let encoded = plain.encode(&data);
            // Characters that hold bits of what stands before or behind differ.
            let part = &encoded[(before * 8).div_ceil(6)..data.len() * 8 / 6];
            if part.len() >= SHORTEST_PART {
                all.insert(part.to_owned());
            }
        }
    }
}

/// The same percent-encoding with its digits in lower case.
fn lower_escapes(encoded: &str) -> String {
    let mut digits = 0;
    encoded
        .chars()
        .map(|c| {
            digits = if c == '%' { 3 } else { usize::saturating_sub(digits, 1) };
            if digits > 0 { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_encodings_are_known() {
        let all = of("p@ss/wörd \"1\"");
        for form in [
            "p@ss/wörd \"1\"",
            r#"p@ss/wörd \"1\""#,
            r#"p@ss\/wörd \"1\""#,
            r#"p@ss/w\u00f6rd \"1\""#,
            "cEBzcy93w7ZyZCAiMSI=",
            "cEBzcy93w7ZyZCAiMSI",
            "704073732f77c3b67264202231 22".replace(' ', "").as_str(),
            "p%40ss%2Fw%C3%B6rd%20%221%22",
            "p%40ss%2fw%c3%b6rd%20%221%22",
            "p%40ss/w%C3%B6rd%20%221%22",
            "p%40ss%2Fw%C3%B6rd+%221%22",
            "p@ss/wörd &quot;1&quot;",
        ] {
            assert!(all.contains(form), "{form}");
        }
    }

    #[test]
    fn base64_is_known_wherever_it_begins() {
        let all = of("correct horse");
        for before in ["", "a", "ab", "abc", "user:"] {
            for behind in ["", "x", "yz", ":end"] {
                let text = base64::prelude::BASE64_STANDARD.encode(format!("{before}correct horse{behind}"));
                assert!(all.iter().any(|form| text.contains(form)), "{text}");
            }
        }
    }

    #[test]
    fn what_is_met_everywhere_by_chance_is_no_secret() {
        assert!(of("abc").is_empty());
        assert!(of(" ab ").contains(" ab "), "as a whole it is long enough");
        assert!(!of(" ab ").contains("ab"));
        assert!(of("-----BEGIN KEY-----\nMIIB\nabcdefgh\n-----END KEY-----\n").contains("abcdefgh"));
    }
}

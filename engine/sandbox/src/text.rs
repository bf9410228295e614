/// Bytes as they come, made into text: what is no UTF-8 is replaced, and a character that is not complete yet is waited for.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The beginning of a character, at most three bytes.
    begun: Vec<u8>,
}

impl Decoder {
    /// The text of the next bytes.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        self.begun.extend_from_slice(bytes);
        // Where the last bytes could still become a character, they are no valid part and no error either.
        let tail = self.begun.utf8_chunks().last().map_or(&[][..], |last| last.invalid());
        let begun =
            if std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none()) { tail.len() } else { 0 };
        let rest = self.begun.split_off(self.begun.len() - begun);
        let text = String::from_utf8_lossy(&self.begun).into_owned();
        self.begun = rest;
        text
    }

    /// What is left at the end.
    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.begun)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(chunks: &[&[u8]]) -> String {
        let mut decoder = Decoder::default();
        let mut text: String = chunks.iter().map(|chunk| decoder.decode(chunk)).collect();
        text.push_str(&decoder.finish());
        text
    }

    #[test]
    fn a_character_may_come_in_parts() {
        for text in ["", "a", "grün", "日本", "🦀!"] {
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(whole(&bytes), text);
        }
        assert_eq!(Decoder::default().decode("ü".as_bytes()), "ü");
        assert_eq!(Decoder::default().decode(b"a\xc3"), "a");
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        let bytes = b"a\xff\xc3(\xe2\x82\xf0\x9f\xa6";
        let parts: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(whole(&parts), String::from_utf8_lossy(bytes));
        assert_eq!(whole(&[bytes]), String::from_utf8_lossy(bytes));
    }
}

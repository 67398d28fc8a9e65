//! Text that arrives in pieces, and text for HTML.

/// Turns bytes into text piece by piece: characters that are split between pieces are kept together, bytes that are no
/// UTF-8 become the replacement character.
#[derive(Default)]
pub(crate) struct Utf8Stream {
    rest: Vec<u8>,
}

impl Utf8Stream {
    /// The text that is complete after `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    self.rest.clear();
                    return text;
                }
                Err(error) => {
                    let valid = error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.rest[..valid]));
                    let Some(bad) = error.error_len() else {
                        self.rest.drain(..valid);
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    self.rest.drain(..valid + bad);
                }
            }
        }
    }

    /// What is left at the end of the stream.
    pub(crate) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned()
    }
}

/// Escapes text for HTML elements and attributes.
pub(crate) fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_split_at_every_byte_stay_whole() {
        let text = "aü€🛰z";
        for at in 0..=text.len() {
            let mut stream = Utf8Stream::default();
            let found = stream.push(&text.as_bytes()[..at])
                + &stream.push(&text.as_bytes()[at..])
                + &stream.finish();
            assert_eq!(found, text, "split at {at}");
        }
    }

    #[test]
    fn junk_becomes_replacement_characters_and_loses_nothing_else() {
        let mut stream = Utf8Stream::default();
        assert_eq!(stream.push(b"a\xff\xfeb\xc3"), "a\u{fffd}\u{fffd}b");
        assert_eq!(stream.push(b"c"), "\u{fffd}c");
        assert_eq!(stream.push(b"\xe2\x82"), "");
        assert_eq!(stream.finish(), "\u{fffd}");
    }
}

//! Turns the bytes of a pipe into text, and evcxr's blocks of rich content in it into values.

use serde_json::{Map, Value};

use super::interface::MimeBundle;

const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";

/// Decodes UTF-8 that arrives in pieces. What is not UTF-8 becomes replacement characters.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    /// The text of `bytes`, except a last character that has not arrived whole.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::with_capacity(self.pending.len());
        let mut rest = self.pending.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    let Some(invalid) = error.error_len() else {
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &rest[invalid..];
                }
            }
        }
        self.pending = rest.to_vec();
        text
    }

    /// What never became whole.
    pub(crate) fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        text
    }
}

/// A piece of standard output.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Content(MimeBundle),
}

/// Finds the blocks that types with evcxr's convention print: `EVCXR_BEGIN_CONTENT mime`, content,
/// `EVCXR_END_CONTENT`, each on lines of its own. Blocks that follow each other are forms of one value.
#[derive(Debug, Default)]
pub(crate) struct ContentFilter {
    /// Text that may become a begin line, or the inside of a block.
    held: String,
    inside: Option<String>,
    bundle: MimeBundle,
    in_line: bool,
}

impl ContentFilter {
    /// Takes more text; gives what is known to be over.
    pub(crate) fn push(&mut self, text: &str) -> Vec<Piece> {
        self.held.push_str(text);
        let mut pieces = Vec::new();
        loop {
            let held = std::mem::take(&mut self.held);
            let rest = if self.inside.is_some() {
                self.take_content(&held)
            } else {
                self.take_text(&held, &mut pieces)
            };
            let progressed = rest.len() < held.len();
            self.held = rest;
            if !progressed || self.held.is_empty() {
                return pieces;
            }
        }
    }

    /// The end of a cell: everything held back, a block without end included.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if let Some(mime) = self.inside.take() {
            self.held.insert_str(0, &format!("{BEGIN}{mime}\n"));
        }
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.give_bundle(&mut pieces);
            pieces.push(Piece::Text(held));
        }
        self.give_bundle(&mut pieces);
        self.in_line = false;
        pieces
    }

    /// Consumes text up to a block; returns what must wait.
    fn take_text(&mut self, held: &str, pieces: &mut Vec<Piece>) -> String {
        let mut text = String::new();
        let mut rest = held;
        while !rest.is_empty() {
            if !self.in_line && (rest.starts_with(BEGIN) || BEGIN.starts_with(rest)) {
                let Some((line, after)) = rest.split_once('\n') else {
                    break;
                };
                if !text.is_empty() {
                    self.give_bundle(pieces);
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                self.inside = Some(line[BEGIN.len()..].trim().to_owned());
                rest = after;
                break;
            }
            let end = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
            text.push_str(&rest[..end]);
            self.in_line = !text.ends_with('\n');
            rest = &rest[end..];
        }
        if !text.is_empty() {
            self.give_bundle(pieces);
            pieces.push(Piece::Text(text));
        }
        rest.to_owned()
    }

    /// Consumes a block when it is whole; returns what must wait.
    fn take_content(&mut self, held: &str) -> String {
        let mut start = 0;
        for line in held.split_inclusive('\n') {
            if line.strip_suffix('\n') == Some(END) {
                let content = held[..start].strip_suffix('\n').unwrap_or(&held[..start]);
                let mime = self.inside.take().unwrap_or_default();
                let value = if mime.contains("json") {
                    serde_json::from_str(content).unwrap_or_else(|_| Value::from(content))
                } else {
                    Value::from(content)
                };
                self.bundle.insert(mime, value);
                return held[start + line.len()..].to_owned();
            }
            start += line.len();
        }
        held.to_owned()
    }

    fn give_bundle(&mut self, pieces: &mut Vec<Piece>) {
        if !self.bundle.is_empty() {
            pieces.push(Piece::Content(std::mem::replace(
                &mut self.bundle,
                Map::new(),
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_arrive_in_pieces_stay_whole_and_junk_is_replaced() {
        let mut decoder = Decoder::default();
        let bytes = "héllo €".as_bytes();
        let text: String = bytes.chunks(1).map(|piece| decoder.decode(piece)).collect();
        assert_eq!(text, "héllo €");
        assert_eq!(decoder.decode(b"a\xff\xfeb"), "a\u{fffd}\u{fffd}b");
        assert_eq!(decoder.decode(b"\xe2\x82"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    #[test]
    fn blocks_become_one_value_and_text_around_them_stays() {
        let output = "before\nEVCXR_BEGIN_CONTENT text/html\n<b>1</b>\n<i>2</i>\nEVCXR_END_CONTENT\n\
                      EVCXR_BEGIN_CONTENT application/json\n{\"a\":1}\nEVCXR_END_CONTENT\nafter";
        for size in [1, 7, 1000] {
            let mut filter = ContentFilter::default();
            let mut pieces = Vec::new();
            for piece in output.as_bytes().chunks(size) {
                pieces.extend(filter.push(std::str::from_utf8(piece).unwrap()));
            }
            pieces.extend(filter.finish());
            let all: String = pieces
                .iter()
                .map(|piece| {
                    if let Piece::Text(text) = piece {
                        text
                    } else {
                        "|"
                    }
                })
                .collect();
            assert_eq!(all, "before\n|after", "in pieces of {size}");
            let Some(Piece::Content(bundle)) = pieces
                .iter()
                .find(|piece| matches!(piece, Piece::Content(_)))
            else {
                panic!("no content")
            };
            assert_eq!(bundle["text/html"], "<b>1</b>\n<i>2</i>");
            assert_eq!(bundle["application/json"]["a"], 1);
        }
    }

    #[test]
    fn a_partial_line_is_shown_at_once_and_a_block_without_end_is_text() {
        let mut filter = ContentFilter::default();
        assert_eq!(filter.push("50 %"), [text("50 %")]);
        assert_eq!(filter.push("\r60 %"), [text("\r60 %")]);
        assert_eq!(filter.push("\nEVCXR_BEGIN_CONTENT a/b\nlost"), [text("\n")]);
        assert_eq!(filter.finish(), [text("EVCXR_BEGIN_CONTENT a/b\nlost")]);
    }
}

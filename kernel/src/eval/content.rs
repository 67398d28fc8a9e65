//! Finds in a cell's standard output what evcxr's conventions mean by it: blocks of rich content
//! (`EVCXR_BEGIN_CONTENT mime`, content, `EVCXR_END_CONTENT`), questions (`EVCXR_INPUT_REQUEST:prompt`), and evcxr's own
//! word that something has panicked. Everything else is text.

use serde_json::{Map, Value};

use super::interface::MimeBundle;

/// How every line of the conventions begins. It may follow text that has no newline.
const MARK: &str = "EVCXR_";
const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &str = "EVCXR_END_CONTENT";
const PANIC: &str = "EVCXR_PANIC_NOTIFICATION";
const PASSWORD: &str = "EVCXR_INPUT_REQUEST_PASSWORD:";
const QUESTION: &str = "EVCXR_INPUT_REQUEST:";
/// No line of the conventions is longer than this many bytes.
const LONGEST_LINE: usize = 4096;

/// A piece of standard output.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Content(MimeBundle),
    /// A question whose answer is read from standard input next.
    Question {
        prompt: String,
        password: bool,
    },
    /// A panic outside of the cell's statements.
    Panic,
}

/// What a line that begins with [`MARK`] is.
enum Line<'a> {
    Begin(&'a str),
    Question {
        prompt: &'a str,
        password: bool,
    },
    Panic,
    Text,
    /// It has not arrived whole.
    Open,
}

#[derive(Debug)]
struct Block {
    mime: String,
    content: String,
    /// Up to where no end was found.
    searched: usize,
}

/// Takes a cell's output piece by piece, in linear time.
#[derive(Debug, Default)]
pub(crate) struct ContentFilter {
    /// Text that may become a line of the conventions.
    held: String,
    block: Option<Block>,
    /// Blocks that are forms of one value.
    bundle: MimeBundle,
}

impl ContentFilter {
    /// Takes more text; gives what is known to be over.
    pub(crate) fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut added = std::mem::take(&mut self.held);
        added.push_str(text);
        let mut rest = added.as_str();
        while !rest.is_empty() {
            rest = if self.block.is_some() {
                self.take_content(rest, &mut pieces)
            } else {
                self.take_text(rest, &mut pieces)
            };
        }
        pieces
    }

    /// Whether anything is held back.
    pub(crate) fn holds(&self) -> bool {
        !self.held.is_empty() || !self.bundle.is_empty()
    }

    /// Gives what was held back because more might have followed; a block that has begun goes on. A value may still
    /// wait for its other forms.
    pub(crate) fn settle(&mut self, keep_content: bool) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if let Some(block) = self
            .block
            .as_mut()
            .filter(|block| block.content.ends_with(END))
        {
            let end = block.content.len() - END.len();
            self.close(end, &mut pieces);
        }
        let held = std::mem::take(&mut self.held);
        self.give_text(&held, &mut pieces);
        if !keep_content {
            self.give_bundle(&mut pieces);
        }
        pieces
    }

    /// The end of a cell: everything held back, a block without end included.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = self.settle(false);
        if let Some(block) = self.block.take() {
            let text = format!("{BEGIN}{}\n{}", block.mime, block.content);
            self.give_text(&text, &mut pieces);
        }
        pieces
    }

    /// Consumes text up to and with a line of the conventions; returns what comes after it.
    fn take_text<'a>(&mut self, text: &'a str, pieces: &mut Vec<Piece>) -> &'a str {
        let mut from = 0;
        while let Some(found) = text[from..].find(MARK) {
            let at = from + found;
            let (line, after) = read_line(&text[at..]);
            match line {
                Line::Text => {
                    from = at + MARK.len();
                    continue;
                }
                Line::Open => {
                    self.give_text(&text[..at], pieces);
                    text[at..].clone_into(&mut self.held);
                    return "";
                }
                _ => self.give_text(&text[..at], pieces),
            }
            match line {
                Line::Begin(mime) => {
                    self.block = Some(Block {
                        mime: mime.to_owned(),
                        content: String::new(),
                        searched: 0,
                    });
                }
                Line::Question { prompt, password } => {
                    self.give_bundle(pieces);
                    pieces.push(Piece::Question {
                        prompt: prompt.to_owned(),
                        password,
                    });
                }
                _ => pieces.push(Piece::Panic),
            }
            return after;
        }
        let held = (1..MARK.len())
            .rev()
            .find(|length| text.ends_with(&MARK[..*length]));
        let (text, held) = text.split_at(text.len() - held.unwrap_or(0));
        self.give_text(text, pieces);
        held.clone_into(&mut self.held);
        ""
    }

    /// Consumes the inside of a block, and its end when it is there; returns what comes after it.
    fn take_content<'a>(&mut self, text: &'a str, pieces: &mut Vec<Piece>) -> &'a str {
        let Some(block) = &mut self.block else {
            return text;
        };
        let before = block.content.len();
        block.content.push_str(text);
        while let Some(found) = block.content[block.searched..].find(END) {
            let end = block.searched + found;
            let after = &block.content[end + END.len()..];
            let newline = if after.starts_with("\r\n") {
                2
            } else if after.starts_with('\n') {
                1
            } else if after.is_empty() || after == "\r" {
                // What follows has not arrived.
                block.searched = end;
                return "";
            } else {
                block.searched = end + END.len();
                continue;
            };
            let used = end + END.len() + newline - before;
            self.close(end, pieces);
            return &text[used..];
        }
        // The end may have arrived in part.
        let mut searched = block.content.len().saturating_sub(END.len());
        while !block.content.is_char_boundary(searched) {
            searched -= 1;
        }
        block.searched = block.searched.max(searched);
        ""
    }

    /// Ends the block whose content is `length` bytes long.
    fn close(&mut self, length: usize, pieces: &mut Vec<Piece>) {
        let Some(mut block) = self.block.take() else {
            return;
        };
        block.content.truncate(length);
        for newline in ['\n', '\r'] {
            if block.content.ends_with(newline) {
                block.content.pop();
            }
        }
        let value = if block.mime.contains("json") {
            serde_json::from_str(&block.content).unwrap_or_else(|_| Value::from(block.content))
        } else {
            Value::from(block.content)
        };
        let is_another_value = self.bundle.contains_key(&block.mime)
            || (is_picture(&block.mime) && self.bundle.keys().any(|mime| is_picture(mime)));
        if is_another_value {
            self.give_bundle(pieces);
        }
        self.bundle.insert(block.mime, value);
    }

    fn give_text(&mut self, text: &str, pieces: &mut Vec<Piece>) {
        if text.is_empty() {
            return;
        }
        self.give_bundle(pieces);
        pieces.push(Piece::Text(text.to_owned()));
    }

    fn give_bundle(&mut self, pieces: &mut Vec<Piece>) {
        if !self.bundle.is_empty() {
            let bundle = std::mem::replace(&mut self.bundle, Map::new());
            pieces.push(Piece::Content(bundle));
        }
    }
}

/// Whether a person would look at it: two of these in a row are two values, not two forms of one, of which a front end
/// would show only one.
fn is_picture(mime: &str) -> bool {
    mime.starts_with("image/") || mime == "text/html"
}

/// Reads the line at the beginning of `text`, which begins with [`MARK`]; what comes after it.
fn read_line(text: &str) -> (Line<'_>, &str) {
    let marks = [BEGIN, PASSWORD, QUESTION, PANIC];
    if marks
        .iter()
        .any(|mark| mark.len() > text.len() && mark.starts_with(text))
    {
        return (Line::Open, "");
    }
    if !marks.iter().any(|mark| text.starts_with(mark)) {
        return (Line::Text, text);
    }
    let (line, after) = match text.split_once('\n') {
        Some((line, after)) if line.len() <= LONGEST_LINE => (line, after),
        None if text.len() <= LONGEST_LINE => return (Line::Open, ""),
        _ => return (Line::Text, text),
    };
    let line = line.trim_end_matches('\r');
    let question = |mark: &str| line.strip_prefix(mark);
    let line = if let Some(mime) = line.strip_prefix(BEGIN).map(str::trim) {
        if mime.contains('/') && !mime.contains(char::is_whitespace) {
            Line::Begin(mime)
        } else {
            Line::Text
        }
    } else if let Some(prompt) = question(PASSWORD) {
        Line::Question {
            prompt,
            password: true,
        }
    } else if let Some(prompt) = question(QUESTION) {
        Line::Question {
            prompt,
            password: false,
        }
    } else if line == PANIC {
        Line::Panic
    } else {
        Line::Text
    };
    (line, after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn content(forms: &[(&str, &str)]) -> Piece {
        let forms = forms
            .iter()
            .map(|(mime, content)| ((*mime).to_owned(), Value::from(*content)));
        Piece::Content(forms.collect())
    }

    fn block(mime: &str, content: &str) -> String {
        format!("{BEGIN}{mime}\n{content}\n{END}\n")
    }

    /// All pieces of an output that arrives in parts of `size` bytes, texts joined.
    fn pieces(output: &str, size: usize) -> Vec<Piece> {
        let mut filter = ContentFilter::default();
        let mut all = Vec::new();
        for part in output.as_bytes().chunks(size) {
            all.extend(filter.push(std::str::from_utf8(part).unwrap()));
        }
        all.extend(filter.finish());
        let mut joined: Vec<Piece> = Vec::new();
        for piece in all {
            match (joined.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
                (_, piece) => joined.push(piece),
            }
        }
        joined
    }

    #[test]
    fn blocks_become_values_and_text_around_them_stays() {
        let output = format!(
            "before\n{}{}after EVCXR_ and E",
            block("text/html", "<b>1</b>\n<i>2</i>"),
            block("text/plain", "1 2")
        );
        let expected = [
            text("before\n"),
            content(&[("text/html", "<b>1</b>\n<i>2</i>"), ("text/plain", "1 2")]),
            text("after EVCXR_ and E"),
        ];
        for size in [1, 7, 1000] {
            assert_eq!(pieces(&output, size), expected, "in pieces of {size}");
        }
        let json = pieces(&block("application/json", "{\"a\":1}"), 5);
        assert_eq!(
            json,
            [Piece::Content(
                [("application/json".to_owned(), serde_json::json!({ "a": 1 }))]
                    .into_iter()
                    .collect()
            )]
        );
    }

    #[test]
    fn every_display_is_shown() {
        let output =
            block("text/html", "0") + &block("text/html", "1") + &block("image/png", "AAAA");
        let expected = [
            content(&[("text/html", "0")]),
            content(&[("text/html", "1")]),
            content(&[("image/png", "AAAA")]),
        ];
        assert_eq!(pieces(&output, 3), expected);
    }

    #[test]
    fn a_block_may_follow_text_without_newline_and_end_without_one() {
        let output = format!("50 %{}", block("text/html", "x"));
        let expected = [text("50 %"), content(&[("text/html", "x")])];
        assert_eq!(pieces(&output, 4), expected);
        assert_eq!(pieces(output.trim_end(), 4), expected);
        let other_newlines = output.replace('\n', "\r\n");
        assert_eq!(pieces(&other_newlines, 4), expected);
    }

    #[test]
    fn a_partial_line_is_shown_at_once_and_a_block_without_end_is_text() {
        let mut filter = ContentFilter::default();
        assert_eq!(filter.push("50 %"), [text("50 %")]);
        assert_eq!(filter.push("\r60 %"), [text("\r60 %")]);
        assert_eq!(filter.push("\nEVCXR_BEGIN_CONTENT a/b\nlost"), [text("\n")]);
        assert_eq!(filter.settle(false), []);
        assert_eq!(filter.finish(), [text("EVCXR_BEGIN_CONTENT a/b\nlost")]);
        assert_eq!(
            filter.push("a word that ends in E"),
            [text("a word that ends in ")]
        );
        assert!(filter.holds());
        assert_eq!(filter.settle(false), [text("E")]);
        assert!(!filter.holds());
    }

    #[test]
    fn words_of_the_convention_in_a_text_stay_text() {
        for output in [
            "the line EVCXR_BEGIN_CONTENT begins a block\n",
            "EVCXR_END_CONTENT\n",
            "EVCXR_PANIC_NOTIFICATION is a word\n",
            "EVCXR_INPUT\n",
            "EVCXR_BEGIN_CONTENT \n",
        ] {
            assert_eq!(pieces(output, 3), [text(output)]);
        }
        let long = format!("{BEGIN}{}", "x".repeat(100_000));
        assert_eq!(pieces(&long, 1000), [text(&long)]);
        let within = block("text/html", "a EVCXR_END_CONTENT b");
        assert_eq!(
            pieces(&within, 3),
            [content(&[("text/html", "a EVCXR_END_CONTENT b")])]
        );
    }

    #[test]
    fn questions_and_panics_are_told_apart_from_text() {
        let output = "a\nEVCXR_INPUT_REQUEST:Name?\nEVCXR_INPUT_REQUEST_PASSWORD:Key:\nEVCXR_PANIC_NOTIFICATION\nb";
        let question = |prompt: &str, password| Piece::Question {
            prompt: prompt.to_owned(),
            password,
        };
        let expected = [
            text("a\n"),
            question("Name?", false),
            question("Key:", true),
            Piece::Panic,
            text("b"),
        ];
        for size in [1, 9, 1000] {
            assert_eq!(pieces(output, size), expected);
        }
    }

    #[test]
    fn a_large_block_takes_time_that_grows_with_its_size() {
        let output = block("text/html", &"<td>EVCXR_E</td>\n".repeat(2_000_000));
        let started = std::time::Instant::now();
        assert_eq!(pieces(&output, 65_536).len(), 1);
        // Each part searched anew from the beginning took minutes.
        assert!(started.elapsed() < std::time::Duration::from_secs(30));
    }
}

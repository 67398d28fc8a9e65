//! The file that rust-analyzer reads: the session's items, and a function that holds its variables and the cell.

use ra_ap_syntax::{Edition, NodeOrToken, SourceFile, SyntaxKind};

use super::messages::Place;
use super::names::{byte_of, codepoint_of};

/// What every name of our own begins with.
pub(crate) const OWN: [&str; 3] = ["__swath", "__SWATH", "evcxr_"];
const HEADER: &str = "#![allow(warnings)]\nuse ::swath::prelude::*;\n";
// The block is not the function's value, so that the cell's last expression is compared with no type.
const BEFORE: &str = "async fn __swath_cell() -> ::core::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {\n";
const BEFORE_CODE: &str = "\nlet _ = {\n";
const AFTER_CODE: &str = "\n};\n::core::result::Result::Ok(())\n}\n";
/// Brackets within brackets, deeper than anybody writes: a parser that recurses would need a stack without end.
const MAX_DEPTH: usize = 400;

/// A file and the cursor in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) text: String,
    /// The cursor's byte.
    pub(crate) cursor: usize,
    start: usize,
    code: String,
}

impl Document {
    /// The cell at `place` after `items`; `None` when it is nested too deeply for any parser.
    pub(crate) fn new(items: &str, place: &Place) -> Option<Self> {
        let code = &place.code;
        let cursor = byte_of(code, place.cursor);
        let (at, closers) = missing_brackets(code, cursor)?;
        let start = HEADER.len()
            + items.len()
            + BEFORE.len()
            + place.declarations.len()
            + BEFORE_CODE.len();
        let text = [
            HEADER,
            items,
            BEFORE,
            &place.declarations,
            BEFORE_CODE,
            &code[..at],
            &closers,
            &code[at..],
            AFTER_CODE,
        ]
        .concat();
        Some(Self {
            text,
            cursor: start + cursor,
            start,
            code: code.clone(),
        })
    }

    /// The code points of the cell that a range of bytes stands for; `None` outside of the cell.
    pub(crate) fn in_cell(&self, range: std::ops::Range<usize>) -> Option<std::ops::Range<usize>> {
        let (start, end) = (
            range.start.checked_sub(self.start)?,
            range.end.checked_sub(self.start)?,
        );
        let within =
            start <= end && self.code.is_char_boundary(start) && self.code.is_char_boundary(end);
        within.then(|| codepoint_of(&self.code, start)..codepoint_of(&self.code, end))
    }

    /// The same file with the cursor at another byte of the cell.
    pub(crate) fn with_cursor(mut self, byte_in_cell: usize) -> Self {
        self.cursor = self.start + byte_in_cell;
        self
    }
}

/// The brackets that are open at the cursor and never closed, as the text that closes them, and where to put it: an
/// unfinished call would take the rest of the file for its arguments.
fn missing_brackets(code: &str, cursor: usize) -> Option<(usize, String)> {
    if deepest(code) > MAX_DEPTH {
        return None;
    }
    let file = SourceFile::parse(code, Edition::Edition2024);
    // What would close each open bracket, and whether it was opened before the cursor.
    let mut open: Vec<(SyntaxKind, bool)> = Vec::new();
    let mut missing = String::new();
    let mut at = cursor;
    let tokens = file.syntax_node().descendants_with_tokens();
    for token in tokens.filter_map(NodeOrToken::into_token) {
        let range = std::ops::Range::<usize>::from(token.text_range());
        let is_before = range.start < cursor;
        match token.kind() {
            kind @ (SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY) => {
                open.push((closing(kind), is_before));
            }
            kind @ (SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY) => {
                let Some(place) = open.iter().rposition(|(closer, _)| *closer == kind) else {
                    continue;
                };
                let unclosed = open.split_off(place);
                if !is_before {
                    missing.extend(closers(&unclosed[1..]));
                }
            }
            // The brackets come after the word that the cursor is in.
            _ if is_before && range.end > cursor => at = range.end,
            _ => {}
        }
    }
    missing.extend(closers(&open));
    Some((at, missing))
}

/// The text that closes those of the brackets that were opened before the cursor.
fn closers(open: &[(SyntaxKind, bool)]) -> impl Iterator<Item = char> {
    open.iter()
        .rev()
        .filter(|(_, is_before)| *is_before)
        .map(|(kind, _)| text_of(*kind))
}

fn deepest(code: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in code.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn closing(open: SyntaxKind) -> SyntaxKind {
    match open {
        SyntaxKind::L_PAREN => SyntaxKind::R_PAREN,
        SyntaxKind::L_BRACK => SyntaxKind::R_BRACK,
        _ => SyntaxKind::R_CURLY,
    }
}

fn text_of(kind: SyntaxKind) -> char {
    match kind {
        SyntaxKind::R_PAREN => ')',
        SyntaxKind::R_BRACK => ']',
        _ => '}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code with what was added, `|` being the cursor.
    #[track_caller]
    fn check(marked: &str, expected: &str) {
        let cursor = marked.find('|').unwrap();
        let code = marked.replacen('|', "", 1);
        let (at, closers) = missing_brackets(&code, cursor).unwrap();
        assert_eq!(
            format!("{}{closers}{}", &code[..at], &code[at..]),
            expected,
            "{marked}"
        );
    }

    #[test]
    fn brackets_that_the_typist_has_not_closed_are_closed_at_the_cursor() {
        check("vec![words.|", "vec![words.]");
        check(
            "println!(\"{}\", words.|\nlet b = 3;",
            "println!(\"{}\", words.)\nlet b = 3;",
        );
        check(
            "for w in words {\n    a(w.|",
            "for w in words {\n    a(w.)}",
        );
        check(
            "for w in words {\n    a(w.|\n}",
            "for w in words {\n    a(w.)\n}",
        );
        check("a(wo|rds, [1", "a(words), [1");
        check("a(|words[1], b)", "a(words[1], b)");
        check("{ a(b[c.| }\nd()", "{ a(b[c.]) }\nd()");
        check("words.|", "words.");
        check("\"(\"; '['; /* { */ a.|", "\"(\"; '['; /* { */ a.");
        check("a.|) }", "a.) }");
    }

    #[test]
    fn positions_are_code_points_of_the_cell() {
        let place = Place {
            declarations: "let a: u8 = loop {}; ".to_owned(),
            code: "\"😀\"; a.b".to_owned(),
            cursor: 8,
        };
        let document = Document::new("fn x() {}\n", &place).unwrap();
        assert!(document.text[..document.cursor].ends_with("\"😀\"; a.b"));
        assert_eq!(
            document.in_cell(document.cursor - 1..document.cursor),
            Some(7..8)
        );
        assert_eq!(document.in_cell(0..3), None);
        assert_eq!(document.in_cell(document.cursor..document.cursor + 1), None);
    }

    #[test]
    fn nests_without_end_are_refused() {
        let place = Place {
            code: "(".repeat(100_000),
            ..Place::default()
        };
        assert_eq!(Document::new("", &place), None);
    }
}

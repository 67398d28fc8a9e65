//! The file that rust-analyzer reads: the session's items, and a function that holds its variables and the cell.

use super::gap::Gap;
use super::messages::{Kind, Place};
use super::names::{byte_of, codepoint_of, end_of_name};

/// What every name of our own begins with.
pub(crate) const OWN: [&str; 3] = ["__swath", "__SWATH", "evcxr_"];
const HEADER: &str = "#![allow(warnings)]\nuse ::swath::prelude::*;\n";
const BEFORE: &str = "async fn __swath_cell() -> ::core::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {\n";
const BEFORE_CODE: &str = "\n";
// The semicolon makes a statement of the cell's last expression, so that it is compared with no type.
const AFTER_CODE: &str = "\n;\n::core::result::Result::Ok(())\n}\n";

/// A file and the cursor in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) text: String,
    /// The cursor's byte.
    pub(crate) cursor: usize,
    /// Where the cell begins, and where something was put into it.
    start: usize,
    gap: usize,
    code: String,
}

impl Document {
    /// The cell at `place` after `items`; `None` when it is nested too deeply for any parser.
    pub(crate) fn new(items: &str, kind: Kind, place: &Place) -> Option<Self> {
        let code = &place.code;
        let asked = byte_of(code, place.cursor);
        let gap = Gap::find(code, asked)?;
        let (cursor, with_word) = match kind {
            Kind::Complete => (asked, true),
            Kind::Inspect => (end_of_name(code, asked), false),
        };
        let before = [HEADER, items, BEFORE, &place.declarations, BEFORE_CODE].concat();
        let start = before.len();
        Some(Self {
            text: [&before, &gap.fill(code, with_word), AFTER_CODE].concat(),
            cursor: start + cursor,
            start,
            gap: gap.at,
            code: code.clone(),
        })
    }

    /// The code points of the cell that a range of bytes stands for; `None` outside of what stands before the gap.
    pub(crate) fn in_cell(&self, range: std::ops::Range<usize>) -> Option<std::ops::Range<usize>> {
        let start = range.start.checked_sub(self.start)?;
        let end = range.end.checked_sub(self.start)?.min(self.gap);
        let within =
            start <= end && self.code.is_char_boundary(start) && self.code.is_char_boundary(end);
        within.then(|| codepoint_of(&self.code, start)..codepoint_of(&self.code, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_code_points_of_the_cell() {
        let place = Place {
            declarations: "let a: u8 = loop {}; ".to_owned(),
            code: "\"😀\"; a.b".to_owned(),
            cursor: 8,
        };
        let document = Document::new("fn x() {}\n", Kind::Complete, &place).unwrap();
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
        for code in [
            "(".repeat(100_000),
            "- !".repeat(100_000),
            "a ".repeat(1_000_000),
        ] {
            let place = Place {
                code,
                ..Place::default()
            };
            assert_eq!(Document::new("", Kind::Complete, &place), None);
        }
    }
}

//! From positions in evcxr's generated file back to the cells that users wrote.

use std::ops::Range;
use std::sync::Arc;

use super::generate::{BODY_MARK, Generated};
use super::items::StoredItem;

/// The Rust of a cell, and what the user sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellSource {
    pub(crate) number: u32,
    pub(crate) code: Arc<str>,
    /// The cell before its magics were replaced by the Rust that they stand for, line by line, when there were any.
    pub(crate) written: Option<Arc<str>>,
}

/// A place in a cell as the user sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) range: Range<usize>,
    /// Whether the text there is that of the Rust, and not a magic that stands for it.
    pub(crate) is_exact: bool,
}

impl CellSource {
    /// A cell without magics.
    pub(crate) fn new(number: u32, code: &str) -> Self {
        Self {
            number,
            code: code.into(),
            written: None,
        }
    }

    /// How messages name the cell.
    pub(crate) fn path(&self) -> String {
        format!("In[{}]", self.number)
    }

    /// The cell as the user sent it.
    pub(crate) fn text(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.code)
    }

    /// Where a range of the Rust is in what the user sent: at the same words, or else at the magic.
    pub(crate) fn written(&self, range: Range<usize>) -> Written {
        let Some(written) = &self.written else {
            return Written {
                range,
                is_exact: true,
            };
        };
        let (first, last) = (
            self.written_end(written, range.start),
            self.written_end(written, range.end),
        );
        if let (Ok(start), Ok(end)) = (&first, &last) {
            return Written {
                range: *start..*end,
                is_exact: true,
            };
        }
        let magic = first.clone().err().or_else(|| last.clone().err());
        let text = self.code.get(range).unwrap_or_default();
        // `chips` in `%time chips.len()` is in its line once.
        if let (Some(magic), false) = (&magic, text.trim().is_empty() || text.contains('\n')) {
            let mut found = written[magic.clone()].match_indices(text);
            if let (Some((at, _)), None) = (found.next(), found.next()) {
                let start = magic.start + at;
                return Written {
                    range: start..start + text.len(),
                    is_exact: true,
                };
            }
        }
        let start = first.unwrap_or_else(|line| line.start);
        let end = last.unwrap_or_else(|line| line.end);
        Written {
            range: start..end.max(start),
            is_exact: false,
        }
    }

    /// Where byte `offset` of the Rust is in what was written; the written line when that is a magic.
    fn written_end(&self, written: &str, offset: usize) -> Result<usize, Range<usize>> {
        let before = self.code.get(..offset).unwrap_or(&self.code);
        let line = before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1);
        let start: usize = written.split_inclusive('\n').take(line).map(str::len).sum();
        let found = written[start..].lines().next().unwrap_or_default();
        if self.code.lines().nth(line).unwrap_or_default() == found {
            return Ok((start + column).min(written.len()));
        }
        let indented = found.len() - found.trim_start().len();
        Err(start + indented..start + found.trim_end().len())
    }
}

/// Finds the way back for one generated file.
pub(crate) struct SourceMap<'a> {
    file: &'a str,
    current: &'a CellSource,
    body: Option<usize>,
    generated: &'a Generated,
    items: &'a [Arc<StoredItem>],
}

impl<'a> SourceMap<'a> {
    /// `file` is what was compiled, with the positions of `generated`; `items` are those that it was generated from.
    pub(crate) fn new(
        file: &'a str,
        current: &'a CellSource,
        generated: &'a Generated,
        items: &'a [Arc<StoredItem>],
    ) -> Self {
        let body = generated.has_body.then(|| file.find(BODY_MARK)).flatten();
        Self {
            file,
            current,
            body: body.map(|mark| mark + BODY_MARK.len() + 1),
            generated,
            items,
        }
    }

    /// The cell and the byte in it that byte `offset` of the generated file stands for.
    pub(crate) fn locate(&self, offset: usize) -> Option<(&'a CellSource, usize)> {
        if let Some(start) = self.body
            && offset >= start
            && let Some(in_cell) = self.generated.cell_offset(offset - start)
        {
            return Some((self.current, in_cell.min(self.current.code.len())));
        }
        let piece = self
            .generated
            .pieces
            .iter()
            .find(|piece| (piece.range.start..=piece.range.end).contains(&offset))?;
        let item = self.items.get(piece.item)?;
        let within = if piece.is_exact {
            offset - piece.range.start
        } else {
            0
        };
        Some((&item.source, item.range.start + within))
    }

    /// The same for a span; both ends must be in one cell. What is never closed ends with the file: then with its cell.
    pub(crate) fn locate_span(&self, span: Range<usize>) -> Option<(&'a CellSource, Range<usize>)> {
        let (source, start) = self.locate(span.start)?;
        let to_the_end = || (source == self.current).then_some((source, source.code.len()));
        let (end_source, end) = self.locate(span.end).or_else(to_the_end)?;
        let is_whole =
            source == end_source && start <= end && source.code.get(start..end).is_some();
        is_whole.then_some((source, start..end))
    }

    /// Whether a place is in the cell that is compiled, not in an earlier one.
    pub(crate) fn is_current(&self, source: &CellSource) -> bool {
        source == self.current
    }

    /// The line of the generated file that holds byte `offset`.
    pub(crate) fn generated_line(&self, offset: usize) -> &'a str {
        let start = self
            .file
            .get(..offset)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |newline| newline + 1);
        self.file
            .get(start..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::generate::{Parts, generate};
    use super::super::items::ItemStore;
    use super::super::split::Cell;
    use super::super::variables::VariableTable;
    use super::*;

    #[test]
    fn positions_lead_to_this_cell_and_to_earlier_ones() {
        let mut store = ItemStore::default();
        let earlier = CellSource::new(1, "let a = 1;\nfn old() -> i32 { bad }");
        let merged = store.merge(&Cell::parse(&earlier.code, &store.known()), &earlier);
        store.replace(&merged.items, |_| true);
        let current = CellSource::new(2, "fn new() {}\nlet x: u8 = \"é\";\nx");
        let cell = Cell::parse(&current.code, &store.known());
        let merged = store.merge(&cell, &current);
        let generated = generate(&Parts {
            cell: &cell,
            items: &merged.items,
            variables: &VariableTable::default(),
            makes_statics: false,
        });
        let file = generated.code.clone();
        let map = SourceMap::new(&file, &current, &generated, &merged.items);

        let at = |needle: &str| {
            map.locate(file.find(needle).unwrap())
                .map(|(source, at)| (source.number, &source.code[at..]))
        };
        assert_eq!(at("bad"), Some((1, "bad }")));
        assert_eq!(at("new()"), Some((2, "new() {}\nlet x: u8 = \"é\";\nx")));
        assert_eq!(at("\"é\""), Some((2, "\"é\";\nx")));
        assert_eq!(at("#![allow"), None);
    }

    #[test]
    fn places_in_the_rust_of_a_magic_are_places_of_the_magic() {
        let source = CellSource {
            number: 3,
            code:
                "let a = 1;\nstart(); let b = a + c; stop(b)\nlet x = train.chips(a)?;\nlet d = é;"
                    .into(),
            written: Some("let a = 1;\n  %time let b = a + c\n%chips a\nlet d = é;".into()),
        };
        let at = |needle: &str| {
            let start = source.code.find(needle).unwrap();
            let place = source.written(start..start + needle.len());
            (&source.text()[place.range], place.is_exact)
        };
        assert_eq!(at("a = 1"), ("a = 1", true));
        assert_eq!(at("a + c"), ("a + c", true));
        assert_eq!(at("stop(b)"), ("%time let b = a + c", false));
        assert_eq!(at("train"), ("%chips a", false));
        assert_eq!(at("= é"), ("= é", true));
        assert_eq!(
            at("train.chips(a)?;\nlet d = é"),
            ("%chips a\nlet d = é", false)
        );
    }
}

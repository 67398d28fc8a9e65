//! From positions in evcxr's generated file back to the cells that users wrote.

use std::ops::Range;
use std::sync::Arc;

use super::generate::{BODY_MARK, Generated};
use super::items::StoredItem;

/// A cell as the user sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellSource {
    pub(crate) number: u32,
    pub(crate) code: Arc<str>,
}

impl CellSource {
    /// How messages name the cell.
    pub(crate) fn path(&self) -> String {
        format!("In[{}]", self.number)
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

    /// The same for a span; both ends must be in one cell.
    pub(crate) fn locate_span(&self, span: Range<usize>) -> Option<(&'a CellSource, Range<usize>)> {
        let (source, start) = self.locate(span.start)?;
        let (end_source, end) = self.locate(span.end)?;
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
        let earlier = CellSource {
            number: 1,
            code: "let a = 1;\nfn old() -> i32 { bad }".into(),
        };
        let merged = store.merge(&Cell::parse(&earlier.code, &store.known()), &earlier);
        store.replace(&merged.items, |_| true);
        let current = CellSource {
            number: 2,
            code: "fn new() {}\nlet x: u8 = \"é\";\nx".into(),
        };
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
}

//! From positions in evcxr's generated file back to the cells that users wrote.

use std::ops::Range;
use std::sync::Arc;

use super::generate::{BODY_MARK, Generated};
use super::prune::Links;
use super::split::Cell;

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

/// An item of some cell; evcxr repeats it in every later one.
#[derive(Clone, Debug)]
pub(crate) struct KnownItem {
    pub(crate) source: CellSource,
    pub(crate) range: Range<usize>,
    pub(crate) links: Links,
}

impl KnownItem {
    pub(crate) fn text(&self) -> &str {
        self.source.code.get(self.range.clone()).unwrap_or_default()
    }
}

/// The items of a cell.
pub(crate) fn known_items(cell: &Cell, source: &CellSource) -> Vec<KnownItem> {
    cell.items
        .iter()
        .map(|item| KnownItem {
            source: source.clone(),
            range: item.range.clone(),
            links: Links::of(cell.item_text(item)),
        })
        .collect()
}

struct ItemRegion<'a> {
    start: usize,
    item: &'a KnownItem,
}

/// Finds the way back for one generated file.
pub(crate) struct SourceMap<'a> {
    file: &'a str,
    current: &'a CellSource,
    body: Option<(usize, &'a Generated)>,
    regions: Vec<ItemRegion<'a>>,
}

impl<'a> SourceMap<'a> {
    /// `items` are those of the current cell and of earlier ones, the current ones first.
    pub(crate) fn new(
        file: &'a str,
        current: &'a CellSource,
        generated: &'a Generated,
        items: impl Iterator<Item = &'a KnownItem>,
    ) -> Self {
        let body = generated.has_body.then(|| file.find(BODY_MARK)).flatten();
        let body = body.map(|mark| (mark + BODY_MARK.len() + 1, generated));
        let regions = items
            .filter(|item| !item.text().is_empty())
            .filter_map(|item| {
                Some(ItemRegion {
                    start: file.find(item.text())?,
                    item,
                })
            })
            .collect();
        Self {
            file,
            current,
            body,
            regions,
        }
    }

    /// The cell and the byte in it that byte `offset` of the generated file stands for.
    pub(crate) fn locate(&self, offset: usize) -> Option<(&'a CellSource, usize)> {
        if let Some((start, generated)) = self.body
            && offset >= start
            && let Some(in_cell) = generated.cell_offset(offset - start)
        {
            return Some((self.current, in_cell.min(self.current.code.len())));
        }
        let region = self.regions.iter().find(|region| {
            (region.start..=region.start + region.item.text().len()).contains(&offset)
        })?;
        Some((
            &region.item.source,
            region.item.range.start + offset - region.start,
        ))
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
    use super::super::generate::generate;
    use super::super::variables::VariableTable;
    use super::*;

    #[test]
    fn positions_lead_to_this_cell_and_to_earlier_ones() {
        let earlier = CellSource {
            number: 1,
            code: "let a = 1;\nfn old() -> i32 { bad }".into(),
        };
        let earlier_items = known_items(&Cell::parse(&earlier.code), &earlier);
        let current = CellSource {
            number: 2,
            code: "fn new() {}\nlet x: u8 = \"é\";\nx".into(),
        };
        let cell = Cell::parse(&current.code);
        let generated = generate(&cell, &VariableTable::default(), |_| unreachable!());
        let file = format!("// evcxr\n{}\n{}", earlier_items[0].text(), generated.code);
        let current_items = known_items(&cell, &current);
        let map = SourceMap::new(
            &file,
            &current,
            &generated,
            current_items.iter().chain(&earlier_items),
        );

        let at = |needle: &str| {
            map.locate(file.find(needle).unwrap())
                .map(|(source, at)| (source.number, &source.code[at..]))
        };
        assert_eq!(at("bad"), Some((1, "bad }")));
        assert_eq!(at("new()"), Some((2, "new() {}\nlet x: u8 = \"é\";\nx")));
        assert_eq!(at("\"é\""), Some((2, "\"é\";\nx")));
        assert_eq!(at("// evcxr"), None);
    }
}

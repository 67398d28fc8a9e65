//! Names places in cells: `In[3]:1:5` for what the compiler calls line 40 of the file that evcxr generated.
//!
//! Every cell is compiled under a file name of its own, which `dbg!`, panics and `Location::caller()` write. A thread
//! may write it long after its cell has ended, so the ways back of many cells are remembered.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use swath_link::exchange::CELL_FILE;

use super::generate::{BODY_MARK, Generated};
use super::items::StoredItem;
use super::shared::lock;
use super::source_map::CellSource;

/// How many cells are remembered, and how many pieces of them.
const MOST_CELLS: usize = 2_000;
const MOST_REGIONS: usize = 50_000;
/// A name that is cut off before this many bytes is not waited for.
const SHORTEST_PART: usize = 6;

/// A part of a generated file that comes from some cell.
#[derive(Debug)]
struct Region {
    /// Line and column of its first character in the generated file, from zero.
    line: usize,
    column: usize,
    source: CellSource,
    from: From,
}

#[derive(Debug)]
enum From {
    /// An item, and where it is in its cell.
    Item(Range<usize>),
    /// One that was written otherwise than in its cell: how many lines it has, and where it is in the cell.
    Rewritten(usize, usize),
    /// The cell's statements, as they were generated.
    Body(Box<str>, Generated),
}

impl Region {
    fn text(&self) -> &str {
        match &self.from {
            From::Item(range) => self.source.code.get(range.clone()).unwrap_or_default(),
            From::Rewritten(..) => "",
            From::Body(text, _) => text,
        }
    }

    /// The byte of the cell at a line and a column of the generated file, from zero.
    fn locate(&self, line: usize, column: usize) -> Option<usize> {
        let line = line.checked_sub(self.line)?;
        let column = if line == 0 {
            column.checked_sub(self.column)?
        } else {
            column
        };
        if let From::Rewritten(lines, start) = self.from {
            return (line < lines).then_some(start);
        }
        let mut start = 0;
        for (number, text) in self.text().split_inclusive('\n').enumerate() {
            if number == line {
                let within = text
                    .char_indices()
                    .nth(column)
                    .map_or(text.len(), |(at, _)| at);
                return match &self.from {
                    From::Body(_, generated) => generated.cell_offset(start + within),
                    From::Item(range) => Some(range.start + start + within),
                    From::Rewritten(..) => None,
                };
            }
            start += text.len();
        }
        None
    }
}

/// What a cell's generated file is made of.
#[derive(Debug)]
struct Known {
    serial: u64,
    regions: Vec<Region>,
}

/// A cell that is about to be compiled.
pub(crate) struct Latest<'a> {
    pub(crate) serial: u64,
    pub(crate) source: CellSource,
    pub(crate) generated: &'a Generated,
    pub(crate) items: &'a [Arc<StoredItem>],
    /// Whether it ends with a value to show.
    pub(crate) shows_value: bool,
}

#[derive(Debug, Default)]
struct State {
    known: VecDeque<Known>,
    regions: usize,
    shows_value: bool,
}

/// The ways back of the latest cells.
#[derive(Debug, Default)]
pub(crate) struct Places {
    state: Mutex<State>,
}

impl Places {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A cell is about to be compiled.
    pub(crate) fn begin(&self, latest: &Latest<'_>) {
        let regions = regions(latest);
        let mut state = self.state();
        state.shows_value = latest.shows_value;
        state.regions += regions.len();
        state.known.push_back(Known {
            serial: latest.serial,
            regions,
        });
        while state.known.len() > MOST_CELLS
            || (state.regions > MOST_REGIONS && state.known.len() > 1)
        {
            if let Some(oldest) = state.known.pop_front() {
                state.regions -= oldest.regions.len();
            }
        }
    }

    /// The cell has ended.
    pub(crate) fn end(&self) {
        self.state().shows_value = false;
    }

    /// Whether the running cell ends with a value to show.
    pub(crate) fn shows_value(&self) -> bool {
        self.state().shows_value
    }

    /// The cell and the byte in it at a line and a column (from one) of a file that [`cell_file`] named.
    ///
    /// [`cell_file`]: swath_link::exchange::cell_file
    pub(crate) fn locate(&self, file: &str, line: u32, column: u32) -> Option<(CellSource, usize)> {
        let (serial, _) = file.strip_prefix(CELL_FILE)?.split_once('/')?;
        let serial = serial.parse().ok()?;
        let state = self.state();
        let place = state
            .known
            .binary_search_by_key(&serial, |known| known.serial)
            .ok()?;
        let (line, column) = (
            (line as usize).checked_sub(1)?,
            (column as usize).saturating_sub(1),
        );
        state.known[place]
            .regions
            .iter()
            .rev()
            .find_map(|region| Some((region.source.clone(), region.locate(line, column)?)))
    }

    /// The text for a person: `In[3]:1:5`.
    fn name(&self, file: &str, line: u32, column: u32) -> Option<String> {
        let (source, offset) = self.locate(file, line, column)?;
        let offset = source.written(offset..offset).range.start;
        let before = source.text().get(..offset)?;
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count() + 1;
        Some(format!("{}:{line}:{column}", source.path()))
    }
}

/// Where the parts of a generated file come from. A later region counts before an earlier one.
fn regions(latest: &Latest<'_>) -> Vec<Region> {
    let generated = latest.generated;
    let file = generated.code.as_str();
    let mut found: Vec<(usize, &CellSource, From)> = generated
        .pieces
        .iter()
        .filter_map(|piece| {
            let item = latest.items.get(piece.item)?;
            let from = if piece.is_exact {
                From::Item(item.range.clone())
            } else {
                let lines = file[piece.range.clone()].lines().count();
                From::Rewritten(lines, item.range.start)
            };
            Some((piece.range.start, &item.source, from))
        })
        .collect();
    if generated.has_body
        && let Some(mark) = file.find(BODY_MARK)
    {
        let start = mark + BODY_MARK.len() + 1;
        let end = start + generated.body_text_length();
        if let Some(text) = file.get(start..end) {
            let from = From::Body(text.into(), generated.body_alone());
            found.push((start, &latest.source, from));
        }
    }
    let lines = LineStarts::of(file);
    found
        .into_iter()
        .map(|(start, source, from)| {
            let line = lines.line(start);
            Region {
                line,
                column: file[lines.0[line]..start].chars().count(),
                source: source.clone(),
                from,
            }
        })
        .collect()
}

/// The offset of each line of a file.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(file: &str) -> Self {
        let newlines = file.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(newlines).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset) - 1
    }
}

/// Replaces the names of generated files in a stream of text by those of cells.
#[derive(Debug, Default)]
pub(crate) struct PlaceNames {
    /// The beginning of a name that has not arrived whole.
    held: String,
}

impl PlaceNames {
    /// Takes more text; gives what is known to be whole.
    pub(crate) fn push(&mut self, text: String, places: &Places) -> String {
        let text = if self.held.is_empty() {
            text
        } else {
            std::mem::take(&mut self.held) + &text
        };
        let mut done = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(CELL_FILE) {
            done.push_str(&rest[..at]);
            let Some((name, length)) = read_name(&rest[at..], places) else {
                rest[at..].clone_into(&mut self.held);
                return done;
            };
            done.push_str(&name);
            rest = &rest[at + length..];
        }
        let part = (SHORTEST_PART..CELL_FILE.len())
            .rev()
            .find(|length| rest.ends_with(&CELL_FILE[..*length]));
        if let Some(length) = part {
            let (whole, part) = rest.split_at(rest.len() - length);
            part.clone_into(&mut self.held);
            rest = whole;
        }
        if done.is_empty() && rest.len() == text.len() {
            return text;
        }
        done + rest
    }

    pub(crate) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Gives what was held back.
    pub(crate) fn settle(&mut self, places: &Places) -> String {
        // What follows a name ends it.
        let mut text = std::mem::take(&mut self.held);
        if text.is_empty() {
            return text;
        }
        text.push('\n');
        text = self.push(text, places);
        text.pop();
        text
    }
}

/// Reads `swath-cell-7/In[3]:40:5` at the beginning of a text: what a person reads instead, and its length here. `None`
/// when it may go on behind the text's end.
fn read_name(text: &str, places: &Places) -> Option<(String, usize)> {
    let as_it_is = || Some((CELL_FILE.to_owned(), CELL_FILE.len()));
    let bytes = text.as_bytes();
    let mut at = CELL_FILE.len();
    let digits = |at: &mut usize| {
        let start = *at;
        while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        (*at < bytes.len()).then(|| &text[start..*at])
    };
    digits(&mut at)?;
    for sign in b"/In[" {
        if bytes.get(at)? != sign {
            return as_it_is();
        }
        at += 1;
    }
    digits(&mut at)?;
    if bytes.get(at)? != &b']' {
        return as_it_is();
    }
    at += 1;
    let file = &text[..at];
    let cell = file.split_once('/').map_or(file, |(_, cell)| cell);
    let mut numbers = [0; 2];
    for number in &mut numbers {
        let is_place = bytes.get(at)? == &b':' && bytes.get(at + 1)?.is_ascii_digit();
        if !is_place {
            return Some((cell.to_owned(), file.len()));
        }
        at += 1;
        *number = digits(&mut at)?.parse().unwrap_or(0);
    }
    let name = places
        .name(file, numbers[0], numbers[1])
        .unwrap_or_else(|| cell.to_owned());
    Some((name, at))
}

#[cfg(test)]
mod tests {
    use super::super::generate::{Parts, generate};
    use super::super::items::ItemStore;
    use super::super::split::Cell;
    use super::super::variables::VariableTable;
    use super::*;
    use swath_link::exchange::cell_file;

    /// Two cells, the second of which repeats the item of the first; the generated file of the second.
    fn two_cells() -> (Places, String) {
        let places = Places::default();
        let mut store = ItemStore::default();
        let mut file = String::new();
        for (number, code) in [
            (1, "let a = 1;\nfn old() -> i32 { dbg!(2) }"),
            (2, "fn new() {}\nlet é = 1; dbg!(é);\nold() + dbg!(3)"),
        ] {
            let source = CellSource::new(number, code);
            let cell = Cell::parse(code, &store.known());
            let merged = store.merge(&cell, &source);
            let generated = generate(&Parts {
                cell: &cell,
                items: &merged.items,
                variables: &VariableTable::default(),
                makes_statics: false,
            });
            places.begin(&Latest {
                serial: u64::from(number) + 5,
                source,
                generated: &generated,
                items: &merged.items,
                shows_value: true,
            });
            store.replace(&merged.items, |_| true);
            file = generated.code;
        }
        (places, file)
    }

    /// The place of a text in the generated file, as the compiler names it.
    fn place(file: &str, needle: &str) -> String {
        let at = file.find(needle).unwrap();
        let line = file[..at].matches('\n').count() + 1;
        let start = file[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let column = file[start..at].chars().count() + 1;
        format!("{}:{line}:{column}", cell_file(7, 2))
    }

    #[test]
    fn places_are_named_by_the_cells_that_users_wrote() {
        let (places, file) = two_cells();
        for (needle, expected) in [
            ("dbg!(2)", "In[1]:2:19"),
            ("dbg!(é)", "In[2]:2:12"),
            ("dbg!(3)", "In[2]:3:9"),
            ("new()", "In[2]:1:4"),
        ] {
            let text = format!("[{}] x = 1\n", place(&file, needle));
            let found = PlaceNames::default().push(text, &places);
            assert_eq!(found, format!("[{expected}] x = 1\n"));
        }
    }

    #[test]
    fn names_that_arrive_in_pieces_are_whole_and_other_text_stays() {
        let (places, file) = two_cells();
        let text = format!(
            "swath swath-cell-x swath-cell-9/x {} {}: swath-cell-99/In[3]:1:2, {}",
            cell_file(7, 2),
            place(&file, "dbg!(2)"),
            place(&file, "dbg!(é)")
        );
        let is_short =
            |part: &str| (1..SHORTEST_PART).any(|length| part.ends_with(&CELL_FILE[..length]));
        for cut in (0..=text.len()).filter(|cut| !is_short(&text[..*cut])) {
            let mut names = PlaceNames::default();
            let mut found = names.push(text[..cut].to_owned(), &places);
            found += &names.push(text[cut..].to_owned(), &places);
            found += &names.settle(&places);
            assert_eq!(
                found, "swath swath-cell-x swath-cell-9/x In[2] In[1]:2:19: In[3], In[2]:2:12",
                "cut at {cut}"
            );
            assert!(!names.holds());
        }
    }

    #[test]
    fn cells_that_are_long_gone_are_forgotten() {
        let (places, _) = two_cells();
        for serial in 0..MOST_CELLS as u64 + 10 {
            places.begin(&Latest {
                serial: 100 + serial,
                source: CellSource::new(3, "1"),
                generated: &Generated::default(),
                items: &[],
                shows_value: false,
            });
        }
        assert_eq!(places.state().known.len(), MOST_CELLS);
        assert_eq!(places.locate(&cell_file(6, 1), 1, 1), None);
    }
}

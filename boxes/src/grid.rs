use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::BoundingBox;

/// Boxes by place and size, so that those that can overlap a box by a given share are found without a look at all others.
///
/// Each box lies on the level whose cells are as long as its longer side or up to twice that: it touches four cells at
/// most. Two boxes that overlap by an intersection over union of `t` have sides whose ratio is `t` at least (the
/// intersection is as wide as the narrower one at most, the union as wide as the wider one at least), so that a search
/// looks at few levels.
#[derive(Debug, Default)]
pub(crate) struct BoxGrid {
    cells: HashMap<Cell, Vec<u32>, BuildHasherDefault<CellHasher>>,
    /// Boxes by class and level, for searches that would visit more cells than there are boxes.
    levels: HashMap<usize, BTreeMap<i32, Vec<u32>>>,
}

#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
struct Cell {
    class: usize,
    level: i32,
    column: i64,
    row: i64,
}

/// Multiplies and mixes: the keys are small integers that nobody chooses against us, and the default hash took most of
/// the time of a million boxes.
#[derive(Debug, Default)]
pub(crate) struct CellHasher(u64);

impl Hasher for CellHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(23) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value as u64);
    }

    fn write_i32(&mut self, value: i32) {
        self.write_u64(value as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

impl BoxGrid {
    /// Adds box number `index`; a box without area or with NaN overlaps nothing and is left out.
    pub(crate) fn insert(&mut self, index: usize, bounds: &BoundingBox, class: usize) {
        if !bounds.is_valid() {
            return;
        }
        let level = level_of(longer_side(bounds));
        let index = index as u32;
        for (column, row) in cells(bounds, level) {
            let cell = Cell {
                class,
                level,
                column,
                row,
            };
            self.cells.entry(cell).or_default().push(index);
        }
        let levels = self.levels.entry(class).or_default();
        levels.entry(level).or_default().push(index);
    }

    /// Takes box number `index` out again.
    pub(crate) fn remove(&mut self, index: usize, bounds: &BoundingBox, class: usize) {
        if !bounds.is_valid() {
            return;
        }
        let level = level_of(longer_side(bounds));
        let index = index as u32;
        let drop_from = |list: &mut Vec<u32>| {
            if let Some(place) = list.iter().position(|&other| other == index) {
                list.swap_remove(place);
            }
        };
        for (column, row) in cells(bounds, level) {
            let cell = Cell {
                class,
                level,
                column,
                row,
            };
            if let Some(list) = self.cells.get_mut(&cell) {
                drop_from(list);
            }
        }
        let levels = self.levels.get_mut(&class);
        if let Some(list) = levels.and_then(|levels| levels.get_mut(&level)) {
            drop_from(list);
        }
    }

    /// Calls `visit` with the boxes of the class that may overlap `bounds` by an intersection over union of `iou` or
    /// more, some of them several times, until it returns `true`; says whether it did.
    pub(crate) fn any_near(
        &self,
        bounds: &BoundingBox,
        class: usize,
        iou: f64,
        mut visit: impl FnMut(usize) -> bool,
    ) -> bool {
        if !bounds.is_valid() {
            return false;
        }
        let Some(levels) = self.levels.get(&class) else {
            return false;
        };
        let (side, reach) = (longer_side(bounds), iou.clamp(0.0, 1.0));
        let (lowest, highest) = (level_of(side * reach), level_of(side / reach));
        for (&level, on_level) in levels.range(lowest..=highest) {
            let (columns, rows) = spans(bounds, level);
            let wide = |(first, last): (i64, i64)| (last - first + 1) as f64;
            if wide(columns) * wide(rows) > on_level.len() as f64 {
                if on_level.iter().any(|&index| visit(index as usize)) {
                    return true;
                }
                continue;
            }
            for (column, row) in cells(bounds, level) {
                let cell = Cell {
                    class,
                    level,
                    column,
                    row,
                };
                let inside = self.cells.get(&cell).into_iter().flatten();
                if inside.into_iter().any(|&index| visit(index as usize)) {
                    return true;
                }
            }
        }
        false
    }
}

fn longer_side(bounds: &BoundingBox) -> f64 {
    bounds.width().max(bounds.height())
}

/// The level whose cells, 2 to its power long, are at least as long as `side`.
fn level_of(side: f64) -> i32 {
    side.log2().ceil().clamp(-64.0, 1023.0) as i32
}

/// First and last columns and rows of the cells that a box touches.
fn spans(bounds: &BoundingBox, level: i32) -> ((i64, i64), (i64, i64)) {
    let edge = 2f64.powi(level);
    let at = |value: f64| (value / edge).floor() as i64;
    (
        (at(bounds.x_min), at(bounds.x_max)),
        (at(bounds.y_min), at(bounds.y_max)),
    )
}

fn cells(bounds: &BoundingBox, level: i32) -> impl Iterator<Item = (i64, i64)> + use<> {
    let ((left, right), (top, bottom)) = spans(bounds, level);
    (top..=bottom).flat_map(move |row| (left..=right).map(move |column| (column, row)))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    /// Boxes of very different sizes and shapes.
    fn boxes(count: usize, seed: u64) -> Vec<BoundingBox> {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        let mut side = || 2f64.powf(random.random_range(-2.0..9.0));
        let sides: Vec<(f64, f64)> = (0..count).map(|_| (side(), side())).collect();
        let mut place = || random.random_range(-300.0..700.0);
        sides
            .into_iter()
            .map(|(width, height)| BoundingBox::from_xywh(place(), place(), width, height))
            .collect()
    }

    #[test]
    fn every_box_that_overlaps_enough_is_found() {
        let boxes = boxes(if cfg!(miri) { 40 } else { 600 }, 3);
        let mut grid = BoxGrid::default();
        for (index, bounds) in boxes.iter().enumerate() {
            grid.insert(index, bounds, index % 2);
        }
        let mut pairs = 0;
        for iou in [0.0, 0.1, 0.5, 0.9] {
            for (index, bounds) in boxes.iter().enumerate() {
                let mut near = vec![false; boxes.len()];
                grid.any_near(bounds, 0, iou, |other| {
                    near[other] = true;
                    false
                });
                for other in 0..boxes.len() {
                    assert!(!near[other] || other % 2 == 0, "another class");
                    let overlap = bounds.iou(&boxes[other]);
                    if other % 2 == 0 && overlap > iou {
                        assert!(near[other], "{index} and {other} overlap by {overlap}");
                        pairs += usize::from(index != other);
                    }
                }
            }
        }
        assert!(pairs > 2_000, "{pairs} pairs: the test would prove little");
    }

    #[test]
    fn a_box_that_was_taken_out_is_not_found() {
        let boxes = boxes(50, 8);
        let mut grid = BoxGrid::default();
        for (index, bounds) in boxes.iter().enumerate() {
            grid.insert(index, bounds, 1);
        }
        grid.remove(7, &boxes[7], 1);
        assert!(!grid.any_near(&boxes[7], 1, 0.0, |index| index == 7));
        assert!(grid.any_near(&boxes[8], 1, 0.0, |index| index == 8));
    }
}

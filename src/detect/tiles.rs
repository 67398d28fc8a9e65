//! Where tiles lie, which of them a box belongs to, and which boxes of neighbors are one object. Arithmetic only.

use crate::boxes::Detection;
use crate::predict::Layout;
use crate::raster::{PixelWindow, Size};

/// How far beyond its own part a tile's boxes are kept, in pixels: two tiles see an object's center a little apart, and
/// one at the border must not fall between them.
const MARGIN: f64 = 8.0;
/// Boxes of two tiles that overlap by this intersection over union are one object.
const SAME: f64 = 0.5;

/// Tiles over an area, row by row.
#[derive(Clone, Debug)]
pub(super) struct Tiles {
    area: PixelWindow,
    columns: Axis,
    rows: Axis,
}

/// One tile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tile {
    /// The pixels to read, in raster coordinates; they reach over the area only when it is smaller than a tile.
    pub(super) window: PixelWindow,
    column: usize,
    row: usize,
}

#[derive(Clone, Debug)]
struct Axis {
    extent: usize,
    window: usize,
    starts: Vec<usize>,
    margin: f64,
}

impl Axis {
    fn new(extent: usize, side: usize, overlap: usize) -> Self {
        let Layout {
            window,
            overlap,
            starts,
        } = Layout::new(extent, side, overlap);
        Self {
            extent,
            window,
            starts,
            margin: MARGIN.min(overlap as f64 / 4.0),
        }
    }

    /// The part of the axis that belongs to a tile: to the middle of what it shares with its neighbors.
    fn own(&self, index: usize) -> (f64, f64) {
        let between = |left: usize| {
            (self.starts[left + 1] as f64 + (self.starts[left] + self.window) as f64) / 2.0
        };
        let low = match index {
            0 => f64::NEG_INFINITY,
            _ => between(index - 1),
        };
        let high = if index + 1 < self.starts.len() {
            between(index)
        } else {
            f64::INFINITY
        };
        (low, high)
    }

    fn keeps(&self, index: usize, at: f64) -> bool {
        let (low, high) = self.own(index);
        (low - self.margin..high + self.margin).contains(&at)
    }

    /// Whether another tile may have kept a box of the same object: it sees the center a little apart, so this reaches
    /// further than what a tile keeps.
    fn is_shared(&self, index: usize, at: f64) -> bool {
        let (low, high) = self.own(index);
        let reach = 3.0 * self.margin;
        (at - low).abs() <= reach || (at - high).abs() <= reach
    }
}

impl Tiles {
    /// Tiles of `side` pixels that overlap by `overlap` pixels over `area`; the last ones are shifted inside.
    pub(super) fn new(area: PixelWindow, side: usize, overlap: usize) -> Self {
        Self {
            area,
            columns: Axis::new(area.width, side, overlap),
            rows: Axis::new(area.height, side, overlap),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.columns.starts.len() * self.rows.starts.len()
    }

    /// Size that the network sees.
    pub(super) fn size(&self) -> Size {
        Size::new(self.columns.window, self.rows.window)
    }

    /// Tile `index` in reading order.
    pub(super) fn get(&self, index: usize) -> Tile {
        let (row, column) = (
            index / self.columns.starts.len(),
            index % self.columns.starts.len(),
        );
        Tile {
            window: PixelWindow::new(
                self.area.col + self.columns.starts[column] as i64,
                self.area.row + self.rows.starts[row] as i64,
                self.columns.window,
                self.rows.window,
            ),
            column,
            row,
        }
    }

    /// The boxes of a tile, in its own pixels, that belong to it, brought to raster coordinates and cut to the area.
    fn own(&self, tile: &Tile, found: Vec<Detection>) -> Vec<(Detection, bool)> {
        let left = self.columns.starts[tile.column] as f64;
        let top = self.rows.starts[tile.row] as f64;
        found
            .into_iter()
            .filter_map(|found| {
                let bounds = found
                    .bounds
                    .translate(left, top)
                    .clip(self.columns.extent as f64, self.rows.extent as f64);
                let (x, y) = bounds.center();
                let kept = bounds.is_valid()
                    && self.columns.keeps(tile.column, x)
                    && self.rows.keeps(tile.row, y);
                let shared =
                    self.columns.is_shared(tile.column, x) || self.rows.is_shared(tile.row, y);
                let bounds = bounds.translate(self.area.col as f64, self.area.row as f64);
                kept.then(|| (found.with_bounds(bounds), shared))
            })
            .collect()
    }
}

/// Boxes of all tiles, joined tile by tile in reading order.
///
/// A tile keeps the boxes whose center lies in its own part or a few pixels beyond; of two boxes that two tiles found of
/// one object there, the better stays. Only boxes near a border are compared, with those of the tiles beside.
pub(super) struct Joined {
    tiles: Tiles,
    kept: Vec<Option<Detection>>,
    /// By column of tiles: places in `kept` of boxes near borders, of the row above (or this row, once passed).
    above: Vec<Vec<usize>>,
    current: Vec<Vec<usize>>,
    row: usize,
}

impl Joined {
    pub(super) fn new(tiles: Tiles) -> Self {
        let columns = tiles.columns.starts.len();
        Self {
            tiles,
            kept: Vec::new(),
            above: vec![Vec::new(); columns],
            current: vec![Vec::new(); columns],
            row: 0,
        }
    }

    /// Takes the boxes of the next tile, in the tile's own pixels.
    pub(super) fn add(&mut self, tile: &Tile, found: Vec<Detection>) {
        if tile.row != self.row {
            self.row = tile.row;
            self.above = std::mem::take(&mut self.current);
            self.current = vec![Vec::new(); self.above.len()];
        }
        for (found, shared) in self.tiles.own(tile, found) {
            if shared && !self.is_best(tile, &found) {
                continue;
            }
            if shared {
                self.current[tile.column].push(self.kept.len());
            }
            self.kept.push(Some(found));
        }
    }

    /// Whether no tile before has found this object better; what they found worse goes.
    fn is_best(&mut self, tile: &Tile, found: &Detection) -> bool {
        let columns =
            tile.column.saturating_sub(1)..(tile.column + 2).min(self.tiles.columns.starts.len());
        let left = (tile.column > 0).then(|| &self.current[tile.column - 1]);
        let others = self.above[columns].iter().chain(left).flatten();
        let mut worse = Vec::new();
        for &place in others {
            let Some(other) = &self.kept[place] else {
                continue;
            };
            if other.class == found.class && other.bounds.iou(&found.bounds) >= SAME {
                if other.score >= found.score {
                    return false;
                }
                worse.push(place);
            }
        }
        for place in worse {
            self.kept[place] = None;
        }
        true
    }

    pub(super) fn finish(self) -> Vec<Detection> {
        self.kept.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::boxes::BoundingBox;

    #[test]
    fn tiles_cover_the_area_and_their_parts_meet() {
        let axis = Axis::new(1000, 256, 64);
        assert_eq!(axis.starts, [0, 192, 384, 576, 744]);
        assert_eq!(axis.own(0), (f64::NEG_INFINITY, 224.0));
        assert_eq!(axis.own(3), (608.0, 788.0));
        assert_eq!(axis.own(4), (788.0, f64::INFINITY));
        assert!(axis.keeps(0, 231.9) && !axis.keeps(0, 232.1));
        let small = Tiles::new(PixelWindow::new(5, 6, 40, 20), 256, 64);
        assert_eq!((small.len(), small.size()), (1, Size::new(64, 32)));
        assert_eq!(small.get(0).window, PixelWindow::new(5, 6, 64, 32));
    }

    /// A detector that finds every object it sees at least half of, cut to the tile, up to a twentieth of its size off.
    fn seen(objects: &[(BoundingBox, usize)], tile: &Tile, random: &mut Pcg64) -> Vec<Detection> {
        let (width, height) = (tile.window.width as f64, tile.window.height as f64);
        let mut found = Vec::new();
        for (bounds, class) in objects {
            let local = bounds.translate(-tile.window.col as f64, -tile.window.row as f64);
            let cut = local.clip(width, height);
            if local.intersection_over_area(&cut) >= 0.5 {
                let mut off = |side: f64| side * random.random_range(-0.05..0.05);
                let (right, down) = (off(cut.width()), off(cut.height()));
                let moved = cut.translate(right, down).clip(width, height);
                found.push(Detection::new(moved, *class, random.random_range(0.1..1.0)));
            }
        }
        found
    }

    #[test]
    fn an_object_on_a_border_is_found_once_and_none_is_lost() {
        let mut random = Pcg64::seed_from_u64(5);
        for round in 0..300 {
            let (width, height) = (random.random_range(100..900), random.random_range(100..700));
            let (side, overlap) = (random.random_range(100..300), random.random_range(60..90));
            let area = PixelWindow::new(
                random.random_range(0..50),
                random.random_range(0..50),
                width,
                height,
            );
            // Objects on a grid that never touch each other, up to 40 px wide, of two classes.
            let mut objects = Vec::new();
            for (x, y) in (0..height / 44)
                .flat_map(|row| (0..width / 44).map(move |column| (column * 44, row * 44)))
            {
                let (w, h) = (
                    random.random_range(12.0..40.0),
                    random.random_range(12.0..40.0),
                );
                let bounds = BoundingBox::from_xywh(x as f64, y as f64, w, h)
                    .translate(area.col as f64, area.row as f64);
                objects.push((bounds, random.random_range(1..3)));
            }
            let tiles = Tiles::new(area, side, overlap);
            let mut joined = Joined::new(tiles.clone());
            for index in 0..tiles.len() {
                let tile = tiles.get(index);
                joined.add(&tile, seen(&objects, &tile, &mut random));
            }
            let found = joined.finish();
            assert_eq!(
                found.len(),
                objects.len(),
                "round {round}: {width} x {height}, tiles of {side}, overlap {overlap}"
            );
            for (bounds, class) in &objects {
                let hits = found
                    .iter()
                    .filter(|found| found.class == *class && found.bounds.iou(bounds) > 0.6)
                    .count();
                assert_eq!(hits, 1, "round {round}: {bounds:?}");
            }
        }
    }

    #[test]
    fn objects_of_two_classes_and_neighbors_at_a_border_all_stay() {
        let tiles = Tiles::new(PixelWindow::new(0, 0, 160, 64), 96, 32);
        assert_eq!(tiles.columns.own(0).1, 80.0);
        let mut joined = Joined::new(tiles.clone());
        let object = |x: f64, class, score| {
            Detection::new(BoundingBox::from_center(x, 30.0, 20.0, 20.0), class, score)
        };
        joined.add(
            &tiles.get(0),
            vec![
                object(80.0, 1, 0.9),
                object(80.0, 2, 0.5),
                object(50.0, 1, 0.4),
            ],
        );
        // The second tile begins at 64.
        joined.add(
            &tiles.get(1),
            vec![object(17.0, 1, 0.8), object(17.0, 2, 0.7)],
        );
        let mut found: Vec<_> = joined
            .finish()
            .iter()
            .map(|found| (found.class, found.bounds.center().0, found.score))
            .collect();
        found.sort_by(|one, other| one.1.total_cmp(&other.1).then(one.0.cmp(&other.0)));
        assert_eq!(found, [(1, 50.0, 0.4), (1, 80.0, 0.9), (2, 81.0, 0.7)]);
    }
}

//! Four chips around a point.

use super::bounds::{cut, shifted};
use super::draw::whole;
use crate::boxes::BoundingBox;
use crate::chips::Chip;
use crate::labels::IGNORE;
use crate::raster::{Patch, Size};

/// What a mosaic lies on: twice as large as a chip, so that a map of the plane finds more of the four around the chip.
pub(super) struct Canvas {
    pub(super) chip: Chip,
    /// Where the chip lies in it, in pixels from its corner to the right and down.
    pub(super) margin: usize,
}

/// The point at which the four meet, in pixels of the canvas of chips of `edge`: anywhere in the chip in its middle.
pub(super) fn draw(random: &mut impl rand::Rng, edge: usize) -> (usize, usize) {
    let margin = edge / 2;
    (
        whole(random, margin..=margin + edge),
        whole(random, margin..=margin + edge),
    )
}

/// Ultralytics' `Mosaic._mosaic4`: the first to the upper left of the point `(x, y)`, then upper right, lower left, lower right,
/// each with the corner that faces the point on it. What none covers is invalid.
pub(super) fn join(four: &[Chip; 4], (x, y): (usize, usize), min_visible: f64) -> Canvas {
    let edge = four[0].patch.size.width;
    let size = Size::new(2 * edge, 2 * edge);
    let labeled = !four[0].labels.is_empty();
    let mut chip = Chip {
        scene: four[0].scene,
        window: four[0].window,
        patch: Patch::invalid(size, four[0].patch.bands),
        labels: vec![IGNORE; if labeled { size.area() } else { 0 }],
        boxes: Vec::new(),
        // Four chips are of no one class.
        class: None,
    };
    for (place, tile) in four.iter().enumerate() {
        let right = if place % 2 == 1 {
            x as i64
        } else {
            x as i64 - edge as i64
        };
        let down = if place / 2 == 1 {
            y as i64
        } else {
            y as i64 - edge as i64
        };
        paste(&mut chip, tile, right, down, min_visible);
    }
    Canvas {
        chip,
        margin: edge / 2,
    }
}

impl Canvas {
    /// The chip in its middle.
    pub(super) fn middle(self, edge: usize, min_visible: f64) -> Chip {
        let size = Size::new(edge, edge);
        let labeled = !self.chip.labels.is_empty();
        let mut middle = Chip {
            scene: self.chip.scene,
            window: self.chip.window,
            patch: Patch::invalid(size, self.chip.patch.bands),
            labels: vec![IGNORE; if labeled { size.area() } else { 0 }],
            boxes: Vec::new(),
            class: None,
        };
        let margin = self.margin as i64;
        paste(&mut middle, &self.chip, -margin, -margin, min_visible);
        middle
    }
}

/// The part of `tile` that lies on `onto` when its corner is moved there.
fn paste(onto: &mut Chip, tile: &Chip, right: i64, down: i64, min_visible: f64) {
    let (size, of_tile) = (onto.patch.size, tile.patch.size);
    let part = |start: i64, length: usize, whole: usize| {
        let first = start.clamp(0, whole as i64) as usize;
        let end = (start + length as i64).clamp(0, whole as i64) as usize;
        first..end.max(first)
    };
    let (rows, columns) = (
        part(down, of_tile.height, size.height),
        part(right, of_tile.width, size.width),
    );
    if rows.is_empty() || columns.is_empty() {
        return;
    }
    let of_labels = onto.labels.len() == size.area() && tile.labels.len() == of_tile.area();
    for row in rows.clone() {
        let to = row * size.width + columns.start..row * size.width + columns.end;
        let from = (row as i64 - down) as usize * of_tile.width;
        let from = from + (columns.start as i64 - right) as usize
            ..from + (columns.end as i64 - right) as usize;
        for band in 0..onto.patch.bands.min(tile.patch.bands) {
            let (to_band, from_band) = (band * size.area(), band * of_tile.area());
            onto.patch.data[to_band + to.start..to_band + to.end]
                .copy_from_slice(&tile.patch.data[from_band + from.start..from_band + from.end]);
        }
        onto.patch.valid[to.clone()].copy_from_slice(&tile.patch.valid[from.clone()]);
        if of_labels {
            onto.labels[to].copy_from_slice(&tile.labels[from]);
        }
    }
    let region = BoundingBox::new(
        columns.start as f64,
        rows.start as f64,
        columns.end as f64,
        rows.end as f64,
    );
    let boxes = tile.boxes.iter();
    onto.boxes
        .extend(boxes.filter_map(|&one| cut(shifted(one, right, down), &region, min_visible)));
}

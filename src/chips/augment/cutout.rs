//! Holes in the imagery.

use std::ops::{Range, RangeInclusive};

use rand::Rng;

use super::draw::{between, whole};
use super::values::BandValues;
use crate::boxes::Annotation;
use crate::chips::Chip;

pub(super) const WHAT_HOLES: &str = "the number of holes";
pub(super) const WHAT_EDGE: &str = "the range of shares of the edge that holes have";

/// Rows and columns.
pub(super) type Hole = (Range<usize>, Range<usize>);

pub(super) fn apply(
    chip: &mut Chip,
    bands: &[BandValues],
    holes: &RangeInclusive<usize>,
    edge: &RangeInclusive<f64>,
    min_visible: f64,
    random: &mut impl Rng,
) {
    let size = chip.patch.size;
    let count = whole(random, holes.clone());
    let mut side = |length: usize| {
        let hole = (between(random, edge) * length as f64).round() as usize;
        let hole = hole.clamp(1, length.max(1));
        let start = whole(random, 0..=length.saturating_sub(hole));
        start..(start + hole).min(length)
    };
    let holes: Vec<Hole> = (0..count)
        .map(|_| (side(size.height), side(size.width)))
        .collect();
    cut(chip, bands, &holes, min_visible);
}

/// Bands become their mean inside the holes, and boxes of which too little is seen are left out.
pub(super) fn cut(chip: &mut Chip, bands: &[BandValues], holes: &[Hole], min_visible: f64) {
    let size = chip.patch.size;
    let mut hidden = vec![false; size.area()];
    for (rows, columns) in holes {
        for row in rows.clone() {
            hidden[row * size.width + columns.start..row * size.width + columns.end].fill(true);
        }
    }
    let patch = &mut chip.patch;
    for (values, band) in patch.data.chunks_exact_mut(size.area().max(1)).zip(bands) {
        for ((value, &valid), &hidden) in values.iter_mut().zip(&patch.valid).zip(&hidden) {
            if hidden && valid != 0 {
                *value = band.mean;
            }
        }
    }
    chip.boxes
        .retain(|one| one.crowd || 1.0 - hidden_share(one, &hidden, size.width) >= min_visible);
}

/// How much of a box is hidden, from 0 to 1.
fn hidden_share(one: &Annotation, hidden: &[bool], width: usize) -> f64 {
    let bounds = one.bounds;
    let height = hidden.len() / width.max(1);
    let pixels = |low: f64, high: f64, length: usize| {
        (low.max(0.0) as usize)..(high.ceil() as usize).min(length)
    };
    // How much of a pixel lies in the box along one axis.
    let part =
        |at: usize, low: f64, high: f64| (high.min(at as f64 + 1.0) - low.max(at as f64)).max(0.0);
    let mut area = 0.0;
    for row in pixels(bounds.y_min, bounds.y_max, height) {
        let down = part(row, bounds.y_min, bounds.y_max);
        for col in pixels(bounds.x_min, bounds.x_max, width) {
            if hidden[row * width + col] {
                area += down * part(col, bounds.x_min, bounds.x_max);
            }
        }
    }
    area / bounds.area().max(f64::MIN_POSITIVE)
}

//! The colours of a scene's classes, chosen when it is given labels or boxes.

use super::Scene;
use super::labelling::Labelling;
use crate::labels::Classes;
use crate::plot::image::{composite, rgb};
use crate::raster::{Patch, PixelWindow, Size};

/// Windows beside each other, and below each other, that are looked at all over the scene.
const ACROSS: usize = 4;
/// Labels that are looked at.
const LABELS: usize = 9;
/// The edge of a window in pixels.
const EDGE: usize = 24;
/// The longest side of a scene that is read whole, and of the smaller version of one that holds such versions.
const SMALL: usize = 160;
/// How many pixels are compared with each colour.
const PIXELS: usize = 1500;

impl Scene {
    /// The scene with a colour for each of its classes: those that somebody has chosen and those that `before` had stay
    /// as they are, the others stand out from the imagery. Only a few small windows are read, whatever the scene's
    /// size; where they cannot be, the colours are as for no imagery at all, and reading the scene tells the error.
    pub(super) fn colored(mut self, before: &Classes) -> Self {
        if self.classes().are_colored() {
            return self;
        }
        let mut classes = self.classes().clone().keeping_colors_of(before);
        if !classes.are_colored() {
            classes.stand_out(&self.ground());
        }
        std::sync::Arc::make_mut(&mut self.inner).classes = classes;
        self
    }

    /// Colours of the imagery as pictures show it, all over the scene and around its labels.
    fn ground(&self) -> Vec<[u8; 3]> {
        let raster = self.raster();
        let (full, size) = (raster.full(), raster.size());
        let longest = size.width.max(size.height);
        let patches: Vec<Patch> = if longest <= SMALL || raster.overview_count() > 0 {
            let scaled = |side: usize| (side * SMALL / longest.max(SMALL)).max(1);
            let size = Size::new(scaled(size.width), scaled(size.height));
            raster.read_scaled(&full, size).into_iter().collect()
        } else {
            self.windows_to_look_at()
                .iter()
                .filter_map(|window| raster.read(window).ok())
                .collect()
        };
        let bands = composite(raster.bands());
        let Ok(image) = rgb(&beside_each_other(&patches), &bands, &[]) else {
            return Vec::new();
        };
        let valid: Vec<u8> = patches
            .iter()
            .flat_map(|patch| patch.valid.clone())
            .collect();
        let pixels: Vec<[u8; 3]> = image
            .data
            .chunks_exact(3)
            .zip(valid)
            .filter(|(_, valid)| *valid != 0)
            .map(|(pixel, _)| [pixel[0], pixel[1], pixel[2]])
            .collect();
        let step = pixels.len().div_ceil(PIXELS).max(1);
        pixels.into_iter().step_by(step).collect()
    }

    /// Windows all over the raster and around some labels, in the order of their rows, which compressed files like.
    fn windows_to_look_at(&self) -> Vec<PixelWindow> {
        let full = self.raster().full();
        let middle = |at: usize, length: usize| (2 * at + 1) * length / (2 * ACROSS);
        let mut centres: Vec<(i64, i64)> = (0..ACROSS * ACROSS)
            .map(|at| {
                let (col, row) = (
                    middle(at % ACROSS, full.width),
                    middle(at / ACROSS, full.height),
                );
                (col as i64, row as i64)
            })
            .collect();
        let labelled: Vec<(f64, f64)> = match (&self.inner.labels, &self.inner.boxes) {
            (Some(Labelling::Polygons { polygons, .. }), _) => some_of(polygons.polygons())
                .filter_map(|(shape, _)| super::around(shape))
                .map(|bounds| bounds.center())
                .collect(),
            (_, Some(boxes)) => some_of(boxes.annotations())
                .map(|one| one.bounds.center())
                .collect(),
            _ => Vec::new(),
        };
        centres.extend(labelled.iter().map(|&(x, y)| (x as i64, y as i64)));
        let half = EDGE as i64 / 2;
        let mut windows: Vec<PixelWindow> = centres
            .into_iter()
            .filter_map(|(col, row)| {
                full.intersect(&PixelWindow::new(col - half, row - half, EDGE, EDGE))
            })
            .collect();
        windows.sort_by_key(|window| (window.row, window.col));
        windows
    }
}

/// At most [`LABELS`] of them, evenly.
fn some_of<T>(all: &[T]) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(LABELS).max(1))
}

/// One patch of one row that holds the pixels of all.
fn beside_each_other(patches: &[Patch]) -> Patch {
    let bands = patches.first().map_or(0, |patch| patch.bands);
    let data = (0..bands)
        .flat_map(|band| patches.iter().flat_map(move |patch| patch.band(band)))
        .copied()
        .collect();
    let valid: Vec<u8> = patches
        .iter()
        .flat_map(|patch| patch.valid.clone())
        .collect();
    Patch {
        size: Size::new(valid.len(), 1),
        bands,
        data,
        valid,
    }
}

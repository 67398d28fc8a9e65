use std::ops::RangeInclusive;

use rand::RngExt;
use serde::Serialize;

use super::options::Layout;
use super::{ChipOptions, ChipsError};
use crate::boxes::{Annotation, BoundingBox};
use crate::raster::{Raster, RasterError};

/// The sizes of the windows that chips are resized from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum WindowSizes {
    Pixels(RangeInclusive<usize>),
    Meters(RangeInclusive<f64>),
}

impl ChipOptions {
    /// Cuts each random chip from a square window whose edge is drawn anew from this range, both ends included, and
    /// resizes it to the chip's size: `Chips::random(400, 256).window_sizes(150..=200)` are 400 chips of 256 pixels that
    /// show 150 to 200 pixels of the scene each. The network learns objects at several scales, and a small object has more
    /// pixels.
    ///
    /// This is what Raster Vision calls `size_lims` and `out_size` (its upper end is left out: `size_lims=(150, 200)` is
    /// `150..=199`), and albumentations `RandomSizedCrop`. Chip `i` has the same window at every run.
    ///
    /// Imagery is resized by [`Patch::resized`](crate::raster::Patch::resized): bilinear, without aliasing where it
    /// shrinks, and without a trace of nodata or of what lies outside the window. Labels are not resized: polygons are
    /// burned by the rule of the pixel's center on the chip's own grid, a label raster gives the value under that center.
    /// Boxes are scaled exactly; [`ChipOptions::min_visible`] and [`ChipOptions::min_valid`] are shares of the window. A
    /// window is read at the file's full resolution, so the time for a chip grows with it.
    ///
    /// Scenes are predicted and validated pixel by pixel: to see one as the network does,
    /// `Scene::open_at(path, Resolution::Factor(chips.zoom()))`.
    ///
    /// Sliding chips, which lie side by side, take a range of one size: `Chips::sliding(256).window_sizes(200..=200)`.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = samples::town(1, 2048)?.scene()?;
    /// let chips = scene.chips(Chips::random(400, 256).window_sizes(150..=200).seed(7))?;
    /// assert_eq!(chips.get(0)?.patch.size.width, 256);
    /// assert!((150..=200).contains(&chips.get(0)?.window.width));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "size_lims")]
    #[doc(alias = "out_size")]
    #[doc(alias = "RandomSizedCrop")]
    pub fn window_sizes(mut self, pixels: RangeInclusive<usize>) -> Self {
        self.windows = Some(WindowSizes::Pixels(pixels));
        self
    }

    /// As [`ChipOptions::window_sizes`], with the range in meters on the ground: the same zooms for scenes of any pixel
    /// size. Each end is rounded to whole pixels.
    #[must_use]
    pub fn window_meters(mut self, meters: RangeInclusive<f64>) -> Self {
        self.windows = Some(WindowSizes::Meters(meters));
        self
    }
}

/// The edges that windows may have, in pixels of the scene, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edges {
    pub(super) smallest: usize,
    pub(super) largest: usize,
}

impl Edges {
    /// Those of the options; without a range, the chip's own `edge`.
    pub(super) fn new(options: &ChipOptions, edge: usize, raster: &Raster) -> crate::Result<Self> {
        let (smallest, largest) = match &options.windows {
            None => (edge, edge),
            Some(WindowSizes::Pixels(range)) => (*range.start(), *range.end()),
            Some(WindowSizes::Meters(range)) => (
                pixels(*range.start(), raster)?,
                pixels(*range.end(), raster)?,
            ),
        };
        Ok(Self { smallest, largest })
    }

    /// Those that some windows have; `None` without any.
    pub(super) fn of(windows: impl Iterator<Item = usize> + Clone) -> Option<Self> {
        Some(Self {
            smallest: windows.clone().min()?,
            largest: windows.max()?,
        })
    }

    /// One of them. A generator of its own is asked, so that places do not depend on whether sizes are drawn.
    pub(super) fn draw(self, random: impl FnOnce() -> rand_pcg::Pcg64Mcg) -> usize {
        if self.smallest == self.largest {
            return self.smallest;
        }
        // As 64 bits, whatever a `usize` has, so that every machine draws the same.
        random().random_range(self.smallest as u64..=self.largest as u64) as usize
    }

    /// Their middle.
    pub(super) fn middle(self) -> f64 {
        (self.smallest as f64 + self.largest as f64) / 2.0
    }
}

/// A length on the ground as whole pixels, at least one.
pub(super) fn pixels(meters: f64, raster: &Raster) -> crate::Result<usize> {
    let (x, y) = raster.gsd().ok_or_else(|| RasterError::UnknownUnit {
        path: raster.path().to_owned(),
    })?;
    Ok(((meters / (x * y).sqrt()).round() as usize).max(1))
}

/// Refuses ranges that hold nothing, and several sizes for sliding chips.
pub(super) fn check(options: &ChipOptions) -> Result<(), ChipsError> {
    let (found, rising, above_0, one) = match &options.windows {
        None => return Ok(()),
        Some(WindowSizes::Pixels(range)) => (
            format!("{range:?} px"),
            range.start() <= range.end(),
            *range.start() > 0,
            range.start() == range.end(),
        ),
        Some(WindowSizes::Meters(range)) => (
            format!("{range:?} m"),
            range.start() <= range.end() && range.end().is_finite(),
            *range.start() > 0.0,
            range.start() == range.end(),
        ),
    };
    let bad = |found: String, expected| {
        Err(ChipsError::BadOption {
            what: "the range of window sizes",
            found,
            expected,
        })
    };
    if !rising {
        return bad(found, "one from a smaller to a larger size");
    }
    if !above_0 {
        return bad(found, "one of sizes above 0");
    }
    if options.layout == Layout::Objects {
        return bad(
            format!("{found} for chips of objects"),
            "none: each has the size of its object",
        );
    }
    if options.layout == Layout::Sliding && !one {
        return bad(
            format!("{found} for sliding chips"),
            "a single size, such as 200..=200, since they lie side by side at one stride,",
        );
    }
    Ok(())
}

/// Boxes of a window of `from` pixels on the grid of a chip of `to`.
pub(super) fn scale_boxes(boxes: &mut [Annotation], from: usize, to: usize) {
    let (from, to) = (from as f64, to as f64);
    // Multiplied before it is divided: a box that ends at the window's edge ends at the chip's exactly.
    let scaled = |at: f64| at * to / from;
    for one in boxes {
        let old = one.bounds;
        one.bounds = BoundingBox::new(
            scaled(old.x_min),
            scaled(old.y_min),
            scaled(old.x_max),
            scaled(old.y_max),
        );
        let corner = |(x, y)| (scaled(x), scaled(y));
        one.outline = one.outline.map(|outline| outline.map(corner));
        one.area = one.area.map(|area| scaled(scaled(area)));
    }
}

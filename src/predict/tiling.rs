//! What segmentation and detection ask alike of the windows that a scene is cut into, and where these begin.

use super::PredictError;
use super::tta::TtaView;
use crate::raster::Size;

/// Sides of windows are multiples of this: the deepest stride of the encoders.
pub(crate) const WINDOW_MULTIPLE: usize = 32;
/// The largest side of a window: beyond it the activations of one window outgrow a usual computer.
const LARGEST_WINDOW: usize = 8192;

/// The choices of [`super::PredictOptions`] and [`crate::detect::DetectionOptions`] about windows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tiling {
    pub(crate) window: usize,
    pub(crate) overlap: Option<usize>,
    /// Unless `overlap` is set, neighbors share one in so many of a window's pixels.
    pub(crate) overlap_divisor: usize,
    pub(crate) batch: Option<usize>,
    pub(crate) flips: bool,
    pub(crate) turns: bool,
    pub(crate) threshold: Option<f32>,
    pub(crate) quiet: bool,
    /// Whether bands in another order and values of another kind than those of the training are taken as they are.
    pub(crate) any_values: bool,
}

impl Tiling {
    pub(crate) fn new(overlap_divisor: usize) -> Self {
        Self {
            window: 512,
            overlap: None,
            overlap_divisor,
            batch: None,
            flips: false,
            turns: false,
            threshold: None,
            quiet: false,
            any_values: false,
        }
    }

    /// Pixels that neighboring windows share.
    pub(crate) fn overlap_pixels(&self) -> usize {
        self.overlap.unwrap_or(self.window / self.overlap_divisor)
    }

    /// How every window is seen.
    pub(crate) fn views(&self) -> Vec<TtaView> {
        TtaView::all(self.flips, self.turns)
    }

    pub(crate) fn check(&self, area: Size) -> Result<(), PredictError> {
        if self.window == 0 || self.window > LARGEST_WINDOW {
            let expected = format!("from 1 to {LARGEST_WINDOW}");
            return Err(wrong("window", &self.window, expected));
        }
        let side = self.window.div_ceil(WINDOW_MULTIPLE) * WINDOW_MULTIPLE;
        // One window over the whole scene overlaps with nothing.
        let overlap = self.overlap_pixels();
        if overlap >= side && side < area.width.max(area.height) {
            let expected = format!("less than the window's {side} pixels");
            return Err(wrong("overlap", &overlap, expected));
        }
        if self.batch == Some(0) {
            return Err(wrong("batch", &0, "at least 1"));
        }
        match self.threshold {
            Some(threshold) => check_probability("threshold", threshold),
            None => Ok(()),
        }
    }
}

pub(crate) fn check_probability(name: &'static str, value: f32) -> Result<(), PredictError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(wrong(name, &value, "a probability from 0 to 1"))
}

/// An option's value that will not do.
pub(crate) fn wrong(
    name: &'static str,
    found: &impl ToString,
    expected: impl Into<String>,
) -> PredictError {
    PredictError::Option {
        name,
        found: found.to_string(),
        expected: expected.into(),
    }
}

/// Where windows lie along an axis.
pub(crate) struct Layout {
    /// Side of a window, a multiple of [`WINDOW_MULTIPLE`]; beyond the extent only when that is smaller than one window.
    pub(crate) window: usize,
    /// Pixels that neighbors share at least.
    pub(crate) overlap: usize,
    /// First pixel of each window, ascending; the last one is shifted inside rather than padded.
    pub(crate) starts: Vec<usize>,
}

impl Layout {
    /// Windows of `side` pixels that overlap by `overlap` over `extent` pixels.
    pub(crate) fn new(extent: usize, side: usize, overlap: usize) -> Self {
        let round_up = |pixels: usize| pixels.max(1).div_ceil(WINDOW_MULTIPLE) * WINDOW_MULTIPLE;
        let window = round_up(side).min(round_up(extent));
        let overlap = overlap.min(window - 1);
        let mut starts = vec![0];
        while starts.last().is_some_and(|start| start + window < extent) {
            let next = starts.len() * (window - overlap);
            starts.push(next.min(extent - window));
        }
        Self {
            window,
            overlap,
            starts,
        }
    }
}

use super::PredictError;
use super::views::View;
use super::windows::WINDOW_MULTIPLE;
use crate::Result;
use crate::raster::Size;

/// How a scene is predicted.
///
/// | choice | unless set |
/// |---|---|
/// | [`PredictOptions::window`] | 512: side of the windows that the network sees, in pixels |
/// | [`PredictOptions::overlap`] | an eighth of the window: pixels that neighbouring windows share and blend over |
/// | [`PredictOptions::batch`] | 1 on the CPU; on a GPU found by trying, from 8 on: windows scored at once |
/// | [`PredictOptions::flips`] | false: every window is seen once, not mirrored too |
/// | [`PredictOptions::turns`] | false: nor turned by quarters |
/// | [`PredictOptions::threshold`] | none: a pixel gets its most probable class, background included |
/// | [`PredictOptions::scores`] | true: keep every class's score, not only the best class |
/// | [`PredictOptions::quiet`] | false: show progress |
///
/// ```
/// use swath::predict::PredictOptions;
/// let options = PredictOptions::new().window(256).overlap(32).batch(4);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PredictOptions {
    pub(super) window: usize,
    overlap: Option<usize>,
    pub(super) batch: Option<usize>,
    flips: bool,
    turns: bool,
    pub(super) threshold: Option<f32>,
    pub(super) scores: bool,
    pub(super) quiet: bool,
}

impl Default for PredictOptions {
    fn default() -> Self {
        Self {
            window: 512,
            overlap: None,
            batch: None,
            flips: false,
            turns: false,
            threshold: None,
            scores: true,
            quiet: false,
        }
    }
}

impl PredictOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Side of the windows in pixels, rounded up to a multiple of 32; at most the scene's own size. Larger windows mean
    /// fewer overlaps and more memory.
    pub fn window(mut self, pixels: usize) -> Self {
        self.window = pixels;
        self
    }

    /// Pixels that neighbouring windows share; their scores fade into each other there.
    pub fn overlap(mut self, pixels: usize) -> Self {
        self.overlap = Some(pixels);
        self
    }

    /// Windows scored at once; fewer when the device's memory runs out.
    pub fn batch(mut self, windows: usize) -> Self {
        self.batch = Some(windows);
        self
    }

    /// Test-time augmentation: every window is also seen mirrored left to right, top to bottom, and both; the four
    /// probabilities of a pixel are averaged. Takes four times as long, and usually scores a little higher.
    ///
    /// ```
    /// use swath::predict::PredictOptions;
    /// let options = PredictOptions::new().flips(true);
    /// ```
    pub fn flips(mut self, mirror: bool) -> Self {
        self.flips = mirror;
        self
    }

    /// Test-time augmentation: [`PredictOptions::flips`], and each of those turned by a quarter too. Takes eight times
    /// as long. For imagery seen from above, where no direction is special.
    pub fn turns(mut self, turn: bool) -> Self {
        self.turns = turn;
        self
    }

    /// A pixel gets the most probable class other than background when its probability is at least this, from 0 to 1,
    /// and background otherwise. Below 0.5 more is found and more of it wrongly.
    pub fn threshold(mut self, probability: f32) -> Self {
        self.threshold = Some(probability);
        self
    }

    /// Whether every class's score is kept, for `scores.tif`; without, the files are smaller.
    pub fn scores(mut self, keep: bool) -> Self {
        self.scores = keep;
        self
    }

    /// Shows no progress.
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// The largest side of a window: beyond it the activations of one window outgrow a usual computer.
    const LARGEST_WINDOW: usize = 8192;

    /// How every window is seen.
    pub(super) fn views(&self) -> Vec<View> {
        View::all(self.flips, self.turns)
    }

    /// Pixels that neighbouring windows share.
    pub(super) fn overlap_pixels(&self) -> usize {
        self.overlap.unwrap_or(self.window / 8)
    }

    pub(super) fn check(&self, area: Size) -> Result<()> {
        if self.window == 0 || self.window > Self::LARGEST_WINDOW {
            let expected = format!("from 1 to {}", Self::LARGEST_WINDOW);
            return Err(PredictError::Option {
                name: "window",
                found: self.window.to_string(),
                expected,
            }
            .into());
        }
        let side = self.window.div_ceil(WINDOW_MULTIPLE) * WINDOW_MULTIPLE;
        // One window over the whole scene overlaps with nothing.
        let overlap = self.overlap_pixels();
        if overlap >= side && side < area.width.max(area.height) {
            let expected = format!("less than the window's {side} pixels");
            return Err(PredictError::Option {
                name: "overlap",
                found: overlap.to_string(),
                expected,
            }
            .into());
        }
        if self.batch == Some(0) {
            let expected = "at least 1".to_owned();
            return Err(PredictError::Option {
                name: "batch",
                found: "0".to_owned(),
                expected,
            }
            .into());
        }
        if let Some(threshold) = self.threshold
            && !(0.0..=1.0).contains(&threshold)
        {
            let expected = "a probability from 0 to 1".to_owned();
            return Err(PredictError::Option {
                name: "threshold",
                found: threshold.to_string(),
                expected,
            }
            .into());
        }
        Ok(())
    }
}

use super::ScoreType;
use super::predictable::Predictable;
use super::threshold_choice::IntoThreshold;
use super::tiling::Tiling;
use crate::models::Segmentation;

/// How a scene is predicted by models of task `T`: the choices of windows, which all tasks have, and those of the task.
/// [`PredictOptions`] are those of segmenters, [`crate::detect::DetectionOptions`] those of detectors.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct OptionsFor<T: Predictable> {
    pub(crate) tiling: Tiling,
    pub(crate) of_task: T::Options,
}

/// How a scene is mapped.
///
/// | choice | unless set |
/// |---|---|
/// | [`PredictOptions::window`] | 512: side of the windows that the network sees, in pixels |
/// | [`PredictOptions::overlap`] | an eighth of the window: pixels that neighboring windows share and blend over |
/// | [`PredictOptions::batch`] | 1 on the CPU; on a GPU found by trying, from 8 on: windows scored at once |
/// | [`PredictOptions::flips`] | false: every window is seen once, not mirrored too |
/// | [`PredictOptions::turns`] | false: nor turned by quarters |
/// | [`PredictOptions::threshold`] | none: a pixel gets its most probable class, background included |
/// | [`PredictOptions::scores`] | true: keep every class's score, not only the best class |
/// | [`PredictOptions::score_type`] | [`ScoreType::U8`]: a byte for each |
/// | [`PredictOptions::any_values`] | false: values unlike those of the training are an error |
/// | [`PredictOptions::quiet`] | false: show progress |
///
/// ```
/// use swath::predict::PredictOptions;
/// let options = PredictOptions::new().window(256).overlap(32).batch(4);
/// ```
pub type PredictOptions = OptionsFor<Segmentation>;

/// The choices that only maps have.
#[derive(Clone, Debug, PartialEq)]
pub struct MapOptions {
    pub(super) scores: bool,
    pub(super) score_type: ScoreType,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self {
            scores: true,
            score_type: ScoreType::default(),
        }
    }
}

impl OptionsFor<Segmentation> {
    /// Whether every class's score is kept, for `scores.tif`; without, the files are smaller.
    #[doc(alias = "probabilities")]
    #[doc(alias = "predict_proba")]
    pub fn scores(mut self, keep: bool) -> Self {
        self.of_task.scores = keep;
        self
    }

    /// How finely scores are kept: bytes, half floats or floats. Finer ones make larger files, in the folder for temporary
    /// files, too.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let options = PredictOptions::new().score_type(ScoreType::F16);
    /// ```
    #[doc(alias = "smooth_as_uint8")]
    #[doc(alias = "dtype")]
    pub fn score_type(mut self, score_type: ScoreType) -> Self {
        self.of_task.score_type = score_type;
        self
    }
}

impl<T: Predictable> Default for OptionsFor<T> {
    fn default() -> Self {
        Self {
            tiling: Tiling::new(T::OVERLAP_DIVISOR),
            of_task: T::Options::default(),
        }
    }
}

impl<T: Predictable> OptionsFor<T> {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Side of the windows in pixels that the network sees, rounded up to a multiple of 32; at most the scene's own size.
    /// Larger windows mean fewer overlaps and more memory.
    #[doc(alias = "window_size")]
    #[doc(alias = "patch_size")]
    #[doc(alias = "chip_size")]
    #[doc(alias = "tile_size")]
    #[doc(alias = "chip_sz")]
    pub fn window(mut self, pixels: usize) -> Self {
        self.tiling.window = pixels;
        self
    }

    /// Pixels that neighboring windows share. Scores of maps fade into each other there; where objects are found it has to
    /// be at least as many as the largest object is wide, or it may be seen in parts only.
    #[doc(alias = "stride")]
    #[doc(alias = "padding")]
    #[doc(alias = "patch_overlap")]
    pub fn overlap(mut self, pixels: usize) -> Self {
        self.tiling.overlap = Some(pixels);
        self
    }

    /// Windows scored at once; fewer when the device's memory runs out.
    #[doc(alias = "batch_size")]
    #[doc(alias = "bs")]
    pub fn batch(mut self, windows: usize) -> Self {
        self.tiling.batch = Some(windows);
        self
    }

    /// Test-time augmentation: every window is also seen mirrored left to right, top to bottom, and both. Takes four times
    /// as long, and usually scores a little higher.
    ///
    /// The four probabilities of a pixel are averaged. Boxes of all views are brought back exactly and those of one object
    /// become one: their mean, weighted by their scores, with the mean score over all views. What only some of the views
    /// find loses score in proportion, which is most of the gain: false finds are seldom repeated.
    ///
    /// # Source
    /// For boxes weighted boxes fusion, Solovyev and others, *Weighted boxes fusion: Ensembling boxes from different object
    /// detection models*, 2021, with its overlap of 0.55, for views instead of models, as their section 4 does for
    /// test-time augmentation.
    ///
    /// ```
    /// use swath::predict::PredictOptions;
    /// let options = PredictOptions::new().flips(true);
    /// ```
    #[doc(alias = "tta")]
    #[doc(alias = "hflip")]
    pub fn flips(mut self, mirror: bool) -> Self {
        self.tiling.flips = mirror;
        self
    }

    /// Test-time augmentation: [`OptionsFor::flips`], and each of those turned by a quarter too. Takes eight times
    /// as long. For imagery seen from above, where no direction is special.
    #[doc(alias = "rot90")]
    pub fn turns(mut self, turn: bool) -> Self {
        self.tiling.turns = turn;
        self
    }

    /// From which probability or score on something is found, from 0 to 1. Lower, and more is found and more of it wrongly.
    ///
    /// Of maps: a pixel gets the most probable class other than background when its probability is at least this, and
    /// background otherwise. Of boxes: the lowest score of a box that is counted, drawn and saved; see
    /// [`crate::detect::SceneBoxes::threshold`].
    #[doc(alias = "confidence")]
    pub fn threshold(mut self, probability: impl IntoThreshold) -> Self {
        self.tiling.threshold = Some(probability.into_threshold());
        self
    }

    /// Shows no progress and no notices.
    #[doc(alias = "verbose")]
    #[doc(alias = "silent")]
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.tiling.quiet = quiet;
        self
    }

    /// Predicts imagery of other values or another order of bands than the model was trained on as it is, with a notice;
    /// otherwise that is an error ([`super::PredictError::OtherValues`], [`super::PredictError::BandOrder`]).
    pub fn any_values(mut self, any: bool) -> Self {
        self.tiling.any_values = any;
        self
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.tiling.quiet
    }

    /// Whether any values will do, and whether to be quiet about them.
    pub(crate) fn of_values(&self) -> (bool, bool) {
        (self.tiling.any_values, self.tiling.quiet)
    }
}

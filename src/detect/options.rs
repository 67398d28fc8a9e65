use crate::Result;
use crate::boxes::BoxFusion;
use crate::models::DetectOptions;
use crate::predict::{Tiling, check_probability, wrong};
use crate::raster::Size;

/// How a scene is searched for objects.
///
/// | choice | unless set |
/// |---|---|
/// | [`DetectionOptions::window`] | 512: side of the tiles that the network sees, in pixels |
/// | [`DetectionOptions::overlap`] | a quarter of the window: pixels that neighboring tiles share |
/// | [`DetectionOptions::batch`] | 1 on the CPU, on a GPU what is fastest of 8 and more: tiles searched at once |
/// | [`DetectionOptions::flips`] | false: every tile is searched once, not mirrored too |
/// | [`DetectionOptions::turns`] | false: nor turned by quarters |
/// | [`DetectionOptions::min_score`] | 0.05: boxes below are dropped for good |
/// | [`DetectionOptions::threshold`] | what the model's validation found best: boxes below are kept, but not shown |
/// | [`DetectionOptions::fusion`] | [`BoxFusion::Nms`] at 0.5: what becomes of boxes that overlap |
/// | [`DetectionOptions::max_boxes`] | 300: the most boxes of one tile |
/// | [`DetectionOptions::any_values`] | false: values unlike those of the training are an error |
/// | [`DetectionOptions::quiet`] | false: show progress |
///
/// ```
/// use swath::detect::DetectionOptions;
/// let options = DetectionOptions::new().window(768).threshold(0.4);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct DetectionOptions {
    pub(super) tiling: Tiling,
    pub(super) network: DetectOptions,
    pub(super) fusion: BoxFusion,
}

impl Default for DetectionOptions {
    fn default() -> Self {
        Self {
            tiling: Tiling::new(4),
            network: DetectOptions::default(),
            fusion: BoxFusion::default(),
        }
    }
}

impl DetectionOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Side of the tiles in pixels, rounded up to a multiple of 32; at most the scene's own size.
    #[doc(alias = "window_size")]
    #[doc(alias = "patch_size")]
    #[doc(alias = "tile_size")]
    pub fn window(mut self, pixels: usize) -> Self {
        self.tiling.window = pixels;
        self
    }

    /// Pixels that neighboring tiles share: at least as many as the largest object is wide, or it may be seen in parts
    /// only.
    #[doc(alias = "patch_overlap")]
    pub fn overlap(mut self, pixels: usize) -> Self {
        self.tiling.overlap = Some(pixels);
        self
    }

    /// Tiles searched at once; fewer when the device's memory runs out.
    #[doc(alias = "batch_size")]
    pub fn batch(mut self, tiles: usize) -> Self {
        self.tiling.batch = Some(tiles);
        self
    }

    /// Test-time augmentation: every tile is also searched mirrored left to right, top to bottom, and both. Takes four
    /// times as long.
    ///
    /// The boxes of all views are brought back exactly and those of one object become one: their mean, weighted by their
    /// scores, with the mean score over all views. What only some of the views find loses score in proportion, which is
    /// most of the gain: false finds are seldom repeated. [`DetectionOptions::fusion`] is for neighboring objects and
    /// tiles afterwards.
    ///
    /// # Source
    /// Weighted boxes fusion, Solovyev and others, *Weighted boxes fusion: Ensembling boxes from different object
    /// detection models*, 2021, with its overlap of 0.55, for views instead of models, as their section 4 does for
    /// test-time augmentation.
    ///
    /// ```
    /// use swath::detect::DetectionOptions;
    /// let options = DetectionOptions::new().flips(true);
    /// ```
    #[doc(alias = "tta")]
    pub fn flips(mut self, mirror: bool) -> Self {
        self.tiling.flips = mirror;
        self
    }

    /// Test-time augmentation: [`DetectionOptions::flips`], and each of those turned by a quarter too. Takes eight times
    /// as long. For imagery seen from above, where no direction is special.
    pub fn turns(mut self, turn: bool) -> Self {
        self.tiling.turns = turn;
        self
    }

    /// The lowest score of a box that is kept. Low ones cost little and are needed for average precision, which looks at
    /// all thresholds.
    #[doc(alias = "score_thresh")]
    #[doc(alias = "conf")]
    pub fn min_score(mut self, score: f32) -> Self {
        self.network.min_score = score;
        self
    }

    /// The lowest score of a box that is counted, drawn and saved; see [`super::SceneBoxes::threshold`].
    #[doc(alias = "confidence")]
    pub fn threshold(mut self, score: f32) -> Self {
        self.tiling.threshold = Some(score);
        self
    }

    /// What becomes of boxes of one class that overlap, within a tile and across tiles.
    #[doc(alias = "nms")]
    #[doc(alias = "iou_threshold")]
    pub fn fusion(mut self, fusion: BoxFusion) -> Self {
        self.fusion = fusion;
        self
    }

    /// The most boxes of one tile, the best ones.
    #[doc(alias = "max_det")]
    #[doc(alias = "detections_per_img")]
    pub fn max_boxes(mut self, boxes: usize) -> Self {
        self.network.max_boxes = boxes;
        self
    }

    /// Shows no progress and no notices.
    #[doc(alias = "verbose")]
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.tiling.quiet = quiet;
        self
    }

    /// Predicts imagery of other values or another order of bands than the model was trained on as it is, with a notice;
    /// otherwise that is an error ([`crate::predict::PredictError::OtherValues`], [`crate::predict::PredictError::BandOrder`]).
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

    /// What the network itself suppresses: all of it with plain suppression; hardly anything where boxes are to be
    /// merged in another way later.
    pub(super) fn of_network(&self) -> DetectOptions {
        let nms_iou = match self.fusion {
            BoxFusion::Nms { iou } => iou,
            _ => 0.9,
        };
        DetectOptions {
            nms_iou,
            ..self.network
        }
    }

    pub(super) fn check(&self, area: Size) -> Result<()> {
        self.tiling.check(area)?;
        if self.network.max_boxes == 0 {
            return Err(wrong("max_boxes", &0, "at least 1").into());
        }
        Ok(check_probability("min_score", self.network.min_score)?)
    }
}

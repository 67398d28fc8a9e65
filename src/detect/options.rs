use crate::Result;
use crate::boxes::BoxFusion;
use crate::models::{DetectOptions, ObjectDetection};
use crate::predict::{OptionsFor, PredictError, check_probability, wrong};
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
pub type DetectionOptions = OptionsFor<ObjectDetection>;

/// The choices that only boxes have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoxOptions {
    pub(super) network: DetectOptions,
    pub(super) fusion: BoxFusion,
}

impl OptionsFor<ObjectDetection> {
    /// The lowest score of a box that is kept. Low ones cost little and are needed for average precision, which looks at
    /// all thresholds.
    #[doc(alias = "score_thresh")]
    #[doc(alias = "conf")]
    pub fn min_score(mut self, score: f32) -> Self {
        self.of_task.network.min_score = score;
        self
    }

    /// What becomes of boxes of one class that overlap, within a tile and across tiles.
    #[doc(alias = "nms")]
    #[doc(alias = "iou_threshold")]
    pub fn fusion(mut self, fusion: BoxFusion) -> Self {
        self.of_task.fusion = fusion;
        self
    }

    /// The most boxes of one tile, the best ones.
    #[doc(alias = "max_det")]
    #[doc(alias = "detections_per_img")]
    pub fn max_boxes(mut self, boxes: usize) -> Self {
        self.of_task.network.max_boxes = boxes;
        self
    }

    /// What the network itself suppresses: all of it with plain suppression; hardly anything where boxes are to be
    /// merged in another way later.
    pub(super) fn of_network(&self) -> DetectOptions {
        let nms_iou = match self.of_task.fusion {
            BoxFusion::Nms { iou } => iou,
            _ => 0.9,
        };
        DetectOptions {
            nms_iou,
            ..self.of_task.network
        }
    }

    pub(super) fn check(&self, area: Size) -> Result<()> {
        self.tiling.check(area)?;
        if self.of_task.network.max_boxes == 0 {
            return Err(wrong("max_boxes", &0, "at least 1").into());
        }
        check_fusion(self.of_task.fusion)?;
        Ok(check_probability(
            "min_score",
            self.of_task.network.min_score,
        )?)
    }
}
/// Whether boxes can be fused so: an overlap is a share, and scores fall by some width.
fn check_fusion(fusion: BoxFusion) -> Result<(), PredictError> {
    match fusion {
        BoxFusion::Nms { iou } | BoxFusion::WeightedBoxes { iou } => {
            if !(0.0..=1.0).contains(&iou) {
                return Err(wrong(
                    "fusion",
                    &format!("{fusion:?}"),
                    "an `iou` from 0 to 1",
                ));
            }
        }
        BoxFusion::SoftNms { sigma, min_score } => {
            if !(sigma.is_finite() && sigma > 0.0) {
                return Err(wrong("fusion", &format!("{fusion:?}"), "a `sigma` above 0"));
            }
            check_probability("fusion's min_score", min_score)?;
        }
    }
    Ok(())
}

//! Networks in the making, and what a saved model tells.

use crate::display::fields::titled_output;
use crate::display::records::number;
use crate::display::{Output, Record, Show, show_fields, show_records};
use crate::models::{
    Blueprint, BundleMeta, CenterNet, DeepLabV3, DeepLabV3Plus, DetectOptions, EncoderKind,
    EncoderOptions, FasterRcnn, Fpn, ImageClassifier, Normalization, OtherShape, Precision,
    PublishedWeights, RetinaNet, Task, TrainedArea, TrainedBand, Unet,
};

impl Record for TrainedBand {
    const COLUMNS: &'static [&'static str] =
        &["name", "type", "min", "2 %", "mean", "98 %", "max", "std"];

    fn cells(&self) -> Vec<String> {
        let numbers = [self.min, self.p2, self.mean, self.p98, self.max, self.std];
        let mut cells = vec![self.name.clone(), self.data_type.to_string()];
        cells.extend(numbers.map(number));
        cells
    }
}

impl Record for PublishedWeights {
    const COLUMNS: &'static [&'static str] = &["name", "what", "address"];

    fn cells(&self) -> Vec<String> {
        [self.name, self.about, self.address]
            .map(str::to_owned)
            .to_vec()
    }
}

show_records!(TrainedBand, PublishedWeights);
show_fields!(
    CenterNet,
    DeepLabV3,
    DeepLabV3Plus,
    DetectOptions,
    EncoderKind,
    EncoderOptions,
    FasterRcnn,
    Fpn,
    ImageClassifier,
    Normalization,
    OtherShape,
    Precision,
    RetinaNet,
    TrainedArea,
    Unet,
);

/// As the network that it is of.
impl<T: Task> Show for Blueprint<T> {
    fn output(&self) -> Output {
        let text = format!("{self:?}");
        let name = text.split([' ', '(']).next().unwrap_or_default();
        titled_output(name, self)
    }
}

impl<T: Task> Show for BundleMeta<T> {
    fn output(&self) -> Output {
        titled_output("BundleMeta", self)
    }
}

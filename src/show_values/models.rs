//! Networks in the making, and what a saved model tells.

use crate::display::fields::titled_output;
use crate::display::records::number;
use crate::display::{Output, Record, Show, escape, show_fields, show_records};
use crate::models::{
    Architecture, BundleMeta, CenterNet, DeepLabOptions, DeepLabV3, DeepLabV3Plus, DetectOptions,
    DetectorArchitecture, EncoderKind, EncoderOptions, FasterRcnn, Fpn, FpnOptions, Normalization,
    OtherShape, Precision, PublishedWeights, RetinaNet, TrainedArea, TrainedBand, Unet,
    UnetOptions,
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
    DeepLabOptions,
    DetectOptions,
    EncoderKind,
    EncoderOptions,
    FpnOptions,
    Normalization,
    OtherShape,
    Precision,
    TrainedArea,
    UnetOptions
);

impl Show for Architecture {
    fn output(&self) -> Output {
        titled_output("Architecture", self)
    }
}

impl Show for DetectorArchitecture {
    fn output(&self) -> Output {
        titled_output("DetectorArchitecture", self)
    }
}

impl<A: std::fmt::Debug> Show for BundleMeta<A> {
    fn output(&self) -> Output {
        titled_output("BundleMeta", self)
    }
}

/// A network by name makes others; it says how.
macro_rules! show_makers {
    ($($maker:ident: $example:literal),+ $(,)?) => {$(
        impl Show for $maker {
            fn output(&self) -> Output {
                let text = concat!(stringify!($maker), " makes networks: `", $example, "`; Tab after `", stringify!($maker), "::` lists all");
                Output::styled(text, escape(text))
            }
        }
    )+};
}

show_makers! {
    Unet: "Unet::resnet50()",
    Fpn: "Fpn::resnet50()",
    DeepLabV3: "DeepLabV3::resnet101()",
    DeepLabV3Plus: "DeepLabV3Plus::resnet101()",
    CenterNet: "CenterNet::resnet18()",
    RetinaNet: "RetinaNet::resnet50()",
    FasterRcnn: "FasterRcnn::resnet50()",
}

//! The networks that Swath has. Each is registered once, in the table of its task (that of detection is in its folder):
//! constructors of its builder, its names in files and in `%fit`, what completes and explains them come from there
//! (`link/networks.json` is written from all tables, for the kernel).

use super::choices::KnownNetwork;
use super::{
    ChipClassification, DeepLabV3, DeepLabV3Plus, Fpn, ImageClassifier, NetworkEntry,
    ObjectDetection, Segmentation, Task, Unet,
};

/// Registers builders of a task: `registered! { Segmentation: TABLE { Unet, "U-Net", "unet", file "unet", on [..]; .. } }`
macro_rules! registered {
    ($task:ty: $table:ident {
        $($builder:ident, $family:literal, $word:literal, file $key:literal, on [$($encoder:ident),+ $(,)?];)+
    }) => {
        /// The registered networks of the task.
        pub(crate) static $table: &[$crate::models::choices::KnownNetwork<$task>] =
            &[$($crate::models::choices::KnownNetwork::of::<$builder>()),+];

        $(
            impl $crate::models::choices::Registered<$task> for $builder {
                const ENTRY: $crate::models::NetworkEntry = $crate::models::NetworkEntry {
                    task: <$task as $crate::models::Task>::NAME,
                    model: <$task as $crate::models::Task>::MODEL,
                    key: $key,
                    word: $word,
                    builder: stringify!($builder),
                    family: $family,
                    encoders: &[$(stringify!($encoder)),+],
                };
            }

            impl $builder {
                $(
                    #[doc = concat!($family, " on ", $crate::models::registry::encoder!(name $encoder), ".")]
                    #[must_use]
                    pub fn $encoder() -> Self {
                        let encoder = $crate::models::registry::encoder!($encoder);
                        <Self as $crate::models::choices::NetworkConfig<$task>>::on(
                            $crate::models::EncoderOptions::new(encoder),
                        )
                    }
                )+
            }

            $crate::models::registry::shared_choices!($builder for $task);
        )+
    };
}

/// The encoder that a constructor is named after.
macro_rules! encoder {
    (name efficientnet_lite0) => {
        "EfficientNet-Lite0, pretrained on ImageNet"
    };
    (name resnet18) => {
        "ResNet-18, from random weights unless `pretrained` or `weights` say otherwise"
    };
    (name resnet34) => {
        "ResNet-34, from random weights unless `pretrained` or `weights` say otherwise"
    };
    (name resnet50) => {
        "ResNet-50, from random weights unless `pretrained` or `weights` say otherwise"
    };
    (name resnet101) => {
        "ResNet-101, from random weights unless `pretrained` or `weights` say otherwise"
    };
    (efficientnet_lite0) => {
        $crate::models::EncoderKind::EfficientnetLite0
    };
    (resnet18) => {
        $crate::models::EncoderKind::Resnet18
    };
    (resnet34) => {
        $crate::models::EncoderKind::Resnet34
    };
    (resnet50) => {
        $crate::models::EncoderKind::Resnet50
    };
    (resnet101) => {
        $crate::models::EncoderKind::Resnet101
    };
}

/// The methods that every builder has.
macro_rules! shared_choices {
    ($builder:ident for $task:ty) => {
        impl $builder {
            /// Whether to start the encoder from ImageNet weights: EfficientNet-Lite0's come from the Python package
            /// index, torchvision's ResNets from PyTorch's server (see [`crate::models::catalog`]).
            #[must_use]
            pub fn pretrained(mut self, pretrained: bool) -> Self {
                $crate::models::choices::NetworkConfig::<$task>::set_pretrained(
                    &mut self, pretrained,
                );
                self
            }

            /// Starts from a state dict (`.pth` or `.safetensors`) of the encoder or of the whole network, as
            /// [`crate::models::load_state_dict`] understands it. `weights_report` says what is used of it.
            ///
            /// Of a whole detector's, such as torchvision's of COCO, layers whose sizes depend on the classes start from
            /// random weights unless their number is the same; all else must be there.
            #[must_use]
            pub fn weights(mut self, path: impl Into<std::path::PathBuf>) -> Self {
                $crate::models::choices::NetworkConfig::<$task>::set_weights(
                    &mut self,
                    &path.into(),
                );
                self
            }

            /// Keeps the encoder as it is while training.
            #[must_use]
            pub fn freeze_encoder(mut self, freeze: bool) -> Self {
                $crate::models::choices::NetworkConfig::<$task>::encoder_mut(&mut self)
                    .freeze_encoder = freeze;
                self
            }

            /// Trains the encoder at `scale` times the learning rate, 0 or more.
            #[must_use]
            pub fn encoder_lr_scale(mut self, scale: f64) -> Self {
                $crate::models::choices::NetworkConfig::<$task>::encoder_mut(&mut self)
                    .encoder_lr_scale = scale;
                self
            }

            /// The encoder and its training.
            #[must_use]
            pub fn encoder_options(&self) -> &$crate::models::EncoderOptions {
                $crate::models::choices::NetworkConfig::<$task>::encoder(self)
            }

            /// The name people know it by, with its encoder.
            #[must_use]
            pub fn name(&self) -> String {
                $crate::models::choices::AnyConfig::<$task>::name(self)
            }

            /// A network to start training from, for imagery of `bands` bands and `classes` classes, background included.
            ///
            /// # Errors
            /// As [`crate::models::Blueprint::build`].
            pub fn build(
                &self,
                bands: usize,
                classes: usize,
                device: &$crate::device::Device,
            ) -> $crate::Result<Box<<$task as $crate::models::Task>::Network>> {
                $crate::models::Blueprint::<$task>::from(self.clone()).build(bands, classes, device)
            }

            /// What [`Self::build`] uses of the state dict it starts from; `None` when it starts from random weights.
            ///
            /// # Errors
            /// As [`crate::models::Blueprint::build`].
            pub fn weights_report(
                &self,
                bands: usize,
                classes: usize,
            ) -> $crate::Result<Option<$crate::models::WeightsReport>> {
                $crate::models::Blueprint::<$task>::from(self.clone())
                    .weights_report(bands, classes)
            }
        }

        impl From<$builder> for $crate::models::Blueprint<$task> {
            fn from(builder: $builder) -> Self {
                Self::known(std::sync::Arc::new(builder))
            }
        }
    };
}

pub(crate) use {encoder, registered, shared_choices};

registered! {
    Segmentation: SEGMENTATION {
        Unet, "U-Net", "unet", file "unet", on [efficientnet_lite0, resnet18, resnet34, resnet50, resnet101];
        Fpn, "FPN", "fpn", file "fpn", on [efficientnet_lite0, resnet18, resnet34, resnet50, resnet101];
        DeepLabV3, "DeepLabV3", "deeplabv3", file "deeplab-v3", on [resnet18, resnet34, resnet50, resnet101];
        DeepLabV3Plus, "DeepLabV3+", "deeplabv3plus", file "deeplab-v3-plus", on [resnet18, resnet34, resnet50, resnet101];
    }
}

registered! {
    ChipClassification: CLASSIFICATION {
        ImageClassifier, "Image classifier", "classifier", file "image-classifier", on [efficientnet_lite0, resnet18, resnet34, resnet50, resnet101];
    }
}

/// All registered networks, in the order in which they are offered. `link/networks.json` holds them for programs that do
/// not link the library.
#[must_use]
pub fn networks() -> Vec<NetworkEntry> {
    let mut all = of::<Segmentation>();
    all.extend(of::<ObjectDetection>());
    all.extend(of::<ChipClassification>());
    all
}

/// Those of a task.
fn of<T: Task>() -> Vec<NetworkEntry> {
    let entry = |known: &KnownNetwork<T>| known.entry.clone();
    T::networks().iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `%fit`, the command line and the docs read.
    #[test]
    fn the_table_of_networks_is_written_for_other_programs() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/link/networks.json");
        let text = serde_json::to_string_pretty(&networks()).unwrap() + "\n";
        if std::env::var_os("SWATH_UPDATE").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(written, text, "run this test with SWATH_UPDATE=1");
    }
}

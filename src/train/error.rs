use std::path::PathBuf;

use crate::Hint;
use crate::host::Step;

/// What can go wrong in [`crate::train`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file that cannot be used.
    #[error(transparent)]
    File(#[from] crate::FileError),
    /// A setting of [`crate::train::FitOptions`] that makes no training.
    #[error("cannot train with {setting} = {found}: expected {expected}")]
    Setting {
        /// The method that sets it.
        setting: &'static str,
        /// The value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Class weights that are not one for each class.
    #[error("cannot train with {found} class weights: expected {}, one for each of {classes:?}", classes.len())]
    ClassWeights {
        /// Weights given.
        found: usize,
        /// The model's classes, background first.
        classes: Vec<String>,
    },
    /// Chips cut from a scene without labels.
    #[error("the {area} has no labels: {scene}")]
    NoLabels {
        /// `training scene` or `validation scene`.
        area: &'static str,
        /// The scene.
        scene: String,
    },
    /// Scenes whose cells get their classes in different ways.
    #[error("cells of {scene} are {found}; those of the first training scene are {expected}")]
    CellRules {
        /// The scene that differs.
        scene: String,
        /// The rule of the first training scene.
        expected: String,
        /// Its own.
        found: String,
    },
    /// A validation area in which nothing can be compared.
    #[error(
        "no window of the validation scene holds a labeled pixel, not even of the background: {scene}"
    )]
    NothingToValidate {
        /// The scene.
        scene: String,
    },
    /// A scene without boxes, for a detector.
    #[error("the {area} has no boxes: {scene}")]
    NoBoxes {
        /// `training scene` or `validation scene`.
        area: &'static str,
        /// The scene.
        scene: String,
    },
    /// A detection network that names no loss.
    #[error("the network gave no loss to train with")]
    NoLoss,
    /// A scene whose classes are not the model's.
    #[error("the {area} has the classes {found:?}, the model has {expected:?}")]
    ClassesDiffer {
        /// `training scene` or `validation scene`.
        area: &'static str,
        /// The model's classes.
        expected: Vec<String>,
        /// The scene's classes.
        found: Vec<String>,
    },
    /// The encoder is to be trained in another way than the rest, and the network does not say which part it is.
    #[error(
        "cannot train the encoder at {share} times the learning rate: the network names no parameters as its encoder's"
    )]
    NoEncoder {
        /// The encoder's share of the learning rate, 0 when it is frozen.
        share: f64,
    },
    /// The chips of an epoch ended before its steps were taken.
    #[error("the chips ended at step {step}, before the end of the epoch")]
    ChipsEnded {
        /// The step, counted from 1.
        step: usize,
    },
    /// The network's output has another shape than the labels.
    #[error(
        "the network gave scores of shape {found:?}, expected {expected:?} ([chips, classes, height, width])"
    )]
    OutputShape {
        /// `[n, classes, h, w]` expected.
        expected: [usize; 4],
        /// What the network gave.
        found: [usize; 4],
    },
    /// The loss became infinite or not a number before any weights were worth keeping.
    #[error("the loss is {loss} at step {step}: training has no usable weights")]
    NotFinite {
        /// The loss.
        loss: f32,
        /// The step, counted from 1.
        step: usize,
    },
    /// The device ran out of memory before any weights were worth keeping.
    #[error(
        "out of memory on {device} at step {step}: {batch} chips of {size} px and {bands} bands do not fit"
    )]
    OutOfMemory {
        /// The device.
        device: String,
        /// The step, counted from 1.
        step: usize,
        /// Chips in a batch.
        batch: usize,
        /// Side of a chip in pixels.
        size: usize,
        /// Bands of a chip.
        bands: usize,
    },
    /// The device has failed in the middle of a run.
    #[error("{device} has failed at step {step}: {reason}")]
    Device {
        /// The device.
        device: String,
        /// The step, counted from 1.
        step: usize,
        /// The folder with the run's checkpoints.
        kept: Option<PathBuf>,
        /// What it says.
        reason: String,
    },
    /// bf16 on a device that does not compute it, or more slowly than f32.
    #[error("cannot train with precision = bf16 on {device}: expected a GPU that computes bf16")]
    Bf16 {
        /// The device.
        device: String,
    },
    /// A checkpoint that cannot be used.
    #[error("cannot resume from the checkpoint: {reason}: {path:?}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tensor could not be read back from the device.
    #[error("cannot read a result back from {device}: {reason}")]
    Read {
        /// The device.
        device: String,
        /// Burn's own error.
        reason: String,
    },
}

impl Hint for TrainError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::File(error) if error.is_absent() => {
                "there is no checkpoint in that folder: write some with `FitOptions::checkpoints(folder)` first".to_owned()
            }
            Self::File(error) => return error.hint(),
            Self::Setting { .. } => return None,
            Self::ClassWeights { .. } => {
                "list the background first, as in `FitOptions::epochs(10).class_weights([1.0, 10.0])`".to_owned()
            }
            Self::NoLabels { .. } => {
                "add them with `scene.with_labels(\"labels.geojson\", \"building\")?` before `split` and `chips`".to_owned()
            }
            Self::CellRules { .. } => {
                "give all scenes one rule with `.with_cells(rule)?`, before `split` and `chips`".to_owned()
            }
            Self::NothingToValidate { .. } => {
                "show the scene: where it is valid, of interest and labeled, it can be validated on".to_owned()
            }
            Self::NoBoxes { .. } => {
                "add them with `scene.with_boxes(\"boxes.xml\", \"tree\")?` before `split` and `chips`".to_owned()
            }
            Self::NoEncoder { .. } => "name them in `encoder_prefixes` of the network, or leave out `freeze_encoder` and \
                 `encoder_lr_scale`"
                .to_owned(),
            Self::ChipsEnded { .. } => "train again, with other chips if it comes again".to_owned(),
            Self::NoLoss => "return at least one loss from `DetectionNetwork::losses`".to_owned(),
            Self::ClassesDiffer { area, expected, found } => {
                let wanted = expected.get(1..).unwrap_or_default();
                if *area == "validation scene" && wanted.iter().all(|class| found.contains(class)) {
                    format!("`valid.only({wanted:?})?` has the model's classes alone")
                } else if *area == "validation scene" {
                    "label both scenes with the same classes: those of the chips' scene are the model's".to_owned()
                } else {
                    "make the model with the classes of the training scene: `scene.classes()`".to_owned()
                }
            }
            Self::OutputShape { .. } => {
                "a network keeps the height and width of its input; chips of a multiple of 32 pixels suit every encoder"
                    .to_owned()
            }
            Self::NotFinite { .. } => {
                "lower the learning rate, as in `FitOptions::epochs(10).lr(1e-4)`, and look for extreme values in the imagery"
                    .to_owned()
            }
            Self::OutOfMemory { batch, .. } if *batch > 1 => {
                let half = batch / 2;
                format!(
                    "lower the batch, as in `FitOptions::epochs(10).batch({half}).accumulate({})`, which keeps the steps as \
                     large; smaller chips or a smaller encoder help as well",
                    batch.div_ceil(half)
                )
            }
            Self::OutOfMemory { .. } => {
                "cut smaller chips, as in `Chips::random(400, 128)`, or choose a smaller encoder".to_owned()
            }
            Self::Bf16 { .. } => {
                "leave `precision` out: the CPU trains in f32, which is faster there; `Device::best()` says which device is used"
                    .to_owned()
            }
            Self::Device { kept, .. } => {
                let go_on = match kept {
                    Some(folder) => format!(
                        "`.resume({:?})` goes on from the last checkpoint",
                        folder.display().to_string()
                    ),
                    None => "`.checkpoints(\"out/training\")` keeps what a run has learned".to_owned(),
                };
                format!(
                    "an error on a GPU lasts for the life of the process: {}, or go on with `Device::cpu().set_current()`; {go_on}",
                    Step::StartAgain
                )
            }
            Self::Checkpoint { .. } => crate::host::either(
                "resume with the settings, chips and architecture of the first run, or leave `resume` out to start again",
                "go on with the settings, chips and network of the first run, or begin anew with `--fresh`",
            )
            .to_owned(),
            Self::Read { .. } => {
                format!("an error on a GPU lasts for the life of the process: {} and lower `batch`", Step::StartAgain)
            }
        })
    }
}

use std::path::PathBuf;

use crate::Hint;
use crate::host::{Step, in_a_shell};

/// What can go wrong in [`crate::models`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file that cannot be used.
    #[error(transparent)]
    File(#[from] crate::FileError),
    /// A model was to be saved over a file that is none.
    #[error("there is a file of that name that is no model: {path:?}")]
    FileOfOthers {
        /// The file.
        path: PathBuf,
    },
    /// A weights file that cannot be read.
    #[error("cannot read weights: {reason}: {path:?}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What the reader met.
        reason: String,
    },
    /// Tensors that do not fit the network they are loaded into.
    #[error("the weights do not fit {network}: {reason}")]
    Mismatch {
        /// The network's name.
        network: String,
        /// The first differences: missing names, other shapes.
        reason: String,
    },
    /// There are no published weights of this name.
    #[error("there are no published weights named {name:?}, there are: {}", names.join(", "))]
    UnknownWeights {
        /// What was asked for.
        name: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// Published weights cannot be fetched.
    #[error("cannot fetch the weights {name} from {address}: {reason}")]
    Fetch {
        /// Their name.
        name: String,
        /// The official address.
        address: String,
        /// What the system said.
        reason: String,
        /// Where a file fetched by hand is looked for.
        folder: PathBuf,
    },
    /// A weights file is not the one that was published.
    #[error("the checksum of the weights is {found}, expected is {expected}…: {path:?}")]
    WeightsChecksum {
        /// The file.
        path: PathBuf,
        /// The first digits of the published SHA-256 sum.
        expected: String,
        /// The file's own.
        found: String,
    },
    /// A file of weights alone, where a bundle was expected.
    #[error(
        "not a Swath bundle but weights alone, without architecture, classes and normalization: {path:?}"
    )]
    WeightsAlone {
        /// The file.
        path: PathBuf,
    },
    /// A bundle that is not one, is damaged, or names things it must not.
    #[error("not a usable Swath bundle: {reason}: {path:?}")]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that is known to be something else.
    #[error("this is no model: it is {found}: {path:?}")]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// A bundle written by a newer Swath.
    #[error("the bundle has format version {found}, this Swath reads up to {supported}: {path:?}")]
    BundleTooNew {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version this library reads.
        supported: u32,
    },
    /// A bundle of a model for something else.
    #[error("the bundle holds a {found} model, expected a {expected} model: {path:?}")]
    OtherTask {
        /// The file.
        path: PathBuf,
        /// What the bundle says it is for.
        found: String,
        /// What was asked for.
        expected: &'static str,
    },
    /// A custom architecture whose constructor this program does not have.
    #[error(
        "the architecture {name:?} was defined in a program or notebook, and its constructor is not here"
    )]
    NoConstructor {
        /// The architecture's name.
        name: String,
        /// The type of the model: `Segmenter`, `Detector` or `Classifier`.
        model: &'static str,
        /// The type of the description: `Architecture`, `DetectorArchitecture` or `ClassifierArchitecture`.
        architecture: &'static str,
    },
    /// A model that was not trained or loaded yet.
    #[error("the model has no weights yet, so it cannot {doing}")]
    NotTrained {
        /// What was asked.
        doing: &'static str,
        /// The type of the model: `Segmenter`, `Detector` or `Classifier`.
        model: &'static str,
    },
    /// A scene with another number of bands than a model or another scene.
    #[error("the {area} has {}, {other} has {}: {scene}", bands(*found), bands(*expected))]
    BandsDiffer {
        /// `scene`, `training scene` or `validation scene`.
        area: &'static str,
        /// What it is compared with.
        other: &'static str,
        /// Bands expected.
        expected: usize,
        /// Bands found.
        found: usize,
        /// The scene.
        scene: String,
    },
    /// A network that torchvision does not have.
    #[error("{network} cannot be exported to torchvision, which has no such network")]
    NotInTorchvision {
        /// The network's name.
        network: String,
    },
    /// A network cannot be built with these sizes.
    #[error("cannot build {network}: {reason}")]
    Build {
        /// The network's name.
        network: String,
        /// Which size is wrong and what is allowed.
        reason: String,
    },
}

impl ModelError {
    /// A description that cannot be written.
    pub(crate) fn description(network: String, error: &serde_json::Error) -> Self {
        let reason = format!("its description cannot be written ({error})");
        Self::Build { network, reason }
    }

    /// Tensors that do not fit: the first three of `problems`, and how many more there are.
    pub(super) fn mismatch(network: &str, problems: &[String]) -> Self {
        let shown = problems[..problems.len().min(3)].join("; ");
        let reason = match problems.len().saturating_sub(3) {
            0 => shown,
            more => format!("{shown}; and {more} more"),
        };
        Self::Mismatch {
            network: network.to_owned(),
            reason,
        }
    }
}

impl Hint for ModelError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::FileOfOthers { .. } => {
                Some("choose another name, such as \"model.swath\", or remove that file first".to_owned())
            }
            Self::Weights { .. } => {
                Some("weights come as a PyTorch state dict (`.pth`, `.pt`) or as `.safetensors`".to_owned())
            }
            Self::Mismatch { .. } => {
                Some("build the same architecture, with the same number of bands and classes, as the weights".to_owned())
            }
            Self::WeightsAlone { .. } => Some(Step::StartFromWeights.to_string()),
            Self::NotAModel { found, .. } => Some(
                if in_a_shell() {
                    "a model is what a notebook's `run.best().save(\"model.swath\")` writes; imagery stands behind it, labels are \
                     given by `--labels FILE`"
                } else if found.contains("labels") {
                    "a scene takes it: `Scene::open(imagery)?.with_labels(path, class)`; a model is what \
                     `.save(\"model.swath\")` writes"
                } else if found.contains("checkpoint") {
                    "`FitOptions::resume(folder)` goes on with the training; a model is what `.save(\"model.swath\")` writes"
                } else if found.contains("imagery") {
                    "`Scene::open(path)` opens it; a model is what `.save(\"model.swath\")` writes"
                } else {
                    "a model is what `.save(\"model.swath\")` writes"
                }
                .to_owned(),
            ),
            Self::Bundle { .. } => Some("write the bundle again with `.save(\"model.swath\")`".to_owned()),
            Self::BundleTooNew { .. } => Some("update Swath, or save the bundle again with this version".to_owned()),
            Self::OtherTask { found, .. } => {
                let known = super::registry::networks().into_iter().find(|known| known.task == *found);
                Some(match known {
                    Some(known) => Step::LoadWith { model: known.model }.to_string(),
                    None => "update Swath: this version does not know the task".to_owned(),
                })
            }
            Self::NoConstructor {
                name,
                model,
                architecture,
            } => Some(format!(
                "run the cell that defines the module, and load with `{model}::load_as(path, \
                 {architecture}::custom({name:?}, …))`"
            )),
            Self::UnknownWeights { .. } => {
                Some("`.weights(path)` takes any file; `swath::models::Catalog` shows those with a name".to_owned())
            }
            Self::Fetch { address, folder, .. } => Some(format!(
                "fetch {address} on any machine and put it into {}, or into a folder that SWATH_WEIGHTS names; or give any \
                 state dict with `.weights(\"path.pth\")`; `.pretrained(false)` starts from random weights",
                folder.display()
            )),
            Self::WeightsChecksum { path, .. } => Some(format!("remove {} and fetch again", path.display())),
            Self::NotTrained { model, .. } => Some(format!(
                "train it with `fit` and use `run.best()`, or load one with `{model}::load`"
            )),
            Self::BandsDiffer { .. } => Some(format!(
                "train, validate and predict on imagery with the same bands: {}",
                Step::ChooseBands
            )),
            Self::NotInTorchvision { .. } => Some(
                "RetinaNet and Faster R-CNN can be exported; `.save(\"model.swath\")` writes any model, as safetensors with \
                 the library's own names"
                    .to_owned(),
            ),
            Self::Build { .. } => None,
        }
    }
}

fn bands(count: usize) -> String {
    match count {
        1 => "1 band".to_owned(),
        _ => format!("{count} bands"),
    }
}

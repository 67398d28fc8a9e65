use std::path::PathBuf;

use crate::Hint;
use crate::evaluate::same_classes;
use crate::host::{Step, either};
use crate::raster::Size;

/// What can go wrong in [`crate::detect`] with boxes; what all predictions share is a [`crate::predict::PredictError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetectError {
    /// Boxes that were found and boxes that are labeled have different classes.
    #[error("the classes differ: expected {} but found {}", expected.join(", "), found.join(", "))]
    ClassesDiffer {
        /// The classes of the boxes that were found.
        expected: Vec<String>,
        /// The classes of the labeled boxes.
        found: Vec<String>,
    },
    /// No threshold makes one box of the scene right.
    #[error("no threshold makes one of the boxes right: {scene}")]
    NothingRight {
        /// The scene's name.
        scene: String,
    },
    /// Boxes were to be scored where none is labeled.
    #[error("the scene has no labeled box to score against: {scene}")]
    NoBoxes {
        /// The scene's name.
        scene: String,
    },
    /// Boxes that were to be read back lack scores.
    #[error("saved boxes have a score each, but {found}: {path:?}")]
    NoScores {
        /// The file.
        path: PathBuf,
        /// What is there in their place.
        found: String,
    },
    /// Saved boxes are of a class that the scene or the caller does not name.
    #[error("the saved boxes are of class `{found}`, the classes are {}: {path:?}", classes.join(", "))]
    UnknownClass {
        /// The file.
        path: PathBuf,
        /// The class, or its number.
        found: String,
        /// The classes.
        classes: Vec<String>,
    },
    /// Nobody names the classes of saved boxes, which have numbers or nothing.
    #[error(
        "the saved boxes do not name their classes, nor does the scene or the caller: {path:?}"
    )]
    NamelessClasses {
        /// The file.
        path: PathBuf,
    },
    /// A file of results is of several images, and a scene is one.
    #[error("the results are of {images} images, expected those of one scene: {path:?}")]
    SeveralImages {
        /// The file.
        path: PathBuf,
        /// Images in the file.
        images: usize,
    },
    /// A vector file that was to hold saved boxes has no areas.
    #[error("none of {features} features is a box ({reasons}): {path:?}")]
    NoSavedBoxes {
        /// The file.
        path: PathBuf,
        /// Features in the file.
        features: usize,
        /// What they are instead, with counts.
        reasons: String,
    },
    /// A folder that no boxes were saved into.
    #[error("the folder holds no boxes that were saved: {path:?}")]
    NoFiles {
        /// The folder.
        path: PathBuf,
        /// Folders in it that hold some.
        below: Vec<PathBuf>,
    },
    /// No saved box lies on the scene.
    #[error("none of {boxes} saved boxes lies on the scene of {scene}: {path:?}")]
    BoxesElsewhere {
        /// The file.
        path: PathBuf,
        /// Boxes in the file.
        boxes: usize,
        /// Size of the scene's raster.
        scene: Size,
    },
}

impl Hint for DetectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::ClassesDiffer { expected, found } => {
                Some(same_classes(expected, found, "with_box_classes"))
            }
            Self::NothingRight { .. } => {
                Some("look at the boxes with `boxes.threshold(0.0)`, and train longer or on more chips".to_owned())
            }
            Self::NoBoxes { .. } => {
                Some(format!(
                    "{} gives a scene its boxes; where it has some, none lies in the pixels that were searched",
                    Step::GiveBoxes
                ))
            }
            Self::NoScores { .. } => Some(
                either(
                    "boxes with scores are what `SceneBoxes::save` writes; labels are given to a scene: \
                     `scene.with_boxes(path, \"class\")`",
                    "boxes with scores are what `swath predict` writes (`boxes.gpkg`); labels are given by `--labels FILE`",
                )
                .to_owned(),
            ),
            Self::UnknownClass { .. } => Some(
                either(
                    "`SceneBoxes::open_with_classes(path, &scene, model.classes())` names the classes of the model that found \
                     the boxes",
                    "score the `boxes.gpkg` beside it, which names its classes; labels must name the same ones",
                )
                .to_owned(),
            ),
            Self::NamelessClasses { path } => {
                let named = path.with_file_name("boxes.gpkg");
                Some(either(
                    format!(
                        "open {named:?} beside it, which names them, or say `SceneBoxes::open_with_classes(path, &scene, \
                         Classes::new([\"tree\"]))`"
                    ),
                    format!("score {named:?} beside it, which names them"),
                ))
            }
            Self::SeveralImages { .. } => {
                Some("keep the results of one image, with one `image_id`, in a file of their own".to_owned())
            }
            Self::NoSavedBoxes { path, .. } => Some(format!(
                "boxes are saved as rectangles, beside their center points: {:?}",
                path.with_file_name("boxes.gpkg")
            )),
            Self::NoFiles { below, .. } => Some(match below.first() {
                Some(first) => format!(
                    "{} of its folders do, one for each scene: open {first:?} with its scene",
                    below.len()
                ),
                None => "`boxes.save(folder)` writes `boxes.gpkg`, `boxes.geojson` and `detections.json`".to_owned(),
            }),
            Self::BoxesElsewhere { .. } => {
                Some("open them with the scene that was searched".to_owned())
            }
        }
    }
}

use std::path::PathBuf;

use crate::Hint;
use crate::paths::told;

/// What can go wrong with chips as files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChipSetError {
    /// A split that cannot be the name of a folder.
    #[error("the split {found:?} cannot be the name of a folder")]
    SplitName {
        /// What was given.
        found: String,
    },
    /// Imagery that PNG does not hold.
    #[error(
        "PNG holds 1, 3 or 4 bands of 8 or 16 bits without sign, the chips have {bands} of {data_type}: {told}", told = told(path)
    )]
    NoPng {
        /// The scene's imagery.
        path: PathBuf,
        /// Bands of the chips.
        bands: usize,
        /// Their type, by GDAL's name.
        data_type: String,
    },
    /// Chips that do not belong to those that the folder holds.
    #[error(
        "the folder holds chips whose {what} {expected}, those to be saved have {found}: {told}", told = told(path)
    )]
    OtherSet {
        /// The folder.
        path: PathBuf,
        /// What differs, as `bands are`.
        what: &'static str,
        /// That of the folder.
        expected: String,
        /// That of the chips.
        found: String,
    },
    /// Files that no chips were saved as.
    #[error("the folder holds files that no chips were saved as: {told}", told = told(path))]
    OfOthers {
        /// The folder or file.
        path: PathBuf,
    },
    /// A manifest that cannot be read.
    #[error("{reason}: {told}", told = told(path))]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A folder in which no chips are found.
    #[error("no chips are found: {reason}: {told}", told = told(path))]
    NoChips {
        /// The folder or archive.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },
    /// Masks of which nobody says what their values are.
    #[error("nothing says what the values of {masks} masks mean: {told}", told = told(path))]
    NoClasses {
        /// The folder.
        path: PathBuf,
        /// Masks there are.
        masks: usize,
    },
    /// Chips without a mask or a label file.
    #[error("{missing} of {of} chips have no {what}, such as {first}: {told}", told = told(path))]
    NoLabels {
        /// The folder of the labels.
        path: PathBuf,
        /// `mask`, `label file`, `entry`.
        what: &'static str,
        /// Chips without one.
        missing: usize,
        /// Chips there are.
        of: usize,
        /// The first of them.
        first: String,
    },
    /// Images that are of the set, and in folders which are not read together with those that are.
    #[error(
        "{} images in folders of another depth would be left out: {}; {read} images lie where those of a set do: {told}",
        found.iter().map(|(_, images)| images).sum::<usize>(),
        found.iter().take(5).map(|(folder, images)| format!("{folder} ({images})")).collect::<Vec<_>>().join(", "),
        told = told(path)
    )]
    NotAll {
        /// The folder of the set.
        path: PathBuf,
        /// The folders within it, each with its images.
        found: Vec<(String, usize)>,
        /// Images that would be read.
        read: usize,
    },
    /// An image of a COCO file that fits several chips equally well.
    #[error(
        "the boxes of {entry:?} would be those of {} chips: {}: {told}",
        chips.len(),
        chips.iter().take(5).map(|chip| chip.display().to_string()).collect::<Vec<_>>().join(", "),
        told = told(path)
    )]
    SharedEntry {
        /// The file.
        path: PathBuf,
        /// The image's name.
        entry: String,
        /// The chips' files.
        chips: Vec<PathBuf>,
    },
    /// Two files that would be of one chip.
    #[error("{first:?} and {second:?} are both of the chip {chip}")]
    Twice {
        /// The chip's name.
        chip: String,
        /// A file.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
    },
    /// A split that the chips do not have.
    #[error("the chips have no split {wanted:?}, there are {}", if there.is_empty() { "none".to_owned() } else { there.join(", ") })]
    NoSplit {
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
    /// Chips of several sizes, or that are no squares, where one size is needed.
    #[error("the chips are not squares of one size: {found}")]
    Sizes {
        /// The sizes, with how many there are of each.
        found: String,
    },
}

impl Hint for ChipSetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::SplitName { .. } => "letters, digits, `_`, `-` and `.`, as in `.split(\"train\")`".to_owned(),
            Self::NoPng { .. } => {
                "leave `.png()` out: GeoTIFF holds any bands; or open the scene with three of its bands, \
                 `OpenOptions::new().bands([3, 2, 1])`"
                    .to_owned()
            }
            Self::OtherSet { .. } => "save into a folder of its own, or remove that one".to_owned(),
            Self::OfOthers { .. } => {
                "choose another folder, or remove these files: chips would be mixed with them".to_owned()
            }
            Self::Manifest { path, .. } => {
                let folder = path.parent().unwrap_or(path);
                format!(
                    "`ChipSet::open(ChipFolder::new({folder:?}).without_manifest())` reads images and masks by their names, with the \
                     classes of `classes.csv`; chips are saved anew into another folder, or into this one after it was removed"
                )
            }
            Self::NoChips { .. } => {
                "a set has `images/` with `masks/` or `labels/` of the same names, in it or in `train/` and `val/`; COCO's \
                 `annotations/*.json`; or archives of Raster Vision's"
                    .to_owned()
            }
            Self::NoClasses { .. } => {
                "`ChipSet::open(ChipFolder::new(folder).values(Classes::new([\"building\"])))` for class indices with 0 as the \
                 background, `.values(LabelValues::codes([(10, \"tree\")]))` for others, `.values(LabelValues::of_file())` where the \
                 masks name their classes themselves"
                    .to_owned()
            }
            Self::NoLabels { .. } => {
                "`ChipFolder::new(folder).skip_missing()` leaves these chips out, `.missing_as_background()` makes them background"
                    .to_owned()
            }
            Self::NotAll { path, found, .. } => {
                let first = found.first().map_or("", |(folder, _)| folder);
                let first = std::path::Path::new(first).parent().unwrap_or(path);
                format!(
                    "move them so that all lie alike, as in `train/images/` and `val/images/`; or open each set by itself: \
                     `ChipSet::open({:?})`",
                    path.join(first)
                )
            }
            Self::SharedEntry { .. } => {
                "give each split a file of its own, called after it as in `annotations/instances_train.json`, or write the folders \
                 into `file_name`"
                    .to_owned()
            }
            Self::Twice { .. } => "remove one of them".to_owned(),
            Self::NoSplit { there, .. } if there.is_empty() => {
                "`set.scenes().split(SceneSplit::random(0.8))` makes one".to_owned()
            }
            Self::NoSplit { .. } => return None,
            Self::Sizes { .. } => {
                "cut chips of one size from them: `set.scenes().chips(Chips::random(1000, 256))`, with `.padded()` where some are \
                 smaller"
                    .to_owned()
            }
        })
    }
}

use std::path::PathBuf;

use crate::host::{either, in_a_shell};
use crate::{Error, Hint};

/// Of many names, so many are written out.
const NAMED: usize = 5;

/// What can go wrong with many scenes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenesError {
    /// There is nothing to open.
    #[error("no scene: {what}")]
    NoScenes {
        /// What was looked at, in words.
        what: String,
    },
    /// A pattern that cannot be one.
    #[error("the pattern {pattern:?} cannot be read: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// Some scenes cannot be used.
    #[error("{} of {of} scenes cannot be {done}: {}", failed.len(), listed(failed.iter().map(|(name, error)| format!("{name} ({error})"))))]
    Broken {
        /// Their names, each with its error in words.
        failed: Vec<(String, String)>,
        /// Scenes there are.
        of: usize,
        /// `opened`, `labeled`, `read`.
        done: &'static str,
        /// What to do about the first of them.
        first_hint: Option<String>,
        /// What leaves them out, where that is no option of opening scenes.
        skip: Option<&'static str>,
    },
    /// Scenes whose bands do not fit together.
    #[error(
        "{} of {of} scenes have other bands than {first} ({}): {}",
        found.len(),
        expected.join(", "),
        listed(found.iter().map(|(name, bands)| format!("{name} ({})", bands.join(", "))))
    )]
    Bands {
        /// The first scene, which the others are compared with.
        first: String,
        /// Its bands.
        expected: Vec<String>,
        /// The scenes that differ, each with its bands.
        found: Vec<(String, Vec<String>)>,
        /// Scenes there are.
        of: usize,
        /// What chooses bands that all have, where that is no option of opening scenes.
        choose: Option<&'static str>,
    },
    /// Parts of a split whose classes are not the same.
    #[error("the classes of {part} are {}, those of the parts before it {}", found.join(", "), expected.join(", "))]
    PartsOfOtherClasses {
        /// The part.
        part: String,
        /// The classes of the first part.
        expected: Vec<String>,
        /// Those of this one.
        found: Vec<String>,
    },
    /// All classes together are more than labels can hold.
    #[error("the scenes have {found} classes together, at most 254 are possible")]
    TooManyClasses {
        /// Different classes.
        found: usize,
    },
    /// Scenes for which there is no label file.
    #[error("{} of {of} scenes have no label file {pattern:?}: {}", missing.len(), listed(missing.iter().cloned()))]
    NoLabelFile {
        /// What was looked for, by pattern or folder.
        pattern: String,
        /// The scenes without one.
        missing: Vec<String>,
        /// Scenes there are.
        of: usize,
        /// Files that are there, if any.
        there: Vec<String>,
    },
    /// A scene for which there is more than one label file.
    #[error("the scene {scene} has {} label files: {}", found.len(), listed(found.iter().cloned()))]
    SeveralLabelFiles {
        /// The scene.
        scene: String,
        /// The files.
        found: Vec<String>,
    },
    /// One label file for scenes of several files.
    #[error("the label file {file:?} would be that of {} scenes of different files: {}", scenes.len(), listed(scenes.iter().cloned()))]
    SharedLabelFile {
        /// The label file.
        file: PathBuf,
        /// The scenes.
        scenes: Vec<String>,
    },
    /// Scenes that a file of boxes for several does not name.
    #[error(
        "{} of {of} scenes are not named in {path:?}: {}; {}",
        missing.len(),
        listed(missing.iter().cloned()),
        match there.is_empty() {
            true => "its images have no names".to_owned(),
            false => format!("it names {}", listed(there.iter().cloned())),
        }
    )]
    NoEntry {
        /// The file.
        path: PathBuf,
        /// The scenes without an image in it.
        missing: Vec<String>,
        /// Scenes there are.
        of: usize,
        /// The images that it names.
        there: Vec<String>,
    },
    /// An image of a file of boxes that fits several scenes equally well.
    #[error(
        "the boxes of {entry:?} would be those of {} scenes of different files: {}: {path:?}",
        scenes.len(),
        listed(scenes.iter().cloned())
    )]
    SharedEntry {
        /// The file.
        path: PathBuf,
        /// The image's name.
        entry: String,
        /// The scenes.
        scenes: Vec<String>,
    },
    /// Boxes for several scenes in a file that names no image.
    #[error("nothing says which of {scenes} scenes the {} of {path:?} {} of", match boxes {
        1 => "box".to_owned(),
        boxes => format!("{boxes} boxes"),
    }, if *boxes == 1 { "is" } else { "are" })]
    NamelessBoxes {
        /// The file.
        path: PathBuf,
        /// Its boxes.
        boxes: usize,
        /// The scenes.
        scenes: usize,
    },
    /// Some label files have the property that names classes, others do not.
    #[error(
        "{} of {of} label files have no property {word:?}, which names the classes in the others: {}",
        without.len(),
        listed(without.iter().cloned())
    )]
    MixedClasses {
        /// What was said of the class.
        word: String,
        /// The scenes whose files do not have it.
        without: Vec<String>,
        /// Scenes there are.
        of: usize,
    },
    /// A table of scenes cannot be read.
    #[error("{reason}: {path:?}")]
    Table {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A STAC item collection cannot be read.
    #[error("{reason}: {path:?}")]
    Stac {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A column or value that the scenes do not have.
    #[error("no scene has the {what} {wanted:?}; there are {}", if there.is_empty() { "none".to_owned() } else { listed(there.iter().cloned()) })]
    NoSuchValue {
        /// `column`, `split`, `scene`.
        what: &'static str,
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
    /// A scene that is to be labeled as a whole, without a class in its row.
    #[error("it has no value in the column {column:?}")]
    NoClass {
        /// The column of the classes.
        column: String,
    },
    /// A share or number of a split that is none.
    #[error("{what} must be {expected}, found {found}")]
    Setting {
        /// What is wrong.
        what: &'static str,
        /// What was asked for.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A split that leaves one side empty.
    #[error(
        "the split leaves no scene {side}: {scenes} scenes in {groups} groups that must stay together"
    )]
    EmptySide {
        /// `to train on`, `to validate on`.
        side: &'static str,
        /// Scenes there are.
        scenes: usize,
        /// Groups of scenes that are not parted.
        groups: usize,
    },
}

/// An error of scenes that were not opened by [`Scenes::open`](super::Scenes::open), with what leaves out those that are broken
/// and what chooses their bands.
pub(crate) fn opened_by(error: Error, skips: &'static str, chooses: &'static str) -> Error {
    match error {
        Error::Scenes(mut error) => {
            match &mut error {
                ScenesError::Broken { skip, .. } => *skip = Some(skips),
                ScenesError::Bands { choose, .. } => *choose = Some(chooses),
                _ => {}
            }
            error.into()
        }
        other => other,
    }
}

/// `a, b, c and 4 more`.
pub(super) fn listed(names: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = names.collect();
    let more = all.len().saturating_sub(NAMED);
    let shown: Vec<String> = all.into_iter().take(NAMED).collect();
    match more {
        0 => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

impl Hint for ScenesError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoScenes { .. } => format!(
                "a folder, a pattern such as {}, or a list of files",
                either("`Scenes::open(\"tiles/*.tif\")?`", "`'tiles/*.tif'`")
            ),
            Self::Pattern { .. } => {
                "`*` stands for any part of a name, `**` for any folders, `?` for a letter, `[` is written `[[]`".to_owned()
            }
            Self::Broken {
                done,
                first_hint,
                skip,
                ..
            } => {
                if *done == "split by area" {
                    return first_hint.clone();
                }
                let skip = match *done {
                    _ if let Some(skip) = skip => *skip,
                    "labeled" => "`ScenesOptions::new().skip_broken()` when they are opened leaves such scenes out, with a count",
                    _ => "`Scenes::open_with(files, ScenesOptions::new().skip_broken())` leaves them out, with a count",
                };
                match first_hint {
                    Some(hint) => format!("{hint}; {skip}"),
                    None => skip.to_owned(),
                }
            }
            Self::Bands {
                choose: Some(choose),
                ..
            } => format!("choose bands that all have: {choose}, by number (from 0) or name"),
            Self::Bands { .. } => {
                "choose bands that all have: `Scenes::open_with(files, OpenOptions::new().bands([0, 1, 2]))`, by number (from 0) or name"
                    .to_owned()
            }
            Self::TooManyClasses { .. } => {
                "name those that count: `scenes.with_classes(files, LabelClass::property(\"class\").others_ignored(), [\"a\", \"b\"])`"
                    .to_owned()
            }
            Self::NoLabelFile {
                there, missing, of, ..
            } if missing.len() == *of && !in_a_shell() => match there.is_empty() {
                true => "`LabelFiles::new(\"labels/{stem}.gpkg\")` says how names go together, where `{stem}` is the name of a \
                         scene's file without its extension"
                    .to_owned(),
                false => format!(
                    "there are {}; `LabelFiles::new(\"labels/{{stem}}_mask.gpkg\")` says how names go together",
                    listed(there.iter().cloned())
                ),
            },
            Self::NoLabelFile { there, .. } if in_a_shell() => format!(
                "{}`--labels 'labels/{{stem}}.gpkg'` says how names go together, where `{{stem}}` is the name of a scene's file \
                 without its extension",
                match there.is_empty() {
                    true => String::new(),
                    false => format!("there are {}; ", listed(there.iter().cloned())),
                }
            ),
            Self::SeveralLabelFiles { .. } if in_a_shell() => {
                "say which: `--labels 'labels/{stem}.gpkg'`, where `{stem}` is the scene's name without extension".to_owned()
            }
            Self::NoLabelFile { there, .. } if !there.is_empty() => format!(
                "there are {}; `LabelFiles::new(\"labels/{{stem}}_mask.gpkg\")` says how names go together, \
                 `.missing_as_background()` or `.skip_missing()` what becomes of scenes without a file",
                listed(there.iter().cloned())
            ),
            Self::NoLabelFile { .. } => {
                "`LabelFiles::new(\"labels/{stem}.gpkg\")` says how names go together, `.missing_as_background()` or \
                 `.skip_missing()` what becomes of scenes without a file"
                    .to_owned()
            }
            Self::SeveralLabelFiles { .. } => {
                "say which: `LabelFiles::new(\"labels/{stem}.gpkg\")`, where `{stem}` is the scene's name without extension"
                    .to_owned()
            }
            Self::MixedClasses { word, .. } => format!(
                "give these files the property, or label all features alike: `LabelClass::one({word:?})`"
            ),
            Self::SharedLabelFile { .. } => {
                "tell them apart by their folders: `\"labels/{parent}/{stem}.png\"`, or `\"{folder}/{stem}.txt\"` for files beside the scenes"
                    .to_owned()
            }
            Self::NoEntry { missing, of, .. } => {
                const ALIKE: &str = "names of images are those of the scenes' files, but for folders, extension and capitals";
                match (missing.len() == *of, in_a_shell()) {
                    (true, _) => format!("check that the file is of these scenes: {ALIKE}"),
                    (false, true) => format!(
                        "name them in the file, without a box if nothing is there; a project file says `missing = \"background\"` or \
                         `\"skip\"`; {ALIKE}"
                    ),
                    (false, false) => format!(
                        "`LabelFiles::new(file).missing_as_background()` says that they hold nothing, as in tables that drop images \
                         without a box, `.skip_missing()` leaves them out; {ALIKE}"
                    ),
                }
            }
            Self::SharedEntry { .. } => {
                "write the folders into the names of the file's images, as in `a/1.png` and `b/1.png`, or rename images that are \
                 called alike"
                    .to_owned()
            }
            Self::NamelessBoxes { .. } => {
                "name the image of each box (`image_path` in a table, `file_name` in COCO), or give each scene a file of its own: \
                 `\"labels/{stem}.csv\"`"
                    .to_owned()
            }
            Self::Table { .. } => {
                "a table has a column `image` with paths, and may have `labels`, `split`, `group` and others".to_owned()
            }
            Self::Stac { .. } => {
                "a STAC item collection is GeoJSON with `assets` in its features, as a STAC API's search answers".to_owned()
            }
            Self::PartsOfOtherClasses { .. } => {
                "label all scenes together and split them then: they have one list of classes".to_owned()
            }
            Self::NoSuchValue { .. } => return None,
            Self::NoClass { column } => {
                format!("write its class into {column}, or open the table with `ScenesOptions::new().skip_broken()`, which leaves such rows out")
            }
            Self::Setting { .. } => return None,
            Self::EmptySide { .. } => {
                "scenes that overlap on the ground, or are of one group, stay together: tiles of one area become one scene by \
                 `Scene::mosaic(files)?`, which `split(Split::columns(0.75))` cuts in two"
                    .to_owned()
            }
        })
    }
}

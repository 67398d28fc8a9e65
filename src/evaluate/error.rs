use std::path::PathBuf;

use strsim::levenshtein;

use crate::Hint;
use crate::host::{Step, either};
use crate::paths::told;
use crate::raster::{PixelWindow, Size};

/// What went wrong with scores.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// Truth and prediction do not cover the same pixels.
    #[error("the truth has {truth} pixels but the prediction has {prediction}")]
    LengthMismatch {
        /// Pixels of the truth.
        truth: usize,
        /// Pixels of the prediction.
        prediction: usize,
    },
    /// A class map holds an index without a class.
    #[error("class index {found} has no class: there are {} ({})", classes.len(), classes.join(", "))]
    ClassOutOfRange {
        /// The index.
        found: usize,
        /// The classes.
        classes: Vec<String>,
    },
    /// Two sides of a comparison have different classes.
    #[error("the classes differ: expected {} but found {}", expected.join(", "), found.join(", "))]
    ClassesDiffer {
        /// The classes of the map or matrix.
        expected: Vec<String>,
        /// The classes of what it was compared with.
        found: Vec<String>,
    },
    /// Scores were asked for where nothing is labeled.
    #[error("the scene has no labeled pixel to score against: {scene}")]
    NoLabels {
        /// The scene's name.
        scene: String,
    },
    /// Cells were to be scored where none counts.
    #[error("no cell counts on {scene}: {uncounted} were looked at, and cells are {rule}")]
    NoCells {
        /// The scene's name.
        scene: String,
        /// Cells that were looked at.
        uncounted: usize,
        /// How cells get their classes, in words.
        rule: String,
    },
    /// The map and the scene to score against share no pixel.
    #[error("the map covers {map} but the scene to score against {scene}: {name}")]
    NoOverlap {
        /// Pixels of the map.
        map: PixelWindow,
        /// Pixels of the scene.
        scene: PixelWindow,
        /// The scene's name.
        name: String,
    },
    /// The map and the scene to score against lie on different pixels.
    #[error("{}: {told}", other_grid(*expected, *found), told = told(path))]
    OtherGrid {
        /// Size of the map's raster.
        expected: Size,
        /// Size of the other raster.
        found: Size,
        /// The other raster.
        path: PathBuf,
    },
    /// No class has the name asked for.
    #[error("there is no class `{name}`: the classes are {}", classes.join(", "))]
    UnknownClass {
        /// The name.
        name: String,
        /// The classes.
        classes: Vec<String>,
    },
}

fn other_grid(expected: Size, found: Size) -> String {
    if expected == found {
        return format!(
            "the map and the scene to score against lie at different places, both on a grid of {expected}"
        );
    }
    format!(
        "the map lies on a grid of {expected} and the scene to score against on another one of {found}"
    )
}

impl Hint for EvaluateError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::LengthMismatch { .. } => None,
            Self::ClassOutOfRange { .. } => Some(
                "255 marks pixels without a label; every other value must be a class index"
                    .to_owned(),
            ),
            Self::ClassesDiffer { expected, found } => {
                Some(same_classes(expected, found, "with_classes"))
            }
            Self::NoLabels { .. } => Some(format!("{} gives a scene its labels", Step::GiveLabels)),
            Self::NoCells { .. } => Some(format!(
                "half of a cell's pixels must be valid, of interest and labeled; another rule is given by {}",
                Step::CellRule
            )),
            Self::NoOverlap { .. } => Some(
                "predict the scene that you score, or the whole scene it is a part of".to_owned(),
            ),
            Self::OtherGrid { .. } => Some(format!(
                "score with the scene that was predicted, or a part of it; another scene is predicted first: {}",
                Step::PredictOther
            )),
            Self::UnknownClass { name, classes } => {
                nearest(name, classes).map(|class| format!("did you mean `{class}`?"))
            }
        }
    }
}

/// How a scene with the classes `found` gets those that are `expected`; both have the background first.
pub(crate) fn same_classes(expected: &[String], found: &[String], method: &str) -> String {
    let wanted = expected.get(1..).unwrap_or_default();
    let in_a_shell = format!(
        "the labels must name the classes that were predicted, {}: `--class` with the property whose values these are, or \
         `--values VALUE:CLASS,…` for a label raster",
        wanted.join(", ")
    );
    if let Some(words) = either(None, Some(in_a_shell)) {
        return words;
    }
    if wanted.is_empty() || wanted.iter().any(|class| !found.contains(class)) {
        return format!(
            "label the scene anew with the map's classes: `scene.{method}(path, property, map.classes())`, where the property's \
             values are these classes"
        );
    }
    let only = format!("`scene.only({wanted:?})?`");
    let so_far = wanted
        .iter()
        .filter_map(|class| found.iter().position(|it| it == class));
    if found.len() > expected.len() && so_far.is_sorted() {
        format!("{only} keeps the labels of the model's classes; the others become background")
    } else {
        format!("{only} puts the scene's classes into the model's order")
    }
}

/// The class whose name is most like `name`, when one is near enough to be meant.
fn nearest<'a>(name: &str, classes: &'a [String]) -> Option<&'a String> {
    let wanted = name.to_lowercase();
    let near = classes
        .iter()
        .map(|class| (levenshtein(&wanted, &class.to_lowercase()), class))
        .min_by_key(|(edits, _)| *edits)?;
    (near.0 <= wanted.chars().count().div_ceil(3)).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::same_classes;

    #[test]
    fn the_way_to_the_same_classes_is_one_that_can_be_gone() {
        let of = |expected: &[&str], found: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let (expected, found): (Vec<String>, Vec<String>) = (owned(expected), owned(found));
            same_classes(&expected, &found, "with_classes")
        };
        let all = ["background", "car", "road", "tree"];
        let fewer = of(&["background", "car", "tree"], &all);
        assert!(
            fewer.starts_with("`scene.only([\"car\", \"tree\"])?` keeps"),
            "{fewer}"
        );
        let turned = of(&["background", "tree", "road", "car"], &all);
        assert!(turned.contains("into the model's order"), "{turned}");
        for wanted in [&["background", "house"][..], &["background"], &[]] {
            let anew = of(wanted, &all);
            assert!(anew.starts_with("label the scene anew"), "{anew}");
        }
    }
}

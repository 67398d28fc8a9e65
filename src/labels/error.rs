use std::path::PathBuf;

use crate::Hint;
use crate::host::{Step, either, in_a_shell};
use crate::paths::told;
use crate::raster::Size;

/// What can go wrong with label rasters: what their values mean, and where they lie.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// A word that is no color.
    #[error("no color is called {found:?}")]
    NoSuchColor {
        /// What was asked for.
        found: String,
        /// Names that are like it.
        near: Vec<String>,
    },
    /// A color for a class that is not there.
    #[error("there is no class {found:?}, the classes are {}", classes.join(", "))]
    NoClassToColor {
        /// What was asked for.
        found: String,
        /// The classes that are like it.
        near: Vec<String>,
        /// All classes.
        classes: Vec<String>,
    },
    /// There are values that nobody has named.
    #[error(
        "the label raster has values that are {expected}: {unknown}; its values are {values}: {told}", told = told(path)
    )]
    UnknownValues {
        /// The label raster.
        path: PathBuf,
        /// What was expected: `none of the class indices 0 background, 1 tree`.
        expected: Box<str>,
        /// The values without a meaning, the most frequent first, with their pixels.
        unknown: Box<str>,
        /// All values, and what else is known of the file.
        values: Box<str>,
        /// Code that says what the values mean.
        suggestion: Box<str>,
    },
    /// 255 is what is ignored by convention, and the only value beside 0.
    #[error(
        "the label raster holds 255 ({pixels} pixels) and no index of {}: by convention 255 is ignored, so that no pixel \
         would be labeled; its values are {values}: {told}",
        classes.join(", "), told = told(path)
    )]
    Only255 {
        /// The label raster.
        path: PathBuf,
        /// Pixels of 255.
        pixels: u64,
        /// The classes that were named, with their indices.
        classes: Vec<String>,
        /// All values.
        values: String,
    },
    /// There are values between whole numbers.
    #[error(
        "the label raster holds fractions ({pixels} pixels, from {low} to {high}), whole numbers are expected: they look \
         like probabilities: {told}", told = told(path)
    )]
    Fractions {
        /// The label raster.
        path: PathBuf,
        /// Pixels with a fraction.
        pixels: u64,
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
        /// The first class that was named.
        class: String,
    },
    /// There are several bands.
    #[error(
        "the label raster has {found} bands ({names}), one of class indices is expected; {counts}: {told}", told = told(path)
    )]
    Bands {
        /// The label raster.
        path: PathBuf,
        /// Its bands.
        found: usize,
        /// What the file calls them.
        names: String,
        /// What they hold.
        counts: String,
        /// Code that says what they mean.
        suggestion: Box<str>,
    },
    /// The bands are not those that were named.
    #[error(
        "{named} bands were named ({}), the label raster has {found} ({names}): {told}", classes.join(", "), told = told(path)
    )]
    OtherBands {
        /// The label raster.
        path: PathBuf,
        /// Classes that were named.
        named: usize,
        /// Their names.
        classes: Vec<String>,
        /// The raster's bands.
        found: usize,
        /// What the file calls them.
        names: String,
    },
    /// Colors were named, and the file has none.
    #[error(
        "colors were named, the label raster has {found} band{} of numbers and no palette: {told}",
        if *found == 1 { "" } else { "s" }, told = told(path)
    )]
    NoColors {
        /// The label raster.
        path: PathBuf,
        /// Its bands.
        found: usize,
    },
    /// Values that cannot be labels.
    #[error("the label raster's values are of type {found}, real numbers are expected: {told}", told = told(path))]
    Type {
        /// The label raster.
        path: PathBuf,
        /// The type.
        found: String,
    },
    /// No value was given a meaning.
    #[error("no class is named for the values of the label raster")]
    NothingNamed,
    /// One value was given two meanings.
    #[error("value {value} is named twice: as {first} and as {second}")]
    NamedTwice {
        /// The value.
        value: String,
        /// What it was first.
        first: String,
        /// What it was then.
        second: String,
    },
    /// There are more classes than labels can hold.
    #[error("{found} classes are named, at most 254 are possible")]
    TooManyClasses {
        /// Classes named.
        found: usize,
    },
    /// A class that is none of those whose indices are to be used.
    #[error("{name:?} is none of the classes {}", classes.join(", "))]
    NoSuchClass {
        /// The name.
        name: String,
        /// The classes there are.
        classes: Vec<String>,
    },
    /// One of both files has no place, and their sizes differ.
    #[error(
        "{which} place on the ground, and the sizes differ: the label raster has {found}, the scene {expected}: {told}", told = told(path)
    )]
    WithoutPlace {
        /// The label raster.
        path: PathBuf,
        /// Which of them, in words, up to `place`.
        which: &'static str,
        /// The label raster's size.
        found: Size,
        /// The scene's.
        expected: Size,
    },
    /// The label raster lies elsewhere.
    #[error(
        "the label raster lies elsewhere: it covers {labels} and the scene {scene}, both in the scene's {crs}{systems}: {told}", told = told(path)
    )]
    Elsewhere {
        /// The label raster.
        path: PathBuf,
        /// Its extent in the scene's coordinates.
        labels: Box<str>,
        /// The scene's extent.
        scene: Box<str>,
        /// The scene's coordinate reference system.
        crs: Box<str>,
        /// How the systems differ, when they do.
        systems: &'static str,
    },
    /// No way leads from one coordinate reference system to the other.
    #[error(
        "the label raster is in {found}, the scene in {expected}, and no way leads from one to the other ({detail}): {told}", told = told(path)
    )]
    OtherSystem {
        /// The label raster.
        path: PathBuf,
        /// The scene's system.
        expected: String,
        /// The label raster's.
        found: String,
        /// Why.
        detail: String,
    },
    /// A style of QGIS that says nothing of values.
    #[error("the QGIS style names no values of a raster ({detail}): {told}", told = told(path))]
    Style {
        /// The style.
        path: PathBuf,
        /// What it is instead.
        detail: Box<str>,
    },
    /// A label raster that says nothing of its values, and was to.
    #[error(
        "the label raster does not say what its values mean: it has no category names, no attribute table with names, and \
         no QGIS style beside it ({style:?}); its values are {values}: {told}", told = told(path)
    )]
    NoNames {
        /// The label raster.
        path: PathBuf,
        /// Where a style would be found.
        style: PathBuf,
        /// All values.
        values: Box<str>,
        /// Code that says what the values mean.
        suggestion: Box<str>,
    },
    /// Text that names no values.
    #[error("{part:?} in {text:?} is not VALUE:CLASS")]
    Text {
        /// All of it.
        text: String,
        /// The part that was not understood.
        part: String,
    },
}

impl Hint for LabelError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchColor { near, .. } => format!(
                "{}write it as \"#ff8800\", as `[255, 136, 0]`, or as one of {}",
                meant(near),
                super::ClassColor::names()
            ),
            Self::NoClassToColor { near, .. } => {
                format!("{}write the class as the label file does, capitals included", meant(near))
            }
            Self::UnknownValues { suggestion, .. }
            | Self::Bands { suggestion, .. }
            | Self::NoNames { suggestion, .. } => suggestion.to_string(),
            Self::Only255 { classes, .. } => {
                let class = classes
                    .first()
                    .and_then(|named| named.split_once(' '))
                    .map_or("CLASS", |(_, name)| name);
                format!(
                    "if 255 is the class: {}; if these pixels are to be ignored: {}",
                    Step::MaskOf255 { class },
                    Step::Ignore255
                )
            }
            Self::Fractions { class, .. } => either(
                format!(
                    "`LabelValues::threshold({class:?}, 0.5)` takes the pixels from 0.5 up as the class; \
                     `.others_are_nearest()` rounds values to those that are named"
                ),
                "write the labels as whole numbers first, such as with `gdal_calc.py --calc=\"A>0.5\" --type=Byte`".to_owned(),
            ),
            Self::OtherBands { .. } if in_a_shell() => {
                "write the labels as one band of class numbers: `--values VALUE:CLASS,…` names them".to_owned()
            }
            Self::OtherBands { .. } => {
                "name one class for each band, in the order of the bands: `LabelValues::bands([…])`".to_owned()
            }
            Self::NoColors { .. } => format!(
                "name the numbers instead: {}; {} lists them",
                either("`LabelValues::codes([(1, \"CLASS\"), …])`", "`--values 1:CLASS,…`"),
                Step::ListValues
            ),
            Self::Type { .. } => "write the labels as whole numbers, one band of type Byte or UInt16".to_owned(),
            Self::NothingNamed => format!(
                "{}; {} lists the values of a raster",
                either("`LabelValues::codes([(1, \"CLASS\"), …])`", "`--values 1:CLASS,…`"),
                Step::ListValues
            ),
            Self::NamedTwice { .. } => "give each value one meaning".to_owned(),
            Self::TooManyClasses { .. } => format!(
                "several values may be one class: {}",
                either(
                    "`LabelValues::codes([(111, \"urban\"), (112, \"urban\"), …])`",
                    "`--values 111:urban,112:urban,…`"
                )
            ),
            Self::NoSuchClass { .. } => "write the class as it was named, capitals included".to_owned(),
            Self::WithoutPlace { .. } => {
                "a mask without a place is taken pixel by pixel when it has the image's own size: save both at the same size, \
                 or both with their place, for example as GeoTIFF or with a world file (`.tfw`, `.pgw`)"
                    .to_owned()
            }
            Self::Elsewhere { .. } => {
                "check that both files belong to the same place, and that each names the coordinate reference system that its \
                 coordinates are in (`swath info FILE`)"
                    .to_owned()
            }
            Self::OtherSystem { .. } => {
                "export the label raster in the scene's coordinate reference system, for example from QGIS (nearest neighbor)"
                    .to_owned()
            }
            Self::Style { .. } => {
                "in QGIS give the raster the symbology Paletted/Unique values with a label for each class, then Style > Save \
                 Style…, format QML"
                    .to_owned()
            }
            Self::Text { .. } => {
                "write `10:tree,50:built,0:background,255:ignore`; a color is written `#ff0000:roof`, every other value `*`; \
                 `file` takes what the raster says itself, `NAME.qml` a style of QGIS"
                    .to_owned()
            }
        })
    }
}

/// `was "orange" or "brown" meant? `; nothing without a guess.
fn meant(near: &[String]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("{name:?}")).collect();
    format!("was {} meant? ", quoted.join(" or "))
}

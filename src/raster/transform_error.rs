use super::{DataType, RasterError};
use crate::Hint;

/// What can go wrong when bands are changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// A text that is no band arithmetic.
    #[error("the expression {text:?} cannot be understood at column {column}: {reason}")]
    Expression {
        /// The text.
        text: String,
        /// Where it is wrong, in characters from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A band that the raster does not have.
    #[error("there is no band {wanted:?}{}, the bands are {}", in_text(text, *column), known.join(", "))]
    UnknownBand {
        /// What was asked for.
        wanted: String,
        /// The expression that names it; empty for a choice of bands.
        text: String,
        /// Where it stands there, in characters from 1.
        column: usize,
        /// The bands there are.
        known: Vec<String>,
    },
    /// A name that several bands have.
    #[error("{wanted:?}{} may be several bands: {}", in_text(text, *column), found.join(", "))]
    SeveralBands {
        /// What was asked for.
        wanted: String,
        /// The expression that names it; empty for a choice of bands.
        text: String,
        /// Where it stands there, in characters from 1.
        column: usize,
        /// The bands that it may be.
        found: Vec<String>,
    },
    /// A new band with the name of another one.
    #[error("a band {name:?} is there already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no spectral index of this name.
    #[error("there is no index {wanted:?}, there are: {}", known.join(", "))]
    UnknownIndex {
        /// What was asked for.
        wanted: String,
        /// The indices there are.
        known: Vec<String>,
    },
    /// Numbers that make no sense together.
    #[error("{what} was asked for: {expected} is expected")]
    Numbers {
        /// What was asked for.
        what: String,
        /// What would be possible.
        expected: String,
    },
    /// A type that values cannot be brought to.
    #[error("values cannot be brought to the type {found}")]
    Type {
        /// The type.
        found: DataType,
    },
    /// A transform that was made for another number of bands.
    #[error("{what} is for {expected} bands, the raster has {found}")]
    OtherCount {
        /// The transform.
        what: String,
        /// How many bands it was made for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A band without one valid pixel, of which no scale can be made.
    #[error("the band {band:?} has no valid pixel, so that {what} has nothing to go by")]
    NothingValid {
        /// The band.
        band: String,
        /// The transform.
        what: String,
    },
    /// What is made of several dates was asked of bands without one.
    #[error("{what} was asked for, and no band has a date")]
    NoDates {
        /// The transform.
        what: String,
    },
    /// No band would be left.
    #[error("no band is left")]
    NoBands,
}

fn in_text(text: &str, column: usize) -> String {
    match text.is_empty() {
        true => String::new(),
        false => format!(" (column {column} of {text:?})"),
    }
}

impl From<TransformError> for crate::Error {
    fn from(error: TransformError) -> Self {
        RasterError::from(error).into()
    }
}

impl Hint for TransformError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Expression { .. } => {
                "names of bands, numbers, `+ - * / ** %`, comparisons, `and or not`, `where(condition, a, b)`, `clip`, \
                 `min`, `max`, `sqrt`, `ln`, … make an expression, such as \"(nir - red) / (nir + red)\""
                    .to_owned()
            }
            Self::UnknownBand { wanted, known, text, .. } => {
                let near = super::band_words::near(wanted, known);
                match (near.is_empty(), text.is_empty()) {
                    (false, _) => format!("was {} meant?", near.join(" or ")),
                    (true, false) => {
                        "a name that is no word is written in quotes, such as \"'band 4' / 'band 3'\"; `nir`, `red`, \
                         `swir1`, … stand for bands that are known to show these: `Scene::stack([(\"nir\", \"B08.tif\"), …])` \
                         names them, and so does a band's description in the file"
                            .to_owned()
                    }
                    (true, true) => "name the bands as `scene.raster().band_names()` does".to_owned(),
                }
            }
            Self::SeveralBands { found, .. } => {
                let first = found.first().map_or("B8", String::as_str);
                format!("write the name of the one that is meant, such as '{first}'")
            }
            Self::NameTaken { .. } => "give the new band another name".to_owned(),
            Self::UnknownIndex { wanted, known } => {
                let near = super::band_words::near(wanted, known);
                match near.is_empty() {
                    false => format!("was {} meant?", near.join(" or ")),
                    true => "any other is written as an expression: `scene.with_band(\"name\", \"(nir - red) / nir\")`"
                        .to_owned(),
                }
            }
            Self::OtherCount { .. } => {
                "choose the bands by `OpenOptions::new().bands([…])`, or change only some: `.on([\"red\", \"nir\"])`".to_owned()
            }
            Self::NothingValid { .. } => {
                "leave the band out: `OpenOptions::new().bands([…])`".to_owned()
            }
            Self::NoDates { .. } => {
                "`Scene::series(\"s2/*.tif\")` opens scenes of several dates as one, with a date for each band".to_owned()
            }
            Self::NoBands => "name at least one band".to_owned(),
            Self::Type { .. } => "possible are U8, I8, U16, I16, U32, I32, F32".to_owned(),
            Self::Numbers { .. } => return None,
        })
    }
}

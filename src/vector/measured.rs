//! Polygons with columns of numbers, as the objects of a map have them.

use geo::MultiPolygon;

/// A polygon to write with its class, its score and a number for each further column.
pub(crate) struct Measured<'a> {
    pub(crate) geometry: &'a MultiPolygon<f64>,
    pub(crate) class: &'a str,
    pub(crate) score: Option<f32>,
    pub(crate) numbers: &'a [f64],
}

/// The one kind of shape that a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shapes {
    Polygons,
    Points,
}

/// What a file of features is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) shapes: Shapes,
    /// The names of the columns of numbers after `class` and `score`.
    pub(crate) numbers: &'a [&'a str],
    /// Bytes of the longest class, which formats with columns of one width need to know before.
    pub(crate) longest_class: usize,
    /// Digits of numbers in a text file; all of them unless set.
    pub(crate) decimals: Option<usize>,
}

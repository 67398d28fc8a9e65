//! Tests of the library as its users see it: one file per subject.

/// Whole scenes predicted, scored and saved.
mod predict;

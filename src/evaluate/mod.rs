//! Scores of a class map against the truth: confusion matrix, precision, recall, F1, IoU. Arithmetic only, no I/O.
//!
//! Rows of a confusion matrix are the truth, columns the prediction, everywhere in this crate. A quotient without a
//! denominator is NaN (`–` in tables, `null` in JSON), never a silent 0: a class that was neither labeled nor
//! predicted has no IoU.
//!
//! ```
//! use swath::evaluate::Confusion;
//! let mut confusion = Confusion::named(["background", "building"]);
//! confusion.add(&[0, 0, 1, 1, 255], &[0, 1, 1, 1, 0])?; // 255 = not labeled, skipped
//! let scores = confusion.scores();
//! assert_eq!(scores.class("building")?.recall, 1.0);
//! assert_eq!(scores.class("building")?.iou, 2.0 / 3.0);
//! # Ok::<(), swath::Error>(())
//! ```

mod confusion;
mod error;
mod json;
mod scores;
mod table;

pub use confusion::Confusion;
pub use error::EvaluateError;
pub(crate) use error::same_classes;
pub use scores::{ClassScore, Scores};
pub(crate) use table::{percent, thousands};

//! Boxes of object detection, on plain numbers: geometry, suppression and merging, label formats, COCO's scores. It knows
//! neither imagery nor networks; the library re-exports it as `swath::boxes`.
//!
//! A crate of its own, because a million boxes want the compiler's highest level and the rest of the library does not.

mod annotation;
mod bounds;
pub mod formats;
mod fusion;
#[cfg(test)]
#[path = "../../tests/fuzz/harness.rs"]
mod fuzz_harness;
mod grid;
mod index;
mod nms;
mod overlap;
mod quadrilateral;
pub mod score;

pub use annotation::{Annotation, Detection};
pub use bounds::BoundingBox;
pub use fusion::{BoxFusion, soft_nms, weighted_boxes};
pub use index::BoxIndex;
pub use nms::{batched_nms, nms};
pub use overlap::iou_matrix;
pub use quadrilateral::Quadrilateral;

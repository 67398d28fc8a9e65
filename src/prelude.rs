//! Everything a notebook needs, in scope in every cell.

pub use crate::chips::{ChipOptions, Chips};
pub use crate::device::Device;
pub use crate::evaluate::{Confusion, Scores};
pub use crate::labels::Classes;
pub use crate::models::{Architecture, Network, Unet};
pub use crate::predict::{PredictOptions, SceneMap};
pub use crate::raster::{PixelWindow, Raster};
pub use crate::scene::{Scene, Split};
pub use crate::train::{Fit, Loss, Run, Segmenter, StopReason};

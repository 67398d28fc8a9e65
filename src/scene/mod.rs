//! A scene: imagery, labels, the area in use.

mod area;
mod error;
mod labelling;
mod open;
mod quicklook;
mod read;
mod show;
mod split;

pub use area::AreaOfInterest;
pub use error::SceneError;
pub use open::Scene;
pub use split::Split;

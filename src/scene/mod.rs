//! A scene: imagery, labels, the area in use.

mod error;

pub use error::SceneError;

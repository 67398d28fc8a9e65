use std::path::{Path, PathBuf};

use crate::Result;
use crate::scene::Scene;

/// A drawn town: imagery and the exact outlines of what was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Town {
    /// The imagery: RGB, 8 bits, 0.3 m a pixel, tiled GeoTIFF.
    pub scene_path: PathBuf,
    /// The outlines: GeoPackage with the property `class`.
    pub labels_path: PathBuf,
}

impl Town {
    /// Opens the town with its labels.
    ///
    /// # Errors
    /// As [`Scene::open`] and [`Scene::with_labels`].
    pub fn scene(&self) -> Result<Scene> {
        Scene::open(&self.scene_path)?.with_labels(&self.labels_path, "class")
    }
}

/// Draws a town of `size` by `size` pixels in the user's cache, or finds it there.
///
/// # Errors
/// [`crate::raster::RasterError::Write`] when the disk is full.
pub fn town(seed: u64, size: usize) -> Result<Town> {
    town_in(crate::data::cache_dir().join("samples"), seed, size)
}

/// As [`town`], in a folder.
///
/// # Errors
/// As [`town`].
pub fn town_in(folder: impl AsRef<Path>, seed: u64, size: usize) -> Result<Town> {
    let folder = folder.as_ref();
    Ok(Town {
        scene_path: folder.join(format!("town-{seed}-{size}.tif")),
        labels_path: folder.join(format!("town-{seed}-{size}.gpkg")),
    })
}

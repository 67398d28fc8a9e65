//! Raw scenes for models that were trained on changed bands.

use super::PredictError;
use crate::Result;
use crate::models::{BundleMeta, Task};
use crate::scene::Scene;

/// The scene with its bands changed as those of the training were; `None` where it is to be taken as it is: nothing was
/// changed in training, the scene has transforms of its own, or its file holds the changed bands already.
///
/// # Errors
/// [`PredictError::OtherTransforms`] for models that were trained on bands changed in different ways;
/// [`crate::raster::TransformError`] when the scene lacks a band.
pub(super) fn prepared<T: Task>(metas: &[&BundleMeta<T>], scene: &Scene) -> Result<Option<Scene>> {
    let Some(first) = metas.first() else {
        return Ok(None);
    };
    if !scene.transforms().is_empty() {
        return Ok(None);
    }
    if metas.iter().any(|meta| meta.transforms != first.transforms) {
        return Err(PredictError::OtherTransforms.into());
    }
    if first.transforms.is_empty() {
        return Ok(None);
    }
    let names = scene.raster().band_names();
    if names == first.band_names && names.len() != first.raw_band_names.len() {
        return Ok(None);
    }
    scene.with_transforms(first.transforms.clone()).map(Some)
}

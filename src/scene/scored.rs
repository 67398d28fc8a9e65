//! What must hold before a prediction is scored against the labels of a scene, whatever was predicted.

use super::Scene;
use crate::evaluate::EvaluateError;
use crate::labels::Classes;
use crate::raster::{PixelWindow, Raster};

impl Scene {
    /// Whether the scene has the very pixels of the imagery that was predicted.
    ///
    /// # Errors
    /// [`EvaluateError::OtherGrid`].
    pub(crate) fn check_grid(&self, predicted: &Raster) -> Result<(), EvaluateError> {
        let own = self.raster();
        if predicted.size() == own.size() && predicted.transform() == own.transform() {
            return Ok(());
        }
        Err(EvaluateError::OtherGrid {
            expected: predicted.size(),
            found: own.size(),
            path: own.path().to_owned(),
        })
    }

    /// Whether the scene has these classes in this order.
    ///
    /// # Errors
    /// [`EvaluateError::ClassesDiffer`].
    pub(crate) fn check_classes(&self, predicted: &Classes) -> Result<(), EvaluateError> {
        if predicted.names() == self.classes().names() {
            return Ok(());
        }
        let owned = |classes: &Classes| classes.names().into_iter().map(str::to_owned).collect();
        Err(EvaluateError::ClassesDiffer {
            expected: owned(predicted),
            found: owned(self.classes()),
        })
    }

    /// The pixels that a prediction of `area` and the area in use both cover.
    ///
    /// # Errors
    /// [`EvaluateError::NoOverlap`].
    pub(crate) fn shared_area(&self, area: PixelWindow) -> Result<PixelWindow, EvaluateError> {
        let shared = area.intersect(&self.area());
        shared.ok_or_else(|| EvaluateError::NoOverlap {
            map: area,
            scene: self.area(),
            name: self.name(),
        })
    }
}

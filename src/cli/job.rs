//! What predicting and scoring are asked to do, whichever of both it is.

use std::path::{Path, PathBuf};

use swath_cli::{
    EvaluateArguments, ImageryOptions, LabelArguments, MapOptions, ModelOptions, ObjectOptions,
    PredictArguments, Views,
};

use super::Failure;
use crate::device::Device;
use crate::models::TrainedBand;
use crate::raster::Resolution;

/// The arguments that `predict` and `evaluate` share.
pub(super) struct Job<'a> {
    /// A bundle or, for scores, what was predicted before.
    pub(super) first: &'a Path,
    pub(super) imagery: &'a ImageryOptions,
    /// The pixel size of what was predicted before, where it is not that of the file.
    pub(super) at: Option<Resolution>,
    /// The bands that the model was trained on, in whose order scenes are opened.
    pub(super) trained: &'a [TrainedBand],
    pub(super) labels: &'a LabelArguments,
    pub(super) aoi: Option<&'a Path>,
    pub(super) threshold: Option<f32>,
    pub(super) quiet: bool,
    pub(super) model: &'a ModelOptions,
    pub(super) objects: &'a ObjectOptions,
    /// Only predicting saves maps.
    pub(super) maps: Option<&'a MapOptions>,
}

impl<'a> From<&'a PredictArguments> for Job<'a> {
    fn from(arguments: &'a PredictArguments) -> Self {
        Self {
            first: &arguments.bundle,
            imagery: &arguments.imagery,
            at: None,
            trained: &[],
            labels: &arguments.labels,
            aoi: arguments.aoi.as_deref(),
            threshold: arguments.threshold,
            quiet: arguments.quiet,
            model: &arguments.model,
            objects: &arguments.objects,
            maps: Some(&arguments.maps),
        }
    }
}

impl<'a> From<&'a EvaluateArguments> for Job<'a> {
    fn from(arguments: &'a EvaluateArguments) -> Self {
        Self {
            first: &arguments.predicted,
            imagery: &arguments.imagery,
            at: None,
            trained: &[],
            labels: &arguments.labels,
            aoi: arguments.aoi.as_deref(),
            threshold: arguments.threshold,
            quiet: arguments.quiet,
            model: &arguments.model,
            objects: &arguments.objects,
            maps: None,
        }
    }
}

impl Job<'_> {
    /// The bundles of the model that the first word names and of those that predict together with it.
    pub(super) fn bundles(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.first).chain(self.model.also.iter().map(PathBuf::as_path))
    }

    /// The device that `--device` names.
    pub(super) fn device(&self) -> Result<Option<Device>, Failure> {
        Ok(self.model.device.map(Device::named).transpose()?)
    }

    /// Test-time augmentation: whether mirrored views are asked for, and whether turned ones are.
    pub(super) fn views(&self) -> (bool, bool) {
        match self.model.tta {
            None => (false, false),
            Some(Views::Flips) => (true, false),
            Some(Views::Turns) => (false, true),
        }
    }

    /// Refuses an option that means nothing for what the first word names: `reason` says what that is.
    pub(super) fn refuse(&self, given: Option<&str>, reason: &str) -> Result<(), Failure> {
        match given {
            None => Ok(()),
            Some(option) => Err(Failure::Usage(format!(
                "'{option}' is not for {}: {reason}",
                self.first.display()
            ))),
        }
    }
}

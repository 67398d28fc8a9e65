//! Training as methods of a model, and the model that a training makes.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::trainable::Trainable;
use super::{EpochRecord, FitOptions, LrFinder, Run, fit, lr_finder};
use crate::chips::Chips;
use crate::device::Device;
use crate::models::{AnyModule as _, BundleMeta, Model, Normalization, TrainedBand};
use crate::predict::ground_pixel;
use crate::raster::DataType;
use crate::scenes::Scenes;
use crate::{Result, session};

impl<T: Trainable> Model<T> {
    /// Trains on `chips` and validates on `valid`, one scene or many, after every pass over them. A model that has weights goes on from
    /// them; this model itself stays as it is, and [`Run::best`] is the new one.
    ///
    /// Defaults, all methods of [`FitOptions`]: 4 chips a step; AdamW with weight decay 0.01 and a one-cycle learning rate
    /// of at most 1e-3; all gradients together clipped to norm 1; no early stop, no checkpoints; seed 0. Input is
    /// normalized as [`crate::models::Blueprint::normalization`] says.
    ///
    /// | | `Segmenter` | `Detector` |
    /// |---|---|---|
    /// | loss | cross-entropy + dice, or [`FitOptions::loss`] | the network's own; [`FitOptions::loss`] and [`FitOptions::class_weights`] are errors |
    /// | best epoch | highest mean IoU on `valid` | highest AP50 on `valid`, where each window is an image of its own |
    /// | then | | the threshold with the highest F1 there becomes the model's |
    ///
    /// Where `valid` holds no class but the background, the lowest loss decides ([`super::ValidationScores::main`]), and
    /// [`Run::report`] says so.
    ///
    /// A live view shows progress, curves and an example. **Interrupting the cell stops the training within one step and
    /// is not an error**: the run comes back with the best weights so far, and [`Run::stopped`] says
    /// [`super::StopReason::Interrupted`].
    ///
    /// # Errors
    /// [`super::TrainError`]: scenes without labels or boxes, with other classes than the model; a checkpoint of another
    /// run; a loss that is not finite before the first validation. [`crate::models::ModelError`]: choices of the network
    /// that are impossible, scenes of other bands. [`crate::device::DeviceError`] when the device asked for is absent.
    /// Errors of reading chips.
    #[doc(alias = "train")]
    #[doc(alias = "train_model")]
    #[doc(alias = "fit_one_cycle")]
    #[doc(alias = "fine_tune")]
    #[doc(alias = "learn")]
    pub fn fit(
        &self,
        chips: &Chips,
        valid: impl Into<Scenes>,
        options: impl Borrow<FitOptions>,
    ) -> Result<Run<Self>> {
        fit::fit(
            self,
            chips,
            &valid.into(),
            options.borrow(),
            &session::interrupted,
        )
    }

    /// Looks for a learning rate: a short training (100 steps, or those of [`FitOptions::steps`]) whose rate rises from 1e-7 to
    /// 10, or until the loss blows up. [`LrFinder::valley`] is the rate to use. This model stays as it is.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(model: &Segmenter, chips: &Chips, valid: &Scene) -> swath::Result<()> {
    /// let search = model.find_rate(chips, FitOptions::epochs(12))?;
    /// let rate = search.valley().unwrap_or(1e-3);
    /// let run = model.fit(chips, valid, FitOptions::epochs(12).lr(rate))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`]. Interrupting it is no error: it returns the rates tried so far.
    #[doc(alias = "lr_find")]
    #[doc(alias = "find_lr")]
    pub fn find_rate(&self, chips: &Chips, options: impl Borrow<FitOptions>) -> Result<LrFinder> {
        lr_finder::find_rate(self, chips, options.borrow(), &session::interrupted)
    }
}

/// The network that a training starts from, with the normalization of its input.
pub(super) fn start<T: Trainable>(
    model: &Model<T>,
    scenes: &Scenes,
    device: &Device,
) -> Result<(Box<T::Network>, Normalization)> {
    if let Some((network, normalization)) = model.network() {
        return Ok((network.to_device(device.burn()), normalization.clone()));
    }
    let statistics = scenes.statistics()?;
    let mean: Vec<f64> = statistics.iter().map(|band| band.mean).collect();
    let std: Vec<f64> = statistics.iter().map(|band| band.std).collect();
    let architecture = model.architecture();
    let normalization = architecture.normalization(data_type(scenes), &mean, &std);
    let network = architecture.build(scenes.band_count(), model.classes().len(), device)?;
    Ok((network, normalization))
}

/// The model with the weights that `step` steps on `chips` gave, and what its bundle will say about them.
pub(super) fn trained<T: Trainable>(
    model: &Model<T>,
    network: Box<T::Network>,
    (normalization, bands): (Normalization, Vec<TrainedBand>),
    chips: &Chips,
    step: usize,
    record: Option<&EpochRecord>,
) -> Model<T> {
    let (scenes, classes) = (chips.scenes(), model.classes());
    let mut meta = BundleMeta::for_task(
        model.architecture().clone(),
        scenes.band_count(),
        classes.names().into_iter().map(str::to_owned).collect(),
        normalization,
        chips.size(),
    );
    meta.colors = classes.colors();
    // What the network has seen, which is not what the file has when chips were resized.
    meta.gsd = chips.usual_pixel(ground_pixel);
    meta.threshold = record.and_then(|record| record.scores.threshold());
    meta.cells = T::cells(scenes);
    let names = scenes.first().raster().band_names();
    if names.len() == meta.bands {
        meta.band_names = names;
    }
    if bands.len() == meta.bands {
        meta.trained_bands = bands;
    }
    // Scenes that were changed by numbers of their own have nothing in common that a model could keep.
    meta.transforms = match changed_alike(scenes) {
        true => scenes.first().transforms(),
        false => Vec::new(),
    };
    if !meta.transforms.is_empty() {
        meta.raw_band_names = scenes.first().raster().raw_band_names();
    }
    meta.provenance.extend(provenance(chips, step, record));
    // A model that goes on from weights has seen what they have seen.
    let areas: Vec<_> = (scenes.iter())
        .map(|scene| scene.as_trained_area(scene.area()))
        .collect();
    let before = model
        .meta()
        .into_iter()
        .flat_map(|meta| &meta.trained_areas);
    meta.trained_areas = before
        .filter(|before| !areas.contains(before))
        .cloned()
        .collect();
    meta.trained_areas.extend(areas);
    model.with_weights(network, meta)
}

/// Whether the bands of all scenes were changed in the same way.
pub(super) fn changed_alike(scenes: &Scenes) -> bool {
    let first = scenes.first().transforms();
    scenes.iter().all(|scene| scene.transforms() == first)
}

/// The type of all scenes' values; of several types the one that holds them all.
fn data_type(scenes: &Scenes) -> DataType {
    let types = scenes.iter().map(|scene| scene.raster().data_type());
    types
        .reduce(DataType::union)
        .unwrap_or_else(|| scenes.first().raster().data_type())
}

fn provenance(
    chips: &Chips,
    step: usize,
    record: Option<&EpochRecord>,
) -> BTreeMap<String, String> {
    let step = record.map_or(step, |record| record.step);
    let mut facts = BTreeMap::from([
        ("trained on".to_owned(), chips.scenes().name()),
        ("chips".to_owned(), chips_in_words(chips)),
        ("steps".to_owned(), step.to_string()),
    ]);
    if let Some((record, score)) =
        record.and_then(|record| record.score().map(|score| (record, score)))
    {
        let name = format!("validation {}", record.scores.name());
        facts.insert(name, format!("{score:.4}"));
    }
    facts
}

/// `400 of 256 px`, or `400 of 256 px from windows of 150 to 200 px`.
fn chips_in_words(chips: &Chips) -> String {
    let (size, windows) = (chips.size(), chips.window_sizes());
    let from = match windows == (size..=size) {
        true => String::new(),
        false => format!(
            " from windows of {} to {} px",
            windows.start(),
            windows.end()
        ),
    };
    format!("{} of {size} px{from}", chips.len())
}

//! Training a segmentation network: its loss on labeled pixels, its validation by IoU.

use burn::tensor::Tensor;

use super::loss::class_weights;
use super::trainable::Trainable;
use super::validate::{self, Held, ValidWindow, read, read_ahead, read_scalar};
use super::{Batch, Outcome};
use super::{FitOptions, Loss, Targets, TrainError, ValidationScores, checks};
use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::evaluate::Confusion;
use crate::labels::{Classes, IGNORE};
use crate::models::{AnyNetwork, Normalization, Segmentation};
use crate::plot::image::{RgbImage, overlay, rgb_shown};
use crate::raster::{BandStatistics, Patch, PixelWindow, Size};
use crate::report::Report;
use crate::scene::Scene;
use crate::scenes::Scenes;

/// The loss with its class weights, `[1, classes, 1, 1]`, on the device.
pub struct Objective {
    loss: Loss,
    weights: Option<Tensor<4>>,
    classes: usize,
}

/// What validation needs, fixed for the whole run so that epochs compare.
pub struct Validation {
    scenes: Scenes,
    classes: Classes,
    windows: Vec<ValidWindow>,
    batch: usize,
    /// The window whose prediction the live view shows.
    example: Option<usize>,
}

/// One window as the live view shows it.
#[derive(Clone, Debug)]
pub struct Example {
    patch: Patch,
    /// The bands that pictures of the scene show.
    bands: Vec<usize>,
    truth: Vec<u8>,
    prediction: Vec<u8>,
}

impl Trainable for Segmentation {
    type Objective = Objective;
    type Validation = Validation;
    type Example = Example;

    fn check(_options: &FitOptions, chips: &Chips, valid: &Scenes) -> Result<()> {
        checks::labeled(chips, valid)
    }

    fn objective(options: &FitOptions, classes: &Classes, device: &Device) -> Objective {
        Objective {
            loss: options.loss_or_default(),
            weights: class_weights(options, device),
            classes: classes.len(),
        }
    }

    fn loss(
        objective: &Objective,
        network: &dyn AnyNetwork,
        mut batch: Batch,
        device: &burn::tensor::Device,
    ) -> Result<Tensor<1>> {
        let logits = network.forward(batch.upload(device));
        let shape = check_shape(&logits, batch.shape, objective.classes)?;
        let targets = Targets::new(&batch.labels, shape, device);
        let weights = objective.weights.clone().map(Tensor::from_inner);
        Ok(objective.loss.of(logits, &targets, weights.as_ref()))
    }

    fn validation(
        valid: &Scenes,
        classes: &Classes,
        chip: Size,
        batch: usize,
        limit: usize,
    ) -> Result<(Validation, Report)> {
        let (windows, held) = validate::lay(valid, chip, limit, classes_in)?;
        let absent = validate::absent_classes(&held, classes, ("pixel", "mean IoU"));
        let report = absent
            .map(|notice| notice.about(valid.name()))
            .into_iter()
            .collect();
        let validation = Validation {
            scenes: valid.clone(),
            classes: classes.clone(),
            windows,
            batch,
            example: None,
        };
        Ok((validation, report))
    }

    fn windows(validation: &Validation) -> usize {
        validation.windows.len()
    }

    fn validate(
        validation: &mut Validation,
        objective: &Objective,
        network: &dyn AnyNetwork,
        normalization: &Normalization,
        device: &Device,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Outcome<Example>>> {
        validation.run(objective, network, normalization, device, progress)
    }

    fn panels(
        example: &Example,
        classes: &Classes,
        statistics: Option<&[BandStatistics]>,
    ) -> Result<(Vec<RgbImage>, &'static str)> {
        let image = rgb_shown(&example.patch, &example.bands, statistics)?;
        let mut panels = vec![image.clone()];
        for labels in [&example.truth, &example.prediction] {
            let mut panel = image.clone();
            overlay(&mut panel, labels, classes, 0.6)?;
            panels.push(panel);
        }
        Ok((panels, "image, truth, prediction"))
    }
}

impl Validation {
    fn run(
        &mut self,
        objective: &Objective,
        network: &dyn AnyNetwork,
        normalization: &Normalization,
        device: &Device,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Outcome<Example>>> {
        let (loss, weights) = (objective.loss, objective.weights.as_ref());
        let mut confusion = Confusion::named(self.classes.names());
        let (mut total, mut batches, mut done) = (0.0, 0_usize, 0);
        let mut example: Option<Example> = None;
        let (mut best, mut chosen) = (f64::INFINITY, self.example);
        let (scenes, windows, size) = (&self.scenes, &self.windows, self.batch);
        let truth = |scene: &Scene, window: &PixelWindow| scene.label_window(window);
        let stopped = read_ahead(scenes, windows, size, truth, |parts| {
            if progress(done) {
                return Ok(false);
            }
            let pairs: Vec<_> = parts
                .iter()
                .map(|part| (&part.patch, part.truth.as_slice()))
                .collect();
            let mut batch = Batch::of_patches(&pairs, normalization);
            let logits = network.forward(batch.upload(device.burn()));
            let shape = check_shape(&logits, batch.shape, self.classes.len())?;
            let targets = Targets::new(&batch.labels, shape, device.burn());
            total += f64::from(read_scalar(
                loss.of(logits.clone(), &targets, weights),
                device,
            )?);
            batches += 1;
            let predictions = classes_of(logits, device)?;
            confusion.add(&batch.labels, &predictions)?;
            let pixels = shape[2] * shape[3];
            for (offset, (part, prediction)) in parts
                .iter()
                .zip(predictions.chunks_exact(pixels))
                .enumerate()
            {
                let unevenness = match self.example {
                    Some(chosen) => {
                        if chosen == done + offset {
                            0.0
                        } else {
                            f64::INFINITY
                        }
                    }
                    None => unevenness(&part.truth),
                };
                if unevenness < best {
                    best = unevenness;
                    chosen = Some(done + offset);
                    example = Some(Example {
                        patch: part.patch.clone(),
                        bands: scenes.first().shown_bands(),
                        truth: part.truth.clone(),
                        prediction: prediction.to_vec(),
                    });
                }
            }
            done += parts.len();
            Ok(true)
        })?;
        if stopped {
            return Ok(None);
        }
        self.example = chosen;
        Ok(Some(Outcome {
            loss: total / batches.max(1) as f64,
            scores: ValidationScores::Segmentation(confusion.scores()),
            example,
        }))
    }
}

/// The classes that a window's labels hold, ignored pixels left out; `None` when all are ignored.
fn classes_in(scene: &Scene, window: &PixelWindow) -> Result<Option<Held>> {
    if scene.aoi().is_none() && !scene.raster().can_be_invalid() && !scene.may_have_labels(window) {
        return Ok(Some(Held::background()));
    }
    let mut held = Held::default();
    for label in scene.label_window(window)? {
        if label != IGNORE {
            held.insert(usize::from(label));
        }
    }
    Ok((!held.is_empty()).then_some(held))
}

/// How far the window's classes are from an even mix: a good example has a bit of everything.
fn unevenness(truth: &[u8]) -> f64 {
    let counted = truth.iter().filter(|label| **label != IGNORE).count();
    let foreground = truth
        .iter()
        .filter(|label| **label != IGNORE && **label != 0)
        .count();
    let ignored = truth.len() - counted;
    (foreground as f64 / truth.len().max(1) as f64 - 0.4).abs()
        + ignored as f64 / truth.len().max(1) as f64
}

/// `[n, classes, h, w]` of the logits, when that is what the labels need.
fn check_shape(
    logits: &Tensor<4>,
    images: [usize; 4],
    classes: usize,
) -> Result<[usize; 4], TrainError> {
    let expected = [images[0], classes, images[2], images[3]];
    let found = logits.dims();
    if found == expected {
        Ok(expected)
    } else {
        Err(TrainError::OutputShape { expected, found })
    }
}

/// The class with the highest score at each pixel, `n * h * w`.
fn classes_of(logits: Tensor<4>, device: &Device) -> Result<Vec<u8>, TrainError> {
    let [n, classes, height, width] = logits.dims();
    let pixels = height * width;
    if device.is_gpu() {
        let wrong = |reason: String| TrainError::Read {
            device: device.name().to_owned(),
            reason,
        };
        let data = logits
            .argmax(1)
            .try_into_data()
            .map_err(|error| wrong(format!("{error:?}")))?;
        let data = data.convert::<u8>();
        return data
            .try_to_vec::<u8>()
            .map_err(|error| wrong(format!("{error:?}")));
    }
    let scores = read(logits, device)?;
    let mut found = vec![0_u8; n * pixels];
    for (scores, found) in scores
        .chunks_exact(classes * pixels)
        .zip(found.chunks_exact_mut(pixels))
    {
        let (first, others) = scores.split_at(pixels);
        let mut highest = first.to_vec();
        for (class, scores) in others.chunks_exact(pixels).enumerate() {
            for ((score, highest), found) in scores.iter().zip(&mut highest).zip(found.iter_mut()) {
                if score > highest {
                    (*highest, *found) = (*score, class as u8 + 1);
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_score_wins_and_the_first_of_equals() -> Result<(), TrainError> {
        let device = Device::cpu();
        let logits = Tensor::<1>::from_floats([0.1, 0.5, 0.3, 0.5, 0.2, 0.9], device.burn())
            .reshape([1, 3, 1, 2]);
        assert_eq!(classes_of(logits, &device)?, [1, 2]);
        Ok(())
    }
}

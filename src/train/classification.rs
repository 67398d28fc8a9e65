//! Training a chip classification network: cross-entropy on the classes of chips, validation by F1.

use burn::tensor::Tensor;

use super::batch::byte;
use super::loss::class_weights;
use super::trainable::Trainable;
use super::validate::{self, Held, ValidWindow, read, read_ahead, read_scalar};
use super::{Batch, Measured, Outcome};
use super::{FitOptions, Loss, Targets, TrainError, ValidationScores, checks};
use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::evaluate::Confusion;
use crate::labels::{CellRule, Classes, IGNORE};
use crate::models::{AnyClassificationNetwork, ChipClassification, Normalization};
use crate::plot::image::{RgbImage, rgb_shown};
use crate::raster::{BandStatistics, Patch, PixelWindow, Size};
use crate::report::{Notice, Report};
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
}

/// One window as the live view shows it.
#[derive(Clone, Debug)]
pub struct Example {
    patch: Patch,
    /// The bands that pictures of the scene show.
    bands: Vec<usize>,
    truth: u8,
    prediction: u8,
}

impl Trainable for ChipClassification {
    type Objective = Objective;
    type Validation = Validation;
    type Example = Example;

    fn check(options: &FitOptions, chips: &Chips, valid: &Scenes) -> Result<()> {
        if let Some(loss) = options.loss
            && !matches!(loss, Loss::CrossEntropy | Loss::Focal { .. })
        {
            return Err(TrainError::Setting {
                setting: "loss",
                found: format!("{loss:?}"),
                expected: "Loss::CrossEntropy or Loss::focal(): the others compare areas, and a chip has one class",
            }
            .into());
        }
        if let Some(change) = chips.options().joins_chips() {
            return Err(TrainError::Setting {
                setting: "augment",
                found: change.to_owned(),
                expected: "no change that puts chips together: the result is of no one class",
            }
            .into());
        }
        checks::labeled_or_boxed(chips, valid)?;
        let rule = chips.scenes().first().cell_rule();
        let mut scenes = chips.scenes().iter().chain(valid.iter());
        match scenes.find(|scene| scene.cell_rule() != rule) {
            None => Ok(()),
            Some(scene) => Err(TrainError::CellRules {
                scene: scene.name(),
                expected: rule.words(),
                found: scene.cell_rule().words(),
            }
            .into()),
        }
    }

    fn objective(options: &FitOptions, classes: &Classes, device: &Device) -> Objective {
        Objective {
            loss: options.loss.unwrap_or(Loss::CrossEntropy),
            weights: class_weights(options, device),
            classes: classes.len(),
        }
    }

    fn loss(
        objective: &Objective,
        network: &dyn AnyClassificationNetwork,
        mut batch: Batch,
        device: &burn::tensor::Device,
    ) -> Result<Tensor<1>> {
        let scores = network.forward(batch.upload(device));
        let weights = objective.weights.clone().map(Tensor::from_inner);
        loss_of(objective, scores, &batch.classes, weights.as_ref(), device)
    }

    fn chips(chips: &Chips) -> Chips {
        chips.with_classes()
    }

    fn cells(scenes: &Scenes) -> Option<CellRule> {
        Some(scenes.first().cell_rule())
    }

    fn validation(
        valid: &Scenes,
        classes: &Classes,
        chip: Size,
        batch: usize,
        limit: usize,
    ) -> Result<(Validation, Report)> {
        let (windows, held, all) = validate::lay_windows(valid, chip, limit, class_of)?;
        let absent = validate::absent_classes(&held, classes, ("cell", "F1"));
        let mut report: Report = absent
            .map(|notice| notice.about(valid.name()))
            .into_iter()
            .collect();
        // `evaluate` looks at the same cells, at all of them.
        if windows.len() < all {
            let text = format!(
                "each epoch is validated on {} of {all} cells: scores of the whole area are others",
                windows.len()
            );
            let notice = Notice::noted(text).about(valid.name());
            report.push(notice.next(
                "`FitOptions::validation_share(1.0)` looks at as many cells as an epoch has chips",
            ));
        }
        let validation = Validation {
            scenes: valid.clone(),
            classes: classes.clone(),
            windows,
            batch,
        };
        Ok((validation, report))
    }

    fn windows(validation: &Validation) -> usize {
        validation.windows.len()
    }

    fn validate(
        validation: &mut Validation,
        objective: &Objective,
        network: &dyn AnyClassificationNetwork,
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
        let color = |class: u8| {
            let found = classes.get(usize::from(class));
            found.map_or([128; 3], |class| class.color)
        };
        let side = (image.width / 8).max(8);
        let swatch = |class: u8| RgbImage::filled(side, image.height, color(class));
        let panels = vec![
            swatch(example.truth),
            image.clone(),
            swatch(example.prediction),
        ];
        Ok((
            panels,
            "the color of the true class, the image, that of the predicted one",
        ))
    }
}

/// The class of a window; `None` when it has none.
fn class_of(scene: &Scene, window: &PixelWindow) -> Result<Option<Held>> {
    Ok(scene.cell_class(window)?.map(|class| {
        let mut held = Held::default();
        held.insert(class);
        held
    }))
}

/// The loss of class scores, `[n, classes]`, as of images of one pixel.
fn loss_of(
    objective: &Objective,
    scores: Tensor<2>,
    classes: &[u8],
    weights: Option<&Tensor<4>>,
    device: &burn::tensor::Device,
) -> Result<Tensor<1>> {
    let [count, found] = scores.dims();
    let shape = [classes.len(), objective.classes, 1, 1];
    if [count, found] != shape[..2] {
        return Err(TrainError::OutputShape {
            expected: shape,
            found: [count, found, 1, 1],
        }
        .into());
    }
    let targets = Targets::new(classes, shape, device);
    Ok(objective.loss.of(scores.reshape(shape), &targets, weights))
}

impl Validation {
    fn run(
        &mut self,
        objective: &Objective,
        network: &dyn AnyClassificationNetwork,
        normalization: &Normalization,
        device: &Device,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Outcome<Example>>> {
        let mut confusion = Confusion::named(self.classes.names());
        let (mut total, mut batches, mut done) = (0.0, 0_usize, 0);
        let mut example = None;
        let (scenes, windows, size) = (&self.scenes, &self.windows, self.batch);
        let truth = |scene: &Scene, window: &PixelWindow| Ok(byte(scene.cell_class(window)?));
        let stopped = read_ahead(scenes, windows, size, truth, |mut parts| {
            if progress(done) {
                return Ok(false);
            }
            let pairs: Vec<_> = parts.iter().map(|part| (&part.patch, &[][..])).collect();
            let images = Batch::of_patches(&pairs, normalization).upload(device.burn());
            let scores = network.forward(images);
            let truth: Vec<u8> = parts.iter().map(|part| part.truth).collect();
            let weights = objective.weights.as_ref();
            let loss = loss_of(objective, scores.clone(), &truth, weights, device.burn())?;
            total += f64::from(read_scalar(loss, device)?);
            batches += 1;
            let found = classes_of(scores, device)?;
            confusion.add(&truth, &found)?;
            // The first window of a class but the background is as good an example as any.
            let shown = truth.iter().position(|&class| class > 0 && class != IGNORE);
            if example.is_none()
                && let Some(index) = shown
            {
                example = Some(Example {
                    truth: truth[index],
                    prediction: found[index],
                    bands: scenes.first().shown_bands(),
                    patch: parts.swap_remove(index).patch,
                });
            }
            done += truth.len();
            Ok(true)
        })?;
        if stopped {
            return Ok(None);
        }
        Ok(Some(Outcome {
            loss: total / batches.max(1) as f64,
            scores: ValidationScores::Measured(Measured {
                measure: "mean F1".to_owned(),
                value: confusion.scores().mean_f1_of_labeled(),
                lower_is_better: false,
            }),
            example,
        }))
    }
}

/// The class with the highest score of each image, the first of equals.
fn classes_of(scores: Tensor<2>, device: &Device) -> Result<Vec<u8>, TrainError> {
    let [_, classes] = scores.dims();
    let scores = read(scores, device)?;
    let highest = |scores: &[f32]| {
        let mut best = 0;
        for (class, score) in scores.iter().enumerate() {
            if *score > scores[best] {
                best = class;
            }
        }
        best as u8
    };
    Ok(scores.chunks_exact(classes.max(1)).map(highest).collect())
}

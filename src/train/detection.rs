//! Training a detection network: its losses on boxes, its validation by average precision.

use burn::tensor::Tensor;

use super::trainable::Trainable;
use super::validate::{self, Held, Labeled, ValidWindow, read_ahead, read_scalar};
use super::{Batch, Outcome};
use super::{DetectionScores, FitOptions, TrainError, ValidationScores, checks};
use crate::Result;
use crate::boxes::score::{CocoOptions, ImageBoxes, coco_with};
use crate::boxes::{Annotation, Detection};
use crate::chips::Chips;
use crate::detect::best_threshold;
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{AnyDetectionNetwork, DetectOptions, Normalization, ObjectDetection};
use crate::plot::image::{RgbImage, RgbaImage, box_lines, colored, rgb_shown};
use crate::raster::{BandStatistics, Patch, PixelWindow, Size};
use crate::report::Report;
use crate::scene::Scene;
use crate::scenes::Scenes;

/// The share of a box that a validation window must hold for the box to count there.
const VISIBLE: f64 = 0.5;
/// A box is right from this intersection over union.
const IOU: f64 = 0.5;

/// What validation needs, fixed for the whole run so that epochs compare.
pub struct Validation {
    scenes: Scenes,
    classes: Classes,
    windows: Vec<ValidWindow>,
    batch: usize,
    /// The window whose boxes the live view shows: the one with most objects.
    example: Option<usize>,
}

/// One window as the live view shows it.
#[derive(Clone, Debug)]
pub struct Example {
    patch: Patch,
    /// The bands that pictures of the scene show.
    bands: Vec<usize>,
    truth: Vec<Annotation>,
    found: Vec<Detection>,
}

impl Trainable for ObjectDetection {
    type Objective = ();
    type Validation = Validation;
    type Example = Example;

    fn check(options: &FitOptions, chips: &Chips, valid: &Scenes) -> Result<()> {
        checks::own_loss(options)?;
        checks::boxed(chips, valid)
    }

    fn objective(_options: &FitOptions, _classes: &Classes, _device: &Device) {}

    fn loss(
        (): &(),
        network: &dyn AnyDetectionNetwork,
        mut batch: Batch,
        device: &burn::tensor::Device,
    ) -> Result<Tensor<1>> {
        sum(network.losses(batch.upload(device), &batch.boxes))
    }

    fn validation(
        valid: &Scenes,
        classes: &Classes,
        chip: Size,
        batch: usize,
        limit: usize,
    ) -> Result<(Validation, Report)> {
        let (windows, held) = validate::lay(valid, chip, limit, classes_in)?;
        let mut report = Report::new();
        if held.is_background() {
            report.push(validate::nothing_there("box", "average precision").about(valid.name()));
        }
        let objects = |one: &ValidWindow| one.of(valid).boxes_in(&one.window, VISIBLE).len();
        let example = (0..windows.len()).max_by_key(|&index| (objects(&windows[index]), !index));
        let validation = Validation {
            scenes: valid.clone(),
            classes: classes.clone(),
            windows,
            batch,
            example,
        };
        Ok((validation, report))
    }

    fn chips(chips: &Chips) -> Chips {
        chips.blank_outside()
    }

    fn windows(validation: &Validation) -> usize {
        validation.windows.len()
    }

    fn validate(
        validation: &mut Validation,
        (): &(),
        network: &dyn AnyDetectionNetwork,
        normalization: &Normalization,
        device: &Device,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Outcome<Example>>> {
        validation.run(network, normalization, device, progress)
    }

    fn panels(
        example: &Example,
        classes: &Classes,
        statistics: Option<&[BandStatistics]>,
    ) -> Result<(Vec<RgbImage>, &'static str)> {
        let image = rgb_shown(&example.patch, &example.bands, statistics)?;
        let size = (image.width, image.height);
        let found: Vec<_> = example
            .found
            .iter()
            .map(|found| Annotation::new(found.bounds, found.class))
            .collect();
        let mut panels = vec![image];
        for boxes in [&example.truth, &found] {
            let boxes: Vec<_> = colored(boxes, classes, size, size).collect();
            let mut lines = RgbaImage::transparent(size.0, size.1);
            box_lines(&mut lines, &boxes, 2);
            panels.push(panels[0].with_overlay(&lines, 1.0));
        }
        Ok((panels, "image, labeled boxes, found boxes"))
    }
}

/// The classes of a window's boxes; `None` when no pixel of it counts.
fn classes_in(scene: &Scene, window: &PixelWindow) -> Result<Option<Held>> {
    let whole = !scene.is_limited() && !scene.raster().can_be_invalid();
    if !whole && !scene.counting_boxes(window)?.contains(&1) {
        return Ok(None);
    }
    let mut held = Held::background();
    for one in scene.boxes_in(window, VISIBLE) {
        if !one.crowd {
            held.insert(one.class);
        }
    }
    Ok(Some(held))
}

/// All losses together, `[1]`.
fn sum(losses: Vec<(&'static str, Tensor<1>)>) -> Result<Tensor<1>> {
    losses
        .into_iter()
        .map(|(_, loss)| loss)
        .reduce(|sum, loss| sum + loss)
        .ok_or_else(|| TrainError::NoLoss.into())
}

impl Validation {
    fn run(
        &mut self,
        network: &dyn AnyDetectionNetwork,
        normalization: &Normalization,
        device: &Device,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Outcome<Example>>> {
        let (mut total, mut batches) = (0.0, 0_usize);
        let mut images: Vec<ImageBoxes> = Vec::new();
        let mut pictured = None;
        let (scenes, windows, size) = (&self.scenes, &self.windows, self.batch);
        let truth = |scene: &Scene, window: &PixelWindow| Ok(scene.boxes_by_share(window, VISIBLE));
        let stopped = read_ahead(scenes, windows, size, truth, |parts| {
            if progress(images.len()) {
                return Ok(false);
            }
            let pairs: Vec<_> = parts.iter().map(|part| (&part.patch, &[][..])).collect();
            let batch = Batch::of_patches(&pairs, normalization).upload(device.burn());
            let objects: Vec<_> = parts.iter().map(|part| part.truth.0.clone()).collect();
            let loss = sum(network.losses(batch.clone(), &objects))?;
            total += f64::from(read_scalar(loss, device)?);
            batches += 1;
            let boxes = network.detect(batch, &DetectOptions::default());
            for (Labeled { patch, truth }, found) in parts.into_iter().zip(boxes) {
                let one = &windows[images.len()];
                let (scene, window) = (one.of(scenes), &one.window);
                let (truth, ignored) = truth;
                // As where boxes are scored: the network sees what lies around the area of interest.
                let (found, cut) = found.into_iter().partition(|found| {
                    let (col, row) = (window.col as f64, window.row as f64);
                    scene.share_counted(&found.bounds.translate(col, row)) >= VISIBLE
                });
                if self.example == Some(images.len()) {
                    pictured = Some(patch);
                }
                images.push(ImageBoxes {
                    truth,
                    found,
                    ignored,
                    cut,
                });
            }
            Ok(true)
        })?;
        if stopped {
            return Ok(None);
        }
        let scores = scores(&images, self.classes.len());
        let example = pictured.zip(self.example).map(|(patch, index)| {
            let ImageBoxes {
                truth, mut found, ..
            } = images.swap_remove(index);
            found.retain(|found| found.score >= scores.threshold);
            Example {
                patch,
                bands: self.scenes.first().shown_bands(),
                truth,
                found,
            }
        });
        Ok(Some(Outcome {
            loss: total / batches.max(1) as f64,
            scores: ValidationScores::Detection(scores),
            example,
        }))
    }
}

/// AP50 over the classes with objects, and the best F1 over thresholds.
fn scores(images: &[ImageBoxes], classes: usize) -> DetectionScores {
    let coco = coco_with(images, classes - 1, &CocoOptions::without_limit());
    let (threshold, counts) = best_threshold(images, classes, IOU);
    DetectionScores {
        ap50: coco.ap50.is_finite().then_some(coco.ap50),
        f1: if counts.f1.is_finite() {
            counts.f1
        } else {
            0.0
        },
        threshold,
        truth: coco.per_class.iter().map(|class| class.objects).sum(),
    }
}

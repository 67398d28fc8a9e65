//! Validation: the network over evenly spread windows of the validation area, with losses and scores.

use std::sync::mpsc;

use burn::tensor::Tensor;

use super::batch::Batch;
use super::{Loss, Targets, TrainError};
use crate::device::Device;
use crate::evaluate::{Confusion, Scores};
use crate::labels::{Classes, IGNORE};
use crate::models::{AnyNetwork, Normalisation};
use crate::raster::{Patch, PixelWindow, Size};
use crate::scene::Scene;
use crate::{Error, Result};

/// Every encoder halves its input five times.
const MULTIPLE: usize = 32;

/// What validation needs, fixed for the whole run so that epochs compare.
pub(super) struct Validation {
    scene: Scene,
    classes: Classes,
    windows: Vec<PixelWindow>,
    batch: usize,
    /// The window whose prediction the live view shows.
    example: Option<usize>,
}

/// One window as the live view shows it.
#[derive(Clone, Debug)]
pub(super) struct Example {
    pub(super) patch: Patch,
    pub(super) truth: Vec<u8>,
    pub(super) prediction: Vec<u8>,
}

/// What one validation found.
pub(super) struct Outcome {
    pub(super) loss: f64,
    pub(super) scores: Scores,
    pub(super) example: Option<Example>,
}

impl Validation {
    /// Lays windows of the chips' size over the scene's area and keeps at most `limit` of them, evenly spread.
    pub(super) fn new(
        scene: &Scene,
        classes: &Classes,
        chip: Size,
        batch: usize,
        limit: usize,
    ) -> Self {
        let area = scene.area();
        let size = window_size(chip, area.size());
        // The last ones of each row and column reach over the edge, where imagery is invalid and labels are ignored.
        let whole =
            |tile: PixelWindow| PixelWindow::new(tile.col, tile.row, size.width, size.height);
        let windows: Vec<_> = area.tiles(size).map(whole).collect();
        Self {
            scene: scene.clone(),
            classes: classes.clone(),
            windows: spread(windows, limit),
            batch,
            example: None,
        }
    }

    pub(super) fn windows(&self) -> usize {
        self.windows.len()
    }

    /// Predicts every window. `progress` is told how many are done, and answers whether to stop, which gives `None`.
    ///
    /// `network` is an inference copy on `device`.
    pub(super) fn run(
        &mut self,
        network: &dyn AnyNetwork,
        normalisation: &Normalisation,
        (loss, weights): (Loss, Option<&Tensor<4>>),
        device: &Device,
        mut progress: impl FnMut(usize) -> bool,
    ) -> Result<Option<Outcome>> {
        let mut confusion = Confusion::named(self.classes.names());
        let (mut total, mut batches, mut done) = (0.0, 0_usize, 0);
        let mut example: Option<Example> = None;
        let (mut best, mut chosen) = (f64::INFINITY, self.example);
        let (scene, windows, size) = (&self.scene, &self.windows, self.batch);
        let stopped = std::thread::scope(|scope| -> Result<bool> {
            let (sender, receiver) = mpsc::sync_channel::<Result<Vec<Labelled>>>(2);
            scope.spawn(move || {
                for windows in windows.chunks(size.max(1)) {
                    let read = windows
                        .iter()
                        .map(|window| labelled(scene, window))
                        .collect();
                    // The receiver is gone when the user stopped or an error ended the validation.
                    if sender.send(read).is_err() {
                        break;
                    }
                }
            });
            for parts in receiver {
                let parts = match parts {
                    Err(Error::Interrupted { .. }) => return Ok(true),
                    parts => parts?,
                };
                if progress(done) {
                    return Ok(true);
                }
                let pairs: Vec<_> = parts
                    .iter()
                    .map(|part| (&part.patch, part.truth.as_slice()))
                    .collect();
                let mut batch = Batch::of_patches(&pairs, normalisation);
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
                            truth: part.truth.clone(),
                            prediction: prediction.to_vec(),
                        });
                    }
                }
                done += parts.len();
            }
            Ok(false)
        })?;
        if stopped {
            return Ok(None);
        }
        self.example = chosen;
        Ok(Some(Outcome {
            loss: total / batches.max(1) as f64,
            scores: confusion.scores(),
            example,
        }))
    }
}

struct Labelled {
    patch: Patch,
    truth: Vec<u8>,
}

fn labelled(scene: &Scene, window: &PixelWindow) -> Result<Labelled> {
    Ok(Labelled {
        patch: scene.read(window)?,
        truth: scene.label_window(window)?,
    })
}

/// The chips' size, smaller where the area is smaller, and always one that every encoder takes.
fn window_size(chip: Size, area: Size) -> Size {
    let side = |chip: usize, area: usize| chip.min(area).div_ceil(MULTIPLE).max(1) * MULTIPLE;
    Size::new(side(chip.width, area.width), side(chip.height, area.height))
}

fn spread(windows: Vec<PixelWindow>, limit: usize) -> Vec<PixelWindow> {
    let limit = limit.max(1);
    if windows.len() <= limit {
        return windows;
    }
    // The middle of each of `limit` equal stretches.
    (0..limit)
        .map(|index| windows[(2 * index + 1) * windows.len() / (2 * limit)])
        .collect()
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
pub(super) fn check_shape(
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

/// One number off the device.
pub(super) fn read_scalar(value: Tensor<1>, device: &Device) -> Result<f32, TrainError> {
    read(value, device).map(|values| values.first().copied().unwrap_or(f32::NAN))
}

/// All values off the device.
pub(super) fn read<const D: usize>(
    values: Tensor<D>,
    device: &Device,
) -> Result<Vec<f32>, TrainError> {
    let wrong = |reason: String| TrainError::Read {
        device: device.name().to_owned(),
        reason,
    };
    let data = values
        .try_into_data()
        .map_err(|error| wrong(format!("{error:?}")))?;
    data.try_to_vec::<f32>()
        .map_err(|error| wrong(format!("{error:?}")))
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
    fn windows_are_no_larger_than_needed_and_a_multiple_of_32() {
        assert_eq!(
            window_size(Size::new(256, 256), Size::new(162, 650)),
            Size::new(192, 256)
        );
        assert_eq!(
            window_size(Size::new(100, 100), Size::new(1000, 1000)),
            Size::new(128, 128)
        );
        assert_eq!(
            window_size(Size::new(64, 64), Size::new(0, 1)),
            Size::new(32, 32)
        );
    }

    #[test]
    fn a_limit_keeps_windows_spread_over_the_whole_area() {
        let windows: Vec<_> = (0..100).map(|col| PixelWindow::new(col, 0, 1, 1)).collect();
        let kept: Vec<_> = spread(windows.clone(), 4)
            .iter()
            .map(|window| window.col)
            .collect();
        assert_eq!(kept, [12, 37, 62, 87]);
        assert_eq!(spread(windows, 200).len(), 100);
    }

    #[test]
    fn the_highest_score_wins_and_the_first_of_equals() -> Result<(), TrainError> {
        let device = Device::cpu();
        let logits = Tensor::<1>::from_floats([0.1, 0.5, 0.3, 0.5, 0.2, 0.9], device.burn())
            .reshape([1, 3, 1, 2]);
        assert_eq!(classes_of(logits, &device)?, [1, 2]);
        Ok(())
    }
}

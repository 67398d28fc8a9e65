//! What the training loop asks of a task: its loss on a batch, its validation, its example picture.

use burn::tensor::Tensor;

use super::batch::Batch;
use super::{EpochRecord, FitOptions, ValidationScores};
use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::display::Output;
use crate::labels::{CellRule, Classes};
use crate::models::{Normalization, Task};
use crate::plot::image::{RgbImage, encode_best};
use crate::plot::image_html;
use crate::raster::{BandStatistics, Size};
use crate::report::Report;
use crate::scenes::Scenes;

/// A task that models can be trained for ([`crate::models::Model::fit`]).
pub trait Trainable: Task {
    /// What the loss needs beside a batch, made once a run: weights on the device, settings.
    type Objective;
    /// The validation area's windows, the same ones at every epoch.
    type Validation;
    /// One validation window as the live view shows it.
    type Example;

    /// What must hold of the options and scenes before a training starts, beyond what every task asks.
    ///
    /// # Errors
    /// [`super::TrainError`] with the way out.
    fn check(options: &FitOptions, chips: &Chips, valid: &Scenes) -> Result<()>;

    /// Prepares the loss of a run.
    fn objective(options: &FitOptions, classes: &Classes, device: &Device) -> Self::Objective;

    /// The loss of one batch, `[1]`, on `device`, which records gradients.
    ///
    /// # Errors
    /// [`super::TrainError::OutputShape`] when the network's output does not fit the labels.
    fn loss(
        objective: &Self::Objective,
        network: &Self::Network,
        batch: Batch,
        device: &burn::tensor::Device,
    ) -> Result<Tensor<1>>;

    /// The chips as this task sees them.
    fn chips(chips: &Chips) -> Chips {
        chips.clone()
    }

    /// How the chips of these scenes get one class each, where they do.
    fn cells(_scenes: &Scenes) -> Option<CellRule> {
        None
    }

    /// Lays windows over the validation areas, about `limit` of them (`lay` in `validate.rs`), and says what they lack.
    ///
    /// # Errors
    /// [`super::TrainError::NothingToValidate`]; errors of reading.
    fn validation(
        valid: &Scenes,
        classes: &Classes,
        chip: Size,
        batch: usize,
        limit: usize,
    ) -> Result<(Self::Validation, Report)>;

    /// The number of windows.
    fn windows(validation: &Self::Validation) -> usize;

    /// Predicts every window with an inference copy on `device`. `progress` is told how many are done, and answers
    /// whether to stop, which gives `None`.
    ///
    /// # Errors
    /// Those of reading imagery and labels, and of reading results off the device.
    fn validate(
        validation: &mut Self::Validation,
        objective: &Self::Objective,
        network: &Self::Network,
        normalization: &Normalization,
        device: &Device,
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Outcome<Self::Example>>>;

    /// The pictures of an example side by side, and what they are: `image, truth, prediction`.
    ///
    /// # Errors
    /// When the imagery cannot be drawn.
    fn panels(
        example: &Self::Example,
        classes: &Classes,
        statistics: Option<&[BandStatistics]>,
    ) -> Result<(Vec<RgbImage>, &'static str)>;
}

/// What one validation found.
pub struct Outcome<E> {
    pub(crate) loss: f64,
    pub(crate) scores: ValidationScores,
    pub(crate) example: Option<E>,
}

/// Space between the pictures of an example, in pixels.
const GAP: usize = 8;
/// Pictures of an example are at most this wide and high.
const EXAMPLE_SIDE: usize = 256;

/// The example of an epoch as the live view shows it.
pub(super) fn example_output<T: Trainable>(
    example: &T::Example,
    record: &EpochRecord,
    classes: &Classes,
    statistics: Option<&[BandStatistics]>,
) -> Result<Output> {
    let (panels, what) = T::panels(example, classes, statistics)?;
    let panels: Vec<_> = panels
        .iter()
        .map(|panel| panel.fitted(EXAMPLE_SIDE))
        .collect();
    let width: usize = panels.iter().map(|panel| panel.width + GAP).sum();
    let height = panels.iter().map(|panel| panel.height).max().unwrap_or(1);
    let mut sheet = RgbImage::filled(width.saturating_sub(GAP).max(1), height, [128, 128, 128]);
    let mut left = 0;
    for panel in &panels {
        sheet.paste(panel, left, 0);
        left += panel.width + GAP;
    }
    let encoded = encode_best(&sheet)?;
    let score = record.score().map_or_else(String::new, |score| {
        format!(", {} {score:.3}", record.scores.name())
    });
    let text = format!(
        "A validation window after epoch {}{score}: {what}",
        record.epoch
    );
    let html = format!(
        "<figure style=\"margin:4px 0;{}\">{}<figcaption>{}</figcaption></figure>",
        crate::display::FONT,
        image_html(encoded.media_type, &encoded.bytes, &text),
        crate::display::escape(&text)
    );
    Ok(Output {
        alt: text.clone(),
        ..Output::html(text, html)
    })
}

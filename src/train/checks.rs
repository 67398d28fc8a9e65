//! What must hold before a training starts: each violation is an error that names the way out.

use super::options::{FitOptions, Length};
use super::{Loss, Optimizer, TrainError};
use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::host::Step;
use crate::labels::Classes;
use crate::models::{Model, ModelError, Precision, Task, TrainedBand};
use crate::predict::{FOR_TRAINING, Known, compare};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::scene::seen::WORTH_SAYING;
use crate::scenes::Scenes;

pub(super) fn settings(options: &FitOptions) -> Result<(), TrainError> {
    let wrong = |setting, found: String, expected| {
        Err(TrainError::Setting {
            setting,
            found,
            expected,
        })
    };
    if options.batch == 0 {
        return wrong("batch", "0".to_owned(), "at least 1 chip a step");
    }
    match options.length {
        Length::Epochs(0) => return wrong("epochs", "0".to_owned(), "at least 1"),
        Length::Steps(0) => return wrong("steps", "0".to_owned(), "at least 1"),
        Length::Epochs(_) | Length::Steps(_) => {}
    }
    if options.accumulate == 0 {
        return wrong("accumulate", "0".to_owned(), "at least 1 batch a step");
    }
    let rate = options.highest_rate();
    if !(rate.is_finite() && rate > 0.0) {
        return wrong("lr", rate.to_string(), "a positive number, such as 1e-3");
    }
    let decay = options.decay();
    if !(decay.is_finite() && decay >= 0.0) {
        return wrong("weight_decay", decay.to_string(), "0 or a positive number");
    }
    if let Some((found, expected)) = options.schedule.problem() {
        return wrong("schedule", found, expected);
    }
    if let Optimizer::Sgd { momentum, nesterov } = options.optimizer {
        if !(0.0..1.0).contains(&momentum) {
            return wrong(
                "optimizer",
                format!("sgd({momentum})"),
                "a momentum of at least 0 and less than 1, such as Optimizer::sgd(0.9)",
            );
        }
        if nesterov && momentum == 0.0 {
            return wrong(
                "optimizer",
                "sgd(0).nesterov()".to_owned(),
                "a momentum greater than 0 to look ahead along, such as Optimizer::sgd(0.9).nesterov()",
            );
        }
    }
    if let Some(decay) = options.ema
        && !(decay > 0.0 && decay < 1.0)
    {
        return wrong(
            "ema",
            decay.to_string(),
            "a share between 0 and 1, such as 0.999",
        );
    }
    if let Loss::Focal { gamma } = options.loss_or_default()
        && !(gamma.is_finite() && gamma >= 0.0)
    {
        return wrong(
            "loss",
            format!("Loss::Focal {{ gamma: {gamma} }}"),
            "a gamma of 0 or more, such as 2.0",
        );
    }
    if let Some(weights) = &options.class_weights {
        let usable = weights
            .iter()
            .all(|weight| weight.is_finite() && *weight >= 0.0);
        if !usable || weights.iter().sum::<f64>() <= 0.0 {
            return wrong(
                "class_weights",
                format!("{weights:?}"),
                "numbers of 0 or more, not all 0, background first",
            );
        }
    }
    if options
        .clip_norm
        .is_some_and(|norm| norm.is_nan() || norm <= 0.0)
    {
        return wrong(
            "clip_norm",
            format!("{:?}", options.clip_norm),
            "a positive number",
        );
    }
    if !(options.validation_share.is_finite() && options.validation_share >= 0.0) {
        return wrong(
            "validation_share",
            options.validation_share.to_string(),
            "0 or a positive number",
        );
    }
    if options
        .encoder_lr_scale
        .is_some_and(|share| !share.is_finite() || share < 0.0)
    {
        return wrong(
            "encoder_lr_scale",
            format!("{:?}", options.encoder_lr_scale),
            "0 or a positive number, such as 0.1",
        );
    }
    Ok(())
}

/// Checkpoints can be written where they are wanted.
pub(super) fn checkpoints(options: &FitOptions) -> Result<(), TrainError> {
    // A run that is resumed writes where it began, unless it is told otherwise; reading says when there is nothing.
    let begun = options.resume.as_ref().filter(|folder| folder.is_dir());
    let Some(folder) = options.checkpoints.as_ref().or(begun) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::tempfile_in(folder))
        .map(drop)
        .map_err(|error| TrainError::Setting {
            setting: "checkpoints",
            found: format!("{folder:?} ({error})"),
            expected: "a folder in which files can be written",
        })
}

/// The device computes in the precision asked for.
pub(super) fn precision(options: &FitOptions, device: &Device) -> Result<(), TrainError> {
    let able = || device.is_gpu() && device.burn().supports_dtype(burn::tensor::FloatDType::BF16);
    match options.precision {
        Precision::Bf16 if !able() => Err(TrainError::Bf16 {
            device: device.name().to_owned(),
        }),
        _ => Ok(()),
    }
}

/// A weight for each class.
pub(super) fn class_weights(options: &FitOptions, classes: &Classes) -> Result<(), TrainError> {
    match &options.class_weights {
        Some(weights) if weights.len() != classes.len() => Err(TrainError::ClassWeights {
            found: weights.len(),
            classes: classes.names().into_iter().map(str::to_owned).collect(),
        }),
        _ => Ok(()),
    }
}

/// Nothing is set that only segmentation has.
pub(super) fn own_loss(options: &FitOptions) -> Result<(), TrainError> {
    let expected = "nothing set: a detection network has a loss of its own";
    let wrong = |setting, found| {
        Err(TrainError::Setting {
            setting,
            found,
            expected,
        })
    };
    match (&options.loss, &options.class_weights) {
        (Some(loss), _) => wrong("loss", format!("{loss:?}")),
        (None, Some(weights)) => wrong("class_weights", format!("{weights:?}")),
        (None, None) => Ok(()),
    }
}

/// Both scenes have labels by pixel.
pub(super) fn labeled(chips: &Chips, valid: &Scenes) -> Result<()> {
    for (area, scenes) in areas(chips, valid) {
        if let Some(scene) = scenes.iter().find(|scene| !scene.has_labels()) {
            return Err(TrainError::NoLabels {
                area,
                scene: scene.name(),
            }
            .into());
        }
    }
    Ok(())
}

/// Both scenes have labels by pixel, or boxes.
pub(super) fn labeled_or_boxed(chips: &Chips, valid: &Scenes) -> Result<()> {
    for (area, scenes) in areas(chips, valid) {
        let without = |scene: &&Scene| !scene.has_labels() && !scene.has_boxes();
        if let Some(scene) = scenes.iter().find(without) {
            return Err(TrainError::NoLabels {
                area,
                scene: scene.name(),
            }
            .into());
        }
    }
    Ok(())
}

/// Both scenes have boxes.
pub(super) fn boxed(chips: &Chips, valid: &Scenes) -> Result<()> {
    for (area, scenes) in areas(chips, valid) {
        if let Some(scene) = scenes.iter().find(|scene| !scene.has_boxes()) {
            return Err(TrainError::NoBoxes {
                area,
                scene: scene.name(),
            }
            .into());
        }
    }
    Ok(())
}

fn areas<'a>(chips: &'a Chips, valid: &'a Scenes) -> [(&'static str, &'a Scenes); 2] {
    [
        ("training scene", chips.scenes()),
        ("validation scene", valid),
    ]
}

/// Both scenes have the model's classes and bands, and its network can be built for them.
pub(super) fn scenes<T: Task>(model: &Model<T>, chips: &Chips, valid: &Scenes) -> Result<()> {
    let train = chips.scenes();
    for (area, scene) in areas(chips, valid) {
        let (expected, found) = (model.classes().names(), scene.classes().names());
        if expected != found {
            let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
            return Err(TrainError::ClassesDiffer {
                area,
                expected: owned(expected),
                found: owned(found),
            }
            .into());
        }
    }
    let bands = |area, other, expected, scene: &Scenes| ModelError::BandsDiffer {
        area,
        other,
        expected,
        found: scene.band_count(),
        scene: scene.name(),
    };
    if valid.band_count() != train.band_count() {
        return Err(bands(
            "validation scene",
            "the training scene",
            train.band_count(),
            valid,
        )
        .into());
    }
    if let Some(expected) = model
        .bands()
        .filter(|expected| *expected != train.band_count())
    {
        return Err(bands("training scene", "the model", expected, train).into());
    }
    let (architecture, classes) = (model.architecture(), model.classes());
    Ok(architecture.check(train.band_count(), classes.len())?)
}

/// Says when chips are cut where the run validates: its scores, and the choice of its best weights, are then of pixels that
/// were trained on.
pub(super) fn unseen(chips: &Chips, valid: &Scenes) -> Option<Notice> {
    let whole = |scene: &crate::scene::Scene| scene.as_trained_area(scene.area());
    let trained: Vec<_> = chips.scenes().iter().map(whole).collect();
    let (mut seen, mut all) = (0.0, 0.0);
    for scene in valid.iter() {
        let pixels = scene.area().area() as f64;
        seen += whole(scene).share_seen(&trained) * pixels;
        all += pixels;
    }
    let share = if all > 0.0 { seen / all } else { 0.0 };
    (share >= WORTH_SAYING).then(|| {
        let text = match share {
            0.995.. => "the whole validation area is trained on".to_owned(),
            _ => format!("{:.0} % of the validation area is trained on", share * 100.0),
        };
        Notice::noted(format!(
            "{text}: the scores of this run, and the choice of its best weights, tell nothing of new imagery"
        ))
        .about(valid.name())
        .next(format!("cut the chips from another part: {}", Step::SplitScene))
    })
}

/// Says when a model cannot keep how the bands of its scenes were changed.
pub(super) fn changed_alike(chips: &Chips) -> Option<Notice> {
    (!super::model::changed_alike(chips.scenes())).then(|| {
        Notice::noted(
            "the bands of the training scenes were changed by numbers of their own: the model does not keep them",
        )
        .next("change a scene in the same way before it is predicted")
    })
}

/// Whether the scenes hold what the model and the training scene hold: the bands in their order, values of the same kind.
/// Returns what a person should know.
pub(super) fn values<T: Task>(
    model: &Model<T>,
    chips: &Chips,
    valid: &Scenes,
    any_values: bool,
) -> Result<Report> {
    let (train, on_purpose) = (chips.scenes(), FOR_TRAINING);
    let mut report = Report::new();
    if let Some(meta) = model.meta() {
        let known = Known {
            bands: &meta.trained_bands,
            who: "the model was trained on",
            on_purpose,
        };
        for scene in train.iter() {
            report.extend(compare(&known, scene, any_values)?);
        }
    }
    // Parts of one file are of one kind, and so are scenes that were trained on.
    let files: std::collections::BTreeSet<_> =
        train.iter().map(|scene| scene.raster().path()).collect();
    let mut others = valid
        .iter()
        .filter(|scene| !files.contains(scene.raster().path()));
    if let Some(first) = others.next() {
        let bands = TrainedBand::all(train.first().raster().bands(), &train.statistics()?);
        let known = Known {
            bands: &bands,
            who: if train.len() == 1 {
                "the training scene has"
            } else {
                "the training scenes have"
            },
            on_purpose,
        };
        for scene in std::iter::once(first).chain(others) {
            report.extend(compare(&known, scene, any_values)?);
        }
    }
    Ok(report)
}

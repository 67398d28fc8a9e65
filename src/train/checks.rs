//! What must hold before a training starts: each violation is an error that names the way out.

use super::TrainError;
use super::model::Model;
use super::options::{Fit, Length};
use crate::Result;
use crate::chips::Chips;
use crate::models::Task;
use crate::scene::Scene;

pub(super) fn settings(options: &Fit) -> Result<(), TrainError> {
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
    if !(options.lr.is_finite() && options.lr > 0.0) {
        return wrong(
            "lr",
            options.lr.to_string(),
            "a positive number, such as 1e-3",
        );
    }
    if !(options.weight_decay.is_finite() && options.weight_decay >= 0.0) {
        return wrong(
            "weight_decay",
            options.weight_decay.to_string(),
            "0 or a positive number",
        );
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
        .encoder_rate
        .is_some_and(|share| !share.is_finite() || share < 0.0)
    {
        return wrong(
            "encoder_rate",
            format!("{:?}", options.encoder_rate),
            "0 or a positive number, such as 0.1",
        );
    }
    Ok(())
}

/// Both scenes have labels by pixel.
pub(super) fn labelled(chips: &Chips, valid: &Scene) -> Result<()> {
    for (area, scene) in areas(chips, valid) {
        if !scene.has_labels() {
            return Err(TrainError::NoLabels {
                area,
                scene: scene.name(),
            }
            .into());
        }
    }
    Ok(())
}

fn areas<'a>(chips: &'a Chips, valid: &'a Scene) -> [(&'static str, &'a Scene); 2] {
    [
        ("training scene", chips.scene()),
        ("validation scene", valid),
    ]
}

/// Both scenes have the model's classes and bands.
pub(super) fn scenes<T: Task>(model: &Model<T>, chips: &Chips, valid: &Scene) -> Result<()> {
    let train = chips.scene();
    for (area, scene) in areas(chips, valid) {
        let (expected, found) = (model.classes.names(), scene.classes().names());
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
    let bands = |area, other, expected, scene: &Scene| TrainError::BandsDiffer {
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
    Ok(())
}

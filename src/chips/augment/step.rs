use std::ops::RangeInclusive;

use serde::Serialize;

use super::affine::Affine;
use super::check::{Check, Limits};
use super::copy_paste::CopyPaste;
use super::{
    band_dropout, blur, brightness, contrast, crop, cutout, gamma, hue, noise, saturation,
    scale_jitter,
};

/// One change with the numbers that it draws from. The order of the variants is the order in which changes are made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Change {
    CopyPaste(CopyPaste),
    Mosaic,
    Crop {
        area: RangeInclusive<f64>,
    },
    ScaleJitter {
        factors: RangeInclusive<f64>,
    },
    Affine(Affine),
    Mixup,
    Brightness {
        deviations: f64,
    },
    Contrast {
        strength: f64,
    },
    Gamma {
        exponents: RangeInclusive<f64>,
    },
    Saturation {
        strength: f64,
    },
    Hue {
        share: f64,
    },
    Blur {
        sigma: RangeInclusive<f64>,
    },
    Noise {
        deviations: f64,
    },
    BandDropout {
        most: usize,
    },
    Cutout {
        holes: RangeInclusive<usize>,
        edge: RangeInclusive<f64>,
    },
}

impl Change {
    /// The place in the order, by which a change's generator is chosen as well. A new change gets a number of its own, so that
    /// the others draw what they drew.
    pub(super) fn order(&self) -> u8 {
        match self {
            Self::CopyPaste(_) => 0,
            Self::Mosaic => 1,
            Self::Crop { .. } => 2,
            Self::ScaleJitter { .. } => 3,
            Self::Affine(_) => 4,
            Self::Mixup => 5,
            Self::Brightness { .. } => 6,
            Self::Contrast { .. } => 7,
            Self::Gamma { .. } => 8,
            Self::Saturation { .. } => 9,
            Self::Hue { .. } => 10,
            Self::Blur { .. } => 11,
            Self::Noise { .. } => 12,
            Self::BandDropout { .. } => 13,
            Self::Cutout { .. } => 14,
        }
    }

    /// The method that asks for it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::CopyPaste(_) => "copy_paste",
            Self::Mosaic => "mosaic",
            Self::Crop { .. } => "crop",
            Self::ScaleJitter { .. } => "scale_jitter",
            Self::Affine(_) => "affine",
            Self::Mixup => "mixup",
            Self::Brightness { .. } => "brightness",
            Self::Contrast { .. } => "contrast",
            Self::Gamma { .. } => "gamma",
            Self::Saturation { .. } => "saturation",
            Self::Hue { .. } => "hue",
            Self::Blur { .. } => "blur",
            Self::Noise { .. } => "noise",
            Self::BandDropout { .. } => "band_dropout",
            Self::Cutout { .. } => "cutout",
        }
    }

    /// What it does, in words.
    pub(super) fn words(&self) -> String {
        let to = |range: &RangeInclusive<f64>| format!("{} to {}", range.start(), range.end());
        match self {
            Self::CopyPaste(paste) => paste.words(),
            Self::Mosaic => "the corners of four chips around a point".to_owned(),
            Self::Crop { area } => format!("a part of {} of the ground", to(area)),
            Self::ScaleJitter { factors } => format!("scaled by {}, anywhere", to(factors)),
            Self::Affine(affine) => affine.words(),
            Self::Mixup => "two chips over each other".to_owned(),
            Self::Brightness { deviations } => format!("up to {deviations} deviations"),
            Self::Contrast { strength } | Self::Saturation { strength } => {
                format!("up to {strength} more or less")
            }
            Self::Gamma { exponents } => format!("exponents of {}", to(exponents)),
            Self::Hue { share } => format!("turned by up to {share} of the circle"),
            Self::Blur { sigma } => format!("a deviation of {} px", to(sigma)),
            Self::Noise { deviations } => format!("up to {deviations} of the band's deviation"),
            Self::BandDropout { most } => format!("up to {most} of the bands"),
            Self::Cutout { holes, edge } => {
                format!(
                    "{} to {} holes of {} of the edge",
                    holes.start(),
                    holes.end(),
                    to(edge)
                )
            }
        }
    }

    fn check(&self, check: &mut Check) {
        match self {
            Self::Mosaic | Self::Mixup => {}
            Self::CopyPaste(paste) => paste.check(check),
            Self::Crop { area } => check.range(crop::WHAT, area, Limits::AREAS),
            Self::ScaleJitter { factors } => {
                check.range(scale_jitter::WHAT, factors, Limits::SCALES);
            }
            Self::Affine(affine) => affine.check(check),
            Self::Brightness { deviations } => {
                check.number(brightness::WHAT, *deviations, Limits::DEVIATIONS);
            }
            Self::Contrast { strength } => check.number(contrast::WHAT, *strength, Limits::SHARE),
            Self::Gamma { exponents } => check.range(gamma::WHAT, exponents, Limits::GAMMAS),
            Self::Saturation { strength } => {
                check.number(saturation::WHAT, *strength, Limits::SHARE);
            }
            Self::Hue { share } => check.number(hue::WHAT, *share, Limits::HUES),
            Self::Blur { sigma } => check.range(blur::WHAT, sigma, Limits::SIGMAS),
            Self::Noise { deviations } => {
                check.number(noise::WHAT, *deviations, Limits::DEVIATIONS);
            }
            Self::BandDropout { most } => {
                check.number(band_dropout::WHAT, *most as f64, Limits::COUNT);
            }
            Self::Cutout { holes, edge } => {
                check.counts(cutout::WHAT_HOLES, holes, Limits::COUNT);
                check.range(cutout::WHAT_EDGE, edge, Limits::AREAS);
            }
        }
    }

    /// Whether it changes values by what the bands hold.
    pub(super) fn needs_statistics(&self) -> bool {
        !matches!(
            self,
            Self::CopyPaste(_)
                | Self::Mosaic
                | Self::Crop { .. }
                | Self::ScaleJitter { .. }
                | Self::Affine(_)
                | Self::Mixup
                | Self::Saturation { .. }
                | Self::Hue { .. }
                | Self::Blur { .. }
        )
    }

    /// Whether it needs one red, one green and one blue band.
    pub(super) fn needs_colors(&self) -> bool {
        matches!(self, Self::Saturation { .. } | Self::Hue { .. })
    }
}

/// A change, and how often it is made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Step {
    pub(super) change: Change,
    pub(super) probability: f64,
    /// Whether imagery that it cannot be made of goes without it: where a preset asked for it, not a person.
    pub(super) where_possible: bool,
}

impl Step {
    pub(super) fn check(&self, check: &mut Check) {
        check.number(
            "the probability of a change",
            self.probability,
            Limits::SHARE,
        );
        self.change.check(check);
    }
}

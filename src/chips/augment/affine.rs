use std::ops::RangeInclusive;

use rand::Rng;
use serde::Serialize;

use super::check::{Check, Limits};
use super::draw::{between, signed};
use super::plane_map::PlaneMap;
use crate::raster::Size;

/// Which turns, sizes, shifts and shears [`Augment::affine`](super::Augment::affine) draws from; nothing of it unless it is said.
///
/// ```
/// use swath::prelude::*;
/// let moved = Augment::none().affine(Affine::new().rotation(15.0).scale(0.9..=1.1).translation(0.1), 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Affine {
    rotation: f64,
    scale: RangeInclusive<f64>,
    translation: f64,
    shear: f64,
}

impl Default for Affine {
    fn default() -> Self {
        Self::new()
    }
}

impl Affine {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rotation: 0.0,
            scale: 1.0..=1.0,
            translation: 0.0,
            shear: 0.0,
        }
    }

    /// Turned about the middle by up to this angle to either side, in degrees from 0 to 180.
    #[must_use]
    #[doc(alias = "degrees")]
    #[doc(alias = "rotate")]
    #[doc(alias = "rotate_limit")]
    pub const fn rotation(mut self, degrees: f64) -> Self {
        self.rotation = degrees;
        self
    }

    /// Scaled about the middle by a factor of this range, between 0.05 and 20: 0.5 shows twice as much ground to a side, most
    /// of it outside the chip, 2 half of it.
    #[must_use]
    #[doc(alias = "scale_limit")]
    #[doc(alias = "zoom")]
    pub const fn scale(mut self, factors: RangeInclusive<f64>) -> Self {
        self.scale = factors;
        self
    }

    /// Moved by up to this share of the chip's edge, from 0 to 1, along rows and along columns.
    #[must_use]
    #[doc(alias = "translate")]
    #[doc(alias = "shift_limit")]
    pub const fn translation(mut self, share: f64) -> Self {
        self.translation = share;
        self
    }

    /// Sheared by up to this angle to either side, in degrees from 0 to 80, along rows and along columns.
    #[must_use]
    pub const fn shear(mut self, degrees: f64) -> Self {
        self.shear = degrees;
        self
    }

    pub(super) fn check(&self, check: &mut Check) {
        check.number(
            "the angle of rotation in degrees",
            self.rotation,
            Limits::DEGREES,
        );
        check.range("the range of scales", &self.scale, Limits::SCALES);
        check.number(
            "the share of the edge that a chip is moved by",
            self.translation,
            Limits::SHARE,
        );
        check.number("the angle of shear in degrees", self.shear, Limits::SHEAR);
    }

    pub(super) fn words(&self) -> String {
        let (low, high) = (self.scale.start(), self.scale.end());
        let parts = [
            (self.rotation > 0.0).then(|| format!("turned by up to {} degrees", self.rotation)),
            (*low != 1.0 || *high != 1.0).then(|| format!("scaled by {low} to {high}")),
            (self.translation > 0.0)
                .then(|| format!("moved by up to {} of the edge", self.translation)),
            (self.shear > 0.0).then(|| format!("sheared by up to {} degrees", self.shear)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match parts.is_empty() {
            true => "nothing".to_owned(),
            false => parts.join(", "),
        }
    }

    pub(super) fn draw(&self, random: &mut impl Rng, size: Size) -> PlaneMap {
        let rotation = signed(random, self.rotation);
        let scale = between(random, &self.scale);
        let mut shift = |length: usize| signed(random, self.translation) * length as f64;
        let (right, down) = (shift(size.width), shift(size.height));
        let shear = [signed(random, self.shear), signed(random, self.shear)];
        about_the_middle(rotation, scale, [right, down], shear, size)
    }
}

/// Sheared along columns, then along rows, turned clockwise and scaled about the middle, then moved: torchvision's
/// `affine(angle, translate, scale, shear)`, angles in degrees and `shear` for x and y.
pub(super) fn about_the_middle(
    degrees: f64,
    scale: f64,
    [right, down]: [f64; 2],
    shear: [f64; 2],
    size: Size,
) -> PlaneMap {
    let (x, y) = (size.width as f64 / 2.0, size.height as f64 / 2.0);
    let (sin, cos) = libm::sincos(degrees.to_radians());
    // torchvision shears by the negative angles: a positive one moves what lies below to the left.
    let [tan_x, tan_y] = shear.map(|degrees| -libm::tan(degrees.to_radians()));
    let [shear_x, shear_y] = [
        PlaneMap([1.0, tan_x, 0.0, 0.0, 1.0, 0.0]),
        PlaneMap([1.0, 0.0, 0.0, tan_y, 1.0, 0.0]),
    ];
    let turn = PlaneMap([
        scale * cos,
        -scale * sin,
        0.0,
        scale * sin,
        scale * cos,
        0.0,
    ]);
    PlaneMap::translation(-x, -y)
        .then(&shear_x)
        .then(&shear_y)
        .then(&turn)
        .then(&PlaneMap::translation(x + right, y + down))
}

use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::affine::Affine;
use super::check::Check;
use super::copy_paste::CopyPaste;
use super::step::{Change, Step};
use crate::chips::{ChipOptions, ChipsError};

/// How chips are changed at random, each time they are seen: moved, recolored, blurred, covered, put together.
///
/// [`Augment::light`] and [`Augment::strong`] are sets of changes; every method adds one, or replaces it, with the probability
/// that a chip is changed so. The order in which they are written does not matter, changes are always made in this one:
/// [`copy_paste`](Augment::copy_paste), [`mosaic`](Augment::mosaic), [`crop`](Augment::crop),
/// [`scale_jitter`](Augment::scale_jitter), [`affine`](Augment::affine), [`mixup`](Augment::mixup), then the values:
/// [`brightness`](Augment::brightness), [`contrast`](Augment::contrast), [`gamma`](Augment::gamma),
/// [`saturation`](Augment::saturation), [`hue`](Augment::hue), [`blur`](Augment::blur), [`noise`](Augment::noise),
/// [`band_dropout`](Augment::band_dropout), [`cutout`](Augment::cutout). Before all of them a chip is flipped and turned by
/// quarters ([`ChipOptions::flips`]) and its colors are changed ([`ChipOptions::photometric`]), where that is asked for.
///
/// What a chip shows depends on the seed, the epoch and its number alone, never on threads, and what one change draws does not
/// depend on which others there are.
///
/// **Places**: crop, scale jitter and affine are one map of the plane, so that imagery is interpolated once, linearly, between
/// valid pixels alone; where it shrinks below three quarters, without aliasing. A pixel is valid, and has the label, of what
/// lies under its center; what comes from outside the chip is invalid and ignored. A box becomes the box around its four moved
/// corners, cut to the chip, and is kept where [`ChipOptions::min_visible`] of that is left.
///
/// **Values** are changed in the bands' own units, by the statistics of the scene, on any number of bands. They are not
/// rounded. Bands of 8 and 16 bits keep to the range of their type (what would be above 255 is 255), as a sensor's values do;
/// other types have no range that they could leave. Invalid pixels stay invalid and as they are.
///
/// ```no_run
/// use swath::prelude::*;
/// # let train = Scene::open("city.tif")?.with_labels("houses.gpkg", "building")?;
/// let chips = train.chips(Chips::random(400, 256).seed(7).augment(Augment::light()))?;
/// let own = Augment::none()
///     .affine(Affine::new().rotation(20.0).scale(0.8..=1.25), 0.7)
///     .brightness(0.3, 0.5)
///     .noise(0.05, 0.3);
/// let chips = train.chips(Chips::random(400, 256).seed(7).augment(own))?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct Augment {
    /// In their order, one of each kind.
    pub(super) steps: Vec<Step>,
}

impl ChipOptions {
    /// Changes each chip at random when it is read, anew in every epoch; nothing by default. Comes after
    /// [`ChipOptions::flips`] and [`ChipOptions::photometric`].
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = samples::town(1, 2048)?.scene()?;
    /// let chips = scene.chips(Chips::random(400, 256).augment(Augment::strong()))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "transform")]
    #[doc(alias = "transforms")]
    #[doc(alias = "augmentations")]
    #[doc(alias = "augmentors")]
    #[doc(alias = "aug_transform")]
    pub fn augment(mut self, augment: Augment) -> Self {
        self.augment = augment;
        self
    }
}

impl Augment {
    /// No change: chips are what they are without it, bit by bit.
    #[must_use]
    pub const fn none() -> Self {
        Self { steps: Vec::new() }
    }

    /// Whether there is no change.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.steps.is_empty()
    }

    /// Turned, scaled, moved and sheared about the chip's middle, as torchvision's `affine`. What is turned in from outside is
    /// invalid, and its labels are ignored.
    #[must_use]
    #[doc(alias = "RandomAffine")]
    #[doc(alias = "ShiftScaleRotate")]
    #[doc(alias = "RandomPerspective")]
    #[doc(alias = "RandomRotation")]
    #[doc(alias = "Rotate")]
    pub fn affine(self, affine: Affine, probability: f64) -> Self {
        self.with(Change::Affine(affine), probability)
    }

    /// A part of the chip in its place, as large as the chip: a share of its ground drawn from this range (0.01 to 1), its
    /// sides in a ratio from 3:4 to 4:3, anywhere. This is torchvision's `RandomResizedCrop`, whose `scale` is `0.08..=1.0`,
    /// except that places are not rounded to whole pixels.
    #[must_use]
    #[doc(alias = "RandomResizedCrop")]
    pub fn crop(self, area: RangeInclusive<f64>, probability: f64) -> Self {
        self.with(Change::Crop { area }, probability)
    }

    /// The chip scaled by a factor drawn from this range (0.05 to 20): what is smaller lies anywhere in the chip, with nothing
    /// around it; of what is larger a part is seen. This is torchvision's `ScaleJitter` (`0.1..=2.0`) with the padding and the
    /// crop that follow it. [`ChipOptions::window_sizes`] does the same with imagery all around.
    #[must_use]
    #[doc(alias = "ScaleJitter")]
    #[doc(alias = "RandomScale")]
    pub fn scale_jitter(self, factors: RangeInclusive<f64>, probability: f64) -> Self {
        self.with(Change::ScaleJitter { factors }, probability)
    }

    /// All bands brighter or darker by up to so many of their deviations (0 to 10): each by the same share of its own.
    #[must_use]
    #[doc(alias = "ColorJitter")]
    #[doc(alias = "RandomBrightnessContrast")]
    #[doc(alias = "hsv_v")]
    pub fn brightness(self, deviations: f64, probability: f64) -> Self {
        self.with(Change::Brightness { deviations }, probability)
    }

    /// Every value further from its band's mean, or nearer to it, by a factor of up to `1 + strength` and down to
    /// `1 - strength` (0 to 1).
    #[must_use]
    pub fn contrast(self, strength: f64, probability: f64) -> Self {
        self.with(Change::Contrast { strength }, probability)
    }

    /// Values raised to a power drawn from this range (0.1 to 10), between the band's 2nd and 98th percentile: with these as 0
    /// and 1, `v` becomes `v^gamma`. Above 1 it gets darker in between, below 1 brighter; what lies outside stays.
    #[must_use]
    #[doc(alias = "RandomGamma")]
    #[doc(alias = "adjust_gamma")]
    pub fn gamma(self, exponents: RangeInclusive<f64>, probability: f64) -> Self {
        self.with(Change::Gamma { exponents }, probability)
    }

    /// Hues turned around the circle of colors by up to this share of it to either side (0 to 0.5), as torchvision's
    /// `adjust_hue`. Of the red, the green and the blue band, other bands stay.
    ///
    /// Making chips is an error ([`ChipsError::NoColors`]) on imagery that does not have one band of each color.
    #[must_use]
    #[doc(alias = "adjust_hue")]
    #[doc(alias = "HueSaturationValue")]
    #[doc(alias = "hsv_h")]
    pub fn hue(self, share: f64, probability: f64) -> Self {
        self.with(Change::Hue { share }, probability)
    }

    /// Colors further from gray, or nearer to it, by a factor of up to `1 + strength` and down to `1 - strength` (0 to 1), as
    /// torchvision's `adjust_saturation`: gray is 0.2989 red + 0.587 green + 0.114 blue. Other bands stay.
    ///
    /// Making chips is an error ([`ChipsError::NoColors`]) on imagery that does not have one band of each color.
    #[must_use]
    #[doc(alias = "adjust_saturation")]
    #[doc(alias = "RandomGrayscale")]
    #[doc(alias = "hsv_s")]
    pub fn saturation(self, strength: f64, probability: f64) -> Self {
        self.with(Change::Saturation { strength }, probability)
    }

    /// Gaussian noise on every value: its deviation is drawn for each chip, up to so many of the band's (0 to 10).
    #[must_use]
    #[doc(alias = "GaussNoise")]
    #[doc(alias = "GaussianNoise")]
    pub fn noise(self, deviations: f64, probability: f64) -> Self {
        self.with(Change::Noise { deviations }, probability)
    }

    /// From 1 to `most` bands become their mean, so that a network does not lean on one of them. At least one band stays.
    ///
    /// Making chips is an error ([`ChipsError::BadOption`]) where `most` is not less than the number of bands.
    #[must_use]
    #[doc(alias = "ChannelDropout")]
    pub fn band_dropout(self, most: usize, probability: f64) -> Self {
        self.with(Change::BandDropout { most }, probability)
    }

    /// Gaussian blur: its deviation in pixels is drawn from this range (0 to 50), its kernel ends at four deviations, as
    /// SciPy's. Valid pixels alone take part; at an edge they make up the whole.
    #[must_use]
    #[doc(alias = "GaussianBlur")]
    pub fn blur(self, sigma: RangeInclusive<f64>, probability: f64) -> Self {
        self.with(Change::Blur { sigma }, probability)
    }

    /// Rectangular holes in which every band is its mean: as many as the first range says, their sides drawn from the second
    /// as shares of the chip's edge (0.01 to 1). Labels stay, so that a network learns to tell what is hidden by what lies
    /// around it; a box is left out where less than [`ChipOptions::min_visible`] of it can be seen. This is albumentations'
    /// `CoarseDropout` (DeVries and Taylor 2017, arXiv:1708.04552).
    #[must_use]
    #[doc(alias = "CoarseDropout")]
    #[doc(alias = "RandomErasing")]
    #[doc(alias = "erasing")]
    pub fn cutout(
        self,
        holes: RangeInclusive<usize>,
        edge: RangeInclusive<f64>,
        probability: f64,
    ) -> Self {
        self.with(Change::Cutout { holes, edge }, probability)
    }

    /// Four chips around a point: the lower right part of one, the lower left of the next, and so on, together as large as a
    /// chip. The point lies anywhere in it, the three others are drawn from all chips. What [`Augment::affine`] moves in from
    /// outside is then more of the four. This is ultralytics' `Mosaic`.
    #[must_use]
    #[doc(alias = "Mosaic")]
    pub fn mosaic(self, probability: f64) -> Self {
        self.with(Change::Mosaic, probability)
    }

    /// Two chips over each other, with the boxes of both: values are `r` of the one and `1 - r` of the other, `r` drawn from
    /// Beta(32, 32), so about half of each, as ultralytics' `MixUp` (Zhang et al. 2018, arXiv:1710.09412). Where only one is
    /// valid, it is seen alone. Labels cannot be mixed: where two valid pixels have different ones, they are ignored.
    #[must_use]
    #[doc(alias = "MixUp")]
    pub fn mixup(self, probability: f64) -> Self {
        self.with(Change::Mixup, probability)
    }

    /// Objects of another chip, put where nothing that is labeled is hidden by them: see [`CopyPaste`].
    ///
    /// Making chips is an error ([`ChipsError::NoObjects`]) on a scene without boxes.
    #[must_use]
    #[doc(alias = "CopyPaste")]
    pub fn copy_paste(self, paste: CopyPaste, probability: f64) -> Self {
        self.with(Change::CopyPaste(paste), probability)
    }

    fn with(self, change: Change, probability: f64) -> Self {
        self.add(Step {
            change,
            probability,
            where_possible: false,
        })
    }

    /// In its place, instead of an earlier one of its kind.
    pub(super) fn add(mut self, step: Step) -> Self {
        let order = step.change.order();
        self.steps.retain(|one| one.change.order() != order);
        let place = self.steps.partition_point(|one| one.change.order() < order);
        self.steps.insert(place, step);
        self
    }

    pub(in crate::chips) fn check(&self) -> Result<(), ChipsError> {
        let mut check = Check::default();
        for step in &self.steps {
            step.check(&mut check);
        }
        check.done()
    }

    /// The name of a change that puts several chips together, if there is one.
    pub(in crate::chips) fn joins_chips(&self) -> Option<&'static str> {
        let joins = |change: &Change| {
            matches!(
                change,
                Change::CopyPaste(_) | Change::Mosaic | Change::Mixup
            )
        };
        let changes = self.steps.iter().map(|step| &step.change);
        changes
            .filter(|change| joins(change))
            .map(Change::name)
            .next()
    }

    /// Each change with its probability and what it does, in words.
    pub(crate) fn rows(&self) -> Vec<(&'static str, f64, String)> {
        let row = |step: &Step| (step.change.name(), step.probability, step.change.words());
        self.steps.iter().map(row).collect()
    }
}

/// `none`, or `affine 0.5, brightness 0.5`: each change with its probability.
impl fmt::Debug for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("none");
        }
        for (at, step) in self.steps.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{} {}", step.change.name(), step.probability)?;
        }
        Ok(())
    }
}

//! Sets of changes, with where their numbers come from.

use super::affine::Affine;
use super::builder::Augment;
use super::step::{Change, Step};

impl Augment {
    /// What any imagery from above bears: a little larger or smaller, a little aside, a little brighter or darker.
    ///
    /// | change | numbers | from | probability |
    /// |---|---|---|---|
    /// | [`affine`](Augment::affine) | scale 0.9 to 1.1, moved by up to 0.0625 of the edge | albumentations' `ShiftScaleRotate`, whose turns are left to [`flips`](crate::chips::ChipOptions::flips) | 0.5 |
    /// | [`brightness`](Augment::brightness) | up to 0.2 deviations | albumentations' `RandomBrightnessContrast` | 0.5 |
    /// | [`contrast`](Augment::contrast) | 0.8 to 1.2 | the same | 0.5 |
    ///
    /// Those libraries count brightness in shares of the type's range, which says nothing about 16 bits or reflectances; here
    /// it is counted in deviations of each band.
    #[must_use]
    pub fn light() -> Self {
        Self::none()
            .affine(Affine::new().scale(0.9..=1.1).translation(0.0625), 0.5)
            .brightness(0.2, 0.5)
            .contrast(0.2, 0.5)
    }

    /// For few labels, long trainings and imagery of other days or sensors: much of everything that one chip can be changed
    /// by.
    ///
    /// | change | numbers | from | probability |
    /// |---|---|---|---|
    /// | [`affine`](Augment::affine) | turned by up to 45 degrees | albumentations' `ShiftScaleRotate` | 0.5 |
    /// | | scale 0.5 to 1.5, moved by up to 0.1 of the edge | ultralytics' `scale=0.5`, `translate=0.1` | |
    /// | [`brightness`](Augment::brightness) | up to 0.4 deviations | MoCo v2's `ColorJitter(0.4, 0.4, 0.4, 0.1)`, the four of them | 0.8 |
    /// | [`contrast`](Augment::contrast) | 0.6 to 1.4 | | 0.8 |
    /// | [`saturation`](Augment::saturation), where there are colors | 0.6 to 1.4 | | 0.8 |
    /// | [`hue`](Augment::hue), where there are colors | up to 0.1 of the circle | | 0.8 |
    /// | [`gamma`](Augment::gamma) | exponents of 0.8 to 1.2 | albumentations' `RandomGamma` | 0.5 |
    /// | [`blur`](Augment::blur) | 0.1 to 2 px | torchvision's `GaussianBlur`; rarer than MoCo's 0.5, since objects from above are small | 0.1 |
    /// | [`noise`](Augment::noise) | up to 0.1 of the band's deviation | ours | 0.2 |
    /// | [`band_dropout`](Augment::band_dropout), of several bands | 1 band | albumentations' `ChannelDropout`, with 0.5 | 0.1 |
    /// | [`cutout`](Augment::cutout) | 1 or 2 holes of 0.1 to 0.2 of the edge | albumentations' `CoarseDropout` | 0.5 |
    ///
    /// On imagery without a red, a green and a blue band, saturation and hue are left out, and the chips'
    /// [`report`](crate::chips::Chips::report) says so; likewise band dropout where there is one band. Several chips are not
    /// put together: [`mosaic`](Augment::mosaic), [`mixup`](Augment::mixup) and [`copy_paste`](Augment::copy_paste) are added
    /// by name.
    #[must_use]
    pub fn strong() -> Self {
        let affine = Affine::new()
            .rotation(45.0)
            .scale(0.5..=1.5)
            .translation(0.1);
        let where_possible = |change, probability| Step {
            change,
            probability,
            where_possible: true,
        };
        Self::none()
            .affine(affine, 0.5)
            .brightness(0.4, 0.8)
            .contrast(0.4, 0.8)
            .add(where_possible(Change::Saturation { strength: 0.4 }, 0.8))
            .add(where_possible(Change::Hue { share: 0.1 }, 0.8))
            .gamma(0.8..=1.2, 0.5)
            .blur(0.1..=2.0, 0.1)
            .noise(0.1, 0.2)
            .add(where_possible(Change::BandDropout { most: 1 }, 0.1))
            .cutout(1..=2, 0.1..=0.2, 0.5)
    }
}

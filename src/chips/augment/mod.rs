//! How chips are changed at random: what each change draws depends on seed, epoch and the chip's number alone.

mod affine;
mod apply;
mod band_dropout;
mod blur;
mod bounds;
mod brightness;
mod builder;
mod check;
mod colors;
mod contrast;
mod copy_paste;
mod crop;
mod cutout;
mod draw;
mod flips;
mod gamma;
mod hue;
mod mixup;
mod mosaic;
mod noise;
mod photometric;
mod plane_map;
mod presets;
mod saturation;
mod scale_jitter;
mod step;
mod values;
mod warp;

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;

pub use affine::Affine;
pub(super) use apply::Augmenter;
pub use builder::Augment;
pub use copy_paste::CopyPaste;
pub(super) use flips::Placement;
pub(super) use photometric::Photometric;

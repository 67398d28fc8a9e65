use serde::{Deserialize, Serialize};

/// How raw pixel values become a network's input: `(value - mean) / std`, band by band.
///
/// Three rules make one (see [`crate::models::Architecture::normalization`]):
/// * 8-bit imagery for EfficientNet-Lite0: `(value - 127) / 128`, what its ImageNet weights were trained with;
/// * 8-bit three-band imagery for a ResNet: torchvision's ImageNet mean and deviation, in 0–255;
/// * any other data type: the training area's own statistics, scaled so that the result has the spread of the first
///   two (a deviation of about [`Normalization::IMAGENET_SPREAD`] for EfficientNet-Lite0, of 1 for a ResNet).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    /// The value that becomes 0, one a band.
    pub mean: Vec<f32>,
    /// The difference that becomes 1, one a band; never 0.
    pub std: Vec<f32>,
}

impl Normalization {
    /// The deviation of ImageNet's pixels after `(value - 127) / 128`.
    pub const IMAGENET_SPREAD: f64 = 0.45;

    /// `(value - mean) / std` with the given figures; a deviation that is 0 or not finite counts as 1.
    #[must_use]
    pub fn new(mean: Vec<f32>, std: Vec<f32>) -> Self {
        let std = std
            .into_iter()
            .map(|s| if s.is_finite() && s > 0.0 { s } else { 1.0 })
            .collect();
        let mean = mean
            .into_iter()
            .map(|m| if m.is_finite() { m } else { 0.0 })
            .collect();
        Self { mean, std }
    }

    /// `(value - 127) / 128` on each of `bands` bands.
    #[must_use]
    pub fn eight_bit(bands: usize) -> Self {
        Self::new(vec![127.0; bands], vec![128.0; bands])
    }

    /// torchvision's ImageNet figures for red, green and blue in 0–255.
    #[must_use]
    pub fn imagenet() -> Self {
        Self::new(vec![123.675, 116.28, 103.53], vec![58.395, 57.12, 57.375])
    }

    /// Bands of any data type from their mean and deviation, so that the result has mean 0 and deviation `spread`.
    #[must_use]
    pub fn from_moments(mean: &[f64], std: &[f64], spread: f64) -> Self {
        Self::new(
            mean.iter().map(|&m| m as f32).collect(),
            std.iter().map(|&s| (s / spread) as f32).collect(),
        )
    }

    /// The number of bands.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.mean.len()
    }

    /// Normalizes an image in place: bands one after another (CHW). Values that are not finite become 0, which is the
    /// mean.
    ///
    /// Bands beyond [`Normalization::bands`] are left as they are.
    pub fn apply(&self, values: &mut [f32]) {
        let bands = self.bands().max(1);
        let pixels = values.len() / bands;
        for ((band, &mean), &std) in values
            .chunks_exact_mut(pixels.max(1))
            .zip(&self.mean)
            .zip(&self.std)
        {
            let scale = 1.0 / std;
            for value in band {
                *value = if value.is_finite() {
                    (*value - mean) * scale
                } else {
                    0.0
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bit_values_map_to_the_range_the_imagenet_weights_expect() {
        let mut values = vec![127.0, 255.0, -1.0, f32::NAN];
        Normalization::eight_bit(2).apply(&mut values);
        assert_eq!(values, [0.0, 1.0, -1.0, 0.0]);
    }

    #[test]
    fn a_constant_band_does_not_divide_by_zero() {
        let mut values = vec![5.0; 4];
        Normalization::from_moments(&[5.0], &[0.0], 1.0).apply(&mut values);
        assert_eq!(values, [0.0; 4]);
    }

    #[test]
    fn statistics_give_the_asked_spread() {
        let mut values = vec![100.0, 300.0];
        Normalization::from_moments(&[200.0], &[100.0], 0.5).apply(&mut values);
        assert_eq!(values, [-0.5, 0.5]);
    }
}

//! Chips on their way to the network: normalized, stacked.

use burn::tensor::{Tensor, TensorData};

use crate::boxes::Annotation;
use crate::chips::Chip;
use crate::labels::IGNORE;
use crate::models::Normalization;
use crate::raster::Patch;

/// A batch on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalized values, `[n, bands, height, width]`; 0 where the imagery is invalid.
    pub(super) images: Vec<f32>,
    /// `[n, height, width]`.
    pub(crate) labels: Vec<u8>,
    /// `n` lists of objects, in the chips' pixels.
    pub(super) boxes: Vec<Vec<Annotation>>,
    /// `n` classes of whole chips, [`IGNORE`] for those that have none.
    pub(crate) classes: Vec<u8>,
    /// `[n, bands, height, width]`.
    pub(crate) shape: [usize; 4],
}

impl Batch {
    /// Stacks chips of one size.
    pub(super) fn new(chips: &[Chip], normalization: &Normalization) -> Self {
        let parts: Vec<_> = chips
            .iter()
            .map(|chip| (&chip.patch, chip.labels.as_slice()))
            .collect();
        Self {
            boxes: chips.iter().map(|chip| chip.boxes.clone()).collect(),
            classes: chips.iter().map(|chip| byte(chip.class)).collect(),
            ..Self::of_patches(&parts, normalization)
        }
    }

    pub(crate) fn of_patches(parts: &[(&Patch, &[u8])], normalization: &Normalization) -> Self {
        let Some((first, _)) = parts.first() else {
            return Self {
                images: Vec::new(),
                labels: Vec::new(),
                boxes: Vec::new(),
                classes: Vec::new(),
                shape: [0; 4],
            };
        };
        let (height, width, bands) = (first.size.height, first.size.width, first.bands);
        let pixels = height * width;
        let mut images = vec![0.0_f32; parts.len() * bands * pixels];
        let mut labels = vec![IGNORE; parts.len() * pixels];
        let chunks = images
            .chunks_exact_mut((bands * pixels).max(1))
            .zip(labels.chunks_exact_mut(pixels.max(1)));
        for ((patch, truth), (image, label)) in parts.iter().zip(chunks) {
            image.copy_from_slice(&patch.data);
            normalization.apply(image);
            for plane in image.chunks_exact_mut(pixels.max(1)) {
                for (value, valid) in plane.iter_mut().zip(&patch.valid) {
                    if *valid == 0 {
                        *value = 0.0;
                    }
                }
            }
            if truth.len() == pixels {
                label.copy_from_slice(truth);
            }
        }
        Self {
            images,
            labels,
            boxes: Vec::new(),
            classes: Vec::new(),
            shape: [parts.len(), bands, height, width],
        }
    }

    /// The images on a device.
    pub(crate) fn upload(&mut self, device: &burn::tensor::Device) -> Tensor<4> {
        Tensor::from_data(
            TensorData::new(std::mem::take(&mut self.images), self.shape),
            device,
        )
    }
}

/// A class as labels have it.
pub(super) fn byte(class: Option<usize>) -> u8 {
    class
        .and_then(|class| u8::try_from(class).ok())
        .unwrap_or(IGNORE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Size;

    fn patch() -> Patch {
        Patch {
            size: Size::new(2, 2),
            bands: 1,
            data: vec![1.0, 2.0, 3.0, f32::NAN],
            valid: vec![1, 1, 0, 1],
        }
    }

    #[test]
    fn values_are_normalized_and_invalid_ones_are_the_mean() {
        let normalization = Normalization::new(vec![1.0], vec![0.5]);
        let batch = Batch::of_patches(&[(&patch(), &[0, 1, 255, 0])], &normalization);
        assert_eq!(batch.images, [0.0, 2.0, 0.0, 0.0]);
        assert_eq!(batch.labels, [0, 1, 255, 0]);
        assert_eq!(batch.shape, [1, 1, 2, 2]);
    }
}

//! Chips on their way to the network: normalised, turned, stacked.

use burn::tensor::{Tensor, TensorData};

use crate::chips::Chip;
use crate::labels::IGNORE;
use crate::models::Normalisation;
use crate::raster::Patch;

/// A batch on the host.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    /// Normalised values, `[n, bands, height, width]`; 0 where the imagery is invalid.
    pub(super) images: Vec<f32>,
    /// `[n, height, width]`.
    pub(super) labels: Vec<u8>,
    /// `[n, bands, height, width]`.
    pub(super) shape: [usize; 4],
}

impl Batch {
    /// Stacks chips of one size. `turn` says how chip `i` of the batch is flipped and turned.
    pub(super) fn new(chips: &[Chip], normalisation: &Normalisation, turn: impl Fn(usize) -> Turn) -> Self {
        let parts: Vec<_> = chips.iter().map(|chip| (&chip.patch, chip.labels.as_slice())).collect();
        Self::of_patches(&parts, normalisation, turn)
    }

    pub(super) fn of_patches(
        parts: &[(&Patch, &[u8])],
        normalisation: &Normalisation,
        turn: impl Fn(usize) -> Turn,
    ) -> Self {
        let Some((first, _)) = parts.first() else {
            return Self { images: Vec::new(), labels: Vec::new(), shape: [0; 4] };
        };
        let (height, width, bands) = (first.size.height, first.size.width, first.bands);
        let pixels = height * width;
        let mut images = vec![0.0_f32; parts.len() * bands * pixels];
        let mut labels = vec![IGNORE; parts.len() * pixels];
        let chunks = images.chunks_exact_mut((bands * pixels).max(1)).zip(labels.chunks_exact_mut(pixels.max(1)));
        for (index, ((patch, truth), (image, label))) in parts.iter().zip(chunks).enumerate() {
            let turn = if height == width { turn(index) } else { turn(index).without_quarters() };
            for (band, plane) in image.chunks_exact_mut(pixels).enumerate() {
                turn.copy(patch.band(band), plane, height, width);
            }
            normalisation.apply(image);
            let mut valid = vec![0; pixels];
            turn.copy(&patch.valid, &mut valid, height, width);
            for plane in image.chunks_exact_mut(pixels) {
                for (value, valid) in plane.iter_mut().zip(&valid) {
                    if *valid == 0 {
                        *value = 0.0;
                    }
                }
            }
            if truth.len() == pixels {
                turn.copy(truth, label, height, width);
            }
        }
        Self { images, labels, shape: [parts.len(), bands, height, width] }
    }

    /// The images on a device.
    pub(super) fn upload(&mut self, device: &burn::tensor::Device) -> Tensor<4> {
        Tensor::from_data(TensorData::new(std::mem::take(&mut self.images), self.shape), device)
    }
}

/// One of the eight ways to put a square back on itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn(u8);

impl Turn {
    pub(super) const NONE: Self = Self(0);

    /// The way of a chip at this place of this epoch. Depends on nothing else, so that a resumed run sees the same.
    pub(super) fn of(seed: u64, epoch: usize, position: usize) -> Self {
        // SplitMix64: neighbouring counters give unrelated bits.
        let mut bits = seed ^ (epoch as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((position as u64) << 32);
        bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(((bits ^ (bits >> 31)) & 7) as u8)
    }

    fn without_quarters(self) -> Self {
        Self(self.0 & 3)
    }

    /// Copies an image, flipped over rows (bit 1), over columns (bit 2), and with rows and columns exchanged (bit 4).
    fn copy<T: Copy>(self, from: &[T], to: &mut [T], height: usize, width: usize) {
        if self == Self::NONE {
            to.copy_from_slice(from);
            return;
        }
        for (row, line) in to.chunks_exact_mut(width).enumerate() {
            let row = if self.0 & 1 == 0 { row } else { height - 1 - row };
            for (col, value) in line.iter_mut().enumerate() {
                let col = if self.0 & 2 == 0 { col } else { width - 1 - col };
                *value = if self.0 & 4 == 0 { from[row * width + col] } else { from[col * width + row] };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Size;

    fn patch() -> Patch {
        Patch { size: Size::new(2, 2), bands: 1, data: vec![1.0, 2.0, 3.0, f32::NAN], valid: vec![1, 1, 0, 1] }
    }

    #[test]
    fn values_are_normalised_and_invalid_ones_are_the_mean() {
        let normalisation = Normalisation::new(vec![1.0], vec![0.5]);
        let batch = Batch::of_patches(&[(&patch(), &[0, 1, 255, 0])], &normalisation, |_| Turn::NONE);
        assert_eq!(batch.images, [0.0, 2.0, 0.0, 0.0]);
        assert_eq!(batch.labels, [0, 1, 255, 0]);
        assert_eq!(batch.shape, [1, 1, 2, 2]);
    }

    #[test]
    fn every_turn_is_a_different_rearrangement_and_moves_labels_with_the_image() {
        let from = [1_u8, 2, 3, 4, 5, 6, 7, 8, 9];
        let mut seen = std::collections::HashSet::new();
        for turn in 0..8 {
            let mut to = [0; 9];
            Turn(turn).copy(&from, &mut to, 3, 3);
            let mut sorted = to;
            sorted.sort_unstable();
            assert_eq!(sorted, from);
            assert_eq!(to[4], 5);
            seen.insert(to);
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn all_turns_come_up_and_the_same_place_gives_the_same() {
        let mut counts = [0; 8];
        for position in 0..800 {
            counts[usize::from(Turn::of(7, 1, position).0)] += 1;
        }
        assert!(counts.iter().all(|count| (60..140).contains(count)), "{counts:?}");
        assert_eq!(Turn::of(7, 1, 5), Turn::of(7, 1, 5));
    }
}

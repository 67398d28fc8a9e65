use rand::RngExt;

use crate::boxes::Annotation;
use crate::raster::{BandStatistics, Patch, Size};

/// One of the eight ways to lay a square on itself: turned by quarters, mirrored or not. Exact on labels, since pixels
/// only change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placement {
    transposed: bool,
    mirrored_columns: bool,
    mirrored_rows: bool,
}

impl Placement {
    pub(super) const IDENTITY: Self = Self {
        transposed: false,
        mirrored_columns: false,
        mirrored_rows: false,
    };

    pub(super) fn draw(random: &mut impl rand::Rng) -> Self {
        let choice: u32 = random.random_range(0..8);
        Self {
            transposed: choice & 1 != 0,
            mirrored_columns: choice & 2 != 0,
            mirrored_rows: choice & 4 != 0,
        }
    }

    /// Lays a square plane of values anew.
    fn apply<T: Copy>(self, plane: &mut [T], scratch: &mut Vec<T>, edge: usize) {
        scratch.clear();
        scratch.extend_from_slice(plane);
        let mirrored = |at: usize, mirror: bool| if mirror { edge - 1 - at } else { at };
        if !self.transposed {
            for (row, line) in plane.chunks_exact_mut(edge).enumerate() {
                let from = mirrored(row, self.mirrored_rows) * edge;
                line.copy_from_slice(&scratch[from..from + edge]);
                if self.mirrored_columns {
                    line.reverse();
                }
            }
            return;
        }
        // By tiles, so that the columns that are read stay in the processor's cache.
        const TILE: usize = 32;
        for (top, left) in (0..edge)
            .step_by(TILE)
            .flat_map(|top| (0..edge).step_by(TILE).map(move |left| (top, left)))
        {
            for row in top..(top + TILE).min(edge) {
                let from_row = mirrored(row, self.mirrored_rows);
                for col in left..(left + TILE).min(edge) {
                    let from_col = mirrored(col, self.mirrored_columns);
                    plane[row * edge + col] = scratch[from_col * edge + from_row];
                }
            }
        }
    }

    /// Lays the boxes of a square anew, exactly as its pixels.
    pub(super) fn apply_to_boxes(self, boxes: &mut [Annotation], size: Size) {
        if size.width != size.height {
            return;
        }
        let edge = size.width as f64;
        for one in boxes {
            if self.transposed {
                one.bounds = one.bounds.transpose();
            }
            if self.mirrored_columns {
                one.bounds = one.bounds.mirror_columns(edge);
            }
            if self.mirrored_rows {
                one.bounds = one.bounds.mirror_rows(edge);
            }
        }
    }

    /// Lays a square patch and its labels anew; other shapes stay as they are.
    pub(super) fn apply_to(self, patch: &mut Patch, labels: &mut [u8]) {
        let Size { width, height } = patch.size;
        if self == Self::IDENTITY || width != height {
            return;
        }
        let mut values = Vec::new();
        for band in patch.data.chunks_exact_mut(width * height) {
            self.apply(band, &mut values, width);
        }
        let mut bytes = Vec::new();
        self.apply(&mut patch.valid, &mut bytes, width);
        if labels.len() == width * height {
            self.apply(labels, &mut bytes, width);
        }
    }
}

/// A change of brightness and contrast for each band.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Photometric {
    /// `value * factor + offset`, by band.
    bands: Vec<(f32, f32)>,
}

impl Photometric {
    /// Draws a change of up to `strength` deviations of brightness and the same share of contrast for all bands
    /// together, and half of that for each band alone. The contrast turns about the band's mean.
    pub(super) fn draw(
        strength: f32,
        statistics: &[BandStatistics],
        random: &mut impl rand::Rng,
    ) -> Self {
        let mut signed = || random.random_range(-1.0..=1.0f32) * strength;
        let (brightness, contrast) = (signed(), signed());
        let bands = statistics
            .iter()
            .map(|band| {
                let shift = (brightness + 0.5 * signed()) * band.std as f32;
                let factor = (1.0 + contrast + 0.5 * signed()).max(0.1);
                (factor, band.mean as f32 * (1.0 - factor) + shift)
            })
            .collect();
        Self { bands }
    }

    pub(super) fn apply_to(&self, patch: &mut Patch) {
        let area = patch.size.area();
        if area == 0 {
            return;
        }
        for (values, &(factor, offset)) in patch.data.chunks_exact_mut(area).zip(&self.bands) {
            for (value, &valid) in values.iter_mut().zip(&patch.valid) {
                if valid != 0 {
                    *value = *value * factor + offset;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;

    use super::*;

    fn patch() -> Patch {
        Patch {
            size: Size::new(3, 3),
            bands: 2,
            data: (0..18).map(|v| v as f32).collect(),
            valid: vec![1; 9],
        }
    }

    #[test]
    fn all_eight_placements_occur_and_labels_move_with_the_pixels() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        let mut seen = HashSet::new();
        for _ in 0..200 {
            let (mut patch, mut labels) = (patch(), (0..9).collect::<Vec<u8>>());
            Placement::draw(&mut random).apply_to(&mut patch, &mut labels);
            let (first, second) = patch.data.split_at(9);
            assert!(
                first
                    .iter()
                    .zip(&labels)
                    .all(|(&value, &label)| value == f32::from(label))
            );
            assert!(first.iter().zip(second).all(|(a, b)| a + 9.0 == *b));
            seen.insert(labels);
        }
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn photometric_changes_leave_invalid_pixels_alone_and_keep_the_bound() {
        let statistics = [0.0, 100.0].map(|mean| BandStatistics {
            min: 0.0,
            max: 255.0,
            mean,
            std: 10.0,
            count: 9,
            p2: 0.0,
            p98: 255.0,
        });
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(1);
        for _ in 0..50 {
            let mut patch = Patch {
                data: [[0.0; 9], [100.0; 9]].concat(),
                ..patch()
            };
            patch.valid[4] = 0;
            Photometric::draw(0.2, &statistics, &mut random).apply_to(&mut patch);
            assert_eq!((patch.data[4], patch.data[13]), (0.0, 100.0));
            // At the mean only brightness acts: at most 0.2 * 1.5 deviations.
            assert!(
                patch
                    .data
                    .iter()
                    .enumerate()
                    .all(|(i, v)| (v - if i < 9 { 0.0 } else { 100.0 }).abs() <= 3.001)
            );
        }
    }
}

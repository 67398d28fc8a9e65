use rand::RngExt;

use crate::boxes::Annotation;
use crate::raster::{Patch, Size};

/// One of the eight ways to lay a square on itself: turned by quarters, mirrored or not. Exact on labels, since pixels
/// only change places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chips) struct Placement {
    transposed: bool,
    mirrored_columns: bool,
    mirrored_rows: bool,
}

impl Placement {
    pub(in crate::chips) const IDENTITY: Self = Self {
        transposed: false,
        mirrored_columns: false,
        mirrored_rows: false,
    };

    pub(in crate::chips) fn draw(random: &mut impl rand::Rng) -> Self {
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
    pub(in crate::chips) fn apply_to_boxes(self, boxes: &mut [Annotation], size: Size) {
        if size.width != size.height {
            return;
        }
        let edge = size.width as f64;
        for one in boxes {
            if self.transposed {
                one.bounds = one.bounds.transpose();
                one.outline = one.outline.map(|outline| outline.transpose());
            }
            if self.mirrored_columns {
                one.bounds = one.bounds.mirror_columns(edge);
                one.outline = one.outline.map(|outline| outline.mirror_columns(edge));
            }
            if self.mirrored_rows {
                one.bounds = one.bounds.mirror_rows(edge);
                one.outline = one.outline.map(|outline| outline.mirror_rows(edge));
            }
        }
    }

    /// Lays a square patch and its labels anew; other shapes stay as they are.
    pub(in crate::chips) fn apply_to(self, patch: &mut Patch, labels: &mut [u8]) {
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
}

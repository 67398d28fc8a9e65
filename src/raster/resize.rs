use super::{Patch, Size};

impl Patch {
    /// These pixels in another size: linear between their centers where it grows, and over all the pixels that fall
    /// together where it shrinks, so that nothing aliases. On valid pixels these are the numbers of PyTorch's
    /// `interpolate(mode="bilinear", antialias=True)` and of Pillow's `resize`.
    ///
    /// A new pixel is valid where the old pixel under its center is. Its value comes from valid pixels alone: nodata
    /// neither leaks into imagery nor takes any of it away.
    ///
    /// Pixels outside the patch play no part. So what is cut at the edge of a scene's area knows nothing of the other
    /// side, which a read through GDAL's `RasterIO` with a bilinear filter looks at.
    #[must_use]
    pub fn resized(&self, size: Size) -> Self {
        if size == self.size {
            return self.clone();
        }
        if self.size.area() == 0 || size.area() == 0 {
            return Self::invalid(size, self.bands);
        }
        let whole = !self.valid.contains(&0);
        let mut data = swath_cpu::resize::resize(
            &self.data,
            self.bands,
            [self.size.height, self.size.width],
            [size.height, size.width],
            (!whole).then_some(&self.valid),
        );
        let valid = match whole {
            true => vec![1; size.area()],
            false => under_centers(&self.valid, self.size, size),
        };
        if !whole {
            for band in data.chunks_exact_mut(size.area()) {
                for (value, &valid) in band.iter_mut().zip(&valid) {
                    if valid == 0 {
                        *value = 0.0;
                    }
                }
            }
        }
        Self {
            size,
            bands: self.bands,
            data,
            valid,
        }
    }
}

/// The values of a plane of `from` that lie under the centers of the pixels of `to`.
pub(crate) fn under_centers<T: Copy>(plane: &[T], from: Size, to: Size) -> Vec<T> {
    let columns: Vec<usize> = (0..to.width)
        .map(|col| under_center(col, to.width, from.width))
        .collect();
    let mut picked = Vec::with_capacity(to.area());
    for row in 0..to.height {
        let line = under_center(row, to.height, from.height) * from.width;
        let line = &plane[line..line + from.width];
        picked.extend(columns.iter().map(|&col| line[col]));
    }
    picked
}

/// The pixel of a line of `full` under the center of pixel `at` of `small`, which may be more; the later of two where the
/// center lies between them.
pub(super) fn under_center(at: usize, small: usize, full: usize) -> usize {
    (2 * at + 1) * full / (2 * small)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn random_patch(random: &mut impl rand::Rng, size: Size, valid: f64) -> Patch {
        let mut patch = Patch::invalid(size, 2);
        for pixel in 0..size.area() {
            if random.random::<f64>() < valid {
                patch.valid[pixel] = 1;
                patch.data[pixel] = random.random_range(100.0..200.0);
                patch.data[size.area() + pixel] = random.random_range(-3.0..-1.0);
            }
        }
        patch
    }

    #[test]
    fn nodata_neither_leaks_nor_takes_anything_away() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(4);
        for _ in 0..100 {
            let mut side = || random.random_range(1..40);
            let (from, to) = (Size::new(side(), side()), Size::new(side(), side()));
            let patch = random_patch(&mut random, from, 0.6);
            let resized = patch.resized(to);
            for row in 0..to.height {
                for col in 0..to.width {
                    // The old pixel under the center, in exact arithmetic.
                    let under = |at: usize, to: usize, from: usize| (2 * at + 1) * from / (2 * to);
                    let (old_row, old_col) = (
                        under(row, to.height, from.height),
                        under(col, to.width, from.width),
                    );
                    let (old, new) = (patch.value(0, old_row, old_col), resized.value(0, row, col));
                    assert_eq!(old.is_some(), new.is_some());
                    // 0, the value of nodata, would pull it out of the range of the valid ones.
                    assert!(new.is_none_or(|value| (99.99..200.01).contains(&value)));
                    assert!(
                        resized
                            .value(1, row, col)
                            .is_none_or(|v| (-3.001..-0.999).contains(&v))
                    );
                    if new.is_none() {
                        assert_eq!(resized.data[row * to.width + col], 0.0);
                    }
                }
            }
        }
    }

    #[test]
    fn the_mean_stays_and_stripes_finer_than_the_new_pixels_turn_gray() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
        let patch = random_patch(&mut random, Size::new(200, 200), 2.0);
        let mean = |patch: &Patch| {
            patch
                .band(0)
                .iter()
                .map(|&value| f64::from(value))
                .sum::<f64>()
                / patch.size.area() as f64
        };
        for side in [64, 100, 150, 256, 399] {
            let resized = patch.resized(Size::new(side, side));
            assert!((mean(&resized) - mean(&patch)).abs() < 0.5, "{side}");
        }
        let mut stripes = Patch::invalid(Size::new(90, 90), 1);
        stripes.valid.fill(1);
        for (pixel, value) in stripes.data.iter_mut().enumerate() {
            *value = if pixel % 2 == 0 { 100.0 } else { 0.0 };
        }
        let gray = stripes.resized(Size::new(30, 30));
        assert!(
            gray.data.iter().all(|value| (value - 50.0).abs() < 12.0),
            "every third column would be black or white"
        );
    }

    #[test]
    fn the_same_size_is_the_same_patch() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(6);
        let patch = random_patch(&mut random, Size::new(9, 7), 0.5);
        assert_eq!(patch.resized(patch.size), patch);
        assert_eq!(patch.resized(Size::new(0, 3)).data.len(), 0);
        let nothing = Patch::invalid(Size::new(0, 0), 1);
        assert_eq!(
            nothing.resized(Size::new(2, 1)),
            Patch::invalid(Size::new(2, 1), 1)
        );
    }
}

use rand::RngExt;

use crate::raster::{BandStatistics, Patch};

/// A change of brightness and contrast for each band.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::chips) struct Photometric {
    /// `value * factor + offset`, by band.
    bands: Vec<(f32, f32)>,
}

impl Photometric {
    /// Draws a change of up to `strength` deviations of brightness and the same share of contrast for all bands
    /// together, and half of that for each band alone. The contrast turns about the band's mean.
    pub(in crate::chips) fn draw(
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

    pub(in crate::chips) fn apply_to(&self, patch: &mut Patch) {
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
    use rand::SeedableRng;

    use super::*;
    use crate::raster::Size;

    fn patch() -> Patch {
        Patch {
            size: Size::new(3, 3),
            bands: 2,
            data: (0..18).map(|v| v as f32).collect(),
            valid: vec![1; 9],
        }
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

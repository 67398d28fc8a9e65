//! Where prediction windows lie and how much each counts at every pixel. Arithmetic only.

use super::tiling::Layout;
use crate::raster::{PixelWindow, Size};

/// Windows over an area, row by row, with weights that sum to one at every pixel.
#[derive(Clone, Debug)]
pub(super) struct WindowPlan {
    area: PixelWindow,
    columns: Axis,
    rows: Axis,
}

/// One window of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlannedWindow {
    /// The pixels to read, inside the area, in raster coordinates.
    pub(super) source: PixelWindow,
    /// Index along the columns and rows of windows.
    pub(super) column: usize,
    pub(super) row: usize,
}

/// Windows along one axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Pixels along the axis.
    pub(super) extent: usize,
    /// Side of a window, a multiple of [`super::tiling::WINDOW_MULTIPLE`]; beyond `extent` only when that is smaller than one window.
    pub(super) window: usize,
    /// First pixel of each window, ascending.
    pub(super) starts: Vec<usize>,
    /// Weight of each window at each of its pixels inside the extent; over all windows they sum to one.
    pub(super) weights: Vec<Vec<f32>>,
}

impl WindowPlan {
    /// Windows of `side` pixels that overlap by `overlap` pixels over `area`. The last ones are shifted inside rather
    /// than padded; an area smaller than a window gets one window, rounded up to the network's stride.
    pub(super) fn new(area: PixelWindow, side: usize, overlap: usize) -> Self {
        Self {
            area,
            columns: Axis::new(area.width, side, overlap),
            rows: Axis::new(area.height, side, overlap),
        }
    }

    pub(super) fn area(&self) -> PixelWindow {
        self.area
    }

    /// Size that the network sees.
    pub(super) fn network_size(&self) -> Size {
        Size {
            width: self.columns.window,
            height: self.rows.window,
        }
    }

    pub(super) fn columns(&self) -> &Axis {
        &self.columns
    }

    pub(super) fn rows(&self) -> &Axis {
        &self.rows
    }

    pub(super) fn len(&self) -> usize {
        self.columns.starts.len() * self.rows.starts.len()
    }

    /// Window `index` in reading order: along the columns first.
    pub(super) fn get(&self, index: usize) -> PlannedWindow {
        let (row, column) = (
            index / self.columns.starts.len(),
            index % self.columns.starts.len(),
        );
        let (left, top) = (self.columns.starts[column], self.rows.starts[row]);
        let source = PixelWindow {
            col: self.area.col + as_offset(left),
            row: self.area.row + as_offset(top),
            width: self.columns.window.min(self.columns.extent),
            height: self.rows.window.min(self.rows.extent),
        };
        PlannedWindow {
            source,
            column,
            row,
        }
    }
}

fn as_offset(pixels: usize) -> i64 {
    i64::try_from(pixels).unwrap_or(i64::MAX)
}

impl Axis {
    pub(super) fn new(extent: usize, side: usize, overlap: usize) -> Self {
        let Layout {
            window,
            overlap,
            starts,
        } = Layout::new(extent, side, overlap);
        let weights = weights(&starts, window.min(extent), extent, overlap);
        Self {
            extent,
            window,
            starts,
            weights,
        }
    }
}

/// Weights of windows along one axis: flat in the middle, falling towards each neighbor by a raised cosine over the
/// overlap, then divided by their sum at each pixel.
///
/// # Source
/// The tapered cosine (Tukey) window of Harris, *On the use of windows for harmonic analysis with the discrete Fourier
/// transform*, 1978; for patches of imagery, Pielawski and Wählby, *Introducing Hann windows for reducing edge-effects
/// in patch-based image segmentation*, 2020. Theirs halves at every pixel; ours tapers only where windows overlap.
fn weights(starts: &[usize], window: usize, extent: usize, overlap: usize) -> Vec<Vec<f32>> {
    let last = starts.len() - 1;
    let tapered = |index: usize| -> Vec<f64> {
        let side = |distance: usize, neighbor: bool| {
            if neighbor && distance < overlap {
                raised_cosine(distance, overlap)
            } else {
                1.0
            }
        };
        (0..window)
            .map(|pixel| side(pixel, index > 0).min(side(window - 1 - pixel, index < last)))
            .collect()
    };
    let tapers: Vec<Vec<f64>> = (0..starts.len()).map(tapered).collect();
    let mut sums = vec![0.0; extent];
    for (start, taper) in starts.iter().zip(&tapers) {
        for (sum, weight) in sums[*start..].iter_mut().zip(taper) {
            *sum += weight;
        }
    }
    let normalized = |(start, taper): (&usize, &Vec<f64>)| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "weights are between 0 and 1"
        )]
        let weights = taper
            .iter()
            .zip(&sums[*start..])
            .map(|(weight, sum)| (weight / sum) as f32)
            .collect();
        weights
    };
    starts.iter().zip(&tapers).map(normalized).collect()
}

/// Rises from just above 0 to just below 1 over `length` pixels, taken at pixel centers.
#[expect(
    clippy::cast_precision_loss,
    reason = "windows are far smaller than 2^53 pixels"
)]
fn raised_cosine(distance: usize, length: usize) -> f64 {
    let phase = std::f64::consts::FRAC_PI_2 * (distance as f64 + 0.5) / length as f64;
    phase.sin().powi(2)
}

/// The pixel that stands for `index` when an axis of `extent` pixels is continued by reflection, without repeating the
/// edge pixel, as often as needed.
pub(super) fn reflected(index: usize, extent: usize) -> usize {
    if extent <= 1 {
        return 0;
    }
    let period = 2 * (extent - 1);
    let phase = index % period;
    phase.min(period - phase)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::predict::tiling::WINDOW_MULTIPLE;

    fn window(width: usize, height: usize) -> PixelWindow {
        PixelWindow {
            col: 10,
            row: 20,
            width,
            height,
        }
    }

    #[test]
    fn the_last_window_is_shifted_inside() {
        let axis = Axis::new(300, 128, 32);
        assert_eq!((axis.window, axis.starts), (128, vec![0, 96, 172]));
    }

    #[test]
    fn an_area_smaller_than_a_window_gets_one_rounded_up_to_the_stride() {
        let plan = WindowPlan::new(window(50, 20), 256, 64);
        assert_eq!(
            plan.network_size(),
            Size {
                width: 64,
                height: 32
            }
        );
        assert_eq!(plan.len(), 1);
        assert_eq!(plan.get(0).source, window(50, 20));
    }

    #[test]
    fn windows_are_read_along_the_columns_first_in_raster_coordinates() {
        let plan = WindowPlan::new(window(160, 96), 96, 32);
        assert_eq!(plan.len(), 2);
        assert_eq!(
            plan.get(1).source,
            PixelWindow {
                col: 74,
                row: 20,
                width: 96,
                height: 96
            }
        );
    }

    #[test]
    fn reflection_does_not_repeat_the_edge() {
        let indices: Vec<usize> = (0..10).map(|index| reflected(index, 4)).collect();
        assert_eq!(indices, [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]);
        assert_eq!(reflected(7, 1), 0);
    }

    #[test]
    fn two_windows_cross_fade_over_their_overlap() {
        let axis = Axis::new(96, 64, 32);
        assert_eq!(axis.starts, [0, 32]);
        assert_eq!(axis.weights[0][31], 1.0);
        assert!(axis.weights[0][32] > 0.99 && axis.weights[0][63] < 0.01);
        assert!(axis.weights[0].windows(2).all(|pair| pair[1] <= pair[0]));
    }

    #[test]
    fn windows_lie_inside_cover_every_pixel_and_their_weights_sum_to_one() {
        let mut rng = Pcg64::seed_from_u64(1);
        for _ in 0..300 {
            let extent = rng.random_range(1..2000);
            let (side, overlap) = (rng.random_range(1..400), rng.random_range(0..400));
            let axis = Axis::new(extent, side, overlap);
            let mut sums = vec![0.0_f64; extent];
            assert_eq!(axis.window % WINDOW_MULTIPLE, 0);
            for (start, weights) in axis.starts.iter().zip(&axis.weights) {
                assert!(
                    start + weights.len() <= extent,
                    "{extent} px, windows of {side}, overlap {overlap}"
                );
                for (sum, weight) in sums[*start..].iter_mut().zip(weights) {
                    assert!(*weight > 0.0);
                    *sum += f64::from(*weight);
                }
            }
            assert!(axis.starts.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(
                sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5),
                "{extent} px, windows of {side}, overlap {overlap}"
            );
        }
    }
}

//! RoIAlign: features of boxes, sampled between the pixels, from the level of a pyramid that suits each box.
//!
//! Sources: `torchvision.ops.roi_align` with `aligned=False` and `torchvision.ops.MultiScaleRoIAlign`, after He et al. 2017
//! (Mask R-CNN) and Lin et al. 2017 (feature pyramids).

use std::sync::Arc;

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use swath_cpu::roi::Regions;

use super::coder::Corners;
use super::roi_ops::RoiOps;

/// Features of boxes out of a feature pyramid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoiAlign {
    /// Bins of a box in each direction.
    pub bins: usize,
    /// Samples of a bin in each direction, at least 1; their mean is the bin's value.
    pub samples: usize,
    /// The side in pixels of a box for the level of stride 16; boxes of half the side use stride 8, and so on.
    pub canonical_side: f32,
}

impl RoiAlign {
    /// Faster R-CNN's: 7 bins of 2 x 2 samples, and 224 pixels at stride 16.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bins: 7,
            samples: 2,
            canonical_side: 224.0,
        }
    }

    /// Features of boxes from one feature map; `boxes` are pairs of an image's index and corners, and `scale` is the
    /// feature map's size by the image's.
    ///
    /// Gradients flow to the features, not to the boxes.
    ///
    /// # Shapes
    ///
    /// - `features`: `[n, channels, h, w]`
    /// - output: `[boxes, channels, bins, bins]`
    ///
    /// # Panics
    ///
    /// When there is no box.
    #[must_use]
    pub fn align(&self, features: Tensor<4>, boxes: &[(usize, Corners)], scale: f32) -> Tensor<4> {
        let regions = self.regions(features.dims(), boxes, scale);
        if features.dtype() == DType::F32 && features.device().inner() == Device::flex() {
            let output = Dispatch::swath_regions(features.into_dispatch(), Arc::new(regions));
            return Tensor::from_dispatch(output);
        }
        gather(features, &regions)
    }

    /// Features of boxes from the levels of a pyramid, finest first, of images of `image` `[height, width]`. `boxes` holds
    /// one list of corners for each image; the rows of the result are in their order.
    ///
    /// # Shapes
    ///
    /// - `levels`: `[n, channels, h, w]` each
    /// - output: `[boxes, channels, bins, bins]`
    ///
    /// # Panics
    ///
    /// When there is no level or no box.
    #[must_use]
    pub fn align_levels(
        &self,
        levels: &[Tensor<4>],
        boxes: &[Vec<Corners>],
        image: [usize; 2],
    ) -> Tensor<4> {
        let boxes: Vec<(usize, Corners)> = boxes
            .iter()
            .enumerate()
            .flat_map(|(index, boxes)| boxes.iter().map(move |&corners| (index, corners)))
            .collect();
        let scales: Vec<f32> = levels
            .iter()
            .map(|level| (level.dims()[2] as f32 / image[0] as f32).log2().round())
            .collect();
        let of_boxes: Vec<usize> = boxes
            .iter()
            .map(|(_, corners)| self.level(corners, &scales))
            .collect();
        let mut parts = Vec::new();
        let mut order = Vec::new();
        for (index, level) in levels.iter().enumerate() {
            let here: Vec<usize> = (0..boxes.len())
                .filter(|&of| of_boxes[of] == index)
                .collect();
            if here.is_empty() {
                continue;
            }
            let chosen: Vec<_> = here.iter().map(|&of| boxes[of]).collect();
            parts.push(self.align(level.clone(), &chosen, scales[index].exp2()));
            order.extend(here);
        }
        let mut place = vec![0; order.len()];
        for (row, of) in order.into_iter().enumerate() {
            place[of] = row as i64;
        }
        let all = Tensor::cat(parts, 0);
        let place = indices(place, &all.device());
        all.select(0, place)
    }

    /// The level of a box, from the logarithms of the levels' scales: formula 1 of the paper on feature pyramids.
    fn level(&self, corners: &Corners, scales: &[f32]) -> usize {
        let side = ((corners[2] - corners[0]) * (corners[3] - corners[1])).sqrt();
        let wanted = (4.0 + (side / self.canonical_side).log2() + 1e-6).floor();
        let finest = scales.first().map_or(0.0, |scale| -scale);
        let coarsest = scales.last().map_or(0.0, |scale| -scale);
        (wanted.clamp(finest, coarsest.max(finest)) - finest) as usize
    }

    /// The rows and columns that the bins sum, and their weights. As bilinear interpolation and the mean of a grid of
    /// samples are both products of what happens in the rows and in the columns, they are kept apart.
    pub(super) fn regions(
        &self,
        shape: [usize; 4],
        boxes: &[(usize, Corners)],
        scale: f32,
    ) -> Regions {
        let [_, _, height, width] = shape;
        let mut regions = Regions {
            shape,
            bins: self.bins,
            taps: 2 * self.samples,
            ..Regions::default()
        };
        for &(image, [x_min, y_min, x_max, y_max]) in boxes {
            regions.images.push(image as u32);
            self.taps(y_min * scale, y_max * scale, height, &mut regions.rows);
            self.taps(x_min * scale, x_max * scale, width, &mut regions.columns);
        }
        regions
    }

    fn taps(&self, start: f32, end: f32, size: usize, taps: &mut Vec<(u32, f32)>) {
        // Smaller boxes count as one pixel wide.
        let bin = (end - start).max(1.0) / self.bins as f32;
        let share = 1.0 / self.samples as f32;
        for index in 0..self.bins {
            for sample in 0..self.samples {
                let position =
                    start + index as f32 * bin + (sample as f32 + 0.5) * bin / self.samples as f32;
                if !(-1.0..=size as f32).contains(&position) {
                    taps.extend([(0, 0.0); 2]);
                    continue;
                }
                let position = position.max(0.0);
                let below = (position as usize).min(size - 1);
                if below == size - 1 {
                    taps.extend([(below as u32, share), (below as u32, 0.0)]);
                } else {
                    let rest = position - below as f32;
                    taps.push((below as u32, share * (1.0 - rest)));
                    taps.push((below as u32 + 1, share * rest));
                }
            }
        }
    }
}

impl Default for RoiAlign {
    fn default() -> Self {
        Self::new()
    }
}

/// Indices on a device.
pub(super) fn indices(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// The same sums by Burn's own operations, for every device: one tap of all bins at a time, so that the largest
/// intermediate result is as large as the output.
pub(super) fn gather(features: Tensor<4>, regions: &Regions) -> Tensor<4> {
    let [images, channels, height, width] = features.dims();
    let device = features.device();
    let rows: Tensor<2> = features
        .permute([0, 2, 3, 1])
        .reshape([images * height * width, channels]);
    let (bins, taps) = (regions.bins, regions.taps);
    let count = regions.len() * bins * bins;
    let mut sum: Option<Tensor<2>> = None;
    for (by_row, by_column) in (0..taps).flat_map(|row| (0..taps).map(move |column| (row, column)))
    {
        let mut positions = Vec::with_capacity(count);
        let mut weights = Vec::with_capacity(count);
        for region in 0..regions.len() {
            let first = regions.images[region] as usize * height * width;
            let start = region * bins * taps;
            for row in 0..bins {
                let (y, row_weight) = regions.rows[start + row * taps + by_row];
                for column in 0..bins {
                    let (x, column_weight) = regions.columns[start + column * taps + by_column];
                    positions.push((first + y as usize * width + x as usize) as i64);
                    weights.push(row_weight * column_weight);
                }
            }
        }
        let weights = Tensor::<2>::from_data(TensorData::new(weights, [count, 1]), &device);
        let part = rows.clone().select(0, indices(positions, &device)) * weights;
        sum = Some(match sum {
            Some(sum) => sum + part,
            None => part,
        });
    }
    let sum = sum.unwrap_or_else(|| Tensor::zeros([count, channels], &device));
    sum.reshape([regions.len(), bins, bins, channels])
        .permute([0, 3, 1, 2])
}

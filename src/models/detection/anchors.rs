//! Anchors: the boxes of fixed sizes that a detector's outputs are offsets from.
//!
//! Source: `torchvision.models.detection.anchor_utils.AnchorGenerator`, whose numbers these are, the rounding of
//! `torch.round` (half to even) included.

use super::coder::Corners;

/// Makes the anchors of every level of a feature pyramid.
///
/// Every cell of level `l` has an anchor for each of `sizes[l]` (the side in pixels of the square of the same area) and
/// each ratio (height by width), centered on the cell's upper left corner, which is torchvision's convention.
#[derive(Clone, Debug, PartialEq)]
pub struct AnchorGenerator {
    sizes: Vec<Vec<f32>>,
    ratios: Vec<f32>,
}

impl AnchorGenerator {
    /// Anchors of `sizes` pixels, one list a level, and of `ratios`, height by width.
    #[must_use]
    pub fn new(sizes: Vec<Vec<f32>>, ratios: Vec<f32>) -> Self {
        Self { sizes, ratios }
    }

    /// RetinaNet's: three sizes a level, a third of an octave apart, from each of `bases` (torchvision's are 32, 64, 128,
    /// 256 and 512), and ratios 1:2, 1:1 and 2:1. Sizes are whole pixels, as torchvision cuts them.
    #[must_use]
    pub fn retinanet(bases: &[f64]) -> Self {
        let level = |&base: &f64| {
            [0.0, 1.0 / 3.0, 2.0 / 3.0]
                .map(|octave: f64| (base * octave.exp2()).trunc() as f32)
                .to_vec()
        };
        Self::new(bases.iter().map(level).collect(), vec![0.5, 1.0, 2.0])
    }

    /// Faster R-CNN's: one size a level and ratios 1:2, 1:1 and 2:1.
    #[must_use]
    pub fn faster_rcnn(bases: &[f64]) -> Self {
        Self::new(
            bases.iter().map(|&base| vec![base as f32]).collect(),
            vec![0.5, 1.0, 2.0],
        )
    }

    /// The number of levels.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.sizes.len()
    }

    /// Anchors of each cell; of the first level, as all levels have the same number in our detectors.
    #[must_use]
    pub fn per_cell(&self) -> usize {
        self.sizes.first().map_or(0, Vec::len) * self.ratios.len()
    }

    /// The anchors of one cell of a level, around the origin: for each ratio all sizes.
    #[must_use]
    pub fn cell(&self, level: usize) -> Vec<Corners> {
        let sizes = self.sizes.get(level).map_or(&[][..], Vec::as_slice);
        let mut anchors = Vec::with_capacity(sizes.len() * self.ratios.len());
        for ratio in &self.ratios {
            let by_height = ratio.sqrt();
            let by_width = 1.0 / by_height;
            for size in sizes {
                let (width, height) = (by_width * size, by_height * size);
                anchors.push(
                    [-width, -height, width, height].map(|side| (side / 2.0).round_ties_even()),
                );
            }
        }
        anchors
    }

    /// The anchors of each level for feature maps of the given `[height, width]` of images of `image` `[height, width]`:
    /// row by row, cell by cell, the cell's anchors together. That is the order of a head's outputs.
    #[must_use]
    pub fn grid(&self, maps: &[[usize; 2]], image: [usize; 2]) -> Vec<Vec<Corners>> {
        maps.iter()
            .enumerate()
            .map(|(level, &[rows, columns])| {
                let cell = self.cell(level);
                let stride = [image[0] / rows.max(1), image[1] / columns.max(1)];
                let mut anchors = Vec::with_capacity(rows * columns * cell.len());
                for row in 0..rows {
                    for column in 0..columns {
                        let (x, y) = ((column * stride[1]) as f32, (row * stride[0]) as f32);
                        anchors.extend(cell.iter().map(|[x_min, y_min, x_max, y_max]| {
                            [x + x_min, y + y_min, x + x_max, y + y_max]
                        }));
                    }
                }
                anchors
            })
            .collect()
    }
}

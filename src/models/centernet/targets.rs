//! What the network should say: a heat map with a Gaussian at every object, and the sides of its box around there.

use burn::tensor::{Device, Tensor, TensorData};

use super::STRIDE;
use crate::boxes::Annotation;

/// The Gaussian's reach, and the part of the box where its sides are learned, as a share of half the box.
///
/// # Source
/// The best value of Liu et al. 2019 (TTFNet), table 4.
const REACH: f64 = 0.54;
/// Distances that an untrained network predicts, in pixels: half a usual object.
const USUAL_SIDE: f64 = 16.0;
/// The logarithm of distances stays below this, so that none overflows: beyond 6000 pixels nothing is an object.
const LARGEST_LOGARITHM: f64 = 6.0;
/// Distances that are learned are at least this, in pixels: a cell's middle may lie outside a very small box.
const LEAST_SIDE: f64 = 0.1;
/// Heat where a crowd is: the loss weighs it by `(1 - heat)^4`, so nothing is learned there.
const CROWD_HEAT: f32 = 1.0 - 1e-4;

/// Distances in pixels from the raw output, `exp(score) * 16`.
pub(super) fn sides_from_scores(scores: Tensor<4>) -> Tensor<4> {
    scores
        .clamp(-LARGEST_LOGARITHM, LARGEST_LOGARITHM)
        .exp()
        .mul_scalar(USUAL_SIDE)
}

/// Targets of a batch on the host.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Targets {
    /// `[n, classes - 1, h, w]`: 1 at the cell of a center, falling off around it, 0 far from any.
    pub(super) heat: Vec<f32>,
    /// `[n, 4, h, w]`: left, upper, right and lower distance in pixels where `weights` is not 0.
    pub(super) sides: Vec<f32>,
    /// `[n, 1, h, w]`: how much a cell's sides count; over each object they sum to the logarithm of its area, less where
    /// a smaller object lies over it.
    pub(super) weights: Vec<f32>,
    /// Objects in the batch, at least 1.
    pub(super) objects: usize,
    shape: [usize; 4],
}

/// [`Targets`] on a device.
pub(super) struct DeviceTargets {
    pub(super) heat: Tensor<4>,
    pub(super) sides: Tensor<4>,
    pub(super) weights: Tensor<4>,
    pub(super) objects: usize,
}

impl Targets {
    /// Targets for a heat map of this shape, `[n, classes - 1, h, w]`. Objects of classes that the map does not have,
    /// whose center lies outside, or that are no boxes, are left out.
    pub(super) fn new(objects: &[Vec<Annotation>], shape: [usize; 4]) -> Self {
        let [n, classes, height, width] = shape;
        let cells = height * width;
        let mut targets = Self {
            heat: vec![0.0; n * classes * cells],
            sides: vec![0.0; n * 4 * cells],
            weights: vec![0.0; n * cells],
            objects: 0,
            shape,
        };
        for (image, objects) in objects.iter().take(n).enumerate() {
            let mut usable: Vec<&Annotation> = objects
                .iter()
                .filter(|object| object.bounds.is_valid() && (1..=classes).contains(&object.class))
                .collect();
            // The smaller object of two gets the cells of both, and a crowd only what no object has.
            usable.sort_by(|one, other| {
                let area = |object: &Annotation| object.bounds.area();
                (other.crowd, area(other))
                    .partial_cmp(&(one.crowd, area(one)))
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            for object in usable {
                if object.crowd {
                    targets.add_crowd(image, object);
                } else {
                    targets.add(image, object);
                }
            }
        }
        targets.objects = targets.objects.max(1);
        targets
    }

    fn plane(&self, image: usize, class: usize) -> usize {
        let [_, classes, height, width] = self.shape;
        (image * classes + class - 1) * height * width
    }

    fn add(&mut self, image: usize, object: &Annotation) {
        let [_, _, height, width] = self.shape;
        let stride = STRIDE as f64;
        let (x, y) = object.bounds.center();
        let (column, row) = ((x / stride).floor(), (y / stride).floor());
        if column < 0.0 || row < 0.0 || column >= width as f64 || row >= height as f64 {
            return;
        }
        self.objects += 1;
        let (column, row) = (column as usize, row as usize);
        let reach = |side: f64| (side / stride / 2.0 * REACH) as usize;
        let (across, down) = (reach(object.bounds.width()), reach(object.bounds.height()));
        let deviation = |reach: usize| (2 * reach + 1) as f64 / 6.0;
        let fall = |offset: f64, deviation: f64| -offset * offset / (2.0 * deviation * deviation);
        let mut touched = Vec::new();
        for cell_row in row.saturating_sub(down)..=(row + down).min(height - 1) {
            for cell_column in column.saturating_sub(across)..=(column + across).min(width - 1) {
                let exponent = fall(cell_column as f64 - column as f64, deviation(across))
                    + fall(cell_row as f64 - row as f64, deviation(down));
                touched.push((cell_row, cell_column, exponent.exp()));
            }
        }
        let total: f64 = touched.iter().map(|(_, _, heat)| heat).sum();
        let share = object.bounds.area().max(std::f64::consts::E).ln() / total;
        let (plane, cells) = (self.plane(image, object.class), height * width);
        for (cell_row, cell_column, heat) in touched {
            let cell = cell_row * width + cell_column;
            let at = &mut self.heat[plane + cell];
            *at = at.max(heat as f32);
            self.weights[image * cells + cell] = (heat * share) as f32;
            let (x, y) = middle(cell_row, cell_column);
            let bounds = &object.bounds;
            let sides = [
                x - bounds.x_min,
                y - bounds.y_min,
                bounds.x_max - x,
                bounds.y_max - y,
            ];
            for (side, distance) in sides.into_iter().enumerate() {
                self.sides[(image * 4 + side) * cells + cell] = distance.max(LEAST_SIDE) as f32;
            }
        }
    }

    /// Nothing that lies inside a crowd is wrong.
    fn add_crowd(&mut self, image: usize, crowd: &Annotation) {
        let [_, _, height, width] = self.shape;
        let plane = self.plane(image, crowd.class);
        for row in 0..height {
            for column in 0..width {
                let (x, y) = middle(row, column);
                if crowd.bounds.contains(x, y) {
                    let at = &mut self.heat[plane + row * width + column];
                    *at = at.max(CROWD_HEAT);
                }
            }
        }
    }

    pub(super) fn upload(self, device: &Device) -> DeviceTargets {
        let [n, classes, height, width] = self.shape;
        let tensor = |values: Vec<f32>, channels: usize| {
            Tensor::from_data(
                TensorData::new(values, [n, channels, height, width]),
                device,
            )
        };
        DeviceTargets {
            heat: tensor(self.heat, classes),
            sides: tensor(self.sides, 4),
            weights: tensor(self.weights, 1),
            objects: self.objects,
        }
    }
}

/// The middle of a cell in image pixels, `(x, y)`.
pub(super) fn middle(row: usize, column: usize) -> (f64, f64) {
    let stride = STRIDE as f64;
    ((column as f64 + 0.5) * stride, (row as f64 + 0.5) * stride)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boxes::BoundingBox;

    fn object(bounds: [f64; 4], class: usize) -> Annotation {
        let [x_min, y_min, x_max, y_max] = bounds;
        Annotation::new(BoundingBox::new(x_min, y_min, x_max, y_max), class)
    }

    #[test]
    fn an_object_is_one_at_its_cell_and_falls_off_by_the_size_of_its_box() {
        // 40 x 16 px about (50, 30): cell (7, 12); reaches 40/4/2*0.54 = 2 cells across and 1 down.
        let targets = Targets::new(&[vec![object([30.0, 22.0, 70.0, 38.0], 2)]], [1, 2, 16, 20]);
        assert_eq!(targets.objects, 1);
        let heat = |class: usize, row: usize, column: usize| {
            targets.heat[(class - 1) * 320 + row * 20 + column]
        };
        assert_eq!(heat(2, 7, 12), 1.0);
        assert!(
            targets.heat[..320].iter().all(|&heat| heat == 0.0),
            "the other class"
        );
        // exp(-1 / (2 (5/6)^2)) across, exp(-1 / (2 (3/6)^2)) down.
        assert!((f64::from(heat(2, 7, 13)) - (-0.72_f64).exp()).abs() < 1e-6);
        assert!((f64::from(heat(2, 6, 12)) - (-2.0_f64).exp()).abs() < 1e-6);
        assert_eq!((heat(2, 7, 15), heat(2, 9, 12)), (0.0, 0.0));
        let total: f32 = targets.weights.iter().sum();
        assert!((total - 640.0_f32.ln()).abs() < 1e-4, "{total}");
        // The middle of cell (7, 12) is (50, 30): the sides are half the box.
        let sides: Vec<f32> = (0..4)
            .map(|side| targets.sides[side * 320 + 7 * 20 + 12])
            .collect();
        assert_eq!(sides, [20.0, 8.0, 20.0, 8.0]);
        let next: Vec<f32> = (0..4)
            .map(|side| targets.sides[side * 320 + 7 * 20 + 13])
            .collect();
        assert_eq!(next, [24.0, 8.0, 16.0, 8.0]);
    }

    #[test]
    fn the_smaller_of_two_objects_gets_the_cells_of_both() {
        let (large, small) = (
            object([0.0, 0.0, 64.0, 64.0], 1),
            object([24.0, 24.0, 40.0, 40.0], 1),
        );
        let one = Targets::new(&[vec![large, small]], [1, 1, 16, 16]);
        assert_eq!(one, Targets::new(&[vec![small, large]], [1, 1, 16, 16]));
        // The middle of cell (8, 8) is (34, 34).
        assert_eq!(one.sides[8 * 16 + 8], 10.0);
    }

    #[test]
    fn what_cannot_be_learned_is_left_out() {
        let objects = vec![
            object([10.0, 10.0, 10.0, 20.0], 1),
            object([f64::NAN, 10.0, 20.0, 20.0], 1),
            object([10.0, 10.0, 20.0, 20.0], 0),
            object([10.0, 10.0, 20.0, 20.0], 9),
            object([1000.0, 10.0, 1020.0, 20.0], 1),
        ];
        let targets = Targets::new(&[objects], [1, 1, 8, 8]);
        assert_eq!(targets, Targets::new(&[Vec::new()], [1, 1, 8, 8]));
        assert!(
            targets
                .heat
                .iter()
                .chain(&targets.weights)
                .all(|&value| value == 0.0)
        );
    }

    #[test]
    fn a_crowd_has_heat_that_is_no_center_and_an_object_in_it_stays_one() {
        let crowd = Annotation {
            crowd: true,
            ..object([0.0, 0.0, 16.0, 16.0], 1)
        };
        let targets = Targets::new(
            &[vec![object([4.0, 4.0, 8.0, 8.0], 1), crowd]],
            [1, 1, 8, 8],
        );
        assert_eq!(targets.heat[8 + 1], 1.0);
        assert_eq!((targets.heat[0], targets.heat[4]), (CROWD_HEAT, 0.0));
        assert_eq!(targets.objects, 1);
    }
}

use std::sync::Arc;

use crate::BoundingBox;
use crate::grid::BoxGrid;

/// Boxes that are found by place without a look at all of them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct BoxIndex {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    boxes: Vec<BoundingBox>,
    grid: BoxGrid,
}

impl BoxIndex {
    /// Indexes the boxes; one without area or with NaN is never found.
    #[must_use]
    pub fn new(boxes: Vec<BoundingBox>) -> Self {
        let mut grid = BoxGrid::default();
        for (index, bounds) in boxes.iter().enumerate() {
            grid.insert(index, bounds, 0);
        }
        Self {
            inner: Arc::new(Inner { boxes, grid }),
        }
    }

    /// The indices of the boxes that share some area with `bounds`, ascending.
    #[must_use]
    pub fn touching(&self, bounds: &BoundingBox) -> Vec<usize> {
        let Inner { boxes, grid } = &*self.inner;
        let mut found = Vec::new();
        grid.any_near(bounds, 0, 0.0, |index| {
            if boxes[index].intersection_area(bounds) > 0.0 {
                found.push(index);
            }
            false
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether any box shares some area with `bounds`.
    #[must_use]
    pub fn touches(&self, bounds: &BoundingBox) -> bool {
        let Inner { boxes, grid } = &*self.inner;
        grid.any_near(bounds, 0, 0.0, |index| {
            boxes[index].intersection_area(bounds) > 0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn a_window_finds_the_boxes_that_a_look_at_all_finds() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
        let mut one = |largest: f64| {
            let mut upto = |high: f64| random.random_range(0.0..high);
            BoundingBox::from_xywh(
                upto(2000.0) - 500.0,
                upto(2000.0) - 500.0,
                upto(largest),
                upto(largest),
            )
        };
        let (count, rounds) = if cfg!(miri) { (60, 3) } else { (3000, 50) };
        let boxes: Vec<BoundingBox> = (0..count)
            .map(|at| one(if at % 100 == 0 { 900.0 } else { 40.0 }))
            .collect();
        let index = BoxIndex::new(boxes.clone());
        for size in [1.0, 60.0, 700.0, 5000.0] {
            for _ in 0..rounds {
                let window = one(size);
                let expected: Vec<usize> = (0..boxes.len())
                    .filter(|&at| boxes[at].intersection(&window).is_some())
                    .collect();
                assert_eq!(index.touching(&window), expected);
                assert_eq!(index.touches(&window), !expected.is_empty());
            }
        }
    }
}

use rand::{Rng, RngExt};

use super::{ChipOptions, place};
use crate::boxes::BoundingBox;
use crate::raster::PixelWindow;
use crate::scene::Scene;

/// Places that are tried for a negative before the emptiest of them is taken.
const TRIES: usize = 64;

/// Where random chips look for boxes, and where they look for none.
#[derive(Debug)]
pub(super) struct Objects {
    scene: Scene,
    /// The boxes in use, in pixels of the whole raster.
    boxes: Vec<BoundingBox>,
    neg_ratio: f64,
    neg_visible: f64,
    padded: bool,
}

impl Objects {
    /// `None` for a scene without boxes in the area, and for chips at places of their own.
    pub(super) fn new(scene: &Scene, options: &ChipOptions) -> Option<Self> {
        let neg_ratio = options.neg_ratio.filter(|_| scene.has_boxes())?;
        let area = scene.area();
        let boxes: Vec<BoundingBox> = scene
            .boxes_in(&area, options.min_visible)
            .into_iter()
            .filter(|one| !one.crowd)
            .map(|one| one.bounds.translate(area.col as f64, area.row as f64))
            .collect();
        (!boxes.is_empty()).then(|| Self {
            scene: scene.clone(),
            boxes,
            neg_ratio,
            neg_visible: options.neg_visible,
            padded: options.padded,
        })
    }

    /// A place for a chip: a negative as often as was asked for, otherwise one with a box.
    pub(super) fn place(&self, random: &mut impl Rng, edge: usize) -> PixelWindow {
        if random.random::<f64>() < self.neg_ratio {
            self.without_box(random, edge)
        } else {
            self.with_box(random, edge)
        }
    }

    /// All places that hold a random box whole are equally likely; a box larger than the chip covers the chip's middle.
    fn with_box(&self, random: &mut impl Rng, edge: usize) -> PixelWindow {
        let bounds = self.boxes[random.random_range(0..self.boxes.len())];
        let area = self.scene.area();
        let mut start = |low: f64, high: f64, origin: i64, length: usize| {
            // The first and the last start at which the box is whole.
            let (first, last) = (high.ceil() as i64 - edge as i64, low.floor() as i64);
            let start = if first <= last {
                random.random_range(first..=last)
            } else {
                let middle = random.random_range(low..high).floor() as i64;
                middle - edge as i64 / 2
            };
            // Inside the area, or with the chip's center inside.
            let half = edge as i64 / 2;
            let (lowest, highest) = match self.padded {
                true => (origin - half, origin + length as i64 - 1 - half),
                false => (origin, origin + (length - edge) as i64),
            };
            start.clamp(lowest, highest)
        };
        let col = start(bounds.x_min, bounds.x_max, area.col, area.width);
        let row = start(bounds.y_min, bounds.y_max, area.row, area.height);
        PixelWindow::new(col, row, edge, edge)
    }

    fn without_box(&self, random: &mut impl Rng, edge: usize) -> PixelWindow {
        let area = self.scene.area();
        let mut emptiest = None;
        for _ in 0..TRIES {
            let window = place::anywhere(random, &area, edge, self.padded);
            let visible = self
                .scene
                .boxes_in(&window, self.neg_visible.next_up())
                .len();
            if visible == 0 {
                return window;
            }
            if emptiest.is_none_or(|(least, _)| visible < least) {
                emptiest = Some((visible, window));
            }
        }
        emptiest.map_or_else(
            || place::anywhere(random, &area, edge, self.padded),
            |(_, window)| window,
        )
    }
}

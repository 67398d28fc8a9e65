use serde::{Deserialize, Serialize};

/// A box by its corners in pixels, x to the right and y down. A pixel is a square: the box of the one pixel in the corner
/// is `(0, 0)` to `(1, 1)`, so that the far edges are exclusive and a width is a plain difference, as in torchvision's
/// `xyxy`.
///
/// ```
/// use swath_boxes::BoundingBox;
/// let (a, b) = (BoundingBox::new(0.0, 0.0, 10.0, 10.0), BoundingBox::new(5.0, 0.0, 15.0, 10.0));
/// assert_eq!(a.iou(&b), 50.0 / 150.0);
/// assert_eq!(a.intersection_over_area(&b), 0.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// The left edge.
    pub x_min: f64,
    /// The upper edge.
    pub y_min: f64,
    /// The right edge, exclusive.
    pub x_max: f64,
    /// The lower edge, exclusive.
    pub y_max: f64,
}

impl BoundingBox {
    /// The box between two corners.
    #[must_use]
    pub const fn new(x_min: f64, y_min: f64, x_max: f64, y_max: f64) -> Self {
        Self {
            x_min,
            y_min,
            x_max,
            y_max,
        }
    }

    /// The box of a width and a height at a corner, as COCO writes it.
    #[must_use]
    pub fn from_xywh(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self::new(x, y, x + width, y + height)
    }

    /// The box of a width and a height about a center, as YOLO writes it.
    #[must_use]
    pub fn from_center(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self::from_xywh(x - width / 2.0, y - height / 2.0, width, height)
    }

    /// `[x, y, width, height]`, as COCO writes it.
    #[must_use]
    pub fn to_xywh(&self) -> [f64; 4] {
        [self.x_min, self.y_min, self.width(), self.height()]
    }

    /// The width; negative when the edges are the wrong way round.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.x_max - self.x_min
    }

    /// The height; negative when the edges are the wrong way round.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.y_max - self.y_min
    }

    /// The area in square pixels; 0 for a box that is not one.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// The middle, `(x, y)`.
    #[must_use]
    pub fn center(&self) -> (f64, f64) {
        (
            (self.x_min + self.x_max) / 2.0,
            (self.y_min + self.y_max) / 2.0,
        )
    }

    /// Whether it is a box at all: finite numbers, and a width and a height above 0.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.is_finite() && self.width() > 0.0 && self.height() > 0.0
    }

    /// Whether all four edges are finite numbers.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        [self.x_min, self.y_min, self.x_max, self.y_max]
            .iter()
            .all(|edge| edge.is_finite())
    }

    /// Whether the point lies inside; the left and upper edges belong to the box.
    #[must_use]
    pub fn contains(&self, x: f64, y: f64) -> bool {
        (self.x_min..self.x_max).contains(&x) && (self.y_min..self.y_max).contains(&y)
    }

    /// The part that two boxes share; `None` when they share no area.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let shared = Self::new(
            self.x_min.max(other.x_min),
            self.y_min.max(other.y_min),
            self.x_max.min(other.x_max),
            self.y_max.min(other.y_max),
        );
        shared.is_valid().then_some(shared)
    }

    /// The area that two boxes share.
    #[must_use]
    pub fn intersection_area(&self, other: &Self) -> f64 {
        let width = self.x_max.min(other.x_max) - self.x_min.max(other.x_min);
        let height = self.y_max.min(other.y_max) - self.y_min.max(other.y_min);
        width.max(0.0) * height.max(0.0)
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::new(
            self.x_min.min(other.x_min),
            self.y_min.min(other.y_min),
            self.x_max.max(other.x_max),
            self.y_max.max(other.y_max),
        )
    }

    /// Intersection over union, from 0 to 1; 0 for boxes without area.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f64 {
        let shared = self.intersection_area(other);
        ratio(shared, self.area() + other.area() - shared)
    }

    /// Generalized intersection over union, from -1 to 1: the intersection over union less the share of the surrounding
    /// box that neither covers (Rezatofighi et al. 2019, arXiv:1902.09630).
    #[must_use]
    pub fn giou(&self, other: &Self) -> f64 {
        let shared = self.intersection_area(other);
        let covered = self.area() + other.area() - shared;
        let around = self.union(other).area();
        ratio(shared, covered) - ratio(around - covered, around)
    }

    /// The share of this box's own area that lies in the other, from 0 to 1: what decides whether a box that a window cuts
    /// is kept.
    #[must_use]
    pub fn intersection_over_area(&self, other: &Self) -> f64 {
        ratio(self.intersection_area(other), self.area())
    }

    /// Its corners as a closed ring: the first one is the last one as well.
    #[must_use]
    pub const fn ring(&self) -> [(f64, f64); 5] {
        [
            (self.x_min, self.y_min),
            (self.x_min, self.y_max),
            (self.x_max, self.y_max),
            (self.x_max, self.y_min),
            (self.x_min, self.y_min),
        ]
    }

    /// Moved to the right and down.
    #[must_use]
    pub fn translate(&self, right: f64, down: f64) -> Self {
        Self::new(
            self.x_min + right,
            self.y_min + down,
            self.x_max + right,
            self.y_max + down,
        )
    }

    /// Multiplied by a factor in each direction, about the origin.
    #[must_use]
    pub fn scale(&self, x: f64, y: f64) -> Self {
        Self::new(
            self.x_min * x,
            self.y_min * y,
            self.x_max * x,
            self.y_max * y,
        )
    }

    /// Cut to an image of `width` by `height` pixels. A box outside comes out without area.
    #[must_use]
    pub fn clip(&self, width: f64, height: f64) -> Self {
        Self::new(
            self.x_min.clamp(0.0, width),
            self.y_min.clamp(0.0, height),
            self.x_max.clamp(0.0, width),
            self.y_max.clamp(0.0, height),
        )
    }

    /// Mirrored left to right in an image of this width.
    #[must_use]
    pub fn mirror_columns(&self, width: f64) -> Self {
        Self::new(
            width - self.x_max,
            self.y_min,
            width - self.x_min,
            self.y_max,
        )
    }

    /// Mirrored upside down in an image of this height.
    #[must_use]
    pub fn mirror_rows(&self, height: f64) -> Self {
        Self::new(
            self.x_min,
            height - self.y_max,
            self.x_max,
            height - self.y_min,
        )
    }

    /// Rows and columns exchanged, as in the transposed image.
    #[must_use]
    pub fn transpose(&self) -> Self {
        Self::new(self.y_min, self.x_min, self.y_max, self.x_max)
    }
}

/// A share of something; 0 of nothing.
fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_known_boxes() {
        let a = BoundingBox::new(0.0, 0.0, 4.0, 2.0);
        let b = BoundingBox::from_xywh(2.0, 1.0, 4.0, 2.0);
        assert_eq!(
            a.intersection(&b),
            Some(BoundingBox::new(2.0, 1.0, 4.0, 2.0))
        );
        assert_eq!(a.iou(&b), 2.0 / 14.0);
        // The box around is 6 by 3, of which 4 are in neither.
        assert!((a.giou(&b) - (2.0 / 14.0 - 4.0 / 18.0)).abs() < 1e-15);
        assert_eq!(a.intersection_over_area(&b), 0.25);
        assert_eq!(b.to_xywh(), [2.0, 1.0, 4.0, 2.0]);
        assert_eq!(BoundingBox::from_center(4.0, 2.0, 4.0, 2.0), b);
        assert_eq!(b.center(), (4.0, 2.0));
    }

    #[test]
    fn boxes_that_touch_share_nothing() {
        let a = BoundingBox::new(0.0, 0.0, 4.0, 2.0);
        let b = a.translate(4.0, 0.0);
        assert_eq!((a.iou(&b), a.intersection(&b)), (0.0, None));
        assert_eq!(a.giou(&b), 0.0);
        assert!(a.giou(&a.translate(8.0, 0.0)) < 0.0);
        assert!(a.contains(0.0, 0.0) && !a.contains(4.0, 1.0) && b.contains(4.0, 1.0));
    }

    #[test]
    fn what_is_no_box_has_no_area_and_no_overlap() {
        let good = BoundingBox::new(0.0, 0.0, 4.0, 2.0);
        for bad in [
            BoundingBox::new(1.0, 1.0, 1.0, 2.0),
            BoundingBox::new(3.0, 1.0, 1.0, 2.0),
            BoundingBox::new(f64::NAN, 0.0, 4.0, 2.0),
            BoundingBox::new(0.0, 0.0, f64::INFINITY, 2.0),
        ] {
            assert!(!bad.is_valid(), "{bad:?}");
        }
        let turned = BoundingBox::new(3.0, 2.0, 1.0, 0.0);
        assert_eq!(
            (turned.area(), turned.iou(&good), good.iou(&turned)),
            (0.0, 0.0, 0.0)
        );
    }

    #[test]
    fn four_quarter_turns_lead_back() {
        let square = 32.0;
        let start = BoundingBox::new(1.0, 2.0, 9.5, 30.0);
        let turn = |bounds: BoundingBox| bounds.transpose().mirror_columns(square);
        assert_eq!(turn(start), BoundingBox::new(2.0, 1.0, 30.0, 9.5));
        assert_eq!((0..4).fold(start, |bounds, _| turn(bounds)), start);
        assert_eq!(start.mirror_rows(square).mirror_rows(square), start);
    }
}

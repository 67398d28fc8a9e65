use serde::{Deserialize, Serialize};

use crate::BoundingBox;

/// The outline of a rotated box: its four corners in pixels, x to the right and y down, in the order of the file.
///
/// Corners, and not a center with sides and an angle: DOTA's objects are quadrilaterals whose corners need not be right
/// angles, an affine map makes parallelograms of rectangles, and what a file says stays what it is to the last digit. The
/// order is kept, the first corner of a ship may be its bow; a mirrored outline runs the other way round.
///
/// ```
/// use swath_boxes::{BoundingBox, Quadrilateral};
/// // 4 wide and 2 high, turned clockwise by a quarter.
/// let outline = Quadrilateral::from_center(5.0, 3.0, 4.0, 2.0, 90.0);
/// let BoundingBox { x_min, y_min, x_max, y_max } = outline.bounds();
/// for (edge, expected) in [(x_min, 4.0), (y_min, 1.0), (x_max, 6.0), (y_max, 5.0)] {
///     assert!((edge - expected).abs() < 1e-12);
/// }
/// assert!((outline.area() - 8.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quadrilateral {
    /// `(x, y)` of each corner, one after the other around it.
    pub corners: [(f64, f64); 4],
}

impl Quadrilateral {
    /// The outline through four corners, one after the other around it.
    #[must_use]
    pub const fn new(corners: [(f64, f64); 4]) -> Self {
        Self { corners }
    }

    /// A box of a width and a height, turned about its center by an angle in degrees, clockwise as one sees it in the image:
    /// CVAT's and OpenCV's direction, and that of Ultralytics' `xywhr` in radians. Detectron2 counts the other way round. The
    /// corners are those that lie upper left, upper right, lower right and lower left before it is turned.
    ///
    /// # Source
    /// Detectron2's `RotatedBoxes`, whose angles are the negative of these.
    #[must_use]
    pub fn from_center(x: f64, y: f64, width: f64, height: f64, degrees: f64) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)];
        Self::new(corners.map(|(across, down)| {
            let (across, down) = (across * width, down * height);
            (x + across * cos - down * sin, y + across * sin + down * cos)
        }))
    }

    /// The upright box around it; NaN where a corner is.
    #[must_use]
    pub fn bounds(&self) -> BoundingBox {
        // `f64::min` would pass over NaN, and the box would look sound.
        if self.corners.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
            return BoundingBox::new(f64::NAN, f64::NAN, f64::NAN, f64::NAN);
        }
        let [(x, y), ..] = self.corners;
        let first = BoundingBox::new(x, y, x, y);
        self.corners.iter().fold(first, |all, &(x, y)| {
            all.union(&BoundingBox::new(x, y, x, y))
        })
    }

    /// The area in square pixels, whichever way round the corners run (the shoelace formula).
    #[must_use]
    pub fn area(&self) -> f64 {
        let crossed = |(a, b): ((f64, f64), (f64, f64))| a.0 * b.1 - b.0 * a.1;
        (self.edges().map(crossed).iter().sum::<f64>() / 2.0).abs()
    }

    /// Its four edges, each from one corner to the next.
    #[must_use]
    pub const fn edges(&self) -> [((f64, f64), (f64, f64)); 4] {
        let [a, b, c, d] = self.corners;
        [(a, b), (b, c), (c, d), (d, a)]
    }

    /// Its corners as a closed ring: the first one is the last one as well.
    #[must_use]
    pub const fn ring(&self) -> [(f64, f64); 5] {
        let [a, b, c, d] = self.corners;
        [a, b, c, d, a]
    }

    /// `[x1, y1, x2, y2, x3, y3, x4, y4]`, as DOTA and COCO's polygons have it.
    #[must_use]
    pub const fn to_numbers(&self) -> [f64; 8] {
        let [a, b, c, d] = self.corners;
        [a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1]
    }

    /// Whether all corners are finite numbers.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.to_numbers().iter().all(|number| number.is_finite())
    }

    /// Whether its corners lie on one line, but for rounding, so that it has no inside.
    pub(crate) fn is_line(&self) -> bool {
        let [first, ..] = self.corners;
        let least = self.bounds().area() * 1e-9;
        let twice = |(a, b): ((f64, f64), (f64, f64))| {
            ((a.0 - first.0) * (b.1 - first.1) - (b.0 - first.0) * (a.1 - first.1)).abs()
        };
        let [a, b, c, d] = self.corners;
        [(b, c), (c, d), (b, d), (a, c)]
            .map(twice)
            .iter()
            .all(|&area| area <= least)
    }

    /// Whether two of its edges cross: the corners are not in their order around it.
    pub(crate) fn is_crossed(&self) -> bool {
        let side = |from: (f64, f64), to: (f64, f64), point: (f64, f64)| {
            (to.0 - from.0) * (point.1 - from.1) - (to.1 - from.1) * (point.0 - from.0)
        };
        let cross = |(a, b): ((f64, f64), (f64, f64)), (c, d): ((f64, f64), (f64, f64))| {
            side(a, b, c) * side(a, b, d) < 0.0 && side(c, d, a) * side(c, d, b) < 0.0
        };
        let [first, second, third, fourth] = self.edges();
        cross(first, third) || cross(second, fourth)
    }

    /// Whether it is the upright box around it, but for rounding: sides along rows and columns.
    #[must_use]
    pub fn is_upright(&self) -> bool {
        let bounds = self.bounds();
        let near = |a: f64, b: f64, side: f64| (a - b).abs() <= side * 1e-6;
        let corner = |(x, y): (f64, f64)| {
            let left = near(x, bounds.x_min, bounds.width());
            let right = near(x, bounds.x_max, bounds.width());
            let upper = near(y, bounds.y_min, bounds.height());
            let lower = near(y, bounds.y_max, bounds.height());
            ((left || right) && (upper || lower)).then_some((right, lower))
        };
        let corners = self.corners.map(corner);
        let [Some(a), Some(b), Some(c), Some(d)] = corners else {
            return false;
        };
        // Opposite corners lie on opposite sides of both, so that all four are there and none is crossed over.
        let opposite =
            |one: (bool, bool), other: (bool, bool)| one.0 != other.0 && one.1 != other.1;
        opposite(a, c) && opposite(b, d) && a != b && b != c
    }

    /// Each corner elsewhere.
    #[must_use]
    pub fn map(&self, change: impl FnMut((f64, f64)) -> (f64, f64)) -> Self {
        Self::new(self.corners.map(change))
    }

    /// Moved to the right and down.
    #[must_use]
    pub fn translate(&self, right: f64, down: f64) -> Self {
        self.map(|(x, y)| (x + right, y + down))
    }

    /// Multiplied by a factor in each direction, about the origin.
    #[must_use]
    pub fn scale(&self, x_factor: f64, y_factor: f64) -> Self {
        self.map(|(x, y)| (x * x_factor, y * y_factor))
    }

    /// Mirrored left to right in an image of this width.
    #[must_use]
    pub fn mirror_columns(&self, width: f64) -> Self {
        self.map(|(x, y)| (width - x, y))
    }

    /// Mirrored upside down in an image of this height.
    #[must_use]
    pub fn mirror_rows(&self, height: f64) -> Self {
        self.map(|(x, y)| (x, height - y))
    }

    /// Rows and columns exchanged, as in the transposed image.
    #[must_use]
    pub fn transpose(&self) -> Self {
        self.map(|(x, y)| (y, x))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: Quadrilateral, expected: [(f64, f64); 4]) {
        for ((a, b), (x, y)) in found.corners.into_iter().zip(expected) {
            assert!(
                (a - x).abs() < 1e-9 && (b - y).abs() < 1e-9,
                "{found:?} is not {expected:?}"
            );
        }
    }

    /// The corners A, B, C, D of `(5, 3, 4, 2, angle)` in the documentation of Detectron2's `RotatedBoxes`, whose angles are
    /// counterclockwise; the one at 60 degrees by its formula in NumPy 2.4.
    #[test]
    fn angles_are_clockwise_where_detectron2_counts_counterclockwise() {
        let at = |detectron2: f64| Quadrilateral::from_center(5.0, 3.0, 4.0, 2.0, -detectron2);
        near(at(0.0), [(3.0, 2.0), (7.0, 2.0), (7.0, 4.0), (3.0, 4.0)]);
        near(at(90.0), [(4.0, 5.0), (4.0, 1.0), (6.0, 1.0), (6.0, 5.0)]);
        near(at(-90.0), [(6.0, 1.0), (6.0, 5.0), (4.0, 5.0), (4.0, 1.0)]);
        near(at(180.0), [(7.0, 4.0), (3.0, 4.0), (3.0, 2.0), (7.0, 2.0)]);
        near(
            at(60.0),
            [
                (3.133974596215561, 4.232050807568877),
                (5.133974596215561, 0.767949192431123),
                (6.866025403784439, 1.767949192431123),
                (4.866025403784439, 5.232050807568877),
            ],
        );
    }

    #[test]
    fn area_and_bounds_of_a_diamond() {
        let diamond = Quadrilateral::new([(3.0, 1.0), (5.0, 3.0), (3.0, 5.0), (1.0, 3.0)]);
        assert_eq!(diamond.bounds(), BoundingBox::new(1.0, 1.0, 5.0, 5.0));
        assert_eq!(diamond.area(), 8.0);
        assert_eq!(diamond.transpose().area(), 8.0);
        assert_eq!(diamond.ring()[4], (3.0, 1.0));
        assert!(!diamond.is_upright() && diamond.is_finite());
        let broken = diamond.map(|(x, _)| (x, f64::NAN));
        assert!(!broken.bounds().is_finite() && !broken.is_upright() && !broken.is_finite());
    }

    #[test]
    fn upright_are_boxes_alone_whichever_corner_comes_first() {
        let corners = [(1.0, 1.0), (5.0, 1.0), (5.0, 4.0), (1.0, 4.0)];
        for first in 0..4 {
            let mut turned = corners;
            turned.rotate_left(first);
            assert!(Quadrilateral::new(turned).is_upright());
            turned.reverse();
            assert!(Quadrilateral::new(turned).is_upright());
        }
        let [a, b, c, d] = corners;
        for others in [
            [a, c, b, d],
            [a, a, c, c],
            [a, b, a, b],
            [a, b, c, b],
            [a, a, a, a],
        ] {
            assert!(!Quadrilateral::new(others).is_upright(), "{others:?}");
        }
        assert!(Quadrilateral::from_center(9.0, 9.0, 4.0, 2.0, 270.0).is_upright());
        assert!(!Quadrilateral::from_center(9.0, 9.0, 4.0, 2.0, 1.0).is_upright());
    }

    #[test]
    fn four_quarter_turns_lead_back_corner_by_corner() {
        let start = Quadrilateral::new([(3.0, 1.0), (9.5, 3.0), (8.0, 7.0), (1.0, 4.0)]);
        let turn = |outline: Quadrilateral| outline.transpose().mirror_columns(32.0);
        assert_eq!(turn(start).corners[0], (31.0, 3.0));
        assert_eq!((0..4).fold(start, |outline, _| turn(outline)), start);
        assert_eq!(start.mirror_rows(32.0).mirror_rows(32.0), start);
        assert_eq!(
            start.translate(1.0, 2.0).scale(2.0, 0.5).corners[1],
            (21.0, 2.5)
        );
        let same = |moved: BoundingBox, outline: Quadrilateral| assert_eq!(moved, outline.bounds());
        same(start.bounds().transpose(), start.transpose());
        same(
            start.bounds().mirror_columns(32.0),
            start.mirror_columns(32.0),
        );
        same(start.bounds().mirror_rows(32.0), start.mirror_rows(32.0));
    }
}

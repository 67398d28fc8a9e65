use swath_cpu::warp::Matrix;

use crate::boxes::BoundingBox;

/// An affine map of the plane, in pixels from the upper left corner: `(x, y)` to `(a x + b y + c, d x + e y + f)`, the six
/// numbers in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlaneMap(pub(super) Matrix);

impl PlaneMap {
    pub(super) const IDENTITY: Self = Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);

    pub(super) fn translation(right: f64, down: f64) -> Self {
        Self([1.0, 0.0, right, 0.0, 1.0, down])
    }

    /// Scaled about the corner, then moved.
    pub(super) fn scaling(x: f64, y: f64, right: f64, down: f64) -> Self {
        Self([x, 0.0, right, 0.0, y, down])
    }

    pub(super) fn is_identity(&self) -> bool {
        *self == Self::IDENTITY
    }

    pub(super) fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// This map, and `next` after it.
    pub(super) fn then(&self, next: &Self) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let [p, q, r, s, t, u] = next.0;
        Self([
            p * a + q * d,
            p * b + q * e,
            p * c + q * f + r,
            s * a + t * d,
            s * b + t * e,
            s * c + t * f + u,
        ])
    }

    /// How much larger an area becomes; negative where it is mirrored.
    pub(super) fn determinant(&self) -> f64 {
        let [a, b, _, d, e, _] = self.0;
        a * e - b * d
    }

    /// The way back; `None` where the plane becomes a line or a point.
    pub(super) fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.0;
        let determinant = self.determinant();
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let (a, b, d, e) = (
            e / determinant,
            -b / determinant,
            -d / determinant,
            a / determinant,
        );
        Some(Self([a, b, -(a * c + b * f), d, e, -(d * c + e * f)]))
    }

    /// The most that a length grows in any direction: the largest singular value.
    pub(super) fn stretch(&self) -> f64 {
        let [a, b, _, d, e, _] = self.0;
        let (sum, difference) = (
            ((a + e).powi(2) + (d - b).powi(2)).sqrt(),
            ((a - e).powi(2) + (d + b).powi(2)).sqrt(),
        );
        (sum + difference) / 2.0
    }

    /// The box around the four corners of a box.
    pub(super) fn bounds_of(&self, bounds: &BoundingBox) -> BoundingBox {
        let corners = [
            self.apply(bounds.x_min, bounds.y_min),
            self.apply(bounds.x_max, bounds.y_min),
            self.apply(bounds.x_max, bounds.y_max),
            self.apply(bounds.x_min, bounds.y_max),
        ];
        let least =
            |part: fn(&(f64, f64)) -> f64| corners.iter().map(part).fold(f64::INFINITY, f64::min);
        let most = |part: fn(&(f64, f64)) -> f64| {
            corners.iter().map(part).fold(f64::NEG_INFINITY, f64::max)
        };
        BoundingBox::new(
            least(|corner| corner.0),
            least(|corner| corner.1),
            most(|corner| corner.0),
            most(|corner| corner.1),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_and_its_inverse_lead_back_and_one_after_the_other_is_both() {
        let first = PlaneMap([0.8, 0.3, -1.2, -0.25, 1.1, 2.4]);
        let second = PlaneMap::scaling(2.0, 0.5, 1.0, -3.0);
        let (x, y) = first.apply(3.0, 5.0);
        let (back, down) = first.inverse().unwrap().apply(x, y);
        assert!((back - 3.0).abs() < 1e-12 && (down - 5.0).abs() < 1e-12);
        let (a, b) = (first.then(&second).apply(3.0, 5.0), second.apply(x, y));
        assert!((a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12);
        assert!((first.then(&second).determinant() - first.determinant()).abs() < 1e-12);
        assert!(PlaneMap([1.0, 2.0, 0.0, 2.0, 4.0, 0.0]).inverse().is_none());
        assert!(
            PlaneMap([f64::NAN, 0.0, 0.0, 0.0, 1.0, 0.0])
                .inverse()
                .is_none()
        );
    }

    #[test]
    fn the_stretch_of_known_maps() {
        assert_eq!(PlaneMap::scaling(0.5, 0.25, 9.0, 9.0).stretch(), 0.5);
        // A shear by one: the golden ratio.
        let shear = PlaneMap([1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        assert!((shear.stretch() - (1.0 + 5.0_f64.sqrt()) / 2.0).abs() < 1e-12);
        assert!((PlaneMap([0.0, -3.0, 0.0, 3.0, 0.0, 0.0]).stretch() - 3.0).abs() < 1e-12);
    }
}

//! Meters on the ground around a place of a raster.

use crate::raster::crs::{self, Transformation};
use crate::raster::{GeoReference, GeoTransform, has_no_plane, unit_of_plane};

/// How far the ground is looked at to each side, in pixels.
const STEP: f64 = 2.0;

/// How pixels become meters.
#[derive(Debug)]
pub(super) enum Ground {
    /// The same everywhere.
    Plane(Linear),
    /// Another at each place: the way to degrees of WGS 84.
    Local {
        to_degrees: Transformation,
        transform: GeoTransform,
    },
}

/// Meters from pixels near a place: `[[x_col, x_row], [y_col, y_row]]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Linear(pub(super) [[f64; 2]; 2]);

impl Linear {
    pub(super) const PIXELS: Self = Self([[1.0, 0.0], [0.0, 1.0]]);

    pub(super) fn apply(&self, (col, row): (f64, f64)) -> (f64, f64) {
        let [[a, b], [c, d]] = self.0;
        (a * col + b * row, c * col + d * row)
    }

    /// The way back; `None` for what has none.
    pub(super) fn inverse(&self) -> Option<Self> {
        let [[a, b], [c, d]] = self.0;
        let determinant = a * d - b * c;
        let sound = determinant.is_finite() && determinant != 0.0;
        sound.then(|| {
            Self([
                [d / determinant, -b / determinant],
                [-c / determinant, a / determinant],
            ])
        })
    }

    /// The length of the shortest step of one pixel in any direction: the smaller singular value.
    pub(super) fn shortest(&self) -> f64 {
        let [[a, b], [c, d]] = self.0;
        let (sum, difference) = ((a + d).hypot(c - b), (a - d).hypot(b + c));
        (sum - difference).abs() / 2.0
    }

    /// The largest difference of two, as a share of this one's shortest step.
    pub(super) fn difference(&self, other: &Self) -> f64 {
        let pairs = self.0.iter().flatten().zip(other.0.iter().flatten());
        let largest = pairs
            .map(|(one, other)| (one - other).abs())
            .fold(0.0, f64::max);
        largest / self.shortest()
    }
}

impl Ground {
    /// `None` when nobody knows a meter of the raster.
    pub(super) fn of(target: &GeoReference) -> Option<Self> {
        if target.crs_wkt.is_empty() {
            return None;
        }
        let system = crs::parse(&target.crs_wkt).ok()?;
        if let Some(unit) = unit_of_plane(&system) {
            let origin = target.transform.world_from_pixel((0.0, 0.0));
            let step = |pixel| {
                let (x, y) = target.transform.world_from_pixel(pixel);
                ((x - origin.0) * unit, (y - origin.1) * unit)
            };
            let (right, below) = (step((1.0, 0.0)), step((0.0, 1.0)));
            return Some(Self::Plane(Linear([
                [right.0, below.0],
                [right.1, below.1],
            ])));
        }
        let degrees = crs::parse("EPSG:4326")
            .ok()
            .filter(|_| has_no_plane(&system))?;
        Some(Self::Local {
            to_degrees: crs::between(&system, &degrees).ok()?,
            transform: target.transform,
        })
    }

    /// Meters from pixels around a place in pixels; `None` where there is no ground.
    ///
    /// # Source
    /// The radii of curvature of the WGS 84 ellipsoid: prime vertical and meridian.
    pub(super) fn at(&self, (col, row): (f64, f64)) -> Option<Linear> {
        const SEMI_MAJOR: f64 = 6_378_137.0;
        const ECCENTRICITY_SQUARED: f64 = 0.006_694_379_990_141_316;
        let (to_degrees, transform) = match self {
            Self::Plane(linear) => return Some(*linear),
            Self::Local {
                to_degrees,
                transform,
            } => (to_degrees, transform),
        };
        let places = [
            (col, row),
            (col - STEP, row),
            (col + STEP, row),
            (col, row - STEP),
            (col, row + STEP),
        ];
        let (mut lons, mut lats): (Vec<f64>, Vec<f64>) = places
            .iter()
            .map(|&place| transform.world_from_pixel(place))
            .unzip();
        if !to_degrees.transform(&mut lons, &mut lats) {
            return None;
        }
        let (sin, cos) = lats[0].to_radians().sin_cos();
        let root = (1.0 - ECCENTRICITY_SQUARED * sin * sin).sqrt();
        let prime_vertical = SEMI_MAJOR / root;
        let meridian = SEMI_MAJOR * (1.0 - ECCENTRICITY_SQUARED) / root.powi(3);
        let step = |from: usize, to: usize| {
            let turned = lons[to] - lons[from];
            let turned = turned - (turned / 360.0).round() * 360.0;
            let steps = 2.0 * STEP;
            (
                turned.to_radians() * prime_vertical * cos / steps,
                (lats[to] - lats[from]).to_radians() * meridian / steps,
            )
        };
        let (right, below) = (step(1, 2), step(3, 4));
        let linear = Linear([[right.0, below.0], [right.1, below.1]]);
        linear.inverse().map(|_| linear)
    }

    /// The shortest step of one pixel anywhere on the raster, in meters.
    pub(super) fn shortest(&self, target: &GeoReference) -> Option<f64> {
        let (width, height) = target
            .size
            .map_or((0.0, 0.0), |size| (size.width as f64, size.height as f64));
        let places = [
            (width / 2.0, height / 2.0),
            (0.0, 0.0),
            (width, 0.0),
            (0.0, height),
            (width, height),
        ];
        let steps = places.into_iter().filter_map(|place| self.at(place));
        let shortest = steps
            .map(|linear| linear.shortest())
            .fold(f64::INFINITY, f64::min);
        (shortest.is_finite() && shortest > 0.0).then_some(shortest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_map_knows_its_way_back_and_its_shortest_step() {
        let linear = Linear([[0.0, -2.0], [3.0, 0.0]]);
        let back = linear.inverse().unwrap();
        assert_eq!(back.apply(linear.apply((5.0, 7.0))), (5.0, 7.0));
        assert!((linear.shortest() - 2.0).abs() < 1e-12);
        assert_eq!(Linear([[1.0, 2.0], [2.0, 4.0]]).inverse(), None);
    }

    /// Authority: pyproj's `Geod(ellps="WGS84").inv` at 60 degrees north: 0.001 degrees are 55.80 m east, 111.41 m north.
    #[test]
    fn degrees_have_the_meters_of_their_latitude() {
        let transform = GeoTransform::north_up(10.0, 60.0, 0.001);
        let ground = Ground::of(&GeoReference::new(transform, "EPSG:4326")).unwrap();
        let Linear([[east, _], [_, north]]) = ground.at((0.0, 0.0)).unwrap();
        assert!(
            (east - 55.800).abs() < 0.01 && (north + 111.412).abs() < 0.01,
            "{east} {north}"
        );
        // EPSG:3857 counts twice as many meters there as there are.
        let transform = GeoTransform::north_up(1_113_194.9, 8_399_737.9, 1.0);
        let ground = Ground::of(&GeoReference::new(transform, "EPSG:3857")).unwrap();
        let Linear([[east, _], _]) = ground.at((0.0, 0.0)).unwrap();
        assert!((east - 0.5013).abs() < 0.001, "{east}");
        // Feet are meters.
        let transform = GeoTransform::north_up(0.0, 0.0, 1.0);
        let ground = Ground::of(&GeoReference::new(transform, "EPSG:2263")).unwrap();
        let Linear([[east, _], _]) = ground.at((0.0, 0.0)).unwrap();
        assert!((east - 1200.0 / 3937.0).abs() < 1e-9, "{east}");
        assert!(Ground::of(&GeoReference::new(transform, "")).is_none());
    }
}

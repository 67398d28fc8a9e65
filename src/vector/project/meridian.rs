//! Polygons in degrees of WGS 84 as GeoJSON wants them.

use geo::{BooleanOps as _, BoundingRect as _, LineString, Polygon, Rect, coord};

use super::clip::Rectangle;
use super::ring::follow;

/// A polygon in degrees, cut at the 180th meridian (RFC 7946, 3.1.9), with longitudes between -180 and 180.
pub(in crate::vector) fn between(rings: Vec<LineString<f64>>) -> Vec<Vec<LineString<f64>>> {
    let plain = |ring: &LineString<f64>| {
        let jumps = |edge: &[geo::Coord<f64>]| (edge[1].x - edge[0].x).abs() > 180.0;
        !ring.0.windows(2).any(jumps) && ring.0.iter().all(|point| point.x.abs() <= 180.0)
    };
    if rings.iter().all(plain) {
        return vec![rings];
    }
    let mut rings: Vec<Vec<(f64, f64)>> = rings
        .iter()
        .map(|ring| ring.0.iter().map(|point| (point.x, point.y)).collect())
        .collect();
    follow(&mut rings, 360.0);
    let Some(bounds) = Rectangle::of(rings.first().into_iter().flatten()) else {
        return Vec::new();
    };
    let (low, high) = bounds.x_range();
    let (first, last) = (
        (low + 180.0).div_euclid(360.0),
        (high + 180.0).div_euclid(360.0),
    );
    let band = Rectangle::between_x(-180.0, 180.0);
    let mut pieces: Vec<Vec<LineString<f64>>> = Vec::new();
    let mut turn = first;
    while turn <= last {
        let moved = -360.0 * turn;
        turn += 1.0;
        if !bounds.moved(moved).overlaps(&band) {
            continue;
        }
        let moved_ring = |ring: &Vec<(f64, f64)>| -> LineString<f64> {
            let points = ring.iter().map(|&(x, y)| (x + moved, y));
            points.collect::<Vec<_>>().into()
        };
        let mut whole = rings.iter().map(moved_ring);
        let Some(exterior) = whole.next() else {
            continue;
        };
        let polygon = Polygon::new(exterior, whole.collect());
        // No larger than the polygon: the overlay counts in parts of what it is given.
        let Some(around) = polygon.bounding_rect() else {
            continue;
        };
        let (least, most) = (around.min(), around.max());
        let beyond = (most.y - least.y).max(1e-9);
        let side = Rect::new(
            coord! { x: least.x.max(-180.0), y: least.y - beyond },
            coord! { x: most.x.min(180.0), y: most.y + beyond },
        );
        // A shape that comes back to the meridian falls into several parts there.
        for part in polygon.intersection(&side.to_polygon()) {
            let (exterior, holes) = part.into_inner();
            pieces.push(std::iter::once(exterior).chain(holes).collect());
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapely: the part west of the meridian is whole, the part east of it two pieces, all of them valid.
    #[test]
    fn a_shape_that_comes_back_to_the_meridian_falls_into_parts() {
        let shape: LineString<f64> = vec![
            (179.0, 0.0),
            (181.0, 0.0),
            (181.0, 1.0),
            (179.5, 1.0),
            (179.5, 2.0),
            (181.0, 2.0),
            (181.0, 3.0),
            (179.0, 3.0),
            (179.0, 0.0),
        ]
        .into();
        let pieces = between(vec![shape]);
        let mut areas: Vec<f64> = pieces
            .iter()
            .map(|rings| {
                use geo::Area as _;
                assert_eq!(rings.len(), 1);
                Polygon::new(rings[0].clone(), Vec::new()).unsigned_area()
            })
            .collect();
        areas.sort_by(f64::total_cmp);
        assert_eq!(areas.len(), 3, "{areas:?}");
        for (found, expected) in areas.iter().zip([1.0, 1.0, 2.5]) {
            assert!((found - expected).abs() < 1e-6, "{areas:?}");
        }
        let within = |point: &geo::Coord<f64>| point.x.abs() <= 180.0;
        assert!(
            pieces
                .iter()
                .flatten()
                .all(|ring| ring.0.iter().all(within))
        );
    }
}

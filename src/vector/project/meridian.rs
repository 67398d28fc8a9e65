//! Polygons in degrees of WGS 84 as GeoJSON wants them.

use geo::LineString;

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
    let mut pieces = Vec::new();
    let mut turn = first;
    while turn <= last {
        let moved = -360.0 * turn;
        turn += 1.0;
        if !bounds.moved(moved).overlaps(&band) {
            continue;
        }
        let cut = |ring: &Vec<(f64, f64)>| {
            let ring: Vec<_> = ring.iter().map(|&(x, y)| (x + moved, y)).collect();
            band.cut(&ring)
        };
        let cut = rings.iter().map(cut).filter(|ring| ring.len() > 3);
        let piece: Vec<LineString<f64>> = cut.map(LineString::from).collect();
        if !piece.is_empty() {
            pieces.push(piece);
        }
    }
    pieces
}

//! Rectangles of pixels as features on the ground.

use geo::{Coord, LineString, MultiPolygon, Polygon};

use crate::boxes::BoundingBox;
use crate::raster::Raster;
use crate::vector::PolygonFeature;

/// A place in pixels on the ground; where nobody knows the ground, the pixels themselves.
pub(crate) fn ground_place(raster: &Raster, (x, y): (f64, f64)) -> Coord<f64> {
    let (x, y) = match raster.is_georeferenced() {
        true => raster.transform().world_from_pixel((x, y)),
        false => (x, y),
    };
    Coord { x, y }
}

/// A rectangle in pixels of a raster as a feature.
pub(crate) fn box_feature(
    raster: &Raster,
    bounds: &BoundingBox,
    class: String,
    score: f32,
) -> PolygonFeature {
    let ring = LineString(
        bounds
            .ring()
            .map(|corner| ground_place(raster, corner))
            .to_vec(),
    );
    let (width, height) = raster.nominal_gsd();
    let area = bounds.area() * (width * height).abs();
    PolygonFeature {
        geometry: MultiPolygon::new(vec![Polygon::new(ring, Vec::new())]),
        class,
        score: Some(score),
        // Without a place on the ground there are only square pixels.
        area_m2: if area.is_finite() {
            area
        } else {
            bounds.area()
        },
    }
}

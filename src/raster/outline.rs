//! Where a window lies on the ground, as a polygon.

use super::{GeoReference, PixelWindow, RasterError, crs};

/// Points along each edge of an outline: an edge that is straight in one system is curved in another.
const ALONG: usize = 8;

/// The outline of a window in its own system's coordinates, the first point not repeated.
///
/// # Shapes
/// Four points for each of [`ALONG`] places along an edge, in the order of the edges.
pub(crate) fn outline(reference: &GeoReference, window: &PixelWindow) -> Vec<(f64, f64)> {
    let (left, top) = (window.col as f64, window.row as f64);
    let (right, bottom) = (window.right() as f64, window.bottom() as f64);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    let mut points = Vec::with_capacity(4 * ALONG);
    for (at, from) in corners.into_iter().enumerate() {
        let to = corners[(at + 1) % 4];
        points.extend((0..ALONG).map(|step| {
            let share = step as f64 / ALONG as f64;
            let point = (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            );
            reference.transform.world_from_pixel(point)
        }));
    }
    points
}

/// Whether a system's coordinates are longitudes and latitudes.
pub(crate) fn is_geographic(wkt: &str) -> bool {
    crs::parse(wkt).is_ok_and(|system| system.is_geographic())
}

/// The outline in longitudes and latitudes (WGS 84, degrees), each longitude less than half a turn from the one before it;
/// `None` when the system has no place for a point.
///
/// # Errors
/// [`RasterError::Crs`] when there is no way from the system.
pub(crate) fn lon_lat_outline(
    reference: &GeoReference,
    window: &PixelWindow,
) -> Result<Option<Vec<(f64, f64)>>, RasterError> {
    let source = crs::parse(&reference.crs_wkt)?;
    let target = crs::x_first(&crs::parse("EPSG:4326")?);
    let way = crs::between(&crs::x_first(&source), &target)?;
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = outline(reference, window).into_iter().unzip();
    if !way.transform(&mut xs, &mut ys) {
        return Ok(None);
    }
    for at in 1..xs.len() {
        let before = xs[at - 1];
        xs[at] += 360.0 * ((before - xs[at]) / 360.0).round();
    }
    Ok(Some(xs.into_iter().zip(ys).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::GeoTransform;

    fn utm(zone: u32, x: f64, y: f64) -> GeoReference {
        let system = crs::parse(&format!("EPSG:{zone}")).expect("a system");
        let wkt = system.to_wkt().expect("it has a text");
        GeoReference::new(GeoTransform::north_up(x, y, 10.0), wkt)
    }

    /// By rasterio 1.4.4, `transform("EPSG:32633", "OGC:CRS84", …)` of 500000, 5000000.
    #[test]
    fn an_outline_lies_where_proj_says() -> Result<(), RasterError> {
        let window = PixelWindow::new(0, 0, 100, 100);
        let outline =
            lon_lat_outline(&utm(32633, 500_000.0, 5_000_000.0), &window)?.expect("a place");
        assert_eq!(outline.len(), 4 * ALONG);
        let (x, y) = outline[0];
        assert!(
            (x - 15.0).abs() < 1e-9 && (y - 45.153_477_183).abs() < 1e-8,
            "{x} {y}"
        );
        Ok(())
    }

    #[test]
    fn longitudes_do_not_jump_at_the_antimeridian() -> Result<(), RasterError> {
        let window = PixelWindow::new(0, 0, 10_000, 100);
        // Zone 60 ends at 180 E, some 330 km from its middle on the equator.
        let outline =
            lon_lat_outline(&utm(32660, 780_000.0, 100_000.0), &window)?.expect("a place");
        let span = |pick: fn(f64, f64) -> f64, start| {
            outline.iter().map(|point| point.0).fold(start, pick)
        };
        let (low, high) = (
            span(f64::min, f64::INFINITY),
            span(f64::max, f64::NEG_INFINITY),
        );
        assert!(
            low < 180.0 && high > 180.0 && high - low < 2.0,
            "{low} to {high}"
        );
        Ok(())
    }
}

use gdal::spatial_ref::SpatialRef;

use super::{GeoReference, Size, crs};

/// Width and height of the pixel in the middle of the raster, in meters on the ground; `None` when nobody knows what a
/// unit is.
pub(crate) fn gsd(reference: &GeoReference, size: Size) -> Option<(f64, f64)> {
    let transform = &reference.transform;
    let plain = transform.pixel_edges();
    if reference.crs_wkt.is_empty() {
        return None;
    }
    let system = crs::parse(&reference.crs_wkt).ok()?;
    if let Some(unit) = unit_of_plane(&system) {
        return Some((plain.0 * unit, plain.1 * unit));
    }
    if !has_no_plane(&system) {
        return None;
    }
    let (col, row) = (size.width as f64 / 2.0, size.height as f64 / 2.0);
    let center = transform.world_from_pixel((col, row));
    let right = transform.world_from_pixel((col + 1.0, row));
    let below = transform.world_from_pixel((col, row + 1.0));
    let (mut x, mut y) = ([center.0, right.0, below.0], [center.1, right.1, below.1]);
    let to_degrees = crs::parse("EPSG:4326").and_then(|wgs84| crs::between(&system, &wgs84));
    if !to_degrees.ok()?.transform(&mut x, &mut y) {
        return None;
    }
    Some((
        ground_distance((x[0], y[0]), (x[1], y[1])),
        ground_distance((x[0], y[0]), (x[2], y[2])),
    ))
}

/// Meters on the ground in a unit of a system whose plane is taken for the ground; `None` for degrees, for Mercator's
/// projection, whose units grow with the latitude, and where the system does not name its unit.
pub(crate) fn unit_of_plane(system: &SpatialRef) -> Option<f64> {
    match has_no_plane(system) {
        true => None,
        false => known_unit(system),
    }
}

/// Whether coordinates are degrees or Mercator's.
pub(crate) fn has_no_plane(system: &SpatialRef) -> bool {
    // A name such as `EPSG:3857` says nothing by itself.
    let mercator = system
        .to_wkt()
        .is_ok_and(|wkt| wkt.contains("Mercator") && !wkt.contains("Transverse"));
    system.is_geographic() || mercator
}

/// A pixel's edges with their unit, for people.
pub(crate) fn pixel_words(reference: &GeoReference, size: Size) -> String {
    let (width, height) = reference.transform.pixel_edges();
    let meters = gsd(reference, size);
    let degrees = crs::parse(&reference.crs_wkt).is_ok_and(|system| system.is_geographic());
    match meters {
        Some((x, y)) if degrees => format!(
            "{} x {} degrees ({} x {} m)",
            digits(width),
            digits(height),
            digits(x),
            digits(y)
        ),
        Some((x, y)) => format!("{x:.3} x {y:.3} m"),
        None => format!("{} x {} of unknown unit", digits(width), digits(height)),
    }
}

/// Four digits that count, without zeros at the end.
fn digits(value: f64) -> String {
    let places = (3.0 - value.abs().log10().floor()).clamp(0.0, 12.0);
    if !places.is_finite() {
        return value.to_string();
    }
    let text = format!("{value:.*}", places as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Meters in a unit of a plane system, when it names one.
fn known_unit(system: &SpatialRef) -> Option<f64> {
    let name = system
        .linear_units_name()
        .unwrap_or_default()
        .to_lowercase();
    let unit = system.linear_units();
    (unit.is_finite() && unit > 0.0 && !["", "unknown", "undefined"].contains(&name.as_str()))
        .then_some(unit)
}

/// Meters between two points close to each other, given as longitude and latitude in degrees.
///
/// # Source
/// The radii of curvature of the WGS 84 ellipsoid (meridian and prime vertical) at the first point's latitude.
fn ground_distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    const SEMI_MAJOR: f64 = 6_378_137.0;
    const ECCENTRICITY_SQUARED: f64 = 0.006_694_379_990_141_316;
    let (sin, cos) = from.1.to_radians().sin_cos();
    let root = (1.0 - ECCENTRICITY_SQUARED * sin * sin).sqrt();
    let prime_vertical = SEMI_MAJOR / root;
    let meridian = SEMI_MAJOR * (1.0 - ECCENTRICITY_SQUARED) / root.powi(3);
    // The next pixel may lie beyond the 180th meridian.
    let turned = to.0 - from.0;
    let east = (turned - (turned / 360.0).round() * 360.0).to_radians() * prime_vertical * cos;
    let north = (to.1 - from.1).to_radians() * meridian;
    east.hypot(north)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::GeoTransform;

    fn meters(transform: GeoTransform, crs_wkt: &str) -> (f64, f64) {
        gsd(
            &GeoReference::new(transform, crs_wkt),
            Size::new(1000, 1000),
        )
        .unwrap()
    }

    #[test]
    fn projected_meters_stay_as_they_are() {
        let (width, height) = meters(
            GeoTransform::north_up(500_000.0, 4_000_000.0, 0.3),
            "EPSG:32613",
        );
        assert!((width - 0.3).abs() < 1e-12 && (height - 0.3).abs() < 1e-12);
    }

    #[test]
    fn feet_become_meters() {
        let (width, _) = meters(GeoTransform::north_up(0.0, 0.0, 1.0), "EPSG:2263");
        assert!((width - 0.3048).abs() < 1e-5, "{width}");
    }

    #[test]
    fn degrees_and_web_mercator_come_down_to_the_ground() {
        // At 60 degrees north a degree of longitude is half as long as at the equator.
        let (width, height) = meters(GeoTransform::north_up(10.0, 60.0, 1e-6), "EPSG:4326");
        assert!(
            (width - 0.0558).abs() < 1e-4 && (height - 0.1114).abs() < 1e-4,
            "{width} {height}"
        );
        // y = 8,399,737.9 m is 60 degrees north, where the projection stretches twofold.
        let (width, height) = meters(GeoTransform::north_up(0.0, 8_399_737.9, 1.0), "EPSG:3857");
        assert!(
            (width - 0.5).abs() < 0.01 && (height - 0.5).abs() < 0.01,
            "{width} {height}"
        );
    }

    #[test]
    fn nothing_is_known_without_a_unit() {
        let size = Size::new(100, 100);
        let grid = GeoTransform::north_up(100.0, 100.0, 0.2);
        let words = |crs: &str| pixel_words(&GeoReference::new(grid, crs), size);
        assert_eq!(gsd(&GeoReference::new(grid, ""), size), None);
        assert_eq!(words(""), "0.2 x 0.2 of unknown unit");
        assert_eq!(
            words("LOCAL_CS[\"Site\",UNIT[\"metre\",1]]"),
            "0.200 x 0.200 m"
        );
        let unknown = "LOCAL_CS[\"Undefined SRS\",LOCAL_DATUM[\"unknown\",32767],UNIT[\"unknown\",0],AXIS[\"Easting\",EAST],\
                       AXIS[\"Northing\",NORTH]]";
        assert_eq!(words(unknown), "0.2 x 0.2 of unknown unit");
        let degrees = GeoTransform::north_up(10.0, 45.0, 0.01);
        // pyproj: Geod(ellps="WGS84").inv(10.5, 44.5, 10.51, 44.5) is 795.296 m, to 44.49 1111.219 m.
        let words = pixel_words(&GeoReference::new(degrees, "EPSG:4326"), size);
        assert_eq!(words, "0.01 x 0.01 degrees (795.3 x 1111 m)");
        // Over the 180th meridian.
        let meters = meters(GeoTransform::north_up(175.0, 5.0, 0.01), "EPSG:4326");
        assert!((meters.0 - 1113.2).abs() < 1.0, "{meters:?}");
    }
}

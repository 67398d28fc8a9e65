use super::{GeoReference, Size, crs};

/// Width and height of the pixel in the middle of the raster, in metres on the ground.
pub(crate) fn metres_per_pixel(reference: &GeoReference, size: Size) -> (f64, f64) {
    let transform = &reference.transform;
    let t = &transform.0;
    let plain = (t[1].hypot(t[4]), t[2].hypot(t[5]));
    let Ok(system) = crs::parse(&reference.crs_wkt) else {
        return plain;
    };
    // The reference may be a name such as `EPSG:3857`, which says nothing by itself.
    let wkt = system.to_wkt().unwrap_or_default();
    let mercator = wkt.contains("Mercator") && !wkt.contains("Transverse");
    if !system.is_geographic() && !mercator {
        let unit = system.linear_units();
        return (plain.0 * unit, plain.1 * unit);
    }
    let (col, row) = (size.width as f64 / 2.0, size.height as f64 / 2.0);
    let centre = transform.world_from_pixel((col, row));
    let right = transform.world_from_pixel((col + 1.0, row));
    let below = transform.world_from_pixel((col, row + 1.0));
    let (mut x, mut y, mut z) = (
        [centre.0, right.0, below.0],
        [centre.1, right.1, below.1],
        [0.0; 3],
    );
    let degrees = crs::parse("EPSG:4326")
        .and_then(|wgs84| crs::between(&system, &wgs84))
        .is_ok_and(|to_degrees| to_degrees.transform_coords(&mut x, &mut y, &mut z).is_ok());
    if !degrees {
        return plain;
    }
    (
        ground_distance((x[0], y[0]), (x[1], y[1])),
        ground_distance((x[0], y[0]), (x[2], y[2])),
    )
}

/// Metres between two points close to each other, given as longitude and latitude in degrees.
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
    let east = (to.0 - from.0).to_radians() * prime_vertical * cos;
    let north = (to.1 - from.1).to_radians() * meridian;
    east.hypot(north)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::GeoTransform;

    fn metres(transform: GeoTransform, crs_wkt: &str) -> (f64, f64) {
        metres_per_pixel(
            &GeoReference {
                transform,
                crs_wkt: crs_wkt.to_owned(),
            },
            Size::new(1000, 1000),
        )
    }

    #[test]
    fn projected_metres_stay_as_they_are() {
        let (width, height) = metres(
            GeoTransform::north_up(500_000.0, 4_000_000.0, 0.3),
            "EPSG:32613",
        );
        assert!((width - 0.3).abs() < 1e-12 && (height - 0.3).abs() < 1e-12);
    }

    #[test]
    fn feet_become_metres() {
        let (width, _) = metres(GeoTransform::north_up(0.0, 0.0, 1.0), "EPSG:2263");
        assert!((width - 0.3048).abs() < 1e-5, "{width}");
    }

    #[test]
    fn degrees_and_web_mercator_come_down_to_the_ground() {
        // At 60 degrees north a degree of longitude is half as long as at the equator.
        let (width, height) = metres(GeoTransform::north_up(10.0, 60.0, 1e-6), "EPSG:4326");
        assert!(
            (width - 0.0558).abs() < 1e-4 && (height - 0.1114).abs() < 1e-4,
            "{width} {height}"
        );
        // y = 8,399,737.9 m is 60 degrees north, where the projection stretches twofold.
        let (width, height) = metres(GeoTransform::north_up(0.0, 8_399_737.9, 1.0), "EPSG:3857");
        assert!(
            (width - 0.5).abs() < 0.01 && (height - 0.5).abs() < 0.01,
            "{width} {height}"
        );
    }
}

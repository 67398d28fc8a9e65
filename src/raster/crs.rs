//! Coordinate reference systems through PROJ, always with x before y.

use std::ffi::c_int;

use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};

use super::{RasterError, gdal_library};

/// A system from WKT or a name such as `EPSG:4326`, with longitude or easting first.
pub(crate) fn parse(definition: &str) -> Result<SpatialRef, RasterError> {
    let mut system = parse_as_defined(definition)?;
    system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(system)
}

/// As [`parse`], but a name of the OGC (`urn:ogc:def:crs:EPSG::4326`, `http://www.opengis.net/def/crs/EPSG/0/4326`) means
/// coordinates in the order that the authority gives them, latitude or northing first where it says so.
pub(crate) fn parse_stated(definition: &str) -> Result<SpatialRef, RasterError> {
    let start = definition.trim().to_lowercase();
    let by_authority = [
        "urn:ogc:",
        "urn:x-ogc:",
        "http://www.opengis",
        "https://www.opengis",
    ];
    if by_authority.iter().any(|prefix| start.starts_with(prefix)) {
        let mut system = parse_as_defined(definition.trim())?;
        system.set_axis_mapping_strategy(AxisMappingStrategy::AuthorityCompliant);
        return Ok(system);
    }
    parse(definition.trim())
}

fn parse_as_defined(definition: &str) -> Result<SpatialRef, RasterError> {
    let (parsed, messages) =
        gdal_library::with_messages(|| SpatialRef::from_definition(definition));
    parsed.map_err(|error| RasterError::Crs {
        crs: if definition.is_empty() {
            "(none)".to_owned()
        } else {
            short_text(definition)
        },
        detail: messages.joined(&error.to_string()),
    })
}

/// The system without heights: what it says of x and y.
pub(crate) fn horizontal(system: &SpatialRef) -> SpatialRef {
    let flat = system.clone();
    if flat.axes_count() > 2 || flat.is_compound() {
        let order = axis_order(system);
        gdal_library::with_messages(|| {
            // SAFETY: the copy is ours and alive; a null name keeps the system's own; the order holds two values.
            unsafe {
                gdal_sys::OSRStripVertical(flat.to_c_hsrs());
                gdal_sys::OSRDemoteTo2D(flat.to_c_hsrs(), std::ptr::null());
                gdal_sys::OSRSetDataAxisToSRSAxisMapping(flat.to_c_hsrs(), 2, order.as_ptr());
            }
        });
    }
    flat
}

/// Which axes of the system the first and second coordinate of the data belong to, counted from 1.
fn axis_order(system: &SpatialRef) -> [c_int; 2] {
    let mut count = 0;
    // SAFETY: the system is alive and owns the list, which holds as many values as it says.
    unsafe {
        let order = gdal_sys::OSRGetDataAxisToSRSAxisMapping(system.to_c_hsrs(), &raw mut count);
        if order.is_null() || count < 2 {
            [1, 2]
        } else {
            [*order, *order.add(1)]
        }
    }
}

/// The way from one system to another, heights apart.
pub(crate) fn between(
    source: &SpatialRef,
    target: &SpatialRef,
) -> Result<Transformation, RasterError> {
    let (flat_source, flat_target) = (horizontal(source), horizontal(target));
    let (raw, messages) = gdal_library::with_messages(|| {
        // SAFETY: both systems are alive, and the transformation copies what it needs of them.
        unsafe {
            gdal_sys::OCTNewCoordinateTransformation(
                flat_source.to_c_hsrs(),
                flat_target.to_c_hsrs(),
            )
        }
    });
    if raw.is_null() {
        return Err(RasterError::Crs {
            crs: format!("{} to {}", name_of(source), name_of(target)),
            detail: messages.joined("there is no way between them"),
        });
    }
    Ok(Transformation { raw })
}

/// A way between two systems.
#[derive(Debug)]
pub(crate) struct Transformation {
    raw: gdal_sys::OGRCoordinateTransformationH,
}

impl Transformation {
    /// Moves points in place. Those that the other system has no place for become NaN, and then it returns `false`.
    pub(crate) fn transform(&self, xs: &mut [f64], ys: &mut [f64]) -> bool {
        let count = xs.len().min(ys.len());
        let mut moved = vec![0; count];
        gdal_library::with_messages(|| {
            // SAFETY: the transformation is ours and alive; every buffer holds `count` values; heights may be left out.
            unsafe {
                gdal_sys::OCTTransformEx(
                    self.raw,
                    count as c_int,
                    xs.as_mut_ptr(),
                    ys.as_mut_ptr(),
                    std::ptr::null_mut(),
                    moved.as_mut_ptr(),
                )
            }
        });
        let mut all = true;
        for ((x, y), moved) in xs.iter_mut().zip(ys.iter_mut()).zip(&moved) {
            if *moved == 0 || !x.is_finite() || !y.is_finite() {
                (*x, *y) = (f64::NAN, f64::NAN);
                all = false;
            }
        }
        all
    }
}

impl Drop for Transformation {
    fn drop(&mut self) {
        // SAFETY: the transformation is ours alone.
        unsafe { gdal_sys::OCTDestroyCoordinateTransformation(self.raw) };
    }
}

/// Whether two systems, as WKT, put the same coordinates at the same place. GDAL compares what they say, whatever they
/// are called; longitude or easting counts as first in both, and heights and shifts to WGS 84 do not count.
///
/// # Source
/// GDAL's `OSRIsSame`: equivalence but for the order of the axes of geographic systems.
pub(crate) fn same(first: &str, second: &str) -> bool {
    if first == second {
        return true;
    }
    let (Ok(first), Ok(second)) = (parse(first), parse(second)) else {
        return false;
    };
    same_systems(&first, &second)
}

/// As [`same`], where the data of one system may come in another order of axes.
pub(crate) fn same_systems(first: &SpatialRef, second: &SpatialRef) -> bool {
    let equal = |first: &SpatialRef, second: &SpatialRef| {
        let (same, _) = gdal_library::with_messages(|| {
            // SAFETY: both systems are alive.
            unsafe { gdal_sys::OSRIsSame(first.to_c_hsrs(), second.to_c_hsrs()) != 0 }
        });
        same
    };
    if equal(first, second) {
        return true;
    }
    // What is left of a system by its plain text no longer knows the order of its data.
    match (plain(first), plain(second)) {
        (Some(one), Some(other)) => {
            has_x_first(first)
                && has_x_first(second)
                && counts_west(first).is_some_and(|west| Some(west) == counts_west(second))
                && equal(&one, &other)
        }
        _ => false,
    }
}

/// Whether the data of a system come with longitude or easting first, whatever its authority says.
pub(crate) fn has_x_first(system: &SpatialRef) -> bool {
    axis_order(&x_first(system)) == axis_order(system)
}

/// Whether a coordinate grows to the west, as in Krovak's system of southing and westing, which its projection means when
/// its axes are left out. `None` when GDAL cannot write the system.
fn counts_west(system: &SpatialRef) -> Option<bool> {
    let text = system.to_wkt().ok()?;
    Some(text.to_uppercase().contains("WEST]"))
}

/// The same system for data with longitude or easting first.
pub(crate) fn x_first(system: &SpatialRef) -> SpatialRef {
    let mut usual = system.clone();
    usual.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    usual
}

/// The system by its WKT alone, without heights, shifts to WGS 84 and the order of northing and easting.
fn plain(system: &SpatialRef) -> Option<SpatialRef> {
    let flat = horizontal(system);
    let mut text = flat.to_wkt().ok()?;
    if let Some(inner) = bracketed(&text, "SOURCECRS[")
        && text.trim_start().starts_with("BOUNDCRS[")
    {
        text = inner;
    }
    while let Some(found) = bracketed(&text, "TOWGS84[") {
        text = text.replace(&format!(",TOWGS84[{found}]"), "");
        text = text.replace(&format!("TOWGS84[{found}]"), "");
    }
    // Other directions than north and east mean another system, not another order.
    if !["SOUTH]", "WEST]", "OTHER]"]
        .iter()
        .any(|other| text.to_uppercase().contains(other))
    {
        // A code of EPSG would bring its order back.
        for word in ["AXIS", "AUTHORITY"] {
            while let Some(found) = bracketed(&text, &format!(",{word}[")) {
                text = text.replacen(&format!(",{word}[{found}]"), "", 1);
            }
        }
    }
    parse(&text).ok()
}

/// What stands in the brackets after `opening`.
fn bracketed(text: &str, opening: &str) -> Option<String> {
    let start = text.find(opening)? + opening.len();
    let (mut depth, mut quoted) = (1, false);
    for (at, letter) in text[start..].char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(text[start..start + at].to_owned());
        }
    }
    None
}

/// Whether this is a placeholder for no system at all, as GeoPackages have three of.
pub(crate) fn is_undefined(system: &SpatialRef) -> bool {
    let name = system.name().unwrap_or_default().to_lowercase();
    system.auth_name().is_none() && name.starts_with("undefined ")
}

/// `EPSG:code` when the system has one, otherwise its title; `none` for an empty text.
pub(crate) fn short_name(wkt: &str) -> String {
    if wkt.is_empty() {
        return "none".to_owned();
    }
    gdal_library::prepare();
    SpatialRef::from_definition(wkt)
        .map_or_else(|_| "unknown".to_owned(), |system| name_of(&system))
}

/// As [`short_name`].
pub(crate) fn name_of(system: &SpatialRef) -> String {
    match (system.auth_name(), system.auth_code()) {
        (Some(authority), Ok(code)) => format!("{authority}:{code}"),
        _ => system.name().unwrap_or_else(|| "unnamed".to_owned()),
    }
}

fn short_text(definition: &str) -> String {
    let mut text: String = definition.chars().take(60).collect();
    if text.len() < definition.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAEA: &str = "+proj=laea +lat_0=52 +lon_0=10 +x_0=0 +y_0=0 +ellps=GRS80 +units=m";

    #[test]
    fn systems_are_compared_by_what_they_say() {
        let wkt = |text: &str| parse(text).unwrap().to_wkt().unwrap();
        assert!(same("EPSG:32633", &wkt("EPSG:32633")));
        assert!(same("EPSG:4326", "OGC:CRS84"));
        let (one, moved) = (wkt(LAEA), wkt(&LAEA.replace("lon_0=10", "lon_0=10.01")));
        assert_eq!(short_name(&one), short_name(&moved));
        assert!(!same(&one, &moved));
        let esri = "PROJCS[\"WGS_1984_UTM_Zone_33N\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",\
             SPHEROID[\"WGS_1984\",6378137.0,298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],\
             PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],\
             PARAMETER[\"Central_Meridian\",15.0],PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\",0.0],\
             UNIT[\"Meter\",1.0]]";
        assert!(same("EPSG:32633", esri));
        assert!(!same("EPSG:32633", ""));
    }

    /// rasterio's `CRS ==` on the same pairs, but for heights, which it counts.
    #[test]
    fn spellings_of_one_system_are_the_same() {
        let wkt = |text: &str| parse(text).unwrap().to_wkt().unwrap();
        // Northing first in EPSG's words; ESRI and GeoTIFF keys leave the axes out.
        for code in ["EPSG:2180", "EPSG:3035", "EPSG:31467", "EPSG:2193"] {
            let epsg = wkt(code);
            let mut bare = epsg.clone();
            while let Some(found) = bracketed(&bare, ",AXIS[") {
                bare = bare.replacen(&format!(",AXIS[{found}]"), "", 1);
            }
            assert!(same(code, &bare), "{code} without axes");
        }
        assert!(same("EPSG:32633", "EPSG:32633+5773"), "a compound system");
        assert!(same("EPSG:4326", "EPSG:4979"), "with heights");
        let bound = wkt("EPSG:31467").replace(
            "SPHEROID[\"Bessel 1841\",6377397.155,299.1528128,AUTHORITY[\"EPSG\",\"7004\"]]",
            "SPHEROID[\"Bessel 1841\",6377397.155,299.1528128,AUTHORITY[\"EPSG\",\"7004\"]],TOWGS84[598.1,73.7,418.2,0.202,0.045,-2.455,6.7]",
        );
        assert!(bound.contains("TOWGS84"));
        assert!(same("EPSG:31467", &bound), "with a shift to WGS 84");
        assert!(!same("EPSG:31467", "EPSG:31468"));
        assert!(
            !same("EPSG:5513", "EPSG:5514"),
            "Krovak counts south and west, or east and north"
        );
        assert!(!same("EPSG:4326", "EPSG:4258"));
    }

    #[test]
    fn names_of_the_ogc_keep_the_authority_s_order() {
        let utm = parse("EPSG:32633").unwrap();
        for (name, point) in [
            ("EPSG:4326", (15.0, 45.0)),
            ("OGC:CRS84", (15.0, 45.0)),
            ("urn:ogc:def:crs:EPSG::4326", (45.0, 15.0)),
        ] {
            let way = between(&parse_stated(name).unwrap(), &utm).unwrap();
            let (mut x, mut y) = ([point.0], [point.1]);
            assert!(way.transform(&mut x, &mut y));
            // pyproj: Transformer.from_crs(4326, 32633, always_xy=True).transform(15, 45)
            assert!(
                (x[0] - 500_000.0).abs() < 0.01 && (y[0] - 4_982_950.4).abs() < 0.1,
                "{name}"
            );
        }
        let site = parse("LOCAL_CS[\"Site\",UNIT[\"metre\",1]]").unwrap();
        assert!(between(&utm, &site).is_err());
    }
}

//! Coordinate reference systems through PROJ, always with x before y.

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};

use super::{RasterError, gdal_library};

/// A system from WKT or a name such as `EPSG:4326`, with longitude or easting first.
pub(crate) fn parse(definition: &str) -> Result<SpatialRef, RasterError> {
    let (parsed, messages) =
        gdal_library::with_messages(|| SpatialRef::from_definition(definition));
    let mut system = parsed.map_err(|error| RasterError::Crs {
        crs: if definition.is_empty() {
            "(none)".to_owned()
        } else {
            short_text(definition)
        },
        detail: messages.joined(&error.to_string()),
    })?;
    system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(system)
}

/// The way from one system to another.
pub(crate) fn between(
    source: &SpatialRef,
    target: &SpatialRef,
) -> Result<CoordTransform, RasterError> {
    let (made, messages) = gdal_library::with_messages(|| CoordTransform::new(source, target));
    made.map_err(|error| RasterError::Crs {
        crs: format!("{} to {}", name_of(source), name_of(target)),
        detail: messages.joined(&error.to_string()),
    })
}

/// Whether two systems, as WKT, put the same coordinates at the same place. GDAL compares what they say, whatever they
/// are called, and longitude counts as first in both.
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
    let (same, _) = gdal_library::with_messages(|| {
        // SAFETY: both systems are alive.
        unsafe { gdal_sys::OSRIsSame(first.to_c_hsrs(), second.to_c_hsrs()) != 0 }
    });
    same
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

fn name_of(system: &SpatialRef) -> String {
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
}

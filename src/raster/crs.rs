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
        detail: gdal_library::joined(&messages, &error.to_string()),
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
        detail: gdal_library::joined(&messages, &error.to_string()),
    })
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

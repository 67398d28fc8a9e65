//! Whether a file is one that features of a kind were saved to.

use std::path::Path;

use super::property_names;

/// Whether there is a vector file, or another one, whose features have not each of these properties, given by the
/// beginnings of their names: a shapefile's are cut.
pub(crate) fn lacks(path: &Path, properties: &[&str]) -> bool {
    let Ok(names) = property_names(path) else {
        return std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    };
    let has = |start: &&str| names.iter().any(|name| name.starts_with(*start));
    !properties.iter().all(has) && !is_empty_geojson(path)
}

/// Whether a file is GeoJSON without a feature: it names no property, and nobody loses anything by it.
fn is_empty_geojson(path: &Path) -> bool {
    const SHORT: u64 = 4096;
    let is_short = std::fs::metadata(path).is_ok_and(|file| file.len() < SHORT);
    let text = std::fs::read(path).ok().filter(|_| is_short);
    let value: Option<serde_json::Value> = text.and_then(|text| serde_json::from_slice(&text).ok());
    value.is_some_and(|value| value["features"].as_array().is_some_and(Vec::is_empty))
}

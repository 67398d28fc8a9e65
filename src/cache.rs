//! Where what can be had again is kept.

use std::path::PathBuf;

/// The user's folder for what can be fetched or computed again: `SWATH_CACHE` when it is set, otherwise `swath` in the
/// system's cache folder.
#[must_use]
pub fn cache_dir() -> PathBuf {
    if let Some(folder) =
        std::env::var_os(swath_link::environment::CACHE).filter(|folder| !folder.is_empty())
    {
        return PathBuf::from(folder);
    }
    dirs::cache_dir()
        .unwrap_or_else(std::env::temp_dir)
        .join("swath")
}

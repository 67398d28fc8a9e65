//! The names of the data sets that the library fetches (`src/data`), for a program that does not link it.

/// All of them, as `swath::data::fetch` takes them.
pub const NAMES: [&str; 4] = ["banepa", "banepa-tiles", "efficientnet-lite0", "neon"];

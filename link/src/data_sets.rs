//! The names of the data sets that the library fetches (`src/data`), for a program that does not link it.

/// All of them, as `swath::data::fetch` takes them.
pub const NAMES: [&str; 19] = [
    "banepa",
    "banepa-tiles",
    "efficientnet-lite0",
    "eurosat-ms",
    "eurosat-rgb",
    "inria",
    "landcover-ai",
    "massachusetts-buildings",
    "massachusetts-roads",
    "naip",
    "neon",
    "neon-trees",
    "sentinel-2",
    "spacenet-atlanta",
    "spacenet2-khartoum",
    "spacenet2-paris",
    "spacenet2-shanghai",
    "spacenet2-vegas",
    "spacenet7",
];

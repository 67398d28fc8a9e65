//! The pages of `docs/`: their Rust blocks are compiled as doc examples (`cargo test --doc`). A test compares this list
//! with the folder.

macro_rules! pages {
    ($($page:ident $file:literal,)*) => {$(
        #[doc = include_str!(concat!("../docs/", $file))]
        struct $page;
    )*};
}

pages! {
    Start "getting-started.md",
    OwnLabels "guide/own-labels.md",
    Classes "guide/classes.md",
    DataSets "guide/data-sets.md",
    ManyScenes "guide/many-scenes.md",
    Bands "guide/bands.md",
    TimeSeries "guide/time-series.md",
    Training "guide/training.md",
    Augmentation "guide/augmentation.md",
    Thresholds "guide/thresholds.md",
    ChipSets "guide/chip-sets.md",
    LargeScenes "guide/large-scenes.md",
    Detection "guide/detection.md",
    Classification "guide/classification.md",
    Gpu "guide/gpu.md",
    GisFiles "guide/gis-files.md",
    Models "guide/models.md",
    OwnNetwork "guide/own-network.md",
    Papermill "papermill.md",
    Weights "weights.md",
}

//! Tests of the library as its users see it: one file per subject.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

/// Arrays in memory and of NumPy, in and out.
mod arrays;
/// Chips changed at random: the same at every run, exact, refused where they cannot be.
mod augment;
/// Bands read as what they are: types, nodata, masks, palettes, their choice and order.
mod bands;
/// Files that an earlier commit wrote.
mod before;
/// Odd files of boxes: what is read, what is left out, and what is said about it.
mod box_files;
/// Boxes: read from every kind of file, cut and turned with chips.
mod boxes;
/// Lines and points as labels, by a buffer.
mod buffers;
/// Chips as files: written, read back, read from the layouts of others.
mod chip_sets;
/// Chips: reproducible, exact, complete, and stopped when nobody wants them.
mod chips;
/// Chips around classes: shares, rare ones, any number of threads.
mod class_balance;
/// Commands of the library, with their exit codes and files.
mod cli;
/// Many scenes on the command line.
mod cli_many;
/// Data sets: what is fetched, and what to do when it cannot be.
mod data_sets;
/// Detection end to end on drawn imagery.
mod detectors;
/// What features become: classes, text, tiles with nothing on them.
mod feature_labels;
/// Features of label files: none lost, the layer that is meant, files of other kinds.
mod features;
/// Files that are replaced whole or not at all, with their permissions.
mod full_disk;
/// Models of one pixel size on scenes of another.
mod ground;
/// `swath info`: what a scene reads, for people and programs.
mod info;
/// Long reads that are interrupted, and full disks.
mod interrupts;
/// Several files as one scene, and bands that are changed while they are read.
mod joins;
/// Training keeps the right epoch; chips, areas of interest and models hold what they should.
mod keeping;
/// Labels of several files and layers, and classes by tables and rules.
mod label_layers;
/// Labels that come as rasters: their place and what their values mean.
mod label_rasters;
/// Label rasters that name their values themselves.
mod label_styles;
/// Labels: polygons from files burned into class maps, and traced back.
mod labels;
/// Many scenes as one: opened, labeled, split, trained on and scored.
mod many;
/// Labeled objects as chips of their own.
mod object_chips;
/// What a raster is opened by, and that nothing remembered of it goes stale.
mod opening;
/// Labels that are complete in a part of the scene alone.
mod partial_labels;
/// Pictures of scenes, chips and maps, measured.
mod pictures;
/// Where features and images lie, and images without a place.
mod place;
/// Places that a table or a person states.
mod places;
/// Whole scenes predicted, scored and saved.
mod predict;
/// Several models together, and a device whose memory runs out.
mod predict_models;
/// Rasters: windows, masks, statistics, writing.
mod rasters;
/// Rotated boxes: their corners through files, chips and pictures.
mod rotated_boxes;
/// The drawn town: the same everywhere, true to the pixel.
mod samples;
/// Scenes: areas, splits, label sources, what is ignored.
mod scenes;
/// Long work of every kind stops when the user asks.
mod stopping;
/// Scores of every type, maps that are opened again, mosaics, runs that were killed.
mod stores;
/// What several tests need.
mod support;
/// Thresholds that are chosen on labels, of one scene and of many.
mod thresholds;
/// The whole scenes of the development data.
mod whole_scenes;
/// Chips resized from windows of several sizes.
mod window_sizes;

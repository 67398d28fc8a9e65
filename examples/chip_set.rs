//! A chip set for PyTorch with weights and the loss of its first batch, and the loss of a chip set that PyTorch wrote, for
//! `benches/peers/chip_sets.py`.
//!
//! `cargo run --release -p swath --example chip_set -- FOLDER` leaves in `FOLDER`:
//!
//! - `ours/`: eight chips of a drawn town with masks, as GeoTIFF; `png/`: the same as PNG;
//! - `unet.swath` and `unet.safetensors`: a U-Net with random weights, for this library and for PyTorch;
//! - `losses.json`: the cross-entropy of the batch of all chips in training, `ours`; and `theirs`, when the folder
//!   `theirs/` holds a data set of eight chips that somebody else has written.

use std::path::Path;

use swath::models::{BundleMeta, save_bundle};
use swath::prelude::*;

/// Chips of the one batch.
const CHIPS: usize = 8;

fn main() -> swath::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let folder = Path::new(&folder);
    let town = folder.join("town");
    std::fs::create_dir_all(&town).map_err(|error| swath::FileError::new(&town, error))?;
    let scene = samples::town_in(&town, 5, 512)?.scene()?;
    let chips = scene.chips(Chips::random(CHIPS, 64).seed(3).flips(false))?;
    let quiet = || ChipSetOptions::new().quiet(true).split("train").yolo(true);
    chips.save_with(folder.join("ours"), quiet())?;
    chips.save_with(folder.join("png"), quiet().png())?;

    let device = Device::cpu();
    device.burn().seed(7);
    let architecture = Architecture::from(Unet::resnet18());
    let network = architecture.build(scene.band_count(), scene.classes().len(), &device)?;
    let names = scene
        .classes()
        .names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let normalization = Normalization::eight_bit(scene.band_count());
    let meta = BundleMeta::new(architecture, scene.band_count(), names, normalization, 64);
    let bundle = folder.join("unet.swath");
    save_bundle(&bundle, &meta, network.as_ref())?;
    let model = Segmenter::load(&bundle)?.device(device);
    model.export_torchvision(folder.join("unet.safetensors"))?;

    let set = ChipSet::open(folder.join("ours"))?.split("train")?;
    let mut losses = serde_json::json!({
        "scene": first_loss(&model, &chips, &scene)?,
        "ours": first_loss(&model, &set.chips()?, &scene)?,
    });
    let theirs = folder.join("theirs");
    if theirs.exists() {
        let set = ChipSet::open(
            ChipFolder::new(&theirs).values(LabelValues::from(scene.classes()).ignore([255])),
        )?;
        losses["theirs"] = first_loss(&model, &set.chips()?, &scene)?.into();
    }
    let path = folder.join("losses.json");
    std::fs::write(&path, losses.to_string())
        .map_err(|error| swath::FileError::new(&path, error))?;
    Ok(())
}

/// The loss of the one batch before any weight has moved: the forward pass is that of a training, with the batch's own
/// statistics.
fn first_loss(model: &Segmenter, chips: &Chips, valid: &Scene) -> swath::Result<f64> {
    let options = FitOptions::steps(1)
        .batch(CHIPS)
        .loss(Loss::CrossEntropy)
        .any_values(true)
        .quiet(true);
    let run = model.fit(chips, valid, options)?;
    Ok(run
        .history()
        .epochs
        .first()
        .map_or(f64::NAN, |epoch| epoch.train_loss))
}

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Tensor, TensorData};

use super::fuse::{ONE_OBJECT, fused};
use super::tiles::{Joined, Tile, Tiles};
use super::{DetectionOptions, SceneBoxes};
use crate::boxes::{Detection, weighted_boxes};
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{AnyDetectionNetwork, DetectOptions, Normalisation};
use crate::predict::{PredictError, Progress, View, panic_text};
use crate::raster::Patch;
use crate::scene::Scene;
use crate::{Result, session};

/// Tiles searched at once unless [`DetectionOptions::batch`] says otherwise.
const CPU_BATCH: usize = 1;
const GPU_BATCH: usize = 8;
/// The threshold of a model that was never validated.
pub(super) const USUAL_THRESHOLD: f32 = 0.3;

/// A tile whose imagery was read; `None` when it holds no valid pixel.
type Read = Result<(Tile, Option<Patch>)>;

/// Finds the objects in the area in use of a scene: overlapping tiles are read ahead in a thread and searched in batches;
/// a box belongs to the tile in whose own part its centre lies, and what two tiles found of one object at their border is
/// joined; last, boxes that overlap are merged as the options say.
///
/// `threshold` is what the result shows unless the options set another.
///
/// # Memory
/// A few tiles of imagery, what the network needs for one batch, and the boxes: it does not grow with the scene
/// otherwise.
///
/// # Errors
/// [`PredictError`] when scene and network do not fit, or the network fails; [`crate::Error::Interrupted`] when the user
/// asked to stop.
pub fn detect_scene(
    network: &dyn AnyDetectionNetwork,
    normalisation: &Normalisation,
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &DetectionOptions,
    threshold: Option<f32>,
) -> Result<SceneBoxes> {
    let member = Member {
        network,
        normalisation,
    };
    detect_members(&[member], classes, scene, device, options, threshold)
}

/// A network and how its input is normalised.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) network: &'a dyn AnyDetectionNetwork,
    pub(super) normalisation: &'a Normalisation,
}

/// [`detect_scene`] with several networks, whose boxes become one set by [`fused`]. They search the scene one after the
/// other, so that the device holds one of them at a time.
pub(super) fn detect_members(
    members: &[Member<'_>],
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &DetectionOptions,
    threshold: Option<f32>,
) -> Result<SceneBoxes> {
    let bands = match members.first() {
        Some(first) => first.normalisation.bands(),
        None => return Err(PredictError::NoModels.into()),
    };
    let area = scene.area();
    if scene.band_count() != bands {
        return Err(PredictError::Bands {
            expected: bands,
            found: scene.band_count(),
            path: scene.raster().path().to_owned(),
        }
        .into());
    }
    options.check(area.size())?;
    let tiling = &options.tiling;
    let tiles = Tiles::new(area, tiling.window, tiling.overlap_pixels());
    let usual = if device.is_gpu() {
        GPU_BATCH
    } else {
        CPU_BATCH
    };
    let batch = tiling.batch.unwrap_or(usual).min(tiles.len());
    let (views, of_network) = (tiling.views(), options.of_network());
    let mut progress = Progress::new("detecting", tiles.len() * members.len(), tiling.quiet);
    let mut found = Vec::with_capacity(members.len());
    for member in members {
        let network = member.network.prediction();
        let network = if network.device() == *device.burn() {
            network
        } else {
            network.to_device(device.burn())
        };
        let of_member = search(
            scene,
            member.normalisation,
            &tiles,
            batch,
            &mut progress,
            |patches| detect(network.as_ref(), device, patches, &views, &of_network),
        )?;
        found.push(options.merge.apply(of_member));
    }
    let threshold = tiling
        .threshold
        .or(threshold)
        .unwrap_or(USUAL_THRESHOLD)
        .max(of_network.min_score);
    Ok(SceneBoxes::new(
        fused(found, options.merge, of_network.min_score),
        threshold,
        classes.clone(),
        scene.clone(),
        area,
    ))
}

/// Reads and searches every tile in order, and joins their boxes.
fn search(
    scene: &Scene,
    normalisation: &Normalisation,
    tiles: &Tiles,
    batch: usize,
    progress: &mut Progress,
    mut detect: impl FnMut(&[Patch]) -> Result<Vec<Vec<Detection>>>,
) -> Result<Vec<Detection>> {
    let mut joined = Joined::new(tiles.clone());
    std::thread::scope(|scope| {
        let (sender, receiver) = crossbeam_channel::bounded::<Read>(batch.max(2));
        let reader = std::thread::Builder::new().name("swath-detect-read".to_owned());
        let reading = reader.spawn_scoped(scope, move || {
            for index in 0..tiles.len() {
                let tile = tiles.get(index);
                let read = scene.read(&tile.window).map(|mut patch| {
                    let visible = patch.valid.iter().any(|valid| *valid != 0);
                    normalise(&mut patch, normalisation);
                    (tile, visible.then_some(patch))
                });
                // An error ends the reading; a closed channel means that nobody waits any more.
                if read.is_err() | sender.send(read).is_err() {
                    return;
                }
            }
        });
        reading.map_err(|source| PredictError::Io {
            action: "start a thread",
            path: "swath-detect-read".into(),
            source,
        })?;
        let mut left = tiles.len();
        while left > 0 {
            session::check_interrupt("detecting objects")?;
            let (mut searched, mut patches, mut taken) = (Vec::new(), Vec::new(), 0);
            while patches.len() < batch && taken < left {
                let Ok(read) = receiver.recv() else { break };
                let (tile, patch) = read?;
                taken += 1;
                if let Some(patch) = patch {
                    searched.push(tile);
                    patches.push(patch);
                }
            }
            if taken == 0 {
                break;
            }
            if !patches.is_empty() {
                for (tile, found) in searched.iter().zip(detect(&patches)?) {
                    joined.add(tile, found);
                }
            }
            left -= taken;
            progress.add(taken);
        }
        Ok(joined.finish())
    })
}

/// Makes a patch the network's input, in place: normalised, and 0, which is the mean, where it is invalid.
fn normalise(patch: &mut Patch, normalisation: &Normalisation) {
    normalisation.apply(&mut patch.data);
    for plane in patch.data.chunks_exact_mut(patch.size.area().max(1)) {
        for (value, valid) in plane.iter_mut().zip(&patch.valid) {
            if *valid == 0 {
                *value = 0.0;
            }
        }
    }
}

/// The boxes that a network finds in all views of some images, those of one object joined.
fn in_views(
    network: &dyn AnyDetectionNetwork,
    images: &Tensor<4>,
    views: &[View],
    options: &DetectOptions,
) -> Vec<Vec<Detection>> {
    if views.len() == 1 {
        return network.detect(images.clone(), options);
    }
    let [count, _, height, width] = images.dims();
    let mut all = vec![Vec::new(); count];
    for view in views {
        let found = network.detect(view.apply(images.clone()), options);
        for (all, found) in all.iter_mut().zip(found) {
            let back =
                |found: Detection| found.with_bounds(view.undo_box(found.bounds, [height, width]));
            all.extend(found.into_iter().map(back));
        }
    }
    let joined = |found: Vec<Detection>| {
        let mut joined = weighted_boxes(&found, ONE_OBJECT, views.len());
        joined.retain(|found| found.score >= options.min_score);
        joined.truncate(options.max_boxes);
        joined
    };
    all.into_iter().map(joined).collect()
}

/// The network's boxes in normalised patches of one size.
fn detect(
    network: &dyn AnyDetectionNetwork,
    device: &Device,
    patches: &[Patch],
    views: &[View],
    options: &DetectOptions,
) -> Result<Vec<Vec<Detection>>> {
    let Some(first) = patches.first() else {
        return Ok(Vec::new());
    };
    let shape = [
        patches.len(),
        first.bands,
        first.size.height,
        first.size.width,
    ];
    let mut values = Vec::with_capacity(shape.iter().product());
    for patch in patches {
        values.extend_from_slice(&patch.data);
    }
    let images = TensorData::new(values, shape);
    // Networks may be the user's own, and a device reports lack of memory by panicking.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        in_views(
            network,
            &Tensor::from_data(images, device.burn()),
            views,
            options,
        )
    }));
    outcome.map_err(|panic| {
        PredictError::Network {
            detail: panic_text(&*panic),
        }
        .into()
    })
}

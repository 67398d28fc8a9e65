use burn::tensor::Tensor;

use super::fuse::{ONE_OBJECT, fused};
use super::tiles::{Joined, Tiles};
use super::{DetectionOptions, SceneBoxes};
use crate::Result;
use crate::boxes::{Detection, weighted_boxes};
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{AnyDetectionNetwork, DetectOptions, Normalization, ObjectDetection};
use crate::predict::{
    BatchSize, Inputs, Member, PredictError, Progress, Runner, TtaView, on_device, placed,
    same_bands,
};
use crate::raster::Patch;
use crate::scene::Scene;

/// The threshold of a model that was never validated.
pub(super) const USUAL_THRESHOLD: f32 = 0.3;

/// The share of a box that must lie in the area of interest: as for labeled ones.
const VISIBLE: f64 = 0.5;

/// Finds the objects in the area in use of a scene: overlapping tiles are read ahead in a thread and searched in batches;
/// a box belongs to the tile in whose own part its center lies, and what two tiles found of one object at their border is
/// joined; last, boxes that overlap are merged as the options say.
///
/// `threshold` is what the result shows unless the options set another.
///
/// # Memory
/// A few tiles of imagery, what the network needs for one batch, and the boxes: it does not grow with the scene
/// otherwise.
///
/// # Batches
/// When the device's memory runs out, fewer tiles are searched at once from then on; what was found stays. On a GPU the
/// size of a batch is searched from 8 tiles upwards unless [`DetectionOptions::batch`] gives it.
///
/// # Errors
/// [`PredictError`] when scene and network do not fit, or the network fails; [`crate::Error::Interrupted`] when the user
/// asked to stop.
pub fn detect_scene(
    network: &(dyn AnyDetectionNetwork + 'static),
    normalization: &Normalization,
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &DetectionOptions,
    threshold: Option<f32>,
) -> Result<SceneBoxes> {
    let member = Member {
        network,
        normalization,
        threshold,
        chip: options.tiling.window,
        cells: None,
    };
    detect_members(&[member], classes, scene, device, options)
}

/// [`detect_scene`] with several networks, whose boxes become one set by [`fused`]. They search the scene one after the
/// other, so that the device holds one of them at a time.
pub(super) fn detect_members(
    members: &[Member<'_, ObjectDetection>],
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &DetectionOptions,
) -> Result<SceneBoxes> {
    let bands = match members.first() {
        Some(first) => first.normalization.bands(),
        None => return Err(PredictError::NoModels.into()),
    };
    let area = scene.area();
    same_bands(bands, scene)?;
    options.check(area.size())?;
    let tiling = &options.tiling;
    let tiles = Tiles::new(area, tiling.window, tiling.overlap_pixels());
    let batch = BatchSize::of(tiling, device, tiles.len(), 4 * bands * tiles.size().area());
    let (views, of_network) = (tiling.views(), options.of_network());
    let mut progress = Progress::new("detecting", tiles.len() * members.len(), tiling.quiet);
    let mut found = Vec::with_capacity(members.len());
    for member in members {
        let network = placed::<ObjectDetection>(member.network.prediction(), device);
        let of_member = search(
            scene,
            member.normalization,
            &tiles,
            batch.clone(),
            &mut progress,
            |patches| {
                on_device(device, patches, |images| {
                    Ok(in_views(network.as_ref(), &images, &views, &of_network))
                })
            },
        )?;
        found.push(options.of_task.fusion.apply(of_member));
    }
    let threshold = tiling
        .threshold
        .unwrap_or_else(|| mean_threshold(members))
        .max(of_network.min_score);
    let mut found = fused(found, options.of_task.fusion, of_network.min_score);
    // The network sees what lies around an area of interest, and finds objects there, too.
    found.retain(|found| scene.share_of_interest(&found.bounds) >= VISIBLE);
    Ok(SceneBoxes::new(
        found,
        threshold,
        classes.clone(),
        scene.clone(),
        area,
    ))
}

/// The mean of the models' own thresholds: fused scores are means, too.
fn mean_threshold(members: &[Member<'_, ObjectDetection>]) -> f32 {
    let own = |member: &Member<'_, _>| f64::from(member.threshold.unwrap_or(USUAL_THRESHOLD));
    let sum: f64 = members.iter().map(own).sum();
    (sum / members.len() as f64) as f32
}

/// Reads and searches every tile in order, and joins their boxes.
fn search(
    scene: &Scene,
    normalization: &Normalization,
    tiles: &Tiles,
    batch: BatchSize,
    progress: &mut Progress,
    detect: impl FnMut(&[Patch]) -> Result<Vec<Vec<Detection>>>,
) -> Result<Vec<Detection>> {
    let inputs = Inputs::of([normalization]);
    let mut joined = Joined::new(tiles.clone());
    let runner = Runner {
        windows: tiles.len(),
        batch,
        doing: "detecting objects",
        progress,
    };
    runner.run(
        |index| {
            let tile = tiles.get(index);
            Ok((tile, inputs.read(scene, &tile.window)?))
        },
        detect,
        |tiles, _, found| {
            for (tile, found) in tiles.iter().zip(found) {
                joined.add(tile, found);
            }
            Ok(())
        },
    )?;
    Ok(joined.finish())
}

/// The boxes that a network finds in all views of some images, those of one object joined.
fn in_views(
    network: &dyn AnyDetectionNetwork,
    images: &Tensor<4>,
    views: &[TtaView],
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

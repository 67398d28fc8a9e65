use super::files::{MapWriter, working_folder};
use super::network::{Scorer, normalise};
use super::progress::Progress;
use super::stream::Stream;
use super::windows::WindowPlan;
use super::{PredictError, PredictOptions, SceneMap};
use crate::Result;
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{AnyNetwork, Normalisation};
use crate::raster::{PixelWindow, Raster};
use crate::scene::Scene;

/// Windows scored at once unless [`PredictOptions::batch`] says otherwise.
const CPU_BATCH: usize = 1;
const GPU_BATCH: usize = 8;

/// Predicts the area in use of a scene, streaming: imagery is read ahead window by window in a thread, the scores of
/// overlapping windows are blended, and rows that no later window reaches are written at once.
///
/// # Memory
/// `width x window x (4 classes + 1)` bytes for the band of scores, `width x 256 x (classes + 1)` for the rows being
/// written, a few windows of imagery and what the network needs for one batch: it does not grow with the height.
///
/// # Source
/// Probabilities (softmax), not scores before it, are averaged, with weights that sum to one at every pixel: a tapered
/// cosine over the overlap (see `windows.rs`).
///
/// # Errors
/// [`PredictError`] when scene and network do not fit; [`crate::Error::Interrupted`] when the user asked to stop: what
/// was predicted until then is discarded, the network is untouched.
pub fn predict_scene(
    network: &dyn AnyNetwork,
    normalisation: &Normalisation,
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &PredictOptions,
) -> Result<SceneMap> {
    let area = scene.area();
    if scene.band_count() != normalisation.bands() {
        let path = scene.raster().path().to_owned();
        return Err(PredictError::Bands {
            expected: normalisation.bands(),
            found: scene.band_count(),
            path,
        }
        .into());
    }
    options.check(area.size())?;
    let plan = WindowPlan::new(area, options.window, options.overlap_pixels());
    let usual_batch = if device.is_gpu() {
        GPU_BATCH
    } else {
        CPU_BATCH
    };
    let batch = options.batch.unwrap_or(usual_batch).min(plan.len());

    let folder = working_folder()?;
    let raster = scene.raster();
    let transform = raster.transform().offset(area.col, area.row);
    let mut writer = MapWriter::create(
        folder.path(),
        area.size(),
        classes,
        transform,
        &raster.crs_wkt(),
        options.scores,
    )?;
    let scorer = Scorer::new(network, device, classes.len(), options.views());
    let read = |window: &PixelWindow| {
        let mut patch = scene.read(window)?;
        normalise(&mut patch, normalisation);
        Ok(patch)
    };
    let mut progress = Progress::new("predicting", plan.len(), options.quiet);
    let stream = Stream {
        plan: &plan,
        classes: classes.len(),
        batch,
    };
    stream.run(
        read,
        |patches| scorer.score(patches),
        &mut writer,
        &mut progress,
    )?;
    let (labels, scores) = writer.finish()?;
    let scores = scores.map(Raster::open).transpose()?;
    Ok(SceneMap::new(
        folder,
        Raster::open(labels)?,
        scores,
        classes.clone(),
        scene.clone(),
        area,
    ))
}

use super::batch::BatchSize;
use super::files::{MapWriter, working_folder};
use super::network::{Inputs, Scorer};
use super::predictable::{Member, same_bands};
use super::progress::Progress;
use super::stream::Stream;
use super::windows::WindowPlan;
use super::{PredictError, PredictOptions, SceneMap};
use crate::Result;
use crate::device::Device;
use crate::host::Step;
use crate::labels::Classes;
use crate::models::{AnyNetwork, Normalization, Segmentation};
use crate::raster::{PixelWindow, Raster};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::session;

/// Predicts the area in use of a scene, streaming: imagery is read ahead window by window in a thread, the scores of
/// overlapping windows are blended, and rows that no later window reaches are written at once.
///
/// # Memory
/// `width x window x (4 classes + 1)` bytes for the band of scores, `width x 256 x (classes + 1)` for the rows being
/// written, a few windows of imagery and what the network needs for one batch: it does not grow with the height.
///
/// # Source
/// Probabilities (softmax), not scores before it, are averaged, with weights that sum to one at every pixel: a tapered
/// cosine over the overlap (see `windows.rs`). Views of a window, where [`PredictOptions`] ask for them, are averaged
/// before.
///
/// # Batches
/// When the device's memory runs out, fewer windows are scored at once from then on; what was scored stays. On a GPU the
/// size of a batch is searched from 8 windows upwards unless [`PredictOptions::batch`] gives it.
///
/// # Errors
/// [`PredictError`] when scene and network do not fit; [`crate::Error::Interrupted`] when the user asked to stop: what
/// was predicted until then is discarded, the network is untouched.
pub fn predict_scene(
    network: &(dyn AnyNetwork + 'static),
    normalization: &Normalization,
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &PredictOptions,
) -> Result<SceneMap> {
    let member = Member {
        network,
        normalization,
        threshold: None,
        chip: options.tiling.window,
        cells: None,
    };
    predict_members(&[member], classes, scene, device, options)
}

/// [`predict_scene`] with several networks, whose probabilities are averaged.
pub(super) fn predict_members(
    members: &[Member<'_, Segmentation>],
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &PredictOptions,
) -> Result<SceneMap> {
    let Some(first) = members.first() else {
        return Err(PredictError::NoModels.into());
    };
    let bands = first.normalization.bands();
    let area = scene.area();
    same_bands(bands, scene)?;
    let tiling = &options.tiling;
    tiling.check(area.size())?;
    let plan = WindowPlan::new(area, tiling.window, tiling.overlap_pixels());
    let inputs = Inputs::of(members.iter().map(|member| member.normalization));
    let window_bytes = 4 * bands * members.len() * plan.network_size().area();
    let batch = BatchSize::of(tiling, device, plan.len(), window_bytes);

    let folder = working_folder()?;
    let raster = scene.raster();
    let transform = raster.transform().offset(area.col, area.row);
    let mut writer = MapWriter::create(
        folder.path(),
        area.size(),
        classes,
        transform,
        &raster.crs_wkt(),
        options.of_task.scores.then_some(options.of_task.score_type),
    )?;
    let scorer = Scorer::new(members, &inputs, device, classes.len(), tiling.views());
    let read = |window: &PixelWindow| inputs.read(scene, window);
    let mut progress = Progress::new("predicting", plan.len(), tiling.quiet);
    let stream = Stream {
        plan: &plan,
        classes: classes.len(),
        threshold: tiling.threshold,
        batch,
    };
    stream.run(
        read,
        |patches| scorer.score(patches),
        &mut writer,
        &mut progress,
    )?;
    let empty = writer.mapped() == 0;
    let (labels, scores) = writer.finish()?;
    let scores = scores.map(Raster::open).transpose()?;
    let map = SceneMap::new(
        folder,
        (Raster::open(labels)?, scores),
        classes.clone(),
        scene.clone(),
        area,
        tiling.threshold,
    );
    if !empty {
        return Ok(map);
    }
    let text = "no pixel of the scene is valid: the map is empty";
    let next = format!("check its nodata values and masks ({})", Step::LookAtValues);
    let report: Report = [Notice::noted(text).about(scene.name()).next(next)]
        .into_iter()
        .collect();
    if !tiling.quiet {
        session::display(&report);
    }
    Ok(map.with_report(report))
}

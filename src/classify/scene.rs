use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use super::{CellGrid, ClassificationOptions, SceneCells};
use crate::Result;
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{
    AnyClassificationNetwork, BoxedClassificationNetwork, ChipClassification, Normalization,
};
use crate::predict::{
    BatchSize, Failed, Inputs, Member, PredictError, Progress, Runner, TtaView, on_device, placed,
    same_bands,
};
use crate::report::{Notice, Report};
use crate::scene::Scene;

/// Classifies the cells of a grid over the area in use of a scene: imagery is read ahead in a thread, cells go through the
/// network in batches. `chip` is the side of a cell unless the options set another.
///
/// A cell without a valid pixel of the area of interest gets no class.
///
/// # Memory
/// A few cells of imagery, what the network needs for one batch, and `4 classes` bytes for each cell.
///
/// # Errors
/// [`PredictError`] when scene and network do not fit, or the network fails; [`crate::Error::Interrupted`] when the user
/// asked to stop.
pub fn classify_scene(
    network: &(dyn AnyClassificationNetwork + 'static),
    normalization: &Normalization,
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    chip: usize,
    options: &ClassificationOptions,
) -> Result<SceneCells> {
    let member = Member {
        network,
        normalization,
        threshold: None,
        chip,
        cells: None,
    };
    classify_members(&[member], classes, scene, device, options)
}

/// [`classify_scene`] with several networks, whose probabilities are averaged.
pub(super) fn classify_members(
    members: &[Member<'_, ChipClassification>],
    classes: &Classes,
    scene: &Scene,
    device: &Device,
    options: &ClassificationOptions,
) -> Result<SceneCells> {
    let Some(first) = members.first() else {
        return Err(PredictError::NoModels.into());
    };
    let bands = first.normalization.bands();
    same_bands(bands, scene)?;
    options.check()?;
    let tiling = &options.tiling;
    let grid = CellGrid::new(scene.area(), options.of_task.cell.unwrap_or(first.chip));
    let inputs = Inputs::of(members.iter().map(|member| member.normalization));
    let networks: Vec<(BoxedClassificationNetwork, usize)> = members
        .iter()
        .map(|member| {
            let network = placed::<ChipClassification>(member.network.prediction(), device);
            (network, inputs.position(member.normalization))
        })
        .collect();
    let views = tiling.views();
    let bytes = 4 * bands * members.len() * grid.cell() * grid.cell();
    let batch = BatchSize::of(tiling, device, grid.len(), bytes);
    let mut progress = Progress::of("classifying", ("cells", "cells"), grid.len(), tiling.quiet);
    let mut probabilities = vec![f32::NAN; grid.len() * classes.len()];
    let runner = Runner {
        windows: grid.len(),
        batch,
        doing: "classifying cells",
        progress: &mut progress,
    };
    let count = classes.len();
    runner.run(
        |index| Ok((index, inputs.read(scene, &grid.window(index))?)),
        |patches| {
            on_device(device, patches, |images| {
                let mean = in_views(&networks, &images, (bands, count), &views)?;
                let data = mean
                    .try_into_data()
                    .map_err(|error| Failed::Device(format!("{error:?}")))?;
                data.convert::<f32>()
                    .try_into_vec::<f32>()
                    .map_err(|error| Failed::Device(format!("{error:?}")))
            })
        },
        |cells, _, found| {
            for (index, found) in cells.iter().zip(found.chunks_exact(count.max(1))) {
                probabilities[index * count..][..count].copy_from_slice(found);
            }
            Ok(())
        },
    )?;
    let cells = SceneCells::new(
        grid,
        probabilities,
        classes.clone(),
        scene.clone(),
        tiling.threshold,
    );
    let unequal = |member: &&Member<'_, _>| {
        (options.of_task.cell.is_none() && member.chip != first.chip) || member.cells != first.cells
    };
    let others = members.iter().filter(unequal).count();
    let mut report = Report::new();
    if others > 0 {
        let text = format!(
            "{others} of {} models were trained on cells of another size or by another rule: those of the first one are taken",
            members.len()
        );
        report.push(Notice::assumed(text).count(others));
    }
    Ok(cells.by_rule(first.cells).with_report(report))
}

/// Probabilities, the mean over all networks and views, `[n, classes]`.
fn in_views(
    networks: &[(BoxedClassificationNetwork, usize)],
    images: &Tensor<4>,
    (bands, classes): (usize, usize),
    views: &[TtaView],
) -> Result<Tensor<2>, Failed> {
    let mut sum: Option<Tensor<2>> = None;
    for (network, input) in networks {
        let images = images.clone().narrow(1, input * bands, bands);
        let [count, ..] = images.dims();
        for view in views {
            let scores = network.forward(view.apply(images.clone()));
            let [found, wide] = scores.dims();
            if [found, wide] != [count, classes] {
                return Err(PredictError::NetworkOutput {
                    expected: [count, classes, 1, 1],
                    found: [found, wide, 1, 1],
                }
                .into());
            }
            let probabilities = softmax(scores, 1);
            sum = Some(match sum {
                Some(sum) => sum + probabilities,
                None => probabilities,
            });
        }
    }
    let all = (networks.len() * views.len()) as f64;
    sum.map(|sum| sum / all)
        .ok_or_else(|| PredictError::NoModels.into())
}

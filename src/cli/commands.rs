//! What each command does. The results are shown through the session's sink.

use std::path::PathBuf;

use serde_json::json;

use super::Failure;
use super::arguments::{Arguments, Usage};
use crate::device::Device;
use crate::display::{Output, Show as _};
use crate::labels::Classes;
use crate::predict::{PredictOptions, SaveOptions, score_class_map};
use crate::raster::Raster;
use crate::scene::Scene;
use crate::train::Segmenter;
use crate::vector::property_names;
use crate::{Result, data, samples, session};

fn say(text: impl Into<String>) {
    session::result(Output::text(text));
}

pub(super) fn info(arguments: &Arguments) -> Result<(), Failure> {
    let raster = Raster::open(arguments.word(0))?;
    let statistics = if arguments.has("statistics") {
        Some(raster.statistics()?)
    } else {
        None
    };
    let size = raster.size();
    let (metres_x, metres_y) = raster.metres_per_pixel();
    if arguments.has("json") {
        let facts = json!({
            "path": raster.path(),
            "format": raster.format(),
            "width": size.width,
            "height": size.height,
            "bands": raster.band_count(),
            "band_names": raster.band_names(),
            "data_type": raster.data_type(),
            "nodata": raster.nodata(),
            "crs": raster.crs_name(),
            "crs_wkt": raster.crs_wkt(),
            "transform": raster.transform().0,
            "metres_per_pixel": [metres_x, metres_y],
            "block_size": [raster.block_size().width, raster.block_size().height],
            "overviews": raster.overview_count(),
            "categories": raster.category_names(),
            "statistics": statistics,
        });
        say(format!("{facts:#}"));
        return Ok(());
    }
    let nodata = raster
        .nodata()
        .map_or_else(|| "none".to_owned(), |value| value.to_string());
    let block = raster.block_size();
    let mut lines = vec![
        raster.path().display().to_string(),
        format!(
            "  format     {}, blocks of {} x {}, {} overviews",
            raster.format(),
            block.width,
            block.height,
            raster.overview_count()
        ),
        format!(
            "  size       {} x {} pixels, {} bands ({})",
            size.width,
            size.height,
            raster.band_count(),
            raster.band_names().join(", ")
        ),
        format!("  type       {}, nodata {nodata}", raster.data_type()),
        format!("  reference  {}", raster.crs_name()),
        format!("  pixel      {metres_x:.3} x {metres_y:.3} m on the ground"),
    ];
    if !raster.category_names().is_empty() {
        lines.push(format!(
            "  classes    {}",
            raster.category_names().join(", ")
        ));
    }
    for (name, band) in raster
        .band_names()
        .iter()
        .zip(statistics.unwrap_or_default())
    {
        lines.push(format!(
            "  {name}: mean {:.4}, deviation {:.4}, from {} to {}, {} valid pixels",
            band.mean, band.std, band.min, band.max, band.count
        ));
    }
    say(lines.join("\n"));
    Ok(())
}

/// The scene at `path` with the labels that `--labels` and `--class` name, if any.
fn labelled_scene(path: &str, arguments: &Arguments, classes: &Classes) -> Result<Scene, Failure> {
    let scene = Scene::open(path)?;
    let Some(labels) = arguments.option("labels") else {
        return Ok(scene);
    };
    // With one class besides the background there is no doubt which one the labels are.
    let only = if classes.len() == 2 {
        classes.get(1).map(|class| class.name.clone())
    } else {
        None
    };
    let class = arguments.option("class").map(str::to_owned).or(only).ok_or_else(|| {
        Usage("`--class` is missing: the class of the labels, or the property that names their classes".to_owned())
    })?;
    // The model's classes, since a scene of its own would number only those that occur in it.
    if property_names(labels)?.contains(&class) {
        return Ok(scene.with_classes(labels, &class, classes)?);
    }
    Ok(scene.with_labels(labels, &class)?)
}

pub(super) fn predict(arguments: &Arguments) -> Result<(), Failure> {
    let out = PathBuf::from(arguments.required("out")?);
    let mut options = PredictOptions::new().scores(!arguments.has("no-scores"));
    if let Some(window) = arguments.parsed("window", "a number of pixels")? {
        options = options.window(window);
    }
    if let Some(overlap) = arguments.parsed("overlap", "a number of pixels")? {
        options = options.overlap(overlap);
    }
    if let Some(batch) = arguments.parsed("batch", "a number of windows")? {
        options = options.batch(batch);
    }
    let mut saving = SaveOptions::new().polygons(!arguments.has("no-polygons"));
    if let Some(area) = arguments.parsed("min-area", "a number of square metres")? {
        saving = saving.min_area_m2(area);
    }
    let device = device(arguments)?;
    let segmenter = Segmenter::load(arguments.word(0))?;
    let segmenter = match device {
        Some(device) => segmenter.device(device),
        None => segmenter,
    };
    let scene = labelled_scene(arguments.word(1), arguments, segmenter.classes())?;
    let map = segmenter.predict_with(&scene, options)?;
    if scene.has_labels() {
        session::result(map.evaluate(&scene)?.output());
    }
    session::result(map.save_with(out, &saving)?.output());
    Ok(())
}

fn device(arguments: &Arguments) -> Result<Option<Device>, Failure> {
    let Some(name) = arguments.option("device") else {
        return Ok(None);
    };
    let unknown = || {
        Usage(format!(
            "`--device {name}` is no device: expected `cpu`, `cuda` or `cuda:N`"
        ))
    };
    match name.split_once(':') {
        None if name == "cpu" => Ok(Some(Device::cpu())),
        None if name == "cuda" => Ok(Some(Device::cuda(0)?)),
        Some(("cuda", index)) => Ok(Some(Device::cuda(index.parse().map_err(|_| unknown())?)?)),
        _ => Err(unknown().into()),
    }
}

pub(super) fn evaluate(arguments: &Arguments) -> Result<(), Failure> {
    arguments.required("labels")?;
    let map = Raster::open(arguments.word(0))?;
    let names = map.category_names();
    let classes = Classes::new(names.iter().skip(1).cloned());
    let scene = labelled_scene(arguments.word(1), arguments, &classes)?;
    let scores = score_class_map(&map, &scene)?;
    if let Some(path) = arguments.option("json") {
        let text = format!("{:#}\n", scores.to_json());
        crate::predict::write_synced(path.as_ref(), text.as_bytes())?;
    }
    session::result(scores.output());
    Ok(())
}

pub(super) fn sample_town(arguments: &Arguments) -> Result<(), Failure> {
    let out = PathBuf::from(arguments.required("out")?);
    let size = arguments
        .parsed("size", "a number of pixels")?
        .unwrap_or(2000);
    let seed = arguments.parsed("seed", "a whole number")?.unwrap_or(1);
    let town = samples::town_in(out, seed, size)?;
    say(format!(
        "{}\n{}",
        town.scene_path.display(),
        town.labels_path.display()
    ));
    Ok(())
}

pub(super) fn data_list(_arguments: &Arguments) -> Result<(), Failure> {
    say(data::names().join("\n"));
    Ok(())
}

pub(super) fn data_fetch(arguments: &Arguments) -> Result<(), Failure> {
    let dataset = data::fetch(arguments.word(0))?;
    say(format!(
        "{}\nin {}",
        dataset.output().text,
        dataset.dir.display()
    ));
    Ok(())
}

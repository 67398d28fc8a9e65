//! Predicting scenes and scoring maps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::arguments::{Arguments, Usage};
use super::{Failure, report};
use crate::device::Device;
use crate::display::{Output, Show as _};
use crate::labels::Classes;
use crate::predict::{Ensemble, PredictOptions, SaveOptions, score_class_map, write_synced};
use crate::raster::Raster;
use crate::scene::Scene;
use crate::train::Segmenter;
use crate::vector::{Format, property_names};
use crate::{Error, Result, session};

/// Predicts every scene; one that fails is reported and does not keep the others from being predicted.
pub(super) fn predict(arguments: &Arguments) -> Result<(), Failure> {
    let out = PathBuf::from(arguments.required("out")?);
    let (options, saving) = (prediction(arguments)?, saving(arguments)?);
    let device = device(arguments)?;
    let load = |path: &str| -> Result<Segmenter> {
        let model = Segmenter::load(path)?;
        Ok(match &device {
            Some(device) => model.device(device),
            None => model,
        })
    };
    let bundles = std::iter::once(arguments.word(0)).chain(arguments.all("also"));
    let models = bundles.map(load).collect::<Result<Vec<_>>>()?;
    let ensemble = Ensemble::new(&models)?;

    let scenes = arguments.words_from(1);
    let mut failed = 0;
    for (path, folder) in scenes.iter().zip(folders(scenes, &out)) {
        if scenes.len() > 1 {
            session::result(Output::text(format!("{path} -> {}", folder.display())));
        }
        match predict_one(&ensemble, path, &folder, &options, &saving, arguments) {
            Err(Failure::Error(error))
                if scenes.len() > 1 && !matches!(error, Error::Interrupted { .. }) =>
            {
                report(&error);
                failed += 1;
            }
            outcome => outcome?,
        }
    }
    if failed > 0 {
        return Err(Failure::Some {
            failed,
            of: scenes.len(),
        });
    }
    Ok(())
}

fn predict_one(
    ensemble: &Ensemble,
    path: &str,
    folder: &Path,
    options: &PredictOptions,
    saving: &SaveOptions,
    arguments: &Arguments,
) -> Result<(), Failure> {
    let scene = labelled_scene(path, arguments, ensemble.classes())?;
    let map = ensemble.predict_with(&scene, options.clone())?;
    if scene.has_labels() {
        session::result(map.evaluate(&scene)?.output());
    }
    session::result(map.save_with(folder, saving)?.output());
    Ok(())
}

/// Where each scene's files go: into `out` itself, or, for several scenes, into folders there that are named like the
/// scenes.
fn folders(scenes: &[String], out: &Path) -> Vec<PathBuf> {
    if scenes.len() < 2 {
        return vec![out.to_owned()];
    }
    let mut taken = BTreeSet::new();
    let mut folder = |scene: &String| {
        let stem = Path::new(scene).file_stem().unwrap_or_default();
        let stem = stem.to_string_lossy().into_owned();
        let mut name = stem.clone();
        for number in 2.. {
            if taken.insert(name.clone()) {
                break;
            }
            name = format!("{stem}-{number}");
        }
        out.join(name)
    };
    scenes.iter().map(&mut folder).collect()
}

fn prediction(arguments: &Arguments) -> Result<PredictOptions, Failure> {
    let mut options = PredictOptions::new()
        .scores(!arguments.has("no-scores"))
        .quiet(arguments.has("quiet"));
    if let Some(window) = arguments.parsed("window", "a number of pixels")? {
        options = options.window(window);
    }
    if let Some(overlap) = arguments.parsed("overlap", "a number of pixels")? {
        options = options.overlap(overlap);
    }
    if let Some(batch) = arguments.parsed("batch", "a number of windows")? {
        options = options.batch(batch);
    }
    if let Some(threshold) = arguments.parsed("threshold", "a probability from 0 to 1")? {
        options = options.threshold(threshold);
    }
    Ok(match arguments.option("tta") {
        None => options,
        Some("flips") => options.flips(true),
        Some("turns") => options.turns(true),
        Some(other) => {
            let problem =
                format!("`--tta {other}` is no augmentation: expected `flips` or `turns`");
            return Err(Usage(problem).into());
        }
    })
}

fn saving(arguments: &Arguments) -> Result<SaveOptions, Failure> {
    let mut saving = SaveOptions::new().polygons(!arguments.has("no-polygons"));
    if let Some(area) = arguments.parsed("min-area", "a number of square metres")? {
        saving = saving.min_area_m2(area);
    }
    if let Some(names) = arguments.option("formats") {
        let formats = names.split(',').map(|name| match name.trim() {
            "gpkg" => Ok(Format::GeoPackage),
            "geojson" => Ok(Format::GeoJson),
            other => Err(Usage(format!(
                "`--formats {other}` is no format of polygons: expected `gpkg`, `geojson` or `gpkg,geojson`"
            ))),
        });
        saving = saving.formats(formats.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(saving)
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

/// The scene at `path` with the labels that `--labels` and `--class` name and the area that `--aoi` names, if any.
fn labelled_scene(path: &str, arguments: &Arguments, classes: &Classes) -> Result<Scene, Failure> {
    let scene = Scene::open(path)?;
    let scene = match arguments.option("aoi") {
        Some(aoi) => scene.with_aoi(aoi)?,
        None => scene,
    };
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

pub(super) fn evaluate(arguments: &Arguments) -> Result<(), Failure> {
    arguments.required("labels")?;
    let map = Raster::open(arguments.word(0))?;
    let names = map.category_names();
    let classes = Classes::new(names.iter().skip(1).cloned());
    let scene = labelled_scene(arguments.word(1), arguments, &classes)?;
    let scores = score_class_map(&map, &scene)?;
    if let Some(path) = arguments.option("json") {
        let text = format!("{:#}\n", scores.to_json());
        write_synced(path.as_ref(), text.as_bytes())?;
    }
    session::result(scores.output());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_scenes_get_folders_of_their_own() {
        let folders = |scenes: &[&str]| {
            let scenes: Vec<String> = scenes.iter().map(|&scene| scene.to_owned()).collect();
            let folders = folders(&scenes, Path::new("out"));
            let names = folders.iter().map(|folder| folder.display().to_string());
            names.collect::<Vec<_>>()
        };
        assert_eq!(folders(&["a/east.tif"]), ["out"]);
        assert_eq!(
            folders(&["a/east.tif", "b/east.tif", "west.tif", "east-2.tif"]),
            ["out/east", "out/east-2", "out/west", "out/east-2-2"]
        );
    }
}

//! What predicting maps and finding objects share: the scenes and their folders, and labels.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use swath_cli::{CellWay, ImageryOptions, LabelFile, PredictArguments};

use super::job::Job;
use super::many::Item;
use super::{Failure, report};
use crate::boxes::formats::{FormatError, ImageMatch};
use crate::display::Output;
use crate::labels::{CellRule, Classes, LabelValues};
use crate::predict::in_order_of;
use crate::raster::{BandChoice, OpenOptions, PixelWindow, Resolution, TimeSeries};
use crate::report::{Report, file_name};
use crate::scene::{Scene, SceneError, is_box_file};
use crate::scenes::{ListedImage, ListedScene, label_file, listed_files, names, shared_boxes};
use crate::vector::{Buffer, LabelClass, VectorError, VectorSource, property_names};
use crate::{Error, session};

/// Gives options of prediction what both tasks ask of the windows of a scene.
macro_rules! with_windows {
    ($options:expr, $job:expr) => {{
        let job = $job;
        let mut options = $options.quiet(job.quiet).any_values(job.model.any_values);
        if let Some(window) = job.model.window {
            options = options.window(window);
        }
        if let Some(overlap) = job.model.overlap {
            options = options.overlap(overlap);
        }
        if let Some(batch) = job.model.batch {
            options = options.batch(batch);
        }
        let (flips, turns) = job.views();
        options.flips(flips).turns(turns)
    }};
}
pub(super) use with_windows;

/// Shows a result of which a file has all the facts, unless the user wants quiet.
pub(super) fn say(quiet: bool, output: impl FnOnce() -> Output) {
    if !quiet {
        session::result(output());
    }
}

/// The files of the scenes that are meant: folders, patterns and tables are looked into, and what was left out on the way is
/// said. A file of boxes for all of them is looked into, too: which of its images each scene is.
pub(super) fn files(
    given: &[PathBuf],
    job: &Job<'_>,
    kind: Labels,
) -> Result<Vec<ListedScene>, Failure> {
    if job.imagery.series {
        // The files of a series are those of one scene.
        return Ok(given.iter().cloned().map(ListedScene::from).collect());
    }
    let only = job.imagery.only.as_ref();
    let only = only.map(|(column, value)| (column.as_str(), value.as_str()));
    let mut report = Report::new();
    let mut found = listed_files(given, only, &mut report)?;
    pair_boxes(&mut found, job, kind)?;
    if !report.is_empty() && !job.quiet {
        session::display(&report);
    }
    Ok(found)
}

/// Notes which image of one file of boxes each of several scenes is. Images that fit several scenes are an error, and so are
/// boxes of no image.
fn pair_boxes(found: &mut [ListedScene], job: &Job<'_>, kind: Labels) -> Result<(), Failure> {
    let labels = job.labels.file.labels.as_deref();
    let labels = labels.filter(|_| job.labels.label_raster.is_none() && kind != Labels::Areas);
    let Some(labels) = labels else {
        return Ok(());
    };
    let source = vector_source(&job.labels.file, labels)?;
    // Folders and patterns have a file for each scene.
    if !source.path().is_file() || !is_box_file(source.path()) {
        return Ok(());
    }
    let class = LabelClass::from(job.labels.file.class.as_deref().unwrap_or_default());
    let scenes: Vec<(PathBuf, String)> = (found.iter())
        .zip(names(found.iter().map(|listed| &listed.path)))
        .map(|(listed, name)| (listed.path.clone(), name))
        .collect();
    let Some(shared) = shared_boxes(source.path(), &class, &scenes).map_err(Error::from)? else {
        return Ok(());
    };
    let names: Arc<[String]> = shared.names().into();
    for (listed, matched) in found.iter_mut().zip(&shared.matches) {
        listed.image = match matched {
            ImageMatch::Image(place) => Some(ListedImage::Place(*place)),
            ImageMatch::Missing => Some(ListedImage::Missing(Arc::clone(&names))),
            // Several images that fit are an error of the scene.
            _ => None,
        };
    }
    Ok(())
}

/// The scene with the boxes of its file, or of its image in one file for several scenes.
fn boxed(
    scene: &Scene,
    listed: &ListedScene,
    source: &VectorSource,
    class: &str,
    classes: &Classes,
) -> Result<Scene, Error> {
    let image = match &listed.image {
        None => None,
        Some(ListedImage::Place(place)) => Some(*place),
        Some(ListedImage::Missing(names)) => {
            return Err(FormatError::NoImage {
                path: source.path().to_owned(),
                wanted: file_name(&listed.path),
                images: names.len(),
                nameless: 0,
                some: names.iter().take(5).cloned().collect(),
            }
            .into());
        }
    };
    let class_of = LabelClass::from(class);
    match names_classes(source, class) {
        true => {
            let class = class_of.of_named_classes();
            scene.with_boxes_of_image(source, &class, Some(classes), image)
        }
        false => scene.with_boxes_of_image(source, &class_of, None, image),
    }
}

/// The one scene that saved maps and boxes are scored against.
pub(super) fn one_file(given: &[PathBuf], job: &Job<'_>) -> Result<ListedScene, Failure> {
    // A model that is not there is no map with wrong options.
    std::fs::metadata(job.first).map_err(|error| {
        let error = crate::FileError::new(job.first.to_owned(), error);
        Failure::Error(error.into())
    })?;
    // A part of it can be scored alone.
    let imagery = ImageryOptions {
        crop: None,
        ..job.imagery.clone()
    };
    job.refuse(
        imagery.given(),
        "it was predicted before, on the scene as it was opened then",
    )?;
    match given {
        [one] => Ok(one.clone().into()),
        several => Err(Failure::Usage(format!(
            "{} scenes were given: {} is scored on the one that it was predicted from",
            several.len(),
            job.first.display()
        ))),
    }
}

/// Runs `one` with every scene and its folder; a scene that fails is reported and does not keep the others from being
/// predicted.
pub(super) fn each_scene(
    items: &[Item],
    arguments: &PredictArguments,
    one: impl Fn(&Item, usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut failed = 0;
    for (index, item) in items.iter().enumerate() {
        if items.len() > 1 {
            say(arguments.quiet, || {
                let path = item.listed.path.display();
                Output::text(format!("{path} -> {}", item.folder.display()))
            });
        }
        match one(item, index + 1) {
            Err(Failure::Error(error))
                if items.len() > 1 && !matches!(error, Error::Interrupted { .. }) =>
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
            of: items.len(),
            done: "predicted",
        });
    }
    Ok(())
}

/// Where each scene's files go: into `out` itself, or, for several scenes, into folders there that are named like the
/// scenes.
pub(super) fn folders<P: AsRef<Path>>(scenes: &[P], out: &Path) -> Vec<PathBuf> {
    if scenes.len() < 2 {
        return vec![out.to_owned()];
    }
    let mut taken = BTreeSet::new();
    let mut folder = |scene: &P| {
        // A pattern is called like the folder that it looks into.
        let is_pattern =
            |path: &&Path| path.to_string_lossy().contains(['*', '?', '[']) && !path.exists();
        let named = scene.as_ref().ancestors().find(|path| !is_pattern(path));
        let stem = named.and_then(Path::file_stem).unwrap_or("series".as_ref());
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

/// What the labels of a scene are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Labels {
    /// Areas.
    Areas,
    /// Boxes around objects.
    Boxes,
    /// Areas, or boxes where the file holds boxes.
    Either,
}

/// What formats of boxes call the class, beside the properties of vector files.
const CLASS_OF_FILE: [&str; 4] = ["class", "label", "name", "category"];

/// The scene with the labels that `--labels` and `--class` name and the area that `--aoi` names, if any. What was
/// left out or assumed on the way is shown, unless `--quiet` is given.
pub(super) fn labeled_scene(
    listed: &ListedScene,
    job: &Job<'_>,
    classes: &Classes,
    kind: Labels,
) -> Result<Scene, Failure> {
    let scene = with_labels(listed, job, classes, kind)?;
    let report = scene.report();
    if !report.is_empty() && !job.quiet {
        session::display(&report);
    }
    Ok(scene)
}

/// All of the scene without labels, whatever part of it `--crop` and `--aoi` say.
pub(super) fn whole_imagery(listed: &ListedScene, job: &Job<'_>) -> Result<Scene, Failure> {
    let whole = ImageryOptions {
        crop: None,
        ..job.imagery.clone()
    };
    let job = Job {
        imagery: &whole,
        aoi: None,
        ..*job
    };
    imagery(listed, &job)
}

/// The scene without labels, as `--bands`, `--crop`, `--aoi` and the like say.
pub(super) fn imagery(listed: &ListedScene, job: &Job<'_>) -> Result<Scene, Failure> {
    let path = listed.path.as_path();
    let scene = match job.imagery.series {
        true => Scene::series_with(series(path, job)?)?,
        false => Scene::open_with(path, listed.options(open_options(job)?))?,
    };
    let as_they_are = !job.imagery.bands.is_empty() || job.model.any_values;
    let scene = match job.trained {
        [] => scene,
        _ if as_they_are => scene,
        trained => in_order_of(trained, scene)?,
    };
    let scene = match job.imagery.crop {
        Some([col, row, width, height]) => {
            let size = |length: i64| usize::try_from(length).unwrap_or(0);
            scene.crop(PixelWindow::new(col, row, size(width), size(height)))?
        }
        None => scene,
    };
    Ok(match job.aoi {
        Some(aoi) => scene.with_aoi(aoi)?,
        None => scene,
    })
}

fn with_labels(
    listed: &ListedScene,
    job: &Job<'_>,
    classes: &Classes,
    kind: Labels,
) -> Result<Scene, Failure> {
    let path = listed.path.as_path();
    let scene = imagery(listed, job)?;
    let scene = as_complete(scene, &job.labels.file)?;
    let by_rule = |scene: Scene| match job.labels.cells {
        None => Ok(scene),
        Some(way) => scene.with_cells(match way {
            CellWay::Majority => CellRule::majority(),
            CellWay::Cell(share) => CellRule::share_of_cell(share),
            CellWay::Object(share) => CellRule::share_of_object(share),
        }),
    };
    if let Some(raster) = &job.labels.label_raster {
        let values = label_values(job, classes, kind)?;
        let raster = label_file(&VectorSource::new(raster), path)?;
        return Ok(by_rule(scene.with_label_raster(raster.path(), values)?)?);
    }
    let Some(labels) = &job.labels.file.labels else {
        return match job.labels.cells {
            None => Ok(scene),
            Some(_) => Err(Failure::Usage(
                "'--cells' says how labels class cells: '--labels <FILE>' or '--label-raster <FILE>' is missing".to_owned(),
            )),
        };
    };
    // With one class besides the background there is no doubt which one the labels are.
    let only = if classes.len() == 2 {
        classes.get(1).map(|class| class.name.clone())
    } else {
        None
    };
    let class = job.labels.file.class.clone().or(only).ok_or_else(|| {
        Failure::Usage(
            "'--class <NAME>' is missing: the class of the labels, or the property that names their classes".to_owned(),
        )
    })?;
    let source = label_file(&vector_source(&job.labels.file, labels)?, path)?;
    let kind = match kind {
        Labels::Either if is_box_file(source.path()) => Labels::Boxes,
        Labels::Either => Labels::Areas,
        known => known,
    };
    // The model's classes, since a scene of its own would number only those that occur in it.
    Ok(by_rule(match kind {
        Labels::Areas | Labels::Either => labeled_areas(&scene, &source, &class, classes)?,
        Labels::Boxes => boxed(&scene, listed, &source, &class, classes)?,
    })?)
}

/// The files of one place on several dates, as `--bands`, `--mask`, `--between` and `--pixel-size` say.
fn series(files: &Path, job: &Job<'_>) -> Result<TimeSeries, Failure> {
    let imagery = job.imagery;
    let mut series = TimeSeries::new(files);
    if let Some(number) = (imagery.bands.iter()).find(|name| name.trim().parse::<i64>().is_ok()) {
        return Err(Failure::Usage(format!(
            "with '--series' '--bands' has names, such as B04,nir, found {number}"
        )));
    }
    if !imagery.bands.is_empty() {
        series = series.bands(imagery.bands.iter().map(|name| name.trim().to_owned()));
    }
    if let Some((name, codes)) = &imagery.mask {
        series = series.mask(name.as_str(), codes.iter().copied());
    }
    if let Some((first, last)) = &imagery.between {
        series = series.between(first, last);
    }
    if let Some(meters) = imagery.pixel_size {
        series = series.pixel_size(Resolution::Meters(meters));
    }
    Ok(series)
}

/// How `--bands`, `--nodata` and `--pixel-size` open a scene. Bands are counted from 1, as QGIS does.
fn open_options(job: &Job<'_>) -> Result<OpenOptions, Failure> {
    let imagery = job.imagery;
    let mut options = OpenOptions::new();
    if !imagery.bands.is_empty() {
        let choice = |text: &String| match text.trim().parse::<i64>() {
            Ok(number) if number < 1 => Err(Failure::Usage(format!(
                "'--bands' counts from 1, found {number}"
            ))),
            Ok(number) => Ok(BandChoice::Index(number - 1)),
            Err(_) => Ok(BandChoice::from(text.trim())),
        };
        let bands = imagery.bands.iter().map(choice);
        options = options.bands(bands.collect::<Result<Vec<_>, _>>()?);
    }
    if let Some(value) = imagery.nodata {
        options = options.nodata(value);
    }
    let asked = imagery.pixel_size.map(Resolution::Meters);
    if let Some(resolution) = job.at.or(asked) {
        options = options.at(resolution);
    }
    Ok(options)
}

/// What the values of `--label-raster` mean: indices of the model's classes unless `--values` or `--binary` says
/// otherwise.
fn label_values(job: &Job<'_>, classes: &Classes, kind: Labels) -> Result<LabelValues, Failure> {
    if kind == Labels::Boxes {
        return Err(Failure::Usage(
            "'--label-raster' is for maps: boxes are scored against boxes or polygons, '--labels <FILE>'".to_owned(),
        ));
    }
    if let Some(values) = &job.labels.values {
        return Ok(values.parse::<LabelValues>()?.of_classes(classes));
    }
    Ok(match &job.labels.binary {
        Some(class) => LabelValues::binary(class).of_classes(classes),
        None => LabelValues::from(classes),
    })
}

/// A vector file of labels, as `--layer`, `--labels-crs`, `--where` and `--buffer` say.
///
/// # Errors
/// [`VectorError::BufferWords`].
pub(super) fn vector_source(options: &LabelFile, labels: &Path) -> Result<VectorSource, Error> {
    let mut source = VectorSource::new(labels);
    if let Some(layer) = &options.layer {
        source = source.layer(layer);
    }
    if let Some(crs) = &options.labels_crs {
        source = source.crs(crs);
    }
    if let Some(condition) = &options.condition {
        source = source.filter(condition);
    }
    if let Some(buffer) = &options.buffer {
        source = source.buffer(buffer.parse::<Buffer>()?);
    }
    Ok(source)
}

/// The scene where its labels are complete, as `--labeled-within` and `--labeled-only` say.
///
/// # Errors
/// Those of [`Scene::labeled_within`].
pub(super) fn as_complete(scene: Scene, options: &LabelFile) -> Result<Scene, Error> {
    let scene = match &options.labeled_within {
        Some(area) => scene.labeled_within(area)?,
        None => scene,
    };
    Ok(match options.labeled_only {
        true => scene.labeled_only(),
        false => scene,
    })
}

/// The classes by the property `class`, or every feature of the class `class`: when there is no such property, or when it
/// holds none of the model's classes, one of which is called like it (OpenStreetMap's `building` is `yes`).
fn labeled_areas(
    scene: &Scene,
    source: &VectorSource,
    class: &str,
    classes: &Classes,
) -> Result<Scene, Error> {
    // Says so when the file has a property that was meant.
    let every = || LabelClass::one_in_doubt(class);
    let one = || LabelClass::one(class);
    match scene.with_classes(source, LabelClass::property(class), classes) {
        Err(Error::Vector(VectorError::NoProperty { .. })) if classes.index_of(class).is_some() => {
            scene.with_classes(source, every(), classes)
        }
        Err(Error::Vector(VectorError::NoProperty { .. })) => scene.with_labels(source, every()),
        Err(Error::Scene(SceneError::UnknownClasses { found, .. }))
            if classes.index_of(class).is_some()
                && !found.keys().any(|name| classes.index_of(name).is_some()) =>
        {
            scene.with_classes(source, one(), classes)
        }
        outcome => outcome,
    }
}

/// The file of labels and where it names their classes, when it does.
pub(super) fn labels_with_classes(options: &LabelFile) -> Option<(&Path, &str)> {
    let given = (options.labels.as_deref()?, options.class.as_deref()?);
    names_classes(given.0, given.1).then_some(given)
}

/// Whether `word` is where a file of boxes names their classes, and not itself the class of all of them.
fn names_classes(labels: impl Into<VectorSource>, word: &str) -> bool {
    let source = labels.into();
    let extension = source.path().extension().unwrap_or_default();
    if ["xml", "txt", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
        && CLASS_OF_FILE.contains(&word)
    {
        return true;
    }
    // Not every format of boxes is one of vectors, too.
    property_names(source).is_ok_and(|names| names.iter().any(|name| name == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_a_class_unless_the_file_has_classes_under_that_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = folder.path().join("boxes.csv");
        std::fs::write(&table, "xmin,ymin,xmax,ymax,label\n1,2,3,4,tree\n").expect("it is written");
        let table = table.display().to_string();
        assert!(names_classes(&table, "label"));
        assert!(!names_classes(&table, "tree"));
        for file in ["boxes.xml", "boxes.JSON", "boxes.txt"] {
            assert!(names_classes(file, "class"), "{file}");
            assert!(!names_classes(file, "tree"), "{file}");
        }
        assert!(
            !names_classes("boxes.gpkg", "class"),
            "the file is not there"
        );
    }

    /// As `Scenes::with_boxes`: one image of a file is one scene, and the others are not it.
    #[test]
    fn boxes_of_one_file_are_those_of_the_scenes_that_it_names() {
        use crate::plot::image::{RgbImage, encode_png};
        let folder = tempfile::tempdir().expect("a folder");
        let image = encode_png(&RgbImage::filled(40, 30, [9; 3])).expect("a picture");
        let path = |name: &str| folder.path().join(name);
        for name in ["img/P1.png", "img/P2.png", "a/1.png", "b/1.png"] {
            std::fs::create_dir_all(path(name).parent().expect("a folder")).expect("made");
            std::fs::write(path(name), &image).expect("written");
        }
        let boxes = |rows: &str| {
            let table = format!("image_path,xmin,ymin,xmax,ymax,label\n{rows}");
            std::fs::write(path("boxes.csv"), table).expect("written");
        };
        let labeled = |scenes: &[&str]| -> Result<Vec<Result<usize, Failure>>, Failure> {
            let scenes: Vec<PathBuf> = scenes.iter().map(|name| path(name)).collect();
            let labels = swath_cli::LabelArguments {
                file: LabelFile {
                    labels: Some(path("boxes.csv")),
                    class: Some("label".to_owned()),
                    ..LabelFile::default()
                },
                ..swath_cli::LabelArguments::default()
            };
            let (imagery, model) = (
                ImageryOptions::default(),
                swath_cli::ModelOptions::default(),
            );
            let objects = swath_cli::ObjectOptions::default();
            let job = Job {
                first: Path::new("m.swath"),
                imagery: &imagery,
                at: None,
                trained: &[],
                labels: &labels,
                aoi: None,
                threshold: None,
                quiet: true,
                model: &model,
                objects: &objects,
                maps: None,
            };
            let classes = Classes::new(["car"]);
            let one = |listed: &ListedScene| {
                let scene = labeled_scene(listed, &job, &classes, Labels::Boxes)?;
                Ok(scene.boxes().len())
            };
            Ok(files(&scenes, &job, Labels::Boxes)?
                .iter()
                .map(one)
                .collect())
        };
        boxes("P1.png,1,2,9,9,car\n");
        let found = labeled(&["img"]).unwrap_or_default();
        assert!(
            matches!(found.as_slice(), [Ok(1), Err(Failure::Error(error))]
            if error.to_string().contains("holds 1 image and none is called \"P2.png\""))
        );
        // The one scene that is given keeps them, with a note.
        assert!(matches!(
            labeled(&["img/P2.png"]).unwrap_or_default().as_slice(),
            [Ok(1)]
        ));
        boxes("a/1.png,1,2,9,9,car\nb/1.png,1,2,9,9,car\nb/1.png,1,2,5,5,car\n");
        let found = labeled(&["b/1.png", "a/1.png"]).unwrap_or_default();
        assert!(matches!(found.as_slice(), [Ok(2), Ok(1)]));
        boxes("1.png,1,2,9,9,car\n");
        let Err(Failure::Error(error)) = labeled(&["a/1.png", "b/1.png"]) else {
            panic!("one image is that of one scene");
        };
        assert!(error.to_string().contains("those of 2 scenes"), "{error}");
    }

    #[test]
    fn labels_that_may_be_meant_otherwise_are_told() -> Result<(), Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let town = crate::samples::town_in(folder.path(), 1, 96)?;
        let scene = Scene::open(&town.scene_path)?;
        let classes = Classes::new(["building", "car", "road", "tree"]);
        // The file says what each feature is in its property `class`.
        let source = VectorSource::new(&town.labels_path);
        let every = labeled_areas(&scene, &source, "building", &classes)?;
        let notes = format!("{}", every.report());
        assert!(
            notes.contains("every feature is of the class \"building\"; there is \"class\""),
            "{notes}"
        );
        let each = labeled_areas(&scene, &source, "class", &classes)?;
        assert!(each.report().is_empty(), "{}", each.report());
        Ok(())
    }

    #[test]
    fn several_scenes_get_folders_of_their_own() {
        let folders = |scenes: &[&str]| {
            let scenes: Vec<PathBuf> = scenes.iter().map(PathBuf::from).collect();
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

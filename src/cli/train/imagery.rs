//! The scenes and labels of a project file, and their parts.

use std::path::{Path, PathBuf};

use swath_cli::CellWay;
use swath_cli::project::{
    Band, CompositeWord, LabelsSection, MissingWord, ObjectsWord, Project, ScenesSection, SplitWord,
};

use super::super::Failure;
use super::super::scenes::Labels;
use super::super::task::CommandTask;
use crate::Result;
use crate::labels::{CellRule, Classes, LabelValues};
use crate::raster::{
    BandChoice, Composite, Mosaic, OpenOptions, PixelWindow, Resolution, TimeSeries,
};
use crate::scene::{Scene, Split};
use crate::scenes::{LabelFiles, SceneSplit, Scenes, ScenesOptions};
use crate::vector::{Buffer, LabelClass, VectorSource};

/// Files that hold a table of scenes.
const TABLES: [&str; 5] = ["csv", "tsv", "parquet", "xlsx", "ods"];

/// The scenes to train on, and those to validate on.
pub(super) fn parts<T: CommandTask>(project: &Project) -> Result<(Scenes, Scenes), Failure> {
    let validation = &project.validation;
    let apart = validation.files.is_some() || validation.only.is_some();
    let scenes = labeled::<T>(project, &project.scenes, &project.labels, None)?;
    if !apart {
        return split(project, &scenes);
    }
    let own = ScenesSection {
        files: validation
            .files
            .clone()
            .or_else(|| project.scenes.files.clone()),
        only: validation.only.clone(),
        aoi: validation
            .aoi
            .clone()
            .or_else(|| project.scenes.aoi.clone()),
        crop: validation.crop.or(project.scenes.crop),
        ..project.scenes.clone()
    };
    let labels = LabelsSection {
        file: validation
            .labels
            .clone()
            .or_else(|| project.labels.file.clone()),
        raster: validation
            .raster
            .clone()
            .or_else(|| project.labels.raster.clone()),
        ..project.labels.clone()
    };
    let valid = labeled::<T>(project, &own, &labels, Some(scenes.classes()))?;
    Ok((scenes, valid))
}

fn split(project: &Project, scenes: &Scenes) -> Result<(Scenes, Scenes), Failure> {
    let split = &project.split;
    let fraction = split.fraction.unwrap_or(0.75);
    let usual = match scenes.len() {
        1 => SplitWord::Columns,
        _ => SplitWord::Scene,
    };
    Ok(match split.by.unwrap_or(usual) {
        SplitWord::Columns => scenes.split_area(match split.at {
            Some(columns) => Split::at_column(columns),
            None => Split::columns(fraction),
        })?,
        SplitWord::Rows => scenes.split_area(match split.at {
            Some(rows) => Split::at_row(rows),
            None => Split::rows(fraction),
        })?,
        SplitWord::Scene => {
            let mut way = SceneSplit::random(fraction).seed(split.seed.unwrap_or(0));
            if let Some(column) = &split.group {
                way = way.by(column);
            }
            scenes.try_split(way)?
        }
        SplitWord::Column => {
            let column = split.column.as_deref().unwrap_or("split");
            let mut parts = scenes.split_column(column)?;
            let mut part = |key: &str, value: &str| match parts.remove(value) {
                Some(part) => Ok(part),
                None => {
                    let there: Vec<&str> = parts.keys().map(String::as_str).collect();
                    let text = format!(
                        "no scene has {value:?} in the column {column:?} (`{key}` in [split]); there are {}",
                        there.join(", ")
                    );
                    Err(Failure::from(project.wrong("split", key, text)))
                }
            };
            let valid = part("valid", split.valid.as_deref().unwrap_or("val"))?;
            (
                part("train", split.train.as_deref().unwrap_or("train"))?,
                valid,
            )
        }
    })
}

/// Opens scenes and gives them their labels; those of `classes`, where these are known.
fn labeled<T: CommandTask>(
    project: &Project,
    section: &ScenesSection,
    labels: &LabelsSection,
    classes: Option<&Classes>,
) -> Result<Scenes, Failure> {
    let mut scenes = open(project, section)?;
    if let Some((column, value)) = &section.only {
        scenes = scenes.where_column(column, value)?;
    }
    if let Some([col, row, width, height]) = section.crop {
        let size = |length: i64| usize::try_from(length).unwrap_or(0);
        let window = PixelWindow::new(col, row, size(width), size(height));
        scenes = scenes.map(|scene| scene.crop(window))?;
    }
    for index in section.index.iter().flatten() {
        scenes = scenes.map(|scene| scene.with_index(index))?;
    }
    if let Some(way) = section.composite {
        let way = composite(way);
        scenes = scenes.map(|scene| scene.composite(way))?;
    }
    scenes = with_labels::<T>(project, &scenes, labels, classes)?;
    if let Some(area) = &labels.labeled_within {
        scenes = scenes.labeled_within(LabelFiles::new(project.path(area)))?;
    }
    if labels.labeled_only == Some(true) {
        scenes = scenes.map(|scene| -> Result<Scene> { Ok(scene.labeled_only()) })?;
    }
    if let Some(area) = &section.aoi {
        scenes = scenes.with_aoi(LabelFiles::new(project.path(area)))?;
    }
    if let Some(way) = labels.cells {
        scenes = scenes.with_cells(match way {
            CellWay::Majority => CellRule::majority(),
            CellWay::Cell(share) => CellRule::share_of_cell(share),
            CellWay::Object(share) => CellRule::share_of_object(share),
        })?;
    }
    Ok(scenes)
}

fn composite(way: CompositeWord) -> Composite {
    match way {
        CompositeWord::Median => Composite::Median,
        CompositeWord::Mean => Composite::Mean,
        CompositeWord::Min => Composite::Min,
        CompositeWord::Max => Composite::Max,
        CompositeWord::First => Composite::First,
        CompositeWord::Last => Composite::Last,
        CompositeWord::MaxNdvi => Composite::MaxNdvi,
    }
}

/// Whether a file ends as tables do.
fn is_table(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    TABLES
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

/// Opens the files that a section names.
fn open(project: &Project, section: &ScenesSection) -> Result<Scenes, Failure> {
    let given: Vec<PathBuf> = (section.files.iter().flatten())
        .map(|file| project.path(file))
        .collect();
    if section.series == Some(true) {
        let one = |files: &PathBuf| Scene::series_with(series(section, files));
        let scenes = given.iter().map(one).collect::<Result<Vec<_>>>()?;
        return Ok(Scenes::of(&scenes)?);
    }
    let open = open_options(section);
    if section.mosaic == Some(true) {
        let one = |tiles: &PathBuf| Scene::mosaic_with(Mosaic::new(tiles).options(open.clone()));
        let scenes = given.iter().map(one).collect::<Result<Vec<_>>>()?;
        return Ok(Scenes::of(&scenes)?);
    }
    let mut options = ScenesOptions::new().open(open);
    if section.skip_broken == Some(true) {
        options = options.skip_broken();
    }
    // A file that lists others is by itself.
    let single = |what: &str| match given.as_slice() {
        [one] => Ok(one.clone()),
        several => Err(Failure::from(project.wrong(
            "scenes",
            "files",
            format!("`files` in [scenes] is one {what}, found {}", several.len()),
        ))),
    };
    if section.class_folders == Some(true) {
        return Ok(Scenes::class_folders_with(
            single("folder of class folders")?,
            options,
        )?);
    }
    if let Some(asset) = &section.asset {
        return Ok(Scenes::stac_with(
            single("STAC item collection")?,
            asset,
            options,
        )?);
    }
    if given.iter().any(|path| is_table(path)) {
        return Ok(Scenes::table_with(single("table of scenes")?, options)?);
    }
    Ok(Scenes::open_with(given, options)?)
}

fn open_options(section: &ScenesSection) -> OpenOptions {
    let mut options = OpenOptions::new();
    if let Some(bands) = &section.bands {
        options = options.bands(bands.iter().map(|band| match band {
            // The project file counts from 1, as QGIS and GDAL do.
            Band::Number(number) => {
                BandChoice::Index(i64::try_from(number.saturating_sub(1)).unwrap_or(i64::MAX))
            }
            Band::Name(name) => BandChoice::from(name.as_str()),
        }));
    }
    if let Some(value) = section.nodata {
        options = options.nodata(value);
    }
    if let Some(meters) = section.pixel_size {
        options = options.at(Resolution::Meters(meters));
    }
    options
}

fn series(section: &ScenesSection, files: &Path) -> TimeSeries {
    let mut series = TimeSeries::new(files);
    if let Some(bands) = &section.bands {
        let names = bands.iter().map(|band| match band {
            Band::Name(name) => name.clone(),
            Band::Number(number) => number.to_string(),
        });
        series = series.bands(names);
    }
    if let Some((name, codes)) = &section.mask {
        series = series.mask(name.as_str(), codes.iter().copied());
    }
    if let Some((first, last)) = &section.between {
        series = series.between(first, last);
    }
    if let Some(meters) = section.pixel_size {
        series = series.pixel_size(Resolution::Meters(meters));
    }
    series
}

/// A vector file as `[labels]` describes it.
fn source(project: &Project, labels: &LabelsSection, file: &str) -> Result<VectorSource> {
    let mut source = VectorSource::new(project.path(file));
    if let Some(layer) = &labels.layer {
        source = source.layer(layer);
    }
    if let Some(crs) = &labels.crs {
        source = source.crs(crs);
    }
    if let Some(condition) = &labels.where_ {
        source = source.filter(condition);
    }
    if let Some(words) = &labels.buffer {
        source = source.buffer(words.parse::<Buffer>()?);
    }
    Ok(source)
}

/// Says what becomes of scenes without a label file.
fn files(labels: &LabelsSection, files: LabelFiles) -> LabelFiles {
    match labels.missing.unwrap_or(MissingWord::Error) {
        MissingWord::Error => files,
        MissingWord::Background => files.missing_as_background(),
        MissingWord::Skip => files.skip_missing(),
    }
}

fn with_labels<T: CommandTask>(
    project: &Project,
    scenes: &Scenes,
    labels: &LabelsSection,
    classes: Option<&Classes>,
) -> Result<Scenes, Failure> {
    if let Some(column) = &labels.class_column {
        return Ok(scenes.with_class_column(column)?);
    }
    if let Some(raster) = &labels.raster {
        let place = files(labels, LabelFiles::new(project.path(raster)));
        let values = values(project, labels)?;
        return Ok(scenes.with_label_rasters(place, values)?);
    }
    let place = match (&labels.file, &labels.column) {
        (Some(file), _) => LabelFiles::new(source(project, labels, file)?),
        (None, Some(column)) => LabelFiles::column(column),
        (None, None) => return Ok(scenes.clone()),
    };
    let place = files(labels, place);
    let class = labels.class.as_deref().unwrap_or_default();
    let usual = match T::LABELS {
        Labels::Boxes => ObjectsWord::Boxes,
        Labels::Areas | Labels::Either => ObjectsWord::Areas,
    };
    Ok(match (labels.objects.unwrap_or(usual), classes) {
        (ObjectsWord::Boxes, _) => scenes.with_boxes(place, class)?,
        (ObjectsWord::Areas, None) => scenes.with_labels(place, class)?,
        (ObjectsWord::Areas, Some(classes)) => {
            scenes.with_classes(place, LabelClass::from(class), classes)?
        }
    })
}

/// What the values of a label raster mean.
fn values(project: &Project, labels: &LabelsSection) -> Result<LabelValues, Failure> {
    if let Some(names) = &labels.classes {
        return Ok(LabelValues::from(Classes::new(names.iter().cloned())));
    }
    if let Some(names) = &labels.one_hot {
        return Ok(LabelValues::bands(names.iter().cloned()));
    }
    if let Some(name) = &labels.binary {
        return Ok(LabelValues::binary(name));
    }
    let text = labels.values.as_deref().unwrap_or_default();
    // A style of QGIS is a file.
    if text.trim().to_lowercase().ends_with(".qml") {
        return Ok(LabelValues::style(project.path(text.trim())));
    }
    text.parse::<LabelValues>().map_err(|error| {
        Failure::from(project.wrong("labels", "values", format!("`values` in [labels]: {error}")))
    })
}

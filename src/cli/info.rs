//! What a scene reads: facts, figures, labels, boxes and everything that was left out or assumed, for people and programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use swath_cli::InfoArguments;

use super::npy::Npy;
use super::{Failure, report, scenes};
use crate::display::{Output, Show as _};
use crate::labels::{Classes, IGNORE, ValueTable};
use crate::raster::{Band, BandStatistics, PixelWindow, Raster, Size};
use crate::scene::Scene;
use crate::{Error, Hint as _, Result, session};

/// Values that are read at a time.
const CHUNK_VALUES: usize = 1 << 22;

/// Says what every file reads; one that cannot be read is reported and does not keep the others from being read. For
/// programs, one file gives one object over several lines, several files give one object on a line each.
pub(super) fn info(arguments: &InfoArguments) -> Result<(), Failure> {
    let files = &arguments.files;
    let folders: Vec<Option<PathBuf>> = match &arguments.arrays {
        Some(out) => (scenes::folders(files, out).into_iter())
            .map(Some)
            .collect(),
        None => vec![None; files.len()],
    };
    let (json, several) = (arguments.json, files.len() > 1);
    let mut failed = 0;
    for (file, folder) in files.iter().zip(&folders) {
        match Seen::of(file, arguments, folder.as_deref()) {
            Ok(seen) if json => say_json(&seen.json(), several),
            Ok(seen) => session::result(Output::text(seen.text())),
            Err(error) => {
                if json {
                    let facts = json!({
                        "path": file.to_string_lossy(),
                        "error": error.to_string(),
                        "hint": error.hint(),
                    });
                    say_json(&facts, several);
                }
                if !several || matches!(error, Error::Interrupted { .. }) {
                    return Err(error.into());
                }
                report(&error);
                failed += 1;
            }
        }
    }
    if failed > 0 {
        return Err(Failure::Some {
            failed,
            of: files.len(),
            done: "read",
        });
    }
    Ok(())
}

fn say_json(facts: &Value, several: bool) {
    let text = if several {
        facts.to_string()
    } else {
        format!("{facts:#}")
    };
    session::result(Output::text(text));
}

/// What was seen of one file.
struct Seen {
    scene: Scene,
    statistics: Option<Vec<BandStatistics>>,
    /// The values there are, which of a label raster are names.
    values: Option<ValueTable>,
    pixels: Option<Pixels>,
}

/// What reading all pixels counted.
#[derive(Default)]
struct Pixels {
    valid: u64,
    /// Pixels of each label.
    labels: BTreeMap<u8, Sums>,
}

/// How many pixels have a label, and the sums of their rows and columns: two maps with the same three figures for every
/// class are hardly different maps.
#[derive(Clone, Copy, Default)]
struct Sums {
    pixels: u64,
    rows: u64,
    columns: u64,
}

impl Seen {
    fn of(file: &Path, arguments: &InfoArguments, folder: Option<&Path>) -> Result<Self> {
        let scene = labeled(file, arguments)?;
        let wants_statistics = arguments.statistics;
        let pixels = (wants_statistics || scene.has_labels() || folder.is_some())
            .then(|| read_all(&scene, folder))
            .transpose()?;
        let statistics = wants_statistics.then(|| scene.statistics()).transpose()?;
        let values = arguments.values.then(|| scene.raster().value_table());
        Ok(Self {
            scene,
            statistics,
            values: values.transpose()?,
            pixels,
        })
    }

    fn json(&self) -> Value {
        let raster = self.scene.raster();
        let size = raster.size();
        let mut facts = json!({
            "path": raster.path().to_string_lossy(),
            "format": raster.format(),
            "width": size.width,
            "height": size.height,
            "bands": raster.band_count(),
            "band_names": raster.band_names(),
            "band_info": raster.bands().iter().map(band_json).collect::<Vec<_>>(),
            "data_type": raster.data_type(),
            "nodata": number(raster.nodata()),
            "crs": raster.crs_name(),
            "crs_wkt": raster.crs_wkt(),
            "georeferenced": raster.is_georeferenced(),
            "transform": raster.transform().0,
            "gsd": raster.gsd().map(|(x, y)| [x, y]),
            "block_size": [raster.block_size().width, raster.block_size().height],
            "overviews": raster.overview_count(),
            "categories": raster.category_names(),
            "statistics": self.statistics,
            "values": self.values,
            "report": self.scene.report(),
        });
        if let Some(pixels) = &self.pixels {
            facts["valid"] = json!(pixels.valid);
            if self.scene.has_labels() {
                facts["labels"] = self.labels_json(pixels);
            }
        }
        if self.scene.has_boxes() {
            facts["boxes"] = self.boxes_json();
        }
        facts
    }

    fn labels_json(&self, pixels: &Pixels) -> Value {
        let by_index = |figure: fn(&Sums) -> u64| {
            let counted = pixels.labels.iter();
            counted
                .map(|(label, sums)| (label.to_string(), json!(figure(sums))))
                .collect::<serde_json::Map<_, _>>()
        };
        json!({
            "classes": self.scene.classes().names(),
            "counts": by_index(|sums| sums.pixels),
            "row_sums": by_index(|sums| sums.rows),
            "column_sums": by_index(|sums| sums.columns),
        })
    }

    fn boxes_json(&self) -> Value {
        let names = self.scene.classes().names();
        let boxes = self.scene.boxes().iter().map(|found| {
            let bounds = found.bounds;
            json!({
                "class": names.get(found.class),
                "x_min": bounds.x_min,
                "y_min": bounds.y_min,
                "x_max": bounds.x_max,
                "y_max": bounds.y_max,
                "crowd": found.crowd,
                "area": found.area,
            })
        });
        boxes.collect()
    }

    fn text(&self) -> String {
        let raster = self.scene.raster();
        let mut lines = facts_text(raster);
        for (band, figures) in (raster.bands().iter()).zip(self.statistics.iter().flatten()) {
            lines.push(format!(
                "  {}: mean {:.4}, deviation {:.4}, from {} to {}, {} valid pixels",
                band.name, figures.mean, figures.std, figures.min, figures.max, figures.count
            ));
        }
        if let Some(pixels) = &self.pixels {
            let all = raster.size().area().max(1) as f64;
            lines.push(format!(
                "  valid      {} pixels, {:.1} %",
                pixels.valid,
                pixels.valid as f64 / all * 100.0
            ));
            if self.scene.has_labels() {
                lines.push(format!("  labels     {}", self.labels_text(pixels)));
            }
        }
        if self.scene.has_boxes() {
            lines.push(format!("  boxes      {}", self.boxes_text()));
        }
        lines.extend(self.values.as_ref().map(|values| values.output().text));
        lines.extend(
            self.scene
                .report()
                .iter()
                .map(|notice| format!("  {notice}")),
        );
        lines.join("\n")
    }

    fn labels_text(&self, pixels: &Pixels) -> String {
        let names = self.scene.classes().names();
        let counted = pixels.labels.iter().map(|(&label, sums)| {
            let name = match names.get(usize::from(label)) {
                Some(name) => (*name).to_owned(),
                None if label == IGNORE => "ignored".to_owned(),
                None => label.to_string(),
            };
            format!("{name} {} px", sums.pixels)
        });
        counted.collect::<Vec<_>>().join(", ")
    }

    fn boxes_text(&self) -> String {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for found in self.scene.boxes() {
            *counts.entry(found.class).or_default() += 1;
        }
        let names = self.scene.classes().names();
        let counted = counts.iter().map(|(&class, count)| {
            let name = names.get(class).copied().unwrap_or_default();
            format!("{name} {count}")
        });
        let list = counted.collect::<Vec<_>>().join(", ");
        match self.scene.boxes().len() {
            0 => "none".to_owned(),
            boxes => format!("{boxes}: {list}"),
        }
    }
}

/// The facts that opening alone gives, a line each.
fn facts_text(raster: &Raster) -> Vec<String> {
    let (size, block) = (raster.size(), raster.block_size());
    let pixel = raster.pixel_words();
    let nodata =
        |nodata: Option<f64>| nodata.map_or_else(|| "none".to_owned(), |value| value.to_string());
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
    ];
    let bands = raster.bands();
    let alike = |band: &Band| {
        band.data_type == bands[0].data_type && nodata(band.nodata) == nodata(bands[0].nodata)
    };
    if bands.iter().all(alike) {
        lines.push(format!(
            "  type       {}, nodata {}",
            raster.data_type(),
            nodata(raster.nodata())
        ));
    } else {
        lines.extend(bands.iter().map(|band| {
            format!(
                "  type       {}: {}, nodata {}",
                band.name,
                band.data_type,
                nodata(band.nodata)
            )
        }));
    }
    lines.push(format!("  reference  {}", raster.crs_name()));
    lines.push(format!(
        "  pixel      {}",
        pixel.as_deref().unwrap_or("no place on the ground")
    ));
    if !raster.category_names().is_empty() {
        lines.push(format!(
            "  classes    {}",
            raster.category_names().join(", ")
        ));
    }
    lines
}

fn band_json(band: &Band) -> Value {
    json!({
        "name": band.name,
        "data_type": band.data_type,
        "nodata": number(band.nodata),
        "scale": band.scale,
        "offset": band.offset,
        "role": band.role,
    })
}

/// JSON has no word for NaN and infinities: they are written as text.
fn number(value: Option<f64>) -> Value {
    match value {
        Some(value) if !value.is_finite() => json!(value.to_string()),
        value => json!(value),
    }
}

/// The scene with the labels, the boxes and the area of interest that are named.
fn labeled(file: &Path, arguments: &InfoArguments) -> Result<Scene> {
    let mut scene = Scene::open(file)?;
    let options = &arguments.labels;
    let class = options.class.as_deref().unwrap_or_default();
    if let Some(labels) = &options.labels {
        scene = scene.with_labels(scenes::vector_source(options, labels)?, class)?;
    }
    if let Some(labels) = &arguments.label_raster {
        scene = scene.with_label_raster(labels, Classes::new(arguments.classes.clone()))?;
    }
    if let Some(boxes) = &arguments.boxes {
        scene = scene.with_boxes(scenes::vector_source(options, boxes)?, class)?;
    }
    if let Some(aoi) = &arguments.aoi {
        scene = scene.with_aoi(aoi)?;
    }
    scenes::as_complete(scene, options)
}

/// Reads the area in use once, in strips: counts what is valid and labeled, and writes the arrays when `folder` is given.
fn read_all(scene: &Scene, folder: Option<&Path>) -> Result<Pixels> {
    let area = scene.area();
    let mut arrays = folder
        .map(|folder| Arrays::create(folder, scene))
        .transpose()?;
    let mut pixels = Pixels::default();
    let values = area.width * (scene.band_count() + 1);
    let rows = (CHUNK_VALUES / values.max(1)).max(1);
    for strip in area.tiles(Size::new(area.width, rows)) {
        session::check_interrupt("reading pixels")?;
        let patch = scene.read(&strip)?;
        pixels.valid += patch.valid.iter().filter(|&&valid| valid != 0).count() as u64;
        let labels = scene
            .has_labels()
            .then(|| scene.label_window(&strip))
            .transpose()?;
        for (at, &label) in labels.iter().flatten().enumerate() {
            let sums = pixels.labels.entry(label).or_default();
            sums.pixels += 1;
            sums.rows += (strip.row - area.row) as u64 + (at / strip.width) as u64;
            sums.columns += (at % strip.width) as u64;
        }
        if let Some(arrays) = &mut arrays {
            for band in 0..patch.bands {
                let bytes: Vec<u8> = (patch.band(band).iter())
                    .flat_map(|value| value.to_le_bytes())
                    .collect();
                arrays.write(Array::Values(band), &area, &strip, &bytes)?;
            }
            arrays.write(Array::Valid, &area, &strip, &patch.valid)?;
            if let Some(labels) = &labels {
                arrays.write(Array::Labels, &area, &strip, labels)?;
            }
        }
    }
    if let Some(arrays) = arrays {
        arrays.finish()?;
    }
    Ok(pixels)
}

/// The arrays of a scene: `values.npy` `[bands, height, width]`, `valid.npy` and `labels.npy` `[height, width]`.
struct Arrays {
    folder: PathBuf,
    values: Npy,
    valid: Npy,
    labels: Option<Npy>,
}

#[derive(Clone, Copy)]
enum Array {
    /// Those of a band.
    Values(usize),
    Valid,
    Labels,
}

impl Arrays {
    fn create(folder: &Path, scene: &Scene) -> Result<Self> {
        let (width, height) = scene.size();
        let create = |name: &str, kind, bytes, shape: &[usize]| {
            let path = folder.join(name);
            Npy::create(&path, kind, bytes, shape).map_err(|source| failed(path, source))
        };
        let plane = [height, width];
        let labels = scene
            .has_labels()
            .then(|| create("labels.npy", "|u1", 1, &plane))
            .transpose()?;
        Ok(Self {
            folder: folder.to_owned(),
            values: create("values.npy", "<f4", 4, &[scene.band_count(), height, width])?,
            valid: create("valid.npy", "|u1", 1, &plane)?,
            labels,
        })
    }

    /// Writes the rows of `strip`, which is as wide as `area`.
    fn write(
        &mut self,
        array: Array,
        area: &PixelWindow,
        strip: &PixelWindow,
        bytes: &[u8],
    ) -> Result<()> {
        let row = usize::try_from(strip.row - area.row).unwrap_or(0);
        let first = row * area.width;
        let written = match array {
            Array::Values(band) => (self.values).write_at((band * area.area() + first) * 4, bytes),
            Array::Valid => self.valid.write_at(first, bytes),
            Array::Labels => match &mut self.labels {
                Some(labels) => labels.write_at(first, bytes),
                None => Ok(()),
            },
        };
        written.map_err(|source| failed(self.folder.clone(), source))
    }

    fn finish(self) -> Result<()> {
        let Self {
            folder,
            values,
            valid,
            labels,
        } = self;
        for array in [Some(values), Some(valid), labels].into_iter().flatten() {
            (array.finish()).map_err(|source| failed(folder.clone(), source))?;
        }
        Ok(())
    }
}

fn failed(path: PathBuf, source: std::io::Error) -> Error {
    crate::FileError::Io {
        action: "write the pixels",
        path,
        source,
    }
    .into()
}

//! Saving boxes as GIS files and as COCO results, all of them or none.

use std::borrow::Borrow;
use std::path::Path;

use geo::Point;

use super::{SceneBoxes, searched};
use crate::Result;
use crate::boxes::Detection;
use crate::labels::{Drawn, vector_style};
use crate::predict::{
    SavedFiles, box_feature, check_folder_name, ground_place, publish_set, staging_folder,
    write_synced,
};
use crate::report::{Notice, Report};
use crate::session;
use crate::vector::{Format, Layout, PointFeature, PolygonFeature, Shapes, VectorWriter};

/// Every name that saving gives beside those of [`VECTORS`] in every format.
const FILES: [&str; 5] = [
    "detections.json",
    searched::FILE,
    "box_scores.json",
    "boxes.qml",
    "centers.qml",
];
const VECTORS: [&str; 2] = ["boxes", "centers"];

/// What [`SceneBoxes::save_with`] writes.
///
/// | choice | unless set |
/// |---|---|
/// | [`BoxSaveOptions::formats`] | GeoPackage and GeoJSON |
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct BoxSaveOptions {
    formats: Vec<Format>,
}

impl Default for BoxSaveOptions {
    fn default() -> Self {
        Self {
            formats: vec![Format::GeoPackage, Format::GeoJson],
        }
    }
}

impl BoxSaveOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The files that boxes and their centers are written as: `boxes.gpkg`, `boxes.fgb`, …. What a format does not hold is
    /// in [`SavedFiles::report`].
    pub fn formats(mut self, formats: impl Into<Vec<Format>>) -> Self {
        self.formats = formats.into();
        self
    }
}

impl SceneBoxes {
    /// Writes the boxes at or above the threshold into the folder `dir`, which is made when it is missing:
    ///
    /// - `boxes.gpkg` and `boxes.geojson` (RFC 7946): a rectangle for each, with class, score and area (`area_m2`, without georeferencing
    ///   `area` in pixels);
    /// - `centers.gpkg` and `centers.geojson`: the middle of each, with class and score;
    /// - `boxes.qml` and `centers.qml`: styles with names and colors, which QGIS takes for the files beside them by itself;
    ///   one that somebody has changed stays, and the report says so;
    /// - `detections.json`: COCO's results format, `[{"image_id", "category_id", "bbox", "score"}]`, in pixels of the
    ///   scene's raster, image 1, categories as the classes are numbered;
    /// - `searched.json`: the pixels that were searched, within which area of interest, so that scores of saved boxes count
    ///   labels there alone;
    /// - `box_scores.json` when the boxes were evaluated, with the counts at the present threshold.
    ///
    /// [`SceneBoxes::open`] reads them back. Boxes below the threshold are not written: `boxes.threshold(0.0).save(dir)`
    /// keeps all of them, for lower thresholds and average precision later.
    ///
    /// Without georeferencing the coordinates are pixels, x to the right and y down, and there is no reference system.
    /// Everything is written under other names first: when the disk runs full or the user interrupts, files that were
    /// there before are untouched.
    ///
    /// # Errors
    /// [`crate::FileError::OfOthers`] when a file of one of these names lies in the folder that no boxes were
    /// saved to, [`crate::FileError::FolderName`] for the name of a file, such as `boxes.gpkg`,
    /// [`crate::FileError::Io`] or [`crate::vector::VectorError::Write`] when the folder cannot be written,
    /// [`crate::Error::Interrupted`] when the user asked to stop.
    #[doc(alias = "to_file")]
    #[doc(alias = "write")]
    #[doc(alias = "export")]
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<SavedFiles> {
        self.save_with(dir, BoxSaveOptions::default())
    }

    /// [`SceneBoxes::save`] with choices.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # use swath::vector::Format;
    /// # fn example(boxes: &SceneBoxes) -> swath::Result<()> {
    /// boxes.save_with("out/cars", BoxSaveOptions::new().formats([Format::FlatGeobuf, Format::Shapefile]))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`SceneBoxes::save`]; [`crate::vector::VectorError::NoDriver`] for a format that this GDAL does not write.
    pub fn save_with(
        &self,
        dir: impl AsRef<Path>,
        options: impl Borrow<BoxSaveOptions>,
    ) -> Result<SavedFiles> {
        let dir = &*crate::paths::expanded(dir.as_ref());
        check_folder_name(dir)?;
        let staging = staging_folder(dir)?;
        let staged = staging.path();
        let crs = self.scene().raster().crs_wkt();
        let found = self.detections();
        let classes = self.classes().names();
        let longest = classes.iter().map(|name| name.len()).max().unwrap_or(1);
        let centers = Layout {
            shapes: Shapes::Points,
            numbers: &[],
            longest_class: longest,
            decimals: None,
        };
        let mut lost = Report::new();
        for format in &options.borrow().formats {
            session::check_interrupt("saving the boxes")?;
            let file = |name: &str| staged.join(format!("{name}.{}", format.ending()));
            let mut writer = VectorWriter::polygons(&file("boxes"), *format, &crs, longest)?;
            for one in found {
                writer.add_polygon(&self.polygon(one))?;
            }
            lost.extend(writer.finish()?);
            let mut writer = VectorWriter::create(&file("centers"), *format, &crs, &centers)?;
            for one in found {
                writer.add_point(&self.center(one))?;
            }
            lost.extend(writer.finish()?);
        }
        for (name, drawn) in [("boxes.qml", Drawn::Boxes), ("centers.qml", Drawn::Points)] {
            let style = vector_style(self.classes(), drawn);
            write_synced(&staged.join(name), style.as_bytes())?;
        }
        let results: Vec<_> = self.detections().iter().map(coco_result).collect();
        let results = serde_json::Value::Array(results);
        write_synced(
            &staged.join("detections.json"),
            format!("{results}\n").as_bytes(),
        )?;
        let raster = self.scene().raster();
        searched::write(staged, raster, self.area(), self.searched_within())?;
        if let Some(scores) = self.scores() {
            write_synced(
                &staged.join("box_scores.json"),
                format!("{:#}\n", scores.to_json()).as_bytes(),
            )?;
        }
        let vectors = Format::names_of(&VECTORS);
        let set: Vec<&str> = (vectors.iter().map(String::as_str)).chain(FILES).collect();
        Ok(publish_set(&set, staged, dir)?.with_report(lost))
    }

    /// Writes the boxes of several scenes as one set of files: boxes and their centers. Files have one reference system, that of
    /// the first scene: boxes of scenes in others are left out, which the report says. Boxes that neighboring scenes share lie
    /// there twice.
    ///
    /// # Errors
    /// As [`SceneBoxes::save_with`].
    pub(crate) fn save_together(
        all: &[Self],
        dir: &Path,
        options: impl Borrow<BoxSaveOptions>,
    ) -> Result<SavedFiles> {
        check_folder_name(dir)?;
        let staging = staging_folder(dir)?;
        let staged = staging.path();
        let Some(first) = all.first() else {
            return Ok(SavedFiles::new(Vec::new()));
        };
        let crs = first.scene().raster().crs_wkt();
        let here: Vec<&Self> = (all.iter())
            .filter(|one| one.scene().raster().crs_wkt() == crs)
            .collect();
        let mut report = Report::new();
        let elsewhere = all.len() - here.len();
        if elsewhere > 0 {
            let text = format!(
                "the boxes of {elsewhere} of {} scenes, whose reference system is not that of the first",
                all.len()
            );
            report.push(Notice::left_out(text).count(elsewhere));
        }
        let classes = first.classes().names();
        let longest = classes.iter().map(|name| name.len()).max().unwrap_or(1);
        let layout = Layout {
            shapes: Shapes::Points,
            numbers: &[],
            longest_class: longest,
            decimals: None,
        };
        for format in &options.borrow().formats {
            session::check_interrupt("joining boxes")?;
            let file = |name: &str| staged.join(format!("{name}.{}", format.ending()));
            let mut boxes = VectorWriter::polygons(&file("boxes"), *format, &crs, longest)?;
            let mut centers = VectorWriter::create(&file("centers"), *format, &crs, &layout)?;
            for one in &here {
                for found in one.detections() {
                    boxes.add_polygon(&one.polygon(found))?;
                    centers.add_point(&one.center(found))?;
                }
            }
            report.extend(boxes.finish()?);
            report.extend(centers.finish()?);
        }
        for (name, drawn) in [("boxes.qml", Drawn::Boxes), ("centers.qml", Drawn::Points)] {
            let style = vector_style(first.classes(), drawn);
            write_synced(&staged.join(name), style.as_bytes())?;
        }
        let vectors = Format::names_of(&VECTORS);
        let set: Vec<&str> = (vectors.iter().map(String::as_str)).chain(FILES).collect();
        Ok(publish_set(&set, staged, dir)?.with_report(report))
    }

    fn polygon(&self, found: &Detection) -> PolygonFeature {
        let class = self.class_name(found.class);
        box_feature(self.scene().raster(), &found.bounds, class, found.score)
    }

    fn center(&self, found: &Detection) -> PointFeature {
        let (x, y) = found.bounds.center();
        PointFeature {
            point: Point(ground_place(self.scene().raster(), (x, y))),
            class: self.class_name(found.class),
            score: Some(found.score),
        }
    }
}

fn coco_result(found: &Detection) -> serde_json::Value {
    serde_json::json!({
        "image_id": 1,
        "category_id": found.class,
        "bbox": found.bounds.to_xywh(),
        "score": found.score,
    })
}

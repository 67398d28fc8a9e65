//! The boxes of a scene's labels as files that other programs read.

use std::path::Path;

use geo::{Coord, LineString, MultiPolygon, Polygon};

use super::{Scene, SceneError};
use crate::boxes::Annotation;
use crate::boxes::formats::{LabeledBox, LabeledImage, coco};
use crate::report::{Notice, Report, file_name};
use crate::staged::StagedFile;
use crate::vector::{Format, Layout, Measured, ROTATED, Shapes, VectorWriter, area_name, lacks};
use crate::{FileError, Result};

impl Scene {
    /// Writes the boxes of the scene's labels whose middle lies in the area in use, by the ending of `path`:
    ///
    /// - `.json`: COCO, in pixels of the whole raster; rotated boxes have their corners as a polygon in `segmentation` beside
    ///   the upright `bbox`;
    /// - `.gpkg`, `.geojson`, `.fgb`, `.shp`, `.parquet`: a polygon for each with the columns `class`, `area_m2` (`area` in
    ///   pixels without a place on the ground) and `rotated`: a rotated box is its outline, any other a rectangle.
    ///
    /// [`Scene::with_boxes`] reads both back, outlines among them; GeoJSON and shapefiles fix the direction in which corners run.
    /// A file that boxes were saved to is replaced when the new one is complete. The report says what the format does not hold.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let ships = Scene::open("P0706.png")?.with_boxes("P0706.txt", "class")?;
    /// ships.save_boxes("P0706.gpkg")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`FileError::OfOthers`] for a file that no boxes were saved to;
    /// [`SceneError::BoxesAs`] for another ending; [`crate::vector::VectorError::NoDriver`],
    /// [`crate::vector::VectorError::Write`] and [`FileError::Io`] when the file cannot be written;
    /// [`crate::Error::Interrupted`].
    #[doc(alias = "export_boxes")]
    #[doc(alias = "write_boxes")]
    pub fn save_boxes(&self, path: impl AsRef<Path>) -> Result<Report> {
        let path = &*crate::paths::expanded(path.as_ref());
        let boxes: Vec<&Annotation> = self.boxes().iter().collect();
        let ending = path.extension().unwrap_or_default();
        if !ending.eq_ignore_ascii_case("json") && Format::of_path(path).is_err() {
            let path = path.to_owned();
            return Err(SceneError::BoxesAs { path }.into());
        }
        if is_of_others(path) {
            let path = path.to_owned();
            return Err(FileError::OfOthers { path }.into());
        }
        let mut report = match ending.eq_ignore_ascii_case("json") {
            true => self.save_coco(path, &boxes)?,
            false => self.save_polygons(path, &boxes)?,
        };
        if boxes.is_empty() {
            let text = match self.has_boxes() {
                true => "the file holds no boxes: none of the scene's lies in the area in use",
                false => "the file holds no boxes: the scene has none",
            };
            report.push(
                Notice::noted(text)
                    .about(file_name(path))
                    .next("`.with_boxes(path, class)` gives it some"),
            );
        }
        Ok(report)
    }

    fn class_name(&self, class: usize) -> String {
        let known = self.classes().get(class);
        known.map_or_else(|| class.to_string(), |class| class.name.clone())
    }

    fn save_coco(&self, path: &Path, boxes: &[&Annotation]) -> Result<Report> {
        let raster = self.raster();
        let size = raster.size();
        let image = LabeledImage {
            file: file_name(raster.path()),
            width: Some(size.width),
            height: Some(size.height),
            boxes: boxes
                .iter()
                .map(|one| LabeledBox {
                    bounds: one.bounds,
                    class: self.class_name(one.class),
                    crowd: one.crowd,
                    area: one.area,
                    outline: one.outline,
                })
                .collect(),
            left_out: 0,
        };
        let names = self.classes().names().into_iter().skip(1);
        let names: Vec<String> = names.map(str::to_owned).collect();
        let failed = |source| FileError::Io {
            action: "write the file",
            path: path.to_owned(),
            source,
        };
        let staged = StagedFile::new(path, "boxes").map_err(failed)?;
        coco::write(staged.path(), &[image], &names)?;
        staged.commit().map_err(failed)?;
        Ok(Report::new())
    }

    fn save_polygons(&self, path: &Path, boxes: &[&Annotation]) -> Result<Report> {
        let raster = self.raster();
        let crs = raster.crs_wkt();
        let names: Vec<String> = boxes.iter().map(|one| self.class_name(one.class)).collect();
        let layout = Layout {
            shapes: Shapes::Polygons,
            numbers: &[area_name(&crs), ROTATED],
            longest_class: names.iter().map(String::len).max().unwrap_or(1),
            decimals: None,
        };
        let place = |corner: (f64, f64)| {
            let (x, y) = match raster.is_georeferenced() {
                true => raster.transform().world_from_pixel(corner),
                false => corner,
            };
            Coord { x, y }
        };
        let (width, height) = raster.nominal_gsd();
        // Without a place on the ground there are only square pixels.
        let pixel = Some((width * height).abs()).filter(|area| area.is_finite());
        let mut writer = VectorWriter::create(path, Format::of_path(path)?, &crs, &layout)?;
        for (one, class) in boxes.iter().zip(&names) {
            let (ring, area) = match &one.outline {
                Some(outline) => (outline.ring(), outline.area()),
                None => (one.bounds.ring(), one.bounds.area()),
            };
            let ring = LineString(ring.map(place).to_vec());
            let rotated = f64::from(u8::from(one.outline.is_some()));
            writer.add(&Measured {
                geometry: &MultiPolygon::new(vec![Polygon::new(ring, Vec::new())]),
                class,
                score: None,
                numbers: &[area * pixel.unwrap_or(1.0), rotated],
            })?;
        }
        let mut report = writer.finish()?;
        let crowds = boxes.iter().filter(|one| one.crowd).count();
        if crowds > 0 {
            let text = format!("crowds that are polygons like the others in the file: {crowds}");
            report.push(
                Notice::left_out(text)
                    .about(file_name(path))
                    .count(crowds)
                    .next("COCO keeps them: save a `.json`"),
            );
        }
        Ok(report)
    }
}

/// Whether there is a file that no boxes were saved to. Nobody loses anything by one without a byte.
fn is_of_others(path: &Path) -> bool {
    if !std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0) {
        return false;
    }
    let ending = path.extension().unwrap_or_default();
    if ending.eq_ignore_ascii_case("json") {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        return !text.contains(coco::DESCRIPTION);
    }
    lacks(path, &["class", ROTATED])
}

//! Saving boxes as GIS files and as COCO results, all of them or none.

use std::path::Path;

use geo::{Coord, LineString, MultiPolygon, Point, Polygon};

use super::SceneBoxes;
use crate::Result;
use crate::boxes::Detection;
use crate::predict::{SavedFiles, check_folder_name, publish_set, staging_folder, write_synced};
use crate::session;
use crate::vector::{Format, PointFeature, PolygonFeature, write_points, write_polygons};

/// Every name that saving gives.
const FILES: [&str; 6] = [
    "boxes.gpkg",
    "boxes.geojson",
    "centers.gpkg",
    "centers.geojson",
    "detections.json",
    "box_scores.json",
];

impl SceneBoxes {
    /// Writes the boxes at or above the threshold into the folder `dir`, which is made when it is missing:
    ///
    /// - `boxes.gpkg` and `boxes.geojson` (RFC 7946): a rectangle for each, with class, score and area (`area_m2`, without georeferencing
    ///   `area` in pixels);
    /// - `centers.gpkg` and `centers.geojson`: the middle of each, with class and score;
    /// - `detections.json`: COCO's results format, `[{"image_id", "category_id", "bbox", "score"}]`, in pixels of the
    ///   scene's raster, image 1, categories as the classes are numbered;
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
        let dir = &*crate::paths::expanded(dir.as_ref());
        check_folder_name(dir)?;
        let staging = staging_folder(dir)?;
        let staged = staging.path();
        let crs = self.scene().raster().crs_wkt();
        let polygons: Vec<_> = self
            .detections()
            .iter()
            .map(|found| self.polygon(found))
            .collect();
        let points: Vec<_> = self
            .detections()
            .iter()
            .map(|found| self.center(found))
            .collect();
        for (ending, format) in [("gpkg", Format::GeoPackage), ("geojson", Format::GeoJson)] {
            session::check_interrupt("saving the boxes")?;
            let file = |name: &str| staged.join(format!("{name}.{ending}"));
            write_polygons(file("boxes"), &polygons, &crs, format)?;
            write_points(file("centers"), &points, &crs, format)?;
        }
        let results: Vec<_> = self.detections().iter().map(coco_result).collect();
        let results = serde_json::Value::Array(results);
        write_synced(
            &staged.join("detections.json"),
            format!("{results}\n").as_bytes(),
        )?;
        if let Some(scores) = self.scores() {
            write_synced(
                &staged.join("box_scores.json"),
                format!("{:#}\n", scores.to_json()).as_bytes(),
            )?;
        }
        publish_set(&FILES, staged, dir)
    }

    fn world(&self, x: f64, y: f64) -> Coord<f64> {
        let raster = self.scene().raster();
        if !raster.is_georeferenced() {
            return Coord { x, y };
        }
        let (x, y) = raster.transform().world_from_pixel((x, y));
        Coord { x, y }
    }

    fn polygon(&self, found: &Detection) -> PolygonFeature {
        let bounds = &found.bounds;
        let ring = LineString(bounds.ring().map(|(x, y)| self.world(x, y)).to_vec());
        let raster = self.scene().raster();
        let (width, height) = raster.nominal_gsd();
        let area = bounds.area() * (width * height).abs();
        PolygonFeature {
            geometry: MultiPolygon::new(vec![Polygon::new(ring, Vec::new())]),
            class: self.class_name(found.class),
            score: Some(found.score),
            // Without a place on the ground there are only square pixels.
            area_m2: if area.is_finite() {
                area
            } else {
                bounds.area()
            },
        }
    }

    fn center(&self, found: &Detection) -> PointFeature {
        let (x, y) = found.bounds.center();
        PointFeature {
            point: Point(self.world(x, y)),
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

use std::collections::BTreeSet;
use std::path::Path;

use geo::BoundingRect;

use super::boxes::BoxLabels;
use super::{Scene, SceneError};
use crate::Result;
use crate::labels::{Classes, IGNORE, LabelPolygons};
use crate::raster::{PixelWindow, Raster};
use crate::vector::{self, Feature, ReadReport};

/// Where the labels of a scene come from.
#[derive(Clone, Debug)]
pub(super) enum Labelling {
    Polygons {
        polygons: LabelPolygons,
        report: ReadReport,
    },
    Raster {
        raster: Raster,
        /// The class of each value.
        meaning: Vec<u8>,
    },
}

impl Scene {
    /// Labels the scene with the polygons of a vector file in any coordinate reference system. When the features have a
    /// property named `class`, its values are the classes, in alphabetical order; otherwise every feature is of the one
    /// class `class`. Pixels outside all polygons are background; later features lie over earlier ones. Each feature
    /// has a bounding box, too ([`Scene::boxes`]).
    ///
    /// # Errors
    /// [`crate::vector::VectorError`] when the file has no polygons; [`SceneError::NoOverlap`] when none lies on the scene.
    pub fn with_labels(self, path: impl AsRef<Path>, class: &str) -> Result<Self> {
        let path = path.as_ref();
        let is_property = vector::property_names(path)?
            .iter()
            .any(|name| name == class);
        if !is_property {
            return self.labelled(path, None, &Classes::new([class]), true);
        }
        let features =
            vector::read_polygons_reported(path, &self.raster().georeference(), Some(class))?;
        let names: BTreeSet<String> = features
            .0
            .iter()
            .filter_map(|feature| feature.class.clone())
            .collect();
        let found = names
            .iter()
            .filter(|name| *name != crate::labels::BACKGROUND)
            .count();
        if found + 1 > usize::from(IGNORE) {
            return Err(SceneError::TooManyClasses {
                path: path.to_owned(),
                property: class.to_owned(),
                found,
            }
            .into());
        }
        self.burned(path, features, &Classes::new(names), false)
    }

    /// Labels the scene with a vector file whose property `property` names the classes, in the given order: the same
    /// indices for several scenes.
    ///
    /// # Errors
    /// [`crate::vector::VectorError::NoProperty`] lists the properties; [`SceneError::UnknownClass`] when a feature is of
    /// a class that `classes` does not hold.
    pub fn with_classes(
        self,
        path: impl AsRef<Path>,
        property: &str,
        classes: impl Into<Classes>,
    ) -> Result<Self> {
        self.labelled(path.as_ref(), Some(property), &classes.into(), false)
    }

    /// Labels the scene with a raster of class indices in the scene's coordinate reference system. Its grid may differ:
    /// each pixel takes the label under its centre. Nodata and pixels beyond the label raster are ignored.
    ///
    /// # Errors
    /// [`SceneError::LabelRasterCrs`]; [`SceneError::NoOverlap`]. A value that is no class turns up when it is read, as
    /// [`SceneError::UnknownClass`].
    pub fn with_label_raster(
        self,
        path: impl AsRef<Path>,
        classes: impl Into<Classes>,
    ) -> Result<Self> {
        let raster = Raster::open(path)?;
        let (expected, found) = (self.raster().crs_name(), raster.crs_name());
        if expected != found && expected != "none" && found != "none" {
            return Err(SceneError::LabelRasterCrs {
                path: raster.path().to_owned(),
                expected,
                found,
            }
            .into());
        }
        let corners = |raster: &Raster, right: f64, down: f64| {
            let size = raster.size();
            self.raster().transform().pixel_from_world(
                raster
                    .transform()
                    .world_from_pixel((size.width as f64 * right, size.height as f64 * down)),
            )
        };
        let ((left, top), (right, bottom)) =
            (corners(&raster, 0.0, 0.0), corners(&raster, 1.0, 1.0));
        let covered = PixelWindow::new(
            left.min(right).floor() as i64,
            top.min(bottom).floor() as i64,
            (right - left).abs().ceil() as usize,
            (bottom - top).abs().ceil() as usize,
        );
        if self.area().intersect(&covered).is_none() {
            return Err(SceneError::NoOverlap {
                path: raster.path().to_owned(),
                labels: covered.to_string(),
                scene: self.area().to_string(),
                crs: "pixels".to_owned(),
            }
            .into());
        }
        let classes: Classes = classes.into();
        let meaning = (0..classes.len()).map(|class| class as u8).collect();
        Ok(self.changed(|inner| {
            inner.classes = classes;
            inner.labels = Some(Labelling::Raster { raster, meaning });
            inner.boxes = None;
        }))
    }

    fn labelled(
        self,
        path: &Path,
        property: Option<&str>,
        classes: &Classes,
        one_class: bool,
    ) -> Result<Self> {
        let features =
            vector::read_polygons_reported(path, &self.raster().georeference(), property)?;
        self.burned(path, features, classes, one_class)
    }

    fn burned(
        self,
        path: &Path,
        (features, report): (Vec<Feature>, ReadReport),
        classes: &Classes,
        one_class: bool,
    ) -> Result<Self> {
        let mut labelled = Vec::with_capacity(features.len());
        for feature in features {
            let index = match (&feature.class, one_class) {
                (_, true) => 1,
                // A feature without a value is an area that nobody has named: it does not count.
                (None, false) => usize::from(IGNORE),
                (Some(class), false) => {
                    classes
                        .index_of(class)
                        .ok_or_else(|| SceneError::UnknownClass {
                            path: path.to_owned(),
                            found: class.clone(),
                            classes: classes.names().into_iter().map(str::to_owned).collect(),
                        })?
                }
            };
            labelled.push((feature.geometry, index as u8));
        }
        let boxes = BoxLabels::around(&labelled, &self.raster().full());
        let polygons = LabelPolygons::new(labelled);
        if polygons.touching(&self.raster().full()).is_empty() {
            return Err(no_overlap(&self, path, &polygons).into());
        }
        let classes = classes.clone();
        Ok(self.changed(|inner| {
            inner.classes = classes;
            inner.labels = Some(Labelling::Polygons { polygons, report });
            inner.boxes = Some(boxes);
        }))
    }
}

/// Both extents in the scene's own coordinates, which is where a wrong reference system shows.
pub(super) fn no_overlap(scene: &Scene, path: &Path, polygons: &LabelPolygons) -> SceneError {
    let transform = scene.raster().transform();
    let extent = |points: [(f64, f64); 2]| {
        let (a, b) = (
            transform.world_from_pixel(points[0]),
            transform.world_from_pixel(points[1]),
        );
        format!(
            "x {:.5} to {:.5}, y {:.5} to {:.5}",
            a.0.min(b.0),
            a.0.max(b.0),
            a.1.min(b.1),
            a.1.max(b.1)
        )
    };
    let all: geo::GeometryCollection<f64> = polygons
        .polygons()
        .iter()
        .map(|(shape, _)| geo::Geometry::from(shape.clone()))
        .collect();
    let labels = all.bounding_rect().map_or("nothing".to_owned(), |area| {
        extent([(area.min().x, area.min().y), (area.max().x, area.max().y)])
    });
    let area = scene.area();
    SceneError::NoOverlap {
        path: path.to_owned(),
        labels,
        scene: extent([
            (area.col as f64, area.row as f64),
            (area.right() as f64, area.bottom() as f64),
        ]),
        crs: scene.raster().crs_name(),
    }
}

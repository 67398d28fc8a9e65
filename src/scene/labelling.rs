use std::collections::BTreeSet;
use std::path::Path;

use geo::BoundingRect;

use super::boxes::BoxLabels;
use super::label_raster::LabelRaster;
use super::{Scene, SceneError};
use crate::Result;
use crate::labels::{Classes, IGNORE, LabelPolygons};
use crate::report::Report;
use crate::vector::{self, Feature, ReadReport};

/// Where the labels of a scene come from.
#[derive(Clone, Debug)]
pub(super) enum Labelling {
    Polygons {
        polygons: LabelPolygons,
        report: ReadReport,
        /// The same and more, as notices.
        notices: Report,
    },
    Raster(Box<LabelRaster>),
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
        let notices = report.report(path);
        Ok(self.changed(|inner| {
            inner.classes = classes;
            inner.labels = Some(Labelling::Polygons {
                polygons,
                report,
                notices,
            });
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

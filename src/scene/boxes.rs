use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use geo::BoundingRect;

use super::{Scene, SceneError};
use crate::Result;
use crate::boxes::formats::{self, BoxFile, ReadOptions};
use crate::boxes::{Annotation, BoundingBox, BoxIndex};
use crate::labels::{Classes, IGNORE};
use crate::raster::PixelWindow;
use crate::report::{Notice, Report, file_name};
use crate::vector::{self, Feature};

/// What a caller may say for "the class that the file names", whatever the file's format calls it.
const CLASS_OF_FILE: [&str; 4] = ["class", "label", "name", "category"];

/// The boxes of a scene, found by window.
#[derive(Clone, Debug)]
pub(super) struct BoxLabels {
    annotations: Arc<[Annotation]>,
    index: BoxIndex,
    /// What was left out when they were read.
    pub(super) report: Report,
    /// Whether they were given as boxes, and not taken around label polygons.
    pub(super) given: bool,
}

impl BoxLabels {
    pub(super) fn new(annotations: Vec<Annotation>, report: Report, given: bool) -> Self {
        let index = BoxIndex::new(annotations.iter().map(|one| one.bounds).collect());
        Self {
            annotations: annotations.into(),
            index,
            report,
            given,
        }
    }

    pub(super) fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    /// The bounding boxes of labelled features, one for each, cut to the raster.
    pub(super) fn around(features: &[(geo::MultiPolygon<f64>, u8)], raster: &PixelWindow) -> Self {
        let boxes = features
            .iter()
            .filter(|(_, class)| *class != IGNORE && *class != 0)
            .filter_map(|(shape, class)| {
                let bounds = around(shape)?.intersection(&bounds_of(raster))?;
                Some(Annotation::new(bounds, usize::from(*class)))
            });
        Self::new(boxes.collect(), Report::new(), false)
    }
}

/// A box before its class has a number.
struct Named {
    annotation: Annotation,
    class: Option<String>,
}

impl Scene {
    /// Gives the scene boxes. By the file's extension: `.xml` is Pascal VOC, `.txt` YOLO, `.csv` a table with the columns
    /// `xmin`, `ymin`, `xmax`, `ymax` (and `label`, `image_path`), `.json` with `annotations` COCO, from which the entry of
    /// this scene's file is taken; anything else is a vector file in any coordinate reference system, of whose polygons
    /// the bounding boxes are taken. The scene needs no georeference: without one, coordinates are pixels.
    ///
    /// When the file's boxes have a property named `class`, its values are the classes, in alphabetical order: a
    /// property of a vector file, a column of a table; `"class"`, `"label"`, `"name"` or `"category"` for what the other
    /// formats name. Otherwise every box is of the one class `class`. On a scene that has labels already, the classes
    /// that they do not hold come after theirs; labels given later replace the boxes.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let trees = Scene::open("trees.png")?.with_boxes("trees.xml", "tree")?;
    /// println!("{} trees", trees.boxes().len());
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`formats::FormatError`] and [`vector::VectorError`] for files that cannot be read or contradict themselves;
    /// [`SceneError::BoxesOfAnotherImage`] when the file is of an image of another size; [`SceneError::NoBoxes`] when no
    /// box lies on the scene.
    pub fn with_boxes(self, path: impl AsRef<Path>, class: &str) -> Result<Self> {
        self.boxed(path.as_ref(), class, None, &ReadOptions::default())
    }

    /// As [`Scene::with_boxes`] for a file whose property `property` names the classes, in the given order: the same
    /// indices for several scenes.
    ///
    /// # Errors
    /// As [`Scene::with_boxes`], and [`SceneError::UnknownClass`] when a box is of a class that `classes` does not hold.
    pub fn with_box_classes(
        self,
        path: impl AsRef<Path>,
        property: &str,
        classes: impl Into<Classes>,
    ) -> Result<Self> {
        let classes = classes.into();
        self.boxed(
            path.as_ref(),
            property,
            Some(&classes),
            &ReadOptions::default(),
        )
    }

    /// As [`Scene::with_boxes`], with what a label file does not say itself: whether Pascal VOC counts pixels from 1, and
    /// YOLO's class names.
    ///
    /// # Errors
    /// As [`Scene::with_boxes`].
    pub fn with_boxes_read(
        self,
        path: impl AsRef<Path>,
        class: &str,
        options: &ReadOptions,
    ) -> Result<Self> {
        self.boxed(path.as_ref(), class, None, options)
    }

    /// All boxes, in pixels of the whole raster, whatever part of it is in use; empty when the scene has none. Polygons
    /// given by [`Scene::with_labels`] have boxes, too: one around each feature.
    #[must_use]
    pub fn boxes(&self) -> &[Annotation] {
        match &self.inner.boxes {
            Some(boxes) => &boxes.annotations,
            None => &[],
        }
    }

    /// Whether the scene has boxes: its own, or around its label polygons.
    #[must_use]
    pub fn has_boxes(&self) -> bool {
        self.inner.boxes.is_some()
    }

    /// The boxes of a window, in its own pixels, cut to the part of it that is in use. A box is kept when the share of
    /// its area that is left, from 0 to 1, is at least `min_visible` (intersection over its own area): 0 keeps every box
    /// that is touched, 1 only whole ones. Crowds are kept wherever they are touched.
    #[must_use]
    pub fn boxes_in(&self, window: &PixelWindow, min_visible: f64) -> Vec<Annotation> {
        let (Some(boxes), Some(used)) = (&self.inner.boxes, self.area().intersect(window)) else {
            return Vec::new();
        };
        let used_bounds = bounds_of(&used);
        let touching = boxes.index.touching(&used_bounds);
        let mask = match self.aoi() {
            Some(aoi) if !touching.is_empty() => Some(aoi.mask(&used)),
            _ => None,
        };
        let cut = |index: usize| {
            let whole = boxes.annotations[index];
            let left = whole.bounds.intersection(&used_bounds)?;
            let mut share = left.area() / whole.bounds.area();
            if let Some(mask) = &mask {
                share *= share_in(mask, &used, &left);
            }
            let kept = share > 0.0 && (whole.crowd || share >= min_visible);
            kept.then(|| Annotation {
                bounds: left.translate(-(window.col as f64), -(window.row as f64)),
                area: whole.area.map(|area| area * share),
                ..whole
            })
        };
        touching.into_iter().filter_map(cut).collect()
    }

    /// The share of a box, in pixels of the whole raster, that lies in the area of interest; 1 without one.
    pub(crate) fn share_of_interest(&self, bounds: &BoundingBox) -> f64 {
        let Some(aoi) = self.aoi() else {
            return 1.0;
        };
        let (left, top) = (bounds.x_min.floor(), bounds.y_min.floor());
        let (width, height) = (bounds.x_max.ceil() - left, bounds.y_max.ceil() - top);
        let sound = [left, top, width, height].into_iter().all(f64::is_finite);
        if !sound || width < 1.0 || height < 1.0 {
            return 0.0;
        }
        let window = PixelWindow::new(left as i64, top as i64, width as usize, height as usize);
        share_in(&aoi.mask(&window), &window, bounds)
    }

    fn boxed(
        self,
        path: &Path,
        property: &str,
        classes: Option<&Classes>,
        options: &ReadOptions,
    ) -> Result<Self> {
        let (named, mut report) = if is_box_file(path) {
            self.boxes_of_file(path, property, classes.is_some(), options)?
        } else {
            self.boxes_of_vectors(path, property, classes.is_some())?
        };
        let read = named.len();
        let raster = bounds_of(&self.raster().full());
        let on_scene: Vec<Named> = named
            .into_iter()
            .filter_map(|mut one| {
                one.annotation.bounds = one.annotation.bounds.intersection(&raster)?;
                Some(one)
            })
            .collect();
        let outside = read - on_scene.len();
        if on_scene.is_empty() {
            return Err(SceneError::NoBoxes {
                path: path.to_owned(),
                read,
                scene: self.raster().size(),
                notice: report.to_string(),
            }
            .into());
        }
        if outside > 0 {
            report.push(
                Notice::left_out(format!("boxes outside the scene: {outside} of {read}"))
                    .about(file_name(path))
                    .count(outside),
            );
        }
        let classes = self.box_classes(path, property, classes, &on_scene)?;
        let mut annotations = Vec::with_capacity(on_scene.len());
        for one in on_scene {
            let name = one.class.as_deref().unwrap_or(property);
            let index = classes.index_of(name).filter(|&index| index > 0);
            let class = index.ok_or_else(|| SceneError::UnknownClass {
                path: path.to_owned(),
                found: name.to_owned(),
                classes: classes
                    .names()
                    .into_iter()
                    .skip(1)
                    .map(str::to_owned)
                    .collect(),
            })?;
            annotations.push(Annotation {
                class,
                ..one.annotation
            });
        }
        let boxes = BoxLabels::new(annotations, report, true);
        Ok(self.changed(|inner| {
            inner.classes = classes;
            inner.boxes = Some(boxes);
        }))
    }

    /// The classes that are asked for, or those that occur after those that the labels have.
    fn box_classes(
        &self,
        path: &Path,
        property: &str,
        asked: Option<&Classes>,
        boxes: &[Named],
    ) -> Result<Classes> {
        if let Some(asked) = asked {
            if self.has_labels() && asked.names() != self.classes().names() {
                return Err(SceneError::OtherClasses {
                    path: path.to_owned(),
                    found: asked.names().into_iter().map(str::to_owned).collect(),
                    expected: self
                        .classes()
                        .names()
                        .into_iter()
                        .map(str::to_owned)
                        .collect(),
                }
                .into());
            }
            return Ok(asked.clone());
        }
        let found: BTreeSet<&str> = boxes
            .iter()
            .map(|one| one.class.as_deref().unwrap_or(property))
            .collect();
        let known = match self.has_labels() {
            true => self.classes().clone(),
            false => Classes::new(Vec::<String>::new()),
        };
        let all: BTreeSet<&str> = known
            .names()
            .into_iter()
            .chain(found.iter().copied())
            .collect();
        if all.len() > usize::from(IGNORE) {
            return Err(SceneError::TooManyClasses {
                path: path.to_owned(),
                property: property.to_owned(),
                found: found.len(),
            }
            .into());
        }
        Ok(known.and(found))
    }

    /// Boxes of COCO, VOC, YOLO or CSV, and what was left out.
    fn boxes_of_file(
        &self,
        path: &Path,
        property: &str,
        named: bool,
        options: &ReadOptions,
    ) -> Result<(Vec<Named>, Report)> {
        let size = self.raster().size();
        let mut options = options.clone();
        options.size = Some((size.width, size.height));
        let mut by_file = named || CLASS_OF_FILE.contains(&property);
        if formats::csv::is_table(path) {
            let column = formats::csv::column_names(path)?
                .into_iter()
                .find(|name| name.eq_ignore_ascii_case(property));
            by_file |= column.is_some();
            options.class_column = options.class_column.or(column);
        }
        let file: BoxFile = formats::read(path, &options)?;
        let scene_file = self.raster().path().file_name().unwrap_or_default();
        let image = file.image(path, &scene_file.to_string_lossy())?;
        if let (Some(width), Some(height)) = (image.width, image.height)
            && (width, height) != (size.width, size.height)
        {
            return Err(SceneError::BoxesOfAnotherImage {
                path: path.to_owned(),
                found: crate::raster::Size::new(width, height),
                scene: size,
            }
            .into());
        }
        let named = |one: &formats::LabelledBox| Named {
            annotation: Annotation {
                bounds: one.bounds,
                class: 0,
                crowd: one.crowd,
                area: one.area,
            },
            class: (by_file && !one.class.is_empty()).then(|| one.class.clone()),
        };
        let left_out = file.notice();
        let left_out = left_out.map(|text| Notice::left_out(text).about(file_name(path)));
        Ok((
            image.boxes.iter().map(named).collect(),
            left_out.into_iter().collect(),
        ))
    }

    /// The bounding boxes of a vector file's polygons.
    fn boxes_of_vectors(
        &self,
        path: &Path,
        property: &str,
        named: bool,
    ) -> Result<(Vec<Named>, Report)> {
        let is_property = named
            || vector::property_names(path)?
                .iter()
                .any(|name| name == property);
        let (features, report) = vector::read_polygons_reported(
            path,
            &self.raster().georeference(),
            is_property.then_some(property),
        )?;
        let mut nameless = 0;
        let mut boxes = Vec::with_capacity(features.len());
        for Feature { geometry, class } in features {
            if is_property && class.is_none() {
                nameless += 1;
                continue;
            }
            if let Some(bounds) = around(&geometry) {
                let annotation = Annotation::new(bounds, 0);
                boxes.push(Named { annotation, class });
            }
        }
        let mut report = report.report(path);
        if nameless > 0 {
            report.push(
                Notice::left_out(format!("features without a class left out: {nameless}"))
                    .about(file_name(path))
                    .count(nameless),
            );
        }
        Ok((boxes, report))
    }

    /// How many boxes in use there are of each class, by name.
    pub(super) fn box_counts(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for one in self.boxes_in(&self.area(), 0.5) {
            *counts.entry(one.class).or_default() += 1;
        }
        counts
    }
}

/// Whether the file is one of those that hold boxes in pixels; a `.json` may also be GeoJSON.
pub(crate) fn is_box_file(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    match extension.to_lowercase().as_str() {
        "xml" | "txt" | "csv" | "tsv" => true,
        "json" => std::fs::read_to_string(path).is_ok_and(|text| {
            text.contains("\"annotations\"") && !text.contains("\"FeatureCollection\"")
        }),
        _ => false,
    }
}

pub(crate) fn around(shape: &geo::MultiPolygon<f64>) -> Option<BoundingBox> {
    let rect = shape.bounding_rect()?;
    let (low, high) = (rect.min(), rect.max());
    let bounds = BoundingBox::new(low.x, low.y, high.x, high.y);
    bounds.is_valid().then_some(bounds)
}

/// A window as a box.
pub(crate) fn bounds_of(window: &PixelWindow) -> BoundingBox {
    BoundingBox::new(
        window.col as f64,
        window.row as f64,
        window.right() as f64,
        window.bottom() as f64,
    )
}

/// The share of a box's pixels that the mask of `window` lets count; a pixel that the box only touches counts as one.
fn share_in(mask: &[u8], window: &PixelWindow, bounds: &BoundingBox) -> f64 {
    let span = |low: f64, high: f64, origin: i64, length: usize| {
        let first = (low - origin as f64).floor().max(0.0) as usize;
        let end = (high - origin as f64).ceil().max(0.0) as usize;
        first.min(length)..end.min(length)
    };
    let columns = span(bounds.x_min, bounds.x_max, window.col, window.width);
    let rows = span(bounds.y_min, bounds.y_max, window.row, window.height);
    let all = columns.len() * rows.len();
    let counted: usize = rows
        .map(|row| {
            let line = &mask[row * window.width..(row + 1) * window.width];
            line[columns.clone()]
                .iter()
                .filter(|&&inside| inside != 0)
                .count()
        })
        .sum();
    if all == 0 {
        0.0
    } else {
        counted as f64 / all as f64
    }
}

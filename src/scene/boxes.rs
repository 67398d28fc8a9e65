use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use geo::BoundingRect;

use super::box_files::{Named, ReadBoxes, rotated};
use super::{Scene, SceneError};
use crate::Result;
use crate::boxes::formats::{LabeledBox, ReadOptions};
use crate::boxes::{Annotation, BoundingBox, BoxIndex};
use crate::labels::{Classes, IGNORE};
use crate::raster::PixelWindow;
use crate::report::{Notice, Report, file_name};
use crate::vector::{LabelClass, Others, VectorSource, index_of, listed};

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

    /// Those that share some area with `bounds`, in pixels of the whole raster.
    pub(super) fn touching(&self, bounds: &BoundingBox) -> impl Iterator<Item = &Annotation> {
        let found = self.index.touching(bounds).into_iter();
        found.filter_map(|index| self.annotations.get(index))
    }

    /// The bounding boxes of labeled features, one for each, cut to the raster.
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

impl Scene {
    /// Gives the scene boxes. Files of boxes in pixels are known by what they hold: COCO and labelme (`.json`), Pascal VOC
    /// and CVAT (`.xml`), YOLO and DOTA (`.txt`), tables with the columns `xmin`, `ymin`, `xmax`, `ymax` or with polygons
    /// (`.csv`); of a file of several images, the entry of this scene's file is taken: that of its name, and of its folders where
    /// names are alike. Rotated boxes keep their corners
    /// ([`Annotation::outline`]) beside the upright boxes around them, which are what is trained on and scored. Anything else is a vector file in
    /// any coordinate reference system, of whose polygons the bounding boxes are taken. The scene needs no georeference:
    /// without one, coordinates are pixels.
    ///
    /// What `class` means, in this order: a property of a vector file or a column of a table, whose values are the classes;
    /// `"class"`, `"label"`, `"name"` or `"category"`, for what the other formats name; one of the classes that the file
    /// itself names, of which the boxes are taken and the others left out; and otherwise the class of all boxes.
    /// [`LabelClass::property`] and [`LabelClass::one`] say it beyond doubt. Classes are in alphabetical order. On a scene
    /// that has labels already, the classes that they do not hold come after theirs; labels given later replace the boxes.
    ///
    /// A file, or an image of a file, that says that nothing is there makes a scene with boxes, none: it can be predicted and
    /// scored. Its classes are all that the file names. So does a vector file whose features all lie elsewhere, as long as
    /// the scene lies within their extent. What was left out, assumed or converted is in [`Scene::report`].
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let trees = Scene::open("trees.png")?.with_boxes("trees.xml", "tree")?;
    /// println!("{} trees", trees.boxes().len());
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::boxes::formats::FormatError`] and [`crate::vector::VectorError`] for files that cannot be read or contradict
    /// themselves, and for formats that are not read, with the way to convert them;
    /// [`SceneError::BoxesOfAnotherImage`] when the file is of an image of another size; [`SceneError::NoBoxes`] when there
    /// are boxes and none lies on the scene, or all are broken; [`SceneError::PixelBoxes`] when a layer, a system or a
    /// filter is given for boxes in pixels; [`SceneError::BackgroundBoxes`] for a class called background.
    #[doc(alias = "add_boxes")]
    #[doc(alias = "with_bboxes")]
    #[doc(alias = "set_boxes")]
    pub fn with_boxes(
        &self,
        source: impl Into<VectorSource>,
        class: impl Into<LabelClass>,
    ) -> Result<Self> {
        self.clone().boxed(
            &source.into(),
            &class.into(),
            None,
            &ReadOptions::default(),
            None,
        )
    }

    /// As [`Scene::with_boxes`] or [`Scene::with_box_classes`], with the place of the scene's image in a file that scenes share.
    pub(crate) fn with_boxes_of_image(
        &self,
        source: &VectorSource,
        class: &LabelClass,
        asked: Option<&Classes>,
        image: Option<usize>,
    ) -> Result<Self> {
        self.clone()
            .boxed(source, class, asked, &ReadOptions::default(), image)
    }

    /// As [`Scene::with_boxes`] for a file whose property `property` names the classes, in the given order: the same
    /// indices for several scenes. [`LabelClass::one`] makes every box of one of the classes.
    ///
    /// # Errors
    /// As [`Scene::with_boxes`], and [`SceneError::UnknownClasses`] when boxes are of classes that `classes` does not hold,
    /// unless [`LabelClass::others_ignored`] or [`LabelClass::others_as_background`] says that they are left out.
    pub fn with_box_classes(
        &self,
        source: impl Into<VectorSource>,
        property: impl Into<LabelClass>,
        classes: impl Into<Classes>,
    ) -> Result<Self> {
        let (classes, property) = (classes.into(), property.into().of_named_classes());
        self.clone().boxed(
            &source.into(),
            &property,
            Some(&classes),
            &ReadOptions::default(),
            None,
        )
    }

    /// As [`Scene::with_boxes`], with what a label file does not say itself: whether Pascal VOC counts pixels from 1,
    /// YOLO's class names, the name of the image in a file of several.
    ///
    /// # Errors
    /// As [`Scene::with_boxes`].
    pub fn with_boxes_read(
        &self,
        source: impl Into<VectorSource>,
        class: impl Into<LabelClass>,
        options: impl Borrow<ReadOptions>,
    ) -> Result<Self> {
        self.clone()
            .boxed(&source.into(), &class.into(), None, options.borrow(), None)
    }

    /// The scene with these boxes, in its own pixels, each with the name of its class: those of files that are read once for
    /// many scenes. Classes that the labels do not hold come after theirs.
    pub(crate) fn with_labeled_boxes(
        &self,
        boxes: &[LabeledBox],
        classes: &Classes,
        mut report: Report,
    ) -> Self {
        let known = match self.has_labels() {
            true => self.classes().clone(),
            false => Classes::new(Vec::<String>::new()),
        };
        let names = classes.names().into_iter().skip(1);
        let classes = known.and(names).in_colors_of(classes);
        let raster = bounds_of(&self.raster().full());
        let mut annotations = Vec::with_capacity(boxes.len());
        let (mut outside, mut cut) = (0, 0);
        let mut unknown = BTreeMap::<String, usize>::new();
        for one in boxes {
            let index = classes.index_of(&one.class).filter(|&index| index > 0);
            let whole = one.bounds;
            match (index, one.bounds.intersection(&raster)) {
                (None, _) => *unknown.entry(one.class.clone()).or_default() += 1,
                (_, None) => outside += 1,
                (Some(class), Some(bounds)) => {
                    cut += usize::from(reaches_beyond(&whole, &raster));
                    annotations.push(Annotation {
                        bounds,
                        class,
                        crowd: one.crowd,
                        area: one.area,
                        outline: one.outline,
                    });
                }
            }
        }
        if cut > 0 {
            report.push(of_cut(cut, boxes.len()));
        }
        if outside > 0 {
            let text = format!("boxes outside the image: {outside} of {}", boxes.len());
            report.push(Notice::left_out(text).count(outside));
        }
        if !unknown.is_empty() {
            let count = unknown.values().sum();
            let text = format!(
                "{count} of {} boxes are of no class that an object can have and were left out: {}",
                boxes.len(),
                listed(&unknown)
            );
            report.push(Notice::left_out(text).count(count));
        }
        let boxes = BoxLabels::new(annotations, report, true);
        self.changed(|inner| {
            inner.classes = classes;
            inner.boxes = Some(boxes);
            inner.whole = None;
        })
    }

    /// The boxes whose middle lies in the area in use and of interest, in pixels of the whole raster; empty when the scene has
    /// none. Of a part of a split these are the boxes of the part, and every box is one of exactly one part.
    /// [`Scene::boxes_in`] cuts boxes to a window, those of other parts that reach into it among them.
    ///
    /// Polygons given by [`Scene::with_labels`] have boxes, too: one around each feature. Labels that are rotated boxes have their
    /// corners beside the upright box around them ([`Annotation::outline`]).
    ///
    /// ```
    /// use swath::prelude::*;
    /// let town = samples::town(1, 256)?.scene()?;
    /// let (train, valid) = town.split(Split::columns(0.75));
    /// assert_eq!(train.boxes().len() + valid.boxes().len(), town.boxes().len());
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "bboxes")]
    #[doc(alias = "annotations")]
    #[doc(alias = "bounding_boxes")]
    pub fn boxes(&self) -> &[Annotation] {
        let all = self.all_boxes();
        let area = self.area();
        if all.is_empty() || (area == self.raster().full() && self.aoi().is_none()) {
            return all;
        }
        self.inner.boxes_in_use.get_or_init(|| {
            let in_use = |one: &&Annotation| {
                let (x, y) = one.bounds.center();
                let (col, row) = (x.floor() as i64, y.floor() as i64);
                let of_interest = |aoi: &super::AreaOfInterest| {
                    aoi.mask(&PixelWindow::new(col, row, 1, 1)).contains(&1)
                };
                area.contains_pixel(col, row) && self.aoi().is_none_or(of_interest)
            };
            all.iter().filter(in_use).copied().collect()
        })
    }

    /// All boxes, whatever part of the scene is in use.
    pub(crate) fn all_boxes(&self) -> &[Annotation] {
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
    /// that is touched, 1 only whole ones. Crowds are kept wherever they are touched. Of a rotated box, the upright one is
    /// what decides and is cut; its outline stays whole and may reach beyond the window.
    #[must_use]
    #[doc(alias = "query")]
    pub fn boxes_in(&self, window: &PixelWindow, min_visible: f64) -> Vec<Annotation> {
        self.boxes_by_share(window, min_visible).0
    }

    /// [`Scene::boxes_in`], and beside them those boxes of which less is left.
    pub(crate) fn boxes_by_share(
        &self,
        window: &PixelWindow,
        min_visible: f64,
    ) -> (Vec<Annotation>, Vec<Annotation>) {
        let (Some(boxes), Some(used)) = (&self.inner.boxes, self.area().intersect(window)) else {
            return (Vec::new(), Vec::new());
        };
        let used_bounds = bounds_of(&used);
        let touching = boxes.index.touching(&used_bounds);
        let mask = match touching.is_empty() {
            true => None,
            false => self.limit_mask(&used),
        };
        let cut = |index: usize| {
            let whole = boxes.annotations[index];
            let left = whole.bounds.intersection(&used_bounds)?;
            let mut share = left.area() / whole.bounds.area();
            if let Some(mask) = &mask {
                share *= share_in(mask, &used, &left);
            }
            let one = Annotation {
                bounds: left.translate(-(window.col as f64), -(window.row as f64)),
                area: whole.area.map(|area| area * share),
                outline: whole
                    .outline
                    .map(|outline| outline.translate(-(window.col as f64), -(window.row as f64))),
                ..whole
            };
            (share > 0.0).then_some((one, whole.crowd || share >= min_visible))
        };
        let (kept, less): (Vec<_>, Vec<_>) = touching
            .into_iter()
            .filter_map(cut)
            .partition(|(_, kept)| *kept);
        let plain = |list: Vec<(Annotation, bool)>| list.into_iter().map(|(one, _)| one).collect();
        (plain(kept), plain(less))
    }

    /// The share of a box, in pixels of the whole raster, that lies in the area of interest; 1 without one.
    pub(crate) fn share_of_interest(&self, bounds: &BoundingBox) -> f64 {
        share_of(bounds, self.aoi().is_some(), |window| {
            self.aoi().map(|aoi| aoi.mask(window))
        })
    }

    fn boxed(
        self,
        source: &VectorSource,
        class: &LabelClass,
        asked: Option<&Classes>,
        options: &ReadOptions,
        image: Option<usize>,
    ) -> Result<Self> {
        let path = source.path();
        let ReadBoxes {
            boxes,
            mut report,
            classes: listed_classes,
            on_ground,
        } = self.read_boxes(source, class, asked, options, image)?;
        let raster = bounds_of(&self.raster().full());
        let extent = boxes
            .iter()
            .map(|one| one.annotation.bounds)
            .reduce(|all, one| all.union(&one));
        let read = boxes.len();
        let mut cut = 0;
        let mut on_scene: Vec<Named> = boxes
            .into_iter()
            .filter_map(|mut one| {
                let whole = one.annotation.bounds;
                one.annotation.bounds = whole.intersection(&raster)?;
                cut += usize::from(reaches_beyond(&whole, &raster));
                Some(one)
            })
            .collect();
        // What lies on the ground goes on in the next scene.
        if cut > 0 && !on_ground {
            report.push(of_cut(cut, read).about(file_name(path)));
        }
        let outside = read - on_scene.len();
        if let (true, Some(extent)) = (on_scene.is_empty(), extent) {
            let around = on_ground && touches(&extent, &raster);
            if !around && !source.elsewhere {
                return Err(self.no_boxes(path, read, &report));
            }
            let where_it_lies = match around {
                true => "which lies within their extent",
                false => "and the caller allows it",
            };
            let text =
                format!("none of {read} boxes lies on the scene, {where_it_lies}: it has none");
            report.push(
                Notice::noted(text)
                    .about(file_name(path))
                    .count(read)
                    .next("check that the file covers this scene, if it should show objects"),
            );
        } else if outside > 0 {
            report.push(
                Notice::left_out(format!("boxes outside the scene: {outside} of {read}"))
                    .about(file_name(path))
                    .count(outside)
                    .next("check that the file belongs to this scene alone"),
            );
        }
        let occurring: BTreeSet<&str> = match on_scene.is_empty() {
            true => listed_classes.iter().map(String::as_str).collect(),
            false => on_scene.iter().map(|one| one.class.as_str()).collect(),
        };
        // Those of a table or of rules are there in their order, whether they occur or not.
        let names: Vec<&str> = match class.targets() {
            Some(_) => listed_classes.iter().map(String::as_str).collect(),
            None => occurring.into_iter().collect(),
        };
        let classes = self.box_classes(path, class.word(), asked, &names)?;
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        let found = on_scene.len();
        on_scene.retain_mut(|one| {
            let index = index_of(&classes, &one.class).filter(|&index| index > 0);
            match index {
                Some(index) => one.annotation.class = index,
                None => *others.entry(one.class.clone()).or_default() += 1,
            }
            index.is_some()
        });
        if !others.is_empty() {
            if class.others == Others::Refused {
                let names = classes.names().into_iter().skip(1);
                return Err(SceneError::UnknownClasses {
                    path: path.to_owned(),
                    found: others,
                    classes: names.map(str::to_owned).collect(),
                }
                .into());
            }
            let count = found - on_scene.len();
            let text = format!(
                "{count} of {found} boxes of other classes were left out: {}",
                listed(&others)
            );
            report.push(Notice::left_out(text).about(file_name(path)).count(count));
        }
        let annotations: Vec<Annotation> = on_scene.into_iter().map(|one| one.annotation).collect();
        report.extend(rotated(annotations.iter(), &file_name(path)));
        let boxes = BoxLabels::new(annotations, report, true);
        Ok(self.changed(|inner| {
            inner.classes = classes;
            inner.boxes = Some(boxes);
            inner.whole = None;
        }))
    }

    /// The error for boxes of which none is left.
    pub(super) fn no_boxes(&self, path: &Path, read: usize, report: &Report) -> crate::Error {
        SceneError::NoBoxes {
            path: path.to_owned(),
            read,
            scene: self.raster().size(),
            notice: report.to_string().replace('\n', "; "),
        }
        .into()
    }

    /// The classes that are asked for, or those that occur after those that the labels have.
    fn box_classes(
        &self,
        path: &Path,
        property: &str,
        asked: Option<&Classes>,
        found: &[&str],
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
        Ok(known.and(found.iter().copied()))
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

/// Whether the edge of the image cuts a box, by more than programs round.
fn reaches_beyond(bounds: &BoundingBox, raster: &BoundingBox) -> bool {
    const ROUNDED: f64 = 0.5;
    bounds.x_min < raster.x_min - ROUNDED
        || bounds.y_min < raster.y_min - ROUNDED
        || bounds.x_max > raster.x_max + ROUNDED
        || bounds.y_max > raster.y_max + ROUNDED
}

fn of_cut(cut: usize, of: usize) -> Notice {
    let text = format!("boxes that reach beyond the image, cut at its edge: {cut} of {of}");
    Notice::converted(text).count(cut)
}

/// Whether two boxes share a point at least.
fn touches(a: &BoundingBox, b: &BoundingBox) -> bool {
    a.x_min <= b.x_max && b.x_min <= a.x_max && a.y_min <= b.y_max && b.y_min <= a.y_max
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

/// The share of a box that lies where the mask of its window says, when it is `limited` at all.
pub(super) fn share_of(
    bounds: &BoundingBox,
    limited: bool,
    mask: impl FnOnce(&PixelWindow) -> Option<Vec<u8>>,
) -> f64 {
    if !limited {
        return 1.0;
    }
    let (left, top) = (bounds.x_min.floor(), bounds.y_min.floor());
    let (width, height) = (bounds.x_max.ceil() - left, bounds.y_max.ceil() - top);
    let sound = [left, top, width, height].into_iter().all(f64::is_finite);
    if !sound || width < 1.0 || height < 1.0 {
        return 0.0;
    }
    let window = PixelWindow::new(left as i64, top as i64, width as usize, height as usize);
    mask(&window).map_or(1.0, |mask| share_in(&mask, &window, bounds))
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

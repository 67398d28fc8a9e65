//! Cells: windows of a scene that have one class each.

use std::borrow::Borrow;

use geo::{MultiPolygon, Rect};

use super::drawn::{Drawn, Labeling};
use super::{Scene, SceneError, bounds_of};
use crate::Result;
use crate::labels::{
    CellRule, Classes, IGNORE, LabelPolygons, Otherwise, area_inside, counts_as_cell,
};
use crate::raster::PixelWindow;
use crate::report::Report;
use crate::vector::ReadReport;

/// The class that a scene as a whole is known to have, by its name; none for one that does not count.
#[derive(Clone, Debug)]
pub(super) struct WholeClass(Option<String>);

impl Scene {
    /// Says how a cell of this scene, that is a chip or a window of a grid, gets its one class: for
    /// [`crate::models::Classifier`]. Without it that is [`CellRule::majority`], and `CellRule::share_of_object(0.5)` on a scene
    /// that has boxes alone.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("city.tif")?
    ///     .with_labels("buildings.geojson", LabelClass::one("building"))?
    ///     .with_cells(CellRule::share_of_object(0.5))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`SceneError::CellShare`] for a share that is none; [`SceneError::NoObjects`] for a rule about objects on a scene
    /// without polygons or boxes; [`SceneError::NoSuchClass`]; [`SceneError::NoLabels`].
    #[doc(alias = "ChipClassificationLabelSource")]
    #[doc(alias = "infer_cells")]
    pub fn with_cells(&self, rule: impl Borrow<CellRule>) -> Result<Self> {
        let rule = rule.borrow().clone();
        if let Some(share) = rule.asked()
            && !(share > 0.0 && share <= 1.0)
        {
            return Err(SceneError::CellShare { found: share }.into());
        }
        self.can_tell_cells(&rule)?;
        Ok(self.changed(|inner| {
            inner.cells = Some(rule);
            inner.whole = None;
        }))
    }

    /// The same scene, whose class as a cell by this rule is known: a chip's, from the scene that it was cut from. `None` for
    /// one that does not count. It stands for the whole, until other labels or another rule are given.
    pub(crate) fn with_stated_class(&self, rule: CellRule, class: Option<&str>) -> Self {
        let class = WholeClass(class.map(str::to_owned));
        self.changed(|inner| {
            inner.cells = Some(rule);
            inner.whole = Some(class);
        })
    }

    /// What is known of a window by [`Scene::with_stated_class`], and whether it counts.
    fn stated_class(&self, rule: &CellRule, window: &PixelWindow) -> Option<Option<u8>> {
        let WholeClass(class) = self.inner.whole.as_ref()?;
        if self.cells() != Some(rule) || !window.contains(&self.raster().full()) {
            return None;
        }
        match class {
            None => Some(None),
            // A class that the scene has no more is told by its labels.
            Some(name) => {
                let index = self.classes().index_of(name)?;
                Some(Some(index as u8))
            }
        }
    }

    /// The rule by which cells get their classes, if one was given.
    #[must_use]
    pub fn cells(&self) -> Option<&CellRule> {
        self.inner.cells.as_ref()
    }

    /// Whether this scene's labels have what a rule looks at.
    fn can_tell_cells(&self, rule: &CellRule) -> Result<()> {
        let path = || self.raster().path().to_owned();
        if rule.is_of_objects() && !self.has_boxes() && self.label_polygons().is_empty() {
            return Err(SceneError::NoObjects { path: path() }.into());
        }
        if !self.has_labels() && !rule.is_of_objects() {
            return Err(SceneError::NoLabels { path: path() }.into());
        }
        self.class_otherwise(rule)?;
        Ok(())
    }

    /// The index of the class of a cell in which none qualifies; `None` when it does not count.
    fn class_otherwise(&self, rule: &CellRule) -> Result<Option<u8>> {
        match &rule.otherwise {
            Otherwise::Background => Ok(Some(0)),
            Otherwise::Ignored => Ok(None),
            Otherwise::Class(name) => match self.classes().index_of(name) {
                Some(index) => Ok(Some(index as u8)),
                None => Err(SceneError::NoSuchClass {
                    path: self.raster().path().to_owned(),
                    found: name.clone(),
                    classes: self
                        .classes()
                        .names()
                        .into_iter()
                        .skip(1)
                        .map(str::to_owned)
                        .collect(),
                }
                .into()),
            },
        }
    }

    /// The class of a window as a cell, by the scene's rule ([`Scene::with_cells`]); `None` when it does not count: less than
    /// half of its pixels do, or the rule says so.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let town = samples::town(1, 256)?.scene()?;
    /// let class = town.cell_class(&PixelWindow::new(0, 0, 64, 64))?;
    /// assert!(class.is_some_and(|class| class < town.classes().len()));
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`SceneError::NoLabels`]; [`crate::raster::RasterError::Read`].
    pub fn cell_class(&self, window: &PixelWindow) -> Result<Option<usize>> {
        self.cell_class_by(&self.cell_rule(), window)
    }

    /// [`Scene::cell_class`] by another rule.
    ///
    /// # Errors
    /// As [`Scene::with_cells`].
    pub(crate) fn cell_class_by(
        &self,
        rule: &CellRule,
        window: &PixelWindow,
    ) -> Result<Option<usize>> {
        if self.stated_class(rule, window).is_none() {
            self.can_tell_cells(rule)?;
        }
        let labels = match self.has_labels() {
            true => self.label_window(window)?,
            false => Vec::new(),
        };
        Ok(self.cell_label(rule, window, &labels)?.map(usize::from))
    }

    /// The rule that was given, or the usual one.
    pub(crate) fn cell_rule(&self) -> CellRule {
        match &self.inner.cells {
            Some(rule) => rule.clone(),
            None if self.has_labels() => CellRule::majority(),
            // Boxes say nothing about the pixels between them.
            None => CellRule::share_of_object(0.5),
        }
    }

    /// The class of a window whose labels have been drawn, on any grid; none for a scene that has boxes alone.
    pub(crate) fn cell_label(
        &self,
        rule: &CellRule,
        window: &PixelWindow,
        labels: &[u8],
    ) -> Result<Option<u8>> {
        let stated = self.stated_class(rule, window);
        match stated {
            Some(class) if !self.is_limited() => return Ok(class),
            Some(_) => {}
            // A part of a chip: its mask may hold no objects.
            None if self.inner.whole.is_some() => self.can_tell_cells(rule)?,
            None => {}
        }
        let counts = match self.has_labels() {
            true => counts_as_cell(labels),
            false => {
                let counting = self.counting_boxes(window)?;
                let ignored = |&one: &u8| if one == 0 { IGNORE } else { 0 };
                counts_as_cell(&counting.iter().map(ignored).collect::<Vec<u8>>())
            }
        };
        if !counts {
            return Ok(None);
        }
        if let Some(class) = stated {
            return Ok(class);
        }
        let class = match rule.is_of_objects() {
            true => self.object_class(rule, window),
            false => rule.of_labels(labels),
        };
        match class {
            Some(class) => Ok(Some(class)),
            None => self.class_otherwise(rule),
        }
    }

    /// The class that qualifies by the objects of a window: label polygons, or boxes where these were given.
    fn object_class(&self, rule: &CellRule, window: &PixelWindow) -> Option<u8> {
        let drawn = self.inner.labels.as_ref().and_then(Labeling::polygons);
        let boxes = self
            .inner
            .boxes
            .as_ref()
            .filter(|boxes| boxes.given || drawn.is_none());
        if let Some(boxes) = boxes {
            let cell = bounds_of(window);
            let touching = boxes.touching(&cell).filter(|one| !one.crowd);
            return rule.of_objects(touching.filter_map(|one| {
                let inside = one.bounds.intersection(&cell)?;
                let class = u8::try_from(one.class).ok()?;
                Some((class, inside.area(), one.bounds.area()))
            }));
        }
        let drawn = drawn?;
        let all = drawn.polygons();
        let objects = drawn.touching(window).into_iter().filter_map(|index| {
            let (shape, class) = all.get(index)?;
            let of_a_class = usize::from(*class) < self.classes().len() && *class > 0;
            let (inside, whole) = area_inside(shape, window);
            of_a_class.then_some((*class, inside, whole))
        });
        rule.of_objects(objects)
    }

    /// The same scene, all of it of one class: an image that somebody has sorted into a folder.
    pub(crate) fn of_class(&self, class: u8, classes: &Classes) -> Self {
        let size = self.raster().size();
        let corner = (size.width as f64, size.height as f64);
        let whole = Rect::new((0.0, 0.0), corner).to_polygon();
        let polygons = LabelPolygons::new(vec![(MultiPolygon::new(vec![whole]), class)]);
        let classes = classes.clone();
        self.changed(|inner| {
            inner.classes = classes;
            inner.labels = Some(Labeling {
                raster: None,
                drawn: Some(Drawn {
                    polygons,
                    report: ReadReport::default(),
                    by_property: true,
                    notices: Report::new(),
                }),
            });
            inner.boxes = None;
            inner.whole = None;
        })
    }
}

use super::boxes::BoxLabels;
use super::drawn::{Drawn, Labeling};
use super::{Scene, SceneError};
use crate::Result;
use crate::labels::{Classes, IGNORE, LabelPolygons};
use crate::report::Report;
use crate::vector::ReadReport;

impl Scene {
    /// The same scene with these of its classes alone, in this order: pixels of the others are background, and boxes of
    /// the others are gone.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let cars = samples::town(1, 2048)?.scene()?.only(["car"])?;
    /// assert_eq!(cars.classes().names(), ["background", "car"]);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`SceneError::NoSuchClass`].
    #[doc(alias = "select")]
    #[doc(alias = "filter")]
    #[doc(alias = "keep")]
    pub fn only<I>(&self, classes: I) -> Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.clone().limited_to(classes)
    }

    fn limited_to<I>(self, classes: I) -> Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let old = self.classes().clone();
        // What each of the old indices becomes.
        let mut becomes = [0; 256];
        becomes[usize::from(IGNORE)] = IGNORE;
        let mut kept = Classes::new(Vec::<String>::new());
        for name in classes {
            let name = name.as_ref();
            let index = old.index_of(name).filter(|&index| index > 0);
            let Some(index) = index else {
                return Err(SceneError::NoSuchClass {
                    path: self.raster().path().to_owned(),
                    found: name.to_owned(),
                    classes: old.names().into_iter().skip(1).map(str::to_owned).collect(),
                }
                .into());
            };
            kept = kept.and([name]).keeping_colors_of(&old);
            becomes[index] = (kept.len() - 1) as u8;
        }
        Ok(self.relabeled(&becomes, kept))
    }

    /// The same scene with these classes, its own found in them by name; what is in none of them is background.
    pub(crate) fn in_classes(&self, classes: &Classes) -> Self {
        let mut becomes = [0; 256];
        becomes[usize::from(IGNORE)] = IGNORE;
        for (index, name) in self.classes().names().into_iter().enumerate().skip(1) {
            becomes[index] = classes.index_of(name).unwrap_or(0) as u8;
        }
        self.relabeled(&becomes, classes.clone())
    }

    /// The same scene, labeled, without anything on it.
    pub(crate) fn as_background(&self) -> Self {
        let boxes = BoxLabels::new(Vec::new(), Report::new(), false);
        self.changed(|inner| {
            inner.labels = Some(Labeling {
                raster: None,
                drawn: Some(Drawn {
                    polygons: LabelPolygons::new(Vec::new()),
                    report: ReadReport::default(),
                    by_property: false,
                    notices: Report::new(),
                }),
            });
            inner.boxes = Some(boxes);
            inner.whole = None;
        })
    }

    /// The same scene with boxes, none; labels of pixels stay.
    pub(crate) fn without_boxes(&self) -> Self {
        let boxes = BoxLabels::new(Vec::new(), Report::new(), true);
        self.changed(|inner| inner.boxes = Some(boxes))
    }

    /// The same scene with other classes, and what each of the old indices becomes.
    fn relabeled(&self, becomes: &[u8; 256], classes: Classes) -> Self {
        let labels = self.inner.labels.as_ref().map(|labels| Labeling {
            raster: labels
                .raster
                .as_ref()
                .map(|raster| Box::new(raster.relabeled(becomes))),
            drawn: labels.drawn.as_ref().map(|drawn| {
                let polygons = drawn.polygons.polygons().iter();
                let relabeled = polygons
                    .map(|(shape, class)| (shape.clone(), becomes[usize::from(*class)]))
                    .collect();
                Drawn {
                    polygons: LabelPolygons::new(relabeled),
                    ..drawn.clone()
                }
            }),
        });
        let boxes = self.inner.boxes.as_ref().map(|boxes| {
            boxes.changed(|mut one| {
                one.class = usize::from(becomes[one.class.min(usize::from(IGNORE))]);
                (one.class > 0 && one.class < classes.len()).then_some(one)
            })
        });
        self.changed(|inner| {
            inner.classes = classes;
            inner.labels = labels;
            inner.boxes = boxes;
        })
    }
}

impl BoxLabels {
    /// The boxes that `change` lets through.
    fn changed(
        &self,
        change: impl FnMut(crate::boxes::Annotation) -> Option<crate::boxes::Annotation>,
    ) -> Self {
        let annotations = self.annotations().iter().copied().filter_map(change);
        Self::new(annotations.collect(), self.report.clone(), self.given)
    }
}

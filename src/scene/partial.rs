//! Where the labels of a scene are complete, when they are not everywhere.

use std::path::Path;

#[cfg(doc)]
use super::SceneError;
use super::{AreaOfInterest, Scene};
use crate::Result;
use crate::boxes::BoundingBox;
use crate::labels::IGNORE;
use crate::raster::PixelWindow;
use crate::report::Notice;
use crate::vector::VectorSource;

impl Scene {
    /// Says that labels are complete within the polygons of a vector file alone, as where one person has labeled some fields of
    /// a large image: outside, nothing counts in losses, class statistics, chips or scores, neither labels nor the background
    /// between them, neither boxes nor what a detector finds. Maps and found boxes cover the whole scene all the same, unlike
    /// with [`Scene::with_aoi`], and the statistics of the bands are those of all of it.
    ///
    /// It holds for whatever labels and boxes the scene has or is given. Training a detector, the imagery outside is left
    /// blank, since a detector has no pixels that could be ignored.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("city.tif")?
    ///     .with_labels("houses.gpkg", "building")?
    ///     .labeled_within("finished_sheets.geojson")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::vector::VectorError`] when the file cannot be read or no feature is an area; [`SceneError::AreaElsewhere`]
    /// when none lies on the scene, or there is none.
    #[doc(alias = "valid_area")]
    #[doc(alias = "ignore_outside")]
    pub fn labeled_within(&self, source: impl Into<VectorSource>) -> Result<Self> {
        let source = source.into();
        let (polygons, report) = self.area_polygons(&source, "area with labels")?;
        let area = AreaOfInterest::new(source.path(), polygons, false);
        Ok(self.changed(|inner| {
            inner.labeled = Some(area);
            inner.report.extend(report);
        }))
    }

    /// Says that labels are complete only where something is drawn: pixels that no label covers do not count, instead of
    /// being background. Features of a class called `background` say where there is none of the others; of a label raster,
    /// index 0 does not count. Boxes are as they were: [`Scene::labeled_within`] limits them.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// // Some areas of each class, as for a land cover of samples; nothing is known between them.
    /// let samples = Scene::open("scene.tif")?.with_labels("samples.gpkg", "cover")?.labeled_only();
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "ignore_background")]
    #[doc(alias = "sparse_labels")]
    pub fn labeled_only(&self) -> Self {
        self.changed(|inner| inner.labeled_only = true)
    }

    /// What there is to say where only what is drawn counts.
    pub(super) fn labeled_only_notice(&self) -> Option<Notice> {
        let labels = self
            .inner
            .labels
            .as_ref()
            .filter(|_| self.inner.labeled_only)?;
        let mut drawn = [false; 256];
        for (_, class) in labels.polygons()?.polygons() {
            drawn[usize::from(*class)] = true;
        }
        drawn[usize::from(IGNORE)] = false;
        let several = labels.raster.is_some() || drawn.iter().filter(|drawn| **drawn).count() > 1;
        (!several).then(|| {
            let text = "only what is drawn counts, and all of it is of one class: nothing can be told apart";
            let step = "draw some areas of a class called \"background\", or say where labels are complete with \
                        `.labeled_within(path)`";
            Notice::noted(text).next(step)
        })
    }

    /// The polygons within which labels are complete, when they are not everywhere.
    #[must_use]
    pub fn labeled_area(&self) -> Option<&AreaOfInterest> {
        self.inner.labeled.as_ref()
    }

    /// What limits labels, boxes and scores, whether or not it limits maps.
    fn limits(&self) -> impl Iterator<Item = &AreaOfInterest> {
        [&self.inner.aoi, &self.inner.labeled].into_iter().flatten()
    }

    /// Whether labels, boxes and scores do not count everywhere.
    pub(crate) fn is_limited(&self) -> bool {
        self.limits().next().is_some()
    }

    /// `[height, width]`: 1 where labels, boxes and scores count; `None` where they do everywhere.
    pub(crate) fn limit_mask(&self, window: &PixelWindow) -> Option<Vec<u8>> {
        self.limits()
            .map(|limit| limit.mask(window))
            .reduce(|mut all, one| {
                all.iter_mut().zip(one).for_each(|(all, one)| *all &= one);
                all
            })
    }

    /// Whether labels, boxes and scores count anywhere in a window.
    pub(crate) fn counts_in(&self, window: &PixelWindow) -> bool {
        match (&self.inner.aoi, &self.inner.labeled) {
            (None, None) => true,
            (Some(limit), None) | (None, Some(limit)) => limit.touches(window),
            (Some(aoi), Some(labeled)) => {
                aoi.touches(window)
                    && labeled.touches(window)
                    && self.limit_mask(window).is_none_or(|mask| mask.contains(&1))
            }
        }
    }

    /// The share of a box, in pixels of the whole raster, that lies where labels and scores count.
    pub(crate) fn share_counted(&self, bounds: &BoundingBox) -> f64 {
        super::boxes::share_of(bounds, self.is_limited(), |window| self.limit_mask(window))
    }

    /// What limits the scene, in words: `inside park.gpkg`, `inside park.gpkg, labeled within sheets.gpkg`.
    pub(super) fn limit_words(&self) -> Option<String> {
        let name = |path: &Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        let aoi = self.aoi().map(|aoi| {
            let side = if aoi.is_inverted() {
                "outside"
            } else {
                "inside"
            };
            format!("{side} {}", name(aoi.path()))
        });
        let labeled = self.labeled_area();
        let labeled = labeled.map(|area| format!("labeled within {}", name(area.path())));
        let all: Vec<String> = [aoi, labeled].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

use super::{Scene, SceneError};
use crate::Result;
use crate::labels::{IGNORE, LabelPolygons};
use crate::raster::{BandStatistics, Part, Patch, PixelWindow, Size};

impl Scene {
    /// Reads a window of the imagery, in pixels of the whole raster. Pixels outside the area in use are invalid: one part
    /// of a split never sees the other. What lies outside the area of interest stays, since that limits labels, scores and
    /// maps, not what a network sees around them.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::Read`] when the file is damaged.
    #[doc(alias = "read_window")]
    #[doc(alias = "array")]
    #[doc(alias = "to_numpy")]
    #[doc(alias = "values")]
    #[doc(alias = "get_chip")]
    #[doc(alias = "__getitem__")]
    pub fn read(&self, window: &PixelWindow) -> Result<Patch> {
        let mut patch = self.raster().read(window)?;
        if let Some(keep) = inside(window, &self.area(), None) {
            patch.mask_with(&keep);
        }
        Ok(patch)
    }

    /// As [`Scene::read`], but outside the area of interest nothing is valid either.
    pub(crate) fn read_of_interest(&self, window: &PixelWindow) -> Result<Patch> {
        let mut patch = self.read(window)?;
        if let Some(aoi) = self.aoi() {
            patch.mask_with(&aoi.mask(window));
        }
        Ok(patch)
    }

    /// Reads the labels of a window: class indices, and [`IGNORE`] where the imagery is invalid or outside the area in
    /// use, the area of interest or the area within which labels are complete ([`Scene::labeled_within`]).
    ///
    /// # Shapes
    /// Returns `[window.height, window.width]`.
    ///
    /// # Errors
    /// [`SceneError::NoLabels`] for a scene without labels; [`crate::raster::RasterError::Read`].
    #[doc(alias = "mask")]
    #[doc(alias = "label_mask")]
    #[doc(alias = "get_label_arr")]
    pub fn label_window(&self, window: &PixelWindow) -> Result<Vec<u8>> {
        if self.raster().can_be_invalid() {
            let patch = self.read(window)?;
            return self.labels_for(window, &patch);
        }
        let mut labels = self.raw_labels(window, window.size())?;
        ignore_outside(&mut labels, self.in_use(window).as_deref());
        self.ignore_unlabeled(&mut labels, window, window.size());
        Ok(labels)
    }

    /// The labels of a window whose imagery has been read already, on the grid of the patch: where it has been resized, a
    /// pixel's label is what lies under its own center.
    pub(crate) fn labels_for(&self, window: &PixelWindow, patch: &Patch) -> Result<Vec<u8>> {
        let mut labels = self.raw_labels(window, patch.size)?;
        ignore_outside(&mut labels, Some(&patch.valid));
        let of_interest = self.aoi().map(|aoi| aoi.mask_resized(window, patch.size));
        ignore_outside(&mut labels, of_interest.as_deref());
        self.ignore_unlabeled(&mut labels, window, patch.size);
        Ok(labels)
    }

    /// 1 for the pixels of a window that count: valid, in use, of interest and, on a scene with labels, labeled with a
    /// class or the background.
    pub(crate) fn counting(&self, window: &PixelWindow) -> Result<Vec<u8>> {
        if self.has_labels() && self.may_be_unlabeled() {
            let labels = self.label_window(window)?;
            return Ok(labels
                .iter()
                .map(|&label| u8::from(label != IGNORE))
                .collect());
        }
        self.counting_boxes(window)
    }

    /// As [`Scene::counting`], whatever the pixels are labeled with: where boxes count.
    pub(crate) fn counting_boxes(&self, window: &PixelWindow) -> Result<Vec<u8>> {
        let mut counting = match self.raster().can_be_invalid() {
            true => self.read_of_interest(window)?.valid,
            false => self
                .in_use(window)
                .unwrap_or_else(|| vec![1; window.area()]),
        };
        if let Some(labeled) = self.labeled_area() {
            let mask = labeled.mask(window);
            counting
                .iter_mut()
                .zip(mask)
                .for_each(|(one, inside)| *one &= inside);
        }
        Ok(counting)
    }

    /// Whether some pixels may have no label at all, which are then ignored: where labels are polygons, what lies outside
    /// them is background.
    pub(crate) fn may_be_unlabeled(&self) -> bool {
        let Some(labels) = &self.inner.labels else {
            return false;
        };
        let ignored = |polygons: &LabelPolygons| {
            let all = polygons.polygons().iter();
            all.map(|(_, class)| *class).any(|class| class == IGNORE)
        };
        self.inner.labeled_only
            || self.inner.labeled.is_some()
            || labels.raster.is_some()
            || labels.polygons().is_some_and(ignored)
    }

    /// Exact statistics of each band over its own valid pixels in use and of interest.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::NoValidPixels`] when nothing is valid; [`crate::raster::RasterError::Read`].
    #[doc(alias = "stats")]
    #[doc(alias = "describe")]
    #[doc(alias = "mean")]
    #[doc(alias = "std")]
    pub fn statistics(&self) -> Result<Vec<BandStatistics>> {
        if self.aoi().is_none() && self.area() == self.raster().full() {
            return self.raster().statistics();
        }
        if let Some(known) = self.inner.statistics.get() {
            return Ok(known.clone());
        }
        let computed = self
            .raster()
            .statistics_where(&self.area(), |window| self.in_use(window))?;
        Ok(self.inner.statistics.get_or_init(|| computed).clone())
    }

    /// What of the raster counts in statistics.
    pub(crate) fn as_part(&self) -> Part<'_> {
        Part {
            raster: self.raster(),
            area: self.area(),
            keep: Box::new(|window| self.in_use(window)),
            whole: self.aoi().is_none() && self.area() == self.raster().full(),
        }
    }

    /// Whether a window can hold anything but the background, without drawing it.
    pub(crate) fn may_have_labels(&self, window: &PixelWindow) -> bool {
        let Some(labels) = &self.inner.labels else {
            return false;
        };
        self.inner.labeled_only
            || self.inner.labeled.is_some()
            || labels.raster.is_some()
            || labels
                .polygons()
                .is_some_and(|polygons| !polygons.touching(window).is_empty())
    }

    /// Labels as they are stored, wherever the window lies, under the centers of `size` pixels.
    fn raw_labels(&self, window: &PixelWindow, size: Size) -> Result<Vec<u8>> {
        match &self.inner.labels {
            None => Err(SceneError::NoLabels {
                path: self.raster().path().to_owned(),
            }
            .into()),
            Some(labels) => labels.labels(window, size, !self.inner.labeled_only),
        }
    }

    /// Ignores what lies outside the area within which labels are complete.
    pub(super) fn ignore_unlabeled(&self, labels: &mut [u8], window: &PixelWindow, size: Size) {
        let labeled = self.labeled_area();
        let mask = labeled.map(|labeled| labeled.mask_resized(window, size));
        ignore_outside(labels, mask.as_deref());
    }

    /// 1 for the window's pixels in the area in use and the area of interest; `None` when that is all of them.
    pub(super) fn in_use(&self, window: &PixelWindow) -> Option<Vec<u8>> {
        inside(window, &self.area(), self.aoi().map(|aoi| aoi.mask(window)))
    }

    /// The size of a picture of the area in use that is at most `longest` pixels long.
    pub(crate) fn quicklook_size(&self, longest: usize) -> Size {
        let (width, height) = self.size();
        let factor = (width.max(height) as f64 / longest as f64).max(1.0);
        Size::new(
            ((width as f64 / factor).round() as usize).max(1),
            ((height as f64 / factor).round() as usize).max(1),
        )
    }
}

/// `[height, width]`, 1 for the pixels of `window` in `area` and in `mask`; `None` when all are.
pub(super) fn inside(
    window: &PixelWindow,
    area: &PixelWindow,
    mask: Option<Vec<u8>>,
) -> Option<Vec<u8>> {
    if area.contains(window) {
        return mask;
    }
    let mut keep = vec![0; window.area()];
    if let Some(part) = area.intersect(window) {
        for row in part.row..part.bottom() {
            let start =
                (row - window.row) as usize * window.width + (part.col - window.col) as usize;
            match &mask {
                Some(mask) => keep[start..start + part.width]
                    .copy_from_slice(&mask[start..start + part.width]),
                None => keep[start..start + part.width].fill(1),
            }
        }
    }
    Some(keep)
}

fn ignore_outside(labels: &mut [u8], valid: Option<&[u8]>) {
    if let Some(valid) = valid {
        labels
            .iter_mut()
            .zip(valid)
            .filter(|(_, valid)| **valid == 0)
            .for_each(|(label, _)| *label = IGNORE);
    }
}

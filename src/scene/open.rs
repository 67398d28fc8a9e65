use std::borrow::Borrow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use geo::MultiPolygon;

use super::area::AreaOfInterest;
use super::boxes::BoxLabels;
use super::cells::WholeClass;
use super::drawn::Labeling;
use super::set_values::OfSet;
use crate::Result;
use crate::boxes::Annotation;
use crate::labels::{CellRule, Classes, LabelPolygons};
use crate::raster::{BandStatistics, OpenOptions, PixelWindow, Raster, Resolution};
use crate::report::Report;
use crate::vector::ReadReport;

/// A scene: imagery, what is labeled on it, and the area of it that is used. Cheap to clone, and read by many threads
/// at once.
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("vegas.tif")?.with_labels("buildings.geojson", "building")?;
/// let (train, valid) = scene.split(Split::columns(0.75));
/// assert_eq!(train.size().0 + valid.size().0, scene.size().0);
/// # Ok::<(), swath::Error>(())
/// ```
///
/// | to | methods |
/// |---|---|
/// | label | [`Scene::with_labels`], [`Scene::and_labels`], [`Scene::labeled_within`], [`Scene::with_boxes`], [`Scene::with_label_raster`], [`Scene::only`], [`Scene::with_colors`] |
/// | look | [`Scene::show_bands`], [`Scene::zoom`], [`Scene::histogram`], [`Scene::show_parts`] |
/// | know | [`Scene::size`], [`Scene::bounds`], [`Scene::crs`], [`Scene::band_count`], [`Scene::classes`], [`Scene::report`] |
/// | join files | [`Scene::stack`], [`Scene::mosaic`], [`Scene::series`] |
/// | use dates | [`Scene::dates`], [`Scene::on_date`], [`Scene::composite`], [`Scene::fill_dates`], [`Scene::show_series`] |
/// | change bands | [`Scene::with_index`], [`Scene::with_band`], [`Scene::with_transforms`] |
/// | use a part | [`Scene::split`], [`Scene::crop`], [`Scene::with_aoi`], [`Scene::split_by_aoi`] |
/// | train on it | [`Scene::chips`] |
/// | read pixels | [`Scene::read`], [`Scene::label_window`], [`Scene::statistics`], [`Scene::raster`] |
#[derive(Clone)]
pub struct Scene {
    pub(super) inner: Arc<Inner>,
}

#[derive(Clone, Debug)]
pub(super) struct Inner {
    pub(super) raster: Raster,
    pub(super) classes: Classes,
    pub(super) labels: Option<Labeling>,
    /// Given as boxes, or around the label polygons.
    pub(super) boxes: Option<BoxLabels>,
    /// Those of the area in use, where that is a part, once they were asked for.
    pub(super) boxes_in_use: OnceLock<Vec<Annotation>>,
    pub(super) area: PixelWindow,
    pub(super) aoi: Option<AreaOfInterest>,
    /// Where labels are complete.
    pub(super) labeled: Option<AreaOfInterest>,
    /// Whether labels are complete only where something is drawn.
    pub(super) labeled_only: bool,
    /// How cells get their classes.
    pub(super) cells: Option<CellRule>,
    /// The class of the whole, where it is known.
    pub(super) whole: Option<WholeClass>,
    /// What concerns the scene as a whole or its area of interest.
    pub(super) report: Report,
    pub(super) statistics: OnceLock<Vec<BandStatistics>>,
    /// The set of chips that it is one of.
    pub(super) of_set: Option<OfSet>,
}

impl Scene {
    /// Opens any raster that GDAL reads as a scene without labels, all of it in use.
    ///
    /// An image of one band with a palette is one of red, green and blue, which the report says.
    ///
    /// # Errors
    /// [`crate::raster::RasterError`] when there is no such file, it is empty, it is not a raster, or it is one of several
    /// that must be named.
    #[doc(alias = "read_file")]
    #[doc(alias = "load")]
    #[doc(alias = "imread")]
    #[doc(alias = "from_file")]
    #[doc(alias = "open_rasterio")]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, OpenOptions::new())
    }

    /// Opens a raster with bands, nodata values or masks other than its file says.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open_with("rgbn.tif", OpenOptions::new().bands([3, 0, 1]).nodata(0.0))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scene::open`]; [`crate::raster::RasterError::NoSuchBand`].
    #[doc(alias = "read_with")]
    pub fn open_with(path: impl AsRef<Path>, options: impl Borrow<OpenOptions>) -> Result<Self> {
        let options = options.borrow().clone().for_scene();
        Ok(Self::of(Raster::open_with(path, options)?))
    }

    /// Opens a raster at another pixel size than its own: resampled while it is read, bilinear or averaged, so that scenes
    /// of several resolutions serve one model, or small objects become large enough for it. Labels, boxes, predictions and
    /// saved files are on the new grid, at the same place on the ground.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open_at("planet.tif", Resolution::Meters(2.4))?.with_labels("buildings.geojson", "building")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scene::open`]; [`crate::raster::RasterError::BadResolution`].
    #[doc(alias = "resample")]
    pub fn open_at(path: impl AsRef<Path>, resolution: Resolution) -> Result<Self> {
        Self::open_with(path, OpenOptions::new().at(resolution))
    }

    /// The same file opened with other bands on the same grid; labels, area and all else stay.
    pub(crate) fn reopened(&self, options: OpenOptions) -> Result<Self> {
        let raster = Raster::open_with(self.raster().path(), options)?;
        Ok(self.with_raster(raster))
    }

    /// The same scene with something more to say of it.
    pub(crate) fn with_notice(&self, notice: crate::report::Notice) -> Self {
        self.changed(|inner| inner.report.push(notice))
    }

    /// Other bands on the same grid; labels, area and all else stay.
    pub(super) fn with_raster(&self, raster: Raster) -> Self {
        self.changed(|inner| {
            inner.raster = raster;
            inner.statistics = OnceLock::new();
            inner.of_set = inner.of_set.as_ref().map(OfSet::changed);
        })
    }

    pub(super) fn of(raster: Raster) -> Self {
        let area = raster.full();
        let classes = Classes::new(Vec::<String>::new());
        let statistics = OnceLock::new();
        Self {
            inner: Arc::new(Inner {
                raster,
                classes,
                labels: None,
                boxes: None,
                boxes_in_use: OnceLock::new(),
                area,
                aoi: None,
                labeled: None,
                labeled_only: false,
                cells: None,
                whole: None,
                report: Report::new(),
                statistics,
                of_set: None,
            }),
        }
    }

    /// Columns and rows of the area in use: all of the scene, unless it was split or cropped.
    #[must_use]
    #[doc(alias = "shape")]
    #[doc(alias = "width")]
    #[doc(alias = "height")]
    #[doc(alias = "dimensions")]
    #[doc(alias = "dims")]
    #[doc(alias = "len")]
    pub fn size(&self) -> (usize, usize) {
        (self.inner.area.width, self.inner.area.height)
    }

    /// The imagery.
    #[must_use]
    #[doc(alias = "transform")]
    #[doc(alias = "profile")]
    #[doc(alias = "src")]
    #[doc(alias = "image")]
    pub fn raster(&self) -> &Raster {
        &self.inner.raster
    }

    /// The classes of the labels, index 0 the background; the background alone when there are no labels. Their colors
    /// were chosen against the imagery when the labels were given, unless somebody had chosen them before.
    #[must_use]
    #[doc(alias = "class_names")]
    #[doc(alias = "categories")]
    #[doc(alias = "num_classes")]
    #[doc(alias = "class_config")]
    pub fn classes(&self) -> &Classes {
        &self.inner.classes
    }

    /// Bands with imagery; an alpha band is not counted unless the scene was opened so.
    #[must_use]
    #[doc(alias = "count")]
    #[doc(alias = "bands")]
    #[doc(alias = "num_bands")]
    #[doc(alias = "n_bands")]
    #[doc(alias = "channels")]
    pub fn band_count(&self) -> usize {
        self.inner.raster.band_count()
    }

    /// The window in use, in pixels of the whole raster.
    #[must_use]
    pub fn area(&self) -> PixelWindow {
        self.inner.area
    }

    /// The polygons that the scene is limited to, when it is.
    #[must_use]
    #[doc(alias = "area_of_interest")]
    pub fn aoi(&self) -> Option<&AreaOfInterest> {
        self.inner.aoi.as_ref()
    }

    /// Whether there are labels for each pixel; boxes alone are none ([`Scene::has_boxes`]).
    #[must_use]
    pub fn has_labels(&self) -> bool {
        self.inner.labels.is_some()
    }

    /// The label polygons in pixel coordinates of the raster, with their class indices, without those of the background, such
    /// as the ones that [`Scene::only`] leaves out; empty without labels and for labels that come from a raster.
    #[must_use]
    pub fn label_polygons(&self) -> &[(MultiPolygon<f64>, u8)] {
        let polygons = self.inner.labels.as_ref().and_then(Labeling::polygons);
        polygons.map_or(&[], LabelPolygons::of_classes)
    }

    /// How many polygons labels are drawn from, those that make background of others among them.
    pub(crate) fn drawn_polygons(&self) -> usize {
        let polygons = self.inner.labels.as_ref().and_then(Labeling::polygons);
        polygons.map_or(0, |polygons| polygons.polygons().len())
    }

    /// Whether a property of the label file's features names their classes; `None` without labels from features.
    pub(crate) fn is_labeled_by_property(&self) -> Option<bool> {
        let drawn = self.inner.labels.as_ref()?.drawn.as_ref()?;
        (drawn.report.features > 0).then_some(drawn.by_property)
    }

    /// What reading the label files met, all together: features left out or mended; `None` without labels from a vector file.
    #[must_use]
    pub fn label_report(&self) -> Option<&ReadReport> {
        let drawn = self.inner.labels.as_ref()?.drawn.as_ref();
        drawn.map(|drawn| &drawn.report)
    }

    /// Everything that was left out, assumed, repaired or converted on the way from the files to this scene: of the
    /// imagery, the labels, the boxes and the area of interest, with counts and the next step. A cell shows it under the
    /// picture.
    #[must_use]
    #[doc(alias = "info")]
    #[doc(alias = "warnings")]
    pub fn report(&self) -> Report {
        let labels = self.inner.labels.as_ref().map(Labeling::notices);
        let boxes = self.inner.boxes.as_ref().map(|boxes| &boxes.report);
        [
            Some(self.raster().report()),
            labels.as_ref(),
            boxes,
            Some(&self.inner.report),
        ]
        .into_iter()
        .flatten()
        .flatten()
        .cloned()
        .chain(self.labeled_only_notice())
        .collect()
    }

    /// What of [`Scene::report`] is about the imagery: what is drawn over a map of it, not what its labels were read as.
    pub(crate) fn imagery_report(&self) -> Report {
        let of_raster = self.raster().report().clone();
        of_raster
            .into_iter()
            .chain(self.inner.report.clone())
            .collect()
    }

    /// The file's name without its extension, and the area where it is not the whole.
    #[must_use]
    #[doc(alias = "filename")]
    #[doc(alias = "path")]
    pub fn name(&self) -> String {
        let stem = self
            .inner
            .raster
            .path()
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if self.inner.area == self.inner.raster.full() {
            stem
        } else {
            format!("{stem} ({})", self.inner.area)
        }
    }

    /// The same scene with something changed.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = (*self.inner).clone();
        inner.boxes_in_use = OnceLock::new();
        change(&mut inner);
        let changed = Self {
            inner: Arc::new(inner),
        };
        changed.colored(self.classes())
    }
}

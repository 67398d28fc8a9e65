use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::blend_strip::NODATA;
use crate::Result;
use crate::evaluate::{Confusion, EvaluateError, Scores};
use crate::labels::Classes;
use crate::models::TrainedArea;
use crate::raster::{Patch, PixelWindow, Raster, Resolution, Size};
use crate::report::Report;
use crate::scene::Scene;
use crate::session;

/// A predicted scene: a class for every pixel, and every class's score. Cheap to clone; its working files lie in the
/// system's folder for temporary files (`TMPDIR`) until the last clone is dropped.
///
/// As the last expression of a cell it shows itself over the imagery. [`SceneMap::evaluate`] scores it,
/// [`SceneMap::save`] writes GIS files, [`SceneMap::objects`] measures what was found, [`SceneMap::threshold`] changes how
/// much that is, [`SceneMap::errors`] and [`SceneMap::worst`] show where it is wrong.
///
/// | to | methods |
/// |---|---|
/// | score | [`SceneMap::evaluate`], [`SceneMap::errors`], [`SceneMap::worst`] |
/// | decide anew | [`SceneMap::threshold`], [`SceneMap::best_threshold`] |
/// | measure | [`SceneMap::objects`] |
/// | look | [`SceneMap::zoom`], [`SceneMap::show_bands`] |
/// | save | [`SceneMap::save`], [`SceneMap::save_with`] |
#[derive(Clone)]
pub struct SceneMap {
    pub(super) inner: Arc<Inner>,
    /// What prediction had to say.
    report: Report,
    /// What the models were trained on.
    trained: Vec<TrainedArea>,
}

pub(super) struct Inner {
    pub(super) labels: Raster,
    pub(super) scores: Option<Raster>,
    pub(super) classes: Classes,
    pub(super) scene: Scene,
    /// The pixels of the scene's raster that the map covers.
    pub(super) area: PixelWindow,
    /// The least probability of a class other than background, where there is one.
    pub(super) threshold: Option<f32>,
    /// The map as it was predicted, when this one has another threshold: its working files hold the scores.
    pub(super) predicted: Option<Arc<Self>>,
    /// The latest evaluation, which is saved with the map.
    pub(super) evaluated: Mutex<Option<Scores>>,
    /// Dropped after the rasters above, which read from it.
    _folder: tempfile::TempDir,
}

impl SceneMap {
    pub(super) fn new(
        folder: tempfile::TempDir,
        (labels, scores): (Raster, Option<Raster>),
        classes: Classes,
        scene: Scene,
        area: PixelWindow,
        threshold: Option<f32>,
    ) -> Self {
        let evaluated = Mutex::new(None);
        // One class has one color in the pictures of a scene, of its chips and of its maps.
        let classes = classes.in_colors_of(scene.classes());
        Self {
            inner: Arc::new(Inner {
                labels,
                scores,
                classes,
                scene,
                area,
                threshold,
                predicted: None,
                evaluated,
                _folder: folder,
            }),
            report: Report::new(),
            trained: Vec::new(),
        }
    }

    /// This map, which knows what its models were trained on.
    pub(crate) fn of_models(mut self, trained: impl IntoIterator<Item = TrainedArea>) -> Self {
        self.trained.extend(trained);
        self
    }

    /// The same prediction with other classes at some pixels, by another threshold.
    pub(super) fn relabeled(
        &self,
        folder: tempfile::TempDir,
        labels: Raster,
        threshold: f32,
    ) -> Self {
        let predicted = self.predicted();
        Self {
            inner: Arc::new(Inner {
                labels,
                scores: predicted.scores.clone(),
                classes: predicted.classes.clone(),
                scene: predicted.scene.clone(),
                area: predicted.area,
                threshold: Some(threshold),
                predicted: Some(Arc::clone(predicted)),
                evaluated: Mutex::new(None),
                _folder: folder,
            }),
            report: self.report.clone(),
            trained: self.trained.clone(),
        }
    }

    /// What was predicted, whatever threshold this map has.
    pub(super) fn predicted(&self) -> &Arc<Inner> {
        self.inner.predicted.as_ref().unwrap_or(&self.inner)
    }

    /// This map with what else there is to say.
    pub(crate) fn with_report(mut self, report: Report) -> Self {
        self.report.extend(report);
        self
    }

    /// The classes.
    #[must_use]
    #[doc(alias = "class_names")]
    #[doc(alias = "categories")]
    #[doc(alias = "num_classes")]
    pub fn classes(&self) -> &Classes {
        &self.inner.classes
    }

    /// What a person should know about the prediction, such as values unlike those of the training.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The scene that was predicted.
    #[must_use]
    #[doc(alias = "raster")]
    pub fn scene(&self) -> &Scene {
        &self.inner.scene
    }

    /// The pixels of the scene's raster that the map covers.
    #[must_use]
    #[doc(alias = "bounds")]
    #[doc(alias = "extent")]
    pub fn area(&self) -> PixelWindow {
        self.inner.area
    }

    /// Columns and rows of the map.
    #[must_use]
    #[doc(alias = "shape")]
    #[doc(alias = "width")]
    #[doc(alias = "height")]
    pub fn size(&self) -> (usize, usize) {
        (self.inner.area.width, self.inner.area.height)
    }

    /// The working file of the class map: one byte a pixel, a class index, or 255 where the imagery is not valid. It
    /// disappears with the map.
    #[must_use]
    pub fn labels_path(&self) -> &Path {
        self.inner.labels.path()
    }

    /// The working file of the scores, when they were kept: one band per class, as [`crate::predict::ScoreType`] says,
    /// unless chosen otherwise the probability times 254, 255 where the imagery is not valid. It disappears with the map.
    #[must_use]
    #[doc(alias = "probabilities")]
    pub fn scores_path(&self) -> Option<&Path> {
        self.inner.scores.as_ref().map(Raster::path)
    }

    /// Class indices of a window in the pixels of the scene's raster; 255 where there is none.
    ///
    /// # Shapes
    /// returns: `[height, width]`
    ///
    /// # Errors
    /// [`crate::raster::RasterError`] when the working file cannot be read.
    #[doc(alias = "read")]
    #[doc(alias = "argmax")]
    #[doc(alias = "array")]
    #[doc(alias = "class_map")]
    #[doc(alias = "to_numpy")]
    #[doc(alias = "get_label_arr")]
    pub fn labels(&self, window: &PixelWindow) -> Result<Vec<u8>> {
        Ok(label_values(&self.inner.labels.read(&self.in_map(window))?))
    }

    /// Class indices of the whole map at another size, by the nearest pixel.
    pub(super) fn labels_scaled(&self, size: Size) -> Result<Vec<u8>> {
        self.labels_at(&self.inner.area, size)
    }

    /// Class indices of a window, in the pixels of the scene's raster, at another size, by the nearest pixel.
    pub(super) fn labels_at(&self, window: &PixelWindow, size: Size) -> Result<Vec<u8>> {
        let read = self.inner.labels.read_nearest(&self.in_map(window), size)?;
        Ok(label_values(&read))
    }

    /// `window`, in pixels of the scene's raster, in those of the working files.
    pub(super) fn in_map(&self, window: &PixelWindow) -> PixelWindow {
        PixelWindow {
            col: window.col - self.inner.area.col,
            row: window.row - self.inner.area.row,
            ..*window
        }
    }

    /// Scores the map against the labels of `scene`, over the pixels that both cover: the scene that was predicted, or
    /// a part of it, such as the side that training did not see. Where the model was trained on these pixels, the scores
    /// say so, with the share ([`Scores::report`]).
    ///
    /// # Errors
    /// [`EvaluateError::NoLabels`], [`EvaluateError::NoOverlap`], [`EvaluateError::OtherGrid`],
    /// [`EvaluateError::ClassesDiffer`] when the two cannot be compared.
    #[doc(alias = "score")]
    #[doc(alias = "accuracy")]
    #[doc(alias = "compare")]
    pub fn evaluate(&self, scene: &Scene) -> Result<Scores> {
        let scores = self.compared(scene)?;
        *self
            .inner
            .evaluated
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(scores.clone());
        Ok(scores)
    }

    /// [`SceneMap::evaluate`] without keeping what was found.
    pub(super) fn compared(&self, scene: &Scene) -> Result<Scores> {
        let common = self.common_with(scene)?;
        let scores = compare(&self.inner.classes, scene, self.inner.area, |window| {
            self.labels(window)
        })?;
        Ok(scores.with_report(self.seen(scene, common)))
    }

    /// Says when the models were trained on a window of `scene`, and when that is not the scene of the map.
    pub(super) fn seen(&self, scene: &Scene, window: PixelWindow) -> Report {
        scene.report_scored(self.inner.scene.raster().path(), window, &self.trained)
    }

    /// The pixels that the map and the labels of `scene` both cover, when the two can be compared.
    ///
    /// # Errors
    /// As [`SceneMap::evaluate`].
    pub(super) fn common_with(&self, scene: &Scene) -> Result<PixelWindow> {
        scene.check_grid(self.inner.scene.raster())?;
        common(&self.inner.classes, scene, self.inner.area)
    }

    /// Whether another map has the same pixels.
    ///
    /// # Errors
    /// [`EvaluateError::OtherGrid`], [`EvaluateError::NoOverlap`].
    pub(super) fn check_same_pixels(&self, other: &Self) -> Result<()> {
        other.scene().check_grid(self.inner.scene.raster())?;
        if self.inner.area == other.inner.area {
            return Ok(());
        }
        Err(EvaluateError::NoOverlap {
            map: self.inner.area,
            scene: other.inner.area,
            name: other.scene().name(),
        }
        .into())
    }

    /// What [`SceneMap::evaluate`] found last.
    #[must_use]
    #[doc(alias = "metrics")]
    pub fn scores(&self) -> Option<Scores> {
        self.inner
            .evaluated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Scores class indices, read window by window in the pixels of the scene's raster, against the scene's labels.
fn compare(
    classes: &Classes,
    scene: &Scene,
    area: PixelWindow,
    read: impl Fn(&PixelWindow) -> Result<Vec<u8>>,
) -> Result<Scores> {
    let common = common(classes, scene, area)?;
    let mut confusion = Confusion::named(classes.names());
    for window in common.tiles(Size {
        width: 1024,
        height: 1024,
    }) {
        session::check_interrupt("evaluating the map")?;
        confusion.add(&scene.label_window(&window)?, &read(&window)?)?;
    }
    if confusion.total() == 0 {
        let scene = scene.name();
        return Err(EvaluateError::NoLabels { scene }.into());
    }
    Ok(confusion.scores())
}

/// The pixels that a map of `area` and a labeled scene share.
fn common(classes: &Classes, scene: &Scene, area: PixelWindow) -> Result<PixelWindow> {
    if !scene.has_labels() {
        let scene = scene.name();
        return Err(EvaluateError::NoLabels { scene }.into());
    }
    scene.check_classes(classes)?;
    Ok(scene.shared_area(area)?)
}

/// Scores a saved class map, such as the `labels.tif` of [`SceneMap::save`], against the labels of a scene. The classes
/// are the map's category names, or the scene's when it has none; the map may cover a part of the scene.
///
/// # Errors
/// As [`SceneMap::evaluate`]; [`EvaluateError::OtherGrid`] also when the map's pixels do not lie on the scene's.
pub fn score_class_map(map: &Raster, scene: &Scene) -> Result<Scores> {
    let area = placed_on(map, scene)?;
    let names = map.category_names();
    let classes = if names.is_empty() {
        scene.classes().clone()
    } else {
        Classes::new(names.into_iter().skip(1))
    };
    compare(&classes, scene, area, |window| {
        let window = PixelWindow {
            col: window.col - area.col,
            row: window.row - area.row,
            ..*window
        };
        Ok(label_values(&map.read(&window)?))
    })
}

/// The pixels of a scene that a saved map covers.
///
/// # Errors
/// [`EvaluateError::OtherGrid`] when its pixels do not lie on the scene's.
pub(super) fn placed_on(map: &Raster, scene: &Scene) -> Result<PixelWindow> {
    placed_among(map, scene.raster()).ok_or_else(|| {
        let path = scene.raster().path().to_owned();
        crate::Error::from(EvaluateError::OtherGrid {
            expected: map.size(),
            found: scene.raster().size(),
            path,
        })
    })
}

/// The pixels of a scene's raster that a saved map covers; `None` when its pixels do not lie on these.
fn placed_among(map: &Raster, raster: &Raster) -> Option<PixelWindow> {
    let (own, other) = (map.transform(), raster.transform());
    let (col, row) = other.pixel_from_world((own.0[0], own.0[3]));
    // A hundredth of a pixel: what formats lose when they store a transform.
    let close = |left: f64, right: f64, scale: f64| {
        (left - right).abs() <= 0.01 * scale.abs().max(f64::MIN_POSITIVE)
    };
    let whole = |value: f64| close(value, value.round(), 1.0);
    let steps = [1, 2, 4, 5];
    let per_pixel = other.0[1].abs().max(other.0[2].abs());
    let last = map.size().width.max(map.size().height).max(1) as f64;
    let on_grid = whole(col)
        && whole(row)
        && steps
            .iter()
            .all(|&at| close(own.0[at] * last, other.0[at] * last, per_pixel));
    on_grid.then(|| PixelWindow {
        col: col.round() as i64,
        row: row.round() as i64,
        ..map.full()
    })
}

/// How to open the file of a scene so that its pixels are those of a map that was predicted at another pixel size; `None`
/// where they are already, and where no pixel size makes them the same.
pub(crate) fn pixel_size_of(map: &Raster, scene: &Scene) -> Option<Resolution> {
    let raster = scene.raster();
    if placed_on(map, scene).is_ok() {
        return None;
    }
    let (size, placed) = (raster.size(), map.is_georeferenced());
    let (own, other) = (
        map.transform().pixel_edges(),
        raster.transform().pixel_edges(),
    );
    // The whole scene's columns and rows at that size. Without a place the map covers all of the scene.
    let wanted = |length: usize, own: f64, other: f64, of_map: usize| match placed {
        true => (length as f64 * other / own).round(),
        false => of_map as f64,
    };
    let wide = wanted(size.width, own.0, other.0, map.size().width);
    let high = wanted(size.height, own.1, other.1, map.size().height);
    // What opening rounds to these: one number that is the same along both axes.
    let range = |length: usize, wanted: f64, edge: f64| {
        let length = length as f64 * edge;
        ((wanted - 0.5) / length, (wanted + 0.5) / length)
    };
    let within = |edges: (f64, f64)| {
        let ((a, b), (c, d)) = (
            range(size.width, wide, edges.0),
            range(size.height, high, edges.1),
        );
        let (low, high) = (a.max(c), b.min(d));
        (low > 0.0 && low < high).then(|| f64::midpoint(low, high))
    };
    let meters = raster.gsd().and_then(within);
    let meters = meters.map(|per_meter| Resolution::Meters(1.0 / per_meter));
    let factor = within((1.0, 1.0)).map(Resolution::Factor);
    [factor, meters].into_iter().flatten().find(|&resolution| {
        let opened = raster.at(resolution);
        opened.is_ok_and(|at| placed_among(map, &at).is_some())
    })
}

/// Class indices out of a patch; 255 where it is invalid.
pub(super) fn label_values(patch: &Patch) -> Vec<u8> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the file holds bytes"
    )]
    let label = |(value, valid): (&f32, &u8)| if *valid == 0 { NODATA } else { *value as u8 };
    patch.data.iter().zip(&patch.valid).map(label).collect()
}

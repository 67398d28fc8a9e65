//! Labels that come as a raster: whose values mean which class, and where its pixels lie on the scene.

use std::path::Path;

use super::labelling::Labelling;
use super::{Scene, SceneError};
use crate::Result;
use crate::labels::{Classes, IGNORE};
use crate::raster::{Patch, PixelWindow, Raster, Size, crs, under_centres};
use crate::report::Report;

/// A raster of labels on a scene.
#[derive(Clone, Debug)]
pub(super) struct LabelRaster {
    pub(super) raster: Raster,
    /// The class of each value.
    pub(super) meaning: Vec<u8>,
    /// What was left out or assumed.
    pub(super) report: Report,
}

impl Scene {
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
        let (own, other) = (self.raster().crs_wkt(), raster.crs_wkt());
        if !own.is_empty() && !other.is_empty() && !crs::same(&own, &other) {
            return Err(SceneError::LabelRasterCrs {
                path: raster.path().to_owned(),
                expected: self.raster().crs_name(),
                found: raster.crs_name(),
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
            inner.labels = Some(Labelling::Raster(LabelRaster {
                raster,
                meaning,
                report: Report::new(),
            }));
            inner.boxes = None;
        }))
    }

    /// The classes under the centres of `size` pixels over the window.
    pub(super) fn labels_from_raster(
        &self,
        labels: &LabelRaster,
        window: &PixelWindow,
        size: Size,
    ) -> Result<Vec<u8>> {
        let LabelRaster {
            raster, meaning, ..
        } = labels;
        let same_grid = raster.transform() == self.raster().transform()
            && raster.size() == self.raster().size();
        let values = match same_grid {
            true if size == window.size() => raster.read(window)?,
            true => picked(&raster.read(window)?, size),
            false => self.nearest_labels(raster, window, size)?,
        };
        values
            .band(0)
            .iter()
            .zip(&values.valid)
            .map(|(&value, &valid)| match (valid, value) {
                (0, _) => Ok(IGNORE),
                (_, value) if value == f32::from(IGNORE) => Ok(IGNORE),
                (_, value)
                    if value >= 0.0 && value < meaning.len() as f32 && value.fract() == 0.0 =>
                {
                    Ok(meaning[value as usize])
                }
                (_, value) => Err(SceneError::UnknownClass {
                    path: raster.path().to_owned(),
                    found: value.to_string(),
                    classes: self
                        .classes()
                        .iter()
                        .enumerate()
                        .map(|(index, class)| format!("{index} {}", class.name))
                        .collect(),
                }
                .into()),
            })
            .collect()
    }

    /// The label raster's values under the centres of `size` pixels over the window.
    fn nearest_labels(&self, raster: &Raster, window: &PixelWindow, size: Size) -> Result<Patch> {
        let (scene, labels) = (self.raster().transform(), raster.transform());
        let source =
            |col: f64, row: f64| labels.pixel_from_world(scene.world_from_pixel((col, row)));
        let corners = [
            source(window.col as f64, window.row as f64),
            source(window.right() as f64, window.row as f64),
            source(window.col as f64, window.bottom() as f64),
            source(window.right() as f64, window.bottom() as f64),
        ];
        let low = corners.iter().fold((f64::MAX, f64::MAX), |low, p| {
            (low.0.min(p.0), low.1.min(p.1))
        });
        let high = corners.iter().fold((f64::MIN, f64::MIN), |high, p| {
            (high.0.max(p.0), high.1.max(p.1))
        });
        let wanted = PixelWindow::new(
            low.0.floor() as i64,
            low.1.floor() as i64,
            (high.0.ceil() - low.0.floor()).max(1.0) as usize,
            (high.1.ceil() - low.1.floor()).max(1.0) as usize,
        );
        let mut found = Patch::invalid(size, 1);
        let Some(wanted) = raster.full().intersect(&wanted) else {
            return Ok(found);
        };
        let read = raster.read(&wanted)?;
        let centre = |at: usize, origin: i64, from: usize, to: usize| {
            origin as f64 + (at as f64 + 0.5) * from as f64 / to as f64
        };
        for pixel in 0..size.area() {
            let (col, row) = (pixel % size.width, pixel / size.width);
            let at = source(
                centre(col, window.col, window.width, size.width),
                centre(row, window.row, window.height, size.height),
            );
            let (col, row) = (at.0.floor() as i64, at.1.floor() as i64);
            if wanted.contains_pixel(col, row)
                && let Some(value) =
                    read.value(0, (row - wanted.row) as usize, (col - wanted.col) as usize)
            {
                found.data[pixel] = value;
                found.valid[pixel] = 1;
            }
        }
        Ok(found)
    }
}

/// The pixels of one band that lie under the centres of `size` pixels.
fn picked(patch: &Patch, size: Size) -> Patch {
    Patch {
        size,
        bands: 1,
        data: under_centres(patch.band(0), patch.size, size),
        valid: under_centres(&patch.valid, patch.size, size),
    }
}

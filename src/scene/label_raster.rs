//! Labels that come as a raster: whose values mean which class, and where its pixels lie on the scene.

use std::path::Path;

use super::Scene;
use super::drawn::Labeling;
use super::label_place::{Place, place};
use super::label_reading::reading;
use super::label_style::labels_of;
use crate::Result;
use crate::labels::{Found, LabelError, LabelValues, Resolved, ValueMap, resolve};
use crate::raster::{LabelFile, PixelMap, PixelWindow, Reading, Size, under_centers};
use crate::report::{Report, file_name};

/// Pixels of a label raster that are held at a time.
const MOST_HELD: usize = 1 << 24;

/// A raster of labels on a scene.
#[derive(Clone, Debug)]
pub(super) struct LabelRaster {
    file: LabelFile,
    reading: Reading,
    /// From the scene's pixels to the file's.
    map: PixelMap,
    /// Whether these are the same pixels.
    same_grid: bool,
    /// The class of each value.
    values: ValueMap,
    /// What was left out or assumed.
    pub(super) report: Report,
}

impl Scene {
    /// Labels the scene with a raster: each pixel takes the label under its center, as in
    /// `rasterio.warp.reproject(…, resampling=Resampling.nearest)`: where the center lies on a corner of label pixels, as it
    /// does under labels of half the pixel size, the one to the lower right. [`crate::labels::Classes`] say that
    /// values are class indices with 0 as the background; [`LabelValues`] says what other values mean.
    ///
    /// The values under the scene are counted when the raster is opened, and each must mean something. Nodata and
    /// transparent pixels, and pixels beyond the label raster, are ignored; so is 255 among class indices, which
    /// [`Scene::report`] counts. A nodata value of 0 is the background.
    ///
    /// The label raster's grid, pixel size and coordinate reference system may be others than the scene's. Without a place
    /// on the ground it must have the scene's own size.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let indices = Scene::open("a.tif")?.with_label_raster("classes.tif", Classes::new(["road", "building"]))?;
    /// let mask = Scene::open("a.tif")?.with_label_raster("mask.png", LabelValues::binary("building"))?;
    /// let codes = LabelValues::codes([(10, "tree"), (50, "built"), (80, "water")]).others_are_background();
    /// let cover = Scene::open("a.tif")?.with_label_raster("worldcover.tif", codes)?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`LabelError`]: values without a meaning are listed with their pixels and with code that names them; files that lie
    /// elsewhere, or without a place, are told with both extents or sizes.
    #[doc(alias = "with_mask")]
    #[doc(alias = "set_mask")]
    #[doc(alias = "add_mask")]
    #[doc(alias = "with_segmentation")]
    pub fn with_label_raster(
        &self,
        path: impl AsRef<Path>,
        labels: impl Into<LabelValues>,
    ) -> Result<Self> {
        self.clone().labeled_by(path.as_ref(), &labels.into())
    }

    fn labeled_by(self, path: &Path, labels: &LabelValues) -> Result<Self> {
        let mut file = LabelFile::open(path)?;
        let mut report = Report::new();
        for notice in file.raster.report() {
            let named = notice.subject().is_some();
            report.push(if named {
                notice.clone()
            } else {
                notice.clone().about(file_name(file.raster.path()))
            });
        }
        let Place {
            map,
            same_grid,
            covered,
        } = place(&self, &file.raster, &mut report)?;
        let (reading, counts) = reading(&file, labels, &covered, &mut report)?;
        let labels = &*labels_of(&mut file, labels, (&counts, reading.kind()), &mut report)?;
        let found = Found {
            path: file.raster.path().to_owned(),
            counts,
            unit: match same_grid {
                true => "pixels",
                false => "pixels of the label raster",
            },
            kind: reading.kind(),
            nodata: file.nodata(&reading),
            single: file.is_single(&reading),
            lossy: file.lossy.clone(),
            names: file.names.clone(),
        };
        let Resolved {
            classes,
            map: values,
            report: told,
        } = resolve(labels, &found)?;
        report.extend(told);
        Ok(self.changed(|inner| {
            inner.classes = classes;
            inner.labels = Some(Labeling {
                raster: Some(Box::new(LabelRaster {
                    file,
                    reading,
                    map,
                    same_grid,
                    values,
                    report,
                })),
                drawn: None,
            });
            inner.boxes = None;
            inner.whole = None;
        }))
    }
}

impl LabelRaster {
    /// The same raster with other labels.
    pub(super) fn relabeled(&self, becomes: &[u8; 256]) -> Self {
        Self {
            values: self.values.relabeled(becomes),
            ..self.clone()
        }
    }

    /// The labels under the centers of `size` pixels over a window of the scene.
    pub(super) fn labels(&self, window: &PixelWindow, size: Size) -> Result<Vec<u8>> {
        let numbers = if self.same_grid {
            let numbers = self.file.numbers(&self.reading, window)?;
            if size == window.size() {
                numbers
            } else {
                under_centers(&numbers, window.size(), size)
            }
        } else {
            let mut numbers = vec![f64::INFINITY; size.area()];
            let whole = PixelWindow::full(size);
            self.nearest(window, size, &whole, &mut numbers)?;
            numbers
        };
        self.values.labels(&numbers).map_err(|value| {
            let kind = self.reading.kind();
            LabelError::UnknownValues {
                path: self.file.raster.path().to_owned(),
                expected: "not among those that were there when it was opened".into(),
                unknown: kind.shown(value).into(),
                values: "no longer known".into(),
                suggestion: "open the scene and its labels again".into(),
            }
            .into()
        })
    }

    /// The numbers under the centers of the pixels in `part` of the picture of `size` over the window. Where these lie
    /// over too much of the label raster, one half follows the other.
    fn nearest(
        &self,
        window: &PixelWindow,
        size: Size,
        part: &PixelWindow,
        numbers: &mut [f64],
    ) -> Result<()> {
        let center = |at: i64, origin: i64, from: usize, to: usize| {
            origin as f64 + (at as f64 + 0.5) * from as f64 / to as f64
        };
        let columns: Vec<f64> = (part.col..part.right())
            .map(|col| center(col, window.col, window.width, size.width))
            .collect();
        let mut places = Vec::with_capacity(part.area());
        for row in part.row..part.bottom() {
            let row = center(row, window.row, window.height, size.height);
            places.extend(self.map.row(&columns, row)?);
        }
        let full = self.file.raster.full();
        let pixel = |&(x, y): &(f64, f64)| {
            // Casts saturate, so that far places lie outside as well.
            let (col, row) = (x.floor() as i64, y.floor() as i64);
            (x.is_finite() && y.is_finite() && full.contains_pixel(col, row)).then_some((col, row))
        };
        let (mut low, mut high) = ((i64::MAX, i64::MAX), (i64::MIN, i64::MIN));
        for (col, row) in places.iter().filter_map(pixel) {
            low = (low.0.min(col), low.1.min(row));
            high = (high.0.max(col), high.1.max(row));
        }
        if low.0 > high.0 {
            return Ok(());
        }
        let needed = PixelWindow::new(
            low.0,
            low.1,
            (high.0 - low.0 + 1) as usize,
            (high.1 - low.1 + 1) as usize,
        );
        if needed.area() > MOST_HELD && part.area() > 1 {
            let (one, other) = halves(part);
            self.nearest(window, size, &one, numbers)?;
            return self.nearest(window, size, &other, numbers);
        }
        let read = self.file.numbers(&self.reading, &needed)?;
        for (index, place) in places.iter().enumerate() {
            if let Some((col, row)) = pixel(place) {
                let (down, along) = (index / part.width, index % part.width);
                let at = (part.row as usize + down) * size.width + part.col as usize + along;
                let from = (row - low.1) as usize * needed.width + (col - low.0) as usize;
                numbers[at] = read[from];
            }
        }
        Ok(())
    }
}

/// A window cut in two across its longer side.
fn halves(window: &PixelWindow) -> (PixelWindow, PixelWindow) {
    let PixelWindow {
        col,
        row,
        width,
        height,
    } = *window;
    if height >= width {
        let half = height / 2;
        (
            PixelWindow::new(col, row, width, half),
            PixelWindow::new(col, row + half as i64, width, height - half),
        )
    } else {
        let half = width / 2;
        (
            PixelWindow::new(col, row, half, height),
            PixelWindow::new(col + half as i64, row, width - half, height),
        )
    }
}

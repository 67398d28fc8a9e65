//! From a class map to polygons on the ground, with area and mean score.

use std::path::Path;

use geo::{BoundingRect, MultiPolygon};

use super::blend_strip::FULL_SCORE;
use super::objects::{Object, Ruler, Unit, check_outlines};
use super::score_type::read_scores;
use super::{SaveOptions, SceneMap};
use crate::labels::rasterize;
use crate::raster::{PixelWindow, Raster, Size};
use crate::report::{Notice, Report};
use crate::vector::{LabelPolygon, Measured, Outliner, VectorWriter, polygonize_each};
use crate::{Result, session};

/// A polygon whose bounding box holds more pixels gets no mean score: a road network can span the scene, and reading
/// the scores under every such box would cost more than the prediction.
const LARGEST_SCORED_BOX: usize = 4096 * 4096;
/// Pixels of a box whose scores are read at once.
const SCORED_AT_ONCE: usize = 1 << 20;

impl SceneMap {
    /// Writes the polygons of the map into the folder `staged` in every format that was asked for. Polygons are traced once
    /// and not held.
    pub(super) fn write_polygons(&self, staged: &Path, options: &SaveOptions) -> Result<Report> {
        let min_area_m2 = options.min_area_m2;
        let mut report = Report::new();
        if min_area_m2 > 0.0 && self.inner.labels.gsd().is_none() {
            report.push(Notice::noted(format!(
                "the scene does not say how long a meter is on it: polygons below {min_area_m2} squares of its own \
                 coordinates are left out, not square meters"
            )));
        }
        let crs = self.inner.labels.crs_wkt();
        let longest = self.classes().names().iter().map(|name| name.len()).max();
        let mut writers = Vec::with_capacity(options.formats.len());
        for format in &options.formats {
            session::check_interrupt("saving the map")?;
            let path = staged.join(format!("polygons.{}", format.ending()));
            let writer = VectorWriter::polygons(&path, *format, &crs, longest.unwrap_or(1))?;
            writers.push(writer);
        }
        check_outlines(&options.outlines)?;
        let ruler = self.ruler();
        let units = Unit::of(self.scene().raster()).words();
        let mut outliner = Outliner::new(&options.outlines, ruler.edge())?.in_units(units);
        let least = min_area_m2.max(options.min_area_pixels * ruler.pixel_area());
        let small = self.trace(least, Some(&mut outliner), |object| {
            let numbers = [object.area_m2];
            let feature = Measured {
                geometry: &object.geometry,
                class: &object.class,
                score: object.score,
                numbers: &numbers,
            };
            writers
                .iter_mut()
                .try_for_each(|writer| writer.add(&feature))
        })?;
        if small > 0 {
            let limit = match options.min_area_pixels * ruler.pixel_area() >= min_area_m2 {
                true => format!("{} pixels", options.min_area_pixels),
                false => format!("{min_area_m2} {}", units[1]),
            };
            let text =
                format!("{small} areas below {limit}, which `labels.tif` has, are no polygons");
            report.push(Notice::left_out(text).count(small));
        }
        report.extend(outliner.report());
        for writer in writers {
            report.extend(writer.finish()?);
        }
        Ok(report)
    }

    /// What measures in the map's own pixels.
    pub(super) fn ruler(&self) -> Ruler {
        let labels = &self.inner.labels;
        Ruler::new(labels.nominal_gsd(), labels.transform())
    }

    /// All of [`SceneMap::trace`].
    pub(super) fn traced(&self, min_area_m2: f64) -> Result<Vec<Object>> {
        let mut objects = Vec::new();
        self.trace(min_area_m2, None, |object| {
            objects.push(object);
            Ok(())
        })?;
        Ok(objects)
    }

    /// The connected areas (pixels that share an edge) of every class but the background, in world coordinates, at
    /// least `min_area_m2` large on the ground. Returns how many are smaller.
    ///
    /// # Units
    /// Meters and square meters, from the pixel size on the ground at the scene's middle.
    fn trace(
        &self,
        min_area_m2: f64,
        mut outliner: Option<&mut Outliner<'_>>,
        mut each: impl FnMut(Object) -> Result<()>,
    ) -> Result<usize> {
        let ruler = self.ruler();
        let names = self.classes().names();
        let (mut number, mut small) = (0_usize, 0);
        polygonize_each(
            self.inner.labels.path(),
            |LabelPolygon { geometry, label }| {
                if number.is_multiple_of(64) {
                    session::check_interrupt("tracing polygons")?;
                }
                number += 1;
                let Some(class) = names.get(usize::from(label)) else {
                    return Ok(());
                };
                if ruler.area(&geometry) < min_area_m2 {
                    small += 1;
                    return Ok(());
                }
                let geometry = MultiPolygon::new(vec![geometry]);
                let score = match &self.inner.scores {
                    Some(scores) => mean_score(scores, &geometry, label)?,
                    None => None,
                };
                // The score is that of the pixels, whatever the outline becomes.
                let outlined = outliner.as_mut().map(|outliner| {
                    let parts = geometry.iter().map(|part| ruler.outlined(part, outliner));
                    parts.collect::<MultiPolygon<f64>>()
                });
                each(ruler.object(outlined.unwrap_or(geometry), class, score))
            },
        )?;
        Ok(small)
    }
}

/// Mean probability of class `label` over the pixels of a polygon in the map's own pixels.
fn mean_score(scores: &Raster, polygon: &MultiPolygon<f64>, label: u8) -> Result<Option<f32>> {
    let Some(bounds) = polygon.bounding_rect() else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "polygons of a map lie on its pixels"
    )]
    let window = PixelWindow {
        col: bounds.min().x as i64,
        row: bounds.min().y as i64,
        width: bounds.width() as usize,
        height: bounds.height() as usize,
    };
    if window.is_empty() || window.area() > LARGEST_SCORED_BOX {
        return Ok(None);
    }
    // All bands are read at once: by strips, so that a large box holds no more than a small one.
    let rows = (SCORED_AT_ONCE / window.width).clamp(1, window.height);
    let (mut sum, mut count) = (0.0, 0_usize);
    for strip in window.tiles(Size::new(window.width, rows)) {
        let inside = rasterize(&[(polygon.clone(), 1)], &strip);
        let patch = read_scores(scores, &strip)?;
        let pixels = strip.area();
        let plane = patch
            .data
            .get(usize::from(label) * pixels..)
            .unwrap_or_default();
        for (score, _) in plane
            .iter()
            .zip(&inside)
            .filter(|(_, inside)| **inside == 1)
        {
            sum += f64::from(*score);
            count += 1;
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a mean between 0 and 1"
    )]
    let mean = (sum / count as f64 / f64::from(FULL_SCORE)) as f32;
    Ok((count > 0).then_some(mean))
}

//! From a class map to polygons on the ground, with area and mean score.

use geo::{BoundingRect, MultiPolygon};

use super::SceneMap;
use super::blend_strip::FULL_SCORE;
use super::objects::{Object, Ruler};
use crate::display::Output;
use crate::labels::rasterize;
use crate::raster::{PixelWindow, Raster};
use crate::vector::{LabelPolygon, PolygonFeature, polygonize_raster};
use crate::{Result, session};

/// A polygon whose bounding box holds more pixels gets no mean score: a road network can span the scene, and reading
/// the scores under every such box would cost more than the prediction.
const LARGEST_SCORED_BOX: usize = 4096 * 4096;

impl SceneMap {
    /// [`SceneMap::traced`] as they are saved, with a notice where nobody knows the meter.
    pub(super) fn polygons(&self, min_area_m2: f64) -> Result<Vec<PolygonFeature>> {
        if min_area_m2 > 0.0 && self.inner.labels.gsd().is_none() {
            session::display(&Output::text(format!(
                "Notice: the scene does not say how long a meter is on it, so polygons below {min_area_m2} squares of its own \
                 coordinates are left out, not square meters."
            )));
        }
        let objects = self.traced(min_area_m2)?;
        Ok(objects.into_iter().map(PolygonFeature::from).collect())
    }

    /// The connected areas (pixels that share an edge) of every class but the background, in world coordinates, at
    /// least `min_area_m2` large on the ground.
    ///
    /// # Units
    /// Meters and square meters, from the pixel size on the ground at the scene's middle.
    pub(super) fn traced(&self, min_area_m2: f64) -> Result<Vec<Object>> {
        let labels = &self.inner.labels;
        let ruler = Ruler::new(labels.nominal_gsd(), labels.transform());
        let names = self.classes().names();
        let mut objects = Vec::new();
        for LabelPolygon { geometry, label } in polygonize_raster(labels.path())? {
            if objects.len() % 64 == 0 {
                session::check_interrupt("tracing polygons")?;
            }
            let Some(class) = names
                .get(usize::from(label))
                .filter(|_| ruler.area(&geometry) >= min_area_m2)
            else {
                continue;
            };
            let geometry = MultiPolygon::new(vec![geometry]);
            let score = match &self.inner.scores {
                Some(scores) => mean_score(scores, &geometry, label)?,
                None => None,
            };
            objects.push(ruler.object(&geometry, class, score));
        }
        Ok(objects)
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
    let inside = rasterize(&[(polygon.clone(), 1)], &window);
    let patch = scores.read(&window)?;
    let pixels = window.area();
    let plane = &patch.data[usize::from(label) * pixels..][..pixels];
    let hits = || {
        plane
            .iter()
            .zip(&inside)
            .filter(|(_, inside)| **inside == 1)
            .map(|(score, _)| f64::from(*score))
    };
    let count = hits().count();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a mean between 0 and 1"
    )]
    let mean = (hits().sum::<f64>() / count as f64 / f64::from(FULL_SCORE)) as f32;
    Ok((count > 0).then_some(mean))
}

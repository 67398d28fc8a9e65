//! Which polygons of a file lie on a scene, and what to say when none does.

use std::path::Path;

use geo::{BoundingRect, Intersects, MultiPolygon, Rect, coord};

use super::{Scene, SceneError};
use crate::raster::PixelWindow;
use crate::report::{Notice, file_name};
use crate::vector::VectorSource;

/// `[left, top, right, bottom]` in pixels of the whole raster.
type Extent = [f64; 4];

/// A shape in pixels and its class.
type Labeled = (MultiPolygon<f64>, u8);

/// Whether some of the shape lies in the window.
pub(super) fn lies_on(shape: &MultiPolygon<f64>, window: &PixelWindow) -> bool {
    let Some(bounds) = shape.bounding_rect() else {
        return false;
    };
    let area = window_rect(window);
    let (low, high) = (bounds.min(), bounds.max());
    if low.x >= area.max().x
        || high.x <= area.min().x
        || low.y >= area.max().y
        || high.y <= area.min().y
    {
        return false;
    }
    let within = low.x >= area.min().x
        && high.x <= area.max().x
        && low.y >= area.min().y
        && high.y <= area.max().y;
    within || shape.intersects(&area)
}

fn window_rect(window: &PixelWindow) -> Rect<f64> {
    Rect::new(
        coord! { x: window.col as f64, y: window.row as f64 },
        coord! { x: window.right() as f64, y: window.bottom() as f64 },
    )
}

/// The extent of all shapes.
fn extent<'a>(shapes: impl Iterator<Item = &'a MultiPolygon<f64>>) -> Option<Extent> {
    shapes
        .filter_map(BoundingRect::bounding_rect)
        .fold(None, |all, one| {
            let (low, high) = (one.min(), one.max());
            let one = [low.x, low.y, high.x, high.y];
            Some(all.map_or(one, |all: Extent| {
                [
                    all[0].min(one[0]),
                    all[1].min(one[1]),
                    all[2].max(one[2]),
                    all[3].max(one[3]),
                ]
            }))
        })
}

impl Scene {
    /// The labeled shapes that lie on the raster, and what is to be said about the others. Without any the scene is all
    /// background: where it lies within the extent of the labels, which cover more than one scene then, or when the
    /// caller allows it. `adding` to labels that are there, these stay. Of a file of which only what is `near` was read, the
    /// scene lies within the extent.
    pub(super) fn labels_on(
        &self,
        source: &VectorSource,
        shapes: Vec<Labeled>,
        (adding, near): (bool, bool),
    ) -> Result<(Vec<Labeled>, Option<Notice>), SceneError> {
        let full = self.raster().full();
        let about = file_name(source.path());
        let nothing = match adding {
            true => "it adds nothing",
            false => "every pixel is background",
        };
        if shapes.is_empty() && near {
            // Nothing near this scene; there is something elsewhere.
            return Ok((Vec::new(), None));
        }
        let Some(extent) = extent(shapes.iter().map(|(shape, _)| shape)) else {
            let text = format!("the file holds no features: {nothing}");
            return Ok((Vec::new(), Some(Notice::noted(text).about(about))));
        };
        let all = shapes.len();
        let on_scene: Vec<_> = shapes
            .into_iter()
            .filter(|(shape, _)| lies_on(shape, &full))
            .collect();
        let outside = all - on_scene.len();
        if !on_scene.is_empty() {
            let notice = (outside > 0).then(|| {
                let text = format!("{outside} of {all} polygons lie outside the scene");
                Notice::left_out(text).about(about).count(outside)
            });
            return Ok((on_scene, notice));
        }
        let touches = extent[0] <= full.right() as f64
            && extent[2] >= full.col as f64
            && extent[1] <= full.bottom() as f64
            && extent[3] >= full.row as f64;
        if !touches && !source.elsewhere && !near {
            let (labels, scene) = self.extents(extent);
            return Err(SceneError::NoOverlap {
                path: source.path().to_owned(),
                labels,
                scene,
                crs: self.raster().crs_name(),
            });
        }
        let where_it_lies = if touches || near {
            "which lies within their extent"
        } else {
            "and the caller allows it"
        };
        let text = format!("none of {all} polygons lies on the scene, {where_it_lies}: {nothing}");
        let notice = Notice::noted(text).about(about).count(all);
        Ok((
            Vec::new(),
            Some(notice.next("check that the file covers this scene, if it should show objects")),
        ))
    }

    /// The error for an area, `what` it is called, of which nothing lies on the scene.
    pub(super) fn area_elsewhere<'a>(
        &self,
        path: &Path,
        what: &'static str,
        shapes: impl Iterator<Item = &'a MultiPolygon<f64>>,
    ) -> SceneError {
        let (asked, scene) = match extent(shapes) {
            Some(extent) => self.extents(extent),
            None => ("nothing".to_owned(), self.extents([0.0; 4]).1),
        };
        SceneError::AreaElsewhere {
            path: path.to_owned(),
            what,
            asked,
            scene,
            crs: self.raster().crs_name(),
        }
    }

    /// An extent and that of the scene in the scene's own coordinates, which is where a wrong reference system shows.
    fn extents(&self, extent: Extent) -> (String, String) {
        let transform = self.raster().transform();
        let told = |[left, top, right, bottom]: Extent| {
            let (a, b) = (
                transform.world_from_pixel((left, top)),
                transform.world_from_pixel((right, bottom)),
            );
            format!(
                "x {:.5} to {:.5}, y {:.5} to {:.5}",
                a.0.min(b.0),
                a.0.max(b.0),
                a.1.min(b.1),
                a.1.max(b.1)
            )
        };
        let area = self.area();
        let scene = [
            area.col as f64,
            area.row as f64,
            area.right() as f64,
            area.bottom() as f64,
        ];
        (told(extent), told(scene))
    }
}

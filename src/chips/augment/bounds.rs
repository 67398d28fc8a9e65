//! Boxes of a chip that is moved or cut.

use super::plane_map::PlaneMap;
use crate::boxes::{Annotation, BoundingBox};
use crate::raster::Size;

/// The part of a box that lies in `region`, its area with it; the outline of a rotated one stays whole. `None` where less of the box than `min_visible` is left, as for
/// [`crate::scene::Scene::boxes_in`]; a crowd stays wherever it is touched.
pub(super) fn cut(one: Annotation, region: &BoundingBox, min_visible: f64) -> Option<Annotation> {
    let left = one.bounds.intersection(region)?;
    let share = left.area() / one.bounds.area();
    let kept = share > 0.0 && (one.crowd || share >= min_visible);
    kept.then(|| Annotation {
        bounds: left,
        area: one.area.map(|area| area * share),
        ..one
    })
}

/// The boxes around the moved corners, cut to the new image, and the outlines of rotated ones.
pub(super) fn moved(
    boxes: &[Annotation],
    map: &PlaneMap,
    size: Size,
    min_visible: f64,
) -> Vec<Annotation> {
    let image = image(size);
    let larger = map.determinant().abs();
    let moved = boxes.iter().filter_map(|one| {
        let moved = Annotation {
            bounds: map.bounds_of(&one.bounds),
            area: one.area.map(|area| area * larger),
            outline: one
                .outline
                .map(|outline| outline.map(|(x, y)| map.apply(x, y))),
            ..*one
        };
        cut(moved, &image, min_visible)
    });
    moved.collect()
}

/// An image as a box.
pub(super) fn image(size: Size) -> BoundingBox {
    BoundingBox::new(0.0, 0.0, size.width as f64, size.height as f64)
}

/// The box elsewhere by whole pixels.
pub(super) fn shifted(one: Annotation, right: i64, down: i64) -> Annotation {
    let (right, down) = (right as f64, down as f64);
    let outline = one.outline.map(|outline| outline.translate(right, down));
    one.with_bounds(one.bounds.translate(right, down))
        .with_outline(outline)
}

//! Chips under an affine map: imagery, labels and boxes alike.

use swath_cpu::warp::{bilinear, clear, nearest, pick};

use super::bounds;
use super::plane_map::PlaneMap;
use crate::boxes::Annotation;
use crate::labels::IGNORE;
use crate::raster::{Patch, Size};

/// Below this stretch the imagery is shrunk first, so that nothing aliases.
const SHRUNK: f64 = 0.75;

/// Imagery, labels and boxes of a window.
pub(super) struct Parts<'a> {
    pub(super) patch: &'a Patch,
    pub(super) labels: &'a [u8],
    pub(super) boxes: &'a [Annotation],
}

/// The same, moved: `map` leads from the pixels of `parts` to those of an image of `size`.
///
/// Each pixel is what its center comes from: its label is that of the old pixel there, and it is valid where that one is. Its
/// value is linear between the valid ones of the four around it. What comes from outside is invalid and ignored.
pub(super) fn warp(
    parts: &Parts<'_>,
    map: &PlaneMap,
    size: Size,
    min_visible: f64,
) -> (Patch, Vec<u8>, Vec<Annotation>) {
    let Parts {
        patch,
        labels,
        boxes,
    } = parts;
    let Some(back) = map.inverse() else {
        // Everything has become a line.
        let labels = vec![IGNORE; if labels.is_empty() { 0 } else { size.area() }];
        return (Patch::invalid(size, patch.bands), labels, Vec::new());
    };
    let (from, to) = (pair(patch.size), pair(size));
    let places = nearest(from, to, &back.0);
    let valid = pick(&patch.valid, &places, 0);
    let moved_labels = match labels.is_empty() {
        true => Vec::new(),
        false => pick(labels, &places, IGNORE),
    };
    let (mut data, lost) = imagery(patch, &back, map.stretch(), size);
    clear(&mut data, &valid);
    // What shrinking has left without a valid pixel nearby may have one under its center all the same.
    for pixel in lost.into_iter().filter(|&pixel| valid[pixel] != 0) {
        let place = places[pixel] as usize;
        for band in 0..patch.bands {
            let under = patch.data.get(band * patch.size.area() + place);
            data[band * size.area() + pixel] = under.copied().unwrap_or(0.0);
        }
    }
    let patch = Patch {
        size,
        bands: patch.bands,
        data,
        valid,
    };
    (
        patch,
        moved_labels,
        bounds::moved(boxes, map, size, min_visible),
    )
}

fn pair(size: Size) -> [usize; 2] {
    [size.height, size.width]
}

/// The values, and the pixels of an image that was shrunk that nothing valid was near to.
fn imagery(patch: &Patch, back: &PlaneMap, stretch: f64, size: Size) -> (Vec<f32>, Vec<usize>) {
    let whole = !patch.valid.contains(&0);
    let sampled = |source: &[f32], bands: usize, from: &Patch, back: &PlaneMap| {
        let valid = (!whole).then_some(from.valid.as_slice());
        bilinear(source, bands, pair(from.size), pair(size), &back.0, valid)
    };
    if stretch >= SHRUNK {
        return (sampled(&patch.data, patch.bands, patch, back), Vec::new());
    }
    let shorter =
        |length: usize| ((length as f64 * stretch).ceil() as usize).clamp(1, length.max(1));
    let (width, height) = (shorter(patch.size.width), shorter(patch.size.height));
    let small = patch.resized(Size::new(width, height));
    let part = |small: usize, full: usize| small as f64 / full.max(1) as f64;
    let shrink = PlaneMap::scaling(
        part(width, patch.size.width),
        part(height, patch.size.height),
        0.0,
        0.0,
    );
    let back = back.then(&shrink);
    let data = sampled(&small.data, patch.bands, &small, &back);
    if whole {
        return (data, Vec::new());
    }
    let near: Vec<f32> = small.valid.iter().map(|&valid| f32::from(valid)).collect();
    let near = sampled(&near, 1, &small, &back);
    let lost = (0..near.len()).filter(|&pixel| near[pixel] == 0.0);
    (data, lost.collect())
}

//! Chips under an affine map: imagery, labels and boxes alike.

use swath_cpu::warp::{OUTSIDE, bilinear, nearest};

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
    let pick = |plane: &[u8], outside: u8| -> Vec<u8> {
        let of = |&place: &u32| match place {
            OUTSIDE => outside,
            place => plane.get(place as usize).copied().unwrap_or(outside),
        };
        places.iter().map(of).collect()
    };
    let valid = pick(&patch.valid, 0);
    let moved_labels = match labels.is_empty() {
        true => Vec::new(),
        false => pick(labels, IGNORE),
    };
    let mut data = imagery(patch, &back, map.stretch(), size);
    for (target, source) in data
        .chunks_exact_mut(size.area().max(1))
        .zip(patch.data.chunks_exact(patch.size.area().max(1)))
    {
        for ((value, &valid), &place) in target.iter_mut().zip(&valid).zip(&places) {
            match valid {
                0 => *value = 0.0,
                // What shrinking has left without a valid pixel nearby has one under its center all the same.
                _ if value.is_nan() => *value = source.get(place as usize).copied().unwrap_or(0.0),
                _ => {}
            }
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

/// The values; NaN where nothing valid was near in an image that was shrunk.
fn imagery(patch: &Patch, back: &PlaneMap, stretch: f64, size: Size) -> Vec<f32> {
    let whole = !patch.valid.contains(&0);
    let (bands, mask) = (patch.bands, |valid: &Patch| {
        (!whole).then(|| valid.valid.clone())
    });
    if stretch >= SHRUNK {
        let mask = mask(patch);
        return bilinear(
            &patch.data,
            bands,
            pair(patch.size),
            pair(size),
            &back.0,
            mask.as_deref(),
        );
    }
    let shorter =
        |length: usize| ((length as f64 * stretch).ceil() as usize).clamp(1, length.max(1));
    let small = patch.resized(Size::new(
        shorter(patch.size.width),
        shorter(patch.size.height),
    ));
    let part = |small: usize, full: usize| small as f64 / full.max(1) as f64;
    let shrink = PlaneMap::scaling(
        part(small.size.width, patch.size.width),
        part(small.size.height, patch.size.height),
        0.0,
        0.0,
    );
    let back = back.then(&shrink);
    let mask = mask(&small);
    let mut data = bilinear(
        &small.data,
        bands,
        pair(small.size),
        pair(size),
        &back.0,
        mask.as_deref(),
    );
    if let Some(mask) = mask {
        let seen: Vec<f32> = mask.iter().map(|&valid| f32::from(valid)).collect();
        let seen = bilinear(&seen, 1, pair(small.size), pair(size), &back.0, Some(&mask));
        for band in data.chunks_exact_mut(size.area().max(1)) {
            for (value, &seen) in band.iter_mut().zip(&seen) {
                if seen == 0.0 {
                    *value = f32::NAN;
                }
            }
        }
    }
    data
}

//! Which scenes overlap on the ground, so that no split puts the same place on both sides.

use geo::{Area, BooleanOps, BoundingRect, Coord, LineString, Polygon, Rect, Translate};
use rayon::prelude::*;

use crate::Result;
use crate::raster::{is_geographic, lon_lat_outline, outline};
use crate::scene::Scene;

/// Of the smaller of two scenes, so much must lie on the other: what touches at an edge, or is rounded, does not overlap.
const OVERLAP: f64 = 1e-6;

/// The space of everything that has a place on the ground.
const GROUND: &str = "ground";

/// The space of coordinates whose system no file names.
const PLANE: &str = "plane";

/// Where a scene's area lies.
struct Footprint {
    /// What coordinates of different scenes must share to be compared: `ground`, or the file itself.
    space: String,
    polygon: Polygon<f64>,
    bounds: Rect<f64>,
    /// Whether coordinates are degrees of longitude, which go round.
    round: bool,
}

/// Pairs of scenes, by number, that overlap on the ground; of scenes without a place, those that are parts of one file.
pub(super) fn overlapping(scenes: &[&Scene]) -> Result<Vec<(usize, usize)>> {
    let footprints = footprints(scenes)?;
    let mut order: Vec<usize> = (0..footprints.len())
        .filter(|&index| footprints[index].is_some())
        .collect();
    let left = |index: usize| {
        footprints[index]
            .as_ref()
            .map_or(f64::NAN, |one| one.bounds.min().x)
    };
    order.sort_by(|&a, &b| left(a).total_cmp(&left(b)));
    // Degrees go round: a scene is compared with those a turn further, too.
    let shifts = |one: &Footprint| match one.round {
        true => vec![-360.0, 0.0, 360.0],
        false => vec![0.0],
    };
    let pairs: Vec<(usize, usize)> = order
        .par_iter()
        .enumerate()
        .flat_map_iter(|(position, &index)| {
            let mut found = Vec::new();
            let Some(one) = &footprints[index] else {
                return found;
            };
            for shift in shifts(one) {
                // Sorted by their left edges: from the start for a turn, from here on without one.
                let start = if shift == 0.0 { position + 1 } else { 0 };
                for &other_index in &order[start..] {
                    let Some(other) = &footprints[other_index] else {
                        continue;
                    };
                    if other.bounds.min().x + shift >= one.bounds.max().x {
                        break;
                    }
                    if other_index != index && overlap(one, other, shift) {
                        found.push((index.min(other_index), index.max(other_index)));
                    }
                }
            }
            found
        })
        .collect();
    let mut pairs = pairs;
    pairs.sort_unstable();
    pairs.dedup();
    Ok(pairs)
}

/// Where each scene lies on the ground, all in one system: that of the scenes, or longitudes and latitudes when they have
/// several; `None` for one without a place.
pub(super) fn ground(scenes: &[&Scene]) -> Result<Vec<Option<Polygon<f64>>>> {
    let placed = footprints(scenes)?
        .into_iter()
        .map(|one| one.filter(|one| one.space == GROUND).map(|one| one.polygon));
    Ok(placed.collect())
}

fn overlap(one: &Footprint, other: &Footprint, shift: f64) -> bool {
    let (a, b) = (&one.bounds, other.bounds.translate(shift, 0.0));
    let apart = a.max().x <= b.min().x
        || b.max().x <= a.min().x
        || a.max().y <= b.min().y
        || b.max().y <= a.min().y;
    if apart || one.space != other.space {
        return false;
    }
    let moved = other.polygon.translate(shift, 0.0);
    let common = one.polygon.intersection(&moved).unsigned_area();
    common > OVERLAP * one.polygon.unsigned_area().min(moved.unsigned_area())
}

fn footprints(scenes: &[&Scene]) -> Result<Vec<Option<Footprint>>> {
    let references: Vec<_> = scenes
        .iter()
        .map(|scene| scene.raster().georeference())
        .collect();
    let mut systems: Vec<&str> = references
        .iter()
        .filter(|reference| reference.has_system())
        .map(|reference| reference.crs_wkt.as_str())
        .collect();
    systems.sort_unstable();
    systems.dedup();
    // One flat system for all needs no other.
    let flat = match systems.as_slice() {
        [one] => !is_geographic(one),
        _ => false,
    };
    scenes
        .par_iter()
        .zip(&references)
        .map(|(scene, reference)| {
            let area = scene.area();
            let (space, points) = if !reference.has_system() && scene.raster().is_georeferenced() {
                // A world file without a system: what lies at the same coordinates is taken to be the same place.
                (PLANE.to_owned(), Some(outline(reference, &area)))
            } else if !reference.has_system() {
                // Pixels of the file itself, which other parts of it share.
                let space = scene.raster().path().display().to_string();
                let pixels = crate::raster::GeoReference::new(
                    crate::raster::GeoTransform([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
                    "",
                );
                (space, Some(outline(&pixels, &area)))
            } else if flat {
                (GROUND.to_owned(), Some(outline(reference, &area)))
            } else {
                (GROUND.to_owned(), lon_lat_outline(reference, &area)?)
            };
            let Some(points) = points else {
                return Ok(None);
            };
            let line: LineString<f64> = points.into_iter().map(|(x, y)| Coord { x, y }).collect();
            let polygon = Polygon::new(line, Vec::new());
            Ok(polygon.bounding_rect().map(|bounds| Footprint {
                round: space == GROUND && !flat,
                space,
                polygon,
                bounds,
            }))
        })
        .collect()
}

/// Numbers of groups, such that scenes that overlap or share a word are in one.
pub(super) fn grouped(count: usize, together: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..count).collect();
    fn root(parent: &mut [usize], mut one: usize) -> usize {
        while parent[one] != one {
            parent[one] = parent[parent[one]];
            one = parent[one];
        }
        one
    }
    for (a, b) in together {
        let (a, b) = (root(&mut parent, a), root(&mut parent, b));
        // The smaller number leads, so that groups do not depend on the order of the pairs.
        parent[a.max(b)] = a.min(b);
    }
    (0..count).map(|one| root(&mut parent, one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_one_group() {
        assert_eq!(
            grouped(6, [(4, 5), (0, 2), (2, 4)].into_iter()),
            [0, 1, 0, 3, 0, 0]
        );
        assert_eq!(grouped(2, std::iter::empty()), [0, 1]);
    }
}

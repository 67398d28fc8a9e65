//! Rings between two systems: longitudes that jump, edges that curve.

use super::clip::Rectangle;
use crate::raster::GeoTransform;
use crate::raster::crs::Transformation;

/// An edge between points farther apart than this share of a turn crosses the meridian opposite, as GDAL's
/// `-wrapdateline` has it (350 of 360 degrees); an edge of a whole turn goes round the world.
const JUMP: f64 = 350.0 / 360.0;

/// Edges of more pixels are looked at for bends.
const LONG_EDGE: f64 = 64.0;

/// Edges that bend by more pixels get another vertex.
const LARGEST_BEND: f64 = 0.1;

/// How often an edge is halved.
const HALVINGS: usize = 12;

/// Longitudes are apart by at most this share of a turn (5 degrees) before edges are looked at for bends: both ends and
/// the middle of a longer one may lie on a line by chance.
const LONGEST_EDGE: f64 = 5.0 / 360.0;

/// Takes edges that jump across the meridian opposite the short way; whether there was any.
pub(super) fn unwrap_all(rings: &mut [Vec<(f64, f64)>], turn: f64) -> bool {
    let jumps = |from: f64, to: f64| {
        let width = (to - from).abs() / turn;
        width > JUMP && width < 1.0 - 1e-9
    };
    let mut crossing = false;
    for ring in rings.iter_mut() {
        let mut offset = 0.0;
        for index in 1..ring.len() {
            let (from, to) = (ring[index - 1].0, ring[index].0 + offset);
            if jumps(from, to) {
                offset += turn * (from - to).signum();
                crossing = true;
            }
            ring[index].0 += offset;
        }
    }
    if crossing
        && let Some((exterior, holes)) = rings.split_first_mut()
        && let Some(outer) = Rectangle::of(exterior.iter())
    {
        for hole in holes {
            if let Some(inner) = Rectangle::of(hole.iter()) {
                let shift = ((outer.middle().0 - inner.middle().0) / turn).round() * turn;
                hole.iter_mut().for_each(|point| point.0 += shift);
            }
        }
    }
    crossing
}

/// Takes every edge the short way, with the holes in their exterior, and closes rings around a pole along it: what comes
/// from another system has longitudes between -180 and 180 whatever it crosses.
pub(super) fn follow(rings: &mut [Vec<(f64, f64)>], turn: f64) {
    let mut start = None;
    for ring in rings {
        let closed = ring.first() == ring.last();
        let mut before = start.unwrap_or_else(|| ring.first().map_or(0.0, |point| point.0));
        for point in ring.iter_mut() {
            point.0 += ((before - point.0) / turn).round() * turn;
            before = point.0;
        }
        start = start.or_else(|| Rectangle::of(ring.iter()).map(|bounds| bounds.middle().0));
        if closed {
            close_over_pole(ring, turn);
        }
    }
}

/// How far to move x: whole turns either way.
pub(super) fn shifts(bounds: &Rectangle, turn: Option<f64>) -> Vec<f64> {
    let Some(turn) = turn else {
        return vec![0.0];
    };
    // Longitudes of two turns are possible on both sides.
    let (low, high) = bounds.x_range();
    let reach = if low.abs().max(high.abs()) > turn {
        3
    } else {
        2
    };
    (-reach..=reach)
        .map(|times| f64::from(times) * turn)
        .collect()
}

/// A ring in the raster's world coordinates; `None` when a point has no place there.
pub(super) fn transformed(
    ring: &[(f64, f64)],
    way: &Transformation,
    transform: &GeoTransform,
    turn: Option<f64>,
    raster_turn: Option<(f64, f64)>,
    curved: bool,
    closed: bool,
) -> Option<Vec<(f64, f64)>> {
    let mut source = match turn {
        Some(turn) => with_longest_edge(ring, turn * LONGEST_EDGE),
        None => ring.to_vec(),
    };
    let mut world = moved(&source, way)?;
    if let Some((turn, middle)) = raster_turn {
        let mut before = middle;
        for point in &mut world {
            point.0 += ((before - point.0) / turn).round() * turn;
            before = point.0;
        }
        if closed && source.first() == source.last() {
            close_over_pole(&mut world, turn);
            // Vertices of the raster's system alone: nothing of the file belongs to them.
            source.resize(world.len(), (f64::NAN, f64::NAN));
        }
    }
    if curved {
        bend(&mut source, &mut world, way, transform, raster_turn);
    }
    Some(world)
}

fn moved(points: &[(f64, f64)], way: &Transformation) -> Option<Vec<(f64, f64)>> {
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    way.transform(&mut xs, &mut ys)
        .then(|| xs.into_iter().zip(ys).collect())
}

fn with_longest_edge(ring: &[(f64, f64)], longest: f64) -> Vec<(f64, f64)> {
    let mut points = Vec::with_capacity(ring.len());
    for (index, &to) in ring.iter().enumerate() {
        if index > 0 {
            let from = ring[index - 1];
            let length = (to.0 - from.0).abs().max((to.1 - from.1).abs());
            let pieces = (length / longest).ceil().clamp(1.0, 1e4) as usize;
            points.extend((1..pieces).map(|piece| {
                let share = piece as f64 / pieces as f64;
                (
                    from.0 + (to.0 - from.0) * share,
                    from.1 + (to.1 - from.1) * share,
                )
            }));
        }
        points.push(to);
    }
    points
}

/// A closed ring around a pole does not come back to its first longitude: it goes on along the pole.
fn close_over_pole(ring: &mut Vec<(f64, f64)>, turn: f64) {
    let (Some(&first), Some(&last)) = (ring.first(), ring.last()) else {
        return;
    };
    if (last.0 - first.0).abs() < turn / 2.0 {
        return;
    }
    let mean = ring.iter().map(|point| point.1).sum::<f64>() / ring.len() as f64;
    let pole = turn / 4.0 * mean.signum();
    ring.extend([(last.0, pole), (first.0, pole), first]);
}

/// Adds vertices where edges that are straight in the file bend in the raster.
fn bend(
    source: &mut Vec<(f64, f64)>,
    world: &mut Vec<(f64, f64)>,
    way: &Transformation,
    transform: &GeoTransform,
    raster_turn: Option<(f64, f64)>,
) {
    let apart = |a: (f64, f64), b: (f64, f64)| {
        let (a, b) = (transform.pixel_from_world(a), transform.pixel_from_world(b));
        (a.0 - b.0).hypot(a.1 - b.1)
    };
    let half = |a: (f64, f64), b: (f64, f64)| (f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1));
    // Whether the edge that ends at a vertex may bend.
    let mut open = vec![true; source.len()];
    for _ in 0..HALVINGS {
        let long =
            |&index: &usize| open[index] && apart(world[index - 1], world[index]) > LONG_EDGE;
        let edges: Vec<usize> = (1..source.len()).filter(long).collect();
        if edges.is_empty() {
            return;
        }
        let halves: Vec<(f64, f64)> = edges
            .iter()
            .map(|&index| half(source[index - 1], source[index]))
            .collect();
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = halves.iter().copied().unzip();
        way.transform(&mut xs, &mut ys);
        let mut added = Vec::new();
        for ((&index, &at), (mut x, y)) in edges.iter().zip(&halves).zip(xs.into_iter().zip(ys)) {
            if let Some((turn, _)) = raster_turn {
                x += ((world[index - 1].0 - x) / turn).round() * turn;
            }
            let straight = half(world[index - 1], world[index]);
            if x.is_finite() && y.is_finite() && apart(straight, (x, y)) > LARGEST_BEND {
                added.push((index, at, (x, y)));
            } else {
                open[index] = false;
            }
        }
        if added.is_empty() {
            return;
        }
        for &(index, at, to) in added.iter().rev() {
            source.insert(index, at);
            world.insert(index, to);
            open.insert(index, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_that_jump_are_taken_the_short_way() {
        let mut rings = vec![
            vec![
                (179.0, 0.0),
                (-179.0, 0.0),
                (-179.0, 1.0),
                (179.0, 1.0),
                (179.0, 0.0),
            ],
            vec![(-179.5, 0.2), (-179.2, 0.2), (-179.2, 0.4), (-179.5, 0.2)],
        ];
        assert!(unwrap_all(&mut rings, 360.0));
        assert_eq!(
            Rectangle::of(&rings[0]).map(|ring| ring.x_range()),
            Some((179.0, 181.0))
        );
        assert!(rings[1].iter().all(|point| point.0 > 180.0));
        let world = vec![
            (-180.0, 0.0),
            (180.0, 0.0),
            (180.0, 85.0),
            (-180.0, 85.0),
            (-180.0, 0.0),
        ];
        let mut rings = vec![world.clone()];
        assert!(!unwrap_all(&mut rings, 360.0));
        assert_eq!(rings[0], world);
    }
}

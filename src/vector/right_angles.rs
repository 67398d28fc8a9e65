//! Outlines of buildings with right angles.
//!
//! The main direction is the mean of the edges' directions modulo a right angle, weighted by the squares of their lengths. In its frame each
//! stretch of the traced outline that runs along one axis becomes one edge, at the stretch's own mean, so that areas stay; edges
//! that are too short go, the shortest first, and the stretches on both sides of one become one. What is not better for it
//! stays as it is: an outline whose edges have no main direction, such as that of a round tank, or whose new form does not
//! cover the same ground.
//!
//! # Source
//! Duchêne, Bard, Barillot, Ruas, Trevisan and Holzapfel, *Quantitative and qualitative description of building orientation*,
//! 5th ICA workshop on progress in automated map generalization, 2003 (weighting of walls, by their lengths there); removing short
//! edges as Sester, *Optimization approaches for generalization and data abstraction*, International Journal of Geographical
//! Information Science 19, 2005, 3.1. Positions are means along the traced outline instead of her adjustment.

use geo::{Coord, LineString, SimplifyIdx};

/// From this concentration of directions on (0 spread evenly, 1 all at right angles) an outline has a main direction. That of
/// a regular hexagon is 0, of edges spread evenly over 30 degrees 0.83.
const CONCENTRATED: f64 = 0.5;

/// The direction of an outline modulo a right angle, in radians, from the stretches between `corners` of the closed `ring`;
/// `None` where there is none.
fn main_direction(ring: &[Coord<f64>], corners: &[usize]) -> Option<f64> {
    let (mut along, mut across, mut total) = (0.0, 0.0, 0.0);
    for pair in corners.windows(2) {
        let (from, to) = (ring[pair[0]], ring[pair[1]]);
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        // Long walls say more than their length: the staircases of pixels are in the short ones.
        let (weight, angle) = (dx * dx + dy * dy, 4.0 * dy.atan2(dx));
        along += weight * angle.cos();
        across += weight * angle.sin();
        total += weight;
    }
    (along.hypot(across) >= CONCENTRATED * total && total > 0.0).then(|| across.atan2(along) / 4.0)
}

/// The indices of the corners of a closed ring, the first and last point among them: by Douglas and Peucker, who begin at the
/// point that is farthest from the middle, which surely is a corner.
fn corners_of(ring: &[Coord<f64>], tolerance: f64) -> Vec<usize> {
    LineString(ring.to_vec()).simplify_idx(tolerance)
}

/// The closed ring, begun anew at the point that is farthest from its middle.
fn from_a_corner(ring: &LineString<f64>) -> Vec<Coord<f64>> {
    let mut points = ring.0.clone();
    if points.first() == points.last() {
        points.pop();
    }
    let count = points.len().max(1) as f64;
    let sum = points
        .iter()
        .fold((0.0, 0.0), |sum, at| (sum.0 + at.x, sum.1 + at.y));
    let (x, y) = (sum.0 / count, sum.1 / count);
    let far = |at: &Coord<f64>| (at.x - x).hypot(at.y - y);
    let start = (0..points.len()).max_by(|&a, &b| far(&points[a]).total_cmp(&far(&points[b])));
    points.rotate_left(start.unwrap_or(0));
    points.extend(points.first().copied());
    points
}

/// A stretch of the outline that becomes one edge.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// The point it begins at; it ends where the next one begins.
    start: usize,
    /// Whether it runs along x.
    along_x: bool,
    /// Its y, or its x.
    place: f64,
}

/// The ring in a frame whose axes are its directions.
struct Frame {
    /// Without the last point, which is the first.
    points: Vec<Coord<f64>>,
}

impl Frame {
    /// The mean y of the outline along x (or x along y) from one point to another: that of the rectangle of the same area.
    fn place(&self, from: usize, to: usize, along_x: bool) -> f64 {
        let count = self.points.len();
        let at = |index: usize| {
            let Coord { x, y } = self.points[index % count];
            if along_x { (x, y) } else { (y, x) }
        };
        let to = if to <= from { to + count } else { to };
        let (mut area, mut length, mut sum) = (0.0, 0.0, 0.0);
        for index in from..to {
            let ((t0, v0), (t1, v1)) = (at(index), at(index + 1));
            area += f64::midpoint(v0, v1) * (t1 - t0);
            length += t1 - t0;
            sum += f64::midpoint(v0, v1);
        }
        let (first, last) = (at(from).0, at(to).0);
        let reach = (from..=to).map(|index| at(index).0);
        let (low, high) = reach.fold((first, first), |(low, high), t| (low.min(t), high.max(t)));
        // A stretch that comes back to where it began has no such rectangle.
        if (last - first).abs() < 0.5 * (high - low) || length == 0.0 {
            return sum / (to - from).max(1) as f64;
        }
        area / length
    }
}

/// A ring with right angles in place of a traced one, closed; `None` where it has no such form.
///
/// # Units
/// Meters, or whatever the ring is in: `tolerance` is by how much a traced outline is beside the true one (a pixel), `shortest`
/// the shortest edge. `direction` is taken instead of the ring's own one, as that of a building for its courtyard.
pub(super) fn right_angled(
    ring: &LineString<f64>,
    tolerance: f64,
    shortest: f64,
    direction: Option<f64>,
) -> Option<(LineString<f64>, f64)> {
    let ring = from_a_corner(ring);
    let corners = corners_of(&ring, tolerance);
    if corners.len() < 5 {
        return None;
    }
    let direction = match direction {
        Some(direction) => direction,
        None => main_direction(&ring, &corners)?,
    };
    let (sin, cos) = direction.sin_cos();
    let turned = |at: &Coord<f64>| Coord {
        x: at.x * cos + at.y * sin,
        y: at.y * cos - at.x * sin,
    };
    let frame = Frame {
        points: ring[..ring.len() - 1].iter().map(turned).collect(),
    };
    let mut stretches = stretches(&frame, &corners);
    merge_short(&frame, &mut stretches, shortest);
    if stretches.len() < 4 {
        return None;
    }
    let count = stretches.len();
    let mut points: Vec<Coord<f64>> = (0..count)
        .map(|index| {
            let (before, here) = (stretches[(index + count - 1) % count], stretches[index]);
            let (x, y) = match here.along_x {
                true => (before.place, here.place),
                false => (here.place, before.place),
            };
            Coord {
                x: x * cos - y * sin,
                y: x * sin + y * cos,
            }
        })
        .collect();
    points.extend(points.first().copied());
    Some((LineString(points), direction))
}

/// Neighboring edges that run along the same axis as one; axes alternate all around.
fn stretches(frame: &Frame, corners: &[usize]) -> Vec<Stretch> {
    let count = frame.points.len();
    let mut all: Vec<Stretch> = Vec::new();
    for pair in corners.windows(2) {
        let (from, to) = (frame.points[pair[0] % count], frame.points[pair[1] % count]);
        let along_x = (to.x - from.x).abs() >= (to.y - from.y).abs();
        if all.last().is_none_or(|last| last.along_x != along_x) {
            let start = pair[0];
            all.push(Stretch {
                start,
                along_x,
                place: 0.0,
            });
        }
    }
    // The outline begins in the middle of its last stretch.
    if all.len() > 1 && all[0].along_x == all[all.len() - 1].along_x {
        all.remove(0);
    }
    for index in 0..all.len() {
        replace(frame, &mut all, index);
    }
    all
}

fn replace(frame: &Frame, all: &mut [Stretch], index: usize) {
    let end = all[(index + 1) % all.len()].start;
    let here = all[index];
    all[index].place = frame.place(here.start, end, here.along_x);
}

/// Takes the shortest edge out as long as it is too short and more than a rectangle is there.
fn merge_short(frame: &Frame, all: &mut Vec<Stretch>, shortest: f64) {
    while all.len() > 4 {
        let count = all.len();
        let length = |index: usize| {
            let (before, after) = (all[(index + count - 1) % count], all[(index + 1) % count]);
            (after.place - before.place).abs()
        };
        let Some(short) = (0..count).min_by(|&a, &b| length(a).total_cmp(&length(b))) else {
            return;
        };
        if length(short) >= shortest {
            return;
        }
        // The one before goes on over this one and the one after.
        let kept = all[(short + count - 1) % count].start;
        let after = (short + 1) % count;
        let gone = [short.max(after), short.min(after)];
        for index in gone {
            all.remove(index);
        }
        if let Some(index) = all.iter().position(|one| one.start == kept) {
            replace(frame, all, index);
        }
    }
}

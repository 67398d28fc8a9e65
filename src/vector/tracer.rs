//! Traces the connected patches of a class map row by row: memory grows with what is open at a row, not with the map.
//!
//! Between two rows, walks along the edges of pixels are grown at both ends, each with its patch on the right. Where the end of
//! one meets the start of another they become one; where it is its own start, the walk is a ring. Which runs of pixels are one
//! patch is known from a forest of the patches that a row touches; one that has no run in the next row is complete, and goes
//! out. Complete rings wait as steps of one or two bytes.
//!
//! # Source
//! Two-arm chains: Junhua Teng, Fahui Wang and Yu Liu, *An efficient algorithm for raster-to-vector data conversion*, Geographic
//! Information Sciences 14, 2008, as newer versions of GDAL; connected patches: Azriel Rosenfeld and John L. Pfaltz,
//! *Sequential operations in digital picture processing*, Journal of the ACM 13, 1966.

use std::collections::HashMap;

use geo::{Coord, LineString, Polygon};

use super::LabelPolygon;
use crate::Result;

/// No patch, no end of a walk.
const NONE: u32 = u32::MAX;
/// In the row of a [`Corner`]: the patch touches itself here, across a corner.
const TOUCHES: u32 = 1 << 31;

/// The edges at a corner of pixels, clockwise; each follows the pixel of the same number in `[above left, above right, below
/// right, below left]`.
const UP: usize = 0;
const RIGHT: usize = 1;
const DOWN: usize = 2;
const LEFT: usize = 3;

/// Pixels of one label beside each other in a row.
#[derive(Clone, Copy)]
struct Run {
    start: u32,
    label: u8,
    patch: u32,
    /// The walk down the right edge of the run before this one: its end.
    falling: u32,
    /// The walk up the left edge of this run: its start.
    rising: u32,
}

/// A corner of an open walk.
#[derive(Clone, Copy)]
struct Corner {
    x: u32,
    /// With [`TOUCHES`].
    y: u32,
    next: u32,
}

/// An end (or the start) of an open walk.
#[derive(Clone, Copy)]
struct End {
    corner: u32,
    /// The other end of the same walk.
    other: u32,
}

#[derive(Default)]
struct Patch {
    /// Another patch that this one turned out to be.
    same_as: Option<u32>,
    label: u8,
    /// Runs in the row that was taken last.
    runs: u32,
    /// Rings that are complete, as [`push_ring`] writes them: the exterior, and holes one after the other.
    exterior: Vec<u8>,
    holes: Vec<u8>,
}

/// Things by number, whose numbers are given again.
struct Store<T> {
    all: Vec<T>,
    free: Vec<u32>,
}

impl<T> Store<T> {
    const fn new() -> Self {
        Self {
            all: Vec::new(),
            free: Vec::new(),
        }
    }

    fn add(&mut self, one: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.all[number as usize] = one;
            return number;
        }
        self.all.push(one);
        // So many open corners would be 48 GiB.
        self.all.len() as u32 - 1
    }

    fn get(&self, number: u32) -> &T {
        &self.all[number as usize]
    }

    fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.all[number as usize]
    }
}

pub(super) struct Tracer {
    width: u32,
    /// The row that comes next.
    y: u32,
    /// The row before it, with an empty run behind its last pixel.
    above: Vec<Run>,
    corners: Store<Corner>,
    ends: Store<End>,
    patches: Store<Patch>,
    /// Patches that became another one in this row.
    joined: Vec<u32>,
    /// Kept for their memory alone.
    spare: Vec<Run>,
    walk: Vec<(u32, u32)>,
}

impl Tracer {
    pub(super) fn new(width: usize) -> Self {
        let width = width as u32;
        let empty = |start| Run {
            start,
            label: 0,
            patch: NONE,
            falling: NONE,
            rising: NONE,
        };
        Self {
            width,
            y: 0,
            above: vec![empty(0), empty(width)],
            corners: Store::new(),
            ends: Store::new(),
            patches: Store::new(),
            joined: Vec::new(),
            spare: Vec::new(),
            walk: Vec::new(),
        }
    }

    /// Takes the next row, of as many labels as the map is wide, and hands on the patches that end above it. 0 is no label.
    pub(super) fn row(
        &mut self,
        labels: &[u8],
        mut each: impl FnMut(LabelPolygon) -> Result<()>,
    ) -> Result<()> {
        let mut here = std::mem::take(&mut self.spare);
        runs_of(labels, self.width, &mut here);
        self.connect(&mut here);
        self.sweep(&mut here);
        let above = std::mem::replace(&mut self.above, here);
        self.y += 1;
        for run in above.iter().filter(|run| run.label != 0) {
            let number = self.root(run.patch);
            let patch = self.patches.get_mut(number);
            patch.runs -= 1;
            if patch.runs == 0 {
                let patch = std::mem::take(patch);
                self.patches.free.push(number);
                each(patch.into_polygon())?;
            }
        }
        self.patches.free.append(&mut self.joined);
        self.spare = above;
        Ok(())
    }

    /// Hands on the patches that reach the last row.
    pub(super) fn finish(mut self, each: impl FnMut(LabelPolygon) -> Result<()>) -> Result<()> {
        self.row(&vec![0; self.width as usize], each)
    }

    /// Gives every run of a row its patch.
    fn connect(&mut self, here: &mut [Run]) {
        let above = std::mem::take(&mut self.above);
        let mut first = 0;
        for index in 0..here.len() - 1 {
            let Run { start, label, .. } = here[index];
            let end = here[index + 1].start;
            while above[first + 1].start <= start {
                first += 1;
            }
            if label == 0 {
                continue;
            }
            let touching = above[first..]
                .iter()
                .take_while(|run| run.start < end)
                .filter(|run| run.label == label);
            let mut patch = NONE;
            for run in touching {
                patch = self.unite(patch, run.patch);
            }
            if patch == NONE {
                patch = self.patches.add(Patch {
                    label,
                    ..Patch::default()
                });
            }
            self.patches.get_mut(patch).runs += 1;
            here[index].patch = patch;
        }
        // Only roots are known in the next row, so that the others can go.
        for run in here.iter_mut().filter(|run| run.label != 0) {
            run.patch = self.root(run.patch);
        }
        self.above = above;
    }

    fn root(&mut self, mut number: u32) -> u32 {
        while let Some(next) = self.patches.get(number).same_as {
            // Every other one on the way is brought nearer to the root.
            if let Some(second) = self.patches.get(next).same_as {
                self.patches.get_mut(number).same_as = Some(second);
            }
            number = next;
        }
        number
    }

    fn unite(&mut self, one: u32, other: u32) -> u32 {
        let other = self.root(other);
        if one == NONE {
            return other;
        }
        let one = self.root(one);
        if one == other {
            return one;
        }
        let bytes = |number: u32| self.patches.get(number).holes.len();
        let (kept, gone) = match bytes(one) >= bytes(other) {
            true => (one, other),
            false => (other, one),
        };
        let patch = std::mem::take(self.patches.get_mut(gone));
        self.patches.get_mut(gone).same_as = Some(kept);
        let target = self.patches.get_mut(kept);
        target.runs += patch.runs;
        target.holes.extend(patch.holes);
        if target.exterior.is_empty() {
            target.exterior = patch.exterior;
        }
        self.joined.push(gone);
        kept
    }

    /// Grows, joins and closes the walks along the line between the last row and this one.
    fn sweep(&mut self, here: &mut [Run]) {
        let above = std::mem::take(&mut self.above);
        // The next boundary of a run above and below.
        let (mut up, mut down) = (0, 0);
        // The walk to the left along the row above, its start; and that to the right along this row, its end.
        let (mut over, mut under) = (NONE, NONE);
        let (mut above_left, mut below_left) = (0, 0);
        loop {
            let (run_above, run_here) = (above[up], here[down]);
            let x = run_above.start.min(run_here.start);
            let (is_above, is_here) = (run_above.start == x, run_here.start == x);
            let above_right = if is_above {
                run_above.label
            } else {
                above_left
            };
            let below_right = if is_here { run_here.label } else { below_left };
            let pixels = [above_left, above_right, below_right, below_left];
            let (arriving_over, arriving_under) = (over, under);
            (over, under) = (NONE, NONE);
            for first in 0..4 {
                let label = pixels[first];
                if label == 0 || pixels[(first + 3) % 4] == label {
                    continue;
                }
                let mut last = first;
                while pixels[(last + 1) % 4] == label {
                    last = (last + 1) % 4;
                }
                // With the patch on its right, a walk comes in behind the last pixel and goes out before the first one.
                let (entry, exit) = (last, (first + 3) % 4);
                let coming = match entry {
                    UP => Some(run_above.falling),
                    LEFT => Some(arriving_under),
                    _ => None,
                };
                let going = match exit {
                    UP => Some(run_above.rising),
                    LEFT => Some(arriving_over),
                    _ => None,
                };
                let y = match first == last && pixels[(first + 2) % 4] == label {
                    true => self.y | TOUCHES,
                    false => self.y,
                };
                let turns = (entry + 2) % 4 != exit;
                let (end, start) = match (coming, going) {
                    (Some(end), Some(start)) => {
                        // The only pixel of the patch is the one above left, or all but that one are.
                        let patch = match entry {
                            UP => above[up - 1].patch,
                            _ => here[down - 1].patch,
                        };
                        self.join(end, start, (x, y), patch);
                        continue;
                    }
                    (Some(end), None) => {
                        if turns {
                            self.append(end, (x, y));
                        }
                        (end, NONE)
                    }
                    (None, Some(start)) => {
                        if turns {
                            self.prepend(start, (x, y));
                        }
                        (NONE, start)
                    }
                    (None, None) => self.begin((x, y)),
                };
                match exit {
                    RIGHT => under = end,
                    DOWN => here[down].falling = end,
                    _ => {}
                }
                match entry {
                    RIGHT => over = start,
                    DOWN => here[down].rising = start,
                    _ => {}
                }
            }
            if x == self.width {
                break;
            }
            (above_left, below_left) = (above_right, below_right);
            up += usize::from(is_above);
            down += usize::from(is_here);
        }
        self.above = above;
    }

    fn corner(&mut self, (x, y): (u32, u32), next: u32) -> u32 {
        self.corners.add(Corner { x, y, next })
    }

    /// A walk of one corner: its end and its start.
    fn begin(&mut self, at: (u32, u32)) -> (u32, u32) {
        let corner = self.corner(at, NONE);
        let end = self.ends.add(End {
            corner,
            other: NONE,
        });
        let start = self.ends.add(End { corner, other: end });
        self.ends.get_mut(end).other = start;
        (end, start)
    }

    fn append(&mut self, end: u32, at: (u32, u32)) {
        let corner = self.corner(at, NONE);
        let last = std::mem::replace(&mut self.ends.get_mut(end).corner, corner);
        self.corners.get_mut(last).next = corner;
    }

    fn prepend(&mut self, start: u32, at: (u32, u32)) {
        let first = self.ends.get(start).corner;
        self.ends.get_mut(start).corner = self.corner(at, first);
    }

    /// Joins two walks at a corner, or closes one.
    fn join(&mut self, end: u32, start: u32, at: (u32, u32), patch: u32) {
        self.append(end, at);
        let (last, first) = (*self.ends.get(end), *self.ends.get(start));
        self.ends.free.extend([end, start]);
        if last.other == start {
            self.close(first.corner, patch);
            return;
        }
        self.corners.get_mut(last.corner).next = first.corner;
        self.ends.get_mut(last.other).other = first.other;
        self.ends.get_mut(first.other).other = last.other;
    }

    /// Gives a complete walk to its patch, as one ring or, where it touches itself, as several.
    fn close(&mut self, first: u32, patch: u32) {
        let mut walk = std::mem::take(&mut self.walk);
        walk.clear();
        let (mut next, mut touches) = (first, false);
        while next != NONE {
            let corner = *self.corners.get(next);
            walk.push((corner.x, corner.y & !TOUCHES));
            touches |= corner.y & TOUCHES != 0;
            self.corners.free.push(next);
            next = corner.next;
        }
        let patch = self.root(patch);
        let patch = self.patches.get_mut(patch);
        if touches {
            // From a corner back to the same one is a ring of its own: walks never cross.
            let mut rest: Vec<(u32, u32)> = Vec::with_capacity(walk.len());
            let mut seen = HashMap::new();
            for &corner in &walk {
                if let Some(&at) = seen.get(&corner) {
                    patch.add(&rest[at..]);
                    for gone in rest.drain(at..) {
                        seen.remove(&gone);
                    }
                }
                seen.insert(corner, rest.len());
                rest.push(corner);
            }
            patch.add(&rest);
        } else {
            patch.add(&walk);
        }
        self.walk = walk;
    }
}

/// The runs of a row and an empty one behind it.
fn runs_of(labels: &[u8], width: u32, runs: &mut Vec<Run>) {
    runs.clear();
    let mut start = 0;
    let empty = |start: usize, label| Run {
        start: start as u32,
        label,
        patch: NONE,
        falling: NONE,
        rising: NONE,
    };
    for same in labels.chunk_by(|one, other| one == other) {
        runs.push(empty(start, same[0]));
        start += same.len();
    }
    debug_assert_eq!(start, width as usize, "the row is as wide as the map");
    runs.push(empty(width as usize, 0));
}

impl Patch {
    /// Adds a ring, with the patch on its right.
    fn add(&mut self, ring: &[(u32, u32)]) {
        let pairs = ring.iter().zip(ring.iter().cycle().skip(1));
        let area: i128 = pairs
            .map(|(from, to)| i128::from(from.1) * (i128::from(from.0) - i128::from(to.0)))
            .sum();
        match area > 0 {
            true => push_ring(&mut self.exterior, ring),
            false => push_ring(&mut self.holes, ring),
        }
    }

    fn into_polygon(self) -> LabelPolygon {
        let Self {
            label,
            exterior,
            holes,
            ..
        } = self;
        let mut rest = exterior.as_slice();
        // Every patch has a highest and leftmost pixel, whose corner is on its exterior.
        let outline = next_ring(&mut rest, false).unwrap_or_else(|| LineString(Vec::new()));
        let mut rest = holes.as_slice();
        let holes = std::iter::from_fn(|| next_ring(&mut rest, true)).collect();
        LabelPolygon {
            geometry: Polygon::new(outline, holes),
            label,
        }
    }
}

/// Writes a ring the other way round, from its highest and leftmost corner: how many corners it has, this one, and then steps,
/// down and across in turns for an exterior, across and down for a hole.
fn push_ring(bytes: &mut Vec<u8>, ring: &[(u32, u32)]) {
    let first = (0..ring.len()).min_by_key(|&at| (ring[at].1, ring[at].0));
    let first = first.unwrap_or(0);
    let backwards = ring[..=first]
        .iter()
        .rev()
        .chain(ring[first + 1..].iter().rev());
    push_number(bytes, ring.len() as i64);
    let mut before = (0, 0);
    for (index, &(x, y)) in backwards.enumerate() {
        let at = (i64::from(x), i64::from(y));
        let (across, down) = (at.0 - before.0, at.1 - before.1);
        if index == 0 || across != 0 {
            push_number(bytes, across);
        }
        if index == 0 || down != 0 {
            push_number(bytes, down);
        }
        before = at;
    }
}

/// The ring that comes next, closed.
fn next_ring(bytes: &mut &[u8], across_first: bool) -> Option<LineString<f64>> {
    let count = usize::try_from(next_number(bytes)?).ok()?;
    let (mut x, mut y) = (next_number(bytes)?, next_number(bytes)?);
    let mut points = Vec::with_capacity(count + 1);
    let point = |x: i64, y: i64| Coord {
        x: x as f64,
        y: y as f64,
    };
    points.push(point(x, y));
    let mut across = across_first;
    for _ in 1..count {
        let step = next_number(bytes)?;
        if across {
            x += step;
        } else {
            y += step;
        }
        across = !across;
        points.push(point(x, y));
    }
    points.extend(points.first().copied());
    Some(LineString(points))
}

/// Seven bits a byte, the sign in the lowest bit.
fn push_number(bytes: &mut Vec<u8>, number: i64) {
    let mut bits = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while bits > 0x7f {
        bytes.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    bytes.push(bits as u8);
}

fn next_number(bytes: &mut &[u8]) -> Option<i64> {
    let (mut bits, mut shift) = (0_u64, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        bits |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return Some((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed());
        }
    }
}

#[cfg(test)]
mod tests;

//! Rectangles in a file's coordinates, and cutting rings along them.

use geo::Rect;

use crate::raster::crs::Transformation;
use crate::raster::{GeoTransform, Size};

/// Points along each side and across the raster at which its outline is found in another system.
const STEPS: usize = 24;

/// How much wider than the raster the rectangles around it are, on each side.
const MARGINS: [f64; 3] = [0.002, 0.1, 1.0];

/// The x or y of a point.
type Coordinate = fn(&(f64, f64)) -> f64;

/// An upright rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::vector) struct Rectangle {
    min: (f64, f64),
    max: (f64, f64),
}

impl From<Rect<f64>> for Rectangle {
    fn from(rect: Rect<f64>) -> Self {
        Self {
            min: (rect.min().x, rect.min().y),
            max: (rect.max().x, rect.max().y),
        }
    }
}

impl Rectangle {
    /// Around points that are numbers; `None` without any.
    pub(super) fn of<'a>(points: impl IntoIterator<Item = &'a (f64, f64)>) -> Option<Self> {
        let one = |&(x, y): &(f64, f64)| Self {
            min: (x, y),
            max: (x, y),
        };
        let points = points
            .into_iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite());
        points.map(one).reduce(Self::union)
    }

    /// All between two meridians.
    pub(super) fn between_x(low: f64, high: f64) -> Self {
        Self {
            min: (low, f64::MIN),
            max: (high, f64::MAX),
        }
    }

    pub(in crate::vector) fn of_size(size: Size) -> Self {
        Self {
            min: (0.0, 0.0),
            max: (size.width as f64, size.height as f64),
        }
    }

    pub(in crate::vector) fn union(self, other: Self) -> Self {
        Self {
            min: (self.min.0.min(other.min.0), self.min.1.min(other.min.1)),
            max: (self.max.0.max(other.max.0), self.max.1.max(other.max.1)),
        }
    }

    pub(super) fn moved(&self, x: f64) -> Self {
        Self {
            min: (self.min.0 + x, self.min.1),
            max: (self.max.0 + x, self.max.1),
        }
    }

    pub(in crate::vector) fn middle(&self) -> (f64, f64) {
        (
            f64::midpoint(self.min.0, self.max.0),
            f64::midpoint(self.min.1, self.max.1),
        )
    }

    pub(super) fn x_range(&self) -> (f64, f64) {
        (self.min.0, self.max.0)
    }

    pub(in crate::vector) fn corners(&self) -> [(f64, f64); 4] {
        [
            self.min,
            (self.max.0, self.min.1),
            self.max,
            (self.min.0, self.max.1),
        ]
    }

    /// So much larger on every side.
    pub(in crate::vector) fn grown(&self, by: f64) -> Self {
        Self {
            min: (self.min.0 - by, self.min.1 - by),
            max: (self.max.0 + by, self.max.1 + by),
        }
    }

    /// Larger on every side by a share of its width and height.
    pub(in crate::vector) fn widened(&self, share: f64) -> Self {
        widened(self, share)
    }

    pub(in crate::vector) fn polygon(&self) -> geo::Polygon<f64> {
        Rect::new(self.min, self.max).to_polygon()
    }

    /// The parts of a line within the rectangle; a point is a line of one vertex.
    ///
    /// # Source
    /// Liang and Barsky, "A new concept and method for line clipping", 1984.
    pub(super) fn cut_line(&self, line: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
        if let [point] = line {
            return match self.contains(*point) {
                true => vec![vec![*point]],
                false => Vec::new(),
            };
        }
        let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
        for edge in line.windows(2) {
            let &[from, to] = edge else { continue };
            let Some((start, end)) = self.within(from, to) else {
                continue;
            };
            let at = |share: f64| match share {
                0.0 => from,
                1.0 => to,
                _ => (
                    from.0 + (to.0 - from.0) * share,
                    from.1 + (to.1 - from.1) * share,
                ),
            };
            match parts.last_mut() {
                Some(part) if start == 0.0 && part.last() == Some(&from) => part.push(at(end)),
                _ => parts.push(vec![at(start), at(end)]),
            }
        }
        parts
    }

    /// As [`Rectangle::cut_line`], in `geo`'s types.
    pub(in crate::vector) fn parts_of(
        &self,
        line: &geo::LineString<f64>,
    ) -> Vec<geo::LineString<f64>> {
        let points: Vec<(f64, f64)> = line.0.iter().map(|at| (at.x, at.y)).collect();
        let parts = self.cut_line(&points).into_iter();
        parts.map(geo::LineString::from).collect()
    }

    /// From where to where an edge runs inside, as shares of it.
    fn within(&self, from: (f64, f64), to: (f64, f64)) -> Option<(f64, f64)> {
        let (mut start, mut end) = (0.0_f64, 1.0_f64);
        let step = (to.0 - from.0, to.1 - from.1);
        for (towards, room) in [
            (-step.0, from.0 - self.min.0),
            (step.0, self.max.0 - from.0),
            (-step.1, from.1 - self.min.1),
            (step.1, self.max.1 - from.1),
        ] {
            if towards == 0.0 {
                if room < 0.0 {
                    return None;
                }
            } else if towards < 0.0 {
                start = start.max(room / towards);
            } else {
                end = end.min(room / towards);
            }
        }
        (start <= end).then_some((start, end))
    }

    /// Whether both share more than an edge.
    pub(in crate::vector) fn overlaps(&self, other: &Self) -> bool {
        self.min.0 < other.max.0
            && other.min.0 < self.max.0
            && self.min.1 < other.max.1
            && other.min.1 < self.max.1
    }

    pub(in crate::vector) fn holds(&self, other: &Self) -> bool {
        self.min.0 <= other.min.0
            && other.max.0 <= self.max.0
            && self.min.1 <= other.min.1
            && other.max.1 <= self.max.1
    }

    pub(super) fn contains(&self, (x, y): (f64, f64)) -> bool {
        (self.min.0..=self.max.0).contains(&x) && (self.min.1..=self.max.1).contains(&y)
    }

    /// The extent in world coordinates of what is an extent in pixels.
    pub(super) fn in_world(&self, transform: &GeoTransform) -> String {
        let corners = self
            .corners()
            .map(|corner| transform.world_from_pixel(corner));
        let world = Self::of(&corners).unwrap_or(*self);
        format!(
            "x {:.5} to {:.5}, y {:.5} to {:.5}",
            world.min.0, world.max.0, world.min.1, world.max.1
        )
    }

    /// The ring cut along the rectangle: inside, even-odd filling gives the same; outside nothing is left. Where the ring
    /// leaves and enters again, it follows the edge.
    ///
    /// # Source
    /// Sutherland and Hodgman, "Reentrant polygon clipping", 1974.
    pub(super) fn cut(&self, ring: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let sides: [(Coordinate, f64, f64); 4] = [
            (|point| point.0, self.min.0, 1.0),
            (|point| point.0, self.max.0, -1.0),
            (|point| point.1, self.min.1, 1.0),
            (|point| point.1, self.max.1, -1.0),
        ];
        let mut points = ring.to_vec();
        if points.len() > 1 && points.first() == points.last() {
            points.pop();
        }
        for (along, limit, sign) in sides {
            let depth = |point: &(f64, f64)| (along(point) - limit) * sign;
            let mut kept = Vec::with_capacity(points.len() + 4);
            for index in 0..points.len() {
                let (from, to) = (points[index], points[(index + 1) % points.len()]);
                let (here, there) = (depth(&from), depth(&to));
                if here >= 0.0 {
                    kept.push(from);
                }
                if (here > 0.0 && there < 0.0) || (here < 0.0 && there > 0.0) {
                    let share = here / (here - there);
                    kept.push((
                        from.0 + (to.0 - from.0) * share,
                        from.1 + (to.1 - from.1) * share,
                    ));
                }
            }
            points = kept;
        }
        if let Some(&first) = points.first() {
            points.push(first);
        }
        points
    }
}

/// Rectangles around a raster in a file's coordinates, narrow to wide; one alone, the raster's own, when these are the
/// raster's coordinates; none when nobody knows where the raster lies in them.
pub(super) fn around(
    transform: &GeoTransform,
    size: Size,
    turn: Option<f64>,
    from_raster: Option<&Transformation>,
    to_raster: Option<&Transformation>,
) -> Vec<Rectangle> {
    let step = |index: usize, length: usize| length as f64 * index as f64 / STEPS as f64;
    let grid = (0..=STEPS).flat_map(|row| {
        (0..=STEPS).map(move |col| (step(col, size.width), step(row, size.height)))
    });
    let points: Vec<(f64, f64)> = grid
        .map(|point| transform.world_from_pixel(point))
        .collect();
    let Some(to_raster) = to_raster else {
        return Rectangle::of(&points).into_iter().collect();
    };
    let Some(from_raster) = from_raster else {
        return Vec::new();
    };
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    from_raster.transform(&mut xs, &mut ys);
    let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
    let mut points: Vec<(f64, f64)> = xs.into_iter().zip(ys).filter(finite).collect();
    let Some(turn) = turn else {
        let Some(exact) = Rectangle::of(&points) else {
            return Vec::new();
        };
        return MARGINS.map(|margin| widened(&exact, margin)).to_vec();
    };
    // Longitudes follow each other, row by row, without a jump.
    let mut before = points.get(points.len() / 2).map_or(0.0, |point| point.0);
    let middle = before;
    for point in &mut points {
        point.0 += ((before - point.0) / turn).round() * turn;
        before = point.0;
    }
    let Some(mut exact) = Rectangle::of(&points) else {
        return Vec::new();
    };
    for pole in [-turn / 4.0, turn / 4.0] {
        if is_on_raster((0.0, pole), to_raster, transform, size) {
            exact.min.1 = exact.min.1.min(pole);
            exact.max.1 = exact.max.1.max(pole);
            exact.max.0 = exact.min.0 + 2.0 * turn;
        }
    }
    let narrow = |margin: f64| {
        let mut wide = widened(&exact, margin);
        if wide.max.0 - wide.min.0 >= turn {
            // Around the world, once.
            let start = if (wide.min.0..=wide.max.0).contains(&(middle + turn))
                || exact.max.0 - exact.min.0 > turn
            {
                -turn / 2.0
            } else {
                middle - turn / 2.0
            };
            (wide.min.0, wide.max.0) = (start, start + turn);
        }
        wide.min.1 = wide.min.1.max(-turn / 4.0);
        wide.max.1 = wide.max.1.min(turn / 4.0);
        wide
    };
    MARGINS.map(narrow).to_vec()
}

fn widened(exact: &Rectangle, margin: f64) -> Rectangle {
    let (x, y) = (
        (exact.max.0 - exact.min.0) * margin,
        (exact.max.1 - exact.min.1) * margin,
    );
    Rectangle {
        min: (exact.min.0 - x, exact.min.1 - y),
        max: (exact.max.0 + x, exact.max.1 + y),
    }
}

fn is_on_raster(
    (x, y): (f64, f64),
    to_raster: &Transformation,
    transform: &GeoTransform,
    size: Size,
) -> bool {
    let (mut xs, mut ys) = ([x], [y]);
    to_raster.transform(&mut xs, &mut ys)
        && Rectangle::of_size(size).contains(transform.pixel_from_world((xs[0], ys[0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_cut_along_the_rectangle() {
        let unit = Rectangle {
            min: (0.0, 0.0),
            max: (1.0, 1.0),
        };
        let around = [
            (-5.0, -5.0),
            (5.0, -5.0),
            (5.0, 5.0),
            (-5.0, 5.0),
            (-5.0, -5.0),
        ];
        let cut = unit.cut(&around);
        assert_eq!(Rectangle::of(&cut), Some(unit));
        assert_eq!(cut.len(), 5);
        assert!(unit.cut(&[(2.0, 2.0), (3.0, 2.0), (3.0, 3.0)]).is_empty());
        let corner = unit.cut(&[(0.5, 0.5), (2.0, 0.5), (0.5, 2.0)]);
        assert!(corner.iter().all(|&point| unit.contains(point)) && corner.len() > 4);
    }

    /// Authority: shapely's `clip_by_rect`.
    #[test]
    fn lines_are_cut_into_the_parts_inside() {
        let unit = Rectangle {
            min: (0.0, 0.0),
            max: (1.0, 1.0),
        };
        let line = [
            (-1.0, 0.5),
            (0.5, 0.5),
            (0.5, 2.0),
            (0.75, 2.0),
            (0.75, -1.0),
        ];
        let parts = unit.cut_line(&line);
        assert_eq!(
            parts,
            [
                vec![(0.0, 0.5), (0.5, 0.5), (0.5, 1.0)],
                vec![(0.75, 1.0), (0.75, 0.0)]
            ]
        );
        assert!(unit.cut_line(&[(2.0, 0.0), (2.0, 1.0)]).is_empty());
        assert_eq!(unit.cut_line(&[(0.5, 0.5)]), [[(0.5, 0.5)]]);
        assert!(unit.cut_line(&[(1.5, 0.5)]).is_empty());
    }
}

//! How much of a polygon lies in a window.

use geo::{Area, Coord, LineString, MultiPolygon};

use crate::raster::PixelWindow;

/// The area of the part of a shape that lies in a window, and the area of the whole shape, in pixels.
///
/// # Source
/// Each ring is clipped by the four edges after Sutherland and Hodgman, *Reentrant polygon clipping*, 1974. Where a concave
/// ring falls into parts, these are joined by lines along the edge that are run through both ways and add no area.
#[must_use]
pub(crate) fn area_inside(shape: &MultiPolygon<f64>, window: &PixelWindow) -> (f64, f64) {
    let edges = [
        (0, window.col as f64, true),
        (0, window.right() as f64, false),
        (1, window.row as f64, true),
        (1, window.bottom() as f64, false),
    ];
    let mut inside = 0.0;
    for polygon in shape {
        let clipped = |ring: &LineString<f64>| {
            let mut corners = ring.0.clone();
            corners.pop();
            for edge in edges {
                corners = clip(&corners, edge);
            }
            doubled_area(&corners).abs() / 2.0
        };
        let holes: f64 = polygon.interiors().iter().map(clipped).sum();
        inside += (clipped(polygon.exterior()) - holes).max(0.0);
    }
    (inside, shape.unsigned_area())
}

/// The part of a closed ring on one side of a line: `(axis, position, whether larger coordinates are kept)`.
fn clip(corners: &[Coord<f64>], (axis, at, above): (usize, f64, bool)) -> Vec<Coord<f64>> {
    let place = |corner: &Coord<f64>| if axis == 0 { corner.x } else { corner.y };
    let keeps = |corner: &Coord<f64>| match above {
        true => place(corner) >= at,
        false => place(corner) <= at,
    };
    let mut kept = Vec::with_capacity(corners.len() + 4);
    let before = corners.iter().cycle().skip(corners.len().saturating_sub(1));
    for (last, next) in before.zip(corners) {
        if keeps(last) != keeps(next) {
            let share = (at - place(last)) / (place(next) - place(last));
            kept.push(match axis {
                0 => Coord {
                    x: at,
                    y: last.y + share * (next.y - last.y),
                },
                _ => Coord {
                    x: last.x + share * (next.x - last.x),
                    y: at,
                },
            });
        }
        if keeps(next) {
            kept.push(*next);
        }
    }
    kept
}

/// Twice the signed area, by the shoelace formula, from the first corner so that large coordinates cost no digits.
fn doubled_area(corners: &[Coord<f64>]) -> f64 {
    let Some(origin) = corners.first() else {
        return 0.0;
    };
    corners
        .windows(2)
        .map(|pair| {
            let [one, two] = [pair[0] - *origin, pair[1] - *origin];
            one.x * two.y - two.x * one.y
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use geo::{BooleanOps, polygon};
    use rand::{RngExt as _, SeedableRng};

    use super::*;

    #[test]
    fn parts_holes_and_what_lies_outside_have_their_areas() {
        let ring = polygon!(
            exterior: [(x: 0.0, y: 0.0), (x: 10.0, y: 0.0), (x: 10.0, y: 10.0), (x: 0.0, y: 10.0)],
            interiors: [[(x: 2.0, y: 2.0), (x: 2.0, y: 8.0), (x: 8.0, y: 8.0), (x: 8.0, y: 2.0)]],
        );
        let shape = MultiPolygon::new(vec![ring]);
        // The left half of a frame: 50 less half of its hole.
        assert_eq!(
            area_inside(&shape, &PixelWindow::new(0, 0, 5, 10)),
            (32.0, 64.0)
        );
        assert_eq!(area_inside(&shape, &PixelWindow::new(3, 3, 4, 4)).0, 0.0);
        assert_eq!(area_inside(&shape, &PixelWindow::new(20, 0, 5, 5)).0, 0.0);
        assert_eq!(
            area_inside(&shape, &PixelWindow::new(-9, -9, 50, 50)).0,
            64.0
        );
        assert_eq!(
            area_inside(
                &MultiPolygon::new(Vec::new()),
                &PixelWindow::new(0, 0, 1, 1)
            ),
            (0.0, 0.0)
        );
    }

    /// The authority is `geo`'s boolean operations, which are exact to rounding and slow. The star is concave, so that windows
    /// cut it into several parts.
    #[test]
    fn concave_shapes_agree_with_boolean_operations() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(7);
        for _ in 0..200 {
            let corners = random.random_range(3..20_usize);
            let star: Vec<(f64, f64)> = (0..corners)
                .map(|corner| {
                    let angle = corner as f64 / corners as f64 * std::f64::consts::TAU;
                    let radius = random.random_range(1.0..40.0);
                    (50.0 + radius * angle.cos(), 50.0 + radius * angle.sin())
                })
                .collect();
            let shape = MultiPolygon::new(vec![geo::Polygon::new(star.into(), Vec::new())]);
            let window = PixelWindow::new(
                random.random_range(0..80),
                random.random_range(0..80),
                random.random_range(1..60),
                random.random_range(1..60),
            );
            let rectangle = geo::Rect::new(
                (window.col as f64, window.row as f64),
                (window.right() as f64, window.bottom() as f64),
            );
            let exact = shape
                .intersection(&MultiPolygon::new(vec![rectangle.to_polygon()]))
                .unsigned_area();
            let (inside, _) = area_inside(&shape, &window);
            assert!((inside - exact).abs() < 1e-3, "{inside} {exact} {window}");
        }
    }
}

//! Shapes of which the boxes around them are taken: points, rotated boxes, well-known text.

use super::LabeledBox;
use super::remark::fault;
use crate::{BoundingBox, Quadrilateral};

/// The box around points; NaN where one of them is.
///
/// Without points it is the empty box, which [`Gathered::add`](super::remark::Gathered::add) leaves out and counts.
pub(super) fn around(points: &[(f64, f64)]) -> BoundingBox {
    // `f64::min` would pass over NaN, and the outline would look sound.
    if points.iter().any(|(x, y)| x.is_nan() || y.is_nan()) {
        return BoundingBox::new(f64::NAN, f64::NAN, f64::NAN, f64::NAN);
    }
    let points = points.iter().map(|&(x, y)| BoundingBox::new(x, y, x, y));
    points
        .reduce(|all, point| all.union(&point))
        .unwrap_or_default()
}

/// Points given as `x y x y …`; `None` when one number is left.
pub(super) fn pairs(numbers: &[f64]) -> Option<Vec<(f64, f64)>> {
    let pairs = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    numbers.len().is_multiple_of(2).then(|| pairs.collect())
}

/// Whether the corners are those of an upright rectangle, so that the box around them is the shape itself.
pub(super) fn is_upright(points: &[(f64, f64)]) -> bool {
    if points.is_empty() {
        return false;
    }
    let bounds = around(points);
    let near = |a: f64, b: f64, side: f64| (a - b).abs() <= side * 1e-6;
    let corner = |&(x, y): &(f64, f64)| {
        let left = near(x, bounds.x_min, bounds.width());
        let right = near(x, bounds.x_max, bounds.width());
        let upper = near(y, bounds.y_min, bounds.height());
        let lower = near(y, bounds.y_max, bounds.height());
        ((left || right) && (upper || lower)).then_some((right, lower))
    };
    let corners: Option<Vec<(bool, bool)>> = points.iter().map(corner).collect();
    corners.is_some_and(|corners| {
        [(false, false), (true, false), (true, true), (false, true)]
            .iter()
            .all(|corner| corners.contains(corner))
            && corners
                .windows(2)
                .all(|two| two[0].0 == two[1].0 || two[0].1 == two[1].1)
    })
}

/// The four corners of a shape of four points, or of five of which the last is the first again; `None` for others.
pub(super) fn four_corners(points: &[(f64, f64)]) -> Option<Quadrilateral> {
    match *points {
        [a, b, c, d] => Some(Quadrilateral::new([a, b, c, d])),
        [a, b, c, d, last] if last == a => Some(Quadrilateral::new([a, b, c, d])),
        _ => None,
    }
}

/// A box turned clockwise about its middle by an angle in degrees; one that is none before it is turned stays what it is, so
/// that it is left out.
pub(super) fn turned(bounds: BoundingBox, degrees: f64, class: &str) -> LabeledBox {
    if degrees == 0.0 || fault(&bounds).is_some() {
        return LabeledBox::new(bounds, class);
    }
    let (x, y) = bounds.center();
    let outline = Quadrilateral::from_center(x, y, bounds.width(), bounds.height(), degrees);
    LabeledBox::rotated(outline, class)
}

/// What a text in well-known text (WKT) holds.
#[derive(Debug, PartialEq)]
pub(super) enum Wkt {
    /// The points of all rings of a polygon or a multipolygon.
    Area(Vec<(f64, f64)>),
    /// `POLYGON EMPTY`, or no text at all: nothing is there.
    Empty,
    /// A point, a line, a collection.
    NoArea,
}

/// Reads polygons; `None` for what is no WKT.
pub(super) fn wkt(text: &str) -> Option<Wkt> {
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("nan") {
        return Some(Wkt::Empty);
    }
    // EWKT, as PostGIS writes it.
    let text = match text.split_once(';') {
        Some((system, rest)) if system.to_ascii_uppercase().starts_with("SRID=") => rest.trim(),
        _ => text,
    };
    let letters = text
        .find(|letter: char| !letter.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (kind, rest) = text.split_at(letters);
    let kind = kind.to_ascii_uppercase();
    let rest = rest.trim();
    // `POLYGON Z (…)`, `POLYGON ZM (…)`.
    let dimensions = rest.trim_start_matches(['Z', 'M', 'z', 'm']);
    let rest = if dimensions.len() < rest.len() {
        dimensions.trim()
    } else {
        rest
    };
    let known = [
        "POINT",
        "LINESTRING",
        "MULTIPOINT",
        "MULTILINESTRING",
        "GEOMETRYCOLLECTION",
    ];
    let depth = match kind.trim_end_matches(['Z', 'M']) {
        "POLYGON" => 2,
        "MULTIPOLYGON" => 3,
        kind if known.contains(&kind) => return Some(Wkt::NoArea),
        _ => return None,
    };
    if rest.eq_ignore_ascii_case("EMPTY") {
        return Some(Wkt::Empty);
    }
    points_of(rest, depth).map(Wkt::Area)
}

/// The points inside parentheses of this depth, which must all be closed.
fn points_of(text: &str, depth: usize) -> Option<Vec<(f64, f64)>> {
    let (mut open, mut deepest) = (0_usize, 0);
    let mut done = false;
    for letter in text.chars() {
        if done && !letter.is_whitespace() {
            return None;
        }
        match letter {
            '(' => open += 1,
            ')' => open = open.checked_sub(1)?,
            _ => continue,
        }
        deepest = deepest.max(open);
        done = open == 0;
    }
    if !done || deepest != depth {
        return None;
    }
    let coordinates = text
        .split(['(', ')', ','])
        .map(str::trim)
        .filter(|point| !point.is_empty());
    coordinates
        .map(|point| {
            let mut numbers = point.split_whitespace().map(str::parse::<f64>);
            let (x, y) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            (numbers.all(|further| further.is_ok())).then_some((x, y))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polygons_of_wkt_in_every_spelling() {
        let square = vec![(1.0, 2.0), (3.0, 2.0), (3.0, 4.5), (1.0, 2.0)];
        for text in [
            "POLYGON ((1 2, 3 2, 3 4.5, 1 2))",
            "polygon((1 2,3 2,3 4.5,1 2))",
            "SRID=4326;POLYGON Z ((1 2 0,3 2 0,3 4.5 0,1 2 0))",
            "POLYGONZ((1 2 0,3 2 0,3 4.5 0,1 2 0))",
            "MULTIPOLYGON (((1 2, 3 2, 3 4.5, 1 2)))",
        ] {
            assert_eq!(wkt(text), Some(Wkt::Area(square.clone())), "{text}");
        }
        assert_eq!(wkt("POLYGON EMPTY"), Some(Wkt::Empty));
        assert_eq!(wkt("POINT (1 2)"), Some(Wkt::NoArea));
        let whole = "POLYGON ((1 2, 3 2, 3 4.5, 1 2))";
        for end in 1..whole.len() {
            assert_eq!(wkt(&whole[..end]), None, "{}", &whole[..end]);
        }
        assert_eq!(wkt("POLYGON ((1 2, 3 x))"), None);
    }

    #[test]
    fn only_upright_rectangles_are_upright() {
        let upright = [(1.0, 1.0), (5.0, 1.0), (5.0, 4.0), (1.0, 4.0), (1.0, 1.0)];
        assert!(is_upright(&upright) && is_upright(&upright[..4]));
        assert!(!is_upright(&[(1.0, 1.0), (5.0, 1.0), (5.0, 4.0)]));
        assert!(!is_upright(&[
            (3.0, 1.0),
            (5.0, 3.0),
            (3.0, 5.0),
            (1.0, 3.0)
        ]));
        let corners = Quadrilateral::from_center(10.0, 10.0, 4.0, 2.0, 90.0).corners;
        let bounds = around(&corners);
        assert!((bounds.width() - 2.0).abs() < 1e-9 && (bounds.height() - 4.0).abs() < 1e-9);
        assert!(is_upright(&corners));
        assert!(!around(&[(1.0, f64::NAN), (2.0, 3.0)]).is_finite());
        assert_eq!(around(&[]), BoundingBox::default());
    }
}

//! What is drawn of an object: its rotated outline, or its upright box.

use crate::boxes::{Annotation, BoundingBox, Quadrilateral};

/// The lines that show an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BoxShape {
    /// The upright box, as far as it is left.
    pub(crate) bounds: BoundingBox,
    /// The whole outline of a rotated box.
    pub(crate) outline: Option<Quadrilateral>,
}

impl From<BoundingBox> for BoxShape {
    fn from(bounds: BoundingBox) -> Self {
        Self {
            bounds,
            outline: None,
        }
    }
}

impl From<&Annotation> for BoxShape {
    fn from(one: &Annotation) -> Self {
        Self {
            bounds: one.bounds,
            outline: one.outline,
        }
    }
}

impl BoxShape {
    /// Multiplied by a factor in each direction, about the origin.
    pub(crate) fn scale(&self, x: f64, y: f64) -> Self {
        Self {
            bounds: self.bounds.scale(x, y),
            outline: self.outline.map(|outline| outline.scale(x, y)),
        }
    }

    /// Without an outline of which no pixel would be drawn: one that lies beyond the part of the upright box that is left, or
    /// is smaller than a pixel. The upright box stands for it, so that no label goes unseen.
    pub(super) fn seen(self, reach: f64, width: usize, height: usize) -> Self {
        let mut any = false;
        self.near_outline(reach, width, height, |_, _| any = true);
        Self {
            outline: self.outline.filter(|_| any),
            ..self
        }
    }

    /// Visits the pixels of an image of this size whose centers lie within `reach` of the outline, and no further than that
    /// beyond the upright box: where an edge has cut the box, the outline ends there. Some are visited more than once.
    pub(super) fn near_outline(
        &self,
        reach: f64,
        width: usize,
        height: usize,
        mut visit: impl FnMut(usize, usize),
    ) {
        let Some(outline) = self.outline.filter(Quadrilateral::is_finite) else {
            return;
        };
        let within = BoundingBox::new(
            (self.bounds.x_min - reach).max(0.0),
            (self.bounds.y_min - reach).max(0.0),
            (self.bounds.x_max + reach).min(width as f64),
            (self.bounds.y_max + reach).min(height as f64),
        );
        for (from, to) in outline.edges() {
            near_edge(from, to, &within, reach, &mut visit);
        }
    }
}

/// Visits the pixels in `within` whose centers lie within `reach` of the line from one point to another.
fn near_edge(
    from: (f64, f64),
    to: (f64, f64),
    within: &BoundingBox,
    reach: f64,
    visit: &mut impl FnMut(usize, usize),
) {
    let (right, down) = (to.0 - from.0, to.1 - from.1);
    let (length, squared) = (right.hypot(down), right * right + down * down);
    let top = (from.1.min(to.1) - reach).max(within.y_min);
    let bottom = (from.1.max(to.1) + reach).min(within.y_max);
    let (least, most) = (from.0.min(to.0) - reach, from.0.max(to.0) + reach);
    for row in centers(top, bottom) {
        let y = row as f64 + 0.5;
        // Where the band around the line through both points crosses this row.
        let (mut low, mut high) = (least.max(within.x_min), most.min(within.x_max));
        if down.abs() > length * 1e-6 {
            let middle = from.0 + (y - from.1) / down * right;
            let half = reach * length / down.abs() + 1e-6;
            (low, high) = (low.max(middle - half), high.min(middle + half));
        }
        for col in centers(low, high) {
            let (x, y) = (col as f64 + 0.5 - from.0, y - from.1);
            let along = match squared > 0.0 {
                true => ((x * right + y * down) / squared).clamp(0.0, 1.0),
                false => 0.0,
            };
            if (x - along * right).hypot(y - along * down) <= reach {
                visit(col, row);
            }
        }
    }
}

/// The pixels whose centers lie between two places that are not below 0.
fn centers(low: f64, high: f64) -> std::ops::Range<usize> {
    // Numbers below 0 and NaN become 0.
    let first = (low - 0.5).ceil().max(0.0) as usize;
    let end = ((high - 0.5).floor() + 1.0).max(0.0) as usize;
    first..end.max(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::image::{RgbaImage, box_lines};

    fn picture(shape: BoxShape, reach: f64, width: usize, height: usize) -> Vec<String> {
        let mut rows = vec![vec!['.'; width]; height];
        shape.near_outline(reach, width, height, |col, row| rows[row][col] = '#');
        rows.into_iter()
            .map(|row| row.into_iter().collect())
            .collect()
    }

    /// Pixels by shapely 2.2.0: `LinearRing(corners).distance(Point(col + 0.5, row + 0.5)) <= reach`.
    #[test]
    fn the_pixels_are_those_within_reach_of_the_outline() {
        let outline = Quadrilateral::new([(2.0, 5.3), (8.2, 1.1), (11.0, 5.0), (4.8, 9.4)]);
        let shape = BoxShape::from(&Annotation::rotated(outline, 1));
        assert_eq!(picture(shape, 0.5, 13, 11), HALF);
        assert_eq!(picture(shape, 1.0, 13, 11), ONE);
    }

    const HALF: [&str; 11] = [
        ".............",
        ".......##....",
        ".....##..#...",
        "....##...##..",
        "..##......#..",
        "..#......##..",
        "..#.....##...",
        "...#...#.....",
        "....###......",
        "....##.......",
        ".............",
    ];
    const ONE: [&str; 11] = [
        ".......##....",
        "......####...",
        "....######...",
        "...###...##..",
        ".####....###.",
        ".##......###.",
        "..##...####..",
        "..###.###....",
        "...#####.....",
        "....##.......",
        ".............",
    ];

    #[test]
    fn an_outline_ends_where_its_box_was_cut_and_outside_the_image() {
        let outline = Quadrilateral::new([(3.0, 1.0), (9.0, 7.0), (6.0, 10.0), (0.0, 4.0)]);
        let whole = BoxShape::from(&Annotation::rotated(outline, 1));
        let cut = BoxShape {
            bounds: BoundingBox::new(0.0, 1.0, 4.0, 10.0),
            ..whole
        };
        let (all, left) = (picture(whole, 0.5, 12, 12), picture(cut, 0.5, 12, 12));
        for (all, left) in all.iter().zip(&left) {
            assert_eq!(all[..4], left[..4]);
            assert!(!left[5..].contains('#'));
        }
        // Far outside, and no numbers.
        for moved in [outline.translate(1e300, 0.0), outline.translate(-1e9, -1e9)] {
            let shape = BoxShape::from(&Annotation::rotated(moved, 1));
            assert!(!picture(shape, 1.0, 12, 12).concat().contains('#'));
        }
        let broken = outline.map(|(x, _)| (x, f64::INFINITY));
        let shape = BoxShape {
            outline: Some(broken),
            ..whole
        };
        assert!(!picture(shape, 1.0, 12, 12).concat().contains('#'));
        assert!(picture(whole, 1.0, 0, 0).is_empty());
    }

    /// A rotated box is drawn as its outline: its upright box's corners stay free, its own are colored.
    #[test]
    fn rotated_boxes_are_drawn_as_they_lie() {
        let color = [0, 120, 255];
        let diamond = Quadrilateral::new([(20.0, 4.0), (36.0, 20.0), (20.0, 36.0), (4.0, 20.0)]);
        let draw = |shape: BoxShape| {
            let mut image = RgbaImage::transparent(40, 40);
            box_lines(&mut image, &[(shape, color)], 2);
            image
        };
        let image = draw(BoxShape::from(&Annotation::rotated(diamond, 1)));
        let colored = |col, row| image.pixel(col, row) == [0, 120, 255, 255];
        for (col, row) in [(20, 4), (35, 20), (20, 35), (4, 20), (12, 12), (28, 12)] {
            assert!(colored(col, row), "{col} {row}");
        }
        for (col, row) in [(5, 5), (34, 5), (20, 20), (4, 35)] {
            assert_eq!(image.pixel(col, row), [0; 4], "{col} {row}");
        }
        // Only an empty corner of the upright box is left: it is drawn, so that the label is seen.
        let corner = BoxShape {
            bounds: BoundingBox::new(4.0, 4.0, 9.0, 9.0),
            outline: Some(diamond),
        };
        assert_eq!(draw(corner), draw(corner.bounds.into()));
        // A speck as well.
        let speck = Quadrilateral::from_center(20.0, 20.0, 0.01, 0.01, 45.0);
        let speck = BoxShape::from(&Annotation::rotated(speck, 1));
        assert!(
            draw(speck)
                .data
                .chunks_exact(4)
                .any(|pixel| pixel == [0, 120, 255, 255])
        );
    }
}

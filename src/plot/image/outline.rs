//! Edges that stand out on any ground: a line in the class's color with a dark or a light edge around it.

use super::RgbaImage;
use super::rotated::BoxShape;
use crate::boxes::BoundingBox;
use crate::color::{contrast, text_on};

/// How opaque the edge around a line is: all of it, since what lies under the edge is not what lies beside it, and a
/// bright pixel through a dark edge costs its contrast.
const CASING: u8 = 255;
/// A line and its edge differ by this at least (WCAG's contrast ratio); then one of the two differs by 3 or more, its
/// root, from any ground. Lines of middle brightness get a second edge of the opposite tone.
const ENOUGH: f64 = 10.0;

/// What is drawn around a line of this color: the nearer edge, and the one beyond where one alone is too little.
pub(crate) fn casings(color: [u8; 3]) -> ([u8; 3], Option<[u8; 3]>) {
    let near = text_on(color);
    let opposite = near.map(|byte| 255 - byte);
    (near, (contrast(color, near) < ENOUGH).then_some(opposite))
}

/// The edges of the colored regions of `map`, scaled to `width x height` by the nearest pixel: a line of one pixel
/// inside each region, opaque, and its casing outside, where no other region lies. Regions that touch the picture's
/// edge are not closed there: they go on outside.
pub(crate) fn region_lines(map: &RgbaImage, width: usize, height: usize) -> RgbaImage {
    let mut lines = RgbaImage::transparent(width, height);
    if map.width == 0 || map.height == 0 || map.data.len() != map.width * map.height * 4 {
        return lines;
    }
    let regions: Vec<Option<[u8; 3]>> = (0..height)
        .flat_map(|row| (0..width).map(move |col| (col, row)))
        .map(|(col, row)| {
            let pixel = map.pixel(col * map.width / width, row * map.height / height);
            (pixel[3] > 0).then_some([pixel[0], pixel[1], pixel[2]])
        })
        .collect();
    let at = |col: isize, row: isize| -> Option<Option<[u8; 3]>> {
        let inside = col >= 0 && row >= 0 && (col as usize) < width && (row as usize) < height;
        inside.then(|| regions[row as usize * width + col as usize])
    };
    for row in 0..height as isize {
        for col in 0..width as isize {
            let own = regions[row as usize * width + col as usize];
            let around = |reach: &[(isize, isize)]| {
                reach
                    .iter()
                    .find_map(|(right, down)| at(col + right, row + down).flatten())
            };
            let drawn = if let Some(color) = own {
                let differs = NEXT.iter().any(|(right, down)| {
                    at(col + right, row + down).is_some_and(|other| other != own)
                });
                differs.then_some((color, 255))
            } else if let Some(color) = around(&NEXT).or_else(|| around(&CORNERS)) {
                Some((casings(color).0, CASING))
            } else {
                around(&BEYOND).and_then(|color| Some((casings(color).1?, CASING)))
            };
            if let Some((color, alpha)) = drawn {
                lines.put(col as usize, row as usize, color, alpha);
            }
        }
    }
    lines
}

const NEXT: [(isize, isize); 4] = [(0, -1), (-1, 0), (1, 0), (0, 1)];
const CORNERS: [(isize, isize); 4] = [(-1, -1), (1, -1), (-1, 1), (1, 1)];
const BEYOND: [(isize, isize); 12] = [
    (0, -2),
    (-2, 0),
    (2, 0),
    (0, 2),
    (-1, -2),
    (1, -2),
    (-1, 2),
    (1, 2),
    (-2, -1),
    (-2, 1),
    (2, -1),
    (2, 1),
];

/// Draws boxes as lines of `thickness` pixels, inwards, with their casings outside; rotated ones as their outlines, `thickness`
/// about the line. All casings come first, so that no box hides its neighbor's line.
pub(crate) fn box_lines(image: &mut RgbaImage, boxes: &[(BoxShape, [u8; 3])], thickness: usize) {
    let (width, height) = (image.width, image.height);
    let half = thickness.max(1) as f64 / 2.0;
    let boxes: Vec<_> = boxes
        .iter()
        .map(|(shape, color)| (shape.seen(half, width, height), *color))
        .collect();
    for beyond in [true, false] {
        for (shape, color) in &boxes {
            let (near, far) = casings(*color);
            let (casing, reach) = match (beyond, far) {
                (true, None) => continue,
                (true, Some(far)) => (far, 2.0),
                (false, _) => (near, 1.0),
            };
            if shape.outline.is_some() {
                shape.near_outline(half + reach, width, height, |col, row| {
                    image.put(col, row, casing, CASING);
                });
                continue;
            }
            let bounds = &shape.bounds;
            let wider = BoundingBox::new(
                bounds.x_min.round() - reach,
                bounds.y_min.round() - reach,
                bounds.x_max.round().max(bounds.x_min.round() + 1.0) + reach,
                bounds.y_max.round().max(bounds.y_min.round() + 1.0) + reach,
            );
            super::boxes::edges(&wider, width, height, 1, |col, row| {
                // At the picture's edge the casing would lie on the line.
                let cut = (col == 0 && wider.x_min < 0.0)
                    || (row == 0 && wider.y_min < 0.0)
                    || (col + 1 == width && wider.x_max > width as f64)
                    || (row + 1 == height && wider.y_max > height as f64);
                if !cut {
                    image.put(col, row, casing, CASING);
                }
            });
        }
    }
    for (shape, color) in boxes {
        match shape.outline {
            Some(_) => shape.near_outline(half, width, height, |col, row| {
                image.put(col, row, color, 255);
            }),
            None => super::draw_boxes_over(image, [(shape.bounds, color)], thickness),
        }
    }
}

/// Hatches the pixels that do not count: thin diagonals of a light and a dark line. `ignored` is of the size `small`.
pub(crate) fn hatch(image: &mut RgbaImage, ignored: &[bool], small: (usize, usize)) {
    if !ignored.contains(&true) {
        return;
    }
    for row in 0..image.height {
        for col in 0..image.width {
            let at = row * small.1 / image.height * small.0 + col * small.0 / image.width;
            let color = match (col + row) % 8 {
                0 => [255; 3],
                1 => [40; 3],
                _ => continue,
            };
            if ignored.get(at) == Some(&true) {
                image.put(col, row, color, 190);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Classes;
    use crate::plot::RgbImage;

    /// WCAG 2.2, 1.4.11: what is needed to understand a picture has a contrast of 3 to what lies beside it.
    #[test]
    fn some_edge_of_every_color_has_a_contrast_of_three_to_any_ground() {
        let colors = (0..16).map(|step| step * 17).flat_map(|red| {
            [0, 60, 120, 180, 255].map(move |green| [red as u8, green, 255 - red as u8])
        });
        for color in colors.chain([[0; 3], [255; 3], [230, 159, 0], [128; 3]]) {
            for gray in 0..=255u8 {
                let ground = [gray; 3];
                let (near, far) = casings(color);
                let blended = |edge: [u8; 3]| {
                    let mut one = RgbImage::filled(1, 1, ground);
                    one.blend_pixel(0, 0, edge, f32::from(CASING) / 255.0);
                    contrast(one.pixel(0, 0), ground)
                };
                let best = contrast(color, ground)
                    .max(blended(near))
                    .max(far.map_or(0.0, blended));
                assert!(best >= 3.0, "{color:?} on {gray}: {best}");
            }
        }
    }

    #[test]
    fn regions_have_a_line_inside_and_a_casing_outside() {
        let yellow = [255, 235, 0];
        let classes = Classes::new(["a"]).with_color("a", yellow);
        let mut labels = vec![0; 81];
        for row in 3..6 {
            labels[row * 9 + 3..row * 9 + 6].fill(1);
        }
        let map = super::super::class_map(&labels, 9, 9, &classes).unwrap();
        let lines = region_lines(&map, 9, 9);
        assert_eq!(lines.pixel(3, 3), [255, 235, 0, 255]);
        assert_eq!(lines.pixel(4, 4), [0; 4], "the inside stays visible");
        assert_eq!(lines.pixel(2, 2), [0, 0, 0, CASING]);
        assert_eq!(
            lines.pixel(1, 4),
            [0; 4],
            "one edge is enough around a bright line"
        );
        let orange = classes.with_color("a", [213, 94, 0]);
        let map = super::super::class_map(&labels, 9, 9, &orange).unwrap();
        let lines = region_lines(&map, 9, 9);
        assert_eq!((lines.pixel(2, 4)[0], lines.pixel(1, 4)[0]), (0, 255));
        let whole = super::super::class_map(&[1; 81], 9, 9, &orange).unwrap();
        assert_eq!(region_lines(&whole, 9, 9), RgbaImage::transparent(9, 9));
        assert_eq!(
            region_lines(&RgbaImage::default(), 2, 2),
            RgbaImage::transparent(2, 2)
        );
    }

    #[test]
    fn boxes_have_a_casing_outside_that_hides_no_line() {
        let mut image = RgbaImage::transparent(20, 12);
        let yellow = [255, 235, 0];
        let boxes = [
            BoundingBox::new(2.0, 2.0, 8.0, 8.0),
            BoundingBox::new(8.0, 2.0, 14.0, 8.0),
            BoundingBox::new(-3.0, 10.0, 3.0, 40.0),
        ]
        .map(|bounds| (bounds.into(), yellow));
        box_lines(&mut image, &boxes, 1);
        for (col, row) in [(2, 2), (7, 5), (8, 5), (13, 7), (0, 10)] {
            assert_eq!(image.pixel(col, row), [255, 235, 0, 255], "{col} {row}");
        }
        assert_eq!(image.pixel(1, 5), [0, 0, 0, CASING]);
        assert_eq!(image.pixel(14, 5), [0, 0, 0, CASING]);
    }
}

use super::rotated::BoxShape;
use super::{RgbImage, RgbaImage};
use crate::boxes::{Annotation, BoundingBox};
use crate::labels::Classes;

/// Draws the edges of boxes, given in pixels of the image, in the colors of their classes; `thickness` pixels, inwards.
pub fn draw_boxes(
    image: &mut RgbImage,
    boxes: impl IntoIterator<Item = (BoundingBox, [u8; 3])>,
    thickness: usize,
) {
    let (width, height) = (image.width, image.height);
    for (bounds, color) in boxes {
        edges(&bounds, width, height, thickness, |col, row| {
            image.set_pixel(col, row, color);
        });
    }
}

/// As [`draw_boxes`], over whatever the image holds and opaque.
pub fn draw_boxes_over(
    image: &mut RgbaImage,
    boxes: impl IntoIterator<Item = (BoundingBox, [u8; 3])>,
    thickness: usize,
) {
    let (width, height) = (image.width, image.height);
    for (bounds, [red, green, blue]) in boxes {
        edges(&bounds, width, height, thickness, |col, row| {
            let at = (row * width + col) * 4;
            if let Some(pixel) = image.data.get_mut(at..at + 4) {
                pixel.copy_from_slice(&[red, green, blue, 255]);
            }
        });
    }
}

/// Boxes with the colors of their classes, brought from an image of `from` pixels to one of `to`.
pub(crate) fn colored<'a>(
    boxes: &'a [Annotation],
    classes: &'a Classes,
    from: (usize, usize),
    to: (usize, usize),
) -> impl Iterator<Item = (BoxShape, [u8; 3])> + 'a {
    let scale = (
        to.0 as f64 / from.0.max(1) as f64,
        to.1 as f64 / from.1.max(1) as f64,
    );
    boxes.iter().map(move |one| {
        let color = classes.get(one.class).map_or([255; 3], |class| class.color);
        (BoxShape::from(one).scale(scale.0, scale.1), color)
    })
}

/// Visits the pixels of a box's edge that lie in an image of this size; a box smaller than a pixel gets one.
pub(super) fn edges(
    bounds: &BoundingBox,
    width: usize,
    height: usize,
    thickness: usize,
    mut visit: impl FnMut(usize, usize),
) {
    let outside = bounds.x_max < 0.0
        || bounds.y_max < 0.0
        || bounds.x_min >= width as f64
        || bounds.y_min >= height as f64;
    if !bounds.is_finite() || outside || width == 0 || height == 0 {
        return;
    }
    let span = |low: f64, high: f64, length: usize| {
        let first = low.round().clamp(0.0, length as f64 - 1.0) as usize;
        let last = (high.round() - 1.0).clamp(first as f64, length as f64 - 1.0) as usize;
        (first, last)
    };
    let (left, right) = span(bounds.x_min, bounds.x_max, width);
    let (top, bottom) = span(bounds.y_min, bounds.y_max, height);
    for inwards in 0..thickness.max(1) {
        let (left, right) = (left + inwards, right.saturating_sub(inwards));
        let (top, bottom) = (top + inwards, bottom.saturating_sub(inwards));
        if left > right || top > bottom {
            return;
        }
        for col in left..=right {
            visit(col, top);
            visit(col, bottom);
        }
        for row in top..=bottom {
            visit(left, row);
            visit(right, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(bounds: BoundingBox, thickness: usize) -> Vec<String> {
        let mut image = RgbImage::filled(6, 5, [0; 3]);
        draw_boxes(&mut image, [(bounds, [255; 3])], thickness);
        let mark = |col, row| {
            if image.pixel(col, row) == [255; 3] {
                '#'
            } else {
                '.'
            }
        };
        (0..5)
            .map(|row| (0..6).map(|col| mark(col, row)).collect())
            .collect()
    }

    #[test]
    fn edges_lie_on_the_boxs_own_pixels() {
        let bounds = BoundingBox::new(1.0, 1.0, 5.0, 4.0);
        assert_eq!(
            drawn(bounds, 1),
            ["......", ".####.", ".#..#.", ".####.", "......"]
        );
        assert_eq!(
            drawn(bounds, 9),
            ["......", ".####.", ".####.", ".####.", "......"]
        );
    }

    #[test]
    fn boxes_are_cut_by_the_image_and_specks_are_seen() {
        let beyond = BoundingBox::new(-9.0, 2.0, 3.0, 99.0);
        assert_eq!(
            drawn(beyond, 1),
            ["......", "......", "###...", "#.#...", "###..."]
        );
        let speck = BoundingBox::from_xywh(4.2, 0.1, 0.1, 0.1);
        assert_eq!(drawn(speck, 2)[0], "....#.");
        let nothing = vec![".".repeat(6); 5];
        assert_eq!(drawn(BoundingBox::new(9.0, 0.0, 12.0, 3.0), 1), nothing);
        assert_eq!(drawn(BoundingBox::new(f64::NAN, 0.0, 2.0, 3.0), 1), nothing);
    }
}

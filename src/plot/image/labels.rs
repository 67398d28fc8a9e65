//! Class maps over imagery: blended fills and outlines. Background and ignored pixels stay as they are.

use super::{RgbImage, RgbaImage};
use crate::Result;
use crate::labels::{Classes, IGNORE};
use crate::plot::PlotError;

fn check(width: usize, height: usize, labels: &[u8]) -> Result<()> {
    let expected = width * height;
    if labels.len() == expected {
        Ok(())
    } else {
        Err(PlotError::Shape {
            what: "a class map",
            expected,
            found: labels.len(),
        }
        .into())
    }
}

/// The colors that labels are drawn in, by label; `None` for background, ignored pixels and classes that do not exist.
fn drawn_colors(classes: &Classes) -> [Option<[u8; 3]>; 256] {
    let mut colors = [None; 256];
    for (index, class) in classes.iter().enumerate() {
        if index < usize::from(IGNORE) && (index > 0 || !classes.have_background()) {
            colors[index] = Some(class.color);
        }
    }
    colors
}

/// Blends class colors over an image; `labels` is `[height, width]`, `opacity` 0 to 1.
///
/// # Errors
/// [`PlotError::Shape`] when `labels` does not have one value per pixel.
pub fn overlay(image: &mut RgbImage, labels: &[u8], classes: &Classes, opacity: f32) -> Result<()> {
    check(image.width, image.height, labels)?;
    let colors = drawn_colors(classes);
    for (pixel, &label) in image.data.chunks_exact_mut(3).zip(labels) {
        if let Some(color) = colors[usize::from(label)] {
            let mixed = super::mix([pixel[0], pixel[1], pixel[2]], color, opacity);
            pixel.copy_from_slice(&mixed);
        }
    }
    Ok(())
}

/// Draws the inner border of every class region, `thickness` pixels wide, so that what lies inside stays visible.
///
/// # Errors
/// [`PlotError::Shape`] when `labels` does not have one value per pixel.
pub fn outlines(
    image: &mut RgbImage,
    labels: &[u8],
    classes: &Classes,
    thickness: usize,
) -> Result<()> {
    check(image.width, image.height, labels)?;
    let colors = drawn_colors(classes);
    let (width, height) = (image.width, image.height);
    // Regions that touch the picture's edge are not closed there: they go on outside.
    let differs = |col: usize, row: usize, label: u8| {
        let reach = thickness.max(1);
        let rows = row.saturating_sub(reach)..=(row + reach).min(height - 1);
        let columns = col.saturating_sub(reach)..=(col + reach).min(width - 1);
        rows.into_iter()
            .any(|other| labels[other * width + col] != label)
            || columns
                .into_iter()
                .any(|other| labels[row * width + other] != label)
    };
    for row in 0..height {
        for col in 0..width {
            let label = labels[row * width + col];
            if let Some(color) = colors[usize::from(label)]
                && differs(col, row, label)
            {
                image.set_pixel(col, row, color);
            }
        }
    }
    Ok(())
}

/// A class map as an image to lay over the imagery: class colors opaque, background and ignored pixels transparent.
///
/// # Errors
/// [`PlotError::Shape`] when `labels` does not have `width * height` values.
pub fn class_map(
    labels: &[u8],
    width: usize,
    height: usize,
    classes: &Classes,
) -> Result<RgbaImage> {
    check(width, height, labels)?;
    let colors = drawn_colors(classes);
    let data = labels
        .iter()
        .flat_map(|&label| match colors[usize::from(label)] {
            Some([red, green, blue]) => [red, green, blue, 255],
            None => [0; 4],
        })
        .collect();
    Ok(RgbaImage {
        width,
        height,
        data,
    })
}

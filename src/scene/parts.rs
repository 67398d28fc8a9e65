//! Where the parts of a scene lie.

use super::quicklook::LONGEST;
use super::{Over, Scene};
use crate::Result;
use crate::boxes::BoundingBox;
use crate::plot::Figure;
use crate::raster::PixelWindow;

/// Colors of the parts' edges: readable on vegetation, soil and roofs.
const COLORS: [[u8; 3]; 6] = [
    [255, 221, 0],
    [0, 220, 255],
    [255, 90, 200],
    [255, 255, 255],
    [255, 140, 0],
    [140, 255, 120],
];
/// How opaque the edges are to begin with.
const OPACITY: f32 = 1.0;

impl Scene {
    /// The parts of one scene over its imagery, each with its edge and its name; the caption says where each lies, in
    /// pixels of the file, and how much of the whole it is.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let scene = samples::town(1, 256)?.scene()?;
    /// let (train, valid) = scene.split(Split::columns(0.75));
    /// let figure = Scene::show_parts(&[("train", &train), ("valid", &valid)])?;
    /// assert!(figure.output().text.contains("train: columns 0 to 191, rows 0 to 255 (75 %)"));
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::raster::RasterError::Read`] when the file is damaged.
    pub fn show_parts(parts: &[(&str, &Self)]) -> Result<Figure> {
        let Some((_, first)) = parts.first() else {
            return Figure::from_image(
                crate::plot::image::RgbImage::filled(1, 1, [255; 3]),
                "no parts",
            );
        };
        let whole = parts
            .iter()
            .map(|(_, part)| part.area())
            .reduce(|one, other| around(&one, &other))
            .unwrap_or_else(|| first.area());
        let scene = first.with_area(whole);
        let edges = parts
            .iter()
            .zip(COLORS.iter().cycle())
            .map(|((name, part), color)| {
                let area = part.area();
                let (left, top) = ((area.col - whole.col) as f64, (area.row - whole.row) as f64);
                let bounds = BoundingBox {
                    x_min: left,
                    y_min: top,
                    x_max: left + area.width as f64,
                    y_max: top + area.height as f64,
                };
                (bounds.into(), *color, (*name).to_owned())
            });
        let look = scene.read_imagery(LONGEST)?;
        let bands = scene.shown_bands();
        let over = Over {
            classes: &crate::labels::Classes::new(Vec::<String>::new()),
            labels: None,
            boxes: edges.collect(),
            opacity: OPACITY,
            magnified: false,
        };
        let words: Vec<String> = parts
            .iter()
            .map(|(name, part)| {
                let area = part.area();
                format!(
                    "{name}: columns {} to {}, rows {} to {} ({:.0} %)",
                    area.col,
                    area.col + area.width as i64 - 1,
                    area.row,
                    area.row + area.height as i64 - 1,
                    100.0 * area.area() as f64 / whole.area().max(1) as f64
                )
            })
            .collect();
        let overlay = scene.drawn(&look, &bands, &over)?;
        overlay.caption(words.join("; ")).figure()
    }
}

/// The smallest window that holds both.
fn around(one: &PixelWindow, other: &PixelWindow) -> PixelWindow {
    let (col, row) = (one.col.min(other.col), one.row.min(other.row));
    let right = (one.col + one.width as i64).max(other.col + other.width as i64);
    let bottom = (one.row + one.height as i64).max(other.row + other.height as i64);
    PixelWindow::new(col, row, (right - col) as usize, (bottom - row) as usize)
}

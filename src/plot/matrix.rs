//! The confusion matrix: rows are the truth, columns the prediction.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Area};
use super::figure::Figure;
use super::theme;
use crate::color::text_on;

/// The color of a cell that holds a whole row, on the light ground of an empty one.
const FULL: [u8; 3] = [0, 84, 148];
const EMPTY: [u8; 3] = [244, 247, 250];

/// A confusion matrix. `counts` holds one row per true class and in it one value per predicted class; each cell shows
/// its share of the row (of all pixels that truly are of that class) and the count.
///
/// Missing counts are 0; more than fit are left out.
///
/// ```
/// use swath::plot::confusion_matrix;
/// let figure = confusion_matrix(&["background", "building"], &[90, 10, 5, 45]);
/// assert!(figure.alt().contains("building as background: 10.0 %"));
/// ```
#[must_use]
pub fn confusion_matrix<N: AsRef<str>>(names: &[N], counts: &[u64]) -> Figure {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let cell = match names.len() {
        0..=4 => 92,
        5..=7 => 72,
        8..=10 => 58,
        _ => 44,
    };
    let matrix = Matrix {
        names,
        counts,
        cell,
    };
    let size = matrix.size();
    let svg = canvas::draw((size.0 as u32, size.1 as u32), |area| matrix.draw(area));
    Figure::drawn(svg, "Confusion matrix", matrix.summary())
}

struct Matrix<'a> {
    names: Vec<&'a str>,
    counts: &'a [u64],
    cell: i32,
}

impl Matrix<'_> {
    fn count(&self, truth: usize, prediction: usize) -> u64 {
        self.counts
            .get(truth * self.names.len() + prediction)
            .copied()
            .unwrap_or(0)
    }

    /// The share of the row, `None` when the class does not occur in the truth.
    fn share(&self, truth: usize, prediction: usize) -> Option<f64> {
        let row: u64 = (0..self.names.len())
            .map(|column| self.count(truth, column))
            .sum();
        (row > 0).then(|| self.count(truth, prediction) as f64 / row as f64)
    }

    fn summary(&self) -> String {
        let mut parts = Vec::new();
        for (truth, name) in self.names.iter().enumerate() {
            for (prediction, other) in self.names.iter().enumerate() {
                if let Some(share) = self.share(truth, prediction)
                    && (truth == prediction || share >= 0.005)
                {
                    parts.push(format!("{name} as {other}: {:.1} %", share * 100.0));
                }
            }
        }
        let rows = "Confusion matrix (share of each true class, by prediction)";
        if parts.is_empty() {
            format!("{rows}: no pixels")
        } else {
            format!("{rows}: {}", parts.join("; "))
        }
    }

    fn label(&self, index: usize) -> String {
        canvas::shorten(self.names[index], 20)
    }

    fn name_room(&self) -> i32 {
        let widths = (0..self.names.len()).map(|index| canvas::text_width(&self.label(index), 13));
        widths.max().unwrap_or(40) + 14
    }

    /// Column names stand upright when they do not fit over their cells.
    fn turned(&self) -> bool {
        self.name_room() > self.cell
    }

    fn left(&self) -> i32 {
        34 + self.name_room()
    }

    fn top(&self) -> i32 {
        34 + 24 + if self.turned() { self.name_room() } else { 24 }
    }

    fn size(&self) -> (i32, i32) {
        let cells = self.cell * self.names.len().max(1) as i32;
        ((self.left() + cells + 16).max(330), self.top() + cells + 34)
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
        canvas::title(area, "Confusion matrix")?;
        let (left, top) = (self.left(), self.top());
        let cells = self.cell * self.names.len() as i32;
        let heading = |horizontal, vertical| canvas::text(13, theme::MUTED, horizontal, vertical);
        area.draw(&Text::new(
            "prediction",
            (left + cells.max(60) / 2, 36),
            heading(HPos::Center, VPos::Top),
        ))?;
        let upright = heading(HPos::Center, VPos::Top).transform(FontTransform::Rotate270);
        area.draw(&Text::new("truth", (10, top + cells.max(40) / 2), upright))?;
        for index in 0..self.names.len() {
            let middle = self.cell * index as i32 + self.cell / 2;
            let row = canvas::text(13, theme::TEXT, HPos::Right, VPos::Center);
            area.draw(&Text::new(self.label(index), (left - 8, top + middle), row))?;
            let (style, at) = if self.turned() {
                let style = canvas::text(13, theme::TEXT, HPos::Left, VPos::Center);
                (
                    style.transform(FontTransform::Rotate270),
                    (left + middle, top - 8),
                )
            } else {
                (
                    canvas::text(13, theme::TEXT, HPos::Center, VPos::Bottom),
                    (left + middle, top - 8),
                )
            };
            area.draw(&Text::new(self.label(index), at, style))?;
        }
        for truth in 0..self.names.len() {
            for prediction in 0..self.names.len() {
                self.draw_cell(area, truth, prediction)?;
            }
        }
        let note = "each cell: share of the true class, and pixels";
        let at = (14, top + cells + 12);
        area.draw(&Text::new(
            note,
            at,
            canvas::text(12, theme::MUTED, HPos::Left, VPos::Top),
        ))?;
        Ok(())
    }

    fn draw_cell(
        &self,
        area: &Area<'_>,
        truth: usize,
        prediction: usize,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let share = self.share(truth, prediction);
        let ground: [u8; 3] = std::array::from_fn(|channel| {
            let (empty, full) = (f64::from(EMPTY[channel]), f64::from(FULL[channel]));
            (full - empty).mul_add(share.unwrap_or(0.0), empty).round() as u8
        });
        let x = self.left() + self.cell * prediction as i32;
        let y = self.top() + self.cell * truth as i32;
        let rgb = |[red, green, blue]: [u8; 3]| RGBColor(red, green, blue);
        area.draw(&Rectangle::new(
            [(x + 1, y + 1), (x + self.cell - 1, y + self.cell - 1)],
            rgb(ground).filled(),
        ))?;
        let ink = rgb(text_on(ground));
        let (middle, small) = (
            (x + self.cell / 2, y + self.cell / 2),
            if self.cell < 60 { 10 } else { 12 },
        );
        let percent = share.map_or_else(|| "–".to_owned(), percentage);
        let style = canvas::text(small + 2, ink, HPos::Center, VPos::Center);
        area.draw(&Text::new(
            percent,
            (middle.0, middle.1 - small as i32 / 2 - 1),
            style,
        ))?;
        let style = canvas::text(small, ink, HPos::Center, VPos::Center);
        let count = short_count(self.count(truth, prediction));
        area.draw(&Text::new(
            count,
            (middle.0, middle.1 + small as i32 / 2 + 3),
            style,
        ))?;
        Ok(())
    }
}

/// A share in percent; small shares that are not nothing do not become `0 %`.
fn percentage(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        "<0.1 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// A count with three figures and a unit.
fn short_count(count: u64) -> String {
    let value = count as f64;
    match count {
        0..=9_999 => count.to_string(),
        10_000..=999_499 => format!("{:.*}k", usize::from(count < 100_000), value / 1e3),
        999_500..=999_499_999 => format!(
            "{:.*}M",
            if count < 10_000_000 { 2 } else { 1 },
            value / 1e6
        ),
        _ => format!("{:.2}G", value / 1e9),
    }
}

//! One curve: its points, and how they become a line.

use plotters::prelude::*;

use super::canvas::{Area, Ticks};

/// More points than this per pixel column are drawn as their smallest and largest.
const POINTS_PER_COLUMN: usize = 2;

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub(super) name: String,
    points: Vec<(f64, f64)>,
    pub(super) color: Option<[u8; 3]>,
    pub(super) right: bool,
    pub(super) faint: bool,
}

impl Series {
    /// A curve through `points` in order. Points that are not finite leave a gap.
    #[must_use]
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self {
            name: name.into(),
            points: points.into_iter().collect(),
            color: None,
            right: false,
            faint: false,
        }
    }

    /// A curve through values at 1, 2, 3 and so on.
    #[must_use]
    pub fn of_values(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        Self::new(
            name,
            values
                .into_iter()
                .enumerate()
                .map(|(index, value)| (index as f64 + 1.0, value)),
        )
    }

    /// Measured on the axis at the right, which is for scores.
    #[must_use]
    pub fn on_right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Thin and pale, for a noisy curve behind its smoothed one.
    #[must_use]
    pub fn faint(mut self) -> Self {
        self.faint = true;
        self
    }

    /// Another color than the next of the palette.
    #[must_use]
    pub fn color(mut self, color: [u8; 3]) -> Self {
        self.color = Some(color);
        self
    }

    pub(super) fn finite(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.points
            .iter()
            .copied()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
    }
}

/// The rectangle of the curves, in pixels.
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Frame {
    pub(super) fn x(&self, axis: &Ticks, value: f64) -> i32 {
        self.left
            + ((value - axis.low) / (axis.high - axis.low) * f64::from(self.right - self.left))
                .round() as i32
    }

    pub(super) fn y(&self, axis: &Ticks, value: f64) -> i32 {
        self.bottom
            - ((value - axis.low) / (axis.high - axis.low) * f64::from(self.bottom - self.top))
                .round() as i32
    }
}

/// Draws one series into the frame, in pieces where it has gaps, with dots where its points are few.
pub(super) fn draw_series(
    area: &Area<'_>,
    plot: &Frame,
    x_axis: &Ticks,
    y_axis: &Ticks,
    series: &Series,
    [red, green, blue]: [u8; 3],
) -> Result<(), Box<dyn std::error::Error>> {
    let color = RGBColor(red, green, blue).mix(if series.faint { 0.3 } else { 1.0 });
    let style = color.stroke_width(if series.faint { 1 } else { 2 });
    let mut pieces: Vec<Vec<(i32, i32)>> = vec![Vec::new()];
    for &(x, y) in &series.points {
        let finite = x.is_finite() && y.is_finite() && (x_axis.low..=x_axis.high).contains(&x);
        match pieces.last_mut() {
            Some(piece) if finite => piece.push((plot.x(x_axis, x), plot.y(y_axis, y))),
            Some(piece) if !piece.is_empty() => pieces.push(Vec::new()),
            _ => {}
        }
    }
    let few = series.points.len() <= 40 && !series.faint;
    for piece in pieces {
        let dots = if few || piece.len() == 1 {
            piece.clone()
        } else {
            Vec::new()
        };
        if piece.len() > 1 {
            area.draw(&PathElement::new(thinned(&piece), style))?;
        }
        for point in dots {
            area.draw(&Circle::new(point, 3, color.filled()))?;
        }
    }
    Ok(())
}

/// Keeps the first, lowest, highest and last point of every pixel column: the picture is the same and its size bounded.
fn thinned(points: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let columns = points
        .first()
        .zip(points.last())
        .map_or(1, |(first, last)| {
            (last.0 - first.0).unsigned_abs() as usize + 1
        });
    if points.len() <= columns * POINTS_PER_COLUMN {
        return points.to_vec();
    }
    let mut kept = Vec::with_capacity(columns * 4);
    for column in points.chunk_by(|one, two| one.0 == two.0) {
        let lowest = column.iter().copied().max_by_key(|point| point.1);
        let highest = column.iter().copied().min_by_key(|point| point.1);
        kept.extend(
            [
                column.first().copied(),
                lowest,
                highest,
                column.last().copied(),
            ]
            .into_iter()
            .flatten(),
        );
        kept.dedup();
    }
    kept
}

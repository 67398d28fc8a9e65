//! Curves over steps or epochs, with a second axis for scores.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Area, Ticks};
use super::figure::Figure;
use super::series::{Frame, Series, draw_series};
use super::theme;
use crate::color::series_color;

/// Curves with a title: [`Curves`] with its defaults.
///
/// ```
/// use swath::plot::{Series, curves};
/// let loss = Series::of_values("loss", [0.9, 0.5, 0.4]);
/// let score = Series::of_values("mean IoU", [0.2, 0.5, 0.6]).on_right();
/// let figure = curves(&[loss, score], "Training");
/// assert!(figure.svg().is_some_and(|svg| svg.contains("mean IoU")));
/// ```
#[must_use]
pub fn curves(series: &[Series], title: &str) -> Figure {
    Curves::new(title).series(series.iter().cloned()).figure()
}

/// A plot of curves, with the words on its axes and its size.
#[derive(Clone, Debug)]
pub struct Curves {
    title: String,
    series: Vec<Series>,
    x_label: String,
    y_label: String,
    right_label: String,
    size: (u32, u32),
    x_limits: Option<(f64, f64)>,
    x_powers: bool,
    marks: Vec<f64>,
}

impl Curves {
    /// An empty plot, 680 x 320 pixels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            series: Vec::new(),
            x_label: String::new(),
            y_label: String::new(),
            right_label: String::new(),
            size: (680, 320),
            x_limits: None,
            x_powers: false,
            marks: Vec::new(),
        }
    }

    /// Adds curves.
    #[must_use]
    pub fn series(mut self, series: impl IntoIterator<Item = Series>) -> Self {
        self.series.extend(series);
        self
    }

    /// The words on the horizontal axis, such as `epoch`.
    #[must_use]
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x_label = label.into();
        self
    }

    /// The words on the left axis, such as `loss`.
    #[must_use]
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y_label = label.into();
        self
    }

    /// The words on the right axis, such as `score`.
    #[must_use]
    pub fn right_label(mut self, label: impl Into<String>) -> Self {
        self.right_label = label.into();
        self
    }

    /// The picture's size in pixels, at least 240 x 160.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width.clamp(240, 4000), height.clamp(160, 4000));
        self
    }

    /// Fixes the horizontal axis, so that it does not move while a curve grows.
    #[must_use]
    pub fn x_limits(mut self, low: f64, high: f64) -> Self {
        self.x_limits = (low.is_finite() && high.is_finite() && low < high).then_some((low, high));
        self
    }

    /// The horizontal values are powers of ten: -3 is labeled 1e-3. For learning rates.
    #[must_use]
    pub fn x_powers(mut self) -> Self {
        self.x_powers = true;
        self
    }

    /// Draws a dashed vertical line at `x`, such as the best epoch.
    #[must_use]
    pub fn mark(mut self, x: f64) -> Self {
        self.marks.push(x);
        self
    }

    /// Draws the plot.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let text = self.summary();
        let svg = canvas::draw(self.size, |area| self.draw(area));
        Figure::drawn(svg, &self.title, text)
    }

    /// Every curve's last value in words: the plain form of the plot.
    fn summary(&self) -> String {
        let mut parts = Vec::new();
        for series in &self.series {
            let last = series.finite().last();
            let value =
                last.map_or_else(|| "no values".to_owned(), |(x, y)| format!("{y:.4} at {x}"));
            if !series.faint {
                parts.push(format!("{}: {value}", series.name));
            }
        }
        let title = if self.title.is_empty() {
            "Curves"
        } else {
            &self.title
        };
        if parts.is_empty() {
            format!("{title} (no curves)")
        } else {
            format!("{title}: {}", parts.join("; "))
        }
    }

    fn colors(&self) -> Vec<[u8; 3]> {
        let mut next = 0;
        self.series
            .iter()
            .map(|series| {
                series.color.unwrap_or_else(|| {
                    next += 1;
                    series_color(next - 1)
                })
            })
            .collect()
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), Box<dyn std::error::Error>> {
        let colors = self.colors();
        let (width, height) = (self.size.0 as i32, self.size.1 as i32);
        let mut top = canvas::title(area, &self.title)?;
        let keyed = self
            .series
            .iter()
            .zip(&colors)
            .filter(|(series, _)| !series.faint && !series.name.is_empty());
        let entries: Vec<_> = keyed
            .map(|(series, color)| {
                let side = if series.right && self.right_label.is_empty() {
                    " (right)"
                } else {
                    ""
                };
                (format!("{}{side}", series.name), *color)
            })
            .collect();
        top += canvas::key(area, &entries, (14, top), width - 14)?;
        let left_axis = self.limits(false);
        let right_axis = self
            .series
            .iter()
            .any(|series| series.right)
            .then(|| self.limits(true));
        let x_axis = self.x_ticks();
        let plot = Frame {
            left: 14 + if self.y_label.is_empty() { 0 } else { 18 } + label_room(&left_axis),
            top: top + 8,
            right: width
                - 16
                - right_axis.as_ref().map_or(0, |axis| {
                    label_room(axis) + if self.right_label.is_empty() { 0 } else { 18 }
                }),
            bottom: height - 26 - if self.x_label.is_empty() { 0 } else { 18 },
        };
        self.axes(area, &plot, &x_axis, &left_axis, right_axis.as_ref())?;
        for &x in self
            .marks
            .iter()
            .filter(|x| (x_axis.low..=x_axis.high).contains(*x))
        {
            let column = plot.x(&x_axis, x);
            let dash = |y: i32| {
                PathElement::new(
                    [(column, y), (column, (y + 4).min(plot.bottom))],
                    theme::AXIS,
                )
            };
            for y in (plot.top..plot.bottom).step_by(8) {
                area.draw(&dash(y))?;
            }
        }
        let order = |faint: bool| {
            self.series
                .iter()
                .zip(&colors)
                .filter(move |(series, _)| series.faint == faint)
        };
        for (series, color) in order(true).chain(order(false)) {
            let y_axis = if series.right {
                right_axis.as_ref().unwrap_or(&left_axis)
            } else {
                &left_axis
            };
            draw_series(area, &plot, &x_axis, y_axis, series, *color)?;
        }
        if self
            .series
            .iter()
            .all(|series| series.finite().next().is_none())
        {
            let middle = ((plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2);
            area.draw(&Text::new(
                "no values yet",
                middle,
                canvas::text(13, theme::MUTED, HPos::Center, VPos::Center),
            ))?;
        }
        Ok(())
    }

    fn limits(&self, right: bool) -> Ticks {
        let values = || {
            self.series
                .iter()
                .filter(|series| series.right == right)
                .flat_map(Series::finite)
                .map(|(_, y)| y)
        };
        let (low, high) = (
            values().fold(f64::INFINITY, f64::min),
            values().fold(f64::NEG_INFINITY, f64::max),
        );
        // Scores have a natural range; losses start at zero when that costs little room.
        if right && low >= 0.0 && high <= 1.0 {
            return Ticks {
                low: 0.0,
                high: 1.0,
                step: 0.2,
            };
        }
        let low = if low > 0.0 && low < high * 0.95 {
            0.0
        } else {
            low
        };
        Ticks::covering(low, high, 5)
    }

    fn x_ticks(&self) -> Ticks {
        let values = || self.series.iter().flat_map(Series::finite).map(|(x, _)| x);
        let (low, high) = self.x_limits.unwrap_or_else(|| {
            (
                values().fold(f64::INFINITY, f64::min),
                values().fold(f64::NEG_INFINITY, f64::max),
            )
        });
        let mut ticks = Ticks::covering(low, high, 8);
        // The curve fills the width; ticks stay at round places. Steps and epochs are whole numbers.
        if low < high {
            (ticks.low, ticks.high) = (low, high);
        }
        if values().all(|x| x.fract() == 0.0) && ticks.step < 1.0 {
            ticks.step = 1.0;
        }
        ticks
    }

    fn axes(
        &self,
        area: &Area<'_>,
        plot: &Frame,
        x_axis: &Ticks,
        left: &Ticks,
        right: Option<&Ticks>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let small = |horizontal, vertical| canvas::text(12, theme::MUTED, horizontal, vertical);
        for value in left.positions() {
            let y = plot.y(left, value);
            area.draw(&PathElement::new(
                [(plot.left, y), (plot.right, y)],
                theme::GRID,
            ))?;
            area.draw(&Text::new(
                left.label(value),
                (plot.left - 7, y),
                small(HPos::Right, VPos::Center),
            ))?;
        }
        for value in right.map(Ticks::positions).unwrap_or_default() {
            let Some(axis) = right else { continue };
            let y = plot.y(axis, value);
            area.draw(&PathElement::new(
                [(plot.right, y), (plot.right + 4, y)],
                theme::AXIS,
            ))?;
            area.draw(&Text::new(
                axis.label(value),
                (plot.right + 7, y),
                small(HPos::Left, VPos::Center),
            ))?;
        }
        for value in x_axis.positions() {
            let x = plot.x(x_axis, value);
            area.draw(&PathElement::new(
                [(x, plot.bottom), (x, plot.bottom + 4)],
                theme::AXIS,
            ))?;
            let label = if self.x_powers {
                format!("{:.0e}", 10_f64.powf(value))
            } else {
                x_axis.label(value)
            };
            area.draw(&Text::new(
                label,
                (x, plot.bottom + 7),
                small(HPos::Center, VPos::Top),
            ))?;
        }
        area.draw(&PathElement::new(
            [(plot.left, plot.bottom), (plot.right, plot.bottom)],
            theme::AXIS,
        ))?;
        if right.is_some() {
            area.draw(&PathElement::new(
                [(plot.right, plot.top), (plot.right, plot.bottom)],
                theme::AXIS,
            ))?;
        }
        let words = |horizontal, vertical| canvas::text(13, theme::TEXT, horizontal, vertical);
        let middle = (plot.top + plot.bottom) / 2;
        if !self.x_label.is_empty() {
            let at = ((plot.left + plot.right) / 2, self.size.1 as i32 - 6);
            area.draw(&Text::new(
                self.x_label.clone(),
                at,
                words(HPos::Center, VPos::Bottom),
            ))?;
        }
        let turned = |transform| words(HPos::Center, VPos::Top).transform(transform);
        if !self.y_label.is_empty() {
            area.draw(&Text::new(
                self.y_label.clone(),
                (8, middle),
                turned(FontTransform::Rotate270),
            ))?;
        }
        if right.is_some() && !self.right_label.is_empty() {
            let at = (self.size.0 as i32 - 8, middle);
            area.draw(&Text::new(
                self.right_label.clone(),
                at,
                turned(FontTransform::Rotate90),
            ))?;
        }
        Ok(())
    }
}

/// Room for an axis' numbers.
fn label_room(axis: &Ticks) -> i32 {
    let widths = axis
        .positions()
        .into_iter()
        .map(|value| canvas::text_width(&axis.label(value), 12));
    widths.max().unwrap_or(20) + 8
}

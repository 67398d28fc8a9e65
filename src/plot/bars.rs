//! Horizontal bars: one group per class, one bar per score.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Area, Ticks};
use super::figure::Figure;
use super::theme;
use crate::color::series_color;

const BAR: i32 = 14;
const GAP: i32 = 12;

/// Bars for groups such as classes; each entry of `values` is a score's name and its value per group. A value that is
/// not finite, such as the IoU of a class that does not occur, is written as a dash.
///
/// The axis starts at 0 and ends at 1 when no value is larger.
///
/// ```
/// use swath::plot::bars;
/// let figure = bars(&["building", "road"], &[("IoU", vec![0.71, 0.52])], "Scores on the test area");
/// assert!(figure.svg().is_some_and(|svg| svg.contains("building")));
/// ```
#[must_use]
pub fn bars<G: AsRef<str>, S: AsRef<str>>(
    groups: &[G],
    values: &[(S, Vec<f64>)],
    title: &str,
) -> Figure {
    let groups: Vec<&str> = groups.iter().map(AsRef::as_ref).collect();
    let values: Vec<(&str, &[f64])> = values
        .iter()
        .map(|(name, values)| (name.as_ref(), values.as_slice()))
        .collect();
    let group_height = BAR * values.len().max(1) as i32 + GAP;
    let keys = if values.len() > 1 { 26 } else { 0 };
    let height = 34 + keys + group_height * groups.len().max(1) as i32 + 34;
    let svg = canvas::draw((620, height.max(120) as u32), |area| {
        draw(area, &groups, &values, title, group_height)
    });
    Figure::drawn(svg, title, summary(&groups, &values, title))
}

fn value_at(values: &[f64], index: usize) -> Option<f64> {
    values.get(index).copied().filter(|value| value.is_finite())
}

fn summary(groups: &[&str], values: &[(&str, &[f64])], title: &str) -> String {
    let group = |(index, group): (usize, &&str)| {
        let scores = values
            .iter()
            .map(|(name, values)| match value_at(values, index) {
                Some(value) => format!("{name} {value:.3}"),
                None => format!("{name} –"),
            });
        format!("{group}: {}", scores.collect::<Vec<_>>().join(", "))
    };
    let parts: Vec<String> = groups.iter().enumerate().map(group).collect();
    if parts.is_empty() {
        format!("{title} (no values)")
    } else {
        format!("{title}: {}", parts.join("; "))
    }
}

fn draw(
    area: &Area<'_>,
    groups: &[&str],
    values: &[(&str, &[f64])],
    title: &str,
    group_height: i32,
) -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let mut top = canvas::title(area, title)?;
    if values.len() > 1 {
        let entries: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(at, (name, _))| ((*name).to_owned(), series_color(at)))
            .collect();
        top += canvas::key(area, &entries, (14, top), width - 14)? + 4;
    }
    let finite = || {
        values
            .iter()
            .flat_map(|(_, values)| values.iter().copied())
            .filter(|value| value.is_finite())
    };
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    let axis = if low >= 0.0 && high <= 1.0 {
        Ticks {
            low: 0.0,
            high: 1.0,
            step: 0.2,
        }
    } else {
        Ticks::covering(low, high, 5)
    };
    let names: Vec<String> = groups
        .iter()
        .map(|group| canvas::shorten(group, 26))
        .collect();
    let left = 24
        + names
            .iter()
            .map(|name| canvas::text_width(name, 13))
            .max()
            .unwrap_or(0);
    let (right, bottom) = (width - 84, height - 28);
    let x = |value: f64| {
        left + ((value - axis.low) / (axis.high - axis.low) * f64::from(right - left)).round()
            as i32
    };
    for value in axis.positions() {
        area.draw(&PathElement::new(
            [(x(value), top), (x(value), bottom)],
            theme::GRID,
        ))?;
        let style = canvas::text(12, theme::MUTED, HPos::Center, VPos::Top);
        area.draw(&Text::new(axis.label(value), (x(value), bottom + 6), style))?;
    }
    for (index, name) in names.iter().enumerate() {
        let first = top + GAP / 2 + index as i32 * group_height;
        let middle = first + BAR * values.len() as i32 / 2;
        area.draw(&Text::new(
            name.clone(),
            (left - 10, middle),
            canvas::text(13, theme::TEXT, HPos::Right, VPos::Center),
        ))?;
        for (at, (_, values)) in values.iter().enumerate() {
            let [red, green, blue] = series_color(at);
            let y = first + at as i32 * BAR;
            let small = canvas::text(12, theme::TEXT, HPos::Left, VPos::Center);
            match value_at(values, index) {
                Some(value) => {
                    let (from, to) = (x(value.min(0.0)), x(value.max(0.0)));
                    area.draw(&Rectangle::new(
                        [(from, y + 1), (to, y + BAR - 1)],
                        RGBColor(red, green, blue).filled(),
                    ))?;
                    area.draw(&Text::new(number(value), (to + 6, y + BAR / 2), small))?;
                }
                None => area.draw(&Text::new("–", (x(0.0) + 6, y + BAR / 2), small))?,
            }
        }
    }
    let zero = x(0.0);
    area.draw(&PathElement::new(
        [(zero, top), (zero, bottom)],
        theme::AXIS,
    ))?;
    if groups.is_empty() {
        let style = canvas::text(13, theme::MUTED, HPos::Center, VPos::Center);
        area.draw(&Text::new(
            "no values",
            ((left + right) / 2, (top + bottom) / 2),
            style,
        ))?;
    }
    Ok(())
}

fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.3}");
    }
    if value.abs() >= 1e15 {
        return format!("{value:.2e}");
    }
    let digits = format!("{:.0}", value.abs());
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    format!("{}{}", if value < 0.0 { "-" } else { "" }, groups.join(","))
}

//! The sheet that plots are drawn on: ground, title, key, number formats, and one place where drawing can fail.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::theme;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws an SVG of the given size: the ground is painted, then `draw` is called.
///
/// Drawing into memory does not fail in itself; errors of `plotters` are its refusals, such as a chart without room.
pub(super) fn draw(
    size: (u32, u32),
    draw: impl FnOnce(&Area<'_>) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<String, PlotError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&theme::GROUND)
            .map_err(Box::<dyn std::error::Error>::from)
            .and_then(|()| draw(&area))
            .and_then(|()| area.present().map_err(Into::into))
            .map_err(|error| PlotError::Codec {
                doing: "draw",
                format: "SVG",
                reason: error.to_string(),
            })?;
    }
    Ok(svg)
}

/// A text style: size in pixels, color, and which point of the text is at the given position.
pub(super) fn text(
    size: u32,
    color: RGBColor,
    horizontal: HPos,
    vertical: VPos,
) -> TextStyle<'static> {
    // The SVG backend of plotters divides font sizes by 1.24.
    ("sans-serif", f64::from(size) * 1.24)
        .into_font()
        .color(&color)
        .pos(Pos::new(horizontal, vertical))
}

/// Roughly how wide a line of text is in a browser's sans-serif font, for layout.
pub(super) fn text_width(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.58).ceil() as i32
}

/// The text cut to `length` characters, with an ellipsis where something is missing.
pub(super) fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars()
        .take(length.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// The title at the top left; returns the height used.
pub(super) fn title(area: &Area<'_>, title: &str) -> Result<i32, Box<dyn std::error::Error>> {
    if title.is_empty() {
        return Ok(8);
    }
    let width = area.dim_in_pixel().0 as usize;
    area.draw(&Text::new(
        shorten(title, width / 9),
        (14, 10),
        text(15, theme::TEXT, HPos::Left, VPos::Top),
    ))?;
    Ok(34)
}

/// Where each name of a key begins, from `(left, top)`, wrapped at `right`, and the height that all take.
fn key_places(
    entries: &[(String, [u8; 3])],
    (left, top): (i32, i32),
    right: i32,
) -> (Vec<(i32, i32, String)>, i32) {
    let (mut x, mut y) = (left, top);
    let mut places = Vec::with_capacity(entries.len());
    for (name, _) in entries {
        let name = shorten(name, 28);
        let width = 20 + text_width(&name, 13) + 14;
        if x > left && x + width > right {
            x = left;
            y += 18;
        }
        places.push((x, y, name));
        x += width;
    }
    let height = if entries.is_empty() { 0 } else { y - top + 20 };
    (places, height)
}

/// The height that [`key`] takes between `left` and `right`.
pub(super) fn key_height(entries: &[(String, [u8; 3])], left: i32, right: i32) -> i32 {
    key_places(entries, (left, 0), right).1
}

/// A row of colored names from `(left, top)`; wraps at `right`; returns the height used.
pub(super) fn key(
    area: &Area<'_>,
    entries: &[(String, [u8; 3])],
    (left, top): (i32, i32),
    right: i32,
) -> Result<i32, Box<dyn std::error::Error>> {
    let (places, height) = key_places(entries, (left, top), right);
    for ((x, y, name), (_, [red, green, blue])) in places.into_iter().zip(entries) {
        area.draw(&Rectangle::new(
            [(x, y + 5), (x + 14, y + 9)],
            RGBColor(*red, *green, *blue).filled(),
        ))?;
        area.draw(&Text::new(
            name,
            (x + 20, y + 7),
            text(13, theme::TEXT, HPos::Left, VPos::Center),
        ))?;
    }
    Ok(height)
}

/// Rounds limits outwards to ticks at 1, 2 or 5 times a power of ten: about `wanted` of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
}

impl Ticks {
    /// Ticks that cover `low..high`. An empty, constant or not finite range gets one that can be drawn.
    pub(super) fn covering(low: f64, high: f64, wanted: usize) -> Self {
        let (low, high) = match (low.is_finite(), high.is_finite()) {
            (true, true) if low < high => (low, high),
            (true, true) if low == high => {
                let margin = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
                (low - margin, high + margin)
            }
            _ => (0.0, 1.0),
        };
        let rough = (high - low) / wanted.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(power * 10.0);
        if !(step.is_normal() && ((high - low) / step).is_finite()) {
            return Self {
                low: 0.0,
                high: 1.0,
                step: 0.2,
            };
        }
        Self {
            low: (low / step + 1e-9).floor() * step,
            high: (high / step - 1e-9).ceil() * step,
            step,
        }
    }

    /// The positions of the ticks within the limits.
    pub(super) fn positions(&self) -> Vec<f64> {
        let first = (self.low / self.step - 1e-6).ceil() as i64;
        let last = (self.high / self.step + 1e-6).floor() as i64;
        (first..=last.min(first + 40))
            .map(|index| index as f64 * self.step)
            .collect()
    }

    /// The text of a tick: as many decimals as the step needs, `k` and `M` for round thousands and millions.
    pub(super) fn label(&self, value: f64) -> String {
        let value = if value.abs() < self.step * 1e-6 {
            0.0
        } else {
            value
        };
        let largest = self.low.abs().max(self.high.abs());
        if largest >= 1e9 || (largest > 0.0 && largest < 1e-4) {
            return format!("{value:e}");
        }
        for (unit, size) in [("M", 1e6), ("k", 1e3)] {
            if largest >= if unit == "M" { size } else { size * 10.0 } && self.step >= size / 10.0 {
                if value == 0.0 {
                    return "0".to_owned();
                }
                return format!("{:.*}{unit}", decimals(self.step / size), value / size);
            }
        }
        format!("{value:.*}", decimals(self.step))
    }
}

fn decimals(step: f64) -> usize {
    (0..8)
        .find(|&digits| {
            let scaled = step * 10f64.powi(digits);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
        })
        .unwrap_or(8) as usize
}

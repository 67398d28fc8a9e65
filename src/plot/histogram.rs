//! Histograms of bands.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{self, Area, Ticks};
use super::figure::Figure;
use super::theme;
use crate::color::series_color;
use crate::raster::Patch;

const BINS: usize = 64;
/// So many bands have their names in the key.
const NAMED: usize = 12;
/// The usual colors of red, green and blue bands, dark enough for lines on a light ground.
const RGB: [[u8; 3]; 3] = [[200, 30, 30], [20, 130, 50], [30, 80, 190]];

/// A histogram of every band over the valid pixels of `patch`, as curves in one plot: about 64 bins over the range of all
/// bands. `names` names the bands; missing names are numbered from 1.
///
/// A patch without valid pixels gives an empty plot that says so.
#[must_use]
pub fn histogram<N: AsRef<str>>(patch: &Patch, names: &[N], title: &str) -> Figure {
    let pixels = patch.size.width * patch.size.height;
    let bands: Vec<Vec<f32>> = (0..patch.bands)
        .map(|band| {
            let values = patch
                .data
                .get(band * pixels..(band + 1) * pixels)
                .unwrap_or_default();
            let valid = values
                .iter()
                .zip(&patch.valid)
                .filter(|(value, valid)| **valid != 0 && value.is_finite());
            valid.map(|(value, _)| *value).collect()
        })
        .collect();
    let all = || bands.iter().flatten().copied();
    let (low, high) = (
        all().fold(f32::INFINITY, f32::min),
        all().fold(f32::NEG_INFINITY, f32::max),
    );
    let whole = all().all(|value| value.fract() == 0.0);
    let bins = Bins::covering(f64::from(low), f64::from(high), whole);
    let plots: Vec<BandCurve> = bands
        .iter()
        .enumerate()
        .map(|(index, values)| BandCurve {
            name: names.get(index).map_or_else(
                || format!("band {}", index + 1),
                |name| name.as_ref().to_owned(),
            ),
            color: if bands.len() == 3 {
                RGB[index]
            } else {
                series_color(index)
            },
            shares: bins.shares(values),
        })
        .collect();
    let empty = bands.iter().all(Vec::is_empty);
    let text = if empty {
        format!("{title}: no valid pixels")
    } else {
        let counts = bands.iter().map(Vec::len).max().unwrap_or(0);
        format!(
            "{title}: {} bands, {counts} valid pixels, values {low} to {high}",
            bands.len()
        )
    };
    let key = key(&plots);
    let height = 280 + (canvas::key_height(&key, 14, 620 - 14) - 20).max(0) as u32;
    let words = Words {
        title,
        x: "value",
        y: "share of pixels",
        empty: empty.then_some("no valid pixels"),
    };
    let svg = canvas::draw((620, height), |area| {
        draw(area, (&plots, &key), bins.range(), &words)
    });
    Figure::drawn(svg, title, text)
}

/// How often values occur, such as areas of objects: one curve for each series of a name, a color and values. The height
/// is the share of all values, so that series compare.
pub(crate) fn value_histogram(
    series: &[(String, [u8; 3], Vec<f32>)],
    title: &str,
    x_label: &str,
) -> Figure {
    let all = || {
        series
            .iter()
            .flat_map(|(.., values)| values.iter().copied())
    };
    let (low, high) = (
        all().fold(f32::INFINITY, f32::min),
        all().fold(f32::NEG_INFINITY, f32::max),
    );
    let bins = Bins::covering(f64::from(low), f64::from(high), false);
    let total = all().count();
    let plots: Vec<BandCurve> = series
        .iter()
        .map(|(name, color, values)| {
            let part = values.len() as f64 / total.max(1) as f64;
            let shares = bins.shares(values).into_iter();
            BandCurve {
                name: name.clone(),
                color: *color,
                shares: shares.map(|share| share * part).collect(),
            }
        })
        .collect();
    let text = match total {
        0 => format!("{title}: none"),
        total => format!("{title}: {total} values from {low} to {high} ({x_label})"),
    };
    let key = key(&plots);
    let height = 280 + (canvas::key_height(&key, 14, 620 - 14) - 20).max(0) as u32;
    let words = Words {
        title,
        x: x_label,
        y: "share of objects",
        empty: (total == 0).then_some("none"),
    };
    let svg = canvas::draw((620, height), |area| {
        draw(area, (&plots, &key), bins.range(), &words)
    });
    Figure::drawn(svg, title, text)
}

/// What is written around a histogram.
struct Words<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    /// In the place of the curves.
    empty: Option<&'a str>,
}

/// Names and colors of the bands; of many only the first, and how many more there are.
fn key(bands: &[BandCurve]) -> Vec<(String, [u8; 3])> {
    let seen = if bands.len() > NAMED {
        NAMED - 1
    } else {
        NAMED
    };
    let mut key: Vec<_> = bands
        .iter()
        .take(seen)
        .map(|band| (band.name.clone(), band.color))
        .collect();
    if bands.len() > seen {
        key.push((format!("and {} more bands", bands.len() - seen), [128; 3]));
    }
    key
}

struct BandCurve {
    name: String,
    color: [u8; 3],
    shares: Vec<f64>,
}

/// Intervals of one width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bins {
    low: f64,
    width: f64,
    count: usize,
}

impl Bins {
    /// Bins that cover `low..=high`. Whole numbers lie in the middle of theirs, and every bin holds equally many of
    /// them: otherwise some bins would seem fuller than others by chance.
    pub(super) fn covering(low: f64, high: f64, whole: bool) -> Self {
        if !(low.is_finite() && high.is_finite() && low <= high) {
            return Self {
                low: 0.0,
                width: 1.0 / BINS as f64,
                count: BINS,
            };
        }
        if whole {
            let values = high - low + 1.0;
            let width = (values / BINS as f64).ceil();
            return Self {
                low: low - 0.5,
                width,
                count: (values / width).ceil() as usize,
            };
        }
        let (low, span) = if low < high {
            (low, high - low)
        } else {
            (low - 0.5, 1.0)
        };
        Self {
            low,
            width: span / BINS as f64,
            count: BINS,
        }
    }

    fn range(self) -> (f64, f64) {
        (self.low, self.width.mul_add(self.count as f64, self.low))
    }

    /// The share of the values in each bin.
    pub(super) fn shares(self, values: &[f32]) -> Vec<f64> {
        let mut counts = vec![0u64; self.count];
        for &value in values {
            let at = ((f64::from(value) - self.low) / self.width) as usize;
            counts[at.min(self.count - 1)] += 1;
        }
        counts
            .iter()
            .map(|&count| count as f64 / values.len().max(1) as f64)
            .collect()
    }
}

fn draw(
    area: &Area<'_>,
    (bands, key): (&[BandCurve], &[(String, [u8; 3])]),
    range: (f64, f64),
    words: &Words<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    let (width, height) = area.dim_in_pixel();
    let (width, height) = (width as i32, height as i32);
    let mut top = canvas::title(area, words.title)?;
    top += canvas::key(area, key, (14, top), width - 14)? + 4;
    let (left, right, bottom) = (36, width - 18, height - 46);
    let highest = bands
        .iter()
        .flat_map(|band| band.shares.iter().copied())
        .fold(0.0, f64::max);
    let axis = Ticks {
        low: range.0,
        high: range.1,
        ..Ticks::covering(range.0, range.1, 8)
    };
    let x = |value: f64| {
        left + ((value - range.0) / (range.1 - range.0) * f64::from(right - left)).round() as i32
    };
    let y = |share: f64| {
        bottom
            - (share / if highest > 0.0 { highest } else { 1.0 } * f64::from(bottom - top)).round()
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
    for band in bands.iter().filter(|_| words.empty.is_none()) {
        let [red, green, blue] = band.color;
        let bins = band.shares.len();
        let edge = |bin: usize| x((range.1 - range.0).mul_add(bin as f64 / bins as f64, range.0));
        let mut outline = vec![(edge(0), bottom)];
        for (bin, &share) in band.shares.iter().enumerate() {
            outline.extend([(edge(bin), y(share)), (edge(bin + 1), y(share))]);
        }
        outline.push((edge(bins), bottom));
        area.draw(&Polygon::new(
            outline.clone(),
            RGBColor(red, green, blue).mix(0.16).filled(),
        ))?;
        area.draw(&PathElement::new(
            outline,
            RGBColor(red, green, blue).stroke_width(2),
        ))?;
    }
    area.draw(&PathElement::new(
        [(left, bottom), (right, bottom)],
        theme::AXIS,
    ))?;
    let style = canvas::text(13, theme::TEXT, HPos::Center, VPos::Bottom);
    area.draw(&Text::new(words.x, ((left + right) / 2, height - 6), style))?;
    let turned =
        canvas::text(13, theme::TEXT, HPos::Center, VPos::Top).transform(FontTransform::Rotate270);
    area.draw(&Text::new(words.y, (10, (top + bottom) / 2), turned))?;
    if let Some(empty) = words.empty {
        let style = canvas::text(13, theme::MUTED, HPos::Center, VPos::Center);
        area.draw(&Text::new(
            empty,
            ((left + right) / 2, (top + bottom) / 2),
            style,
        ))?;
    }
    Ok(())
}

//! Legends: what each color and pattern of a picture means, in HTML and in pixels.

use std::fmt::Write as _;

use super::image::RgbImage;
use crate::display::FONT;
use crate::display::escape;
use crate::display::html::{EDGE, TEXT, square_html, swatch_html};
use crate::labels::Classes;

/// What invalid pixels look like: neutral, and unlike black or white imagery.
pub(crate) const INVALID: [u8; 3] = [128, 128, 128];

/// How a legend shows what an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swatch {
    /// A class in its color.
    Color([u8; 3]),
    /// Imagery that nothing is drawn over.
    Empty,
    /// Pixels that do not count, which pictures hatch.
    Hatched,
    /// Pixels without data.
    Invalid,
    /// Imagery outside the area of interest.
    Dimmed,
}

/// One line of a legend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) swatch: Swatch,
}

impl Entry {
    pub(crate) fn new(name: impl Into<String>, swatch: Swatch) -> Self {
        Self {
            name: name.into(),
            swatch,
        }
    }

    /// Whether it stands for a class with a color.
    pub(crate) fn is_class(&self) -> bool {
        matches!(self.swatch, Swatch::Color(_))
    }

    /// Every class by index; index 0 without a color where it is the background.
    pub(crate) fn of_classes(classes: &Classes) -> Vec<Self> {
        let one = |(index, class): (usize, &crate::labels::Class)| {
            let empty = index == 0 && classes.have_background();
            let swatch = if empty {
                Swatch::Empty
            } else {
                Swatch::Color(class.color)
            };
            Self::new(class.name.clone(), swatch)
        };
        classes.iter().enumerate().map(one).collect()
    }

    /// Every class that has a color.
    pub(crate) fn of_colored(classes: &Classes) -> Vec<Self> {
        let mut entries = Self::of_classes(classes);
        entries.retain(Self::is_class);
        entries
    }
}

impl Swatch {
    fn html(self) -> String {
        match self {
            Self::Color(color) => swatch_html(color),
            Self::Invalid => swatch_html(INVALID),
            Self::Empty => square_html("", ""),
            Self::Hatched => square_html(
                "background:repeating-linear-gradient(135deg,#fff 0 2px,#333 2px 4px)",
                "",
            ),
            Self::Dimmed => square_html("background:linear-gradient(135deg,#777,#444)", ""),
        }
    }

    /// The color of a pixel of the drawn swatch.
    fn pixel(self, col: usize, row: usize) -> [u8; 3] {
        match self {
            Self::Color(color) => color,
            Self::Invalid => INVALID,
            Self::Empty => [250; 3],
            Self::Hatched if (col + row) % 4 < 2 => [255; 3],
            Self::Hatched => [51; 3],
            Self::Dimmed => [90; 3],
        }
    }

    /// Draws it, 13 pixels wide and high.
    pub(super) fn draw(self, picture: &mut RgbImage, col: usize, row: usize) {
        for down in 0..13 {
            for right in 0..13 {
                let inside = (1..12).contains(&down) && (1..12).contains(&right);
                let color = if inside {
                    self.pixel(right, down)
                } else {
                    EDGE
                };
                picture.set_pixel(col + right, row + down, color);
            }
        }
    }
}

/// A legend of the classes: a swatch and a name each. That of the background is empty, since pictures leave it as it is.
#[must_use]
pub fn legend_html(classes: &Classes) -> String {
    entries_html(&Entry::of_classes(classes))
}

pub(super) fn entries_html(entries: &[Entry]) -> String {
    let mut html = format!(
        "<div style=\"display:flex;flex-wrap:wrap;gap:4px 14px;margin:4px 0;max-width:100%;{FONT};{TEXT}\">"
    );
    for entry in entries {
        let _ = write!(
            html,
            "<span style=\"max-width:100%;overflow-wrap:anywhere\">{} {}</span>",
            entry.swatch.html(),
            escape(&entry.name)
        );
    }
    html.push_str("</div>");
    html
}

//! A strip of dates: a small picture of each, with words under it.

use super::chips::finish;
use super::figure::Figure;
use super::image::{RgbImage, Stretch, rgb, text_width};
use super::legend::{Entry, Swatch};
use crate::Result;
use crate::raster::Patch;

/// Space between pictures in pixels.
const GAP: usize = 6;
/// Height of a line of text.
const LINE: usize = 20;
/// The ground, neutral on both themes, and what is written on it.
const GROUND: [u8; 3] = [236; 3];
const INK: [u8; 3] = [40; 3];

/// One date of a strip.
pub(crate) struct DateCell {
    /// As it is written.
    pub(crate) date: String,
    /// The share of its pixels that are missing, from 0 to 1.
    pub(crate) missing: f64,
    /// The bands to show: one, or three as red, green and blue.
    pub(crate) patch: Patch,
}

impl DateCell {
    /// `12 % missing`; more than nothing is never 0, and less than all never 100.
    fn words(&self) -> String {
        let percent = self.missing * 100.0;
        match percent {
            0.0 => "complete".to_owned(),
            low if low < 1.0 => "under 1 % missing".to_owned(),
            high if high > 99.0 && high < 100.0 => "over 99 % missing".to_owned(),
            _ => format!("{percent:.0} % missing"),
        }
    }
}

/// Pictures of dates beside each other, `wide` pixels in a row at most, with date and missing share under each.
///
/// # Errors
/// [`super::PlotError::BandCount`] when a date shows neither one band nor three.
pub(crate) fn date_strip(
    cells: &[DateCell],
    stretches: &[Stretch],
    wide: usize,
    title: &str,
) -> Result<Figure> {
    let mut pictures = Vec::with_capacity(cells.len());
    for cell in cells {
        let bands: Vec<usize> = (0..cell.patch.bands).collect();
        pictures.push(rgb(&cell.patch, &bands, stretches)?);
    }
    let widest_text = cells
        .iter()
        .flat_map(|cell| [text_width(&cell.date), text_width(&cell.words())]);
    let width = pictures
        .iter()
        .map(|picture| picture.width)
        .chain(widest_text)
        .max()
        .unwrap_or(1);
    let height = pictures.iter().map(|one| one.height).max().unwrap_or(1);
    let columns = ((wide + GAP) / (width + GAP)).clamp(1, cells.len().max(1));
    let rows = cells.len().div_ceil(columns).max(1);
    let cell_height = height + 2 * LINE + GAP;
    let mut strip = RgbImage::filled(
        columns * (width + GAP) - GAP,
        rows * (cell_height + GAP) - GAP,
        GROUND,
    );
    for (index, (cell, picture)) in cells.iter().zip(&pictures).enumerate() {
        let (col, row) = (
            index % columns * (width + GAP),
            index / columns * (cell_height + GAP),
        );
        strip.paste(picture, col, row);
        strip.text(col + 2, row + height + 2, &cell.date, INK);
        strip.text(col + 2, row + height + 2 + LINE, &cell.words(), INK);
    }
    let each: Vec<String> = cells
        .iter()
        .map(|cell| format!("{} ({})", cell.date, cell.words()))
        .collect();
    let invalid = cells.iter().any(|cell| cell.patch.valid.contains(&0));
    let legend: Vec<Entry> = invalid
        .then(|| Entry::new("missing", Swatch::Invalid))
        .into_iter()
        .collect();
    finish(&strip, title, &each.join(", "), &legend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::Show as _;
    use crate::raster::Size;

    fn cell(date: &str, missing: f64, valid: Vec<u8>) -> DateCell {
        let size = Size::new(30, 20);
        DateCell {
            date: date.to_owned(),
            missing,
            patch: Patch {
                size,
                bands: 1,
                data: vec![5.0; size.area()],
                valid,
            },
        }
    }

    #[test]
    fn a_strip_says_in_words_what_it_shows() {
        let all = vec![1; 600];
        let mut holes = all.clone();
        holes[..72].fill(0);
        let cells = [
            cell("2023-04-15", 0.0, all.clone()),
            cell("2023-06-04", 0.12, holes),
            cell("2023-07-01", 0.0004, all),
        ];
        let figure = date_strip(&cells, &[Stretch::new(0.0, 10.0)], 900, "fields").unwrap();
        let output = figure.output();
        assert_eq!(
            output.text,
            "fields: 2023-04-15 (complete), 2023-06-04 (12 % missing), 2023-07-01 (under 1 % missing)"
        );
        let html = output.html.unwrap();
        assert!(html.contains("missing") && html.contains("<img"), "{html}");
        assert!(output.webp.is_some() || output.png.is_some());
        // Narrow places get several rows.
        let narrow = date_strip(&cells, &[Stretch::new(0.0, 10.0)], 100, "").unwrap();
        assert!(narrow.output().html.is_some());
        let mut two = cell("a", 0.0, vec![1; 600]);
        two.patch.bands = 2;
        two.patch.data = vec![0.0; 1200];
        assert!(date_strip(&[two], &[], 900, "").is_err());
    }
}

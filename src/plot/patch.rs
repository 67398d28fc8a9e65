//! A window's values as a picture with what there is of each band.

use super::Figure;
use super::image::rgb_auto;
use crate::display::html::{table_html, table_text};
use crate::display::{Output, Show};
use crate::raster::Patch;

const HEADS: [&str; 5] = ["band", "least", "mean", "greatest", "valid pixels"];

/// One band: its number as Rust counts, and what its valid pixels hold.
fn row(patch: &Patch, band: usize) -> Vec<String> {
    let values = patch.band(band).iter().zip(&patch.valid);
    let values = values.filter(|(_, valid)| **valid != 0);
    let (mut count, mut sum) = (0_usize, 0.0);
    let (mut least, mut greatest) = (f32::INFINITY, f32::NEG_INFINITY);
    for (&value, _) in values {
        (least, greatest) = (least.min(value), greatest.max(value));
        sum += f64::from(value);
        count += 1;
    }
    let numbers = match count {
        0 => [const { String::new() }; 3],
        _ => [
            least.to_string(),
            format!("{:.2}", sum / count as f64),
            greatest.to_string(),
        ],
    };
    let mut cells = vec![band.to_string()];
    cells.extend(numbers);
    cells.push(count.to_string());
    cells
}

impl Patch {
    /// `64 x 64 pixels, 3 bands; 12 pixels hold nothing (outside the scene, or nodata)`.
    fn summary(&self) -> String {
        let empty = self.valid.iter().filter(|&&valid| valid == 0).count();
        let empty = match empty {
            0 => String::new(),
            _ if empty == self.valid.len() => {
                "; none of them holds anything: they lie outside the scene, or are nodata"
                    .to_owned()
            }
            1 => "; 1 pixel holds nothing: it lies outside the scene, or is nodata".to_owned(),
            _ => {
                format!("; {empty} pixels hold nothing: they lie outside the scene, or are nodata")
            }
        };
        let bands = if self.bands == 1 { "band" } else { "bands" };
        let size = self.size;
        format!(
            "{} x {} pixels, {} {bands}{empty}",
            size.width, size.height, self.bands
        )
    }
}

/// A picture of the first three bands, or of the only one, and the least, mean and greatest value of each band.
impl Show for Patch {
    fn output(&self) -> Output {
        let summary = self.summary();
        let rows: Vec<Vec<String>> = (0..self.bands).map(|band| row(self, band)).collect();
        let text = format!("{summary}\n{}", table_text(&HEADS, &rows));
        let drawn = rgb_auto(self, None).and_then(|image| Figure::from_image(image, &summary));
        match drawn {
            Ok(figure) => {
                let drawn = figure.output();
                let picture = drawn.html.clone().unwrap_or_default();
                Output {
                    html: Some(picture + &table_html(&HEADS, &rows)),
                    text,
                    ..drawn
                }
            }
            Err(error) => Output::text(format!("{text}\nThe picture cannot be drawn: {error}")),
        }
    }
}

crate::show_in_cells!(Patch);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Size;

    #[test]
    fn a_patch_says_what_it_holds_and_what_it_does_not() {
        let patch = Patch {
            size: Size::new(3, 2),
            bands: 2,
            data: vec![1.0, 2.0, 6.0, 0.0, 0.0, 0.0, -4.0, 0.5, 5.0, 0.0, 0.0, 0.0],
            valid: vec![1, 1, 1, 0, 0, 0],
        };
        let output = patch.output();
        assert_eq!(
            output.text,
            "3 x 2 pixels, 2 bands; 3 pixels hold nothing: they lie outside the scene, or are nodata\n\
             band  least  mean  greatest  valid pixels\n   \
                0      1  3.00         6             3\n   \
                1     -4  0.50         5             3"
        );
        assert!(output.html.is_some_and(|html| html.contains("<img")));
        let outside = Patch::invalid(Size::new(4, 4), 1).output();
        assert!(
            outside
                .text
                .starts_with("4 x 4 pixels, 1 band; none of them holds anything")
        );
        let empty = Patch::invalid(Size::new(0, 0), 1).output();
        assert!(empty.text.starts_with("0 x 0 pixels, 1 band"));
    }
}

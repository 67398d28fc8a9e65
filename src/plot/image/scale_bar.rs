//! A scale bar: how long a round number of meters is on the picture.

use super::RgbImage;
use super::text::text_width;

const MARGIN: usize = 8;

/// A round length (1, 2 or 5 times a power of ten meters) that takes at most a quarter of `width` pixels, and how many
/// pixels it takes; `None` when the pixel size is not a positive number or nothing round fits.
fn round_length(width: usize, meters_per_pixel: f64) -> Option<(f64, usize)> {
    let longest = width as f64 / 4.0 * meters_per_pixel;
    if !(longest.is_normal() && longest > 0.0) {
        return None;
    }
    let power = 10f64.powf(longest.log10().floor());
    let meters = [5.0, 2.0, 1.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|meters| *meters <= longest)?;
    let pixels = (meters / meters_per_pixel).round() as usize;
    (pixels >= 2).then_some((meters, pixels))
}

/// `200 m`, `5 km`, `20 cm`.
fn length_text(meters: f64) -> String {
    if meters >= 1000.0 {
        format!("{} km", (meters / 1000.0).round())
    } else if meters >= 1.0 {
        format!("{} m", meters.round())
    } else {
        // Lengths below a centimeter keep their decimals.
        format!("{} cm", (meters * 1e6).round() / 1e4)
    }
}

impl RgbImage {
    /// Draws a scale bar at the bottom left and returns the width and height it takes there. `meters_per_pixel` is the
    /// width of one of this picture's pixels on the ground; nothing is drawn when it is not a positive number or the
    /// picture is too small.
    pub fn scale_bar(&mut self, meters_per_pixel: f64) -> Option<(usize, usize)> {
        let (meters, pixels) = round_length(self.width, meters_per_pixel)?;
        let text = length_text(meters);
        let (width, height) = (pixels.max(text_width(&text)) + 2 * MARGIN, 34);
        if width > self.width || height + MARGIN > self.height {
            return None;
        }
        let top = self.height - height;
        self.fill(0, top, width, height, [0; 3], 0.65);
        self.text(MARGIN, top + 3, &text, [255; 3]);
        self.fill(MARGIN, top + 24, pixels, 4, [255; 3], 1.0);
        Some((width, height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_round_and_fit_a_quarter_of_the_picture() {
        assert_eq!(round_length(1000, 0.3), Some((50.0, 167)));
        assert_eq!(round_length(1000, 10.0), Some((2000.0, 200)));
        assert_eq!(round_length(1000, 0.001), Some((0.2, 200)));
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(round_length(1000, odd), None);
        }
        assert_eq!(round_length(4, 1.0), None);
        assert_eq!(
            [50.0, 2000.0, 0.2, 0.005].map(length_text),
            ["50 m", "2 km", "20 cm", "0.5 cm"]
        );
    }

    #[test]
    fn a_picture_too_small_for_a_bar_stays_as_it_is() {
        let mut small = RgbImage::filled(30, 30, [9; 3]);
        assert_eq!(small.scale_bar(1.0), None);
        assert_eq!(small, RgbImage::filled(30, 30, [9; 3]));
        let mut large = RgbImage::filled(400, 300, [9; 3]);
        assert_eq!(large.scale_bar(1.0), Some((116, 34)));
        assert_eq!(large.pixel(20, 291), [255; 3]);
    }
}

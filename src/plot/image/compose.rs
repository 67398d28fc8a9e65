//! Pictures made of pictures: paste, scale, frame.

use super::text::text_width;
use super::{RgbImage, RgbaImage};
use crate::plot::Entry;

/// Height of a line of a drawn legend.
const LINE: usize = 24;
/// A picture with a legend is at least this wide.
const NARROWEST: usize = 180;

impl RgbImage {
    /// Copies `other` into this image with its top left corner at `(col, row)`; what does not fit is cut off.
    pub fn paste(&mut self, other: &Self, col: usize, row: usize) {
        let columns = other.width.min(self.width.saturating_sub(col));
        for line in 0..other.height.min(self.height.saturating_sub(row)) {
            let from = line * other.width * 3;
            let to = ((row + line) * self.width + col) * 3;
            if let (Some(target), Some(source)) = (
                self.data.get_mut(to..to + columns * 3),
                other.data.get(from..from + columns * 3),
            ) {
                target.copy_from_slice(source);
            }
        }
    }

    /// Fills a rectangle with `color` at `opacity`; parts outside the image are left out.
    pub fn fill(
        &mut self,
        col: usize,
        row: usize,
        width: usize,
        height: usize,
        color: [u8; 3],
        opacity: f32,
    ) {
        for line in row..(row + height).min(self.height) {
            for column in col..(col + width).min(self.width) {
                self.blend_pixel(column, line, color, opacity);
            }
        }
    }

    /// Scales to `width x height`: averages when it gets smaller, repeats pixels when it gets larger.
    #[must_use]
    pub fn scaled(&self, width: usize, height: usize) -> Self {
        if self.width == 0 || self.height == 0 || (width == self.width && height == self.height) {
            return if self.width == 0 || self.height == 0 {
                Self::filled(width, height, [128; 3])
            } else {
                self.clone()
            };
        }
        let mut data = Vec::with_capacity(width * height * 3);
        for row in 0..height {
            let rows = span(row, height, self.height);
            for col in 0..width {
                let columns = span(col, width, self.width);
                let mut sums = [0u64; 3];
                for line in rows.clone() {
                    let at = (line * self.width + columns.start) * 3;
                    for pixel in self.data[at..at + columns.len() * 3].chunks_exact(3) {
                        for channel in 0..3 {
                            sums[channel] += u64::from(pixel[channel]);
                        }
                    }
                }
                let count = (rows.len() * columns.len()) as u64;
                data.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
            }
        }
        Self {
            width,
            height,
            data,
        }
    }

    /// Scaled down, its shape kept, so that neither side is longer than `longest`; unchanged when it fits already.
    #[must_use]
    pub fn fitted(&self, longest: usize) -> Self {
        let (width, height) = fit(self.width, self.height, longest);
        self.scaled(width, height)
    }

    /// Lays `over` on this image, scaled to it, with its own opacity times `opacity`.
    #[must_use]
    pub fn with_overlay(&self, over: &RgbaImage, opacity: f32) -> Self {
        let mut image = self.clone();
        if over.width == 0 || over.height == 0 {
            return image;
        }
        for row in 0..self.height {
            let from_row = row * over.height / self.height;
            for col in 0..self.width {
                let [red, green, blue, alpha] = over.pixel(col * over.width / self.width, from_row);
                if alpha > 0 {
                    image.blend_pixel(
                        col,
                        row,
                        [red, green, blue],
                        opacity * f32::from(alpha) / 255.0,
                    );
                }
            }
        }
        image
    }
}

impl RgbaImage {
    /// Makes a rectangle transparent; parts outside the image are left out.
    pub(crate) fn clear(&mut self, col: usize, row: usize, width: usize, height: usize) {
        let end = (col + width).min(self.width);
        for line in row..(row + height).min(self.height) {
            if let Some(pixels) = self
                .data
                .get_mut((line * self.width + col.min(end)) * 4..(line * self.width + end) * 4)
            {
                pixels.fill(0);
            }
        }
    }
}

/// The source pixels that target pixel `at` of `target` covers, at least one.
fn span(at: usize, target: usize, source: usize) -> std::ops::Range<usize> {
    let start = (at * source / target).min(source - 1);
    let end = ((at + 1) * source / target).clamp(start + 1, source);
    start..end
}

/// A size with the same shape whose longer side is at most `longest`.
pub(crate) fn fit(width: usize, height: usize, longest: usize) -> (usize, usize) {
    let side = width.max(height);
    if side <= longest || side == 0 {
        return (width, height);
    }
    let scale = |length: usize| ((length * longest + side / 2) / side).max(1);
    (scale(width), scale(height))
}

/// The image with a legend drawn below it on a light strip. Entries and long names wrap; a narrow picture gets a wider
/// strip.
pub(crate) fn with_legend(image: &RgbImage, entries: &[Entry]) -> RgbImage {
    if entries.is_empty() || image.data.is_empty() {
        return image.clone();
    }
    let width = image.width.max(NARROWEST);
    let mut places = Vec::with_capacity(entries.len());
    let (mut col, mut row) = (8, 6);
    for entry in entries {
        let room = width - 8 - 20;
        let lines = wrapped(&entry.name, room.saturating_sub(8));
        let longest = lines.iter().map(|line| text_width(line)).max().unwrap_or(0);
        let taken = 20 + longest + 16;
        if col > 8 && (col + taken > width || lines.len() > 1) {
            col = 8;
            row += LINE;
        }
        let down = (lines.len() - 1) * LINE;
        places.push((col, row, lines, entry.swatch));
        if down > 0 {
            (col, row) = (width, row + down);
        } else {
            col += taken;
        }
    }
    let mut picture = RgbImage::filled(width, image.height + row + LINE, [250; 3]);
    picture.paste(image, 0, 0);
    for (col, row, lines, swatch) in places {
        swatch.draw(&mut picture, col, image.height + row + 3);
        for (index, line) in lines.iter().enumerate() {
            picture.text(col + 19, image.height + row + index * LINE, line, [33; 3]);
        }
    }
    picture
}

/// The text in lines of at most `width` pixels, broken at spaces where there are any; at least one line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last().map_or("", String::as_str);
        if !line.is_empty() && text_width(&format!("{line}{}", word.trim_end())) > width {
            lines.push(String::new());
        }
        for character in word.chars() {
            let line = lines.last().map_or("", String::as_str);
            if !line.is_empty()
                && text_width(line.trim_end()) + text_width(character.encode_utf8(&mut [0; 4]))
                    > width
                && character != ' '
            {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(character);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Swatch;

    #[test]
    fn long_names_wrap_and_lose_nothing() {
        let name = "a class with a very long name and averylongwordwithoutanyspacesinit";
        let lines = wrapped(name, 120);
        assert!(lines.len() > 3 && lines.iter().all(|line| text_width(line.trim_end()) <= 120));
        assert_eq!(lines.concat(), name);
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("wide", 0).concat(), "wide");
    }

    #[test]
    fn white_swatches_have_an_edge_and_narrow_pictures_a_legend() {
        let entries = [
            Entry::new("snow", Swatch::Color([255; 3])),
            Entry::new(
                "another long class name for a narrow strip",
                Swatch::Hatched,
            ),
        ];
        let image = RgbImage::filled(20, 30, [0; 3]);
        let picture = with_legend(&image, &entries);
        assert!(picture.width >= 160 && picture.height > 80);
        assert_eq!(picture.pixel(14, 30 + 6 + 3 + 6), [255; 3]);
        let edge = picture.pixel(8, 30 + 6 + 3 + 6);
        assert!(crate::plot::contrast(edge, [250; 3]) >= 3.0, "{edge:?}");
        assert_eq!(with_legend(&image, &[]), image);
    }
}

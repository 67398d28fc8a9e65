//! Pictures made of pictures: paste, scale, frame.

use super::text::text_width;
use super::{RgbImage, RgbaImage};

/// Height of a line of a drawn legend.
const LINE: usize = 24;

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

/// The image with a legend drawn below it on a light strip; wraps as needed.
pub(crate) fn with_legend(image: &RgbImage, entries: &[(String, [u8; 3])]) -> RgbImage {
    if entries.is_empty() || image.width < 60 {
        return image.clone();
    }
    let mut places = Vec::with_capacity(entries.len());
    let (mut col, mut row) = (8, 6);
    for (name, color) in entries {
        let width = 20 + text_width(name) + 16;
        if col > 8 && col + width > image.width {
            col = 8;
            row += LINE;
        }
        places.push((col, row, name, *color));
        col += width;
    }
    let mut picture = RgbImage::filled(image.width, image.height + row + LINE, [250; 3]);
    picture.paste(image, 0, 0);
    for (col, row, name, color) in places {
        picture.fill(col, image.height + row + 3, 13, 13, color, 1.0);
        picture.text(col + 19, image.height + row, name, [33; 3]);
    }
    picture
}

//! Imagery as people see it: bands stretched to bytes, labels blended and outlined over them, PNG and WebP.

mod boxes;
mod codec;
mod compose;
mod composite;
mod labels;
mod outline;
mod rotated;
mod scale_bar;
mod stretch;
mod text;

pub use boxes::{draw_boxes, draw_boxes_over};
pub use codec::{
    Encoded, decode_png, encode_best, encode_best_rgba, encode_png, encode_rgba_png, encode_webp,
};
pub use composite::{composite, rgb_of};
pub use labels::{class_map, outlines, overlay};
pub use stretch::{Stretch, default_bands, rgb, rgb_auto};

pub(crate) use boxes::colored;
pub(crate) use compose::with_legend;
pub(crate) use composite::{band_words, rgb_shown};
pub(crate) use outline::{box_lines, casings, hatch, region_lines};
pub(crate) use rotated::BoxShape;
pub(crate) use text::text_width;

/// An image of red, green and blue bytes, row by row from the top.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RgbImage {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`.
    pub data: Vec<u8>,
}

/// An image of red, green, blue and opacity (0 transparent, 255 opaque, not premultiplied), row by row from the top.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RgbaImage {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 4]`.
    pub data: Vec<u8>,
}

macro_rules! debug_by_size {
    ($($type:ident),+) => {$(
        /// The size alone: the bytes of an image are nothing to read.
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($type), "({} x {} px)"), self.width, self.height)
            }
        }
    )+};
}

debug_by_size!(RgbImage, RgbaImage);

impl RgbImage {
    /// An image of one color.
    #[must_use]
    pub fn filled(width: usize, height: usize, color: [u8; 3]) -> Self {
        Self {
            width,
            height,
            data: color.repeat(width * height),
        }
    }

    /// The color at `(col, row)`; black outside the image.
    #[must_use]
    pub fn pixel(&self, col: usize, row: usize) -> [u8; 3] {
        let at = (row * self.width + col) * 3;
        match self.data.get(at..at + 3) {
            Some(&[red, green, blue]) if col < self.width => [red, green, blue],
            _ => [0; 3],
        }
    }

    /// Sets the color at `(col, row)`; nothing happens outside the image.
    pub fn set_pixel(&mut self, col: usize, row: usize, color: [u8; 3]) {
        if col < self.width
            && let Some(pixel) = self
                .data
                .get_mut((row * self.width + col) * 3..(row * self.width + col) * 3 + 3)
        {
            pixel.copy_from_slice(&color);
        }
    }

    /// Mixes `color` into the pixel at `(col, row)`; `opacity` 0 leaves it, 1 replaces it.
    pub fn blend_pixel(&mut self, col: usize, row: usize, color: [u8; 3], opacity: f32) {
        if col < self.width && row < self.height {
            self.set_pixel(col, row, mix(self.pixel(col, row), color, opacity));
        }
    }
}

impl RgbaImage {
    /// A fully transparent image.
    #[must_use]
    pub fn transparent(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            data: vec![0; width * height * 4],
        }
    }

    /// Color and opacity at `(col, row)`; transparent outside the image.
    #[must_use]
    pub fn pixel(&self, col: usize, row: usize) -> [u8; 4] {
        let at = (row * self.width + col) * 4;
        match self.data.get(at..at + 4) {
            Some(&[red, green, blue, alpha]) if col < self.width => [red, green, blue, alpha],
            _ => [0; 4],
        }
    }

    /// Sets color and opacity at `(col, row)`; nothing happens outside the image.
    pub(crate) fn put(&mut self, col: usize, row: usize, [red, green, blue]: [u8; 3], alpha: u8) {
        let at = (row * self.width + col) * 4;
        if col < self.width
            && let Some(pixel) = self.data.get_mut(at..at + 4)
        {
            pixel.copy_from_slice(&[red, green, blue, alpha]);
        }
    }
}

/// `opacity` of `over`, the rest of `under`. The bytes are mixed as stored, as browsers do.
fn mix(under: [u8; 3], over: [u8; 3], opacity: f32) -> [u8; 3] {
    let opacity = if opacity.is_finite() {
        opacity.clamp(0.0, 1.0)
    } else {
        0.0
    };
    std::array::from_fn(|channel| {
        let mixed =
            f32::from(under[channel]).mul_add(1.0 - opacity, f32::from(over[channel]) * opacity);
        mixed.round() as u8
    })
}

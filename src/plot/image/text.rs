//! Text inside images, from a small atlas of glyphs, because PNG and WebP pictures travel without their legends.

use std::sync::OnceLock;

use super::{RgbImage, RgbaImage, casings, decode_png};

const CELL: (usize, usize) = (18, 20);
const COLUMNS: usize = 16;
/// Blank columns left of a glyph in its cell, for glyphs that reach back.
const PAD: usize = 2;

struct Font {
    coverage: Vec<u8>,
    width: usize,
    advances: Vec<usize>,
}

/// The atlas decoded once. It is part of this program; were it unreadable, text would be left out.
fn font() -> &'static Font {
    static FONT: OnceLock<Font> = OnceLock::new();
    FONT.get_or_init(|| {
        let atlas = decode_png(include_bytes!("../font/sans15.png")).unwrap_or_default();
        Font {
            coverage: atlas.data.chunks_exact(4).map(|pixel| pixel[0]).collect(),
            width: atlas.width,
            advances: include_str!("../font/sans15.txt")
                .split_whitespace()
                .filter_map(|text| text.parse().ok())
                .collect(),
        }
    })
}

/// The atlas cell of a character; `?` for what the atlas does not hold.
fn cell(character: char) -> usize {
    match character as u32 {
        code @ 0x20..=0x7e => (code - 0x20) as usize,
        code @ 0xa0..=0xff => (code - 0xa0) as usize + 95,
        _ => ('?' as usize) - 0x20,
    }
}

/// Width of `text` in pixels.
pub(crate) fn text_width(text: &str) -> usize {
    text.chars()
        .map(|character| font().advances.get(cell(character)).copied().unwrap_or(0))
        .sum()
}

impl RgbImage {
    /// Writes one line of text (15 px high letters, ASCII and Latin-1) with its top left corner at `(col, row)`.
    pub fn text(&mut self, col: usize, row: usize, text: &str, color: [u8; 3]) {
        let font = font();
        let mut pen = col;
        for character in text.chars() {
            let index = cell(character);
            let (left, top) = (index % COLUMNS * CELL.0, index / COLUMNS * CELL.1);
            for line in 0..CELL.1 {
                for column in 0..CELL.0 {
                    let coverage = font
                        .coverage
                        .get((top + line) * font.width + left + column)
                        .copied()
                        .unwrap_or(0);
                    if coverage > 0 && pen + column >= PAD {
                        self.blend_pixel(
                            pen + column - PAD,
                            row + line,
                            color,
                            f32::from(coverage) / 255.0,
                        );
                    }
                }
            }
            pen += font.advances.get(index).copied().unwrap_or(0);
        }
    }

    /// Writes `text` in white on a dark tag, readable over any imagery.
    pub fn tag(&mut self, col: usize, row: usize, text: &str) {
        self.fill(col, row, text_width(text) + 8, CELL.1, [0; 3], 0.65);
        self.text(col + 4, row + 1, text, [255; 3]);
    }
}

impl RgbaImage {
    /// Writes `text` in `color` on a tag of the tone that stands out from it, readable over any imagery.
    pub(crate) fn tag(&mut self, col: usize, row: usize, text: &str, color: [u8; 3]) {
        let ground = casings(color).0;
        let mut tag = RgbImage::filled(text_width(text) + 6, CELL.1 - 2, ground);
        tag.text(3, 0, text, color);
        for line in 0..tag.height {
            for column in 0..tag.width {
                self.put(col + column, row + line, tag.pixel(column, line), 215);
            }
        }
    }
}

//! Colors of series, which stay apart under the common kinds of color blindness, and text that contrasts.
//!
//! The colors of classes belong to [`crate::labels::Classes`].

/// Okabe and Ito's set for color-blind readers ("Color Universal Design", 2008) without black and yellow, darkened where
/// a line on a light ground would be too pale, then violet and brown. All stand out from JupyterLab's light and dark grounds.
const LINES: [[u8; 3]; 8] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 140, 102],
    [184, 83, 143],
    [178, 121, 0],
    [126, 100, 210],
    [46, 141, 200],
    [150, 96, 70],
];

/// The default color of the `index`th series; repeats after the palette's end.
#[must_use]
pub const fn series_color(index: usize) -> [u8; 3] {
    LINES[index % LINES.len()]
}

/// Relative luminance of an sRGB color, 0 to 1 (WCAG 2.2).
fn luminance(color: [u8; 3]) -> f64 {
    let linear = color.map(|byte| {
        let value = f64::from(byte) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    linear[0].mul_add(0.2126, linear[1].mul_add(0.7152, linear[2] * 0.0722))
}

/// Contrast ratio of two colors, 1 to 21 (WCAG 2.2).
#[must_use]
pub fn contrast(first: [u8; 3], second: [u8; 3]) -> f64 {
    let (one, two) = (luminance(first), luminance(second));
    (one.max(two) + 0.05) / (one.min(two) + 0.05)
}

/// Black or white, whichever reads better on `ground`.
#[must_use]
pub fn text_on(ground: [u8; 3]) -> [u8; 3] {
    let (dark, light) = ([0; 3], [255; 3]);
    if contrast(ground, dark) >= contrast(ground, light) {
        dark
    } else {
        light
    }
}

/// `#rrggbb`.
pub(crate) fn hex(color: [u8; 3]) -> String {
    format!("#{:02x}{:02x}{:02x}", color[0], color[1], color[2])
}

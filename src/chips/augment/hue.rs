//! Hues turned around the circle of colors.

use rand::Rng;

use super::colors::change;
use super::draw::signed;
use crate::raster::Patch;

pub(super) const WHAT: &str = "the change of hue";

pub(super) fn apply(patch: &mut Patch, colors: [usize; 3], share: f64, random: &mut impl Rng) {
    turn(patch, colors, signed(random, share) as f32);
}

pub(super) fn turn(patch: &mut Patch, colors: [usize; 3], share: f32) {
    change(patch, colors, |color| turned(color, share));
}

/// Torchvision's `adjust_hue`: the hue of HSV and back. Saturation and value are no detour: both colors have the same largest
/// and least component, so any range of values will do, and none is left.
fn turned([red, green, blue]: [f32; 3], share: f32) -> [f32; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let range = most - least;
    if range <= 0.0 {
        return [red, green, blue];
    }
    let from_least = |value: f32| (value - least) / range;
    let hue = if most == red {
        from_least(green) - from_least(blue)
    } else if most == green {
        2.0 + from_least(blue) - from_least(red)
    } else {
        4.0 + from_least(red) - from_least(green)
    };
    let hue = (hue + 6.0 * share).rem_euclid(6.0);
    let (falling, rising) = (
        most - range * (hue - hue.floor()),
        least + range * (hue - hue.floor()),
    );
    match hue as u32 {
        0 => [most, rising, least],
        1 => [falling, most, least],
        2 => [least, most, rising],
        3 => [least, falling, most],
        4 => [rising, least, most],
        // A sum that was rounded up to 6 is where the circle closes.
        6 => [most, least, least],
        _ => [most, least, falling],
    }
}

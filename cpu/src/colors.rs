//! Red, green and blue of many pixels, in whatever unit they have.

/// The three colors of the same pixels, and which of these are valid; the others stay as they are.
#[derive(Debug)]
pub struct Colors<'a> {
    /// Values of red.
    pub red: &'a mut [f32],
    /// Values of green.
    pub green: &'a mut [f32],
    /// Values of blue.
    pub blue: &'a mut [f32],
    /// 1 where the pixel is valid, otherwise 0.
    pub valid: &'a [u8],
}

impl Colors<'_> {
    fn change(&mut self, of_pixel: impl Fn([f32; 3]) -> [f32; 3]) {
        let pixels = self
            .red
            .iter_mut()
            .zip(self.green.iter_mut())
            .zip(self.blue.iter_mut());
        for (((red, green), blue), &valid) in pixels.zip(self.valid) {
            let changed = of_pixel([*red, *green, *blue]);
            // A network cannot be fed what is no number.
            if valid != 0 && changed.iter().all(|value| value.is_finite()) {
                [*red, *green, *blue] = changed;
            }
        }
    }

    /// Turns hues by a share of the circle from -0.5 to 0.5: the hue of HSV and back, as torchvision's `adjust_hue`. Saturation
    /// and value are no detour: both colors have the same largest and least component, so any range of values will do.
    pub fn turn(&mut self, share: f32) {
        self.change(|color| turned(color, share));
    }

    /// Each color further from gray by a factor above 1, nearer to it by one below: torchvision's `adjust_saturation`, whose gray
    /// is that of `rgb_to_grayscale` (the luma of ITU-R BT.601).
    pub fn saturate(&mut self, factor: f32) {
        self.change(|[red, green, blue]| {
            let gray = 0.2989 * red + 0.587 * green + 0.114 * blue;
            [red, green, blue].map(|value| gray + factor * (value - gray))
        });
    }
}

fn turned([red, green, blue]: [f32; 3], share: f32) -> [f32; 3] {
    let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
    let range = most - least;
    // Gray has no hue; nor has what is no number.
    if !(range > 0.0 && range < f32::INFINITY) {
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
    // From -4 to 8, onto the circle of six.
    let mut hue = hue + 6.0 * share;
    if hue < 0.0 {
        hue += 6.0;
    }
    if hue >= 6.0 {
        hue -= 6.0;
    }
    let sector = hue as u32;
    let part = hue - sector as f32;
    let (falling, rising) = (most - range * part, least + range * part);
    match sector {
        0 => [most, rising, least],
        1 => [falling, most, least],
        2 => [least, most, rising],
        3 => [least, falling, most],
        4 => [rising, least, most],
        _ => [most, least, falling],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirds_of_the_circle_exchange_colors_and_what_is_invalid_stays() {
        let mut planes = [[200.0, 10.0, 5.0], [50.0, 20.0, 5.0], [100.0, 30.0, 5.0]];
        let [red, green, blue] = &mut planes;
        let mut colors = Colors {
            red,
            green,
            blue,
            valid: &[1, 0, 1],
        };
        colors.turn(1.0 / 3.0);
        let near = |a: f32, b: f32| (a - b).abs() < 1e-3;
        assert!(near(planes[0][0], 100.0) && near(planes[1][0], 200.0) && near(planes[2][0], 50.0));
        assert_eq!(planes.map(|plane| plane[1]), [10.0, 20.0, 30.0]);
        assert_eq!(planes.map(|plane| plane[2]), [5.0; 3]);
        let [red, green, blue] = &mut planes;
        Colors {
            red,
            green,
            blue,
            valid: &[1, 0, 1],
        }
        .saturate(0.0);
        let gray = 0.2989 * 100.0 + 0.587 * 200.0 + 0.114 * 50.0;
        assert!(
            planes.iter().all(|plane| near(plane[0], gray)),
            "{planes:?}"
        );
    }

    #[test]
    fn what_would_be_no_number_stays() {
        let mut planes = [[f32::MAX], [-f32::MAX], [0.0]];
        let [red, green, blue] = &mut planes;
        let mut colors = Colors {
            red,
            green,
            blue,
            valid: &[1],
        };
        colors.turn(0.3);
        colors.saturate(2.0);
        assert!(planes.iter().all(|plane| plane[0].is_finite()));
    }
}

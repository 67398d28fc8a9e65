//! How far apart colors look, to people with usual and with deficient color vision.

/// Machado, Oliveira, Fernandes 2009 ("A Physiologically-based Model for Simulation of Color Vision Deficiency"), full
/// severity, for linear RGB: protanopia, deuteranopia, tritanopia.
const DEFICIENCIES: [[[f32; 3]; 3]; 3] = [
    [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ],
    [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ],
    [
        [1.255_528, -0.076_749, -0.178_779],
        [-0.078_411, 0.930_809, 0.147_602],
        [0.004_733, 0.691_367, 0.303_900],
    ],
];

/// One color as four kinds of eyes see it, in `OKLab`: usual vision, protanopia, deuteranopia, tritanopia.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen([[f32; 3]; 4]);

impl Seen {
    pub(crate) fn of(color: [u8; 3]) -> Self {
        let linear = color.map(linear);
        let mut seen = [oklab(linear); 4];
        for (seen, matrix) in seen[1..].iter_mut().zip(&DEFICIENCIES) {
            let simulated = times(matrix, linear).map(|value| value.clamp(0.0, 1.0));
            *seen = oklab(simulated);
        }
        Self(seen)
    }

    /// The distance in `OKLab` (Ottosson 2020; 0.02 is just noticeable, black and white are 1 apart) to the eyes that tell
    /// the two apart worst.
    pub(crate) fn distance(&self, other: &Self) -> f32 {
        let one = |(a, b): (&[f32; 3], &[f32; 3])| {
            let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f32>().sqrt()
        };
        self.0
            .iter()
            .zip(&other.0)
            .map(one)
            .fold(f32::INFINITY, f32::min)
    }
}

fn linear(byte: u8) -> f32 {
    let value = f32::from(byte) / 255.0;
    if value <= 0.040_45 {
        value / 12.92
    } else {
        ((value + 0.055) / 1.055).powf(2.4)
    }
}

fn times(matrix: &[[f32; 3]; 3], vector: [f32; 3]) -> [f32; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// # Source
/// Björn Ottosson, "A perceptual color space for image processing", 2020; the distance is that of CSS Color 4, `deltaEOK`.
fn oklab(linear: [f32; 3]) -> [f32; 3] {
    const LMS: [[f32; 3]; 3] = [
        [0.412_221_46, 0.536_332_55, 0.051_445_995],
        [0.211_903_5, 0.680_699_5, 0.107_396_96],
        [0.088_302_46, 0.281_718_85, 0.629_978_7],
    ];
    const LAB: [[f32; 3]; 3] = [
        [0.210_454_26, 0.793_617_8, -0.004_072_047],
        [1.977_998_5, -2.428_592_2, 0.450_593_7],
        [0.025_904_037, 0.782_771_77, -0.808_675_77],
    ];
    times(&LAB, times(&LMS, linear).map(f32::cbrt))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ottosson's and CSS Color 4's values of sRGB's red, green and blue.
    #[test]
    fn oklab_is_that_of_its_author() {
        for (color, lab) in [
            ([255, 0, 0], [0.627_96, 0.224_86, 0.125_85]),
            ([0, 255, 0], [0.866_44, -0.233_89, 0.179_50]),
            ([0, 0, 255], [0.452_01, -0.032_46, -0.311_53]),
            ([255, 255, 255], [1.0, 0.0, 0.0]),
        ] {
            let found = Seen::of(color).0[0];
            for (found, expected) in found.iter().zip(lab) {
                assert!((found - expected).abs() < 2e-4, "{color:?}: {found}");
            }
        }
    }

    #[test]
    fn red_and_green_of_one_lightness_are_close_to_some_eyes_and_far_apart_to_others() {
        let (red, green) = (Seen::of([200, 80, 60]), Seen::of([110, 120, 40]));
        let usual = Seen([red.0[0]; 4]).distance(&Seen([green.0[0]; 4]));
        assert!(usual > 0.15 && red.distance(&green) < 0.08);
        assert_eq!(red.distance(&red), 0.0);
        assert!((Seen::of([0; 3]).distance(&Seen::of([255; 3])) - 1.0).abs() < 1e-3);
    }
}

//! What the ground and the sky reflect, by band and date.

use super::land::{Cover, Parcel};
use crate::raster::Date;
use crate::samples::noise;

/// A band of Sentinel-2.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentinelBand {
    pub(super) name: &'static str,
    /// Its pixel.
    pub(super) meters: usize,
}

const fn band(name: &'static str, meters: usize) -> SentinelBand {
    SentinelBand { name, meters }
}

/// The bands of Level-2A.
pub(super) const BANDS: [SentinelBand; 12] = [
    band("B01", 60),
    band("B02", 10),
    band("B03", 10),
    band("B04", 10),
    band("B05", 20),
    band("B06", 20),
    band("B07", 20),
    band("B08", 10),
    band("B8A", 20),
    band("B09", 60),
    band("B11", 20),
    band("B12", 20),
];

/// Their names.
pub(super) const fn names() -> [&'static str; BANDS.len()] {
    let mut names = [""; BANDS.len()];
    let mut at = 0;
    while at < BANDS.len() {
        names[at] = BANDS[at].name;
        at += 1;
    }
    names
}

/// Reflectance of each band, from 0 to 1.
pub(super) type Spectrum = [f32; BANDS.len()];

// Rounded from the shapes of the spectra in the USGS spectral library (Kokaly et al. 2017, doi:10.3133/ds1035): a red edge at
// 0.7 µm and water absorption at 1.6 and 2.2 µm in plants, a steady rise in soil, next to nothing beyond 0.7 µm in water.
const PLANTS: Spectrum = [
    0.020, 0.025, 0.050, 0.030, 0.090, 0.280, 0.360, 0.400, 0.420, 0.430, 0.190, 0.090,
];
const SOIL: Spectrum = [
    0.080, 0.090, 0.120, 0.160, 0.190, 0.210, 0.230, 0.250, 0.270, 0.280, 0.340, 0.300,
];
const LEAVES: Spectrum = [
    0.015, 0.018, 0.035, 0.020, 0.060, 0.200, 0.260, 0.280, 0.300, 0.310, 0.120, 0.055,
];
const TWIGS: Spectrum = [
    0.030, 0.035, 0.050, 0.055, 0.080, 0.120, 0.140, 0.160, 0.170, 0.180, 0.180, 0.120,
];
const WATER: Spectrum = [
    0.050, 0.045, 0.040, 0.025, 0.018, 0.014, 0.012, 0.010, 0.009, 0.008, 0.005, 0.004,
];
const ROOFS: Spectrum = [
    0.110, 0.120, 0.140, 0.150, 0.170, 0.180, 0.190, 0.200, 0.210, 0.210, 0.230, 0.220,
];
const CLOUD: Spectrum = [
    0.600, 0.580, 0.570, 0.580, 0.600, 0.610, 0.620, 0.620, 0.620, 0.500, 0.450, 0.380,
];

/// The dates, and from which value of the sky's noise on there are clouds.
const DAYS: [(u8, u8, f32); 6] = [
    (3, 11, 0.60),
    (4, 20, 0.66),
    (5, 25, 0.57),
    (6, 24, 0.71),
    (8, 3, 0.61),
    (9, 17, 0.64),
];
const YEAR: i32 = 2023;

/// When the place was taken.
pub(super) fn dates() -> Vec<Date> {
    let days = DAYS.iter();
    days.filter_map(|&(month, day, _)| Date::new(YEAR, month, day))
        .collect()
}

fn bell(day: f32, middle: f32, width: f32) -> f32 {
    (-0.5 * ((day - middle) / width).powi(2)).exp()
}

fn rise(day: f32, middle: f32, width: f32) -> f32 {
    1.0 / (1.0 + (-(day - middle) / width).exp())
}

/// How much of the ground plants cover, from 0 to 1. Wheat and maize have one curve, 90 days apart: half way between, on
/// the 175th day of the year, they are alike.
fn green(cover: Cover, day: f32) -> f32 {
    match cover {
        Cover::Wheat => 0.06 + 0.86 * bell(day, 130.0, 28.0),
        Cover::Maize => 0.06 + 0.86 * bell(day, 220.0, 28.0),
        Cover::Forest => 0.15 + 0.85 * rise(day, 112.0, 8.0) * (1.0 - rise(day, 292.0, 10.0)),
        Cover::Meadow => 0.42 + 0.26 * bell(day, 160.0, 60.0),
        Cover::Bare => 0.04,
        Cover::Built => 0.12,
        Cover::Water => 0.0,
    }
}

fn mixed(one: &Spectrum, other: &Spectrum, share: f32) -> Spectrum {
    std::array::from_fn(|band| one[band] * (1.0 - share) + other[band] * share)
}

/// What the ground reflects under a clear sky.
pub(super) fn reflectance(
    seed: u64,
    parcel: Option<&Parcel>,
    date: Date,
    col: i64,
    row: i64,
) -> Spectrum {
    let day = f32::from(date.year_day());
    let cover = parcel.map_or(Cover::Meadow, |parcel| parcel.cover);
    let (late, vigor) = parcel.map_or((0.0, 1.0), |parcel| (parcel.late, parcel.vigor));
    let patchy = noise::smooth(seed ^ 0xA1, col, row, 11) - 0.5;
    let share = (green(cover, day - late) * vigor + 0.14 * patchy).clamp(0.0, 1.0);
    let spectrum = match cover {
        Cover::Water => WATER,
        Cover::Forest => mixed(&TWIGS, &LEAVES, share),
        Cover::Built => {
            // Roofs of several kinds, gardens between them.
            let garden = noise::unit(seed ^ 0xA2, col / 2, row / 2) < 0.3;
            mixed(&ROOFS, &PLANTS, if garden { 0.5 } else { share })
        }
        _ => mixed(&SOIL, &PLANTS, share),
    };
    let rough = match cover {
        Cover::Built => 0.5 * (noise::unit(seed ^ 0xA3, col, row) - 0.5),
        Cover::Forest => 0.24 * (noise::smooth(seed ^ 0xA4, col, row, 3) - 0.5),
        _ => 0.0,
    };
    let shade = 1.0 + 0.10 * (noise::smooth(seed ^ 0xA5, col, row, 7) - 0.5) + rough;
    spectrum.map(|value| value * shade)
}

/// Clouds and their shadows on one date.
pub(super) struct Sky {
    seed: u64,
    from: f32,
}

/// How far a shadow lies from its cloud, in pixels of 10 m: the sun stands in the south-east in the morning.
const SHADOW: (i64, i64) = (-17, -13);
/// How much light a shadow takes.
const DARK: f32 = 0.55;

impl Sky {
    pub(super) fn new(seed: u64, date: Date) -> Self {
        let is = |&&(month, day, _): &&(u8, u8, f32)| (month, day) == (date.month(), date.day());
        Self {
            seed: noise::hash(seed ^ 0xB0, i64::from(date.year_day()), 0),
            from: DAYS.iter().find(is).map_or(1.0, |&(.., from)| from),
        }
    }

    /// How thick the cloud over a pixel is, from 0 to 1.
    pub(super) fn cloud(&self, col: i64, row: i64) -> f32 {
        let noise = |what: u64, cell| noise::smooth(self.seed ^ what, col, row, cell);
        let all = 0.55 * noise(1, 110) + 0.30 * noise(2, 41) + 0.15 * noise(3, 13);
        ((all - self.from) / 0.05).clamp(0.0, 1.0)
    }

    /// How dark the shadow on a pixel is, from 0 to 1.
    pub(super) fn shadow(&self, col: i64, row: i64) -> f32 {
        self.cloud(col - SHADOW.0, row - SHADOW.1)
    }

    /// What is seen of the ground: through cloud and shadow, with the noise of the sensor.
    pub(super) fn over(
        &self,
        ground: &Spectrum,
        cloud: f32,
        shade: f32,
        col: i64,
        row: i64,
    ) -> Spectrum {
        let light = 1.0 - DARK * shade;
        std::array::from_fn(|band| {
            let seen = ground[band] * light * (1.0 - cloud) + CLOUD[band] * cloud;
            let grain = noise::unit(self.seed ^ (0x100 + band as u64), col, row) - 0.5;
            (seen + 0.006 * grain).max(0.001)
        })
    }
}

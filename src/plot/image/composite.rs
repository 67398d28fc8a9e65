//! Which bands a picture shows when nobody says so: by what they are, not by their order.

use super::{RgbImage, Stretch, default_bands, rgb};
use crate::Result;
use crate::raster::{Band, BandRole, BandStatistics, Patch};

/// Roles that can be a part of a composite, from long waves to short ones.
const BY_WAVELENGTH: [BandRole; 9] = [
    BandRole::ThermalInfrared,
    BandRole::ShortWaveInfrared,
    BandRole::NearInfrared,
    BandRole::RedEdge,
    BandRole::Red,
    BandRole::Yellow,
    BandRole::Green,
    BandRole::Blue,
    BandRole::Coastal,
];

/// The bands that a picture shows as red, green and blue, or the one that it shows in gray, counted from 0.
///
/// Red, green and blue light wherever they lie in the file; without blue, near infrared, red and green as the
/// color-infrared picture of aerial photography; otherwise the three longest waves that the file names, the longest
/// as red. A file that says nothing of its bands is shown as rasterio's `show` and QGIS do: the first three as red,
/// green and blue. Bands that are known to be something else are never shown so.
///
/// ```
/// # fn main() -> swath::Result<()> {
/// # let folder = tempfile::tempdir().map_err(|source| swath::FileError::new("", source))?;
/// use swath::plot::image::composite;
/// use swath::raster::{GeoTransform, Raster, RasterType, RasterWriter, Size, WriterOptions};
/// # let path = folder.path().join("four.tif");
/// let grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 0.5);
/// let options = WriterOptions::default();
/// RasterWriter::create(&path, Size::new(8, 8), 4, RasterType::U8, grid, "EPSG:32632", options)?.finish()?;
/// assert_eq!(composite(Raster::open(&path)?.bands()), [0, 1, 2]);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn composite(bands: &[Band]) -> Vec<usize> {
    let place = |role: BandRole| bands.iter().position(|band| band.role == Some(role));
    let all =
        |roles: [BandRole; 3]| -> Option<Vec<usize>> { roles.into_iter().map(place).collect() };
    if bands.len() < 3 {
        return default_bands(bands.len());
    }
    let (red, green, blue) = (BandRole::Red, BandRole::Green, BandRole::Blue);
    if let Some(natural) = all([red, green, blue]) {
        return natural;
    }
    if let Some(infrared) = all([BandRole::NearInfrared, red, green]) {
        return infrared;
    }
    let known: Vec<usize> = BY_WAVELENGTH
        .into_iter()
        .filter_map(place)
        .take(3)
        .collect();
    if known.len() == 3 {
        return known;
    }
    // The first band of any file of several bands may be called gray: that says nothing.
    let agrees = |(band, role): (&Band, BandRole)| {
        band.role
            .is_none_or(|own| own == role || own == BandRole::Gray)
    };
    if bands.iter().zip([red, green, blue]).all(agrees) {
        return default_bands(bands.len());
    }
    let one = place(BandRole::Panchromatic).or(known.first().copied());
    vec![one.unwrap_or(0)]
}

/// `red, green, blue (3, 2, 1)`, counted from 1; `1, 2, 3 as red, green, blue; …` where the file does not say what they are.
pub(crate) fn band_words(bands: &[Band], shown: &[usize]) -> String {
    let numbers: Vec<String> = shown.iter().map(|band| (band + 1).to_string()).collect();
    let numbers = numbers.join(", ");
    let name = |&index: &usize| {
        let band = bands.get(index)?;
        let known = band
            .role
            .filter(|&role| bands.len() < 3 || role != BandRole::Gray);
        known.map(role_words).or_else(|| {
            let own = band.name.trim();
            let numbered = own.is_empty() || own.ends_with(|last: char| last.is_ascii_digit());
            (!numbered).then(|| own.to_owned())
        })
    };
    let names: Option<Vec<String>> = shown.iter().map(name).collect();
    match (names, shown.len()) {
        (Some(names), _) => format!("{} ({numbers})", names.join(", ")),
        (None, 3) => format!("{numbers} as red, green, blue; the file does not say what they are"),
        (None, _) => format!("{numbers} in gray"),
    }
}

fn role_words(role: BandRole) -> String {
    let name = serde_json::to_value(role).unwrap_or_default();
    name.as_str().unwrap_or_default().replace('_', " ")
}

/// Draws a patch of a raster whose bands are `bands` as [`composite`] says, with the stretches of `statistics` when given
/// (one per band of the patch) and its own percentiles otherwise.
///
/// # Errors
/// As [`rgb`].
pub fn rgb_of(
    patch: &Patch,
    bands: &[Band],
    statistics: Option<&[BandStatistics]>,
) -> Result<RgbImage> {
    rgb_shown(patch, &composite(bands), statistics)
}

/// [`rgb`] with the stretches of `statistics` when given (one per band of the patch).
pub(crate) fn rgb_shown(
    patch: &Patch,
    shown: &[usize],
    statistics: Option<&[BandStatistics]>,
) -> Result<RgbImage> {
    rgb(patch, shown, &stretches(shown, statistics))
}

/// Those of `statistics` for the bands shown, as far as there are any.
fn stretches(shown: &[usize], statistics: Option<&[BandStatistics]>) -> Vec<Stretch> {
    let all = statistics.unwrap_or_default();
    shown
        .iter()
        .map_while(|&band| all.get(band))
        .map(Stretch::from_statistics)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::DataType;

    fn bands(roles: &[Option<BandRole>]) -> Vec<Band> {
        let one = |(index, role): (usize, &Option<BandRole>)| Band {
            role: *role,
            ..Band::plain(index as i32 + 1, DataType::U16)
        };
        roles.iter().enumerate().map(one).collect()
    }

    /// D13: bands 1 to 3 were taken for red, green and blue whatever the file said.
    #[test]
    fn red_green_and_blue_are_found_wherever_they_lie() {
        use BandRole::{
            Blue, Coastal, Gray, Green, NearInfrared, Panchromatic, Red, ShortWaveInfrared,
        };
        for (roles, shown, words) in [
            (
                vec![Some(Blue), Some(Green), Some(Red)],
                vec![2, 1, 0],
                "red, green, blue (3, 2, 1)",
            ),
            (
                vec![
                    Some(Coastal),
                    Some(Blue),
                    Some(Green),
                    Some(Red),
                    Some(NearInfrared),
                ],
                vec![3, 2, 1],
                "red, green, blue (4, 3, 2)",
            ),
            // Color-infrared as aerial photography shows it.
            (
                vec![Some(Green), Some(Red), Some(NearInfrared)],
                vec![2, 1, 0],
                "near infrared, red, green (3, 2, 1)",
            ),
            // Never as red, green and blue: green light is the longest wave here.
            (
                vec![Some(Coastal), Some(Blue), Some(Green)],
                vec![2, 1, 0],
                "green, blue, coastal (3, 2, 1)",
            ),
            (
                vec![Some(Red), Some(NearInfrared), Some(ShortWaveInfrared)],
                vec![2, 1, 0],
                "short wave infrared, near infrared, red (3, 2, 1)",
            ),
            // A file that says nothing, or only that its first band is gray, as GDAL does.
            (
                vec![None; 5],
                vec![0, 1, 2],
                "1, 2, 3 as red, green, blue; the file does not say what they are",
            ),
            (
                vec![Some(Gray), None, None],
                vec![0, 1, 2],
                "1, 2, 3 as red, green, blue; the file does not say what they are",
            ),
            // Too little is known for a composite, and the first three are not red, green and blue.
            (
                vec![Some(NearInfrared), None, None, None],
                vec![0],
                "near infrared (1)",
            ),
            (
                vec![Some(Blue), Some(Panchromatic), None],
                vec![1],
                "panchromatic (2)",
            ),
            (vec![Some(Gray)], vec![0], "gray (1)"),
            (vec![None, None], vec![0], "1 in gray"),
        ] {
            let bands = bands(&roles);
            assert_eq!(composite(&bands), shown, "{roles:?}");
            assert_eq!(band_words(&bands, &shown), words, "{roles:?}");
        }
    }
}

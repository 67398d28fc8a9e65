//! Which band a word in an expression means.

use strsim::osa_distance;

use super::expression::shortened;
use super::transform_error::TransformError;
use super::{Band, BandRole, roles};

/// The band of a name, or that shows what a word says.
pub(super) fn find(
    wanted: &str,
    bands: &[Band],
    (text, column): (&str, usize),
) -> Result<usize, TransformError> {
    let places = |is: &dyn Fn(&Band) -> bool| -> Vec<usize> {
        (0..bands.len()).filter(|&at| is(&bands[at])).collect()
    };
    let plain = |name: &str| -> String {
        let letters = name.trim().to_lowercase();
        letters
            .chars()
            .map(|one| if one.is_alphanumeric() { one } else { '_' })
            .collect()
    };
    let exact = places(&|band| band.name == wanted);
    let lower = places(&|band| band.name.trim().to_lowercase() == wanted.trim().to_lowercase());
    let words = places(&|band| plain(&band.name) == plain(wanted));
    let shown = shows(wanted, bands);
    let found = [exact, lower, words, shown]
        .into_iter()
        .find(|found| !found.is_empty());
    match found.as_deref() {
        Some([one]) => Ok(*one),
        Some(several) => Err(TransformError::SeveralBands {
            wanted: wanted.to_owned(),
            text: shortened(text),
            column,
            found: several.iter().map(|&at| bands[at].name.clone()).collect(),
        }),
        None => Err(TransformError::UnknownBand {
            wanted: wanted.to_owned(),
            text: shortened(text),
            column,
            known: bands
                .iter()
                .map(|band| match band.role {
                    Some(role) => format!("{} ({role:?})", band.name),
                    None => band.name.clone(),
                })
                .collect(),
        }),
    }
}

/// The bands that show what a word says; of several the one that people mean: band 8 of Sentinel-2 for near infrared, not
/// the narrow 8A, and the short-wave infrared at 1.6 or 2.2 µm.
pub(super) fn shows(word: &str, bands: &[Band]) -> Vec<usize> {
    use BandRole::{NearInfrared, ShortWaveInfrared};
    let word = word.trim().to_lowercase();
    let (role, number) = match word.as_str() {
        "swir1" | "swir16" => (ShortWaveInfrared, 1),
        "swir2" | "swir22" => (ShortWaveInfrared, 2),
        "swir" => (ShortWaveInfrared, 0),
        "rededge" | "red_edge" => (BandRole::RedEdge, 0),
        "pan" => (BandRole::Panchromatic, 0),
        "thermal" | "tir" => (BandRole::ThermalInfrared, 0),
        "nir" => (NearInfrared, 0),
        "coastal" => (BandRole::Coastal, 0),
        "blue" => (BandRole::Blue, 0),
        "green" => (BandRole::Green, 0),
        "yellow" => (BandRole::Yellow, 0),
        "red" => (BandRole::Red, 0),
        _ => return Vec::new(),
    };
    let all: Vec<usize> = (0..bands.len())
        .filter(|&at| bands[at].role == Some(role))
        .collect();
    let which = |at: usize| -> u8 {
        let name = bands[at].undated_name().to_lowercase();
        let last = name
            .rsplit(|one: char| !one.is_alphanumeric())
            .next()
            .unwrap_or_default();
        let code = last
            .trim_start_matches(|one: char| one.is_alphabetic())
            .trim_start_matches('0');
        let is_code = last
            .strip_prefix('b')
            .is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_digit()));
        match (role, is_code, code) {
            // Sentinel-2 and Landsat 8 and 9, whose numbers do not meet; band 5 is that of Landsat 4 to 7.
            (ShortWaveInfrared, true, "11" | "6" | "5")
            | (ShortWaveInfrared, false, "1" | "16") => 1,
            (ShortWaveInfrared, true, "12" | "7") | (ShortWaveInfrared, false, "2" | "22") => 2,
            (NearInfrared, true, "8") | (NearInfrared, false, "" | "1" | "08") => 3,
            _ => 0,
        }
    };
    match (role, number) {
        (ShortWaveInfrared, 1 | 2) => {
            // A band of unknown wavelength is not guessed.
            all.into_iter().filter(|&at| which(at) == number).collect()
        }
        (NearInfrared, _) if all.len() > 1 => {
            let broad: Vec<usize> = all.iter().copied().filter(|&at| which(at) == 3).collect();
            if broad.len() == 1 { broad } else { all }
        }
        _ => all,
    }
}

/// Names that a slip of one or two letters makes of a word.
pub(super) fn near(word: &str, names: &[String]) -> Vec<String> {
    let word = word.to_lowercase();
    let allowed = if word.chars().count() < 5 { 1 } else { 2 };
    let is = |name: &&String| {
        let name = name.to_lowercase();
        let first = name.split(" (").next().unwrap_or_default();
        osa_distance(&word, first) <= allowed
            || roles::of_words(&word).is_some_and(|role| {
                name.ends_with(&format!("({})", format!("{role:?}").to_lowercase()))
            })
    };
    names.iter().filter(is).take(4).cloned().collect()
}

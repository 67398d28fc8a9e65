//! What a band shows: from its color interpretation, its wavelength or its name. Conservative: where a name means
//! different things in different products, nothing is said.

use super::{Band, BandRole};

/// What GDAL's color interpretation of a band says; numbers, since those from 17 on are of GDAL 3.10 and later.
pub(super) fn of_interpretation(interpretation: u32) -> Option<BandRole> {
    Some(match interpretation {
        1 => BandRole::Gray,
        3 => BandRole::Red,
        4 => BandRole::Green,
        5 => BandRole::Blue,
        10 | 13 => return None, // cyan and black of CMYK
        17 => BandRole::Panchromatic,
        18 => BandRole::Coastal,
        19 => BandRole::RedEdge,
        20 => BandRole::NearInfrared,
        21 => BandRole::ShortWaveInfrared,
        24 => BandRole::ThermalInfrared,
        _ => return None,
    })
}

/// What light of a wavelength is called.
///
/// # Units
/// Micrometers.
///
/// # Source
/// The common names of STAC's `eo` extension; gaps between them say nothing.
pub(super) fn of_wavelength(micrometers: f64) -> Option<BandRole> {
    Some(match micrometers {
        w if (0.40..0.455).contains(&w) => BandRole::Coastal,
        w if (0.455..0.53).contains(&w) => BandRole::Blue,
        w if (0.53..0.58).contains(&w) => BandRole::Green,
        w if (0.585..0.625).contains(&w) => BandRole::Yellow,
        w if (0.625..0.69).contains(&w) => BandRole::Red,
        w if (0.69..0.79).contains(&w) => BandRole::RedEdge,
        w if (0.79..1.0).contains(&w) => BandRole::NearInfrared,
        w if (1.5..1.75).contains(&w) || (2.0..2.4).contains(&w) => BandRole::ShortWaveInfrared,
        w if (8.0..13.0).contains(&w) => BandRole::ThermalInfrared,
        _ => return None,
    })
}

/// What the words of a name say, such as `Band 4 (Red)`, `nir` or `B8A, central wavelength 865 nm`.
pub(super) fn of_words(name: &str) -> Option<BandRole> {
    let name = name.trim().to_lowercase();
    if let Some(wavelength) = wavelength_in(&name) {
        return of_wavelength(wavelength);
    }
    let words: Vec<&str> = name
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let joined = words.join(" ");
    let has = |wanted: &[&str]| {
        wanted
            .iter()
            .any(|wanted| format!(" {joined} ").contains(&format!(" {wanted} ")))
    };
    // Two colors in one name are a relation between them, such as an index or a mask.
    let all: [(BandRole, bool); 10] = [
        (
            BandRole::RedEdge,
            has(&[
                "red edge",
                "rededge",
                "edge",
                "rededge1",
                "rededge2",
                "rededge3",
                "vre",
                "red edge 1",
                "red edge 2",
                "red edge 3",
            ]),
        ),
        (
            BandRole::Coastal,
            has(&[
                "coastal",
                "coastal blue",
                "coastal aerosol",
                "ultra blue",
                "deep blue",
            ]),
        ),
        (
            BandRole::NearInfrared,
            has(&[
                "nir",
                "near infrared",
                "near infra red",
                "nearinfrared",
                "near ir",
                "nir1",
                "nir2",
                "nir08",
                "nir09",
                "vnir",
                "infrared",
                "ir",
            ]),
        ),
        (
            BandRole::ShortWaveInfrared,
            has(&[
                "swir",
                "swir1",
                "swir2",
                "swir16",
                "swir22",
                "swir 1",
                "swir 2",
                "shortwave infrared",
                "short wave infrared",
                "shortwave ir",
            ]),
        ),
        (
            BandRole::ThermalInfrared,
            has(&[
                "thermal",
                "tir",
                "tirs",
                "tir1",
                "tir2",
                "lwir",
                "lwir11",
                "thermal infrared",
            ]),
        ),
        (BandRole::Panchromatic, has(&["pan", "panchromatic"])),
        (BandRole::Yellow, has(&["yellow"])),
        (BandRole::Blue, has(&["blue"])),
        (BandRole::Green, has(&["green"])),
        (
            BandRole::Red,
            has(&["red", "r"]) && (joined != "r" || words.len() == 1),
        ),
    ];
    let found: Vec<BandRole> = all
        .iter()
        .filter(|(_, here)| *here)
        .map(|(role, _)| *role)
        .collect();
    let named = |role| found.contains(&role);
    match found.as_slice() {
        [one] => single(&joined, *one),
        [_, _] if named(BandRole::RedEdge) && named(BandRole::Red) => Some(BandRole::RedEdge),
        [_, _] if named(BandRole::Coastal) && named(BandRole::Blue) => Some(BandRole::Coastal),
        [_, _]
            if named(BandRole::NearInfrared)
                && (named(BandRole::ShortWaveInfrared) || named(BandRole::ThermalInfrared)) =>
        {
            found
                .into_iter()
                .find(|role| *role != BandRole::NearInfrared)
        }
        _ => match joined.as_str() {
            "g" => Some(BandRole::Green),
            "b" => Some(BandRole::Blue),
            "gray" | "grey" => Some(BandRole::Gray),
            "re" | "re1" | "re2" | "re3" => Some(BandRole::RedEdge),
            "n" => Some(BandRole::NearInfrared),
            _ => None,
        },
    }
}

/// Names of derived layers hold colors that they are not.
fn single(joined: &str, role: BandRole) -> Option<BandRole> {
    const DERIVED: [&str; 12] = [
        "index",
        "ratio",
        "mask",
        "qa",
        "angle",
        "std",
        "stddev",
        "uncertainty",
        "difference",
        "ndvi",
        "ndwi",
        "area",
    ];
    let derived = joined.split(' ').any(|word| DERIVED.contains(&word));
    (!derived).then_some(role)
}

/// The wavelength in a name such as `central wavelength 665 nm` or `(0.665 um)`, in micrometers.
fn wavelength_in(name: &str) -> Option<f64> {
    let mut words = name
        .split(|letter: char| letter.is_whitespace() || "(),;:=[]/".contains(letter))
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        let digits =
            word.trim_end_matches(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let unit = word[digits.len()..].to_owned();
        let unit = match (unit.is_empty(), words.peek()) {
            (true, Some(next)) => (*next).to_owned(),
            _ => unit,
        };
        if let Ok(value) = digits.parse::<f64>()
            && let Some(scale) = micrometers(&unit)
        {
            return Some(value * scale);
        }
    }
    None
}

/// What a unit of wavelength is in micrometers.
pub(super) fn micrometers(unit: &str) -> Option<f64> {
    match unit.trim().to_lowercase().as_str() {
        "nm" | "nanometers" | "nanometer" | "nanometres" | "nanometre" => Some(1e-3),
        "um" | "µm" | "μm" | "micrometers" | "micrometer" | "micrometres" | "micrometre"
        | "microns" | "micron" => Some(1.0),
        _ => None,
    }
}

/// Fills the roles of bands that are called after their numbers in a product, such as `B02` or `SR_B4`, where the names of
/// all bands or what the file says of its satellite leave no doubt.
///
/// # Source
/// ESA's Sentinel-2 bands (two digits, or with a `B08` or `B8A` among them); USGS's Landsat 4 to 7 and 8 to 9.
pub(super) fn of_products(bands: &mut [Band], platform: &str) {
    let code = |name: &str| -> Option<String> {
        let name = name.trim().to_uppercase();
        let name = name
            .rsplit(|letter: char| !letter.is_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_owned();
        let rest = name.strip_prefix('B')?;
        let digits = rest.strip_suffix('A').unwrap_or(rest);
        (!digits.is_empty() && digits.len() <= 2 && digits.chars().all(|c| c.is_ascii_digit()))
            .then(|| rest.to_owned())
    };
    let codes: Vec<Option<String>> = bands.iter().map(|band| code(&band.name)).collect();
    let any = |wanted: &[&str]| {
        codes
            .iter()
            .flatten()
            .any(|code| wanted.contains(&code.as_str()))
    };
    let platform = platform.to_lowercase().replace(['_', '-', ' '], "");
    let said = |names: &[&str]| names.iter().any(|name| platform.contains(name));
    // Neither Landsat nor its harmonized product have a band 8 of two digits.
    let sentinel = said(&["sentinel2"]) || any(&["8A", "08"]) && !said(&["landsat"]);
    let new_landsat = said(&["landsat8", "landsat9"]);
    let old_landsat = said(&["landsat4", "landsat5", "landsat7"]);
    for (band, code) in bands.iter_mut().zip(codes) {
        let (None | Some(BandRole::Gray), Some(code)) = (band.role, code) else {
            continue;
        };
        use BandRole::{
            Blue, Coastal, Green, NearInfrared, Panchromatic, Red, RedEdge, ShortWaveInfrared,
            ThermalInfrared,
        };
        let plain = code.trim_start_matches('0');
        let role = if sentinel {
            match plain {
                "1" => Some(Coastal),
                "2" => Some(Blue),
                "3" => Some(Green),
                "4" => Some(Red),
                "5" | "6" | "7" => Some(RedEdge),
                "8" | "8A" => Some(NearInfrared),
                "11" | "12" => Some(ShortWaveInfrared),
                _ => None,
            }
        } else if new_landsat {
            match plain {
                "1" => Some(Coastal),
                "2" => Some(Blue),
                "3" => Some(Green),
                "4" => Some(Red),
                "5" => Some(NearInfrared),
                "6" | "7" => Some(ShortWaveInfrared),
                "8" => Some(Panchromatic),
                "10" | "11" => Some(ThermalInfrared),
                _ => None,
            }
        } else if old_landsat {
            match plain {
                "1" => Some(Blue),
                "2" => Some(Green),
                "3" => Some(Red),
                "4" => Some(NearInfrared),
                "5" | "7" => Some(ShortWaveInfrared),
                "6" => Some(ThermalInfrared),
                "8" => Some(Panchromatic),
                _ => None,
            }
        } else {
            // Two digits are Sentinel-2's and the harmonized product's, which agree on these.
            match code.as_str() {
                "01" => Some(Coastal),
                "02" => Some(Blue),
                "03" => Some(Green),
                "04" => Some(Red),
                _ => None,
            }
        };
        if role.is_some() {
            band.role = role;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_band_shows_or_nothing() {
        use BandRole::{
            Blue, Coastal, Green, NearInfrared, Panchromatic, Red, RedEdge, ShortWaveInfrared,
            ThermalInfrared,
        };
        for (name, role) in [
            ("Band 4 (Red)", Some(Red)),
            ("blue", Some(Blue)),
            ("GREEN", Some(Green)),
            ("nir", Some(NearInfrared)),
            ("NIR1", Some(NearInfrared)),
            ("Near Infrared", Some(NearInfrared)),
            ("red_edge", Some(RedEdge)),
            ("rededge", Some(RedEdge)),
            ("Red Edge 1", Some(RedEdge)),
            ("SWIR1", Some(ShortWaveInfrared)),
            ("Short-wave infrared 2", Some(ShortWaveInfrared)),
            ("Coastal Blue", Some(Coastal)),
            ("coastal aerosol", Some(Coastal)),
            ("pan", Some(Panchromatic)),
            ("thermal infrared", Some(ThermalInfrared)),
            ("B4, central wavelength 665 nm", Some(Red)),
            ("B8A, central wavelength 865 nm", Some(NearInfrared)),
            ("Band 1 (0.49 um)", Some(Blue)),
            ("r", Some(Red)),
            ("band 4", None),
            ("ndvi", None),
            ("NDVI (nir, red)", None),
            ("red/green ratio", None),
            ("infrared mask", None),
            ("predicted", None),
            ("VV", None),
            ("", None),
        ] {
            assert_eq!(of_words(name), role, "{name:?}");
        }
    }
}

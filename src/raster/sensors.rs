//! What the names of files say of the satellite or aircraft.

use std::path::Path;

use super::{Band, BandRole, roles};

/// What files of some products are called, in the words that [`roles::of_products`] looks for.
///
/// # Source
/// ESA's naming of Sentinel-2 products and their images (`S2A_MSIL2A_…`, `T33UUP_20220612T101559_B02_10m`), USGS's of
/// Landsat collections (`LC09_L2SP_…`), the USDA's of NAIP (`m_3807736_ne_18_060_20210607`) and Planet's of PlanetScope
/// (`…_3B_AnalyticMS_SR_8b`).
pub(super) fn platform_of(stem: &str) -> Option<&'static str> {
    let upper = stem.to_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.', ' ']).collect();
    let digits = |text: &str| !text.is_empty() && text.chars().all(|one| one.is_ascii_digit());
    let is_tile = |word: &str| {
        word.len() == 6
            && word.starts_with('T')
            && word.is_ascii()
            && digits(&word[1..3])
            && word[3..].chars().all(|one| one.is_ascii_uppercase())
    };
    let is_time = |word: &str| {
        word.len() == 15
            && word.is_ascii()
            && digits(&word[..8])
            && &word[8..9] == "T"
            && digits(&word[9..])
    };
    let first = words.first().copied().unwrap_or_default();
    if words.iter().any(|word| word.starts_with("MSIL"))
        || ["S2A", "S2B", "S2C", "S2"].contains(&first)
        || words
            .windows(2)
            .any(|two| is_tile(two[0]) && is_time(two[1]))
    {
        return Some("sentinel-2");
    }
    if first.len() == 4
        && first.is_ascii()
        && first.starts_with('L')
        && "COTEM".contains(&first[1..2])
        && first[2..3] == *"0"
    {
        return match &first[3..] {
            "4" => Some("landsat-4"),
            "5" => Some("landsat-5"),
            "7" => Some("landsat-7"),
            "8" => Some("landsat-8"),
            "9" => Some("landsat-9"),
            _ => None,
        };
    }
    if words.contains(&"ANALYTICMS") {
        return Some("planetscope");
    }
    if words.len() >= 4
        && first == "M"
        && digits(words[1])
        && words[1].len() == 7
        && ["NE", "NW", "SE", "SW"].contains(&words[2])
    {
        return Some("naip");
    }
    None
}

/// What the name of a file says of its band: `B02` of `T33UUP_20220612T101559_B02_10m`, `SR_B4` of `LC08_…_SR_B4`, `VV`.
pub(super) fn band_code(stem: &str) -> Option<String> {
    let words: Vec<&str> = stem.split(['_', '-', '.', ' ']).collect();
    let is_code = |word: &str| {
        let word = word.to_uppercase();
        let Some(rest) = word.strip_prefix('B') else {
            return false;
        };
        let digits = rest.strip_suffix('A').unwrap_or(rest);
        (1..=2).contains(&digits.len()) && digits.chars().all(|one| one.is_ascii_digit())
    };
    const OTHERS: [&str; 17] = [
        "VV", "VH", "HH", "HV", "SCL", "AOT", "WVP", "TCI", "CLD", "DEM", "NDVI", "RED", "GREEN",
        "BLUE", "NIR", "SWIR1", "SWIR2",
    ];
    let at = words.iter().rposition(|word| is_code(word)).or_else(|| {
        words
            .iter()
            .rposition(|word| OTHERS.contains(&word.to_uppercase().as_str()))
    })?;
    // A word alone is a name by itself.
    let before = at.checked_sub(1).map(|before| words[before].to_uppercase());
    match before.as_deref() {
        Some("SR" | "ST") if is_code(words[at]) => Some(format!("{}_{}", words[at - 1], words[at])),
        _ => Some(words[at].to_owned()),
    }
}

/// Fills the roles of bands without names by the file's name: of a single band by its code, of several by the order that the
/// product has.
pub(super) fn fill_roles(bands: &mut [Band], path: &Path) {
    use BandRole::{Blue, Coastal, Green, NearInfrared, Red, RedEdge, Yellow};
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let Some(platform) = platform_of(&stem) else {
        return;
    };
    let is_bare = |band: &Band| band.name == format!("band {}", band.number);
    if let [band] = &mut *bands {
        if is_bare(band)
            && let Some(code) = band_code(&stem)
        {
            let mut named = [Band {
                name: code,
                role: None,
                ..band.clone()
            }];
            roles::of_products(&mut named, platform);
            band.role = named[0].role.or(band.role);
        }
        return;
    }
    let order: &[BandRole] = match (platform, bands.len()) {
        ("planetscope", 4) => &[Blue, Green, Red, NearInfrared],
        // The first green of eight, "green I", is another one than the green of four.
        ("planetscope", 8) => &[
            Coastal,
            Blue,
            Green,
            Green,
            Yellow,
            Red,
            RedEdge,
            NearInfrared,
        ],
        ("naip", 4) => &[Red, Green, Blue, NearInfrared],
        _ => return,
    };
    for (band, &role) in bands.iter_mut().zip(order) {
        if is_bare(band) && band.role.is_none_or(|role| role == BandRole::Gray) {
            band.role = Some(role);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::DataType;

    #[test]
    fn names_tell_the_platform_and_the_band() {
        for (stem, platform, code) in [
            (
                "T33UUP_20220612T101559_B02_10m",
                Some("sentinel-2"),
                Some("B02"),
            ),
            (
                "T33UUP_20220612T101559_B8A_20m",
                Some("sentinel-2"),
                Some("B8A"),
            ),
            (
                "S2B_MSIL2A_20220612T101559_N0400_R022_T33UUP",
                Some("sentinel-2"),
                None,
            ),
            (
                "LC09_L2SP_193024_20220612_20220614_02_T1_SR_B4",
                Some("landsat-9"),
                Some("SR_B4"),
            ),
            (
                "LT05_L1TP_193024_19900612_20200101_02_T1_B3",
                Some("landsat-5"),
                Some("B3"),
            ),
            (
                "20220612_101559_0f22_3B_AnalyticMS_SR_8b",
                Some("planetscope"),
                None,
            ),
            ("m_3807736_ne_18_060_20210607", Some("naip"), None),
            ("town", None, None),
            ("s1_VV", None, Some("VV")),
            ("Bä1", None, None),
            ("", None, None),
        ] {
            assert_eq!(platform_of(stem), platform, "{stem}");
            assert_eq!(band_code(stem).as_deref(), code, "{stem}");
        }
    }

    #[test]
    fn roles_of_bare_bands_are_those_of_the_product() {
        let mut four: Vec<Band> = (1..=4).map(|at| Band::plain(at, DataType::U16)).collect();
        fill_roles(
            &mut four,
            Path::new("/a/20220612_101559_0f22_3B_AnalyticMS.tif"),
        );
        let roles: Vec<_> = four.iter().filter_map(|band| band.role).collect();
        assert_eq!(
            roles,
            [
                BandRole::Blue,
                BandRole::Green,
                BandRole::Red,
                BandRole::NearInfrared
            ]
        );
        let mut one = [Band::plain(1, DataType::U16)];
        fill_roles(&mut one, Path::new("T33UUP_20220612T101559_B11_20m.jp2"));
        assert_eq!(one[0].role, Some(BandRole::ShortWaveInfrared));
        let mut other = [Band::plain(1, DataType::U16)];
        fill_roles(&mut other, Path::new("photo_B11.jpg"));
        assert_eq!(other[0].role, None);
    }
}

//! Bands whose values are numbers of classes, or bits, beside others that are measured.

use super::Band;
use super::information::named;
use crate::report::Notice;

/// What products call such bands.
///
/// # Source
/// `SCL` of ESA's Sentinel-2 level 2A; `QA_PIXEL`, `QA_RADSAT` and `SR_QA_AEROSOL` of USGS's Landsat collection 2, `BQA` of the
/// first; `Fmask` of NASA's HLS; `QA60` of Earth Engine's Sentinel-2.
const CODES: [&str; 8] = [
    "SCL",
    "QA_PIXEL",
    "QA_RADSAT",
    "SR_QA_AEROSOL",
    "QA_AEROSOL",
    "BQA",
    "FMASK",
    "QA60",
];

/// What a notice of such bands says behind their names.
const TEXT: &str = "holds codes of classes or bits, which are no measurements: a network takes the numbers for brightness";

/// Whether a notice is one of [`say_codes`].
pub(super) fn says_codes(notice: &Notice) -> bool {
    notice.text().ends_with(TEXT)
}

/// Says which of several bands hold codes; `next` makes of their names what can be done.
pub(super) fn say_codes(bands: &[Band], next: impl Fn(&str) -> String) -> Option<Notice> {
    let mut found: Vec<&str> = bands
        .iter()
        .map(Band::undated_name)
        .filter(|name| {
            CODES
                .iter()
                .any(|code| name.trim().eq_ignore_ascii_case(code))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    let first = found.first()?;
    if found.len() == bands.len() {
        return None;
    }
    let text = format!("{} {TEXT}", named(&found));
    Some(Notice::noted(text).count(found.len()).next(next(first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::DataType;

    #[test]
    fn codes_beside_measured_bands_are_told() {
        let band = |name: &str| Band {
            name: name.to_owned(),
            ..Band::plain(1, DataType::U16)
        };
        let told = |names: &[&str]| {
            let bands: Vec<Band> = names.iter().map(|name| band(name)).collect();
            say_codes(&bands, |name| format!("leave {name} out")).map(|notice| notice.to_string())
        };
        let notice = told(&["B04", "scl"]).unwrap_or_default();
        assert!(
            notice.contains("scl holds codes") && notice.contains("leave scl out"),
            "{notice}"
        );
        assert_eq!(told(&["SCL"]), None, "a mask or labels by itself");
        assert_eq!(told(&["B04", "B08"]), None);
    }
}

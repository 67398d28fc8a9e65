//! How the bands of a label raster are read, by what the user says they are and by what the file holds.

use crate::Result;
use crate::labels::{
    LabelError, LabelValues, Meaning, NumberKind, Tally, ValueCounts, suggest_colors, unpacked,
};
use crate::raster::{LabelFile, PixelWindow, Reading};
use crate::report::{Notice, Report, file_name};

/// Bands whose values an error lists.
const LISTED_BANDS: usize = 4;

/// Chooses how to read the file and counts the numbers in the window.
///
/// # Errors
/// [`LabelError::Bands`], [`LabelError::OtherBands`], [`LabelError::NoColors`] when the bands are not what was named.
pub(super) fn reading(
    file: &LabelFile,
    values: &LabelValues,
    window: &PixelWindow,
    report: &mut Report,
) -> Result<(Reading, ValueCounts)> {
    let bands = file.plain_bands();
    let path = || file.raster.path().to_owned();
    let about = file_name(file.raster.path());
    let counted = |reading: Reading| {
        let counts = file.count(&reading, window)?;
        Ok((reading, counts))
    };
    if let Meaning::Bands(names) = &values.meaning {
        if names.len() == bands.len() {
            return counted(Reading::OneHot(bands));
        }
        if names.len() == file.bands.len() {
            report.push(
                Notice::assumed(
                    "a band that the file marks as transparency (alpha) is taken for that of a class",
                )
                .about(about)
                .count(1),
            );
            return counted(Reading::OneHot((0..names.len()).collect()));
        }
        return Err(LabelError::OtherBands {
            path: path(),
            named: names.len(),
            classes: names.clone(),
            found: file.bands.len(),
            names: file.band_names(),
        }
        .into());
    }
    match bands[..] {
        [_] if values.are_colors() && file.palette.is_empty() => Err(LabelError::NoColors {
            path: path(),
            found: 1,
        }
        .into()),
        [band] if values.are_colors() => counted(Reading::Palette(band)),
        [band] => counted(Reading::Band(band)),
        [red, green, blue] => {
            let color = Reading::Color([red, green, blue]);
            let counts = file.count(&color, window)?;
            if values.are_colors() {
                return Ok((color, counts));
            }
            if let Some(gray) = as_gray(&counts) {
                report.push(
                    Notice::converted("three bands of equal values are read as one")
                        .about(about)
                        .count(3),
                );
                return Ok((Reading::Band(red), gray));
            }
            if matches!(values.meaning, Meaning::Binary(_)) {
                return Ok((color, counts));
            }
            let counted = format!("its colors are {}", counts.listed(NumberKind::Color));
            Err(several(file, &bands, counted, &suggest_colors(&counts.values)).into())
        }
        _ if values.are_colors() => Err(LabelError::NoColors {
            path: path(),
            found: bands.len(),
        }
        .into()),
        _ => {
            let listed: Vec<String> = bands
                .iter()
                .take(LISTED_BANDS)
                .map(|&band| {
                    let counts = file.count(&Reading::Band(band), window)?;
                    let name = &file.bands[band].name;
                    Ok(format!("{name}: {}", counts.listed(NumberKind::Value)))
                })
                .collect::<Result<_>>()?;
            Err(several(file, &bands, listed.join("; "), "").into())
        }
    }
}

/// The counts of gray colors as those of one band; `None` when a color is not gray.
fn as_gray(counts: &ValueCounts) -> Option<ValueCounts> {
    let mut tally = Tally::default();
    for &(value, pixels) in &counts.values {
        let [red, green, blue] = unpacked(value);
        if red != green || green != blue {
            return None;
        }
        tally.count(f64::from(red), pixels);
    }
    // Of more colors than are counted some may be anything.
    (counts.more == 0 && !counts.values.is_empty()).then(|| {
        tally.count(f64::NAN, counts.no_data);
        tally.finish(counts.one_of)
    })
}

fn several(file: &LabelFile, bands: &[usize], counts: String, colors: &str) -> LabelError {
    let classes: Vec<String> = (1..=bands.len().min(12))
        .map(|band| format!("\"CLASS OF BAND {band}\""))
        .collect();
    let one_hot = format!("LabelValues::bands([{}])", classes.join(", "));
    let suggestion = if colors.is_empty() {
        format!("if each band is the mask of one class: `.with_label_raster(FILE, {one_hot})`")
    } else {
        format!(
            "if classes were painted in colors: `.with_label_raster(FILE, {colors})`; if each band is the mask of one class: \
             `{one_hot}`"
        )
    };
    LabelError::Bands {
        path: file.raster.path().to_owned(),
        found: file.bands.len(),
        names: file.band_names(),
        counts,
        suggestion: suggestion.into(),
    }
}

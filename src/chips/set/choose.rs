//! What the files of a set are: their type, their nodata value, their names.

use super::options::Container;
use super::{ChipSetError, ChipSetOptions, png};
use crate::Result;
use crate::chips::Chips;
use crate::labels::CellRule;
use crate::raster::{Band, DataType, GeoTransform, Raster, RasterType};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::scenes::Scenes;

/// The type of the files: that of the scenes, or 32-bit floats for values that no scene stores.
pub(super) fn raster_type(
    chips: &Chips,
    options: &ChipSetOptions,
    report: &mut Report,
) -> Result<RasterType> {
    let scenes = chips.scenes();
    let bands = scenes.iter().flat_map(|scene| scene.raster().bands());
    let stored = bands
        .map(|band: &Band| band.data_type)
        .reduce(DataType::union)
        .unwrap_or(DataType::F32);
    let whole = match stored {
        DataType::U8 => Some(RasterType::U8),
        DataType::U16 => Some(RasterType::U16),
        DataType::I8 | DataType::I16 => Some(RasterType::I16),
        _ => None,
    };
    let count = scenes.band_count();
    if options.container == Container::Png {
        return match whole {
            Some(raster_type @ (RasterType::U8 | RasterType::U16)) if png::holds(count) => {
                Ok(raster_type)
            }
            _ => Err(ChipSetError::NoPng {
                path: scenes.first().raster().path().to_owned(),
                bands: count,
                data_type: stored.to_string(),
            }
            .into()),
        };
    }
    let changed = match options.epoch {
        Some(_) => {
            let own = chips.options();
            own.photometric > 0.0 || !own.augment.is_none()
        }
        None => false,
    };
    match whole {
        Some(raster_type) if !changed && !chips.are_resized() => Ok(raster_type),
        Some(_) => {
            let why = if changed {
                "changed at random"
            } else {
                "resized from their windows"
            };
            let text = format!(
                "chips are {why}: their values are 32-bit floats, those of the scenes {stored}"
            );
            report.push(Notice::converted(text));
            Ok(RasterType::F32)
        }
        None => {
            if !stored.fits_f32() {
                let text = format!(
                    "values are 32-bit floats, as a network takes them; the scenes store {stored}"
                );
                report.push(Notice::converted(text));
            }
            Ok(RasterType::F32)
        }
    }
}

/// The value that stands for "no data" in every band of every scene, where the file's type holds it.
pub(super) fn common_nodata<'a>(
    rasters: impl Iterator<Item = &'a Raster>,
    raster_type: RasterType,
) -> Option<f32> {
    let mut values = rasters.flat_map(Raster::bands).map(|band| band.nodata);
    let first = values.next()??;
    let same = |value: Option<f64>| value.is_some_and(|value| value.to_bits() == first.to_bits());
    if !values.all(same) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked on the next line")]
    let single = first as f32;
    let exact = first.is_nan() || f64::from(single).to_bits() == first.to_bits();
    let within = |low: f64, high: f64| (low..=high).contains(&first) && first.fract() == 0.0;
    let fits = match raster_type {
        RasterType::F16 | RasterType::F32 => true,
        RasterType::U8 => within(0.0, 255.0),
        RasterType::U16 => within(0.0, 65_535.0),
        RasterType::I16 => within(-32_768.0, 32_767.0),
    };
    (exact && fits).then_some(single)
}

/// How chips get their classes, where every scene has the same rule for that.
pub(super) fn cell_rule(scenes: &Scenes, report: &mut Report) -> Option<CellRule> {
    let mut rules = scenes.iter().map(Scene::cells);
    let first = rules.next().flatten();
    if rules.all(|rule| rule == first) {
        return first.cloned();
    }
    let text = "the scenes have several rules for the classes of chips: the chips are saved without classes";
    let next = "`scenes.with_cells(rule)` gives all scenes one rule; or save their chips as one split each";
    report.push(Notice::left_out(text).next(next));
    None
}

/// Left, bottom, right, top of a square of `edge` pixels.
pub(super) fn bounds(transform: &GeoTransform, edge: usize) -> [f64; 4] {
    let edge = edge as f64;
    let corners = [(0.0, 0.0), (edge, 0.0), (0.0, edge), (edge, edge)]
        .map(|pixel| transform.world_from_pixel(pixel));
    let fold = |pick: fn(f64, f64) -> f64, of: fn(&(f64, f64)) -> f64, start: f64| {
        corners.iter().map(of).fold(start, pick)
    };
    [
        fold(f64::min, |corner| corner.0, f64::INFINITY),
        fold(f64::min, |corner| corner.1, f64::INFINITY),
        fold(f64::max, |corner| corner.0, f64::NEG_INFINITY),
        fold(f64::max, |corner| corner.1, f64::NEG_INFINITY),
    ]
}

/// A scene's name as part of a file's.
pub(super) fn safe(name: &str) -> String {
    let mut safe: String = name
        .chars()
        .map(|letter| {
            if letter.is_alphanumeric() || letter == '-' {
                letter
            } else {
                '_'
            }
        })
        .collect();
    // File systems take 255 bytes.
    while safe.len() > 120 {
        safe.pop();
    }
    safe
}

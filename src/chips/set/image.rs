//! One chip as files: its imagery and its mask.

use std::path::Path;

use super::lists;
use super::options::Container;
use super::png::{self, Samples};
use crate::Result;
use crate::chips::Chip;
use crate::labels::{Classes, IGNORE};
use crate::raster::{
    Band, DataType, GeoTransform, PixelWindow, RasterError, RasterType, RasterWriter, WriterOptions,
};

/// How all chips of a set are written.
pub(super) struct Writing<'a> {
    pub(super) container: Container,
    pub(super) raster_type: RasterType,
    pub(super) bands: &'a [Band],
    /// The value that stands for "no data" in the scenes, where all have the same.
    pub(super) nodata: Option<f32>,
    pub(super) classes: &'a Classes,
    pub(super) names: &'a [String],
    pub(super) plain_masks: bool,
}

/// Where a chip lies on the ground; nothing for one that has no place.
pub(super) struct Place<'a> {
    pub(super) transform: GeoTransform,
    pub(super) crs_wkt: &'a str,
}

/// What did not become as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Values that the type of the file does not hold exactly.
    pub(super) rounded: u64,
    /// Invalid pixels that the file does not mark.
    pub(super) unmarked: u64,
    /// Whether a mask inside the file says which pixels are valid, since no nodata value does.
    pub(super) masked: bool,
}

impl Told {
    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            rounded: self.rounded + other.rounded,
            unmarked: self.unmarked + other.unmarked,
            masked: self.masked || other.masked,
        }
    }
}

impl Writing<'_> {
    /// The type that the files have.
    pub(super) const fn data_type(&self) -> DataType {
        match self.raster_type {
            RasterType::U8 => DataType::U8,
            RasterType::U16 => DataType::U16,
            RasterType::I16 => DataType::I16,
            RasterType::F16 | RasterType::F32 => DataType::F32,
        }
    }

    /// Writes the imagery.
    pub(super) fn image(&self, chip: &Chip, place: &Place<'_>, path: &Path) -> Result<Told> {
        let mut told = Told {
            rounded: self.rounded(&chip.patch.data),
            ..Told::default()
        };
        let invalid = chip.patch.valid.iter().filter(|&&valid| valid == 0).count() as u64;
        match self.container {
            Container::GeoTiff => told.masked = self.geotiff(chip, place, path, invalid > 0)?,
            Container::Png => {
                told.unmarked = invalid;
                self.png(chip, path)?;
            }
        }
        Ok(told)
    }

    /// Values that the file's type changes.
    fn rounded(&self, values: &[f32]) -> u64 {
        let (low, high) = match self.raster_type {
            RasterType::F16 | RasterType::F32 => return 0,
            RasterType::U8 => (0.0, 255.0),
            RasterType::U16 => (0.0, 65_535.0),
            RasterType::I16 => (-32_768.0, 32_767.0),
        };
        let kept = |value: f32| value.fract() == 0.0 && (low..=high).contains(&value);
        values.iter().filter(|&&value| !kept(value)).count() as u64
    }

    /// Whether pixels were marked by a mask.
    fn geotiff(&self, chip: &Chip, place: &Place<'_>, path: &Path, invalid: bool) -> Result<bool> {
        let patch = &chip.patch;
        let nodata = self.nodata.filter(|&nodata| self.is_told_by(chip, nodata));
        let mut options = WriterOptions::default()
            .plain_tiles()
            .in_staging()
            .for_bands(self.bands);
        if let Some(nodata) = nodata {
            options = options.nodata(f64::from(nodata));
        }
        let mut writer = RasterWriter::create(
            path,
            patch.size,
            patch.bands,
            self.raster_type,
            place.transform,
            place.crs_wkt,
            options,
        )?;
        let window = PixelWindow::full(patch.size);
        match nodata.filter(|_| invalid) {
            None => writer.write_window(&window, &patch.data)?,
            Some(nodata) => {
                let mut data = patch.data.clone();
                for plane in data.chunks_exact_mut(patch.size.area().max(1)) {
                    let pixels = plane.iter_mut().zip(&patch.valid);
                    pixels.for_each(|(value, &valid)| {
                        *value = if valid == 0 { nodata } else { *value }
                    });
                }
                writer.write_window(&window, &data)?;
            }
        }
        let masked = invalid && nodata.is_none();
        if masked {
            writer.write_mask(&patch.valid)?;
        }
        writer.finish()?;
        Ok(masked)
    }

    /// Whether reading the chip with this nodata value gives the pixels that are valid, no more and no less
    /// ([`crate::raster::Raster::read`] has the rules).
    fn is_told_by(&self, chip: &Chip, nodata: f32) -> bool {
        let patch = &chip.patch;
        let area = patch.size.area();
        let is_float = self.raster_type == RasterType::F32;
        let same = |value: f32| value.to_bits() == nodata.to_bits() || value == nodata;
        (0..area)
            .filter(|&pixel| patch.valid[pixel] != 0)
            .all(|pixel| {
                let mut values = (0..patch.bands).map(|band| patch.data[band * area + pixel]);
                match is_float {
                    true => !values.any(same),
                    // A negative mark in one band alone is read as 0, which it is in the patch already.
                    false => !values.all(same),
                }
            })
    }

    fn png(&self, chip: &Chip, path: &Path) -> Result<()> {
        let patch = &chip.patch;
        let (area, bands) = (patch.size.area(), patch.bands);
        let pixels =
            (0..area).flat_map(|pixel| (0..bands).map(move |band| patch.data[band * area + pixel]));
        // Rust's casts clamp.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "meant, and counted"
        )]
        match self.raster_type {
            RasterType::U8 => {
                let values: Vec<u8> = pixels.map(|value| value.round() as u8).collect();
                write_png(path, patch.size.width, bands, &Samples::Bytes(&values))
            }
            _ => {
                let values: Vec<u16> = pixels.map(|value| value.round() as u16).collect();
                write_png(path, patch.size.width, bands, &Samples::Words(&values))
            }
        }
    }

    /// Writes the labels.
    pub(super) fn mask(&self, chip: &Chip, place: &Place<'_>, path: &Path) -> Result<()> {
        let colors = self.classes.colors();
        let colors = (!self.plain_masks).then_some(colors.as_slice());
        let size = chip.patch.size;
        match self.container {
            Container::Png => {
                let samples = Samples::Classes(&chip.labels, self.names, colors);
                write_png(path, size.width, 1, &samples)
            }
            Container::GeoTiff => {
                let options = WriterOptions::default()
                    .plain_tiles()
                    .in_staging()
                    .nodata(f64::from(IGNORE))
                    .category_names(self.names)
                    .color_table(colors.unwrap_or_default())
                    .band_names(&["class"]);
                let mut writer = RasterWriter::create(
                    path,
                    size,
                    1,
                    RasterType::U8,
                    place.transform,
                    place.crs_wkt,
                    options,
                )?;
                writer.write_window(&PixelWindow::full(size), &chip.labels)?;
                writer.finish()?;
                Ok(())
            }
        }
    }
}

fn write_png(path: &Path, edge: usize, bands: usize, samples: &Samples<'_>) -> Result<()> {
    let failed = |detail: String| RasterError::Write {
        path: path.to_owned(),
        detail,
    };
    let bytes = png::encode(edge, bands, samples).map_err(|error| failed(error.to_string()))?;
    lists::write(path, &bytes)
}

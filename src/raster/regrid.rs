//! Another pixel size without GDAL, for rasters whose values or validity GDAL's own resampling would mix.

use gdal_sys::GDALRIOResampleAlg;

use super::by_band::ByBand;
use super::read::target_of;
use super::{PixelWindow, Raster, Size};
use crate::{Result, session};

/// Which pixels of a line make one of another grid, and how much each counts.
struct Taps {
    first: usize,
    weights: Vec<f64>,
}

/// # Source
/// GDAL's `bilinear` where pixels become smaller (the edge repeated) and `average` where they become larger (each pixel by
/// the share of it that falls into the new one).
fn taps(at: usize, small: usize, full: usize, finer: bool) -> Taps {
    let step = full as f64 / small as f64;
    if finer {
        let center = ((at as f64 + 0.5) * step - 0.5).clamp(0.0, full as f64 - 1.0);
        let first = (center.floor() as usize).min(full - 1);
        let share = center - first as f64;
        let weights = match share > 0.0 && first + 1 < full {
            true => vec![1.0 - share, share],
            false => vec![1.0],
        };
        return Taps { first, weights };
    }
    let (start, end) = (at as f64 * step, ((at + 1) as f64 * step).min(full as f64));
    let first = (start.floor() as usize).min(full - 1);
    let last = ((end - 1e-9).floor() as usize).clamp(first, full - 1);
    let weights = (first..=last)
        .map(|pixel| (end.min((pixel + 1) as f64) - start.max(pixel as f64)).max(1e-12))
        .collect();
    Taps { first, weights }
}

impl Raster {
    /// Reads from the raster that this one is another pixel size of.
    pub(super) fn read_regridded(
        &self,
        base: &Self,
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
        let bands = self.band_count();
        let mut all = ByBand::nothing(size, bands);
        let Some(inside) = self.full().intersect(window) else {
            return Ok(all);
        };
        let Some(target) = target_of(window, &inside, size) else {
            return Ok(all);
        };
        let (own, from) = (self.size(), base.size());
        let finer = own.area() >= from.area();
        if target.size() != inside.size() {
            // A picture: straight from the pixels of the file.
            let edge = |at: i64, small: usize, full: usize| {
                (at as f64 * full as f64 / small as f64).round() as i64
            };
            let (left, right) = (
                edge(inside.col, own.width, from.width),
                edge(inside.right(), own.width, from.width),
            );
            let (top, bottom) = (
                edge(inside.row, own.height, from.height),
                edge(inside.bottom(), own.height, from.height),
            );
            let (width, height) = ((right - left).max(1), (bottom - top).max(1));
            let source = PixelWindow::new(
                left.min(from.width as i64 - 1),
                top.min(from.height as i64 - 1),
                width as usize,
                height as usize,
            );
            let nearest = target.width >= source.width && target.height >= source.height;
            let algorithm = match nearest {
                true => GDALRIOResampleAlg::GRIORA_NearestNeighbour,
                false => algorithm,
            };
            let read = base.read_by_band(&source, target.size(), algorithm)?;
            for row in 0..target.height {
                let to = (target.row as usize + row) * size.width + target.col as usize;
                let part = row * target.width..(row + 1) * target.width;
                all.base[to..to + target.width].copy_from_slice(&read.base[part.clone()]);
                for band in 0..bands {
                    let start = band * size.area() + to;
                    all.data[start..start + target.width]
                        .copy_from_slice(&read.band(band)[part.clone()]);
                    if let Some(present) = &read.present[band] {
                        all.present[band].get_or_insert_with(|| vec![1; size.area()])
                            [to..to + target.width]
                            .copy_from_slice(&present[part.clone()]);
                    }
                }
            }
            return Ok(all);
        }
        let columns: Vec<Taps> = (inside.col..inside.right())
            .map(|col| taps(col as usize, own.width, from.width, finer))
            .collect();
        let rows: Vec<Taps> = (inside.row..inside.bottom())
            .map(|row| taps(row as usize, own.height, from.height, finer))
            .collect();
        let left = columns.first().map_or(0, |taps| taps.first);
        let right = columns
            .last()
            .map_or(0, |taps| taps.first + taps.weights.len());
        let wide = right - left;
        let mut next = 0;
        while next < rows.len() {
            session::check_interrupt("reading imagery")?;
            let top = rows[next].first;
            let most = (super::statistics::CHUNK_VALUES / (wide * bands).max(1)).max(1);
            let end_of = |row: &Taps| row.first + row.weights.len();
            let mut end = next + 1;
            while end < rows.len() && end_of(&rows[end]) - top <= most {
                end += 1;
            }
            let source =
                PixelWindow::new(left as i64, top as i64, wide, end_of(&rows[end - 1]) - top);
            let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
            let read = base.read_by_band(&source, source.size(), nearest)?;
            for (band, about) in self.bands().iter().enumerate() {
                let (values, valid) = (read.band(band), read.valid(band));
                for (row, down) in rows[next..end].iter().enumerate() {
                    let to = (target.row as usize + next + row) * size.width + target.col as usize;
                    for (col, across) in columns.iter().enumerate() {
                        let (mut sum, mut weight, mut inside) = (0.0, 0.0, 0u8);
                        for (y, wy) in down.weights.iter().enumerate() {
                            let line = (down.first + y - top) * wide + across.first - left;
                            for (x, wx) in across.weights.iter().enumerate() {
                                inside |= read.base[line + x];
                                if valid[line + x] != 0 {
                                    sum += wx * wy * f64::from(values[line + x]);
                                    weight += wx * wy;
                                }
                            }
                        }
                        let at = to + col;
                        all.base[at] |= inside;
                        if weight > 0.0 {
                            let mean = sum / weight;
                            // As GDAL does, so that counts by value stay those of whole numbers.
                            let mean = match about.data_type.is_float() {
                                true => mean,
                                false => mean.round(),
                            };
                            all.data[band * size.area() + at] = mean as f32;
                        } else {
                            all.present[band].get_or_insert_with(|| vec![1; size.area()])[at] = 0;
                        }
                    }
                }
            }
            next = end;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_those_of_bilinear_and_of_shares() {
        let of = |at, small, full, finer| {
            let Taps { first, weights } = taps(at, small, full, finer);
            (first, weights)
        };
        assert_eq!(of(0, 8, 4, true), (0, vec![1.0]));
        assert_eq!(of(1, 8, 4, true), (0, vec![0.75, 0.25]));
        assert_eq!(of(7, 8, 4, true), (3, vec![1.0]));
        assert_eq!(of(1, 2, 4, false), (2, vec![1.0, 1.0]));
        assert_eq!(of(0, 2, 3, false), (0, vec![1.0, 0.5]));
        assert_eq!(of(1, 2, 3, false), (1, vec![0.5, 1.0]));
    }
}

//! Pixels of one raster on the grid of another.

use std::borrow::Cow;

use gdal_sys::GDALRIOResampleAlg;
use swath_cpu::regrid::{self, Taps};

use super::by_band::ByBand;
use super::{PixelMap, PixelWindow, Raster, Size};
use crate::{Result, session};

/// How values come from one grid to another; never a mixture of valid pixels and invalid ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resampling {
    /// The average where a new pixel covers two or more, bilinear otherwise, and the nearest pixel for numbers of colors and
    /// classes.
    #[default]
    Auto,
    /// The pixel that the center of the new one lies in, the one to the lower right of a corner or an edge that it lies on:
    /// for values that are names.
    Nearest,
    /// The four pixels around the center, weighted by how near they are; none where the pixel under the center has none.
    Bilinear,
    /// All pixels that the new one covers, weighted by how much of each.
    Average,
}

impl Resampling {
    /// `bilinear`, `average`, `nearest`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Auto => "by size",
            Self::Nearest => "the nearest pixel",
            Self::Bilinear => "bilinear",
            Self::Average => "the average",
        }
    }
}

/// The sides of the parts of a window that are resampled at a time, in pixels.
const SIDE: usize = 256;
/// Values of the source that are read for one part.
const MOST_VALUES: f64 = (1 << 23) as f64;
/// From this many pixels of the source on a new one is their average.
const AVERAGED: f64 = 2.0;

/// The way from the pixels of a grid to those of a raster, with how values are taken.
#[derive(Clone, Debug)]
pub(super) struct Warp {
    /// From the grid to the raster.
    map: PixelMap,
    /// Never [`Resampling::Auto`].
    method: Resampling,
}

/// How far the place in the raster moves with one column and one row of the grid.
#[derive(Clone, Copy)]
struct Step {
    col: (f64, f64),
    row: (f64, f64),
}

impl Step {
    fn at(
        map: &PixelMap,
        (col, row): (f64, f64),
        (wide, high): (f64, f64),
    ) -> Result<Option<Self>> {
        let places = map.points(&[(col, row), (col + wide, row), (col, row + high)])?;
        let [origin, right, below] = places.as_slice() else {
            return Ok(None);
        };
        let step = Self {
            col: (right.0 - origin.0, right.1 - origin.1),
            row: (below.0 - origin.0, below.1 - origin.1),
        };
        let all = [step.col.0, step.col.1, step.row.0, step.row.1];
        Ok(all.iter().all(|value| value.is_finite()).then_some(step))
    }

    /// Pixels of the raster that one of the grid covers.
    fn area(self) -> f64 {
        (self.col.0 * self.row.1 - self.col.1 * self.row.0).abs()
    }

    /// Width and height of what a pixel of the grid covers.
    fn reach(self) -> (f64, f64) {
        (
            self.col.0.abs() + self.row.0.abs(),
            self.col.1.abs() + self.row.1.abs(),
        )
    }
}

impl Warp {
    /// `middle` is a place on the grid where the raster lies.
    pub(super) fn new(map: PixelMap, wanted: Resampling, middle: (f64, f64)) -> Result<Self> {
        let method = match wanted {
            Resampling::Auto => match Step::at(&map, middle, (1.0, 1.0))? {
                Some(step) if step.area() >= AVERAGED * (1.0 - 1e-6) => Resampling::Average,
                _ => Resampling::Bilinear,
            },
            other => other,
        };
        Ok(Self { map, method })
    }

    pub(super) fn method(&self) -> Resampling {
        self.method
    }

    pub(super) fn key(&self) -> String {
        format!("{:?} {:?}", self.method, self.map.key())
    }

    /// Reads a window of the grid from the raster.
    ///
    /// # Source
    /// GDAL's `bilinear` without enlarging and `average` (each pixel by the share of it that is covered), of valid pixels
    /// alone, band by band. Where pixels become larger than the grid's, as in a picture, the raster's own averages are
    /// taken first.
    pub(super) fn read(
        &self,
        base: &Raster,
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
        let mut all = ByBand::nothing(size, base.band_count());
        let scale = (
            window.width as f64 / size.width as f64,
            window.height as f64 / size.height as f64,
        );
        let middle = (
            window.col as f64 + window.width as f64 / 2.0,
            window.row as f64 + window.height as f64 / 2.0,
        );
        let covered = Step::at(&self.map, middle, scale)?.map_or(1.0, |step| {
            step.reach().0.max(1.0) * step.reach().1.max(1.0)
        });
        let bands = base.band_count().max(1) as f64;
        let side = (MOST_VALUES / (covered * bands))
            .sqrt()
            .clamp(8.0, SIDE as f64) as usize;
        let picture = size != window.size();
        for part in PixelWindow::full(size).tiles(Size::new(side, side)) {
            session::check_interrupt("reading imagery")?;
            self.read_part(base, window, scale, &part, (picture, algorithm), &mut all)?;
        }
        Ok(all)
    }

    fn read_part(
        &self,
        base: &Raster,
        window: &PixelWindow,
        scale: (f64, f64),
        part: &PixelWindow,
        (picture, algorithm): (bool, GDALRIOResampleAlg::Type),
        all: &mut ByBand,
    ) -> Result<()> {
        let center = |origin: i64, at: i64, scale: f64| origin as f64 + (at as f64 + 0.5) * scale;
        let columns: Vec<f64> = (part.col..part.right())
            .map(|col| center(window.col, col, scale.0))
            .collect();
        let rows: Vec<f64> = (part.row..part.bottom())
            .map(|row| center(window.row, row, scale.1))
            .collect();
        let axes = self.map.axes(&columns, &rows)?;
        let mut places = Vec::new();
        if axes.is_none() {
            places.reserve(part.area());
            for &row in &rows {
                places.extend(self.map.row(&columns, row)?);
            }
        }
        let middle = (
            columns[columns.len() / 2],
            center(window.row, part.row + part.height as i64 / 2, scale.1),
        );
        let Some(step) = Step::at(&self.map, middle, scale)? else {
            return Ok(());
        };
        let reach = step.reach();
        let full = base.size();
        let (wide, high) = (full.width as f64, full.height as f64);
        let margin = match self.method {
            Resampling::Average => (reach.0 / 2.0 + 1.0, reach.1 / 2.0 + 1.0),
            _ => (1.0, 1.0),
        };
        let near = |(x, y): (f64, f64)| {
            (-margin.0..=wide + margin.0).contains(&x) && (-margin.1..=high + margin.1).contains(&y)
        };
        let mut bounds: Option<[f64; 4]> = None;
        let mut widen = |(x, y): (f64, f64)| {
            let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
            bounds = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
        };
        match &axes {
            None => places
                .iter()
                .copied()
                .filter(|&one| near(one))
                .for_each(widen),
            // The first and the last column and row that are near.
            Some([xs, ys]) => {
                let xs: Vec<f64> = xs.iter().copied().filter(|&x| near((x, 0.0))).collect();
                let ys: Vec<f64> = ys.iter().copied().filter(|&y| near((0.0, y))).collect();
                for (x, y) in [(xs.first(), ys.first()), (xs.last(), ys.last())] {
                    if let (Some(&x), Some(&y)) = (x, y) {
                        widen((x, y));
                    }
                }
            }
        }
        let Some([left, top, right, bottom]) = bounds else {
            return Ok(());
        };
        // Within the raster and its margins, which hold no more than 2^31 pixels along a side.
        let (first_col, first_row) = (
            (left - margin.0).floor() as i64,
            (top - margin.1).floor() as i64,
        );
        let (end_col, end_row) = (
            (right + margin.0).ceil() as i64,
            (bottom + margin.1).ceil() as i64,
        );
        let asked = PixelWindow::new(
            first_col,
            first_row,
            usize::try_from(end_col - first_col).unwrap_or(0),
            usize::try_from(end_row - first_row).unwrap_or(0),
        );
        let Some(source) = base.full().intersect(&asked) else {
            return Ok(());
        };
        // A picture takes averages that the raster may have ready, of at most half of what one of its pixels covers.
        let less = |length: usize, reach: f64| match picture {
            true => ((length as f64 / (reach / 2.0).max(1.0)).ceil() as usize).clamp(1, length),
            false => length,
        };
        let reduced = Size::new(less(source.width, reach.0), less(source.height, reach.1));
        let read = base.read_by_band(&source, reduced, algorithm)?;
        let sampled = Sampled {
            read: &read,
            valid: (0..base.band_count())
                .map(|band| read.valid(band))
                .collect(),
            whole: base
                .bands()
                .iter()
                .map(|band| !band.data_type.is_float())
                .collect(),
        };
        let by = (
            reduced.width as f64 / source.width as f64,
            reduced.height as f64 / source.height as f64,
        );
        // Divided last, so that what lies on an edge does so among the reduced pixels.
        let along = |x: f64| (x - source.col as f64) * reduced.width as f64 / source.width as f64;
        let down = |y: f64| (y - source.row as f64) * reduced.height as f64 / source.height as f64;
        // Half-open, as pixels are and as in GDAL's warper; the map puts places on edges that are there.
        let within = |at: f64, length: f64| (0.0..length).contains(&at);
        if let Some([xs, ys]) = &axes {
            let all_inside =
                xs.iter().all(|&x| within(x, wide)) && ys.iter().all(|&y| within(y, high));
            if all_inside && self.method != Resampling::Average && sampled.is_valid() {
                let xs: Vec<f64> = xs.iter().map(|&x| along(x)).collect();
                let ys: Vec<f64> = ys.iter().map(|&y| down(y)).collect();
                sampled.whole_part(self.method, (&xs, &ys), part, all);
                return Ok(());
            }
            places = ys
                .iter()
                .flat_map(|&y| xs.iter().map(move |&x| (x, y)))
                .collect();
        }
        for (index, (x, y)) in places.into_iter().enumerate() {
            let inside = within(x, wide) && within(y, high);
            let to = (part.row as usize + index / part.width) * all.size.width
                + part.col as usize
                + index % part.width;
            let place = (along(x), down(y));
            match self.method {
                _ if !x.is_finite() || !y.is_finite() => {}
                Resampling::Average => {
                    sampled.average(place, (reach.0 * by.0, reach.1 * by.1), to, all);
                }
                _ if !inside => {}
                Resampling::Nearest => sampled.nearest(place, to, all),
                Resampling::Auto | Resampling::Bilinear => sampled.bilinear(place, to, all),
            }
        }
        Ok(())
    }
}

/// Pixels to take values from.
struct Sampled<'a> {
    read: &'a ByBand,
    valid: Vec<Cow<'a, [u8]>>,
    /// Whether a band holds whole numbers.
    whole: Vec<bool>,
}

/// The two pixels along an axis whose centers are around a place, and the share of the second.
fn around(place: f64, length: usize) -> (usize, usize, f64) {
    let place = (place - 0.5).clamp(0.0, length as f64 - 1.0);
    let first = place.floor();
    let second = (first as usize + 1).min(length - 1);
    (first as usize, second, place - first)
}

/// The pixel along an axis that a place lies in.
fn under(place: f64, length: usize) -> usize {
    (place.max(0.0) as usize).min(length - 1)
}

impl Sampled<'_> {
    /// Whether every pixel of every band is valid.
    fn is_valid(&self) -> bool {
        self.read.present.iter().all(Option::is_none)
            && self.read.base.iter().all(|&base| base == 1)
    }

    /// The values of a part whose columns and rows lie at these places, all of them in pixels that are valid: the same as one by
    /// one.
    fn whole_part(
        &self,
        method: Resampling,
        (xs, ys): (&[f64], &[f64]),
        part: &PixelWindow,
        all: &mut ByBand,
    ) {
        let (size, stride) = (self.read.size, all.size.width);
        let start = part.row as usize * stride + part.col as usize;
        for row in 0..part.height {
            all.base[start + row * stride..][..part.width].fill(1);
        }
        let taps = |places: &[f64], length: usize| {
            let mut taps = Taps::default();
            for &place in places {
                let (first, second, share) = around(place, length);
                taps.first.push(first);
                taps.second.push(second);
                taps.share.push(share);
            }
            taps
        };
        let pixels = |places: &[f64], length: usize| -> Vec<usize> {
            places.iter().map(|&place| under(place, length)).collect()
        };
        let (across, down) = (taps(xs, size.width), taps(ys, size.height));
        let (columns, rows) = (pixels(xs, size.width), pixels(ys, size.height));
        let area = all.size.area();
        for (band, &whole) in self.whole.iter().enumerate() {
            let plane = self.read.band(band);
            let target = &mut all.data[band * area + start..(band + 1) * area];
            match method {
                Resampling::Nearest => {
                    regrid::nearest(plane, size.width, (&columns, &rows), target, stride);
                }
                _ => {
                    let taps = (&across, &down);
                    regrid::bilinear(plane, size.width, taps, whole, target, stride);
                }
            }
        }
    }

    /// The pixel that a place lies in.
    fn under(&self, (x, y): (f64, f64)) -> usize {
        let size = self.read.size;
        under(y, size.height) * size.width + under(x, size.width)
    }

    fn nearest(&self, place: (f64, f64), to: usize, all: &mut ByBand) {
        let from = self.under(place);
        self.take(&[(from, 1.0)], Some(from), to, all);
    }

    /// As GDAL has it, there is no value where the pixel under the center has none.
    fn bilinear(&self, (x, y): (f64, f64), to: usize, all: &mut ByBand) {
        let size = self.read.size;
        let (left, right, across) = around(x, size.width);
        let (top, bottom, down) = around(y, size.height);
        let (upper, lower) = (top * size.width, bottom * size.width);
        let taps = [
            (upper + left, (1.0 - across) * (1.0 - down)),
            (upper + right, across * (1.0 - down)),
            (lower + left, (1.0 - across) * down),
            (lower + right, across * down),
        ];
        self.take(&taps, Some(self.under((x, y))), to, all);
    }

    fn average(&self, (x, y): (f64, f64), (wide, high): (f64, f64), to: usize, all: &mut ByBand) {
        let size = self.read.size;
        let range = |middle: f64, reach: f64, length: usize| {
            let (start, end) = (middle - reach / 2.0, middle + reach / 2.0);
            // A hair more than a whole pixel is one.
            let first = (start + 1e-6).floor().max(0.0);
            let last = (end - 1e-6).ceil().min(length as f64);
            (start, end, first as usize, last.max(0.0) as usize)
        };
        let (left, right, first_col, end_col) = range(x, wide, size.width);
        let (top, bottom, first_row, end_row) = range(y, high, size.height);
        let share = |at: usize, start: f64, end: f64| {
            (end.min(at as f64 + 1.0) - start.max(at as f64)).max(0.0)
        };
        let mut taps = Vec::with_capacity(
            end_col.saturating_sub(first_col) * end_row.saturating_sub(first_row),
        );
        for row in first_row..end_row {
            let down = share(row, top, bottom);
            for col in first_col..end_col {
                taps.push((row * size.width + col, down * share(col, left, right)));
            }
        }
        self.take(&taps, None, to, all);
    }

    /// The weighted mean of the valid values of each band; none where the pixel `needed` has none.
    fn take(&self, taps: &[(usize, f64)], needed: Option<usize>, to: usize, all: &mut ByBand) {
        let area = all.size.area();
        if needed.is_some_and(|needed| self.read.base[needed] == 0) {
            return;
        }
        for &(from, weight) in taps {
            if weight > 0.0 {
                all.base[to] |= self.read.base[from];
            }
        }
        if all.base[to] == 0 {
            return;
        }
        for (band, valid) in self.valid.iter().enumerate() {
            let values = self.read.band(band);
            let (mut sum, mut weights) = (0.0, 0.0);
            for &(from, weight) in taps {
                if weight > 0.0 && valid[from] != 0 {
                    sum += weight * f64::from(values[from]);
                    weights += weight;
                }
            }
            if weights > 0.0 && needed.is_none_or(|needed| valid[needed] != 0) {
                let mean = sum / weights;
                // As GDAL does, so that counts by value stay those of whole numbers.
                let mean = if self.whole[band] { mean.round() } else { mean };
                all.data[band * area + to] = mean as f32;
            } else {
                all.present[band].get_or_insert_with(|| vec![1; area])[to] = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::raster::{GeoReference, GeoTransform};

    /// A part that is whole is resampled axis by axis; with a hole in every part the same raster is resampled pixel by pixel.
    #[test]
    fn whole_parts_have_the_values_of_a_walk_from_pixel_to_pixel() -> Result<()> {
        let full = Size::new(160, 120);
        let value = |band: usize, row: usize, col: usize| {
            ((row * 37 + col * 11 + band * 5) % 101) as f32 / 7.0 - 4.0
        };
        let cells = Array3::from_shape_fn((2, full.height, full.width), |(band, row, col)| {
            value(band, row, col)
        });
        // Holes that no part of 256 pixels of the grid misses.
        let mut holed = cells.clone();
        let is_hole = |row: usize, col: usize| row % 20 == 7 && col % 20 == 9;
        for ((_, row, col), value) in holed.indexed_iter_mut() {
            if is_hole(row, col) {
                *value = f32::NAN;
            }
        }
        let whole = Raster::from_array(cells)?;
        let holed = Raster::from_array(holed)?;
        let reference = |pixel: f64, x: f64| {
            let crs = crate::raster::crs::parse("EPSG:32632")?
                .to_wkt()
                .expect("a definition");
            let grid = GeoTransform::north_up(600_000.0 + x, 5_400_000.0, pixel);
            Ok::<_, crate::Error>(GeoReference::new(grid, crs))
        };
        for (factor, shift) in [(2.0, 0.0), (6.0, 13.0), (1.0, 0.3), (3.7, -25.0)] {
            let map = PixelMap::in_one_system(
                &reference(10.0, shift)?,
                &reference(10.0 * factor, 0.0)?,
                full,
            );
            let size = Size::new((160.0 * factor) as usize + 40, (120.0 * factor) as usize);
            let window = PixelWindow::new(-20, 3, size.width, size.height);
            for method in [Resampling::Bilinear, Resampling::Nearest] {
                let warp = Warp::new(map.clone(), method, (40.0, 40.0))?;
                let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
                let one = warp.read(&whole, &window, size, nearest)?;
                let two = warp.read(&holed, &window, size, nearest)?;
                let (mut compared, mut outside) = (0, 0);
                for at in 0..size.area() {
                    let (row, col) = (at / size.width, at % size.width);
                    let place = map.points(&[(
                        window.col as f64 + col as f64 + 0.5,
                        window.row as f64 + row as f64 + 0.5,
                    )])?[0];
                    let near_hole = (-1..=1).any(|down: i64| {
                        (-1..=1).any(|across: i64| {
                            let (x, y) = (
                                place.0.floor() as i64 + across,
                                place.1.floor() as i64 + down,
                            );
                            x >= 0 && y >= 0 && is_hole(y as usize, x as usize)
                        })
                    });
                    if near_hole {
                        continue;
                    }
                    assert_eq!(
                        one.base[at], two.base[at],
                        "{factor} {method:?} {row} {col}"
                    );
                    outside += usize::from(one.base[at] == 0);
                    for band in 0..2 {
                        let (a, b) = (one.band(band)[at], two.band(band)[at]);
                        assert_eq!(a.to_bits(), b.to_bits(), "{factor} {method:?} {row} {col}");
                        compared += 1;
                    }
                }
                assert!(compared > 20_000 && outside > 0, "{compared} {outside}");
            }
        }
        Ok(())
    }
}

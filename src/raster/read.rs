use std::ffi::{c_int, c_void};
use std::path::Path;

use gdal_sys::{GDALDataType, GDALRIOResampleAlg, GDALRWFlag, GDALRasterIOExtraArg};

use super::gdal_library::{self, Messages, go_on};
use super::handle::Handle;
use super::information::{Information, MaskSource};
use super::resize::under_centre;
use super::{Patch, PixelWindow, Raster, RasterError, Size};
use crate::{Result, session};

/// The most values one patch may hold: what fits GDAL's 32-bit sizes with room to spare.
const MOST_VALUES: usize = 1 << 31;

impl Raster {
    /// Reads a window. Pixels outside the raster, with a nodata value, under a mask or alpha of 0, and values that are
    /// not finite are invalid; a pixel is valid when all its bands are.
    ///
    /// # Units
    /// Values as the file stores them, as `f32`: exact for 8 and 16 bits and for integers up to 2^24.
    ///
    /// # Errors
    /// [`RasterError::Read`] names the damaged block of a file that is cut short.
    pub fn read(&self, window: &PixelWindow) -> Result<Patch> {
        self.read_scaled(window, window.size())
    }

    /// Reads a window into another size, from the file's overviews where it has them. Smaller sizes average the valid
    /// pixels that fall together, larger ones repeat them.
    ///
    /// # Errors
    /// [`RasterError::BadSize`] for a size of nothing, [`RasterError::Read`] when the file is damaged.
    pub fn read_scaled(&self, window: &PixelWindow, size: Size) -> Result<Patch> {
        let nearest = size.width >= window.width && size.height >= window.height;
        let algorithm = if nearest {
            GDALRIOResampleAlg::GRIORA_NearestNeighbour
        } else {
            GDALRIOResampleAlg::GRIORA_Average
        };
        self.read_with(window, size, algorithm)
    }

    /// Reads a window into another size, taking the pixel under the middle of each target pixel: for values that are
    /// names, such as classes. Overviews are left aside, since those of many files are averages.
    ///
    /// # Errors
    /// As [`Raster::read_scaled`].
    pub fn read_nearest(&self, window: &PixelWindow, size: Size) -> Result<Patch> {
        if size.width >= window.width && size.height >= window.height || size.area() == 0 {
            return self.read_with(window, size, GDALRIOResampleAlg::GRIORA_NearestNeighbour);
        }
        let bands = self.band_count();
        let mut patch = Patch::invalid(size, bands);
        for row in 0..size.height {
            session::check_interrupt("reading imagery")?;
            let source = window.row + under_centre(row, size.height, window.height) as i64;
            let line = self.read(&PixelWindow::new(window.col, source, window.width, 1))?;
            for col in 0..size.width {
                let from = under_centre(col, size.width, window.width);
                patch.valid[row * size.width + col] = line.valid[from];
                for band in 0..bands {
                    patch.data[(band * size.height + row) * size.width + col] =
                        line.data[band * window.width + from];
                }
            }
        }
        Ok(patch)
    }

    fn read_with(
        &self,
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<Patch> {
        let bands = self.band_count();
        let values = size
            .width
            .checked_mul(size.height)
            .and_then(|area| area.checked_mul(bands));
        if window.is_empty()
            || size.area() == 0
            || values.is_none_or(|values| values >= MOST_VALUES)
        {
            return Err(RasterError::BadSize {
                path: self.path().to_owned(),
                found: size,
            }
            .into());
        }
        let mut patch = Patch::invalid(size, bands);
        let Some(inside) = self.full().intersect(window) else {
            return Ok(patch);
        };
        let Some(target) = target_of(window, &inside, size) else {
            return Ok(patch);
        };
        let handle = self.handle()?;
        let request = Request {
            path: self.path(),
            handle: &handle,
            window: inside,
            target,
            size,
            algorithm,
        };
        let information = &self.inner.information;
        let numbers: Vec<c_int> = information.bands.iter().map(|band| band.number).collect();
        for request in request.pieces(self.chunk_size()) {
            session::check_interrupt("reading imagery")?;
            request.values(&numbers, &mut patch.data)?;
        }
        request.validity(information, &mut patch)?;
        Ok(patch)
    }
}

/// The pixels of a patch of `size` over `window` that its part `inside` fills; `None` when that is less than a pixel.
fn target_of(window: &PixelWindow, inside: &PixelWindow, size: Size) -> Option<PixelWindow> {
    let range = |start: i64, end: i64, origin: i64, from: usize, to: usize| {
        let scale = to as f64 / from as f64;
        let first = ((start - origin) as f64 * scale).round() as usize;
        let last = (((end - origin) as f64 * scale).round() as usize).min(to);
        (first < last).then_some((first, last - first))
    };
    let (col, width) = range(
        inside.col,
        inside.right(),
        window.col,
        window.width,
        size.width,
    )?;
    let (row, height) = range(
        inside.row,
        inside.bottom(),
        window.row,
        window.height,
        size.height,
    )?;
    Some(PixelWindow::new(col as i64, row as i64, width, height))
}

#[derive(Clone, Copy)]
struct Request<'a> {
    path: &'a Path,
    handle: &'a Handle,
    /// Inside the raster.
    window: PixelWindow,
    /// Inside the patch.
    target: PixelWindow,
    /// Of the patch.
    size: Size,
    algorithm: GDALRIOResampleAlg::Type,
}

impl Request<'_> {
    /// Where the target's first pixel lies in a band of the patch.
    fn offset(&self) -> usize {
        self.target.row as usize * self.size.width + self.target.col as usize
    }

    /// Parts of the request of about one chunk, which is whole blocks: between them a long read can be interrupted. A
    /// request that changes the size stays whole, since GDAL asks [`go_on`] while it resamples.
    fn pieces(self, chunk: Size) -> Vec<Self> {
        let same_size = self.window.size() == self.target.size();
        if !same_size || self.window.area() <= chunk.area() {
            return vec![self];
        }
        // The first piece ends where a block does.
        let ends = |start: i64, length: usize, step: usize| {
            let (end, step) = (start + length as i64, step.max(1) as i64);
            let mut parts = Vec::new();
            let mut from = start;
            while from < end {
                let to = ((from / step + 1) * step).min(end);
                parts.push((from, (to - from) as usize));
                from = to;
            }
            parts
        };
        let columns = ends(self.window.col, self.window.width, chunk.width);
        let rows = ends(self.window.row, self.window.height, chunk.height);
        let piece = |(row, height): (i64, usize), (col, width): (i64, usize)| Self {
            window: PixelWindow::new(col, row, width, height),
            target: PixelWindow::new(
                self.target.col + col - self.window.col,
                self.target.row + row - self.window.row,
                width,
                height,
            ),
            ..self
        };
        rows.into_iter()
            .flat_map(|row| columns.iter().map(move |&column| piece(row, column)))
            .collect()
    }

    /// Reads the bands straight into their place in `[bands, height, width]`.
    fn values(&self, bands: &[c_int], data: &mut [f32]) -> Result<()> {
        let mut numbers = bands.to_vec();
        let mut extra = self.extra();
        assert!(
            data.len() >= bands.len() * self.size.area(),
            "the patch holds all bands"
        );
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the window lies inside the raster, and the target inside every band of `data`, whose layout the
            // three spacings describe.
            unsafe {
                gdal_sys::GDALDatasetRasterIOEx(
                    self.handle.raw(),
                    GDALRWFlag::GF_Read,
                    self.window.col as c_int,
                    self.window.row as c_int,
                    self.window.width as c_int,
                    self.window.height as c_int,
                    data.as_mut_ptr().add(self.offset()).cast::<c_void>(),
                    self.target.width as c_int,
                    self.target.height as c_int,
                    GDALDataType::GDT_Float32,
                    numbers.len() as c_int,
                    numbers.as_mut_ptr(),
                    4,
                    (self.size.width * 4) as i64,
                    (self.size.area() * 4) as i64,
                    &raw mut extra,
                ) != 0
            }
        });
        if failed {
            Err(self.failure(&messages))
        } else {
            Ok(())
        }
    }

    fn validity(&self, information: &Information, patch: &mut Patch) -> Result<()> {
        let mut mask = vec![0; self.size.area()];
        match information.mask {
            MaskSource::None => {
                for row in self.target.row as usize..self.target.bottom() as usize {
                    let start = row * self.size.width + self.target.col as usize;
                    mask[start..start + self.target.width].fill(1);
                }
            }
            MaskSource::Alpha(number) => self.mask_band(number, false, &mut mask)?,
            MaskSource::Dataset => self.mask_band(information.bands[0].number, true, &mut mask)?,
            MaskSource::Bands => {
                self.mask_band(information.bands[0].number, true, &mut mask)?;
                let mut other = vec![0; self.size.area()];
                for band in &information.bands[1..] {
                    self.mask_band(band.number, true, &mut other)?;
                    mask.iter_mut()
                        .zip(&other)
                        .for_each(|(all, &one)| *all = (*all).min(one));
                }
            }
        }
        let area = self.size.area();
        for (index, band) in information.bands.iter().enumerate() {
            let values = &patch.data[index * area..(index + 1) * area];
            let nodata = band
                .nodata
                .map(|value| value as f32)
                .filter(|value| !value.is_nan());
            if let Some(nodata) = nodata {
                mask.iter_mut()
                    .zip(values)
                    .for_each(|(valid, &value)| *valid &= u8::from(value != nodata));
            }
            if band.data_type.is_float() {
                mask.iter_mut()
                    .zip(values)
                    .for_each(|(valid, &value)| *valid &= u8::from(value.is_finite()));
            }
        }
        if mask.contains(&0) {
            patch.valid.fill(1);
            patch.mask_with(&mask);
        } else {
            patch.valid = mask;
        }
        Ok(())
    }

    /// Reads a mask as 1 (valid) and 0, either the band itself or the mask that belongs to it.
    fn mask_band(&self, number: c_int, of_band: bool, mask: &mut [u8]) -> Result<()> {
        let mut extra = self.extra();
        // An average of a mask would make half-valid pixels.
        extra.eResampleAlg = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the band exists, the window lies inside the raster, and the target inside `mask`.
            unsafe {
                let band = gdal_sys::GDALGetRasterBand(self.handle.raw(), number);
                let band = if of_band {
                    gdal_sys::GDALGetMaskBand(band)
                } else {
                    band
                };
                gdal_sys::GDALRasterIOEx(
                    band,
                    GDALRWFlag::GF_Read,
                    self.window.col as c_int,
                    self.window.row as c_int,
                    self.window.width as c_int,
                    self.window.height as c_int,
                    mask.as_mut_ptr().add(self.offset()).cast::<c_void>(),
                    self.target.width as c_int,
                    self.target.height as c_int,
                    GDALDataType::GDT_Byte,
                    1,
                    self.size.width as i64,
                    &raw mut extra,
                ) != 0
            }
        });
        if failed {
            return Err(self.failure(&messages));
        }
        mask.iter_mut()
            .for_each(|value| *value = u8::from(*value != 0));
        Ok(())
    }

    fn extra(&self) -> GDALRasterIOExtraArg {
        GDALRasterIOExtraArg {
            nVersion: 1,
            eResampleAlg: self.algorithm,
            pfnProgress: Some(go_on),
            pProgressData: std::ptr::null_mut(),
            bFloatingPointWindowValidity: 0,
            dfXOff: 0.0,
            dfYOff: 0.0,
            dfXSize: 0.0,
            dfYSize: 0.0,
        }
    }

    fn failure(&self, messages: &Messages) -> crate::Error {
        if session::interrupted() {
            let doing = "reading imagery";
            return crate::Error::Interrupted { doing };
        }
        RasterError::Read {
            path: self.path.to_owned(),
            window: self.window,
            block: messages.texts().find_map(damaged_block),
            detail: messages.joined("GDAL gives no reason"),
        }
        .into()
    }
}

/// Finds the block in GDAL's `IReadBlock failed at X offset 3, Y offset 7`.
fn damaged_block(message: &str) -> Option<(usize, usize)> {
    let number = |after: &str| {
        let rest = &message[message.find(after)? + after.len()..];
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    Some((number("X offset ")?, number("Y offset ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_damaged_block_is_found_in_the_message() {
        let message = "a.tif, band 2: IReadBlock failed at X offset 3, Y offset 17: TIFFReadEncodedTile() failed.";
        assert_eq!(damaged_block(message), Some((3, 17)));
        assert_eq!(damaged_block("something else"), None);
    }

    #[test]
    fn pieces_cover_a_request_once_and_end_where_blocks_do() {
        // Never used, and never closed.
        let handle = Handle::from_raw(std::ptr::dangling_mut::<c_void>()).unwrap();
        let handle = std::mem::ManuallyDrop::new(handle);
        let whole = Request {
            path: Path::new("a.tif"),
            handle: &handle,
            window: PixelWindow::new(100, 300, 900, 700),
            target: PixelWindow::new(5, 7, 900, 700),
            size: Size::new(1000, 800),
            algorithm: GDALRIOResampleAlg::GRIORA_NearestNeighbour,
        };
        let pieces = whole.pieces(Size::new(512, 256));
        let mut covered = vec![0; whole.size.area()];
        for piece in &pieces {
            let (window, target) = (piece.window, piece.target);
            assert_eq!(
                (window.col - target.col, window.row - target.row),
                (95, 293)
            );
            assert!(window.right() % 512 == 0 || window.right() == 1000);
            assert!(window.bottom() % 256 == 0 || window.bottom() == 1000);
            for row in target.row..target.bottom() {
                for col in target.col..target.right() {
                    covered[row as usize * 1000 + col as usize] += 1;
                }
            }
        }
        assert_eq!(pieces.len(), 2 * 3);
        assert_eq!(covered.iter().sum::<i32>(), 900 * 700);
        assert!(covered.iter().all(|&times| times <= 1));
        let small = whole.pieces(Size::new(1000, 1000));
        assert_eq!((small.len(), small[0].window), (1, whole.window));
    }

    #[test]
    fn the_part_inside_lands_where_the_scale_puts_it() {
        let window = PixelWindow::new(-10, -10, 40, 40);
        let inside = PixelWindow::new(0, 0, 30, 30);
        assert_eq!(
            target_of(&window, &inside, Size::new(4, 4)),
            Some(PixelWindow::new(1, 1, 3, 3))
        );
        assert_eq!(
            target_of(&window, &window, Size::new(40, 40)),
            Some(PixelWindow::new(0, 0, 40, 40))
        );
    }
}

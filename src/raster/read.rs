use std::ffi::{c_int, c_void};
use std::path::Path;

use gdal_sys::{GDALDataType, GDALRIOResampleAlg, GDALRWFlag, GDALRasterIOExtraArg};

use super::band::{Nodata, Reading};
use super::by_band::ByBand;
use super::gdal_library::{self, Messages, go_on};
use super::handle::Handle;
use super::information::Information;
use super::layer::Kind;
use super::resize::under_center;
use super::{Band, DataType, Patch, PixelWindow, Raster, RasterError, Size};
use crate::{Result, session};

/// The most values one patch may hold: what fits GDAL's 32-bit sizes with room to spare.
const MOST_VALUES: usize = 1 << 31;

impl Raster {
    /// Reads a window. A pixel is invalid outside the raster, under a mask or an alpha of 0, where a band of floating
    /// point is nodata or not finite, and where all bands of one integer type are nodata (rasterio's `dataset_mask`: one
    /// band may be 0 over a dark lake). An explicit mask is asked in place of nodata values, as by GDAL.
    /// [`Raster::valid_by_band`] has each band's own.
    ///
    /// # Units
    /// Values as the file stores them, without scale and offset ([`Raster::bands`] has these), as `f32`: exact for 8 and
    /// 16 bits and for integers up to 2^24. Complex values are their amplitude. Where a pixel is valid though one band is
    /// nodata there, that band's value is as stored, or 0 for a nodata value below 0.
    ///
    /// # Errors
    /// [`RasterError::Read`] names the damaged block of a file that is cut short.
    #[doc(alias = "read_window")]
    #[doc(alias = "read_array")]
    #[doc(alias = "to_numpy")]
    #[doc(alias = "values")]
    pub fn read(&self, window: &PixelWindow) -> Result<Patch> {
        self.read_scaled(window, window.size())
    }

    /// Reads a window into another size, from the file's overviews where it has them. Smaller sizes average the valid
    /// pixels that fall together, larger ones repeat them.
    ///
    /// # Errors
    /// [`RasterError::BadSize`] for a size of nothing, [`RasterError::Read`] when the file is damaged.
    #[doc(alias = "out_shape")]
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
    #[doc(alias = "decimated")]
    pub fn read_nearest(&self, window: &PixelWindow, size: Size) -> Result<Patch> {
        if size.width >= window.width && size.height >= window.height || size.area() == 0 {
            return self.read_with(window, size, GDALRIOResampleAlg::GRIORA_NearestNeighbour);
        }
        let bands = self.band_count();
        let mut patch = Patch::invalid(size, bands);
        for row in 0..size.height {
            session::check_interrupt("reading imagery")?;
            let source = window.row + under_center(row, size.height, window.height) as i64;
            let line = self.read(&PixelWindow::new(window.col, source, window.width, 1))?;
            for col in 0..size.width {
                let from = under_center(col, size.width, window.width);
                patch.valid[row * size.width + col] = line.valid[from];
                for band in 0..bands {
                    patch.data[(band * size.height + row) * size.width + col] =
                        line.data[band * window.width + from];
                }
            }
        }
        Ok(patch)
    }

    /// As [`Raster::read_scaled`], the pixels under the centers of a smaller size instead of averages: a sample, in which as
    /// large a share is valid as in the whole.
    pub(crate) fn read_sampled(&self, window: &PixelWindow, size: Size) -> Result<Patch> {
        self.read_with(window, size, GDALRIOResampleAlg::GRIORA_NearestNeighbour)
    }

    fn read_with(
        &self,
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<Patch> {
        let read = self.read_by_band(window, size, algorithm)?;
        Ok(read.into_patch(self.bands()))
    }

    /// Which pixels of a window are valid in each band, whatever the others are: where a band has a value of its own, and
    /// neither alpha nor a mask of the whole raster says otherwise.
    ///
    /// # Shapes
    /// Returns `[bands, height, width]`: 1 where valid.
    ///
    /// # Errors
    /// As [`Raster::read`].
    #[doc(alias = "read_masks")]
    pub fn valid_by_band(&self, window: &PixelWindow) -> Result<Vec<u8>> {
        let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let read = self.read_by_band(window, window.size(), nearest)?;
        Ok((0..self.band_count())
            .flat_map(|band| read.valid(band).into_owned())
            .collect())
    }

    /// Pixels with the validity of every band.
    pub(super) fn read_by_band(
        &self,
        window: &PixelWindow,
        size: Size,
        algorithm: GDALRIOResampleAlg::Type,
    ) -> Result<ByBand> {
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
        match &self.inner.kind {
            Kind::File => {}
            Kind::Regridded(base) => return self.read_regridded(base, window, size, algorithm),
            composed => return self.read_composed(composed, window, size, algorithm),
        }
        let information = &self.inner.information;
        let averages = algorithm != GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        if averages && information.averages_itself {
            return self.averaged(window, size);
        }
        let mut read = ByBand::nothing(size, bands);
        let Some(inside) = self.full().intersect(window) else {
            return Ok(read);
        };
        let Some(target) = target_of(window, &inside, size) else {
            return Ok(read);
        };
        if size == window.size()
            && let Some(part) = self.kept_part(window, &inside)
        {
            return Ok(part);
        }
        let handle = self.handle()?;
        let request = Request {
            raster: self,
            path: self.path(),
            handle: &handle,
            window: inside,
            target,
            size,
            algorithm,
        };
        // Runs of bands that GDAL converts in one call.
        let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
        for (index, band) in information.bands.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if band.is_simple() && information.bands[run.start].is_simple() => {
                    run.end = index + 1;
                }
                _ => runs.push(index..index + 1),
            }
        }
        for request in request.pieces(self.chunk_size()) {
            session::check_interrupt("reading imagery")?;
            for run in &runs {
                request.run(&information.bands, run.clone(), &mut read)?;
            }
        }
        request.validity(information, &mut read)?;
        Ok(read)
    }

    /// A request for a window inside the raster, pixel by pixel.
    fn request_as_stored<'a>(&'a self, handle: &'a Handle, window: &PixelWindow) -> Request<'a> {
        Request {
            raster: self,
            path: self.path(),
            handle,
            window: *window,
            target: PixelWindow::full(window.size()),
            size: window.size(),
            algorithm: GDALRIOResampleAlg::GRIORA_NearestNeighbour,
        }
    }

    /// The values of one of GDAL's bands in a window inside the raster, as they are stored.
    pub(super) fn raw_band(&self, number: c_int, window: &PixelWindow) -> Result<Vec<f64>> {
        let handle = self.handle()?;
        let request = self.request_as_stored(&handle, window);
        request.stored::<f64>(number, GDALDataType::GDT_Float64)
    }

    /// The first of GDAL's bands in a window inside the raster as labels: whole numbers from 1 to 255, and 0 for all others and
    /// nodata.
    pub(crate) fn stored_labels(&self, window: &PixelWindow) -> Result<Vec<u8>> {
        let handle = self.handle()?;
        let request = self.request_as_stored(&handle, window);
        let mut has_nodata: c_int = 0;
        // SAFETY: the dataset is open, and a raster has a first band.
        let (kind, nodata) = unsafe {
            let band = gdal_sys::GDALGetRasterBand(handle.raw(), 1);
            let nodata = gdal_sys::GDALGetRasterNoDataValue(band, &raw mut has_nodata);
            (gdal_sys::GDALGetRasterDataType(band), nodata)
        };
        let nodata = (has_nodata != 0).then_some(nodata);
        if kind == GDALDataType::GDT_Byte {
            let mut labels = request.stored::<u8>(1, GDALDataType::GDT_Byte)?;
            if let Some(nodata) = nodata {
                let none = |label: &&mut u8| f64::from(**label) == nodata;
                labels.iter_mut().filter(none).for_each(|label| *label = 0);
            }
            return Ok(labels);
        }
        let values = request.stored::<f64>(1, GDALDataType::GDT_Float64)?;
        let label = |value: f64| match value.round() {
            _ if Some(value) == nodata => 0,
            // Values beyond these, and what is no number, are none of them.
            label @ 1.0..=255.0 => label as u8,
            _ => 0,
        };
        Ok(values.into_iter().map(label).collect())
    }

    /// Averages the valid values of each band, where GDAL would average others. At most four pixels in each direction
    /// count for one of the target, spread evenly.
    pub(super) fn averaged(&self, window: &PixelWindow, size: Size) -> Result<ByBand> {
        const MOST: usize = 4;
        let (bands, area) = (self.band_count(), size.area());
        let mut all = ByBand::nothing(size, bands);
        let mut sums = vec![0.0f64; bands * area];
        let mut counts = vec![0u32; bands * area];
        let columns = window.width.min(size.width * MOST);
        let strip = (super::statistics::CHUNK_VALUES / (columns * MOST * bands).max(1)).max(1);
        for top in (0..size.height).step_by(strip) {
            session::check_interrupt("reading imagery")?;
            let bottom = (top + strip).min(size.height);
            let first = top * window.height / size.height;
            let end = (bottom * window.height / size.height).max(first + 1);
            let part = PixelWindow::new(
                window.col,
                window.row + first as i64,
                window.width,
                end - first,
            );
            let rows = (end - first).min((bottom - top) * MOST);
            let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
            let read = self.read_by_band(&part, Size::new(columns, rows), nearest)?;
            for band in 0..bands {
                let valid = read.valid(band);
                let values = read.band(band);
                for row in 0..rows {
                    let to = top + under_center(row, rows, bottom - top);
                    for col in 0..columns {
                        let from = row * columns + col;
                        let at = to * size.width + under_center(col, columns, size.width);
                        all.base[at] |= read.base[from];
                        if valid[from] != 0 {
                            sums[band * area + at] += f64::from(values[from]);
                            counts[band * area + at] += 1;
                        }
                    }
                }
            }
        }
        for band in 0..bands {
            let counts = &counts[band * area..(band + 1) * area];
            for (at, &count) in counts.iter().enumerate() {
                if count > 0 {
                    let at = band * area + at;
                    all.data[at] = (sums[at] / f64::from(count)) as f32;
                }
            }
            if counts.contains(&0) {
                all.present[band] = Some(counts.iter().map(|&n| u8::from(n > 0)).collect());
            }
        }
        Ok(all)
    }
}

/// The pixels of a patch of `size` over `window` that its part `inside` fills; `None` when that is less than a pixel.
pub(super) fn target_of(
    window: &PixelWindow,
    inside: &PixelWindow,
    size: Size,
) -> Option<PixelWindow> {
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
    raster: &'a Raster,
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

    /// Reads bands that are converted in the same way.
    fn run(&self, bands: &[Band], run: std::ops::Range<usize>, read: &mut ByBand) -> Result<()> {
        let area = self.size.area();
        let first = &bands[run.start];
        if first.is_simple() {
            let numbers: Vec<c_int> = bands[run.clone()].iter().map(|band| band.number).collect();
            return self.values(&numbers, &mut read.data[run.start * area..run.end * area]);
        }
        let index = run.start;
        let values = &mut read.data[index * area..(index + 1) * area];
        let present = &mut read.present[index];
        let number = first.number;
        let missing = first.missing;
        match (&first.reading, first.data_type) {
            (Reading::SignedByte, _) => {
                let nodata = missing.map(Nodata::as_f64);
                let stored = self.stored::<u8>(number, GDALDataType::GDT_Byte)?;
                self.place(values, present, &stored, |value| {
                    let value = f32::from(value.cast_signed());
                    (value, Some(f64::from(value)) != nodata)
                });
            }
            (Reading::Color { component, table }, _) => {
                let nodata = missing.map(Nodata::as_f64);
                let stored = self.stored::<u16>(number, GDALDataType::GDT_UInt16)?;
                self.place(values, present, &stored, |value| {
                    // A number without a color is black, as for GDAL.
                    let entry = table
                        .get(usize::from(value))
                        .copied()
                        .unwrap_or([0, 0, 0, 255]);
                    let here = entry[3] != 0 && Some(f64::from(value)) != nodata;
                    (f32::from(entry[*component]), here)
                });
            }
            (Reading::Amplitude, _) => {
                let nodata = missing.map(Nodata::as_f64);
                let stored = self.stored::<[f64; 2]>(number, GDALDataType::GDT_CFloat64)?;
                self.place(values, present, &stored, |[real, imaginary]| {
                    let is = |part: f64| nodata.is_some_and(|nodata| part == nodata);
                    let missing = is(real) && (is(imaginary) || imaginary == 0.0);
                    (real.hypot(imaginary) as f32, !missing)
                });
            }
            (Reading::Plain, DataType::I64) => {
                let nodata = missing;
                let stored = self.stored::<i64>(number, GDALDataType::GDT_Int64)?;
                self.place(values, present, &stored, |value| {
                    (value as f32, Some(Nodata::Signed(value)) != nodata)
                });
            }
            (Reading::Plain, DataType::U64) => {
                let nodata = missing;
                let stored = self.stored::<u64>(number, GDALDataType::GDT_UInt64)?;
                self.place(values, present, &stored, |value| {
                    (value as f32, Some(Nodata::Unsigned(value)) != nodata)
                });
            }
            (Reading::Plain, _) => {
                let nodata = missing.map(Nodata::as_f64);
                let stored = self.stored::<f64>(number, GDALDataType::GDT_Float64)?;
                self.place(values, present, &stored, |value| {
                    (value as f32, Some(value) != nodata)
                });
            }
        }
        Ok(())
    }

    /// Puts the values of the target in their place.
    fn place<T: Copy>(
        &self,
        values: &mut [f32],
        present: &mut Option<Vec<u8>>,
        stored: &[T],
        convert: impl Fn(T) -> (f32, bool),
    ) {
        for (row, line) in stored.chunks_exact(self.target.width).enumerate() {
            let start = self.offset() + row * self.size.width;
            for (col, &one) in line.iter().enumerate() {
                let (value, here) = convert(one);
                values[start + col] = value;
                if !here {
                    present.get_or_insert_with(|| vec![1; values.len()])[start + col] = 0;
                }
            }
        }
    }

    /// The values of a band in a type of their own, row by row over the target.
    ///
    /// `T` is what GDAL's `data_type` says.
    fn stored<T: Copy + Default>(
        &self,
        number: c_int,
        data_type: GDALDataType::Type,
    ) -> Result<Vec<T>> {
        let mut values = vec![T::default(); self.target.area()];
        let mut extra = self.extra();
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the band exists, the window lies inside the raster, and `values` holds the target in GDAL's type.
            unsafe {
                let band = gdal_sys::GDALGetRasterBand(self.handle.raw(), number);
                gdal_sys::GDALRasterIOEx(
                    band,
                    GDALRWFlag::GF_Read,
                    self.window.col as c_int,
                    self.window.row as c_int,
                    self.window.width as c_int,
                    self.window.height as c_int,
                    values.as_mut_ptr().cast::<c_void>(),
                    self.target.width as c_int,
                    self.target.height as c_int,
                    data_type,
                    0,
                    0,
                    &raw mut extra,
                ) != 0
            }
        });
        if failed {
            Err(self.failure(&messages))
        } else {
            Ok(values)
        }
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

    fn validity(&self, information: &Information, read: &mut ByBand) -> Result<()> {
        let area = self.size.area();
        let mut start = self.offset();
        for _ in 0..self.target.height {
            read.base[start..start + self.target.width].fill(1);
            start += self.size.width;
        }
        let masks = &information.masks;
        let alpha = masks.alpha.iter().map(|&number| (number, false));
        for (number, of_band) in alpha.chain(masks.dataset.map(|number| (number, true))) {
            let mask = self.mask_band(number, of_band)?;
            and(&mut read.base, &mask);
        }
        for (index, band) in information.bands.iter().enumerate() {
            let values = &read.data[index * area..(index + 1) * area];
            let present = &mut read.present[index];
            if band.is_simple()
                && let Some(nodata) = band.missing
            {
                let nodata = nodata.as_f64() as f32;
                if values.contains(&nodata) {
                    let holes = present.get_or_insert_with(|| vec![1; area]);
                    for (here, &value) in holes.iter_mut().zip(values) {
                        *here &= u8::from(value != nodata);
                    }
                }
            }
            if band.data_type.is_float() && !values.iter().all(|value| value.is_finite()) {
                let holes = present.get_or_insert_with(|| vec![1; area]);
                for (here, &value) in holes.iter_mut().zip(values) {
                    *here &= u8::from(value.is_finite());
                }
            }
            if band.own_mask {
                let mask = self.mask_band(band.number, true)?;
                and(present.get_or_insert_with(|| vec![1; area]), &mask);
            }
        }
        Ok(())
    }

    /// Reads a mask as 1 (valid) and 0, either the band itself or the mask that belongs to it. Of an alpha band anything
    /// above 0 is valid, whatever its type: half transparent imagery is imagery.
    fn mask_band(&self, number: c_int, of_band: bool) -> Result<Vec<u8>> {
        let mut values = vec![0.0f32; self.size.area()];
        let mut extra = self.extra();
        // An average of a mask would make half-valid pixels.
        extra.eResampleAlg = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the band exists, the window lies inside the raster, and the target inside `values`.
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
                    values.as_mut_ptr().add(self.offset()).cast::<c_void>(),
                    self.target.width as c_int,
                    self.target.height as c_int,
                    GDALDataType::GDT_Float32,
                    4,
                    (self.size.width * 4) as i64,
                    &raw mut extra,
                ) != 0
            }
        });
        if failed {
            return Err(self.failure(&messages));
        }
        Ok(values
            .iter()
            .map(|&value| u8::from(value != 0.0 && !value.is_nan()))
            .collect())
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
        if let Some(error) = self.raster.missing_parts() {
            return error.into();
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

fn and(all: &mut [u8], one: &[u8]) {
    all.iter_mut().zip(one).for_each(|(all, &one)| *all &= one);
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

    fn drawn(folder: &Path) -> Raster {
        use crate::raster::{GeoTransform, RasterType, RasterWriter, WriterOptions};
        let mut writer = RasterWriter::create(
            folder.join("a.tif"),
            Size::new(2, 2),
            1,
            RasterType::U8,
            GeoTransform::north_up(0.0, 0.0, 1.0),
            "",
            WriterOptions::default(),
        )
        .unwrap();
        writer.write_rows(0, &[1u8; 4]).unwrap();
        Raster::open(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn pieces_cover_a_request_once_and_end_where_blocks_do() {
        // Never used, and never closed.
        let handle = Handle::from_raw(std::ptr::dangling_mut::<c_void>()).unwrap();
        let handle = std::mem::ManuallyDrop::new(handle);
        let folder = tempfile::tempdir().unwrap();
        let raster = drawn(folder.path());
        let whole = Request {
            raster: &raster,
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

use std::borrow::Borrow;
use std::ffi::{c_int, c_void};
use std::path::{Path, PathBuf};

use gdal_sys::{GDALColorInterp, GDALDataType, GDALRWFlag};

use super::gdal_library::{self, Messages, StringList, c_path, c_string, go_on};
use super::handle::Handle;
use super::{Band, BandRole, GeoTransform, PixelWindow, RasterError, Size, color_table};
use crate::Result;
use crate::staged::StagedFile;

/// The type of the values in a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RasterType {
    /// 8 bits without sign.
    U8,
    /// 16 bits without sign.
    U16,
    /// 16 bits with sign.
    I16,
    /// 16-bit floating point: GDAL's 32-bit type with `NBITS=16`, since it has no type of its own before 3.11.
    F16,
    /// 32-bit floating point.
    F32,
}

impl RasterType {
    fn gdal(self) -> GDALDataType::Type {
        match self {
            Self::U8 => GDALDataType::GDT_Byte,
            Self::U16 => GDALDataType::GDT_UInt16,
            Self::I16 => GDALDataType::GDT_Int16,
            Self::F16 | Self::F32 => GDALDataType::GDT_Float32,
        }
    }
}

/// The largest number of IEEE 754's half floats.
const LARGEST_HALF: f64 = 65_504.0;

/// What a written file carries beside its pixels.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    nodata: Option<f64>,
    color_table: Vec<[u8; 3]>,
    transparent: Vec<u8>,
    category_names: Vec<String>,
    band_names: Vec<String>,
    /// Meaning, scale and offset of each band, where all of them are said.
    bands: Vec<(Option<BandRole>, f64, f64)>,
    cloud_optimized: bool,
    compressed: bool,
    alpha: bool,
    overviews: bool,
    scale: Option<(f64, f64)>,
    in_staging: bool,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            nodata: None,
            color_table: Vec::new(),
            transparent: Vec::new(),
            category_names: Vec::new(),
            band_names: Vec::new(),
            bands: Vec::new(),
            cloud_optimized: true,
            compressed: true,
            alpha: false,
            overviews: false,
            scale: None,
            in_staging: false,
        }
    }
}

impl WriterOptions {
    /// The value that stands for "no data".
    #[must_use]
    pub fn nodata(mut self, value: f64) -> Self {
        self.nodata = Some(value);
        self
    }

    /// Colors of the values 0, 1, … of a single `U8` band.
    #[must_use]
    pub fn color_table(mut self, colors: &[[u8; 3]]) -> Self {
        self.color_table = colors.to_vec();
        self
    }

    /// Values of the color table that a map shows nothing for, such as the background, so that imagery below is seen.
    /// TIFF knows no opacity in a color table: GDAL's side file (`.aux.xml`) says it, which QGIS and rasterio read. For
    /// cloud-optimized files alone.
    #[must_use]
    pub fn transparent(mut self, values: &[u8]) -> Self {
        self.transparent = values.to_vec();
        self
    }

    /// For one of many files of a folder that gets its place as a whole: the file is renamed, and not flushed to the disk
    /// for itself. For plain tiled files.
    #[must_use]
    pub(crate) fn in_staging(mut self) -> Self {
        self.in_staging = true;
        self
    }

    /// Names of the values 0, 1, … of the first band.
    #[must_use]
    pub fn category_names<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        self.category_names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// Names of the bands.
    #[must_use]
    pub fn band_names<S: AsRef<str>>(mut self, names: &[S]) -> Self {
        self.band_names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// What a stored value is multiplied by, and what is added after that, to have the unit of the band: said in the file,
    /// the values are written as they are given.
    #[must_use]
    pub fn scale(mut self, scale: f64, offset: f64) -> Self {
        self.scale = Some((scale, offset));
        self
    }

    /// Bands that are called, mean and are scaled as these: three of them are colors only where these are.
    pub(crate) fn for_bands(mut self, bands: &[Band]) -> Self {
        self.band_names = bands.iter().map(|band| band.name.clone()).collect();
        let of = |band: &Band| (band.role, band.scale, band.offset);
        self.bands = bands.iter().map(of).collect();
        self
    }

    /// Whether three bands are red, green and blue: so they are unless something else is said of them.
    fn are_colors(&self) -> bool {
        let colors = [BandRole::Red, BandRole::Green, BandRole::Blue];
        let mut roles = self.bands.iter().zip(colors);
        roles.all(|((role, ..), color)| *role == Some(color))
    }

    /// The last band says where the others are valid: 255 where they are, 0 where they are not.
    #[must_use]
    pub fn alpha(mut self) -> Self {
        self.alpha = true;
        self
    }

    /// A plain tiled GeoTIFF without overviews instead of a cloud-optimized one: written once, for files that are read
    /// block by block and thrown away.
    #[must_use]
    pub fn plain_tiles(mut self) -> Self {
        self.cloud_optimized = false;
        self
    }

    /// Adds smaller versions to a plain tiled file; a cloud-optimized one has them anyway.
    #[must_use]
    pub fn overviews(mut self) -> Self {
        self.overviews = true;
        self
    }

    /// Stores the pixels as they are: larger, quicker to read.
    #[must_use]
    pub fn uncompressed(mut self) -> Self {
        self.compressed = false;
        self
    }
}

mod sealed {
    pub trait Pixel: Copy + Into<f64> {
        const GDAL: gdal_sys::GDALDataType::Type;
    }
    impl Pixel for u8 {
        const GDAL: gdal_sys::GDALDataType::Type = gdal_sys::GDALDataType::GDT_Byte;
    }
    impl Pixel for u16 {
        const GDAL: gdal_sys::GDALDataType::Type = gdal_sys::GDALDataType::GDT_UInt16;
    }
    impl Pixel for f32 {
        const GDAL: gdal_sys::GDALDataType::Type = gdal_sys::GDALDataType::GDT_Float32;
    }
}

/// Values that [`RasterWriter`] takes: `u8`, `u16`, `f32`; they are converted to the file's type, clamped.
pub trait Pixel: sealed::Pixel {}
impl<T: sealed::Pixel> Pixel for T {}

/// Writes a GeoTIFF piece by piece. The file appears under its name only when [`RasterWriter::finish`] has completed it;
/// dropped before that, or when the disk is full, it leaves what was there untouched.
///
/// ```
/// use swath::raster::{GeoTransform, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions};
///
/// let path = std::env::temp_dir().join("swath-doc-writer.tif");
/// let grid = GeoTransform::north_up(500_000.0, 4_000_000.0, 0.5);
/// let mut writer =
///     RasterWriter::create(&path, Size::new(4, 2), 1, RasterType::U8, grid, "EPSG:32613", WriterOptions::default())?;
/// writer.write_window(&PixelWindow::new(0, 0, 4, 2), &[1u8, 2, 3, 4, 5, 6, 7, 8])?;
/// writer.finish()?;
/// assert_eq!(Raster::open(&path)?.read(&PixelWindow::new(3, 1, 1, 1))?.data, [8.0]);
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Debug)]
pub struct RasterWriter {
    dataset: Option<Handle>,
    /// Holds the tiles while they come in.
    tiles: StagedFile,
    target: PathBuf,
    size: Size,
    bands: usize,
    options: WriterOptions,
    raster_type: RasterType,
}

impl RasterWriter {
    /// Begins a file of `size` with `bands` bands. `crs_wkt` is WKT, a name such as `EPSG:3857`, or empty.
    ///
    /// # Errors
    /// [`RasterError::Write`] when the folder cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        size: Size,
        bands: usize,
        raster_type: RasterType,
        transform: GeoTransform,
        crs_wkt: &str,
        options: impl Borrow<WriterOptions>,
    ) -> Result<Self> {
        let options = options.borrow().clone();
        let target = crate::paths::expanded(path.as_ref()).into_owned();
        let fail = |detail: String| RasterError::Write {
            path: target.clone(),
            detail,
        };
        if size.area() == 0 || bands == 0 || size.width > 1 << 30 || size.height > 1 << 30 {
            return Err(RasterError::BadSize {
                path: target,
                found: size,
            }
            .into());
        }
        let tiles = StagedFile::new(&target, "tiles").map_err(|error| fail(error.to_string()))?;
        let (name, driver) = (c_path(tiles.path()), c_string("GTiff"));
        let creation = StringList::new(creation_options(&options, bands, raster_type));
        let (dataset, messages) = gdal_library::with_messages(|| {
            // SAFETY: all strings outlive the call, and the sizes were checked.
            unsafe {
                gdal_sys::GDALCreate(
                    gdal_sys::GDALGetDriverByName(driver.as_ptr()),
                    name.as_ptr(),
                    size.width as c_int,
                    size.height as c_int,
                    bands as c_int,
                    raster_type.gdal(),
                    creation.as_ptr(),
                )
            }
        });
        let dataset = Handle::from_raw(dataset)
            .ok_or_else(|| fail(messages.joined("GDAL cannot create the file")))?;
        let writer = Self {
            dataset: Some(dataset),
            tiles,
            target,
            size,
            bands,
            options,
            raster_type,
        };
        writer.describe(transform, crs_wkt)?;
        Ok(writer)
    }

    /// The size of the file.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Writes a window inside the file.
    ///
    /// # Shapes
    /// `values`: `[bands, window.height, window.width]`
    ///
    /// # Errors
    /// [`RasterError::WrongLength`], [`RasterError::OutsideTarget`]; [`RasterError::Write`] when the disk is full.
    pub fn write_window<T: Pixel>(&mut self, window: &PixelWindow, values: &[T]) -> Result<()> {
        let expected = window.area() * self.bands;
        if values.len() != expected {
            return Err(RasterError::WrongLength {
                expected,
                found: values.len(),
            }
            .into());
        }
        if window.is_empty() {
            return Ok(());
        }
        if !PixelWindow::full(self.size).contains(window) {
            return Err(RasterError::OutsideTarget {
                window: *window,
                size: self.size,
            }
            .into());
        }
        let Some(dataset) = &self.dataset else {
            return Ok(());
        };
        if self.raster_type == RasterType::F16 {
            let mut values = values.iter().map(|&value| value.into());
            if let Some(value) =
                values.find(|value: &f64| value.is_finite() && value.abs() > LARGEST_HALF)
            {
                return Err(RasterError::Write {
                    path: self.target.clone(),
                    detail: format!("{value} is beyond the range of 16-bit floats"),
                }
                .into());
            }
        }
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the window lies inside the file, and `values` holds it for every band. GDAL only reads from the
            // buffer when writing, though it takes it as mutable.
            unsafe {
                gdal_sys::GDALDatasetRasterIOEx(
                    dataset.raw(),
                    GDALRWFlag::GF_Write,
                    window.col as c_int,
                    window.row as c_int,
                    window.width as c_int,
                    window.height as c_int,
                    values.as_ptr().cast_mut().cast::<c_void>(),
                    window.width as c_int,
                    window.height as c_int,
                    T::GDAL,
                    self.bands as c_int,
                    std::ptr::null_mut(),
                    0,
                    0,
                    0,
                    std::ptr::null_mut(),
                ) != 0
            }
        });
        self.checked(failed, &messages)
    }

    /// Writes whole rows from `row` on.
    ///
    /// # Shapes
    /// `values`: `[bands, rows, width]`
    ///
    /// # Errors
    /// As [`RasterWriter::write_window`].
    pub fn write_rows<T: Pixel>(&mut self, row: usize, values: &[T]) -> Result<()> {
        let rows = values.len() / (self.size.width * self.bands);
        self.write_window(
            &PixelWindow::new(0, row as i64, self.size.width, rows),
            values,
        )
    }

    /// Says which pixels are valid, by a mask inside the file (`GDAL_TIFF_INTERNAL_MASK`) that counts for all bands. For plain
    /// tiled files.
    ///
    /// # Shapes
    /// `valid`: `[height, width]` of the file, 1 where valid.
    ///
    /// # Errors
    /// As [`RasterWriter::write_window`].
    pub(crate) fn write_mask(&mut self, valid: &[u8]) -> Result<()> {
        if valid.len() != self.size.area() {
            return Err(RasterError::WrongLength {
                expected: self.size.area(),
                found: valid.len(),
            }
            .into());
        }
        let Some(dataset) = &self.dataset else {
            return Ok(());
        };
        let mask: Vec<u8> = valid
            .iter()
            .map(|&one| if one == 0 { 0 } else { 255 })
            .collect();
        let (width, height) = (self.size.width as c_int, self.size.height as c_int);
        let option = c_string("GDAL_TIFF_INTERNAL_MASK");
        let (yes, of_all_bands) = (c_string("YES"), 2);
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the dataset is open for writing, all strings outlive the calls, the option is this thread's alone and
            // taken back, and the buffer holds the whole mask, from which GDAL only reads.
            unsafe {
                gdal_sys::CPLSetThreadLocalConfigOption(option.as_ptr(), yes.as_ptr());
                let failed = gdal_sys::GDALCreateDatasetMaskBand(dataset.raw(), of_all_bands) != 0;
                gdal_sys::CPLSetThreadLocalConfigOption(option.as_ptr(), std::ptr::null());
                failed || {
                    let first = gdal_sys::GDALGetRasterBand(dataset.raw(), 1);
                    gdal_sys::GDALRasterIO(
                        gdal_sys::GDALGetMaskBand(first),
                        GDALRWFlag::GF_Write,
                        0,
                        0,
                        width,
                        height,
                        mask.as_ptr().cast_mut().cast::<c_void>(),
                        width,
                        height,
                        GDALDataType::GDT_Byte,
                        0,
                        0,
                    ) != 0
                }
            }
        });
        self.checked(failed, &messages)
    }

    /// Completes the file: overviews and the cloud-optimized layout where asked for, flushed to the disk, then renamed
    /// over what was there.
    ///
    /// # Errors
    /// [`RasterError::Write`] when the disk is full, [`crate::Error::Interrupted`] when the user asked to stop; a file
    /// that was there before is then untouched.
    pub fn finish(mut self) -> Result<PathBuf> {
        let Some(dataset) = self.dataset.take() else {
            return Ok(self.target);
        };
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the dataset is open.
            unsafe { gdal_sys::GDALFlushCache(dataset.raw()) };
            let failed = self.options.overviews
                && !self.options.cloud_optimized
                && !self.build_overviews(&dataset);
            if !self.options.cloud_optimized {
                drop(dataset);
            }
            failed
        });
        // GDAL before 3.7 reports a failed flush or close through messages alone.
        self.checked(failed, &messages)?;
        let io = |error: std::io::Error| RasterError::Write {
            path: self.target.clone(),
            detail: error.to_string(),
        };
        let sidecar = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(".aux.xml");
            PathBuf::from(name)
        };
        if !self.options.cloud_optimized {
            check_complete(self.tiles.path(), &self.target)?;
            // Category names live in GDAL's side file.
            let from = sidecar(self.tiles.path());
            if !self.options.category_names.is_empty() && from.exists() {
                std::fs::rename(from, sidecar(self.tiles.target())).map_err(io)?;
            }
            match self.options.in_staging {
                true => self.tiles.rename().map_err(io)?,
                false => self.tiles.commit().map_err(io)?,
            }
            return Ok(self.target);
        }
        let final_file = StagedFile::new(&self.target, "cog").map_err(io)?;
        self.translate(final_file.path())?;
        self.mark_transparent(final_file.path())?;
        check_complete(final_file.path(), &self.target)?;
        // Category names and transparent colors live in GDAL's side file; without it the metadata inside the TIFF still has
        // the names.
        let (from, to) = (sidecar(final_file.path()), sidecar(final_file.target()));
        let staged_sidecar = from.exists();
        if !staged_sidecar {
            let _ = std::fs::remove_file(&to);
        } else if let Err(error) = std::fs::rename(&from, &to) {
            return Err(io(error).into());
        }
        final_file.commit().map_err(io)?;
        Ok(self.target)
    }

    /// Halves until the longest side is about a screen's.
    fn build_overviews(&self, dataset: &Handle) -> bool {
        let longest = self.size.width.max(self.size.height);
        let mut factors: Vec<c_int> = std::iter::successors(Some(2), |factor| Some(factor * 2))
            .take_while(|&factor| longest / factor as usize >= 256)
            .collect();
        if factors.is_empty() {
            return true;
        }
        let method = c_string(if self.is_classes() { "MODE" } else { "AVERAGE" });
        // SAFETY: the dataset is open for writing; no band list stands for all bands.
        unsafe {
            gdal_sys::GDALBuildOverviews(
                dataset.raw(),
                method.as_ptr(),
                factors.len() as c_int,
                factors.as_mut_ptr(),
                0,
                std::ptr::null_mut(),
                Some(go_on),
                std::ptr::null_mut(),
            ) == 0
        }
    }

    fn translate(&self, path: &Path) -> Result<()> {
        let source = Handle::open(self.tiles.path())?;
        let (name, driver) = (c_path(path), c_string("COG"));
        let resampling = if self.is_classes() { "MODE" } else { "AVERAGE" };
        let predictor = match self.raster_type {
            RasterType::U8 => "NO",
            // GDAL 3.11 and later refuse the predictor for floats of 16 bits, which "YES" would be.
            RasterType::F16 => "STANDARD",
            _ => "YES",
        };
        let options = StringList::new([
            if self.options.compressed {
                "COMPRESS=DEFLATE"
            } else {
                "COMPRESS=NONE"
            }
            .to_owned(),
            format!("PREDICTOR={predictor}"),
            format!("OVERVIEW_RESAMPLING={resampling}"),
            "BIGTIFF=IF_SAFER".to_owned(),
            format!("NUM_THREADS={}", rayon::current_num_threads()),
        ]);
        let (copied, messages) = gdal_library::with_messages(|| {
            // SAFETY: the source is open and all strings outlive the call.
            let copy = unsafe {
                gdal_sys::GDALCreateCopy(
                    gdal_sys::GDALGetDriverByName(driver.as_ptr()),
                    name.as_ptr(),
                    source.raw(),
                    0,
                    options.as_ptr().cast(),
                    Some(go_on),
                    std::ptr::null_mut(),
                )
            };
            Handle::from_raw(copy).is_some()
        });
        self.checked(!copied, &messages)
    }

    /// Says in the side file of a complete file which colors are transparent.
    fn mark_transparent(&self, path: &Path) -> Result<()> {
        let (colors, transparent) = (&self.options.color_table, &self.options.transparent);
        if transparent.is_empty() || !self.has_color_table() {
            return Ok(());
        }
        let entries = color_table::with_opacity(colors, transparent, self.options.nodata);
        // Open for reading alone, GDAL writes what it is told beside the file and leaves the file as it is.
        let dataset = Handle::open(path)?;
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the dataset is open and has one band, as the color table that was asked for needs.
            let failed = unsafe {
                let band = gdal_sys::GDALGetRasterBand(dataset.raw(), 1);
                color_table::set(band, &entries)
            };
            drop(dataset);
            failed
        });
        self.checked(failed, &messages)
    }

    fn has_color_table(&self) -> bool {
        self.bands == 1
            && self.raster_type == RasterType::U8
            && !self.options.color_table.is_empty()
    }

    fn is_classes(&self) -> bool {
        !self.options.color_table.is_empty() || !self.options.category_names.is_empty()
    }

    fn describe(&self, transform: GeoTransform, crs_wkt: &str) -> Result<()> {
        let Some(dataset) = &self.dataset else {
            return Ok(());
        };
        let dataset = dataset.raw();
        let wkt = if crs_wkt.is_empty() {
            String::new()
        } else {
            super::crs::parse(crs_wkt)?
                .to_wkt()
                .unwrap_or_else(|_| crs_wkt.to_owned())
        };
        let (wkt, mut transform) = (c_string(&wkt), transform.0);
        let (failed, messages) = gdal_library::with_messages(|| {
            // SAFETY: the dataset is open for writing, band numbers run from 1 to `bands`, and GDAL copies all it is given.
            unsafe {
                let mut failed =
                    gdal_sys::GDALSetGeoTransform(dataset, transform.as_mut_ptr()) != 0;
                if !wkt.is_empty() {
                    failed |= gdal_sys::GDALSetProjection(dataset, wkt.as_ptr()) != 0;
                }
                for number in 1..=self.bands {
                    let band = gdal_sys::GDALGetRasterBand(dataset, number as c_int);
                    if let Some(value) = self.options.nodata {
                        failed |= gdal_sys::GDALSetRasterNoDataValue(band, value) != 0;
                    }
                    if let Some((scale, offset)) = self.options.scale {
                        failed |= gdal_sys::GDALSetRasterScale(band, scale) != 0;
                        failed |= gdal_sys::GDALSetRasterOffset(band, offset) != 0;
                    }
                    if let Some(name) = self.options.band_names.get(number - 1) {
                        gdal_sys::GDALSetDescription(band, c_string(name).as_ptr());
                    }
                    if let Some(&(role, scale, offset)) = self.options.bands.get(number - 1) {
                        failed |=
                            gdal_sys::GDALSetRasterColorInterpretation(band, interpretation(role))
                                != 0;
                        if scale.to_bits() != 1.0_f64.to_bits() {
                            failed |= gdal_sys::GDALSetRasterScale(band, scale) != 0;
                        }
                        if offset != 0.0 {
                            failed |= gdal_sys::GDALSetRasterOffset(band, offset) != 0;
                        }
                    }
                }
                let first = gdal_sys::GDALGetRasterBand(dataset, 1);
                if self.has_color_table() {
                    color_table::set(first, &color_table::opaque(&self.options.color_table));
                }
                if !self.options.category_names.is_empty() {
                    let names = StringList::new(&self.options.category_names);
                    gdal_sys::GDALSetRasterCategoryNames(first, names.as_ptr().cast());
                    for (value, name) in self.options.category_names.iter().enumerate() {
                        let key = c_string(&format!("CLASS_{value}"));
                        gdal_sys::GDALSetMetadataItem(
                            dataset,
                            key.as_ptr(),
                            c_string(name).as_ptr(),
                            std::ptr::null(),
                        );
                    }
                }
                failed
            }
        });
        if failed {
            self.checked(true, &messages)
        } else {
            Ok(())
        }
    }

    fn checked(&self, failed: bool, messages: &Messages) -> Result<()> {
        // Tiles reach over the edge, with whatever lay in memory there: GDAL converts it, too, and calls a number that is no
        // half float a failure. Those of the raster were looked at.
        let allowed = (self.raster_type == RasterType::F16).then_some("beyond range of float16");
        if !failed && !messages.failed_but_for(allowed) {
            return Ok(());
        }
        crate::session::check_interrupt("writing imagery")?;
        let detail = messages.joined("GDAL gives no reason");
        Err(RasterError::Write {
            path: self.target.clone(),
            detail,
        }
        .into())
    }
}

/// What GDAL calls the meaning of a band, where every version of it has a word.
fn interpretation(role: Option<BandRole>) -> GDALColorInterp::Type {
    match role {
        Some(BandRole::Gray) => GDALColorInterp::GCI_GrayIndex,
        Some(BandRole::Red) => GDALColorInterp::GCI_RedBand,
        Some(BandRole::Green) => GDALColorInterp::GCI_GreenBand,
        Some(BandRole::Blue) => GDALColorInterp::GCI_BlueBand,
        _ => GDALColorInterp::GCI_Undefined,
    }
}

/// Opens what was written once more: a file whose directory was lost with the disk's last byte does not open.
fn check_complete(path: &Path, target: &Path) -> Result<(), RasterError> {
    Handle::open(path)
        .map(drop)
        .map_err(|error| RasterError::Write {
            path: target.to_owned(),
            detail: format!("the written file does not open again: {error}"),
        })
}

fn creation_options(options: &WriterOptions, bands: usize, raster_type: RasterType) -> Vec<String> {
    let mut list = vec![
        "TILED=YES".to_owned(),
        "BLOCKXSIZE=256".to_owned(),
        "BLOCKYSIZE=256".to_owned(),
        "BIGTIFF=IF_SAFER".to_owned(),
        if bands > 1 {
            "INTERLEAVE=PIXEL"
        } else {
            "INTERLEAVE=BAND"
        }
        .to_owned(),
        // A file that becomes a COG is read once more at once: quick beats small.
        match (options.compressed, options.cloud_optimized) {
            (true, false) => "COMPRESS=DEFLATE",
            _ => "COMPRESS=NONE",
        }
        .to_owned(),
    ];
    if options.compressed && !options.cloud_optimized {
        list.push("ZLEVEL=1".to_owned());
    }
    if raster_type == RasterType::F16 {
        // A copy as cloud-optimized GeoTIFF takes it over.
        list.push("NBITS=16".to_owned());
    }
    let colors = if options.alpha { bands - 1 } else { bands };
    list.push(
        if colors == 3 && options.are_colors() {
            "PHOTOMETRIC=RGB"
        } else {
            "PHOTOMETRIC=MINISBLACK"
        }
        .to_owned(),
    );
    if bands > 1 {
        list.push(
            if options.alpha {
                "ALPHA=YES"
            } else {
                "ALPHA=NO"
            }
            .to_owned(),
        );
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that was just allocated holds what would be a number of 10^35 (glibc's `M_PERTURB`): where tiles reach over the
    /// edge, GDAL converts it to half floats with the rest.
    #[test]
    fn half_floats_do_not_go_by_what_lies_beyond_the_edge() -> Result<()> {
        const GARBAGE: std::ffi::c_int = 0x85;
        let folder = tempfile::tempdir().expect("a folder");
        let size = Size::new(300, 270);
        let grid = GeoTransform::north_up(0.0, 0.0, 1.0);
        let values: Vec<f32> = (0..2 * size.area())
            .map(|at| at as f32 / 200_000.0)
            .collect();
        let write = |name: &str, values: &[f32]| -> Result<PathBuf> {
            let options = WriterOptions::default().nodata(f64::NAN);
            let path = folder.path().join(name);
            let mut writer =
                RasterWriter::create(path, size, 2, RasterType::F16, grid, "", options)?;
            writer.write_rows(0, values)?;
            writer.finish()
        };
        // SAFETY: it only fills memory that nobody may read before it is written; large blocks come from the heap, too, instead of
        // fresh pages.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 25);
            libc::mallopt(libc::M_PERTURB, GARBAGE);
        }
        let written = write("half.tif", &values);
        // SAFETY: as above.
        unsafe { libc::mallopt(libc::M_PERTURB, 0) };
        let patch = super::super::Raster::open(written?)?.read(&PixelWindow::full(size))?;
        assert!(
            patch
                .data
                .iter()
                .zip(&values)
                .all(|(one, two)| (one - two).abs() < 1e-3)
        );
        // What the raster itself holds is looked at.
        let mut wrong = values;
        wrong[17] = -65_505.0;
        let text = write("wrong.tif", &wrong)
            .expect_err("no half float")
            .to_string();
        assert!(text.contains("-65505 is beyond the range"), "{text}");
        Ok(())
    }
}

//! Arrays as rasters of GDAL: a description (a VRT of raw bands) in GDAL's own memory, over values that are in memory or in
//! a file. Every thread opens it by its name as it opens a file, and reads windows without a copy of the whole.

use std::collections::HashMap;
use std::ffi::CString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::gdal_library::{self, c_path};
use super::{DataType, GeoReference, RasterError, Size, crs};
use crate::display::escape;
use crate::report::Report;

/// Where the descriptions of arrays lie for GDAL.
const FOLDER: &str = crate::paths::ARRAYS;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number of this process: a model that was trained on the first array of one session is not to be told that the first array of
/// another is what it was trained on.
fn process() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    static NUMBER: OnceLock<u64> = OnceLock::new();
    // Seeded at random by the standard library.
    *NUMBER.get_or_init(|| std::hash::RandomState::new().build_hasher().finish())
}

/// Those that somebody still holds, by name, so that a raster that is opened by name holds its array, too.
static ALL: Mutex<Option<HashMap<PathBuf, Weak<Held>>>> = Mutex::new(None);

/// Values in memory.
#[derive(Debug)]
pub enum Values {
    Bytes(Vec<u8>),
    I8(Vec<i8>),
    U16(Vec<u16>),
    I16(Vec<i16>),
    U32(Vec<u32>),
    I32(Vec<i32>),
    U64(Vec<u64>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl Values {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(values) => values,
            Self::I8(values) => bytemuck::cast_slice(values),
            Self::U16(values) => bytemuck::cast_slice(values),
            Self::I16(values) => bytemuck::cast_slice(values),
            Self::U32(values) => bytemuck::cast_slice(values),
            Self::I32(values) => bytemuck::cast_slice(values),
            Self::U64(values) => bytemuck::cast_slice(values),
            Self::I64(values) => bytemuck::cast_slice(values),
            Self::F32(values) => bytemuck::cast_slice(values),
            Self::F64(values) => bytemuck::cast_slice(values),
        }
    }
}

/// Where the values are.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Values),
    /// A file by GDAL's name.
    File(PathBuf),
}

/// How values are stored; steps and the start are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) size: Size,
    pub(super) bands: usize,
    pub(super) value: DataType,
    pub(super) big_endian: bool,
    pub(super) start: u64,
    pub(super) to_next_pixel: u64,
    pub(super) to_next_row: u64,
    pub(super) to_next_band: u64,
}

/// The bytes of one value.
pub(super) const fn bytes_of(value: DataType) -> usize {
    match value {
        DataType::U8 | DataType::I8 => 1,
        DataType::U16 | DataType::I16 | DataType::F16 => 2,
        DataType::U32 | DataType::I32 | DataType::F32 => 4,
        _ => 8,
    }
}

/// What is said of the bands and their place.
#[derive(Clone, Debug, Default)]
pub(super) struct About {
    pub(super) names: Vec<String>,
    pub(super) nodata: Option<f64>,
    pub(super) place: Option<GeoReference>,
}

/// An array that GDAL opens by [`Held::name`], as long as somebody holds this.
#[derive(Debug)]
pub(super) struct Held {
    name: PathBuf,
    /// GDAL reads it from here.
    _text: Vec<u8>,
    _values: Option<Values>,
    raw: Option<PathBuf>,
    /// The file that the values come from.
    pub(super) file: Option<PathBuf>,
    /// `MEM` or `NumPy`, as the raster's format.
    pub(super) format: &'static str,
    /// What was assumed or converted.
    pub(super) report: Report,
}

impl Held {
    /// Describes an array to GDAL under a name that ends in `stem`.
    ///
    /// # Errors
    /// [`RasterError::Crs`] for a place in an unknown system; [`RasterError::NotARaster`] when GDAL has no memory for it.
    pub(super) fn new(
        stem: &str,
        source: Source,
        layout: &Layout,
        about: &About,
        file: Option<PathBuf>,
        report: Report,
    ) -> Result<Arc<Self>, RasterError> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let stem: String = stem
            .chars()
            .map(|letter| {
                if "/\\\0".contains(letter) {
                    '_'
                } else {
                    letter
                }
            })
            .collect();
        let stem = if stem.is_empty() { "array" } else { &stem };
        let folder = format!("{FOLDER}{:x}-{number}/", process());
        let name = PathBuf::from(format!("{folder}{stem}"));
        let format = if file.is_some() { "NumPy" } else { "MEM" };
        let (read_from, raw, values) = match source {
            Source::Memory(values) => {
                let raw = PathBuf::from(format!("{folder}{stem}.raw"));
                (raw.clone(), Some(raw), Some(values))
            }
            Source::File(path) => (path, None, None),
        };
        let text = described(layout, about, &read_from)?.into_bytes();
        let held = Self {
            name,
            _text: text,
            _values: values,
            raw,
            file,
            format,
            report,
        };
        if let (Some(raw), Some(values)) = (&held.raw, &held._values) {
            // SAFETY: the values live as long as `held`, whose drop takes the name away.
            unsafe { lend(raw, values.bytes())? };
        }
        // SAFETY: as above.
        unsafe { lend(&held.name, &held._text)? };
        let held = Arc::new(held);
        with_all(|all| all.insert(held.name.clone(), Arc::downgrade(&held)));
        Ok(held)
    }

    /// What GDAL opens.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// The array of a name that is still held.
    pub(super) fn named(name: &Path) -> Option<Arc<Self>> {
        if !is_held(name) {
            return None;
        }
        with_all(|all| all.get(name).and_then(Weak::upgrade))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        with_all(|all| all.remove(&self.name));
        for name in std::iter::once(&self.name).chain(&self.raw) {
            let name = c_path(name);
            // SAFETY: the name is a C string. Handles that threads still have open know the file by GDAL's own count, and none
            // of them reads any more: they are found by the raster, which is gone.
            gdal_library::with_messages(|| unsafe { gdal_sys::VSIUnlink(name.as_ptr()) });
        }
    }
}

/// Whether a name is that of an array.
pub(super) fn is_held(name: &Path) -> bool {
    name.as_os_str()
        .as_encoded_bytes()
        .starts_with(FOLDER.as_bytes())
}

fn with_all<T>(work: impl FnOnce(&mut HashMap<PathBuf, Weak<Held>>) -> T) -> T {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    work(all.get_or_insert_with(HashMap::new))
}

/// Lends bytes to GDAL as a file of this name.
///
/// # Safety
/// The bytes stay where they are, unchanged, until the name is unlinked and nobody reads the file any more.
unsafe fn lend(name: &Path, bytes: &[u8]) -> Result<(), RasterError> {
    let text: CString = c_path(name);
    let (lent, messages) = gdal_library::with_messages(|| {
        // SAFETY: by the caller's promise; GDAL is not given the bytes, and rasters are opened for reading alone.
        unsafe {
            let file = gdal_sys::VSIFileFromMemBuffer(
                text.as_ptr(),
                bytes.as_ptr().cast_mut(),
                bytes.len() as u64,
                0,
            );
            !file.is_null() && gdal_sys::VSIFCloseL(file) == 0
        }
    });
    match lent {
        true => Ok(()),
        false => Err(RasterError::NotARaster {
            path: name.to_owned(),
            detail: messages.joined("GDAL does not take the array"),
        }),
    }
}

/// The text of the virtual raster.
///
/// # Source
/// `VRTRawRasterBand` of <https://gdal.org/en/stable/drivers/raster/vrt.html>.
fn described(layout: &Layout, about: &About, read_from: &Path) -> Result<String, RasterError> {
    let Size { width, height } = layout.size;
    let mut text = format!("<VRTDataset rasterXSize=\"{width}\" rasterYSize=\"{height}\">\n");
    if let Some(place) = &about.place {
        if place.has_system() {
            let system = crs::parse(&place.crs_wkt)?;
            let wkt = system.to_wkt().unwrap_or_else(|_| place.crs_wkt.clone());
            let _ = writeln!(text, "<SRS>{}</SRS>", escape(&wkt));
        }
        let numbers: Vec<String> = place.transform.0.iter().map(f64::to_string).collect();
        let _ = writeln!(text, "<GeoTransform>{}</GeoTransform>", numbers.join(", "));
    }
    let (kind, signed) = match layout.value {
        DataType::I8 => ("Byte", true),
        DataType::U16 => ("UInt16", false),
        DataType::I16 => ("Int16", false),
        DataType::U32 => ("UInt32", false),
        DataType::I32 => ("Int32", false),
        DataType::U64 => ("UInt64", false),
        DataType::I64 => ("Int64", false),
        DataType::F32 => ("Float32", false),
        DataType::F64 => ("Float64", false),
        _ => ("Byte", false),
    };
    let file = escape(&read_from.to_string_lossy());
    let order = if layout.big_endian { "MSB" } else { "LSB" };
    for band in 0..layout.bands {
        let _ = writeln!(
            text,
            "<VRTRasterBand dataType=\"{kind}\" band=\"{}\" subClass=\"VRTRawRasterBand\">",
            band + 1
        );
        if signed {
            text += "<Metadata domain=\"IMAGE_STRUCTURE\"><MDI key=\"PIXELTYPE\">SIGNEDBYTE</MDI></Metadata>\n";
        }
        if let Some(name) = about.names.get(band) {
            let _ = writeln!(text, "<Description>{}</Description>", escape(name));
        }
        if let Some(nodata) = about.nodata {
            let _ = writeln!(text, "<NoDataValue>{nodata}</NoDataValue>");
        }
        let at = layout.start + band as u64 * layout.to_next_band;
        let _ = writeln!(
            text,
            "<SourceFilename relativeToVRT=\"0\">{file}</SourceFilename><ImageOffset>{at}</ImageOffset>\
             <PixelOffset>{}</PixelOffset><LineOffset>{}</LineOffset><ByteOrder>{order}</ByteOrder>\
             </VRTRasterBand>",
            layout.to_next_pixel, layout.to_next_row
        );
    }
    text += "</VRTDataset>\n";
    Ok(text)
}

//! Imagery and labels that are arrays in memory.

use ndarray::{ArrayBase, Data, Ix2, Ix3, IxDyn};

use super::array_error::{ArrayError, shape_words};
use super::held::{About, Held, Layout, Source, Values, bytes_of};
use super::{DataType, GeoReference, OpenOptions, Raster, RasterError, Size, crs};
use crate::Result;
use crate::report::{Notice, Report};

/// GDAL counts columns and rows in 32 bits, and bands in 16.
const LONGEST: usize = i32::MAX as usize;
const MOST_BANDS: usize = u16::MAX as usize;

mod sealed {
    use super::{DataType, Values};

    pub trait ArrayValue: Copy {
        const TYPE: DataType;
        fn held(values: Vec<Self>) -> Values;
    }

    macro_rules! held {
        ($($number:ty => $kind:ident, $variant:ident;)+) => {$(
            impl ArrayValue for $number {
                const TYPE: DataType = DataType::$kind;
                fn held(values: Vec<Self>) -> Values {
                    Values::$variant(values)
                }
            }
        )+};
    }
    held! {
        u8 => U8, Bytes;
        i8 => I8, I8;
        u16 => U16, U16;
        i16 => I16, I16;
        u32 => U32, U32;
        i32 => I32, I32;
        u64 => U64, U64;
        i64 => I64, I64;
        f32 => F32, F32;
        f64 => F64, F64;
    }

    impl ArrayValue for bool {
        const TYPE: DataType = DataType::U8;
        fn held(values: Vec<Self>) -> Values {
            Values::Bytes(values.into_iter().map(u8::from).collect())
        }
    }
}

/// Numbers that arrays of imagery and labels are made of: whole ones of 8 to 64 bits, `f32`, `f64`, and `bool` as 0 and 1.
/// Complex ones are not.
#[diagnostic::on_unimplemented(
    message = "an array of `{Self}` cannot be imagery",
    note = "`array.mapv(f32::from)` or `array.mapv(|value| value as f32)` makes real numbers; of complex ones `value.norm()`"
)]
pub trait ArrayValue: sealed::ArrayValue {}
impl<T: sealed::ArrayValue> ArrayValue for T {}

/// An array in memory, with what a file would say beside it: names of bands, a nodata value, a place on the ground.
///
/// It is made of arrays of the crate `ndarray` (as [`crate::ndarray`]), owned or borrowed, whatever their strides, and of
/// Burn's tensors. Two axes are (rows, columns), three are (bands, rows, columns) unless [`ImageArray::bands_last`] says
/// otherwise. An owned array in standard layout is taken without a copy; others are copied once.
///
/// ```
/// use swath::ndarray::Array3;
/// use swath::prelude::*;
/// use swath::raster::{GeoReference, GeoTransform};
///
/// let values = Array3::<u16>::from_shape_fn((2, 30, 40), |(band, row, col)| (100 * band + row + col) as u16);
/// let place = GeoReference::new(GeoTransform::north_up(500_000.0, 4_000_000.0, 10.0), "EPSG:32613");
/// let array = ImageArray::new(values).band_names(["red", "nir"]).nodata(0.0).place(place);
/// let scene = Scene::from_array(array)?;
/// assert_eq!((scene.size(), scene.band_count()), ((40, 30), 2));
/// assert_eq!(scene.raster().crs_name(), "EPSG:32613");
/// # Ok::<(), swath::Error>(())
/// ```
pub struct ImageArray {
    shape: Vec<usize>,
    value: DataType,
    values: Values,
    /// A type that is none of imagery, in words.
    refused: Option<String>,
    bands_last: bool,
    name: String,
    about: About,
    report: Report,
}

/// `ImageArray((3, 256, 256), Float32)`: not its values.
impl std::fmt::Debug for ImageArray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ImageArray({}, {})",
            shape_words(&self.shape),
            self.value
        )
    }
}

impl ImageArray {
    /// An array, without names and place.
    #[must_use]
    pub fn new(array: impl Into<Self>) -> Self {
        array.into()
    }

    /// Values in standard layout, the last axis running fastest.
    pub(crate) fn of_values<T: ArrayValue>(values: Vec<T>, shape: Vec<usize>) -> Self {
        Self {
            shape,
            value: <T as sealed::ArrayValue>::TYPE,
            values: <T as sealed::ArrayValue>::held(values),
            refused: None,
            bands_last: false,
            name: "array".to_owned(),
            about: About::default(),
            report: Report::new(),
        }
    }

    /// What cannot be imagery, and is refused when it is opened.
    pub(crate) fn refused(shape: Vec<usize>, kind: String) -> Self {
        Self {
            refused: Some(kind),
            ..Self::of_values(Vec::<u8>::new(), shape)
        }
    }

    /// This array with what there is to say of it.
    pub(crate) fn with_notice(mut self, notice: Notice) -> Self {
        self.report.push(notice);
        self
    }

    /// The last of three axes counts the bands, (rows, columns, bands): as NumPy, OpenCV and TensorFlow have images.
    #[must_use]
    #[doc(alias = "channels_last")]
    #[doc(alias = "hwc")]
    pub fn bands_last(mut self) -> Self {
        self.bands_last = true;
        self
    }

    /// A name for each band. Names such as `red`, `nir` or `B08` also say what a band shows.
    #[must_use]
    pub fn band_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.about.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// The value that stands for "no data" in every band. NaN and infinities are invalid anyway.
    #[must_use]
    pub fn nodata(mut self, value: f64) -> Self {
        self.about.nodata = Some(value);
        self
    }

    /// Where the pixels lie: a transform and a coordinate reference system, such as another raster's
    /// [`Raster::georeference`].
    #[must_use]
    #[doc(alias = "transform")]
    #[doc(alias = "crs")]
    #[doc(alias = "georeference")]
    pub fn place(mut self, place: GeoReference) -> Self {
        self.about.place = Some(place);
        self
    }

    /// What it is called in pictures, tables and saved files: `array` unless this says otherwise.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Whether somebody said where it lies.
    pub(crate) fn has_place(&self) -> bool {
        self.about.place.is_some()
    }

    /// Columns and rows, when the array has such axes.
    pub(crate) fn size(&self) -> Option<Size> {
        match (self.shape.as_slice(), self.bands_last) {
            (&[height, width], _) | (&[_, height, width], false) | (&[height, width, _], true) => {
                Some(Size::new(width, height))
            }
            _ => None,
        }
    }

    /// What is known of it, for a person.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let axes = match (self.shape.len(), self.bands_last) {
            (2, _) => "(rows, columns)",
            (_, true) => "(rows, columns, bands)",
            (_, false) => "(bands, rows, columns)",
        };
        let mut facts = vec![
            ("name", self.name.clone()),
            ("shape", format!("{} as {axes}", shape_words(&self.shape))),
            ("type", self.value.to_string()),
        ];
        if !self.about.names.is_empty() {
            facts.push((
                "bands",
                crate::display::fields::shortened(&self.about.names.join(", "), 76),
            ));
        }
        if let Some(nodata) = self.about.nodata {
            facts.push(("nodata", nodata.to_string()));
        }
        if let Some(place) = &self.about.place {
            facts.push(("system", crs::short_name(&place.crs_wkt)));
        }
        facts
    }

    fn held(self) -> Result<std::sync::Arc<Held>, RasterError> {
        let Self {
            shape,
            value,
            values,
            refused,
            bands_last,
            name,
            about,
            mut report,
        } = self;
        if let Some(found) = refused {
            return Err(ArrayError::Type { found, path: None }.into());
        }
        let layout = layout(&shape, bands_last, value, None)?;
        if !about.names.is_empty() && about.names.len() != layout.bands {
            return Err(ArrayError::Names {
                expected: layout.bands,
                found: about.names.len(),
            }
            .into());
        }
        if let (&[bands, rows, last @ 1..=4], false) = (shape.as_slice(), bands_last)
            && bands > 16
        {
            report.push(
                Notice::assumed(format!(
                    "the axes are (bands, rows, columns): {bands} bands of {last} x {rows} pixels"
                ))
                .next("`ImageArray::new(array).bands_last()` takes (rows, columns, bands)"),
            );
        }
        let mut about = about;
        about.names = names_of(about.names, &layout, &mut report);
        Held::new(&name, Source::Memory(values), &layout, &about, None, report)
    }
}

/// The names of the bands: those given, or the colors of a picture.
pub(super) fn names_of(given: Vec<String>, layout: &Layout, report: &mut Report) -> Vec<String> {
    if !given.is_empty() || layout.bands != 3 || layout.value != DataType::U8 {
        return given;
    }
    report.push(
        Notice::assumed(
            "an array says nothing of its bands: three of 8 bits were taken as red, green and blue",
        )
        .next("`ImageArray::new(array).band_names([…])` names others"),
    );
    ["red", "green", "blue"].map(str::to_owned).to_vec()
}

/// How an array in standard layout is read as imagery.
pub(super) fn layout(
    shape: &[usize],
    bands_last: bool,
    value: DataType,
    path: Option<&std::path::Path>,
) -> Result<Layout, ArrayError> {
    let path = || path.map(std::path::Path::to_owned);
    let (bands, height, width) = match (shape, bands_last) {
        (&[height, width], _) => (1, height, width),
        (&[bands, height, width], false) | (&[height, width, bands], true) => {
            (bands, height, width)
        }
        _ => {
            return Err(ArrayError::Axes {
                shape: shape.to_owned(),
                path: path(),
            });
        }
    };
    if shape.contains(&0) {
        return Err(ArrayError::Empty {
            shape: shape.to_owned(),
            path: path(),
        });
    }
    let bytes = bytes_of(value);
    let (pixel, row, band) = match shape.len() == 3 && bands_last {
        true => (bands * bytes, width.checked_mul(bands * bytes), Some(bytes)),
        false => {
            let row = width.checked_mul(bytes);
            (bytes, row, row.and_then(|row| row.checked_mul(height)))
        }
    };
    let (Some(row), Some(band)) = (row, band) else {
        return Err(ArrayError::TooLarge {
            shape: shape.to_owned(),
            path: path(),
        });
    };
    // GDAL holds the step from row to row in 32 bits, too.
    if width > LONGEST || height > LONGEST || row > LONGEST || bands > MOST_BANDS {
        return Err(ArrayError::TooLarge {
            shape: shape.to_owned(),
            path: path(),
        });
    }
    Ok(Layout {
        size: Size::new(width, height),
        bands,
        value,
        big_endian: cfg!(target_endian = "big"),
        start: 0,
        to_next_pixel: pixel as u64,
        to_next_row: row as u64,
        to_next_band: band as u64,
    })
}

impl Raster {
    /// An array in memory as a raster: see [`ImageArray`]. The array is freed with the last raster, scene or chip that reads
    /// from it.
    ///
    /// # Errors
    /// [`super::ArrayError`] for an array that is empty, has other axes or another number of names;
    /// [`RasterError::Crs`] for an unknown coordinate reference system.
    #[doc(alias = "from_numpy")]
    #[doc(alias = "from_tensor")]
    pub fn from_array(array: impl Into<ImageArray>) -> Result<Self> {
        Self::of_array(array.into(), OpenOptions::new())
    }

    /// Whether it is an array in memory, without a file behind it.
    pub(crate) fn is_in_memory(&self) -> bool {
        let held = self.inner.held.as_ref();
        held.is_some_and(|held| held.file.is_none())
    }

    pub(crate) fn of_array(array: ImageArray, options: OpenOptions) -> Result<Self> {
        let held = array.held()?;
        Self::opened(held.name().to_owned(), None, Some(held), options)
    }
}

macro_rules! from_arrays {
    ($($axes:ty),+) => {$(
        impl<T: ArrayValue, S: Data<Elem = T>> From<ArrayBase<S, $axes>> for ImageArray {
            fn from(array: ArrayBase<S, $axes>) -> Self {
                let shape = array.shape().to_vec();
                let length = array.len();
                let array = array.into_owned();
                if !array.is_standard_layout() {
                    return Self::of_values(array.iter().copied().collect(), shape);
                }
                // A part of an array may lie within more.
                let (mut values, start) = array.into_raw_vec_and_offset();
                let start = start.unwrap_or(0);
                if start > 0 {
                    values.drain(..start);
                }
                values.truncate(length);
                Self::of_values(values, shape)
            }
        }

        impl<T: ArrayValue, S: Data<Elem = T>> From<&ArrayBase<S, $axes>> for ImageArray {
            fn from(array: &ArrayBase<S, $axes>) -> Self {
                Self::from(array.view())
            }
        }
    )+};
}
from_arrays!(Ix2, Ix3, IxDyn);

#[cfg(test)]
mod tests;

use std::ffi::CStr;
use std::path::PathBuf;

use super::gdal_library::{self, StringList, c_string};
use super::handle::Handle;
use super::layer::Kind;
use super::{Raster, RasterError, Size};
use crate::Result;

/// The pixel size at which a raster is to be seen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Resolution {
    /// The edge of a pixel on the ground in meters ([`Raster::nominal_gsd`]).
    Meters(f64),
    /// How many pixels each side of a pixel becomes: 2.0 has four pixels where the file has one.
    Factor(f64),
}

impl Resolution {
    /// `20 m`, `2 for each of the file`.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Meters(meters) => format!("{meters} m"),
            Self::Factor(factor) => format!("{factor} for each of the file"),
        }
    }
}

impl Raster {
    /// This raster at another pixel size, resampled while it is read: bilinear when the pixels become smaller, the average
    /// when they become larger, of the valid pixels of each band. The extent stays, to the nearest whole pixel of the new grid; nothing is written.
    ///
    /// # Errors
    /// [`RasterError::BadResolution`] for a size that is not above 0, that leaves no pixel, or that makes more than 2^31
    /// columns or rows; [`RasterError::UnknownUnit`] for meters where the raster does not say what a meter is;
    /// [`RasterError::NotARaster`] when GDAL cannot resample the file.
    #[doc(alias = "resample")]
    #[doc(alias = "reproject")]
    #[doc(alias = "rescale")]
    pub fn at(&self, resolution: Resolution) -> Result<Self> {
        let size = self.size();
        let (factor_x, factor_y) = match resolution {
            Resolution::Factor(factor) => (factor, factor),
            Resolution::Meters(meters) => {
                let (x, y) = self.gsd().ok_or_else(|| RasterError::UnknownUnit {
                    path: self.path().to_owned(),
                })?;
                (x / meters, y / meters)
            }
        };
        let scaled = |length: usize, factor: f64| {
            let wanted = (length as f64 * factor).round();
            (factor > 0.0 && wanted >= 1.0 && wanted < f64::from(i32::MAX))
                .then_some(wanted as usize)
        };
        let wanted = scaled(size.width, factor_x).zip(scaled(size.height, factor_y));
        let Some((width, height)) = wanted else {
            return Err(RasterError::BadResolution {
                path: self.path().to_owned(),
                resolution,
                size,
            }
            .into());
        };
        let is_array = self.inner.held.is_some();
        // GDAL's description of the file says what the file does of its place.
        let placed = self.inner.information.stated;
        if is_array
            || placed
            || self.inner.information.averages_itself
            || !matches!(self.inner.kind, Kind::File)
        {
            return Ok(self.regridded(Size::new(width, height)));
        }
        let finer = factor_x * factor_y >= 1.0;
        let source = self.virtual_dataset(Size::new(width, height), finer)?;
        Self::opened(
            self.path().to_owned(),
            Some(source),
            None,
            self.inner.options.clone(),
        )
    }

    /// GDAL's description (XML) of the file at another size, which it opens like a file.
    fn virtual_dataset(&self, size: Size, finer: bool) -> Result<PathBuf, RasterError> {
        let file = Handle::open(self.path())?;
        let (columns, rows) = (size.width.to_string(), size.height.to_string());
        let method = if finer { "bilinear" } else { "average" };
        let arguments = StringList::new(["-of", "VRT", "-r", method, "-outsize", &columns, &rows]);
        let (name, domain) = (c_string(""), c_string("xml:VRT"));
        let (text, messages) = gdal_library::with_messages(|| {
            // SAFETY: the file is open; the strings outlive the calls; options and dataset are freed once; GDAL owns the
            // text, which is copied while its dataset is open.
            unsafe {
                let options =
                    gdal_sys::GDALTranslateOptionsNew(arguments.as_ptr(), std::ptr::null_mut());
                let made = gdal_sys::GDALTranslate(
                    name.as_ptr(),
                    file.raw(),
                    options,
                    std::ptr::null_mut(),
                );
                gdal_sys::GDALTranslateOptionsFree(options);
                let made = Handle::from_raw(made)?;
                let list = gdal_sys::GDALGetMetadata(made.raw(), domain.as_ptr());
                (!list.is_null() && !(*list).is_null())
                    .then(|| CStr::from_ptr(*list).to_string_lossy().into_owned())
            }
        });
        text.map(PathBuf::from)
            .ok_or_else(|| RasterError::NotARaster {
                path: self.path().to_owned(),
                detail: messages.joined("GDAL cannot resample it"),
            })
    }
}

//! An open vector file, with its driver and what the driver complains about.

use std::path::{Path, PathBuf};

use super::archive;
use super::formats;
use super::{VectorError, VectorSource};
use crate::raster::gdal_library::{self, Messages, StringList, text};
use crate::report::{Notice, Report, file_name};

/// What columns of a table are called that hold geometries as well-known text.
pub(super) const TEXT_GEOMETRIES: [&str; 8] = [
    "WKT",
    "geometry",
    "geom",
    "the_geom",
    "wkt_geom",
    "geometry_wkt",
    "PolygonWKT_Geo",
    "PolygonWKT_Pix",
];

/// An open vector file.
#[derive(Debug)]
pub(super) struct VectorFile {
    pub(super) dataset: gdal_sys::GDALDatasetH,
    /// GDAL's short name of the format.
    pub(super) driver: String,
    /// What GDAL opened: the path, or where it leads inside an archive.
    pub(super) opened: PathBuf,
    path: PathBuf,
    pub(super) notices: Report,
}

/// Bytes that an SQLite database (GeoPackage, SpatiaLite) says it has, and those that are there, where these are fewer:
/// SQLite reads what is left without a word.
///
/// # Source
/// <https://www.sqlite.org/fileformat.html> 1.3: page size at 16, size in pages at 28, valid when the change counter at 24
/// is the one at 92.
fn shortened_database(path: &Path) -> Option<(u64, u64)> {
    use std::io::Read as _;
    let mut header = [0; 100];
    // What cannot be opened or is shorter than a header, GDAL refuses itself.
    let mut file = std::fs::File::open(path).ok()?;
    file.read_exact(&mut header).ok()?;
    if !header.starts_with(b"SQLite format 3\0") || header[24..28] != header[92..96] {
        return None;
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    let (told, found) = (page * u64::from(pages), file.metadata().ok()?.len());
    (found < told).then_some((told, found))
}

impl VectorFile {
    /// Opens a file, or the one vector file inside an archive.
    pub(super) fn open(source: &VectorSource) -> Result<Self, VectorError> {
        Self::open_as(source, source.encoding.as_deref())
    }

    /// As [`VectorFile::open`], with the encoding of a shapefile's text.
    pub(super) fn open_as(
        source: &VectorSource,
        encoding: Option<&str>,
    ) -> Result<Self, VectorError> {
        let path = source.path();
        if !gdal_library::is_virtual(path) {
            std::fs::metadata(path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => VectorError::Missing {
                    path: path.to_owned(),
                },
                _ => VectorError::File(crate::FileError::new(path.to_owned(), error)),
            })?;
        }
        if let Some((told, found)) = shortened_database(path) {
            return Err(VectorError::Read {
                path: path.to_owned(),
                detail: format!("the database says it has {told} bytes, {found} are there"),
            });
        }
        let mut notices = Report::new();
        let mut opened = path.to_owned();
        let (mut driver, _) = gdal_library::with_messages(|| identify(&opened));
        if driver.is_empty()
            && let Some(inside) = archive::vector_file_in(source)?
        {
            let text = format!("{} inside the archive is read", inside.display());
            notices.push(Notice::noted(text).about(file_name(path)));
            opened = inside;
            (driver, _) = gdal_library::with_messages(|| identify(&opened));
        }
        let options = match (driver.as_str(), encoding) {
            ("ESRI Shapefile", Some(encoding)) => vec![format!("ENCODING={encoding}")],
            ("CSV", _) => vec![format!("GEOM_POSSIBLE_NAMES={}", TEXT_GEOMETRIES.join(","))],
            _ => Vec::new(),
        };
        // Only the format that recognizes the file is asked: what others say on the way is no failure of this file.
        let only = (!driver.is_empty()).then(|| driver.clone());
        let (mut dataset, mut messages) =
            gdal_library::with_messages(|| open(&opened, only.as_deref(), &options));
        if dataset.is_null() && only.is_some() {
            let others;
            (dataset, others) = gdal_library::with_messages(|| open(&opened, None, &options));
            if dataset.is_null() {
                messages.extend(others);
            } else {
                messages = Messages::default();
            }
        }
        if dataset.is_null() {
            return Err(formats::not_read(path, &messages));
        }
        // SAFETY: the dataset is open and has a driver, whose name lives as long as GDAL.
        driver = unsafe {
            text(gdal_sys::GDALGetDriverShortName(
                gdal_sys::GDALGetDatasetDriver(dataset),
            ))
        };
        let file = Self {
            dataset,
            driver,
            opened,
            path: path.to_owned(),
            notices,
        };
        // A reference system that nobody reads is no loss where the user has said which one it is.
        if messages.failed() && source.crs.is_none() {
            return Err(file.broken(messages.joined("GDAL gives no reason")));
        }
        Ok(file)
    }

    /// Features of the file at `path` that are in memory, in a data set that this closes; as if its driver had opened it.
    pub(super) fn in_memory(
        dataset: gdal_sys::GDALDatasetH,
        (driver, opened): (String, PathBuf),
        path: &Path,
    ) -> Self {
        Self {
            dataset,
            driver,
            opened,
            path: path.to_owned(),
            notices: Report::new(),
        }
    }

    pub(super) fn is_shapefile(&self) -> bool {
        self.driver == "ESRI Shapefile"
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs something of GDAL's that must not fail.
    pub(super) fn listening<T>(&self, action: impl FnOnce() -> T) -> Result<T, VectorError> {
        let (value, messages) = gdal_library::with_messages(action);
        if messages.failed() {
            return Err(self.broken(messages.joined("GDAL gives no reason")));
        }
        Ok(value)
    }

    /// The file cannot be read to its end.
    pub(super) fn broken(&self, detail: String) -> VectorError {
        VectorError::Read {
            path: self.path.clone(),
            detail,
        }
    }
}

impl Drop for VectorFile {
    fn drop(&mut self) {
        // SAFETY: the dataset is open and ours alone.
        gdal_library::with_messages(|| unsafe { gdal_sys::GDALClose(self.dataset) });
    }
}

/// The short name of the format that recognizes a file; empty when none does.
fn identify(path: &Path) -> String {
    let name = gdal_library::c_path(path);
    // SAFETY: the name is a valid C string; null lists stand for all drivers and an unknown folder.
    unsafe {
        let driver = gdal_sys::GDALIdentifyDriverEx(
            name.as_ptr(),
            gdal_library::OPEN_VECTOR,
            std::ptr::null(),
            std::ptr::null(),
        );
        if driver.is_null() {
            String::new()
        } else {
            text(gdal_sys::GDALGetDriverShortName(driver))
        }
    }
}

fn open(path: &Path, driver: Option<&str>, options: &[String]) -> gdal_sys::GDALDatasetH {
    let name = gdal_library::c_path(path);
    let drivers = StringList::new(driver);
    let options = StringList::new(options);
    // SAFETY: all strings outlive the call, both lists end with a null pointer, and a null list stands for all drivers.
    unsafe {
        gdal_sys::GDALOpenEx(
            name.as_ptr(),
            gdal_library::OPEN_VECTOR | gdal_library::OPEN_VERBOSE,
            match driver {
                Some(_) => drivers.as_ptr().cast_const().cast(),
                None => std::ptr::null(),
            },
            options.as_ptr().cast_const().cast(),
            std::ptr::null(),
        )
    }
}

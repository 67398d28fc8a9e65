use std::ffi::{CStr, c_int, c_void};
use std::path::{Path, PathBuf};

use gdal_sys::{GDALDataType, OGRFieldType, OGRwkbGeometryType};
use geo::{Coord, LineString, Polygon};

use super::VectorError;
use crate::raster::gdal_library::{self, StringList, c_path, c_string, go_on};
use crate::raster::{PixelWindow, RasterError, Size};
use crate::report::file_name;
use crate::{Result, session};

/// A connected patch of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelPolygon {
    /// Its outline along the pixels' edges, in pixel coordinates.
    pub geometry: Polygon<f64>,
    /// Its label.
    pub label: u8,
}

/// Traces every connected patch (pixels that share an edge) of one label; 0 and [`crate::labels::IGNORE`] are left out.
/// Burning the polygons again gives the same labels.
///
/// # Shapes
/// - `labels`: `[size.height, size.width]`
///
/// # Errors
/// [`VectorError::WrongLength`] when the labels do not fit the size.
///
/// # Examples
/// ```
/// use swath::raster::Size;
/// let polygons = swath::vector::polygonize(&[0, 2, 2, 0, 2, 0], Size::new(3, 2))?;
/// assert_eq!((polygons.len(), polygons[0].label), (1, 2));
/// # Ok::<(), swath::Error>(())
/// ```
pub fn polygonize(labels: &[u8], size: Size) -> Result<Vec<LabelPolygon>> {
    if labels.len() != size.area() {
        return Err(VectorError::WrongLength {
            expected: size.area(),
            found: labels.len(),
        }
        .into());
    }
    if labels.is_empty() {
        return Ok(Vec::new());
    }
    let mut masked = labels.to_vec();
    masked
        .iter_mut()
        .filter(|label| **label == crate::labels::IGNORE)
        .for_each(|label| *label = 0);
    let name = format!(
        "MEM:::DATAPOINTER={:p},PIXELS={},LINES={}",
        masked.as_ptr(),
        size.width,
        size.height
    );
    let whole = PixelWindow::full(size);
    all(&c_string(&name), Path::new("labels in memory"), whole)
}

/// As [`polygonize`], row by row from a file: labels are the first band's values, nodata is left out beside 0.
///
/// # Errors
/// [`RasterError`] when the file is missing or damaged.
pub fn polygonize_raster(path: impl AsRef<Path>) -> Result<Vec<LabelPolygon>> {
    // Our own opening gives the better errors for what is not there.
    let raster = crate::raster::Raster::open(path.as_ref())?;
    all(&c_path(raster.path()), raster.path(), raster.full())
}

fn all(name: &CStr, path: &Path, whole: PixelWindow) -> Result<Vec<LabelPolygon>> {
    let mut polygons = Vec::new();
    trace(name, (path, whole), &Place::Memory, |polygon| {
        polygons.push(polygon);
        Ok(())
    })?;
    Ok(polygons)
}

/// As [`polygonize_raster`], one polygon after the other: they wait in a file in the folder for temporary files, so that memory
/// does not grow with their number.
///
/// # Errors
/// As [`polygonize_raster`]; [`RasterError::Read`] for a raster of which a part cannot be read, [`VectorError::Write`] when the
/// folder for temporary files is full; those of `each`.
pub(crate) fn polygonize_each(
    path: &Path,
    each: impl FnMut(LabelPolygon) -> Result<()>,
) -> Result<()> {
    let raster = crate::raster::Raster::open(path)?;
    let name = c_path(raster.path());
    let folder = tempfile::Builder::new().prefix("swath-polygons-").tempdir();
    let folder = folder.map_err(|error| VectorError::Write {
        path: std::env::temp_dir(),
        detail: error.to_string(),
    })?;
    // A file without an index is written and read from its beginning to its end; it is part of every usual GDAL.
    let place = match is_there(c"FlatGeobuf") {
        true => Place::File(folder.path().join("labels.fgb")),
        false => Place::Memory,
    };
    trace(&name, (raster.path(), raster.full()), &place, each)
}

fn is_there(driver: &CStr) -> bool {
    // SAFETY: the name is a C string; the drivers are registered within.
    let (found, _) =
        gdal_library::with_messages(|| unsafe { gdal_sys::GDALGetDriverByName(driver.as_ptr()) });
    !found.is_null()
}

/// Where polygons wait until all are traced.
enum Place {
    Memory,
    File(PathBuf),
}

fn trace(
    name: &CStr,
    (path, window): (&Path, PixelWindow),
    place: &Place,
    each: impl FnMut(LabelPolygon) -> Result<()>,
) -> Result<()> {
    let (traced, mut messages) = gdal_library::with_messages(|| {
        let source = Open::source(name)?;
        let target = match place {
            Place::Memory => Open::create(c"Memory", c"")?,
            Place::File(file) => Open::create(c"FlatGeobuf", &c_path(file))?,
        };
        let options = StringList::new(match place {
            Place::Memory => &[][..],
            Place::File(_) => &["SPATIAL_INDEX=NO"],
        });
        // SAFETY: both datasets are open, the layer and the band belong to them, and field 0 was just made.
        unsafe {
            let layer = gdal_sys::GDALDatasetCreateLayer(
                target.0,
                c"labels".as_ptr(),
                std::ptr::null_mut(),
                OGRwkbGeometryType::wkbPolygon,
                options.as_ptr(),
            );
            if layer.is_null() {
                return None;
            }
            let field = gdal_sys::OGR_Fld_Create(c"label".as_ptr(), OGRFieldType::OFTInteger);
            let made = gdal_sys::OGR_L_CreateField(layer, field, 1);
            gdal_sys::OGR_Fld_Destroy(field);
            if made != 0 {
                return None;
            }
            let band = gdal_sys::GDALGetRasterBand(source.0, 1);
            // GDAL leaves out what its mask band holds as 0: the labels themselves are that mask.
            let none = std::ptr::null_mut();
            let failed = gdal_sys::GDALPolygonize(
                band,
                band,
                layer,
                0,
                none,
                Some(go_on),
                std::ptr::null_mut(),
            ) != 0;
            if failed {
                return None;
            }
            // GDAL gives world coordinates where the source has a georeference; they are brought back to pixels.
            let mut transform = [0.0; 6];
            if gdal_sys::GDALGetGeoTransform(source.0, transform.as_mut_ptr()) != 0 {
                // Without one GDAL counts in pixels, whatever it has left in the array.
                transform = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
            }
            let mut has_nodata: c_int = 0;
            let nodata = gdal_sys::GDALGetRasterNoDataValue(band, &raw mut has_nodata);
            let nodata = (has_nodata != 0).then_some(nodata as i32);
            let kept = match place {
                Place::Memory => Some(target),
                Place::File(_) => {
                    drop(target);
                    None
                }
            };
            Some((kept, crate::raster::GeoTransform(transform), nodata))
        }
    });
    let fail = |detail: String| -> Result<()> {
        session::check_interrupt("tracing polygons")?;
        // GDAL names the file of which it could not read a block.
        let is_source = detail.contains(&*file_name(path));
        match place {
            Place::File(_) if is_source => Err(RasterError::Read {
                path: path.to_owned(),
                window,
                block: None,
                detail,
            }
            .into()),
            Place::Memory => Err(RasterError::NotARaster {
                path: path.to_owned(),
                detail,
            }
            .into()),
            Place::File(file) => Err(VectorError::Write {
                path: file.clone(),
                detail,
            }
            .into()),
        }
    };
    let Some((kept, transform, nodata)) = traced.filter(|_| !messages.failed()) else {
        return fail(messages.joined("GDAL gives no reason"));
    };
    let opened = match (kept, place) {
        (Some(kept), _) => Some(kept),
        // Of a raster without a patch GDAL leaves a file without a byte.
        (None, Place::File(file))
            if std::fs::metadata(file).is_ok_and(|facts| facts.len() == 0) =>
        {
            return Ok(());
        }
        (None, Place::File(file)) => {
            let (opened, more) = gdal_library::with_messages(|| Open::vector(&c_path(file)));
            messages.extend(more);
            opened
        }
        (None, Place::Memory) => None,
    };
    match opened {
        None => fail(messages.joined("the traced polygons do not open again")),
        Some(opened) => collect(&opened, path, (&transform, nodata), each),
    }
}

/// Hands on the polygons of a dataset's layer.
fn collect(
    dataset: &Open,
    path: &Path,
    (transform, nodata): (&crate::raster::GeoTransform, Option<i32>),
    mut each: impl FnMut(LabelPolygon) -> Result<()>,
) -> Result<()> {
    // SAFETY: the dataset is open; features are destroyed after use, and rings live as long as their feature.
    unsafe {
        let layer = gdal_sys::GDALDatasetGetLayer(dataset.0, 0);
        if layer.is_null() {
            return Ok(());
        }
        gdal_sys::OGR_L_ResetReading(layer);
        loop {
            let (feature, messages) =
                gdal_library::with_messages(|| gdal_sys::OGR_L_GetNextFeature(layer));
            if feature.is_null() {
                // The end of the file, or a part of it that cannot be read.
                return match messages.failed() {
                    false => Ok(()),
                    true => Err(VectorError::NotAVector {
                        path: path.to_owned(),
                        detail: messages.joined(""),
                    }
                    .into()),
                };
            }
            let label = gdal_sys::OGR_F_GetFieldAsInteger(feature, 0);
            let geometry = gdal_sys::OGR_F_GetGeometryRef(feature);
            let mut polygon = None;
            if let Ok(value @ 1..) = u8::try_from(label)
                && Some(label) != nodata
                && !geometry.is_null()
            {
                let mut rings = (0..gdal_sys::OGR_G_GetGeometryCount(geometry))
                    .map(|index| ring(gdal_sys::OGR_G_GetGeometryRef(geometry, index), transform));
                polygon = rings.next().map(|exterior| LabelPolygon {
                    geometry: Polygon::new(exterior, rings.collect()),
                    label: value,
                });
            }
            gdal_sys::OGR_F_Destroy(feature);
            if let Some(polygon) = polygon {
                each(polygon)?;
            }
        }
    }
}

/// # Safety
/// `ring` is a live line string.
unsafe fn ring(
    ring: gdal_sys::OGRGeometryH,
    transform: &crate::raster::GeoTransform,
) -> LineString<f64> {
    // SAFETY: by the caller's promise; both buffers hold `count` values of 8 bytes.
    unsafe {
        let count = usize::try_from(gdal_sys::OGR_G_GetPointCount(ring)).unwrap_or(0);
        let (mut xs, mut ys) = (vec![0.0f64; count], vec![0.0f64; count]);
        let none = std::ptr::null_mut();
        let (x, y) = (
            xs.as_mut_ptr().cast::<c_void>(),
            ys.as_mut_ptr().cast::<c_void>(),
        );
        gdal_sys::OGR_G_GetPoints(ring, x, 8, y, 8, none, 0);
        xs.into_iter()
            .zip(ys)
            .map(|point| {
                let (x, y) = transform.pixel_from_world(point);
                // Outlines run along pixel edges: rounding removes what the way over world coordinates added.
                Coord {
                    x: x.round(),
                    y: y.round(),
                }
            })
            .collect()
    }
}

struct Open(gdal_sys::GDALDatasetH);

impl Open {
    fn source(name: &CStr) -> Option<Self> {
        // SAFETY: the name is a valid C string, and null lists stand for the defaults.
        let dataset = unsafe {
            gdal_sys::GDALOpenEx(
                name.as_ptr(),
                gdal_library::OPEN_RASTER | gdal_library::OPEN_VERBOSE,
                std::ptr::null(),
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        (!dataset.is_null()).then_some(Self(dataset))
    }

    fn vector(name: &CStr) -> Option<Self> {
        // SAFETY: the name is a valid C string, and null lists stand for the defaults.
        let dataset = unsafe {
            gdal_sys::GDALOpenEx(
                name.as_ptr(),
                gdal_library::OPEN_VECTOR | gdal_library::OPEN_VERBOSE,
                std::ptr::null(),
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        (!dataset.is_null()).then_some(Self(dataset))
    }

    fn create(driver: &CStr, name: &CStr) -> Option<Self> {
        // SAFETY: both are C strings; the driver is checked.
        let dataset = unsafe {
            let driver = gdal_sys::GDALGetDriverByName(driver.as_ptr());
            if driver.is_null() {
                return None;
            }
            gdal_sys::GDALCreate(
                driver,
                name.as_ptr(),
                0,
                0,
                0,
                GDALDataType::GDT_Unknown,
                std::ptr::null_mut(),
            )
        };
        (!dataset.is_null()).then_some(Self(dataset))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // SAFETY: the dataset is open and ours alone.
        unsafe { gdal_sys::GDALClose(self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{GeoTransform, RasterType, RasterWriter, WriterOptions};

    /// A class map of which bytes in the middle are gone is named, not the folder for temporary files.
    #[test]
    fn a_raster_that_cannot_be_read_is_told_from_a_full_disk() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("map.tif");
        let size = Size::new(1024, 1024);
        let grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 1.0);
        let options = WriterOptions::default();
        let mut writer = RasterWriter::create(&path, size, 1, RasterType::U8, grid, "", options)?;
        let labels: Vec<u8> = (0..size.area())
            .map(|at| ((at * 2_654_435_761) >> 7) as u8 % 5)
            .collect();
        writer.write_window(&PixelWindow::full(size), &labels)?;
        writer.finish()?;
        let mut bytes = std::fs::read(&path).expect("the file");
        let middle = bytes.len() / 2;
        bytes[middle - 20_000..middle + 20_000].fill(0xFF);
        std::fs::write(&path, bytes).expect("the file");
        let error = polygonize_each(&path, |_| Ok(())).expect_err("damaged");
        let is_read = matches!(error, crate::Error::Raster(RasterError::Read { .. }));
        assert!(is_read, "{error:?}");
        Ok(())
    }
}

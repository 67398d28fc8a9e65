use std::ffi::{c_int, c_void};
use std::path::Path;

use gdal_sys::{GDALDataType, OGRFieldType, OGRwkbGeometryType};
use geo::{Coord, LineString, Polygon};

use super::VectorError;
use crate::raster::gdal_library::{self, c_path, c_string, go_on};
use crate::raster::{RasterError, Size};
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
    trace(&c_string(&name), Path::new("labels in memory"))
}

/// As [`polygonize`], row by row from a file: labels are the first band's values, nodata is left out beside 0.
///
/// # Errors
/// [`RasterError`] when the file is missing or damaged.
pub fn polygonize_raster(path: impl AsRef<Path>) -> Result<Vec<LabelPolygon>> {
    // Our own opening gives the better errors for what is not there.
    let raster = crate::raster::Raster::open(path.as_ref())?;
    trace(&c_path(raster.path()), raster.path())
}

fn trace(name: &std::ffi::CStr, path: &Path) -> Result<Vec<LabelPolygon>> {
    let (traced, messages) = gdal_library::with_messages(|| {
        let source = Open::source(name)?;
        let memory = Open::memory()?;
        // SAFETY: both datasets are open, the layer and the band belong to them, and field 0 was just made.
        unsafe {
            let layer = gdal_sys::GDALDatasetCreateLayer(
                memory.0,
                c_string("labels").as_ptr(),
                std::ptr::null_mut(),
                OGRwkbGeometryType::wkbPolygon,
                std::ptr::null_mut(),
            );
            if layer.is_null() {
                return None;
            }
            let field =
                gdal_sys::OGR_Fld_Create(c_string("label").as_ptr(), OGRFieldType::OFTInteger);
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
            Some(collect(
                layer,
                &crate::raster::GeoTransform(transform),
                nodata,
            ))
        }
    });
    match traced {
        Some(polygons) if !messages.failed() => Ok(polygons),
        _ => {
            session::check_interrupt("tracing polygons")?;
            let detail = messages.joined("GDAL gives no reason");
            Err(RasterError::NotARaster {
                path: path.to_owned(),
                detail,
            }
            .into())
        }
    }
}

/// # Safety
/// `layer` is an open layer of polygons with an integer field.
unsafe fn collect(
    layer: gdal_sys::OGRLayerH,
    transform: &crate::raster::GeoTransform,
    nodata: Option<i32>,
) -> Vec<LabelPolygon> {
    let mut polygons = Vec::new();
    // SAFETY: by the caller's promise; features are destroyed after use, and rings live as long as their feature.
    unsafe {
        gdal_sys::OGR_L_ResetReading(layer);
        loop {
            let feature = gdal_sys::OGR_L_GetNextFeature(layer);
            if feature.is_null() {
                return polygons;
            }
            let label = gdal_sys::OGR_F_GetFieldAsInteger(feature, 0);
            let geometry = gdal_sys::OGR_F_GetGeometryRef(feature);
            if let Ok(value @ 1..) = u8::try_from(label)
                && Some(label) != nodata
                && !geometry.is_null()
            {
                let mut rings = (0..gdal_sys::OGR_G_GetGeometryCount(geometry))
                    .map(|index| ring(gdal_sys::OGR_G_GetGeometryRef(geometry, index), transform));
                if let Some(exterior) = rings.next() {
                    polygons.push(LabelPolygon {
                        geometry: Polygon::new(exterior, rings.collect()),
                        label: value,
                    });
                }
            }
            gdal_sys::OGR_F_Destroy(feature);
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
    fn source(name: &std::ffi::CStr) -> Option<Self> {
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

    fn memory() -> Option<Self> {
        // SAFETY: the driver is part of GDAL; no file is made.
        let dataset = unsafe {
            let driver = gdal_sys::GDALGetDriverByName(c_string("Memory").as_ptr());
            if driver.is_null() {
                return None;
            }
            gdal_sys::GDALCreate(
                driver,
                c_string("").as_ptr(),
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

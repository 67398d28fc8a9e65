//! Where a raster lies on the ground, by whatever its file says of it.

use std::ffi::CString;
use std::path::Path;

use gdal_sys::{GDAL_GCP, GDALDatasetH};

use super::gdal_library::{self, c_string, text};
use super::{GeoTransform, crs};
use crate::report::{Notice, Report, file_name};

/// Ground control points that miss their affine transform by more pixels than this give no place: labels would lie beside
/// what they mean.
const LARGEST_MISS: f64 = 10.0;

/// What misses by less is not worth a warning.
const SMALL_MISS: f64 = 1.0;

/// The place of a raster.
#[derive(Debug)]
pub(super) struct Place {
    /// The identity without a place.
    pub(super) transform: GeoTransform,
    /// Empty when there is none; never one without a transform into it.
    pub(super) crs_wkt: String,
    /// Why there is no place, when the file has something to say about it.
    pub(super) missing: Option<String>,
    pub(super) report: Report,
}

impl Place {
    /// The place by the transform, or else by the ground control points: the affine transform that fits them best, if it
    /// does. A transform without a system takes that of a `.prj` file of the same name, as QGIS and ESRI's programs do.
    ///
    /// `path` is the file, also where GDAL opened a description of it instead.
    ///
    /// # Safety
    /// The dataset is open.
    ///
    /// # Source
    /// GDAL's `GDALGCPsToGeoTransform`, as rasterio's `from_gcps`.
    pub(super) unsafe fn read(dataset: GDALDatasetH, path: &Path) -> Self {
        let mut place = Self {
            transform: GeoTransform::PIXELS,
            crs_wkt: String::new(),
            missing: None,
            report: Report::new(),
        };
        let mut transform = [0.0; 6];
        // SAFETY: by the caller's promise; GDAL owns every string that it returns, and each is copied at once.
        let (has_transform, system, points) = unsafe {
            (
                gdal_sys::GDALGetGeoTransform(dataset, transform.as_mut_ptr()) == 0,
                text(gdal_sys::GDALGetProjectionRef(dataset)),
                gdal_sys::GDALGetGCPCount(dataset),
            )
        };
        let transform = GeoTransform(transform);
        let system = defined(system);
        // SAFETY: as above.
        let has = |domain: &str| unsafe {
            let list = gdal_sys::GDALGetMetadata(dataset, c_string(domain).as_ptr());
            !list.is_null() && !(*list).is_null()
        };
        if has_transform && transform != GeoTransform::PIXELS {
            if transform.is_invertible() {
                place.transform = transform;
                place.crs_wkt = system;
                // SAFETY: as above.
                unsafe { place.find_system(dataset, path) };
            } else {
                place.lacks(
                    format!("its transform {:?} gives pixels no area", transform.0),
                    "the transform was left out",
                );
            }
        } else if points > 0 {
            // SAFETY: as above.
            unsafe { place.take_points(dataset) };
        } else if has("RPC") {
            place.lacks(
                "only rational polynomial coefficients (RPC) say where it lies".to_owned(),
                "they were left out",
            );
        } else if has("GEOLOCATION") {
            place.lacks(
                "only geolocation arrays say where it lies".to_owned(),
                "they were left out",
            );
        } else if !system.is_empty() {
            let name = crs::short_name(&system);
            place.lacks(
                format!("it names a coordinate reference system ({name}) but not where its pixels lie in it"),
                "the system was left out",
            );
        }
        let about = file_name(path);
        let notices = place.report.into_iter();
        place.report = notices.map(|notice| notice.about(about.clone())).collect();
        place
    }

    /// Notes that there is no place and why.
    fn lacks(&mut self, why: String, consequence: &str) {
        let notice = Notice::left_out(format!(
            "{why}; {consequence}, so the image has no place on the ground"
        ));
        self.report.push(notice.next(
            "warp it into a reference system first (QGIS: Raster, Projections, Warp), or use labels in pixels",
        ));
        self.missing = Some(why);
    }

    /// A system for a transform that comes without one.
    ///
    /// # Safety
    /// The dataset is open.
    unsafe fn find_system(&mut self, dataset: GDALDatasetH, path: &Path) {
        if !self.crs_wkt.is_empty() {
            return;
        }
        match beside(path) {
            Some((file, Some(system))) => {
                let text = format!(
                    "the coordinate reference system {} is that of {file}",
                    crs::short_name(&system)
                );
                self.report.push(Notice::assumed(text));
                self.crs_wkt = system;
                return;
            }
            Some((file, None)) => self.report.push(
                Notice::noted(format!(
                    "{file} beside it holds no coordinate reference system that can be read"
                ))
                .next("write the system into the image itself, in QGIS for instance (Raster, Projections, Assign Projection)"),
            ),
            None => {}
        }
        // SAFETY: by the caller's promise; GDAL owns the texts.
        let units = |axis: &str| unsafe {
            text(gdal_sys::GDALGetMetadataItem(
                dataset,
                c_string(&format!("{axis}#units")).as_ptr(),
                std::ptr::null(),
            ))
            .to_lowercase()
        };
        let axes = [("lon", "lat"), ("longitude", "latitude"), ("x", "y")];
        let degrees = |(x, y): &(&str, &str)| {
            units(x).starts_with("degree") && units(y).starts_with("degree")
        };
        if axes.iter().any(degrees)
            && let Some(system) = crs::parse("EPSG:4326")
                .ok()
                .and_then(|system| system.to_wkt().ok())
        {
            self.report.push(Notice::assumed(
                "its axes are longitude and latitude in degrees, but it names no datum: WGS 84 (EPSG:4326) was taken",
            ));
            self.crs_wkt = system;
            return;
        }
        let notice = Notice::noted(
            "the pixels have coordinates, but the file names no coordinate reference system: lengths and areas have no unit, \
             and labels must be in the same coordinates",
        );
        self.report.push(notice.next(format!(
            "put a `.prj` file of the same name beside it, or state labels in its coordinates with {}",
            crate::host::Step::StateAnyCrs { crs: "raster" }
        )));
    }

    /// The affine transform of ground control points.
    ///
    /// # Safety
    /// The dataset is open.
    unsafe fn take_points(&mut self, dataset: GDALDatasetH) {
        // SAFETY: by the caller's promise; the list is GDAL's, of the length that it says, and copied at once.
        let (mut points, system): (Vec<GDAL_GCP>, String) = unsafe {
            let count = usize::try_from(gdal_sys::GDALGetGCPCount(dataset)).unwrap_or(0);
            let list = gdal_sys::GDALGetGCPs(dataset);
            let points = if list.is_null() {
                &[][..]
            } else {
                std::slice::from_raw_parts(list, count)
            };
            (
                points.to_vec(),
                defined(text(gdal_sys::GDALGetGCPProjection(dataset))),
            )
        };
        let count = points.len();
        let geographic = crs::parse(&system).is_ok_and(|system| system.is_geographic());
        if let Some(first) = points
            .first()
            .map(|point| point.dfGCPX)
            .filter(|_| geographic)
        {
            // Control points on both sides of the 180th meridian are neighbors.
            for point in &mut points {
                point.dfGCPX += ((first - point.dfGCPX) / 360.0).round() * 360.0;
            }
        }
        let mut transform = [0.0; 6];
        let (found, _) = gdal_library::with_messages(|| {
            // SAFETY: the list holds as many points as is said; the transform is ours.
            unsafe {
                gdal_sys::GDALGCPsToGeoTransform(
                    count as i32,
                    points.as_ptr(),
                    transform.as_mut_ptr(),
                    1,
                ) != 0
            }
        });
        let transform = GeoTransform(transform);
        let miss = |point: &GDAL_GCP| {
            let (col, row) = transform.pixel_from_world((point.dfGCPX, point.dfGCPY));
            (col - point.dfGCPPixel).hypot(row - point.dfGCPLine)
        };
        let largest = points.iter().map(miss).fold(0.0, f64::max);
        if !found || !transform.is_invertible() || largest.is_nan() {
            self.lacks(
                format!("its {count} ground control points give no transform"),
                "they were left out",
            );
        } else if largest > LARGEST_MISS {
            self.lacks(
                format!(
                    "its {count} ground control points miss an affine transform by up to {largest:.0} pixels, the image is warped"
                ),
                "they were left out",
            );
        } else {
            let text = format!(
                "the place is that of an affine transform through {count} ground control points, which misses them by up to \
                 {largest:.2} pixels"
            );
            self.report.push(if largest > SMALL_MISS {
                Notice::assumed(text).next(
                    "labels and results may lie beside their place by as much; warp the image first for less (QGIS: Raster, \
                     Projections, Warp)",
                )
            } else {
                Notice::noted(text)
            });
            self.transform = transform;
            self.crs_wkt = system;
            if self.crs_wkt.is_empty() {
                self.report.push(Notice::noted(
                    "the ground control points name no coordinate reference system: lengths and areas have no unit",
                ));
            }
        }
    }
}

/// The system, unless it is a placeholder for none.
fn defined(wkt: String) -> String {
    let undefined =
        !wkt.is_empty() && crs::parse(&wkt).is_ok_and(|system| crs::is_undefined(&system));
    if undefined { String::new() } else { wkt }
}

/// A `.prj` file of the same name, and the system in it; `None` for the system when it cannot be read.
fn beside(path: &Path) -> Option<(String, Option<String>)> {
    let found = ["prj", "PRJ"]
        .map(|ending| path.with_extension(ending))
        .into_iter()
        .find(|path| path.is_file())?;
    Some((file_name(&found), system_in(&found)))
}

fn system_in(prj: &Path) -> Option<String> {
    // Names of places may be in any encoding.
    let words = std::fs::read(prj).ok()?;
    let words = CString::new(words.trim_ascii()).ok()?;
    let mut system = gdal::spatial_ref::SpatialRef::new().ok()?;
    let mut lines = [words.as_ptr().cast_mut(), std::ptr::null_mut()];
    let (read, _) = gdal_library::with_messages(|| {
        // SAFETY: the list ends with a null pointer and its text outlives the call, which reads it only.
        unsafe { gdal_sys::OSRImportFromESRI(system.to_c_hsrs(), lines.as_mut_ptr()) == 0 }
    });
    system.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
    system.to_wkt().ok().filter(|wkt| read && !wkt.is_empty())
}

use std::ffi::{c_double, c_int};
use std::path::Path;

use gdal_sys::{OGRFieldType, OGRGeometryH, OGRwkbGeometryType};
use geo::LineString;

use super::measured::Measured;
use super::write::area_name;
use super::{PointFeature, PolygonFeature, VectorError};
use crate::raster::crs;
use crate::raster::gdal_library::{self, Messages, StringList, c_path, c_string};
use crate::staged::StagedFile;
use crate::{Result, session};

/// What GDAL writes with the `srs_id` -1, "undefined Cartesian coordinate reference systems" (GeoPackage 1.1.3.1.1).
const UNDEFINED_PLANE: &str = "LOCAL_CS[\"Undefined Cartesian SRS\",UNIT[\"metre\",1]]";

/// The longest text of a shapefile's table, in bytes.
pub(super) const SHAPEFILE_TEXT: usize = 254;

/// Writes a GeoPackage with one layer named after the file.
pub(super) fn write(path: &Path, features: &[PolygonFeature], crs_wkt: &str) -> Result<()> {
    let writer = GeoPackageWriter::create(path, crs_wkt)?;
    for (index, feature) in features.iter().enumerate() {
        if index % 4096 == 0 {
            session::check_interrupt("writing polygons")?;
        }
        writer.add(feature)?;
    }
    writer.finish()
}

/// Writes a GeoPackage of points with one layer named after the file.
pub(super) fn write_points(path: &Path, features: &[PointFeature], crs_wkt: &str) -> Result<()> {
    let writer = GeoPackageWriter::of_kind(path, crs_wkt, OGRwkbGeometryType::wkbPoint, &[])?;
    for (index, feature) in features.iter().enumerate() {
        if index % 4096 == 0 {
            session::check_interrupt("writing points")?;
        }
        let (added, messages) = gdal_library::with_messages(|| writer.target.add_point(feature));
        writer.checked(added, &messages)?;
    }
    writer.finish()
}

/// As [`write()`] with the columns `names` in the place of the area.
pub(super) fn write_measured(
    path: &Path,
    features: &[Measured<'_>],
    names: &[&str],
    crs_wkt: &str,
) -> Result<()> {
    let kind = OGRwkbGeometryType::wkbMultiPolygon;
    let writer = GeoPackageWriter::of_kind(path, crs_wkt, kind, names)?;
    for (index, feature) in features.iter().enumerate() {
        if index % 4096 == 0 {
            session::check_interrupt("writing polygons")?;
        }
        let (added, messages) = gdal_library::with_messages(|| writer.target.add(feature));
        writer.checked(added, &messages)?;
    }
    writer.finish()
}

/// Writes the several files of a shapefile, `path` and those beside it, under these very names: the caller moves them
/// to their place. Names of columns have at most 10 letters there.
pub(super) fn write_shapefile(
    path: &Path,
    features: &[Measured<'_>],
    names: &[&str],
    crs_wkt: &str,
) -> Result<()> {
    let fail = |detail: String| VectorError::Write {
        path: path.to_owned(),
        detail,
    };
    let system = match crs_wkt {
        "" => None,
        wkt => Some(crs::parse(wkt)?),
    };
    // Text columns have one width: that of the longest value, or what the format allows.
    let longest = features.iter().map(|feature| feature.class.len()).max();
    let layout = Layout {
        driver: "ESRI Shapefile",
        options: &["ENCODING=UTF-8"],
        kind: OGRwkbGeometryType::wkbPolygon,
        class_width: longest.unwrap_or(1).clamp(1, SHAPEFILE_TEXT),
        numbers: names,
    };
    let layer = path.file_stem().unwrap_or_default().to_string_lossy();
    let (target, messages) =
        gdal_library::with_messages(|| Target::create(path, &layer, system.as_ref(), &layout));
    let Some(target) = target else {
        return Err(fail(messages.joined("GDAL cannot create the file")).into());
    };
    for (index, feature) in features.iter().enumerate() {
        if index % 4096 == 0 {
            session::check_interrupt("writing polygons")?;
        }
        let (added, messages) = gdal_library::with_messages(|| target.add(feature));
        if added.is_none() || messages.failed() {
            return Err(fail(messages.joined("GDAL gives no reason")).into());
        }
    }
    // Closing writes too, and tells its failures through messages alone.
    let ((), messages) = gdal_library::with_messages(|| drop(target));
    if messages.failed() {
        return Err(fail(messages.joined("")).into());
    }
    Ok(())
}

/// Writes a GeoPackage feature by feature; it appears under its name only when it is complete.
pub(crate) struct GeoPackageWriter {
    target: Target,
    staged: StagedFile,
}

impl GeoPackageWriter {
    pub(crate) fn create(path: &Path, crs_wkt: &str) -> Result<Self> {
        let kind = OGRwkbGeometryType::wkbMultiPolygon;
        Self::of_kind(path, crs_wkt, kind, &[area_name(crs_wkt)])
    }

    fn of_kind(
        path: &Path,
        crs_wkt: &str,
        kind: OGRwkbGeometryType::Type,
        numbers: &[&str],
    ) -> Result<Self> {
        let fail = |detail: String| VectorError::Write {
            path: path.to_owned(),
            detail,
        };
        let staged = StagedFile::new(path, "new").map_err(|error| fail(error.to_string()))?;
        // GDAL writes a missing system as "undefined geographic", which coordinates of an image are not.
        let system = Some(crs::parse(if crs_wkt.is_empty() {
            UNDEFINED_PLANE
        } else {
            crs_wkt
        })?);
        let layer_name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let layout = Layout {
            driver: "GPKG",
            options: &["SPATIAL_INDEX=YES", "GEOMETRY_NAME=geom"],
            kind,
            class_width: 0,
            numbers,
        };
        let (target, messages) = gdal_library::with_messages(|| {
            let target = Target::create(staged.path(), &layer_name, system.as_ref(), &layout)?;
            target.begin().map(|()| target)
        });
        match target {
            Some(target) => Ok(Self { target, staged }),
            None => Err(fail(messages.joined("GDAL cannot create the file")).into()),
        }
    }

    pub(crate) fn add(&self, feature: &PolygonFeature) -> Result<()> {
        let (added, messages) = gdal_library::with_messages(|| {
            self.target.add(&Measured {
                geometry: &feature.geometry,
                class: &feature.class,
                score: feature.score,
                numbers: vec![feature.area_m2],
            })
        });
        self.checked(added, &messages)
    }

    pub(crate) fn finish(self) -> Result<()> {
        // Closing writes too, and tells its failures through messages alone.
        let (committed, mut messages) = gdal_library::with_messages(|| self.target.commit());
        self.checked(committed, &messages)?;
        let (path, Self { target, staged }) = (self.staged.target().to_owned(), self);
        messages.extend(gdal_library::with_messages(|| drop(target)).1);
        let fail = |detail: String| VectorError::Write {
            path: path.clone(),
            detail,
        };
        if messages.failed() {
            return Err(fail(messages.joined("")).into());
        }
        staged.commit().map_err(|error| fail(error.to_string()))?;
        Ok(())
    }

    fn checked(&self, done: Option<()>, messages: &Messages) -> Result<()> {
        if done.is_some() && !messages.failed() {
            return Ok(());
        }
        let detail = messages.joined("GDAL gives no reason");
        Err(VectorError::Write {
            path: self.staged.target().to_owned(),
            detail,
        }
        .into())
    }
}

/// What a layer is made of.
struct Layout<'a> {
    driver: &'a str,
    options: &'a [&'a str],
    kind: OGRwkbGeometryType::Type,
    /// Bytes of the column of classes; 0 for any number.
    class_width: usize,
    /// The names of the columns of numbers after class and score.
    numbers: &'a [&'a str],
}

struct Target {
    dataset: gdal_sys::GDALDatasetH,
    layer: gdal_sys::OGRLayerH,
}

impl Target {
    fn create(
        path: &Path,
        layer_name: &str,
        system: Option<&gdal::spatial_ref::SpatialRef>,
        layout: &Layout<'_>,
    ) -> Option<Self> {
        let (driver, layer_name) = (c_string(layout.driver), c_string(layer_name));
        let (name, options) = (c_path(path), StringList::new(layout.options));
        // SAFETY: all strings outlive the calls, and every pointer is checked before it is used.
        unsafe {
            let driver = gdal_sys::GDALGetDriverByName(driver.as_ptr());
            if driver.is_null() {
                return None;
            }
            let none = std::ptr::null_mut();
            let dataset = gdal_sys::GDALCreate(driver, name.as_ptr(), 0, 0, 0, 0, none);
            if dataset.is_null() {
                return None;
            }
            let layer = gdal_sys::GDALDatasetCreateLayer(
                dataset,
                layer_name.as_ptr(),
                system.map_or(
                    std::ptr::null_mut(),
                    gdal::spatial_ref::SpatialRef::to_c_hsrs,
                ),
                layout.kind,
                options.as_ptr(),
            );
            let target = Self { dataset, layer };
            if layer.is_null() {
                return None;
            }
            let numbers = layout.numbers.iter();
            let fields = [
                ("class", OGRFieldType::OFTString, layout.class_width),
                ("score", OGRFieldType::OFTReal, 0),
            ];
            let numbers = numbers.map(|name| (*name, OGRFieldType::OFTReal, 0));
            for (name, kind, width) in fields.into_iter().chain(numbers) {
                let field = gdal_sys::OGR_Fld_Create(c_string(name).as_ptr(), kind);
                gdal_sys::OGR_Fld_SetWidth(field, width as c_int);
                let made = gdal_sys::OGR_L_CreateField(layer, field, 1);
                gdal_sys::OGR_Fld_Destroy(field);
                if made != 0 {
                    return None;
                }
            }
            Some(target)
        }
    }

    /// One transaction for all features: SQLite flushes to the disk at the end of each.
    fn begin(&self) -> Option<()> {
        // SAFETY: the dataset is open.
        let failed = unsafe { gdal_sys::GDALDatasetStartTransaction(self.dataset, 0) != 0 };
        (!failed).then_some(())
    }

    fn add(&self, polygon: &Measured<'_>) -> Option<()> {
        // SAFETY: the layer is open; the feature is made, filled and destroyed here, and takes the geometry over.
        unsafe {
            let feature = gdal_sys::OGR_F_Create(gdal_sys::OGR_L_GetLayerDefn(self.layer));
            gdal_sys::OGR_F_SetFieldString(feature, 0, c_string(polygon.class).as_ptr());
            if let Some(score) = polygon.score {
                gdal_sys::OGR_F_SetFieldDouble(feature, 1, f64::from(score));
            }
            for (index, number) in (2..).zip(&polygon.numbers) {
                gdal_sys::OGR_F_SetFieldDouble(feature, index, *number);
            }
            let whole = gdal_sys::OGR_G_CreateGeometry(OGRwkbGeometryType::wkbMultiPolygon);
            for part in polygon.geometry {
                let shape = gdal_sys::OGR_G_CreateGeometry(OGRwkbGeometryType::wkbPolygon);
                for points in std::iter::once(part.exterior()).chain(part.interiors()) {
                    gdal_sys::OGR_G_AddGeometryDirectly(shape, ring(points));
                }
                gdal_sys::OGR_G_AddGeometryDirectly(whole, shape);
            }
            gdal_sys::OGR_F_SetGeometryDirectly(feature, whole);
            let failed = gdal_sys::OGR_L_CreateFeature(self.layer, feature) != 0;
            gdal_sys::OGR_F_Destroy(feature);
            (!failed).then_some(())
        }
    }

    fn add_point(&self, point: &PointFeature) -> Option<()> {
        // SAFETY: the layer is open; the feature is made, filled and destroyed here, and takes the geometry over.
        unsafe {
            let feature = gdal_sys::OGR_F_Create(gdal_sys::OGR_L_GetLayerDefn(self.layer));
            gdal_sys::OGR_F_SetFieldString(feature, 0, c_string(&point.class).as_ptr());
            if let Some(score) = point.score {
                gdal_sys::OGR_F_SetFieldDouble(feature, 1, f64::from(score));
            }
            let geometry = gdal_sys::OGR_G_CreateGeometry(OGRwkbGeometryType::wkbPoint);
            gdal_sys::OGR_G_SetPoint_2D(geometry, 0, point.point.x(), point.point.y());
            gdal_sys::OGR_F_SetGeometryDirectly(feature, geometry);
            let failed = gdal_sys::OGR_L_CreateFeature(self.layer, feature) != 0;
            gdal_sys::OGR_F_Destroy(feature);
            (!failed).then_some(())
        }
    }

    fn commit(&self) -> Option<()> {
        // SAFETY: the dataset is open.
        let failed = unsafe { gdal_sys::GDALDatasetCommitTransaction(self.dataset) != 0 };
        (!failed).then_some(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // SAFETY: the dataset is open and ours alone.
        unsafe { gdal_sys::GDALClose(self.dataset) };
    }
}

/// # Safety
/// The caller takes the ring over.
unsafe fn ring(points: &LineString<f64>) -> OGRGeometryH {
    let xs: Vec<c_double> = points.0.iter().map(|point| point.x).collect();
    let ys: Vec<c_double> = points.0.iter().map(|point| point.y).collect();
    // SAFETY: both buffers hold as many values of 8 bytes as is said.
    unsafe {
        let ring = gdal_sys::OGR_G_CreateGeometry(OGRwkbGeometryType::wkbLinearRing);
        let none = std::ptr::null_mut();
        gdal_sys::OGR_G_SetPoints(
            ring,
            xs.len() as c_int,
            xs.as_ptr().cast(),
            8,
            ys.as_ptr().cast(),
            8,
            none,
            0,
        );
        ring
    }
}

//! Features by the drivers of OGR: GeoPackage, FlatGeobuf, shapefile, GeoParquet.

use std::ffi::{c_double, c_int};
use std::path::{Path, PathBuf};

use gdal_sys::{OGRFieldType, OGRGeometryH, OGRwkbGeometryType};
use geo::LineString;

use super::measured::{Layout, Measured, Shapes};
use super::{Format, PointFeature, VectorError, shapefile};
use crate::Result;
use crate::raster::crs;
use crate::raster::gdal_library::{self, Messages, StringList, c_path, c_string};
use crate::report::Report;
use crate::staged::StagedFile;

/// What GDAL writes with the `srs_id` -1, "undefined Cartesian coordinate reference systems" (GeoPackage 1.1.3.1.1).
const UNDEFINED_PLANE: &str = "LOCAL_CS[\"Undefined Cartesian SRS\",UNIT[\"metre\",1]]";

/// Where a file is made until it is complete.
enum Staging {
    File(StagedFile),
    /// The parts of a shapefile, under their final names.
    Folder(tempfile::TempDir),
}

/// Writes a file feature by feature; it appears under its name only when it is complete.
pub(super) struct OgrWriter {
    target: Target,
    staging: Staging,
    path: PathBuf,
    format: Format,
    /// The columns' names as the file has them, and as they were asked for.
    renamed: Vec<(String, String)>,
    /// Classes whose names were too long.
    cut: usize,
}

impl OgrWriter {
    /// # Errors
    /// [`VectorError::NoDriver`], [`VectorError::Write`].
    pub(super) fn create(
        path: &Path,
        format: Format,
        crs_wkt: &str,
        layout: &Layout<'_>,
    ) -> Result<Self> {
        let fail = |detail: String| VectorError::Write {
            path: path.to_owned(),
            detail,
        };
        if !is_there(format) {
            return Err(VectorError::NoDriver {
                path: path.to_owned(),
                format: format.name(),
                driver: format.driver(),
            }
            .into());
        }
        let system = match (crs_wkt, format) {
            // GDAL writes a missing system as "undefined geographic", which coordinates of an image are not.
            ("", Format::GeoPackage) => Some(crs::parse(UNDEFINED_PLANE)?),
            ("", _) => None,
            (wkt, _) => Some(crs::parse(wkt)?),
        };
        let io = |error: std::io::Error| fail(error.to_string());
        let (staging, made) = match format {
            Format::Shapefile => {
                let folder = shapefile::staging(path).map_err(io)?;
                let made = folder.path().join(path.file_name().unwrap_or_default());
                (Staging::Folder(folder), made)
            }
            _ => {
                let file = StagedFile::new(path, "new").map_err(io)?;
                let made = file.path().to_owned();
                (Staging::File(file), made)
            }
        };
        let names = match format {
            Format::Shapefile => shapefile::short_names(layout.numbers),
            _ => layout
                .numbers
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
        };
        let columns = Columns {
            kind: match (layout.shapes, format) {
                (Shapes::Points, _) => OGRwkbGeometryType::wkbPoint,
                (Shapes::Polygons, Format::Shapefile) => OGRwkbGeometryType::wkbPolygon,
                (Shapes::Polygons, _) => OGRwkbGeometryType::wkbMultiPolygon,
            },
            // Text columns of a shapefile have one width: that of the longest value, or what the format allows.
            class_width: match format {
                Format::Shapefile => layout.longest_class.clamp(1, shapefile::LONGEST_TEXT),
                _ => 0,
            },
            numbers: &names,
        };
        let layer = path.file_stem().unwrap_or_default().to_string_lossy();
        let (target, messages) = gdal_library::with_messages(|| {
            let target = Target::create(&made, &layer, system.as_ref(), format, &columns)?;
            // One transaction for all features: SQLite flushes to the disk at the end of each.
            match format {
                Format::GeoPackage => target.begin().map(|()| target),
                _ => Some(target),
            }
        });
        let Some(target) = target else {
            return Err(fail(messages.joined("GDAL cannot create the file")).into());
        };
        let asked = layout.numbers.iter().map(|name| (*name).to_owned());
        Ok(Self {
            target,
            staging,
            path: path.to_owned(),
            format,
            renamed: names.into_iter().zip(asked).collect(),
            cut: 0,
        })
    }

    pub(super) fn add(&mut self, feature: &Measured<'_>) -> Result<()> {
        self.count(feature.class);
        let (added, messages) = gdal_library::with_messages(|| self.target.add(feature));
        self.checked(added, &messages)
    }

    pub(super) fn add_point(&mut self, feature: &PointFeature) -> Result<()> {
        self.count(&feature.class);
        let (added, messages) = gdal_library::with_messages(|| self.target.add_point(feature));
        self.checked(added, &messages)
    }

    fn count(&mut self, class: &str) {
        let is_cut = self.format == Format::Shapefile && class.len() > shapefile::LONGEST_TEXT;
        self.cut += usize::from(is_cut);
    }

    /// Completes the file and says what the format does not hold.
    pub(super) fn finish(self) -> Result<Report> {
        if self.format == Format::GeoPackage {
            let (committed, messages) = gdal_library::with_messages(|| self.target.commit());
            self.checked(committed, &messages)?;
        }
        let Self {
            target,
            staging,
            path,
            renamed,
            cut,
            ..
        } = self;
        let fail = |detail: String| VectorError::Write {
            path: path.clone(),
            detail,
        };
        // Closing writes too, and tells its failures through messages alone.
        let ((), messages) = gdal_library::with_messages(|| drop(target));
        if messages.failed() {
            return Err(fail(messages.joined("")).into());
        }
        match staging {
            Staging::File(file) => {
                file.commit().map_err(|error| fail(error.to_string()))?;
                Ok(Report::new())
            }
            Staging::Folder(folder) => {
                shapefile::publish(folder.path(), &path).map_err(fail)?;
                Ok(shapefile::lost(&path, &renamed, cut))
            }
        }
    }

    fn checked(&self, done: Option<()>, messages: &Messages) -> Result<()> {
        if done.is_some() && !messages.failed() {
            return Ok(());
        }
        let detail = messages.joined("GDAL gives no reason");
        Err(VectorError::Write {
            path: self.path.clone(),
            detail,
        }
        .into())
    }
}

/// Whether this GDAL writes a format.
fn is_there(format: Format) -> bool {
    let name = c_string(format.driver());
    let (is_there, _) = gdal_library::with_messages(|| {
        // SAFETY: the name is a C string; GDAL owns what it returns.
        unsafe {
            let driver = gdal_sys::GDALGetDriverByName(name.as_ptr());
            !driver.is_null()
                && !gdal_sys::GDALGetMetadataItem(driver, c"DCAP_CREATE".as_ptr(), std::ptr::null())
                    .is_null()
        }
    });
    is_there
}

/// What a layer is made of.
struct Columns<'a> {
    kind: OGRwkbGeometryType::Type,
    /// Bytes of the column of classes; 0 for any number.
    class_width: usize,
    /// The names of the columns of numbers after class and score.
    numbers: &'a [String],
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
        format: Format,
        layout: &Columns<'_>,
    ) -> Option<Self> {
        let (driver, layer_name) = (c_string(format.driver()), c_string(layer_name));
        let (name, options) = (c_path(path), StringList::new(format.layer_options()));
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
            let numbers = numbers.map(|name| (name.as_str(), OGRFieldType::OFTReal, 0));
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
            for (index, number) in (2..).zip(polygon.numbers) {
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

use std::path::{Path, PathBuf};

use gdal_sys::{OGRFeatureH, OGRLayerH};

use super::VectorError;
use crate::raster::Raster;
use crate::raster::gdal_library::{self, text};

/// An open vector file with the layer that is read.
#[derive(Debug)]
pub(super) struct OpenLayer {
    dataset: gdal_sys::GDALDatasetH,
    pub(super) layer: OGRLayerH,
    path: PathBuf,
}

impl OpenLayer {
    /// Opens the first layer that has a feature.
    pub(super) fn open(path: &Path) -> Result<Self, VectorError> {
        if !gdal_library::is_virtual(path) {
            std::fs::metadata(path).map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => VectorError::Missing {
                    path: path.to_owned(),
                },
                _ => VectorError::Io {
                    path: path.to_owned(),
                    source,
                },
            })?;
        }
        let name = gdal_library::c_path(path);
        let (dataset, messages) = gdal_library::with_messages(|| {
            // SAFETY: the name is a valid C string, and null lists stand for the defaults.
            unsafe {
                gdal_sys::GDALOpenEx(
                    name.as_ptr(),
                    gdal_library::OPEN_VECTOR | gdal_library::OPEN_VERBOSE,
                    std::ptr::null(),
                    std::ptr::null(),
                    std::ptr::null(),
                )
            }
        });
        let missing = |detail: String| {
            let path = path.to_owned();
            match Raster::open(&path) {
                Ok(_) => VectorError::IsRaster { path },
                Err(_) => VectorError::NotAVector { path, detail },
            }
        };
        if dataset.is_null() {
            return Err(missing(messages.joined("no driver recognises it")));
        }
        let mut open = Self {
            dataset,
            layer: std::ptr::null_mut(),
            path: path.to_owned(),
        };
        // SAFETY: the dataset is open; layers are numbered from 0 to their count.
        unsafe {
            for number in 0..gdal_sys::GDALDatasetGetLayerCount(dataset) {
                let layer = gdal_sys::GDALDatasetGetLayer(dataset, number);
                if open.layer.is_null()
                    || (gdal_sys::OGR_L_GetFeatureCount(open.layer, 1) == 0 && !layer.is_null())
                {
                    open.layer = layer;
                }
            }
        }
        if open.layer.is_null() {
            Err(missing("it has no layer".to_owned()))
        } else {
            Ok(open)
        }
    }

    /// The names of the features' properties.
    pub(super) fn property_names(&self) -> Vec<String> {
        // SAFETY: the layer is open and owns its definition.
        unsafe {
            let definition = gdal_sys::OGR_L_GetLayerDefn(self.layer);
            (0..gdal_sys::OGR_FD_GetFieldCount(definition))
                .map(|index| {
                    text(gdal_sys::OGR_Fld_GetNameRef(gdal_sys::OGR_FD_GetFieldDefn(
                        definition, index,
                    )))
                })
                .collect()
        }
    }

    /// The coordinate reference system as WKT; empty when the file names none.
    pub(super) fn crs_wkt(&self) -> String {
        let mut wkt = std::ptr::null_mut();
        // SAFETY: the layer owns its reference system; the text is ours to free.
        unsafe {
            let system = gdal_sys::OGR_L_GetSpatialRef(self.layer);
            if system.is_null() || gdal_sys::OSRExportToWkt(system, &raw mut wkt) != 0 {
                return String::new();
            }
            let copied = text(wkt);
            gdal_sys::VSIFree(wkt.cast());
            copied
        }
    }

    /// Calls `each` with every feature and how many came before it.
    pub(super) fn for_each<E>(
        &self,
        mut each: impl FnMut(OGRFeatureH, usize) -> Result<(), E>,
    ) -> Result<(), E>
    where
        E: From<VectorError>,
    {
        let mut count = 0;
        // SAFETY: the layer is open; every feature is destroyed after use.
        unsafe { gdal_sys::OGR_L_ResetReading(self.layer) };
        loop {
            // SAFETY: as above.
            let (feature, messages) = gdal_library::with_messages(|| unsafe {
                gdal_sys::OGR_L_GetNextFeature(self.layer)
            });
            if feature.is_null() {
                if messages.failed() {
                    let detail = messages.joined("");
                    return Err(VectorError::Read {
                        path: self.path.clone(),
                        detail,
                    }
                    .into());
                }
                return Ok(());
            }
            let outcome = each(feature, count);
            // SAFETY: as above.
            unsafe { gdal_sys::OGR_F_Destroy(feature) };
            outcome?;
            count += 1;
        }
    }
}

impl Drop for OpenLayer {
    fn drop(&mut self) {
        // SAFETY: the dataset is open and ours alone.
        unsafe { gdal_sys::GDALClose(self.dataset) };
    }
}

//! A file without a spatial index that is read once for many scenes: its features wait in a file for temporary files, of which
//! each scene takes those near it.
//!
//! Every scene gets a layer in memory with the definition of the file's own: the same properties of the same types, the same
//! numbers (FID) in the same order, so that conditions mean the same and later features lie over earlier ones.

use std::ffi::CString;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gdal_sys::{OGREnvelope, OGRFeatureH, OGRFieldType, OGRLayerH};

use super::file::VectorFile;
use super::layer::OpenLayer;
use super::record::{Record, read_feature, write_feature};
use super::{VectorError, VectorSource};
use crate::raster::GeoReference;
use crate::raster::gdal_library::{self, StringList};
use crate::report::Report;

/// Formats of text, which say where a feature lies only when they are read to it.
const WITHOUT_INDEX: [&str; 7] = [
    "GeoJSON",
    "GeoJSONSeq",
    "TopoJSON",
    "ESRIJSON",
    "KML",
    "LIBKML",
    "GML",
];
/// Smaller files are read as soon as a layer in memory is made.
const WORTHWHILE: u64 = 1 << 20;

/// A file that several scenes are labeled from, read by the first that needs it. Clones are of the same reading.
#[derive(Clone, Default)]
pub(crate) struct ReadOnce(Arc<OnceLock<Option<Spool>>>);

impl std::fmt::Debug for ReadOnce {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ReadOnce")
    }
}

/// What was read so far makes no other source.
impl PartialEq for ReadOnce {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl ReadOnce {
    /// The features of a source near a raster; `None` where the file has to be asked itself.
    ///
    /// # Errors
    /// [`VectorError`] when the condition of the source cannot be asked.
    pub(super) fn near(
        &self,
        source: &VectorSource,
        asked: &[&str],
        target: &GeoReference,
    ) -> Result<Option<OpenLayer>, VectorError> {
        match self.0.get_or_init(|| Spool::of(source, asked)) {
            Some(spool) => spool.near(source, target),
            None => Ok(None),
        }
    }
}

/// Where a feature lies on the ground, and its record in the file.
struct Place {
    bounds: [f64; 4],
    start: u64,
    length: u32,
}

struct Spool {
    /// Without features: what the layers of scenes are made like.
    template: Mutex<MemoryLayer>,
    kinds: Vec<OGRFieldType::Type>,
    file: File,
    places: Vec<Place>,
    /// Around all features.
    extent: OGREnvelope,
    driver: String,
    opened: PathBuf,
    notices: Report,
}

impl Spool {
    /// `None` for a file with an index, for a small one, and where anything is not as it should be: the file itself says then
    /// what that is.
    fn of(source: &VectorSource, asked: &[&str]) -> Option<Self> {
        if std::fs::metadata(source.path()).ok()?.len() < WORTHWHILE {
            return None;
        }
        let open = OpenLayer::open(source, asked).ok()?;
        if !WITHOUT_INDEX.contains(&open.driver()) || !open.is_utf8() {
            return None;
        }
        let template = MemoryLayer::like(open.raw())?;
        // SAFETY: both layers are open.
        let (kinds, geometries) = unsafe {
            let definition = gdal_sys::OGR_L_GetLayerDefn(open.raw());
            (
                kinds_of(open.raw()),
                gdal_sys::OGR_FD_GetGeomFieldCount(definition),
            )
        };
        if geometries != 1 {
            return None;
        }
        let mut writer = BufWriter::with_capacity(1 << 20, tempfile::tempfile().ok()?);
        let (mut places, mut start) = (Vec::new(), 0_u64);
        let mut last = None;
        let mut bytes = Vec::new();
        open.for_each(|feature, count| {
            let stop = || VectorError::Read {
                path: source.path().to_owned(),
                detail: String::new(),
            };
            if count % 4096 == 0 && crate::session::interrupted() {
                return Err(stop());
            }
            // SAFETY: the feature lives until this call ends, and is of the layer whose kinds these are.
            let record = unsafe { write_feature(feature, &kinds, &mut bytes) };
            let Record { number, bounds } = record.ok_or_else(stop)?;
            // A layer in memory hands its features out by their numbers.
            if last.is_some_and(|last| number <= last) {
                return Err(stop());
            }
            last = Some(number);
            // What has no geometry is near nothing.
            let Some(bounds) = bounds else { return Ok(()) };
            let length = u32::try_from(bytes.len()).map_err(|_| stop())?;
            writer.write_all(&bytes).map_err(|_| stop())?;
            places.push(Place {
                bounds,
                start,
                length,
            });
            start += u64::from(length);
            Ok::<(), VectorError>(())
        })
        .ok()?;
        let whole = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        let extent = places.iter().fold(whole, |all, place| {
            let one = place.bounds;
            [
                all[0].min(one[0]),
                all[1].min(one[1]),
                all[2].max(one[2]),
                all[3].max(one[3]),
            ]
        });
        Some(Self {
            template: Mutex::new(template),
            kinds,
            file: writer.into_inner().ok()?,
            places,
            extent: OGREnvelope {
                MinX: extent[0],
                MaxX: extent[2],
                MinY: extent[1],
                MaxY: extent[3],
            },
            driver: open.driver().to_owned(),
            opened: open.opened().to_owned(),
            notices: open.notices.clone(),
        })
    }

    fn near(
        &self,
        source: &VectorSource,
        target: &GeoReference,
    ) -> Result<Option<OpenLayer>, VectorError> {
        let memory = {
            let template = self.template.lock().unwrap_or_else(PoisonError::into_inner);
            MemoryLayer::like(template.layer)
        };
        let Some(memory) = memory else {
            return Ok(None);
        };
        let layer = memory.layer;
        let file = VectorFile::in_memory(
            memory.into_dataset(),
            (self.driver.clone(), self.opened.clone()),
            source.path(),
        );
        let mut open = OpenLayer::of_memory(file, layer, self.notices.clone())?;
        let Some(rectangle) = open.around(source.crs.as_deref(), target, Some(self.extent)) else {
            return Ok(None);
        };
        let [left, bottom, right, top] = rectangle;
        let near = self.places.iter().filter(|place| {
            let [min_x, min_y, max_x, max_y] = place.bounds;
            min_x <= right && max_x >= left && min_y <= top && max_y >= bottom
        });
        let mut bytes = Vec::new();
        for place in near {
            bytes.resize(place.length as usize, 0);
            if self.file.read_exact_at(&mut bytes, place.start).is_err() {
                return Ok(None);
            }
            // SAFETY: the layer is open and has the kinds of the one that the record is of.
            let added = unsafe { add(layer, &self.kinds, &bytes) };
            if added.is_none() {
                return Ok(None);
            }
        }
        open.begin_near(rectangle, source.filter.as_deref())?;
        Ok(Some(open))
    }
}

/// # Safety
/// `layer` is open and in memory, and has fields of these kinds.
unsafe fn add(layer: OGRLayerH, kinds: &[OGRFieldType::Type], bytes: &[u8]) -> Option<()> {
    // SAFETY: by the caller's promise; the feature is ours and destroyed here.
    unsafe {
        let feature: OGRFeatureH = read_feature(gdal_sys::OGR_L_GetLayerDefn(layer), kinds, bytes)?;
        let (failed, messages) =
            gdal_library::with_messages(|| gdal_sys::OGR_L_CreateFeature(layer, feature) != 0);
        gdal_sys::OGR_F_Destroy(feature);
        (!failed && !messages.failed()).then_some(())
    }
}

/// # Safety
/// `layer` is open.
unsafe fn kinds_of(layer: OGRLayerH) -> Vec<OGRFieldType::Type> {
    // SAFETY: by the caller's promise; the layer owns its definition.
    unsafe {
        let definition = gdal_sys::OGR_L_GetLayerDefn(layer);
        (0..gdal_sys::OGR_FD_GetFieldCount(definition))
            .map(|index| {
                gdal_sys::OGR_Fld_GetType(gdal_sys::OGR_FD_GetFieldDefn(definition, index))
            })
            .collect()
    }
}

/// A data set in memory with one layer.
struct MemoryLayer {
    dataset: gdal_sys::GDALDatasetH,
    layer: OGRLayerH,
}

// SAFETY: a data set may move between threads; only use from two threads at once is forbidden, and it is not `Sync`.
unsafe impl Send for MemoryLayer {}

impl MemoryLayer {
    /// An empty layer of the same name, system and properties.
    fn like(layer: OGRLayerH) -> Option<Self> {
        let options = StringList::new(["ADVERTIZE_UTF8=YES"]);
        let (made, messages) = gdal_library::with_messages(|| {
            // SAFETY: the layer is open; every pointer is checked, what is made is owned by the data set, and the copy of the
            // system is released, of which the new layer has its own.
            unsafe {
                let driver = [c"Memory", c"MEM"]
                    .into_iter()
                    .map(|name| gdal_sys::GDALGetDriverByName(name.as_ptr()))
                    .find(|driver| !driver.is_null())?;
                let none = std::ptr::null_mut();
                let dataset = gdal_sys::GDALCreate(driver, c"".as_ptr(), 0, 0, 0, 0, none);
                if dataset.is_null() {
                    return None;
                }
                let mut made = Self {
                    dataset,
                    layer: std::ptr::null_mut(),
                };
                let system = gdal_sys::OGR_L_GetSpatialRef(layer);
                let system = match system.is_null() {
                    true => system,
                    false => gdal_sys::OSRClone(system),
                };
                let name = CString::from(std::ffi::CStr::from_ptr(gdal_sys::OGR_L_GetName(layer)));
                made.layer = gdal_sys::GDALDatasetCreateLayer(
                    dataset,
                    name.as_ptr(),
                    system,
                    gdal_sys::OGR_L_GetGeomType(layer),
                    options.as_ptr(),
                );
                if !system.is_null() {
                    gdal_sys::OSRRelease(system);
                }
                if made.layer.is_null() {
                    return None;
                }
                let definition = gdal_sys::OGR_L_GetLayerDefn(layer);
                for index in 0..gdal_sys::OGR_FD_GetFieldCount(definition) {
                    let field = gdal_sys::OGR_FD_GetFieldDefn(definition, index);
                    if gdal_sys::OGR_L_CreateField(made.layer, field, 0) != 0 {
                        return None;
                    }
                }
                Some(made)
            }
        });
        made.filter(|_| !messages.failed())
    }

    /// The data set, which the caller closes.
    fn into_dataset(self) -> gdal_sys::GDALDatasetH {
        std::mem::ManuallyDrop::new(self).dataset
    }
}

impl Drop for MemoryLayer {
    fn drop(&mut self) {
        // SAFETY: the data set is open and ours alone.
        gdal_library::with_messages(|| unsafe { gdal_sys::GDALClose(self.dataset) });
    }
}

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::handle::{self, Handle};
use super::information::Information;
use super::{
    Band, BandStatistics, DataType, GeoReference, GeoTransform, PixelWindow, RasterError, Size,
    gdal_library, ground,
};
use crate::Result;
use crate::report::Report;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// An opened raster. Cheap to clone; each thread that reads opens its own GDAL handle behind it.
#[derive(Clone, Debug)]
pub struct Raster {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    id: u64,
    path: PathBuf,
    /// What GDAL opens when that is not the file itself: its description of the file at another pixel size.
    source: Option<PathBuf>,
    pub(crate) information: Information,
    pub(crate) statistics: OnceLock<Vec<BandStatistics>>,
}

impl Raster {
    /// Opens any raster that GDAL reads: a file, or one of GDAL's virtual names such as `/vsicurl/https://…`.
    ///
    /// # Errors
    /// [`RasterError`] when there is no such file, it is empty, or it is not a raster.
    ///
    /// # Examples
    /// ```
    /// let error = swath::raster::Raster::open("nowhere.tif").unwrap_err();
    /// assert!(error.to_string().contains("nowhere.tif"));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if !gdal_library::is_virtual(path) {
            let about = std::fs::metadata(path).map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound => RasterError::Missing {
                    path: path.to_owned(),
                },
                _ => RasterError::Io {
                    path: path.to_owned(),
                    source,
                },
            })?;
            if about.is_file() && about.len() == 0 {
                return Err(RasterError::Empty {
                    path: path.to_owned(),
                }
                .into());
            }
        }
        // Absolute, so that the raster outlives a change of the current folder.
        let path = if gdal_library::is_virtual(path) {
            path.to_owned()
        } else {
            std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
        };
        Self::opened(path, None)
    }

    /// Opens the file, or what stands for it.
    pub(super) fn opened(path: PathBuf, source: Option<PathBuf>) -> Result<Self> {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let handle = handle::of_this_thread(id, source.as_deref().unwrap_or(&path))?;
        let information = Information::read(&handle, &path);
        if information.bands.is_empty() || information.size.area() == 0 {
            return Err(RasterError::NoBands { path }.into());
        }
        Ok(Self {
            inner: Arc::new(Inner {
                id,
                path,
                source,
                information,
                statistics: OnceLock::new(),
            }),
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> Size {
        self.inner.information.size
    }

    /// The window of the whole raster.
    #[must_use]
    pub fn full(&self) -> PixelWindow {
        PixelWindow::full(self.size())
    }

    /// Bands with imagery; an alpha band is not counted.
    #[must_use]
    pub fn band_count(&self) -> usize {
        self.inner.information.bands.len()
    }

    /// The bands with imagery, in the order in which windows hold them.
    #[must_use]
    pub fn bands(&self) -> &[Band] {
        &self.inner.information.bands
    }

    /// The smallest type that holds the values of every band; each band has its own ([`Raster::bands`]).
    #[must_use]
    pub fn data_type(&self) -> DataType {
        self.inner.information.data_type()
    }

    /// What was left out or assumed when the file was opened.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.inner.information.report
    }

    /// The value that stands for "no data" in the first band that has one.
    #[must_use]
    pub fn nodata(&self) -> Option<f64> {
        self.bands().iter().find_map(|band| band.nodata)
    }

    /// The coordinate reference system as WKT; empty when the file names none.
    #[must_use]
    pub fn crs_wkt(&self) -> String {
        self.inner.information.crs_wkt.clone()
    }

    /// The coordinate reference system's short name, such as `EPSG:4326` or its title; `none` when there is none.
    #[must_use]
    pub fn crs_name(&self) -> String {
        super::crs::short_name(&self.inner.information.crs_wkt)
    }

    /// From pixel to world coordinates; the identity when the file is not georeferenced.
    #[must_use]
    pub fn transform(&self) -> GeoTransform {
        self.inner.information.transform
    }

    /// Whether the file says where it lies.
    #[must_use]
    pub fn is_georeferenced(&self) -> bool {
        self.inner.information.georeferenced
    }

    /// The transform and the coordinate reference system.
    #[must_use]
    pub fn georeference(&self) -> GeoReference {
        GeoReference {
            transform: self.transform(),
            crs_wkt: self.crs_wkt(),
            size: Some(self.size()),
            missing: self.inner.information.missing_place.clone(),
        }
    }

    /// A name for each band: its own, its colour, or its number.
    #[must_use]
    pub fn band_names(&self) -> Vec<String> {
        self.bands().iter().map(|band| band.name.clone()).collect()
    }

    /// The names that the file gives to the values of its first band, by value; empty when it gives none.
    #[must_use]
    pub fn category_names(&self) -> Vec<String> {
        self.inner.information.category_names.clone()
    }

    /// The size of the blocks that the file is stored in.
    #[must_use]
    pub fn block_size(&self) -> Size {
        self.inner.information.block
    }

    /// How many smaller versions of itself the file holds.
    #[must_use]
    pub fn overview_count(&self) -> usize {
        self.inner.information.overviews
    }

    /// GDAL's short name of the file format, such as `GTiff`.
    #[must_use]
    pub fn format(&self) -> &str {
        &self.inner.information.driver
    }

    /// Whether any pixel inside the raster can be invalid: it has a mask, an alpha band, a nodata value or floating
    /// point values.
    #[must_use]
    pub fn can_be_invalid(&self) -> bool {
        self.inner.information.can_be_invalid()
    }

    /// Width and height of a pixel on the ground at the middle of the raster.
    ///
    /// # Units
    /// Metres. Degrees and web mercator are brought to the ground on the WGS 84 ellipsoid; other projections are taken
    /// at their own scale. Without a coordinate reference system a unit is taken for a metre: [`Raster::pixel_metres`] is
    /// `None` there.
    #[must_use]
    pub fn metres_per_pixel(&self) -> (f64, f64) {
        self.pixel_metres()
            .unwrap_or_else(|| self.transform().pixel_edges())
    }

    /// Width and height of a pixel on the ground at the middle of the raster, in metres as [`Raster::metres_per_pixel`];
    /// `None` when nobody knows what a unit of its coordinates is on the ground: without a coordinate reference system, or in
    /// one of unknown units.
    #[must_use]
    pub fn pixel_metres(&self) -> Option<(f64, f64)> {
        ground::pixel_metres(&self.georeference(), self.size())
    }

    /// A pixel's width and height in the units of the coordinate reference system, in words: `0.5 x 0.5 m`,
    /// `0.01 x 0.01 degrees (785 x 1112 m)`, `2 x 2 of unknown unit`; `None` without a place.
    #[must_use]
    pub fn pixel_words(&self) -> Option<String> {
        (self.transform() != GeoTransform::PIXELS)
            .then(|| ground::pixel_words(&self.georeference(), self.size()))
    }

    /// This thread's own handle.
    pub(crate) fn handle(&self) -> Result<Rc<Handle>, RasterError> {
        let inner = &*self.inner;
        handle::of_this_thread(inner.id, inner.source.as_deref().unwrap_or(&inner.path))
    }
}

use std::borrow::Borrow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::files::{self, Files};
use super::handle::{self, Handle};
use super::held::Held;
use super::information::Information;
use super::kept::Damaged;
use super::layer::Kind;
use super::{
    Band, BandStatistics, DataType, GeoReference, GeoTransform, OpenOptions, PixelWindow,
    RasterError, Size, gdal_library, gsd, names, numpy,
};
use crate::Result;
use crate::report::{Notice, Report, Topic};

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// An opened raster. Cheap to clone; each thread that reads opens its own GDAL handle behind it.
#[derive(Clone, Debug)]
pub struct Raster {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(super) id: u64,
    path: PathBuf,
    /// What GDAL opens when that is not the file itself: its description of the file at another pixel size.
    source: Option<PathBuf>,
    /// The array that it is, in memory or in a file of NumPy.
    pub(super) held: Option<Arc<Held>>,
    pub(super) options: OpenOptions,
    pub(super) kind: Kind,
    pub(super) files: Arc<Files>,
    pub(crate) information: Information,
    pub(crate) statistics: OnceLock<Vec<BandStatistics>>,
    looked: OnceLock<Report>,
    pub(super) damaged: Damaged,
}

impl Raster {
    /// Opens any raster that GDAL reads: a file, one in an archive (`a.zip`, or `zip://a.zip!inner.tif` where it holds
    /// several), a URL (`https://`, `s3://`, `gs://`, `az://`, `file://`, as rasterio takes them), the name of one in a
    /// container (`NETCDF:"day.nc":ndvi`), or one of GDAL's virtual names such as `/vsicurl/https://…`.
    ///
    /// # Errors
    /// [`RasterError`] when there is no such file, it is empty, it is not a raster, or it is one of several that must be
    /// named.
    ///
    /// # Examples
    /// ```
    /// let error = swath::raster::Raster::open("nowhere.tif").unwrap_err();
    /// assert!(error.to_string().contains("nowhere.tif"));
    /// ```
    #[doc(alias = "read_file")]
    #[doc(alias = "open_dataset")]
    #[doc(alias = "imread")]
    #[doc(alias = "open_rasterio")]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, OpenOptions::new())
    }

    /// Opens a raster with bands, nodata values or masks other than its file says.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let raster = Raster::open_with("rgbn.tif", OpenOptions::new().bands([2, 1, 0]).nodata(0.0))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Raster::open`]; [`RasterError::NoSuchBand`]; [`RasterError::BadResolution`].
    pub fn open_with(path: impl AsRef<Path>, options: impl Borrow<OpenOptions>) -> Result<Self> {
        let options = options.borrow().clone();
        let path = &*crate::paths::expanded(path.as_ref());
        let name = names::gdal_name(path);
        if let Some(raster) = Self::of_numpy(&name, path, &options)? {
            return Ok(raster);
        }
        if !gdal_library::is_virtual(&name) {
            Self::look_for(&name, path)?;
        } else if files::local(&name).is_none() {
            gdal_library::forget_remote(&name);
        }
        let resolution = options.resolution;
        let held = Held::named(&name);
        let raster = Self::opened(name, None, held, options).map_err(|error| match error {
            crate::Error::Raster(RasterError::NotARaster { path: name, detail }) => {
                match names::choices(path) {
                    Some((what, found)) => RasterError::SeveralRasters {
                        path: path.to_owned(),
                        what,
                        found,
                    },
                    None => RasterError::NotARaster { path: name, detail },
                }
                .into()
            }
            error => error,
        })?;
        match resolution {
            Some(resolution) => raster.at(resolution),
            None => Ok(raster),
        }
    }

    /// Opens an array of NumPy; `None` for a file of another kind.
    fn of_numpy(name: &Path, given: &Path, options: &OpenOptions) -> Result<Option<Self>> {
        let Some(chosen) = numpy::chosen(name) else {
            return Ok(None);
        };
        if !gdal_library::is_virtual(&chosen.file) {
            let named = if chosen.names_member() {
                &chosen.file
            } else {
                given
            };
            Self::look_for(&chosen.file, named)?;
        }
        let held = numpy::open(&chosen, options)?;
        let source = Some(held.name().to_owned());
        let raster = Self::opened(name.to_owned(), source, Some(held), options.clone())?;
        match options.resolution {
            Some(resolution) => raster.at(resolution).map(Some),
            None => Ok(Some(raster)),
        }
    }

    /// Opens a raster whose values are names: whatever [`Raster::open`] makes of bands for the eye, it leaves alone.
    pub(crate) fn open_as_stored(path: &Path) -> Result<Self> {
        Self::open_with(path, OpenOptions::new().palette_as_numbers())
    }

    /// Whether there is a file with something in it.
    fn look_for(name: &Path, given: &Path) -> Result<(), RasterError> {
        let about = match std::fs::metadata(name) {
            Ok(about) => about,
            Err(source) => {
                if let Some((what, found)) = names::choices(given) {
                    return Err(RasterError::SeveralRasters {
                        path: given.to_owned(),
                        what,
                        found,
                    });
                }
                return Err(match source.kind() {
                    std::io::ErrorKind::NotFound => RasterError::Missing {
                        path: given.to_owned(),
                    },
                    _ => RasterError::File(crate::FileError::new(given.to_owned(), source)),
                });
            }
        };
        if about.is_file() && about.len() == 0 {
            return Err(RasterError::Empty {
                path: given.to_owned(),
            });
        }
        Ok(())
    }

    /// Opens the file, or what stands for it.
    pub(super) fn opened(
        path: PathBuf,
        source: Option<PathBuf>,
        held: Option<Arc<Held>>,
        options: OpenOptions,
    ) -> Result<Self> {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let name = source.as_deref().unwrap_or(&path);
        let handle = handle::of_this_thread(id, name)?;
        let mut information = Information::read(&handle, &options, &path)?;
        if let Some(held) = &held {
            held.format.clone_into(&mut information.driver);
            information.report.extend(held.report.clone());
        }
        if information.bands.is_empty() || information.size.area() == 0 {
            return Err(RasterError::NoBands {
                path,
                rasters: information.subdatasets,
            }
            .into());
        }
        let files = match &held {
            Some(held) => Files::of_array(held.file.as_deref()),
            None => Files::of(&handle, name, &information.driver),
        };
        if let Some((missing, parts)) = files.missing() {
            return Err(RasterError::MissingParts {
                path,
                missing: missing.to_vec(),
                parts,
            }
            .into());
        }
        Ok(Self {
            inner: Arc::new(Inner {
                id,
                path,
                source,
                held,
                options,
                kind: Kind::File,
                files: Arc::new(files),
                information,
                statistics: OnceLock::new(),
                looked: OnceLock::new(),
                damaged: Damaged::default(),
            }),
        })
    }

    /// This raster at another size, read from it without GDAL's resampling.
    pub(super) fn regridded(&self, size: Size) -> Self {
        let base = match &self.inner.kind {
            Kind::Regridded(base) => base,
            _ => self,
        };
        let from = base.size();
        let mut information = base.inner.information.clone();
        information.size = size;
        information.transform = information.transform.scaled(
            from.width as f64 / size.width as f64,
            from.height as f64 / size.height as f64,
        );
        information.overviews = 0;
        information.block = Size::new(256.min(size.width), 256.min(size.height));
        Self {
            inner: Arc::new(Inner {
                id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
                path: base.inner.path.clone(),
                source: base.inner.source.clone(),
                held: base.inner.held.clone(),
                options: base.inner.options.clone(),
                files: Arc::clone(&base.inner.files),
                kind: Kind::Regridded(base.clone()),
                information,
                statistics: OnceLock::new(),
                looked: OnceLock::new(),
                damaged: Damaged::default(),
            }),
        }
    }

    /// A raster that is made of others while it is read.
    pub(super) fn composed(
        path: PathBuf,
        kind: Kind,
        information: Information,
        options: OpenOptions,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
                path,
                source: None,
                held: None,
                options,
                kind,
                files: Arc::new(Files::default()),
                information,
                statistics: OnceLock::new(),
                looked: OnceLock::new(),
                damaged: Damaged::default(),
            }),
        }
    }

    /// A text that differs where the statistics of the raster may; `None` where that cannot be said.
    pub(crate) fn identity(&self) -> Option<String> {
        if !matches!(self.inner.kind, Kind::File) {
            let parts = self.inner.kind.identity()?;
            return Some(format!("{parts}\n{}", self.inner.information.key()));
        }
        let source = match &self.inner.held {
            // Numbered anew each time; what is read of the file says the rest.
            Some(_) => self.path(),
            None => self.inner.source.as_deref().unwrap_or(Path::new("")),
        };
        let files = self.inner.files.identity()?;
        Some(format!(
            "{files}  {} {}",
            source.display(),
            self.inner.information.key()
        ))
    }

    /// Whether its files are surely those that were opened, by their times alone.
    pub(super) fn is_as_opened(&self) -> bool {
        matches!(self.inner.kind, Kind::File) && self.inner.files.are_as_opened()
    }

    /// The parts that a virtual raster names and that are gone, as an error.
    pub(super) fn missing_parts(&self) -> Option<RasterError> {
        if self.inner.held.is_some() {
            return None;
        }
        // What cannot be opened says so when it is read.
        let handle = self.handle().ok()?;
        let name = self.inner.source.as_deref().unwrap_or(&self.inner.path);
        let files = Files::of(&handle, name, &self.inner.information.driver);
        let (missing, parts) = files.missing()?;
        Some(RasterError::MissingParts {
            path: self.path().to_owned(),
            missing: missing.to_vec(),
            parts,
        })
    }

    /// The file.
    #[must_use]
    #[doc(alias = "name")]
    #[doc(alias = "filename")]
    #[doc(alias = "files")]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Columns and rows.
    #[must_use]
    #[doc(alias = "shape")]
    #[doc(alias = "width")]
    #[doc(alias = "height")]
    #[doc(alias = "dimensions")]
    pub fn size(&self) -> Size {
        self.inner.information.size
    }

    /// The window of the whole raster.
    #[must_use]
    #[doc(alias = "bounds")]
    #[doc(alias = "extent")]
    pub fn full(&self) -> PixelWindow {
        PixelWindow::full(self.size())
    }

    /// Bands with imagery; an alpha band is not counted unless the raster was opened so.
    #[must_use]
    #[doc(alias = "count")]
    pub fn band_count(&self) -> usize {
        self.inner.information.bands.len()
    }

    /// The bands with imagery, in the order in which windows hold them.
    #[must_use]
    #[doc(alias = "indexes")]
    pub fn bands(&self) -> &[Band] {
        &self.inner.information.bands
    }

    /// The smallest type that holds the values of every band; each band has its own ([`Raster::bands`]).
    #[must_use]
    #[doc(alias = "dtype")]
    #[doc(alias = "dtypes")]
    pub fn data_type(&self) -> DataType {
        self.inner.information.data_type()
    }

    /// What was left out, assumed or converted: said by the file's own description, and counted over its pixels (samples
    /// of a large raster's) when this is called for the first time.
    #[must_use]
    #[doc(alias = "info")]
    pub fn report(&self) -> &Report {
        if let Kind::Regridded(base) = &self.inner.kind {
            return base.report();
        }
        self.inner.looked.get_or_init(|| {
            let mut report = self.inner.kind.report();
            if matches!(self.inner.kind, Kind::Transformed(..)) {
                // Dates may have become one, or been filled, and bands are others: what is missing now is counted in the pixels
                // as they are now.
                let missing = |notice: &Notice| {
                    let topics = [Topic::MissingOnSomeDates, Topic::MissingInSomeBands];
                    notice.topic().is_some_and(|topic| topics.contains(topic))
                };
                let others = report.into_iter().filter(|notice| !missing(notice));
                report = others.collect();
            }
            report.extend(self.inner.information.report.clone());
            report.extend(self.look());
            report
        })
    }

    /// How the raster was opened.
    #[must_use]
    pub fn options(&self) -> &OpenOptions {
        &self.inner.options
    }

    /// The value that stands for "no data" in the first band that has one.
    #[must_use]
    #[doc(alias = "nodatavals")]
    pub fn nodata(&self) -> Option<f64> {
        self.bands().iter().find_map(|band| band.nodata)
    }

    /// The coordinate reference system as WKT; empty when the file names none.
    #[must_use]
    #[doc(alias = "to_wkt")]
    pub fn crs_wkt(&self) -> String {
        self.inner.information.crs_wkt.clone()
    }

    /// The coordinate reference system's short name, such as `EPSG:4326` or its title; `none` when there is none.
    #[must_use]
    #[doc(alias = "crs")]
    #[doc(alias = "epsg")]
    pub fn crs_name(&self) -> String {
        super::crs::short_name(&self.inner.information.crs_wkt)
    }

    /// From pixel to world coordinates; the identity when the file is not georeferenced.
    #[must_use]
    #[doc(alias = "affine")]
    #[doc(alias = "geotransform")]
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

    /// A name for each band: its own, its color, or its number.
    #[must_use]
    #[doc(alias = "descriptions")]
    pub fn band_names(&self) -> Vec<String> {
        self.bands().iter().map(|band| band.name.clone()).collect()
    }

    /// The names that the file gives to the values of its first band, by value; empty when it gives none.
    #[must_use]
    #[doc(alias = "categories")]
    pub fn category_names(&self) -> Vec<String> {
        self.inner.information.category_names.clone()
    }

    /// The size of the blocks that the file is stored in.
    #[must_use]
    #[doc(alias = "block_shapes")]
    pub fn block_size(&self) -> Size {
        self.inner.information.block
    }

    /// How many smaller versions of itself the file holds.
    #[must_use]
    #[doc(alias = "overviews")]
    pub fn overview_count(&self) -> usize {
        self.inner.information.overviews
    }

    /// GDAL's short name of the file format, such as `GTiff`.
    #[must_use]
    #[doc(alias = "driver")]
    pub fn format(&self) -> &str {
        &self.inner.information.driver
    }

    /// Whether any pixel inside the raster can be invalid: it has a mask, an alpha band, a nodata value or floating
    /// point values, or a palette with transparent entries.
    #[must_use]
    pub fn can_be_invalid(&self) -> bool {
        self.inner.information.can_be_invalid()
    }

    /// Width and height of a pixel on the ground at the middle of the raster.
    ///
    /// # Units
    /// Meters. Degrees and web mercator are brought to the ground on the WGS 84 ellipsoid; other projections are taken
    /// at their own scale. Without a coordinate reference system a unit is taken for a meter: [`Raster::gsd`] is
    /// `None` there.
    #[must_use]
    pub fn nominal_gsd(&self) -> (f64, f64) {
        self.gsd().unwrap_or_else(|| self.transform().pixel_edges())
    }

    /// Width and height of a pixel on the ground at the middle of the raster, in meters as [`Raster::nominal_gsd`];
    /// `None` when nobody knows what a unit of its coordinates is on the ground: without a coordinate reference system, or in
    /// one of unknown units.
    #[must_use]
    #[doc(alias = "res")]
    #[doc(alias = "resolution")]
    #[doc(alias = "pixel_size")]
    pub fn gsd(&self) -> Option<(f64, f64)> {
        gsd::gsd(&self.georeference(), self.size())
    }

    /// A pixel's width and height in the units of the coordinate reference system, in words: `0.5 x 0.5 m`,
    /// `0.01 x 0.01 degrees (785 x 1112 m)`, `2 x 2 of unknown unit`; `None` without a place.
    #[must_use]
    pub fn pixel_words(&self) -> Option<String> {
        (self.transform() != GeoTransform::PIXELS)
            .then(|| gsd::pixel_words(&self.georeference(), self.size()))
    }

    /// The files that the raster is made of, each once: one, or those of a stack or a mosaic.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let stack = Raster::stack([("red", "B04.jp2"), ("nir", "B08.jp2")])?;
    /// assert_eq!(stack.paths().len(), 2);
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        self.inner.kind.paths(&mut paths);
        if paths.is_empty() {
            paths.push(self.inner.path.clone());
        }
        let mut seen = std::collections::HashSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths
    }

    /// # Errors
    /// [`RasterError::Changed`] when one of the files is another one than was opened.
    pub(super) fn unchanged(&self) -> Result<(), RasterError> {
        match self.inner.kind.parts() {
            Some(parts) => parts.into_iter().try_for_each(Self::unchanged),
            None => self.handle().map(|_| ()),
        }
    }

    /// This thread's own handle, of a raster that GDAL reads as it is.
    ///
    /// # Errors
    /// [`RasterError::Changed`] when the file is another one than was opened: what is known of it no longer holds.
    pub(crate) fn handle(&self) -> Result<Rc<Handle>, RasterError> {
        let inner = &*self.inner;
        if let Some(changed) = inner.files.changed() {
            return Err(RasterError::Changed {
                path: changed.to_owned(),
            });
        }
        handle::of_this_thread(inner.id, inner.source.as_deref().unwrap_or(&inner.path))
    }
}

//! Scenes of several files, and scenes whose bands are changed while they are read.

use super::Scene;
use crate::Result;
use crate::raster::bound::Measured;
use crate::raster::{BandStatistics, BandTransform, Mosaic, Raster, Stack, StackPart};

impl Scene {
    /// Bands of several files as one scene, on the grid of the first, whatever their resolution, extent and coordinate
    /// reference system: see [`Stack`], which has the rules. Nothing is written; labels, chips, statistics, predictions and
    /// saved files work as with one file.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::stack([("B02", "B02_10m.jp2"), ("B08", "B08_10m.jp2"), ("B11", "B11_20m.jp2")])?
    ///     .with_labels("fields.gpkg", "crop")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Stack::open`].
    #[doc(alias = "MultiRasterSource")]
    #[doc(alias = "IntersectionDataset")]
    #[doc(alias = "merge_bands")]
    pub fn stack<P: Into<StackPart>>(parts: impl IntoIterator<Item = P>) -> Result<Self> {
        Self::stack_with(Stack::new(parts))
    }

    /// [`Scene::stack`] with another grid, extent or resampling.
    ///
    /// # Errors
    /// As [`Stack::open`].
    pub fn stack_with(stack: impl std::borrow::Borrow<Stack>) -> Result<Self> {
        Ok(Self::of(stack.borrow().joined(true)?))
    }

    /// Tiles beside each other as one scene: a folder, a pattern such as `"tiles/*.tif"`, or a list of files. See
    /// [`Mosaic`], which has the rules and is taken as well.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::mosaic("tiles/*.tif")?.with_labels("buildings.gpkg", "building")?;
    /// let drone = Scene::mosaic(Mosaic::new("tile_*.png").columns_first())?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Mosaic::open`].
    #[doc(alias = "merge")]
    #[doc(alias = "build_vrt")]
    #[doc(alias = "UnionDataset")]
    #[doc(alias = "open_mfdataset")]
    pub fn mosaic(tiles: impl Into<Mosaic>) -> Result<Self> {
        Self::mosaic_with(tiles.into())
    }

    /// [`Scene::mosaic`] with other bands, resampling or names of tiles.
    ///
    /// # Errors
    /// As [`Mosaic::open`].
    pub fn mosaic_with(mosaic: impl std::borrow::Borrow<Mosaic>) -> Result<Self> {
        Ok(Self::of(mosaic.borrow().joined(true)?))
    }

    /// This scene with a spectral index as a further band, by its name ([`crate::raster::SpectralIndex::ALL`]).
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("s2.tif")?.with_index("ndvi")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::raster::TransformError`] when there is no such index, or the scene lacks a band that it needs.
    #[doc(alias = "ndvi")]
    #[doc(alias = "AppendNDVI")]
    #[doc(alias = "NormalizedDifferenceIndexTask")]
    pub fn with_index(&self, index: &str) -> Result<Self> {
        self.with_transforms([BandTransform::index(index)])
    }

    /// This scene with a further band by band arithmetic: see [`BandTransform::expression`], which says what can be written.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("s2.tif")?.with_band("ratio", "B08 / where(B04 == 0, 1, B04)")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::raster::TransformError`] when the expression cannot be understood or names a band that is not there.
    #[doc(alias = "band_math")]
    #[doc(alias = "raster_calculator")]
    #[doc(alias = "expression")]
    pub fn with_band(&self, name: &str, expression: &str) -> Result<Self> {
        self.with_transforms([BandTransform::expression(name, expression)])
    }

    /// This scene with its bands changed while they are read, one transform after another: chips, statistics, predictions
    /// and pictures see the changed ones. A model that is trained on it keeps them, and makes them again on a raw scene.
    ///
    /// What goes by statistics takes those of the area in use; the numbers are kept, so that a part of this scene and other
    /// scenes get the same ones by `other.with_transforms(scene.transforms())`.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("s1.tif")?.with_transforms([BandTransform::decibels(), BandTransform::standard()])?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::raster::TransformError`]; errors of reading where statistics are needed.
    #[doc(alias = "raster_transformers")]
    #[doc(alias = "transforms")]
    #[doc(alias = "StatsTransformer")]
    pub fn with_transforms(
        &self,
        transforms: impl IntoIterator<Item = BandTransform>,
    ) -> Result<Self> {
        let raster = self.raster().transformed(transforms, &InUse(self))?;
        Ok(self.with_raster(raster))
    }

    /// What the bands went through, with the numbers that statistics gave.
    #[must_use]
    pub fn transforms(&self) -> Vec<BandTransform> {
        self.raster().transforms()
    }
}

/// The pixels of a scene that are in use and of interest.
struct InUse<'a>(&'a Scene);

impl InUse<'_> {
    fn is_all(&self, raster: &Raster) -> bool {
        self.0.aoi().is_none() && self.0.area() == raster.full()
    }
}

impl Measured for InUse<'_> {
    fn statistics(&self, raster: &Raster) -> Result<Vec<BandStatistics>> {
        match self.is_all(raster) {
            true => raster.statistics(),
            false => raster.statistics_where(&self.0.area(), |window| self.0.in_use(window)),
        }
    }

    fn percentiles(&self, raster: &Raster, shares: [f64; 2]) -> Result<Vec<Option<Vec<f64>>>> {
        match self.is_all(raster) {
            true => raster.percentiles_where(&raster.full(), &shares, |_| None),
            false => {
                raster.percentiles_where(&self.0.area(), &shares, |window| self.0.in_use(window))
            }
        }
    }
}

use std::path::{Path, PathBuf};

use geo::MultiPolygon;

use super::Scene;
#[cfg(doc)]
use super::SceneError;
use super::overlap::lies_on;
use crate::Result;
use crate::boxes::BoundingBox;
use crate::labels::LabelPolygons;
use crate::raster::{PixelWindow, Size, ZoomWindow};
use crate::report::{Notice, Report, file_name};
use crate::vector::{self, VectorSource};

/// Polygons that limit a scene: pixels whose centers lie outside count neither in training nor in scores, and are not
/// predicted. The imagery around them stays, since a network judges a pixel by its surroundings (as in Raster Vision, where
/// an area of interest limits chips and scores).
#[derive(Clone, Debug)]
pub struct AreaOfInterest {
    path: PathBuf,
    polygons: LabelPolygons,
    /// Whether what lies inside the polygons is left out instead.
    inverted: bool,
}

impl AreaOfInterest {
    pub(crate) fn new(path: &Path, polygons: LabelPolygons, inverted: bool) -> Self {
        Self {
            path: path.to_owned(),
            polygons,
            inverted,
        }
    }

    /// The file the polygons come from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the scene is what lies outside the polygons.
    #[must_use]
    pub fn is_inverted(&self) -> bool {
        self.inverted
    }

    /// The polygons, in pixels.
    pub(crate) fn shapes(&self) -> impl Iterator<Item = &MultiPolygon<f64>> {
        self.polygons.polygons().iter().map(|(shape, _)| shape)
    }

    /// The share of a box, in pixels of the whole raster, that counts.
    pub(crate) fn share(&self, bounds: &BoundingBox) -> f64 {
        super::boxes::share_of(bounds, true, |window| Some(self.mask(window)))
    }

    /// `[height, width]`: 1 where the pixel counts.
    pub(crate) fn mask(&self, window: &PixelWindow) -> Vec<u8> {
        self.mask_resized(window, window.size())
    }

    /// As [`AreaOfInterest::mask`], for a window whose imagery has been resized to `size`.
    pub(crate) fn mask_resized(&self, window: &PixelWindow, size: Size) -> Vec<u8> {
        let mut mask = self.polygons.rasterize_resized(window, size);
        if self.inverted {
            mask.iter_mut().for_each(|inside| *inside ^= 1);
        }
        mask
    }

    /// Whether any pixel of the window counts.
    pub(crate) fn touches(&self, window: &PixelWindow) -> bool {
        if self.inverted {
            self.mask(window).contains(&1)
        } else {
            self.polygons.any_pixel(window)
        }
    }
}

impl Scene {
    /// Limits the scene to the polygons of a vector file.
    ///
    /// # Errors
    /// [`crate::vector::VectorError`] when the file cannot be read or no feature is an area; [`SceneError::AreaElsewhere`]
    /// when none lies on the scene, or there is none.
    #[doc(alias = "aoi_uris")]
    #[doc(alias = "mask_to")]
    pub fn with_aoi(&self, source: impl Into<VectorSource>) -> Result<Self> {
        Ok(self.split_by_aoi(source)?.0)
    }

    /// The part inside the polygons of a vector file and the part outside: they never overlap.
    ///
    /// # Errors
    /// As [`Scene::with_aoi`].
    #[doc(alias = "split_by")]
    pub fn split_by_aoi(&self, source: impl Into<VectorSource>) -> Result<(Self, Self)> {
        let source = source.into();
        let path = source.path();
        let (polygons, report) = self.area_polygons(&source, "area of interest")?;
        let aoi = |inverted| Some(AreaOfInterest::new(path, polygons.clone(), inverted));
        let part = |inverted| {
            self.changed(|inner| {
                inner.aoi = aoi(inverted);
                inner.report.extend(report.clone());
                inner.statistics = std::sync::OnceLock::new();
            })
        };
        Ok((part(false), part(true)))
    }

    /// The polygons of an area that limits the scene, `what` it is called, with what is to be said about them.
    pub(super) fn area_polygons(
        &self,
        source: &VectorSource,
        what: &'static str,
    ) -> Result<(LabelPolygons, Report)> {
        let path = source.path();
        let reference = self.raster().georeference();
        let (features, report) = vector::read_polygons_reported(source, &reference, None)?;
        let mut report = report.report(path);
        let shapes = features.into_iter().map(|feature| (feature.geometry, 1));
        let polygons = LabelPolygons::new(shapes.collect());
        let area = self.area();
        let shapes = || polygons.polygons().iter().map(|(shape, _)| shape);
        let on_scene = shapes().filter(|shape| lies_on(shape, &area)).count();
        if on_scene == 0 {
            return Err(self.area_elsewhere(path, what, shapes()).into());
        }
        let (all, outside) = (shapes().count(), shapes().count() - on_scene);
        if outside > 0 {
            let text = format!("{outside} of {all} polygons of the {what} lie outside the scene");
            report.push(Notice::left_out(text).about(file_name(path)).count(outside));
        }
        Ok((polygons, report))
    }

    /// The part of the scene in a window: in pixels of the raster, or in map coordinates. [`Scene::zoom`] shows one
    /// closely.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("vegas.tif")?;
    /// let corner = scene.crop(PixelWindow::new(0, 0, 256, 256))?;
    /// let around = scene.crop(MapWindow::around(663_050.0, 4_005_040.0, 200.0, 200.0))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`SceneError::EmptyArea`] when the window holds nothing of the scene;
    /// [`crate::raster::RasterError::NoMapWindow`] for map coordinates on a scene without any.
    #[doc(alias = "clip")]
    #[doc(alias = "subset")]
    pub fn crop(&self, window: impl Into<ZoomWindow>) -> Result<Self> {
        Ok(self.part(window.into())?.scene)
    }

    pub(super) fn with_area(&self, area: PixelWindow) -> Self {
        self.changed(|inner| {
            inner.area = area;
            inner.statistics = std::sync::OnceLock::new();
        })
    }
}

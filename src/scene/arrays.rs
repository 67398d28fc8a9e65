//! Arrays in memory as scenes and as labels, and labels as arrays.

use std::borrow::Borrow;

use ndarray::Array2;

use super::Scene;
use crate::Result;
use crate::labels::LabelValues;
use crate::raster::{ArrayError, GeoReference, ImageArray, OpenOptions, PixelWindow, Raster};

impl Scene {
    /// An array in memory as a scene: of the crate `ndarray`, a tensor of Burn's, or an [`ImageArray`] with names of bands, a
    /// nodata value and a place. Two axes are (rows, columns), three (bands, rows, columns). Nothing is written; the array is
    /// freed with the last scene that reads from it.
    ///
    /// ```
    /// use swath::ndarray::{Array2, Array3};
    /// use swath::prelude::*;
    ///
    /// let image = Array3::<f32>::from_shape_fn((3, 40, 50), |(band, row, col)| (band + row * col) as f32);
    /// let mask = Array2::<u8>::from_shape_fn((40, 50), |(row, _)| u8::from(row > 20));
    /// let scene = Scene::from_array(image)?.with_label_array(mask, Classes::new(["field"]))?;
    /// assert_eq!(scene.label_array(&PixelWindow::new(0, 20, 1, 2))?[[1, 0]], 1);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ArrayError`] for an array that is empty, has other axes or another number of names.
    #[doc(alias = "from_numpy")]
    #[doc(alias = "from_tensor")]
    #[doc(alias = "from_memory")]
    pub fn from_array(array: impl Into<ImageArray>) -> Result<Self> {
        Self::from_array_with(array, OpenOptions::new())
    }

    /// As [`Scene::from_array`], with some bands, another order of them, or other nodata values.
    ///
    /// # Errors
    /// As [`Scene::from_array`]; [`crate::raster::RasterError::NoSuchBand`].
    pub fn from_array_with(
        array: impl Into<ImageArray>,
        options: impl Borrow<OpenOptions>,
    ) -> Result<Self> {
        let options = options.borrow().clone().for_scene();
        let resolution = options.resolution;
        let raster = Raster::of_array(array.into(), options)?;
        Ok(Self::of(match resolution {
            Some(resolution) => raster.at(resolution)?,
            None => raster,
        }))
    }

    /// Labels the scene with an array in memory, as [`Scene::with_label_raster`] does with a file: [`crate::labels::Classes`]
    /// say that values are class indices, 0 the background and 255 ignored; [`LabelValues`] what other values mean. Without a
    /// place of its own ([`ImageArray::place`]) the array lies on the imagery pixel by pixel.
    ///
    /// # Errors
    /// [`ArrayError::LabelSize`] for an array of another size; [`crate::labels::LabelError`] for values without a meaning.
    #[doc(alias = "with_mask_array")]
    pub fn with_label_array(
        &self,
        labels: impl Into<ImageArray>,
        values: impl Into<LabelValues>,
    ) -> Result<Self> {
        let (mut labels, expected) = (labels.into(), self.raster().size());
        if !labels.has_place() {
            if let Some(found) = labels.size().filter(|size| *size != expected) {
                return Err(ArrayError::LabelSize { expected, found }.into());
            }
            if self.raster().is_georeferenced() {
                let place = self.raster().georeference();
                labels = labels.place(GeoReference::new(place.transform, place.crs_wkt));
            }
        }
        // Held until the labels have opened it by its name.
        let raster = Raster::from_array(labels)?;
        self.with_label_raster(raster.path(), values)
    }

    /// The labels of a window as an array of the crate `ndarray`, (rows, columns): class indices, 255 where nothing counts.
    ///
    /// # Errors
    /// As [`Scene::label_window`].
    #[doc(alias = "mask_array")]
    pub fn label_array(&self, window: &PixelWindow) -> Result<Array2<u8>> {
        let labels = self.label_window(window)?;
        Ok(Array2::from_shape_vec((window.height, window.width), labels).unwrap_or_default())
    }
}

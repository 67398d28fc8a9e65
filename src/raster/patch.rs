use ndarray::{Array2, Array3};

use super::Size;

/// Pixels of a window: values and which of them are valid.
#[derive(Clone, PartialEq)]
pub struct Patch {
    /// Columns and rows.
    pub size: Size,
    /// Bands.
    pub bands: usize,
    /// Values, `[bands, height, width]`, as stored in the file (not scaled); 0 where invalid, never NaN.
    pub data: Vec<f32>,
    /// `[height, width]`: 1 where the pixel as a whole is valid ([`crate::raster::Raster::read`] has the rules), otherwise
    /// 0.
    pub valid: Vec<u8>,
}

/// `Patch(256 x 256 px, 3 bands)`: its numbers are in [`Patch::data`], and nothing to read.
impl std::fmt::Debug for Patch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.bands == 1 { "" } else { "s" };
        write!(f, "Patch({} px, {} band{plural})", self.size, self.bands)
    }
}

impl Patch {
    /// A patch without one valid pixel.
    #[must_use]
    pub fn invalid(size: Size, bands: usize) -> Self {
        Self {
            size,
            bands,
            data: vec![0.0; bands * size.area()],
            valid: vec![0; size.area()],
        }
    }

    /// The value of a pixel; `None` outside the patch and where the pixel is invalid.
    #[must_use]
    #[doc(alias = "get")]
    #[doc(alias = "pixel")]
    pub fn value(&self, band: usize, row: usize, col: usize) -> Option<f32> {
        if band >= self.bands || row >= self.size.height || col >= self.size.width {
            return None;
        }
        let pixel = row * self.size.width + col;
        (self.valid[pixel] != 0).then(|| self.data[band * self.size.area() + pixel])
    }

    /// The values of one band, row by row; empty when there is no such band.
    #[must_use]
    #[doc(alias = "channel")]
    #[doc(alias = "__getitem__")]
    pub fn band(&self, band: usize) -> &[f32] {
        let area = self.size.area();
        self.data.get(band * area..(band + 1) * area).unwrap_or(&[])
    }

    /// The values as an array of the crate `ndarray`, (bands, rows, columns): 0 where a pixel is invalid.
    ///
    /// ```
    /// use swath::ndarray::Array3;
    /// use swath::prelude::*;
    /// let scene = Scene::from_array(Array3::<f32>::from_elem((2, 30, 40), 0.5))?;
    /// let array = scene.read(&PixelWindow::new(0, 0, 10, 5))?.to_array();
    /// assert_eq!(array.dim(), (2, 5, 10));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "to_numpy")]
    #[doc(alias = "numpy")]
    #[doc(alias = "as_array")]
    pub fn to_array(&self) -> Array3<f32> {
        let shape = (self.bands, self.size.height, self.size.width);
        Array3::from_shape_vec(shape, self.data.clone()).unwrap_or_default()
    }

    /// Which pixels are valid, (rows, columns).
    #[must_use]
    pub fn valid_array(&self) -> Array2<bool> {
        let valid = self.valid.iter().map(|&valid| valid != 0).collect();
        Array2::from_shape_vec((self.size.height, self.size.width), valid).unwrap_or_default()
    }

    /// The share of valid pixels, from 0 to 1.
    #[must_use]
    pub fn valid_fraction(&self) -> f64 {
        if self.valid.is_empty() {
            return 0.0;
        }
        self.valid.iter().filter(|&&valid| valid != 0).count() as f64 / self.valid.len() as f64
    }

    /// Makes every pixel invalid where `keep` is 0; `keep` is `[height, width]`.
    pub(crate) fn mask_with(&mut self, keep: &[u8]) {
        let area = self.size.area();
        for (pixel, &keep) in keep.iter().enumerate() {
            if keep == 0 && self.valid[pixel] != 0 {
                self.valid[pixel] = 0;
                for band in 0..self.bands {
                    self.data[band * area + pixel] = 0.0;
                }
            }
        }
    }
}

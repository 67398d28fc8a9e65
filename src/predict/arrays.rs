//! Maps and chips as arrays and tensors.

use burn::tensor::{Int, Tensor, TensorData};
use ndarray::{Array2, Array3};

use super::blend_strip::FULL_SCORE;
use super::score_type::read_scores;
use super::{PredictError, SceneMap};
use crate::Result;
use crate::chips::Chip;
use crate::device::Device;
use crate::raster::PixelWindow;

impl SceneMap {
    /// Class indices of a window in the pixels of the scene's raster as an array of the crate `ndarray`, (rows, columns);
    /// 255 where there is none. `map.label_array(&map.area())` is the whole map.
    ///
    /// # Errors
    /// As [`SceneMap::labels`].
    #[doc(alias = "to_array")]
    pub fn label_array(&self, window: &PixelWindow) -> Result<Array2<u8>> {
        let labels = self.labels(window)?;
        Ok(Array2::from_shape_vec((window.height, window.width), labels).unwrap_or_default())
    }

    /// Probabilities of a window in the pixels of the scene's raster as an array of the crate `ndarray`,
    /// (classes, rows, columns), background first; NaN where there is none.
    ///
    /// # Accuracy
    /// That of [`crate::predict::ScoreType`]: unless another was chosen they are within 0.002 of what the model gave.
    ///
    /// # Errors
    /// [`PredictError::NoScores`] for a map that was predicted without keeping its scores;
    /// [`crate::raster::RasterError`] when the working file cannot be read.
    #[doc(alias = "predict_proba")]
    #[doc(alias = "probability_array")]
    pub fn score_array(&self, window: &PixelWindow) -> Result<Array3<f32>> {
        let predicted = self.predicted();
        let Some(scores) = &predicted.scores else {
            let scene = self.scene().name();
            return Err(PredictError::NoScores { scene }.into());
        };
        let patch = read_scores(scores, &self.in_map(window))?;
        let pixels = patch.size.area();
        let one = |(index, &value): (usize, &f32)| match patch.valid[index % pixels.max(1)] {
            0 => f32::NAN,
            _ if value > FULL_SCORE => f32::NAN,
            _ => value / FULL_SCORE,
        };
        let values = patch.data.iter().enumerate().map(one).collect();
        let shape = (patch.bands, window.height, window.width);
        Ok(Array3::from_shape_vec(shape, values).unwrap_or_default())
    }

    /// As [`SceneMap::score_array`], on a device.
    ///
    /// # Errors
    /// As [`SceneMap::score_array`].
    pub fn score_tensor(&self, window: &PixelWindow, device: &Device) -> Result<Tensor<3>> {
        let scores = self.score_array(window)?;
        let shape = [scores.dim().0, window.height, window.width];
        let values: Vec<f32> = scores.into_iter().collect();
        Ok(Tensor::from_data(
            TensorData::new(values, shape),
            device.burn(),
        ))
    }
}

impl Chip {
    /// The labels as an array of the crate `ndarray`, (rows, columns); empty for a scene without labels. The pixels are
    /// `chip.patch.to_array()`.
    #[must_use]
    pub fn label_array(&self) -> Array2<u8> {
        let shape = (self.patch.size.height, self.patch.size.width);
        Array2::from_shape_vec(shape, self.labels.clone()).unwrap_or_default()
    }

    /// The labels as a tensor of Burn's on a device, (rows, columns), for losses and networks of one's own: class indices, 255
    /// where nothing counts; of a scene without labels all are 255. The pixels are `chip.patch.to_tensor(&device)`.
    #[must_use]
    pub fn label_tensor(&self, device: &Device) -> Tensor<2, Int> {
        let shape = [self.patch.size.height, self.patch.size.width];
        let mut labels: Vec<i32> = self.labels.iter().map(|&label| i32::from(label)).collect();
        labels.resize(shape.iter().product(), i32::from(crate::labels::IGNORE));
        Tensor::from_data(TensorData::new(labels, shape), device.burn())
    }
}

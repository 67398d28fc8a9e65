use serde::{Deserialize, Serialize};

use crate::raster::{Band, BandRole, BandStatistics, DataType};

/// What a band held that a model was trained on: its meaning, its type, its values. With these a bundle tells whether other
/// imagery is of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedBand {
    /// Its own name, its color, or `band N`.
    pub name: String,
    /// What it shows, where the file said so.
    #[serde(default)]
    pub role: Option<BandRole>,
    /// The type of its values.
    pub data_type: DataType,
    /// The smallest value of the training area.
    pub min: f64,
    /// The largest one.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// The 2nd percentile.
    pub p2: f64,
    /// The 98th percentile.
    pub p98: f64,
}

impl TrainedBand {
    /// The bands of a raster with the statistics of the area in use, one each.
    #[must_use]
    pub fn all(bands: &[Band], statistics: &[BandStatistics]) -> Vec<Self> {
        bands
            .iter()
            .zip(statistics)
            .map(|(band, values)| Self {
                name: band.name.clone(),
                role: band.role,
                data_type: band.data_type,
                min: values.min,
                max: values.max,
                mean: values.mean,
                std: values.std,
                p2: values.p2,
                p98: values.p98,
            })
            .collect()
    }
}

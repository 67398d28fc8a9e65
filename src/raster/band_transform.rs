//! What bands are turned into while they are read.

use serde::{Deserialize, Serialize};

use super::DataType;
use super::composite_dates::Composite;

/// One change of a raster's bands, made while it is read: a new band by band arithmetic, or other values of the bands there
/// are. A scene and a saved model keep theirs, and a model makes them again on a raw scene that it predicts.
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("s2.tif")?.with_transforms([
///     BandTransform::index("ndvi"),
///     BandTransform::expression("ratio", "nir / where(red == 0, 1, red)"),
///     BandTransform::percentiles(2.0, 98.0).on(["red", "green", "blue"]),
/// ])?;
/// # Ok::<(), swath::Error>(())
/// ```
///
/// | to | |
/// |---|---|
/// | add a band | [`BandTransform::index`], [`BandTransform::expression`] |
/// | bring values to a scale | [`BandTransform::linear`], [`BandTransform::min_max`], [`BandTransform::percentiles`], [`BandTransform::standard`], [`BandTransform::log`], [`BandTransform::log1p`], [`BandTransform::decibels`] |
/// | replace values | [`BandTransform::clip`], [`BandTransform::fill`], [`BandTransform::cast`], [`BandTransform::reclass`], [`BandTransform::reclass_ranges`] |
/// | choose bands | [`BandTransform::select`] |
/// | make one date of several, or fill gaps | [`BandTransform::composite`], [`BandTransform::fill_dates`] |
///
/// On a time series ([`super::TimeSeries`]) a name without a date stands for the band of every date: an index becomes a band
/// for each date.
///
/// Results are 32-bit floats, but for [`BandTransform::cast`] and what changes no number. A result that is not finite, such as
/// of a division by zero or the logarithm of a value that is not above 0, makes the pixel invalid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandTransform {
    #[serde(flatten)]
    pub(super) operation: Operation,
    /// The names of the bands that it changes; all where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) on: Option<Vec<String>>,
    /// Whether every scene has statistics of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) each_scene: bool,
}

/// What is done. What goes by statistics becomes [`Operation::Scale`] when it is applied for the first time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub(super) enum Operation {
    Expression {
        name: String,
        expression: String,
    },
    Index {
        name: String,
    },
    Select {
        bands: Vec<String>,
    },
    Linear {
        scale: f64,
        offset: f64,
    },
    MinMax,
    Percentiles {
        low: f64,
        high: f64,
    },
    Standard,
    /// Each band by its own `(value - offset) / divisor`, between 0 and 1 where `clipped`.
    Scale {
        offsets: Vec<f64>,
        divisors: Vec<f64>,
        clipped: bool,
    },
    Log,
    Log1p,
    Decibels {
        factor: f64,
    },
    Clip {
        low: f64,
        high: f64,
    },
    Fill {
        value: f64,
    },
    Cast {
        data_type: DataType,
    },
    /// One band of the same band of several dates.
    Composite {
        how: Composite,
    },
    /// Values between those of the dates around, where a date has none.
    FillDates,
    Reclass {
        /// From this value on, up to the second one, the third one instead; only the first itself where both are equal.
        rules: Vec<[f64; 3]>,
        otherwise: Option<f64>,
    },
}

impl BandTransform {
    const fn of(operation: Operation) -> Self {
        Self {
            operation,
            on: None,
            each_scene: false,
        }
    }

    /// By the statistics of each scene that it is applied to, instead of those of the first one: so that a model sees imagery
    /// of another day, sensor or place as it saw that of its training. A saved model keeps the transform without numbers,
    /// and makes it anew for every scene that it predicts, by the area of it that is in use. A transform that goes by
    /// no statistics is refused when it is applied: it is the same on every scene.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let (west, east) = samples::town(1, 256)?.scene()?.split(Split::columns(0.5));
    /// let standard = [BandTransform::standard().of_each_scene()];
    /// let (west, east) = (west.with_transforms(standard.clone())?, east.with_transforms(standard)?);
    /// assert_eq!(west.transforms(), east.transforms());
    /// for scene in [&west, &east] {
    ///     assert!(scene.statistics()?.iter().all(|band| band.mean.abs() < 1e-3 && (band.std - 1.0).abs() < 1e-3));
    /// }
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "InstanceNorm")]
    #[doc(alias = "per_image")]
    pub fn of_each_scene(mut self) -> Self {
        self.each_scene = true;
        self
    }

    /// Whether it goes by statistics that are not yet known.
    pub(super) const fn goes_by_statistics(&self) -> bool {
        matches!(
            self.operation,
            Operation::MinMax | Operation::Standard | Operation::Percentiles { .. }
        )
    }

    /// A new band: a spectral index by its name ([`super::SpectralIndex::ALL`]), made of the bands that are known to show what
    /// it needs.
    #[must_use]
    pub fn index(name: impl Into<String>) -> Self {
        Self::of(Operation::Index { name: name.into() })
    }

    /// A new band by band arithmetic.
    ///
    /// Bands are written by name, whatever their capitals (`B08`, `band_4` for `band 4`; in quotes where a name is no word:
    /// `'band 4'`), or by what they show: `coastal`, `blue`, `green`, `yellow`, `red`, `rededge`, `nir`, `swir1`, `swir2`,
    /// `thermal`, `pan`. With them go numbers, `pi`, `+ - * / % **` (`^` is a power, too), `< <= > >= == !=`, `and`, `or`,
    /// `not`, and the functions `abs`, `sqrt`, `exp`, `ln` (or `log`), `log10`, `log2`, `sin`, `cos`, `tan`, `atan`, `atan2`,
    /// `floor`, `ceil`, `round`, `min`, `max`, `clip(value, low, high)` and `where(condition, then, otherwise)`.
    ///
    /// Worked out with 64-bit floats. Where a band that is needed has no value, the new one has none.
    #[must_use]
    pub fn expression(name: impl Into<String>, expression: impl Into<String>) -> Self {
        Self::of(Operation::Expression {
            name: name.into(),
            expression: expression.into(),
        })
    }

    /// These bands alone, in this order; one that is named twice is there twice.
    #[must_use]
    pub fn select<B: Into<String>>(bands: impl IntoIterator<Item = B>) -> Self {
        Self::of(Operation::Select {
            bands: bands.into_iter().map(Into::into).collect(),
        })
    }

    /// One band of the same band of all dates of a time series, by the dates on which a pixel is valid; invalid where it is on
    /// none. Bands are called without a date; those that have none stay behind them.
    ///
    /// # Source
    /// As `numpy.ma.median(axis=0)`, `mean`, `min` and `max` of a masked array of dates.
    #[must_use]
    #[doc(alias = "temporal_composite")]
    #[doc(alias = "median_composite")]
    #[doc(alias = "qualityMosaic")]
    pub fn composite(how: Composite) -> Self {
        Self::of(Operation::Composite { how })
    }

    /// Where a date of a time series has no value, one on a straight line by days between the dates before and after that have
    /// one; before the first and after the last of them that date's own. A pixel that is missing on every date stays so.
    ///
    /// # Source
    /// As `numpy.interp` over the valid dates of a pixel.
    #[must_use]
    #[doc(alias = "interpolate_na")]
    #[doc(alias = "LinearInterpolation")]
    #[doc(alias = "gap_fill")]
    pub fn fill_dates() -> Self {
        Self::of(Operation::FillDates)
    }

    /// `value * scale + offset`, such as 0.0001 and 0 for reflectance stored as 0 to 10,000.
    #[must_use]
    #[doc(alias = "rescale")]
    pub fn linear(scale: f64, offset: f64) -> Self {
        Self::of(Operation::Linear { scale, offset })
    }

    /// Each band from its smallest value to its largest one becomes 0 to 1: of the area in use of the scene that it is first
    /// applied to. The numbers are kept.
    #[must_use]
    #[doc(alias = "MinMaxTransformer")]
    #[doc(alias = "MinMaxScaler")]
    pub fn min_max() -> Self {
        Self::of(Operation::MinMax)
    }

    /// Each band from one percentile to another becomes 0 to 1, and what lies beyond 0 or 1: exact percentiles for 8 and 16
    /// bits, within 1 % otherwise. The numbers are kept.
    ///
    /// # Units
    /// Percent, from 0 to 100.
    #[must_use]
    pub fn percentiles(low: f64, high: f64) -> Self {
        Self::of(Operation::Percentiles { low, high })
    }

    /// Each band less its mean, divided by its standard deviation: exact, of the valid pixels of the area in use of the scene
    /// that it is first applied to. The numbers are kept.
    #[must_use]
    #[doc(alias = "StatsTransformer")]
    #[doc(alias = "StandardScaler")]
    #[doc(alias = "z_score")]
    #[doc(alias = "normalize")]
    pub fn standard() -> Self {
        Self::of(Operation::Standard)
    }

    /// The natural logarithm; values of 0 and below make the pixel invalid.
    #[must_use]
    pub fn log() -> Self {
        Self::of(Operation::Log)
    }

    /// The natural logarithm of the value plus 1, for counts that may be 0.
    #[must_use]
    pub fn log1p() -> Self {
        Self::of(Operation::Log1p)
    }

    /// `10 log10(value)`: radar power, such as sigma nought, in decibels.
    #[must_use]
    pub fn decibels() -> Self {
        Self::of(Operation::Decibels { factor: 10.0 })
    }

    /// `20 log10(value)`: radar amplitude in decibels.
    #[must_use]
    pub fn decibels_of_amplitude() -> Self {
        Self::of(Operation::Decibels { factor: 20.0 })
    }

    /// What lies beyond becomes the limit.
    #[must_use]
    #[doc(alias = "clamp")]
    pub fn clip(low: f64, high: f64) -> Self {
        Self::of(Operation::Clip { low, high })
    }

    /// A value where a band has none: nodata, NaN, what another transform could not work out before. What lies outside the
    /// raster, or under a mask or alpha of 0, stays invalid.
    #[must_use]
    #[doc(alias = "NanTransformer")]
    #[doc(alias = "fillna")]
    #[doc(alias = "nan_to_num")]
    pub fn fill(value: f64) -> Self {
        Self::of(Operation::Fill { value })
    }

    /// Values of another type: whole types take the nearest whole number within their range, as GDAL does.
    #[must_use]
    #[doc(alias = "CastTransformer")]
    #[doc(alias = "astype")]
    pub fn cast(data_type: DataType) -> Self {
        Self::of(Operation::Cast { data_type })
    }

    /// Some values become others: pairs of the old and the new one. The rest stays, unless [`BandTransform::otherwise`]
    /// says what it becomes.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let classes = BandTransform::reclass([(10.0, 1.0), (20.0, 2.0)]).otherwise(0.0);
    /// ```
    #[must_use]
    #[doc(alias = "ReclassTransformer")]
    #[doc(alias = "remap")]
    pub fn reclass(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self::of(Operation::Reclass {
            rules: pairs
                .into_iter()
                .map(|(old, new)| [old, old, new])
                .collect(),
            otherwise: None,
        })
    }

    /// Values from one on, up to but without another, become a third; the first range that holds a value counts.
    #[must_use]
    pub fn reclass_ranges(ranges: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        Self::of(Operation::Reclass {
            rules: ranges
                .into_iter()
                .map(|(low, high, new)| [low, high, new])
                .collect(),
            otherwise: None,
        })
    }

    /// What [`BandTransform::reclass`] makes of all other values; nothing for other transforms.
    #[must_use]
    pub fn otherwise(mut self, value: f64) -> Self {
        if let Operation::Reclass { otherwise, .. } = &mut self.operation {
            *otherwise = Some(value);
        }
        self
    }

    /// Only these bands, by name or by what they show; nothing for transforms that add or choose bands.
    #[must_use]
    pub fn on<B: Into<String>>(mut self, bands: impl IntoIterator<Item = B>) -> Self {
        self.on = Some(bands.into_iter().map(Into::into).collect());
        self
    }

    /// What it is, in a few words.
    pub(super) fn words(&self) -> String {
        let of_each = if self.each_scene {
            " of each scene"
        } else {
            ""
        };
        self.operation_words() + of_each
    }

    pub(super) fn operation_words(&self) -> String {
        match &self.operation {
            Operation::Expression { name, expression } => format!("{name} = {expression}"),
            Operation::Index { name } => format!("the index {name}"),
            Operation::Select { bands } => format!("the bands {}", bands.join(", ")),
            Operation::Linear { scale, offset } => format!("value x {scale} + {offset}"),
            Operation::MinMax => "smallest to largest value as 0 to 1".to_owned(),
            Operation::Percentiles { low, high } => {
                format!("percentiles {low} to {high} as 0 to 1")
            }
            Operation::Standard => "mean 0 and standard deviation 1".to_owned(),
            Operation::Scale { .. } => "a scale for each band".to_owned(),
            Operation::Log => "natural logarithm".to_owned(),
            Operation::Log1p => "natural logarithm of value + 1".to_owned(),
            Operation::Decibels { factor } => format!("{factor} log10(value)"),
            Operation::Clip { low, high } => format!("limits {low} and {high}"),
            Operation::Fill { value } => format!("{value} where there is no value"),
            Operation::Cast { data_type } => format!("type {data_type}"),
            Operation::Composite { how } => format!("the {} of the dates", how.word()),
            Operation::FillDates => "values between those of the dates around".to_owned(),
            Operation::Reclass { rules, .. } => format!("other values by {} rules", rules.len()),
        }
    }
}

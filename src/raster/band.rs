use std::ffi::c_int;
use std::fmt;
use std::sync::Arc;

use gdal_sys::GDALDataType;
use serde::Serialize;

use super::Date;

/// `GDT_Int8` of GDAL 3.7 and later, which older headers do not have.
const GDT_INT8: GDALDataType::Type = 14;
/// `GDT_Float16` of GDAL 3.11 and later.
const GDT_FLOAT16: GDALDataType::Type = 15;

/// The type of the values of a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataType {
    /// 8 bits without sign.
    U8,
    /// 8 bits with sign.
    I8,
    /// 16 bits without sign.
    U16,
    /// 16 bits with sign.
    I16,
    /// 32 bits without sign.
    U32,
    /// 32 bits with sign.
    I32,
    /// 64 bits without sign.
    U64,
    /// 64 bits with sign.
    I64,
    /// 16-bit floating point.
    F16,
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point.
    F64,
    /// Complex numbers of any width.
    Complex,
    /// A type that this library does not know.
    Unknown,
}

impl DataType {
    /// What GDAL's number of a type stands for; `signed_byte` is what GDAL before 3.7 says beside the type
    /// (`PIXELTYPE=SIGNEDBYTE`).
    pub(crate) fn of_gdal(data_type: GDALDataType::Type, signed_byte: bool) -> Self {
        match data_type {
            GDALDataType::GDT_Byte if signed_byte => Self::I8,
            GDALDataType::GDT_Byte => Self::U8,
            GDT_INT8 => Self::I8,
            GDALDataType::GDT_UInt16 => Self::U16,
            GDALDataType::GDT_Int16 => Self::I16,
            GDALDataType::GDT_UInt32 => Self::U32,
            GDALDataType::GDT_Int32 => Self::I32,
            GDALDataType::GDT_UInt64 => Self::U64,
            GDALDataType::GDT_Int64 => Self::I64,
            GDT_FLOAT16 => Self::F16,
            GDALDataType::GDT_Float32 => Self::F32,
            GDALDataType::GDT_Float64 => Self::F64,
            GDALDataType::GDT_CInt16
            | GDALDataType::GDT_CInt32
            | GDALDataType::GDT_CFloat32
            | GDALDataType::GDT_CFloat64 => Self::Complex,
            _ => Self::Unknown,
        }
    }

    /// GDAL's name of the type, such as `Byte`, `Int8` or `UInt16`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::U8 => "Byte",
            Self::I8 => "Int8",
            Self::U16 => "UInt16",
            Self::I16 => "Int16",
            Self::U32 => "UInt32",
            Self::I32 => "Int32",
            Self::U64 => "UInt64",
            Self::I64 => "Int64",
            Self::F16 => "Float16",
            Self::F32 => "Float32",
            Self::F64 => "Float64",
            Self::Complex => "Complex",
            Self::Unknown => "Unknown",
        }
    }

    /// The type that GDAL calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [
            Self::U8,
            Self::I8,
            Self::U16,
            Self::I16,
            Self::U32,
            Self::I32,
            Self::U64,
            Self::I64,
            Self::F16,
            Self::F32,
            Self::F64,
            Self::Complex,
        ]
        .into_iter()
        .find(|one| one.as_str() == name)
    }

    /// Whether `f32`, in which values are handed out, holds every value of the type exactly.
    #[must_use]
    pub const fn fits_f32(self) -> bool {
        !matches!(
            self,
            Self::U32 | Self::I32 | Self::U64 | Self::I64 | Self::F64
        )
    }

    /// Whether values may be NaN or infinite.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F16 | Self::F32 | Self::F64 | Self::Complex)
    }

    /// The smallest type that holds every value of both, as far as there is one (GDAL's `GDALDataTypeUnion`).
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        if self == other {
            return self;
        }
        let bits = |one: Self| match one {
            Self::U8 | Self::I8 => 8,
            Self::U16 | Self::I16 | Self::F16 => 16,
            Self::U32 | Self::I32 | Self::F32 => 32,
            _ => 64,
        };
        let signed = |one: Self| matches!(one, Self::I8 | Self::I16 | Self::I32 | Self::I64);
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Complex, _) | (_, Self::Complex) => Self::Complex,
            (a, b) if a.is_float() || b.is_float() => {
                // 24 bits of a 32-bit float hold any integer of 16 bits, 53 of a double any of 32.
                let needs = |one: Self| match one.is_float() {
                    true => bits(one),
                    false => (2 * bits(one)).max(32),
                };
                match needs(a).max(needs(b)) {
                    16 => Self::F16,
                    17..=32 => Self::F32,
                    _ => Self::F64,
                }
            }
            (a, b) if signed(a) == signed(b) => {
                if bits(a) >= bits(b) {
                    a
                } else {
                    b
                }
            }
            (a, b) => {
                let (plain, signed_one) = if signed(a) { (b, a) } else { (a, b) };
                match (2 * bits(plain)).max(bits(signed_one)) {
                    0..=16 => Self::I16,
                    17..=32 => Self::I32,
                    33..=64 => Self::I64,
                    _ => Self::F64,
                }
            }
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for DataType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for DataType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(Self::named(&name).unwrap_or(Self::Unknown))
    }
}

/// What a band of imagery shows, as its file says by color interpretation or by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BandRole {
    /// Coastal aerosol, about 0.44 µm.
    Coastal,
    /// Blue light.
    Blue,
    /// Green light.
    Green,
    /// Yellow light.
    Yellow,
    /// Red light.
    Red,
    /// The edge between red and near infrared.
    RedEdge,
    /// Near infrared.
    NearInfrared,
    /// Short-wave infrared.
    ShortWaveInfrared,
    /// Thermal infrared.
    ThermalInfrared,
    /// All visible light in one band.
    Panchromatic,
    /// One gray band.
    Gray,
}

/// How what a band stores becomes what is handed out.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum Reading {
    /// As it is.
    #[default]
    Plain,
    /// GDAL before 3.7 hands out 8 bits with sign as if they had none.
    SignedByte,
    /// The amplitude of complex numbers.
    Amplitude,
    /// One component of the color that a palette gives to a number.
    Color {
        component: usize,
        /// Red, green, blue and opacity of each number.
        table: Arc<Vec<[u8; 4]>>,
    },
}

/// A nodata value, exactly as the type of its band holds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Nodata {
    /// Of any type but 64-bit integers.
    Real(f64),
    Signed(i64),
    Unsigned(u64),
}

impl Nodata {
    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Real(value) => value,
            Self::Signed(value) => value as f64,
            Self::Unsigned(value) => value as f64,
        }
    }

    /// A value that a person gives for a band of this type.
    pub(crate) fn given(value: f64, data_type: DataType) -> Self {
        let whole = value.fract() == 0.0;
        match data_type {
            DataType::I64 if whole && value.abs() < 9.3e18 => Self::Signed(value as i64),
            DataType::U64 if whole && (0.0..1.85e19).contains(&value) => {
                Self::Unsigned(value as u64)
            }
            _ => Self::Real(value),
        }
    }

    /// Whether a band of this type can hold it.
    pub(crate) fn fits(self, data_type: DataType) -> bool {
        let Self::Real(value) = self else {
            return true;
        };
        let (first, last) = match data_type {
            DataType::U8 => (0.0, 255.0),
            DataType::I8 => (-128.0, 127.0),
            DataType::U16 => (0.0, 65_535.0),
            DataType::I16 => (-32_768.0, 32_767.0),
            DataType::U32 => (0.0, f64::from(u32::MAX)),
            DataType::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
            DataType::I64 | DataType::U64 => return false,
            _ => return true,
        };
        value >= first && value <= last && value.fract() == 0.0
    }
}

/// One band of a raster: each has a type, a nodata value, a scale and a meaning of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// GDAL's number of the band, from 1.
    pub(crate) number: c_int,
    #[serde(skip)]
    pub(crate) reading: Reading,
    /// The nodata value in the band's own type; not used where the file has an explicit mask.
    #[serde(skip)]
    pub(crate) missing: Option<Nodata>,
    /// Whether the band has a mask of its own.
    #[serde(skip)]
    pub(crate) own_mask: bool,
    /// Which of several files it is of: bands of one file and one type are one image.
    #[serde(skip)]
    pub(crate) image: usize,
    /// The type that the file stores, where values are handed out as another: it decides when a pixel is missing.
    #[serde(skip)]
    pub(crate) stored: Option<DataType>,
    /// Its own name, its color, or its number.
    pub name: String,
    /// The type of its values.
    pub data_type: DataType,
    /// The value that stands for "no data", by the file or by [`crate::raster::OpenOptions::nodata`]. 64-bit integers
    /// beyond 2^53 are rounded here, but compared exactly.
    pub nodata: Option<f64>,
    /// What a stored value is multiplied by to have the unit of the band; 1 where the file says nothing.
    pub scale: f64,
    /// What is added after that; 0 where the file says nothing.
    pub offset: f64,
    /// What it shows, where the file says so: by color interpretation, wavelength or name.
    pub role: Option<BandRole>,
    /// When it was taken, in a time series ([`super::TimeSeries`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
}

impl Band {
    /// A band of which the file says nothing but its type.
    #[cfg(test)]
    pub(crate) fn plain(number: c_int, data_type: DataType) -> Self {
        Self {
            number,
            reading: Reading::Plain,
            missing: None,
            own_mask: false,
            image: 0,
            stored: None,
            name: format!("band {number}"),
            data_type,
            nodata: None,
            scale: 1.0,
            offset: 0.0,
            role: None,
            date: None,
        }
    }

    /// Its name without the date that a time series adds to it.
    pub(crate) fn undated_name(&self) -> &str {
        let Some(date) = self.date else {
            return &self.name;
        };
        let name = self.name.strip_suffix(&date.to_string());
        name.map_or(self.name.as_str(), str::trim_end)
    }

    /// The type by which it is judged whether a pixel is missing.
    pub(crate) fn judged_as(&self) -> DataType {
        self.stored.unwrap_or(self.data_type)
    }

    /// Whether a value can be missing in this band alone.
    pub(crate) fn can_miss(&self) -> bool {
        self.missing.is_some()
            || self.own_mask
            || self.data_type.is_float()
            || self.transparent_colors()
    }

    /// Whether the palette has entries that nothing is painted with.
    pub(crate) fn transparent_colors(&self) -> bool {
        matches!(&self.reading, Reading::Color { table, .. } if table.iter().any(|entry| entry[3] == 0))
    }

    /// Whether GDAL's own conversion to `f32` gives what is handed out and what nodata is compared with.
    pub(crate) fn is_simple(&self) -> bool {
        self.reading == Reading::Plain && (self.missing.is_none() || self.data_type.fits_f32())
    }

    /// Whether the nodata value is a mark below 0, such as -9999, which is no measurement.
    pub(crate) fn marks_nodata(&self) -> bool {
        self.missing.is_some_and(|value| value.as_f64() < 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GDAL 3.6's `GDALDataTypeUnion` and, for 8 bits with sign, that of 3.10.
    #[test]
    fn unions_hold_every_value_of_both() {
        use DataType::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
        for (a, b, both) in [
            (U8, U8, U8),
            (U8, U16, U16),
            (U8, I8, I16),
            (U8, I16, I16),
            (U16, I16, I32),
            (U32, I16, I64),
            (U64, I64, F64),
            (U8, F32, F32),
            (U16, F32, F32),
            (I32, F32, F64),
            (F32, F64, F64),
            (I8, I32, I32),
        ] {
            assert_eq!((a.union(b), b.union(a)), (both, both), "{a} and {b}");
        }
    }

    #[test]
    fn names_lead_back_to_types() {
        assert_eq!(DataType::named("Byte"), Some(DataType::U8));
        assert_eq!(DataType::named("Int8"), Some(DataType::I8));
        assert_eq!(DataType::named("byte"), None);
    }
}

//! Imagery to and from Burn's tensors.

use burn::tensor::{BoolStore, DType, Int, Tensor, TensorData};

use crate::device::Device;
use crate::raster::{ImageArray, Patch};
use crate::report::Notice;

/// A tensor's data of any type of numbers: (rows, columns) or (bands, rows, columns). What has other axes, and quantized
/// numbers, are refused when the array is opened.
impl From<TensorData> for ImageArray {
    fn from(data: TensorData) -> Self {
        let shape = data.shape().to_vec();
        let kind = data.dtype();
        macro_rules! of {
            ($number:ty, $data:expr) => {
                match $data.try_to_vec::<$number>() {
                    Ok(values) => Self::of_values(values, shape),
                    Err(_) => Self::refused(shape, format!("{kind:?}")),
                }
            };
        }
        match kind {
            DType::F64 => of!(f64, data),
            DType::F32 | DType::Flex32 => of!(f32, data.convert::<f32>()),
            DType::F16 | DType::BF16 => {
                of!(f32, data.convert::<f32>()).with_notice(Notice::converted(
                    "16-bit floats were read as 32-bit ones, which hold each of them exactly",
                ))
            }
            DType::I64 => of!(i64, data),
            DType::I32 => of!(i32, data),
            DType::I16 => of!(i16, data),
            DType::I8 => of!(i8, data),
            DType::U64 => of!(u64, data),
            DType::U32 => of!(u32, data),
            DType::U16 => of!(u16, data),
            DType::U8 => of!(u8, data),
            DType::Bool(BoolStore::Native | BoolStore::U8 | BoolStore::U32) => {
                of!(u8, data.convert::<u8>())
            }
            DType::QFloat(_) => Self::refused(shape, "quantized".to_owned()),
        }
    }
}

macro_rules! from_tensors {
    ($($tensor:ty),+) => {$(
        impl From<$tensor> for ImageArray {
            fn from(tensor: $tensor) -> Self {
                Self::from(tensor.into_data())
            }
        }

        impl From<&$tensor> for ImageArray {
            fn from(tensor: &$tensor) -> Self {
                Self::from(tensor.to_data())
            }
        }
    )+};
}
from_tensors!(Tensor<2>, Tensor<3>, Tensor<2, Int>, Tensor<3, Int>);

impl Patch {
    /// The values as a tensor of Burn's on a device, (bands, rows, columns): as stored in the file, not normalized, 0 where a
    /// pixel is invalid.
    ///
    /// ```
    /// use swath::ndarray::Array3;
    /// use swath::prelude::*;
    /// let scene = Scene::from_array(Array3::<f32>::from_elem((2, 30, 40), 0.5))?;
    /// let tensor = scene.read(&PixelWindow::new(0, 0, 10, 5))?.to_tensor(&Device::cpu());
    /// assert_eq!(tensor.dims(), [2, 5, 10]);
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "to_torch")]
    pub fn to_tensor(&self, device: &Device) -> Tensor<3> {
        let shape = [self.bands, self.size.height, self.size.width];
        let mut data = self.data.clone();
        // The fields are public: what does not fit is 0.
        data.resize(shape.iter().product(), 0.0);
        Tensor::from_data(TensorData::new(data, shape), device.burn())
    }
}

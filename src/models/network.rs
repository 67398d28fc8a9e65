use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::Tensor;

use super::Segmentation;
use super::module::{AnyModule, any_module};

/// A segmentation network: a Burn module from images to class scores.
///
/// Implement it for a module of your own (also one defined in a notebook cell) and hand it to
/// [`crate::models::Architecture::custom`]. Build it from [`crate::models::Conv2d`] and
/// [`crate::models::BatchNorm2d`]: on the CPU they train several times as fast as Burn's own layers, and on a GPU they
/// follow [`crate::train::FitOptions::precision`].
///
/// ```
/// use swath::burn;
/// use swath::burn::module::Module;
/// use swath::burn::tensor::{Tensor, activation::relu};
/// use swath::models::{Architecture, Conv2d, Conv2dConfig, Network};
///
/// #[derive(Module, Debug)]
/// struct Small {
///     first: Conv2d,
///     last: Conv2d,
/// }
///
/// impl Network for Small {
///     fn forward(&self, images: Tensor<4>) -> Tensor<4> {
///         self.last.forward(relu(self.first.forward(images)))
///     }
/// }
///
/// let small = Architecture::custom("small", |bands, classes, device| Small {
///     first: Conv2dConfig::new([bands, 16], 3).with_bias().init(device),
///     last: Conv2dConfig::new([16, classes], 1).with_bias().init(device),
/// });
/// ```
pub trait Network: Module + Sync + Debug + 'static {
    /// Class scores before softmax.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, height, width]`, normalized
    /// - output: `[n, classes, height, width]`
    fn forward(&self, images: Tensor<4>) -> Tensor<4>;

    /// Folds batch norms into the convolutions before them ([`crate::models::BatchNorm2d::fold_into`]), in an inference
    /// copy that is only predicted with. A network need not do it; it makes prediction faster.
    fn fold_norms(&mut self) {}

    /// The first parts of the parameter names that belong to a pretrained encoder, such as `["encoder"]`: what
    /// `freeze_encoder` freezes and `encoder_lr_scale` slows.
    fn encoder_prefixes(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// A [`Network`] without its type: what the library trains, predicts with and saves.
///
/// Implemented for every [`Network`]; what does not depend on the task is in [`AnyModule`].
pub trait AnyNetwork: AnyModule<Segmentation> {
    /// Class scores before softmax: `[n, bands, h, w]` to `[n, classes, h, w]`.
    ///
    /// Give images of the same kind as the parameters: on `device.autodiff()` for a training copy, on the plain device
    /// for an inference copy.
    fn forward(&self, images: Tensor<4>) -> Tensor<4>;
}

/// A segmentation network of any type.
pub type BoxedNetwork = Box<dyn AnyNetwork>;

impl<N: Network> AnyNetwork for N {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        Network::forward(self, images)
    }
}

any_module!(Network for Segmentation, boxed as BoxedNetwork);

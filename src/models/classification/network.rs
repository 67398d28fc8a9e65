use std::fmt::Debug;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::models::choices::KnownNetwork;
use crate::models::module::{AnyModule, any_module};
use crate::models::{Task, registry};

/// Every chip, or cell of a scene, gets a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChipClassification;

impl Task for ChipClassification {
    const NAME: &'static str = "classification";
    const MODEL: &'static str = "Classifier";
    const ARCHITECTURE: &'static str = "ClassifierArchitecture";
    type Network = dyn AnyClassificationNetwork;

    fn networks() -> &'static [KnownNetwork<Self>] {
        registry::CLASSIFICATION
    }
}

/// A classification network: a Burn module from images to one score for each class.
///
/// Implement it for a module of your own and hand it to `ClassifierArchitecture::custom`.
pub trait ClassificationNetwork: Module + Sync + Debug + 'static {
    /// Class scores before softmax.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, bands, height, width]`, normalized
    /// - output: `[n, classes]`
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;

    /// Folds batch norms into the convolutions before them ([`crate::models::BatchNorm2d::fold_into`]), in an inference
    /// copy that is only predicted with. A network need not do it; it makes prediction faster.
    fn fold_norms(&mut self) {}

    /// The first parts of the parameter names that belong to a pretrained encoder, such as `["encoder"]`.
    fn encoder_prefixes(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// A [`ClassificationNetwork`] without its type: what the library trains, predicts with and saves.
///
/// Implemented for every [`ClassificationNetwork`]; what does not depend on the task is in [`AnyModule`].
pub trait AnyClassificationNetwork: AnyModule<ChipClassification> {
    /// Class scores before softmax: `[n, bands, h, w]` to `[n, classes]`.
    fn forward(&self, images: Tensor<4>) -> Tensor<2>;
}

/// A classification network of any type.
pub type BoxedClassificationNetwork = Box<dyn AnyClassificationNetwork>;

impl<N: ClassificationNetwork> AnyClassificationNetwork for N {
    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        ClassificationNetwork::forward(self, images)
    }
}

any_module!(ClassificationNetwork for ChipClassification, boxed as BoxedClassificationNetwork);

//! What a network is for, as a type: segmentation or detection. Models, training and bundles are generic over it.

use std::fmt::Debug;

use super::choices::KnownNetwork;
use super::state_dict::load_state_dict;
use super::{AnyModule, AnyNetwork, NamedTensors, WeightsReport, registry};
use crate::Result;

/// What a network is for.
pub trait Task: Copy + Debug + Send + Sync + Sized + 'static {
    /// Its name in a bundle, such as `segmentation`.
    const NAME: &'static str;
    /// The alias of [`crate::models::Model`] for this task, such as `Segmenter`.
    const MODEL: &'static str;
    /// The alias of [`crate::models::Blueprint`] for this task, such as `Architecture`.
    const ARCHITECTURE: &'static str;
    /// Whether a network of one's own can be exported for PyTorch, under its own names.
    const EXPORTS_CUSTOM: bool = true;
    /// A network of this task without its type.
    type Network: ?Sized + AnyModule<Self>;

    /// The networks of this task that files can name.
    fn networks() -> &'static [KnownNetwork<Self>];

    /// Puts a state dict into a network.
    ///
    /// # Errors
    /// When the tensors are not those of the network, which is then unchanged.
    fn load_state_dict(
        network: &mut Self::Network,
        name: &str,
        file: NamedTensors,
    ) -> Result<WeightsReport> {
        load_state_dict::<Self>(network, name, &file)
    }
}

/// Every pixel gets a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segmentation;

impl Task for Segmentation {
    const NAME: &'static str = "segmentation";
    const MODEL: &'static str = "Segmenter";
    const ARCHITECTURE: &'static str = "Architecture";
    type Network = dyn AnyNetwork;

    fn networks() -> &'static [KnownNetwork<Self>] {
        registry::SEGMENTATION
    }
}

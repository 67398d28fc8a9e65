//! Networks: encoders, U-Net, convolutions for the CPU, weights from elsewhere, bundles.

mod error;

pub use error::ModelError;

//! The networks that the library registers (`src/models/registry.rs`), for a program that does not link it.

use std::sync::LazyLock;

use serde::Deserialize;

/// Networks of one kind: `Unet::resnet18()`, `Unet::resnet34()`, …
#[derive(Clone, Debug, Deserialize)]
pub struct Network {
    /// What a person types, without dashes.
    pub word: String,
    /// The builder in the library's prelude.
    pub builder: String,
    /// What trains it: one type of models for each task.
    pub model: String,
    /// What its models are for, as their files say.
    pub task: String,
    /// The builder's constructors; the first one is meant when none is named.
    pub encoders: Vec<String>,
}

/// All of them, the usual one first. The library's tests keep the file as its registry is.
#[expect(
    clippy::expect_used,
    reason = "the file is part of the program, and a test reads it"
)]
pub static NETWORKS: LazyLock<Vec<Network>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../networks.json")).expect("`networks.json` is what it was")
});

#[cfg(test)]
mod tests {
    use super::NETWORKS;

    #[test]
    fn the_file_of_networks_is_read() {
        assert_eq!(NETWORKS[0].builder, "Unet");
        assert!(NETWORKS.iter().any(|network| network.task == "detection"));
    }
}

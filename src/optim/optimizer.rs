//! Which optimizer moves the weights, how fast each part of a network moves, and what a step did.

use serde::{Deserialize, Serialize};

/// How gradients become changes of the weights.
///
/// Weight decay applies to weights of two and more dimensions; biases and the scales of normalization are left out, as
/// is usual. [`crate::train::FitOptions::weight_decay`] sets it.
///
/// ```
/// use swath::train::{FitOptions, Optimizer};
/// let fit = FitOptions::epochs(12).optimizer(Optimizer::sgd(0.9).nesterov()).lr(0.02);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Optimizer {
    /// Adam with the weight decay apart from the gradient: a step of much the same size for every weight, so that one
    /// learning rate suits most networks. Decays of the moments 0.9 and 0.999, epsilon 1e-8.
    ///
    /// # Source
    /// Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), as `torch.optim.AdamW`.
    #[default]
    AdamW,
    /// Stochastic gradient descent; the weight decay is added to the gradient.
    ///
    /// # Source
    /// Sutskever et al., On the importance of initialization and momentum in deep learning (2013), as
    /// `torch.optim.SGD` without dampening.
    Sgd {
        /// The share of the former direction that a step keeps: 0 for none, 0.9 usually.
        momentum: f64,
        /// Looks ahead along the momentum (Nesterov).
        nesterov: bool,
    },
}

impl Optimizer {
    /// [`Optimizer::AdamW`], the default.
    #[must_use]
    pub const fn adamw() -> Self {
        Self::AdamW
    }

    /// Stochastic gradient descent with this momentum: 0 for none, 0.9 usually.
    #[must_use]
    pub const fn sgd(momentum: f64) -> Self {
        Self::Sgd {
            momentum,
            nesterov: false,
        }
    }

    /// Nesterov's look ahead for [`Optimizer::sgd`]; AdamW stays as it is.
    #[must_use]
    pub const fn nesterov(self) -> Self {
        match self {
            Self::Sgd { momentum, .. } => Self::Sgd {
                momentum,
                nesterov: true,
            },
            Self::AdamW => self,
        }
    }

    /// The highest learning rate where [`crate::train::FitOptions::lr`] says none: 1e-3 for AdamW, 1e-2 for SGD.
    #[must_use]
    pub const fn usual_rate(self) -> f64 {
        match self {
            Self::AdamW => 1e-3,
            Self::Sgd { .. } => 1e-2,
        }
    }

    /// The weight decay where [`crate::train::FitOptions::weight_decay`] says none: 0.01 for AdamW, 1e-4 for SGD, whose decay
    /// acts through the gradient.
    #[must_use]
    pub const fn usual_decay(self) -> f64 {
        match self {
            Self::AdamW => 0.01,
            Self::Sgd { .. } => 1e-4,
        }
    }

    /// Its name, as a person reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdamW => "AdamW",
            Self::Sgd { nesterov: true, .. } => "SGD (Nesterov)",
            Self::Sgd { .. } => "SGD",
        }
    }
}

/// The learning rate of one step, and which parameters get less of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// The rate of every parameter that no prefix names.
    pub base: f64,
    /// Path prefixes (such as `encoder`) and the share of the base rate that their parameters get; 0 leaves them as
    /// they are.
    pub shares: Vec<(String, f64)>,
}

impl Rates {
    /// One rate for every parameter.
    #[must_use]
    pub fn even(base: f64) -> Self {
        Self {
            base,
            shares: Vec::new(),
        }
    }

    pub(super) fn of(&self, path: &str) -> f64 {
        let share = self.shares.iter().find(|(prefix, _)| {
            path.strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        self.base * share.map_or(1.0, |(_, share)| *share)
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The parameters moved. On a GPU nothing was read back, and a gradient that is not finite shows in the next loss.
    Taken,
    /// A gradient was infinite or not a number; the parameters are as they were.
    NotFinite,
}

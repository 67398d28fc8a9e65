//! Losses on logits: cross-entropy, focal, soft dice, Lovász-softmax and sums, with class weights and ignored pixels.

use burn::tensor::{Int, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};

use super::FitOptions;
use super::lovasz::lovasz;
use crate::device::Device;

/// Keeps a division by an empty sum from giving NaN: a batch without any labeled pixel has loss 0 and no gradient.
const NEARLY_ZERO: f32 = 1e-6;

/// What training makes small. Pixels labeled 255 (`labels::IGNORE`) count in none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Loss {
    /// Cross-entropy per pixel, weighted by class, averaged over the sum of the weights (as
    /// `torch.nn.CrossEntropyLoss`).
    CrossEntropy,
    /// One minus the soft dice coefficient, averaged over the classes that the batch contains. Counts small classes as
    /// much as large ones; class weights do not apply.
    Dice,
    /// Cross-entropy plus dice: the steady gradients of the one, the balance of the other.
    #[default]
    Sum,
    /// Cross-entropy with each pixel counted times `(1 - p) ^ gamma`, where `p` is the probability of its true class:
    /// what is already right counts little, so that rare and hard pixels lead. Weighted and averaged as the
    /// cross-entropy, which is its case `gamma = 0`; 2 is usual ([`Loss::focal`]).
    Focal {
        /// How much less a pixel that is already right counts: 0 or more.
        gamma: f64,
    },
    /// Lovász-softmax: a smooth form of one minus the IoU, over all pixels of the batch together, averaged over the
    /// classes that the batch contains (by class weight). For the last epochs, or with [`Loss::LovaszSum`]. On a GPU it
    /// reads the probabilities back once a step, to sort them.
    Lovasz,
    /// Cross-entropy plus Lovász-softmax.
    LovaszSum,
}

impl Loss {
    /// The loss of `logits` against `targets`, one value on the same device.
    ///
    /// # Shapes
    /// - `logits`: `[n, classes, h, w]`; `class_weights`: `[1, classes, 1, 1]`, all one when absent
    /// - returns `[1]`
    #[must_use]
    pub fn of(
        self,
        logits: Tensor<4>,
        targets: &Targets,
        class_weights: Option<&Tensor<4>>,
    ) -> Tensor<1> {
        let log_probabilities = activation::log_softmax(logits, 1);
        match self {
            Self::Focal { gamma } => focal(log_probabilities, targets, class_weights, gamma),
            Self::Lovasz => lovasz(log_probabilities.exp(), targets, class_weights),
            Self::LovaszSum => {
                lovasz(log_probabilities.clone().exp(), targets, class_weights)
                    + cross_entropy(log_probabilities, targets, class_weights)
            }
            Self::CrossEntropy => cross_entropy(log_probabilities, targets, class_weights),
            Self::Dice => dice(log_probabilities.exp(), targets),
            Self::Sum => {
                dice(log_probabilities.clone().exp(), targets)
                    + cross_entropy(log_probabilities, targets, class_weights)
            }
        }
    }

    /// [`Loss::Focal`] with the usual `gamma` of 2.
    #[must_use]
    pub const fn focal() -> Self {
        Self::Focal { gamma: 2.0 }
    }

    /// Its name, as a person reads it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Focal { .. } => "focal",
            Self::Lovasz => "Lovász",
            Self::LovaszSum => "cross-entropy + Lovász",
            Self::CrossEntropy => "cross-entropy",
            Self::Dice => "dice",
            Self::Sum => "cross-entropy + dice",
        }
    }
}

/// The class weights of a run on its device, `[1, classes, 1, 1]`; `None` where all classes count alike.
pub(super) fn class_weights(options: &FitOptions, device: &Device) -> Option<Tensor<4>> {
    let weights = options.class_weights.as_ref()?.iter();
    let weights: Vec<f32> = weights.map(|weight| *weight as f32).collect();
    let shape = [1, weights.len(), 1, 1];
    Some(Tensor::<1>::from_floats(weights.as_slice(), device.burn()).reshape(shape))
}

/// Labels of a batch on a device, ready for the losses.
#[derive(Clone, Debug)]
pub struct Targets {
    /// `[n, classes, h, w]`: 1 at the class of each pixel; all zero where the pixel is ignored.
    pub(super) one_hot: Tensor<4>,
    /// `[n, h, w]`, on the host.
    pub(super) labels: Vec<u8>,
}

impl Targets {
    /// Uploads `labels` (`n * h * w`, row by row) for losses on logits of this shape, `[n, classes, h, w]`. A label that
    /// is no class, 255 (`labels::IGNORE`) above all, is ignored.
    #[must_use]
    pub fn new(labels: &[u8], shape: [usize; 4], device: &burn::tensor::Device) -> Self {
        let [n, classes, height, width] = shape;
        debug_assert_eq!(labels.len(), n * height * width);
        let numbers = labels
            .iter()
            .map(|&label| i32::from(label))
            .collect::<Vec<_>>();
        let numbers =
            Tensor::<4, Int>::from_data(TensorData::new(numbers, [n, 1, height, width]), device);
        let classes =
            Tensor::<1, Int>::arange(0..classes as i64, device).reshape([1, classes, 1, 1]);
        Self {
            one_hot: numbers.expand(shape).equal(classes.expand(shape)).float(),
            labels: labels.to_vec(),
        }
    }
}

fn cross_entropy(
    log_probabilities: Tensor<4>,
    targets: &Targets,
    class_weights: Option<&Tensor<4>>,
) -> Tensor<1> {
    let (weighted, total) = weighted(targets, class_weights);
    (log_probabilities * weighted).sum().neg() / total
}

/// The one-hot labels times the class weights, and their sum.
fn weighted(targets: &Targets, class_weights: Option<&Tensor<4>>) -> (Tensor<4>, Tensor<1>) {
    let weighted = match class_weights {
        Some(weights) => targets.one_hot.clone() * weights.clone(),
        None => targets.one_hot.clone(),
    };
    let total = weighted.clone().sum().clamp_min(NEARLY_ZERO);
    (weighted, total)
}

/// # Source
/// Lin et al., Focal Loss for Dense Object Detection (2017), for several classes by softmax.
fn focal(
    log_probabilities: Tensor<4>,
    targets: &Targets,
    class_weights: Option<&Tensor<4>>,
    gamma: f64,
) -> Tensor<1> {
    let (weighted, total) = weighted(targets, class_weights);
    // A power of exactly 0 would have no finite gradient.
    let wrong = log_probabilities
        .clone()
        .exp()
        .neg()
        .add_scalar(1.0)
        .clamp_min(NEARLY_ZERO);
    (wrong.powf_scalar(gamma) * log_probabilities * weighted)
        .sum()
        .neg()
        / total
}

/// # Source
/// Milletari et al., V-Net (2016), on probabilities; per class over the whole batch, as
/// `segmentation_models_pytorch.losses.DiceLoss(mode="multiclass", ignore_index=255)`, except that absent classes are
/// left out of the mean instead of counting as zero.
fn dice(probabilities: Tensor<4>, targets: &Targets) -> Tensor<1> {
    let one_hot = targets.one_hot.clone();
    let labeled = one_hot.clone().sum_dim(1);
    let truth = per_class(one_hot.clone());
    let common = per_class(probabilities.clone() * one_hot);
    let cardinality = per_class(probabilities * labeled) + truth.clone();
    let score = common * 2.0 / cardinality.clamp_min(NEARLY_ZERO);
    let present = truth.greater_elem(0.0).float();
    let classes = present.clone().sum().clamp_min(1.0);
    ((score.neg() + 1.0) * present).sum() / classes
}

/// `[n, classes, h, w]` to the sum of each class, `[classes]`.
fn per_class(values: Tensor<4>) -> Tensor<1> {
    let [n, classes, height, width] = values.dims();
    values
        .reshape([n, classes, height * width])
        .sum_dim(2)
        .sum_dim(0)
        .reshape([classes])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of two by two pixels, three classes. The expected numbers come from
    ///
    /// ```python
    /// import math                                        # the formulas of torch.nn.functional, in float64
    /// x = [(i * 37 % 23 - 11) / 5 for i in range(24)]    # [2, 3, 2, 2]
    /// t = [0, 1, 2, 255, 1, 1, 255, 0]; w = [0.5, 2.0, 1.0]; p = {}
    /// for n in range(2):
    ///     for q in range(4):
    ///         z = [math.exp(x[n * 12 + c * 4 + q]) for c in range(3)]
    ///         for c in range(3): p[n, c, q] = z[c] / sum(z)
    /// a = [(n, t[n * 4 + q], q) for n in range(2) for q in range(4) if t[n * 4 + q] != 255]
    /// print(-sum(math.log(p[i]) for i in a) / len(a))
    /// print(-sum(w[i[1]] * math.log(p[i]) for i in a) / sum(w[i[1]] for i in a))
    /// common = lambda c: sum(p[i] for i in a if i[1] == c); count = lambda c: sum(i[1] == c for i in a)
    /// print(1 - sum(2 * common(c) / (sum(p[n, c, q] for n, _, q in a) + count(c)) for c in range(3)) / 3)
    /// ```
    const IGNORE: u8 = 255;
    const ALL: [Loss; 6] = [
        Loss::CrossEntropy,
        Loss::Dice,
        Loss::Sum,
        Loss::focal(),
        Loss::Lovasz,
        Loss::LovaszSum,
    ];
    const CE: f32 = 2.580_413_4;
    const WEIGHTED_CE: f32 = 2.334_352_6;
    const DICE: f32 = 0.853_619_8;

    fn example() -> (Tensor<4>, Targets) {
        let device = burn::tensor::Device::flex().autodiff();
        let logits: Vec<f32> = (0..24)
            .map(|i| ((i * 37 % 23) as f32 - 11.0) / 5.0)
            .collect();
        let logits =
            Tensor::<4>::from_data(TensorData::new(logits, [2, 3, 2, 2]), &device).require_grad();
        let targets = Targets::new(&[0, 1, 2, IGNORE, 1, 1, IGNORE, 0], [2, 3, 2, 2], &device);
        (logits, targets)
    }

    fn value(loss: Tensor<1>) -> f32 {
        loss.into_scalar::<f32>()
    }

    #[track_caller]
    fn close(found: f32, expected: f32) {
        assert!(
            (found - expected).abs() < 2e-5,
            "expected {expected}, found {found}"
        );
    }

    #[test]
    fn cross_entropy_agrees_with_the_reference_with_and_without_weights() {
        let (logits, targets) = example();
        let weights =
            Tensor::<1>::from_floats([0.5, 2.0, 1.0], &logits.device()).reshape([1, 3, 1, 1]);
        close(
            value(Loss::CrossEntropy.of(logits.clone(), &targets, None)),
            CE,
        );
        close(
            value(Loss::CrossEntropy.of(logits, &targets, Some(&weights))),
            WEIGHTED_CE,
        );
    }

    #[test]
    fn dice_and_the_sum_agree_with_the_reference() {
        let (logits, targets) = example();
        close(value(Loss::Dice.of(logits.clone(), &targets, None)), DICE);
        close(value(Loss::Sum.of(logits, &targets, None)), DICE + CE);
    }

    #[test]
    fn ignored_pixels_get_no_gradient_and_the_others_do() {
        for loss in ALL {
            let (logits, targets) = example();
            let gradients = loss.of(logits.clone(), &targets, None).backward();
            let gradient = logits
                .grad(&gradients)
                .map(|gradient| gradient.into_data().try_to_vec::<f32>());
            let Some(Ok(gradient)) = gradient else {
                panic!("no gradient for {loss:?}")
            };
            for (position, value) in gradient.iter().enumerate() {
                let (image, pixel) = (position / 12, position % 4);
                let ignored = (image, pixel) == (0, 3) || (image, pixel) == (1, 2);
                // Where no pixel of a class is left to be wrong, Lovász has nothing more to say.
                let silent = matches!(loss, Loss::Lovasz) && !ignored;
                assert!(
                    silent || (*value == 0.0) == ignored,
                    "{loss:?} at image {image}, pixel {pixel}: {value}"
                );
            }
        }
    }

    #[test]
    fn a_batch_without_labels_has_loss_zero_and_no_nan() {
        let device = burn::tensor::Device::flex().autodiff();
        let logits = Tensor::<4>::ones([1, 2, 2, 2], &device).require_grad();
        let targets = Targets::new(&[IGNORE; 4], [1, 2, 2, 2], &device);
        for loss in ALL {
            let found = loss.of(logits.clone(), &targets, None);
            let gradients = found.backward();
            assert_eq!(value(found), 0.0, "{loss:?}");
            let gradient = logits
                .grad(&gradients)
                .map(|gradient| gradient.into_data().try_to_vec::<f32>());
            assert!(
                matches!(gradient, Some(Ok(values)) if values.iter().all(|value| *value == 0.0)),
                "{loss:?}"
            );
        }
    }
}

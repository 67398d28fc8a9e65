//! The losses of detectors, element by element: sums, means and weights are the networks' own.
//!
//! Sources: `torchvision.ops.sigmoid_focal_loss` (Lin et al. 2017), `torch.nn.functional.smooth_l1_loss` (Girshick 2015),
//! `torchvision.ops.generalized_box_iou_loss` (Rezatofighi et al. 2019), `torch.nn.functional.cross_entropy`.

use burn::tensor::{Int, Tensor, activation};

/// Binary cross-entropy of scores before the sigmoid, element by element.
///
/// # Shapes
///
/// - `scores`, `targets` (0 or 1): any, alike
/// - output: the same
#[must_use]
pub fn binary_cross_entropy<const D: usize>(scores: Tensor<D>, targets: Tensor<D>) -> Tensor<D> {
    (-targets + 1.0) * scores.clone() - activation::log_sigmoid(scores)
}

/// Focal loss of scores before the sigmoid, element by element: cross-entropy, times `(1 - p)^gamma` so that what is
/// already right weighs little, times `alpha` for objects and `1 - alpha` for background.
///
/// # Shapes
///
/// - `scores`, `targets` (0 or 1): any, alike
/// - output: the same
#[must_use]
pub fn sigmoid_focal<const D: usize>(
    scores: Tensor<D>,
    targets: Tensor<D>,
    alpha: f64,
    gamma: f64,
) -> Tensor<D> {
    let p = activation::sigmoid(scores.clone());
    // 1 - p of the right answer: 1 - p for objects, p for background.
    let wrong = p.clone() + targets.clone() - p * targets.clone() * 2.0;
    let focus = if gamma == 2.0 {
        wrong.clone() * wrong
    } else {
        wrong.powf_scalar(gamma)
    };
    let weight = targets.clone() * (2.0 * alpha - 1.0) + (1.0 - alpha);
    binary_cross_entropy(scores, targets) * focus * weight
}

/// Absolute difference, rounded off below `beta` to `difference^2 / (2 beta)`; `beta` 0 is the plain absolute
/// difference (L1).
///
/// # Shapes
///
/// - `found`, `wanted`: any, alike
/// - output: the same
#[must_use]
pub fn smooth_l1<const D: usize>(found: Tensor<D>, wanted: Tensor<D>, beta: f64) -> Tensor<D> {
    let difference = (found - wanted).abs();
    if beta <= 0.0 {
        return difference;
    }
    // With m = min(d, beta): m^2 / (2 beta) + (d - m) is the square below beta and d - beta / 2 above, without a branch.
    let below = difference.clone().clamp_max(beta);
    below.clone() * below.clone() / (2.0 * beta) + difference - below
}

/// `1 - GIoU` of pairs of boxes: also boxes apart from each other have a gradient.
///
/// # Shapes
///
/// - `found`, `wanted`: `[n, 4]`, corners x_min, y_min, x_max, y_max
/// - output: `[n, 1]`
#[must_use]
pub fn giou(found: &Tensor<2>, wanted: &Tensor<2>) -> Tensor<2> {
    const EPSILON: f64 = 1e-7;
    let column = |tensor: &Tensor<2>, index| tensor.clone().narrow(1, index, 1);
    let [x_min, y_min, x_max, y_max] = [0, 1, 2, 3].map(|index| column(found, index));
    let [wx_min, wy_min, wx_max, wy_max] = [0, 1, 2, 3].map(|index| column(wanted, index));
    let width = x_max.clone().min_pair(wx_max.clone()) - x_min.clone().max_pair(wx_min.clone());
    let height = y_max.clone().min_pair(wy_max.clone()) - y_min.clone().max_pair(wy_min.clone());
    let intersection = width.clamp_min(0.0) * height.clamp_min(0.0);
    let area = (x_max.clone() - x_min.clone()) * (y_max.clone() - y_min.clone());
    let wanted_area = (wx_max.clone() - wx_min.clone()) * (wy_max.clone() - wy_min.clone());
    let union = area + wanted_area - intersection.clone();
    let around = (x_max.max_pair(wx_max) - x_min.min_pair(wx_min))
        * (y_max.max_pair(wy_max) - y_min.min_pair(wy_min));
    let iou = intersection / (union.clone() + EPSILON);
    let empty = (around.clone() - union) / (around + EPSILON);
    -iou + empty + 1.0
}

/// Cross-entropy of class scores before the softmax, one value a row.
///
/// # Shapes
///
/// - `scores`: `[n, classes]`
/// - `labels`: `[n]`
/// - output: `[n, 1]`
#[must_use]
pub fn cross_entropy(scores: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<2> {
    -activation::log_softmax(scores, 1).gather(1, labels.unsqueeze_dim(1))
}

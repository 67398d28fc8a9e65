//! The two losses of CenterNet.

use burn::tensor::{Tensor, activation};

use super::targets::DeviceTargets;

/// How much the boxes count beside the heat map.
///
/// # Source
/// Liu et al. 2019 (TTFNet): 1 and 5.
pub(super) const BOX_WEIGHT: f64 = 5.0;

/// The focal loss of the heat map: at centers `-(1 - p)^2 log p`, elsewhere `-(1 - heat)^4 p^2 log(1 - p)`, summed and
/// divided by the number of objects. `p` is the sigmoid of `scores`.
///
/// # Shapes
/// - `scores`: `[n, classes - 1, h, w]`
/// - output: `[1]`
///
/// # Source
/// Zhou et al. 2019 (CenterNet), equation 1, with alpha 2 and beta 4; after Law and Deng 2018 (CornerNet).
pub(super) fn heat(scores: Tensor<4>, targets: &DeviceTargets) -> Tensor<1> {
    let p = activation::sigmoid(scores.clone());
    let centers = targets.heat.clone().greater_equal_elem(1.0).float();
    let away = (targets.heat.clone().neg() + 1.0).powi_scalar(4);
    let at_centers =
        (p.clone().neg() + 1.0).powi_scalar(2) * activation::log_sigmoid(scores.clone()) * centers;
    // Where the heat is 1, `away` is 0.
    let elsewhere = p.powi_scalar(2) * activation::log_sigmoid(scores.neg()) * away;
    (at_centers + elsewhere).sum().neg() / targets.objects as f64
}

/// `1 - GIoU` of the boxes at every cell near a center, weighted and averaged. Both boxes of a cell contain its middle,
/// so their overlap follows from the distances alone.
///
/// # Shapes
/// - `sides`: `[n, 4, h, w]`, positive, in pixels
/// - output: `[1]`
///
/// # Source
/// Rezatofighi et al. 2019 (arXiv:1902.09630); weights as in Liu et al. 2019 (TTFNet), equations 6 and 7.
pub(super) fn sides(sides: &Tensor<4>, targets: &DeviceTargets) -> Tensor<1> {
    let part = |sides: &Tensor<4>, side: usize| sides.clone().narrow(1, side, 1);
    let (mut inner, mut outer, mut found, mut wanted) = (None, None, None, None);
    // Width, then height.
    for (near, far) in [(0, 2), (1, 3)] {
        let [a, b] = [near, far].map(|side| (part(sides, side), part(&targets.sides, side)));
        let times = |product: &mut Option<Tensor<4>>, length: Tensor<4>| {
            *product = Some(match product.take() {
                Some(width) => width * length,
                None => length,
            });
        };
        times(
            &mut inner,
            a.0.clone().min_pair(a.1.clone()) + b.0.clone().min_pair(b.1.clone()),
        );
        times(
            &mut outer,
            a.0.clone().max_pair(a.1.clone()) + b.0.clone().max_pair(b.1.clone()),
        );
        times(&mut found, a.0 + b.0);
        times(&mut wanted, a.1 + b.1);
    }
    let (Some(inner), Some(outer), Some(found), Some(wanted)) = (inner, outer, found, wanted)
    else {
        unreachable!("two axes were multiplied")
    };
    let union = found + wanted - inner.clone();
    // Cells without an object have no box, but the network's own area is above 0 there: nothing divides by 0.
    let giou = inner / union.clone() - (outer.clone() - union) / outer;
    let total = targets.weights.clone().sum().clamp_min(1e-6);
    ((giou.neg() + 1.0) * targets.weights.clone()).sum() / total
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::super::targets::{Targets, middle};
    use super::*;
    use crate::boxes::{Annotation, BoundingBox};

    fn value(loss: Tensor<1>) -> f64 {
        f64::from(loss.into_scalar::<f32>())
    }

    /// Scores that differ everywhere: `[1, 1, 4, 4]`.
    fn scores() -> Vec<f32> {
        (0..16)
            .map(|i| ((i * 37 % 23) as f32 - 11.0) / 5.0)
            .collect()
    }

    fn objects() -> Vec<Vec<Annotation>> {
        vec![vec![
            Annotation::new(BoundingBox::new(0.0, 1.0, 11.0, 15.0), 1),
            Annotation::new(BoundingBox::new(9.0, 9.0, 15.0, 14.0), 1),
        ]]
    }

    #[test]
    fn the_heat_loss_is_the_papers_formula() {
        let host = Targets::new(&objects(), [1, 1, 4, 4]);
        let mut expected = 0.0;
        for (score, heat) in scores().iter().zip(&host.heat) {
            let p = 1.0 / (1.0 + (-f64::from(*score)).exp());
            expected -= if *heat == 1.0 {
                (1.0 - p).powi(2) * p.ln()
            } else {
                (1.0 - f64::from(*heat)).powi(4) * p.powi(2) * (1.0 - p).ln()
            };
        }
        let device = Device::flex();
        let tensor = Tensor::<4>::from_data(TensorData::new(scores(), [1, 1, 4, 4]), &device);
        let found = value(heat(tensor, &host.upload(&device)));
        assert!((found - expected / 2.0).abs() < 1e-4, "{found} {expected}");
    }

    #[test]
    fn the_box_loss_is_one_minus_the_giou_of_the_boxes() {
        let host = Targets::new(&objects(), [1, 1, 4, 4]);
        let sides_found: Vec<f32> = (0..64).map(|i| 1.0 + (i * 29 % 17) as f32 / 2.0).collect();
        let (mut expected, mut total) = (0.0, 0.0);
        for cell in 0..16 {
            let (x, y) = middle(cell / 4, cell % 4);
            let bounds = |sides: &[f32]| {
                let side = |index: usize| f64::from(sides[index * 16 + cell]);
                BoundingBox::new(x - side(0), y - side(1), x + side(2), y + side(3))
            };
            let weight = f64::from(host.weights[cell]);
            if weight > 0.0 {
                expected += weight * (1.0 - bounds(&sides_found).giou(&bounds(&host.sides)));
                total += weight;
            }
        }
        let device = Device::flex();
        let tensor = Tensor::<4>::from_data(TensorData::new(sides_found, [1, 4, 4, 4]), &device);
        let found = value(sides(&tensor, &host.upload(&device)));
        assert!(
            (found - expected / total).abs() < 1e-5,
            "{found} {}",
            expected / total
        );
    }

    #[test]
    fn images_without_objects_have_finite_losses_and_gradients() {
        let device = Device::flex().autodiff();
        let leaf = |channels: usize| {
            let values = vec![30.0; channels * 16];
            Tensor::<4>::from_data(TensorData::new(values, [1, channels, 4, 4]), &device)
                .require_grad()
        };
        let (scores, distances) = (leaf(1), leaf(4));
        let targets = Targets::new(&[Vec::new()], [1, 1, 4, 4]).upload(&device);
        let loss = heat(scores.clone(), &targets) + sides(&distances, &targets);
        let gradients = loss.backward();
        for leaf in [scores, distances] {
            let gradient = leaf.grad(&gradients).map(|gradient| gradient.into_data());
            let values = gradient.and_then(|data| data.try_to_vec::<f32>().ok());
            assert!(
                values.is_some_and(|values| values.iter().all(|value| value.is_finite())),
                "a gradient is missing or not finite"
            );
        }
        assert!(value(loss).is_finite());
    }
}

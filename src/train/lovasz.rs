//! The Lovász-softmax loss.

use burn::tensor::{Tensor, TensorData};

use super::Targets;

/// The loss of `probabilities`, `[n, classes, h, w]`, over all pixels of the batch together.
///
/// The loss of a class is a sum of its errors, each times a factor that depends only on their order. So the errors are
/// read and sorted on the host, and the factors go back as constants: Burn's own sort goes through the host as well, and
/// needs twice the memory for its gradient.
///
/// # Source
/// Berman, Rannen Triki and Blaschko, The Lovász-Softmax loss (2018), Algorithm 1, with `classes="present"` and
/// `per_image=False` of the authors' code; class weights weight the mean over the classes.
pub(super) fn lovasz(
    probabilities: Tensor<4>,
    targets: &Targets,
    class_weights: Option<&Tensor<4>>,
) -> Tensor<1> {
    let [n, classes, height, width] = probabilities.dims();
    let device = probabilities.device();
    let errors = (targets.one_hot.clone() - probabilities).abs();
    let read = |tensor: Tensor<4>| tensor.into_data().try_to_vec::<f32>().unwrap_or_default();
    let values = read(errors.clone().detach());
    let weights = class_weights.map(|weights| read(weights.clone().detach()));
    let weight_of = |class: usize| weights.as_ref().map_or(1.0, |weights| weights[class]);
    let pixels = height * width;
    let mut factors = vec![0.0_f32; values.len()];
    let mut total = 0.0;
    for class in 0..classes {
        // Position in the tensor of the class's every labeled pixel, largest error first.
        let mut order: Vec<usize> = (0..n * pixels)
            .filter(|pixel| usize::from(targets.labels[*pixel]) < classes)
            .map(|pixel| (pixel / pixels * classes + class) * pixels + pixel % pixels)
            .collect();
        let label = |position: usize| {
            let pixel = position / (classes * pixels) * pixels + position % pixels;
            usize::from(targets.labels[pixel])
        };
        let count = order.iter().filter(|at| label(**at) == class).count();
        if count == 0 {
            continue;
        }
        order.sort_by(|one, other| values[*other].total_cmp(&values[*one]));
        total += weight_of(class);
        let (mut common, mut union, mut before) = (count as f32, count as f32, 0.0);
        for position in order {
            if label(position) == class {
                common -= 1.0;
            } else {
                union += 1.0;
            }
            let jaccard = 1.0 - common / union;
            factors[position] = (jaccard - before) * weight_of(class);
            before = jaccard;
        }
    }
    if total > 0.0 {
        factors.iter_mut().for_each(|factor| *factor /= total);
    }
    let factors = TensorData::new(factors, [n, classes, height, width]);
    (errors * Tensor::from_data(factors, &device)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::oracle_tests::{Number, oracle};
    use crate::train::Loss;

    /// Value and gradient of focal and Lovász losses against `tests/python/make_training.py`, in float64 there.
    #[test]
    fn focal_and_lovasz_agree_with_torch_in_value_and_gradient() {
        let part = &oracle("losses")[0];
        let device = burn::tensor::Device::flex().autodiff();
        let shape = [2, 4, 4, 4];
        let logits: Vec<f32> = (0..128)
            .map(|index| ((1.7 * f64::from(index) + 0.2).sin() * 2.0) as f32)
            .collect();
        let labels: Vec<u8> = part["truth"]
            .numbers()
            .iter()
            .map(|label| *label as u8)
            .collect();
        let targets = Targets::new(&labels, shape, &device);
        let weights = Tensor::<1>::from_floats(part["weights"].floats().as_slice(), &device)
            .reshape([1, 4, 1, 1]);
        let cases = part["cases"].as_array().cloned().unwrap_or_default();
        for case in &cases {
            let loss = match case["name"].as_str() {
                Some("focal 2") => Loss::focal(),
                Some("focal 0.5") => Loss::Focal { gamma: 0.5 },
                Some("lovasz") => Loss::Lovasz,
                other => panic!("unknown loss {other:?}"),
            };
            let weights = case["weighted"]
                .as_bool()
                .unwrap_or_default()
                .then_some(&weights);
            let leaf = Tensor::<4>::from_data(TensorData::new(logits.clone(), shape), &device)
                .require_grad();
            let found = loss.of(leaf.clone(), &targets, weights);
            let gradients = found.backward();
            let (found, expected) = (found.into_scalar::<f32>(), case["value"].number() as f32);
            assert!(
                (found - expected).abs() < 1e-5,
                "{loss:?}: {found}, {expected}"
            );
            let gradient = leaf
                .grad(&gradients)
                .map(|data| data.into_data().try_to_vec::<f32>());
            let Some(Ok(gradient)) = gradient else {
                panic!("no gradient for {loss:?}")
            };
            for (found, expected) in gradient.iter().zip(case["gradient"].floats()) {
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{loss:?}: {found}, {expected}"
                );
            }
        }
        assert_eq!(cases.len(), 6);
    }
}

//! Our operations against Burn's own, gradients included.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor, Tolerance, module};

use super::{Activation, conv};

fn random(shape: [usize; 4]) -> Tensor<4> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Device::flex())
}

fn close<const D: usize>(found: Tensor<D>, expected: Tensor<D>) {
    found
        .into_data()
        .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::rel_abs(1e-3, 1e-3));
}

#[test]
fn convolutions_and_their_gradients_are_those_of_burn() {
    // Channels in and out, size, kernel, stride, padding, groups.
    let cases = [
        ([3, 8], [16, 16], 3, 1, (1, 1), 1),
        ([3, 8], [17, 23], 7, 2, (3, 3), 1),
        ([8, 4], [16, 16], 3, 2, (0, 1), 1),
        ([6, 9], [10, 12], 1, 1, (0, 0), 1),
        ([6, 9], [10, 12], 1, 2, (0, 0), 1),
        ([6, 6], [16, 20], 5, 1, (2, 2), 6),
        ([6, 6], [16, 20], 5, 2, (1, 2), 6),
        ([6, 4], [16, 20], 3, 1, (1, 1), 2),
    ];
    let kinds = [Activation::None, Activation::Relu, Activation::Relu6];
    for (index, (channels, size, kernel, stride, padding, groups)) in cases.into_iter().enumerate()
    {
        let kind = kinds[index % 3];
        let options = ConvOptions::new_with_padding([stride; 2], [padding; 2], [1, 1], groups);
        let x = random([2, channels[0], size[0], size[1]]);
        let w = random([channels[1], channels[0] / groups, kernel, kernel]);
        let b = Tensor::<1>::random([channels[1]], Distribution::Default, &Device::flex());
        let run = |own: bool| {
            let x = Tensor::<4>::from_inner(x.clone()).require_grad();
            let w = Tensor::<4>::from_inner(w.clone()).require_grad();
            let b = Tensor::<1>::from_inner(b.clone()).require_grad();
            let (input, weight, bias) = (x.clone(), w.clone(), Some(b.clone()));
            let y = match own {
                true => conv::conv2d_activated(input, weight, bias, options.clone(), kind),
                false => {
                    let y = module::conv2d(input, weight, bias, options.clone());
                    match kind {
                        Activation::None => y,
                        Activation::Relu => burn::tensor::activation::relu(y),
                        Activation::Relu6 => y.clamp(0.0, 6.0),
                    }
                }
            };
            let mut gradients = (y.clone() * y.clone() * y.clone()).sum().backward();
            let found = (
                x.grad_remove(&mut gradients),
                w.grad_remove(&mut gradients),
                b.grad_remove(&mut gradients),
            );
            (
                y.inner(),
                found.0.unwrap(),
                found.1.unwrap(),
                found.2.unwrap(),
            )
        };
        let (own, burn) = (run(true), run(false));
        close(own.0, burn.0);
        close(own.1, burn.1);
        close(own.2, burn.2);
        close(own.3, burn.3);
    }
}

#[test]
fn batch_norm_with_its_activation_is_that_of_burn() {
    for kind in [Activation::None, Activation::Relu, Activation::Relu6] {
        let x = random([3, 5, 7, 9]) * 8.0 + 1.0;
        let weight = Tensor::<1>::from_floats([1.0, 2.0, -1.5, 0.5, 6.0], &Device::flex());
        let bias = Tensor::<1>::from_floats([0.0, 1.0, 3.0, -0.5, 2.0], &Device::flex());
        let up = random([3, 5, 7, 9]);
        let run = |own: bool| {
            let x = Tensor::<4>::from_inner(x.clone()).require_grad();
            let w = Tensor::<1>::from_inner(weight.clone()).require_grad();
            let b = Tensor::<1>::from_inner(bias.clone()).require_grad();
            let (y, mean, variance) = if own {
                conv::batch_norm_train(x.clone(), w.clone(), b.clone(), 1e-3, kind)
            } else {
                let found = module::batch_norm_train(x.clone(), w.clone(), b.clone(), 1e-3);
                let y = match kind {
                    Activation::None => found.output,
                    Activation::Relu => burn::tensor::activation::relu(found.output),
                    Activation::Relu6 => found.output.clamp(0.0, 6.0),
                };
                (y, found.mean, found.variance)
            };
            let mut gradients = (y.clone() * Tensor::from_inner(up.clone()))
                .sum()
                .backward();
            let found = (
                x.grad_remove(&mut gradients),
                w.grad_remove(&mut gradients),
                b.grad_remove(&mut gradients),
            );
            (
                y.inner(),
                mean.inner(),
                variance.inner(),
                found.0.unwrap(),
                found.1.unwrap(),
                found.2.unwrap(),
            )
        };
        let (own, burn) = (run(true), run(false));
        close(own.0, burn.0);
        close(own.1, burn.1);
        close(own.2, burn.2);
        close(own.3, burn.3);
        close(own.4, burn.4);
        close(own.5, burn.5);
    }
}

#[test]
fn given_statistics_normalize_like_burn_and_pass_gradients_to_the_input() {
    let x = random([2, 3, 5, 4]) * 4.0;
    let figures = [
        [1.0, 2.0, 0.5],
        [0.1, -0.2, 1.0],
        [0.3, 0.0, -1.0],
        [2.0, 0.5, 1.0],
    ];
    let [w, b, mean, variance] =
        figures.map(|values| Tensor::<1>::from_floats(values, &Device::flex()));
    let run = |own: bool| {
        let lift = |tensor: &Tensor<1>| Tensor::<1>::from_inner(tensor.clone());
        let x = Tensor::<4>::from_inner(x.clone()).require_grad();
        let y = if own {
            conv::batch_norm(
                x.clone(),
                lift(&w),
                lift(&b),
                lift(&mean),
                lift(&variance),
                1e-5,
                Activation::Relu6,
            )
        } else {
            module::batch_norm(
                x.clone(),
                lift(&w),
                lift(&b),
                lift(&mean),
                lift(&variance),
                1e-5,
            )
            .clamp(0.0, 6.0)
        };
        let mut gradients = (y.clone() * y.clone()).sum().backward();
        (y.inner(), x.grad_remove(&mut gradients).unwrap())
    };
    let (own, burn) = (run(true), run(false));
    close(own.0, burn.0);
    close(own.1, burn.1);
}

#[test]
fn joining_doubles_the_coarse_features_and_splits_the_gradient() {
    for size in [[6, 8], [5, 7]] {
        let coarse = random([2, 3, 3, 4]);
        let skip = random([2, 2, size[0], size[1]]);
        let up = random([2, 5, size[0], size[1]]);
        let run = |own: bool| {
            let coarse = Tensor::<4>::from_inner(coarse.clone()).require_grad();
            let skip = Tensor::<4>::from_inner(skip.clone()).require_grad();
            let y = if own {
                conv::upsample_and_join(coarse.clone(), Some(skip.clone()), size)
            } else {
                let x = coarse
                    .clone()
                    .repeat_dim(3, 1)
                    .reshape([2, 3, 3, 1, 4, 1])
                    .repeat(&[1, 1, 1, 2, 1, 2]);
                let x = x
                    .reshape([2, 3, 6, 8])
                    .slice([0..2, 0..3, 0..size[0], 0..size[1]]);
                Tensor::cat(vec![x, skip.clone()], 1)
            };
            let mut gradients = (y.clone() * Tensor::from_inner(up.clone()))
                .sum()
                .backward();
            (
                y.inner(),
                coarse.grad_remove(&mut gradients).unwrap(),
                skip.grad_remove(&mut gradients).unwrap(),
            )
        };
        let (own, burn) = (run(true), run(false));
        close(own.0, burn.0);
        close(own.1, burn.1);
        close(own.2, burn.2);
    }
}

#[test]
fn the_gradient_of_a_small_convolution_is_its_slope() {
    let x = random([1, 2, 4, 5]);
    let w = random([3, 2, 3, 3]);
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    let value = |w: Tensor<4>| {
        let y = conv::conv2d(x.clone(), w, None, options.clone());
        f64::from((y.clone() * y).sum().into_scalar::<f32>())
    };
    let tracked = Tensor::<4>::from_inner(w.clone()).require_grad();
    let y = conv::conv2d(
        Tensor::from_inner(x.clone()),
        tracked.clone(),
        None,
        options.clone(),
    );
    let mut gradients = (y.clone() * y).sum().backward();
    let gradient: Vec<f32> = tracked
        .grad_remove(&mut gradients)
        .unwrap()
        .into_data()
        .try_to_vec()
        .unwrap();
    let weights: Vec<f32> = w.into_data().try_to_vec().unwrap();
    for index in [0, 7, 20, 53] {
        let moved = |step: f32| {
            let mut weights = weights.clone();
            weights[index] += step;
            value(Tensor::from_data(
                burn::tensor::TensorData::new(weights, [3, 2, 3, 3]),
                &Device::flex(),
            ))
        };
        let slope = (moved(0.05) - moved(-0.05)) / 0.1;
        assert!(
            (slope - f64::from(gradient[index])).abs() < 2e-2 * slope.abs().max(1.0),
            "{slope} {}",
            gradient[index]
        );
    }
}

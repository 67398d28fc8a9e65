//! Each operation with odd shapes: forward and gradient.

use swath::burn::tensor::ops::ConvOptions;
use swath::burn::tensor::{Int, Tensor, TensorData, activation};
use swath::models::Activation;
use swath::models::conv;
use swath::models::detection::coder::Corners;
use swath::models::detection::{losses, roi_align::RoiAlign};
use swath::prelude::*;
use swath::train::Targets;

use crate::support::{CLOSE, both, device, has_numbers, input, read, same};

fn options(stride: usize, padding: usize, dilation: usize, groups: usize) -> ConvOptions<2> {
    ConvOptions::new([stride; 2], [padding; 2], [dilation; 2], groups)
}

#[test]
fn convolutions_of_every_kind_that_the_networks_have() {
    // Input, output, kernel, stride, padding, dilation, groups.
    for (shape, out, kernel, stride, padding, dilation, groups) in [
        ([1, 3, 17, 13], 5, 3, 1, 1, 1, 1),
        ([2, 13, 16, 16], 8, 7, 2, 3, 1, 1),
        ([1, 1, 9, 11], 4, 3, 2, 1, 1, 1),
        ([3, 6, 7, 5], 9, 1, 1, 0, 1, 1),
        ([1, 6, 8, 8], 4, 1, 2, 0, 1, 1),
        ([2, 8, 12, 10], 8, 3, 1, 1, 1, 8),
        ([1, 8, 13, 13], 8, 5, 2, 2, 1, 8),
        ([1, 4, 15, 15], 6, 3, 1, 4, 4, 1),
    ] {
        let what = format!("convolution {shape:?} to {out}, kernel {kernel}, stride {stride}");
        let weight = [out, shape[1] / groups, kernel, kernel];
        both(&what, shape, |x, device| {
            let weight = Tensor::from_inner(input(weight, 3, device));
            conv::conv2d(x, weight, None, options(stride, padding, dilation, groups))
        });
        // The gradient of the weights, too.
        both(&format!("{what}, weights"), weight, |weight, device| {
            let x = Tensor::from_inner(input(shape, 5, device));
            let bias = Tensor::from_inner(input([out], 6, device));
            let options = options(stride, padding, dilation, groups);
            conv::conv2d_activated(x, weight, Some(bias), options, Activation::Relu)
        });
    }
}

#[test]
fn batch_norms_by_the_batch_and_by_running_statistics() {
    for shape in [[2, 5, 7, 9], [1, 13, 6, 6]] {
        let channels = shape[1];
        both(
            &format!("batch norm of a batch {shape:?}"),
            shape,
            |x, device| {
                let vector = |seed| Tensor::from_inner(input([channels], seed, device));
                let (y, _, _) =
                    conv::batch_norm_train(x, vector(1) + 1.5, vector(2), 1e-5, Activation::Relu);
                y
            },
        );
        both(
            &format!("batch norm that is fixed {shape:?}"),
            shape,
            |x, device| {
                let vector = |seed| Tensor::from_inner(input([channels], seed, device));
                let (weight, bias, mean) = (vector(1) + 1.5, vector(2), vector(3));
                conv::batch_norm(
                    x,
                    weight,
                    bias,
                    mean,
                    vector(4) + 1.5,
                    1e-5,
                    Activation::None,
                )
            },
        );
    }
}

#[test]
fn enlarging_and_joining() {
    both("upsampling and joining", [2, 4, 5, 4], |x, device| {
        let skip = Tensor::from_inner(input([2, 3, 9, 8], 2, device));
        conv::upsample_and_join(x, Some(skip), [9, 8])
    });
    both("nearest", [1, 3, 5, 7], |x, _| {
        conv::enlarge_nearest(x, [13, 17])
    });
    for size in [[13, 17], [3, 4], [20, 12]] {
        both(&format!("bilinear to {size:?}"), [2, 3, 6, 7], |x, _| {
            conv::resize_bilinear(x, size)
        });
    }
    both("bilinear from one pixel", [2, 3, 1, 1], |x, _| {
        conv::resize_bilinear(x, [4, 5])
    });
}

#[test]
fn pooling_activations_and_softmax() {
    use swath::burn::tensor::module::{adaptive_avg_pool2d, max_pool2d};
    use swath::burn::tensor::ops::MaxPoolOptions;

    both("the largest of a window", [2, 3, 11, 9], |x, _| {
        max_pool2d(
            x,
            MaxPoolOptions {
                kernel_size: [3, 3],
                stride: [2, 2],
                padding: [(1, 1); 2],
                dilation: [1, 1],
                ceil_mode: false,
            },
        )
    });
    both("the mean of all", [2, 5, 7, 6], |x, _| {
        adaptive_avg_pool2d(x, [1, 1])
    });
    both("ReLU", [3, 50], |x, _| activation::relu(x));
    both("ReLU up to 6", [3, 50], |x, _| (x * 9.0).clamp(0.0, 6.0));
    both("sigmoid", [3, 50], |x, _| activation::sigmoid(x * 5.0));
    both("softmax", [4, 13], |x, _| activation::softmax(x * 5.0, 1));
    both("logarithm of softmax", [2, 13, 4, 5], |x, _| {
        activation::log_softmax(x * 5.0, 1)
    });
}

#[test]
fn every_loss_of_maps_with_pixels_that_do_not_count() {
    let shape = [2, 3, 9, 7];
    let labels: Vec<u8> = (0..2 * 9 * 7)
        .map(|pixel| {
            if pixel % 11 == 0 {
                255
            } else {
                (pixel % 3) as u8
            }
        })
        .collect();
    for loss in [
        Loss::CrossEntropy,
        Loss::Dice,
        Loss::Sum,
        Loss::focal(),
        Loss::Lovasz,
        Loss::LovaszSum,
    ] {
        for weighted in [false, true] {
            let what = format!("{} of a map, weighted: {weighted}", loss.name());
            both(&what, shape, |x, device| {
                let tracked = device.burn().clone().autodiff();
                let targets = Targets::new(&labels, shape, &tracked);
                let weights = weighted.then(|| {
                    let weights = Tensor::<1>::from_floats([0.5, 1.0, 3.0], device.burn());
                    Tensor::from_inner(weights.reshape([1, 3, 1, 1]))
                });
                loss.of(x, &targets, weights.as_ref())
            });
        }
    }
}

#[test]
fn losses_of_boxes() {
    both("binary cross-entropy", [5, 4], |x, device| {
        let targets = Tensor::from_inner(input([5, 4], 2, device))
            .greater_elem(0.0)
            .float();
        losses::binary_cross_entropy(x, targets)
    });
    both("smooth L1", [9, 4], |x, device| {
        losses::smooth_l1(x, Tensor::from_inner(input([9, 4], 2, device)), 0.3)
    });
    both("generalized IoU", [6, 4], |x, device| {
        // Left, top and what is added to them.
        let corners = |x: Tensor<2>| {
            let near = x.clone().slice([0..6, 0..2]);
            let far = near.clone() + x.slice([0..6, 2..4]).abs() + 0.5;
            Tensor::cat(vec![near, far], 1)
        };
        let wanted = corners(Tensor::from_inner(input([6, 4], 2, device)));
        losses::giou(&corners(x), &wanted)
    });
    both("cross-entropy of boxes", [7, 5], |x, device| {
        let tracked = device.burn().clone().autodiff();
        let labels = TensorData::new(vec![0_i32, 4, 2, 2, 1, 3, 0], [7]);
        losses::cross_entropy(x, Tensor::<1, Int>::from_data(labels, &tracked))
    });
}

#[test]
fn features_of_boxes() {
    let boxes: Vec<(usize, Corners)> = vec![
        (0, [3.0, 2.0, 40.0, 33.5]),
        (1, [0.0, 0.0, 12.25, 60.0]),
        (1, [50.0, 50.0, 63.0, 64.0]),
    ];
    both("RoIAlign", [2, 3, 16, 16], |x, _| {
        RoiAlign::new().align(x, &boxes, 0.25)
    });
}

#[test]
fn dropout_drops_its_share_and_keeps_the_mean() {
    use swath::burn::nn::DropoutConfig;

    let device = device();
    let tracked = device.burn().clone().autodiff();
    let ones = Tensor::<2>::ones([100, 100], &tracked);
    let dropped = read(DropoutConfig::new(0.25).init().forward(ones).inner());
    assert_eq!(dropped.len(), 10_000);
    if has_numbers() {
        let zeros = dropped.iter().filter(|value| **value == 0.0).count();
        assert!((2_200..2_800).contains(&zeros), "{zeros} of 10000");
        let kept = dropped.iter().find(|value| **value != 0.0).unwrap();
        assert!((kept - 1.0 / 0.75).abs() < 1e-5, "{kept}");
    }
}

#[test]
fn random_draws_are_the_same_for_the_same_seed() {
    use swath::burn::tensor::Distribution;

    let device = device();
    let draw = |seed| {
        device.burn().seed(seed);
        let normal = Distribution::Normal(0.0, 1.0);
        read(Tensor::<1>::random([1_000], normal, device.burn()))
    };
    let (first, again, other) = (draw(3), draw(3), draw(4));
    assert_eq!(first, again);
    if has_numbers() {
        assert_ne!(first, other);
        let mean = first.iter().sum::<f32>() / 1_000.0;
        assert!(mean.abs() < 0.15, "{mean}");
    }
}

#[test]
fn sums_means_products_and_places_of_the_largest() {
    let shape = [3, 40, 33];
    let on = |device: &Device| {
        let x: Tensor<3> = input(shape, 3, device);
        let product = x.clone().matmul(input([3, 33, 20], 4, device));
        let places = x.clone().argmax(2).float();
        (
            read(x.clone().sum_dim(1)),
            read(x.mean_dim(2)),
            read(product),
            read(places),
        )
    };
    let (cpu, tested) = (on(&Device::cpu()), on(&device()));
    same("sums", &cpu.0, &tested.0, CLOSE);
    same("means", &cpu.1, &tested.1, CLOSE);
    same("a product", &cpu.2, &tested.2, CLOSE);
    same("places", &cpu.3, &tested.3, 0.0);
}

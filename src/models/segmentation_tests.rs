//! What all segmentation networks must do, whatever their shape.

use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Distribution, Tensor, Tolerance};

use super::{Architecture, DeepLabV3, DeepLabV3Plus, Fpn, Unet, conv};
use crate::device::Device;

fn all() -> Vec<Architecture> {
    vec![
        Unet::efficientnet_lite0().pretrained(false).into(),
        Unet::resnet50().into(),
        Fpn::efficientnet_lite0().pretrained(false).into(),
        Fpn::resnet18().into(),
        DeepLabV3::resnet18().into(),
        DeepLabV3Plus::resnet18().into(),
    ]
}

fn random(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device.burn())
}

#[test]
fn every_network_scores_every_pixel_of_images_of_any_size_and_bands() {
    let device = Device::cpu();
    for architecture in all() {
        let network = architecture.build(5, 3, &device).unwrap().inference();
        for [height, width] in [[64, 96], [45, 71]] {
            let scores = network.forward(random([1, 5, height, width], &device));
            assert_eq!(
                scores.dims(),
                [1, 3, height, width],
                "{}",
                architecture.name()
            );
        }
    }
}

#[test]
fn every_parameter_of_every_network_learns() {
    let device = Device::cpu();
    for architecture in all() {
        let network = architecture.build(2, 3, &device).unwrap().training();
        let before = network.named_tensors();
        let images = random([2, 2, 64, 64], &device);
        let scores = network.forward(Tensor::from_inner(images));
        let gradients = network.gradients((scores.clone() * scores).mean().backward());
        let mut sgd = burn::optim::SgdConfig::new().init();
        let after = network
            .step(&mut sgd, 0.1.into(), gradients)
            .named_tensors();
        let same: Vec<&String> = before
            .keys()
            .filter(|name| before[*name] == after[*name])
            .collect();
        assert!(same.is_empty(), "{}: {same:?}", architecture.name());
    }
}

#[test]
fn encoders_have_prefixes_that_hold_their_parameters() {
    for architecture in all() {
        let network = architecture.build(3, 2, &Device::cpu()).unwrap();
        let [prefix] = network.encoder_prefixes()[..] else {
            panic!("{}", architecture.name());
        };
        let tensors = network.named_tensors();
        let inside = |name: &&String| name.starts_with(&format!("{prefix}."));
        assert!(tensors.keys().filter(inside).count() >= 100);
        assert!(tensors.keys().any(|name| !inside(&name)));
    }
}

#[test]
fn an_architecture_comes_back_from_json_as_it_was() {
    /// A network with everything that all of them can choose.
    macro_rules! chosen {
        ($($network:expr),+) => {
            [$($network.pretrained(false).freeze_encoder(true).encoder_lr_scale(0.25).into()),+]
        };
    }
    let networks: [Architecture; 6] = chosen![
        Unet::efficientnet_lite0(),
        Unet::resnet50().decoder_widths([8; 5]),
        Fpn::efficientnet_lite0().pyramid_channels(64),
        Fpn::resnet18(),
        DeepLabV3::resnet18().dropout(0.1),
        DeepLabV3Plus::resnet18()
    ];
    for architecture in networks {
        let json = serde_json::to_string(&architecture).unwrap();
        let back: Architecture = serde_json::from_str(&json).unwrap();
        assert_eq!(format!("{back:?}"), format!("{architecture:?}"));
    }
}

#[test]
fn impossible_sizes_are_errors_that_say_what_is_possible() {
    let device = Device::cpu();
    let message = |architecture: Architecture, bands, classes| match architecture
        .build(bands, classes, &device)
    {
        Ok(_) => panic!("{} was built", architecture.name()),
        Err(error) => error.to_string(),
    };
    assert!(message(DeepLabV3::resnet50().into(), 0, 2).contains("1 to 4096"));
    assert!(message(Fpn::resnet50().into(), 3, 1).contains("2 to 255"));
    assert!(message(DeepLabV3Plus::resnet18().dropout(1.0).into(), 3, 2).contains("dropout of 1"));
}

#[test]
fn bilinear_enlargement_by_matrices_is_that_of_burn() {
    let device = Device::cpu();
    for (from, to) in [
        ([3, 4], [12, 16]),
        ([5, 7], [9, 20]),
        ([8, 8], [3, 5]),
        ([1, 3], [4, 6]),
    ] {
        let x = random([2, 3, from[0], from[1]], &device);
        let options = InterpolateOptions::new(InterpolateMode::Bilinear)
            .with_align_corners(false)
            .with_output_size(to);
        let expected = burn::tensor::module::interpolate(x.clone(), options).into_data();
        conv::bilinear_products(x, to)
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-5, 1e-5));
    }
}

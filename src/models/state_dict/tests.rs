//! State dicts of other libraries, by their names.

use burn::module::Module;
use burn::tensor::TensorData;

use super::*;
use crate::device::Device;
use crate::models::{
    DeepLabV3, NamedTensors, ResNetConfig, ResNetKind, Segmentation, Unet, tensors,
};
use crate::{Error, Hint};

fn constant(shape: &[usize], value: f32) -> TensorData {
    TensorData::new(vec![value; shape.iter().product()], shape.to_vec())
}

/// A ResNet's tensors as torchvision and timm (which TorchGeo's ResNets come from) name them, with a head.
fn resnet(kind: ResNetKind, bands: usize) -> NamedTensors {
    let device = burn::tensor::Device::flex();
    let mut tensors = tensors::collect(&ResNetConfig::new(kind, bands).init(&device).valid());
    for data in tensors.values_mut() {
        *data = constant(data.shape().as_slice(), 0.5);
    }
    tensors.insert("fc.weight".to_owned(), constant(&[1000, 512], 0.5));
    tensors.insert("fc.bias".to_owned(), constant(&[1000], 0.5));
    tensors
}

fn first(data: &TensorData) -> f32 {
    data.as_slice::<f32>().unwrap()[0]
}

#[test]
fn a_resnet_becomes_the_encoder_and_its_head_is_reported_as_unused() {
    let mut network = Unet::resnet18().build(3, 2, &Device::cpu()).unwrap();
    let before = network.named_tensors();
    let file = resnet(ResNetKind::Resnet18, 3);
    let report = load_state_dict::<Segmentation>(network.as_mut(), "U-Net", &file).unwrap();
    assert_eq!(report.applied.len(), file.len() - 2);
    assert_eq!(report.unused, ["fc.bias", "fc.weight"]);
    assert!(
        report
            .missing
            .iter()
            .all(|name| name.starts_with("decoder.") || name.starts_with("head."))
    );
    assert!(report.other_shape.is_empty() && report.adapted.is_none());
    let after = network.named_tensors();
    assert_eq!(first(&after["encoder.layer4.1.conv2.weight"]), 0.5);
    assert_eq!(after["head.weight"], before["head.weight"]);
    let text = report.output().text;
    assert!(
        text.contains("unused, in the file only: 2 fc.bias"),
        "{text}"
    );
}

#[test]
fn the_first_convolution_fits_any_number_of_bands() {
    let mut network = DeepLabV3::resnet18().build(6, 2, &Device::cpu()).unwrap();
    let file = resnet(ResNetKind::Resnet18, 3);
    let report = load_state_dict::<Segmentation>(network.as_mut(), "DeepLabV3", &file).unwrap();
    assert_eq!(
        report.adapted,
        Some(("backbone.conv1.weight".to_owned(), [3, 6]))
    );
    // Twice as many bands: half the weight each.
    assert_eq!(
        first(&network.named_tensors()["backbone.conv1.weight"]),
        0.25
    );
}

#[test]
fn weights_of_another_network_name_the_layers_that_do_not_fit_and_change_nothing() {
    let mut network = Unet::resnet18().build(3, 2, &Device::cpu()).unwrap();
    let before = network.named_tensors();
    let file = resnet(ResNetKind::Resnet50, 3);
    let error =
        load_state_dict::<Segmentation>(network.as_mut(), "U-Net ResNet-18", &file).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("U-Net ResNet-18") && text.contains("encoder.layer1.0.conv1.weight should have the shape [64, 64, 3, 3] and has [64, 64, 1, 1]"),
        "{text}"
    );
    assert!(matches!(error, Error::Model(_)) && error.hint().is_some());
    assert_eq!(network.named_tensors(), before);
}

#[test]
fn a_whole_network_comes_back_under_pytorchs_names() {
    let networks: [crate::models::Architecture; 2] =
        [Unet::resnet18().into(), DeepLabV3::resnet18().into()];
    for architecture in networks {
        let source = architecture.build(4, 3, &Device::cpu()).unwrap();
        let mut file = pytorch_names(&source.named_tensors());
        file.insert("aux_classifier.0.weight".to_owned(), constant(&[1], 0.0));
        let mut network = architecture.build(4, 3, &Device::cpu()).unwrap();
        let report = load_state_dict::<Segmentation>(network.as_mut(), "it", &file).unwrap();
        assert_eq!(report.unused, ["aux_classifier.0.weight"]);
        assert!(report.missing.is_empty());
        assert_eq!(network.named_tensors(), source.named_tensors());
    }
}

#[test]
fn a_last_layer_for_other_classes_keeps_its_random_weights() {
    let source = DeepLabV3::resnet18().build(3, 21, &Device::cpu()).unwrap();
    let file = pytorch_names(&source.named_tensors());
    let mut network = DeepLabV3::resnet18().build(3, 2, &Device::cpu()).unwrap();
    let report = load_state_dict::<Segmentation>(network.as_mut(), "it", &file).unwrap();
    let names: Vec<&str> = report
        .other_shape
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    assert_eq!(names, ["classifier.4.bias", "classifier.4.weight"]);
    assert_eq!(report.other_shape[0].found, [21]);
}

#[test]
fn names_of_a_unet_of_segmentation_models_and_of_old_pyramids_are_understood() {
    let found = |theirs: &str, prefixes: &[&str]| candidates(theirs, prefixes);
    assert!(
        found("decoder.blocks.2.conv1.1.running_var", &["encoder"])
            .contains(&"decoder.2.bn1.running_var".to_owned())
    );
    assert!(found("segmentation_head.0.bias", &["encoder"]).contains(&"head.bias".to_owned()));
    assert!(
        found("backbone.fpn.inner_blocks.3.weight", &["backbone.body"])
            .contains(&"backbone.fpn.inner_blocks.3.0.weight".to_owned())
    );
    assert!(
        found("_blocks.0._depthwise_conv.weight", &["encoder"])
            .contains(&"encoder.blocks.0.depthwise_conv.weight".to_owned())
    );
}

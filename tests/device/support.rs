//! The device that is tested, inputs, and the comparison with the CPU.

use std::sync::OnceLock;

use swath::burn::tensor::{Tensor, TensorData};
use swath::prelude::*;

/// Of the largest value: what the order of sums leaves.
pub(crate) const CLOSE: f32 = 2e-4;

/// The device of the suite. Fails where the one that is asked for is not there.
pub(crate) fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE
        .get_or_init(|| {
            let device = Device::for_run().expect("SWATH_DEVICE names a device that is there");
            assert!(
                device.is_gpu(),
                "the device suite wants SWATH_DEVICE=vulkan or cuda, found {}",
                device.explain()
            );
            eprintln!("on {}", device.explain());
            device
        })
        .clone()
}

/// Whether kernels run: a stand-in for a driver only counts them.
pub(crate) fn has_numbers() -> bool {
    std::env::var("SWATH_NUMBERS").as_deref() != Ok("0")
}

/// Values from -1 to 1 that look random and are the same everywhere.
pub(crate) fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// An input on a device.
pub(crate) fn input<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    Tensor::from_data(TensorData::new(values(count, seed), shape), device.burn())
}

pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .into_data()
        .convert::<f32>()
        .try_to_vec()
        .expect("f32 after its conversion")
}

/// Two results that must be the same up to `share` of the largest value of the first.
pub(crate) fn same(what: &str, on_cpu: &[f32], on_device: &[f32], share: f32) {
    assert_eq!(on_cpu.len(), on_device.len(), "{what}: lengths");
    if !has_numbers() {
        return;
    }
    let largest = on_cpu
        .iter()
        .fold(0.0_f32, |largest, value| largest.max(value.abs()));
    assert!(largest > 0.0, "{what}: nothing but zeros tells nothing");
    let apart = on_cpu
        .iter()
        .zip(on_device)
        .map(|(a, b)| (a - b).abs())
        // A NaN is apart from everything.
        .fold(
            0.0_f32,
            |apart, next| if next <= apart { apart } else { next },
        );
    assert!(
        apart <= share * largest,
        "{what}: {apart} apart where the largest value is {largest}"
    );
}

/// Runs an operation on both devices and compares the output and the gradient of its first input: of the sum of the output
/// times fixed weights, so that no gradient is a constant.
pub(crate) fn both<const D: usize, const E: usize>(
    what: &str,
    shape: [usize; D],
    operation: impl Fn(Tensor<D>, &Device) -> Tensor<E>,
) {
    let on = |device: &Device| {
        let x = Tensor::<D>::from_inner(input(shape, 7, device)).require_grad();
        let output = operation(x.clone(), device);
        let weights = input(output.dims(), 11, device);
        let loss = (output.clone() * Tensor::from_inner(weights)).sum();
        let gradients = loss.backward();
        let gradient = x.grad(&gradients).expect("the input has a gradient");
        (read(output.inner()), read(gradient))
    };
    let (cpu, tested) = (on(&Device::cpu()), on(&device()));
    same(&format!("{what}, forward"), &cpu.0, &tested.0, CLOSE);
    same(&format!("{what}, gradient"), &cpu.1, &tested.1, CLOSE);
}

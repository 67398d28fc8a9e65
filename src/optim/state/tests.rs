use super::*;
use crate::optim::oracle_tests::{Number, oracle};

#[derive(Module, Debug)]
struct Parameters {
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

/// The numbers of `tests/python/make_training.py`.
fn wave(count: usize, phase: f32) -> Vec<f32> {
    (0..count)
        .map(|index| (1.7 * f64::from(index as u32) + f64::from(phase)).sin() as f32)
        .collect()
}

fn parameters() -> Parameters {
    let device = burn::tensor::Device::flex().autodiff();
    let weight = TensorData::new(wave(6, 0.0), [2, 3]);
    let bias = TensorData::new(wave(3, 1.0), [3]);
    Parameters {
        weight: Param::from_tensor(Tensor::from_data(weight, &device)),
        bias: Param::from_tensor(Tensor::from_data(bias, &device)),
    }
}

fn numbers(parameters: &Parameters) -> Vec<f32> {
    let read = |data: TensorData| data.try_to_vec::<f32>().unwrap_or_default();
    let mut values = read(parameters.weight.val().into_data());
    values.extend(read(parameters.bias.val().into_data()));
    values
}

/// The two batches of step `step`.
fn batches(parameters: &Parameters, step: usize) -> [Gradients; 2] {
    let (weight, bias) = (parameters.weight.val(), parameters.bias.val());
    let device = weight.device();
    let factors = TensorData::new(wave(6, step as f32), [2, 3]);
    let shifts = TensorData::new(wave(3, step as f32), [3]);
    let first =
        (weight.clone() * Tensor::from_data(factors, &device)).sum() + bias.clone().square().sum();
    let second = weight.square().mul_scalar(step as f32 + 1.0).sum()
        + (bias * Tensor::from_data(shifts, &device)).sum();
    [first.backward(), second.backward()]
}

#[track_caller]
fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (found_value, expected_value) in found.iter().zip(expected) {
        assert!(
            (found_value - expected_value).abs() < 3e-6,
            "{what}: expected {expected:?}, found {found:?}"
        );
    }
}

fn take(descent: &mut OptimizerState, module: Parameters, step: usize, rate: f64) -> Parameters {
    for gradients in batches(&module, step) {
        descent.gather(&module, gradients);
    }
    let (module, taken) = descent.step(module, &Rates::even(rate));
    assert_eq!(taken, Step::Taken);
    module
}

#[test]
fn six_clipped_steps_of_two_batches_agree_with_torch_for_adamw_and_sgd() {
    let cases = oracle("optimizers");
    for case in &cases {
        let nesterov = case["nesterov"].as_bool().unwrap_or_default();
        let optimizer = match case["name"].as_str() {
            Some("adamw") => Optimizer::adamw(),
            _ if nesterov => Optimizer::sgd(case["momentum"].number()).nesterov(),
            _ => Optimizer::sgd(case["momentum"].number()),
        };
        let clip = Some(case["clip"].number());
        let mut descent = OptimizerState::new(optimizer, case["decay"].number(), clip);
        let mut module = parameters();
        let rates = case["rates"].numbers();
        for (step, rate) in rates.iter().enumerate() {
            module = take(&mut descent, module, step, *rate);
            let what = format!("{optimizer:?} after step {step}");
            close(&numbers(&module), &case["steps"][step].floats(), &what);
        }
        assert_eq!(descent.steps(), 6);
    }
    assert_eq!(cases.len(), 5);
}

#[test]
fn the_host_and_the_tensor_form_agree() {
    let device = burn::tensor::Device::flex();
    for optimizer in [
        Optimizer::adamw(),
        Optimizer::sgd(0.0),
        Optimizer::sgd(0.9),
        Optimizer::sgd(0.9).nesterov(),
    ] {
        let start = || Tensor::<2>::from_floats([[1.0, -2.0, 3.0]], &device);
        let gradient = Tensor::<1>::from_floats([0.3, -4.0, 2.5], &device);
        let (mut host, mut tensors) = (start(), start());
        let (mut host_moments, mut tensor_moments) = (None, None);
        for steps in 1..4 {
            let update = Update {
                optimizer,
                rate: 0.01,
                decay: 0.1,
                steps,
            };
            let (value, moments) =
                update.on_host(host, &gradient.to_data(), host_moments.take(), 1.0);
            (host, host_moments) = (value, Some(moments));
            let (value, moments) =
                update.on_device(tensors, gradient.clone(), tensor_moments.take());
            (tensors, tensor_moments) = (value, Some(moments));
        }
        let read = |tensor: Tensor<2>| tensor.into_data().try_to_vec::<f32>().unwrap_or_default();
        close(&read(host), &read(tensors), &format!("{optimizer:?}"));
    }
}

#[test]
fn a_share_of_zero_leaves_a_part_alone_whatever_the_optimizer() {
    for optimizer in [Optimizer::adamw(), Optimizer::sgd(0.9)] {
        let module = parameters();
        let before = numbers(&module);
        let rates = Rates {
            base: 0.01,
            shares: vec![("weight".to_owned(), 0.0)],
        };
        let mut descent = OptimizerState::new(optimizer, 0.1, None);
        for gradients in batches(&module, 0) {
            descent.gather(&module, gradients);
        }
        let (module, _) = descent.step(module, &rates);
        let after = numbers(&module);
        assert_eq!(after[..6], before[..6], "{optimizer:?}");
        assert!(after[6..] != before[6..], "{optimizer:?}");
    }
}

#[test]
fn a_prefix_is_a_whole_name() {
    let rates = Rates {
        base: 0.01,
        shares: vec![("wei".to_owned(), 0.0), ("weight".to_owned(), 0.5)],
    };
    assert_eq!(rates.of("weight"), 0.005);
    assert_eq!(rates.of("weights.0"), 0.01);
}

#[test]
fn a_gradient_that_is_not_finite_moves_nothing_and_is_forgotten() {
    let module = parameters();
    let before = numbers(&module);
    let mut descent = OptimizerState::new(Optimizer::adamw(), 0.1, Some(1.0));
    descent.gather(
        &module,
        (module.weight.val() * f32::INFINITY).sum().backward(),
    );
    let (module, step) = descent.step(module, &Rates::even(0.01));
    assert_eq!(step, Step::NotFinite);
    assert_eq!(numbers(&module), before);
    let module = take(&mut descent, module, 0, 0.01);
    assert!(numbers(&module).iter().all(|value| value.is_finite()));
}

#[test]
fn a_resumed_descent_goes_on_as_if_never_stopped() {
    for optimizer in [
        Optimizer::adamw(),
        Optimizer::sgd(0.0),
        Optimizer::sgd(0.9),
        Optimizer::sgd(0.9).nesterov(),
    ] {
        let fresh = || OptimizerState::new(optimizer, 0.1, Some(2.0));
        let mut descent = fresh();
        let mut module = parameters();
        for step in 0..2 {
            module = take(&mut descent, module, step, 0.02);
        }
        let mut resumed = fresh().resume(descent.steps(), descent.to_records());
        let on = |descent: &mut OptimizerState| numbers(&take(descent, module.clone(), 2, 0.02));
        assert_eq!(on(&mut descent), on(&mut resumed), "{optimizer:?}");
    }
}

/// Parameters of `dtype`, the same values otherwise.
fn parameters_of(dtype: DType) -> Parameters {
    let device = burn::tensor::Device::flex().autodiff();
    let weight = TensorData::new(wave(6, 0.0), [2, 3]);
    let bias = TensorData::new(wave(3, 1.0), [3]);
    Parameters {
        weight: Param::from_tensor(Tensor::from_data(weight, (&device, dtype))),
        bias: Param::from_tensor(Tensor::from_data(bias, (&device, dtype))),
    }
}

#[test]
fn parameters_of_other_floats_are_moved_as_well_and_stay_what_they_are() {
    for optimizer in [Optimizer::adamw(), Optimizer::sgd(0.9).nesterov()] {
        let taken = |dtype| {
            let mut descent = OptimizerState::new(optimizer, 0.01, Some(1.0));
            let mut module = parameters_of(dtype);
            for step in 0..3 {
                for gradients in gradients_of(&module, step) {
                    descent.gather(&module, gradients);
                }
                let (moved, taken) = descent.step(module, &Rates::even(0.1));
                assert_eq!(taken, Step::Taken);
                module = moved;
            }
            assert_eq!(module.weight.val().dtype(), dtype);
            let weight = module.weight.val().into_data().convert::<f32>();
            weight.try_to_vec::<f32>().unwrap_or_default()
        };
        close(&taken(DType::F64), &taken(DType::F32), "f64");
    }
}

/// Gradients of two batches, in the module's own kind of floats.
fn gradients_of(module: &Parameters, step: usize) -> [Gradients; 2] {
    let (weight, bias) = (module.weight.val(), module.bias.val());
    let first = (weight.clone() * weight.clone()).sum() + bias.clone().square().sum();
    let second = weight.square().mul_scalar(step as f32 + 1.0).sum() + (bias.clone() * bias).sum();
    [first.backward(), second.backward()]
}

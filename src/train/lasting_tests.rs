//! What a run must keep: the same numbers from the same seed, its state through `kill -9` and lack of memory, and every
//! setting that changes them.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Tensor;

use super::checkpoint::Checkpoint;
use super::tests::{fit, model, parts, quiet, refused, squares, tensors};
use super::{FitOptions, Loss, Optimizer, Run, Schedule, Segmenter, StopReason, TrainError};
use crate::chips::Chips;
use crate::device::Device;
use crate::models::{Architecture, Conv2d, Conv2dConfig, NamedTensors, Network, Precision, Unet};
use crate::scene::{Scene, Split};
use crate::{Hint, Result};

fn run(options: FitOptions) -> Result<Run> {
    let (chips, valid) = parts()?;
    fit(&model(), &chips, &valid, &quiet(options), &|| false)
}

fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir()
        .map_err(|source| TrainError::File(crate::FileError::new("checkpoints", source)).into())
}

/// Three epochs of two steps with everything that has a state: momentum, plateau, average, two batches a step.
fn stateful() -> FitOptions {
    FitOptions::epochs(3)
        .accumulate(2)
        .optimizer(Optimizer::sgd(0.9).nesterov())
        .schedule(Schedule::plateau(0.5, 0).warm_up(0.2))
        .loss(Loss::LovaszSum)
        .class_weights([1.0, 3.0])
        .ema(0.9)
}

#[test]
fn the_same_seed_gives_the_same_weights_whatever_the_number_of_threads() -> Result<()> {
    let of = |options: FitOptions, threads: usize, workers: usize| -> Result<[NamedTensors; 2]> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let run = match pool {
            Ok(pool) => pool.install(|| run(options.workers(workers)))?,
            Err(error) => panic!("no threads: {error}"),
        };
        Ok([tensors(run.best()), tensors(run.last())])
    };
    for options in [stateful(), FitOptions::epochs(2)] {
        let first = of(options.clone(), 1, 1)?;
        assert!(first == of(options.clone(), 1, 1)?, "once more");
        assert!(
            first == of(options.clone(), 1, 2)?,
            "two threads read chips"
        );
        assert!(first == of(options.clone(), 2, 2)?, "two threads compute");
    }
    Ok(())
}

/// Burn has one generator for all that a process does on a device.
#[test]
fn trainings_side_by_side_are_those_that_run_alone() -> Result<()> {
    let of = |seed: u64| -> Result<NamedTensors> {
        let (chips, valid) = parts()?;
        let model = Segmenter::new(Unet::resnet18(), valid.classes()).device(Device::cpu());
        let options = quiet(FitOptions::epochs(1).seed(seed));
        Ok(tensors(
            fit(&model, &chips, &valid, &options, &|| false)?.last(),
        ))
    };
    let alone = (0..4).map(of).collect::<Result<Vec<_>>>()?;
    assert!(alone[0] != alone[1]);
    for _ in 0..3 {
        let together = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|seed| scope.spawn(move || of(seed))).collect();
            let joined = runs.into_iter().map(|run| run.join().expect("no panic"));
            joined.collect::<Result<Vec<_>>>()
        })?;
        assert!(alone == together);
    }
    Ok(())
}

#[test]
fn a_training_draws_what_it_draws_alone_while_models_are_loaded() -> Result<()> {
    let run = || -> Result<NamedTensors> {
        let (chips, valid) = parts()?;
        let model = Segmenter::new(Unet::resnet18(), valid.classes()).device(Device::cpu());
        let options = quiet(FitOptions::epochs(1).seed(5));
        Ok(tensors(
            fit(&model, &chips, &valid, &options, &|| false)?.last(),
        ))
    };
    let folder = folder()?;
    let path = folder.path().join("model.swath");
    let (chips, valid) = parts()?;
    let model = Segmenter::new(Unet::resnet18(), valid.classes()).device(Device::cpu());
    let trained = fit(
        &model,
        &chips,
        &valid,
        &quiet(FitOptions::epochs(1)),
        &|| false,
    )?;
    trained.last().save(&path)?;
    let expected = run()?;
    let done = std::sync::atomic::AtomicBool::new(false);
    let (found, loaded) = std::thread::scope(|scope| {
        let load = || -> Result<usize> {
            let mut loaded = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                Segmenter::load(&path)?;
                loaded += 1;
            }
            Ok(loaded)
        };
        let loading = scope.spawn(load);
        let found = (0..3).map(|_| run()).collect::<Result<Vec<_>>>();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        (found, loading.join().expect("no panic"))
    });
    assert!(loaded? > 3, "models were loaded in between");
    assert!(found?.iter().all(|found| *found == expected));
    Ok(())
}

#[test]
fn every_optimizer_and_schedule_resumes_as_if_never_stopped() -> Result<()> {
    let (chips, valid) = parts()?;
    for options in [
        stateful(),
        stateful()
            .optimizer(Optimizer::AdamW)
            .schedule(Schedule::poly(0.9)),
        FitOptions::epochs(2)
            .optimizer(Optimizer::sgd(0.0))
            .schedule(Schedule::cosine()),
    ] {
        let options = quiet(options);
        let whole = fit(&model(), &chips, &valid, &options, &|| false)?;
        // Stops are asked before each batch and each validation batch: once within a step, once later.
        for asked in [3, 8] {
            let folder = folder()?;
            let count = Cell::new(0);
            let stop = || {
                count.set(count.get() + 1);
                count.get() > asked
            };
            let part = options.clone().checkpoints(folder.path());
            let part = fit(&model(), &chips, &valid, &part, &stop)?;
            assert_eq!(part.stopped(), StopReason::Interrupted);
            let rest = options.clone().resume(folder.path());
            let rest = fit(&model(), &chips, &valid, &rest, &|| false)?;
            assert_eq!(rest.history().step_losses, whole.history().step_losses);
            assert!(tensors(rest.last()) == tensors(whole.last()), "{options:?}");
            assert!(tensors(rest.best()) == tensors(whole.best()), "{options:?}");
        }
    }
    Ok(())
}

const KILLED: &str = "SWATH_TEST_TRAINS_UNTIL_KILLED_IN";

/// Not a test of its own: the child of the next one. It trains until its parent kills it, and never returns by itself
/// before that.
#[test]
fn trains_until_killed() -> Result<()> {
    let Some(folder) = std::env::var_os(KILLED) else {
        return Ok(());
    };
    let (chips, valid) = parts()?;
    let options = quiet(stateful()).checkpoints(&folder);
    let count = Cell::new(0);
    let stop = || {
        count.set(count.get() + 1);
        // In the second epoch, after the first checkpoint: four batches, then four or more of the validation.
        if Checkpoint::exists(Path::new(&folder)) {
            std::thread::sleep(Duration::from_millis(200));
            // The parent waits for this file; a failure to write shows there.
            let _ = std::fs::write(Path::new(&folder).join("under-way"), "");
        }
        false
    };
    let run = fit(&model(), &chips, &valid, &options, &stop)?;
    panic!("not killed in time: {}", run.summary());
}

#[test]
fn a_run_killed_by_sigkill_resumes_to_the_weights_of_one_never_killed() -> Result<()> {
    let folder = folder()?;
    let exe = std::env::current_exe().unwrap_or_default();
    let child = Command::new(exe)
        .args(["--exact", "train::lasting_tests::trains_until_killed"])
        .env(KILLED, folder.path())
        .env("TMPDIR", folder.path())
        .spawn();
    let Ok(mut child) = child else {
        panic!("the test cannot start itself")
    };
    let start = Instant::now();
    while !folder.path().join("under-way").exists() {
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint");
        std::thread::sleep(Duration::from_millis(5));
    }
    // On Unix this is SIGKILL: the child can do nothing about it.
    assert!(child.kill().is_ok());
    let ended = child.wait().ok();
    assert_eq!(
        ended.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status)),
        Some(9)
    );
    let (chips, valid) = parts()?;
    let options = quiet(stateful());
    let resumed = options.clone().resume(folder.path());
    let resumed = fit(&model(), &chips, &valid, &resumed, &|| false)?;
    let whole = fit(&model(), &chips, &valid, &options, &|| false)?;
    assert_eq!(resumed.history().step_losses, whole.history().step_losses);
    assert!(tensors(resumed.last()) == tensors(whole.last()));
    assert!(tensors(resumed.best()) == tensors(whole.best()));
    Ok(())
}

#[test]
fn averaged_weights_are_the_ones_validated_and_kept() -> Result<()> {
    let folder = folder()?;
    let averaged = run(FitOptions::epochs(2).ema(0.5).checkpoints(folder.path()))?;
    let plain = run(FitOptions::epochs(2))?;
    assert!(averaged.history().averaged && !plain.history().averaged);
    assert_eq!(averaged.history().step_losses, plain.history().step_losses);
    assert!(tensors(averaged.last()) != tensors(plain.last()));
    assert!(
        averaged.summary().contains("mean IoU (EMA)"),
        "{}",
        averaged.summary()
    );
    let (chips, valid) = parts()?;
    // The checkpoint holds both: the network's own weights and their average.
    let go_on = quiet(FitOptions::epochs(2).ema(0.5)).resume(folder.path());
    let again = fit(&model(), &chips, &valid, &go_on, &|| false)?;
    assert!(tensors(again.last()) == tensors(averaged.last()));
    Ok(())
}

#[test]
fn frozen_and_slowed_encoders_stay_so_with_every_optimizer() -> Result<()> {
    let weight = |tensors: &NamedTensors| -> Vec<f32> {
        tensors
            .get("encoder.weight")
            .and_then(|data| data.as_slice::<f32>().ok())
            .unwrap_or_default()
            .to_vec()
    };
    for optimizer in [
        Optimizer::AdamW,
        Optimizer::sgd(0.0),
        Optimizer::sgd(0.9).nesterov(),
    ] {
        let fresh = || {
            FitOptions::steps(4)
                .optimizer(optimizer)
                .weight_decay(0.1)
                .ema(0.5)
        };
        // A rate of almost nothing leaves the first weights.
        let first = weight(&tensors(run_at(fresh(), 1e-30)?.last()));
        let moved = |options: FitOptions| -> Result<f32> {
            let after = weight(&tensors(run_at(options, 0.02)?.last()));
            assert_eq!((first.len(), after.len()), (576, 576));
            Ok(first
                .iter()
                .zip(&after)
                .map(|(first, after)| (first - after).abs())
                .sum())
        };
        let frozen = moved(fresh().freeze_encoder(true))?;
        let slow = moved(fresh().encoder_lr_scale(0.1))?;
        let full = moved(fresh())?;
        assert!(frozen < 1e-4, "{optimizer:?}: {frozen}");
        assert!(
            slow > 0.0 && slow < 0.5 * full,
            "{optimizer:?}: {slow} {full}"
        );
    }
    Ok(())
}

fn run_at(options: FitOptions, rate: f64) -> Result<Run> {
    let (chips, valid) = parts()?;
    fit(
        &model(),
        &chips,
        &valid,
        &options.lr(rate).quiet(true),
        &|| false,
    )
}

/// One convolution, which panics as cubecl does when memory is short, at its `last`th forward.
#[derive(Module, Debug)]
struct Hungry {
    only: Conv2d,
    #[module(skip)]
    forwards: Arc<AtomicUsize>,
    #[module(skip)]
    last: usize,
}

impl Network for Hungry {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let count = self.forwards.fetch_add(1, Ordering::Relaxed) + 1;
        assert!(
            count != self.last,
            "Error while reading: out of device memory allocating 4294967296 bytes"
        );
        self.only.forward(images)
    }
}

fn hungry(last: usize) -> Segmenter {
    let forwards = Arc::new(AtomicUsize::new(0));
    let architecture = Architecture::custom("hungry", move |bands, classes, device| {
        let mut only = Conv2dConfig::new([bands, classes], 1).init(device);
        only.weight = burn::module::Param::from_tensor(
            Tensor::<1, burn::tensor::Int>::arange(0..(bands * classes) as i64, device)
                .float()
                .mul_scalar(0.1)
                .reshape([classes, bands, 1, 1]),
        );
        Hungry {
            only,
            forwards: Arc::clone(&forwards),
            last,
        }
    });
    Segmenter::new(architecture, squares().classes()).device(Device::cpu())
}

#[test]
fn lack_of_memory_at_the_first_step_is_an_error_with_the_way_out() -> Result<()> {
    let (chips, valid) = parts()?;
    let result = fit(
        &hungry(1),
        &chips,
        &valid,
        &quiet(FitOptions::epochs(2)),
        &|| false,
    );
    refused(
        result,
        "out of memory on CPU at step 1: 4 chips of 32 px and 3 bands",
        "batch(2).accumulate(2)",
    );
    let result = fit(
        &hungry(1),
        &chips,
        &valid,
        &quiet(FitOptions::epochs(2).batch(1)),
        &|| false,
    );
    refused(result, "1 chips of 32 px", "smaller chips");
    Ok(())
}

#[test]
fn lack_of_memory_later_keeps_the_state_and_smaller_batches_go_on_from_it() -> Result<()> {
    let (chips, valid) = parts()?;
    let folder = folder()?;
    let options = quiet(FitOptions::epochs(2).validation_share(0.0));
    // Four steps, one validation batch, one step more.
    let short = options.clone().checkpoints(folder.path());
    let part = fit(&hungry(7), &chips, &valid, &short, &|| false)?;
    assert_eq!(part.stopped(), StopReason::OutOfMemory { step: 6 });
    assert_eq!(part.history().step_losses.len(), 5);
    assert!(
        part.summary().contains("out of memory at step 6 of 8"),
        "{}",
        part.summary()
    );
    let rest = options.clone().batch(2).accumulate(2).resume(folder.path());
    let rest = fit(&hungry(usize::MAX), &chips, &valid, &rest, &|| false)?;
    assert_eq!(rest.stopped(), StopReason::Finished);
    let whole = fit(&hungry(usize::MAX), &chips, &valid, &options, &|| false)?;
    assert_eq!(
        rest.history().step_losses[..5],
        whole.history().step_losses[..5]
    );
    // Without batch norms, two batches of two are one of four, but for the mean of each batch's dice.
    for (rest, whole) in rest
        .history()
        .step_losses
        .iter()
        .zip(&whole.history().step_losses)
    {
        assert!((rest - whole).abs() < 0.1, "{rest} {whole}");
    }
    Ok(())
}

#[test]
fn gradients_of_several_batches_make_the_step_of_one_large_batch() -> Result<()> {
    let (chips, valid) = parts()?;
    let options = quiet(FitOptions::epochs(1).loss(Loss::CrossEntropy));
    let fit = |options: FitOptions| fit(&hungry(usize::MAX), &chips, &valid, &options, &|| false);
    let (large, parts) = (
        fit(options.clone().batch(8))?,
        fit(options.batch(2).accumulate(4))?,
    );
    assert_eq!(parts.history().step_losses.len(), 2);
    let pairs = large
        .history()
        .step_losses
        .iter()
        .zip(&parts.history().step_losses);
    for (large, parts) in pairs {
        assert!((large - parts).abs() < 1e-5, "{large} {parts}");
    }
    for (name, large) in &tensors(large.last()) {
        let parts = tensors(parts.last());
        let values = |data: Option<&burn::tensor::TensorData>| {
            data.and_then(|data| data.as_slice::<f32>().ok().map(<[f32]>::to_vec))
                .unwrap_or_default()
        };
        for (large, parts) in values(Some(large)).iter().zip(values(parts.get(name))) {
            assert!((large - parts).abs() < 1e-5, "{name}: {large} {parts}");
        }
    }
    Ok(())
}

#[test]
fn settings_that_make_no_training_are_named_with_what_would_do() {
    // Before a step is taken, and no folder is made where one is only read.
    refused(
        run(FitOptions::epochs(1).checkpoints("/proc/none")),
        "checkpoints = \"/proc/none\"",
        "",
    );
    let absent = std::env::temp_dir().join(format!("swath-absent-{}", std::process::id()));
    refused(
        run(FitOptions::epochs(1).resume(&absent)),
        "swath-absent",
        "no checkpoint in that folder",
    );
    assert!(!absent.exists());
    refused(
        run(FitOptions::epochs(1).accumulate(0)),
        "accumulate = 0: expected at least 1",
        "",
    );
    refused(
        run(FitOptions::epochs(1).ema(1.0)),
        "ema = 1: expected a share between 0 and 1",
        "",
    );
    refused(
        run(FitOptions::epochs(1).optimizer(Optimizer::sgd(1.5))),
        "sgd(1.5)",
        "",
    );
    refused(
        run(FitOptions::epochs(1).optimizer(Optimizer::sgd(0.0).nesterov())),
        "a momentum greater than 0",
        "",
    );
    refused(
        run(FitOptions::epochs(1).schedule(Schedule::poly(-1.0))),
        "poly(-1)",
        "",
    );
    refused(
        run(FitOptions::epochs(1).loss(Loss::Focal { gamma: -2.0 })),
        "gamma: -2",
        "",
    );
    refused(
        run(FitOptions::epochs(1).class_weights([0.0, 0.0])),
        "class_weights = [0.0, 0.0]",
        "",
    );
    refused(
        run(FitOptions::epochs(1).class_weights([1.0])),
        "1 class weights: expected 2",
        "background first",
    );
    refused(
        run(FitOptions::epochs(1).precision(Precision::Bf16)),
        "precision = bf16 on CPU: expected a GPU",
        "trains in f32",
    );
}

#[test]
fn a_network_that_names_no_encoder_has_none_to_freeze_or_to_slow_down() -> Result<()> {
    #[derive(Module, Debug)]
    struct Plain {
        conv: Conv2d,
    }
    impl Network for Plain {
        fn forward(&self, images: Tensor<4>) -> Tensor<4> {
            self.conv.forward(images)
        }
    }
    let plain = Architecture::custom("plain", |bands, classes, device| Plain {
        conv: Conv2dConfig::new([bands, classes], 1).init(device),
    });
    let (chips, valid) = parts()?;
    let model = Segmenter::new(plain, chips.scenes().classes()).device(Device::cpu());
    let run = |options: FitOptions| fit(&model, &chips, &valid, &quiet(options), &|| false);
    for options in [
        FitOptions::steps(1).freeze_encoder(true),
        FitOptions::steps(1).encoder_lr_scale(0.5),
    ] {
        refused(run(options), "names no parameters", "encoder_prefixes");
    }
    let trained = run(FitOptions::steps(1).freeze_encoder(false))?;
    assert_eq!(trained.stopped(), StopReason::Finished);
    Ok(())
}

#[test]
fn a_checkpoint_of_other_settings_is_refused_by_name() -> Result<()> {
    let folder = folder()?;
    let first = run(stateful().checkpoints(folder.path()))?;
    assert_eq!(first.stopped(), StopReason::Finished);
    for (options, difference) in [
        (stateful().ema(0.99), "its ema is 0.9, this run's is 0.99"),
        (stateful().optimizer(Optimizer::AdamW), "its optimizer is"),
        (stateful().encoder_lr_scale(0.1), "its encoder_share is 1.0"),
        (stateful().class_weights([1.0, 1.0]), "its class_weights is"),
    ] {
        let error = run(options.resume(folder.path())).err();
        let text = error.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(text.contains(difference), "{text}");
        assert!(error.and_then(|error| error.hint()).is_some());
    }
    Ok(())
}

#[test]
fn a_checkpoint_of_other_chips_or_scenes_is_refused_by_name() -> Result<()> {
    let folder = folder()?;
    let (chips, valid) = parts()?;
    let _first = run(FitOptions::steps(2).checkpoints(folder.path()))?;
    let rest = quiet(FitOptions::steps(2).resume(folder.path()));
    let again = |chips: &Chips, valid: &Scene| fit(&model(), chips, valid, &rest, &|| false);
    let _same = again(&chips, &valid)?;

    let (train, narrower) = squares().split(Split::columns(0.7));
    let drawn = |scene: &Scene, seed| scene.chips(Chips::random(16, 32).seed(seed));
    let part = chips.scenes().first();
    for (result, difference) in [
        (
            again(&drawn(part, 2)?, &valid),
            "its chip_options seed is 1, this run's is 2",
        ),
        (
            again(&drawn(&train, 1)?, &valid),
            "its scene area is [0,0,127,192], this run's is [0,0,134,192]",
        ),
        (
            again(&chips, &narrower),
            "its validation_scene area is [127,0,65,192], this run's is [134,0,58,192]",
        ),
    ] {
        refused(result, difference, "of the first run");
    }
    Ok(())
}

#[test]
fn a_run_that_ended_for_want_of_a_better_score_has_ended_when_it_is_resumed() -> Result<()> {
    let folder = folder()?;
    // Weights that do not move have the same score at every epoch.
    let options = FitOptions::epochs(5).lr(1e-12).patience(1);
    let first = run(options.clone().checkpoints(folder.path()))?;
    assert_eq!(first.stopped(), StopReason::NoImprovement { epochs: 1 });
    let again = run(options.resume(folder.path()))?;
    assert_eq!(again.stopped(), first.stopped());
    assert_eq!(again.history().step_losses, first.history().step_losses);
    assert!(tensors(again.last()) == tensors(first.last()));
    assert!(tensors(again.best()) == tensors(first.best()));
    Ok(())
}

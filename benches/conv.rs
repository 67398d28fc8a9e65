//! Convolutions on the CPU, and whole training steps: ours, Burn's own, and (through `peers/conv.py`) PyTorch's.
//!
//! `RAYON_NUM_THREADS=2 cargo bench -p swath --bench conv -- [ops] [steps]` prints milliseconds, the best of several: of
//! wall time, or of processor time with `RAYON_NUM_THREADS=1`, which other work on the machine disturbs less.

use burn::optim::AdamWConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor, module};
use swath::models::{Unet, conv};

/// Seconds of wall time, or of this process's processor time when there is one thread.
fn now() -> f64 {
    let single = std::env::var("RAYON_NUM_THREADS").is_ok_and(|threads| threads == "1");
    let clock = if single {
        libc::CLOCK_PROCESS_CPUTIME_ID
    } else {
        libc::CLOCK_MONOTONIC
    };
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists and the pointer is to a timespec.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn best(mut run: impl FnMut()) -> f64 {
    run();
    let started = now();
    let mut best = f64::MAX;
    for count in 0.. {
        if count >= 5 && now() - started > 0.6 || count > 200 {
            break;
        }
        let start = now();
        run();
        best = best.min((now() - start) * 1e3);
    }
    best
}

/// Name, channels in and out, size, kernel, groups, stride.
const SHAPES: [(&str, usize, usize, usize, usize, usize, usize); 14] = [
    ("64 x 64", 64, 64, 64, 3, 1, 1),
    ("64 x 128", 64, 64, 128, 3, 1, 1),
    ("128 x 32", 128, 128, 32, 3, 1, 1),
    ("256 x 16", 256, 256, 16, 3, 1, 1),
    ("512 x 8", 512, 512, 8, 3, 1, 1),
    ("96 depthwise 3x3, 64", 96, 96, 64, 3, 96, 1),
    ("144 depthwise 5x5, 32", 144, 144, 32, 5, 144, 1),
    ("480 depthwise 3x3, 16", 480, 480, 16, 3, 480, 1),
    ("24 to 144, 1x1, 64", 24, 144, 64, 1, 1, 1),
    ("672 to 112, 1x1, 16", 672, 112, 16, 1, 1, 1),
    ("64 to 128 stride 2, 64", 64, 128, 64, 3, 1, 2),
    ("3 to 32 stride 2, 256", 3, 32, 256, 3, 1, 2),
    ("32 to 16, 256", 32, 16, 256, 3, 1, 1),
    ("96 to 32, 128", 96, 32, 128, 3, 1, 1),
];

fn operations() {
    let device = Device::flex();
    let tracked = device.clone().autodiff();
    println!(
        "{:26} {:>8} {:>8} {:>8} {:>8}",
        "forward / + gradients, ms", "swath", "burn", "swath+g", "burn+g"
    );
    for (name, input, output, size, kernel, groups, stride) in SHAPES {
        let x = Tensor::<4>::random([4, input, size, size], Distribution::Default, &device);
        let w = Tensor::<4>::random(
            [output, input / groups, kernel, kernel],
            Distribution::Default,
            &device,
        );
        let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1, 1], groups);
        let plain = |own: bool| {
            best(|| {
                let (x, w, options) = (x.clone(), w.clone(), options.clone());
                if own {
                    drop(conv::conv2d(x, w, None, options));
                } else {
                    drop(module::conv2d(x, w, None, options));
                }
            })
        };
        let gradients = |own: bool| {
            best(|| {
                let x = Tensor::<4>::from_inner(x.clone()).require_grad();
                let w = Tensor::<4>::from_inner(w.clone()).require_grad();
                assert!(x.device() == tracked);
                let y = match own {
                    true => conv::conv2d(x, w, None, options.clone()),
                    false => module::conv2d(x, w, None, options.clone()),
                };
                drop(y.sum().backward());
            })
        };
        let burn = std::env::var_os("SWATH_BENCH_ONLY_OURS").is_none();
        let values = [
            plain(true),
            if burn { plain(false) } else { 0.0 },
            gradients(true),
            if burn { gradients(false) } else { 0.0 },
        ];
        println!(
            "{name:26} {:8.2} {:8.2} {:8.2} {:8.2}",
            values[0], values[1], values[2], values[3]
        );
    }
}

fn steps() {
    let device = swath::device::Device::cpu();
    for (name, architecture) in [
        (
            "U-Net EfficientNet-Lite0",
            Unet::efficientnet_lite0().pretrained(false),
        ),
        ("U-Net ResNet-18", Unet::resnet18()),
    ] {
        let mut network = architecture
            .build(3, 2, &device)
            .expect("the sizes are possible")
            .training();
        let mut optimizer = AdamWConfig::new().init();
        let images = Tensor::<4>::random(
            [4, 3, 256, 256],
            Distribution::Default,
            &device.burn().clone().autodiff(),
        );
        let labels = Tensor::<4>::random(
            [4, 2, 256, 256],
            Distribution::Default,
            &device.burn().clone().autodiff(),
        );
        let mut times = [f64::MAX; 3];
        for _ in 0..6 {
            let start = now();
            let loss = (network.forward(images.clone()) * labels.clone()).mean();
            let forward = now() - start;
            let gradients = network.gradients(loss.backward());
            let backward = now() - start;
            network = network.step(&mut optimizer, 1e-4.into(), gradients);
            let step = now() - start;
            for (best, time) in times
                .iter_mut()
                .zip([forward, backward - forward, step - backward])
            {
                *best = best.min(time);
            }
        }
        let total: f64 = times.iter().sum();
        println!(
            "{name}, 4 x 256 px: forward {:.0} ms, backward {:.0} ms, AdamW {:.0} ms; {:.2} images/s",
            times[0] * 1e3,
            times[1] * 1e3,
            times[2] * 1e3,
            4.0 / total
        );
    }
}

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wants = |name: &str| asked.is_empty() || asked.iter().any(|argument| argument == name);
    if wants("ops") {
        operations();
    }
    if wants("steps") {
        steps();
    }
}

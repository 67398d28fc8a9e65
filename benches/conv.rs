//! Convolutions on the CPU, whole training steps, and prediction: ours, Burn's own, and (through `peers/conv.py`) PyTorch's.
//!
//! `RAYON_NUM_THREADS=2 cargo bench -p swath --bench conv -- [ops] [steps] [inference]` prints milliseconds, the best of several: of
//! wall time, or of processor time with `RAYON_NUM_THREADS=1`, which other work on the machine disturbs less.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that tells what it does, and stops where that fails"
)]

use burn::optim::AdamWConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor, module};
use swath::boxes::{Annotation, BoundingBox};
use swath::models::{BoxedDetectionNetwork, BoxedNetwork, DetectOptions, RetinaNet, Unet, conv};

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

/// The fastest of some runs of each part of a training step: forward, backward, optimizer, in seconds.
struct Parts([f64; 3]);

impl Parts {
    fn new() -> Self {
        Self([f64::MAX; 3])
    }

    /// Takes in the times at the start and after each part.
    fn add(&mut self, marks: [f64; 4]) {
        for (best, part) in self.0.iter_mut().zip(marks.windows(2)) {
            *best = best.min(part[1] - part[0]);
        }
    }

    fn print(&self, name: &str, images: f64) {
        let [forward, backward, step] = self.0.map(|part| part * 1e3);
        println!(
            "{name}: forward {forward:.0} ms, backward {backward:.0} ms, AdamW {step:.0} ms; {:.2} images/s",
            images / self.0.iter().sum::<f64>()
        );
    }
}

/// The U-Nets that are measured, with two classes.
fn unets(device: &swath::device::Device) -> Vec<(&'static str, BoxedNetwork)> {
    [
        (
            "U-Net EfficientNet-Lite0, 4 x 256 px",
            Unet::efficientnet_lite0().pretrained(false),
        ),
        ("U-Net ResNet-18, 4 x 256 px", Unet::resnet18()),
    ]
    .into_iter()
    .map(|(name, architecture)| {
        let network = architecture.build(3, 2, device);
        (name, network.expect("the sizes are possible"))
    })
    .collect()
}

const RETINANET: &str = "RetinaNet ResNet-18, 2 x 512 px";

fn retinanet(device: &swath::device::Device) -> BoxedDetectionNetwork {
    let network = RetinaNet::resnet18().build(3, 2, device);
    network.expect("the sizes are possible")
}

fn random(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(shape, Distribution::Default, device)
}

/// Twenty objects of 20 to 115 px an image.
fn objects() -> Vec<Vec<Annotation>> {
    let object = |index: usize| {
        let (x, y) = ((index * 83 % 390) as f64, (index * 47 % 390) as f64);
        let side = (20 + index * 5) as f64;
        Annotation::new(BoundingBox::from_xywh(x, y, side, side), 1)
    };
    vec![(0..20).map(object).collect(); 2]
}

fn steps() {
    let device = swath::device::Device::cpu();
    let tracked = device.burn().clone().autodiff();
    for (name, network) in unets(&device) {
        let mut network = network.training();
        let mut optimizer = AdamWConfig::new().init();
        let images = random([4, 3, 256, 256], &tracked);
        let labels = random([4, 2, 256, 256], &tracked);
        let mut parts = Parts::new();
        for _ in 0..6 {
            let start = now();
            let loss = (network.forward(images.clone()) * labels.clone()).mean();
            let forward = now();
            let gradients = network.gradients(loss.backward());
            let backward = now();
            network = network.step(&mut optimizer, 1e-4.into(), gradients);
            parts.add([start, forward, backward, now()]);
        }
        parts.print(name, 4.0);
    }
    let mut network = retinanet(&device).training();
    let mut optimizer = AdamWConfig::new().init();
    let (images, objects) = (random([2, 3, 512, 512], &tracked), objects());
    let mut parts = Parts::new();
    for _ in 0..4 {
        let start = now();
        let losses = network.losses(images.clone(), &objects);
        let loss = losses.into_iter().map(|(_, loss)| loss);
        let loss = loss.reduce(|sum, loss| sum + loss).expect("two losses");
        let forward = now();
        let gradients = network.gradients(loss.backward());
        let backward = now();
        network = network.step(&mut optimizer, 1e-4.into(), gradients);
        parts.add([start, forward, backward, now()]);
    }
    parts.print(RETINANET, 2.0);
}

/// Prediction, with the batch norms as they are and folded into the convolutions.
fn inference() {
    let device = swath::device::Device::cpu();
    let print = |name: &str, images: f64, plain: f64, folded: f64| {
        println!(
            "{name}: plain {plain:.0} ms, folded {folded:.0} ms; {:.2} images/s",
            images / folded * 1e3
        );
    };
    for (name, network) in unets(&device) {
        let images = random([4, 3, 256, 256], device.burn());
        let time = |network: BoxedNetwork| best(|| drop(network.forward(images.clone())));
        print(
            name,
            4.0,
            time(network.inference()),
            time(network.prediction()),
        );
    }
    let network = retinanet(&device);
    let (images, options) = (
        random([2, 3, 512, 512], device.burn()),
        DetectOptions::default(),
    );
    let time =
        |network: BoxedDetectionNetwork| best(|| drop(network.detect(images.clone(), &options)));
    print(
        RETINANET,
        2.0,
        time(network.inference()),
        time(network.prediction()),
    );
}

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wants = |name: &str| asked.is_empty() || asked.iter().any(|argument| argument == name);
    for (name, run) in [
        ("ops", operations as fn()),
        ("steps", steps),
        ("inference", inference),
    ] {
        if wants(name) {
            run();
        }
    }
}

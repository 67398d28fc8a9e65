//! The GPU: what drivers list, and whether this installation computes on it.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Finding, on_path};

/// NVRTC compiles a few kernels, and a slow file system gives the library.
const PATIENCE: Duration = Duration::from_secs(120);

/// What NVIDIA's own program says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Driver {
    /// A line for each GPU and each slice.
    listed: String,
    /// Whether a GPU is divided into slices.
    is_divided: bool,
}

pub(super) fn gpu() -> Finding {
    judged(driver().as_ref(), devices().as_ref())
}

fn driver() -> Option<Driver> {
    let ask = |words: &[&str]| {
        let output = Command::new(on_path("nvidia-smi")?)
            .args(words)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let divided = ask(&["--query-gpu=mig.mode.current", "--format=csv,noheader"]);
    Some(Driver {
        listed: ask(&["-L"])?,
        is_divided: divided.is_some_and(|text| text.lines().any(|line| line.trim() == "Enabled")),
    })
}

/// What `swath devices --json` of this installation says; `None` where the library does not answer, of which other checks
/// tell.
fn devices() -> Option<Value> {
    let mut process = Command::new(std::env::current_exe().ok()?)
        .args(["devices", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut out = process.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let began = Instant::now();
    loop {
        match process.try_wait().ok()? {
            Some(status) if status.success() => break,
            Some(_) => return None,
            None if began.elapsed() > PATIENCE => {
                let _ = process.kill();
                let _ = process.wait();
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    serde_json::from_str(&reader.join().ok()?.ok()?).ok()
}

fn judged(driver: Option<&Driver>, devices: Option<&Value>) -> Finding {
    let listed = driver.map(|driver| driver.listed.replace('\n', "; "));
    let Some(devices) = devices else {
        return match listed {
            Some(listed) => Finding::note(
                format!("{listed}; the library does not say whether it computes there"),
                "mend what is bad above, then `swath devices`",
            ),
            None => none(),
        };
    };
    let text = |name: &str| devices[name].as_str().unwrap_or_default().to_owned();
    let real: Vec<String> = devices["gpus"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|gpu| gpu["is_software"] == false)
        .map(|gpu| {
            format!(
                "{} {}",
                gpu["device"].as_str().unwrap_or_default(),
                gpu["name"].as_str().unwrap_or_default()
            )
        })
        .collect();
    let is_built_for = |name: &str| {
        let built = devices["built_for"].as_array().into_iter().flatten();
        built.into_iter().any(|it| it == name)
    };
    if devices["on_gpu"] == true {
        return Finding::Good(format!(
            "models train on {} (of {})",
            text("computes_on"),
            real.join(", ")
        ));
    }
    let is_nvidia = |gpu: &String| gpu.starts_with("cuda:");
    if real.iter().any(is_nvidia) {
        let found = real.join(", ");
        return match is_built_for("cuda") {
            true => Finding::bad(
                format!("{found}, which is not used: {}", text("no_cuda")),
                format!(
                    "with the wheel's file: pip install 'swath_cuda-{}-py3-none-manylinux_2_28_x86_64.whl[cuda13]' or \
                     [cuda12]   (or: module load cuda; or: SWATH_DEVICE where it is set)",
                    env!("CARGO_PKG_VERSION")
                ),
            ),
            false => Finding::note(
                format!("{found}, which is not used: this installation has no CUDA"),
                "from source: CUDA=1 make install   (or: the wheel of make wheel CUDA=1)",
            ),
        };
    }
    if let (Some(driver), Some(listed)) = (driver, listed) {
        if let Some(value) = devices["visible"].as_str() {
            return Finding::note(
                format!("{listed}; CUDA_VISIBLE_DEVICES={value} leaves none of them"),
                "unset CUDA_VISIBLE_DEVICES, or name a GPU or slice of `nvidia-smi -L`; it is read when a process starts",
            );
        }
        if driver.is_divided && !driver.listed.contains("MIG ") {
            return Finding::bad(
                format!("{listed}: divided into slices (MIG), of which this job has none"),
                "ask for a slice, on Slurm for example --gres gpu:1g.10gb:1 (sinfo -o %G lists them)",
            );
        }
        return Finding::bad(
            format!("{listed}; CUDA does not reach it: {}", text("no_cuda")),
            "check /dev/nvidia* in this job or container (--gres, --gpus all, --nv)",
        );
    }
    if !real.is_empty() {
        return Finding::note(
            format!("{}, which is not used", real.join(", ")),
            "%device vulkan, or export SWATH_DEVICE=vulkan",
        );
    }
    none()
}

fn none() -> Finding {
    Finding::note(
        "no driver of a GPU answers: models train on the CPU",
        "on a cluster: ask for a node with a GPU",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn divided(listed: &str) -> Driver {
        Driver {
            listed: listed.to_owned(),
            is_divided: true,
        }
    }

    fn said(finding: &Finding) -> String {
        let (status, found, advice) = finding.parts();
        format!("{status}: {found} -> {}", advice.unwrap_or_default())
    }

    #[test]
    fn every_way_to_be_without_the_gpu_has_its_remedy() {
        let a100 =
            json!({ "device": "cuda:0", "name": "NVIDIA A100 MIG 1g.10gb", "is_software": false });
        let slice =
            divided("GPU 0: NVIDIA A100 (UUID: GPU-1)\n  MIG 1g.10gb Device 0: (UUID: MIG-1)");
        let of = |built: &[&str], gpus: Value, no_cuda: &str, visible: Value| {
            json!({ "gpus": gpus, "built_for": built, "computes_on": "CPU with 2 threads (…)", "on_gpu": false,
                    "no_cuda": no_cuda, "visible": visible })
        };
        let nvrtc = of(
            &["cuda"],
            json!([a100]),
            "the run-time compiler NVRTC was not found",
            Value::Null,
        );
        let none_built = of(&[], json!([a100]), "this build has no CUDA", Value::Null);
        let hidden = of(&["cuda"], json!([]), "error 100 (cuInit)", json!("-1"));
        let nothing = of(&["cuda"], json!([]), "error 100 (cuInit)", Value::Null);
        let whole = divided("GPU 0: NVIDIA A100 (UUID: GPU-1)");
        let open = Driver {
            is_divided: false,
            ..whole.clone()
        };
        for (driver, devices, expected) in [
            (
                Some(&slice),
                Some(&nvrtc),
                ["bad: cuda:0", "NVRTC was not found", "x86_64.whl[cuda13]'"],
            ),
            (
                Some(&slice),
                Some(&none_built),
                ["note: cuda:0", "has no CUDA", "CUDA=1 make install"],
            ),
            (
                Some(&slice),
                Some(&hidden),
                ["note: GPU 0", "CUDA_VISIBLE_DEVICES=-1", "unset"],
            ),
            (
                Some(&whole),
                Some(&nothing),
                ["bad: GPU 0", "of which this job has none", "--gres"],
            ),
            (
                Some(&open),
                Some(&nothing),
                ["bad: GPU 0", "error 100", "/dev/nvidia"],
            ),
            (
                Some(&open),
                None,
                ["note: GPU 0", "does not say", "swath devices"],
            ),
            (
                None,
                None,
                ["note: no driver", "on the CPU", "ask for a node"],
            ),
            (
                None,
                Some(&nothing),
                ["note: no driver", "on the CPU", "ask for a node"],
            ),
        ] {
            let finding = said(&judged(driver, devices));
            assert!(
                expected.iter().all(|part| finding.contains(part)),
                "{finding}"
            );
        }
    }

    #[test]
    fn what_computes_is_told_and_software_is_no_gpu() {
        let radeon =
            json!({ "device": "vulkan:0", "name": "AMD Radeon 780M", "is_software": false });
        let software = json!({ "device": "vulkan:1", "name": "llvmpipe", "is_software": true });
        let on = json!({ "gpus": [radeon, software], "built_for": ["vulkan"], "on_gpu": true,
                         "computes_on": "Vulkan 0: AMD Radeon 780M (a Vulkan driver answers)" });
        assert_eq!(
            judged(None, Some(&on)),
            Finding::Good(
                "models train on Vulkan 0: AMD Radeon 780M (a Vulkan driver answers) (of vulkan:0 AMD Radeon 780M)".to_owned()
            )
        );
        let off = json!({ "gpus": [software], "built_for": ["vulkan"], "on_gpu": false, "computes_on": "CPU" });
        assert!(said(&judged(None, Some(&off))).contains("no driver of a GPU"));
    }
}

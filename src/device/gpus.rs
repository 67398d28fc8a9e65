//! Which GPUs this process can see, for a person who wonders why training runs where it runs.

use super::{Device, Gpu, driver};
use crate::display::{Output, Show, escape};
use crate::plot::table_html;

/// The variable by which CUDA hides GPUs from a process.
const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// The GPUs and MIG slices that this process can see, the device that computes, and what to do when that is not as wanted.
///
/// Made by [`Device::gpus`]; shows itself as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpus {
    found: Result<Vec<Gpu>, String>,
    /// Why this build cannot compute on them, as the end of a sentence.
    unusable: Option<String>,
    /// The value of `CUDA_VISIBLE_DEVICES`.
    visible: Option<String>,
    current: Device,
}

impl Device {
    /// The GPUs that the driver lets this process see, with their memory, whether or not this build can compute on them;
    /// CUDA is not started and takes no memory. `CUDA_VISIBLE_DEVICES` and MIG slices are honored as CUDA honors them.
    ///
    /// ```
    /// println!("{}", swath::device::Device::gpus().explain());
    /// ```
    #[must_use]
    pub fn gpus() -> Gpus {
        let found = driver::gpus();
        let unusable = match &found {
            Ok(gpus) => {
                gpus.first()
                    .and_then(|gpu| Self::on_gpu(gpu).err())
                    .map(|error| match error {
                        super::DeviceError::NoCuda { reason } => reason,
                        other => other.to_string(),
                    })
            }
            Err(_) => None,
        };
        Gpus {
            found,
            unusable,
            visible: std::env::var(VISIBLE).ok(),
            current: Self::current(),
        }
    }
}

impl Gpus {
    /// The GPUs, in the driver's order; none when there is no driver.
    #[must_use]
    pub fn list(&self) -> &[Gpu] {
        self.found.as_deref().unwrap_or_default()
    }

    /// The device that computes.
    #[must_use]
    pub fn current(&self) -> &Device {
        &self.current
    }

    /// The table, what computes, and the next step where there is one, as plain text.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut lines = match self.list() {
            [] => Vec::new(),
            gpus => gpus
                .iter()
                .map(|gpu| self.row(gpu).join("  ").trim_end().to_owned())
                .collect(),
        };
        lines.extend(self.facts());
        lines.join("\n")
    }

    fn facts(&self) -> Vec<String> {
        let mut facts = Vec::new();
        if let Err(reason) = &self.found {
            facts.push(format!("No GPU: {reason}."));
        }
        if let Some(reason) = &self.unusable {
            facts.push(format!("Not used: {reason}."));
        }
        if let Some(value) = &self.visible {
            facts.push(format!("{VISIBLE}={value}"));
        }
        facts.push(format!("Computes on: {}", self.current.explain()));
        facts.extend(self.next_step().map(|step| format!("Next: {step}")));
        facts
    }

    /// What a person can do to compute on a GPU.
    fn next_step(&self) -> Option<String> {
        let hides = |value: &str| {
            let value = value.trim();
            value.is_empty() || value.starts_with('-') || value == "NoDevFiles"
        };
        match (&self.found, &self.visible) {
            (Err(_), Some(value)) if hides(value) => Some(format!(
                "{VISIBLE} hides every GPU; start again without it, or with 0 for the first one"
            )),
            (Err(_), Some(value)) => Some(format!(
                "check that {VISIBLE}={value} names a GPU or slice of `nvidia-smi -L`; it is read when a process starts"
            )),
            (Err(_), None) => Some(
                "everything works on the processor; for a GPU, `nvidia-smi` must list one here (install NVIDIA's driver; \
                 start a container with `--gpus all`)"
                    .to_owned(),
            ),
            (Ok(_), _) if !cfg!(feature = "cuda") => Some(
                "build with CUDA: `CUDA=1 make install`, then start again".to_owned(),
            ),
            (Ok(_), _) if self.unusable.is_some() => None,
            (Ok(_), _) if !self.current.is_gpu() => {
                Some("`Device::cuda(0)?.set_current()` computes on the first of them".to_owned())
            }
            (Ok(_), _) => None,
        }
    }

    /// Index, name, memory, whether it computes, identity.
    fn row(&self, gpu: &Gpu) -> [String; 5] {
        let gibibytes = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1_u32 << 30));
        let memory = match (gpu.memory, gpu.free_memory) {
            (Some(all), Some(free)) => format!(
                "{} GiB, {} used, {} free",
                gibibytes(all),
                gibibytes(all.saturating_sub(free)),
                gibibytes(free)
            ),
            (Some(all), None) => format!("{} GiB", gibibytes(all)),
            (None, _) => "memory unknown".to_owned(),
        };
        let computes = self.current.is_gpu()
            && self
                .current
                .name()
                .starts_with(&format!("CUDA {}:", gpu.index));
        [
            format!("cuda:{}", gpu.index),
            gpu.name.clone(),
            memory,
            if computes { "computes" } else { "" }.to_owned(),
            gpu.uuid.clone().unwrap_or_default(),
        ]
    }
}

impl Show for Gpus {
    fn output(&self) -> Output {
        let rows: Vec<Vec<String>> = self
            .list()
            .iter()
            .map(|gpu| self.row(gpu).to_vec())
            .collect();
        let mut html = String::new();
        if !rows.is_empty() {
            html += &table_html(&["device", "name", "memory", "", "identity"], &rows);
        }
        for fact in self.facts() {
            html += &format!("<div>{}</div>", escape(&fact));
        }
        Output::styled(self.explain(), html)
    }
}

crate::show_in_cells!(Gpus);

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(index: usize, name: &str, free_memory: Option<u64>) -> Gpu {
        Gpu {
            index,
            name: name.to_owned(),
            uuid: Some("GPU-8c24f0b1-0000-0000-0000-000000000000".to_owned()),
            memory: Some(10 << 30),
            free_memory,
        }
    }

    fn report(found: Result<Vec<Gpu>, String>, visible: Option<&str>) -> Gpus {
        Gpus {
            found,
            unusable: None,
            visible: visible.map(str::to_owned),
            current: Device::cpu(),
        }
    }

    #[test]
    fn this_machine_is_described_with_what_computes_and_why() {
        let gpus = Device::gpus();
        let text = gpus.explain();
        assert!(text.contains("Computes on: "), "{text}");
        match &gpus.found {
            Ok(found) => assert!(!found.is_empty() && text.contains("cuda:0"), "{text}"),
            Err(_) => assert!(
                text.contains("No GPU: ") && text.contains("Next: "),
                "{text}"
            ),
        }
        assert!(
            gpus.output()
                .html
                .is_some_and(|html| html.contains("Computes on"))
        );
    }

    #[test]
    fn gpus_are_listed_with_their_memory() {
        let gpus = report(
            Ok(vec![
                gpu(0, "NVIDIA <H200>", Some(4 << 30)),
                gpu(1, "NVIDIA H200 MIG 1g.18gb", None),
            ]),
            Some("0,MIG-1"),
        );
        let text = gpus.explain();
        assert!(
            text.contains("cuda:0  NVIDIA <H200>  10.0 GiB, 6.0 used, 4.0 free"),
            "{text}"
        );
        assert!(
            text.contains("cuda:1  NVIDIA H200 MIG 1g.18gb  10.0 GiB"),
            "{text}"
        );
        assert!(text.contains("CUDA_VISIBLE_DEVICES=0,MIG-1"), "{text}");
        let html = gpus.output().html.expect("a table");
        assert!(
            html.contains("&lt;H200&gt;") && html.contains("<table"),
            "{html}"
        );
    }

    #[test]
    fn what_hides_the_gpus_is_the_next_step() {
        let absent = || Err("the driver answers with error 100 (cuInit)".to_owned());
        let step = |visible| report(absent(), visible).next_step().expect("a next step");
        assert!(step(None).contains("nvidia-smi"));
        for value in ["", "-1"] {
            assert!(step(Some(value)).contains("hides every GPU"), "{value:?}");
        }
        assert!(step(Some("7")).contains("CUDA_VISIBLE_DEVICES=7 names"));
        let there = report(Ok(vec![gpu(0, "NVIDIA H200", None)]), None).next_step();
        let expected = if cfg!(feature = "cuda") {
            "Device::cuda(0)"
        } else {
            "CUDA=1 make install"
        };
        assert!(there.is_some_and(|step| step.contains(expected)));
    }
}

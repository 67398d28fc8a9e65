//! Which GPUs this process can see, for a person who wonders why training runs where it runs.

use super::{Device, driver, vulkan};
use crate::display::{Output, Show, escape};
use crate::plot::table_html;

/// The variable by which CUDA hides GPUs from a process.
const VISIBLE: &str = "CUDA_VISIBLE_DEVICES";

/// A GPU, or a MIG slice of one, that a driver lets this process see.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gpu {
    /// How it is named where a device is asked for: `cuda:0`, `vulkan:1`.
    pub device: String,
    /// Its index: as NVIDIA's driver counts, among those that `CUDA_VISIBLE_DEVICES` leaves, or as [`Device::vulkan`] does.
    pub index: usize,
    /// Its name, such as `NVIDIA H200`; a slice's ends with its size, such as `MIG 1g.18gb`.
    pub name: String,
    /// Whether it is a driver that computes on the processor.
    pub is_software: bool,
    /// Its identity, such as `GPU-8c24…` or `MIG-f8b2…`, where the driver tells: a value for `CUDA_VISIBLE_DEVICES`.
    pub uuid: Option<String>,
    /// All of its memory in bytes, where the driver tells.
    pub memory: Option<u64>,
    /// Its memory in bytes that no process uses, where NVIDIA's management library tells.
    pub free_memory: Option<u64>,
}

/// The GPUs and MIG slices that this process can see, the device that computes, and what to do when that is not as wanted.
///
/// Made by [`Device::gpus`]; shows itself as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpus {
    /// What NVIDIA's driver lists.
    found: Result<Vec<Gpu>, String>,
    /// What Vulkan lists beside that: a card that both reach is CUDA's.
    beside: Result<Vec<Gpu>, String>,
    /// All of them.
    all: Vec<Gpu>,
    /// Why this build cannot compute on them, as the end of a sentence.
    unusable: Option<String>,
    /// The value of `CUDA_VISIBLE_DEVICES`.
    visible: Option<String>,
    current: Device,
}

impl Device {
    /// The GPUs that the drivers let this process see, with their memory, whether or not this build can compute on them;
    /// CUDA is not started and takes no memory. `CUDA_VISIBLE_DEVICES` and MIG slices are honored as CUDA honors them. In a
    /// build with Vulkan, what that lists comes after NVIDIA's, each card once; a device of Vulkan that is the session's
    /// ([`Device::current`]) is opened.
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
        let visible = std::env::var(VISIBLE).ok();
        Gpus::new(found, vulkan::gpus(), unusable, visible, Self::current())
    }
}

/// A card reached by both drivers: Vulkan gives a uuid for the comparison with CUDA's.
fn is_same_card(one: &Gpu, other: &Gpu) -> bool {
    let bare = |gpu: &Gpu| {
        let uuid = gpu.uuid.as_deref()?;
        Some(uuid.trim_start_matches("GPU-").to_owned())
    };
    bare(one).is_some_and(|uuid| bare(other) == Some(uuid))
}

impl Gpus {
    fn new(
        found: Result<Vec<Gpu>, String>,
        beside: Result<Vec<Gpu>, String>,
        unusable: Option<String>,
        visible: Option<String>,
        current: Device,
    ) -> Self {
        let of_cuda = found.as_deref().unwrap_or_default();
        // What cannot be used through CUDA may be through Vulkan.
        let is_new = |gpu: &&Gpu| {
            unusable.is_some() || !of_cuda.iter().any(|other| is_same_card(gpu, other))
        };
        let others = beside.as_deref().unwrap_or_default().iter().filter(is_new);
        let all = of_cuda.iter().chain(others).cloned().collect();
        Self {
            found,
            beside,
            all,
            unusable,
            visible,
            current,
        }
    }

    /// The GPUs, NVIDIA's in their driver's order, then Vulkan's; none when there is no driver.
    #[must_use]
    pub fn list(&self) -> &[Gpu] {
        &self.all
    }

    fn has_real(&self) -> bool {
        self.all.iter().any(|gpu| !gpu.is_software)
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

    /// The same as facts for programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        let gpus: Vec<_> = self
            .list()
            .iter()
            .map(|gpu| {
                serde_json::json!({
                    "device": gpu.device, "name": gpu.name, "is_software": gpu.is_software, "uuid": gpu.uuid,
                    "memory": gpu.memory, "free_memory": gpu.free_memory,
                })
            })
            .collect();
        let built_for: Vec<&str> = [
            ("cuda", cfg!(feature = "cuda")),
            ("vulkan", cfg!(feature = "vulkan")),
        ]
        .into_iter()
        .filter_map(|(name, is_built)| is_built.then_some(name))
        .collect();
        serde_json::json!({
            "gpus": gpus,
            "built_for": built_for,
            "computes_on": self.current.explain(),
            "on_gpu": self.current.is_gpu(),
            "no_cuda": self.found.as_ref().err().or(self.unusable.as_ref()),
            "no_vulkan": self.beside.as_ref().err(),
            "visible": self.visible,
            "next": self.next_step(),
        })
    }

    fn facts(&self) -> Vec<String> {
        let mut facts = Vec::new();
        if let Err(reason) = &self.found {
            let what = if self.has_real() { "CUDA" } else { "GPU" };
            facts.push(format!("No {what}: {reason}."));
        }
        if let (Err(reason), true) = (&self.beside, cfg!(feature = "vulkan")) {
            facts.push(format!("No Vulkan: {reason}."));
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
        if let (Err(_), Some(gpu)) = (&self.found, self.all.iter().find(|gpu| !gpu.is_software)) {
            let kept = self.current.is_gpu();
            let choose = format!(
                "`Device::vulkan({})?.set_current()` computes on {}",
                gpu.index, gpu.name
            );
            return (!kept).then_some(choose);
        }
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
        let computes = self.current.word == gpu.device;
        let software = if gpu.is_software {
            " (computes on the processor)"
        } else {
            ""
        };
        [
            gpu.device.clone(),
            format!("{}{software}", gpu.name),
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
            device: format!("cuda:{index}"),
            index,
            name: name.to_owned(),
            is_software: false,
            uuid: Some(format!("GPU-8c24f0b1-0000-0000-0000-00000000000{index}")),
            memory: Some(10 << 30),
            free_memory,
        }
    }

    fn through_vulkan(index: usize, name: &str, uuid: &str) -> Gpu {
        Gpu {
            device: format!("vulkan:{index}"),
            uuid: Some(uuid.to_owned()),
            ..gpu(index, name, None)
        }
    }

    fn report(found: Result<Vec<Gpu>, String>, visible: Option<&str>) -> Gpus {
        let visible = visible.map(str::to_owned);
        Gpus::new(found, Err("none".to_owned()), None, visible, Device::cpu())
    }

    #[test]
    fn this_machine_is_described_with_what_computes_and_why() {
        let gpus = Device::gpus();
        let text = gpus.explain();
        assert!(text.contains("Computes on: "), "{text}");
        match &gpus.found {
            Ok(found) => assert!(!found.is_empty() && text.contains("cuda:0"), "{text}"),
            Err(_) => assert!(text.contains("No GPU: ") || gpus.has_real(), "{text}"),
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
    fn a_card_that_two_drivers_reach_is_listed_once_where_cuda_can_use_it() {
        let cuda = || Ok(vec![gpu(0, "H200", None)]);
        let beside = || {
            Ok(vec![
                through_vulkan(0, "NVIDIA H200", "8c24f0b1-0000-0000-0000-000000000000"),
                through_vulkan(1, "AMD Radeon 780M", "00000000-0600-0000-0000-000000000000"),
            ])
        };
        let names = |unusable: Option<String>| {
            let gpus = Gpus::new(cuda(), beside(), unusable, None, Device::cpu());
            let names = gpus.list().iter().map(|gpu| gpu.device.clone());
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["cuda:0", "vulkan:1"]);
        let unusable = Some("no NVRTC".to_owned());
        assert_eq!(names(unusable), ["cuda:0", "vulkan:0", "vulkan:1"]);
    }

    #[test]
    fn without_cuda_a_gpu_through_vulkan_is_the_next_step_and_a_software_driver_is_none() {
        let absent = || Err("no driver".to_owned());
        let real = through_vulkan(0, "AMD Radeon 780M", "06");
        let software = Gpu {
            is_software: true,
            ..through_vulkan(0, "llvmpipe", "07")
        };
        let gpus = Gpus::new(absent(), Ok(vec![real]), None, None, Device::cpu());
        let text = gpus.explain();
        assert!(
            text.contains("No CUDA: no driver") && text.contains("Device::vulkan(0)"),
            "{text}"
        );
        let gpus = Gpus::new(absent(), Ok(vec![software]), None, None, Device::cpu());
        let text = gpus.explain();
        assert!(
            text.contains("vulkan:0  llvmpipe (computes on the processor)")
                && text.contains("No GPU: no driver")
                && text.contains("nvidia-smi"),
            "{text}"
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

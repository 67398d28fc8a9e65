//! Areas, chips in the making and how they are changed, sample data, notices, GPUs.

use crate::chips::{
    Affine, Augment, ChipFolder, ChipOptions, ChipSetOptions, ChipStream, CopyPaste,
};
use crate::device::Gpu;
use crate::display::fields::titled;
use crate::display::records::{NOTHING, count};
use crate::display::{Output, Record, Show, counted, show_fields, show_records};
use crate::report::{Notice, NoticeKind, Report};
use crate::samples::{Sentinel, Town};
use crate::scene::AreaOfInterest;
use crate::scenes::{LabelFiles, SceneSplit, ScenesOptions};

impl Record for Gpu {
    const COLUMNS: &'static [&'static str] =
        &["device", "name", "memory", "free memory", "identity"];

    fn cells(&self) -> Vec<String> {
        let gigabytes = |bytes: Option<u64>| {
            bytes.map_or_else(
                || NOTHING.to_owned(),
                |bytes| format!("{:.1} GB", bytes as f64 / 1e9),
            )
        };
        vec![
            self.device.clone(),
            self.name.clone(),
            gigabytes(self.memory),
            gigabytes(self.free_memory),
            self.uuid.clone().unwrap_or_else(|| NOTHING.to_owned()),
        ]
    }
}

impl Record for Town {
    const COLUMNS: &'static [&'static str] = &["scene", "labels"];

    fn cells(&self) -> Vec<String> {
        [&self.scene_path, &self.labels_path]
            .map(|path| path.display().to_string())
            .to_vec()
    }
}

impl Record for Sentinel {
    const COLUMNS: &'static [&'static str] = &["folder", "dates", "labels", "land cover"];

    fn cells(&self) -> Vec<String> {
        let dates: Vec<String> = self.dates.iter().map(ToString::to_string).collect();
        vec![
            self.folder.display().to_string(),
            dates.join(", "),
            self.labels_path.display().to_string(),
            self.land_cover_path.display().to_string(),
        ]
    }
}

show_records!(Gpu, Sentinel, Town);
show_fields!(
    Affine,
    ChipFolder,
    ChipOptions,
    ChipSetOptions,
    CopyPaste,
    LabelFiles,
    NoticeKind,
    SceneSplit,
    ScenesOptions
);

/// A row for each change: what it does, and how often.
impl Show for Augment {
    fn output(&self) -> Output {
        let rows = self.rows();
        let facts: Vec<(&str, String)> = rows
            .into_iter()
            .map(|(name, probability, words)| {
                (
                    name,
                    format!("{words}; {:.0} % of the chips", probability * 100.0),
                )
            })
            .collect();
        match facts.is_empty() {
            true => titled("Augment", &[("changes", "none".to_owned())]),
            false => titled("Augment", &facts),
        }
    }
}

/// As in a [`Report`], which several are.
impl Show for Notice {
    fn output(&self) -> Output {
        Self::outputs(&[self])
    }

    fn outputs(notices: &[&Self]) -> Output {
        const MOST: usize = 20;
        let shown: Report = notices
            .iter()
            .take(MOST)
            .map(|one| (*one).clone())
            .collect();
        counted(shown.output(), notices.len().min(MOST), notices.len())
    }
}

/// Which file limits what counts.
impl Show for AreaOfInterest {
    fn output(&self) -> Output {
        let counts = if self.is_inverted() {
            "what lies outside"
        } else {
            "what lies inside"
        };
        titled(
            "AreaOfInterest",
            &[
                ("file", self.path().display().to_string()),
                ("counts", counts.to_owned()),
            ],
        )
    }
}

/// How many batches it gives.
impl Show for ChipStream {
    fn output(&self) -> Output {
        titled("ChipStream", &[("batches", count(self.batches()))])
    }
}

use std::path::{Path, PathBuf};

use super::manifest::PartEntry;
use crate::display::fields::titled;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::report::Report;

/// What saving chips has left on disk: how many, and what they hold.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedChips {
    folder: PathBuf,
    split: Option<String>,
    chips: usize,
    classes: Classes,
    pixels: Vec<u64>,
    objects: Vec<u64>,
    ignored: u64,
    kinds: Vec<&'static str>,
    report: Report,
}

impl SavedChips {
    pub(super) fn new(folder: &Path, part: &PartEntry, classes: &Classes) -> Self {
        let summed = |of: &dyn Fn(&super::manifest::ChipEntry) -> &[u64]| {
            let mut sums = vec![0; classes.len()];
            for chip in &part.chips {
                sums.iter_mut()
                    .zip(of(chip))
                    .for_each(|(sum, count)| *sum += count);
            }
            sums
        };
        let kinds = [
            (true, "images"),
            (part.masks, "masks"),
            (part.coco, "COCO"),
            (part.yolo, "YOLO"),
        ];
        Self {
            folder: folder.to_owned(),
            split: part.split.clone(),
            chips: part.chips.len(),
            classes: classes.clone(),
            pixels: summed(&|chip| &chip.pixels),
            objects: summed(&|chip| &chip.objects),
            ignored: part.chips.iter().map(|chip| chip.ignored).sum(),
            kinds: kinds
                .into_iter()
                .filter(|(there, _)| *there)
                .map(|(_, kind)| kind)
                .collect(),
            report: Report::new(),
        }
    }

    pub(super) fn with_report(self, report: Report) -> Self {
        Self { report, ..self }
    }

    /// The folder, which [`ChipSet::open`](super::ChipSet::open) reads.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Chips that were saved.
    #[must_use]
    #[doc(alias = "count")]
    pub fn len(&self) -> usize {
        self.chips
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chips == 0
    }

    /// Labeled pixels of a class, by its index.
    #[must_use]
    pub fn pixels(&self, class: usize) -> u64 {
        self.pixels.get(class).copied().unwrap_or(0)
    }

    /// Objects of a class, by its index.
    #[must_use]
    pub fn objects(&self, class: usize) -> u64 {
        self.objects.get(class).copied().unwrap_or(0)
    }

    /// What the files do not hold as the chips do: values that were rounded, pixels that are not marked.
    #[must_use]
    #[doc(alias = "warnings")]
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl Show for SavedChips {
    fn output(&self) -> Output {
        let mut facts = vec![
            ("folder", self.folder.display().to_string()),
            ("chips", self.chips.to_string()),
            ("files", self.kinds.join(", ")),
        ];
        if let Some(split) = &self.split {
            facts.insert(1, ("split", split.clone()));
        }
        let counted = |counts: &[u64]| {
            let some = self
                .classes
                .iter()
                .zip(counts)
                .filter(|(_, count)| **count > 0);
            let words = some.map(|(class, count)| format!("{} {count}", class.name));
            words.collect::<Vec<_>>().join(", ")
        };
        for (what, counts) in [("pixels", &self.pixels), ("objects", &self.objects)] {
            let words = counted(counts);
            if !words.is_empty() {
                facts.push((what, words));
            }
        }
        if self.ignored > 0 {
            facts.push(("ignored pixels", self.ignored.to_string()));
        }
        titled("SavedChips", &facts).with_report(&self.report)
    }
}

crate::show_in_cells!(SavedChips);

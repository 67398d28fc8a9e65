//! A data set of chips that has been opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::ChipSetError;
use super::open::SPLIT;
use crate::Result;
use crate::chips::{ChipOptions, Chips};
use crate::display::records::{self, count};
use crate::display::{Output, Record, Show};
use crate::labels::Classes;
use crate::raster::BandStatistics;
use crate::report::{Notice, Report, file_name};
use crate::scene::{Scene, SetValues};
use crate::scenes::Scenes;

/// A data set of chips: images of one size with their labels, each of them a scene, in splits where its folders have some.
/// Made by [`ChipSet::open`]. Cheap to clone.
///
/// | to | methods |
/// |---|---|
/// | open | [`ChipSet::open`] |
/// | train | [`ChipSet::chips`], or [`ChipSet::options`] with changes of your own |
/// | validate, predict, look | [`ChipSet::scenes`] |
/// | choose a split | [`ChipSet::split`], [`ChipSet::splits`] |
/// | know | [`ChipSet::len`], [`ChipSet::classes`], [`ChipSet::report`] |
#[derive(Clone)]
pub struct ChipSet {
    root: PathBuf,
    scenes: Scenes,
    recorded: Vec<Recorded>,
    own_statistics: bool,
}

/// What a manifest says of the chips of a split.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recorded {
    pub(super) split: Option<String>,
    pub(super) seed: u64,
    pub(super) flips: bool,
    pub(super) photometric: f32,
    pub(super) statistics: Vec<BandStatistics>,
    pub(super) chips: usize,
}

/// Chips that stand for all where a set declares no statistics.
const LOOKED_AT: usize = 25;

/// Names of one and the same split.
const ALIKE: [&[&str]; 3] = [
    &["train", "training"],
    &["val", "valid", "validation"],
    &["test", "testing"],
];

impl ChipSet {
    pub(super) fn new(
        root: PathBuf,
        scenes: Scenes,
        recorded: Vec<Recorded>,
        own_statistics: bool,
    ) -> Self {
        Self {
            root,
            scenes,
            recorded,
            own_statistics,
        }
        .with_values()
        .with_statistics()
    }

    /// With scenes that know the values of the whole set: what it declares for each split, or what a few chips of it have.
    fn with_values(self) -> Self {
        let name = file_name(&self.root);
        let many = self.scenes.len().max(1);
        let some = many.min(LOOKED_AT);
        let picked = (0..some).filter_map(|index| self.scenes.get(index * many / some).cloned());
        let sampled = Arc::new(SetValues::sampled(name.clone(), picked.collect()));
        let declared: Vec<(&Option<String>, Arc<SetValues>)> = self
            .recorded
            .iter()
            .filter(|one| !self.own_statistics && !one.statistics.is_empty())
            .filter_map(|one| {
                let values = SetValues::declared(name.clone(), &self.in_use(&one.statistics)?);
                Some((&one.split, Arc::new(values)))
            })
            .collect();
        let scenes = self.scenes.of_sets(|index| {
            let split = self.scenes.column(index, SPLIT);
            let own = declared.iter().find(|(of, _)| of.as_deref() == split);
            Arc::clone(own.map_or(&sampled, |(_, values)| values))
        });
        Self { scenes, ..self }
    }

    /// With the statistics of the scenes that the chips were cut from, where one manifest entry is about all of them.
    fn with_statistics(self) -> Self {
        let [one] = self.recorded.as_slice() else {
            return self;
        };
        if self.own_statistics || one.statistics.is_empty() {
            return self;
        }
        let Some(statistics) = self.in_use(&one.statistics) else {
            let text = format!(
                "the manifest has statistics of {} bands, and the {} bands in use are not among them: bands are normalized by \
                 the statistics of the chips",
                one.statistics.len(),
                self.scenes.band_count()
            );
            let next = "open the set with bands of its files, without changes, to have those of its scenes";
            let scenes = self.scenes.noting(Notice::noted(text).next(next));
            return Self { scenes, ..self };
        };
        let text = "bands are normalized by the statistics of the scenes that the chips were cut from, as the manifest says";
        let scenes = self
            .scenes
            .noting(
                Notice::noted(text)
                    .next("`ChipFolder::new(folder).own_statistics()` computes those of the chips"),
            )
            .with_statistics(statistics);
        Self { scenes, ..self }
    }

    /// Of these statistics of the files' bands, those of the bands that are read, in their order.
    fn in_use(&self, of_files: &[BandStatistics]) -> Option<Vec<BandStatistics>> {
        let numbers = |scene: &Scene| -> Option<Vec<usize>> {
            let bands = scene.raster().bands().iter();
            bands
                .map(|band| match band.is_simple() {
                    true => usize::try_from(band.number).ok(),
                    // What becomes of a file's band, such as colors of its numbers, has other statistics.
                    false => None,
                })
                .collect()
        };
        let first = numbers(self.scenes.first())?;
        let same = |scene: &Scene| numbers(scene).as_ref() == Some(&first);
        if !self.scenes.iter().all(same) {
            return None;
        }
        first
            .iter()
            .map(|number| of_files.get(number.checked_sub(1)?).copied())
            .collect()
    }

    /// Chips.
    #[must_use]
    #[doc(alias = "count")]
    pub fn len(&self) -> usize {
        self.scenes.len()
    }

    /// Never: a set holds at least one chip.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scenes.is_empty()
    }

    /// The folder or archive that it was opened from.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// The classes of masks and boxes, index 0 the background.
    #[must_use]
    #[doc(alias = "class_names")]
    pub fn classes(&self) -> &Classes {
        self.scenes.classes()
    }

    /// Each chip as a scene, in the order in which the chips were saved, or in that of their names: to validate on, to
    /// predict, to split. The columns `split` and, of chips that this library saved, `scene` choose and group them.
    #[must_use]
    pub fn scenes(&self) -> &Scenes {
        &self.scenes
    }

    /// The names of the splits, in the order of the files; none where the set has no such folders.
    #[must_use]
    pub fn splits(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for index in 0..self.scenes.len() {
            if let Some(split) = self.scenes.column(index, SPLIT)
                && !all.iter().any(|other| other == split)
            {
                all.push(split.to_owned());
            }
        }
        all
    }

    /// The chips of a split by the name of its folder; `val`, `valid` and `validation` are one, and so are `train` and
    /// `training`. Chips that overlap on the ground with those of another split are told in the report.
    ///
    /// # Errors
    /// [`ChipSetError::NoSplit`].
    #[doc(alias = "subset")]
    #[doc(alias = "train")]
    #[doc(alias = "valid")]
    pub fn split(&self, name: &str) -> Result<Self> {
        let there = self.splits();
        let alike = ALIKE
            .iter()
            .find(|names| names.contains(&name))
            .copied()
            .unwrap_or(&[]);
        let found = there
            .iter()
            .find(|split| *split == name)
            .or_else(|| there.iter().find(|split| alike.contains(&split.as_str())))
            .cloned();
        let no_split = || ChipSetError::NoSplit {
            wanted: name.to_owned(),
            there: there.clone(),
        };
        let found = found.ok_or_else(no_split)?;
        let scenes = self
            .scenes
            .split_column(SPLIT)?
            .remove(&found)
            .ok_or_else(no_split)?;
        let recorded = self
            .recorded
            .iter()
            .filter(|one| one.split.as_ref() == Some(&found));
        Ok(Self {
            scenes,
            recorded: recorded.cloned().collect(),
            ..self.clone()
        }
        .with_statistics())
    }

    /// Every chip once, whole: [`ChipSet::options`] over [`ChipSet::scenes`].
    ///
    /// # Errors
    /// [`ChipSetError::Sizes`] when the images are not squares of one size; as [`Scenes::chips`].
    #[doc(alias = "dataset")]
    #[doc(alias = "dataloader")]
    pub fn chips(&self) -> Result<Chips> {
        self.scenes.chips(self.options()?)
    }

    /// The options by which [`ChipSet::chips`] gives every chip once, with the seed, the turns and the changes of colors that
    /// the manifest records, to add to: `set.scenes().chips(set.options()?.flips(true).augment(Augment::light()))`.
    ///
    /// # Errors
    /// [`ChipSetError::Sizes`].
    pub fn options(&self) -> Result<ChipOptions> {
        let mut sizes = BTreeMap::new();
        for scene in &self.scenes {
            *sizes.entry(scene.size()).or_insert(0_usize) += 1;
        }
        let mut all = sizes.keys();
        let edge = match (all.next(), all.next()) {
            (Some(&(width, height)), None) if width == height => width,
            _ => {
                let words = sizes
                    .iter()
                    .take(5)
                    .map(|((width, height), count)| format!("{count} of {width} x {height} px"));
                let found = words.collect::<Vec<_>>().join(", ");
                return Err(ChipSetError::Sizes { found }.into());
            }
        };
        let options = Chips::sliding(edge);
        Ok(match self.recorded.as_slice() {
            [one] => options
                .seed(one.seed)
                .flips(one.flips)
                .photometric(one.photometric),
            _ => options,
        })
    }

    /// What was left out, assumed or converted: of the set, and of each chip with its name.
    #[must_use]
    #[doc(alias = "info")]
    #[doc(alias = "warnings")]
    pub fn report(&self) -> Report {
        let mut report = self.scenes.report();
        let recorded: usize = self.recorded.iter().map(|one| one.chips).sum();
        if recorded > self.len() {
            let lost = recorded - self.len();
            report.push(
                Notice::noted(format!(
                    "{lost} of {recorded} chips of the manifest are not used"
                ))
                .count(lost),
            );
        }
        report
    }
}

/// `ChipSet(400 chips, classes: building; train 300, val 100)`.
impl std::fmt::Debug for ChipSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let splits = self
            .counts()
            .into_iter()
            .map(|(split, count)| format!("{split} {count}"));
        let splits = splits.collect::<Vec<_>>().join(", ");
        let classes = self.classes().in_words();
        match splits.is_empty() {
            true => write!(f, "ChipSet({} chips{classes})", self.len()),
            false => write!(f, "ChipSet({} chips{classes}; {splits})", self.len()),
        }
    }
}

impl ChipSet {
    fn counts(&self) -> Vec<(String, usize)> {
        let counted = |split: String| {
            let of =
                (0..self.len()).filter(|&index| self.scenes.column(index, SPLIT) == Some(&split));
            let count = of.count();
            (split, count)
        };
        self.splits().into_iter().map(counted).collect()
    }
}

impl Record for ChipSet {
    const COLUMNS: &'static [&'static str] = &[
        "folder", "chips", "splits", "size", "bands", "classes", "labels",
    ];

    fn cells(&self) -> Vec<String> {
        let sizes: BTreeSet<(usize, usize)> = self.scenes.iter().map(Scene::size).collect();
        let size = match (sizes.first(), sizes.last()) {
            (Some(one), Some(other)) if one == other => format!("{} x {} px", one.0, one.1),
            (Some(one), Some(other)) => {
                format!("{} x {} to {} x {} px", one.0, one.1, other.0, other.1)
            }
            _ => String::new(),
        };
        let labels = [
            (self.scenes.has_labels(), "masks"),
            (self.scenes.has_boxes(), "boxes"),
        ];
        let labels = labels
            .into_iter()
            .filter(|(there, _)| *there)
            .map(|(_, what)| what);
        let splits = self
            .counts()
            .into_iter()
            .map(|(split, chips)| format!("{split} {chips}"));
        vec![
            self.root.display().to_string(),
            count(self.len()),
            splits.collect::<Vec<_>>().join(", "),
            size,
            self.scenes.band_count().to_string(),
            self.classes()
                .names()
                .get(1..)
                .unwrap_or_default()
                .join(", "),
            labels.collect::<Vec<_>>().join(", "),
        ]
    }
}

/// A line of facts for each set, and what is to be said about a single one.
impl Show for ChipSet {
    fn output(&self) -> Output {
        records::output(self).with_report(&self.report())
    }

    fn outputs(sets: &[&Self]) -> Output {
        records::outputs(sets)
    }
}

crate::show_in_cells!(ChipSet);

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::ScenesError;
use super::name::names;
use crate::Result;
use crate::boxes::formats::composed;
use crate::labels::Classes;
use crate::raster::BandStatistics;
use crate::report::Report;
use crate::scene::{Scene, SetValues};

/// Many scenes with the same bands and classes, as one: chips are cut from all of them, a model is trained, validated,
/// predicted and scored on all of them. Cheap to clone; files are opened when they are read, a few at a time.
///
/// ```no_run
/// use swath::prelude::*;
/// let scenes = Scenes::open("tiles/*.tif")?.with_labels("labels/{stem}.geojson", "class")?;
/// let (train, valid) = scenes.split(SceneSplit::random(0.8).seed(7));
/// let chips = train.chips(Chips::random(400, 256))?;
/// let run = Segmenter::new(Unet::efficientnet_lite0(), train.classes()).fit(&chips, &valid, FitOptions::epochs(10))?;
/// # Ok::<(), swath::Error>(())
/// ```
///
/// | to | methods |
/// |---|---|
/// | open | [`Scenes::open`], [`Scenes::table`], [`Scenes::stac`], [`Scenes::of`] |
/// | label | [`Scenes::with_labels`], [`Scenes::with_boxes`], [`Scenes::with_label_rasters`] |
/// | look | a cell that ends in scenes, [`Scenes::class_shares`] |
/// | know | [`Scenes::names`], [`Scenes::classes`], [`Scenes::report`], [`Scenes::statistics`] |
/// | use some | [`Scenes::get`], [`Scenes::named`], [`Scenes::where_column`], [`Scenes::iter`] |
/// | split | [`Scenes::split`], [`Scenes::folds`], [`Scenes::split_column`], [`Scenes::split_area`] |
/// | train on them | [`Scenes::chips`] |
///
/// Scenes may differ in place, reference system, size and pixel size. All have as many bands: those of the first scene, by
/// name where the files name them.
#[derive(Clone)]
pub struct Scenes {
    pub(super) inner: Arc<Inner>,
}

#[derive(Clone)]
pub(super) struct Inner {
    pub(super) members: Vec<Member>,
    /// What concerns them together.
    pub(super) report: Report,
    /// Whether scenes that cannot be used are left out rather than refused.
    pub(super) skip_broken: bool,
    pub(super) statistics: OnceLock<Vec<BandStatistics>>,
}

/// A scene of several.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) scene: Scene,
    /// What a table says of it, by column.
    pub(super) columns: BTreeMap<String, String>,
    /// The folder of that table, where paths in it begin.
    pub(super) folder: Option<PathBuf>,
}

impl Scenes {
    /// Scenes that have been opened one by one. Those that have labels get all classes of all of them, in alphabetical order
    /// unless they are the same everywhere.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let (west, east) = samples::town(1, 256)?.scene()?.split(Split::columns(0.5));
    /// let scenes = Scenes::of([west, east])?;
    /// assert_eq!(scenes.len(), 2);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::NoScenes`] without any; [`ScenesError::Bands`] when they do not have the same bands;
    /// [`ScenesError::TooManyClasses`].
    pub fn of<S: Borrow<Scene>>(scenes: impl IntoIterator<Item = S>) -> Result<Self> {
        let scenes: Vec<Scene> = scenes
            .into_iter()
            .map(|scene| scene.borrow().clone())
            .collect();
        let names = names(scenes.iter().map(|scene| scene.raster().path()));
        let members = names.into_iter().zip(scenes).map(|(name, scene)| {
            let full = scene.area() == scene.raster().full();
            let name = match full {
                true => name,
                false => format!("{name} ({})", scene.area()),
            };
            Member {
                name,
                scene,
                columns: BTreeMap::new(),
                folder: None,
            }
        });
        Self::together(members.collect(), Report::new(), false)
    }

    /// Members whose bands and classes become the same.
    pub(super) fn together(
        members: Vec<Member>,
        mut report: Report,
        skip_broken: bool,
    ) -> Result<Self> {
        if members.is_empty() {
            return Err(ScenesError::NoScenes {
                what: "the list is empty".to_owned(),
            }
            .into());
        }
        let members = super::bands::matched(members, &mut report)?;
        let members = super::labels::united(members)?;
        Ok(Self::new(members, report, skip_broken))
    }

    pub(super) fn new(members: Vec<Member>, report: Report, skip_broken: bool) -> Self {
        Self {
            inner: Arc::new(Inner {
                members,
                report,
                skip_broken,
                statistics: OnceLock::new(),
            }),
        }
    }

    /// Some of the scenes, by a choice that leaves at least one.
    pub(super) fn some(&self, keep: impl Fn(usize, &Member) -> bool) -> Vec<Member> {
        let members = self.inner.members.iter().enumerate();
        members
            .filter(|(index, member)| keep(*index, member))
            .map(|(_, member)| member.clone())
            .collect()
    }

    /// The same collection with other members.
    pub(super) fn with_members(&self, members: Vec<Member>) -> Self {
        Self::new(members, self.inner.report.clone(), self.inner.skip_broken)
    }

    /// The same scenes with the statistics of the imagery that they were cut from.
    pub(crate) fn with_statistics(&self, statistics: Vec<BandStatistics>) -> Self {
        let same = self.with_members(self.inner.members.clone());
        same.inner.statistics.get_or_init(|| statistics);
        same
    }

    /// The same scenes as those of a set, whose values `values` gives for each scene by its number.
    pub(crate) fn of_sets(&self, values: impl Fn(usize) -> Arc<SetValues>) -> Self {
        let members = self.inner.members.iter().enumerate();
        let members = members.map(|(index, member)| Member {
            scene: member.scene.of_set(&values(index)),
            ..member.clone()
        });
        self.with_members(members.collect())
    }

    /// The scenes of these numbers.
    ///
    /// # Errors
    /// [`ScenesError::NoScenes`] when there is none.
    pub(crate) fn kept(&self, keep: impl Fn(usize) -> bool) -> Result<Self> {
        let members = self.some(|index, _| keep(index));
        match members.is_empty() {
            false => Ok(self.with_members(members)),
            true => Err(ScenesError::NoScenes {
                what: "all were left out".to_owned(),
            }
            .into()),
        }
    }

    /// Every scene with something done to it, by its number; what fails is an error that names all, or left out where the
    /// user said so. `done` is what cannot be done then: `labeled`.
    pub(crate) fn change_each(
        &self,
        done: &'static str,
        change: impl Fn(usize, &Scene) -> Result<Scene> + Sync,
    ) -> Result<Self> {
        let mut report = self.inner.report.clone();
        let members = self.each(done, &mut report, |index, member| {
            change(index, &member.scene)
        })?;
        Self::together(members, report, self.inner.skip_broken)
    }

    /// Scenes.
    #[must_use]
    #[doc(alias = "count")]
    pub fn len(&self) -> usize {
        self.inner.members.len()
    }

    /// Never: a collection holds at least one scene.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.members.is_empty()
    }

    /// The scene at a place, counted from 0.
    #[must_use]
    #[doc(alias = "__getitem__")]
    pub fn get(&self, index: usize) -> Option<&Scene> {
        self.inner.members.get(index).map(|member| &member.scene)
    }

    /// The first scene, which says what bands and classes all have.
    pub(crate) fn first(&self) -> &Scene {
        // A collection is never empty.
        &self.inner.members[0].scene
    }

    /// The scene of this name ([`Scenes::names`]).
    ///
    /// # Errors
    /// [`ScenesError::NoSuchValue`].
    pub fn named(&self, name: &str) -> Result<&Scene> {
        // macOS writes letters and their marks apart in the names of files.
        let wanted = composed(name);
        let is_meant = |member: &&Member| member.name == name || composed(&member.name) == wanted;
        let found = self.inner.members.iter().find(is_meant);
        match found {
            Some(member) => Ok(&member.scene),
            None => Err(self.no_such("scene", name, self.names().map(str::to_owned).collect())),
        }
    }

    pub(super) fn no_such(
        &self,
        what: &'static str,
        wanted: &str,
        there: Vec<String>,
    ) -> crate::Error {
        ScenesError::NoSuchValue {
            what,
            wanted: wanted.to_owned(),
            there,
        }
        .into()
    }

    /// The names of the scenes: the stems of their files, with the folders before them where that is needed to tell them
    /// apart.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.inner.members.iter().map(|member| member.name.as_str())
    }

    /// The scenes in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Scene> + DoubleEndedIterator {
        self.inner.members.iter().map(|member| &member.scene)
    }

    /// The classes of all scenes, index 0 the background.
    #[must_use]
    #[doc(alias = "class_names")]
    #[doc(alias = "num_classes")]
    pub fn classes(&self) -> &Classes {
        self.first().classes()
    }

    /// Bands with imagery, the same in all scenes.
    #[must_use]
    #[doc(alias = "bands")]
    #[doc(alias = "num_bands")]
    pub fn band_count(&self) -> usize {
        self.first().band_count()
    }

    /// Whether every scene has labels for each pixel.
    #[must_use]
    pub fn has_labels(&self) -> bool {
        self.iter().all(Scene::has_labels)
    }

    /// Whether every scene has boxes.
    #[must_use]
    pub fn has_boxes(&self) -> bool {
        self.iter().all(Scene::has_boxes)
    }

    /// The columns that the table of the scenes has, beside paths.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let members = self.inner.members.iter();
        let all: BTreeSet<&str> = members
            .flat_map(|member| member.columns.keys().map(String::as_str))
            .collect();
        all.into_iter().collect()
    }

    /// What a table says of the scene at `index` in a column.
    #[must_use]
    pub fn column(&self, index: usize, column: &str) -> Option<&str> {
        let member = self.inner.members.get(index)?;
        member.columns.get(column).map(String::as_str)
    }

    /// The scenes whose value in a column of their table is this one, such as `where_column("split", "train")`.
    ///
    /// # Errors
    /// [`ScenesError::NoSuchValue`] when there is no such column, or no scene with this value.
    #[doc(alias = "filter")]
    #[doc(alias = "select")]
    pub fn where_column(&self, column: &str, value: &str) -> Result<Self> {
        let has = |member: &Member| member.columns.get(column).is_some_and(|own| own == value);
        let members = self.some(|_, member| has(member));
        if !members.is_empty() {
            return Ok(self.with_members(members));
        }
        let values: BTreeSet<&String> = (self.inner.members.iter())
            .filter_map(|member| member.columns.get(column))
            .collect();
        Err(match values.is_empty() {
            true => {
                let columns = self.columns().into_iter().map(str::to_owned).collect();
                self.no_such("column", column, columns)
            }
            false => self.no_such("value", value, values.into_iter().cloned().collect()),
        })
    }

    /// Every scene with something done to it, such as `scenes.map(|scene| scene.only(["car"]))?`: in parallel, in order.
    ///
    /// # Errors
    /// Those of `change`, each with the scene's name; [`ScenesError::Bands`] when the changed scenes do not fit together.
    #[doc(alias = "apply")]
    pub fn map<E>(&self, change: impl Fn(&Scene) -> Result<Scene, E> + Sync) -> Result<Self>
    where
        crate::Error: From<E>,
    {
        let mut report = self.inner.report.clone();
        let members = self.each("changed", &mut report, |_, member| {
            Ok(change(&member.scene)?)
        })?;
        Self::together(members, report, self.inner.skip_broken)
    }

    /// What was left out, assumed or converted: of the scenes together, and of each with its name.
    #[must_use]
    #[doc(alias = "info")]
    #[doc(alias = "warnings")]
    pub fn report(&self) -> Report {
        let mut report = self.inner.report.clone();
        report.extend(super::show::summarized(&self.inner.members));
        report
    }

    /// `12 scenes`, or the name of a single one.
    #[must_use]
    pub fn name(&self) -> String {
        match self.inner.members.as_slice() {
            [one] => one.scene.name(),
            many => format!("{} scenes", many.len()),
        }
    }
}

impl<'a> IntoIterator for &'a Scenes {
    type Item = &'a Scene;
    type IntoIter = std::vec::IntoIter<&'a Scene>;

    fn into_iter(self) -> Self::IntoIter {
        let members = self.inner.members.iter();
        members
            .map(|member| &member.scene)
            .collect::<Vec<_>>()
            .into_iter()
    }
}

/// A single scene, as where scenes are wanted.
impl From<&Scene> for Scenes {
    fn from(scene: &Scene) -> Self {
        let member = Member {
            name: scene.name(),
            scene: scene.clone(),
            columns: BTreeMap::new(),
            folder: None,
        };
        Self::new(vec![member], Report::new(), false)
    }
}

impl From<Scene> for Scenes {
    fn from(scene: Scene) -> Self {
        Self::from(&scene)
    }
}

impl From<&Self> for Scenes {
    fn from(scenes: &Self) -> Self {
        scenes.clone()
    }
}

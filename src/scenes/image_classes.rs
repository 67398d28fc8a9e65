//! Images that are of one class each: sorted into folders, or named in a table.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::collection::Member;
use super::error::{listed, opened_by};
use super::open::{Row, images_and_folders, in_order, opened};
use super::{Scenes, ScenesError, ScenesOptions};
use crate::Result;
use crate::labels::{BACKGROUND, CellRule, Classes};
use crate::paths::expanded;
use crate::report::{Notice, Report};

/// The column that holds the class of an image out of a folder of its class.
const CLASS: &str = "class";
/// The column that holds the folder above that, such as `train`.
const SPLIT: &str = "split";

impl Scenes {
    /// Opens a folder with a folder for each class, the images of the class in it, as torchvision's `ImageFolder` and most data
    /// sets of scene classification have it (EuroSAT, UC Merced, NWPU-RESISC45). Where there is a level of folders more, such
    /// as `train` and `val`, it becomes the column `split`, for [`Scenes::where_column`].
    ///
    /// Every image is labeled with its class as a whole. Classes are in alphabetical order behind the background, which no image
    /// is. Images may be of different sizes; chips are cut of one ([`crate::chips::Chips::sliding`] with the images' own).
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let images = Scenes::class_folders("EuroSAT")?;
    /// let (train, valid) = images.split(SceneSplit::random(0.8).seed(7));
    /// let chips = train.chips(Chips::sliding(64))?;
    /// let model = Classifier::new(ImageClassifier::resnet18(), train.classes());
    /// let run = model.fit(&chips, &valid, FitOptions::epochs(5))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::NoScenes`] where no folder has images; [`ScenesError::TooManyClasses`]; those of [`Scenes::open`].
    #[doc(alias = "ImageFolder")]
    #[doc(alias = "image_folder")]
    #[doc(alias = "NonGeoClassificationDataset")]
    pub fn class_folders(folder: impl AsRef<Path>) -> Result<Self> {
        Self::class_folders_with(folder, ScenesOptions::new())
    }

    /// As [`Scenes::class_folders`] with options of opening.
    ///
    /// # Errors
    /// As [`Scenes::class_folders`].
    pub fn class_folders_with(
        folder: impl AsRef<Path>,
        options: impl Into<ScenesOptions>,
    ) -> Result<Self> {
        let root = expanded(folder.as_ref());
        let mut report = Report::new();
        let (stray, folders) = images_and_folders(&root)?;
        let (mut rows, mut empty, mut deeper) = (Vec::new(), Vec::new(), Vec::new());
        for folder in &folders {
            let (images, within) = images_and_folders(folder)?;
            if images.is_empty() {
                let mut some = false;
                for class in &within {
                    let (images, below) = images_and_folders(class)?;
                    some |= !images.is_empty();
                    deeper.extend(below);
                    rows.extend(rows_of(images, class, Some(folder)));
                }
                if !some {
                    empty.push(name_of(folder));
                }
            } else {
                rows.extend(rows_of(images, folder, None));
                deeper.extend(within);
            }
        }
        if rows.is_empty() {
            let what = format!(
                "{root:?} has {} folders, and none holds images: a folder for each class is expected, the images in it",
                folders.len()
            );
            return Err(ScenesError::NoScenes { what }.into());
        }
        let left_out =
            |count: usize, text: String| (count > 0).then(|| Notice::left_out(text).count(count));
        report.extend(left_out(
            stray.len(),
            format!(
                "{} images of no class lie beside the folders of the classes",
                stray.len()
            ),
        ));
        let mut below = Vec::new();
        for folder in &deeper {
            let images = images_and_folders(folder)?.0.len();
            if images > 0 {
                let place = folder.strip_prefix(&root).unwrap_or(folder);
                below.push((place.display().to_string(), images));
            }
        }
        report.extend(left_out(
            below.iter().map(|(_, images)| images).sum(),
            format!(
                "images in folders within those of classes: {}",
                listed(
                    below
                        .iter()
                        .map(|(folder, images)| format!("{folder} ({images})"))
                )
            ),
        ));
        report.extend(left_out(
            empty.len(),
            format!(
                "{} folders hold no image: {}",
                empty.len(),
                empty.join(", ")
            ),
        ));
        let advised = |error| {
            opened_by(
                error,
                "`Scenes::class_folders_with(folder, ScenesOptions::new().skip_broken())` leaves them out, with a count",
                "`Scenes::class_folders_with(folder, OpenOptions::new().bands([0, 1, 2]))`",
            )
        };
        let images = opened(rows, &options.into(), report).map_err(advised)?;
        images.with_class_column(CLASS)
    }

    /// Labels every scene as a whole with the class that a column of its table names: a table of images and their classes.
    /// Classes are in alphabetical order behind the background.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let images = Scenes::table("images.csv")?.with_class_column("label")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::NoSuchValue`] when there is no such column; [`ScenesError::Broken`] with the scenes that have no value in
    /// it; [`ScenesError::TooManyClasses`].
    pub fn with_class_column(&self, column: &str) -> Result<Self> {
        let value = |member: &Member| {
            let found = member.columns.get(column)?.trim();
            (!found.is_empty()).then(|| found.to_owned())
        };
        let members = &self.inner.members;
        let names: BTreeSet<String> = members.iter().filter_map(value).collect();
        if names.is_empty() {
            let columns = self.columns().into_iter().map(str::to_owned).collect();
            return Err(self.no_such("column", column, columns));
        }
        let others = names.iter().filter(|name| *name != BACKGROUND).count();
        if others > 254 {
            return Err(ScenesError::TooManyClasses { found: others }.into());
        }
        let classes = Classes::new(names.into_iter().filter(|name| name != BACKGROUND));
        let mut report = self.inner.report.clone();
        // The first image chooses colors that stand out from it, and the others have the same.
        let classes = match members.first() {
            Some(first) => first.scene.of_class(0, &classes).classes().clone(),
            None => classes,
        };
        let members = self.each("labeled", &mut report, |_, member| {
            let class = value(member).ok_or_else(|| ScenesError::NoClass {
                column: column.to_owned(),
            })?;
            let index = classes.index_of(&class).unwrap_or(0);
            Ok(member.scene.of_class(index as u8, &classes))
        })?;
        Self::together(members, report, self.inner.skip_broken)
    }

    /// Says for every scene how its cells get their classes; see [`crate::scene::Scene::with_cells`].
    ///
    /// # Errors
    /// As [`crate::scene::Scene::with_cells`], with the scenes' names.
    pub fn with_cells(&self, rule: impl Borrow<CellRule>) -> Result<Self> {
        let rule = rule.borrow();
        self.change_each("labeled", |_, scene| scene.with_cells(rule))
    }
}

/// The images of a folder that is called as their class.
fn rows_of(
    images: Vec<PathBuf>,
    class: &Path,
    split: Option<&PathBuf>,
) -> impl Iterator<Item = Row> {
    let mut columns = BTreeMap::from([(CLASS.to_owned(), name_of(class))]);
    columns.extend(split.map(|split| (SPLIT.to_owned(), name_of(split))));
    let mut images = images;
    images.sort_by_key(|path| in_order(path));
    images.into_iter().map(move |path| Row {
        path,
        columns: columns.clone(),
        folder: None,
    })
}

fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

//! How much of each class there is in each scene.

use rayon::prelude::*;

use super::{Scenes, ScenesError};
use crate::display::{Output, Show, in_font};
use crate::host::Step;
use crate::labels::{Classes, IGNORE};
use crate::plot::{table_html, table_text};
use crate::raster::{PixelWindow, Size};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::{Result, session};

/// Scenes in the table.
const ROWS: usize = 20;
/// Labels that are drawn at a time.
const TILE: Size = Size {
    width: 1024,
    height: 1024,
};

/// Pixels and objects of each class, of all scenes and of each: what a split or a training should know of its balance.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassShares {
    classes: Classes,
    scenes: Vec<SceneShares>,
}

/// Those of one scene, by class index.
#[derive(Clone, Debug, PartialEq)]
struct SceneShares {
    name: String,
    pixels: Vec<u64>,
    ignored: u64,
    objects: Vec<u64>,
    /// Scenes, and those of them that have neither labels nor boxes.
    scenes: usize,
    unlabeled: usize,
}

impl Scenes {
    /// Counts the labeled pixels of each class, and the objects whose center lies where labels count, in every scene: the
    /// labels are drawn once, in parallel.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let (west, east) = samples::town(1, 256)?.scene()?.split(Split::columns(0.5));
    /// let shares = Scenes::of([west, east])?.class_shares()?;
    /// assert_eq!((0..5).map(|class| shares.pixels(class)).sum::<u64>(), 256 * 256);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of reading labels.
    #[doc(alias = "value_counts")]
    #[doc(alias = "class_balance")]
    #[doc(alias = "bincount")]
    pub fn class_shares(&self) -> Result<ClassShares> {
        let all: Vec<(&str, &Scene)> = self.names().zip(self.iter()).collect();
        let classes = self.classes().len();
        let scenes = all
            .par_iter()
            .map(|&(name, scene)| shares(name, scene, classes))
            .collect::<Result<_>>()?;
        Ok(ClassShares {
            classes: self.classes().clone(),
            scenes,
        })
    }
}

impl Scene {
    /// As [`Scenes::class_shares`], of one scene.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let shares = samples::town(1, 256)?.scene()?.class_shares()?;
    /// assert!(shares.pixels(1) > 0);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of reading labels.
    #[doc(alias = "value_counts")]
    #[doc(alias = "class_balance")]
    pub fn class_shares(&self) -> Result<ClassShares> {
        Scenes::of([self])?.class_shares()
    }
}

fn shares(name: &str, scene: &Scene, classes: usize) -> Result<SceneShares> {
    let mut found = SceneShares {
        name: name.to_owned(),
        pixels: vec![0; classes],
        ignored: 0,
        objects: vec![0; classes],
        scenes: 1,
        unlabeled: usize::from(!scene.has_labels() && !scene.has_boxes()),
    };
    let area = scene.area();
    if scene.has_labels() {
        for tile in area.tiles(TILE) {
            session::check_interrupt("counting classes")?;
            for label in scene.label_window(&tile)? {
                match found.pixels.get_mut(usize::from(label)) {
                    Some(count) => *count += 1,
                    None => found.ignored += u64::from(label == IGNORE),
                }
            }
        }
    }
    for one in scene.all_boxes() {
        let (x, y) = one.bounds.center();
        let (col, row) = (x.floor() as i64, y.floor() as i64);
        if area.contains_pixel(col, row)
            && scene.counts_in(&PixelWindow::new(col, row, 1, 1))
            && let Some(count) = found.objects.get_mut(one.class)
        {
            *count += 1;
        }
    }
    Ok(found)
}

impl ClassShares {
    /// Those of the parts of a split beside each other, a row for each part: whether every part has every class, before a
    /// training shows that one has not.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let (train, valid) = samples::town(1, 256)?.scene()?.split(Split::columns(0.75));
    /// let parts = [("train", Scenes::of([train])?), ("valid", Scenes::of([valid])?)];
    /// let shares = ClassShares::of_parts(parts.iter().map(|(name, scenes)| (*name, scenes)))?;
    /// assert!(shares.output().text.contains("valid"));
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::PartsOfOtherClasses`] for parts whose classes are not the same, and those of [`Scenes::class_shares`].
    pub fn of_parts<'a, S: Into<String>>(
        parts: impl IntoIterator<Item = (S, &'a Scenes)>,
    ) -> Result<Self> {
        let mut all: Option<Self> = None;
        for (name, scenes) in parts {
            let name = name.into();
            let of_part = scenes.class_shares()?;
            let count = of_part.classes.len();
            let sum = |of: fn(&SceneShares) -> &Vec<u64>| -> Vec<u64> {
                let one = |class: usize| of_part.scenes.iter().map(|scene| of(scene)[class]).sum();
                (0..count).map(one).collect()
            };
            let row = SceneShares {
                pixels: sum(|scene| &scene.pixels),
                objects: sum(|scene| &scene.objects),
                ignored: of_part.scenes.iter().map(|scene| scene.ignored).sum(),
                scenes: of_part.scenes.len(),
                unlabeled: of_part.scenes.iter().map(|scene| scene.unlabeled).sum(),
                name,
            };
            match &mut all {
                None => {
                    all = Some(Self {
                        classes: of_part.classes,
                        scenes: vec![row],
                    });
                }
                Some(all) if all.classes.names() == of_part.classes.names() => all.scenes.push(row),
                Some(all) => {
                    let owned = |classes: &Classes| {
                        let names = classes.names().into_iter();
                        names.map(str::to_owned).collect::<Vec<_>>()
                    };
                    return Err(ScenesError::PartsOfOtherClasses {
                        part: row.name,
                        expected: owned(&all.classes),
                        found: owned(&of_part.classes),
                    }
                    .into());
                }
            }
        }
        Ok(all.unwrap_or_else(|| Self {
            classes: Classes::new(Vec::<String>::new()),
            scenes: Vec::new(),
        }))
    }

    /// Pixels of a class in all scenes, by its index.
    #[must_use]
    pub fn pixels(&self, class: usize) -> u64 {
        let of_scenes = self
            .scenes
            .iter()
            .filter_map(|scene| scene.pixels.get(class));
        of_scenes.sum()
    }

    /// Objects of a class in all scenes, by its index.
    #[must_use]
    pub fn objects(&self, class: usize) -> u64 {
        let of_scenes = self
            .scenes
            .iter()
            .filter_map(|scene| scene.objects.get(class));
        of_scenes.sum()
    }

    /// The part of the labeled pixels of all scenes that are of a class; NaN where nothing is labeled.
    #[must_use]
    pub fn share(&self, class: usize) -> f64 {
        let all: u64 = (0..self.classes.len())
            .map(|class| self.pixels(class))
            .sum();
        self.pixels(class) as f64 / all as f64
    }

    /// Scenes in which a class occurs, as pixels or objects.
    #[must_use]
    pub fn scenes_with(&self, class: usize) -> usize {
        let some = |counts: &[u64]| counts.get(class).is_some_and(|&count| count > 0);
        let scenes = self.scenes.iter();
        scenes
            .filter(|scene| some(&scene.pixels) || some(&scene.objects))
            .count()
    }

    /// Weights for [`crate::train::FitOptions::class_weights`] by which every class counts as much as any other: the mean
    /// number of pixels of a class by its own, and 1 for a class that does not occur.
    ///
    /// # Source
    /// scikit-learn's `compute_class_weight("balanced", …)`.
    #[must_use]
    #[doc(alias = "compute_class_weight")]
    pub fn balanced_weights(&self) -> Vec<f64> {
        let counts: Vec<u64> = (0..self.classes.len())
            .map(|class| self.pixels(class))
            .collect();
        let present = counts.iter().filter(|&&count| count > 0).count();
        let mean = counts.iter().sum::<u64>() as f64 / present.max(1) as f64;
        let weight = |&count: &u64| if count == 0 { 1.0 } else { mean / count as f64 };
        counts.iter().map(weight).collect()
    }

    /// Which scenes have neither labels nor boxes, so that nothing could be counted in them.
    #[must_use]
    #[doc(alias = "warnings")]
    pub fn report(&self) -> Report {
        let mut report = Report::new();
        let without: Vec<&SceneShares> =
            self.scenes.iter().filter(|one| one.unlabeled > 0).collect();
        let Some(first) = without.first() else {
            return report;
        };
        let count: usize = without.iter().map(|one| one.unlabeled).sum();
        let all: usize = self.scenes.iter().map(|one| one.scenes).sum();
        let text = match (count == all, count) {
            (true, 1) => "the scene has neither labels nor boxes: nothing was counted".to_owned(),
            (true, _) => format!("none of {all} scenes has labels or boxes: nothing was counted"),
            (false, _) => format!(
                "{count} of {all} scenes have neither labels nor boxes, and the shares are those of the others"
            ),
        };
        let about = match without.len() {
            1 => first.name.clone(),
            _ => format!("the first is {}", first.name),
        };
        report.push(Notice::noted(text).about(about).count(count).next(format!(
            "{} or {} gives some",
            Step::GiveLabels,
            Step::GiveBoxes
        )));
        report
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |name: &str, pixels: &[u64], objects: &[u64], ignored: u64, nothing: bool| {
            let all: u64 = pixels.iter().sum();
            let cells = (0..self.classes.len()).map(|class| {
                if nothing {
                    return "–".to_owned();
                }
                let (pixels, objects) = (pixels[class], objects[class]);
                match (all, objects) {
                    (0, objects) => objects.to_string(),
                    (all, 0) => percent(pixels, all),
                    (all, objects) => format!("{} ({objects})", percent(pixels, all)),
                }
            });
            let mut cells: Vec<String> = std::iter::once(name.to_owned()).chain(cells).collect();
            cells.push(match all + ignored {
                0 => "–".to_owned(),
                whole => percent(ignored, whole),
            });
            cells
        };
        let classes = 0..self.classes.len();
        let pixels: Vec<u64> = classes.clone().map(|class| self.pixels(class)).collect();
        let objects: Vec<u64> = classes.map(|class| self.objects(class)).collect();
        let ignored = self.scenes.iter().map(|scene| scene.ignored).sum();
        let bare = |one: &SceneShares| one.unlabeled == one.scenes;
        let nothing = self.scenes.iter().all(bare);
        let mut rows = vec![row("all together", &pixels, &objects, ignored, nothing)];
        let each = self.scenes.iter().take(ROWS);
        rows.extend(
            each.map(|one| row(&one.name, &one.pixels, &one.objects, one.ignored, bare(one))),
        );
        rows
    }
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", part as f64 * 100.0 / whole.max(1) as f64)
}

/// A table: the share of each class among the labeled pixels, and the objects in brackets.
impl Show for ClassShares {
    fn output(&self) -> Output {
        let names = self.classes.names();
        let heads: Vec<&str> = std::iter::once("scene")
            .chain(names)
            .chain(["ignored"])
            .collect();
        let rows = self.rows();
        let more = match self.scenes.len().saturating_sub(ROWS) {
            0 => String::new(),
            more => format!("… and {more} more scenes\n"),
        };
        let note = "the share of the labeled pixels, in brackets the objects";
        let text = format!("{}\n{more}{note}", table_text(&heads, &rows));
        let html = format!("{}<div>{more}{note}</div>", table_html(&heads, &rows));
        Output {
            alt: format!("Class shares of {} scenes", self.scenes.len()),
            ..Output::html(text, in_font(html))
        }
        .with_report(&self.report())
    }
}

crate::show_in_cells!(ClassShares);

//! Predictions of many scenes, and their scores together and apart.

use std::path::Path;

use super::PredictError;
use super::options::OptionsFor;
use super::predictable::{Predictable, predict_together};
use super::progress::Progress;
use super::save::SavedFiles;
use crate::display::fields::titled;
use crate::display::{FONT, Output, Show, escape, in_font};
use crate::evaluate::EvaluateError;
use crate::models::{Model, Segmentation};
use crate::plot::{table_html, table_text};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::scenes::{Scenes, told_apart};
use crate::{Error, Result, session};

/// Scenes in a table.
const ROWS: usize = 12;

/// What models predict: one scene, or many.
#[diagnostic::on_unimplemented(
    message = "a model predicts a scene or scenes, not `{Self}`",
    label = "expected `&Scene` or `&Scenes`",
    note = "`Scene::open(\"scene.tif\")?` opens a file, `Scenes::open(\"tiles/*.tif\")?` many"
)]
pub trait Imagery<T: Predictable> {
    /// What it becomes: a scene a [`Predictable::Prediction`], scenes [`Predictions`].
    type Prediction;
    /// What that gets against labels: a scene [`Predictable::Scores`], scenes [`ScenesScores`].
    type Scores;

    /// Predicts with several models together.
    ///
    /// # Errors
    /// As [`Model::predict`].
    fn predict(self, models: &[Model<T>], options: &OptionsFor<T>) -> Result<Self::Prediction>;

    /// Predicts and scores.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    fn evaluate(self, models: &[Model<T>], options: &OptionsFor<T>) -> Result<Self::Scores>;
}

impl<T: Predictable> Imagery<T> for &Scene {
    type Prediction = T::Prediction;
    type Scores = T::Scores;

    fn predict(self, models: &[Model<T>], options: &OptionsFor<T>) -> Result<T::Prediction> {
        predict_together(models, self, options)
    }

    fn evaluate(self, models: &[Model<T>], options: &OptionsFor<T>) -> Result<T::Scores> {
        T::evaluate(&predict_together(models, self, options)?, self)
    }
}

impl<T: Predictable> Imagery<T> for &Scenes {
    type Prediction = Predictions<T>;
    type Scores = ScenesScores<T>;

    fn predict(self, models: &[Model<T>], options: &OptionsFor<T>) -> Result<Predictions<T>> {
        let mut all = Vec::with_capacity(self.len());
        let (options, mut progress) = told_by_scene(self, options, "predicting");
        for (name, scene) in self.names().zip(self.iter()) {
            session::check_interrupt("predicting scenes")?;
            all.push((name.to_owned(), predict_together(models, scene, &options)?));
            progress.add(1);
        }
        Ok(Predictions { all })
    }

    /// One scene after the other: no more than one prediction is held.
    fn evaluate(self, models: &[Model<T>], options: &OptionsFor<T>) -> Result<ScenesScores<T>> {
        let mut each = Vec::with_capacity(self.len());
        let (options, mut progress) = told_by_scene(self, options, "scoring");
        for (name, scene) in self.names().zip(self.iter()) {
            session::check_interrupt("scoring scenes")?;
            let prediction = predict_together(models, scene, &options)?;
            each.push((name.to_owned(), T::evaluate(&prediction, scene)));
            progress.add(1);
        }
        ScenesScores::of_those_with_labels(each)
    }
}

/// One line of progress for all scenes, and options by which each is quiet; a single scene tells of its windows.
pub(super) fn told_by_scene<T: Predictable>(
    scenes: &Scenes,
    options: &OptionsFor<T>,
    doing: &'static str,
) -> (OptionsFor<T>, Progress) {
    let one = scenes.len() == 1;
    let progress = Progress::of(
        doing,
        ("scenes", "scenes"),
        scenes.len(),
        one || options.is_quiet(),
    );
    let options = match one {
        true => options.clone(),
        false => options.clone().quiet(true),
    };
    (options, progress)
}

/// The predictions of many scenes, each under its scene's name. Each holds its working files until it is dropped:
/// [`Model::predict_to`] saves them one by one instead.
pub struct Predictions<T: Predictable = Segmentation> {
    all: Vec<(String, T::Prediction)>,
}

impl<T: Predictable> Predictions<T> {
    /// Scenes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The prediction of a scene, counted from 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T::Prediction> {
        self.all.get(index).map(|(_, prediction)| prediction)
    }

    /// The prediction of the scene of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&T::Prediction> {
        let found = self.all.iter().find(|(other, _)| other == name);
        found.map(|(_, prediction)| prediction)
    }

    /// The predictions with the names of their scenes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T::Prediction)> {
        let all = self.all.iter();
        all.map(|(name, prediction)| (name.as_str(), prediction))
    }

    /// Predictions with the names of their scenes.
    pub(super) fn of(all: Vec<(String, T::Prediction)>) -> Self {
        Self { all }
    }

    /// Whether these are the scenes that were predicted.
    pub(crate) fn check_scenes(&self, scenes: &Scenes) -> Result<(), PredictError> {
        let names: Vec<&str> = scenes.names().collect();
        let predicted: Vec<&str> = self.all.iter().map(|(name, _)| name.as_str()).collect();
        if names != predicted {
            return Err(PredictError::OtherScenes {
                expected: predicted.len(),
                found: names.len(),
                first: predicted
                    .iter()
                    .find(|name| !names.contains(*name))
                    .map_or_else(String::new, |name| (*name).to_owned()),
            });
        }
        Ok(())
    }

    /// Scores every prediction against the labels of its scene, and all together.
    ///
    /// # Errors
    /// [`PredictError::OtherScenes`] for other scenes than those that were predicted; when a scene has no labels, or others.
    pub fn evaluate(&self, scenes: &Scenes) -> Result<ScenesScores<T>> {
        self.check_scenes(scenes)?;
        let mut each = Vec::with_capacity(self.len());
        for ((name, prediction), scene) in self.all.iter().zip(scenes.iter()) {
            session::check_interrupt("scoring scenes")?;
            each.push((name.clone(), T::evaluate(prediction, scene)));
        }
        ScenesScores::of_those_with_labels(each)
    }

    /// Saves every prediction into a folder of its own within `folder`, called as its scene.
    ///
    /// # Errors
    /// When the files cannot be written.
    #[doc(alias = "write")]
    #[doc(alias = "export")]
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<Vec<SavedFiles>> {
        let folder = crate::paths::expanded(folder.as_ref()).into_owned();
        let names = folder_names(self.all.iter().map(|(name, _)| name.as_str()));
        let one = |(name, (_, prediction)): (String, &(String, T::Prediction))| {
            session::check_interrupt("saving predictions")?;
            T::save(prediction, &folder.join(name))
        };
        names.into_iter().zip(&self.all).map(one).collect()
    }
}

/// The scenes' names as those of folders, all of them different.
pub(crate) fn folder_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let allowed = |letter: char| match letter {
        '/' | '\\' | ':' | '\0' => '_',
        other => other,
    };
    told_apart(names.map(|name| name.chars().map(allowed).collect()))
}

/// Not derived: that would ask for a task that has it.
impl<T: Predictable> std::fmt::Debug for Predictions<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self
            .all
            .iter()
            .take(4)
            .map(|(name, _)| name.as_str())
            .collect();
        let more = if self.len() > 4 { ", …" } else { "" };
        write!(f, "Predictions({}: {}{more})", self.len(), names.join(", "))
    }
}

/// The scores of many scenes: of all together, as of one large scene, and of each.
pub struct ScenesScores<T: Predictable = Segmentation> {
    pooled: T::Scores,
    each: Vec<(String, T::Scores)>,
    report: Report,
}

impl<T: Predictable> ScenesScores<T> {
    /// Scores of scenes by their names.
    ///
    /// # Errors
    /// [`crate::evaluate::EvaluateError`] when the classes of the scenes are not the same.
    pub(crate) fn of(each: Vec<(String, T::Scores)>) -> Result<Self> {
        let all: Vec<&T::Scores> = each.iter().map(|(_, scores)| scores).collect();
        Ok(Self {
            pooled: T::pool(&all)?,
            each,
            report: Report::new(),
        })
    }

    /// Those of scenes that have something to be scored against; the others are left out, and told.
    fn of_those_with_labels(outcomes: Vec<(String, Result<T::Scores>)>) -> Result<Self> {
        let all = outcomes.len();
        let (mut each, mut without) = (Vec::with_capacity(all), Vec::new());
        for (name, outcome) in outcomes {
            match outcome {
                Ok(scores) => each.push((name, scores)),
                Err(error @ Error::Evaluate(EvaluateError::NoLabels { .. })) => {
                    without.push((name, error));
                }
                Err(error) => return Err(error),
            }
        }
        if each.is_empty()
            && let Some((_, error)) = without.pop()
        {
            return Err(error);
        }
        let mut scores = Self::of(each)?;
        if !without.is_empty() {
            let names: Vec<&str> = without
                .iter()
                .take(5)
                .map(|(name, _)| name.as_str())
                .collect();
            let text = format!(
                "{} of {all} scenes have no labeled pixel to score against, such as {}",
                without.len(),
                names.join(", ")
            );
            scores
                .report
                .push(Notice::left_out(text).count(without.len()));
        }
        Ok(scores)
    }

    /// What a person should know about the scores of all: scenes that have none.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// All pixels, or all boxes, of all scenes together: large scenes count for more. This is what is usually published.
    #[must_use]
    #[doc(alias = "micro")]
    #[doc(alias = "total")]
    pub fn pooled(&self) -> &T::Scores {
        &self.pooled
    }

    /// The scores of each scene with its name.
    pub fn each(&self) -> impl ExactSizeIterator<Item = (&str, &T::Scores)> {
        self.each
            .iter()
            .map(|(name, scores)| (name.as_str(), scores))
    }

    /// The scores of the scene of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&T::Scores> {
        let found = self.each.iter().find(|(other, _)| other == name);
        found.map(|(_, scores)| scores)
    }

    /// The pooled scores and those of each scene as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let each = self.each.iter().map(|(name, scores)| {
            let figures = T::FIGURES.iter().zip(T::figures(scores));
            let mut row: serde_json::Map<String, serde_json::Value> = figures
                .map(|(head, value)| ((*head).to_owned(), number(value)))
                .collect();
            row.insert("scene".to_owned(), name.clone().into());
            serde_json::Value::Object(row)
        });
        let pooled: serde_json::Map<String, serde_json::Value> = T::FIGURES
            .iter()
            .zip(T::figures(&self.pooled))
            .map(|(head, value)| ((*head).to_owned(), number(value)))
            .collect();
        serde_json::json!({"pooled": pooled, "scenes": each.collect::<Vec<_>>()})
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |name: &str, scores: &T::Scores| {
            let figures = T::FIGURES.iter().zip(T::figures(scores));
            let cells = figures.map(|(head, value)| cell(head, value));
            std::iter::once(name.to_owned()).chain(cells).collect()
        };
        let mut rows = vec![row("all together", &self.pooled)];
        // The worst come first: they are what one looks at.
        let mut each: Vec<&(String, T::Scores)> = self.each.iter().collect();
        let main = |scores: &T::Scores| T::figures(scores).first().copied().unwrap_or(f64::NAN);
        each.sort_by(|a, b| main(&a.1).total_cmp(&main(&b.1)));
        rows.extend(
            each.into_iter()
                .take(ROWS)
                .map(|(name, scores)| row(name, scores)),
        );
        rows
    }
}

impl<T: Predictable<Scores: Show>> Show for ScenesScores<T> {
    fn output(&self) -> Output {
        let heads: Vec<&str> = std::iter::once("scene")
            .chain(T::FIGURES.iter().copied())
            .collect();
        let rows = self.rows();
        let more = match self.each.len().saturating_sub(ROWS) {
            0 => String::new(),
            more => format!("… and {more} better ones"),
        };
        let of_all = self.pooled.output();
        let text = format!("{}\n{more}\n{}", table_text(&heads, &rows), of_all.text);
        let html = format!(
            "<div style=\"{FONT}\">{}<div>{}</div>{}</div>",
            table_html(&heads, &rows),
            escape(&more),
            of_all
                .html
                .clone()
                .unwrap_or_else(|| format!("<pre>{}</pre>", escape(&of_all.text)))
        );
        let alt = format!("Scores of {} scenes. {}", self.each.len(), of_all.alt);
        Output {
            alt,
            ..Output::html(text, in_font(html))
        }
        .with_report(&self.report)
    }
}

impl<T: Predictable> std::fmt::Debug for ScenesScores<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let figures = T::FIGURES.iter().zip(T::figures(&self.pooled));
        let words: Vec<String> = figures
            .map(|(head, value)| format!("{head} {}", cell(head, value)))
            .collect();
        write!(
            f,
            "ScenesScores({} scenes, {})",
            self.each.len(),
            words.join(", ")
        )
    }
}

crate::show_in_cells!(<T: Predictable<Scores: Show>> ScenesScores<T>);
crate::show_in_cells!(<T: Predictable> Predictions<T>);

/// How many, of which scenes, and what they are for.
impl<T: Predictable> Show for Predictions<T> {
    fn output(&self) -> Output {
        let names: Vec<&str> = self
            .all
            .iter()
            .take(ROWS)
            .map(|(name, _)| name.as_str())
            .collect();
        let more = match self.len().saturating_sub(ROWS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let facts = [
            ("predicted scenes", self.len().to_string()),
            ("names", format!("{}{more}", names.join(", "))),
            ("one of them", "`.get(0)`, `.named(\"…\")`".to_owned()),
            (
                "all of them",
                "`.evaluate(&scenes)?`, `.save(\"folder\")?`".to_owned(),
            ),
        ];
        titled("Predictions", &facts)
    }
}

fn number(value: f64) -> serde_json::Value {
    match value.is_finite() {
        true => value.into(),
        false => serde_json::Value::Null,
    }
}

/// Figures that are counts and no shares.
const COUNTS: [&str; 3] = ["cells", "pixels", "objects"];

fn cell(head: &str, value: f64) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else if COUNTS.contains(&head) {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn counts_are_whole_and_shares_have_three_digits() {
        let shown = [
            ("cells", 1.0),
            ("objects", 0.0),
            ("pixels", 4096.0),
            ("AP50", 1.0),
        ];
        let shown = shown.map(|(head, value)| cell(head, value));
        assert_eq!(shown, ["1", "0", "4096", "1.000"]);
        assert_eq!(cell("AP50", f64::NAN), "–");
    }
}

//! What predicting and scoring do alike for every task; a task says what is its own.

use std::path::Path;

use serde_json::{Value, json};
use swath_cli::{EvaluateArguments, PredictArguments};

use super::job::Job;
use super::many::{self, Together, Work};
use super::scenes::{Labels, each_scene, files, labeled_scene, say};
use super::{Failure, report};
use crate::display::{Output, Show};
use crate::models::{Model, TrainedBand};
use crate::predict::{Ensemble, OptionsFor, Predictable, SavedFiles, ScenesScores, write_synced};
use crate::raster::PixelWindow;
use crate::scene::Scene;
use crate::scenes::{ListedScene, names};
use crate::session::{self, Event};
use crate::{Error, Result};

/// A task on the command line.
pub(super) trait CommandTask: Predictable<Scores: Show> {
    /// What its labels are.
    const LABELS: Labels;

    /// How scenes are predicted; a mistake when an option was given that is for other tasks.
    fn options(job: &Job<'_>) -> Result<OptionsFor<Self>, Failure>;

    /// Whether a scene has labels to score against.
    fn is_labeled(scene: &Scene) -> bool;

    /// What is told of a prediction in an area, before its scores.
    fn summary(prediction: &Self::Prediction, area: &PixelWindow) -> Option<Output>;

    /// The scores as a file has them.
    fn json(scores: &Self::Scores) -> Value;

    /// Saves a prediction.
    ///
    /// # Errors
    /// When the files cannot be written.
    fn write(prediction: &Self::Prediction, folder: &Path, job: &Job<'_>) -> Result<SavedFiles>;

    /// Scores what was saved in a folder.
    ///
    /// # Errors
    /// When it cannot be read, or the scene has no labels.
    fn score_saved(folder: &Path, scene: &Scene) -> Result<Self::Scores>;

    /// Saves what lies in the folders of several scenes as one, in `folder`; `opened` opens one of them. What cannot be joined
    /// is left out and told.
    ///
    /// # Errors
    /// When files cannot be read or written.
    fn join(
        together: &Together<'_>,
        models: &Ensemble<Self>,
        opened: &dyn Fn(usize) -> Result<Scene, Failure>,
        folder: &Path,
        job: &Job<'_>,
    ) -> Result<SavedFiles, Failure>;
}

/// Predicts every scene, scores those with labels, and saves the files.
pub(super) fn predict<T: CommandTask>(
    job: &Job<'_>,
    arguments: &PredictArguments,
) -> Result<(), Failure> {
    let (models, options) = models::<T>(job)?;
    let job = &Job {
        trained: trained_bands(&models),
        ..*job
    };
    let items = many::items(files(&arguments.scenes, job, T::LABELS)?, &arguments.out);
    let work = Work::open::<T>(job, &options, items.len(), arguments)?;
    let what = &arguments.many;
    if what.join {
        return many::merge::<T>(&models, &work, &items, job, arguments);
    }
    if let (Some(plan), Some(parts)) = (&what.plan, what.parts) {
        return many::write_plan(&work, &items, job, (plan, parts));
    }
    let items = many::of_part(items, arguments)?;
    let all = items.len();
    each_scene(&items, arguments, |item, number| {
        let (listed, folder) = (&item.listed, item.folder.as_path());
        if !job.quiet {
            session::tell(|| begun(listed, number, all, Some(folder)));
        }
        let Some(todo) = work.look(item, job)? else {
            if !job.quiet {
                session::tell(|| {
                    Event::new("finished", "finished before", json!({ "path": folder }))
                });
            }
            return Ok(());
        };
        let scene = labeled_scene(listed, job, models.classes(), T::LABELS)?;
        let prediction = models.predict_with(&scene, &options)?;
        if let Some(summary) = T::summary(&prediction, &scene.area()) {
            say(job.quiet, || summary);
        }
        if T::is_labeled(&scene) {
            let scores = T::evaluate(&prediction, &scene)?;
            say(job.quiet, || scores.output());
            scored(job.quiet, Some(listed), &T::json(&scores));
        }
        todo.begin(item)?;
        let saved = T::write(&prediction, &item.folder, job)?;
        say(job.quiet, || saved.output());
        if !job.quiet {
            session::tell(|| Event::new("file", "", json!({ "path": item.folder })));
        }
        todo.finish(item, &saved)?;
        Ok(())
    })
}

/// A scene is about to be predicted.
fn begun(listed: &ListedScene, number: usize, all: usize, folder: Option<&Path>) -> Event {
    let facts = json!({ "scene": listed.path, "number": number, "of": all, "folder": folder });
    // One scene needs no line of its own, and one that gets a folder has it already.
    let text = match (all, folder) {
        (1, _) | (_, Some(_)) => String::new(),
        _ => format!("scene {number} of {all}: {}", listed.path.display()),
    };
    Event::new("scene", text, facts)
}

/// Tells programs of scores: those of a scene, or of all together.
fn scored(quiet: bool, listed: Option<&ListedScene>, json: &Value) {
    if !quiet {
        session::tell(|| {
            let facts = json!({ "scene": listed.map(|listed| &listed.path), "scores": json });
            Event::new("scores", "", facts)
        });
    }
}

/// Predicts scenes and scores the predictions, several together and each of them. One that fails is reported, and the others
/// are scored.
pub(super) fn evaluate<T: CommandTask>(
    job: &Job<'_>,
    arguments: &EvaluateArguments,
) -> Result<(), Failure> {
    let (models, options) = models::<T>(job)?;
    let job = &Job {
        trained: trained_bands(&models),
        ..*job
    };
    let scenes = files(&arguments.scenes, job, T::LABELS)?;
    if let [one] = scenes.as_slice() {
        let scene = labeled_scene(one, job, models.classes(), T::LABELS)?;
        return score::<T>(&models.predict_with(&scene, &options)?, &scene, arguments);
    }
    let (mut each, mut failed) = (Vec::with_capacity(scenes.len()), Vec::new());
    for (index, (name, listed)) in names(&scenes).into_iter().zip(&scenes).enumerate() {
        if !job.quiet {
            session::tell(|| begun(listed, index + 1, scenes.len(), None));
        }
        let scored = || -> Result<T::Scores, Failure> {
            let scene = labeled_scene(listed, job, models.classes(), T::LABELS)?;
            Ok(T::evaluate(
                &models.predict_with(&scene, &options)?,
                &scene,
            )?)
        };
        match scored() {
            Err(Failure::Error(error)) if !matches!(error, Error::Interrupted { .. }) => {
                report(&error);
                failed.push(json!({ "scene": name, "error": error.to_string() }));
            }
            scores => each.push((name, scores?)),
        }
    }
    let count = failed.len();
    if each.is_empty() {
        // Nothing is left that an earlier run may have written.
        if let Some(path) = &arguments.json {
            let json = json!({ "pooled": null, "scenes": [], "failed": failed });
            write_synced(path, format!("{json:#}\n").as_bytes())?;
        }
    } else {
        let scores = ScenesScores::<T>::of(each)?;
        let mut json = scores.to_json();
        if let (Some(json), true) = (json.as_object_mut(), count > 0) {
            json.insert("failed".to_owned(), failed.into());
        }
        tell(&scores, &json, None, arguments)?;
    }
    if count > 0 {
        return Err(Failure::Some {
            failed: count,
            of: scenes.len(),
            done: "scored",
        });
    }
    Ok(())
}

/// Scores a prediction against a scene's labels.
pub(super) fn score<T: CommandTask>(
    prediction: &T::Prediction,
    scene: &Scene,
    arguments: &EvaluateArguments,
) -> Result<(), Failure> {
    let scores = T::evaluate(prediction, scene)?;
    tell(
        &scores,
        &T::json(&scores),
        T::summary(prediction, &scene.area()),
        arguments,
    )
}

/// Writes scores to the file that was asked for, and shows them.
pub(super) fn tell(
    scores: &impl Show,
    json: &Value,
    summary: Option<Output>,
    arguments: &EvaluateArguments,
) -> Result<(), Failure> {
    if let Some(path) = &arguments.json {
        write_synced(path, format!("{json:#}\n").as_bytes())?;
    }
    scored(arguments.quiet, None, json);
    // What was asked for is in the file, where there is one.
    if !(arguments.quiet && arguments.json.is_some()) {
        summary.into_iter().for_each(session::result);
        session::result(scores.output());
    }
    Ok(())
}

/// What the first of the models knows of the bands of its training; the others have the same.
fn trained_bands<T: CommandTask>(models: &Ensemble<T>) -> &[TrainedBand] {
    let meta = models.models().first().and_then(Model::meta);
    // Bands that were computed from others are computed again.
    meta.filter(|meta| meta.transforms.is_empty())
        .map_or(&[], |meta| meta.trained_bands.as_slice())
}

/// The model that the first word names, averaged with further ones.
fn models<T: CommandTask>(job: &Job<'_>) -> Result<(Ensemble<T>, OptionsFor<T>), Failure> {
    let device = job.device()?;
    let load = |path: &Path| -> Result<Model<T>> {
        let model = Model::load(path)?;
        Ok(match &device {
            Some(device) => model.device(device),
            None => model,
        })
    };
    let models = job.bundles().map(load).collect::<Result<Vec<_>>>()?;
    let options = T::options(job)?;
    Ok((Ensemble::new(&models)?, options))
}

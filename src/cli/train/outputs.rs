//! What a finished training writes: each file whole, or not at all.

use std::path::Path;

use serde_json::{Value, json};
use swath_cli::project::Project;

use super::super::Failure;
use super::super::scenes::folders;
use super::super::task::CommandTask;
use crate::display::{Output, Show as _};
use crate::models::Model;
use crate::predict::{Ensemble, OptionsFor, Predictable, ScenesScores, write_synced};
use crate::scenes::Scenes;
use crate::session::{self, Event};
use crate::train::{Run, Trainable};

/// Writes everything that the project file asks for.
pub(super) fn write<T: CommandTask + Trainable>(
    project: &Project,
    run: &Run<Model<T>>,
    valid: &Scenes,
    quiet: bool,
) -> Result<(), Failure> {
    let history = project.history();
    let text = format!("{:#}\n", of_run(run));
    with_folder(&history, |path| Ok(write_synced(path, text.as_bytes())?))?;
    told(&history, quiet);
    if !super::is_validated(run) {
        // Weights of before the first validation are worth nothing that a file should hold.
        return Ok(());
    }
    let model = project.model();
    with_folder(&model, |path| Ok(run.best().save(path)?))?;
    told(&model, quiet);
    if let Some(last) = &project.outputs.last {
        let last = project.path(last);
        with_folder(&last, |path| Ok(run.last().save(path)?))?;
        told(&last, quiet);
    }
    predictions(project, run.best(), valid, quiet)
}

/// The course of a run and why it ended.
fn of_run<M>(run: &Run<M>) -> Value {
    let best = run.history().best().map(|best| best.epoch);
    json!({
        "summary": run.summary(),
        "best_epoch": best,
        "score_name": run.history().score_name(),
        "epochs": run.history().epochs,
        "step_losses": run.history().step_losses,
    })
}

/// Predicts the scenes that were validated on, where their scores or predictions are wanted.
fn predictions<T: CommandTask + Trainable>(
    project: &Project,
    model: &Model<T>,
    valid: &Scenes,
    quiet: bool,
) -> Result<(), Failure> {
    let outputs = &project.outputs;
    let scores = outputs.scores.as_ref().map(|file| project.path(file));
    let folder = outputs
        .predictions
        .as_ref()
        .map(|folder| project.path(folder));
    if scores.is_none() && folder.is_none() {
        return Ok(());
    }
    let any = project.fit.any_values == Some(true);
    let mut options = OptionsFor::<T>::new().quiet(quiet).any_values(any);
    if let Some(threshold) = outputs.threshold {
        options = options.threshold(threshold);
    }
    let models = Ensemble::new(std::slice::from_ref(model))?;
    let names: Vec<&str> = valid.names().collect();
    let out = folder.clone().unwrap_or_default();
    let mut each = Vec::with_capacity(names.len());
    for ((name, scene), folder_of) in names.iter().zip(valid.iter()).zip(folders(&names, &out)) {
        session::check_interrupt("predicting the validation scenes")?;
        let prediction = models.predict_with(scene, &options)?;
        if folder.is_some() {
            let saved = <T as Predictable>::save(&prediction, &folder_of)?;
            if !quiet {
                session::result(saved.output());
            }
            told(&folder_of, quiet);
        }
        if scores.is_some() {
            each.push(((*name).to_owned(), T::evaluate(&prediction, scene)?));
        }
    }
    let Some(path) = scores else {
        return Ok(());
    };
    let (json, shown) = match each.as_slice() {
        [(_, one)] => (T::json(one), one.output()),
        _ => {
            let scores = ScenesScores::<T>::of(each)?;
            (scores.to_json(), scores.output())
        }
    };
    with_folder(&path, |path| {
        Ok(write_synced(path, format!("{json:#}\n").as_bytes())?)
    })?;
    if !quiet {
        session::result(Output::text(shown.text));
        session::tell(|| Event::new("scores", "", json!({ "path": path, "scores": json })));
    }
    told(&path, quiet);
    Ok(())
}

/// Writes a file whose folder need not be there.
fn with_folder(path: &Path, write: impl Fn(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
    let path = crate::paths::expanded(path).into_owned();
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)
            .map_err(|error| crate::FileError::new(folder.to_owned(), error))?;
    }
    write(&path)
}

fn told(path: &Path, quiet: bool) {
    if !quiet {
        session::tell(|| {
            let text = format!("written: {}", path.display());
            Event::new("file", text, json!({ "path": path }))
        });
    }
}

//! `swath train`: from a project file to a model on disk. A run that is stopped goes on from its checkpoint when the same
//! command is given again.

mod chips;
mod fit;
mod imagery;
mod network;
mod outputs;

use serde_json::json;
use swath_cli::TrainArguments;
use swath_cli::project::{Problems, Project, TaskWord};

use super::task::CommandTask;
use super::{Failure, terminal};
use crate::chips::Chips;
use crate::display::{Output, Show as _};
use crate::models::Model;
use crate::models::{ChipClassification, ObjectDetection, Segmentation};
use crate::scenes::Scenes;
use crate::session::{self, Event};
use crate::train::{Run, StopReason, Trainable, checkpoint_file};

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Project(problems)
    }
}

/// Trains as the project file says.
pub(super) fn train(arguments: &TrainArguments) -> Result<(), Failure> {
    let file = crate::paths::expanded(&arguments.project).into_owned();
    let project = Project::read(&file, &arguments.set)
        .map_err(|error| crate::FileError::new(file.clone(), error))??;
    match network::task(&project)? {
        TaskWord::Segmentation => train_task::<Segmentation>(&project, arguments),
        TaskWord::Detection => train_task::<ObjectDetection>(&project, arguments),
        TaskWord::Classification => train_task::<ChipClassification>(&project, arguments),
    }
}

/// What is trained on, and what is validated on.
struct Material {
    chips: Chips,
    valid: Scenes,
}

fn train_task<T: CommandTask + Trainable>(
    project: &Project,
    arguments: &TrainArguments,
) -> Result<(), Failure> {
    // What the network lacks is told before the imagery is read.
    let blueprint = network::blueprint::<T>(project)?;
    let options = fit::options(project).quiet(arguments.quiet);
    let folder = project.checkpoints();
    let checkpoint = checkpoint_file(&crate::paths::expanded(&folder));
    if arguments.resume && !checkpoint.is_file() {
        return Err(Failure::Told(format!(
            "there is no checkpoint to go on from: {}",
            checkpoint.display()
        )));
    }
    let material = material::<T>(project, arguments.quiet)?;
    let model = network::model(project, blueprint, material.valid.classes())?;
    if !arguments.quiet {
        session::tell(|| planned(&model, &material, project));
    }
    if arguments.check {
        return Ok(());
    }
    let goes_on = checkpoint.is_file() && !arguments.fresh;
    let options = match goes_on {
        true => options.resume(&folder),
        false => {
            // An older one would be gone on from when this run is stopped before its first checkpoint.
            match std::fs::remove_file(&checkpoint) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(crate::FileError::new(checkpoint, error).into());
                }
                _ => options.checkpoints(&folder),
            }
        }
    };
    if goes_on && !arguments.quiet {
        session::tell(|| {
            let text = format!("going on from {}", checkpoint.display());
            Event::new("resume", text, json!({ "path": checkpoint }))
        });
    }
    let run = model.fit(&material.chips, &material.valid, options)?;
    if run.stopped() == StopReason::Interrupted {
        let taken = run.history().step_losses.len();
        return Err(Failure::Stopped(format!(
            "stopped after step {taken}; the checkpoint is {}: the same command goes on from it",
            checkpoint.display()
        )));
    }
    if !arguments.quiet {
        session::result(Output::text(run.output().text));
    }
    outputs::write(project, &run, &material.valid, arguments.quiet)?;
    match run.stopped() {
        StopReason::NotFinite { .. } | StopReason::OutOfMemory { .. } => {
            Err(Failure::Told(run.summary()))
        }
        _ => Ok(()),
    }
}

/// Opens and cuts what the project file names, and says what was left out or assumed.
fn material<T: CommandTask>(project: &Project, quiet: bool) -> Result<Material, Failure> {
    let material = match &project.chips.set {
        Some(set) => chips::of_set(project, set)?,
        None => {
            let (train, valid) = imagery::parts::<T>(project)?;
            let chips = train.chips(chips::options(project))?;
            Material { chips, valid }
        }
    };
    if !quiet {
        // The report of the chips has that of their scenes, and is shown when the training starts.
        let report = material.valid.report();
        if !report.is_empty() {
            session::display(&report);
        }
    }
    Ok(material)
}

/// What will be trained, in a line.
fn planned<T: Trainable>(model: &Model<T>, material: &Material, project: &Project) -> Event {
    let name = model.architecture().name();
    let chips = &material.chips;
    let classes: Vec<&str> = model.classes().names();
    let text = format!(
        "{name} on {} chips of {} px from {}, validated on {}, classes {}",
        chips.len(),
        chips.size(),
        chips.scenes().name(),
        material.valid.name(),
        classes.join(", "),
    );
    let facts = json!({
        "project": project.file,
        "task": T::NAME,
        "architecture": name,
        "classes": classes,
        "bands": chips.scenes().band_count(),
        "chips": chips.len(),
        "chip_size": chips.size(),
        "scenes": chips.scenes().len(),
        "validation_scenes": material.valid.len(),
        "checkpoints": project.checkpoints(),
    });
    Event::new("plan", text, facts)
}

/// Whether a run has models that are worth keeping.
fn is_validated<M>(run: &Run<M>) -> bool {
    run.history().best().is_some()
}

/// The exit code of a training that was asked to stop, and what is said of it.
pub(super) fn stopped(reason: &str) -> i32 {
    terminal::note(reason);
    super::STOPPED
}

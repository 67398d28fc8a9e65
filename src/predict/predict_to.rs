//! Many scenes predicted and saved one by one, so that a run that is stopped goes on where it was.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::many::{folder_names, told_by_scene};
use super::options::OptionsFor;
use super::predictable::{Predictable, predict_together};
use super::save::io;
use crate::display::fields::titled;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::models::{AnyModule as _, Model, ModelError, TrainedArea};
use crate::scene::Scene;
use crate::scenes::Scenes;
use crate::{Result, session};

/// The record of what is done, in the folder of the results.
const RECORD: &str = "scenes.jsonl";

/// A line of the record.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    /// The scene's name, which its folder has, too.
    scene: String,
    /// Model, options, state of the files, how they are read, and area, as a digest: only the same again need not be done
    /// again. Empty while a folder is being written.
    work: String,
    /// The files, each with its bytes.
    #[serde(default)]
    files: BTreeMap<String, u64>,
}

impl Done {
    /// Whether all files lie in the folder as they were written.
    fn is_whole(&self, folder: &Path) -> bool {
        let same = |(name, bytes): (&String, &u64)| {
            std::fs::metadata(folder.join(name)).is_ok_and(|file| file.len() == *bytes)
        };
        !self.files.is_empty() && self.files.iter().all(same)
    }
}

/// What a prediction of many scenes has left on disk.
#[derive(Clone, Debug)]
pub struct SavedScenes {
    folder: PathBuf,
    scenes: Vec<String>,
    pub(super) classes: Classes,
    /// What the models were trained on.
    pub(super) trained: Vec<TrainedArea>,
    before: usize,
}

impl SavedScenes {
    /// The folder in which every scene has one of its own.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of each scene, in their order.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        let names = folder_names(self.scenes.iter().map(String::as_str));
        names.iter().map(|name| self.folder.join(name)).collect()
    }

    /// Scenes that an earlier run had finished.
    #[must_use]
    pub fn finished_before(&self) -> usize {
        self.before
    }
}

impl Show for SavedScenes {
    fn output(&self) -> Output {
        let facts = [
            ("scenes", self.scenes.len().to_string()),
            ("finished by an earlier run", self.before.to_string()),
            (
                "folder, with one for each scene",
                self.folder.display().to_string(),
            ),
        ];
        titled("SavedScenes", &facts)
    }
}

crate::show_in_cells!(SavedScenes);

impl<T: Predictable> Model<T> {
    /// Predicts scenes one by one and saves each into a folder of its own within `folder`: no more than one prediction is
    /// held. Run again after it was stopped, it goes on with the scenes that are missing; those that the same model has
    /// finished with the same options stay as they are (the file `scenes.jsonl` says so).
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let model = Segmenter::load("buildings.swath")?;
    /// model.predict_to(&Scenes::open("tiles")?, "maps", PredictOptions::new())?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::predict`], and those of saving; scenes that are finished stay.
    #[doc(alias = "predict_bulk")]
    pub fn predict_to(
        &self,
        scenes: &Scenes,
        folder: impl AsRef<Path>,
        options: impl Borrow<OptionsFor<T>>,
    ) -> Result<SavedScenes> {
        let options = options.borrow();
        let folder = crate::paths::expanded(folder.as_ref()).into_owned();
        let failed = io("write into the folder", &folder);
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let path = folder.join(RECORD);
        let known = record(&path);
        let model = self.work_digest(options)?;
        let mut saved = SavedScenes {
            folder: folder.clone(),
            scenes: Vec::with_capacity(scenes.len()),
            classes: self.classes().clone(),
            trained: self
                .meta()
                .map(|meta| meta.trained_areas.clone())
                .unwrap_or_default(),
            before: 0,
        };
        let places = folder_names(scenes.names());
        let (told, mut progress) = told_by_scene(scenes, options, "predicting");
        for ((name, scene), place) in scenes.names().zip(scenes.iter()).zip(places) {
            session::check_interrupt("predicting scenes")?;
            let place = folder.join(place);
            saved.scenes.push(name.to_owned());
            let work = work_on(scene, &model);
            let before = known.get(name);
            if before.is_some_and(|done| Some(&done.work) == work.as_ref() && done.is_whole(&place))
            {
                saved.before += 1;
                progress.add(1);
                continue;
            }
            let prediction = predict_together(std::slice::from_ref(self), scene, &told)?;
            let line = |work: Option<String>, files: BTreeMap<String, u64>| {
                let done = Done {
                    scene: name.to_owned(),
                    work: work.unwrap_or_default(),
                    files,
                };
                append(&path, &done).map_err(io("write the file", &path))
            };
            // What lies there is no longer what an earlier line says.
            line(None, BTreeMap::new())?;
            let written = T::save(&prediction, &place)?;
            let size = |path: &PathBuf| {
                let name = path.strip_prefix(&place).unwrap_or(path);
                let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
                (name.display().to_string(), bytes)
            };
            // A style may be changed by its user: the work is none the less done.
            let is_style = |path: &&PathBuf| path.extension().is_some_and(|end| end == "qml");
            let of_work = written.iter().filter(|path| !is_style(path));
            line(work, of_work.map(size).collect())?;
            progress.add(1);
        }
        Ok(saved)
    }

    /// What decides the result beside the scene.
    fn work_digest(&self, options: &OptionsFor<T>) -> Result<String> {
        let weights = self.weights("predict")?;
        let mut hash = Sha256::new();
        let meta = serde_json::to_vec(&weights.meta);
        hash.update(
            meta.map_err(|error| {
                ModelError::description(weights.meta.architecture.name(), &error)
            })?,
        );
        for (name, tensor) in weights.network.named_tensors() {
            hash.update(name);
            hash.update(tensor.as_bytes());
        }
        hash.update(format!("{:?}", options.clone().quiet(false)));
        Ok(format!("{:x}", hash.finalize()))
    }
}

/// What is to be done on a scene; `None` where the state of its files cannot be told, so that it is always done.
fn work_on(scene: &Scene, model: &str) -> Option<String> {
    let state = scene.raster().identity()?;
    let area = format!("{:?} {:?}", scene.area(), scene.aoi());
    Some(digest(&[model, &state, &area]))
}

fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("{:x}", hash.finalize())
}

/// What was done last for each scene; a line that was cut off counts for nothing.
fn record(path: &Path) -> BTreeMap<String, Done> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.map(|done: Done| (done.scene.clone(), done)).collect()
}

fn append(path: &Path, done: &Done) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    // One write, so that a line is there or is not; a line before it that was cut off does not spoil it.
    file.write_all(format!("\n{}\n", serde_json::to_string(done)?).as_bytes())?;
    file.sync_data()
}

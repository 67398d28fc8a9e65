//! Many scenes predicted and saved one by one, so that a run that is stopped goes on where it was.

use std::borrow::Borrow;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::many::{folder_names, told_by_scene};
use super::options::OptionsFor;
use super::predictable::{Predictable, predict_together};
use super::record::{Record, work_on};
use crate::display::fields::titled;
use crate::display::{Output, Show};
use crate::labels::Classes;
use crate::models::{AnyModule as _, Model, ModelError, TrainedArea};
use crate::scenes::Scenes;
use crate::{Result, session};

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
    /// Scenes whose folders within `folder` are called like them, all of them different.
    pub(crate) fn of(
        folder: PathBuf,
        scenes: Vec<String>,
        classes: Classes,
        trained: Vec<TrainedArea>,
    ) -> Self {
        Self {
            folder,
            before: scenes.len(),
            scenes,
            classes,
            trained,
        }
    }

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
        let record = Record::open(&folder, None)?;
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
            if record.is_finished(name, work.as_deref(), &place) {
                saved.before += 1;
                progress.add(1);
                continue;
            }
            let prediction = predict_together(std::slice::from_ref(self), scene, &told)?;
            record.begin(name)?;
            let written = T::save(&prediction, &place)?;
            record.finish(name, work, &place, &written)?;
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

//! Checkpoints: everything a run needs to go on as if it had never stopped, in one file, replaced whole or not at all.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Descent, History, MomentRecord, Plateau, TrainError};
use crate::models::{NamedTensors, Normalisation};

/// The file in a checkpoint folder.
const FILE: &str = "training.safetensors";
/// The key of the safetensors metadata that holds the JSON.
const KEY: &str = "swath-training";
/// The format this library writes and reads.
const FORMAT: u32 = 2;

/// What a run was asked to do; a resumed run must be asked the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) architecture: String,
    pub(super) classes: Vec<String>,
    pub(super) bands: usize,
    pub(super) chips: usize,
    pub(super) chip_size: usize,
    /// Chips in a batch and batches in a step may change at a resume, to fit less memory; their product may not.
    #[serde(skip)]
    pub(super) batch: usize,
    #[serde(skip)]
    pub(super) accumulate: usize,
    pub(super) chips_a_step: usize,
    pub(super) steps: usize,
    pub(super) optimiser: super::Optimiser,
    pub(super) lr: f64,
    pub(super) schedule: super::Schedule,
    pub(super) weight_decay: f64,
    pub(super) clip_norm: Option<f64>,
    pub(super) ema: Option<f64>,
    pub(super) precision: crate::models::Precision,
    pub(super) loss: super::Loss,
    pub(super) class_weights: Option<Vec<f64>>,
    /// The encoder's share of the learning rate, 0 when it is frozen.
    pub(super) encoder_share: f64,
    pub(super) seed: u64,
}

impl Settings {
    /// The first setting that differs, in words.
    fn difference(&self, found: &Self) -> Option<String> {
        let (Ok(serde_json::Value::Object(expected)), Ok(serde_json::Value::Object(found))) =
            (serde_json::to_value(self), serde_json::to_value(found))
        else {
            return None;
        };
        expected.iter().find_map(|(name, value)| {
            let other = found.get(name)?;
            (other != value).then(|| format!("its {name} is {other}, this run's is {value}"))
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    settings: Settings,
    normalisation: Normalisation,
    step: usize,
    optimiser_steps: u64,
    average_updates: u64,
    plateau: Plateau,
    epoch_losses: Vec<f32>,
    epoch_seconds: f64,
    history: History,
}

/// The state of a run between two steps.
pub(super) struct Checkpoint {
    pub(super) settings: Settings,
    pub(super) normalisation: Normalisation,
    /// Steps finished.
    pub(super) step: usize,
    /// Losses of the epoch under way, and the seconds it has taken.
    pub(super) epoch_losses: Vec<f32>,
    pub(super) epoch_seconds: f64,
    pub(super) history: History,
    pub(super) network: NamedTensors,
    /// The weights of the best epoch, once there is one.
    pub(super) best: NamedTensors,
    /// The running average of the weights, when there is one.
    pub(super) average: NamedTensors,
    pub(super) average_updates: u64,
    /// What the plateau schedule has seen.
    pub(super) plateau: Plateau,
    pub(super) optimiser_steps: u64,
    pub(super) moments: Vec<MomentRecord>,
}

impl Checkpoint {
    /// Writes the checkpoint into `folder`; an older one stays whole until the new one is on disk.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf, TrainError> {
        let path = folder.join(FILE);
        let io = |source| TrainError::Io {
            path: path.clone(),
            source,
        };
        let wrong = |reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason,
        };
        let header = Header {
            format: FORMAT,
            settings: self.settings.clone(),
            normalisation: self.normalisation.clone(),
            step: self.step,
            optimiser_steps: self.optimiser_steps,
            average_updates: self.average_updates,
            plateau: self.plateau,
            epoch_losses: self.epoch_losses.clone(),
            epoch_seconds: self.epoch_seconds,
            history: self.history.clone(),
        };
        let header = serde_json::to_string(&header).map_err(|error| wrong(error.to_string()))?;
        let mut views = Vec::new();
        for (group, tensors) in [
            ("network", &self.network),
            ("best", &self.best),
            ("average", &self.average),
        ] {
            for (name, data) in tensors {
                let values = data
                    .as_slice::<f32>()
                    .map_err(|error| wrong(format!("{name}: {error:?}")))?;
                views.push((
                    format!("{group}/{name}"),
                    view(values, data.shape().to_vec(), &path)?,
                ));
            }
        }
        for record in &self.moments {
            for (group, values) in [("first", &record.first), ("second", &record.second)] {
                views.push((
                    format!("{group}/{}", record.path),
                    view(values, vec![values.len()], &path)?,
                ));
            }
        }
        let bytes = safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)])))
            .map_err(|error| wrong(error.to_string()))?;
        std::fs::create_dir_all(folder).map_err(io)?;
        let mut file = tempfile::Builder::new()
            .prefix(".swath-")
            .tempfile_in(folder)
            .map_err(io)?;
        file.write_all(&bytes).map_err(io)?;
        file.as_file().sync_all().map_err(io)?;
        file.persist(&path).map_err(|error| io(error.error))?;
        Ok(path)
    }

    /// Whether a folder has a checkpoint.
    #[cfg(test)]
    pub(super) fn exists(folder: &Path) -> bool {
        folder.join(FILE).exists()
    }

    /// Reads the checkpoint of `folder`, which must come from a run with the same settings.
    pub(super) fn read(folder: &Path, settings: &Settings) -> Result<Self, TrainError> {
        let path = folder.join(FILE);
        let wrong = |reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason,
        };
        let bytes = std::fs::read(&path).map_err(|source| TrainError::Io {
            path: path.clone(),
            source,
        })?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| wrong(format!("it is damaged ({error})")))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(KEY));
        let text = text.ok_or_else(|| wrong("it is no Swath checkpoint".to_owned()))?;
        let header: Header = serde_json::from_str(text)
            .map_err(|error| wrong(format!("its header is damaged or newer ({error})")))?;
        if header.format != FORMAT {
            return Err(wrong(format!(
                "it has format {}, this Swath reads {FORMAT}",
                header.format
            )));
        }
        if let Some(difference) = settings.difference(&header.settings) {
            return Err(wrong(difference));
        }
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| wrong(format!("it is damaged ({error})")))?;
        let (mut network, mut best) = (NamedTensors::new(), NamedTensors::new());
        let mut average = NamedTensors::new();
        let (mut firsts, mut seconds) = (HashMap::new(), HashMap::new());
        for (name, view) in file.iter() {
            let values: Vec<f32> = view
                .data()
                .chunks_exact(4)
                .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
                .collect();
            match name.split_once('/') {
                Some(("network", name)) => {
                    drop(network.insert(name.to_owned(), data(values, view.shape())));
                }
                Some(("best", name)) => {
                    drop(best.insert(name.to_owned(), data(values, view.shape())));
                }
                Some(("average", name)) => {
                    drop(average.insert(name.to_owned(), data(values, view.shape())));
                }
                Some(("first", name)) => drop(firsts.insert(name.to_owned(), values)),
                Some(("second", name)) => drop(seconds.insert(name.to_owned(), values)),
                _ => return Err(wrong(format!("it holds an unknown tensor {name:?}"))),
            }
        }
        let mut moments: Vec<_> = firsts
            .into_iter()
            .filter_map(|(path, first)| {
                Some(MomentRecord {
                    second: seconds.remove(&path)?,
                    path,
                    first,
                })
            })
            .collect();
        moments.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self {
            settings: header.settings,
            normalisation: header.normalisation,
            step: header.step,
            epoch_losses: header.epoch_losses,
            epoch_seconds: header.epoch_seconds,
            history: header.history,
            network,
            best,
            average,
            average_updates: header.average_updates,
            plateau: header.plateau,
            optimiser_steps: header.optimiser_steps,
            moments,
        })
    }

    /// The optimiser, where the checkpoint left it.
    pub(super) fn descent(&mut self, fresh: Descent) -> Descent {
        fresh.resume(self.optimiser_steps, std::mem::take(&mut self.moments))
    }
}

fn view<'a>(
    values: &'a [f32],
    shape: Vec<usize>,
    path: &Path,
) -> Result<TensorView<'a>, TrainError> {
    // safetensors is little-endian, as every machine that this library runs on.
    TensorView::new(Dtype::F32, shape, bytemuck::cast_slice(values)).map_err(|error| {
        TrainError::Checkpoint {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    })
}

fn data(values: Vec<f32>, shape: &[usize]) -> TensorData {
    TensorData::new(values, shape.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::history::tests::record;

    fn settings() -> Settings {
        Settings {
            architecture: "U-Net".into(),
            classes: vec!["background".into(), "building".into()],
            bands: 3,
            chips: 40,
            chip_size: 64,
            batch: 4,
            accumulate: 2,
            chips_a_step: 8,
            steps: 20,
            optimiser: crate::train::Optimiser::sgd(0.9),
            lr: 1e-3,
            schedule: crate::train::Schedule::plateau(0.5, 1),
            weight_decay: 0.01,
            clip_norm: Some(1.0),
            ema: Some(0.999),
            precision: crate::models::Precision::F32,
            loss: crate::train::Loss::focal(),
            class_weights: Some(vec![0.1, 0.3]),
            encoder_share: 0.1,
            seed: 7,
        }
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            settings: settings(),
            normalisation: Normalisation::eight_bit(3),
            step: 10,
            epoch_losses: vec![0.1, 0.7],
            epoch_seconds: 1.5,
            history: History {
                epochs: vec![record(1, [50, 10, 10, 30], 0.1)],
                step_losses: vec![0.3; 10],
                averaged: true,
            },
            network: NamedTensors::from([("a.weight".into(), data(vec![1.0, -0.1], &[1, 2]))]),
            best: NamedTensors::new(),
            average: NamedTensors::from([("a.weight".into(), data(vec![0.9, 0.2], &[1, 2]))]),
            average_updates: 10,
            plateau: Plateau {
                scale: 0.25,
                lowest: Some(0.1),
                since: 1,
            },
            optimiser_steps: 10,
            moments: vec![MomentRecord {
                path: "a.weight".into(),
                first: vec![0.1, 0.2],
                second: vec![0.3, 1e-30],
            }],
        }
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_was() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let written = checkpoint();
        written.write(folder.path())?;
        let read = Checkpoint::read(folder.path(), &settings())?;
        assert_eq!(
            (read.step, read.optimiser_steps, &read.epoch_losses),
            (10, 10, &vec![0.1, 0.7])
        );
        assert_eq!(read.history, written.history);
        assert_eq!(read.network, written.network);
        assert_eq!(read.moments, written.moments);
        assert_eq!(
            (read.average, read.average_updates, read.plateau),
            (written.average, 10, written.plateau)
        );
        assert_eq!(
            std::fs::read_dir(folder.path())?.count(),
            1,
            "no temporary file stays"
        );
        Ok(())
    }

    #[test]
    fn other_settings_damage_and_absence_are_errors_that_say_so()
    -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        assert!(matches!(
            Checkpoint::read(folder.path(), &settings()),
            Err(TrainError::Io { .. })
        ));
        let path = checkpoint().write(folder.path())?;
        let other = Settings {
            chips_a_step: 16,
            ..settings()
        };
        let error = Checkpoint::read(folder.path(), &other)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            error.contains("its chips_a_step is 8, this run's is 16"),
            "{error}"
        );
        let mut bytes = std::fs::read(&path)?;
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes)?;
        let error = Checkpoint::read(folder.path(), &settings())
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains("damaged"), "{error}");
        Ok(())
    }
}

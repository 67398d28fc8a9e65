//! Checkpoints: everything a run needs to go on as if it had never stopped, in one file, replaced whole or not at all.

use std::collections::HashMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use swath_link::bundle::CHECKPOINT as KEY;
use swath_link::permissions::could_be_planted;

use super::fingerprint::Fingerprint;
use super::{History, MomentRecord, OptimizerState, Plateau, TrainError};
use crate::models::{NamedTensors, Normalization, TrainedBand, current_form};
use crate::staged;

/// The file in a checkpoint folder.
const FILE: &str = "training.safetensors";
/// The format this library writes and reads.
const FORMAT: u32 = 2;

/// The checkpoint of a folder, whether it is there or not.
pub(crate) fn checkpoint_file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

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
    #[serde(alias = "optimiser")]
    pub(super) optimizer: super::Optimizer,
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
    /// Checkpoints from before there was this part and the next do not say; they are taken at their word.
    #[serde(default)]
    pub(super) material: Option<Fingerprint>,
    /// The architecture with all its choices.
    #[serde(default)]
    pub(super) network: Value,
}

/// Parts that a checkpoint may lack.
const NEWER: [&str; 2] = ["material", "network"];

impl Settings {
    /// The first setting that differs, in words.
    fn difference(&self, found: &Self) -> Option<String> {
        // By text, since a number need not come back from JSON with its last digit.
        let own = serde_json::to_string(self)
            .and_then(|text| serde_json::from_str::<Self>(&text))
            .and_then(serde_json::to_value);
        let (Ok(Value::Object(own)), Ok(Value::Object(found))) = (own, serde_json::to_value(found))
        else {
            return Some("its settings cannot be compared with those of this run".to_owned());
        };
        own.iter().find_map(|(name, own)| {
            let found = found.get(name)?;
            let unsaid = NEWER.contains(&name.as_str()) && found.is_null();
            if unsaid {
                return None;
            }
            let name = if name == "material" { "" } else { name };
            first_difference(name, found, own)
        })
    }
}

/// The first value that differs, by the names on the way to it.
fn first_difference(name: &str, found: &Value, own: &Value) -> Option<String> {
    if found == own {
        return None;
    }
    if let (Value::Object(theirs), Value::Object(ours)) = (found, own)
        && theirs.keys().all(|key| ours.contains_key(key))
    {
        return ours.iter().find_map(|(key, own)| {
            let name = format!("{name} {key}");
            first_difference(
                name.trim_start(),
                theirs.get(key).unwrap_or(&Value::Null),
                own,
            )
        });
    }
    Some(format!("its {name} is {found}, this run's is {own}"))
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    settings: Settings,
    #[serde(alias = "normalisation")]
    normalization: Normalization,
    /// Empty in checkpoints from before there was this part.
    #[serde(default)]
    bands: Vec<TrainedBand>,
    step: usize,
    #[serde(alias = "optimiser_steps")]
    optimizer_steps: u64,
    average_updates: u64,
    plateau: Plateau,
    epoch_losses: Vec<f32>,
    epoch_seconds: f64,
    history: History,
}

/// The state of a run between two steps.
pub(super) struct Checkpoint {
    pub(super) settings: Settings,
    pub(super) normalization: Normalization,
    /// What the bands of the training scene hold.
    pub(super) bands: Vec<TrainedBand>,
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
    pub(super) optimizer_steps: u64,
    pub(super) moments: Vec<MomentRecord>,
}

impl Checkpoint {
    /// Writes the checkpoint into `folder`; an older one stays whole until the new one is on disk.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf, TrainError> {
        let path = folder.join(FILE);
        let io = |source| TrainError::File(crate::FileError::new(path.clone(), source));
        let wrong = |reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason,
        };
        let header = Header {
            format: FORMAT,
            settings: self.settings.clone(),
            normalization: self.normalization.clone(),
            bands: self.bands.clone(),
            step: self.step,
            optimizer_steps: self.optimizer_steps,
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
        staged::write(&path, &bytes).map_err(io)?;
        // Who goes on with it must be able to trust it, whatever the user's mask.
        let permissions = std::fs::metadata(&path).map_err(io)?.permissions();
        if permissions.mode() & 0o002 != 0 {
            let closed = Permissions::from_mode(permissions.mode() & !0o002);
            std::fs::set_permissions(&path, closed).map_err(io)?;
        }
        Ok(path)
    }

    /// Whether a folder has a checkpoint.
    #[cfg(test)]
    pub(super) fn exists(folder: &Path) -> bool {
        checkpoint_file(folder).exists()
    }

    /// Reads the checkpoint of `folder`, which must come from a run with the same settings.
    pub(super) fn read(folder: &Path, settings: &Settings) -> Result<Self, TrainError> {
        let path = folder.join(FILE);
        let wrong = |reason: String| TrainError::Checkpoint {
            path: path.clone(),
            reason,
        };
        if let Some(open) = could_be_planted(&path)
            && !swath_link::environment::takes_open_folders()
        {
            return Err(wrong(format!(
                "anybody could have put it there: {open} (`{}`, or copy it into a folder of your own)",
                open.remedy()
            )));
        }
        let bytes = std::fs::read(&path)
            .map_err(|source| TrainError::File(crate::FileError::new(path.clone(), source)))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes)
            .map_err(|error| wrong(format!("it is damaged ({error})")))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(KEY));
        let text = text.ok_or_else(|| wrong("it is no Swath checkpoint".to_owned()))?;
        let mut header: Header = serde_json::from_str(text)
            .map_err(|error| wrong(format!("its header is damaged or newer ({error})")))?;
        if header.format != FORMAT {
            return Err(wrong(format!(
                "it has format {}, this Swath reads {FORMAT}",
                header.format
            )));
        }
        header.settings.network = current_form(header.settings.network);
        if let Some(difference) = settings.difference(&header.settings) {
            return Err(wrong(difference));
        }
        let file = SafeTensors::deserialize(&bytes)
            .map_err(|error| wrong(format!("it is damaged ({error})")))?;
        let (mut network, mut best) = (NamedTensors::new(), NamedTensors::new());
        let mut average = NamedTensors::new();
        let (mut firsts, mut seconds) = (HashMap::new(), HashMap::new());
        for (name, view) in file.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(wrong(format!("{name:?} holds no 32-bit floats")));
            }
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
        let mut moments = Vec::with_capacity(firsts.len());
        for (path, first) in firsts {
            let Some(second) = seconds.remove(&path) else {
                return Err(wrong(format!("it lacks the second moments of {path:?}")));
            };
            moments.push(MomentRecord {
                path,
                first,
                second,
            });
        }
        if let Some(path) = seconds.keys().next() {
            return Err(wrong(format!("it lacks the first moments of {path:?}")));
        }
        moments.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self {
            settings: header.settings,
            normalization: header.normalization,
            bands: header.bands,
            step: header.step,
            epoch_losses: header.epoch_losses,
            epoch_seconds: header.epoch_seconds,
            history: header.history,
            network,
            best,
            average,
            average_updates: header.average_updates,
            plateau: header.plateau,
            optimizer_steps: header.optimizer_steps,
            moments,
        })
    }

    /// The optimizer, where the checkpoint left it.
    pub(super) fn descent(&mut self, fresh: OptimizerState) -> OptimizerState {
        fresh.resume(self.optimizer_steps, std::mem::take(&mut self.moments))
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
            optimizer: crate::train::Optimizer::sgd(0.9),
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
            material: None,
            network: Value::Null,
        }
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            settings: settings(),
            normalization: Normalization::eight_bit(3),
            bands: Vec::new(),
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
            optimizer_steps: 10,
            moments: vec![MomentRecord {
                path: "a.weight".into(),
                first: vec![0.1, 0.2],
                second: vec![0.3, 1e-30],
            }],
        }
    }

    #[test]
    fn a_checkpoint_that_anybody_could_have_put_there_is_not_gone_on_with()
    -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = checkpoint().write(folder.path())?;
        let chmod =
            |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode));
        let read = || Checkpoint::read(folder.path(), &settings());
        // One's own is trusted, even in a folder in which all may write.
        chmod(folder.path(), 0o777)?;
        read()?;
        chmod(&path, 0o666)?;
        let told = read().err().ok_or("it was read")?.to_string();
        assert!(
            told.contains("anybody could have put it there") && told.contains("chmod o-w"),
            "{told}"
        );
        // Written again it is closed.
        checkpoint().write(folder.path())?;
        read()?;
        if swath_link::permissions::user() == 0 {
            for mode in [0o777, 0o1777] {
                chmod(folder.path(), mode)?;
                std::os::unix::fs::chown(&path, Some(12345), None)?;
                assert!(
                    read().is_err(),
                    "another user's in an open folder: {mode:o}"
                );
            }
            chmod(folder.path(), 0o755)?;
            read()?;
        }
        Ok(())
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_was() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let written = checkpoint();
        written.write(folder.path())?;
        let read = Checkpoint::read(folder.path(), &settings())?;
        assert_eq!(
            (read.step, read.optimizer_steps, &read.epoch_losses),
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
            Err(TrainError::File(_))
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
        // A name of the same length stands for a tensor that is not there.
        for (name, other, reason) in [
            (
                "second/a.weight",
                "second/b.weight",
                "lacks the second moments of \"a.weight\"",
            ),
            (
                "first/a.weight",
                "first/b.weight",
                "lacks the second moments of \"b.weight\"",
            ),
            ("second/a.weight", "secnod/a.weight", "unknown tensor"),
        ] {
            let at = bytes
                .windows(name.len())
                .position(|it| it == name.as_bytes());
            let at = at.ok_or(name)?;
            let mut other_bytes = bytes.clone();
            other_bytes[at..at + name.len()].copy_from_slice(other.as_bytes());
            std::fs::write(&path, other_bytes)?;
            let error = Checkpoint::read(folder.path(), &settings()).err();
            let error = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(reason), "{error}");
        }
        bytes.truncate(bytes.len() / 2);
        std::fs::write(&path, bytes)?;
        let error = Checkpoint::read(folder.path(), &settings())
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains("damaged"), "{error}");
        Ok(())
    }

    #[test]
    fn a_checkpoint_that_does_not_say_what_it_was_trained_on_is_taken_at_its_word()
    -> Result<(), Box<dyn std::error::Error>> {
        let mut header = serde_json::to_value(settings())?;
        let parts = header.as_object_mut().ok_or("settings are an object")?;
        assert!(NEWER.iter().all(|part| parts.shift_remove(*part).is_some()));
        let old: Settings = serde_json::from_value(header)?;
        let now = Settings {
            network: serde_json::json!({"kind": {"unet": {"decoder_widths": [8, 8]}}}),
            ..settings()
        };
        assert_eq!(now.difference(&old), None);
        let other = Settings {
            network: serde_json::json!({"kind": {"unet": {"decoder_widths": [8, 4]}}}),
            ..settings()
        };
        assert_eq!(
            now.difference(&other),
            Some("its network kind unet decoder_widths is [8,4], this run's is [8,8]".to_owned())
        );
        Ok(())
    }
}

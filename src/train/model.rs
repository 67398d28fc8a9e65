//! What the models of all tasks share: an architecture, its classes, and its weights once it has some.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{EpochRecord, TrainError, ValidationScores};
use crate::Result;
use crate::chips::Chips;
use crate::device::Device;
use crate::labels::Classes;
use crate::models::{
    AnyModule, Blueprint, BundleMeta, NamedTensors, Normalization, Task, TrainedArea, TrainedBand,
    bundle, load_bundle_for,
};
use crate::plot::facts_html;
use crate::predict::ground_pixel;
use crate::scene::Scene;

/// A model of one task. Cheap to clone: copies share their weights, which never change.
#[derive(Clone)]
pub(crate) struct Model<T: Task> {
    pub(super) architecture: T::Architecture,
    pub(super) classes: Classes,
    device: Option<Device>,
    /// Of the weights it has, or of those that it starts from or will have.
    license: Option<String>,
    trained: Option<Arc<Trained<T>>>,
}

/// What training or a bundle gives a model.
pub(super) struct Trained<T: Task> {
    pub(super) network: Box<T::Network>,
    pub(super) meta: BundleMeta<T::Architecture>,
}

impl<T: Task> Model<T> {
    pub(super) fn new(architecture: T::Architecture, classes: Classes) -> Self {
        Self {
            architecture,
            classes,
            device: None,
            license: None,
            trained: None,
        }
    }

    pub(super) fn on(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    pub(super) fn with_license(mut self, license: String) -> Self {
        self.trained = self.trained.map(|trained| {
            let mut meta = trained.meta.clone();
            meta.license = Some(license.clone());
            let network = trained.network.clone_box();
            Arc::new(Trained { network, meta })
        });
        self.license = Some(license);
        self
    }

    /// Reads a bundle of this task.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let (meta, tensors) = load_bundle_for::<T>(path)?;
        Self::from_bundle(meta, &tensors)
    }

    /// Reads a bundle whose architecture the caller knows.
    pub(super) fn load_as(path: &Path, architecture: T::Architecture) -> Result<Self> {
        let (mut meta, tensors) = load_bundle_for::<T>(path)?;
        meta.architecture = architecture;
        Self::from_bundle(meta, &tensors)
    }

    fn from_bundle(meta: BundleMeta<T::Architecture>, tensors: &NamedTensors) -> Result<Self> {
        let device = Device::current();
        let mut network = meta
            .architecture
            .build_blank(meta.bands, meta.classes.len(), &device)?;
        network.load_tensors(tensors)?;
        let mut classes = Classes::new(meta.classes.iter().skip(1));
        for (name, color) in meta.classes.iter().zip(&meta.colors) {
            classes = classes.with_stored_color(name, *color);
        }
        let (architecture, network) = (meta.architecture.clone(), network.inference());
        Ok(Self {
            architecture,
            classes,
            device: None,
            license: meta.license.clone(),
            trained: Some(Arc::new(Trained { network, meta })),
        })
    }

    pub(super) fn save(&self, path: &Path) -> Result<()> {
        let trained = self.weights("be saved")?;
        bundle::save_tensors(path, &trained.meta, &trained.network.named_tensors())
    }

    pub(super) fn trained(&self) -> Option<&Trained<T>> {
        self.trained.as_deref()
    }

    /// The weights, or an error that says what needs them.
    pub(super) fn weights(&self, doing: &'static str) -> Result<&Trained<T>, TrainError> {
        self.trained
            .as_deref()
            .ok_or(TrainError::NotTrained { doing })
    }

    pub(super) fn bands(&self) -> Option<usize> {
        self.trained.as_ref().map(|trained| trained.meta.bands)
    }

    pub(super) fn device_for_run(&self) -> Result<Device> {
        self.device.clone().map_or_else(Device::for_run, Ok)
    }

    /// The weights, when they fit the scene's bands.
    pub(super) fn weights_for(&self, scene: &Scene) -> Result<&Trained<T>> {
        let trained = self.weights("predict")?;
        let (expected, found) = (trained.meta.bands, scene.band_count());
        if expected != found {
            let (area, other) = ("scene", "the model");
            return Err(TrainError::BandsDiffer {
                area,
                other,
                expected,
                found,
                scene: scene.name(),
            }
            .into());
        }
        Ok(trained)
    }

    /// The network that a training starts from, with the normalization of its input.
    pub(super) fn start(
        &self,
        scene: &Scene,
        device: &Device,
    ) -> Result<(Box<T::Network>, Normalization)> {
        if let Some(trained) = &self.trained {
            return Ok((
                trained.network.to_device(device.burn()),
                trained.meta.normalization.clone(),
            ));
        }
        let statistics = scene.statistics()?;
        let mean: Vec<f64> = statistics.iter().map(|band| band.mean).collect();
        let std: Vec<f64> = statistics.iter().map(|band| band.std).collect();
        let normalization =
            self.architecture
                .normalization(scene.raster().data_type().as_str(), &mean, &std);
        let network = self
            .architecture
            .build(scene.band_count(), self.classes.len(), device)?;
        Ok((network, normalization))
    }

    /// This model with the weights of a run.
    pub(super) fn with_weights(&self, parts: Parts<T>) -> Self {
        let names = self
            .classes
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut meta = BundleMeta::for_task::<T>(
            self.architecture.clone(),
            parts.bands,
            names,
            parts.normalization,
            parts.chip_size,
        );
        meta.colors = self.classes.colors();
        meta.gsd = parts.gsd;
        meta.threshold = parts.threshold;
        meta.license = self.license.clone();
        if parts.band_names.len() == parts.bands {
            meta.band_names = parts.band_names;
        }
        if parts.trained_bands.len() == parts.bands {
            meta.trained_bands = parts.trained_bands;
        }
        meta.provenance.extend(parts.provenance);
        // A model that goes on from weights has seen what they have seen.
        let before = self
            .trained
            .iter()
            .flat_map(|trained| &trained.meta.trained_areas);
        meta.trained_areas = before
            .filter(|area| **area != parts.trained_area)
            .cloned()
            .collect();
        meta.trained_areas.push(parts.trained_area);
        Self {
            trained: Some(Arc::new(Trained {
                network: parts.network,
                meta,
            })),
            ..self.clone()
        }
    }

    /// What a cell shows of the model: plain text and HTML.
    pub(super) fn output(&self) -> crate::display::Output {
        let mut facts = vec![
            ("architecture", self.architecture.name()),
            ("classes", self.classes.names().join(", ")),
        ];
        match &self.trained {
            None => facts.push(("weights", "none yet: train it with fit".to_owned())),
            Some(trained) => {
                let count = trained.network.parameter_count();
                facts.push(("parameters", format!("{:.1} million", count as f64 / 1e6)));
                facts.push(("bands", trained.meta.bands.to_string()));
                if let Some(license) = &trained.meta.license {
                    facts.push(("license", license.clone()));
                }
                for (name, value) in &trained.meta.provenance {
                    facts.push((name.as_str(), value.clone()));
                }
            }
        }
        let text: Vec<_> = facts
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        crate::display::Output::styled(
            format!("{}\n{}", T::MODEL, text.join("\n")),
            facts_html(&facts),
        )
    }

    pub(super) fn debug(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let weights = match &self.trained {
            None => "without weights".to_owned(),
            Some(trained) => format!("trained on {} bands", trained.meta.bands),
        };
        let classes = crate::scene::classes_words(&self.classes);
        write!(
            f,
            "{}({}, {weights}{classes})",
            T::MODEL,
            self.architecture.name()
        )
    }
}

/// A trained network with what its bundle will say about it.
pub(super) struct Parts<T: Task> {
    network: Box<T::Network>,
    normalization: Normalization,
    bands: usize,
    band_names: Vec<String>,
    trained_bands: Vec<TrainedBand>,
    trained_area: TrainedArea,
    chip_size: usize,
    gsd: Option<[f64; 2]>,
    threshold: Option<f32>,
    provenance: BTreeMap<String, String>,
}

impl<T: Task> Parts<T> {
    /// A network after `step` steps on `chips`.
    pub(super) fn after(
        network: Box<T::Network>,
        (normalization, trained_bands): (Normalization, Vec<TrainedBand>),
        chips: &Chips,
        step: usize,
        record: Option<&EpochRecord>,
    ) -> Self {
        let scene = chips.scene();
        let mut provenance = BTreeMap::new();
        provenance.insert("trained on".to_owned(), scene.name());
        provenance.insert("chips".to_owned(), provenance_of(chips));
        provenance.insert(
            "steps".to_owned(),
            record.map_or(step, |record| record.step).to_string(),
        );
        if let Some((record, score)) =
            record.and_then(|record| record.score().map(|score| (record, score)))
        {
            let name = format!("validation {}", record.scores.name());
            provenance.insert(name, format!("{score:.4}"));
        }
        let threshold = match record.map(|record| &record.scores) {
            Some(ValidationScores::Detection(scores)) if scores.truth > 0 => Some(scores.threshold),
            _ => None,
        };
        // What the network has seen, which is not what the file has when chips were resized.
        let pixel = ground_pixel(scene.raster());
        Self {
            threshold,
            network,
            normalization,
            bands: scene.band_count(),
            band_names: scene.raster().band_names(),
            trained_bands,
            trained_area: scene.as_trained_area(scene.area()),
            chip_size: chips.size(),
            gsd: pixel.map(|edges| edges.map(|edge| edge / chips.zoom())),
            provenance,
        }
    }
}

/// `400 of 256 px`, or `400 of 256 px from windows of 150 to 200 px`.
fn provenance_of(chips: &Chips) -> String {
    let (size, windows) = (chips.size(), chips.window_sizes());
    let from = match windows == (size..=size) {
        true => String::new(),
        false => format!(
            " from windows of {} to {} px",
            windows.start(),
            windows.end()
        ),
    };
    format!("{} of {size} px{from}", chips.len())
}

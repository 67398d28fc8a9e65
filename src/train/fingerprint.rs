//! What a run is trained and validated on, as its checkpoint remembers it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chips::Chips;
use crate::models::TrainedArea;
use crate::scene::Scene;

/// The imagery and labels of a run, and how its chips are cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    chip_options: Value,
    scene: SceneFingerprint,
    validation_scene: SceneFingerprint,
}

/// A scene, by what stays the same when its files are moved to another folder or machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SceneFingerprint {
    #[serde(flatten)]
    area: TrainedArea,
    label_polygons: usize,
    boxes: usize,
}

impl Fingerprint {
    pub(super) fn of(chips: &Chips, valid: &Scene) -> Self {
        Self {
            // Numbers and words alone: nothing that JSON could refuse.
            chip_options: serde_json::to_value(chips.options()).unwrap_or_default(),
            scene: SceneFingerprint::of(chips.scene()),
            validation_scene: SceneFingerprint::of(valid),
        }
    }
}

impl SceneFingerprint {
    fn of(scene: &Scene) -> Self {
        Self {
            area: scene.as_trained_area(scene.area()),
            label_polygons: scene.drawn_polygons(),
            boxes: scene.boxes().len(),
        }
    }
}

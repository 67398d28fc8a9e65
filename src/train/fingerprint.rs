//! What a run is trained and validated on, as its checkpoint remembers it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chips::Chips;
use crate::models::TrainedArea;
use crate::raster::BandTransform;
use crate::scene::Scene;
use crate::scenes::Scenes;

/// The imagery and labels of a run, and how its chips are cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    chip_options: Value,
    /// The first scene; the others follow, since checkpoints of before many scenes have one.
    scene: SceneFingerprint,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_scenes: Vec<SceneFingerprint>,
    validation_scene: SceneFingerprint,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    other_validation_scenes: Vec<SceneFingerprint>,
}

/// A scene, by what stays the same when its files are moved to another folder or machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SceneFingerprint {
    #[serde(flatten)]
    area: TrainedArea,
    label_polygons: usize,
    boxes: usize,
    /// How its bands were changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    transforms: Vec<BandTransform>,
}

impl Fingerprint {
    pub(super) fn of(chips: &Chips, valid: &Scenes) -> Self {
        Self {
            // Numbers and words alone: nothing that JSON could refuse.
            chip_options: serde_json::to_value(chips.options()).unwrap_or_default(),
            scene: SceneFingerprint::of(chips.scenes().first()),
            other_scenes: others(chips.scenes()),
            validation_scene: SceneFingerprint::of(valid.first()),
            other_validation_scenes: others(valid),
        }
    }
}

fn others(scenes: &Scenes) -> Vec<SceneFingerprint> {
    scenes.iter().skip(1).map(SceneFingerprint::of).collect()
}

impl SceneFingerprint {
    fn of(scene: &Scene) -> Self {
        Self {
            area: scene.as_trained_area(scene.area()),
            label_polygons: scene.drawn_polygons(),
            boxes: scene.all_boxes().len(),
            transforms: scene.transforms(),
        }
    }
}

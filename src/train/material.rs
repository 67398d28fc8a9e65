//! What a run is trained and validated on, as its checkpoint remembers it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chips::Chips;
use crate::scene::Scene;

/// The imagery and labels of a run, and how its chips are cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Material {
    chip_options: Value,
    scene: Place,
    validation_scene: Place,
}

/// A scene, by what stays the same when its files are moved to another folder or machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    /// The name of the file.
    file: String,
    /// Columns and rows of the raster as it is read.
    size: [usize; 2],
    /// The window in use: column, row, width, height.
    area: [i64; 4],
    /// Where it lies on the ground, as text: a number read back from JSON may differ in its last digit.
    transform: String,
    /// The polygons that limit it.
    area_of_interest: Option<String>,
    label_polygons: usize,
    boxes: usize,
}

impl Material {
    pub(super) fn of(chips: &Chips, valid: &Scene) -> Self {
        Self {
            chip_options: serde_json::to_value(chips.options()).unwrap_or_default(),
            scene: Place::of(chips.scene()),
            validation_scene: Place::of(valid),
        }
    }
}

impl Place {
    fn of(scene: &Scene) -> Self {
        let name = |path: &std::path::Path| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            name.to_string_lossy().into_owned()
        };
        let (raster, area) = (scene.raster(), scene.area());
        let full = raster.full();
        Self {
            file: name(raster.path()),
            size: [full.width, full.height],
            area: [area.col, area.row, area.width as i64, area.height as i64],
            transform: format!("{:?}", raster.transform().0),
            area_of_interest: scene.aoi().map(|aoi| {
                let side = if aoi.is_inverted() {
                    "outside"
                } else {
                    "inside"
                };
                format!("{side} {}", name(aoi.path()))
            }),
            label_polygons: scene.label_polygons().len(),
            boxes: scene.boxes().len(),
        }
    }
}

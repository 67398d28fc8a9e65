//! A map over its imagery.

use super::SceneMap;
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::IGNORE;
use crate::plot::{Figure, Overlay};
use crate::raster::BandChoice;
use crate::scene::{Over, Quicklook, Scene, classes_text};

/// Longest side of the picture in a cell.
const LONGEST: usize = 1024;
/// How opaque the classes are to begin with.
const OPACITY: f32 = 0.5;

/// What a picture of a map is drawn from.
struct Look {
    /// The part of the scene that the map covers.
    scene: Scene,
    look: Quicklook,
    labels: Vec<u8>,
}

impl SceneMap {
    /// The map over other bands of its imagery, by name or by place as [`Scene::show_bands`] takes them.
    ///
    /// # Errors
    /// As [`Scene::show_bands`].
    pub fn show_bands<B: Into<BandChoice>>(
        &self,
        bands: impl IntoIterator<Item = B>,
    ) -> Result<Figure> {
        let bands = &self.scene().raster().band_places(bands)?;
        let look = self.look()?;
        let caption = format!(
            "{}; bands shown: {}",
            self.summary(&look.labels),
            look.scene.band_words(bands)
        );
        self.overlay(&look, bands)?.caption(caption).figure()
    }

    fn look(&self) -> Result<Look> {
        let scene = self.scene().crop(self.area())?;
        let look = scene.read_imagery(LONGEST)?;
        let labels = self.labels_scaled(look.patch.size)?;
        Ok(Look {
            scene,
            look,
            labels,
        })
    }

    fn overlay(&self, look: &Look, bands: &[usize]) -> Result<Overlay<'static>> {
        let over = Over {
            classes: self.classes(),
            labels: Some(&look.labels),
            boxes: Vec::new(),
            opacity: OPACITY,
        };
        let overlay = look.scene.drawn(&look.look, bands, &over)?;
        Ok(overlay.title(format!("Prediction of {}", self.scene().name())))
    }

    /// The map over its imagery, with the part of each class and the same facts as under its scene.
    fn picture(&self) -> Result<Output> {
        let look = self.look()?;
        let bands = look.scene.shown_bands();
        let mut facts = look.scene.facts(Some(&look.look), &bands);
        facts.push(("map", self.shares(&look.labels)));
        let drawn = self.overlay(&look, &bands)?.output();
        let heading = self.summary(&look.labels);
        Ok(self.scene().with_facts(&heading, &facts, drawn))
    }

    fn summary(&self, labels: &[u8]) -> String {
        let (width, height) = self.size();
        format!(
            "Map of {}, {width} x {height} pixels: {}",
            self.scene().name(),
            self.shares(labels)
        )
    }

    /// The part of each class among the valid pixels of a quicklook, in words.
    fn shares(&self, labels: &[u8]) -> String {
        if labels.iter().all(|&label| label == IGNORE) {
            return "no valid imagery".to_owned();
        }
        classes_text(self.classes(), labels, |_| String::new())
    }
}

impl Show for SceneMap {
    fn output(&self) -> Output {
        self.picture().unwrap_or_else(|error| {
            let (width, height) = self.size();
            let name = self.scene().name();
            let text =
                format!("Map of {name}, {width} x {height} pixels (it cannot be drawn: {error})");
            Output::text(text)
        })
    }
}

crate::show_in_cells!(SceneMap);

//! A map over its imagery.

use super::SceneMap;
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::IGNORE;
use crate::plot::{Figure, Overlay};
use crate::raster::{BandChoice, ZoomWindow};
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
    #[doc(alias = "show")]
    #[doc(alias = "plot")]
    #[doc(alias = "imshow")]
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

    /// A closer look at a part of the map over its imagery, as [`Scene::zoom`]: place, size of a pixel and the part of
    /// each class in view stand under it.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap) -> swath::Result<()> {
    /// let corner = map.zoom(PixelWindow::new(200, 200, 150, 150))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Scene::zoom`], for the part of the scene that the map covers.
    #[doc(alias = "crop")]
    #[doc(alias = "window")]
    pub fn zoom(&self, window: impl Into<ZoomWindow>) -> Result<Figure> {
        let part = self.scene().crop(self.area())?.part(window.into())?;
        let look = part.scene.read_imagery(LONGEST)?;
        let labels = self.labels_at(&part.scene.area(), look.patch.size)?;
        let shares = format!("map in view: {}", self.shares(&labels));
        let scene = part.scene.clone();
        let look = Look {
            scene,
            look,
            labels,
        };
        let overlay = self.overlay_at(&look, &look.scene.shown_bands(), true)?;
        part.figure(
            overlay,
            &format!("Prediction of {}", self.scene().name()),
            &shares,
        )
    }

    fn overlay(&self, look: &Look, bands: &[usize]) -> Result<Overlay<'static>> {
        self.overlay_at(look, bands, false)
    }

    fn overlay_at(
        &self,
        look: &Look,
        bands: &[usize],
        magnified: bool,
    ) -> Result<Overlay<'static>> {
        let over = Over {
            classes: self.classes(),
            labels: Some(&look.labels),
            boxes: Vec::new(),
            opacity: OPACITY,
            magnified,
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

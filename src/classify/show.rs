//! Cells over their imagery.

use super::SceneCells;
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::IGNORE;
use crate::plot::{Figure, Overlay};
use crate::raster::{BandChoice, PixelWindow, ZoomWindow};
use crate::scene::{Over, Quicklook, Scene};

/// Longest side of the picture in a cell: as a scene's.
const LONGEST: usize = 800;
/// How opaque the classes are to begin with.
const OPACITY: f32 = 0.4;

impl SceneCells {
    /// The cells over other bands of their imagery, by name or by place as [`Scene::show_bands`] takes them.
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
        let (scene, look) = self.look()?;
        let caption = format!(
            "{}; bands shown: {}",
            self.summary(),
            scene.band_words(bands)
        );
        let overlay = self.overlay_at(&scene, &look, bands, false)?;
        overlay.caption(caption).figure()
    }

    /// A closer look at a part of the scene with its cells, as [`Scene::zoom`].
    ///
    /// # Errors
    /// As [`Scene::zoom`], for the part of the scene that was classified.
    #[doc(alias = "crop")]
    pub fn zoom(&self, window: impl Into<ZoomWindow>) -> Result<Figure> {
        let part = self.scene().crop(self.grid().area())?.part(window.into())?;
        let scene = part.scene.clone();
        let look = scene.read_imagery(LONGEST)?;
        let area = scene.area();
        let in_view = self
            .iter()
            .filter(|cell| cell.window.intersect(&area).is_some());
        let counted = self.classes().counted(in_view.map(|cell| cell.class));
        let overlay = self.overlay_at(&scene, &look, &scene.shown_bands(), true)?;
        part.figure(
            overlay,
            &format!("Cells of {}", self.scene().name()),
            &format!("cells in view: {counted}"),
        )
    }

    /// The part of the scene that was classified, and its imagery.
    fn look(&self) -> Result<(Scene, Quicklook)> {
        let scene = self.scene().crop(self.grid().area())?;
        let look = scene.read_imagery(LONGEST)?;
        Ok((scene, look))
    }

    fn overlay_at(
        &self,
        scene: &Scene,
        look: &Quicklook,
        bands: &[usize],
        magnified: bool,
    ) -> Result<Overlay<'static>> {
        let (area, size, labels) = (scene.area(), look.patch.size, self.labels());
        let under = |at: usize| {
            // The pixel of the raster under the middle of one of the picture.
            let place = |at: usize, shown: usize, all: usize| {
                ((at as f64 + 0.5) * all as f64 / shown.max(1) as f64) as i64
            };
            let col = area.col + place(at % size.width, size.width, area.width);
            let row = area.row + place(at / size.width, size.height, area.height);
            let cell = self.grid().cell_at(col, row);
            cell.and_then(|cell| labels.get(cell).copied())
                .unwrap_or(IGNORE)
        };
        let mut drawn: Vec<u8> = (0..size.area()).map(under).collect();
        for (label, valid) in drawn.iter_mut().zip(&look.patch.valid) {
            if *valid == 0 {
                *label = IGNORE;
            }
        }
        let over = Over {
            classes: self.classes(),
            labels: Some(&drawn),
            boxes: Vec::new(),
            opacity: OPACITY,
            magnified,
        };
        let overlay = scene.drawn(look, bands, &over)?;
        Ok(overlay.title(self.summary()))
    }

    /// The cells over their imagery with the same facts as under its scene.
    fn picture(&self) -> Result<Output> {
        let (scene, look) = self.look()?;
        let bands = scene.shown_bands();
        let facts = scene.facts(Some(&look), &bands);
        let drawn = self.overlay_at(&scene, &look, &bands, false)?;
        let drawn = drawn.caption(self.summary()).output();
        let notices = scene.imagery_report();
        Ok(self
            .scene()
            .with_facts(&self.summary(), &facts, &notices, drawn))
    }

    /// `Cells of town: building 83, background 12, of 64 x 64 px (5 without valid imagery)`.
    pub(crate) fn summary(&self) -> String {
        self.summary_in(&self.grid().area())
    }

    /// [`SceneCells::summary`] of the cells that touch an area alone.
    pub(crate) fn summary_in(&self, area: &PixelWindow) -> String {
        let grid = self.grid();
        let there: Vec<usize> = (0..grid.len())
            .filter(|&index| grid.window(index).intersect(area).is_some())
            .collect();
        let valid: Vec<usize> = there
            .iter()
            .filter_map(|&index| self.get(index))
            .map(|cell| cell.class)
            .collect();
        let side = grid.cell();
        let without = there.len() - valid.len();
        let counted = self.classes().counted(valid);
        let without = match without {
            0 => String::new(),
            some => format!(" ({some} without valid imagery)"),
        };
        format!(
            "Cells of {}: {counted}, of {side} x {side} px{without}",
            self.scene().name()
        )
    }
}

/// `SceneCells(town, 8 x 8 of 64 px, classes: building)`.
impl std::fmt::Debug for SceneCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, classes) = (self.scene().name(), self.classes().in_words());
        let grid = self.grid();
        let (columns, rows, cell) = (grid.columns(), grid.rows(), grid.cell());
        write!(
            f,
            "SceneCells({name}, {columns} x {rows} of {cell} px{classes})"
        )
    }
}

impl Show for SceneCells {
    fn output(&self) -> Output {
        let picture = self.picture().unwrap_or_else(|error| {
            Output::text(format!(
                "{} (they cannot be drawn: {error})",
                self.summary()
            ))
        });
        picture.with_report(self.report())
    }
}

crate::show_in_cells!(SceneCells);

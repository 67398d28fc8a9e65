//! The colors of a scene's classes, chosen when it is given labels or boxes.

use super::Scene;
use super::drawn::Labeling;
use crate::Result;
use crate::boxes::BoundingBox;
use crate::labels::{ClassColor, Classes};
use crate::plot::image::{composite, rgb};
use crate::raster::{Patch, PixelWindow, Size};

/// Windows beside each other, and below each other, that are looked at all over the scene.
const ACROSS: usize = 4;
/// Labels that are looked at, about.
const LABELS: usize = 27;
/// The edge of a window in pixels.
const EDGE: usize = 24;
/// The longest side of the smaller version that is read of a scene that holds such versions.
const SMALL: usize = 160;
/// How many pixels are compared with each color.
const PIXELS: usize = 1500;

impl Scene {
    /// The same scene with these colors of its classes, by name, as on the web, or as red, green and blue. Its pictures,
    /// chips, the maps and boxes predicted on it and what they save have them; models and maps made before keep theirs.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("city.tif")?.with_labels("city.gpkg", "kind")?;
    /// let scene = scene.with_colors([("building", "red"), ("road", "#ff8800")])?;
    /// let scene = scene.with_colors([("road", [255, 136, 0])])?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::labels::LabelError::NoClassToColor`] and [`crate::labels::LabelError::NoSuchColor`].
    #[doc(alias = "set_colors")]
    #[doc(alias = "cmap")]
    #[doc(alias = "palette")]
    #[doc(alias = "with_colours")]
    pub fn with_colors<N: AsRef<str>, C: Into<ClassColor>>(
        &self,
        colors: impl IntoIterator<Item = (N, C)>,
    ) -> Result<Self> {
        let classes = self.classes().clone().with_colors(colors)?;
        Ok(self.changed(|inner| inner.classes = classes))
    }

    /// The scene with a color for each of its classes: those that somebody has chosen and those that `before` had stay
    /// as they are, the others stand out from the imagery. Only a few small windows are read, whatever the scene's
    /// size; where they cannot be, the colors are as for no imagery at all, and reading the scene tells the error.
    pub(super) fn colored(mut self, before: &Classes) -> Self {
        if self.classes().are_colored() {
            return self;
        }
        let mut classes = self.classes().clone().keeping_colors_of(before);
        if !classes.are_colored() {
            let (ground, around) = self.ground(classes.len());
            classes.stand_out(&ground, &around);
        }
        std::sync::Arc::make_mut(&mut self.inner).classes = classes;
        self
    }

    /// Colors of the imagery as pictures show it: all over the scene, and around some labels of each class. Places that
    /// cannot be read have none; whoever reads their pixels is told.
    fn ground(&self, classes: usize) -> (Vec<[u8; 3]>, Vec<Vec<[u8; 3]>>) {
        let raster = self.raster();
        let full = raster.full();
        // Which class a patch lies around; 0 for those all over the scene.
        let mut patches: Vec<(usize, Patch)> = Vec::new();
        let longest = full.width.max(full.height);
        let mut windows = self.windows_around_labels(classes);
        if raster.overview_count() > 0 && longest > SMALL {
            let scaled = |side: usize| (side * SMALL / longest).max(1);
            let size = Size::new(scaled(full.width), scaled(full.height));
            patches.extend(raster.read_scaled(&full, size).ok().map(|patch| (0, patch)));
        } else {
            let middle = |at: usize, length: usize| ((2 * at + 1) * length / (2 * ACROSS)) as i64;
            let centers = (0..ACROSS * ACROSS).map(|at| {
                (
                    middle(at % ACROSS, full.width),
                    middle(at / ACROSS, full.height),
                )
            });
            windows.extend(centers.filter_map(|center| Some((0, around(center, &full)?))));
        }
        // In the order of their rows, which compressed files like.
        windows.sort_by_key(|(_, window)| (window.row, window.col));
        for (class, window) in windows {
            patches.extend(raster.read(&window).ok().map(|patch| (class, patch)));
        }
        let bands = composite(raster.bands());
        let mut colors = vec![Vec::new(); classes];
        let all = beside_each_other(patches.iter().map(|(_, patch)| patch));
        if let Ok(image) = rgb(&all, &bands, &[]) {
            let owners = patches
                .iter()
                .flat_map(|(class, patch)| patch.valid.iter().map(move |valid| (*class, *valid)));
            for (pixel, (class, valid)) in image.data.chunks_exact(3).zip(owners) {
                if valid != 0 {
                    colors[class].push([pixel[0], pixel[1], pixel[2]]);
                }
            }
        }
        for colors in &mut colors {
            let step = colors.len().div_ceil(PIXELS).max(1);
            *colors = colors.iter().copied().step_by(step).collect();
        }
        let everywhere = std::mem::take(&mut colors[0]);
        (everywhere, colors)
    }

    /// Windows around some labels of each class, with its index.
    fn windows_around_labels(&self, classes: usize) -> Vec<(usize, PixelWindow)> {
        let drawn = self.inner.labels.as_ref().and_then(Labeling::polygons);
        let labeled: Vec<(usize, BoundingBox)> = match (drawn, &self.inner.boxes) {
            (Some(polygons), _) => polygons
                .polygons()
                .iter()
                .filter_map(|(shape, class)| Some((usize::from(*class), super::around(shape)?)))
                .collect(),
            (_, Some(boxes)) => boxes
                .annotations()
                .iter()
                .map(|one| (one.class, one.bounds))
                .collect(),
            _ => Vec::new(),
        };
        let each = (LABELS / classes.saturating_sub(1).max(1)).clamp(2, 9);
        let full = self.raster().full();
        let mut windows = Vec::new();
        for class in 1..classes.min(LABELS) {
            let own: Vec<(i64, i64)> = labeled
                .iter()
                .filter(|(other, _)| *other == class)
                .map(|(_, bounds)| bounds.center())
                .map(|(x, y)| (x as i64, y as i64))
                .filter(|&(col, row)| full.contains_pixel(col, row))
                .collect();
            let step = own.len().div_ceil(each).max(1);
            let some = own.into_iter().step_by(step);
            windows.extend(some.filter_map(|center| Some((class, around(center, &full)?))));
        }
        windows
    }
}

/// The window around a pixel, as far as it lies in `full`.
fn around((col, row): (i64, i64), full: &PixelWindow) -> Option<PixelWindow> {
    let half = EDGE as i64 / 2;
    full.intersect(&PixelWindow::new(col - half, row - half, EDGE, EDGE))
}

/// One patch of one row that holds the pixels of all.
fn beside_each_other<'a>(patches: impl Iterator<Item = &'a Patch> + Clone) -> Patch {
    let bands = patches.clone().next().map_or(0, |patch| patch.bands);
    let data = (0..bands)
        .flat_map(|band| patches.clone().flat_map(move |patch| patch.band(band)))
        .copied()
        .collect();
    let valid: Vec<u8> = patches.flat_map(|patch| patch.valid.clone()).collect();
    Patch {
        size: Size::new(valid.len(), 1),
        bands,
        data,
        valid,
    }
}

//! Saved cells, opened again.

use std::path::{Path, PathBuf};

use super::{CellGrid, SceneCells};
use crate::evaluate::EvaluateError;
use crate::labels::IGNORE;
use crate::predict::{PredictError, saved_classes};
use crate::raster::{PixelWindow, Raster};
use crate::report::Notice;
use crate::scene::Scene;
use crate::{Result, session};

/// What [`SceneCells::save`] calls the rasters of its cells.
pub(crate) const LABELS: &str = "cell_labels.tif";
const SCORES: &str = "cell_scores.tif";

/// What a probability of 1 is stored as.
const FULL_SCORE: f32 = 254.0;

impl SceneCells {
    /// Opens cells that [`SceneCells::save`] wrote into the folder `dir`, on the scene that they are of: to score them, to change
    /// their threshold, to look at them. The path of one of its files will do, too.
    ///
    /// Each cell has the class that it was saved with; another threshold decides anew. Probabilities come back from bytes, to
    /// 1/508. The area in use of the scene stands for the area that was classified. How the training cells of the model got
    /// their classes is not in the files: labels class a cell by the scene's rule ([`Scene::with_cells`]), or by
    /// [`crate::labels::CellRule::majority`].
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("town.tif")?.with_labels("houses.gpkg", "house")?;
    /// let cells = SceneCells::open("cells", &scene)?;
    /// println!("{}", cells.threshold(0.4)?.evaluate(&scene)?);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`PredictError::NoSavedCells`] for a folder without them; [`EvaluateError::OtherGrid`] when the cells do not lie on the
    /// scene's pixels; [`EvaluateError::ClassesDiffer`]; [`crate::raster::RasterError`] for a damaged file.
    #[doc(alias = "load")]
    pub fn open(dir: impl AsRef<Path>, scene: &Scene) -> Result<Self> {
        let given = crate::paths::expanded(dir.as_ref()).into_owned();
        let dir = match given.is_file() {
            true => given.parent().map_or_else(PathBuf::new, Path::to_owned),
            false => given,
        };
        let (labels, scores) = (dir.join(LABELS), dir.join(SCORES));
        for path in [&labels, &scores] {
            if !path.is_file() {
                let reason = "there is no such file".to_owned();
                let path = path.clone();
                return Err(PredictError::NoSavedCells { path, reason }.into());
            }
        }
        let decided = Raster::open(&labels)?;
        let stored = Raster::open(&scores)?;
        let classes = saved_classes(&labels, &decided, scene)?;
        let grid = grid_of(&decided, scene)?;
        if stored.size() != decided.size() || stored.band_count() != classes.len() {
            let reason = format!(
                "{SCORES} has {} bands of {}, {LABELS} {} classes and {}",
                stored.band_count(),
                stored.size(),
                classes.len(),
                decided.size()
            );
            return Err(PredictError::NoSavedCells {
                path: scores,
                reason,
            }
            .into());
        }
        session::check_interrupt("opening cells")?;
        let patch = stored.read(&stored.full())?;
        let (count, cells) = (classes.len(), grid.len());
        let mut probabilities = vec![f32::NAN; cells * count];
        for (class, plane) in patch.data.chunks_exact(cells.max(1)).enumerate() {
            for (index, value) in plane.iter().enumerate() {
                let valid = patch.valid.get(index).is_some_and(|valid| *valid != 0);
                let place = probabilities.get_mut(index * count + class);
                if let (Some(place), true) = (place, valid && *value <= FULL_SCORE) {
                    *place = value / FULL_SCORE;
                }
            }
        }
        let patch = decided.read(&decided.full())?;
        let class = |(value, valid): (&f32, &u8)| match *valid != 0 && *value < count as f32 {
            // Below the number of classes, which are at most 255.
            true => *value as u8,
            false => IGNORE,
        };
        let saved: Vec<u8> = patch.data.iter().zip(&patch.valid).map(class).collect();
        let cells = Self::new(grid, probabilities, classes, scene.clone(), None);
        let mut report = crate::report::Report::new();
        report.push(Notice::left_out(
            "what the model was trained on, and how its training cells got their classes, is not in the files: scores of these \
             cells cannot say whether it saw these pixels",
        ));
        Ok(cells.with_saved(saved).with_report(report))
    }
}

/// The cells, of which each is a pixel of `labels`, in pixels of the scene's raster.
///
/// # Errors
/// [`EvaluateError::OtherGrid`].
fn grid_of(labels: &Raster, scene: &Scene) -> Result<CellGrid> {
    let other = || EvaluateError::OtherGrid {
        expected: labels.size(),
        found: scene.raster().size(),
        path: scene.raster().path().to_owned(),
    };
    let (own, pixels) = (labels.transform(), scene.raster().transform());
    let (col, row) = pixels.pixel_from_world((own.0[0], own.0[3]));
    let next = |x: f64, y: f64| pixels.pixel_from_world(own.world_from_pixel((x, y)));
    let ((right, level), (below_col, below)) = (next(1.0, 0.0), next(0.0, 1.0));
    let side = (right - col).round();
    // A hundredth of a pixel: what formats lose when they store a transform.
    let whole = |value: f64| (value - value.round()).abs() <= 0.01;
    let fits = [col, row].into_iter().all(whole)
        && (right - col - side).abs() <= 0.01
        && (below - row - side).abs() <= 0.01
        && (level - row).abs() <= 0.01
        && (below_col - col).abs() <= 0.01
        && (1.0..=1e6).contains(&side);
    if !fits || col.abs() > 1e9 || row.abs() > 1e9 {
        return Err(other().into());
    }
    // All three are whole numbers of that size.
    let (col, row, side) = (col.round() as i64, row.round() as i64, side as usize);
    let size = labels.size();
    let all = PixelWindow::new(
        col,
        row,
        size.width.saturating_mul(side),
        size.height.saturating_mul(side),
    );
    // Cells reach over the edge of the area; how far is not in the files.
    let areas = [scene.area(), scene.raster().full()].map(|area| all.intersect(&area));
    let mut grids = areas
        .into_iter()
        .flatten()
        .filter(|area| (area.col, area.row) == (col, row))
        .map(|area| CellGrid::new(area, side));
    let found = grids.find(|grid| grid.size() == size);
    found.ok_or_else(|| other().into())
}

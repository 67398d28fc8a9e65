//! The windows of a map that are most wrong.

use super::SceneMap;
use super::blend_strip::FULL_SCORE;
use super::objects::decimal_places;
use super::score_type::read_scores;
use super::tiling::wrong;
use crate::chips::Chip;
use crate::display::{Output, Show, escape, in_font};
use crate::evaluate::{percent, thousands};
use crate::labels::IGNORE;
use crate::plot::{ChipGrid, Figure, comparison, table_html, table_text};
use crate::raster::{PixelWindow, Raster, Size};
use crate::report::Report;
use crate::scene::Scene;
use crate::{Result, session};

/// Side of the windows unless set.
const SIDE: usize = 128;
/// Windows with fewer labeled pixels than this part of a full one come last: a few pixels at an edge say little.
const FEWEST: f64 = 0.1;
/// So many windows are drawn; the table lists all of them.
const DRAWN: usize = 24;

/// A window of a map, and how wrong it is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct WorstWindow {
    /// Its place in pixels of the scene's raster: `scene.crop(worst.window)` opens it.
    pub window: PixelWindow,
    /// Pixels that are labeled and predicted.
    pub labeled: u64,
    /// Those of another class than their label.
    pub wrong: u64,
    /// Mean cross entropy of the labeled pixels, `-ln` of the score of the true class; `None` without scores. Scores are
    /// kept in 255 steps, so that one pixel adds 6.2 at most.
    pub loss: Option<f64>,
}

impl WorstWindow {
    /// The part of the labeled pixels that are wrong, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.wrong as f64 / self.labeled as f64
    }

    /// What windows are ranked by.
    fn badness(&self) -> f64 {
        self.loss.unwrap_or_else(|| self.share())
    }
}

/// The windows where a map differs most from its truth, worst first.
///
/// As the last expression of a cell it shows each as imagery, truth and prediction, with its place and its part of wrong
/// pixels: a quick way to wrong labels, too.
///
/// ```no_run
/// # use swath::prelude::*;
/// # fn example(map: &SceneMap, test: &Scene) -> swath::Result<()> {
/// let worst = map.worst(test, 6)?;
/// let first = worst.get(0).map(|worst| test.crop(worst.window)).transpose()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WorstWindows {
    windows: Vec<WorstWindow>,
    map: SceneMap,
    scene: Scene,
    /// Windows that were compared.
    among: usize,
    report: Report,
}

impl SceneMap {
    /// The `n` windows of 128 x 128 pixels where the map differs most from the labels of `scene`, worst first: by mean
    /// cross entropy where scores were kept (top losses), otherwise by the part of wrong pixels. Windows without a
    /// labeled pixel are left out, those with few come last.
    ///
    /// # Errors
    /// As [`SceneMap::evaluate`].
    pub fn worst(&self, scene: &Scene, n: usize) -> Result<WorstWindows> {
        self.worst_with(scene, n, SIDE)
    }

    /// [`SceneMap::worst`] in windows of `side` pixels; at the right and lower edges they are smaller.
    ///
    /// # Errors
    /// As [`SceneMap::worst`]; [`super::PredictError::Option`] for a side of 0.
    pub fn worst_with(&self, scene: &Scene, n: usize, side: usize) -> Result<WorstWindows> {
        if side == 0 {
            return Err(wrong("side", &side, "at least 1 pixel").into());
        }
        let common = self.common_with(scene)?;
        let mut windows = Vec::new();
        for window in common.tiles(Size::new(side, side)) {
            session::check_interrupt("looking for the worst windows")?;
            windows.extend(self.judged(scene, window)?);
        }
        let fewest = FEWEST * side.min(common.width) as f64 * side.min(common.height) as f64;
        let last = |one: &WorstWindow| (one.labeled as f64) < fewest;
        // A stable sort: equally bad windows keep the order of reading.
        windows.sort_by(|one, other| {
            let by_badness = other.badness().total_cmp(&one.badness());
            last(one).cmp(&last(other)).then(by_badness)
        });
        let among = windows.len();
        windows.truncate(n);
        Ok(WorstWindows {
            windows,
            map: self.clone(),
            scene: scene.clone(),
            among,
            report: self.seen(scene, common),
        })
    }

    /// `None` without a labeled pixel.
    fn judged(&self, scene: &Scene, window: PixelWindow) -> Result<Option<WorstWindow>> {
        let (truth, prediction) = (scene.label_window(&window)?, self.labels(&window)?);
        let counted: Vec<(usize, u8)> = (truth.iter().zip(&prediction).enumerate())
            .filter(|(_, (truth, prediction))| **truth != IGNORE && **prediction != IGNORE)
            .map(|(pixel, (&truth, _))| (pixel, truth))
            .collect();
        if counted.is_empty() {
            return Ok(None);
        }
        let wrong = counted
            .iter()
            .filter(|(at, truth)| prediction[*at] != *truth);
        let loss = match &self.inner.scores {
            Some(scores) => Some(cross_entropy(scores, &self.in_map(&window), &counted)?),
            None => None,
        };
        Ok(Some(WorstWindow {
            window,
            labeled: counted.len() as u64,
            wrong: wrong.count() as u64,
            loss,
        }))
    }
}

/// Mean over the pixels `counted`, given with their true class.
fn cross_entropy(scores: &Raster, window: &PixelWindow, counted: &[(usize, u8)]) -> Result<f64> {
    let patch = read_scores(scores, window)?;
    let pixels = window.area();
    let loss = |&(pixel, truth): &(usize, u8)| {
        let stored = patch.data[usize::from(truth) * pixels + pixel];
        // What is stored as 0 was less than half a step.
        -f64::from(stored.max(0.5) / FULL_SCORE).ln()
    };
    Ok(counted.iter().map(loss).sum::<f64>() / counted.len() as f64)
}

impl WorstWindows {
    /// How many there are: as many as were asked for, or all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// The one at a place in the order, the worst at 0.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&WorstWindow> {
        self.windows.get(index)
    }

    /// One after another, worst first.
    pub fn iter(&self) -> std::slice::Iter<'_, WorstWindow> {
        self.windows.iter()
    }

    /// Imagery, truth and prediction of each, one window a row; of many the first 24.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::Read`] when a file is damaged.
    pub fn figure(&self) -> Result<Figure> {
        let (mut chips, mut predictions, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for (index, worst) in self.iter().enumerate().take(DRAWN) {
            let window = worst.window;
            chips.push(Chip {
                scene: 0,
                window,
                patch: self.scene.read(&window)?,
                labels: self.scene.label_window(&window)?,
                boxes: Vec::new(),
                class: None,
            });
            predictions.push(self.map.labels(&window)?);
            words.push(format!("{index}: {} wrong", percent(worst.share())));
        }
        let grid = ChipGrid::new()
            .bands(self.scene.shown_bands())
            .title(self.summary())
            .rows(words);
        comparison(&chips, &predictions, self.map.classes(), &grid)
    }

    fn summary(&self) -> String {
        let by = if self.map.inner.scores.is_some() {
            "mean cross entropy"
        } else {
            "the part of wrong pixels"
        };
        format!(
            "The {} worst of {} windows of the map of {}, by {by}",
            self.len(),
            self.among,
            self.scene.name()
        )
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let raster = self.scene.raster();
        let places = decimal_places(raster, 1.0);
        let row = |(index, worst): (usize, &WorstWindow)| {
            let window = worst.window;
            let middle = (
                window.col as f64 + window.width as f64 / 2.0,
                window.row as f64 + window.height as f64 / 2.0,
            );
            let (x, y) = raster.transform().world_from_pixel(middle);
            let loss = worst.loss.map(|loss| format!("{loss:.3}"));
            vec![
                index.to_string(),
                format!("{}..{}", window.col, window.right()),
                format!("{}..{}", window.row, window.bottom()),
                format!("{x:.places$}"),
                format!("{y:.places$}"),
                thousands(worst.wrong),
                percent(worst.share()),
                loss.unwrap_or_else(|| "–".to_owned()),
            ]
        };
        self.iter().enumerate().map(row).collect()
    }
}

impl<'a> IntoIterator for &'a WorstWindows {
    type Item = &'a WorstWindow;
    type IntoIter = std::slice::Iter<'a, WorstWindow>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

const HEADS: [&str; 8] = [
    "", "columns", "rows", "middle x", "middle y", "wrong", "share", "loss",
];

impl Show for WorstWindows {
    fn output(&self) -> Output {
        let (summary, rows) = (self.summary(), self.rows());
        let (text, table) = (table_text(&HEADS, &rows), table_html(&HEADS, &rows));
        let text = format!("{summary}\n{text}");
        let output = match self.figure() {
            Ok(figure) => {
                let drawn = figure.output();
                let html = drawn.html.clone().unwrap_or_default();
                Output {
                    html: Some(in_font(html + &table)),
                    text,
                    ..drawn
                }
            }
            Err(error) => {
                let reason = escape(&error.to_string());
                Output::styled(
                    format!("{text}\nThe picture cannot be drawn: {error}"),
                    format!("{table}<div>The picture cannot be drawn: {reason}</div>"),
                )
            }
        };
        output.with_report(&self.report)
    }
}

crate::show_in_cells!(WorstWindows);

impl std::fmt::Debug for WorstWindows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WorstWindows({})", self.summary())
    }
}

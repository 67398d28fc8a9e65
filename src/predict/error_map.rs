//! Where a map is wrong: truth, prediction and errors beside each other over the imagery.

use super::SceneMap;
use crate::Result;
use crate::display::{Output, Show};
use crate::evaluate::{Confusion, percent, thousands};
use crate::labels::{Classes, IGNORE};
use crate::plot::{Entry, Figure, RgbImage, Swatch, picture_figure};
use crate::report::Report;
use crate::scene::{Over, Scene};

/// Longest side of a panel.
const LONGEST: usize = 520;
/// Space between panels, and its color, neutral on both themes.
const GAP: usize = 4;
const BETWEEN: [u8; 3] = [189; 3];
/// How opaque classes and errors are.
const CLASSES: f32 = 0.45;
const ERRORS: f32 = 0.75;

/// What a pixel of an error map is, in the order of their colors.
const KINDS: [&str; 4] = ["right", "missed", "false alarm", "wrong class"];
/// Of Okabe and Ito's set, which stays apart for color-blind readers.
const COLORS: [[u8; 3]; 4] = [[0, 158, 115], [213, 94, 0], [86, 60, 200], [240, 190, 0]];

/// What a pixel is: 0 background in truth and prediction, 1 to 4 as [`KINDS`], [`IGNORE`] where it is not counted.
pub(super) fn kind(truth: u8, prediction: u8, background: bool) -> u8 {
    match (truth, prediction) {
        (IGNORE, _) | (_, IGNORE) => IGNORE,
        (0, 0) if background => 0,
        (truth, prediction) if truth == prediction => 1,
        (_, 0) if background => 2,
        (0, _) if background => 3,
        _ => 4,
    }
}

/// A map compared with its truth, pixel by pixel.
///
/// As the last expression of a cell it shows three pictures of the imagery: with the truth, with the prediction, and with
/// what is right, missed (labeled as a class, predicted as background), a false alarm (the other way round) or taken for
/// another class. Pixels without a label or without valid imagery have no color and are not counted.
///
/// The counts are those of [`SceneMap::evaluate`]. Classes that have no background among them, such as those of land cover,
/// are right or wrong, and nothing is missed or a false alarm.
///
/// ```no_run
/// # use swath::prelude::*;
/// # fn example(map: &SceneMap, test: &Scene) -> swath::Result<()> {
/// let errors = map.errors(test)?;
/// println!("{} pixels missed, {} false alarms", errors.missed(), errors.false_alarms());
/// errors.figure()?.save("errors.png")?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ErrorMap {
    map: SceneMap,
    /// The labeled scene, where the map covers it.
    scene: Scene,
    confusion: Confusion,
    report: Report,
}

impl SceneMap {
    /// Compares the map with the labels of `scene`, over the pixels that both cover, and shows where it is wrong.
    ///
    /// # Errors
    /// As [`SceneMap::evaluate`].
    pub fn errors(&self, scene: &Scene) -> Result<ErrorMap> {
        let common = self.common_with(scene)?;
        let scores = self.compared(scene)?;
        Ok(ErrorMap {
            map: self.clone(),
            scene: scene.crop(common)?,
            confusion: scores.confusion().clone(),
            report: scores.report().clone(),
        })
    }
}

impl ErrorMap {
    /// The counts by true and predicted class, as [`SceneMap::evaluate`] has them.
    #[must_use]
    pub fn confusion(&self) -> &Confusion {
        &self.confusion
    }

    /// What a person should know about it, such as that the model was trained on these pixels.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Pixels that are labeled and predicted.
    #[must_use]
    pub fn labeled(&self) -> u64 {
        self.confusion.total()
    }

    /// Pixels of the right class, those of the background included.
    #[must_use]
    pub fn right(&self) -> u64 {
        self.counted(0) + self.counted(1)
    }

    /// Pixels labeled as a class and predicted as background.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.counted(2)
    }

    /// Pixels labeled as background and predicted as a class.
    #[must_use]
    pub fn false_alarms(&self) -> u64 {
        self.counted(3)
    }

    /// Pixels labeled as a class and predicted as another one.
    #[must_use]
    pub fn wrong_class(&self) -> u64 {
        self.counted(4)
    }

    fn counted(&self, wanted: u8) -> u64 {
        let background = self.map.classes().have_background();
        let n = self.confusion.classes.len();
        let pairs = (0..n).flat_map(|truth| (0..n).map(move |prediction| (truth, prediction)));
        let of_kind = pairs.filter(|&(truth, prediction)| {
            // There are at most 255 classes.
            kind(truth as u8, prediction as u8, background) == wanted
        });
        of_kind
            .map(|(truth, prediction)| self.confusion.count(truth, prediction))
            .sum()
    }

    /// `12,345 (3.1 %)`.
    fn part(&self, count: u64) -> String {
        let share = count as f64 / self.labeled() as f64;
        format!("{} ({})", thousands(count), percent(share))
    }

    fn summary(&self) -> String {
        let wrong = self.labeled() - self.right();
        let counts = [self.missed(), self.false_alarms(), self.wrong_class()];
        let mut text = format!(
            "Errors of the map of {}: {} of {} labeled pixels are wrong",
            self.scene.name(),
            self.part(wrong),
            thousands(self.labeled())
        );
        let mut before = ": ";
        for (name, count) in KINDS[1..]
            .iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
        {
            text += &format!("{before}{name} {}", self.part(count));
            before = ", ";
        }
        text
    }

    /// The three pictures with a legend, in the bands that a scene shows by itself.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::Read`] when a file is damaged.
    pub fn figure(&self) -> Result<Figure> {
        self.show_bands(&self.scene.shown_bands())
    }

    /// As [`ErrorMap::figure`] over other bands: one in gray, or three as red, green and blue, counted from 0.
    ///
    /// # Errors
    /// [`crate::plot::PlotError::Band`] for a band that the scene does not have; [`crate::raster::RasterError::Read`].
    pub fn show_bands(&self, bands: &[usize]) -> Result<Figure> {
        let look = self.scene.read_imagery(LONGEST)?;
        let size = look.patch.size;
        let truth = (self.scene).sampled_rows(size, |row| self.scene.label_window(row))?;
        let prediction = self.scene.sampled_rows(size, |row| self.map.labels(row))?;
        let background = self.map.classes().have_background();
        let kinds: Vec<u8> = (truth.iter().zip(&prediction))
            .map(|(&truth, &prediction)| kind(truth, prediction, background))
            .collect();
        let mut errors = Classes::new(KINDS);
        for (name, color) in KINDS.iter().zip(COLORS) {
            errors = errors.with_color(name, color);
        }
        let drawn = |labels: &[u8], classes: &Classes, opacity: f32| {
            let over = Over {
                classes,
                labels: Some(labels),
                boxes: Vec::new(),
                opacity,
                magnified: false,
            };
            self.scene.drawn(&look, bands, &over)
        };
        let classes = self.map.classes();
        let mut panels = [
            drawn(&truth, classes, CLASSES)?.drawn(),
            drawn(&prediction, classes, CLASSES)?.drawn(),
            // Errors are often thin or specks, which lines around them would hide.
            drawn(&kinds, &errors, ERRORS)?.filled(),
        ];
        for (panel, heading) in panels.iter_mut().zip(["truth", "prediction", "errors"]) {
            panel.tag(0, 0, heading);
        }
        let text = self.summary();
        picture_figure(&beside(&panels), "", &text, &self.legend())
    }

    /// The classes, then what is right and wrong with counts.
    fn legend(&self) -> Vec<Entry> {
        let mut entries = Entry::of_colored(self.map.classes());
        for (index, (name, color)) in (1..).zip(KINDS.iter().zip(COLORS)) {
            let count = self.counted(index);
            if count > 0 || index == 1 {
                let words = format!("{name} {}", self.part(count));
                entries.push(Entry::new(words, Swatch::Color(color)));
            }
        }
        if self.map.classes().have_background() {
            let words = format!("background in both {}", self.part(self.counted(0)));
            entries.push(Entry::new(words, Swatch::Empty));
        }
        entries
    }
}

/// Pictures of one size in a row; wide ones below each other.
fn beside(panels: &[RgbImage]) -> RgbImage {
    let Some(first) = panels.first() else {
        return RgbImage::default();
    };
    let wide = first.width > 2 * first.height;
    let (columns, rows) = if wide {
        (1, panels.len())
    } else {
        (panels.len(), 1)
    };
    let (right, down) = (first.width + GAP, first.height + GAP);
    let mut picture = RgbImage::filled(columns * right - GAP, rows * down - GAP, BETWEEN);
    for (index, panel) in panels.iter().enumerate() {
        let (col, row) = (index % columns * right, index / columns * down);
        picture.paste(panel, col, row);
    }
    picture
}

impl Show for ErrorMap {
    fn output(&self) -> Output {
        let drawn = self.figure().map_or_else(
            |error| {
                let summary = self.summary();
                Output::text(format!("{summary} (it cannot be drawn: {error})"))
            },
            |figure| figure.output(),
        );
        drawn.with_report(&self.report)
    }
}

crate::show_in_cells!(ErrorMap);

impl std::fmt::Debug for ErrorMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ErrorMap({})", self.summary())
    }
}

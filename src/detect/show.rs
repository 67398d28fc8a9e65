//! Boxes over their imagery, and their scores as a table with a curve.

use super::{BoxScores, SceneBoxes};
use crate::Result;
use crate::boxes::Detection;
use crate::boxes::score::{ClassAp, Matching};
use crate::display::{Output, Show, escape};
use crate::plot::image::{RgbImage, RgbaImage, draw_boxes_over, rgb_auto};
use crate::plot::{Curves, Figure, Overlay, Series, table_html, table_text};
use crate::raster::Size;

/// Longest side of the picture in a cell.
const LONGEST: usize = 1024;
/// Boxes narrower than this on the picture get no score beside them, in pixels.
const LABELLED_WIDTH: f64 = 24.0;
/// With more boxes than this none gets its score written: they would hide the imagery.
const LABELLED: usize = 400;
/// How opaque boxes are to begin with.
const OPACITY: f32 = 0.9;

impl SceneBoxes {
    /// The boxes at or above the threshold over the imagery, each with its score in per cent where there is room.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::Read`] when the file is damaged.
    pub fn figure(&self) -> Result<Figure> {
        let area = self.area();
        let size = fitted(area.size());
        let patch = self.scene().raster().read_scaled(&area, size)?;
        let base = rgb_auto(&patch, None)?;
        let scale = (
            base.width as f64 / area.width as f64,
            base.height as f64 / area.height as f64,
        );
        let mut over = RgbaImage::transparent(base.width, base.height);
        let shown: Vec<_> = self
            .detections()
            .iter()
            .map(|found| {
                let moved = found
                    .bounds
                    .translate(-(area.col as f64), -(area.row as f64));
                found.with_bounds(moved.scale(scale.0, scale.1))
            })
            .collect();
        let colors = self.classes().colors();
        let color = |found: &Detection| colors.get(found.class).copied().unwrap_or([255; 3]);
        draw_boxes_over(
            &mut over,
            shown.iter().map(|found| (found.bounds, color(found))),
            if shown.len() > LABELLED { 1 } else { 2 },
        );
        if shown.len() <= LABELLED {
            for found in &shown {
                write_score(&mut over, &base, found, color(found));
            }
        }
        Overlay::new(&base, &over, self.classes())
            .opacity(OPACITY)
            .title(self.summary())
            .caption(self.summary())
            .figure()
    }

    /// `Boxes in town: car 83 at a score of 0.30 or more (41 below)`.
    fn summary(&self) -> String {
        let counts = self.counts();
        let counted = if counts.is_empty() {
            "none".to_owned()
        } else {
            let one = |(class, count): (&String, &usize)| format!("{class} {count}");
            counts.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let below = self.all_detections().len() - self.len();
        format!(
            "Boxes in {}: {counted} at a score of {:.2} or more ({below} below)",
            self.scene().name(),
            self.threshold_score(),
        )
    }
}

/// The size with the same shape whose longer side is at most [`LONGEST`].
fn fitted(size: Size) -> Size {
    let longest = size.width.max(size.height);
    if longest <= LONGEST {
        return size;
    }
    let scaled = |side: usize| (side * LONGEST / longest).max(1);
    Size::new(scaled(size.width), scaled(size.height))
}

/// Writes a score in per cent into the upper left corner of its box, in the box's colour, where it fits.
fn write_score(over: &mut RgbaImage, base: &RgbImage, found: &Detection, color: [u8; 3]) {
    if found.bounds.width() < LABELLED_WIDTH || found.bounds.height() < LABELLED_WIDTH {
        return;
    }
    let (col, row) = (
        found.bounds.x_min.max(0.0) as usize + 3,
        found.bounds.y_min.max(0.0) as usize + 2,
    );
    let text = format!("{:.0}", found.score * 100.0);
    // Letters know how to lie over imagery: they are drawn on a dark copy of it, and what they changed is taken over.
    let mut ground = RgbImage::filled(22, 20, [0; 3]);
    ground.text(1, 0, &text, [255; 3]);
    for (line, pixels) in ground.data.chunks_exact(22 * 3).enumerate() {
        for (column, pixel) in pixels.chunks_exact(3).enumerate() {
            let (x, y) = (col + column, row + line);
            if x >= base.width || y >= base.height || pixel[0] < 40 {
                continue;
            }
            let at = (y * over.width + x) * 4;
            if let Some(target) = over.data.get_mut(at..at + 4) {
                target.copy_from_slice(&[color[0], color[1], color[2], pixel[0]]);
            }
        }
    }
}

impl Show for SceneBoxes {
    fn output(&self) -> Output {
        match self.figure() {
            Ok(figure) => Output {
                text: self.summary(),
                ..figure.output()
            },
            Err(error) => Output::text(format!(
                "{} (they cannot be drawn: {error})",
                self.summary()
            )),
        }
    }
}

impl BoxScores {
    /// Precision over recall of every class at IoU 0.5.
    #[must_use]
    pub fn curve(&self) -> Figure {
        let series = self
            .classes
            .iter()
            .enumerate()
            .skip(1)
            .map(|(index, class)| {
                let points = self.curve_of(index, 0.5);
                let points = points
                    .into_iter()
                    .map(|(_, precision, recall)| (recall, precision));
                Series::new(class.name.clone(), points)
            });
        Curves::new("Precision and recall at IoU 0.5")
            .series(series)
            .x_label("recall")
            .y_label("precision")
            .x_limits(0.0, 1.0)
            .size(520, 280)
            .figure()
    }

    fn summary(&self) -> String {
        let (best, counts) = self.best_f1(0.5);
        format!(
            "Boxes of {}: AP50 {:.3}, AP {:.3}; F1 {:.3} at the threshold {:.2} (at best {:.3}, at {best:.2})",
            self.scene,
            self.ap50(),
            self.ap(),
            self.f1(0.5),
            self.threshold(),
            counts.f1,
        )
    }
}

const HEADERS: [&str; 9] = [
    "class",
    "objects",
    "AP50",
    "AP",
    "right",
    "wrong",
    "missed",
    "precision",
    "recall",
];

impl BoxScores {
    fn row(&self, class: &ClassAp) -> Vec<String> {
        let share = |value: f64| {
            if value.is_finite() {
                format!("{value:.3}")
            } else {
                "–".to_owned()
            }
        };
        let counts = self.class_counts(class.class, 0.5, Matching::Coco);
        let name = self
            .classes
            .get(class.class)
            .map(|class| class.name.clone());
        vec![
            name.unwrap_or_default(),
            class.objects.to_string(),
            share(class.ap50),
            share(class.ap),
            counts.true_positives.to_string(),
            counts.false_positives.to_string(),
            counts.false_negatives.to_string(),
            share(counts.precision),
            share(counts.recall),
        ]
    }
}

impl Show for BoxScores {
    fn output(&self) -> Output {
        let classes = &self.coco().per_class;
        let rows: Vec<_> = classes.iter().map(|class| self.row(class)).collect();
        let (summary, curve) = (self.summary(), self.curve());
        let html = format!(
            "<div><b>{}</b></div>{}{}",
            escape(&summary),
            table_html(&HEADERS, &rows),
            curve.html()
        );
        Output {
            svg: curve.svg(),
            alt: curve.alt().to_owned(),
            ..Output::html(format!("{summary}\n{}", table_text(&HEADERS, &rows)), html)
        }
    }
}

crate::show_in_cells!(SceneBoxes, BoxScores);

//! Boxes over their imagery, and their scores as a table with a curve.

use super::{BoxScores, SceneBoxes};
use crate::Result;
use crate::boxes::score::{ClassAp, Matching};
use crate::display::{Output, Show, escape};
use crate::plot::{Curves, Figure, Overlay, Series, table_html, table_text};
use crate::raster::{BandChoice, ZoomWindow};
use crate::scene::{Over, Quicklook, Scene, bounds_of};

/// Longest side of the picture in a cell.
const LONGEST: usize = 1024;
/// How opaque boxes are to begin with.
const OPACITY: f32 = 0.9;

impl SceneBoxes {
    /// The boxes at or above the threshold over the imagery, each with its score in per cent where there is room.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::Read`] when the file is damaged.
    #[doc(alias = "show")]
    #[doc(alias = "plot")]
    #[doc(alias = "imshow")]
    pub fn figure(&self) -> Result<Figure> {
        self.show_bands(self.scene().shown_bands())
    }

    /// As [`SceneBoxes::figure`] over other bands, by name or by place as [`Scene::show_bands`] takes them.
    ///
    /// # Errors
    /// As [`Scene::show_bands`].
    #[doc(alias = "plot_bands")]
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
        let overlay = self.overlay(&scene, &look, bands)?;
        overlay.caption(caption).figure()
    }

    /// A closer look at a part of the scene with its boxes at or above the threshold, as [`Scene::zoom`]. Boxes that the
    /// edge cuts are counted as in view.
    ///
    /// # Errors
    /// As [`Scene::zoom`], for the part of the scene that was searched.
    #[doc(alias = "crop")]
    pub fn zoom(&self, window: impl Into<ZoomWindow>) -> Result<Figure> {
        let part = self.scene().crop(self.area())?.part(window.into())?;
        let (scene, bounds) = (&part.scene, bounds_of(&part.scene.area()));
        let look = scene.read_imagery(LONGEST)?;
        let in_view = self
            .detections()
            .iter()
            .filter(|found| found.bounds.intersection(&bounds).is_some());
        let named = self.classes().counted(in_view.map(|found| found.class));
        let counted = format!(
            "boxes in view: {named} at a score of {:.2} or more",
            self.threshold_score()
        );
        let overlay = self.overlay_at(scene, &look, &scene.shown_bands(), true)?;
        part.figure(
            overlay,
            &format!("Boxes in {}", self.scene().name()),
            &counted,
        )
    }

    /// The part of the scene that was searched, and its imagery.
    fn look(&self) -> Result<(Scene, Quicklook)> {
        let scene = self.scene().crop(self.area())?;
        let look = scene.read_imagery(LONGEST)?;
        Ok((scene, look))
    }

    fn overlay(
        &self,
        scene: &Scene,
        look: &Quicklook,
        bands: &[usize],
    ) -> Result<Overlay<'static>> {
        self.overlay_at(scene, look, bands, false)
    }

    fn overlay_at(
        &self,
        scene: &Scene,
        look: &Quicklook,
        bands: &[usize],
        magnified: bool,
    ) -> Result<Overlay<'static>> {
        let area = scene.area();
        let colors = self.classes().colors();
        let boxes = self.detections().iter().map(|found| {
            let moved = found
                .bounds
                .translate(-(area.col as f64), -(area.row as f64));
            let color = colors.get(found.class).copied().unwrap_or([255; 3]);
            (moved.into(), color, format!("{:.0}", found.score * 100.0))
        });
        let over = Over {
            classes: self.classes(),
            labels: None,
            boxes: boxes.collect(),
            opacity: OPACITY,
            magnified,
        };
        Ok(scene.drawn(look, bands, &over)?.title(self.summary()))
    }

    /// The boxes over their imagery with the same facts as under its scene.
    fn picture(&self) -> Result<Output> {
        let (scene, look) = self.look()?;
        let bands = scene.shown_bands();
        let facts = scene.facts(Some(&look), &bands);
        let drawn = self.overlay(&scene, &look, &bands)?;
        let drawn = drawn.caption(self.summary()).output();
        Ok(self
            .scene()
            .with_facts(&self.summary(), &facts, &scene.imagery_report(), drawn))
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

/// `SceneBoxes(town, car 83, truck 4, at a score of 0.30 or more)`.
impl std::fmt::Debug for SceneBoxes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counted: String = self
            .counts()
            .iter()
            .map(|(class, count)| format!(", {class} {count}"))
            .collect();
        let counted = if counted.is_empty() {
            ", none".to_owned()
        } else {
            counted
        };
        let (name, score) = (self.scene().name(), self.threshold_score());
        write!(
            f,
            "SceneBoxes({name}{counted}, at a score of {score:.2} or more)"
        )
    }
}

impl Show for SceneBoxes {
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
        // Without an object and a box no threshold is the best.
        let at_best = match counts.f1.is_finite() {
            true => format!(" (at best {:.3}, at {best:.2})", counts.f1),
            false => String::new(),
        };
        format!(
            "Boxes of {}: AP50 {}, AP {}; F1 {} at the threshold {:.2}{at_best}",
            self.scene,
            share(self.ap50()),
            share(self.ap()),
            share(self.f1(0.5)),
            self.threshold(),
        )
    }
}

/// A share as tables have it: a dash where there is none.
fn share(value: f64) -> String {
    match value.is_finite() {
        true => format!("{value:.3}"),
        false => "–".to_owned(),
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
            ..Output::styled(format!("{summary}\n{}", table_text(&HEADERS, &rows)), html)
        }
        .with_report(self.report())
    }
}

crate::show_in_cells!(SceneBoxes, BoxScores);

#[cfg(test)]
mod tests {
    use crate::Result;
    use crate::boxes::{BoundingBox, Detection};
    use crate::detect::SceneBoxes;
    use crate::detect::tests::{drawn, folder};
    use crate::display::Show as _;
    use crate::labels::Classes;
    use crate::raster::{PixelWindow, Size};

    /// D13: what was found is shown as its scene is: its bands, its facts, its notices; and over other bands.
    #[test]
    fn found_boxes_say_bands_and_facts_and_show_other_bands() -> Result<()> {
        let folder = folder();
        let scene = drawn(folder.path(), Size::new(120, 90), 2)?;
        let car = Detection::new(BoundingBox::from_xywh(20.0, 30.0, 40.0, 25.0), 1, 0.9);
        let classes = Classes::new(["car", "bus"]).with_color("bus", [1, 2, 3]);
        let area = scene.area();
        let boxes = SceneBoxes::new(vec![car], 0.5, classes, scene.clone(), area);
        assert_eq!(boxes.classes().colors()[1], scene.classes().colors()[1]);
        assert_eq!(boxes.classes().colors()[2], [1, 2, 3]);
        let (output, text) = (boxes.output(), scene.output().text);
        for fact in ["size ", "pixel ", "bands ", "bands shown "] {
            let line = |text: &str| {
                let mut lines = text.lines();
                lines.find(|line| line.starts_with(fact)).map(str::to_owned)
            };
            assert_eq!(line(&output.text), line(&text), "{fact}");
        }
        assert!(output.text.starts_with("Boxes in ") && output.text.contains("car 1 "));
        assert!(output.html.is_some_and(|html| html.contains("> car<")));
        let gray = boxes.show_bands([0])?;
        assert!(gray.alt().starts_with("Boxes in "));
        assert!(boxes.show_bands([0, 1, 9]).is_err());
        let near = boxes.zoom(PixelWindow::new(50, 20, 40, 30))?.output().text;
        assert!(
            near.contains("boxes in view: car 1 at a score of 0.50 or more"),
            "{near}"
        );
        assert!(
            near.contains("(600 x 450 pixels; classes: car") && near.contains("magnified 15 times"),
            "{near}"
        );
        let beside = boxes.zoom(PixelWindow::new(70, 0, 40, 30))?.output().text;
        assert!(beside.contains("boxes in view: none"), "{beside}");
        let told = format!("{boxes:?}");
        assert!(
            told.ends_with(", car 1, at a score of 0.50 or more)"),
            "{told}"
        );
        Ok(())
    }
}

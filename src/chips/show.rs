use std::borrow::Borrow;
use std::fmt::Write as _;

use super::{Chip, Chips};
use crate::Result;
use crate::boxes::Annotation;
use crate::display::{Output, Show, counted};
use crate::labels::{Classes, IGNORE};
use crate::plot::{ChipGrid, Figure, Tile, chip_grid_with};
use crate::raster::Patch;

/// Chips shown by a cell that ends in chips.
const SHOWN: usize = 8;
/// Chips beside each other.
const COLUMNS: usize = 4;

impl Tile for Chip {
    fn imagery(&self) -> &Patch {
        &self.patch
    }

    fn labels(&self) -> &[u8] {
        &self.labels
    }

    fn boxes(&self) -> &[Annotation] {
        &self.boxes
    }
}

impl Chips {
    /// `count` chips as a grid, labels drawn over: the first random ones, or sliding ones spread over the area. A chip that
    /// cannot be read gives a figure that says so; [`Chips::grid`] gives the error itself.
    #[must_use]
    #[doc(alias = "plot")]
    #[doc(alias = "imshow")]
    #[doc(alias = "show_batch")]
    #[doc(alias = "plot_batch")]
    pub fn show(&self, count: usize) -> Figure {
        self.grid(count, ChipGrid::new())
            .unwrap_or_else(|error| Figure::message(format!("Cannot show the chips: {error}")))
    }

    /// As [`Chips::show`], with other bands, stretches or a title; each chip has its own number.
    ///
    /// # Errors
    /// As [`Chips::get`], and [`crate::plot::PlotError::Band`] for a band that the scene does not have.
    pub fn grid(&self, count: usize, options: impl Borrow<ChipGrid>) -> Result<Figure> {
        let shown = self.shown(count);
        let chips = shown.iter().map(|&index| {
            crate::session::check_interrupt("reading chips")?;
            self.get(index)
        });
        let chips: Vec<Chip> = chips.collect::<Result<_>>()?;
        let options = options
            .borrow()
            .clone()
            .numbered(shown)
            .of(self.len())
            .or_bands(self.scenes().first().shown_bands());
        chip_grid_with(&chips, self.scenes().classes(), COLUMNS, &options)
    }

    /// The numbers of `count` chips. Those side by side begin in one corner, so the middle of each of `count` equal stretches is
    /// taken.
    fn shown(&self, count: usize) -> Vec<usize> {
        let (all, count) = (self.len(), count.min(self.len()));
        match self.are_placed() {
            true => (0..count)
                .map(|index| (2 * index + 1) * all / (2 * count))
                .collect(),
            false => (0..count).collect(),
        }
    }

    /// `400 chips of 256 x 256 px (77 m) from west`, or `400 chips of 256 x 256 px from windows of 150 to 200 px (45 to
    /// 60 m) of west`.
    fn words(&self) -> String {
        let meters = self.scenes().first().raster().gsd().map(|(x, _)| x);
        let (windows, name) = (self.window_sizes(), self.scenes().name());
        if windows != (self.size()..=self.size()) {
            let range = |factor: f64| {
                let (low, high) = (
                    *windows.start() as f64 * factor,
                    *windows.end() as f64 * factor,
                );
                match windows.start() == windows.end() {
                    true => format!("{high:.0}"),
                    false => format!("{low:.0} to {high:.0}"),
                }
            };
            return format!(
                "{} chips of {size} x {size} px from windows of {} px{} of {name}",
                self.len(),
                range(1.0),
                meters.map_or_else(String::new, |x| format!(" ({} m)", range(x))),
                size = self.size(),
            );
        }
        format!(
            "{} chips of {size} x {size} px{} from {name}",
            self.len(),
            meters.map_or_else(String::new, |x| format!(
                " ({:.0} m)",
                self.size() as f64 * x
            )),
            size = self.size(),
        )
    }
}

/// `Chips(400 of 256 x 256 px of vegas, 3 bands, classes: building)`.
impl std::fmt::Debug for Chips {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scenes, edge) = (self.scenes(), self.size());
        let (count, bands, name) = (self.len(), scenes.band_count(), scenes.name());
        let plural = if bands == 1 { "" } else { "s" };
        let classes = scenes.classes().in_words();
        write!(
            f,
            "Chips({count} of {edge} x {edge} px of {name}, {bands} band{plural}{classes})"
        )
    }
}

impl Show for Chips {
    fn output(&self) -> Output {
        let words = self.words();
        match self.grid(SHOWN, ChipGrid::new().title(&words)) {
            Ok(figure) => figure.output().with_report(self.report()),
            Err(error) => Output::text(format!("{words}\nThey cannot be shown: {error}")),
        }
    }
}

/// What a chip shows, in words, and how it looks.
impl Show for Chip {
    fn output(&self) -> Output {
        let words = self.words();
        // A chip knows the numbers of its classes, not their names.
        let options = ChipGrid::new().title(&words);
        match chip_grid_with(
            std::slice::from_ref(self),
            &numbered(self.most()),
            1,
            &options,
        ) {
            Ok(figure) => Output {
                text: words,
                ..figure.output()
            },
            Err(error) => Output::text(format!("{words}\nIt cannot be shown: {error}")),
        }
    }

    /// A grid of the first ones, and a line of facts for each.
    fn outputs(chips: &[&Self]) -> Output {
        let shown: Vec<Self> = chips
            .iter()
            .take(SHOWN)
            .map(|chip| (*chip).clone())
            .collect();
        let words: Vec<String> = (shown.iter().enumerate())
            .map(|(index, chip)| format!("[{index}] {}", chip.words()))
            .collect();
        let text = words.join("\n");
        let most = shown.iter().map(Self::most).max().unwrap_or(0);
        let options = ChipGrid::new()
            .title(format!("{} chips", chips.len()))
            .of(chips.len())
            .numbered((0..shown.len()).collect());
        let output = match chip_grid_with(&shown, &numbered(most), COLUMNS, &options) {
            Ok(figure) => Output {
                text,
                ..figure.output()
            },
            Err(error) => Output::text(format!("{text}\nThey cannot be shown: {error}")),
        };
        counted(output, shown.len(), chips.len())
    }
}

/// `class 1` and so on up to a number.
fn numbered(most: usize) -> Classes {
    Classes::new((1..=most).map(|class| format!("class {class}")))
}

impl Chip {
    /// The greatest number of a class.
    fn most(&self) -> usize {
        let labels = self.labels.iter().copied().filter(|&label| label != IGNORE);
        let most = labels.map(usize::from).max().unwrap_or(0);
        (self.boxes.iter().map(|one| one.class)).fold(most, usize::max)
    }

    fn words(&self) -> String {
        let size = self.patch.size;
        let mut words = format!(
            "Chip of {} x {} px, {} bands, at {}; {:.0} % valid",
            size.width,
            size.height,
            self.patch.bands,
            self.window,
            self.patch.valid_fraction() * 100.0,
        );
        for class in 0..=self.most() {
            let pixels = self
                .labels
                .iter()
                .filter(|&&label| usize::from(label) == class);
            let share = pixels.count() as f64 * 100.0 / self.labels.len().max(1) as f64;
            if share > 0.0 {
                let _ = write!(words, "; class {class}: {share:.1} %");
            }
        }
        let ignored = self.labels.iter().filter(|&&label| label == IGNORE).count();
        if ignored > 0 {
            let share = ignored as f64 * 100.0 / self.labels.len() as f64;
            let _ = write!(words, "; ignored: {share:.1} %");
        }
        if !self.boxes.is_empty() {
            let _ = write!(words, "; boxes: {}", self.boxes.len());
            let rotated = self.boxes.iter().filter(|one| one.outline.is_some());
            match rotated.count() {
                0 => {}
                rotated => {
                    let _ = write!(words, " ({rotated} rotated)");
                }
            }
        }
        if let Some(class) = self.class {
            let _ = write!(words, "; as a cell: class {class}");
        }
        words
    }
}

/// `Chip(256 x 256 px, 3 bands, 12 boxes)`: 49,152 numbers are nothing to read.
impl std::fmt::Debug for Chip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chip({:?}, {}", self.patch, self.window)?;
        match self.boxes.len() {
            0 => write!(f, ")"),
            1 => write!(f, ", 1 box)"),
            boxes => write!(f, ", {boxes} boxes)"),
        }
    }
}

crate::show_in_cells!(Chips, Chip);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Patch, PixelWindow, Size};

    /// Its 49,152 numbers were printed (found on whole data sets, D13).
    #[test]
    fn a_chip_shows_a_picture_and_a_line_of_facts() {
        let size = Size::new(128, 128);
        let mut patch = Patch::invalid(size, 3);
        patch.valid.fill(1);
        let mut labels = vec![0; size.area()];
        labels[..size.area() / 4].fill(2);
        labels[size.area() / 2..].fill(IGNORE);
        let chip = Chip {
            scene: 0,
            window: PixelWindow::new(5, 6, 128, 128),
            patch,
            labels,
            boxes: Vec::new(),
            class: None,
        };
        let output = chip.output();
        assert!(output.html.is_some() && output.text.len() < 200);
        for part in [
            "128 x 128 px, 3 bands",
            "100 % valid",
            "class 2: 25.0 %",
            "ignored: 50.0 %",
        ] {
            assert!(output.text.contains(part), "{part} in {}", output.text);
        }
    }
}

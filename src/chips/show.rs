use super::{Chip, Chips};
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::{Classes, IGNORE};
use crate::plot::{ChipGrid, Figure, chip_grid_with};

/// Chips shown by a cell that ends in chips.
const SHOWN: usize = 8;
/// Chips beside each other.
const COLUMNS: usize = 4;

impl Chips {
    /// The first `count` chips as a grid, labels drawn over. A chip that cannot be read gives a figure that says so;
    /// [`Chips::grid`] gives the error itself.
    #[must_use]
    pub fn show(&self, count: usize) -> Figure {
        self.grid(count, &ChipGrid::new())
            .unwrap_or_else(|error| Figure::message(format!("Cannot show the chips: {error}")))
    }

    /// The first `count` chips as a grid, with other bands, stretches or a title.
    ///
    /// # Errors
    /// As [`Chips::get`], and [`crate::plot::PlotError::Band`] for a band that the scene does not have.
    pub fn grid(&self, count: usize, options: &ChipGrid) -> Result<Figure> {
        self.grid_of((0..count.min(self.len())).collect(), options)
    }

    /// The chips of these numbers, which the grid shows.
    fn grid_of(&self, numbers: Vec<usize>, options: &ChipGrid) -> Result<Figure> {
        let chips = numbers.iter().map(|&index| {
            crate::session::check_interrupt("reading chips")?;
            self.get(index)
        });
        let chips: Vec<Chip> = chips.collect::<Result<_>>()?;
        let bands = self.scene().shown_bands();
        let options = options.clone().or_bands(bands).numbers(numbers);
        chip_grid_with(&chips, self.scene().classes(), COLUMNS, &options)
    }

    /// `400 chips of 256 x 256 px (77 m) from west`, or `400 chips of 256 x 256 px from windows of 150 to 200 px (45 to
    /// 60 m) of west`.
    fn words(&self) -> String {
        let metres = |pixels: String| match self.scene().known_metres() {
            Some(_) => format!(" ({pixels} m)"),
            None => String::new(),
        };
        let x = self.scene().known_metres().map_or(1.0, |(x, _)| x);
        let (windows, name) = (self.window_sizes(), self.scene().name());
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
                metres(range(x)),
                size = self.size(),
            );
        }
        format!(
            "{} chips of {size} x {size} px{} from {name}",
            self.len(),
            metres(format!("{:.0}", self.size() as f64 * x)),
            size = self.size(),
        )
    }
}

impl Show for Chips {
    fn output(&self) -> Output {
        let words = self.words();
        // Spread over all of them: the first chips of a grid are neighbours.
        let shown = SHOWN.min(self.len());
        let numbers = (0..shown).map(|at| at * self.len() / shown).collect();
        match self.grid_of(numbers, &ChipGrid::new().title(&words)) {
            Ok(figure) => figure.output(),
            Err(error) => Output::text(format!("{words}\nThey cannot be shown: {error}")),
        }
    }
}

/// A chip knows its classes by number only.
impl Show for Chip {
    fn output(&self) -> Output {
        let counts = self.labels.iter().filter(|&&label| label != IGNORE);
        let highest = counts.copied().map(usize::from).max().unwrap_or(0);
        let highest = self
            .boxes
            .iter()
            .map(|one| one.class)
            .fold(highest, usize::max);
        let classes = Classes::new((1..=highest).map(|index| format!("class {index}")));
        let words = format!(
            "Chip of {} x {} pixels and {} bands at {}",
            self.patch.size.width, self.patch.size.height, self.patch.bands, self.window
        );
        let chips = std::slice::from_ref(self);
        match chip_grid_with(chips, &classes, 1, &ChipGrid::new().title(&words)) {
            Ok(figure) => figure.output(),
            Err(error) => Output::text(format!("{words}\nIt cannot be shown: {error}")),
        }
    }
}

crate::show_in_cells!(Chip, Chips);

use super::{Chip, Chips};
use crate::Result;
use crate::display::{Output, Show};
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
        let chips = (0..count.min(self.len())).map(|index| {
            crate::session::check_interrupt("reading chips")?;
            self.get(index)
        });
        let chips: Vec<Chip> = chips.collect::<Result<_>>()?;
        let options = options.clone().or_bands(self.scene().shown_bands());
        chip_grid_with(&chips, self.scene().classes(), COLUMNS, &options)
    }

    /// `400 chips of 256 x 256 px (77 m) from west`, or `400 chips of 256 x 256 px from windows of 150 to 200 px (45 to
    /// 60 m) of west`.
    fn words(&self) -> String {
        let (x, _) = self.scene().raster().metres_per_pixel();
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
                "{} chips of {size} x {size} px from windows of {} px ({} m) of {name}",
                self.len(),
                range(1.0),
                range(x),
                size = self.size(),
            );
        }
        format!(
            "{} chips of {size} x {size} px ({:.0} m) from {name}",
            self.len(),
            self.size() as f64 * x,
            size = self.size(),
        )
    }
}

impl Show for Chips {
    fn output(&self) -> Output {
        let words = self.words();
        match self.grid(SHOWN, &ChipGrid::new().title(&words)) {
            Ok(figure) => figure.output(),
            Err(error) => Output::text(format!("{words}\nThey cannot be shown: {error}")),
        }
    }
}

crate::show_in_cells!(Chips);

use super::Chips;
use crate::display::{Output, Show};

impl Show for Chips {
    fn output(&self) -> Output {
        let (x, _) = self.scene().raster().metres_per_pixel();
        Output::text(format!(
            "{} chips of {size} x {size} px ({:.0} m) from {}",
            self.len(),
            self.size() as f64 * x,
            self.scene().name(),
            size = self.size(),
        ))
    }
}

crate::show_in_cells!(Chips);

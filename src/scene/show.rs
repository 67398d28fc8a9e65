use super::Scene;
use crate::display::{Output, Show};

impl Show for Scene {
    fn output(&self) -> Output {
        let (width, height) = self.size();
        let raster = self.raster();
        let (x, y) = raster.metres_per_pixel();
        Output::text(format!(
            "Scene {}: {width} x {height} px, {} bands {}, {}, {x:.2} x {y:.2} m a pixel\nclasses: {}",
            self.name(),
            self.band_count(),
            raster.data_type(),
            raster.crs_name(),
            self.classes().names().join(", "),
        ))
    }
}

crate::show_in_cells!(Scene);

//! What the labels of a scene are drawn from: a raster, polygons, or polygons over a raster.

use super::label_raster::LabelRaster;
use crate::Result;
use crate::labels::{IGNORE, LabelPolygons};
use crate::raster::{PixelWindow, Size};
use crate::report::Report;
use crate::vector::ReadReport;

/// Where the labels of a scene come from: at least one of both.
#[derive(Clone, Debug, Default)]
pub(super) struct Labeling {
    pub(super) raster: Option<Box<LabelRaster>>,
    /// These lie over the raster.
    pub(super) drawn: Option<Drawn>,
}

/// Labels that are polygons, of all files.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Later ones lie over earlier ones.
    pub(super) polygons: LabelPolygons,
    pub(super) report: ReadReport,
    /// Whether a property of the features names their classes.
    pub(super) by_property: bool,
    /// The same and more, as notices.
    pub(super) notices: Report,
}

impl Labeling {
    /// The labels of a window, wherever it lies, under the centers of `size` pixels. Where nobody has drawn anything they are
    /// the background or, where only what is drawn is `complete`, ignored.
    pub(super) fn labels(
        &self,
        window: &PixelWindow,
        size: Size,
        complete: bool,
    ) -> Result<Vec<u8>> {
        let mut labels = match &self.raster {
            Some(raster) => raster.labels(window, size)?,
            None => vec![0; size.area()],
        };
        if !complete {
            labels
                .iter_mut()
                .filter(|label| **label == 0)
                .for_each(|label| *label = IGNORE);
        }
        if let Some(drawn) = &self.drawn {
            drawn.polygons.draw(window, size, &mut labels);
        }
        Ok(labels)
    }

    /// The polygons; none where labels are a raster.
    pub(super) fn polygons(&self) -> Option<&LabelPolygons> {
        self.drawn.as_ref().map(|drawn| &drawn.polygons)
    }

    /// What was left out or assumed when they were read.
    pub(super) fn notices(&self) -> Report {
        let raster = self.raster.as_ref().map(|raster| raster.report.clone());
        let drawn = self.drawn.as_ref().map(|drawn| drawn.notices.clone());
        [raster, drawn].into_iter().flatten().flatten().collect()
    }
}

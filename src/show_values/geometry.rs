//! Shapes of the crate `geo`, which objects and features hold.

use geo::{BoundingRect, CoordsIter, MultiPolygon, Point, Polygon};

use crate::display::records::{NOTHING, count};
use crate::display::{Record, show_records};

impl Record for Point<f64> {
    const COLUMNS: &'static [&'static str] = &["x", "y"];

    fn cells(&self) -> Vec<String> {
        vec![self.x().to_string(), self.y().to_string()]
    }
}

impl Record for Polygon<f64> {
    const COLUMNS: &'static [&'static str] = &["points", "holes", "x", "y"];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![count(self.coords_count()), count(self.interiors().len())];
        cells.extend(extent(self.bounding_rect()));
        cells
    }
}

impl Record for MultiPolygon<f64> {
    const COLUMNS: &'static [&'static str] = &["polygons", "points", "x", "y"];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![count(self.0.len()), count(self.coords_count())];
        cells.extend(extent(self.bounding_rect()));
        cells
    }
}

show_records!(Point<f64>, Polygon<f64>, MultiPolygon<f64>);

/// Where it lies in x and in y.
fn extent(rectangle: Option<geo::Rect<f64>>) -> [String; 2] {
    rectangle.map_or([NOTHING; 2].map(str::to_owned), |rectangle| {
        let (low, high) = (rectangle.min(), rectangle.max());
        [low.x..=high.x, low.y..=high.y].map(|range| super::range_words(&range))
    })
}

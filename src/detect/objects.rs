//! Boxes as objects.

use geo::{LineString, MultiPolygon, Polygon};

use super::SceneBoxes;
use crate::boxes::Detection;
use crate::predict::{Object, Objects, Ruler};
use crate::raster::GeoTransform;

impl SceneBoxes {
    /// The boxes at or above the threshold, best first, with score, area, width and height on the ground.
    ///
    /// # Examples
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(boxes: &SceneBoxes) -> swath::Result<()> {
    /// let cars = boxes.threshold(0.5).objects().of_class("car")?;
    /// println!("{} cars", cars.count());
    /// cars.save("cars.geojson")?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn objects(&self) -> Objects {
        let raster = self.scene().raster();
        let (width, height) = raster.metres_per_pixel();
        // Without a place on the ground there are only square pixels.
        let (pixel, transform) = if !raster.is_georeferenced() || !(width * height).is_finite() {
            ((1.0, 1.0), GeoTransform::PIXELS)
        } else {
            ((width, height), raster.transform())
        };
        let ruler = Ruler::new(pixel, transform);
        let object = |found: &Detection| -> Object {
            let bounds = &found.bounds;
            let corners = [
                (bounds.x_min, bounds.y_min),
                (bounds.x_min, bounds.y_max),
                (bounds.x_max, bounds.y_max),
                (bounds.x_max, bounds.y_min),
                (bounds.x_min, bounds.y_min),
            ];
            let ring = LineString::from(corners.to_vec());
            let shape = MultiPolygon::new(vec![Polygon::new(ring, Vec::new())]);
            ruler.object(&shape, &self.class_name(found.class), Some(found.score))
        };
        let objects = self.detections().iter().map(object).collect();
        Objects::new("boxes", objects, self.classes(), self.scene())
    }
}

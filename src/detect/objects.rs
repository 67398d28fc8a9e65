//! Boxes as objects.

use geo::{LineString, MultiPolygon, Polygon};

use super::SceneBoxes;
use crate::Result;
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
    /// let cars = boxes.threshold(0.5).objects()?.of_class("car")?;
    /// println!("{} cars", cars.count());
    /// cars.save("cars.geojson")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// None today: [`crate::predict::SceneMap::objects`], which is written the same way, reads a file.
    pub fn objects(&self) -> Result<Objects> {
        let raster = self.scene().raster();
        let (width, height) = raster.nominal_gsd();
        // Without a place on the ground there are only square pixels.
        let (pixel, transform) = if !raster.is_georeferenced() || !(width * height).is_finite() {
            ((1.0, 1.0), GeoTransform::PIXELS)
        } else {
            ((width, height), raster.transform())
        };
        let ruler = Ruler::new(pixel, transform);
        let object = |found: &Detection| -> Object {
            let ring = LineString::from(found.bounds.ring().to_vec());
            let shape = MultiPolygon::new(vec![Polygon::new(ring, Vec::new())]);
            ruler.object(shape, &self.class_name(found.class), Some(found.score))
        };
        let objects = self.detections().iter().map(object).collect();
        Ok(Objects::new(
            ("box", "boxes"),
            objects,
            self.classes(),
            self.scene(),
            ruler,
        ))
    }
}

#[cfg(test)]
mod tests {
    use crate::Result;
    use crate::boxes::{BoundingBox, Detection};
    use crate::detect::SceneBoxes;
    use crate::detect::tests::{drawn, folder};
    use crate::display::Show as _;
    use crate::labels::Classes;
    use crate::raster::Size;

    #[test]
    fn boxes_are_objects_with_sizes_on_the_ground() -> Result<()> {
        let folder = folder();
        let scene = drawn(folder.path(), Size::new(120, 90), 2)?;
        let found = [(20.0, 0.9), (70.0, 0.4)];
        let found = found.map(|(left, score)| {
            Detection::new(BoundingBox::from_xywh(left, 30.0, 40.0, 25.0), 1, score)
        });
        let (classes, area) = (Classes::new(["car"]), scene.area());
        let boxes = SceneBoxes::new(found.to_vec(), 0.5, classes, scene.clone(), area);
        let objects = boxes.objects()?;
        assert_eq!(objects.count(), 1);
        assert_eq!(boxes.threshold(0.1).objects()?.of_class("car")?.len(), 2);
        let car = objects.get(0).expect("one");
        let (width, height) = scene.raster().nominal_gsd();
        assert_eq!(car.score, Some(0.9));
        assert!((car.width_m - 40.0 * width).abs() < 1e-9);
        assert!((car.height_m - 25.0 * height).abs() < 1e-9);
        assert!((car.area_m2 - 1000.0 * width * height).abs() < 1e-6);
        assert!((car.perimeter_m - 2.0 * (car.width_m + car.height_m)).abs() < 1e-9);
        let (x, y) = scene.raster().transform().world_from_pixel((40.0, 42.5));
        assert!((car.center.x() - x).abs() < 1e-12 && (car.center.y() - y).abs() < 1e-12);
        assert!(objects.output().text.starts_with("1 box of "));
        Ok(())
    }
}

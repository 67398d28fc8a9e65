//! Windows in map coordinates.

use super::{PixelWindow, Raster, RasterError};

/// How much of a pixel an edge may miss the pixel grid by and still lie on it: what decimal coordinates lose.
const ON_GRID: f64 = 1e-3;

/// A rectangle in map coordinates: those of a raster's coordinate reference system, x to the east before y to the north,
/// in its units (meters, feet or degrees).
///
/// ```no_run
/// use swath::prelude::*;
/// let scene = Scene::open("vegas.tif")?;
/// let corner = scene.zoom(MapWindow::new(663_000.0, 4_005_000.0, 663_100.0, 4_005_080.0))?;
/// // 100 m by 80 m around a point.
/// let around = scene.zoom(MapWindow::around(663_050.0, 4_005_040.0, 100.0, 80.0))?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MapWindow(Extent);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Extent {
    /// `x_min`, `y_min`, `x_max`, `y_max` in map units.
    Corners([f64; 4]),
    /// The center in map units, the size in meters on the ground.
    Around {
        center: (f64, f64),
        size_m: (f64, f64),
    },
}

impl MapWindow {
    /// The rectangle between two corners, in map units, in the order of rasterio's and shapely's bounds.
    #[must_use]
    pub const fn new(x_min: f64, y_min: f64, x_max: f64, y_max: f64) -> Self {
        Self(Extent::Corners([x_min, y_min, x_max, y_max]))
    }

    /// The rectangle around a point in map units that is `width_m` by `height_m` meters on the ground, also where the
    /// units are degrees or feet. It lies along the rows and columns of the raster.
    #[must_use]
    pub const fn around(x: f64, y: f64, width_m: f64, height_m: f64) -> Self {
        Self(Extent::Around {
            center: (x, y),
            size_m: (width_m, height_m),
        })
    }

    /// All pixels of the raster that the rectangle touches; it may lie outside the raster.
    ///
    /// # Errors
    /// [`RasterError::NoMapWindow`] when the raster has no place on the ground, its meter is not known where meters are
    /// given, or a number is none.
    pub fn to_pixels(&self, raster: &Raster) -> Result<PixelWindow, RasterError> {
        let refused = |reason: &str| RasterError::NoMapWindow {
            path: raster.path().to_owned(),
            window: self.to_string(),
            reason: reason.to_owned(),
        };
        if !raster.is_georeferenced() {
            return Err(refused("the image has no place on the ground"));
        }
        let transform = raster.transform();
        let points = match self.0 {
            Extent::Corners([x_min, y_min, x_max, y_max]) => [
                (x_min, y_min),
                (x_max, y_min),
                (x_min, y_max),
                (x_max, y_max),
            ]
            .map(|corner| transform.pixel_from_world(corner)),
            Extent::Around { center, size_m } => {
                let Some(pixel) = raster.gsd() else {
                    return Err(refused("the file does not say how long a meter is"));
                };
                if !(size_m.0 > 0.0 && size_m.1 > 0.0) {
                    return Err(refused("width and height have to be more than 0 meters"));
                }
                let (col, row) = transform.pixel_from_world(center);
                let half = (size_m.0 / pixel.0 / 2.0, size_m.1 / pixel.1 / 2.0);
                let (low, high) = ((col - half.0, row - half.1), (col + half.0, row + half.1));
                [low, high, low, high]
            }
        };
        if !points
            .iter()
            .all(|(col, row)| col.is_finite() && row.is_finite())
        {
            return Err(refused("every coordinate has to be a finite number"));
        }
        let span = |along: fn(&(f64, f64)) -> f64| {
            let all = points.iter().map(along);
            let low = all.clone().fold(f64::INFINITY, f64::min);
            let high = all.fold(f64::NEG_INFINITY, f64::max);
            // An edge on the grid belongs to the pixel inside alone; a point still lies in one.
            let (first, last) = ((low + ON_GRID).floor(), (high - ON_GRID).ceil());
            (first as i64, (last - first).max(1.0) as usize)
        };
        let ((col, width), (row, height)) = (span(|point| point.0), span(|point| point.1));
        Ok(PixelWindow::new(col, row, width, height))
    }
}

impl std::fmt::Display for MapWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Extent::Corners([x_min, y_min, x_max, y_max]) => {
                write!(f, "x {x_min} to {x_max}, y {y_min} to {y_max}")
            }
            Extent::Around { center, size_m } => {
                write!(
                    f,
                    "{} x {} m around x {}, y {}",
                    size_m.0, size_m.1, center.0, center.1
                )
            }
        }
    }
}

/// A part of a scene: in pixels of its file, or in map coordinates.
///
/// Whatever takes one takes a [`PixelWindow`] or a [`MapWindow`] as they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ZoomWindow {
    /// Pixels of the whole raster.
    Pixels(PixelWindow),
    /// Map coordinates.
    Map(MapWindow),
}

impl ZoomWindow {
    /// In pixels of the raster.
    ///
    /// # Errors
    /// As [`MapWindow::to_pixels`].
    pub fn to_pixels(&self, raster: &Raster) -> Result<PixelWindow, RasterError> {
        match self {
            Self::Pixels(window) => Ok(*window),
            Self::Map(window) => window.to_pixels(raster),
        }
    }
}

impl From<PixelWindow> for ZoomWindow {
    fn from(window: PixelWindow) -> Self {
        Self::Pixels(window)
    }
}

impl From<&PixelWindow> for ZoomWindow {
    fn from(window: &PixelWindow) -> Self {
        Self::Pixels(*window)
    }
}

impl From<MapWindow> for ZoomWindow {
    fn from(window: MapWindow) -> Self {
        Self::Map(window)
    }
}

impl From<&MapWindow> for ZoomWindow {
    fn from(window: &MapWindow) -> Self {
        Self::Map(*window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{GeoTransform, RasterType, RasterWriter, Size, WriterOptions};

    fn raster(folder: &std::path::Path, crs: &str, transform: GeoTransform) -> Raster {
        let path = folder.join(format!("{}.tif", crs.replace(':', "-")));
        let (size, options) = (Size::new(200, 100), WriterOptions::default());
        let writer =
            RasterWriter::create(&path, size, 1, RasterType::U8, transform, crs, options).unwrap();
        writer.finish().unwrap();
        Raster::open(&path).unwrap()
    }

    #[test]
    fn map_windows_are_the_pixels_that_they_touch() {
        let folder = tempfile::tempdir().unwrap();
        let grid = GeoTransform::north_up(500_000.0, 3_000_000.0, 0.5);
        let utm = raster(folder.path(), "EPSG:32645", grid);
        let pixels = |window: MapWindow| window.to_pixels(&utm).unwrap();
        let window = MapWindow::new(500_010.0, 2_999_970.0, 500_020.0, 2_999_990.0);
        assert_eq!(pixels(window), PixelWindow::new(20, 20, 20, 40));
        // Corners in any order, and edges between pixels.
        let turned = MapWindow::new(500_020.0, 2_999_990.0, 500_010.0, 2_999_970.0);
        assert_eq!(pixels(turned), pixels(window));
        let between = MapWindow::new(500_010.1, 2_999_989.9, 500_010.6, 2_999_989.95);
        assert_eq!(pixels(between), PixelWindow::new(20, 20, 2, 1));
        let around = MapWindow::around(500_015.0, 2_999_980.0, 10.0, 20.0);
        assert_eq!(pixels(around), pixels(window));
        // 100 m are about 0.0009 degrees of latitude.
        let degrees = raster(
            folder.path(),
            "EPSG:4326",
            GeoTransform::north_up(10.0, 45.0, 1e-4),
        );
        let around = MapWindow::around(10.01, 44.995, 100.0, 100.0)
            .to_pixels(&degrees)
            .unwrap();
        assert!(
            (12..=15).contains(&around.width) && (9..=11).contains(&around.height),
            "{around}"
        );
    }

    #[test]
    fn what_is_no_place_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let plain = raster(folder.path(), "", GeoTransform::PIXELS);
        let error = MapWindow::new(0.0, 0.0, 1.0, 1.0)
            .to_pixels(&plain)
            .unwrap_err();
        assert!(
            error.to_string().contains("no place on the ground"),
            "{error}"
        );
        let utm = raster(
            folder.path(),
            "EPSG:32645",
            GeoTransform::north_up(5e5, 3e6, 0.5),
        );
        assert!(
            MapWindow::new(f64::NAN, 0.0, 1.0, 1.0)
                .to_pixels(&utm)
                .is_err()
        );
        assert!(
            MapWindow::around(5e5, 3e6, 0.0, 10.0)
                .to_pixels(&utm)
                .is_err()
        );
        assert!(
            MapWindow::around(5e5, 3e6, f64::NAN, 10.0)
                .to_pixels(&utm)
                .is_err()
        );
    }
}

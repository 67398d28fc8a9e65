//! From a file's coordinates to the pixels of a raster.

use gdal::spatial_ref::CoordTransform;

use crate::raster::{GeoTransform, gdal_library};

/// The way from a vector file's world coordinates to pixels.
pub(super) struct Projector {
    pub(super) to_raster: Option<CoordTransform>,
    pub(super) transform: GeoTransform,
}

impl Projector {
    /// World coordinates of the file, in place, into pixels; `false` when a point has none.
    pub(super) fn project(&self, xs: &mut [f64], ys: &mut [f64]) -> bool {
        if let Some(to_raster) = &self.to_raster {
            let (result, _) =
                gdal_library::with_messages(|| to_raster.transform_coords(xs, ys, &mut []));
            if result.is_err() {
                return false;
            }
        }
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            (*x, *y) = self.transform.pixel_from_world((*x, *y));
        }
        xs.iter().chain(ys.iter()).all(|value| value.is_finite())
    }
}

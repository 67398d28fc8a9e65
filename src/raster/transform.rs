use super::Size;

/// The affine map from pixel to world coordinates, in GDAL's order:
/// `x = t[0] + col * t[1] + row * t[2]`, `y = t[3] + col * t[4] + row * t[5]`.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GeoTransform(pub [f64; 6]);

impl GeoTransform {
    /// World coordinates that are pixel coordinates: what an image without a place has.
    pub(crate) const PIXELS: Self = Self([0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// A north-up grid of square pixels whose top-left corner is at `(x, y)`.
    #[must_use]
    pub const fn north_up(x: f64, y: f64, pixel_size: f64) -> Self {
        Self([x, pixel_size, 0.0, y, 0.0, -pixel_size])
    }

    /// World coordinates of a point in pixel coordinates; the corner of pixel `(0, 0)` is `(0.0, 0.0)`.
    #[must_use]
    pub fn world_from_pixel(&self, (col, row): (f64, f64)) -> (f64, f64) {
        let t = &self.0;
        (
            t[0] + col * t[1] + row * t[2],
            t[3] + col * t[4] + row * t[5],
        )
    }

    /// Pixel coordinates of a world point; not finite when the transform has no inverse.
    ///
    /// ```
    /// use swath::raster::GeoTransform;
    /// let grid = GeoTransform::north_up(500_000.0, 4_000_000.0, 0.5);
    /// assert_eq!(grid.pixel_from_world((500_001.0, 3_999_999.25)), (2.0, 1.5));
    /// ```
    #[must_use]
    pub fn pixel_from_world(&self, (x, y): (f64, f64)) -> (f64, f64) {
        self.pixel_from_offset((x - self.0[0], y - self.0[3]))
    }

    /// Pixel coordinates of a world point by how far it lies from the transform's origin.
    pub(crate) fn pixel_from_offset(&self, (dx, dy): (f64, f64)) -> (f64, f64) {
        let t = &self.0;
        // Apart from being quicker, this keeps a north-up grid exact: no products that cancel.
        if t[2] == 0.0 && t[4] == 0.0 {
            return (dx / t[1], dy / t[5]);
        }
        let determinant = t[1] * t[5] - t[2] * t[4];
        (
            (dx * t[5] - dy * t[2]) / determinant,
            (dy * t[1] - dx * t[4]) / determinant,
        )
    }

    /// The transform of a raster cut out at `(col, row)`.
    #[must_use]
    pub fn offset(&self, col: i64, row: i64) -> Self {
        let (x, y) = self.world_from_pixel((col as f64, row as f64));
        let t = &self.0;
        Self([x, t[1], t[2], y, t[4], t[5]])
    }

    /// The transform of the same ground with pixels `factor_x` by `factor_y` times as large.
    #[must_use]
    pub fn scaled(&self, factor_x: f64, factor_y: f64) -> Self {
        let t = &self.0;
        Self([
            t[0],
            t[1] * factor_x,
            t[2] * factor_y,
            t[3],
            t[4] * factor_x,
            t[5] * factor_y,
        ])
    }

    /// The width and height of a pixel in world units.
    pub(crate) fn pixel_edges(&self) -> (f64, f64) {
        let t = &self.0;
        (t[1].hypot(t[4]), t[2].hypot(t[5]))
    }

    /// Whether pixel coordinates can be found for world coordinates.
    #[must_use]
    pub fn is_invertible(&self) -> bool {
        let t = &self.0;
        let determinant = t[1] * t[5] - t[2] * t[4];
        determinant.is_finite() && determinant != 0.0
    }
}

/// Where pixels lie on the ground: the transform and the coordinate reference system it leads into.
#[derive(Clone, Debug, PartialEq)]
pub struct GeoReference {
    /// From pixel to world coordinates.
    pub transform: GeoTransform,
    /// The coordinate reference system as WKT; empty when the file names none.
    pub crs_wkt: String,
    /// Columns and rows, when these are known: what is read for a raster is then cut near it before it is transformed, and
    /// looked for a whole turn of longitude east and west.
    pub size: Option<Size>,
    /// Why there is no place on the ground, when the file has something to say about it.
    pub missing: Option<String>,
}

impl GeoReference {
    /// A transform into a coordinate reference system, given as WKT or as `EPSG:CODE`.
    #[must_use]
    pub fn new(transform: GeoTransform, crs_wkt: impl Into<String>) -> Self {
        Self {
            transform,
            crs_wkt: crs_wkt.into(),
            size: None,
            missing: None,
        }
    }

    pub(crate) fn has_system(&self) -> bool {
        !self.crs_wkt.is_empty()
    }

    /// Why labels with a reference system cannot be brought to the pixels.
    pub(crate) fn missing_place(&self) -> String {
        let otherwise = if self.transform == GeoTransform::PIXELS {
            "it has pixels and nothing else"
        } else {
            "its pixels have coordinates, but nobody says in which system"
        };
        self.missing.clone().unwrap_or_else(|| otherwise.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn pixel_to_world_to_pixel_is_the_identity() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        for _ in 0..500 {
            let (col, row) = (
                random.random_range(-1e5..1e5),
                random.random_range(-1e5..1e5),
            );
            let (x, y) = (
                random.random_range(-1e6..1e6),
                random.random_range(-1e6..1e6),
            );
            let size: f64 = 10f64.powf(random.random_range(-6.0..3.0));
            let (sin, cos) = random.random_range(0.0..6.3f64).sin_cos();
            let grid = GeoTransform([x, size * cos, size * sin, y, size * sin, -size * cos]);
            let (back_col, back_row) = grid.pixel_from_world(grid.world_from_pixel((col, row)));
            // World coordinates of 1e6 hold about 1e-10 of a unit; a pixel is `size` units.
            let tolerance = 1e-6 + 1e-9 / size;
            assert!((back_col - col).abs() < tolerance && (back_row - row).abs() < tolerance);
        }
    }
}

use std::path::Path;

use geo::Polygon;

use super::VectorError;
use super::tracer::Tracer;
use crate::labels::IGNORE;
use crate::raster::{PixelWindow, Raster, Size};
use crate::{Result, session};

/// Pixels of a raster that are read at once, about.
const AT_ONCE: usize = 4 << 20;

/// A connected patch of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelPolygon {
    /// Its outline along the pixels' edges, in pixel coordinates.
    pub geometry: Polygon<f64>,
    /// Its label.
    pub label: u8,
}

/// Traces every connected patch (pixels that share an edge) of one label; 0 and [`crate::labels::IGNORE`] are left out.
/// Burning the polygons again gives the same labels. A patch that touches itself at a corner has a hole that touches its outline
/// there, so that polygons are valid; exteriors run as GeoJSON wants them once y points north. They come in the order of their
/// last rows.
///
/// # Source
/// As `GDALPolygonize` with four neighbors.
///
/// # Shapes
/// - `labels`: `[size.height, size.width]`
///
/// # Errors
/// [`VectorError::WrongLength`] when the labels do not fit the size.
///
/// # Examples
/// ```
/// use swath::raster::Size;
/// let polygons = swath::vector::polygonize(&[0, 2, 2, 0, 2, 0], Size::new(3, 2))?;
/// assert_eq!((polygons.len(), polygons[0].label), (1, 2));
/// # Ok::<(), swath::Error>(())
/// ```
pub fn polygonize(labels: &[u8], size: Size) -> Result<Vec<LabelPolygon>> {
    if labels.len() != size.area() {
        return Err(VectorError::WrongLength {
            expected: size.area(),
            found: labels.len(),
        }
        .into());
    }
    if labels.is_empty() {
        return Ok(Vec::new());
    }
    let mut polygons = Vec::new();
    let mut keep = |polygon| {
        polygons.push(polygon);
        Ok(())
    };
    let mut tracer = Tracer::new(size.width);
    let mut row = vec![0; size.width];
    for (index, labels) in labels.chunks_exact(size.width).enumerate() {
        if index.is_multiple_of(256) {
            session::check_interrupt("tracing polygons")?;
        }
        for (to, &from) in row.iter_mut().zip(labels) {
            *to = if from == IGNORE { 0 } else { from };
        }
        tracer.row(&row, &mut keep)?;
    }
    tracer.finish(&mut keep)?;
    Ok(polygons)
}

/// As [`polygonize`], row by row from a file: labels are the first band's values, nodata is left out beside 0, and so are values
/// that are none from 1 to 255.
///
/// # Errors
/// [`crate::raster::RasterError`] when the file is missing or damaged.
pub fn polygonize_raster(path: impl AsRef<Path>) -> Result<Vec<LabelPolygon>> {
    let mut polygons = Vec::new();
    polygonize_each(path.as_ref(), |polygon| {
        polygons.push(polygon);
        Ok(())
    })?;
    Ok(polygons)
}

/// As [`polygonize_raster`], one polygon after the other: each goes out at its last row, so that memory does not grow with
/// their number.
///
/// # Errors
/// As [`polygonize_raster`]; [`crate::raster::RasterError::Read`] for a raster of which a part cannot be read; those of `each`.
pub(crate) fn polygonize_each(
    path: &Path,
    mut each: impl FnMut(LabelPolygon) -> Result<()>,
) -> Result<()> {
    let raster = Raster::open(path)?;
    let size = raster.size();
    let mut tracer = Tracer::new(size.width);
    // Whole blocks, so that none is decoded twice.
    let block = raster.block_size().height.max(1);
    let rows = (AT_ONCE / size.width / block).max(1) * block;
    for strip in PixelWindow::full(size).tiles(Size::new(size.width, rows)) {
        session::check_interrupt("tracing polygons")?;
        for labels in raster.stored_labels(&strip)?.chunks_exact(size.width) {
            tracer.row(labels, &mut each)?;
        }
    }
    tracer.finish(each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{GeoTransform, RasterError, RasterType, RasterWriter, WriterOptions};

    /// A class map of which bytes in the middle are gone is named.
    #[test]
    fn a_raster_that_cannot_be_read_is_named() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("map.tif");
        let size = Size::new(1024, 1024);
        let grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 1.0);
        let options = WriterOptions::default();
        let mut writer = RasterWriter::create(&path, size, 1, RasterType::U8, grid, "", options)?;
        let labels: Vec<u8> = (0..size.area())
            .map(|at| ((at * 2_654_435_761) >> 7) as u8 % 5)
            .collect();
        writer.write_window(&PixelWindow::full(size), &labels)?;
        writer.finish()?;
        let mut bytes = std::fs::read(&path).expect("the file");
        let middle = bytes.len() / 2;
        bytes[middle - 20_000..middle + 20_000].fill(0xFF);
        std::fs::write(&path, bytes).expect("the file");
        let error = polygonize_each(&path, |_| Ok(())).expect_err("damaged");
        let is_read = matches!(error, crate::Error::Raster(RasterError::Read { .. }));
        assert!(is_read, "{error:?}");
        Ok(())
    }
}

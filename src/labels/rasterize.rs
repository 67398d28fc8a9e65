use geo::{LineString, MultiPolygon, Polygon};

use crate::raster::PixelWindow;

/// Burns polygons into a class map by the pixel-center rule: a pixel has the class of the last polygon that holds its
/// center, and 0 where there is none.
///
/// Vertices keep their sub-pixel positions. Inside each polygon the even-odd rule makes the holes; the parts of a
/// multi-polygon are united. A center that lies exactly on an edge belongs to the polygon to its right or below, so
/// neighbors that share an edge never share or lose a pixel.
///
/// # Shapes
/// Returns `[window.height, window.width]`.
///
/// # Units
/// Polygons are in pixel coordinates of the raster, where pixel `(col, row)` covers `[col, col + 1) x [row, row + 1)`.
///
/// # Examples
/// ```
/// use geo::{MultiPolygon, polygon};
/// use swath::labels::rasterize;
/// use swath::raster::PixelWindow;
///
/// let square = polygon![(x: 1.4, y: 1.4), (x: 3.6, y: 1.4), (x: 3.6, y: 2.6), (x: 1.4, y: 2.6)];
/// let labels = rasterize(&[(MultiPolygon::new(vec![square]), 1)], &PixelWindow::new(0, 0, 5, 4));
/// assert_eq!(labels, [0, 0, 0, 0, 0,  0, 1, 1, 1, 0,  0, 1, 1, 1, 0,  0, 0, 0, 0, 0]);
/// ```
#[must_use]
pub fn rasterize(polygons: &[(MultiPolygon<f64>, u8)], window: &PixelWindow) -> Vec<u8> {
    let mut labels = vec![0; window.area()];
    let mut scratch = Scanline::default();
    for (shape, class) in polygons {
        scratch.burn(shape, *class, window, &mut labels);
    }
    labels
}

/// Working memory of the rasterizer, kept between polygons.
#[derive(Debug, Default)]
pub(crate) struct Scanline {
    crossings: Vec<(u32, f64)>,
}

impl Scanline {
    /// Writes `value` into every pixel of `labels` (a map of `window`) whose center lies in `shape`.
    pub(crate) fn burn<T: Copy>(
        &mut self,
        shape: &MultiPolygon<f64>,
        value: T,
        window: &PixelWindow,
        labels: &mut [T],
    ) {
        for polygon in shape {
            self.burn_polygon(polygon, value, window, labels);
        }
    }

    fn burn_polygon<T: Copy>(
        &mut self,
        polygon: &Polygon<f64>,
        value: T,
        window: &PixelWindow,
        labels: &mut [T],
    ) {
        if window.is_empty() {
            return;
        }
        self.crossings.clear();
        self.collect(polygon.exterior(), window);
        for hole in polygon.interiors() {
            self.collect(hole, window);
        }
        self.crossings
            .sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut next = 0;
        while next + 1 < self.crossings.len() {
            let (start, end) = (self.crossings[next], self.crossings[next + 1]);
            // A ring without broken coordinates crosses every scanline an even number of times.
            if start.0 != end.0 {
                next += 1;
                continue;
            }
            let row = start.0 as usize * window.width;
            let (start, end) = (column(start.1, window), column(end.1, window));
            if start < end {
                labels[row + start..row + end].fill(value);
            }
            next += 2;
        }
    }

    /// Adds where the ring crosses the center lines of the window's rows.
    fn collect(&mut self, ring: &LineString<f64>, window: &PixelWindow) {
        let points = &ring.0;
        for index in 0..points.len() {
            let (a, b) = (points[index], points[(index + 1) % points.len()]);
            if a.y == b.y
                || !(a.x.is_finite() && a.y.is_finite() && b.x.is_finite() && b.y.is_finite())
            {
                continue;
            }
            let (top, bottom) = if a.y < b.y { (a, b) } else { (b, a) };
            let first = first_center(top.y - window.row as f64, window.height);
            let last = first_center(bottom.y - window.row as f64, window.height);
            if first == last {
                continue;
            }
            let slope = (bottom.x - top.x) / (bottom.y - top.y);
            for row in first..last {
                let center = window.row as f64 + row as f64 + 0.5;
                // From the upper end always, so that both polygons at a shared edge compute the same crossing.
                self.crossings
                    .push((row as u32, top.x + (center - top.y) * slope));
            }
        }
    }
}

/// The first of `count` rows whose center lies at or below `y` (in rows from the first).
fn first_center(y: f64, count: usize) -> usize {
    // A float to integer cast saturates, which is the clamp below 0.
    ((y - 0.5).ceil() as usize).min(count)
}

/// The first column of the window whose center lies at or right of `x`.
fn column(x: f64, window: &PixelWindow) -> usize {
    first_center(x - window.col as f64, window.width)
}

#[cfg(test)]
mod tests {
    use geo::{Contains, MultiPolygon, Point, polygon};
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn one(polygon: Polygon<f64>) -> Vec<(MultiPolygon<f64>, u8)> {
        vec![(MultiPolygon::new(vec![polygon]), 1)]
    }

    /// Raster Vision's own case: the polygon (0,0)-(5,5) is rows 0..5 and columns 0..5.
    #[test]
    fn whole_pixels_are_burned_exactly() {
        let square =
            polygon![(x: 0.0, y: 0.0), (x: 5.0, y: 0.0), (x: 5.0, y: 5.0), (x: 0.0, y: 5.0)];
        let labels = rasterize(&one(square), &PixelWindow::new(0, 0, 10, 10));
        for (pixel, &label) in labels.iter().enumerate() {
            assert_eq!(label, u8::from(pixel / 10 < 5 && pixel % 10 < 5));
        }
    }

    #[test]
    fn smaller_than_a_pixel_and_off_its_center_is_nothing() {
        let speck = polygon![(x: 2.05, y: 2.05), (x: 2.45, y: 2.05), (x: 2.45, y: 2.45), (x: 2.05, y: 2.45)];
        assert!(
            rasterize(&one(speck), &PixelWindow::new(0, 0, 10, 10))
                .iter()
                .all(|&label| label == 0)
        );
    }

    #[test]
    fn holes_stay_background_and_parts_that_overlap_are_united() {
        let ring = polygon!(
            exterior: [(x: 0., y: 0.), (x: 6., y: 0.), (x: 6., y: 6.), (x: 0., y: 6.)],
            interiors: [[(x: 2., y: 2.), (x: 4., y: 2.), (x: 4., y: 4.), (x: 2., y: 4.)]],
        );
        let overlap = polygon![(x: 5., y: 0.), (x: 8., y: 0.), (x: 8., y: 1.), (x: 5., y: 1.)];
        let labels = rasterize(
            &[(MultiPolygon::new(vec![ring, overlap]), 1)],
            &PixelWindow::new(0, 0, 8, 6),
        );
        assert_eq!(
            labels
                .iter()
                .map(|&label| usize::from(label))
                .sum::<usize>(),
            36 - 4 + 2
        );
        assert_eq!(labels[3 * 8 + 3], 0);
        assert_eq!(labels[5], 1);
    }

    #[test]
    fn neighbors_share_no_pixel_and_lose_none() {
        let left = polygon![(x: 0., y: 0.), (x: 3.3, y: 0.), (x: 5.7, y: 10.), (x: 0., y: 10.)];
        let right = polygon![(x: 3.3, y: 0.), (x: 10., y: 0.), (x: 10., y: 10.), (x: 5.7, y: 10.)];
        let window = PixelWindow::new(0, 0, 10, 10);
        let (a, b) = (
            rasterize(&one(left), &window),
            rasterize(&one(right), &window),
        );
        assert!(a.iter().zip(&b).all(|(a, b)| a + b == 1));
    }

    #[test]
    fn the_last_polygon_wins() {
        let square = polygon![(x: 0., y: 0.), (x: 2., y: 0.), (x: 2., y: 2.), (x: 0., y: 2.)];
        let shape = MultiPolygon::new(vec![square]);
        let labels = rasterize(
            &[(shape.clone(), 1), (shape, 2)],
            &PixelWindow::new(0, 0, 2, 2),
        );
        assert_eq!(labels, [2; 4]);
    }

    #[test]
    fn coordinates_that_are_not_numbers_burn_nothing_else() {
        let broken = polygon![(x: 0., y: 0.), (x: f64::NAN, y: 1.), (x: 3., y: 3.), (x: 0., y: 3.)];
        assert_eq!(
            rasterize(&one(broken), &PixelWindow::new(0, 0, 4, 4)).len(),
            16
        );
    }

    /// The plain reference: ask for every pixel's center whether the polygon holds it.
    #[test]
    fn every_pixel_agrees_with_point_in_polygon() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(5);
        for _ in 0..300 {
            let count = random.random_range(3..12);
            let mut points: Vec<(f64, f64)> = (0..count)
                .map(|_| {
                    (
                        random.random_range(-5.0..25.0),
                        random.random_range(-5.0..25.0),
                    )
                })
                .collect();
            // A star around the mean point never crosses itself, whatever the points are.
            let (sum_x, sum_y) = points
                .iter()
                .fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
            let (mean_x, mean_y) = (sum_x / f64::from(count), sum_y / f64::from(count));
            points.sort_by(|a, b| {
                (a.1 - mean_y)
                    .atan2(a.0 - mean_x)
                    .total_cmp(&(b.1 - mean_y).atan2(b.0 - mean_x))
            });
            let polygon = Polygon::new(points.into(), vec![]);
            let window = PixelWindow::new(
                random.random_range(-4..4),
                random.random_range(-4..4),
                18,
                16,
            );
            for (pixel, label) in rasterize(&one(polygon.clone()), &window)
                .into_iter()
                .enumerate()
            {
                let (col, row) = ((pixel % 18) as i64, (pixel / 18) as i64);
                let center = Point::new(
                    (window.col + col) as f64 + 0.5,
                    (window.row + row) as f64 + 0.5,
                );
                assert_eq!(
                    label == 1,
                    polygon.contains(&center),
                    "{polygon:?} at {center:?}"
                );
            }
        }
    }
}

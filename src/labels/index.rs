use std::sync::{Arc, OnceLock};

use geo::{BoundingRect, Coord, MapCoords, MultiPolygon};

use super::rasterize::Scanline;
use crate::raster::{PixelWindow, Size};

/// Polygons in pixel coordinates with a class index each, found by window in constant time: a grid of cells lists the
/// polygons whose bounding boxes touch it. Cheap to clone.
#[derive(Clone)]
pub struct LabelPolygons {
    inner: Arc<Inner>,
}

struct Inner {
    polygons: Vec<(MultiPolygon<f64>, u8)>,
    cell: f64,
    origin: (f64, f64),
    columns: usize,
    rows: usize,
    /// Where the polygons of cell `i` lie in `members`: from `starts[i]` to `starts[i + 1]`.
    starts: Vec<u32>,
    members: Vec<u32>,
    /// `[left, top, right, bottom]` of each polygon.
    boxes: Vec<[f64; 4]>,
    /// The polygons that are no background, where some are.
    of_classes: OnceLock<Vec<(MultiPolygon<f64>, u8)>>,
}

/// `LabelPolygons(128)`: how many there are.
impl std::fmt::Debug for LabelPolygons {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LabelPolygons({})", self.inner.polygons.len())
    }
}

impl LabelPolygons {
    /// Indexes the polygons; later ones lie over earlier ones.
    #[must_use]
    pub fn new(polygons: Vec<(MultiPolygon<f64>, u8)>) -> Self {
        let boxes: Vec<[f64; 4]> = polygons.iter().map(|(shape, _)| bounds(shape)).collect();
        let extent = boxes.iter().filter(|area| area[0] <= area[2]).fold(
            [
                f64::INFINITY,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NEG_INFINITY,
            ],
            |all, one| {
                [
                    all[0].min(one[0]),
                    all[1].min(one[1]),
                    all[2].max(one[2]),
                    all[3].max(one[3]),
                ]
            },
        );
        let (width, height) = (
            (extent[2] - extent[0]).max(1.0),
            (extent[3] - extent[1]).max(1.0),
        );
        // About two polygons a cell, so that neither the grid nor a cell grows out of hand.
        let cell = if width.is_finite() && height.is_finite() && !polygons.is_empty() {
            (width * height / polygons.len() as f64 * 2.0)
                .sqrt()
                .clamp(16.0, 4096.0)
                .max(width.max(height) / 4096.0)
        } else {
            1.0
        };
        let finite = width.is_finite() && height.is_finite();
        let columns = if finite {
            (width / cell) as usize + 1
        } else {
            1
        };
        let rows = if finite {
            (height / cell) as usize + 1
        } else {
            1
        };
        let mut inner = Inner {
            polygons,
            cell,
            origin: if finite {
                (extent[0], extent[1])
            } else {
                (0.0, 0.0)
            },
            columns,
            rows,
            starts: vec![0; columns * rows + 1],
            members: Vec::new(),
            boxes,
            of_classes: OnceLock::new(),
        };
        inner.fill();
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The polygons with their classes, in drawing order.
    #[must_use]
    pub fn polygons(&self) -> &[(MultiPolygon<f64>, u8)] {
        &self.inner.polygons
    }

    /// The polygons of classes, without those of the background, such as the ones that a choice of classes leaves out. In
    /// drawing order.
    #[must_use]
    pub fn of_classes(&self) -> &[(MultiPolygon<f64>, u8)] {
        let is_class = |one: &&(MultiPolygon<f64>, u8)| one.1 > 0;
        if self.inner.polygons.iter().all(|one| is_class(&one)) {
            return &self.inner.polygons;
        }
        self.inner.of_classes.get_or_init(|| {
            let polygons = self.inner.polygons.iter();
            polygons.filter(is_class).cloned().collect()
        })
    }

    /// The indices of the polygons whose bounding boxes touch the window, ascending.
    #[must_use]
    pub fn touching(&self, window: &PixelWindow) -> Vec<usize> {
        let inner = &*self.inner;
        let area = [
            window.col as f64,
            window.row as f64,
            window.right() as f64,
            window.bottom() as f64,
        ];
        let mut found = Vec::new();
        let Some((columns, rows)) = inner.cells(&area) else {
            return found;
        };
        for row in rows {
            for column in columns.clone() {
                let cell = row * inner.columns + column;
                let members =
                    &inner.members[inner.starts[cell] as usize..inner.starts[cell + 1] as usize];
                found.extend(
                    members
                        .iter()
                        .map(|&member| member as usize)
                        .filter(|&member| {
                            let one = &inner.boxes[member];
                            one[0] < area[2]
                                && one[2] > area[0]
                                && one[1] < area[3]
                                && one[3] > area[1]
                        }),
                );
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The class map of a window, as [`super::rasterize()`] makes it, from the polygons near it alone.
    ///
    /// # Shapes
    /// Returns `[window.height, window.width]`.
    #[must_use]
    pub fn rasterize(&self, window: &PixelWindow) -> Vec<u8> {
        self.rasterize_resized(window, window.size())
    }

    /// The class map of a window whose imagery has been resized: exact on the new grid, whose pixel centers lie between
    /// those of the scene.
    ///
    /// # Shapes
    /// Returns `[size.height, size.width]`.
    #[must_use]
    pub fn rasterize_resized(&self, window: &PixelWindow, size: Size) -> Vec<u8> {
        let mut labels = vec![0; size.area()];
        self.draw(window, size, &mut labels);
        labels
    }

    /// As [`LabelPolygons::rasterize_resized`], over labels that are there already.
    pub(crate) fn draw(&self, window: &PixelWindow, size: Size, labels: &mut [u8]) {
        let mut scanline = Scanline::default();
        if size == window.size() {
            for index in self.touching(window) {
                let (shape, class) = &self.inner.polygons[index];
                scanline.burn(shape, *class, window, labels);
            }
            return;
        }
        let grid = PixelWindow::full(size);
        // Multiplied before it is divided: the window's edges land on the grid's exactly.
        let moved = |at: f64, origin: i64, from: usize, to: usize| {
            (at - origin as f64) * to as f64 / from as f64
        };
        for index in self.touching(window) {
            let (shape, class) = &self.inner.polygons[index];
            let shape = shape.map_coords(|at| Coord {
                x: moved(at.x, window.col, window.width, size.width),
                y: moved(at.y, window.row, window.height, size.height),
            });
            scanline.burn(&shape, *class, &grid, labels);
        }
    }

    /// Whether at least one pixel of the window is burned.
    #[must_use]
    pub fn any_pixel(&self, window: &PixelWindow) -> bool {
        window
            .tiles(Size::new(512, 512))
            .any(|tile| self.rasterize(&tile).iter().any(|&label| label != 0))
    }
}

impl Inner {
    fn fill(&mut self) {
        let boxes = std::mem::take(&mut self.boxes);
        for area in &boxes {
            self.visit(area, |starts, _, cell| starts[cell + 1] += 1);
        }
        for cell in 0..self.columns * self.rows {
            self.starts[cell + 1] += self.starts[cell];
        }
        self.members = vec![0; self.starts[self.columns * self.rows] as usize];
        let mut next = self.starts.clone();
        for (index, area) in boxes.iter().enumerate() {
            self.visit(area, |_, members, cell| {
                members[next[cell] as usize] = index as u32;
                next[cell] += 1;
            });
        }
        self.boxes = boxes;
    }

    fn visit(&mut self, area: &[f64; 4], mut each: impl FnMut(&mut [u32], &mut [u32], usize)) {
        let Some((columns, rows)) = self.cells(area) else {
            return;
        };
        for row in rows {
            for column in columns.clone() {
                each(
                    &mut self.starts,
                    &mut self.members,
                    row * self.columns + column,
                );
            }
        }
    }

    /// The columns and rows of cells that a box touches; `None` when it lies outside the grid or is empty.
    fn cells(&self, area: &[f64; 4]) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        let range = |low: f64, high: f64, origin: f64, count: usize| {
            let (first, last) = ((low - origin) / self.cell, (high - origin) / self.cell);
            (low <= high && last >= 0.0 && first < count as f64)
                .then(|| first as usize..(last as usize).min(count - 1) + 1)
        };
        Some((
            range(area[0], area[2], self.origin.0, self.columns)?,
            range(area[1], area[3], self.origin.1, self.rows)?,
        ))
    }
}

/// `[left, top, right, bottom]`; upside down when the shape is empty, which touches nothing.
fn bounds(shape: &MultiPolygon<f64>) -> [f64; 4] {
    shape.bounding_rect().map_or(
        [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ],
        |rect| [rect.min().x, rect.min().y, rect.max().x, rect.max().y],
    )
}

#[cfg(test)]
mod tests {
    use geo::{Contains, Point, Polygon};
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::labels::rasterize;

    /// The plain reference: ask for the scene's point under every new pixel's center whether the polygon holds it.
    #[test]
    fn on_a_resized_grid_every_pixel_agrees_with_point_in_polygon() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(8);
        let mut burned = 0;
        for _ in 0..200 {
            let mut at = || random.random_range(-20.0..60.0);
            let corners: Vec<(f64, f64)> = vec![(at(), at()), (at(), at()), (at(), at())];
            let polygon = Polygon::new(corners.into(), vec![]);
            let mut side = || random.random_range(1..50);
            let window = PixelWindow::new(-7, 12, side(), side());
            let size = Size::new(side(), side());
            let labels = LabelPolygons::new(vec![(MultiPolygon::new(vec![polygon.clone()]), 1)])
                .rasterize_resized(&window, size);
            for (pixel, label) in labels.into_iter().enumerate() {
                let center = |at: usize, origin: i64, from: usize, to: usize| {
                    origin as f64 + (at as f64 + 0.5) / to as f64 * from as f64
                };
                let center = Point::new(
                    center(pixel % size.width, window.col, window.width, size.width),
                    center(pixel / size.width, window.row, window.height, size.height),
                );
                assert_eq!(label == 1, polygon.contains(&center), "{center:?}");
                burned += usize::from(label);
            }
        }
        assert!(burned > 5000, "{burned}");
    }

    #[test]
    fn the_index_draws_what_drawing_everything_draws() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(7);
        for _ in 0..200 {
            let count = random.random_range(0..60);
            let polygons: Vec<_> = (0..count)
                .map(|_| {
                    let (x, y) = (
                        random.random_range(-50.0..300.0),
                        random.random_range(-50.0..300.0),
                    );
                    let reach = random.random_range(1.0..120.0f64);
                    let mut corner = || {
                        (
                            x + random.random_range(0.0..reach),
                            y + random.random_range(0.0..reach),
                        )
                    };
                    let triangle: Vec<(f64, f64)> = vec![corner(), corner(), corner()];
                    (
                        MultiPolygon::new(vec![Polygon::new(triangle.into(), vec![])]),
                        random.random_range(1..4u8),
                    )
                })
                .collect();
            let window = PixelWindow::new(
                random.random_range(-100..350),
                random.random_range(-100..350),
                random.random_range(1..120),
                random.random_range(1..120),
            );
            assert_eq!(
                LabelPolygons::new(polygons.clone()).rasterize(&window),
                rasterize(&polygons, &window)
            );
        }
    }
}

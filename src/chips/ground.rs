//! Where the pixels of a scene lie that a chip can be cut for: a coarse count of those that are valid, of interest and
//! labeled.

use rand::{Rng, RngExt};
use rayon::prelude::*;

use crate::raster::PixelWindow;
use crate::scene::Scene;
use crate::{Result, session};

/// Cells along the longer side at most, where every pixel is looked at.
const CELLS: usize = 512;
/// The smallest edge of a cell in pixels.
const SMALLEST: usize = 8;
/// Areas of more pixels than this are looked at in samples: one of [`SAMPLE`] pixels to a side in each of [`SAMPLED_CELLS`]
/// cells along the longer side.
const LARGE: usize = 1 << 27;
const SAMPLE: usize = 32;
const SAMPLED_CELLS: usize = 128;

/// Pixels that count, by cell of the area.
#[derive(Debug)]
pub(super) struct Ground {
    area: PixelWindow,
    cell: usize,
    columns: usize,
    /// Sums over the cells up to each, row by row.
    sums: Vec<u64>,
}

impl Ground {
    pub(super) fn of(scene: &Scene) -> Result<Self> {
        let area = scene.area();
        let longer = area.width.max(area.height).max(1);
        let sampled = area.area() > LARGE;
        let cell = match sampled {
            true => longer.div_ceil(SAMPLED_CELLS),
            false => longer.div_ceil(CELLS).max(SMALLEST),
        };
        let (columns, rows) = (area.width.div_ceil(cell), area.height.div_ceil(cell));
        // Strips of cells, wide enough that a read is worth its while.
        let beside = (1024 / cell).max(1);
        let strips: Vec<(usize, usize)> = (0..rows)
            .flat_map(|row| {
                (0..columns)
                    .step_by(beside)
                    .map(move |column| (row, column))
            })
            .collect();
        let counted = strips
            .par_iter()
            .map(|&(row, first)| -> Result<Vec<u64>> {
                session::check_interrupt("looking for places of chips")?;
                let cells = first..(first + beside).min(columns);
                if sampled {
                    let of_cell =
                        |column| sampled_count(scene, &cell_window(&area, cell, column, row));
                    return cells.map(of_cell).collect();
                }
                let left = cell_window(&area, cell, cells.start, row);
                let right = cell_window(&area, cell, cells.end - 1, row);
                let width = (right.right() - left.col) as usize;
                let window = PixelWindow::new(left.col, left.row, width, left.height);
                if !scene.counts_in(&window) {
                    return Ok(vec![0; cells.len()]);
                }
                let mask = scene.counting(&window)?;
                let mut counts = vec![0; cells.len()];
                for line in mask.chunks_exact(width.max(1)) {
                    for (count, part) in counts.iter_mut().zip(line.chunks(cell)) {
                        *count += part.iter().map(|&one| u64::from(one)).sum::<u64>();
                    }
                }
                Ok(counts)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut sum = 0;
        let sums = counted
            .into_iter()
            .flatten()
            .map(|count| {
                sum += count;
                sum
            })
            .collect();
        Ok(Self {
            area,
            cell,
            columns,
            sums,
        })
    }

    /// Pixels that count.
    pub(super) fn total(&self) -> u64 {
        self.sums.last().copied().unwrap_or(0)
    }

    /// The share of the area's pixels that count.
    pub(super) fn share(&self) -> f64 {
        self.total() as f64 / self.area.area().max(1) as f64
    }

    /// A window around a pixel that counts, every one of them as likely as any other, anywhere in the window that the area
    /// allows; `None` when no pixel counts.
    pub(super) fn place(
        &self,
        random: &mut impl Rng,
        edge: usize,
        padded: bool,
    ) -> Option<PixelWindow> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        let drawn = random.random_range(0..total);
        let index = self.sums.partition_point(|&sum| sum <= drawn);
        let cell = cell_window(
            &self.area,
            self.cell,
            index % self.columns,
            index / self.columns,
        );
        let mut start = |low: i64, length: usize, origin: i64, whole: usize| {
            let pixel = low + random.random_range(0..length as u64) as i64;
            let start = pixel - random.random_range(0..edge as u64) as i64;
            within(start, edge, origin, whole, padded)
        };
        let col = start(cell.col, cell.width, self.area.col, self.area.width);
        let row = start(cell.row, cell.height, self.area.row, self.area.height);
        Some(PixelWindow::new(col, row, edge, edge))
    }

    /// At most `limit` windows whose cells hold most pixels that count, the fullest first.
    pub(super) fn fullest(&self, edge: usize, padded: bool, limit: usize) -> Vec<PixelWindow> {
        let rows = self.sums.len() / self.columns.max(1);
        // Sums over rectangles from the top left corner.
        let mut corner = vec![0_u64; (self.columns + 1) * (rows + 1)];
        for row in 0..rows {
            let mut line = 0;
            for column in 0..self.columns {
                let index = row * self.columns + column;
                let before = if index == 0 { 0 } else { self.sums[index - 1] };
                line += self.sums[index] - before;
                corner[(row + 1) * (self.columns + 1) + column + 1] =
                    corner[row * (self.columns + 1) + column + 1] + line;
            }
        }
        let held = |window: &PixelWindow| {
            let cells = |start: i64, origin: i64, count: usize| {
                let first = ((start - origin).max(0) as usize / self.cell).min(count);
                let end = ((start - origin + edge as i64).max(0) as usize).div_ceil(self.cell);
                (first, end.min(count))
            };
            let (left, right) = cells(window.col, self.area.col, self.columns);
            let (top, bottom) = cells(window.row, self.area.row, rows);
            let at = |row: usize, column: usize| corner[row * (self.columns + 1) + column];
            (at(bottom, right) + at(top, left)).saturating_sub(at(top, right) + at(bottom, left))
        };
        let half = edge as i64 / 2;
        let mut windows: Vec<(u64, PixelWindow)> = (0..self.sums.len())
            .map(|index| {
                let (column, row) = (index % self.columns, index / self.columns);
                let middle =
                    |at: usize, origin: i64| origin + (at * self.cell + self.cell / 2) as i64;
                let (area, place) = (&self.area, |start, origin, whole| {
                    within(start, edge, origin, whole, padded)
                });
                let window = PixelWindow::new(
                    place(middle(column, area.col) - half, area.col, area.width),
                    place(middle(row, area.row) - half, area.row, area.height),
                    edge,
                    edge,
                );
                (held(&window), window)
            })
            .filter(|(held, _)| *held > 0)
            .collect();
        windows.sort_by_key(|(held, window)| (std::cmp::Reverse(*held), window.row, window.col));
        windows.dedup_by_key(|(_, window)| *window);
        windows.truncate(limit);
        windows.into_iter().map(|(_, window)| window).collect()
    }
}

/// The start nearest to `start` at which a window lies inside the area, or has its center inside when it may reach over the
/// edge.
pub(super) fn within(start: i64, edge: usize, origin: i64, length: usize, padded: bool) -> i64 {
    let half = edge as i64 / 2;
    let (lowest, highest) = match padded {
        true => (origin - half, origin + length as i64 - 1 - half),
        false => (origin, origin + length as i64 - edge as i64),
    };
    start.min(highest).max(lowest)
}

pub(super) fn cell_window(
    area: &PixelWindow,
    cell: usize,
    column: usize,
    row: usize,
) -> PixelWindow {
    let (col, line) = (column * cell, row * cell);
    PixelWindow::new(
        area.col + col as i64,
        area.row + line as i64,
        cell.min(area.width - col),
        cell.min(area.height - line),
    )
}

/// How many pixels of a cell count, by those in its middle.
fn sampled_count(scene: &Scene, cell: &PixelWindow) -> Result<u64> {
    if !scene.counts_in(cell) {
        return Ok(0);
    }
    let (width, height) = (SAMPLE.min(cell.width), SAMPLE.min(cell.height));
    let sample = PixelWindow::new(
        cell.col + (cell.width - width) as i64 / 2,
        cell.row + (cell.height - height) as i64 / 2,
        width,
        height,
    );
    let found: u64 = scene
        .counting(&sample)?
        .iter()
        .map(|&one| u64::from(one))
        .sum();
    Ok(found * cell.area() as u64 / sample.area().max(1) as u64)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Counts of 3 x 2 cells of 8 px.
    fn ground() -> Ground {
        let counts = [0, 64, 0, 0, 16, 0];
        let sums = counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        Ground {
            area: PixelWindow::new(100, 50, 24, 16),
            cell: 8,
            columns: 3,
            sums: sums.collect(),
        }
    }

    #[test]
    fn places_hold_a_cell_that_counts_and_stay_in_the_area() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        for _ in 0..200 {
            let window = ground().place(&mut random, 6, false).expect("there is one");
            assert!(window.col >= 103 && window.right() <= 121, "{window}");
            assert!(window.row >= 50 && window.bottom() <= 66, "{window}");
            let padded = ground().place(&mut random, 30, true).expect("there is one");
            assert!(
                padded.contains_pixel(111, 58) || padded.col > 80,
                "{padded}"
            );
        }
    }

    #[test]
    fn the_fullest_windows_come_first() {
        let windows = ground().fullest(8, false, 10);
        assert_eq!(windows[0], PixelWindow::new(108, 50, 8, 8));
        assert!(windows.len() < 6);
        assert!((ground().share() - 80.0 / 384.0).abs() < 1e-12);
    }
}

//! Where each class lies in a scene: counts of its labeled pixels by cell, made in one pass over the labels, or the middles of
//! its objects.

use rayon::prelude::*;

use super::ground::cell_window;
use crate::labels::IGNORE;
use crate::raster::PixelWindow;
use crate::scene::Scene;
use crate::{Result, session};

/// Cells along the longer side at most.
const CELLS: usize = 512;
/// The smallest edge of a cell in pixels.
const SMALLEST: usize = 8;
/// How much of an object has to count.
const COUNTED: f64 = 0.5;

/// The places of each class in a scene.
#[derive(Debug)]
pub(super) enum ClassGround {
    Pixels {
        area: PixelWindow,
        cell: usize,
        columns: usize,
        /// For each class the cells that hold it, with the sum of its pixels up to and with that cell.
        sums: Vec<Vec<(usize, u64)>>,
    },
    /// For each class the pixels in the middle of its objects, with the sum of what these count for up to and with each.
    Objects(Vec<Vec<((i64, i64), u64)>>),
}

impl ClassGround {
    /// Counts every pixel that counts; a class of one pixel is found.
    pub(super) fn pixels(scene: &Scene, classes: usize) -> Result<Self> {
        let area = scene.area();
        let longer = area.width.max(area.height).max(1);
        let cell = longer.div_ceil(CELLS).max(SMALLEST);
        let (columns, rows) = (area.width.div_ceil(cell), area.height.div_ceil(cell));
        // Strips of cells, wide enough that a read is worth its while.
        let beside = (1024 / cell).max(1);
        let strips: Vec<(usize, usize)> = (0..rows)
            .flat_map(|row| (0..columns).step_by(beside).map(move |first| (row, first)))
            .collect();
        let counted = strips
            .par_iter()
            .map(|&(row, first)| -> Result<Vec<(usize, usize, u64)>> {
                session::check_interrupt("looking for the places of classes")?;
                let last = (first + beside).min(columns) - 1;
                let (left, right) = (
                    cell_window(&area, cell, first, row),
                    cell_window(&area, cell, last, row),
                );
                let width = (right.right() - left.col) as usize;
                let window = PixelWindow::new(left.col, left.row, width, left.height);
                let labels = scene.label_window(&window)?;
                let mut counts = vec![[0_u64; 256]; last - first + 1];
                for line in labels.chunks_exact(width.max(1)) {
                    for (counts, part) in counts.iter_mut().zip(line.chunks(cell)) {
                        for &label in part {
                            counts[usize::from(label)] += 1;
                        }
                    }
                }
                let mut found = Vec::new();
                for (at, counts) in counts.iter().enumerate() {
                    for (class, &count) in counts.iter().enumerate().take(classes) {
                        if count > 0 && class != usize::from(IGNORE) {
                            found.push((row * columns + first + at, class, count));
                        }
                    }
                }
                Ok(found)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut sums: Vec<Vec<(usize, u64)>> = vec![Vec::new(); classes];
        for (index, class, count) in counted.into_iter().flatten() {
            let of_class = &mut sums[class];
            let before = of_class.last().map_or(0, |(_, sum)| *sum);
            of_class.push((index, before + count));
        }
        Ok(Self::Pixels {
            area,
            cell,
            columns,
            sums,
        })
    }

    /// The objects whose middle lies in the area in use, at least half of which counts. Each counts once, or
    /// (`as_pixels`) for the pixels of its box, beside scenes whose labels are of pixels.
    pub(super) fn objects(scene: &Scene, classes: usize, as_pixels: bool) -> Self {
        let area = scene.area();
        let mut middles: Vec<Vec<((i64, i64), u64)>> = vec![Vec::new(); classes];
        for one in scene.all_boxes().iter().filter(|one| !one.crowd) {
            let (x, y) = one.bounds.center();
            let middle = (x.floor() as i64, y.floor() as i64);
            if area.contains_pixel(middle.0, middle.1)
                && scene.share_counted(&one.bounds) >= COUNTED
                && let Some(of_class) = middles.get_mut(one.class)
            {
                let pixels = one.bounds.area().clamp(1.0, area.area().max(1) as f64);
                let counts = if as_pixels { pixels.round() as u64 } else { 1 };
                let before = of_class.last().map_or(0, |(_, sum)| *sum);
                of_class.push((middle, before + counts));
            }
        }
        Self::Objects(middles)
    }

    /// Pixels of a class, or what its objects count for.
    pub(super) fn total(&self, class: usize) -> u64 {
        match self {
            Self::Pixels { sums, .. } => {
                let of_class = sums.get(class).and_then(|sums| sums.last());
                of_class.map_or(0, |(_, sum)| *sum)
            }
            Self::Objects(middles) => {
                let of_class = middles.get(class).and_then(|middles| middles.last());
                of_class.map_or(0, |(_, sum)| *sum)
            }
        }
    }

    /// Pixel `number` of a class, counted from 0, or the middle of the object that counts for it: its column and row.
    ///
    /// # Errors
    /// Those of reading labels.
    pub(super) fn at(&self, scene: &Scene, class: usize, number: u64) -> Result<(i64, i64)> {
        let (area, cell, columns, sums) = match self {
            Self::Objects(middles) => {
                let of_class = &middles[class];
                return Ok(of_class[of_class.partition_point(|(_, sum)| *sum <= number)].0);
            }
            Self::Pixels {
                area,
                cell,
                columns,
                sums,
            } => (area, *cell, *columns, &sums[class]),
        };
        let place = sums.partition_point(|(_, sum)| *sum <= number);
        let before = if place == 0 { 0 } else { sums[place - 1].1 };
        let index = sums[place].0;
        let window = cell_window(area, cell, index % columns, index / columns);
        let labels = scene.label_window(&window)?;
        let of_class = labels.iter().enumerate();
        let found = of_class
            .filter(|(_, label)| usize::from(**label) == class)
            .nth((number - before) as usize);
        // Labels that another program has changed since: anywhere in the cell.
        let pixel = found.map_or(0, |(pixel, _)| pixel);
        Ok((
            window.col + (pixel % window.width) as i64,
            window.row + (pixel / window.width) as i64,
        ))
    }
}

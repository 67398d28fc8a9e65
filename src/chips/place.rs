use rand::RngExt;

use crate::raster::PixelWindow;

/// A window at a random place: inside the area, or with its center inside when it may reach over the edge.
pub(super) fn anywhere(
    random: &mut impl rand::Rng,
    area: &PixelWindow,
    edge: usize,
    padded: bool,
) -> PixelWindow {
    let mut start = |origin: i64, length: usize| {
        if padded {
            origin + random.random_range(0..length as u64) as i64 - edge as i64 / 2
        } else {
            origin + random.random_range(0..=(length - edge) as u64) as i64
        }
    };
    let col = start(area.col, area.width);
    PixelWindow::new(col, start(area.row, area.height), edge, edge)
}

/// Windows of `edge` pixels every `stride` pixels over an area, row by row. The last of a row or column is moved back to
/// end at the area's edge, or reaches over it when `padded`.
pub(super) fn sliding(
    area: &PixelWindow,
    edge: usize,
    stride: usize,
    padded: bool,
) -> Vec<PixelWindow> {
    let (columns, rows) = (
        starts(area.width, edge, stride, padded),
        starts(area.height, edge, stride, padded),
    );
    let place = |row: usize, col: usize| {
        PixelWindow::new(area.col + col as i64, area.row + row as i64, edge, edge)
    };
    rows.iter()
        .flat_map(|&row| columns.iter().map(move |&col| place(row, col)))
        .collect()
}

fn starts(length: usize, edge: usize, stride: usize, padded: bool) -> Vec<usize> {
    if length <= edge {
        return vec![0];
    }
    let last = length - edge;
    let mut starts: Vec<usize> = (0..=last).step_by(stride.max(1)).collect();
    if let Some(&end) = starts.last()
        && end < last
    {
        starts.push(if padded { end + stride.max(1) } else { last });
    }
    starts
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn count(width: usize, height: usize, edge: usize, stride: usize) -> usize {
        sliding(&PixelWindow::new(0, 0, width, height), edge, stride, false).len()
    }

    /// Raster Vision's own window counts.
    #[test]
    fn counts_agree_with_raster_vision() {
        assert_eq!(count(100, 100, 10, 10), 100);
        assert_eq!(count(100, 100, 10, 5), 361);
        assert_eq!(count(1024, 1023, 200, 100), 100);
    }

    #[test]
    fn chips_cover_the_area() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(11);
        for _ in 0..300 {
            let (width, height) = (random.random_range(1..90), random.random_range(1..90));
            let edge = random.random_range(1..40);
            let stride = random.random_range(1..=edge);
            let padded = random.random();
            let area = PixelWindow::new(-5, 9, width, height);
            let mut covered = vec![false; area.area()];
            for window in sliding(&area, edge, stride, padded) {
                assert!(padded || edge > width || edge > height || area.contains(&window));
                let Some(part) = area.intersect(&window) else {
                    continue;
                };
                for row in part.row..part.bottom() {
                    for col in part.col..part.right() {
                        covered[(row - area.row) as usize * width + (col - area.col) as usize] =
                            true;
                    }
                }
            }
            assert!(
                covered.iter().all(|&covered| covered),
                "{width} x {height}, {edge} px every {stride}"
            );
        }
    }
}

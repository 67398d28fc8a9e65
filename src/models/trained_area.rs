//! Which pixels a model has seen in training, so that a score on them can say so.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::raster::{PixelWindow, Raster};
use crate::report::{file_name, several_files};

/// A part of a raster that a model was trained on, by what stays the same when the file moves to another folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainedArea {
    /// The name of the file, without its folder; of a stack or a mosaic the names of its files.
    file: String,
    /// Columns and rows of the raster as it is read.
    size: [usize; 2],
    /// Where it lies on the ground, as text: a number read back from JSON may differ in its last digit.
    transform: String,
    /// Column, row, width and height of the part, in pixels of the raster.
    #[serde(rename = "area")]
    window: [i64; 4],
    /// The polygons that limit it, in words.
    #[serde(default)]
    area_of_interest: Option<String>,
}

impl TrainedArea {
    /// The `window` of a raster, within the polygons that `area_of_interest` names.
    pub(crate) fn new(
        raster: &Raster,
        window: PixelWindow,
        area_of_interest: Option<String>,
    ) -> Self {
        let full = raster.full();
        Self {
            file: files(&raster.paths()),
            size: [full.width, full.height],
            transform: format!("{:?}", raster.transform().0),
            window: [
                window.col,
                window.row,
                window.width as i64,
                window.height as i64,
            ],
            area_of_interest,
        }
    }

    fn window(&self) -> PixelWindow {
        let [col, row, width, height] = self.window;
        let length = |value: i64| usize::try_from(value).unwrap_or(0);
        PixelWindow::new(col, row, length(width), length(height))
    }

    /// The part of this area, a piece of a scene, that models with these `trained` areas have seen, from 0 to 1. An area
    /// that polygons limited counts only where the same polygons limit this one.
    pub(crate) fn share_seen(&self, trained: &[Self]) -> f64 {
        let own = self.window();
        let seen: Vec<PixelWindow> = trained
            .iter()
            .filter(|other| {
                let same_polygons = other.area_of_interest.is_none()
                    || other.area_of_interest == self.area_of_interest;
                same_polygons
                    && other.file == self.file
                    && other.size == self.size
                    && other.transform == self.transform
            })
            .filter_map(|other| own.intersect(&other.window()))
            .collect();
        if own.is_empty() {
            return 0.0;
        }
        union(&seen) as f64 / own.area() as f64
    }
}

/// The names of files; of many the first ones, and a number that only these files have.
fn files(paths: &[PathBuf]) -> String {
    const MOST: usize = 8;
    let names = several_files(paths);
    if paths.len() <= MOST {
        return names;
    }
    let mut hash = Sha256::new();
    for path in paths {
        hash.update(file_name(path));
        hash.update([0]);
    }
    let digits = hash.finalize();
    let digits: String = digits
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{names} ({digits})")
}

/// Pixels that lie in at least one window.
fn union(windows: &[PixelWindow]) -> usize {
    let ends = |start: i64, length: usize| [start, start + length as i64];
    let mut cols: Vec<i64> = windows
        .iter()
        .flat_map(|it| ends(it.col, it.width))
        .collect();
    cols.sort_unstable();
    cols.dedup();
    let strip = |pair: &[i64]| {
        let mut rows: Vec<[i64; 2]> = windows
            .iter()
            .filter(|it| it.col <= pair[0] && it.col + it.width as i64 >= pair[1])
            .map(|it| ends(it.row, it.height))
            .collect();
        rows.sort_unstable();
        let (mut height, mut reached) = (0, i64::MIN);
        for [start, end] in rows {
            height += (end - start.max(reached)).max(0);
            reached = reached.max(end);
        }
        usize::try_from(height * (pair[1] - pair[0])).unwrap_or(0)
    };
    cols.windows(2).map(strip).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(window: [i64; 4]) -> TrainedArea {
        TrainedArea {
            file: "a.tif".to_owned(),
            size: [100, 100],
            transform: "[0.0]".to_owned(),
            window,
            area_of_interest: None,
        }
    }

    #[test]
    fn the_share_counts_every_pixel_once_and_only_those_of_the_same_raster() {
        let scored = area([0, 0, 100, 50]);
        let close = |trained: &[TrainedArea], share: f64| {
            assert!(
                (scored.share_seen(trained) - share).abs() < 1e-12,
                "{trained:?}"
            );
        };
        close(&[], 0.0);
        close(&[area([0, 0, 75, 100])], 0.75);
        close(&[area([75, 0, 25, 100]), area([0, 50, 100, 50])], 0.25);
        // 20 x 50 and 20 x 50 px share 10 columns.
        close(&[area([0, 0, 20, 50]), area([10, 0, 20, 60])], 0.3);
        let other = TrainedArea {
            file: "b.tif".to_owned(),
            ..area([0, 0, 100, 100])
        };
        let limited = TrainedArea {
            area_of_interest: Some("inside park.gpkg".to_owned()),
            ..area([0, 0, 100, 100])
        };
        close(&[other, limited.clone()], 0.0);
        let scored = TrainedArea {
            window: [0, 0, 50, 50],
            ..limited.clone()
        };
        assert!((scored.share_seen(&[limited]) - 1.0).abs() < 1e-12);
    }
}

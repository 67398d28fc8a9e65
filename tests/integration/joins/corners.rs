//! Grids whose pixel centers lie on corners of another grid's pixels: labels, parts of stacks and masks of half the pixel
//! size. Expected is the pixel to the lower right of the corner, as `rasterio.warp.reproject(nearest, tolerance=0)` has it
//! for all pixels of these grids (GDAL 3.10, which adds 1e-10 before it rounds down).

use std::path::Path;

use swath::prelude::*;
use swath::raster::{GeoTransform, RasterType, RasterWriter, Size, WriterOptions};

use super::whole;

const SIDE: usize = 60;

/// The grids of a PlanetScope mosaic, of an aerial image of Banepa and of a town: origins that no pixel size divides.
fn grids() -> [(&'static str, [f64; 6]); 3] {
    let north_up = |x, y, size: f64| [x, size, 0.0, y, 0.0, -size];
    [
        (
            "EPSG:3857",
            north_up(
                -13_046_883.483_940_167,
                3_913_575.848_201_023_4,
                4.777_314_267_16,
            ),
        ),
        (
            "EPSG:3857",
            north_up(
                9_519_620.376_692_422,
                3_203_475.855_431_731_5,
                0.597_164_283_477_939_5,
            ),
        ),
        ("EPSG:32632", north_up(690_000.0, 5_336_000.0, 0.3)),
    ]
}

/// Classes 0 to 4 that no two neighbors share along a row, a column or a diagonal.
fn class(col: usize, row: usize) -> usize {
    (col + 2 * row) % 5
}

fn write(path: &Path, crs: &str, grid: GeoTransform, side: usize) {
    let size = Size::new(side, side);
    let options = WriterOptions::default();
    let mut writer =
        RasterWriter::create(path, size, 1, RasterType::U8, grid, crs, options).unwrap();
    let values: Vec<f32> = (0..side * side)
        .map(|at| class(at % side, at / side) as f32)
        .collect();
    writer
        .write_window(&PixelWindow::full(size), &values)
        .unwrap();
    writer.finish().unwrap();
}

#[test]
fn pixels_of_half_the_size_are_those_to_the_lower_right() {
    for (number, (crs, grid)) in grids().into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let (image, fine) = (
            folder.path().join("image.tif"),
            folder.path().join("fine.tif"),
        );
        let grid = GeoTransform(grid);
        write(&image, crs, grid, SIDE);
        write(&fine, crs, grid.scaled(0.5, 0.5), 2 * SIDE);
        let right: Vec<usize> = (0..SIDE * SIDE)
            .map(|at| class(2 * (at % SIDE) + 1, 2 * (at / SIDE) + 1))
            .collect();
        let all = PixelWindow::full(Size::new(SIDE, SIDE));

        let labeled = Scene::open(&image)
            .unwrap()
            .with_label_raster(&fine, Classes::new(["a", "b", "c", "d"]))
            .unwrap();
        let labels = labeled.label_array(&all).unwrap();
        let found: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
        assert_eq!(found, right, "labels of grid {number}");
        // A part of the scene has the labels that the whole has there.
        let part = labeled.label_array(&PixelWindow::new(7, 11, 5, 3)).unwrap();
        for ((row, col), &label) in part.indexed_iter() {
            assert_eq!(usize::from(label), right[(11 + row) * SIDE + 7 + col]);
        }

        let fine_band = StackPart::new(&fine)
            .named("fine")
            .resampling(Resampling::Nearest);
        let stack = Scene::stack_with(Stack::new([StackPart::new(&image), fine_band])).unwrap();
        let patch = whole(stack.raster());
        let found: Vec<usize> = patch.data[SIDE * SIDE..]
            .iter()
            .map(|&value| value as usize)
            .collect();
        assert_eq!(found, right, "a stack on grid {number}");

        let masked = SeriesDate::new("2023-04-15", [StackPart::new(&image)]).mask(&fine, [1]);
        let other = SeriesDate::new("2023-05-15", [StackPart::new(&image)]);
        let series = Scene::series_with(TimeSeries::of([masked, other])).unwrap();
        let first = series.on_date("2023-04-15").unwrap();
        let valid = whole(first.raster()).valid;
        let found: Vec<bool> = valid.iter().map(|&valid| valid != 0).collect();
        let wanted: Vec<bool> = right.iter().map(|&class| class != 1).collect();
        assert_eq!(found, wanted, "a mask on grid {number}");
    }
}

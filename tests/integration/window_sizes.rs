//! Chips resized from windows of several sizes: the same at every run, true to imagery, labels and boxes.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

use swath::boxes::BoundingBox;
use swath::chips::{Chip, ChipOptions, Chips};
use swath::display::Show as _;
use swath::labels::{Classes, IGNORE};
use swath::raster::{
    GeoTransform, PixelWindow, RasterType, RasterWriter, Resolution, Size, WriterOptions,
};
use swath::samples::{self, Town};
use swath::scene::{Scene, Split};
use swath::{Hint as _, Result};

use crate::support::{CRS, grid, raster};

fn town(folder: &Path) -> Town {
    samples::town_in(folder, 3, 700).unwrap()
}

fn sized(count: usize, size: usize, windows: RangeInclusive<usize>) -> ChipOptions {
    Chips::random(count, size).window_sizes(windows)
}

fn all(chips: &Chips) -> Vec<Chip> {
    (0..chips.len()).map(|at| chips.get(at).unwrap()).collect()
}

/// The pixel of the scene under the center of pixel `at` of a chip.
fn under(at: usize, origin: i64, window: usize, chip: usize) -> usize {
    origin as usize + (2 * at + 1) * window / (2 * chip)
}

#[test]
fn windows_are_drawn_from_the_whole_range_and_are_the_same_at_every_run() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path()).scene().unwrap();
    let options = || sized(120, 64, 40..=43).seed(7).photometric(0.2);
    let chips = scene.chips(options()).unwrap();
    let once = all(&chips);
    let mut count = [0; 4];
    for chip in &once {
        assert_eq!(chip.patch.size, Size::new(64, 64));
        assert_eq!(chip.labels.len(), 64 * 64);
        assert_eq!(chip.window.width, chip.window.height);
        assert!(scene.area().contains(&chip.window));
        count[chip.window.width - 40] += 1;
    }
    assert!(count.iter().all(|&times| times > 15), "{count:?}");
    assert_eq!((chips.size(), chips.window_sizes()), (64, 40..=43));
    assert!((chips.zoom() - 64.0 / 41.5).abs() < 1e-12);

    let again = scene.chips(options()).unwrap();
    let mut backwards: Vec<Chip> = (0..120).rev().map(|at| again.get(at).unwrap()).collect();
    backwards.reverse();
    assert_eq!(once, backwards);
    let stream = |workers| -> Vec<Chip> {
        let batches: Result<Vec<_>> = again.epoch(2, 8, workers).collect();
        batches.unwrap().into_iter().flatten().collect()
    };
    let (one, many) = (stream(1), stream(5));
    assert_eq!(one, many);
    let windows = |chips: &[Chip]| -> BTreeSet<_> {
        let place = |chip: &Chip| (chip.window.col, chip.window.row, chip.window.width);
        chips.iter().map(place).collect()
    };
    assert_eq!(windows(&one), windows(&once), "an epoch changes no window");
    let other = scene.chips(options().seed(8)).unwrap();
    assert!(windows(&all(&other)).is_disjoint(&windows(&once)));
}

/// Nothing that was cut before the option came changes: these windows were recorded without it.
#[test]
fn without_the_option_and_with_the_chips_own_size_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path()).scene().unwrap();
    let plain = |options: fn() -> ChipOptions| {
        let without = scene.chips(options()).unwrap();
        let with = scene.chips(options().window_sizes(64..=64)).unwrap();
        for at in 0..without.len() {
            let chip = without.get_in_epoch(at, 3).unwrap();
            assert_eq!(chip, with.get_in_epoch(at, 3).unwrap());
        }
        all(&without)
    };
    let first = plain(|| Chips::random(20, 64).seed(7).photometric(0.2));
    let recorded: Vec<_> = first[..3]
        .iter()
        .map(|one| (one.window.col, one.window.row))
        .collect();
    assert_eq!(recorded, RECORDED);
    plain(|| Chips::random(20, 64).seed(9).neg_ratio(0.5).padded());
    plain(|| Chips::sliding(64).stride(200));
    let meters = |options: ChipOptions| scene.chips(options).unwrap().get(4).unwrap();
    assert_eq!(
        meters(Chips::random_meters(5, 18.0)),
        meters(Chips::random_meters(5, 18.0).window_meters(18.0..=18.0))
    );
}

const RECORDED: [(i64, i64); 3] = [(387, 96), (473, 348), (312, 405)];

/// Another way to the same grid: the whole scene seen at twice its resolution.
#[test]
fn chips_at_twice_the_size_are_those_of_the_scene_at_twice_its_resolution() {
    let folder = tempfile::tempdir().unwrap();
    let town = town(folder.path());
    let scene = town.scene().unwrap();
    let fine = Scene::open_at(&town.scene_path, Resolution::Factor(2.0))
        .unwrap()
        .with_classes(&town.labels_path, "class", scene.classes())
        .unwrap();
    let options = sized(40, 192, 96..=96).seed(4).flips(false);
    let chips = scene.chips(options.min_visible(0.3)).unwrap();
    let (mut labeled, mut boxes) = (0, 0);
    for chip in all(&chips) {
        let window = PixelWindow::new(2 * chip.window.col, 2 * chip.window.row, 192, 192);
        let differing = fine
            .label_window(&window)
            .unwrap()
            .iter()
            .zip(&chip.labels)
            .filter(|(a, b)| a != b)
            .count();
        // A vertex on a pixel's center may fall to either side when it is rounded.
        assert!(differing <= 2, "{differing} labels differ in {window}");
        labeled += chip.labels.iter().filter(|&&label| label > 0).count();
        let expected = fine.boxes_in(&window, 0.3);
        assert_eq!(chip.boxes.len(), expected.len());
        for (a, b) in chip.boxes.iter().zip(&expected) {
            assert_eq!(a.class, b.class);
            let near = |a: f64, b: f64| (a - b).abs() < 1e-5;
            let (a, b) = (a.bounds, b.bounds);
            assert!(
                near(a.x_min, b.x_min) && near(a.y_min, b.y_min),
                "{a:?}, {b:?}"
            );
            assert!(
                near(a.x_max, b.x_max) && near(a.y_max, b.y_max),
                "{a:?}, {b:?}"
            );
            boxes += 1;
        }
        // GDAL looks over the window's edge, and rounds to the file's whole numbers.
        let patch = fine.read(&window).unwrap();
        for row in 1..191 {
            for col in 1..191 {
                let (a, b) = (patch.value(1, row, col), chip.patch.value(1, row, col));
                assert!(
                    (a.unwrap() - b.unwrap()).abs() < 0.6,
                    "{a:?}, {b:?} at {col}, {row}"
                );
            }
        }
    }
    assert!(labeled > 10_000 && boxes > 40, "{labeled}, {boxes}");
}

#[test]
fn imagery_keeps_its_mean_whatever_the_size() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path()).scene().unwrap();
    let mean = |values: &[f32]| {
        values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64
    };
    for windows in [30..=60, 70..=160] {
        let chips = scene
            .chips(sized(30, 64, windows).seed(2).flips(false))
            .unwrap();
        for chip in all(&chips) {
            let whole = scene.read(&chip.window).unwrap();
            let (found, expected) = (mean(chip.patch.band(0)), mean(whole.band(0)));
            assert!((found - expected).abs() < 1.0, "{found}, {expected}");
        }
    }
}

/// A class for each pixel that its neighbors tell nothing about.
fn class_at(col: usize, row: usize) -> u8 {
    ((col * 7 + row * 13 + col * row) % 4) as u8
}

#[test]
fn a_label_raster_gives_what_lies_under_each_pixels_center() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (byte, options) = (RasterType::U8, WriterOptions::default);
    let image = raster(
        &path("image.tif"),
        Size::new(120, 90),
        1,
        byte,
        options(),
        |_, col, row| 10.0 + f32::from(class_at(col, row)),
    );
    let same = raster(
        &path("same.tif"),
        Size::new(120, 90),
        1,
        byte,
        options(),
        |_, col, row| f32::from(class_at(col, row)),
    );
    // Pixels of three quarters of a meter where the image has half a meter.
    let (coarse_path, coarse_size) = (path("coarse.tif"), Size::new(80, 60));
    let coarse_grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 0.75);
    let mut writer = RasterWriter::create(
        &coarse_path,
        coarse_size,
        1,
        byte,
        coarse_grid,
        CRS,
        options(),
    )
    .unwrap();
    let values: Vec<f32> = (0..60 * 80)
        .map(|at| f32::from(class_at(at % 80, at / 80)))
        .collect();
    writer
        .write_window(&PixelWindow::full(coarse_size), &values)
        .unwrap();
    writer.finish().unwrap();
    assert_eq!(grid().pixel_from_world((500_001.0, 5_000_000.0)).0, 2.0);

    let classes = || Classes::new(["a", "b", "c"]);
    let open = |labels: &Path| {
        let scene = Scene::open(&image).unwrap();
        scene.with_label_raster(labels, classes()).unwrap()
    };
    for windows in [17..=29, 55..=71] {
        let options = sized(40, 37, windows).seed(1).flips(false);
        let on_same = open(&same).chips(options.clone()).unwrap();
        let on_coarse = open(&coarse_path).chips(options).unwrap();
        for (fine, coarse) in all(&on_same).iter().zip(all(&on_coarse)) {
            let window = fine.window;
            assert_eq!(window, coarse.window);
            for row in 0..37 {
                for col in 0..37 {
                    let under_row = under(row, window.row, window.width, 37);
                    let under_col = under(col, window.col, window.width, 37);
                    let label = fine.labels[row * 37 + col];
                    assert_eq!(label, class_at(under_col, under_row));
                    let scene_at = |at: usize, origin: i64| {
                        origin as f64 + (at as f64 + 0.5) * window.width as f64 / 37.0
                    };
                    let (x, y) = (scene_at(col, window.col), scene_at(row, window.row));
                    let (x, y) = (x / 1.5, y / 1.5);
                    // Where the center lies on an edge of the coarse grid, both sides are right.
                    if (x - x.round()).abs() > 1e-6 && (y - y.round()).abs() > 1e-6 {
                        let label = coarse.labels[row * 37 + col];
                        assert_eq!(label, class_at(x as usize, y as usize));
                    }
                }
            }
        }
    }
}

#[test]
fn boxes_lie_on_their_objects_at_every_size_and_min_visible_is_a_share_of_the_scenes_box() {
    let folder = tempfile::tempdir().unwrap();
    // In the left half alone: there is room for negatives.
    let objects: Vec<BoundingBox> = (0..15)
        .map(|at| {
            let (col, row) = (f64::from(at % 3), f64::from(at / 3));
            BoundingBox::from_xywh(6.0 + col * 38.0, 5.0 + row * 38.0, 14.0 + col * 4.0, 14.0)
        })
        .collect();
    let image = raster(
        &folder.path().join("marked.tif"),
        Size::new(200, 200),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| {
            let inside = |one: &BoundingBox| one.contains(col as f64 + 0.5, row as f64 + 0.5);
            if objects.iter().any(inside) {
                100.0
            } else {
                7.0
            }
        },
    );
    let mut table = "xmin,ymin,xmax,ymax,label\n".to_owned();
    for one in &objects {
        let line = format!(
            "{},{},{},{},tree\n",
            one.x_min, one.y_min, one.x_max, one.y_max
        );
        table.push_str(&line);
    }
    let labels = folder.path().join("marked.csv");
    std::fs::write(&labels, table).unwrap();
    let scene = Scene::open(image)
        .unwrap()
        .with_boxes(labels, "tree")
        .unwrap();

    let options = sized(150, 48, 20..=100).seed(5).padded().min_valid(0.0);
    let chips = scene.chips(options.clone().min_visible(0.0)).unwrap();
    let (mut inside, mut outside) = (0, 0);
    for chip in all(&chips) {
        let zoom = 48.0 / chip.window.width as f64;
        // How far from a box's edge the filter still looks at its other side, in chip pixels.
        let margin = (1.0_f64.max(1.0 / zoom) + 0.5) * zoom;
        for one in &chip.boxes {
            assert!(one.bounds.is_valid() && one.bounds == one.bounds.clip(48.0, 48.0));
        }
        for pixel in 0..48 * 48 {
            let (x, y) = ((pixel % 48) as f64 + 0.5, (pixel / 48) as f64 + 0.5);
            let Some(value) = chip.patch.value(0, pixel / 48, pixel % 48) else {
                continue;
            };
            let within = |bounds: BoundingBox, grown: f64| {
                x > bounds.x_min - grown
                    && x < bounds.x_max + grown
                    && y > bounds.y_min - grown
                    && y < bounds.y_max + grown
            };
            if chip.boxes.iter().any(|one| within(one.bounds, -margin)) {
                assert!((value - 100.0).abs() < 1e-3, "{value} inside");
                inside += 1;
            } else if !chip.boxes.iter().any(|one| within(one.bounds, margin)) {
                assert!((value - 7.0).abs() < 1e-3, "{value} outside");
                outside += 1;
            }
        }
    }
    assert!(inside > 5000 && outside > 5000, "{inside}, {outside}");

    let (strict, any) = (
        scene
            .chips(options.clone().min_visible(0.6).flips(false))
            .unwrap(),
        scene.chips(options.min_visible(0.0).flips(false)).unwrap(),
    );
    let mut dropped = 0;
    for (strict, any) in all(&strict).iter().zip(all(&any)) {
        assert_eq!(strict.window, any.window);
        assert_eq!(
            strict.boxes.len(),
            scene.boxes_in(&strict.window, 0.6).len()
        );
        dropped += any.boxes.len() - strict.boxes.len();
    }
    assert!(dropped > 20, "{dropped}");

    let negatives = |share| {
        let options = sized(200, 48, 18..=36).seed(2).flips(false);
        let chips = scene
            .chips(options.neg_ratio(share).neg_visible(0.0))
            .unwrap();
        let sizes: BTreeSet<usize> = all(&chips).iter().map(|chip| chip.window.width).collect();
        assert!(sizes.len() > 15, "{sizes:?}");
        let empty = |chip: &Chip| {
            assert!(scene.area().contains(&chip.window));
            let touched = scene.boxes_in(&chip.window, 0.0);
            let whole = scene.boxes_in(&chip.window, 1.0).len();
            // An object longer than the window covers its middle.
            let middle = chip.window.width as f64 / 2.0;
            let covers = |at: &swath::boxes::Annotation| {
                at.bounds.width() >= middle || at.bounds.height() >= middle
            };
            assert!(whole > 0 || touched.is_empty() || touched.iter().any(covers));
            touched.is_empty()
        };
        all(&chips).iter().filter(|chip| empty(chip)).count()
    };
    assert_eq!((negatives(0.0), negatives(1.0)), (0, 200));
    assert!((35..65).contains(&negatives(0.25)), "{}", negatives(0.25));
}

#[test]
fn nodata_and_what_lies_beyond_the_area_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let gap = |col: usize, row: usize| (col / 5 + row / 7).is_multiple_of(4) || col * row % 11 == 3;
    let image = raster(
        &folder.path().join("gaps.tif"),
        Size::new(160, 120),
        1,
        RasterType::U8,
        WriterOptions::default().nodata(0.0),
        |_, col, row| match (gap(col, row), col < 80) {
            (true, _) => 0.0,
            (_, true) => 100.0,
            (_, false) => 200.0,
        },
    );
    let labels = raster(
        &folder.path().join("labels.tif"),
        Size::new(160, 120),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, _, _| 1.0,
    );
    let scene = Scene::open(image)
        .unwrap()
        .with_label_raster(labels, Classes::new(["land"]))
        .unwrap();
    let (left, right) = scene.split(Split::at_column(80));
    for (part, color) in [(&left, 100.0), (&right, 200.0)] {
        for padded in [false, true] {
            let mut options = sized(60, 32, 15..=70).seed(3).min_valid(0.3).flips(false);
            if padded {
                options = options.padded();
            }
            let mut invalid = 0;
            for chip in all(&part.chips(options).unwrap()) {
                let window = chip.window;
                assert!(padded || part.area().contains(&window));
                assert!(part.read(&window).unwrap().valid_fraction() >= 0.3);
                for pixel in 0..32 * 32 {
                    let at =
                        |at: usize, origin: i64| origin + ((2 * at + 1) * window.width / 64) as i64;
                    let (col, row) = (at(pixel % 32, window.col), at(pixel / 32, window.row));
                    let valid =
                        part.area().contains_pixel(col, row) && !gap(col as usize, row as usize);
                    let value = chip.patch.value(0, pixel / 32, pixel % 32);
                    assert_eq!(value.is_some(), valid, "{col}, {row}");
                    assert!(
                        value.is_none_or(|value| (value - color).abs() < 1e-3),
                        "{value:?}"
                    );
                    assert_eq!(chip.labels[pixel], if valid { 1 } else { IGNORE });
                    invalid += usize::from(!valid);
                }
            }
            assert!(invalid > 5000, "{invalid}");
        }
    }
}

#[test]
fn ranges_that_cannot_be_are_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path()).scene().unwrap();
    let refused = |options: ChipOptions| scene.chips(options).unwrap_err();
    let large = refused(sized(10, 64, 30..=701));
    assert!(
        large
            .to_string()
            .starts_with("windows of 701 x 701 px do not fit")
            && large.hint().unwrap().contains("at most 700 px"),
        "{large}"
    );
    assert!(
        scene
            .chips(sized(10, 64, 30..=701).padded())
            .unwrap()
            .get(0)
            .is_ok()
    );
    assert!(scene.chips(sized(10, 701, 30..=64)).unwrap().get(0).is_ok());
    for (options, expected) in [
        (
            sized(10, 64, RangeInclusive::new(200, 150)),
            "the range of window sizes is 200..=150 px, one from a smaller to a larger size is expected",
        ),
        (
            sized(10, 64, 0..=64),
            "the range of window sizes is 0..=64 px, one of sizes above 0 is expected",
        ),
        (
            Chips::random(10, 64).window_meters(-1.0..=5.0),
            "the range of window sizes is -1.0..=5.0 m, one of sizes above 0 is expected",
        ),
        (
            Chips::random(10, 64).window_meters(1.0..=f64::NAN),
            "the range of window sizes is 1.0..=NaN m, one from a smaller to a larger size is expected",
        ),
        (
            Chips::sliding(64).window_sizes(40..=50),
            "the range of window sizes is 40..=50 px for sliding chips, a single size, such as 200..=200, since they lie \
             side by side at one stride, is expected",
        ),
    ] {
        assert_eq!(refused(options).to_string(), expected);
    }
}

#[test]
fn windows_in_meters_sliding_ones_of_one_size_and_what_a_cell_shows() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path()).scene().unwrap();
    let options = Chips::random(20, 64).window_meters(12.0..=27.0);
    let chips = scene.chips(options).unwrap();
    assert_eq!(chips.window_sizes(), 40..=90, "0.3 m a pixel");
    let text = chips.output().text;
    assert!(
        text.starts_with("20 chips of 64 x 64 px from windows of 40 to 90 px (12 to 27 m) of "),
        "{text}"
    );
    // Every 100 pixels, windows of 200: 0, 100, .. 500.
    let sliding = Chips::sliding(256).window_sizes(200..=200);
    let chips = scene.chips(sliding.clone().stride(100)).unwrap();
    assert_eq!((chips.len(), chips.size()), (36, 256));
    assert_eq!(
        chips.get(35).unwrap().window,
        PixelWindow::new(500, 500, 200, 200)
    );
    assert_eq!(chips.get(35).unwrap().patch.size, Size::new(256, 256));
    assert_eq!(
        scene.chips(sliding).unwrap().len(),
        16,
        "side by side by the window's edge"
    );
}

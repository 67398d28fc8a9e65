use std::collections::BTreeMap;

use swath::prelude::*;
use swath::raster::Size;

use super::{row_of_tiles, tile};

fn by_scene(chips: &Chips) -> Vec<usize> {
    let mut counts = vec![0; chips.scenes().len()];
    for index in 0..chips.len() {
        counts[chips.get(index).unwrap().scene] += 1;
    }
    counts
}

/// A collection of one scene gives the chips of that scene, bit for bit.
#[test]
fn one_scene_gives_the_chips_that_it_gives_alone() {
    let scene = samples::town(1, 256).unwrap().scene().unwrap();
    let scenes = Scenes::of([&scene]).unwrap();
    for options in [
        Chips::random(12, 64).seed(5).photometric(0.2),
        Chips::sliding(64).stride(48),
    ] {
        let (alone, together) = (
            scene.chips(&options).unwrap(),
            scenes.chips(&options).unwrap(),
        );
        assert_eq!(alone.len(), together.len());
        for index in 0..alone.len() {
            assert_eq!(
                alone.get_in_epoch(index, 3).unwrap(),
                together.get_in_epoch(index, 3).unwrap()
            );
        }
    }
}

#[test]
fn chips_come_from_every_scene_by_its_area_or_evenly_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let tiles: Vec<_> = [40, 80, 240]
        .into_iter()
        .map(|width| {
            let path = folder.path().join(format!("{width}.tif"));
            tile(
                &path,
                32,
                (width as f64 * 10.0, 0.0),
                Size::new(width, 40),
                1,
                move |_, _, _| width as f32,
            )
        })
        .collect();
    let scenes = Scenes::open(tiles).unwrap();
    let by_area = scenes.chips(Chips::random(360, 16).seed(2)).unwrap();
    let counts = by_scene(&by_area);
    for (count, expected) in counts.iter().zip([40.0, 80.0, 240.0]) {
        assert!((*count as f64 - expected).abs() <= 6.0, "{counts:?}");
    }
    let even = by_scene(
        &scenes
            .chips(Chips::random(360, 16).seed(2).evenly())
            .unwrap(),
    );
    assert!(
        even.iter().all(|&count| count.abs_diff(120) <= 6),
        "{even:?}"
    );
    // A chip shows its own scene.
    for index in 0..20 {
        let chip = by_area.get(index).unwrap();
        assert_eq!(chip.patch.data[0], [40.0, 80.0, 240.0][chip.scene]);
    }
    let epoch = |workers| -> Vec<_> {
        by_area
            .epoch(1, 8, workers)
            .flat_map(Result::unwrap)
            .collect()
    };
    assert!(epoch(1) == epoch(5));
    let other = scenes.chips(Chips::random(360, 16).seed(3)).unwrap();
    assert!(
        (0..20).any(|index| other.get(index).unwrap().scene != by_area.get(index).unwrap().scene)
    );
}

#[test]
fn sliding_chips_cover_every_scene() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = Scenes::open(row_of_tiles(folder.path(), 3, Size::new(50, 20))).unwrap();
    let chips = scenes.chips(Chips::sliding(20)).unwrap();
    assert_eq!((chips.len(), by_scene(&chips)), (9, vec![3, 3, 3]));
    let mut windows = BTreeMap::<usize, Vec<i64>>::new();
    for index in 0..9 {
        let chip = chips.get(index).unwrap();
        windows.entry(chip.scene).or_default().push(chip.window.col);
    }
    assert!(windows.values().all(|columns| *columns == [0, 20, 30]));
    assert!(chips.get(9).is_err());
}

#[test]
fn scenes_without_a_place_for_a_chip_are_counted_and_those_too_small_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut tiles = row_of_tiles(folder.path(), 2, Size::new(60, 60));
    let options = swath::raster::WriterOptions::default().nodata(0.0);
    let blank = folder.path().join("blank.tif");
    crate::support::raster(
        &blank,
        Size::new(60, 60),
        3,
        swath::raster::RasterType::U8,
        options,
        |_, _, _| 0.0,
    );
    tiles.push(blank);
    let scenes = Scenes::open(&tiles).unwrap();
    let chips = scenes.chips(Chips::random(20, 16)).unwrap();
    let counts = by_scene(&chips);
    assert!(counts[2] == 0 && counts[0].abs_diff(10) <= 2, "{counts:?}");
    let report = chips.report().to_string();
    assert!(
        report.contains("1 of 3 scenes give no chip, such as blank: "),
        "{report}"
    );
    let error = scenes.chips(Chips::random(20, 64)).unwrap_err().to_string();
    assert!(error.contains("tile_1.tif"), "{error}");
}

/// 10 m of ground are 20 pixels of half a meter and 10 of a meter: chips of one size show the same ground.
#[test]
fn chips_in_meters_are_of_one_size_on_scenes_of_several_pixel_sizes() {
    let folder = tempfile::tempdir().unwrap();
    let fine = tile(
        &folder.path().join("fine.tif"),
        32,
        (0.0, 0.0),
        Size::new(80, 80),
        1,
        |_, col, _| col as f32,
    );
    let coarse = Scene::open_at(&fine, Resolution::Factor(0.5)).unwrap();
    let scenes = Scenes::of([Scene::open(&fine).unwrap(), coarse]).unwrap();
    let chips = scenes
        .chips(Chips::random_meters(10, 10.0).evenly())
        .unwrap();
    for index in 0..10 {
        let chip = chips.get(index).unwrap();
        assert_eq!(chip.patch.size, Size::new(20, 20));
        assert_eq!(chip.window.width, [20, 10][chip.scene]);
    }
}

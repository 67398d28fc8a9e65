//! Chips: reproducible, exact, complete, and stopped when nobody wants them.

use swath::Hint;
use swath::chips::{Chip, Chips};
use swath::labels::IGNORE;
use swath::raster::{RasterType, Size, WriterOptions};
use swath::scene::{Scene, Split};
use swath::{Result, samples};

use crate::support::raster;

fn town(folder: &std::path::Path) -> Scene {
    samples::town_in(folder, 3, 700).unwrap().scene().unwrap()
}

#[test]
fn chip_i_is_always_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let options = || Chips::random(40, 64).seed(7).photometric(0.2);
    let (once, again) = (
        scene.chips(options()).unwrap(),
        scene.chips(options()).unwrap(),
    );
    let backwards: Vec<Chip> = (0..40)
        .rev()
        .map(|index| again.get(index).unwrap())
        .collect();
    for (index, chip) in backwards.into_iter().rev().enumerate() {
        assert_eq!(once.get(index).unwrap(), chip);
    }
    let other = scene.chips(options().seed(8)).unwrap();
    assert_ne!(once.get(0).unwrap().window, other.get(0).unwrap().window);
    assert_ne!(once.get(0).unwrap().window, once.get(1).unwrap().window);
    assert!(
        once.get(40)
            .unwrap_err()
            .to_string()
            .contains("there are 40")
    );
}

/// Turned and mirrored chips hold the same pixels under the same labels.
#[test]
fn flips_move_labels_with_their_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let flipped = scene.chips(Chips::random(30, 48).seed(1)).unwrap();
    let straight = scene
        .chips(Chips::random(30, 48).seed(1).flips(false))
        .unwrap();
    let mut moved = 0;
    for index in 0..30 {
        let (a, b) = (flipped.get(index).unwrap(), straight.get(index).unwrap());
        assert_eq!(a.window, b.window);
        let pixels = |chip: &Chip| {
            let mut pixels: Vec<_> = (0..48 * 48)
                .map(|pixel| {
                    (
                        chip.labels[pixel],
                        [0, 1, 2].map(|band| chip.patch.band(band)[pixel] as u32),
                    )
                })
                .collect();
            pixels.sort_unstable();
            pixels
        };
        assert_eq!(pixels(&a), pixels(&b));
        moved += usize::from(a.labels != b.labels);
    }
    assert!(moved > 15, "seven of eight placements move something");
}

#[test]
fn an_epoch_has_every_chip_once_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let chips = town(folder.path())
        .chips(Chips::random(50, 32).seed(5))
        .unwrap();
    let run = |epoch, workers| -> Vec<Chip> {
        chips
            .epoch(epoch, 8, workers)
            .collect::<Result<Vec<_>>>()
            .unwrap()
            .into_iter()
            .flatten()
            .collect()
    };
    let (one, many) = (run(0, 1), run(0, 6));
    assert_eq!(one, many);
    assert_eq!(one.len(), 48, "the last batch is not full and left out");
    let windows = |chips: &[Chip]| {
        chips
            .iter()
            .map(|chip| (chip.window.col, chip.window.row))
            .collect::<Vec<_>>()
    };
    assert_ne!(
        windows(&one),
        windows(&run(1, 3)),
        "another epoch has another order"
    );
    let batch = chips.epoch(0, 100, 2).next().unwrap().unwrap();
    assert_eq!(batch.len(), 50, "a batch that is the only one stays");
}

#[test]
fn dropping_a_stream_stops_its_threads() {
    let folder = tempfile::tempdir().unwrap();
    let chips = town(folder.path())
        .chips(Chips::random(100_000, 64))
        .unwrap();
    let started = std::time::Instant::now();
    for _ in 0..3 {
        let mut stream = chips.epoch(0, 4, 3);
        assert_eq!(stream.next().unwrap().unwrap().len(), 4);
    }
    assert!(
        started.elapsed().as_secs() < 20,
        "it did not read all 100,000 chips"
    );
}

#[test]
fn sliding_chips_cover_the_scene() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let chips = scene.chips(Chips::sliding(256)).unwrap();
    assert_eq!(chips.len(), 9);
    assert_eq!(chips.get(8).unwrap().window.right(), 700);
    let padded = scene
        .chips(Chips::sliding(256).padded())
        .unwrap()
        .get(8)
        .unwrap();
    assert_eq!(padded.window.right(), 768);
    assert_eq!(padded.labels[255], IGNORE);
    assert_eq!(padded.patch.value(0, 0, 255), None);
    assert_eq!(
        scene.chips(Chips::sliding_meters(30.0)).unwrap().size(),
        100,
        "30 m at 0.3 m"
    );
}

#[test]
fn options_that_cannot_be_are_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town(folder.path());
    let error = scene.chips(Chips::random(10, 701)).unwrap_err();
    assert!(
        error.to_string().contains("701 x 701") && error.hint().unwrap().contains("700"),
        "{error}"
    );
    assert!(scene.chips(Chips::random(10, 701).padded()).is_ok());
    for options in [
        Chips::random(0, 64),
        Chips::random(4, 0),
        Chips::sliding(64).stride(0),
        Chips::sliding_meters(-1.0),
    ] {
        assert!(scene.chips(options).is_err());
    }
}

#[test]
fn sliding_chips_of_a_part_without_the_area_of_interest_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let town = samples::town_in(folder.path(), 3, 700).unwrap();
    let scene = Scene::open(&town.scene_path).unwrap();
    let world = |col: f64, row: f64| {
        let (x, y) = scene.raster().transform().world_from_pixel((col, row));
        [x, y]
    };
    let ring =
        [(10.0, 10.0), (60.0, 10.0), (60.0, 60.0), (10.0, 10.0)].map(|(col, row)| world(col, row));
    let code = scene
        .raster()
        .crs_name()
        .replace("EPSG:", "urn:ogc:def:crs:EPSG::");
    let aoi = serde_json::json!({
        "type": "FeatureCollection",
        "crs": { "type": "name", "properties": { "name": code } },
        "features": [{
            "type": "Feature", "properties": {}, "geometry": { "type": "Polygon", "coordinates": [ring] },
        }],
    });
    let path = folder.path().join("aoi.geojson");
    std::fs::write(&path, aoi.to_string()).unwrap();
    let (inside, outside) = scene.with_aoi(&path).unwrap().split(Split::columns(0.5));
    assert_eq!(inside.chips(Chips::sliding(100)).unwrap().len(), 1);
    let error = outside.chips(Chips::sliding(100)).unwrap_err();
    assert!(
        error.to_string().contains("area of interest") && error.hint().unwrap().contains("split"),
        "{error}"
    );
}

#[test]
fn an_area_without_labels_or_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let empty = |name: &str, nodata: bool| {
        let options = if nodata {
            WriterOptions::default().nodata(0.0)
        } else {
            WriterOptions::default()
        };
        raster(
            &folder.path().join(name),
            Size::new(200, 200),
            1,
            RasterType::U8,
            options,
            |_, _, _| 0.0,
        )
    };
    let labels = empty("labels.tif", false);
    let scene = Scene::open(empty("scene.tif", false)).unwrap();
    let labeled = scene
        .with_label_raster(labels, swath::labels::Classes::new(["building"]))
        .unwrap();
    // All background is something to learn; chips say that it is all.
    let chips = labeled.chips(Chips::random(10, 64)).unwrap();
    assert!(chips.report().mentions("labeled"), "{}", chips.report());
    // Before a training waits for chips, whatever share is asked for.
    let nodata = Scene::open(empty("nodata.tif", true)).unwrap();
    for (share, wanted) in [(0.5, "50 % valid"), (0.0, "0 % valid")] {
        let error = nodata
            .chips(Chips::random(10, 64).min_valid(share))
            .unwrap_err();
        let hint = error.hint().unwrap();
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(
            hint.contains("nodata") && !hint.contains("min_valid"),
            "{hint}"
        );
    }
    // A file that goes away later: a stream passes the error on.
    let path = empty("gone.tif", false);
    let chips = Scene::open(&path)
        .unwrap()
        .chips(Chips::random(10, 64))
        .unwrap();
    std::fs::write(&path, "no raster").unwrap();
    let error = std::thread::spawn(move || chips.epoch(0, 4, 2).next().unwrap().is_err());
    assert!(error.join().unwrap(), "a stream passes the error on");
}

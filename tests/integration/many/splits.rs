use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use swath::Hint;
use swath::prelude::*;
use swath::raster::Size;

use super::{row_of_tiles, tile};

fn names(scenes: &Scenes) -> BTreeSet<String> {
    scenes.names().map(str::to_owned).collect()
}

/// The rectangle of a tile of [`tile`] in UTM, by its own georeference.
fn rectangle(scene: &Scene) -> [f64; 4] {
    let transform = scene.raster().transform();
    let area = scene.area();
    let (x0, y1) = transform.world_from_pixel((area.col as f64, area.row as f64));
    let (x1, y0) = transform.world_from_pixel((area.right() as f64, area.bottom() as f64));
    [x0, y0, x1, y1]
}

fn share_ground(a: &Scene, b: &Scene) -> bool {
    let (a, b) = (rectangle(a), rectangle(b));
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

/// No place on the ground is on both sides, whatever the tiles, the share and the seed.
#[test]
fn what_overlaps_on_the_ground_is_never_parted() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(4);
    let mut parted = 0;
    for round in 0..25 {
        let count = random.random_range(4..14);
        let tiles: Vec<_> = (0..count)
            .map(|number| {
                let path = folder.path().join(format!("{round}_{number}.tif"));
                let place = (
                    random.random_range(0.0..400.0_f64).round(),
                    random.random_range(0.0..200.0_f64).round(),
                );
                tile(&path, 32, place, Size::new(40, 40), 1, |_, _, _| 1.0)
            })
            .collect();
        let scenes = Scenes::open(tiles).unwrap();
        let split = SceneSplit::random(random.random_range(0.2..0.8)).seed(round);
        let sides = scenes.try_split(&split);
        let folds = scenes.folds(2, &split);
        for (train, valid) in sides.into_iter().chain(folds.into_iter().flatten()) {
            parted += 1;
            assert_eq!(train.len() + valid.len(), scenes.len());
            assert!(names(&train).is_disjoint(&names(&valid)));
            for a in &train {
                for b in &valid {
                    assert!(!share_ground(a, b), "{} and {}", a.name(), b.name());
                }
            }
        }
    }
    assert!(parted > 40, "{parted} splits: the test would prove little");
}

#[test]
fn shares_are_met_and_the_seed_alone_decides() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = Scenes::open(row_of_tiles(folder.path(), 20, Size::new(16, 16))).unwrap();
    let (train, valid) = scenes.split(SceneSplit::random(0.8).seed(7));
    assert_eq!((train.len(), valid.len()), (16, 4));
    assert_eq!(
        names(&scenes.split(SceneSplit::random(0.8).seed(7)).0),
        names(&train)
    );
    assert_ne!(
        names(&scenes.split(SceneSplit::random(0.8).seed(8)).0),
        names(&train)
    );
    for share in [0.0, 1.0, -0.5, f64::NAN, 80.0] {
        assert!(
            scenes
                .try_split(SceneSplit::random(share))
                .unwrap_err()
                .to_string()
                .contains("between 0 and 1")
        );
    }
    let folds = scenes.folds(5, SceneSplit::random(0.5).seed(1)).unwrap();
    let all: Vec<String> = folds.iter().flat_map(|(_, valid)| names(valid)).collect();
    assert_eq!(
        (
            folds.len(),
            all.len(),
            all.iter().collect::<BTreeSet<_>>().len()
        ),
        (5, 20, 20)
    );
    assert!(
        folds
            .iter()
            .all(|(train, valid)| (train.len(), valid.len()) == (16, 4))
    );
    assert!(
        scenes.folds(1, SceneSplit::random(0.5)).is_err()
            && scenes.folds(21, SceneSplit::random(0.5)).is_err()
    );
}

#[test]
fn groups_and_columns_split() {
    let folder = tempfile::tempdir().unwrap();
    row_of_tiles(folder.path(), 8, Size::new(16, 16));
    let rows: String = (1..=8)
        .map(|n| {
            format!(
                "tile_{n}.tif,{},{}\n",
                ["A", "B", "C", "D"][n % 4],
                if n < 7 { "train" } else { "test" }
            )
        })
        .collect();
    let table = folder.path().join("t.csv");
    std::fs::write(&table, format!("image,city,split\n{rows}")).unwrap();
    let scenes = Scenes::table(&table).unwrap();
    let cities = |scenes: &Scenes| -> BTreeSet<String> {
        (0..scenes.len())
            .map(|index| scenes.column(index, "city").unwrap().to_owned())
            .collect()
    };
    let (train, valid) = scenes.split(SceneSplit::random(0.5).by("city"));
    assert_eq!((train.len(), valid.len()), (4, 4));
    assert!(cities(&train).is_disjoint(&cities(&valid)));
    assert!(train.report().to_string().contains("stay together"));
    let parts = scenes.split_column("split").unwrap();
    assert_eq!((parts["train"].len(), parts["test"].len()), (6, 2));
    assert!(
        scenes
            .split_column("x")
            .unwrap_err()
            .to_string()
            .contains("there are city, image, split")
    );
    assert!(scenes.try_split(SceneSplit::random(0.5).by("x")).is_err());
}

/// Tiles of two UTM zones show the same ground; files say nothing of each other.
#[test]
fn scenes_of_two_systems_overlap_by_where_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(100, 100);
    // 12 E lies between zones 32 and 33: 9 + 3 and 15 - 3 degrees, at 45.1 N as far from both middles (rasterio 1.4.4:
    // 12 E, 45.1 N is 736033.996, 4998438.323 in EPSG:32632 and 263966.004, 4998438.323 in EPSG:32633).
    let east = |x: f64| (x - 500_000.0) / 0.5;
    let south = |y: f64| (5_000_000.0 - y) / 0.5;
    let a = tile(
        &folder.path().join("a.tif"),
        32,
        (east(736_034.0), south(4_998_438.3)),
        size,
        1,
        |_, _, _| 1.0,
    );
    let b = tile(
        &folder.path().join("b.tif"),
        33,
        (east(263_966.0), south(4_998_438.3)),
        size,
        1,
        |_, _, _| 1.0,
    );
    let c = tile(
        &folder.path().join("c.tif"),
        33,
        (east(273_966.0), south(4_998_438.3)),
        size,
        1,
        |_, _, _| 1.0,
    );
    let scenes = Scenes::open([a, b, c]).unwrap();
    for seed in 0..6 {
        let (train, valid) = scenes.split(SceneSplit::random(0.6).seed(seed));
        let sides = [names(&train), names(&valid)];
        assert!(
            sides
                .iter()
                .any(|side| side.contains("a") && side.contains("b")),
            "{sides:?}"
        );
    }
    let error = scenes.named("d").unwrap_err().to_string();
    assert!(
        error.contains("no scene has the scene \"d\"; there are a, b, c"),
        "{error}"
    );
}

#[test]
fn parts_of_every_scene_never_overlap_and_overlapping_scenes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = Scenes::open(row_of_tiles(folder.path(), 3, Size::new(40, 20))).unwrap();
    let (train, valid) = scenes.split_area(Split::columns(0.75)).unwrap();
    assert!(
        train.iter().all(|scene| scene.size() == (30, 20))
            && valid.iter().all(|scene| scene.size() == (10, 20))
    );
    let shifted = tile(
        &folder.path().join("x.tif"),
        32,
        (60.0, 0.0),
        Size::new(40, 20),
        3,
        |_, _, _| 1.0,
    );
    let mut all: Vec<Scene> = scenes.iter().cloned().collect();
    all.push(Scene::open(shifted).unwrap());
    let error = Scenes::of(&all)
        .unwrap()
        .split_area(Split::columns(0.75))
        .unwrap_err();
    assert!(
        error.to_string().contains("lies on the second part of"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("SceneSplit::random"));
    // All in one group: nothing can be parted.
    let chain: Vec<_> = (0..4)
        .map(|n| {
            let path = folder.path().join(format!("chain_{n}.tif"));
            tile(
                &path,
                32,
                (n as f64 * 30.0, 900.0),
                Size::new(40, 20),
                1,
                |_, _, _| 1.0,
            )
        })
        .collect();
    let chain = Scenes::open(chain).unwrap();
    let error = chain.try_split(SceneSplit::random(0.5)).unwrap_err();
    assert!(
        error.to_string().contains("4 scenes in 1 groups"),
        "{error}"
    );
    let (train, valid) = chain.split(SceneSplit::random(0.5).allow_overlap());
    assert_eq!((train.len(), valid.len()), (2, 2));
}

/// Tiles with a world file and no system: the same coordinates are taken to be the same place.
#[test]
fn scenes_without_a_system_overlap_by_their_coordinates() {
    let folder = tempfile::tempdir().unwrap();
    let tiles: Vec<_> = [(0, 0.0), (1, 10.0), (2, 500.0)]
        .into_iter()
        .map(|(number, left)| {
            let path = folder.path().join(format!("{number}.png"));
            let image = swath::plot::RgbImage::filled(20, 20, [9, 9, 9]);
            std::fs::write(&path, swath::plot::image::encode_png(&image).unwrap()).unwrap();
            std::fs::write(
                path.with_extension("pgw"),
                format!("1\n0\n0\n-1\n{}\n99.5\n", left + 0.5),
            )
            .unwrap();
            path
        })
        .collect();
    let scenes = Scenes::open(tiles).unwrap();
    for seed in 0..6 {
        let (train, valid) = scenes.split(SceneSplit::random(0.6).seed(seed));
        let sides = [names(&train), names(&valid)];
        assert!(
            sides
                .iter()
                .any(|side| side.contains("0") && side.contains("1")),
            "{sides:?}"
        );
    }
}

/// Scenes without a place are parted unless they are of one file.
#[test]
fn parts_of_one_file_are_known_to_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let path = tile(
        &folder.path().join("a.tif"),
        32,
        (0.0, 0.0),
        Size::new(90, 30),
        1,
        |_, _, _| 1.0,
    );
    let scene = Scene::open(path).unwrap();
    let part = |col| scene.crop(PixelWindow::new(col, 0, 30, 30)).unwrap();
    let scenes = Scenes::of([part(0), part(20), part(60)]).unwrap();
    for seed in 0..5 {
        let (train, valid) = scenes.split(SceneSplit::random(0.6).seed(seed));
        for a in &train {
            assert!(valid.iter().all(|b| !share_ground(a, b)));
        }
    }
}

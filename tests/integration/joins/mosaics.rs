//! Tiles beside each other.

use std::time::{Duration, Instant};

use rayon::prelude::*;
use swath::Hint as _;
use swath::prelude::*;
use swath::raster::{GeoTransform, Size, WriterOptions};

use super::*;

fn text(result: swath::Result<Scene>) -> String {
    let error = result.unwrap_err();
    format!("{error} | {}", error.hint().unwrap_or_default())
}

/// numpy with the pixels of rasterio, later ones over earlier ones where they are valid.
#[test]
fn overlapping_tiles_with_and_without_alpha_are_as_numpy_lays_them_over_each_other() {
    let tiles: Vec<PathBuf> = (0..4).map(|at| file(&format!("tile_{at}.tif"))).collect();
    let mosaic = Raster::mosaic(&tiles).unwrap();
    let facts = &expected()["mosaic"];
    assert_eq!(mosaic.size(), Size::new(18, 18));
    assert_eq!(mosaic.band_names(), ["red", "green", "blue"]);
    let patch = whole(&mosaic);
    let valid: Vec<f64> = patch.valid.iter().map(|&one| f64::from(one)).collect();
    // A transparent pixel leaves what lies below it.
    assert_eq!(valid, floats(&facts["valid"]));
    let values: Vec<f64> = patch.data.iter().map(|&one| f64::from(one)).collect();
    let wrong = values
        .iter()
        .zip(floats(&facts["values"]))
        .filter(|(a, b)| **a != *b)
        .count();
    assert_eq!(wrong, 0);
    // By a pattern, in another order, and from a folder.
    let pattern = file("tile_0.tif").with_file_name("tile_*.tif");
    assert_eq!(whole(&Raster::mosaic(&pattern).unwrap()), patch);
    let turned: Vec<&PathBuf> = tiles.iter().rev().collect();
    assert_ne!(whole(&Raster::mosaic(turned).unwrap()), patch);
    let scene = Scene::mosaic(&tiles).unwrap();
    assert_eq!(scene.name(), "tile");
    assert_eq!(scene.statistics().unwrap().len(), 3);
}

#[test]
fn later_tiles_lie_over_earlier_ones_and_gaps_are_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, east: f64, south: f64, values: &[f32]| {
        tile(&folder.path().join(name), (east, south), values)
    };
    let tiles = [
        at("t_1.tif", 0.0, 0.0, &[1.0]),
        at("t_2.tif", 8.0, 0.0, &[2.0]),
        at("t_10.tif", 0.0, 15.0, &[3.0]),
    ];
    let mosaic = Raster::mosaic(&tiles).unwrap();
    assert_eq!(mosaic.size(), Size::new(18, 25));
    let patch = whole(&mosaic);
    let value = |row: usize, col: usize| patch.value(0, row, col);
    assert_eq!(
        (value(0, 7), value(0, 8), value(0, 17)),
        (Some(1.0), Some(2.0), Some(2.0))
    );
    assert_eq!(
        (value(12, 3), value(15, 3), value(20, 12)),
        (None, Some(3.0), None)
    );
    assert!(mosaic.report().mentions("with gaps between them"));
    assert!(mosaic.can_be_invalid());
    // 2 comes before 10 in a pattern; so 10 would lie over 2.
    let names = Raster::mosaic(folder.path().join("t_*.tif"))
        .unwrap()
        .paths();
    assert!(names[2].ends_with("t_10.tif"), "{names:?}");
    // Only what a window touches is read: a tile that is gone is not missed elsewhere.
    std::fs::remove_file(&tiles[2]).unwrap();
    let mosaic_of_two = Raster::mosaic(&tiles[..2]).unwrap();
    assert_eq!(whole(&mosaic_of_two).valid_fraction(), 1.0);
    assert!(!mosaic_of_two.can_be_invalid());
    let other = std::thread::scope(|scope| {
        let read = || {
            mosaic
                .read(&PixelWindow::new(0, 0, 18, 10))
                .unwrap()
                .valid_fraction()
        };
        scope.spawn(read).join().unwrap()
    });
    assert_eq!(other, 1.0);
    // What lies above and to the left of the first tile.
    let before = at("t_0.tif", -10.0, -5.0, &[9.0]);
    let mosaic = Raster::mosaic([&tiles[0], &before]).unwrap();
    assert_eq!(mosaic.size(), Size::new(20, 15));
    assert_eq!(whole(&mosaic).value(0, 0, 0), Some(9.0));
    assert_eq!(mosaic.transform().0[0], 499_990.0);
    assert_eq!(mosaic.transform().0[3], 5_000_005.0);
}

/// Nodata, types and pixel sizes of each tile.
#[test]
fn tiles_keep_their_nodata_and_come_to_one_grid() {
    let folder = tempfile::tempdir().unwrap();
    let base = tile(&folder.path().join("a.tif"), (0.0, 0.0), &[5.0]);
    let grid = |x: f64, pixel: f64| GeoTransform::north_up(500_000.0 + x, 5_000_000.0, pixel);
    let empty = plain(
        &folder.path().join("b.tif"),
        (10, 10),
        grid(5.0, 1.0),
        crate::support::CRS,
        &[0.0],
        WriterOptions::default().nodata(0.0),
    );
    let coarse = plain(
        &folder.path().join("c.tif"),
        (5, 5),
        grid(10.0, 2.0),
        crate::support::CRS,
        &[7.0],
        WriterOptions::default(),
    );
    let mosaic = Raster::mosaic([&base, &empty, &coarse]).unwrap();
    assert_eq!(mosaic.size(), Size::new(20, 10));
    let patch = whole(&mosaic);
    assert_eq!(
        (patch.value(0, 0, 7), patch.value(0, 0, 12)),
        (Some(5.0), Some(7.0))
    );
    let report = mosaic.report();
    assert!(
        report.mentions("1 of 3 tiles have other pixels"),
        "{report}"
    );
    // Another system: the values of GDAL's warper are those of the stacks' test; here what is said.
    let degrees = plain(
        &folder.path().join("d.tif"),
        (20, 20),
        GeoTransform::north_up(9.0, 45.1540, 0.00001),
        "EPSG:4326",
        &[8.0],
        WriterOptions::default(),
    );
    let mosaic = Raster::mosaic([&base, &degrees]).unwrap();
    assert!(
        mosaic
            .report()
            .mentions("another coordinate reference system"),
        "{}",
        mosaic.report()
    );
    let seen = whole(&mosaic);
    assert!(seen.data.contains(&8.0) && seen.data.contains(&5.0));
}

#[test]
fn tiles_without_a_place_lie_where_their_names_say() {
    let folder = tempfile::tempdir().unwrap();
    let png = |name: &str, value: u8| bare(&folder.path().join(name), (4, 3), &[value]);
    png("plain/tile_0_0.png", 1);
    png("plain/tile_0_1.png", 2);
    png("plain/tile_2_1.png", 3);
    let scene = Scene::mosaic(folder.path().join("plain/*.png")).unwrap();
    assert_eq!(scene.size(), (8, 9));
    let patch = scene.read(&scene.area()).unwrap();
    let values = [
        patch.value(0, 0, 0),
        patch.value(0, 0, 4),
        patch.value(0, 8, 7),
        patch.value(0, 4, 0),
    ];
    assert_eq!(values, [Some(1.0), Some(2.0), Some(3.0), None]);
    let report = scene.report();
    assert!(
        report.mentions("the first number in a name is the row"),
        "{report}"
    );
    assert!(report.mentions("columns_first"), "{report}");
    let columns = Mosaic::new(folder.path().join("plain")).columns_first();
    assert_eq!(Scene::mosaic_with(columns).unwrap().size(), (12, 6));
    // World files give each a place.
    for (name, x, y) in [
        ("tile_0_0", 100.0, 50.0),
        ("tile_0_1", 104.0, 50.0),
        ("tile_2_1", 104.0, 47.0),
    ] {
        let path = folder.path().join(format!("plain/{name}.pgw"));
        std::fs::write(path, format!("1\n0\n0\n-1\n{}\n{}\n", x + 0.5, y - 0.5)).unwrap();
    }
    let scene = Scene::mosaic(folder.path().join("plain/*.png")).unwrap();
    assert_eq!(scene.size(), (8, 6));
    assert_eq!(
        scene.raster().transform().0,
        [100.0, 1.0, 0.0, 50.0, 0.0, -1.0]
    );
    // z/x/y: mercantile.bounds(17602, 10749, 15) begins at longitude 13.3813..., latitude 52.5..., as its formula says.
    for (x, y) in [(17_602, 10_749), (17_603, 10_749), (17_603, 10_750)] {
        bare(
            &folder.path().join(format!("map/15/{x}/{y}.png")),
            (4, 4),
            &[7, 8, 9],
        );
    }
    let scene = Scene::mosaic(folder.path().join("map/**/*.png")).unwrap();
    assert_eq!(scene.size(), (8, 8));
    assert_eq!(scene.raster().crs_name(), "EPSG:3857");
    assert_eq!(scene.read(&scene.area()).unwrap().valid_fraction(), 0.75);
    let longitude = |x: f64| x / 20_037_508.342_789_244 * 180.0;
    let west = longitude(scene.raster().transform().0[0]);
    assert!(
        (west - (17_602.0 / 32_768.0 * 360.0 - 180.0)).abs() < 1e-9,
        "{west}"
    );
    assert!(scene.report().mentions("z/x/y (zoom 15)"));
}

#[test]
fn tiles_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let one = tile(&at("one.tif"), (0.0, 0.0), &[1.0]);
    let three = tile(&at("three.tif"), (10.0, 0.0), &[1.0, 2.0, 3.0]);
    let image = bare(&at("image.png"), (10, 10), &[1]);
    std::fs::write(at("broken.tif"), "II*\0 no raster").unwrap();
    let found = text(Scene::mosaic([&one, &three]));
    assert!(
        found.contains("3 bands") && found.contains("1 band ") && found.contains("three.tif"),
        "{found}"
    );
    let found = text(Scene::mosaic([&one, &image]));
    assert!(found.contains("1 of the 2 files have no place"), "{found}");
    let found = text(Scene::mosaic([&image]));
    assert!(
        found.contains("two numbers are expected") && found.contains("tile_3_7.png"),
        "{found}"
    );
    let found = text(Scene::mosaic(at("*.jp2")));
    assert!(found.contains("no raster to make a mosaic of"), "{found}");
    let found = text(Scene::mosaic([at("gone.tif")]));
    assert!(found.contains("no such raster"), "{found}");
    let found = text(Scene::mosaic(Vec::<&str>::new()));
    assert!(found.contains("a mosaic of no files"), "{found}");
    let found = text(Scene::mosaic([at("broken.tif")]));
    assert!(
        found.contains("none of the 1 tiles can be opened"),
        "{found}"
    );
    // One of several that is broken leaves a gap.
    let scene = Scene::mosaic([&one, &at("broken.tif")]).unwrap();
    assert!(
        scene.report().mentions("1 of 2 tiles cannot be opened"),
        "{}",
        scene.report()
    );
    // Bands of the same names in another order.
    let rgb = ["red", "green", "blue"];
    let named = |name: &str, east: f64, order: [usize; 3]| {
        let names = order.map(|at| rgb[at]);
        let values = order.map(|at| at as f32 + 1.0);
        let grid = GeoTransform::north_up(500_000.0 + east, 5_000_000.0, 1.0);
        let options = WriterOptions::default().band_names(&names);
        plain(
            &at(name),
            (10, 10),
            grid,
            crate::support::CRS,
            &values,
            options,
        )
    };
    let mosaic = Raster::mosaic([
        named("rgb.tif", 0.0, [0, 1, 2]),
        named("bgr.tif", 10.0, [2, 1, 0]),
    ])
    .unwrap();
    assert_eq!(whole(&mosaic).band(0)[5..15], [1.0; 10]);
    // A folder opened as a scene names the way.
    let found = text(Scene::open(folder.path()));
    assert!(found.contains("Scene::mosaic"), "{found}");
}

/// A thousand tiles: opened in seconds, and a window reads the tiles that it touches.
#[test]
fn a_thousand_tiles_open_in_seconds() {
    let folder = tempfile::tempdir().unwrap();
    (0..1000).into_par_iter().for_each(|at| {
        let (row, col) = (at / 40, at % 40);
        let path = folder.path().join(format!("t_{row}_{col}.tif"));
        tile(
            &path,
            (f64::from(col) * 10.0, f64::from(row) * 10.0),
            &[(at % 250) as f32],
        );
    });
    let start = Instant::now();
    let scene = Scene::mosaic(folder.path()).unwrap();
    let opened = start.elapsed();
    assert_eq!(scene.size(), (400, 250));
    let start = Instant::now();
    let patch = scene.read(&PixelWindow::new(395, 245, 5, 5)).unwrap();
    assert_eq!(patch.band(0), [249.0; 25].map(|_| (999 % 250) as f32));
    let read = start.elapsed();
    let start = Instant::now();
    let small = scene
        .raster()
        .read_scaled(&scene.area(), Size::new(200, 125))
        .unwrap();
    assert_eq!(small.valid_fraction(), 1.0);
    assert_eq!(small.value(0, 0, 5), Some(1.0));
    println!(
        "opened {opened:?}, a window {read:?}, a picture {:?}",
        start.elapsed()
    );
    assert!(opened < Duration::from_secs(20), "{opened:?}");
    assert_eq!(scene.statistics().unwrap()[0].count, 100_000);
    let _ = scene.report();
    // Open files stay few: GDAL keeps those of the last tiles.
    let open = std::fs::read_dir("/proc/self/fd").unwrap().filter(|entry| {
        let target = entry
            .as_ref()
            .ok()
            .and_then(|entry| std::fs::read_link(entry.path()).ok());
        target.is_some_and(|target| target.starts_with(folder.path()))
    });
    assert!(open.count() < 400);
}

/// Files of one place that lie over each other are no tiles: which of them is seen, and what takes all, is said.
#[test]
fn bands_and_dates_of_one_place_are_told_from_tiles() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, east: f64| tile(&folder.path().join(name), (east, 0.0), &[1.0]);
    let said = |files: &[PathBuf]| {
        let mosaic = Raster::mosaic(files).unwrap();
        let notices = mosaic.report().iter();
        notices.map(ToString::to_string).collect::<String>()
    };
    // The same pixels three times: the bands of a product.
    let bands = ["B02.tif", "B03.tif", "B04.tif"].map(|name| at(name, 0.0));
    let text = said(&bands);
    assert!(
        text.contains("2 of 3 tiles cover the same pixels") && text.contains("Scene::stack"),
        "{text}"
    );
    // Dates, on the same pixels and three pixels apart.
    let april = at("x_2023-04-15.tif", 0.0);
    for east in [0.0, 3.0] {
        let june = at(&format!("x_20230604_{east}.tif"), east);
        let text = said(&[april.clone(), june]);
        assert!(
            text.contains("of several dates") && text.contains("Scene::series"),
            "{text}"
        );
    }
    // Tiles of two dates beside each other, with a seam, are tiles; so are those of one date that share a seam.
    let beside = at("y_20230604.tif", 8.0);
    assert_eq!(said(&[april.clone(), beside]), "");
    let same_day = at("z_20230415.tif", 2.0);
    assert_eq!(said(&[april, same_day]), "");
}

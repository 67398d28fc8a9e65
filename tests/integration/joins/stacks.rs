//! Bands of several files on one grid.

use std::collections::BTreeSet;

use swath::Hint as _;
use swath::prelude::*;
use swath::raster::{GeoTransform, JoinError, RasterError, Size, WriterOptions};

use super::*;

fn error(result: swath::Result<Scene>) -> (String, String) {
    let error = result.unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

/// Compares the second band of a stack on the grid of the first with what GDAL's warper makes of it.
fn as_gdal(
    name: &str,
    other: StackPart,
    tolerance: f64,
    misses: usize,
    inside: impl Fn(usize, usize) -> bool,
) {
    let stack = Raster::stack([StackPart::new(file(RED)), other]).unwrap();
    let (values, valid) = band(&stack, 1);
    let facts = &expected()["stacks"][name];
    let (wanted, wanted_valid) = (floats(&facts["values"]), floats(&facts["valid"]));
    let (mut compared, mut wrong) = (0, Vec::new());
    for at in 0..values.len() {
        let (col, row) = (at % 24, at / 24);
        if !inside(col, row) {
            continue;
        }
        compared += 1;
        let same_validity = f64::from(valid[at]) == wanted_valid[at];
        // Where another band is missing, the pixel is handed out as 0.
        let shown = whole(&stack).valid[at] != 0;
        if !same_validity
            || shown && valid[at] != 0 && (f64::from(values[at]) - wanted[at]).abs() > tolerance
        {
            wrong.push((col, row, values[at], wanted[at], valid[at]));
        }
    }
    assert!(
        compared > 90 && wrong.len() <= misses,
        "{name}: {} of {compared}: {wrong:?}",
        wrong.len()
    );
}

#[test]
fn values_on_another_grid_are_those_of_gdal() {
    let all = |_: usize, _: usize| true;
    as_gdal("bilinear", StackPart::new(file(SWIR)), 0.0, 0, all);
    as_gdal(
        "nearest",
        StackPart::new(file(SWIR)).resampling(Resampling::Nearest),
        0.0,
        0,
        all,
    );
    // GDAL gives pixels that touch the edge from outside a value as well.
    let covered = |col: usize, row: usize| (4..16).contains(&col) && (6..16).contains(&row);
    as_gdal(
        "average",
        StackPart::new(file("fine_2m.tif")),
        1e-5,
        0,
        covered,
    );
    as_gdal("aside", StackPart::new(file("aside.tif")), 0.0, 0, all);
    as_gdal("degrees", StackPart::new(file("degrees.tif")), 0.02, 0, all);
    // A center that lies on the edge of a rotated pixel may fall to either side.
    as_gdal(
        "turned",
        StackPart::new(file("turned.tif")).resampling(Resampling::Nearest),
        0.0,
        2,
        all,
    );
}

#[test]
fn bands_have_names_roles_types_and_holes_of_their_own() {
    let scene = Scene::stack([file(RED), file(NIR), file(SWIR)]).unwrap();
    let raster = scene.raster();
    assert_eq!(raster.band_names(), ["B04", "B08", "B11"]);
    let roles: Vec<_> = raster.bands().iter().map(|band| band.role).collect();
    assert_eq!(
        roles,
        [
            Some(BandRole::Red),
            Some(BandRole::NearInfrared),
            Some(BandRole::ShortWaveInfrared)
        ]
    );
    assert_eq!(scene.size(), (24, 20));
    assert_eq!(scene.name(), "T33UUP_20220612T101559");
    assert_eq!(raster.paths().len(), 3);
    assert_eq!(raster.crs_name(), "EPSG:32633");
    // A pixel is valid where every file has one: numpy over the three validities of rasterio.
    let patch = whole(raster);
    let red = Raster::open(file(RED)).unwrap();
    let nir = Raster::open(file(NIR)).unwrap();
    let wanted = floats(&expected()["stacks"]["bilinear"]["valid"]);
    let (red, nir) = (whole(&red), whole(&nir));
    for (at, &valid) in patch.valid.iter().enumerate() {
        let all = red.valid[at] != 0 && nir.valid[at] != 0 && wanted[at] != 0.0;
        assert_eq!(valid != 0, all, "pixel {at}");
    }
    // Statistics of a band are those of its own valid pixels.
    let facts = &expected()["bands"]["red"];
    let statistics = scene.statistics().unwrap();
    assert!((statistics[0].mean - facts["mean"].as_f64().unwrap()).abs() < 1e-9);
    assert!((statistics[0].std - facts["std"].as_f64().unwrap()).abs() < 1e-9);
    assert!(raster.can_be_invalid());
    let report = scene.report();
    assert!(report.mentions("bilinear"), "{report}");
    // Windows and pictures of any size agree with the whole.
    let part = raster.read(&PixelWindow::new(-2, 5, 9, 7)).unwrap();
    assert_eq!(part.value(2, 3, 5), patch.value(2, 8, 3));
    assert_eq!(part.value(0, 0, 0), None);
    let small = raster
        .read_scaled(&raster.full(), Size::new(12, 10))
        .unwrap();
    assert!(small.valid_fraction() > 0.9);
    let large = raster
        .read_scaled(&raster.full(), Size::new(48, 40))
        .unwrap();
    assert_eq!(large.value(2, 17, 7), patch.value(2, 8, 3));
}

#[test]
fn the_grid_is_chosen() {
    let files = [
        ("red", file(RED)),
        ("swir", file(SWIR)),
        ("fine", file("fine_2m.tif")),
    ];
    let of = |stack: Stack| {
        let raster = stack.open().unwrap();
        (raster.size(), raster.transform().0)
    };
    let corner = |x: f64, y: f64, pixel: f64| [x, pixel, 0.0, y, 0.0, -pixel];
    let (x, y) = (500_000.0, 5_000_000.0);
    let stack = Stack::new(files.clone());
    assert_eq!(of(stack.clone()), (Size::new(24, 20), corner(x, y, 10.0)));
    let coarse = stack.clone().grid(StackGrid::Of("swir".into()));
    assert_eq!(of(coarse.clone()), (Size::new(12, 10), corner(x, y, 20.0)));
    let by_band = Stack::new([file(RED), file(SWIR)]).grid(StackGrid::Of("B11".into()));
    assert_eq!(of(by_band).0, Size::new(12, 10));
    let finest = stack.clone().grid(StackGrid::Finest);
    assert_eq!(
        of(finest.clone()),
        (Size::new(60, 50), corner(x + 40.0, y - 60.0, 2.0))
    );
    let union = finest.clone().extent(StackExtent::Union);
    assert_eq!(of(union), (Size::new(120, 100), corner(x, y, 2.0)));
    let shared = stack.clone().extent(StackExtent::Intersection);
    assert_eq!(
        of(shared),
        (Size::new(12, 10), corner(x + 40.0, y - 60.0, 10.0))
    );
    let pixel = stack.clone().pixel_size(Resolution::Meters(5.0));
    assert_eq!(of(pixel), (Size::new(48, 40), corner(x, y, 5.0)));
    // Averages of whole pixels: numpy's mean of blocks of 2 x 2, rounded as GDAL does.
    let stack = coarse.open().unwrap();
    let red = whole(&Raster::open(file(RED)).unwrap());
    let (values, _) = band(&stack, 0);
    let block: f32 = [(0, 0), (0, 1), (1, 0), (1, 1)]
        .iter()
        .map(|&(row, col)| red.value(0, 2 + row, 18 + col).unwrap())
        .sum();
    // Row 1, column 9 of the coarse grid; the other files cover it only in part.
    let only =
        Stack::new([("red", file(RED)), ("swir", file(SWIR))]).grid(StackGrid::Of("swir".into()));
    assert_eq!(
        whole(&only.open().unwrap()).value(0, 1, 9),
        Some((block / 4.0).round())
    );
    assert_eq!(values.len(), 120);
    let unknown = Stack::new(files)
        .grid(StackGrid::Of("swirr".into()))
        .open()
        .unwrap_err();
    assert!(
        unknown.hint().unwrap().contains("was swir meant"),
        "{unknown}"
    );
}

#[test]
fn several_bands_a_file_other_names_and_south_up() {
    let folder = tempfile::tempdir().unwrap();
    let rgb = tile(&folder.path().join("rgb.tif"), (0.0, 0.0), &[1.0, 2.0, 3.0]);
    let names = |raster: &Raster| raster.band_names();
    let stack = Raster::stack([("a", &rgb), ("b", &rgb)]).unwrap();
    assert_eq!(
        names(&stack),
        ["a_red", "a_green", "a_blue", "b_red", "b_green", "b_blue"]
    );
    let stack = Raster::stack([&rgb, &rgb]).unwrap();
    let unique: BTreeSet<String> = names(&stack).into_iter().collect();
    assert_eq!(unique.len(), 6, "{unique:?}");
    assert!(stack.report().mentions("have one name"));
    let options = OpenOptions::new().bands([2, 0]).nodata(3.0);
    let stack = Raster::stack([
        StackPart::new(&rgb).options(options),
        StackPart::new(&rgb).named("all"),
    ])
    .unwrap();
    assert_eq!(whole(&stack).band(1)[0], 1.0);
    assert_eq!(names(&stack)[..3], ["blue", "red", "all_red"]);
    let (blue, valid) = band(&stack, 0);
    assert_eq!((blue[0], valid[0]), (3.0, 0));
    // Rows from the south are the same ground; the pixels are the same, turned.
    let stack = Raster::stack([file(RED), file("south_up.tif")]).unwrap();
    let (_, valid) = band(&stack, 1);
    assert!(valid.iter().all(|&one| one == 1));
    assert_eq!(whole(&stack).value(1, 0, 0), Some(100.0));
    assert_eq!(whole(&stack).value(1, 19, 23), Some(579.0));
}

#[test]
fn odd_paths_are_paths() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a b&<c>'d\" 100%20 ü#é");
    let files: Vec<_> = [
        "x & y.tif",
        "50%.tif",
        "it's \"q\".tif",
        "größe (1).tif",
        "a;b,c.tif",
    ]
    .iter()
    .enumerate()
    .map(|(at, name)| tile(&odd.join(name), (0.0, 0.0), &[at as f32 + 1.0]))
    .collect();
    let scene = Scene::stack(&files).unwrap();
    let patch = scene.read(&scene.area()).unwrap();
    let values: Vec<f32> = (0..5).map(|band| patch.band(band)[0]).collect();
    assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0]);
    // Every thread opens its own handles.
    let read = |scene: &Scene| scene.read(&scene.area()).unwrap().band(4)[7];
    let other = std::thread::scope(|scope| scope.spawn(|| read(&scene)).join().unwrap());
    assert_eq!(other, 5.0);
    assert_eq!(scene.statistics().unwrap()[2].mean, 3.0);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = tile(&folder.path().join("here.tif"), (0.0, 0.0), &[1.0]);
    let far = tile(&folder.path().join("far.tif"), (5_000.0, 0.0), &[1.0]);
    let image = bare(&folder.path().join("image.png"), (10, 10), &[1]);
    let small = bare(&folder.path().join("small.png"), (5, 5), &[1]);
    let other = bare(&folder.path().join("other.png"), (10, 10), &[2]);
    let (text, hint) = error(Scene::stack([&here, &folder.path().join("gone.tif")]));
    assert!(text.contains("gone.tif") && !hint.is_empty(), "{text}");
    let (text, _) = error(Scene::stack([&here, &far]));
    assert!(
        text.contains("far.tif") && text.contains("x 505000") && text.contains("here.tif"),
        "{text}"
    );
    let shared = Stack::new([&here, &far]).extent(StackExtent::Intersection);
    assert!(matches!(
        shared.open().unwrap_err(),
        swath::Error::Raster(RasterError::Join(JoinError::NoCommonGround))
    ));
    let (text, hint) = error(Scene::stack([&here, &image]));
    assert!(
        text.contains("1 of the 2 files have no place") && hint.contains("world file"),
        "{text}"
    );
    let (text, _) = error(Scene::stack([&image, &small]));
    assert!(text.contains("10 x 10 px and 5 x 5 px"), "{text}");
    let (text, _) = error(Scene::stack(Vec::<&str>::new()));
    assert!(text.contains("of no files"), "{text}");
    // Images without a place, of one size.
    let scene = Scene::stack([&image, &other]).unwrap();
    assert!(scene.report().mentions("stacked pixel by pixel"));
    assert_eq!(scene.raster().band_names(), ["image", "other"]);
    // Union of far files: most of it is covered by one only.
    let union = Stack::new([&here, &far])
        .extent(StackExtent::Union)
        .open()
        .unwrap();
    assert_eq!(union.size(), Size::new(5010, 10));
    assert_eq!(whole(&union).valid_fraction(), 0.0);
    assert!(
        union.report().mentions("it covers 0.2 % of the stack"),
        "{}",
        union.report()
    );
}

/// The Earth is round: neighbors on both sides of 180 degrees, and a stack over it.
#[test]
fn the_antimeridian_is_no_edge() {
    let folder = tempfile::tempdir().unwrap();
    let west = plain(
        &folder.path().join("west.tif"),
        (10, 10),
        GeoTransform::north_up(179.0, 1.0, 0.1),
        "EPSG:4326",
        &[1.0],
        WriterOptions::default(),
    );
    let east = plain(
        &folder.path().join("east.tif"),
        (10, 10),
        GeoTransform::north_up(-180.0, 1.0, 0.1),
        "EPSG:4326",
        &[2.0],
        WriterOptions::default(),
    );
    let mosaic = Raster::mosaic([&west, &east]).unwrap();
    assert_eq!(mosaic.size(), Size::new(20, 10));
    assert_eq!(whole(&mosaic).band(0)[8..12], [1.0, 1.0, 2.0, 2.0]);
    let stack = Stack::new([&west, &east])
        .extent(StackExtent::Union)
        .open()
        .unwrap();
    assert_eq!(stack.size(), Size::new(20, 10));
}

#[test]
fn types_complex_numbers_palettes_and_control_points() {
    // Amplitudes, as in a file of its own.
    let slc = crate::support::case("f33-complex/slc.tif");
    let alone = Raster::open(&slc).unwrap();
    let stack = Raster::stack([("vv", &slc)]).unwrap();
    assert_eq!(whole(&stack), whole(&alone));
    assert!(stack.report().mentions("amplitude"));
    // A palette is colors in a scene and numbers in a raster, which are not mixed.
    let scan = crate::support::case("f33-palette-2/scan.tif");
    assert_eq!(Scene::stack([&scan]).unwrap().band_count(), 3);
    assert_eq!(Raster::stack([&scan]).unwrap().band_count(), 1);
    // Different types.
    let stack = Raster::stack([file(RED), file("fine_2m.tif"), file("aside.tif")]).unwrap();
    assert!(
        stack
            .report()
            .mentions("different types (Byte, Float32, UInt16)"),
        "{}",
        stack.report()
    );
    assert_eq!(stack.data_type().as_str(), "Float32");
}

/// Labels, chips, a crop and statistics of a stack, as of a file.
#[test]
fn a_stack_is_a_scene_like_any_other() {
    let scene = Scene::stack([file(RED), file(NIR), file(SWIR)]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let labels = folder.path().join("field.geojson");
    let ring = "[[14.9999,45.1538],[15.0015,45.1538],[15.0015,45.1532],[14.9999,45.1532],[14.9999,45.1538]]";
    std::fs::write(
        &labels,
        format!(
            "{{\"type\":\"FeatureCollection\",\"features\":[{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":\
             {{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}}}]}}"
        ),
    )
    .unwrap();
    let scene = scene.with_labels(&labels, "field").unwrap();
    let counts = crate::support::label_counts(&scene);
    assert!(
        counts[&1] > 20 && counts[&swath::labels::IGNORE] > 10,
        "{counts:?}"
    );
    let chips = scene.chips(Chips::sliding(8)).unwrap();
    let chip = chips.get(0).unwrap();
    assert_eq!(chip.patch.data.len(), 3 * 64);
    let part = scene.crop(PixelWindow::new(4, 4, 8, 8)).unwrap();
    assert_eq!(part.statistics().unwrap().len(), 3);
    assert!(scene.show_bands([1, 0, 2]).is_ok());
}

#[test]
fn a_file_that_changes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let one = tile(&folder.path().join("one.tif"), (0.0, 0.0), &[1.0]);
    let two = tile(&folder.path().join("two.tif"), (0.0, 0.0), &[2.0]);
    let stack = Raster::stack([&one, &two]).unwrap();
    assert_eq!(stack.statistics().unwrap()[1].mean, 2.0);
    std::fs::remove_file(&two).unwrap();
    tile(&folder.path().join("two.tif"), (0.0, 0.0), &[5.0]);
    let error = stack.read(&stack.full()).unwrap_err().to_string();
    assert!(
        error.contains("two.tif") && error.contains("changed"),
        "{error}"
    );
    // What was remembered is not that of the new file.
    assert_eq!(
        Raster::stack([&one, &two]).unwrap().statistics().unwrap()[1].mean,
        5.0
    );
}

/// Whatever window is read, a pixel has one value, to the thousandth of a pixel that places are worked out to between
/// systems; and a picture's pixels are near the average.
#[test]
fn windows_of_resampled_files_agree_with_the_whole() {
    let files = [
        RED,
        SWIR,
        "fine_2m.tif",
        "aside.tif",
        "degrees.tif",
        "turned.tif",
        "south_up.tif",
    ];
    let stack = Raster::stack(files.map(file)).unwrap();
    let all = whole(&stack);
    let each = stack.valid_by_band(&stack.full()).unwrap();
    for (col, row, width, height) in [
        (0, 0, 1, 1),
        (5, 7, 3, 2),
        (-4, -3, 9, 40),
        (23, 19, 5, 5),
        (9, 0, 2, 20),
        (11, 6, 13, 1),
    ] {
        let window = PixelWindow::new(col, row, width, height);
        let (part, valid) = (
            stack.read(&window).unwrap(),
            stack.valid_by_band(&window).unwrap(),
        );
        for at in 0..window.area() {
            let (x, y) = (col + (at % width) as i64, row + (at / width) as i64);
            let inside = stack.full().contains_pixel(x, y);
            for (band, name) in files.into_iter().enumerate() {
                let own = band * window.area() + at;
                if inside {
                    let of_all = band * 480 + y as usize * 24 + x as usize;
                    let tolerance = if name == "degrees.tif" { 0.01 } else { 0.0 };
                    let apart = (part.data[own] - all.data[of_all]).abs();
                    assert!(apart <= tolerance, "{window}: band {band} at {x}, {y}");
                    assert_eq!(
                        valid[own], each[of_all],
                        "{window}: band {band} at {x}, {y}"
                    );
                } else {
                    assert_eq!((part.data[own], valid[own]), (0.0, 0));
                }
            }
        }
    }
    let degrees = Raster::stack([RED, "degrees.tif"].map(file)).unwrap();
    let small = degrees
        .read_scaled(&degrees.full(), Size::new(6, 5))
        .unwrap();
    let middle = whole(&degrees);
    let mean: f32 = (8..12)
        .flat_map(|row| (8..12).map(move |col| (row, col)))
        .map(|(row, col)| middle.data[480 + row * 24 + col])
        .sum::<f32>()
        / 16.0;
    let found = small.value(1, 2, 2).unwrap();
    assert!((found - mean).abs() < 4.0, "{found} {mean}");
}

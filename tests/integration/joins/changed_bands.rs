//! Indices, expressions and scales, in chips, statistics and saved models.

use swath::Hint as _;
use swath::prelude::*;
use swath::raster::{DataType, Size, WriterOptions};

use super::*;

fn two() -> Scene {
    Scene::stack([file(RED), file(NIR)]).unwrap()
}

#[track_caller]
fn near(raster: &Raster, at: usize, name: &str) {
    let facts = &expected()["bands"][name];
    let (wanted, wanted_valid) = (floats(&facts["values"]), floats(&facts["valid"]));
    let area = raster.size().area();
    let valid = raster.valid_by_band(&raster.full()).unwrap();
    let patch = whole(raster);
    for pixel in 0..area {
        assert_eq!(
            f64::from(valid[at * area + pixel]),
            wanted_valid[pixel],
            "{name}: pixel {pixel}"
        );
        if patch.valid[pixel] != 0 {
            let found = f64::from(patch.data[at * area + pixel]);
            assert!(
                (found - wanted[pixel]).abs() < 2e-4,
                "{name}: pixel {pixel}: {found} {}",
                wanted[pixel]
            );
        }
    }
}

/// Of four pixels with a hole in one band (0 is nodata) an index of red and near infrared takes those where one of these is
/// missing, and leaves the one where only blue is.
#[test]
fn holes_are_counted_in_the_bands_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holes.tif");
    let options = WriterOptions::default()
        .nodata(0.0)
        .band_names(&["blue", "red", "nir"]);
    let holes = [(0, 3, 4), (1, 5, 6), (2, 7, 8), (2, 9, 9)];
    crate::support::raster(
        &path,
        Size::new(20, 10),
        3,
        swath::raster::RasterType::U8,
        options,
        |band, col, row| match holes.contains(&(band, col, row)) {
            true => 0.0,
            false => (40 + 10 * band + col) as f32,
        },
    );
    let scene = Scene::open(&path).unwrap();
    assert!(
        scene
            .report()
            .mentions("4 of 200 pixels are nodata in some bands but not in all"),
        "{}",
        scene.report()
    );
    let index = scene
        .with_band("ratio", "(nir - red) / (nir + red)")
        .unwrap()
        .report();
    assert!(
        index.mentions("1 of 200 pixels are nodata in some bands"),
        "{index}"
    );
    assert!(index.mentions("3 of 200 pixels are invalid"), "{index}");
    assert!(!index.mentions("4 of 200"), "{index}");
    let error = scene.with_band(" ", "nir").unwrap_err();
    assert!(error.to_string().contains("a name is expected"), "{error}");
}

/// numpy, over the same files read by rasterio.
#[test]
fn indices_and_expressions_are_those_of_numpy() {
    let scene = two().with_index("NDVI").unwrap();
    assert_eq!(scene.raster().band_names(), ["B04", "B08", "ndvi"]);
    near(scene.raster(), 2, "ndvi");
    let facts = &expected()["bands"]["ndvi_statistics"];
    let statistics = scene.statistics().unwrap()[2];
    assert_eq!(Some(statistics.count), facts["count"].as_u64());
    assert!((statistics.mean - facts["mean"].as_f64().unwrap()).abs() < 1e-6);
    assert!((statistics.std - facts["std"].as_f64().unwrap()).abs() < 1e-6);
    // Division by zero where red is 7 takes the pixel, and is told.
    let ratio = two()
        .with_band("ratio", "1 / (B04 - 7) + where(b08 > 2000, 'B08', -nir)")
        .unwrap();
    near(ratio.raster(), 2, "ratio");
    let patch = whole(ratio.raster());
    assert_eq!(patch.value(0, 15, 15), None);
    assert!(
        ratio.report().mentions("since one band has no value there"),
        "{}",
        ratio.report()
    );
    let decibels = Raster::open(file(RED))
        .unwrap()
        .with_transforms([BandTransform::decibels()])
        .unwrap();
    near(&decibels, 0, "decibels");
}

#[test]
fn scales_go_by_exact_statistics_and_keep_their_numbers() {
    let red = Raster::open(file(RED)).unwrap();
    let facts = &expected()["bands"]["red"];
    let number = |name: &str| facts[name].as_f64().unwrap();
    let standard = red.with_transforms([BandTransform::standard()]).unwrap();
    let found = standard.statistics().unwrap()[0];
    assert!(
        found.mean.abs() < 1e-6 && (found.std - 1.0).abs() < 1e-6,
        "{found:?}"
    );
    let range = red.with_transforms([BandTransform::min_max()]).unwrap();
    let found = range.statistics().unwrap()[0];
    assert_eq!((found.min, found.max), (0.0, 1.0));
    let low_high = floats(&facts["percentiles"]);
    let stretched = red
        .with_transforms([BandTransform::percentiles(10.0, 90.0)])
        .unwrap();
    let (raw, scaled) = (whole(&red), whole(&stretched));
    for (at, &value) in scaled
        .data
        .iter()
        .enumerate()
        .filter(|(at, _)| raw.valid[*at] != 0)
    {
        let wanted = (f64::from(raw.data[at]) - low_high[0]) / (low_high[1] - low_high[0]);
        assert!((f64::from(value) - wanted.clamp(0.0, 1.0)).abs() < 1e-6);
    }
    // The numbers stay, also for a part, another scene and on paper.
    let kept = standard.transforms();
    let text = serde_json::to_string(&kept).unwrap();
    assert!(text.contains("\"offsets\":[882.00"), "{text}");
    let back: Vec<BandTransform> = serde_json::from_str(&text).unwrap();
    let again = red.with_transforms(back).unwrap();
    let close = |a: &Patch, b: &Patch| {
        a.data
            .iter()
            .zip(&b.data)
            .all(|(a, b)| (a - b).abs() < 1e-5)
    };
    assert!(close(&whole(&again), &whole(&standard)));
    // Of the area in use: numpy over the left half.
    let scene = Scene::open(file(RED)).unwrap();
    let (left, _) = scene.split(Split::columns(0.5));
    let part = left.with_transforms([BandTransform::standard()]).unwrap();
    let found = part.statistics().unwrap()[0];
    assert!(
        found.mean.abs() < 1e-6 && (found.std - 1.0).abs() < 1e-6,
        "{found:?}"
    );
    assert!((number("mean") - left.statistics().unwrap()[0].mean).abs() > 50.0);
}

/// Values by hand.
#[test]
fn values_are_clipped_filled_cast_and_reclassed() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(6, 1);
    let values = [0.0, 1.0, 2.5, 100.0, 300.0, -9999.0];
    let path = folder.path().join("a.tif");
    let grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 1.0);
    let options = WriterOptions::default().nodata(-9999.0);
    let mut writer =
        RasterWriter::create(&path, size, 1, RasterType::F32, grid, CRS, options).unwrap();
    writer
        .write_window(&PixelWindow::full(size), &values)
        .unwrap();
    let raster = Raster::open(writer.finish().unwrap()).unwrap();
    let of = |transforms: &[BandTransform]| {
        let changed = raster.with_transforms(transforms.iter().cloned()).unwrap();
        let patch = whole(&changed);
        (patch.data, patch.valid)
    };
    let clip = BandTransform::clip(1.0, 200.0);
    assert_eq!(
        of(&[clip]),
        (
            vec![1.0, 1.0, 2.5, 100.0, 200.0, 0.0],
            vec![1, 1, 1, 1, 1, 0]
        )
    );
    let filled = of(&[BandTransform::fill(-1.0)]);
    assert_eq!(
        filled,
        (vec![0.0, 1.0, 2.5, 100.0, 300.0, -1.0], vec![1; 6])
    );
    let cast = of(&[BandTransform::cast(DataType::U8)]);
    assert_eq!(cast.0[..5], [0.0, 1.0, 3.0, 100.0, 255.0]);
    let log = of(&[BandTransform::log()]);
    assert_eq!(log.1, [0, 1, 1, 1, 1, 0]);
    assert!((log.0[3] - 100f32.ln()).abs() < 1e-6);
    // What has no result can be filled afterwards.
    let filled = of(&[BandTransform::log(), BandTransform::fill(-5.0)]);
    assert_eq!((filled.0[0], filled.1), (-5.0, vec![1; 6]));
    let plus = of(&[BandTransform::log1p()]);
    assert_eq!(plus.0[0], 0.0);
    let classes = BandTransform::reclass([(1.0, 7.0), (2.5, 8.0)]);
    assert_eq!(
        of(std::slice::from_ref(&classes)).0[..5],
        [0.0, 7.0, 8.0, 100.0, 300.0]
    );
    assert_eq!(
        of(&[classes.otherwise(9.0)]).0[..5],
        [9.0, 7.0, 8.0, 9.0, 9.0]
    );
    let ranges = BandTransform::reclass_ranges([(0.0, 2.5, 1.0), (2.5, 300.0, 2.0)]).otherwise(3.0);
    assert_eq!(of(&[ranges]).0[..5], [1.0, 1.0, 2.0, 2.0, 3.0]);
    assert_eq!(
        of(&[BandTransform::linear(2.0, 1.0)]).0[..3],
        [1.0, 3.0, 6.0]
    );
    // One after another, some bands only, and a choice.
    let scene = two()
        .with_transforms([
            BandTransform::linear(0.0001, 0.0),
            BandTransform::index("ndvi"),
            BandTransform::clip(0.0, 1.0).on(["ndvi"]),
            BandTransform::select(["ndvi", "nir"]),
        ])
        .unwrap();
    assert_eq!(scene.raster().band_names(), ["ndvi", "B08"]);
    let statistics = scene.statistics().unwrap();
    assert!(
        statistics[0].min >= 0.0 && statistics[1].max < 0.31,
        "{statistics:?}"
    );
    assert_eq!(scene.transforms().len(), 4);
    // As `OpenOptions::bands(["red", "red"])`, each as often as it is named.
    let twice = two()
        .with_transforms([BandTransform::select(["red", "red", "nir"])])
        .unwrap();
    assert_eq!(twice.raster().band_names(), ["B04", "B04", "B08"]);
    let (patch, area) = (whole(twice.raster()), twice.raster().size().area());
    assert_eq!(patch.bands, 3);
    let band = |at: usize| &patch.data[at * area..(at + 1) * area];
    assert!(band(0) == band(1) && band(1) != band(2));
    // A type of whole numbers stays where whole numbers within it come of it.
    let byte = Raster::open(file("aside.tif")).unwrap();
    let kept = byte
        .with_transforms([BandTransform::clip(10.0, 90.0)])
        .unwrap();
    assert_eq!(kept.data_type(), DataType::U8);
    assert_eq!(
        byte.with_transforms([BandTransform::clip(0.5, 90.0)])
            .unwrap()
            .data_type(),
        DataType::F32
    );
}

/// 0 in one band of an image is no hole, and stays none when values are scaled.
#[test]
fn a_dark_lake_stays_valid_when_values_are_scaled() {
    let folder = tempfile::tempdir().unwrap();
    let grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 1.0);
    let options = WriterOptions::default().nodata(0.0);
    let path = plain(
        &folder.path().join("lake.tif"),
        (4, 4),
        grid,
        CRS,
        &[0.0, 20.0, 30.0],
        options,
    );
    let raster = Raster::open(path).unwrap();
    let scaled = raster
        .with_transforms([BandTransform::linear(2.0, 0.0)])
        .unwrap();
    assert_eq!(whole(&raster).valid_fraction(), 1.0);
    assert_eq!(whole(&scaled).valid_fraction(), 1.0);
    assert_eq!(whole(&scaled).value(2, 0, 0), Some(60.0));
    let index = raster
        .with_transforms([BandTransform::expression("gb", "(green - blue) / red")])
        .unwrap();
    assert_eq!(whole(&index).valid_fraction(), 0.0);
}

#[test]
fn what_cannot_be_meant_is_told_when_it_is_written() {
    let scene = two();
    let told = |result: swath::Result<Scene>| {
        let error = result.unwrap_err();
        format!("{error} | {}", error.hint().unwrap_or_default())
    };
    let found = told(scene.with_band("x", "(B80 - B04) / (B08 + B04)"));
    assert!(found.contains("no band \"B80\" (column 2"), "{found}");
    let found = told(scene.with_band("x", "B04 / B09"));
    assert!(
        found.contains("was B04") || found.contains("B08 (NearInfrared)"),
        "{found}"
    );
    let found = told(scene.with_band("x", "B04 + (B08"));
    assert!(
        found.contains("column 7") && found.contains("not closed"),
        "{found}"
    );
    let found = told(scene.with_index("nvdi"));
    assert!(found.contains("was ndvi"), "{found}");
    let found = told(scene.with_index("ndbi"));
    assert!(found.contains("no band \"swir1\""), "{found}");
    let found = told(scene.with_band("B04", "B08 * 2"));
    assert!(found.contains("is there already"), "{found}");
    let found = told(scene.with_transforms([BandTransform::clip(2.0, 1.0)]));
    assert!(found.contains("the lower one first"), "{found}");
    let found = told(scene.with_transforms([BandTransform::fill(f64::NAN)]));
    assert!(found.contains("a number is expected"), "{found}");
    let found = told(scene.with_transforms([BandTransform::percentiles(98.0, 2.0)]));
    assert!(found.contains("percentiles"), "{found}");
    let found = told(scene.with_transforms([BandTransform::cast(DataType::Complex)]));
    assert!(found.contains("Complex"), "{found}");
    let found = told(scene.with_transforms([BandTransform::select(Vec::<String>::new())]));
    assert!(found.contains("no band is left"), "{found}");
    // EVI's constants are for reflectance.
    let evi = scene.with_index("savi").unwrap();
    assert!(
        evi.report().mentions("reflectance from 0 to 1"),
        "{}",
        evi.report()
    );
}

/// `nir` of several infrared bands is the broad one; 1.6 and 2.2 µm are told apart.
#[test]
fn words_find_the_band_that_people_mean() {
    let folder = tempfile::tempdir().unwrap();
    let band = |name: &str| tile(&folder.path().join(name), (0.0, 0.0), &[1.0]);
    let names = ["B02", "B03", "B04", "B05", "B08", "B8A", "B11", "B12"];
    let files: Vec<(&str, PathBuf)> = names
        .iter()
        .map(|name| (*name, band(&format!("{name}.tif"))))
        .collect();
    let sentinel = Scene::stack(files).unwrap();
    for index in [
        "ndvi", "ndwi", "mndwi", "ndbi", "evi", "savi", "nbr", "bsi", "ndre", "gndvi",
    ] {
        sentinel
            .with_index(index)
            .unwrap_or_else(|error| panic!("{index}: {error}"));
    }
    let swir = sentinel.with_band("a", "swir1 + 0 * swir2").unwrap();
    assert_eq!(swir.band_count(), 9);
    let codes = ["SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B6", "SR_B7"];
    let landsat: Vec<PathBuf> = codes
        .iter()
        .map(|code| {
            band(&format!(
                "LC09_L2SP_193024_20220612_20220614_02_T1_{code}.tif"
            ))
        })
        .collect();
    let landsat = Scene::stack(landsat).unwrap();
    assert_eq!(landsat.raster().band_names(), codes);
    for index in ["ndvi", "mndwi", "nbr", "bsi"] {
        landsat
            .with_index(index)
            .unwrap_or_else(|error| panic!("{index}: {error}"));
    }
    // Two digits are Sentinel-2's.
    let two = Scene::stack([("B04", band("r.tif")), ("B08", band("n.tif"))]).unwrap();
    assert!(two.with_index("ndvi").is_ok());
    // Two bands that may be meant are not guessed.
    let files = [
        ("nir a", band("a.tif")),
        ("nir b", band("b.tif")),
        ("red", band("c.tif")),
    ];
    let error = Scene::stack(files).unwrap().with_index("ndvi").unwrap_err();
    assert!(
        error.to_string().contains("may be several bands"),
        "{error}"
    );
}

/// A model keeps what its bands went through, and makes it again on a raw scene: pixel by pixel the same map.
#[test]
fn a_saved_model_changes_the_bands_of_a_raw_scene() {
    let folder = tempfile::tempdir().unwrap();
    let raw = two();
    let labels = folder.path().join("field.geojson");
    let ring = "[[15.0,45.1538],[15.0015,45.1538],[15.0015,45.1532],[15.0,45.1532],[15.0,45.1538]]";
    std::fs::write(
        &labels,
        format!(
            "{{\"type\":\"FeatureCollection\",\"features\":[{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":\
             {{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}}}]}}"
        ),
    )
    .unwrap();
    let changes = [BandTransform::index("ndvi"), BandTransform::standard()];
    let scene = raw
        .with_labels(&labels, "field")
        .unwrap()
        .with_transforms(changes)
        .unwrap();
    let chips = scene.chips(Chips::random(4, 16).seed(1)).unwrap();
    let model = Segmenter::new(Unet::resnet18(), scene.classes());
    let run = model
        .fit(&chips, &scene, FitOptions::epochs(1).batch(2))
        .unwrap();
    let path = folder.path().join("field.swath");
    run.last().save(&path).unwrap();
    let loaded = Segmenter::load(&path).unwrap();
    let window = || PredictOptions::new().window(32).overlap(8);
    let wanted = loaded.predict_with(&scene, window()).unwrap();
    let found = loaded.predict_with(&raw, window()).unwrap();
    let labels = |map: &SceneMap| map.labels(&map.area()).unwrap();
    assert_eq!(labels(&found), labels(&wanted));
    let meta = loaded.meta().unwrap();
    assert_eq!(meta.bands, 3);
    assert_eq!(meta.raw_band_names, ["B04", "B08"]);
    assert_eq!(meta.transforms.len(), 2);
    // It says that all of this was trained on.
    assert!(found.evaluate(&scene).is_ok());
    // A scene without the bands says which is missing.
    let error = loaded
        .predict(&Scene::stack([file(SWIR)]).unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("no band \"nir\""), "{error}");
}

/// Another day's exposure: with statistics of each scene a model sees a darker copy of its imagery as it saw the original.
#[test]
fn a_model_that_goes_by_each_scenes_statistics_sees_a_darker_copy_alike() {
    let folder = tempfile::tempdir().unwrap();
    let drawn = samples::town_in(folder.path(), 2, 128).unwrap();
    let town = drawn.scene().unwrap();
    let pixels = town.raster().read(&town.raster().full()).unwrap();
    let reference = town.raster().georeference();
    let copy = |name: &str, scale: f32, offset: f32| {
        let path = folder.path().join(name);
        let values: Vec<f32> = pixels
            .data
            .iter()
            .map(|value| value * scale + offset)
            .collect();
        let size = pixels.size;
        let mut writer = RasterWriter::create(
            &path,
            size,
            pixels.bands,
            RasterType::F32,
            reference.transform,
            &reference.crs_wkt,
            WriterOptions::default(),
        )
        .unwrap();
        writer
            .write_window(&PixelWindow::full(size), &values)
            .unwrap();
        writer.finish().unwrap();
        Scene::open(path).unwrap()
    };
    let (day, dusk) = (copy("day.tif", 1.0, 0.0), copy("dusk.tif", 0.25, 17.0));
    let labeled = day.with_labels(&drawn.labels_path, "class").unwrap();
    let each = BandTransform::standard().of_each_scene();
    // What goes by no statistics is the same on every scene: neither of both is dropped without a word.
    let wrong = day.with_transforms([BandTransform::linear(2.0, 0.0).of_each_scene()]);
    let text = wrong.unwrap_err().to_string();
    assert!(
        text.contains("of_each_scene()") && text.contains("standard()"),
        "{text}"
    );
    let train = labeled.with_transforms([each.clone()]).unwrap();
    let chips = train.chips(Chips::random(4, 32).seed(1)).unwrap();
    let options = FitOptions::epochs(1).batch(2).quiet(true);
    let run = Segmenter::new(Unet::resnet18(), train.classes())
        .fit(&chips, &train, options)
        .unwrap();
    let path = folder.path().join("each.swath");
    run.last().save(&path).unwrap();
    let loaded = Segmenter::load(&path).unwrap();
    assert_eq!(loaded.meta().unwrap().transforms, [each]);
    let quiet = || PredictOptions::new().quiet(true);
    let scores = |scene: &Scene| {
        let map = loaded.predict_with(scene, quiet()).unwrap();
        let saved = Raster::open(map.scores_path().unwrap()).unwrap();
        saved.read(&saved.full()).unwrap().data
    };
    let (bright, dark) = (scores(&day), scores(&dusk));
    // Within a step of the probabilities, which are stored from 0 to 254.
    let furthest = bright
        .iter()
        .zip(&dark)
        .map(|(one, two)| (one - two).abs())
        .fold(0.0, f32::max);
    assert!(furthest <= 1.0, "{furthest}");
}

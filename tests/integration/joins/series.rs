//! Scenes of several dates: values and validity as numpy's masked arrays have them
//! (`tests/python/make_series_fixtures.py`).

use std::path::{Path, PathBuf};

use serde_json::Value;
use swath::Hint as _;
use swath::display::Show as _;
use swath::prelude::*;
use swath::raster::{Size, WriterOptions};

use super::{band, floats, plain, whole};
use crate::support::{CRS, grid};

const PIXELS: usize = 24 * 20;
const CLOUDS: [u8; 4] = [0, 3, 8, 9];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/series")
}

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

fn series() -> TimeSeries {
    TimeSeries::new(folder().join("*.tif")).mask("SCL", CLOUDS)
}

#[track_caller]
fn error<T: std::fmt::Debug>(result: swath::Result<T>) -> (String, String) {
    let error = result.unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

/// Compares bands with numpy's, where numpy's are valid, and that nothing else is.
#[track_caller]
fn same(raster: &Raster, bands: std::ops::Range<usize>, wanted: &[f64], valid: &[bool]) {
    let bands_of = bands.len();
    for (at, place) in bands.enumerate() {
        let (values, here) = band(raster, place);
        for pixel in 0..PIXELS {
            let known = valid[at * valid.len() / bands_of..][pixel];
            assert_eq!(here[pixel] != 0, known, "band {place}, pixel {pixel}");
            let (found, wanted) = (f64::from(values[pixel]), wanted[at * PIXELS + pixel]);
            assert!(
                !known || (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0),
                "band {place}, pixel {pixel}: {found}, {wanted}"
            );
        }
    }
}

fn by_date(facts: &Value) -> Vec<bool> {
    let valid = floats(&facts["valid"]);
    valid.iter().map(|&one| one != 0.0).collect()
}

fn on_any(valid: &[bool]) -> Vec<bool> {
    (0..PIXELS)
        .map(|pixel| (0..4).any(|date| valid[date * PIXELS + pixel]))
        .collect()
}

#[test]
fn a_series_has_the_bands_of_every_date_without_its_clouds() {
    let facts = expected();
    let scene = Scene::series_with(series()).unwrap();
    let raster = scene.raster();
    assert_eq!(
        raster.band_names()[..3],
        ["B04 2023-04-15", "B08 2023-04-15", "B04 2023-06-04"]
    );
    let dates: Vec<String> = scene.dates().iter().map(ToString::to_string).collect();
    assert_eq!(
        dates,
        ["2023-04-15", "2023-06-04", "2023-07-01", "2023-09-10"]
    );
    assert_eq!(raster.bands()[3].role, Some(BandRole::NearInfrared));
    assert_eq!(raster.bands()[3].date, Date::new(2023, 6, 4));
    assert_eq!((scene.band_count(), scene.size()), (8, (24, 20)));
    assert_eq!(scene.name(), "T33UUP");
    let (values, valid) = (floats(&facts["values"]), by_date(&facts));
    for date in 0..4 {
        let part = &values[date * 2 * PIXELS..(date * 2 + 2) * PIXELS];
        let here = valid[date * PIXELS..(date + 1) * PIXELS].repeat(2);
        same(raster, date * 2..date * 2 + 2, part, &here);
    }
    // A pixel counts where any date has it, and holds 0 where a date has none.
    let patch = whole(raster);
    let any = on_any(&valid);
    let counted: Vec<bool> = patch.valid.iter().map(|&one| one != 0).collect();
    assert_eq!(counted, any);
    for (at, &value) in patch.data.iter().enumerate() {
        assert_eq!(f64::from(value), values[at], "{at}");
    }
    // Statistics of a band are those of its own dates' pixels.
    let statistics = scene.statistics().unwrap();
    for (band, mean) in statistics.iter().zip(floats(&facts["means"])) {
        assert!((band.mean - mean).abs() < 1e-6, "{} {mean}", band.mean);
    }
    let report = scene.report();
    for said in [
        "2023-04-15, 2023-06-04",
        "mask is 0, 3, 8, 9",
        "on some dates",
    ] {
        assert!(report.mentions(said), "{said}: {report}");
    }
    // Windows agree with the whole.
    let part = raster.read(&PixelWindow::new(-2, 5, 9, 7)).unwrap();
    for band in 0..8 {
        for (row, col) in [(0, 3), (4, 8), (6, 2)] {
            assert_eq!(
                part.value(band, row, col),
                patch.value(band, row + 5, col - 2)
            );
        }
    }
    assert_eq!(part.value(0, 0, 0), None);
}

#[test]
fn a_window_of_a_series_is_a_sequence() {
    let facts = expected();
    let scene = Scene::series_with(series()).unwrap();
    let all = scene.read_series(&scene.area()).unwrap();
    assert_eq!(all.shape(), [4, 2, 20, 24]);
    assert_eq!(all.bands, ["B04", "B08"]);
    assert_eq!(all.dates, scene.dates());
    let values: Vec<f64> = all.data.iter().map(|&value| f64::from(value)).collect();
    assert_eq!(values, floats(&facts["values"]));
    let valid: Vec<f64> = all.valid.iter().map(|&value| f64::from(value)).collect();
    assert_eq!(valid, floats(&facts["valid"]));
    let share = valid[PIXELS..2 * PIXELS].iter().sum::<f64>() / PIXELS as f64;
    assert!((all.valid_fraction(1) - share).abs() < 1e-12);
    let (at, value) = valid
        .iter()
        .enumerate()
        .find(|(at, valid)| **valid != 0.0 && *at >= 2 * PIXELS)
        .unwrap();
    assert_eq!(*value, 1.0);
    let pixel = at - 2 * PIXELS;
    let one = all.value(2, 1, pixel / 24, pixel % 24).unwrap();
    assert_eq!(all.patch(2).unwrap().band(1)[pixel], one);
    assert_eq!(all.value(4, 0, 0, 0), None);
    assert_eq!(all.patch(4), None);
    // Of a part of a scene, what lies outside is missing on every date.
    let (left, _) = scene.split(Split::at_column(10));
    let part = left.read_series(&PixelWindow::new(8, 0, 4, 20)).unwrap();
    for row in 0..20 {
        assert_eq!(part.value(0, 0, row, 2), None);
        assert_eq!(part.value(3, 1, row, 1), all.value(3, 1, row, 9));
    }
    assert!(all.output().text.contains("4 dates x 2 bands x 20 x 24 px"));
    let flat = Scene::open(folder().join("T33UUP_20230415T101559_B04_10m.tif")).unwrap();
    let (text, hint) = error(flat.read_series(&flat.area()));
    assert!(
        text.contains("no time series") && hint.contains("Scene::series"),
        "{text} {hint}"
    );
}

#[test]
fn composites_are_those_of_numpys_masked_arrays() {
    let facts = expected();
    let scene = Scene::series_with(series()).unwrap();
    let any = on_any(&by_date(&facts)).repeat(2);
    for (how, name) in [
        (Composite::Median, "median"),
        (Composite::Mean, "mean"),
        (Composite::Min, "min"),
        (Composite::Max, "max"),
        (Composite::First, "first"),
        (Composite::Last, "last"),
        (Composite::MaxNdvi, "max_ndvi"),
    ] {
        let made = scene.composite(how).unwrap();
        assert_eq!(made.raster().band_names(), ["B04", "B08"], "{name}");
        assert_eq!(made.raster().bands()[0].role, Some(BandRole::Red));
        assert!(made.dates().is_empty());
        // One value for all dates: nothing is missing on some of them.
        let missing = "missing on some dates";
        assert!(scene.raster().report().mentions(missing));
        assert!(!made.raster().report().mentions(missing), "{name}");
        same(
            made.raster(),
            0..2,
            &floats(&facts["composites"][name]),
            &any,
        );
        // An index of it is one of a single date.
        let index = made.with_index("ndvi").unwrap();
        assert_eq!(index.raster().band_names()[2], "ndvi");
    }
    let filled = scene.fill_dates().unwrap();
    let any = on_any(&by_date(&facts));
    assert_eq!(filled.dates().len(), 4);
    same(
        filled.raster(),
        0..8,
        &floats(&facts["filled"]),
        &any.repeat(8),
    );
    let one = Scene::open(folder().join("T33UUP_20230415T101559_B04_10m.tif")).unwrap();
    let (text, hint) = error(one.composite(Composite::Mean));
    assert!(
        text.contains("no band has a date") && hint.contains("Scene::series"),
        "{text}"
    );
    assert!(one.fill_dates().is_err());
}

#[test]
fn an_index_of_a_series_is_one_for_each_date() {
    let facts = expected();
    let scene = Scene::series_with(series()).unwrap();
    let scene = scene.with_index("ndvi").unwrap();
    assert_eq!(
        scene.raster().band_names()[8..],
        [
            "ndvi 2023-04-15",
            "ndvi 2023-06-04",
            "ndvi 2023-07-01",
            "ndvi 2023-09-10"
        ]
    );
    let (ndvi, valid) = (floats(&facts["ndvi"]), by_date(&facts));
    same(scene.raster(), 8..12, &ndvi, &valid);
    // A date without a value takes nothing from the others.
    let counted: Vec<bool> = whole(scene.raster())
        .valid
        .iter()
        .map(|&one| one != 0)
        .collect();
    assert_eq!(counted, on_any(&valid));
    assert_eq!(
        scene.read_series(&scene.area()).unwrap().bands,
        ["B04", "B08", "ndvi"]
    );
    // Names without a date mean every date, names with one that date.
    let scene = scene
        .with_band("change", "'B08 2023-06-04' - 'B08 2023-04-15'")
        .unwrap();
    assert_eq!(scene.raster().band_names()[12], "change");
    assert_eq!(scene.raster().bands()[12].date, None);
    let chosen = scene
        .with_transforms([
            BandTransform::linear(0.0001, 0.0).on(["red"]),
            BandTransform::select(["nir", "red"]),
        ])
        .unwrap();
    assert_eq!(
        chosen.raster().band_names()[..3],
        ["B08 2023-04-15", "B04 2023-04-15", "B08 2023-06-04"]
    );
    assert_eq!(
        chosen.raster().bands()[1].data_type,
        swath::raster::DataType::F32
    );
    assert_eq!(
        chosen.raster().bands()[2].data_type,
        swath::raster::DataType::U16
    );
    let (text, hint) = error(scene.with_index("ndwi"));
    assert!(text.contains("green"), "{text} {hint}");
    let (text, _) = error(scene.with_index("ndvi"));
    assert!(text.contains("ndvi 2023-04-15"), "{text}");
    // Pictures of one date, by its name or by what it shows.
    for name in ["ndvi 2023-06-04", "nir 2023-06-04", "b08 2023-06-04"] {
        scene.show_bands([name]).unwrap();
    }
    assert!(scene.show_bands(["nir"]).is_err());
}

#[test]
fn a_date_of_a_series_is_a_scene() {
    let facts = expected();
    let scene = Scene::series_with(series()).unwrap();
    let june = scene.on_date("2023-06-04").unwrap();
    assert_eq!(june.raster().band_names(), ["B04", "B08"]);
    assert_eq!(june.name(), "T33UUP 2023-06-04");
    let valid = by_date(&facts)[PIXELS..2 * PIXELS].repeat(2);
    let values = floats(&facts["values"])[2 * PIXELS..4 * PIXELS].to_vec();
    same(june.raster(), 0..2, &values, &valid);
    let counted: Vec<bool> = whole(june.raster())
        .valid
        .iter()
        .map(|&one| one != 0)
        .collect();
    assert_eq!(counted, valid[..PIXELS]);
    let changed = scene.with_index("ndvi").unwrap();
    let own = changed.on_date(Date::new(2023, 6, 4).unwrap()).unwrap();
    assert_eq!(
        own.raster().band_names(),
        ["B04 2023-06-04", "B08 2023-06-04", "ndvi 2023-06-04"]
    );
    let (text, hint) = error(scene.on_date("2023-06-05"));
    assert!(
        text.contains("no date 2023-06-05, there are 2023-04-15") && hint.contains("dates()"),
        "{text} {hint}"
    );
    assert!(
        error(scene.on_date("June"))
            .0
            .contains("\"June\" is no date")
    );
    assert!(
        error(june.on_date("2023-06-04"))
            .0
            .contains("no time series")
    );
}

#[test]
fn the_strip_of_a_series_says_what_each_date_lacks() {
    let facts = expected();
    let scene = Scene::series_with(series())
        .unwrap()
        .with_index("ndvi")
        .unwrap();
    let valid = by_date(&facts);
    for figure in [
        scene.show_series().unwrap(),
        scene.show_series_bands(["ndvi"]).unwrap(),
        scene.show_series_bands(["red"]).unwrap(),
    ] {
        let output = figure.output();
        for (date, name) in scene.dates().iter().enumerate() {
            let of = &valid[date * PIXELS..(date + 1) * PIXELS];
            let missing = of.iter().filter(|&&one| !one).count() as f64 / PIXELS as f64;
            let words = format!("{name} ({:.0} % missing)", missing * 100.0);
            assert!(output.text.contains(&words), "{words}: {}", output.text);
        }
        assert!(output.html.is_some_and(|html| html.contains("<img")));
    }
    let (text, _) = error(scene.show_series_bands(["green"]));
    assert!(text.contains("green"), "{text}");
    assert!(scene.show_series_bands(["red", "nir"]).is_err());
    let one = scene
        .on_date("2023-06-04")
        .unwrap()
        .composite(Composite::Mean);
    assert!(one.unwrap().show_series().is_err());
}

#[test]
fn dates_bands_and_grids_are_chosen() {
    let part = series().between("2023-05-01", "2023-07-01").bands(["nir"]);
    let raster = part.open().unwrap();
    assert_eq!(raster.band_names(), ["B08 2023-06-04", "B08 2023-07-01"]);
    // The files of other bands are not among those that are read.
    let read: Vec<String> = raster
        .paths()
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert!(read.iter().all(|name| !name.contains("B04")), "{read:?}");
    // Stated dates, in any order, by file and with a mask of their own.
    let file = |date: &str, band: &str, pixel: usize| {
        folder().join(format!("T33UUP_{date}T101559_{band}_{pixel}m.tif"))
    };
    let stated = TimeSeries::of([
        SeriesDate::new("2020-02-01", [("red", file("20230604", "B04", 10))]),
        SeriesDate::new("2019-02-01", [("red", file("20230415", "B04", 10))])
            .mask(file("20230415", "SCL", 20), [9]),
    ])
    .named("own");
    let scene = Scene::series_with(stated).unwrap();
    assert_eq!(
        scene.raster().band_names(),
        ["red 2019-02-01", "red 2020-02-01"]
    );
    assert_eq!(scene.name(), "own");
    let (first, second) = (band(scene.raster(), 0).1, band(scene.raster(), 1).1);
    assert_eq!(first[..2], [0, 0], "a cloud of 20 m");
    assert_eq!(second[..2], [1, 1]);
    let coarse = series()
        .pixel_size(Resolution::Meters(20.0))
        .open()
        .unwrap();
    assert_eq!(coarse.size(), Size::new(12, 10));
    let (text, hint) = error(series().between("2021-01-01", "2021-12-31").open());
    assert!(
        text.contains("2021-01-01 to 2021-12-31") && !hint.is_empty(),
        "{text}"
    );
    assert!(
        error(series().between("soon", "later").open())
            .0
            .contains("no date")
    );
    assert!(error(series().bands(["green"]).open()).0.contains("green"));
}

#[test]
fn files_that_make_no_series_are_refused_by_name() {
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, value: f32| {
        let path = place.path().join(name);
        plain(
            &path,
            (8, 8),
            grid(),
            CRS,
            &[value],
            WriterOptions::default(),
        )
    };
    write("20230415_B04.tif", 1.0);
    write("20230415_B08.tif", 2.0);
    write("20230604_B04.tif", 3.0);
    let all = || TimeSeries::new(place.path());
    let (text, hint) = error(all().open());
    assert!(
        text.contains("2023-06-04 lacks the bands B08") && hint.contains(".bands("),
        "{text} {hint}"
    );
    assert_eq!(all().bands(["B04"]).open().unwrap().band_count(), 2);
    let (text, hint) = error(all().bands(["B04"]).mask("SCL", [9]).open());
    assert!(
        text.contains("2023-04-15 has no mask \"SCL\"") && hint.contains("pattern"),
        "{text} {hint}"
    );
    write("again_20230415_B04.tif", 4.0);
    let (text, hint) = error(all().bands(["B04"]).open());
    assert!(
        text.contains("B04 of 2023-04-15 is in several files") && hint.contains("leave one"),
        "{text} {hint}"
    );
    let other = tempfile::tempdir().unwrap();
    let nameless = plain(
        &other.path().join("field.tif"),
        (8, 8),
        grid(),
        CRS,
        &[1.0],
        WriterOptions::default(),
    );
    let (text, hint) = error(TimeSeries::new(other.path()).open());
    assert!(text.contains("none of the 1 files has a date"), "{text}");
    assert!(hint.contains("TimeSeries::of"), "{hint}");
    let twice = TimeSeries::of([("2023-04-15", &nameless), ("20230415", &nameless)]);
    assert!(error(twice.open()).0.contains("2023-04-15 was given twice"));
    let bad = TimeSeries::of([("April", &nameless)]);
    assert!(error(bad.open()).1.contains("2023-04-15"));
    assert!(
        error(TimeSeries::new(Vec::<PathBuf>::new()).open())
            .0
            .contains("no files")
    );
    let nowhere = TimeSeries::new(other.path().join("*.jp2"));
    assert!(
        error(nowhere.open())
            .0
            .contains("no raster to make a time series of")
    );
    // Another place.
    let far = swath::raster::GeoTransform::north_up(900_000.0, 5_500_000.0, 0.5);
    let elsewhere = plain(
        &other.path().join("far.tif"),
        (8, 8),
        far,
        CRS,
        &[1.0],
        WriterOptions::default(),
    );
    let apart = TimeSeries::of([
        ("2023-04-15", ("B04", &nameless)),
        ("2023-06-04", ("B04", &elsewhere)),
    ]);
    assert!(error(apart.open()).0.contains("lies nowhere on the grid"));
}

/// What the files of different processing baselines say: ESA's offset since January 2022.
#[test]
fn other_scales_on_other_dates_are_told() {
    let place = tempfile::tempdir().unwrap();
    for (name, offset) in [("20210601_B04.tif", 0.0), ("20220601_B04.tif", -0.1)] {
        let options = WriterOptions::default().scale(0.0001, offset);
        plain(
            &place.path().join(name),
            (8, 8),
            grid(),
            CRS,
            &[7.0],
            options,
        );
    }
    let series = TimeSeries::new(place.path()).open().unwrap();
    let report = series.report();
    assert!(
        report.mentions("different scales and offsets to B04"),
        "{report}"
    );
    assert!(report.mentions("value x 0.0001 + -0.1"), "{report}");
    assert_eq!(series.bands()[1].offset, -0.1);
}

/// A composite is made again on a raw series of other dates.
#[test]
fn a_model_of_a_composite_predicts_a_series_of_other_dates() {
    let folder = tempfile::tempdir().unwrap();
    let place = swath::samples::sentinel_in(folder.path(), 3, 96).unwrap();
    let bands = ["B04", "B08"];
    let spring = place
        .series()
        .bands(bands)
        .between("2023-03-01", "2023-05-31");
    let scene = place
        .labeled(&Scene::series_with(spring).unwrap())
        .unwrap()
        .composite(Composite::Median)
        .unwrap();
    let chips = scene.chips(Chips::random(4, 32).seed(1)).unwrap();
    let model = Segmenter::new(Unet::resnet18(), scene.classes());
    let run = model
        .fit(&chips, &scene, FitOptions::steps(1).batch(2).quiet(true))
        .unwrap();
    let path = folder.path().join("model.swath");
    run.best().save(&path).unwrap();
    let model = Segmenter::load(&path).unwrap();
    let autumn = place
        .series()
        .bands(bands)
        .between("2023-06-01", "2023-12-31");
    let raw = Scene::series_with(autumn).unwrap();
    assert_eq!(raw.band_count(), 6);
    let map = model.predict(&raw).unwrap();
    let ready = model
        .predict(&raw.composite(Composite::Median).unwrap())
        .unwrap();
    assert_eq!(map.scene().raster().band_names(), ["B04", "B08"]);
    let window = raw.area();
    assert_eq!(map.labels(&window).unwrap(), ready.labels(&window).unwrap());
}

/// Files of bands that are not wanted give names and nothing else: one without a place does not stop the series.
#[test]
fn files_of_other_bands_need_no_place() {
    let place = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for date in ["20230415", "20230604"] {
        files.push(folder().join(format!("T33UUP_{date}T101559_B04_10m.tif")));
        let preview = place
            .path()
            .join(format!("T33UUP_{date}T101559_preview.npy"));
        let array = "tests/fixtures/numpy/image_u1_little.npy";
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(array), &preview).unwrap();
        files.push(preview);
    }
    let alone: Vec<PathBuf> = files.iter().step_by(2).cloned().collect();
    let alone = TimeSeries::new(alone).open().unwrap();
    let chosen = TimeSeries::new(files.clone())
        .bands(["B04"])
        .open()
        .unwrap();
    assert_eq!(chosen.band_names(), alone.band_names());
    assert_eq!(whole(&chosen).data, whole(&alone).data);
    assert_eq!(chosen.transform(), alone.transform());
    // With all bands wanted it does.
    assert!(error(TimeSeries::new(files).open()).0.contains("place"));
}

/// A class code is no measurement; days that run backwards; names that only the library has given.
#[test]
fn what_a_newcomer_says_of_a_series_is_told() {
    let unmasked = Scene::series_with(TimeSeries::new(folder().join("*.tif"))).unwrap();
    let report = unmasked.report();
    assert!(report.mentions("SCL holds codes of classes"), "{report}");
    let notices = report
        .iter()
        .filter(|one| one.text().contains("holds codes"));
    assert_eq!(notices.count(), 1, "{report}");
    assert!(!report.to_string().contains(".stack"), "{report}");
    let masked = Scene::series_with(series()).unwrap();
    assert!(
        !masked.report().mentions("holds codes"),
        "{}",
        masked.report()
    );
    let backwards = series().between("2023-09-01", "2023-04-01");
    let (text, hint) = error(Scene::series_with(&backwards));
    assert!(text.contains("2023-09-01 to 2023-04-01"), "{text}");
    assert_eq!(
        hint,
        "`.between(\"2023-04-01\", \"2023-09-01\")` names the earlier day first"
    );
    let one = masked.on_date("2023-06-04").unwrap();
    let (text, _) = error(one.show_bands([7]).map(drop));
    assert!(
        !text.contains(".series") && text.contains("2023-06-04"),
        "{text}"
    );
    for output in [masked.output(), one.output(), unmasked.output()] {
        assert!(
            !output.text.contains(".stack") && !output.text.contains(".series"),
            "{}",
            output.text
        );
    }
}

/// A series on the command line: the model of a composite maps it.
#[test]
fn the_command_line_predicts_a_series() {
    let folder_of_map = tempfile::tempdir().unwrap();
    let scene = Scene::series_with(series())
        .unwrap()
        .composite(Composite::Median)
        .unwrap();
    let normalization = swath::models::Normalization::eight_bit(2);
    let names = vec!["background".to_owned(), "a".to_owned()];
    let network = Unet::resnet18().build(2, 2, &Device::cpu()).unwrap();
    let mut meta = swath::models::BundleMeta::new(Unet::resnet18(), 2, names, normalization, 32);
    meta.transforms = scene.raster().transforms();
    let bundle = folder_of_map.path().join("a.swath");
    swath::models::save_bundle(&bundle, &meta, &*network).unwrap();
    let out = folder_of_map.path().join("map");
    let line = format!(
        "predict {} {}/*.tif -o {} --series --mask SCL:0,3,8,9 --device cpu --quiet --any-values --no-polygons",
        bundle.display(),
        folder().display(),
        out.display()
    );
    assert_eq!(crate::cli::swath(&line), swath::cli::DONE);
    let map = Raster::open(out.join("labels.tif")).unwrap();
    assert_eq!(map.transform(), scene.raster().transform());
}

/// The fixture's fill: none of its masks is 42, and all of them are below 12.
#[test]
fn what_a_mask_does_not_hold_or_leave_is_told() {
    let files = || TimeSeries::new(folder().join("*.tif"));
    let opened = |codes: &[u8]| Scene::series_with(files().mask("SCL", codes.to_vec())).unwrap();
    let report = opened(&[3, 42, 43]).report();
    assert!(
        report.mentions("2 of the mask's codes occur in none of its"),
        "{report}"
    );
    assert!(report.mentions("42, 43"), "{report}");
    assert!(!report.mentions("leaves no pixel"), "{report}");
    let all: Vec<u8> = (0..12).collect();
    let report = opened(&all).report();
    assert!(
        report.mentions("the mask leaves no pixel of 4 of 4 dates: 2023-04-15"),
        "{report}"
    );
    // Bits as well: SCL's codes have none above the fourth.
    let bits = Scene::series_with(files().mask_bits("SCL", [30])).unwrap();
    assert!(bits.report().mentions("bits 30"), "{}", bits.report());
}

#[test]
fn days_beyond_those_that_were_asked_for_are_not_listed() {
    let series = series().between("2023-06-01", "2023-07-31");
    let shown = series.output().text;
    let report = Scene::series_with(&series).unwrap().report();
    for said in [shown, report.to_string()] {
        assert!(said.contains("2023-06-04, 2023-07-01"), "{said}");
        // The hint shows how dates are stated, by one that is no date of this series.
        let said = said.replace("(\"2023-04-15\", \"april.tif\")", "");
        assert!(
            !said.contains("2023-04-15") && !said.contains("2023-09-10"),
            "{said}"
        );
    }
}

#[test]
fn filled_dates_miss_nothing() {
    let scene = Scene::series_with(series()).unwrap();
    assert!(scene.report().mentions("missing on some dates"));
    let filled = scene.fill_dates().unwrap();
    assert!(
        !filled.report().mentions("missing on some dates"),
        "{}",
        filled.report()
    );
    // An index of dates that miss pixels still does, and says so once.
    let index = scene.with_index("ndvi").unwrap().report();
    let said = index
        .iter()
        .filter(|notice| notice.text().contains("missing on some dates"));
    assert_eq!(said.count(), 1, "{index}");
}

#[test]
fn a_series_and_a_mosaic_take_their_builders() {
    let series = series().between("2023-06-01", "2023-07-31");
    let dates = Scene::series(&series).unwrap().dates();
    assert_eq!(dates, Scene::series(series).unwrap().dates());
    let tile = folder().join("T33UUP_20230604_B04.tif");
    let tile = match tile.exists() {
        true => tile,
        false => std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|ending| ending == "tif"))
            .unwrap(),
    };
    let mosaic = Mosaic::new(&tile).named("one");
    assert_eq!(Scene::mosaic(&mosaic).unwrap().name(), "one");
    assert_eq!(Scene::mosaic(mosaic.clone()).unwrap().name(), "one");
    assert_eq!(
        Raster::mosaic(mosaic).unwrap().size(),
        Raster::mosaic([&tile]).unwrap().size()
    );
}

/// A person at a magic is told how the magic writes it, beside how Rust does.
#[test]
fn hints_of_series_name_the_options_of_magics() {
    let scene = Scene::series(folder().join("*.tif")).unwrap();
    let report = scene.report().to_string();
    assert!(
        report.contains("`mask=SCL:CODE,…` with `%scene`"),
        "{report}"
    );
    let (_, hint) = error(Scene::series_with(
        TimeSeries::new(folder().join("*.tif")).mask("clouds", [1]),
    ));
    assert!(
        hint.contains("mask=SCL:CODE,… with") || hint.contains("`mask=SCL:CODE,…` with `%scene`"),
        "{hint}"
    );
}

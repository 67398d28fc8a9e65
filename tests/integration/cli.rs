//! The library's side of the command line, run in this process.

use std::path::Path;
use swath::cli::{DONE, FAILED, NOT_UNDERSTOOD, run};

use swath::chips::Chips;
use swath::device::Device;
use swath::models::{BundleMeta, CenterNet, Normalization, Unet, bundle_task, save_bundle};
use swath::raster::Raster;
use swath::scene::{Scene, Split};
use swath::train::{Detector, FitOptions};
use swath::vector::{Format, PolygonFeature, write_polygons};
use swath::{Result, samples};

pub(crate) fn swath(line: &str) -> i32 {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    run(&words)
}

#[test]
fn mistakes_have_their_own_exit_codes() {
    assert_eq!(swath("help"), DONE);
    assert_eq!(swath("predict --help"), DONE);
    assert_eq!(swath("data list"), DONE);
    assert_eq!(swath(""), NOT_UNDERSTOOD);
    assert_eq!(swath("predikt x"), NOT_UNDERSTOOD);
    assert_eq!(swath("info"), NOT_UNDERSTOOD);
    assert_eq!(
        swath("predict a.swath scene.tif"),
        NOT_UNDERSTOOD,
        "--out is missing"
    );
    assert_eq!(
        swath("predict a.swath scene.tif --out x --device tpu"),
        NOT_UNDERSTOOD
    );
    assert_eq!(swath("sample town --out x --size many"), NOT_UNDERSTOOD);
    for option in [
        "--tta mirrors",
        "--threshold half",
        "--formats dxf",
        "--merge mean",
        "--merge nms --merge-iou 2",
        "--merge soft-nms --merge-iou 0.5",
        "--max-boxes few",
        "--min-score low",
        "--windows 3",
        "-x",
    ] {
        assert_eq!(
            swath(&format!("predict a.swath scene.tif -o x {option}")),
            NOT_UNDERSTOOD,
            "{option}"
        );
    }
    assert_eq!(swath("info nowhere.tif"), FAILED);
    assert_eq!(swath("predict nowhere.swath nowhere.tif --out x"), FAILED);
    assert_eq!(swath("data fetch nothing-of-that-name"), FAILED);
}

/// A U-Net with random weights for the scene's classes.
pub(crate) fn save_model(path: &Path, scene: &Scene) -> Result<()> {
    let names: Vec<String> = (scene.classes().names().into_iter())
        .map(str::to_owned)
        .collect();
    let architecture = Unet::resnet18();
    let network = architecture.build(3, names.len(), &Device::cpu())?;
    let meta = BundleMeta::new(architecture, 3, names, Normalization::eight_bit(3), 256);
    save_bundle(path, &meta, &*network)
}

#[test]
fn a_bundle_predicts_and_scores_a_town() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display();
    assert_eq!(
        swath(&format!("sample town --size 256 --seed 3 --out {path}")),
        DONE
    );
    let town = samples::town_in(folder.path(), 3, 256)?;
    let scene = town.scene()?;
    let (image, labels) = (town.scene_path.display(), town.labels_path.display());
    assert_eq!(swath(&format!("info {image} --json --statistics")), DONE);

    let bundle = folder.path().join("town.swath");
    save_model(&bundle, &scene)?;

    let out = folder.path().join("map");
    let (bundle, map) = (bundle.display(), out.display());
    let options = "--window 128 --overlap 16 --device cpu --min-area 5";
    assert_eq!(
        swath(&format!(
            "predict {bundle} {image} --out {map} --labels {labels} --class class {options}"
        )),
        DONE
    );
    for name in [
        "labels.tif",
        "scores.tif",
        "polygons.gpkg",
        "polygons.geojson",
        "scores.json",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
    assert_eq!(
        Raster::open(out.join("labels.tif"))?.size(),
        scene.raster().size()
    );

    let json = out.join("again.json");
    let again = json.display();
    assert_eq!(
        swath(&format!(
            "evaluate {map}/labels.tif {image} --labels {labels} --class class --json {again}"
        )),
        DONE
    );
    let read = |path| std::fs::read_to_string(path).expect("it was written");
    assert_eq!(
        read(json),
        read(out.join("scores.json")),
        "the saved map scores as the map did"
    );
    Ok(())
}

/// Outlines, small areas and types of scores, as the library saves them.
#[test]
fn maps_are_saved_with_the_outlines_and_scores_that_are_asked_for() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let town = samples::town_in(folder.path(), 3, 128)?;
    let bundle = folder.path().join("town.swath");
    save_model(&bundle, &town.scene()?)?;
    let (bundle, image) = (bundle.display(), town.scene_path.display());
    let mut counts = Vec::new();
    for (name, options) in [
        ("plain", ""),
        (
            "right",
            "--outlines right-angles --fill-holes 4 --min-pixels 40 --scores f16",
        ),
        (
            "smooth",
            "--simplify 2 --min-area 10 --scores percent --formats geojson",
        ),
    ] {
        let out = folder.path().join(name);
        let line = format!(
            "predict {bundle} {image} -o {} --device cpu --quiet {options}",
            out.display()
        );
        assert_eq!(swath(&line), DONE, "{line}");
        let text = std::fs::read_to_string(out.join("polygons.geojson")).expect("it was written");
        counts.push(text.matches("\"Feature\"").count());
        let scores = Raster::open(out.join("scores.tif"))?;
        let (band, word) = (&scores.bands()[0], scores.data_type().to_string());
        match name {
            "plain" => assert!((band.scale - 1.0 / 254.0).abs() < 1e-9, "{word}"),
            "right" => assert_eq!(band.scale, 1.0, "{word}"),
            _ => assert!((band.scale - 0.01).abs() < 1e-9, "{word}"),
        }
    }
    assert!(
        counts[1] < counts[0],
        "areas of fewer pixels are left out: {counts:?}"
    );
    Ok(())
}

#[test]
fn several_scenes_and_models_are_predicted_and_a_broken_scene_stops_none() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let towns = [
        samples::town_in(folder.path().join("east"), 3, 160)?,
        samples::town_in(folder.path().join("west"), 4, 96)?,
    ];
    for name in ["a.swath", "b.swath"] {
        save_model(&folder.path().join(name), &towns[0].scene()?)?;
    }
    let broken = folder.path().join("broken.tif");
    std::fs::write(&broken, "not a raster").expect("it is written");
    // The lower half of the first town, in its own coordinates.
    let scene = towns[0].scene()?;
    let (transform, size) = (scene.raster().transform(), scene.raster().size());
    let corner = |col: usize, row: usize| transform.world_from_pixel((col as f64, row as f64));
    let half = size.height / 2;
    let ring: Vec<_> = [
        (0, half),
        (size.width, half),
        (size.width, size.height),
        (0, size.height),
        (0, half),
    ]
    .map(|(col, row)| corner(col, row))
    .to_vec();
    let polygon = geo::Polygon::new(geo::LineString::from(ring), Vec::new());
    let feature = PolygonFeature {
        geometry: geo::MultiPolygon::new(vec![polygon]),
        class: "area".to_owned(),
        score: None,
        area_m2: 1.0,
    };
    let aoi = folder.path().join("aoi.gpkg");
    write_polygons(
        &aoi,
        &[feature],
        &scene.raster().crs_wkt(),
        Format::GeoPackage,
    )?;

    let (east, west) = (towns[0].scene_path.display(), towns[1].scene_path.display());
    let (model, also, out) = (path("a.swath"), path("b.swath"), path("maps"));
    let all = format!(
        "predict {model} {east} {broken} {west} -o {out} --also {also} --tta flips --threshold 0.3 \
         --formats geojson --quiet",
        broken = broken.display()
    );
    assert_eq!(swath(&all), FAILED, "one scene is no raster");
    for town in &towns {
        let name = town.scene_path.file_stem().expect("a file");
        let saved = folder.path().join("maps").join(name);
        let labels = Raster::open(saved.join("labels.tif"))?;
        assert_eq!(labels.size(), Raster::open(&town.scene_path)?.size());
        assert!(saved.join("polygons.geojson").is_file());
        assert!(
            !saved.join("polygons.gpkg").exists(),
            "only GeoJSON was asked for"
        );
    }

    let (area, part) = (aoi.display(), path("part"));
    let inside = format!(
        "predict {model} {east} -o {part} --aoi {area} --threshold 0 --no-polygons --quiet"
    );
    assert_eq!(swath(&inside), DONE);
    let labels = Raster::open(format!("{part}/labels.tif"))?;
    let patch = labels.read(&labels.full())?;
    let (above, below) = patch.valid.split_at(half * size.width);
    assert!(
        above.iter().all(|valid| *valid == 0),
        "outside the area there is no data"
    );
    assert!(below.iter().all(|valid| *valid == 1));
    assert!(
        patch.data[above.len()..].iter().all(|label| *label > 0.0),
        "at least 0 is every class"
    );
    assert!(!Path::new(&part).join("polygons.gpkg").exists());
    assert_eq!(
        swath(&format!("predict {model} {east} -o {part} --threshold 1.5")),
        NOT_UNDERSTOOD
    );
    Ok(())
}

/// A detector of the scene's classes after one step, which finds boxes everywhere.
fn save_detector(path: &Path, scene: &Scene) -> Result<()> {
    let (train, valid) = scene.split(Split::columns(0.5));
    let chips = train.chips(Chips::random(2, 64).seed(5))?;
    let model = Detector::new(CenterNet::resnet18(), scene.classes()).device(Device::cpu());
    let run = model.fit(&chips, &valid, FitOptions::steps(1).batch(2).quiet(true))?;
    run.last().save(path)
}

#[test]
fn a_bundle_that_finds_objects_is_told_by_its_file_and_its_boxes_are_saved_and_scored() -> Result<()>
{
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let town = samples::town_in(folder.path(), 3, 192)?;
    let scene = town.scene()?;
    let (image, labels) = (town.scene_path.display(), town.labels_path.display());
    let (boxes, map) = (path("boxes.swath"), path("map.swath"));
    save_detector(boxes.as_ref(), &scene)?;
    save_model(map.as_ref(), &scene)?;
    assert_eq!(bundle_task(&boxes).as_deref(), Some("detection"));
    assert_eq!(bundle_task(&map).as_deref(), Some("segmentation"));
    assert_eq!(bundle_task(&town.scene_path), None);

    let out = path("found");
    let options = "--window 128 --overlap 32 --batch 2 --device cpu --threshold 0 --min-score 0 --max-boxes 20 --quiet";
    let predict = format!(
        "predict {boxes} {image} -o {out} --labels {labels} --class class --merge weighted --merge-iou 0.4 {options}"
    );
    assert_eq!(swath(&predict), DONE);
    for name in [
        "boxes.gpkg",
        "boxes.geojson",
        "centers.gpkg",
        "centers.geojson",
        "detections.json",
        "box_scores.json",
    ] {
        assert!(Path::new(&out).join(name).is_file(), "{name}");
    }
    let read = |path: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(path).expect("it was written");
        serde_json::from_str(&text).expect("it is JSON")
    };
    let count = |out: &str| {
        let found = read(&format!("{out}/detections.json"));
        found.as_array().expect("COCO's results are a list").len()
    };
    let outlines = read(&format!("{out}/boxes.geojson"));
    let outlines = outlines["features"].as_array().expect("features").len();
    assert_eq!(outlines, count(&out));
    assert!(
        (1..=4 * 20).contains(&outlines),
        "{outlines} boxes of four tiles with 20 each at most"
    );

    // The scores of the model are those of what it has saved.
    let json = path("again.json");
    let evaluate = format!(
        "evaluate {boxes} {image} --labels {labels} --class class --merge weighted --merge-iou 0.4 {options} --json {json}"
    );
    assert_eq!(swath(&evaluate), DONE);
    assert_eq!(read(&json), read(&format!("{out}/box_scores.json")));

    // Fewer boxes by a threshold that none reaches, and none lost for it: they were saved in another folder.
    let none = path("none");
    let strict = format!(
        "predict {boxes} {image} -o {none} --threshold 1 --device cpu --quiet --merge soft-nms --tta flips \
         --formats gpkg,geojson,fgb"
    );
    assert_eq!(swath(&strict), DONE);
    assert_eq!(count(&none), 0);
    assert!(Path::new(&none).join("boxes.fgb").is_file());
    assert!(
        !Path::new(&none).join("box_scores.json").exists(),
        "there were no labels"
    );

    // What is for the other kind of model is refused before anything is computed.
    let nothing = path("nothing");
    for option in [
        "--min-area 5",
        "--outlines right-angles",
        "--no-scores",
        "--no-polygons",
    ] {
        let line = format!("predict {boxes} {image} -o {nothing} {option}");
        assert_eq!(swath(&line), NOT_UNDERSTOOD, "{line}");
    }
    for option in [
        "--merge nms",
        "--merge-iou 0.5",
        "--min-score 0.1",
        "--max-boxes 9",
    ] {
        let line = format!("predict {map} {image} -o {nothing} {option}");
        assert_eq!(swath(&line), NOT_UNDERSTOOD, "{line}");
        let line = format!("evaluate {map} {image} --labels {labels} --class class {option}");
        assert_eq!(swath(&line), NOT_UNDERSTOOD, "{line}");
    }
    for (first, other) in [(&map, &boxes), (&boxes, &map)] {
        let both = format!("predict {first} {image} -o {nothing} --also {other}");
        assert_eq!(swath(&both), FAILED, "maps and boxes have no average");
    }
    assert!(!Path::new(&nothing).exists());
    Ok(())
}

#[test]
fn several_detectors_search_together_and_their_saved_boxes_are_scored_again() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let town = samples::town_in(folder.path(), 5, 160)?;
    let (image, labels) = (town.scene_path.display(), town.labels_path.display());
    let labels = format!("--labels {labels} --class class");
    let (model, alone, twice) = (path("model.swath"), path("alone"), path("twice"));
    save_detector(model.as_ref(), &town.scene()?)?;
    let options =
        "--window 96 --overlap 32 --device cpu --threshold 0 --min-score 0 --max-boxes 30 --quiet";
    for (out, also) in [(&alone, String::new()), (&twice, format!("--also {model}"))] {
        let line = format!("predict {model} {image} -o {out} {labels} {also} {options}");
        assert_eq!(swath(&line), DONE, "{line}");
    }
    let read = |path: &str| -> serde_json::Value {
        let text = std::fs::read_to_string(path).expect("it was written");
        serde_json::from_str(&text).expect("it is JSON")
    };
    let scores = |out: &str| -> Vec<f64> {
        let found = read(&format!("{out}/detections.json"));
        let found = found.as_array().expect("COCO's results are a list").iter();
        found.filter_map(|one| one["score"].as_f64()).collect()
    };
    assert!(scores(&alone).len() > 10);
    assert_eq!(
        scores(&twice),
        scores(&alone),
        "a model together with itself"
    );

    // What was saved is scored as it was when it was found; a threshold changes what counts.
    let again = path("again.json");
    let evaluate = |file: &str, options: &str| {
        swath(&format!(
            "evaluate {twice}/{file} {image} {labels} --json {again} {options}"
        ))
    };
    let by_name = |json: &serde_json::Value| {
        let mut classes = json["classes"].as_array().expect("classes").clone();
        classes.sort_by_key(|class| class["class"].to_string());
        (classes, json["ap50"].clone(), json["ap"].clone())
    };
    let expected = by_name(&read(&format!("{twice}/box_scores.json")));
    for file in ["boxes.gpkg", "boxes.geojson"] {
        assert_eq!(evaluate(file, "--threshold 0"), DONE, "{file}");
        assert_eq!(by_name(&read(&again)), expected, "{file}");
    }
    assert_eq!(evaluate("boxes.gpkg", "--threshold 1"), DONE);
    assert_eq!(read(&again)["classes"][0]["false_positives"], 0);
    for (file, options) in [
        ("boxes.gpkg", "--window 96"),
        ("boxes.gpkg", "--also x.swath"),
        ("boxes.gpkg", "--merge nms"),
        ("detections.json", ""),
    ] {
        assert_eq!(evaluate(file, options), NOT_UNDERSTOOD, "{file} {options}");
    }
    assert_eq!(evaluate("centers.gpkg", ""), FAILED, "points are no boxes");
    assert_eq!(evaluate("boxes.gpkg", "--threshold 2"), NOT_UNDERSTOOD);
    Ok(())
}

#[test]
fn a_bundle_that_maps_areas_scores_as_its_saved_map_does() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let town = samples::town_in(folder.path(), 4, 128)?;
    let (image, labels) = (town.scene_path.display(), town.labels_path.display());
    let (bundle, out) = (path("map.swath"), path("out"));
    save_model(bundle.as_ref(), &town.scene()?)?;
    let labels = format!("--labels {labels} --class class");
    assert_eq!(
        swath(&format!(
            "predict {bundle} {image} -o {out} --device cpu --quiet"
        )),
        DONE
    );
    for (what, json) in [
        (format!("{out}/labels.tif"), "map.json"),
        (format!("{bundle} --device cpu --quiet"), "model.json"),
    ] {
        let line = format!("evaluate {what} {image} {labels} --json {}", path(json));
        assert_eq!(swath(&line), DONE, "{line}");
    }
    let read = |name: &str| std::fs::read_to_string(path(name)).expect("it was written");
    assert_eq!(read("map.json"), read("model.json"));
    let line = format!("evaluate {out}/labels.tif {image} {labels} --window 64");
    assert_eq!(
        swath(&line),
        NOT_UNDERSTOOD,
        "a saved map is not predicted again"
    );
    let polygons = format!("evaluate {out}/polygons.gpkg {image} {labels}");
    assert_eq!(swath(&polygons), NOT_UNDERSTOOD, "they are no boxes");
    // A part of a saved map, as of the model.
    for (what, json) in [
        (format!("{out}/labels.tif"), "map-part.json"),
        (format!("{bundle} --device cpu --quiet"), "model-part.json"),
    ] {
        let line = format!(
            "evaluate {what} {image} {labels} --crop 64,0,64,64 --json {}",
            path(json)
        );
        assert_eq!(swath(&line), DONE, "{line}");
    }
    for name in ["map-part.json", "model-part.json"] {
        let part: serde_json::Value = serde_json::from_str(&read(name)).expect("it is JSON");
        let labeled: u64 = part
            .as_array()
            .expect("a list")
            .iter()
            .filter(|class| class["class_name"] != "average")
            .filter_map(|class| class["gt_count"].as_u64())
            .sum();
        assert_eq!(labeled, 64 * 64, "{name}");
    }
    // What says how a raster of labels is read means nothing for polygons.
    for option in ["--values 1:house", "--binary house"] {
        let line = format!("evaluate {out}/labels.tif {image} {labels} {option}");
        assert_eq!(swath(&line), NOT_UNDERSTOOD, "{option}");
    }
    Ok(())
}

/// The command line as the program runs it, in a process of its own: it is a shell from then on.
#[test]
fn as_a_shell() {
    match std::env::var("SWATH_TEST_SHELL") {
        Ok(line) => be_a_shell(&line),
        Err(_) => {
            let told = told_in_a_shell(&["--version".to_owned()]);
            assert!(told.contains(env!("CARGO_PKG_VERSION")), "{told}");
        }
    }
}

fn be_a_shell(line: &str) -> ! {
    let words: Vec<std::ffi::CString> = std::iter::once("swath")
        .chain(line.split('\t'))
        .map(|word| std::ffi::CString::new(word).expect("no NUL"))
        .collect();
    let pointers: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    let count = i32::try_from(pointers.len()).expect("a few words");
    // SAFETY: as many strings as `count`, which live until the call returns.
    let code = unsafe { swath::cli::swath_cli(count, pointers.as_ptr()) };
    std::process::exit(code);
}

fn told_in_a_shell(words: &[String]) -> String {
    let output = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["cli::as_a_shell", "--exact", "--nocapture"])
        .env("SWATH_TEST_SHELL", words.join("\t"))
        .output()
        .expect("it runs");
    let words = [output.stdout, output.stderr];
    words
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat()
}

/// What a shell is told names options of the shell, and no method of Rust.
#[test]
fn a_shell_is_told_its_own_options() -> Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let town = samples::town_in(folder.path(), 3, 128)?;
    let bundle = path("town.swath");
    save_model(bundle.as_ref(), &town.scene()?)?;
    let image = town.scene_path.display().to_string();
    let labels = town.labels_path.display().to_string();
    let one_band = path("one.tif");
    let raster = Raster::open(&image)?;
    let mut writer = swath::raster::RasterWriter::create(
        &one_band,
        raster.size(),
        1,
        swath::raster::RasterType::U8,
        raster.transform(),
        &raster.crs_wkt(),
        swath::raster::WriterOptions::default(),
    )?;
    let window = swath::raster::PixelWindow::full(raster.size());
    writer.write_window(&window, &vec![7_u8; window.area()])?;
    writer.finish()?;
    for (words, expected) in [
        (vec![&*image, &image], "`run.best().save(\"model.swath\")`"),
        (vec![&bundle, &one_band], "`--bands 1,2,3`"),
        (
            vec![&bundle, &image, "--bands", "1,2,9"],
            "there is no band 9, counted from 1",
        ),
        (
            vec![&bundle, &image, "--crop", "5000,0,8,8"],
            "`--crop COL,ROW,WIDTH,HEIGHT`",
        ),
        (
            vec![&bundle, &image, "--labels", &labels, "--class", "nothing"],
            "`--class`",
        ),
        (vec![&bundle, &labels], "--labels FILE"),
        (
            vec![&bundle, &image, "--label-raster", &one_band],
            "`--values ",
        ),
        (
            vec![&bundle, &image, "--nodata", "seven"],
            "--nodata <VALUE>",
        ),
    ] {
        let out = path("out");
        let words: Vec<String> = std::iter::once("predict")
            .chain(words)
            .chain(["-o", &out, "--device", "cpu", "--quiet"])
            .map(str::to_owned)
            .collect();
        let told = told_in_a_shell(&words);
        assert!(told.contains(expected), "{expected}: {words:?}: {told}");
        for rust in [
            "Scene::",
            "OpenOptions",
            "LabelValues",
            "LabelClass",
            ".with_",
            "%scene",
        ] {
            assert!(!told.contains(rust), "{rust}: {words:?}: {told}");
        }
    }
    Ok(())
}

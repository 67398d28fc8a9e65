//! The library's side of the command line, run in this process.

use swath::cli::{DONE, FAILED, NOT_UNDERSTOOD, run};
use swath::device::Device;
use swath::models::{BundleMeta, Normalisation, Unet, save_bundle};
use swath::raster::Raster;
use swath::{Result, samples};

fn swath(line: &str) -> i32 {
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
    assert_eq!(swath("info nowhere.tif"), FAILED);
    assert_eq!(swath("predict nowhere.swath nowhere.tif --out x"), FAILED);
    assert_eq!(swath("data fetch nothing-of-that-name"), FAILED);
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

    let names: Vec<String> = scene
        .classes()
        .names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let architecture = Unet::resnet18();
    let network = architecture.build(3, names.len(), &Device::cpu())?;
    let meta = BundleMeta::new(architecture, 3, names, Normalisation::eight_bit(3), 256);
    let bundle = folder.path().join("town.swath");
    save_bundle(&bundle, &meta, &*network)?;

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

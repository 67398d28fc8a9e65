use std::collections::BTreeMap;

use super::*;
use crate::device::Device;
use crate::models::Unet;
use crate::{Error, Hint};

fn bundle() -> (BundleMeta, NamedTensors) {
    let architecture = Unet::efficientnet_lite0()
        .pretrained(false)
        .decoder_widths([8, 8, 8, 8, 4]);
    let architecture = Architecture::from(architecture);
    let classes = vec!["background".to_owned(), "building".to_owned()];
    let meta = BundleMeta::new(
        architecture.clone(),
        4,
        classes,
        Normalization::eight_bit(4),
        256,
    );
    let tensors = architecture
        .build(4, 2, &Device::cpu())
        .unwrap()
        .named_tensors();
    (meta, tensors)
}

fn rewrite(path: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let json = header.metadata().as_ref().unwrap()[KEY].clone();
    let mut value = serde_json::from_str(&json).unwrap();
    change(&mut value);
    let metadata = HashMap::from([(KEY.to_owned(), value.to_string())]);
    let bytes = safetensors::serialize(file.iter(), Some(metadata)).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_bundle_gives_back_the_network_and_its_facts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.swath");
    let (mut meta, tensors) = bundle();
    meta.provenance = BTreeMap::from([("scene".to_owned(), "west/of town.tif".to_owned())]);
    save_tensors(&path, &meta, &tensors).unwrap();
    let (loaded, found) = load_bundle(&path).unwrap();
    assert_eq!(found, tensors);
    assert_eq!(loaded.classes, meta.classes);
    assert_eq!(loaded.provenance, meta.provenance);
    let mut network = loaded
        .architecture
        .build_blank(4, 2, &Device::cpu())
        .unwrap();
    network.load_tensors(&found).unwrap();
    assert_eq!(network.named_tensors(), tensors);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file stays"
    );
}

#[test]
fn bands_come_back_and_older_bundles_do_without() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.swath");
    let (mut meta, tensors) = bundle();
    let band = TrainedBand {
        name: "B08".to_owned(),
        role: Some(crate::raster::BandRole::NearInfrared),
        data_type: crate::raster::DataType::U16,
        min: 1.0,
        max: 9000.0,
        mean: 2100.25,
        std: 900.5,
        p2: 300.0,
        p98: 4200.0,
    };
    meta.trained_bands = vec![band; 4];
    save_tensors(&path, &meta, &tensors).unwrap();
    assert_eq!(
        load_bundle(&path).unwrap().0.trained_bands,
        meta.trained_bands
    );
    rewrite(&path, |json| {
        json.as_object_mut().unwrap().remove("trained_bands");
    });
    assert!(load_bundle(&path).unwrap().0.trained_bands.is_empty());
}

#[test]
fn a_bundle_for_other_sizes_is_refused_by_name_of_the_tensor() {
    let (_, tensors) = bundle();
    let mut network = Architecture::from(Unet::resnet18())
        .build_blank(4, 2, &Device::cpu())
        .unwrap();
    let error = network.load_tensors(&tensors).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("encoder.conv1.weight is missing"),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn damaged_bundles_are_refused_wherever_they_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.swath");
    let (meta, tensors) = bundle();
    save_tensors(&path, &meta, &tensors).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 4, 8, 100, 5000, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        let error = load_bundle(&path).unwrap_err();
        assert!(
            matches!(error, Error::Model(ModelError::Bundle { .. })),
            "{length}: {error}"
        );
    }
    std::fs::write(&path, [0xff; 64]).unwrap();
    assert!(load_bundle(&path).is_err());
}

#[test]
fn a_newer_bundle_says_so_even_with_fields_nobody_knows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.swath");
    let (meta, tensors) = bundle();
    save_tensors(&path, &meta, &tensors).unwrap();
    rewrite(&path, |json| {
        *json = serde_json::json!({"format": FORMAT + 1, "quantum": true});
    });
    let error = load_bundle(&path).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Model(ModelError::BundleTooNew {
                found: 2,
                supported: 1,
                ..
            })
        ),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("update"));
}

#[test]
fn facts_that_contradict_each_other_and_names_that_are_paths_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.swath");
    let (meta, tensors) = bundle();
    let refused = |change: &dyn Fn(&mut serde_json::Value), expected: &str| {
        save_tensors(&path, &meta, &tensors).unwrap();
        rewrite(&path, change);
        let error = load_bundle(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(&|json| json["bands"] = 3.into(), "3 bands");
    refused(
        &|json| json["classes"] = serde_json::json!(["one"]),
        "1 classes",
    );
    refused(
        &|json| json["normalization"]["std"] = serde_json::json!([0.0, 1.0, 1.0, 1.0]),
        "divides by zero",
    );
    refused(
        &|json| {
            json["architecture"]["kind"] = serde_json::json!({"custom": {"name": "../../bin/x"}});
        },
        "is a path",
    );
    let mut named = tensors.clone();
    let any = named.values().next().unwrap().clone();
    named.insert("../outside".to_owned(), any);
    save_tensors(&path, &meta, &named).unwrap();
    assert!(
        load_bundle(&path)
            .unwrap_err()
            .to_string()
            .contains("is a path")
    );
}

#[test]
fn a_plain_weights_file_is_not_taken_for_a_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let view = TensorView::new(Dtype::F32, vec![1], &[0; 4]).unwrap();
    std::fs::write(
        &path,
        safetensors::serialize([("weight", view)], None).unwrap(),
    )
    .unwrap();
    let torch = folder.path().join("weights.pth");
    std::fs::write(
        &torch,
        b"PK\x03\x04 archive/data.pkl and what else PyTorch's archives have",
    )
    .unwrap();
    for path in [path, torch] {
        let error = load_bundle(&path).unwrap_err();
        assert!(error.to_string().contains("weights alone"), "{error}");
        assert!(error.hint().unwrap().contains(".weights(path)"));
    }
}

#[test]
fn files_of_another_kind_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, what, next) in [
        (
            "a.geojson",
            &b"\n{\"type\": \"FeatureCollection\", \"features\": []}"[..],
            "GeoJSON",
            "with_labels",
        ),
        ("b.json", b"{\"images\": []}", "a JSON file", ".save("),
        ("c.gpkg", b"SQLite format 3\0", "GeoPackage", "with_labels"),
        ("d.tif", b"II*\0\x08\0\0\0", "imagery", "Scene::open"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = load_bundle(&path).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("this is no model: it is ") && text.contains(what),
            "{text}"
        );
        assert!(error.hint().unwrap().contains(next), "{name}");
    }
}

#[test]
fn a_missing_bundle_is_an_error_that_names_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (meta, tensors) = bundle();
    save_tensors(&folder.path().join("cars.swath"), &meta, &tensors).unwrap();
    let error = load_bundle(folder.path().join("car.swath")).unwrap_err();
    assert!(error.hint().unwrap().contains("cars.swath"), "{error}");
}

#[test]
fn the_old_bundle_stays_when_the_new_one_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let (meta, tensors) = bundle();
    let missing = folder.path().join("no such folder").join("model.swath");
    assert!(save_tensors(&missing, &meta, &tensors).is_err());
    let path = folder.path().join("model.swath");
    save_tensors(&path, &meta, &tensors).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut broken = tensors.clone();
    broken.insert("counter".to_owned(), burn::tensor::TensorData::from([1i32]));
    assert!(save_tensors(&path, &meta, &broken).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

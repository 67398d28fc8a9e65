use tempfile::tempdir;

use swath::burn::tensor::{Int, Tensor, TensorData};
use swath::ndarray::{Array2, Array3, s};
use swath::prelude::*;
use swath::raster::{ArrayError, GeoReference, GeoTransform, RasterError};

fn image(bands: usize, height: usize, width: usize) -> Array3<f32> {
    Array3::from_shape_fn((bands, height, width), |(band, row, col)| {
        (100 * band + (row * 7 + col * 13) % 50) as f32
    })
}

#[test]
fn an_array_with_labels_is_a_scene_like_any_other() {
    let image = image(3, 96, 96);
    let mask = Array2::<u8>::from_shape_fn((96, 96), |(row, _)| u8::from(row >= 48));
    let place = GeoReference::new(
        GeoTransform::north_up(500_000.0, 4_000_000.0, 2.0),
        "EPSG:32613",
    );
    let array = ImageArray::new(&image).place(place).named("field");
    let scene = Scene::from_array(array).unwrap();
    let scene = scene
        .with_label_array(&mask, Classes::new(["crop"]))
        .unwrap();
    drop(mask);
    assert_eq!((scene.name().as_str(), scene.band_count()), ("field", 3));
    assert!(scene.output().text.contains("field, in memory"));
    let window = PixelWindow::new(10, 40, 20, 16);
    let expected = image.slice(s![.., 40..56, 10..30]);
    assert_eq!(scene.read(&window).unwrap().to_array(), expected);
    let labels = scene.label_array(&window).unwrap();
    assert_eq!(
        labels,
        Array2::from_shape_fn((16, 20), |(row, _)| u8::from(row >= 8))
    );
    let chips = scene
        .chips(Chips::random(8, 32).seed(3).flips(false))
        .unwrap();
    let chip = chips.get(0).unwrap();
    let (row, col) = (chip.window.row as usize, chip.window.col as usize);
    let cut = image.slice(s![.., row..row + 32, col..col + 32]);
    assert_eq!(chip.patch.to_array(), cut);
    assert_eq!(chip.label_array()[[31, 0]], u8::from(row + 31 >= 48));
    let cpu = Device::cpu();
    let tensor = chip.patch.to_tensor(&cpu);
    assert_eq!(tensor.dims(), [3, 32, 32]);
    assert_eq!(
        tensor.into_data().try_to_vec::<f32>().unwrap(),
        chip.patch.data
    );
    assert_eq!(chip.label_tensor(&cpu).dims(), [32, 32]);
    // Threads share it, and the folder of a saved map is one of a file.
    let (train, valid) = scene.split(Split::rows(0.75));
    let training = train.chips(Chips::random(4, 32)).unwrap();
    let model = Segmenter::new(Unet::resnet18(), scene.classes().clone()).device(cpu.clone());
    let run = model
        .fit(&training, &valid, FitOptions::steps(1).quiet(true))
        .unwrap();
    let map = run
        .last()
        .predict_with(&scene, PredictOptions::new().quiet(true))
        .unwrap();
    let labels = map.label_array(&window).unwrap();
    assert_eq!(labels.as_slice().unwrap(), map.labels(&window).unwrap());
    let scores = map.score_array(&window).unwrap();
    assert_eq!(scores.dim(), (2, 16, 20));
    for ((row, col), &label) in labels.indexed_iter() {
        assert!((scores[[0, row, col]] + scores[[1, row, col]] - 1.0).abs() < 0.01);
        assert!(scores[[usize::from(label), row, col]] >= 0.5 - 0.004);
    }
    let outside = map.score_array(&PixelWindow::new(-1, 0, 1, 1)).unwrap();
    assert!(outside.iter().all(|score| score.is_nan()));
    assert_eq!(map.score_tensor(&window, &cpu).unwrap().dims(), [2, 16, 20]);
    let folder = tempdir().unwrap();
    map.save(folder.path().join("map")).unwrap();
    let saved = Raster::open(folder.path().join("map/labels.tif")).unwrap();
    assert_eq!(saved.crs_name(), "EPSG:32613");
}

#[test]
fn tensors_of_every_kind_are_imagery() {
    let cpu = Device::cpu();
    let array = image(2, 8, 9);
    let values: Vec<f32> = array.iter().copied().collect();
    let tensor = Tensor::<3>::from_data(TensorData::new(values.clone(), [2, 8, 9]), cpu.burn());
    let back = |scene: &Scene| scene.read(&scene.area()).unwrap().to_array();
    assert_eq!(back(&Scene::from_array(&tensor).unwrap()), array);
    // Not contiguous on the device.
    let turned = tensor.clone().permute([1, 2, 0]);
    let scene = Scene::from_array(ImageArray::new(turned).bands_last()).unwrap();
    assert_eq!(back(&scene), array);
    let whole = Tensor::<2, Int>::from_data(
        TensorData::new(vec![1_i32, 2, 3, 4, 5, 6], [2, 3]),
        cpu.burn(),
    );
    assert_eq!(back(&Scene::from_array(whole).unwrap())[[0, 1, 2]], 6.0);
    let halves = TensorData::new(values, [2, 8, 9]).convert::<swath::burn::tensor::f16>();
    let scene = Scene::from_array(halves).unwrap();
    assert_eq!(back(&scene), array);
    assert!(
        scene
            .report()
            .iter()
            .any(|notice| notice.text().contains("16-bit floats"))
    );
    let four = TensorData::new(vec![0.0_f32; 24], [1, 2, 3, 4]);
    assert!(matches!(
        Scene::from_array(four).unwrap_err(),
        swath::Error::Raster(RasterError::Array(ArrayError::Axes { .. }))
    ));
}

#[test]
fn labels_of_another_size_and_unknown_values_are_refused() {
    let scene = Scene::from_array(image(1, 20, 30)).unwrap();
    let error = scene
        .with_label_array(Array2::<u8>::zeros((30, 20)), Classes::new(["a"]))
        .unwrap_err();
    assert!(error.to_string().contains("20 x 30 px"), "{error}");
    let error = scene
        .with_label_array(Array2::<u8>::from_elem((20, 30), 7), Classes::new(["a"]))
        .unwrap_err();
    assert!(error.to_string().contains('7'), "{error}");
    let codes = Array2::<i64>::from_shape_fn((20, 30), |(row, _)| if row < 10 { 10 } else { -50 });
    let labeled = scene
        .with_label_array(codes, LabelValues::codes([(10, "tree"), (-50, "water")]))
        .unwrap();
    assert_eq!(labeled.label_array(&labeled.area()).unwrap()[[15, 3]], 2);
    let ignored = Array2::<u8>::from_shape_fn((20, 30), |(row, _)| if row < 10 { 255 } else { 1 });
    let labeled = scene
        .with_label_array(ignored, Classes::new(["a"]))
        .unwrap();
    assert_eq!(labeled.label_array(&labeled.area()).unwrap()[[0, 0]], 255);
}

/// A folder of `.npy`, each with an `.npy` of labels of the same name, as many data sets of competitions come.
#[test]
fn folders_of_numpy_files_are_scenes_with_labels() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numpy");
    let folder = tempdir().unwrap();
    let (images, labels) = (folder.path().join("images"), folder.path().join("labels"));
    for (part, from) in [(&images, "image_u2_big.npy"), (&labels, "plane_f4.npy")] {
        std::fs::create_dir_all(part).unwrap();
        for name in ["a.npy", "b.npy"] {
            std::fs::copy(fixtures.join(from), part.join(name)).unwrap();
        }
    }
    let values = LabelValues::codes([(111, "one")]).others_are_background();
    let scenes = Scenes::open(&images)
        .unwrap()
        .with_label_rasters(&labels, values)
        .unwrap();
    assert_eq!(scenes.len(), 2);
    let scene = scenes.get(0).unwrap();
    let found = scene.label_array(&scene.area()).unwrap();
    assert_eq!(
        found
            .indexed_iter()
            .filter(|(_, label)| **label == 1)
            .map(|(at, _)| at)
            .collect::<Vec<_>>(),
        [(1, 1)]
    );
    let archive = format!("{}?image", fixtures.join("several.npz").display());
    assert_eq!(
        Scenes::open(archive.as_str())
            .unwrap()
            .get(0)
            .unwrap()
            .band_count(),
        3
    );
    let scene = Scene::open(&archive).unwrap();
    let classes = format!("{}?classes", fixtures.join("several.npz").display());
    let scene = scene
        .with_label_raster(classes, LabelValues::codes([(10, "ten"), (50, "fifty")]))
        .unwrap();
    // 10 * row + column is a multiple of 3 at (0, 0) and (1, 2), not at (0, 1).
    let labels = scene.label_array(&scene.area()).unwrap();
    assert_eq!([labels[[0, 0]], labels[[0, 1]], labels[[1, 2]]], [1, 2, 1]);
}

/// Errors name the array, and no path that nobody has written.
#[test]
fn errors_of_arrays_name_the_array() {
    let array = ImageArray::new(image(3, 32, 32)).named("field");
    let scene = Scene::from_array(array).unwrap();
    let errors = [
        scene.chips(Chips::random(4, 64)).map(drop).unwrap_err(),
        scene.show_bands([9]).map(drop).unwrap_err(),
        scene.on_date("2023-01-01").map(drop).unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(
            text.contains("the array \"field\"") && !text.contains("vsimem"),
            "{text}"
        );
    }
    let plain = Scene::from_array(image(1, 8, 8)).unwrap();
    let text = plain.on_date("2023-01-01").unwrap_err().to_string();
    assert!(text.contains("the array in memory"), "{text}");
}

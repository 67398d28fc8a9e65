use std::fs;

use swath::prelude::*;
use swath::raster::Size;

use super::{row_of_tiles, tile};

/// Four drawn towns as tiles of one place each, labeled.
fn towns(folder: &std::path::Path) -> Scenes {
    let scenes: Vec<Scene> = (1..=4)
        .map(|seed| {
            let folder = folder.join(seed.to_string());
            fs::create_dir_all(&folder).unwrap();
            samples::town_in(&folder, seed, 128)
                .unwrap()
                .scene()
                .unwrap()
        })
        .collect();
    // All of them lie at one place: they are not split by scene here.
    Scenes::of(&scenes).unwrap()
}

/// Exact figures of all values together, by their definition.
#[test]
fn statistics_are_those_of_all_pixels_together() {
    let folder = tempfile::tempdir().unwrap();
    let mut tiles = row_of_tiles(folder.path(), 3, Size::new(70, 50));
    let wide = folder.path().join("wide.tif");
    tiles.push(tile(
        &wide,
        32,
        (5000.0, 0.0),
        Size::new(400, 30),
        3,
        |band, col, row| ((col * 7 + row * band) % 251) as f32,
    ));
    let scenes = Scenes::open(&tiles).unwrap();
    let mut parts = scenes.iter().cloned().collect::<Vec<_>>();
    // A part of a scene counts as its part.
    parts[3] = parts[3].crop(PixelWindow::new(100, 0, 200, 30)).unwrap();
    for scenes in [scenes, Scenes::of(&parts).unwrap()] {
        let found = scenes.statistics().unwrap();
        for (band, found) in found.iter().enumerate() {
            let mut values: Vec<f64> = Vec::new();
            for scene in &scenes {
                let patch = scene.read(&scene.area()).unwrap();
                values.extend(patch.band(band).iter().map(|&value| f64::from(value)));
            }
            values.sort_by(f64::total_cmp);
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f64>()
                / n;
            let nearest = |share: f64| values[(share * (n - 1.0)).round() as usize];
            assert_eq!(found.count, values.len() as u64);
            assert!((found.mean - mean).abs() < 1e-9 && (found.std - variance.sqrt()).abs() < 1e-9);
            assert_eq!(
                (found.min, found.max),
                (values[0], values[values.len() - 1])
            );
            assert_eq!((found.p2, found.p98), (nearest(0.02), nearest(0.98)));
        }
    }
}

#[test]
fn a_model_is_trained_validated_predicted_and_scored_on_many_scenes() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = towns(folder.path());
    let parts: Vec<Scene> = scenes.iter().cloned().collect();
    let (train, valid) = (
        Scenes::of(&parts[..3]).unwrap(),
        Scenes::of(&parts[3..]).unwrap(),
    );
    let chips = train.chips(Chips::random(24, 64).seed(1)).unwrap();
    let model = Segmenter::new(Unet::resnet18(), train.classes()).device(Device::cpu());
    let run = model
        .fit(&chips, &valid, FitOptions::steps(4).quiet(true))
        .unwrap();
    let model = run.best();
    let meta = model.meta().unwrap();
    assert_eq!(meta.trained_areas.len(), 3);
    assert_eq!(meta.normalization, model.meta().unwrap().normalization);
    let options = PredictOptions::new().quiet(true).window(128);
    let maps = model.predict_with(&train, &options).unwrap();
    assert_eq!((maps.len(), maps.is_empty()), (3, false));
    // Pooled counts are the sums of those of each scene.
    let scores = maps.evaluate(&train).unwrap();
    let names: Vec<&str> = scores.each().map(|(name, _)| name).collect();
    assert_eq!(names, train.names().collect::<Vec<_>>());
    let classes = train.classes().len();
    for (truth, found) in (0..classes).flat_map(|a| (0..classes).map(move |b| (a, b))) {
        let each: u64 = scores
            .each()
            .map(|(_, scores)| scores.confusion().count(truth, found))
            .sum();
        assert_eq!(scores.pooled().confusion().count(truth, found), each);
    }
    let at_once = model.evaluate_with(&train, &options).unwrap();
    assert_eq!(at_once.pooled(), scores.pooled());
    let json = scores.to_json();
    assert_eq!(json["scenes"].as_array().unwrap().len(), 3);
    let text = scores.output().text;
    assert!(
        text.contains("all together") && text.contains("mean IoU"),
        "{text}"
    );
    // Trained areas are known, and said.
    assert!(text.contains("trained on"), "{text}");
    let one = model.predict_with(train.get(1).unwrap(), &options).unwrap();
    let labels = |map: &SceneMap| map.labels(&PixelWindow::new(0, 0, 128, 128)).unwrap();
    assert_eq!(labels(maps.get(1).unwrap()), labels(&one));
    assert!(
        maps.evaluate(&valid)
            .unwrap_err()
            .to_string()
            .contains("3 scenes were predicted and 1 are given")
    );
    let saved = maps.save(folder.path().join("maps")).unwrap();
    assert!(
        saved.len() == 3
            && saved
                .iter()
                .all(|files| files.iter().all(|file| file.exists()))
    );
}

/// A run that is stopped goes on with the scenes that are missing, and only the same work counts as done.
#[test]
fn many_scenes_are_predicted_one_by_one_and_a_stopped_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = towns(folder.path());
    let chips = scenes.chips(Chips::random(8, 64)).unwrap();
    let model = Segmenter::new(Unet::resnet18(), scenes.classes()).device(Device::cpu());
    let run = model
        .fit(&chips, &scenes, FitOptions::steps(1).quiet(true))
        .unwrap();
    let out = folder.path().join("out");
    let options = PredictOptions::new().quiet(true).window(128);
    // The names of scenes decide their folders: those of all are taken from the start.
    let all = Scenes::of(scenes.iter()).unwrap();
    let done = run.best().predict_to(&all, &out, &options).unwrap();
    assert_eq!((done.finished_before(), done.folders().len()), (0, 4));
    assert!(
        done.folders()
            .iter()
            .all(|folder| folder.join("labels.tif").exists())
    );
    let stamp = |folder: &std::path::Path| {
        fs::metadata(folder.join("labels.tif"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = stamp(&done.folders()[0]);
    // The last scene was not finished: its line is cut off in the middle.
    let record = out.join("scenes.jsonl");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, &text[..text.len() - 20]).unwrap();
    fs::remove_dir_all(&done.folders()[3]).unwrap();
    let again = run.best().predict_to(&all, &out, &options).unwrap();
    assert_eq!(again.finished_before(), 3);
    assert_eq!(stamp(&again.folders()[0]), before);
    assert!(again.folders()[3].join("labels.tif").exists());
    assert_eq!(
        run.best()
            .predict_to(&all, &out, &options)
            .unwrap()
            .finished_before(),
        4
    );
    // A file that is gone or was cut off is written again.
    fs::write(again.folders()[1].join("labels.tif"), "").unwrap();
    fs::remove_file(again.folders()[2].join("polygons.gpkg")).unwrap();
    assert_eq!(
        run.best()
            .predict_to(&all, &out, &options)
            .unwrap()
            .finished_before(),
        2
    );
    // What was written over is done again.
    let other = options.clone().threshold(0.9);
    assert_eq!(
        run.best()
            .predict_to(&all, &out, &other)
            .unwrap()
            .finished_before(),
        0
    );
    assert_eq!(
        run.best()
            .predict_to(&all, &out, &options)
            .unwrap()
            .finished_before(),
        0
    );
    assert_eq!(
        run.best()
            .predict_to(&all, &out, &options)
            .unwrap()
            .finished_before(),
        4
    );
    // A file that has changed is other work.
    let path = all.get(1).unwrap().raster().path().to_owned();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    let fresh = all.map(|scene| Scene::open(scene.raster().path())).unwrap();
    assert_eq!(
        run.best()
            .predict_to(&fresh, &out, &options)
            .unwrap()
            .finished_before(),
        3
    );
    // Other options are other work.
    let first = Scenes::of(fresh.iter().take(2)).unwrap();
    let other = run
        .best()
        .predict_to(
            &first,
            folder.path().join("out"),
            options.clone().threshold(0.3),
        )
        .unwrap();
    assert_eq!(other.finished_before(), 0);
}

#[test]
fn boxes_of_many_scenes_are_scored_together() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = towns(folder.path())
        .map(|scene| scene.only(["car"]))
        .unwrap();
    let chips = scenes.chips(Chips::random(8, 64)).unwrap();
    let model = Detector::new(CenterNet::resnet18(), scenes.classes()).device(Device::cpu());
    let run = model
        .fit(&chips, &scenes, FitOptions::steps(2).quiet(true))
        .unwrap();
    let options = DetectionOptions::new().quiet(true).threshold(0.05);
    let scores = run.best().evaluate_with(&scenes, &options).unwrap();
    let objects: usize = scenes.iter().map(|scene| scene.boxes().len()).sum();
    let truth: usize = scores
        .pooled()
        .images()
        .iter()
        .map(|image| image.truth.len())
        .sum();
    assert_eq!((scores.pooled().images().len(), truth), (4, objects));
    let sum = |pick: fn(&BoxScores) -> usize| -> usize {
        scores.each().map(|(_, scores)| pick(scores)).sum()
    };
    let missed = |scores: &BoxScores| scores.counts(0.5).false_negatives;
    assert_eq!(scores.pooled().counts(0.5).false_negatives, sum(missed));
}

/// A checkpoint knows all scenes of its run.
#[test]
fn a_run_on_many_scenes_is_resumed_on_the_same_ones_alone() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = towns(folder.path());
    let parts: Vec<Scene> = scenes.iter().cloned().collect();
    let model = Segmenter::new(Unet::resnet18(), scenes.classes()).device(Device::cpu());
    let chips = |scenes: &[Scene]| {
        Scenes::of(scenes)
            .unwrap()
            .chips(Chips::random(8, 64))
            .unwrap()
    };
    let place = folder.path().join("run");
    let options = FitOptions::steps(2).quiet(true);
    let first = model
        .fit(
            &chips(&parts[..2]),
            &parts[3],
            options.clone().checkpoints(&place),
        )
        .unwrap();
    let resume = options.resume(&place);
    let again = model
        .fit(&chips(&parts[..2]), &parts[3], resume.clone())
        .unwrap();
    assert_eq!(again.history().epochs.len(), first.history().epochs.len());
    let error = model
        .fit(&chips(&parts[1..3]), &parts[3], resume)
        .unwrap_err();
    assert_eq!(error.domain(), "TrainError", "{error}");
}

//! Labels that are complete in a part of the scene: outside nothing counts, and maps cover everything all the same.

use swath::chips::Chips;
use swath::detect::SceneBoxes;
use swath::labels::IGNORE;
use swath::raster::PixelWindow;
use swath::scene::{Scene, Split};
use swath::vector::VectorSource;

use crate::features::{imagery, layer, of, square, write};
use crate::support::label_counts;

/// Three houses on an image of 200 x 100 pixels; within the sheet, its left 80 columns and upper 80 rows, lies one whole and
/// one half.
fn houses(folder: &std::path::Path) -> (Scene, std::path::PathBuf) {
    let scene = imagery(folder);
    let path = write(
        &folder.join("houses.gpkg"),
        "GPKG",
        &[layer(
            "houses",
            "kind",
            of(&[
                ("house", square(10, 10, 10)),
                ("house", square(70, 30, 20)),
                ("house", square(150, 40, 10)),
            ]),
        )],
    );
    let sheet = write(
        &folder.join("sheet.gpkg"),
        "GPKG",
        &[layer("sheet", "name", of(&[("one", square(0, 0, 80))]))],
    );
    (scene.with_labels(path, "kind").unwrap(), sheet)
}

#[test]
fn outside_the_area_with_labels_nothing_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, sheet) = houses(folder.path());
    let partial = scene.labeled_within(&sheet).unwrap();
    assert_eq!(
        label_counts(&partial),
        [(0, 6400 - 100 - 200), (1, 300), (IGNORE, 20_000 - 6400)].into()
    );
    let objects = |scene: &Scene| {
        let shares = swath::scenes::Scenes::from(scene).class_shares().unwrap();
        (shares.pixels(1), shares.objects(1))
    };
    // The middle of the second house lies just outside.
    assert_eq!((objects(&scene), objects(&partial)), ((600, 3), (300, 1)));
    // As an area of interest has it, but for maps and statistics.
    assert_eq!(
        label_counts(&scene.with_aoi(&sheet).unwrap()),
        label_counts(&partial)
    );
    assert!(partial.aoi().is_none() && partial.labeled_area().is_some());
    assert_eq!(partial.statistics().unwrap(), scene.statistics().unwrap());
    assert_eq!(
        partial.read(&partial.area()).unwrap(),
        scene.read(&scene.area()).unwrap()
    );
    // The order of the calls does not matter, and another file's labels are limited, too.
    let again = scene.labeled_within(&sheet).unwrap();
    let again = again
        .with_labels(folder.path().join("houses.gpkg"), "kind")
        .unwrap();
    assert_eq!(label_counts(&again), label_counts(&partial));
    let part = partial.crop(PixelWindow::new(60, 20, 60, 40)).unwrap();
    assert_eq!(label_counts(&part)[&IGNORE], 40 * 40);
    let both = partial.with_aoi(&sheet).unwrap();
    assert_eq!(label_counts(&both), label_counts(&partial));
    // Elsewhere there is none.
    let (_, right) = scene.split(Split::columns(0.75));
    let error = right.labeled_within(&sheet).unwrap_err().to_string();
    assert!(
        error.contains("the area with labels lies nowhere on the scene"),
        "{error}"
    );
}

#[test]
fn chips_lie_where_labels_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, sheet) = houses(folder.path());
    let partial = scene.labeled_within(&sheet).unwrap();
    let random = partial.chips(Chips::random(40, 32).seed(1)).unwrap();
    for index in 0..random.len() {
        let chip = random.get(index).unwrap();
        assert!(
            chip.labels.iter().any(|&label| label != IGNORE),
            "{}",
            chip.window
        );
    }
    // 7 x 4 windows of 32 pixels, the last ones at the edge; 3 x 4 touch the sheet.
    assert_eq!(scene.chips(Chips::sliding(32)).unwrap().len(), 7 * 4);
    let sliding = partial.chips(Chips::sliding(32)).unwrap();
    assert!((0..sliding.len()).all(|index| sliding.get(index).unwrap().window.col < 80));
    assert_eq!(sliding.len(), 12);
}

#[test]
fn boxes_outside_do_not_count_either() {
    let folder = tempfile::tempdir().unwrap();
    let (scene, sheet) = houses(folder.path());
    let boxes = scene
        .with_boxes(folder.path().join("houses.gpkg"), "kind")
        .unwrap();
    let partial = boxes.labeled_within(&sheet).unwrap();
    // The half one is kept where half of it is enough.
    let in_use = |scene: &Scene, visible| scene.boxes_in(&scene.area(), visible).len();
    assert_eq!(
        (
            in_use(&boxes, 0.5),
            in_use(&partial, 0.5),
            in_use(&partial, 0.6)
        ),
        (3, 2, 1)
    );
    let chips = partial.chips(Chips::random(20, 32).seed(3)).unwrap();
    for index in 0..chips.len() {
        let window = chips.get(index).unwrap().window;
        assert!(window.col < 80 && window.row < 80, "{window}");
    }
    // Missed and found outside: neither counts.
    let path = folder.path().join("detections.json");
    let found = |x: u32, y: u32, side: u32| serde_json::json!({"image_id": 1, "category_id": 1, "bbox": [x, y, side, side], "score": 0.9});
    let all = serde_json::json!([found(10, 10, 10), found(70, 30, 20), found(120, 80, 10)]);
    std::fs::write(&path, all.to_string()).unwrap();
    let map = SceneBoxes::open_with_classes(&path, &boxes, boxes.classes().clone()).unwrap();
    assert_eq!(map.len(), 3);
    let counted = |scene: &Scene| {
        let scores = map.evaluate(scene).unwrap();
        (scores.boxes().truth.len(), scores.boxes().found.len())
    };
    assert_eq!((counted(&boxes), counted(&partial)), ((3, 3), (2, 2)));
}

/// Nothing is known between labels: background counts where somebody has drawn it.
#[test]
fn only_what_is_drawn_counts() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let path = write(
        &folder.path().join("samples.gpkg"),
        "GPKG",
        &[layer(
            "samples",
            "cover",
            of(&[
                ("background", square(0, 0, 20)),
                ("water", square(30, 0, 20)),
                ("sand", square(60, 0, 10)),
            ]),
        )],
    );
    let samples = scene.with_labels(&path, "cover").unwrap().labeled_only();
    assert_eq!(samples.classes().names(), ["background", "sand", "water"]);
    let right = [(0, 400), (1, 100), (2, 400), (IGNORE, 20_000 - 900)].into();
    assert_eq!(label_counts(&samples), right);
    // Classes that are left out are background where they are drawn.
    let water = samples.only(["water"]).unwrap();
    assert_eq!(
        label_counts(&water),
        [(0, 500), (1, 400), (IGNORE, 20_000 - 900)].into()
    );
    let chips = samples.chips(Chips::random(20, 16).seed(1)).unwrap();
    for index in 0..chips.len() {
        let chip = chips.get(index).unwrap();
        assert!(chip.labels.iter().any(|&label| label != IGNORE));
    }
    assert!(
        !samples.report().mentions("told apart"),
        "{}",
        samples.report()
    );
    assert!(water.report().is_empty() || !water.report().mentions("told apart"));
    let one = scene.with_labels(VectorSource::new(&path).filter("cover = 'sand'"), "cover");
    assert!(one.unwrap().labeled_only().report().mentions("told apart"));
    let (_, right) = samples.split(Split::columns(0.5));
    assert!(
        right
            .chips(Chips::random(4, 16))
            .unwrap_err()
            .to_string()
            .contains("label")
    );
}

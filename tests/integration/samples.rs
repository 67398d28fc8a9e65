//! The drawn town: the same everywhere, true to the pixel.

use swath::labels::IGNORE;
use swath::raster::{PixelWindow, Raster};
use swath::samples::town_in;

#[test]
fn the_same_seed_draws_the_same_town() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, again, other) = (
        town_in(a.path(), 1, 600),
        town_in(b.path(), 1, 600),
        town_in(a.path(), 2, 600),
    );
    let read = |town: &swath::samples::Town| {
        Raster::open(&town.scene_path)
            .unwrap()
            .read(&PixelWindow::new(0, 0, 600, 600))
            .unwrap()
    };
    let (one, again, other) = (one.unwrap(), again.unwrap(), other.unwrap());
    assert_eq!(read(&one), read(&again));
    assert_ne!(read(&one), read(&other));
    let labels = |town: &swath::samples::Town| {
        let scene = town.scene().unwrap();
        scene.label_window(&scene.area()).unwrap()
    };
    assert_eq!(labels(&one), labels(&again));
}

/// Neighboring pixels of a road's edge differ in the picture where they differ in the labels: asphalt is gray, and what
/// the labels call road is never green.
#[test]
fn labels_lie_where_things_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let scene = town_in(folder.path(), 5, 1200).unwrap().scene().unwrap();
    assert_eq!(
        scene.classes().names(),
        ["background", "building", "car", "road", "tree"]
    );
    let (patch, labels) = (
        scene.read(&scene.area()).unwrap(),
        scene.label_window(&scene.area()).unwrap(),
    );
    let mut counts = [0usize; 5];
    let mut green = [0usize; 5];
    for (pixel, &label) in labels.iter().enumerate() {
        assert_ne!(label, IGNORE);
        let [r, g, b] = [0, 1, 2].map(|band| patch.band(band)[pixel]);
        counts[usize::from(label)] += 1;
        green[usize::from(label)] += usize::from(g > r + 12.0 && g > b + 12.0);
    }
    for (name, share) in [
        ("building", 0.08),
        ("car", 0.001),
        ("road", 0.1),
        ("tree", 0.01),
    ] {
        let class = scene.classes().index_of(name).unwrap();
        assert!(
            counts[class] as f64 > share * labels.len() as f64,
            "{name}: {counts:?}"
        );
    }
    assert_eq!(green[3], 0, "no road is green");
    assert!(
        green[4] * 10 > counts[4] * 7,
        "most of every tree is: {green:?} of {counts:?}"
    );
    assert_eq!(scene.raster().nominal_gsd(), (0.3, 0.3));
}
